//! `include_vars`: variables from files while the run goes on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rplay_modules::pyre;

use super::{Effect, Reaction, Request};
use crate::source::Source;
use crate::value::{Dict, Fault, Value, text};
use crate::vars::Layer;
use crate::yaml::{self, Kind, Node, Pair};

/// Loads a file, or the files of a folder.
pub(super) fn run(request: &mut Request) -> Result<Reaction, Fault> {
    let known = ["_raw_params", "file", "dir", "name", "depth", "files_matching", "ignore_files", "extensions", "ignore_unknown_extensions", "hash_behaviour"];
    if let Some(wrong) = request.args.keys().map(|key| text(&key.to_value())).find(|key| !known.contains(&key.as_str())) {
        return Ok(Reaction::failed(format!("{wrong} is not a valid option in include_vars")));
    }
    let dir = request.args.get("dir").map(text);
    let file = request.args.get("file").or_else(|| request.args.get("_raw_params")).map(text);
    let files = match (dir, file) {
        (Some(dir), None) => folder(request, &dir),
        (None, Some(file)) => find(request, &file).map(|path| vec![path]),
        (Some(_), Some(_)) => Err("You are mixing file only and dir only arguments, these are incompatible".into()),
        (None, None) => Err("One of 'file' or 'dir' is required".to_string()),
    };
    match files {
        Ok(files) => load(request, &files),
        Err(message) => Ok(failed(&message)),
    }
}

fn failed(message: &str) -> Reaction {
    let mut reaction = Reaction::failed(message);
    reaction.result.insert("message".into(), message.into());
    reaction.result.insert("ansible_included_var_files".into(), Value::list(Vec::new()));
    reaction.result.insert("ansible_facts".into(), Value::dict(Dict::new()));
    reaction
}

/// In the role's or playbook's `vars/`, or beside the task's file.
fn find(request: &Request, name: &str) -> Result<PathBuf, String> {
    let path = Path::new(name);
    if path.is_absolute() {
        return if path.is_file() { Ok(path.to_path_buf()) } else { Err(format!("Could not find or access '{name}' on the Ansible Controller.")) };
    }
    let search = request.cx.scope().search_path();
    let tried: Vec<PathBuf> = search.iter().flat_map(|dir| [dir.join("vars").join(name), dir.join(name)]).collect();
    tried.iter().find(|path| path.is_file()).cloned().ok_or_else(|| {
        let searched = tried.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join("\n\t");
        format!("Could not find or access '{name}'\nSearched in:\n\t{searched} on the Ansible Controller.")
    })
}

fn folder(request: &Request, name: &str) -> Result<Vec<PathBuf>, String> {
    let path = Path::new(name);
    let search = request.cx.scope().search_path();
    let mut tried: Vec<PathBuf> = vec![path.to_path_buf()];
    if !path.is_absolute() {
        tried = search.iter().flat_map(|dir| [dir.join("vars").join(name), dir.join(name)]).collect();
    }
    let dir = tried.iter().find(|path| path.is_dir()).ok_or_else(|| format!("{name} directory does not exist"))?;
    let depth = request.args.get("depth").and_then(|value| text(value).parse::<usize>().ok()).unwrap_or(0);
    let mut files = Vec::new();
    walk(dir, depth, 1, &mut files).map_err(|error| format!("{}: {error}", dir.display()))?;
    let words = |key: &str| match request.args.get(key) {
        Some(Value::List(items)) => items.iter().map(text).collect(),
        Some(other) => vec![text(other)],
        None => Vec::new(),
    };
    let extensions = if request.args.contains_key("extensions") { words("extensions") } else { ["yaml", "yml", "json"].map(String::from).to_vec() };
    let lenient = request.args.get("ignore_unknown_extensions").is_some_and(Value::is_true);
    let ignore = words("ignore_files");
    let matching = request.args.get("files_matching").map(|pattern| pyre::compile(&text(pattern), pyre::Flags::default())).transpose()?;
    let mut chosen = Vec::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ignored = ignore
            .iter()
            .any(|pattern| pyre::compile(&format!("{pattern}$"), pyre::Flags::default()).is_ok_and(|regex| regex.search(&name).ok().flatten().is_some()));
        if ignored || matching.as_ref().is_some_and(|regex| !matches!(regex.search(&name), Ok(Some(_)))) {
            continue;
        }
        let extension = file.extension().map(|e| e.to_string_lossy().into_owned()).unwrap_or_default();
        if extensions.iter().any(|known| known.trim_start_matches('.') == extension) {
            chosen.push(file);
        } else if !lenient {
            return Err(format!("{} does not have a valid extension: {}", file.display(), extensions.join(", ")));
        }
    }
    Ok(chosen)
}

fn walk(dir: &Path, depth: usize, level: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(dir)?.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    entries.sort();
    files.extend(entries.iter().filter(|path| path.is_file()).cloned());
    for inner in entries.iter().filter(|path| path.is_dir()) {
        if depth == 0 || level < depth {
            walk(inner, depth, level + 1, files)?;
        }
    }
    Ok(())
}

fn load(request: &Request, files: &[PathBuf]) -> Result<Reaction, Fault> {
    let mut all = Layer::default();
    let mut shown = Dict::new();
    let mut pairs: Vec<Pair> = Vec::new();
    for file in files {
        let node = match read(request, file) {
            Ok(node) => node,
            Err(message) => return Ok(failed(&message)),
        };
        if node.is_null() {
            continue;
        }
        let Some(own) = node.as_map() else { return Ok(failed(&format!("{} must be stored as a dictionary/hash", file.display()))) };
        all.extend(&Layer::from_pairs(own));
        pairs.extend(own.iter().cloned());
        for pair in own {
            shown.insert(text(&pair.key.to_value()).into(), pair.value.to_value());
        }
    }
    if let Some(name) = request.args.get("name").map(text) {
        let span = pairs.first().map_or_else(|| crate::source::Span::synthetic("include_vars", ""), |pair| pair.key.span.clone());
        let node = Node { kind: Kind::Map(Arc::new(pairs)), span: span.clone() };
        all = Layer::default();
        all.insert(name.as_str().into(), crate::template::Templated::compile(&node), Some(span));
        shown = Dict::from_iter([(name.into(), Value::dict(shown))]);
    }
    let merges = match request.args.get("hash_behaviour").map(text).as_deref() {
        None => request.settings.merge_dicts,
        Some("merge") => true,
        Some("replace") => false,
        Some(other) => return Ok(failed(&format!("hash_behaviour must be replace or merge, not {other}"))),
    };
    if merges {
        merge(request, &mut all, &mut shown)?;
    }
    let mut result = Dict::new();
    result.insert("ansible_facts".into(), Value::dict(shown));
    result.insert("ansible_included_var_files".into(), Value::list(files.iter().map(|file| file.display().to_string().into()).collect()));
    result.insert("changed".into(), false.into());
    Ok(Reaction::of(result).with(Effect::IncludeVars(Arc::new(all))))
}

/// `hash_behaviour: merge`: dictionaries are laid over what the variables were worth before.
fn merge(request: &Request, all: &mut Layer, shown: &mut Dict) -> Result<(), Fault> {
    let names: Vec<Arc<str>> = all.names().cloned().collect();
    for name in names {
        let Some(old) = request.cx.get(&name)? else { continue };
        let own = all.get(&name).map(|(value, _)| value.render(request.cx)).transpose()?;
        if let (Value::Dict(old), Some(Value::Dict(new))) = (old.resolve()?, own) {
            let merged = deep(&old, &new);
            shown.insert(name.as_ref().into(), merged.clone());
            all.insert(name, crate::template::Templated::value(merged), None);
        }
    }
    Ok(())
}

fn deep(old: &Dict, new: &Dict) -> Value {
    let mut merged = old.clone();
    for (key, value) in new {
        let value = match (merged.get(key), value) {
            (Some(Value::Dict(a)), Value::Dict(b)) => deep(a, b),
            _ => value.clone(),
        };
        merged.insert(key.clone(), value);
    }
    Value::dict(merged)
}

fn read(request: &Request, file: &Path) -> Result<Node, String> {
    let raw = std::fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let plain = if raw.starts_with("$ANSIBLE_VAULT") {
        request.world.run.secrets.decrypt(&raw).inspect(|text| crate::mask::remember_file(text)).map_err(|error| format!("{}: {error}", file.display()))?
    } else {
        raw
    };
    yaml::load(&Source::new(file, plain), &yaml::Options::default()).map(|loaded| loaded.node).map_err(|error| error.to_string())
}
