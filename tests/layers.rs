//! The layers hold: a module imports only modules that `src/lib.rs` names before it. And below `report` nothing prints or exits.

use std::fs;
use std::path::{Path, PathBuf};

fn layers() -> Vec<String> {
    let lib = fs::read_to_string("src/lib.rs").expect("src/lib.rs");
    lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).map(str::to_string).collect()
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<(PathBuf, String, String)> {
    let mut found = Vec::new();
    files(Path::new("src"), &mut found);
    let layer = |path: &Path| {
        let first = path.components().nth(1).map(|part| part.as_os_str().to_string_lossy().into_owned()).unwrap_or_default();
        first.trim_end_matches(".rs").to_string()
    };
    found.into_iter().map(|path| (path.clone(), layer(&path), fs::read_to_string(&path).expect("a source"))).collect()
}

/// Names behind `crate::` in code; in comments they are fine.
fn imports(text: &str) -> Vec<String> {
    let code: String = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let word = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    code.split("crate::").skip(1).map(word).collect()
}

#[test]
fn a_module_imports_only_earlier_ones() {
    let layers = layers();
    let rank = |name: &str| layers.iter().position(|layer| layer == name);
    assert!(layers.len() > 10, "src/lib.rs lists the layers");
    let mut wrong = Vec::new();
    for (path, own, text) in sources() {
        let Some(rank_own) = rank(&own) else { continue };
        for import in imports(&text) {
            if rank(&import).is_some_and(|other| other > rank_own) {
                wrong.push(format!("{}: {own} imports {import}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "imports against the layers:\n{}", wrong.join("\n"));
}

#[test]
fn nothing_below_report_and_cli_prints_exits_or_reads_the_environment() {
    let allowed = ["report", "cli", "lab", "main", "lib"];
    let mut wrong = Vec::new();
    for (path, own, text) in sources() {
        if allowed.contains(&own.as_str()) || path.to_string_lossy().contains("tests") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for word in ["println!", "eprintln!", "process::exit", "env::var(", "env::vars"] {
            if code.contains(word) {
                wrong.push(format!("{}: {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<String> = sources().into_iter().filter(|(_, _, text)| !text.starts_with("//!")).map(|(path, ..)| path.display().to_string()).collect();
    assert!(silent.is_empty(), "no //! head: {silent:?}");
}
