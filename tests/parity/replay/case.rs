//! One case: its files, its settings, and how it is run in directories of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use crate::outcome::{self, Outcome};
use crate::rules::Rules;
use crate::screen;

/// A run that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// What `case.yml` says.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    /// Further arguments; `{out}` is the directory written to.
    args: Vec<Value>,
    env: std::collections::BTreeMap<String, Value>,
    /// Instead of `playbook.yml`.
    playbooks: Option<Vec<String>>,
    forks: Option<u32>,
    /// Hosts do not wait for one another: each one's sequence is compared by itself.
    unordered: bool,
    /// Where rplay differs on purpose.
    differs: Vec<Difference>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    /// Part of the line that reports the difference.
    what: String,
    /// The reason, for the reader.
    why: String,
}

/// A folder with a playbook and what ansible-core made of it.
pub struct Case {
    folder: PathBuf,
    settings: Settings,
}

/// All cases as `topic/case`, sorted.
pub fn names(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for topic in folders(root) {
        for case in folders(&topic).into_iter().filter(|case| case.join("playbook.yml").exists()) {
            let name = case.strip_prefix(root).expect("the case is below the root");
            found.push(name.to_string_lossy().into_owned());
        }
    }
    found.sort();
    found
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).expect("the folder can be read");
    entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The directories of one run, removed afterwards.
struct Scratch {
    root: tempfile::TempDir,
}

impl Scratch {
    fn new(case: &Path) -> std::io::Result<Scratch> {
        let root = tempfile::Builder::new().prefix("parity-").tempdir()?;
        copy_tree(case, &root.path().join("case"))?;
        fs::create_dir(root.path().join("out"))?;
        fs::create_dir(root.path().join("home"))?;
        File::create(root.path().join("empty.cfg"))?;
        Ok(Scratch { root })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn mask(&self, text: &str, rules: &Rules) -> String {
        let mut text = text.to_owned();
        for name in ["out", "case", "home"] {
            text = text.replace(&*self.path(name).to_string_lossy(), &format!("<{name}>"));
        }
        rules.mask(&text)
    }
}

fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, target)?;
        } else if entry.file_name() != "expected.json" {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn wait(mut command: Command) -> Result<ExitStatus, String> {
    let mut child = command.spawn().map_err(|e| format!("cannot start: {e}"))?;
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(|e| e.to_string())? {
            return Ok(status);
        }
        if started.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("still running after {} seconds", PATIENCE.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Case {
    /// Reads a case's settings.
    pub fn load(root: &Path, name: &str) -> Result<Case, String> {
        let folder = root.join(name);
        let settings = match fs::read_to_string(folder.join("case.yml")) {
            Ok(text) => serde_yaml::from_str(&text).map_err(|e| format!("case.yml: {e}"))?,
            Err(_) => Settings::default(),
        };
        Ok(Case { folder, settings })
    }

    /// What was recorded.
    pub fn expected(&self) -> Result<Outcome, String> {
        let text = fs::read_to_string(self.folder.join("expected.json")).map_err(|e| format!("expected.json: {e}"))?;
        serde_json::from_str(&text).map_err(|e| format!("expected.json: {e}"))
    }

    /// Runs the case twice, once for events and files, once for the default output.
    pub fn run(&self, program: &Path, rules: &Rules) -> Result<Outcome, String> {
        let events = self.run_with(program, rules, "ansible.posix.jsonl")?;
        let shown = self.run_with(program, rules, "default")?;
        let (plays, recap) = outcome::fold(&events.stdout, rules, self.settings.unordered)
            .map_err(|e| format!("{e}\n{}", events.stderr.lines().take(20).collect::<Vec<_>>().join("\n")))?;
        let mut stdout = screen::shown(&shown.stdout, rules);
        if self.settings.unordered {
            stdout.retain(|line| !screen::is_banner(line));
            stdout.sort();
        }
        Ok(Outcome { exit: events.exit, plays, recap, tree: events.tree, stdout })
    }

    /// Takes out the differences that are meant; one that no longer shows is reported. The real ansible-core has none.
    pub fn settle(&self, mut found: Vec<String>) -> Vec<String> {
        let real = std::env::var_os("PARITY_ANSIBLE").is_some();
        for known in self.settings.differs.iter().filter(|_| !real) {
            let before = found.len();
            found.retain(|line| !line.contains(&known.what));
            if found.len() == before {
                found.push(format!("case.yml: {:?} differs no longer ({})", known.what, known.why));
            }
        }
        found
    }

    fn run_with(&self, program: &Path, rules: &Rules, callback: &str) -> Result<Run, String> {
        let scratch = Scratch::new(&self.folder).map_err(|e| format!("scratch directory: {e}"))?;
        let create = |name: &str| File::create(scratch.path(name)).map_err(|e| e.to_string());
        let mut command = self.command(program, &scratch, callback);
        command.stdin(Stdio::null()).stdout(create("stdout")?).stderr(create("stderr")?);
        let status = wait(command)?;
        let read = |name: &str| {
            let bytes = fs::read(scratch.path(name)).unwrap_or_default();
            scratch.mask(&String::from_utf8_lossy(&bytes), rules)
        };
        let tree = outcome::tree(&scratch.path("out")).map_err(|e| format!("files left: {e}"))?;
        let tree = scratch.mask(&Value::Array(tree).to_string(), rules);
        Ok(Run {
            exit: status.code().unwrap_or(-1),
            stdout: read("stdout"),
            stderr: read("stderr"),
            tree: serde_json::from_str(&tree).map_err(|e| e.to_string())?,
        })
    }

    fn command(&self, program: &Path, scratch: &Scratch, callback: &str) -> Command {
        let case = scratch.path("case");
        let out = scratch.path("out").to_string_lossy().into_owned();
        let inventory = ["inventory.ini", "inventory.yml", "inventory"];
        let inventory = inventory.into_iter().find(|name| case.join(name).exists());
        let config = case.join("ansible.cfg");
        let config = if config.exists() { config } else { scratch.path("empty.cfg") };
        let mut command = Command::new(program);
        command
            .current_dir(&case)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", scratch.path("home"))
            .env("ANSIBLE_CONFIG", config)
            .env("ANSIBLE_STDOUT_CALLBACK", callback)
            .envs(FIXED)
            .envs(std::env::vars().filter(|(key, _)| key == "PARITY_ANSIBLE"))
            .envs(self.settings.env.iter().map(|(key, value)| (key, word(value))))
            .args(["-i", inventory.unwrap_or("inventory.ini"), "-e", &format!("out={out}")])
            .args(["-f", &self.settings.forks.unwrap_or(1).to_string()])
            .args(self.settings.args.iter().map(|arg| word(arg).replace("{out}", &out)));
        match &self.settings.playbooks {
            Some(books) => command.args(books),
            None => command.arg("playbook.yml"),
        };
        command
    }
}

/// The environment that both sides run in.
const FIXED: [(&str, &str); 8] = [
    ("ANSIBLE_NOCOLOR", "1"),
    ("ANSIBLE_RETRY_FILES_ENABLED", "0"),
    ("ANSIBLE_LOCALHOST_WARNING", "0"),
    ("LANG", "C.UTF-8"),
    ("LC_ALL", "C.UTF-8"),
    ("TZ", "UTC"),
    ("TERM", "dumb"),
    ("PARITY", "1"),
];

struct Run {
    exit: i32,
    stdout: String,
    stderr: String,
    tree: Vec<Value>,
}
