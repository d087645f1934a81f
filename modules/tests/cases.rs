//! Runs every case file `cases/<module>/*.yml` over a real temporary directory and over memory, with the three laws:
//! check mode changes nothing, check mode predicts `changed`, a second run changes nothing. A fourth one for modules that make files: what they
//! would change they predict also after a command of which nobody knows what it made.
//!
//! In a case `DIR` is the directory. Fields: `name`, `before` (tree), `args`, `expect` (part of the result), `after` (tree), `fails`
//! (part of the message), `diff: true`, `repeats: true` (a second run changes again), `memory: false` (needs the real machine),
//! `content` (what the controller has, sent when asked for), `root: true` (the tree is the root of a machine in memory, for modules
//! whose paths are fixed). Programs in `bin/` of the tree come before the machine's; `$HOME` is the directory for them.
//! A tree maps paths to a file's text, to `{dir: MODE}`, `{link: TARGET}`, `{file: TEXT, mode: MODE}`, or to null for nothing.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rplay_modules::change::Change;
use rplay_modules::context::{Controller, Settings};
use rplay_modules::control::Control;
use rplay_modules::execute::{execute_on, predict};
use rplay_modules::system::{Nothing, Overlay, Real, System, read};
use rplay_modules::wire::{Call, Reply};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Modules under the fourth law.
const MAKERS: &[&str] = &["blockinfile", "copy", "file", "ini_file", "lineinfile"];

#[derive(serde::Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    before: BTreeMap<String, Value>,
    args: Value,
    #[serde(default)]
    expect: Value,
    #[serde(default)]
    after: BTreeMap<String, Value>,
    fails: Option<String>,
    #[serde(default)]
    diff: bool,
    #[serde(default)]
    repeats: bool,
    #[serde(default = "yes")]
    memory: bool,
    content: Option<String>,
    #[serde(default)]
    root: bool,
}

fn yes() -> bool {
    true
}

struct Content(Option<String>);

impl Controller for Content {
    fn blob(&mut self, _: &str, sink: &mut dyn Write) -> Result<(), String> {
        let content = self.0.as_ref().ok_or("no content")?;
        sink.write_all(content.as_bytes()).map_err(|error| error.to_string())
    }
    fn output(&mut self, _: u8, _: &[u8]) {}
    fn send(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// Replaces `DIR` everywhere.
fn placed(value: &Value, dir: &str) -> Value {
    match value {
        Value::String(text) => json!(text.replace("DIR", dir)),
        Value::Array(items) => items.iter().map(|item| placed(item, dir)).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.replace("DIR", dir), placed(value, dir))).collect(),
        other => other.clone(),
    }
}

impl Case {
    fn call(&self, module: &str, dir: &str, check: bool) -> Call {
        let mut args = placed(&self.args, dir);
        if let Some(content) = &self.content {
            let sha256: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
            args["_rplay_sha256"] = json!(sha256);
            args["_rplay_size"] = json!(content.len());
        }
        let call = json!({"module": module, "args": args, "check": check, "diff": self.diff});
        serde_json::from_value(call).unwrap()
    }

    fn run(&self, module: &str, dir: &str, check: bool, system: &mut dyn System) -> Reply {
        self.run_with(module, dir, dir, check, system)
    }

    /// Check mode on disk after a command that may have made anything.
    fn after_unknown(&self, module: &str, dir: &str) -> Reply {
        let env = vec![("PATH".into(), format!("{dir}/bin:{}", std::env::var("PATH").unwrap_or_default())), ("HOME".into(), dir.to_owned())];
        let settings = Settings { check: true, diff: self.diff, live: false, env, umask: 0o022 };
        let overlay = || {
            let mut overlay = Overlay::new(Real, (1, 0), 0o022);
            overlay.replay(&Change::Opaque { what: "a command".into(), below: None });
            overlay
        };
        predict(&self.call(module, dir, true), &overlay, &mut Content(self.content.clone()), &settings, &Control::default())
    }

    /// As `run`, with the programs of the tree in another directory than the one that `DIR` names.
    fn run_with(&self, module: &str, dir: &str, programs: &str, check: bool, system: &mut dyn System) -> Reply {
        let path = format!("{programs}/bin:{}", std::env::var("PATH").unwrap_or_default());
        let env = vec![("PATH".into(), path), ("HOME".into(), programs.to_owned()), ("LC_ALL".into(), "C".into())];
        let settings = Settings { check, diff: self.diff, live: false, env, umask: 0o022 };
        execute_on(&self.call(module, dir, check), system, &mut Content(self.content.clone()), settings, &Control::default())
    }
}

fn mode(value: &Value, default: u32) -> u32 {
    value.as_str().map_or(default, |text| u32::from_str_radix(text, 8).unwrap())
}

fn build(dir: &Path, tree: &BTreeMap<String, Value>) {
    for (path, value) in tree {
        let path = dir.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).unwrap();
        }
        let chmod = |bits| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(bits)).unwrap();
        match value {
            Value::String(text) => {
                std::fs::write(&path, text).unwrap();
                chmod(0o644);
            }
            Value::Object(map) if map.contains_key("dir") => {
                std::fs::create_dir_all(&path).unwrap();
                chmod(mode(&map["dir"], 0o755));
            }
            Value::Object(map) if map.contains_key("link") => symlink(map["link"].as_str().unwrap().replace("DIR", &dir.to_string_lossy()), &path).unwrap(),
            Value::Object(map) => {
                std::fs::write(&path, map["file"].as_str().unwrap()).unwrap();
                chmod(mode(map.get("mode").unwrap_or(&Value::Null), 0o644));
            }
            other => panic!("a tree has no {other}"),
        }
    }
}

/// Everything below a directory with all that a change would alter.
fn snapshot(dir: &Path) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let meta = std::fs::symlink_metadata(&path).unwrap();
        let content = match meta.file_type() {
            kind if kind.is_symlink() => format!("{:?}", std::fs::read_link(&path)),
            kind if kind.is_dir() => {
                all.extend(snapshot(&path));
                String::new()
            }
            _ => format!("{:?}", std::fs::read(&path)),
        };
        all.insert(path, format!("{:o} {} {} {}.{} {content}", meta.mode(), meta.uid(), meta.gid(), meta.mtime(), meta.mtime_nsec()));
    }
    all
}

/// Where `have` lacks what `want` says.
fn differs(have: &Value, want: &Value, at: &str) -> Option<String> {
    match (have, want) {
        (_, Value::Null) if at.is_empty() => None,
        (Value::Object(have), Value::Object(want)) => {
            want.iter().find_map(|(key, want)| differs(have.get(key).unwrap_or(&Value::Null), want, &format!("{at}.{key}")))
        }
        (Value::Array(have), Value::Array(want)) if have.len() == want.len() => {
            have.iter().zip(want).enumerate().find_map(|(i, (have, want))| differs(have, want, &format!("{at}[{i}]")))
        }
        (have, want) => (have != want).then(|| format!("{at} is {have}, not {want}")),
    }
}

fn check_tree(system: &dyn System, dir: &Path, tree: &BTreeMap<String, Value>) -> Option<String> {
    tree.iter().find_map(|(name, want)| {
        let path = dir.join(name);
        let stat = system.lstat(&path).ok();
        let text = || String::from_utf8_lossy(&read(system, &path).unwrap_or_default()).into_owned();
        let ok = match (want, stat) {
            (Value::Null, stat) => stat.is_none(),
            (_, None) => false,
            (Value::String(want), Some(stat)) => stat.is_file() && text() == want.replace("DIR", &dir.to_string_lossy()),
            (Value::Object(want), Some(stat)) => {
                let kind = match () {
                    () if want.contains_key("dir") => stat.is_dir() && stat.mode == mode(&want["dir"], stat.mode),
                    () if want.contains_key("link") => {
                        let target = want["link"].as_str().unwrap().replace("DIR", &dir.to_string_lossy());
                        system.read_link(&path).is_ok_and(|have| have == Path::new(&target))
                    }
                    () => want.get("file").is_none_or(|want| text() == want.as_str().unwrap()),
                };
                kind && want.get("mode").is_none_or(|want| stat.mode == mode(want, 0))
            }
            _ => false,
        };
        (!ok).then(|| format!("{name} is not as it shall be: {:?} {:?}", system.lstat(&path).map(|stat| format!("{:o}", stat.mode)), text()))
    })
}

fn check_result(case: &Case, reply: &Reply, dir: &str) -> Option<String> {
    let result = Value::Object(reply.result.clone());
    let failed = result["failed"] == json!(true);
    match &case.fails {
        Some(text) if !failed => Some(format!("did not fail with {text}: {result}")),
        Some(text) if !result["msg"].as_str().unwrap_or_default().contains(&text.replace("DIR", dir)) => Some(format!("failed with {}", result["msg"])),
        None if failed => Some(format!("failed: {result}")),
        _ => differs(&result, &placed(&case.expect, dir), "").map(|why| format!("{why} in {result}")),
    }
}

fn on_disk(module: &str, case: &Case) -> Result<(), String> {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path().canonicalize().unwrap();
    let shown = dir.to_string_lossy().into_owned();
    build(&dir, &case.before);
    let before = snapshot(&dir);
    let predicted = case.run(module, &shown, true, &mut Overlay::new(Real, (1, 0), 0o022));
    let doubted = case.after_unknown(module, &shown);
    if snapshot(&dir) != before {
        return Err("check mode changed something".into());
    }
    let real = case.run(module, &shown, false, &mut Real);
    if let Some(why) = check_result(case, &real, &shown).or_else(|| check_tree(&Real, &dir, &case.after)) {
        return Err(why);
    }
    let known = !predicted.result.contains_key("_rplay_unknown") && !predicted.result.contains_key("skipped");
    let failed = |reply: &Reply| reply.result.get("failed") == Some(&json!(true));
    if known && case.fails.is_none() && (predicted.result["changed"] != real.result["changed"] || failed(&predicted)) {
        return Err(format!("check mode predicted {}", Value::Object(predicted.result)));
    }
    if known && real.result["changed"] == json!(true) && predicted.changes.is_empty() {
        return Err("check mode gave no changes".into());
    }
    if known && MAKERS.contains(&module) && real.result["changed"] == json!(true) && doubted.result["changed"] != json!(true) {
        return Err(format!("after an unknown command it is not predicted: {}", Value::Object(doubted.result)));
    }
    for change in predicted.changes {
        serde_json::from_value::<Change>(change).map_err(|error| error.to_string())?;
    }
    if case.fails.is_none() && !case.repeats {
        let again = case.run(module, &shown, false, &mut Real);
        if again.result["changed"] != json!(false) {
            return Err(format!("a second run changed: {}", Value::Object(again.result)));
        }
    }
    Ok(())
}

fn in_memory(module: &str, case: &Case) -> Result<(), String> {
    let dir = PathBuf::from("/case");
    let temporary = tempfile::tempdir().unwrap();
    build(temporary.path(), &case.before);
    let mut memory = Overlay::new(Nothing, (1, 0), 0o022);
    memory.make_dir(&dir, 0o755).unwrap();
    load(&mut memory, temporary.path(), &dir);
    let real = case.run(module, "/case", false, &mut memory);
    if let Some(why) = check_result(case, &real, "/case").or_else(|| check_tree(&memory, &dir, &case.after)) {
        return Err(why);
    }
    if case.fails.is_none() && !case.repeats && case.run(module, "/case", false, &mut memory).result["changed"] != json!(false) {
        return Err("a second run changed".into());
    }
    Ok(())
}

/// The machine in memory whose root is the case's tree; what programs do stays in the temporary directory.
fn at_root(module: &str, case: &Case) -> Result<(), String> {
    let temporary = tempfile::tempdir().unwrap();
    build(temporary.path(), &case.before);
    let programs = temporary.path().to_string_lossy().into_owned();
    let machine = || {
        let mut memory = Overlay::new(Nothing, (1, 0), 0o022);
        load(&mut memory, temporary.path(), Path::new("/"));
        memory
    };
    let before = snapshot(temporary.path());
    let predicted = case.run_with(module, "", &programs, true, &mut Overlay::new(machine(), (1, 0), 0o022));
    if snapshot(temporary.path()) != before {
        return Err("check mode changed something".into());
    }
    let mut memory = machine();
    let real = case.run_with(module, "", &programs, false, &mut memory);
    if let Some(why) = check_result(case, &real, "").or_else(|| check_tree(&memory, Path::new("/"), &case.after)) {
        return Err(why);
    }
    let known = !predicted.result.contains_key("_rplay_unknown");
    if known && case.fails.is_none() && predicted.result["changed"] != real.result["changed"] {
        return Err(format!("check mode predicted {}", Value::Object(predicted.result)));
    }
    if case.fails.is_none() && !case.repeats && case.run_with(module, "", &programs, false, &mut memory).result["changed"] != json!(false) {
        return Err("a second run changed".into());
    }
    Ok(())
}

/// Copies a tree of the disk into memory.
fn load(memory: &mut Overlay<Nothing>, from: &Path, to: &Path) {
    for name in Real.list(from).unwrap() {
        let (source, target) = (from.join(&name), to.join(&name));
        let stat = Real.lstat(&source).unwrap();
        if stat.is_dir() {
            memory.make_dir(&target, stat.mode).unwrap();
            load(memory, &source, &target);
        } else if stat.is_link() {
            let link = Real.read_link(&source).unwrap();
            let link = link.to_string_lossy().replace(&*from.to_string_lossy(), &to.to_string_lossy());
            memory.symlink(Path::new(&link), &target).unwrap();
        } else {
            let content = rplay_modules::change::Content::Bytes(read(&Real, &source).unwrap());
            memory.write(&target, content, stat.mode, (None, None), false).unwrap();
        }
    }
}

/// The cases of a file; `<<` takes over what an anchor has.
fn parse(text: &str) -> Result<Vec<Case>, serde_yaml::Error> {
    let mut value: serde_yaml::Value = serde_yaml::from_str(text)?;
    value.apply_merge()?;
    serde_yaml::from_value(value)
}

#[test]
fn cases() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let only = std::env::var("CASE").unwrap_or_default();
    let (mut wrong, mut ran) = (vec![], 0);
    for module in Real.list(&root).unwrap() {
        let module = module.to_string_lossy().into_owned();
        assert!(rplay_modules::find(&module).is_some(), "cases for {module}, which is no module");
        for file in Real.list(&root.join(&module)).unwrap() {
            let path = root.join(&module).join(&file);
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(path.extension().is_some_and(|end| end == "yml"), "{} would be forgotten", path.display());
            let cases: Vec<Case> = parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(!cases.is_empty(), "{} is empty", path.display());
            for case in cases {
                let label = format!("{module}/{}: {}", file.to_string_lossy(), case.name);
                if !label.contains(&only) {
                    continue;
                }
                ran += 1;
                if case.root {
                    wrong.extend(at_root(&module, &case).err().map(|why| format!("{label}\n    in memory: {why}")));
                    continue;
                }
                wrong.extend(on_disk(&module, &case).err().map(|why| format!("{label}\n    on disk: {why}")));
                if case.memory {
                    wrong.extend(in_memory(&module, &case).err().map(|why| format!("{label}\n    in memory: {why}")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {ran} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert!(ran > 0, "no case ran");
}
