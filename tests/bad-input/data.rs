//! The cases that are data: a folder, what is run in it, what must come of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::program::{self, Ran, Scratch};

/// `case.yml`.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What is wrong, for the reader.
    about: String,
    /// Arguments; without them `playbook.yml` runs on localhost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    args: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    env: BTreeMap<String, String>,
    /// Exit code.
    exit: i32,
    /// ansible-core's exit code where it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ansible: Option<i32>,
    /// Why it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    because: Option<String>,
    /// All of standard error.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    stderr: String,
    /// Parts of standard output.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    stdout: Vec<String>,
}

const USUAL: [&str; 5] = ["-i", "localhost,", "-c", "local", "playbook.yml"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/bad-input")
}

/// All cases, sorted.
pub fn names() -> Vec<String> {
    let entries = fs::read_dir(root()).expect("the folder can be read").flatten();
    let mut names: Vec<String> =
        entries.filter(|entry| entry.path().join("case.yml").exists()).map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)?.flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else if entry.file_name() != "case.yml" {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Runs a case; what differs.
pub fn check(name: &str) -> Result<(), String> {
    let file = root().join(name).join("case.yml");
    let text = fs::read_to_string(&file).map_err(|e| format!("{name}: {e}"))?;
    let mut case: Case = serde_yaml::from_str(&text).map_err(|e| format!("{name}: {e}"))?;
    let ran = run(&case, &root().join(name)).map_err(|e| format!("{name}: {e}"))?;
    if program::is_foreign() {
        return same_code(name, case.ansible.unwrap_or(case.exit), &ran);
    }
    if std::env::var("BLESS").is_ok_and(|value| value == "1") {
        case.exit = ran.exit;
        case.stderr = ran.stderr;
        case.stdout = ran.stdout.lines().filter(|line| line.starts_with("fatal:") || line.starts_with("skipping:")).map(str::to_owned).collect();
        let text = serde_yaml::to_string(&case).map_err(|e| format!("{name}: {e}"))?;
        return fs::write(&file, text).map_err(|e| format!("{name}: {e}"));
    }
    same_code(name, case.exit, &ran)?;
    if case.stderr != ran.stderr {
        return Err(format!("== {name}: standard error\n-- wanted\n{}\n-- got\n{}", case.stderr, ran.stderr));
    }
    match case.stdout.iter().find(|part| !ran.stdout.contains(part.as_str())) {
        Some(part) => Err(format!("== {name}: {part:?} is missing in\n{}", ran.stdout)),
        None => Ok(()),
    }
}

fn same_code(name: &str, wanted: i32, ran: &Ran) -> Result<(), String> {
    if ran.exit == wanted { Ok(()) } else { Err(format!("== {name}: exit code {}, not {wanted}\n{}", ran.exit, ran.all())) }
}

fn run(case: &Case, folder: &Path) -> std::io::Result<Ran> {
    let scratch = Scratch::new();
    copy_tree(folder, &scratch.case())?;
    let mut command = scratch.command();
    command.envs(&case.env);
    if case.args.is_empty() {
        command.args(USUAL)
    } else {
        command.args(&case.args)
    };
    Ok(scratch.run(command))
}
