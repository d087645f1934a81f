//! Parity with ansible-core: runs every case under `tests/parity/` with rplay and compares what happened
//! with what ansible-core did when `record.py` wrote the case's `expected.json`.
//!
//! `tests/cases/heritage/` holds in the same shape what ansible-core no longer takes and rplay does.
//!
//! `RPLAY_PARITY=topic` or `topic/case` (several with commas) chooses cases, `RPLAY_BIN` another program
//! to run (`tests/parity/oracle` runs the real ansible-playbook), `RPLAY_PARITY_ALL=1` prints every difference.

#[path = "parity/replay/case.rs"]
mod case;
#[path = "parity/replay/compare.rs"]
mod compare;
#[path = "parity/replay/outcome.rs"]
mod outcome;
#[path = "parity/replay/rules.rs"]
mod rules;
#[path = "parity/replay/screen.rs"]
mod screen;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use case::Case;
use rules::Rules;

/// How many cases run at a time.
const THREADS: usize = 2;
/// How many differences of one case are printed, unless all are asked for.
const SHOWN: usize = 6;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity")
}

fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("RPLAY_BIN") {
        return std::path::absolute(path).expect("RPLAY_BIN is a path");
    }
    // cargo builds the programs of this package only; local tasks need the runner beside rplay
    let built = std::process::Command::new(env!("CARGO"))
        .args(["build", "--quiet", "-p", "rplay-modules", "--bin", "rplay-runner"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.is_ok_and(|status| status.success()), "the runner cannot be built");
    PathBuf::from(env!("CARGO_BIN_EXE_rplay"))
}

fn wanted(name: &str) -> bool {
    let Ok(filter) = std::env::var("RPLAY_PARITY") else { return true };
    filter.split(',').any(|part| name == part || name.split('/').next() == Some(part))
}

/// The differences of one case, or why it could not be compared.
fn check(root: &Path, name: &str, program: &Path, rules: &Rules) -> Vec<String> {
    let found = Case::load(root, name).and_then(|case| {
        let expected = case.expected()?;
        let actual = case.run(program, rules)?;
        Ok(case.settle(compare::outcomes(&expected, &actual, rules)))
    });
    found.unwrap_or_else(|why| vec![why])
}

fn check_all(root: &Path, names: &[String], rules: &Rules) -> Vec<(String, Vec<String>)> {
    let program = program();
    let next = Mutex::new(names.iter());
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let Some(name) = next.lock().unwrap().next() else { break };
                    let differences = check(root, name, &program, rules);
                    found.lock().unwrap().push((name.clone(), differences));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort();
    found
}

fn report(found: &[(String, Vec<String>)]) -> String {
    let limit = if std::env::var_os("RPLAY_PARITY_ALL").is_some() { usize::MAX } else { SHOWN };
    let mut text = String::new();
    for (name, differences) in found.iter().filter(|(_, d)| !d.is_empty()) {
        text += &format!("\n{name}: {} differences\n", differences.len());
        for line in differences.iter().take(limit) {
            text += &format!("  {}\n", line.replace('\n', "\n  "));
        }
    }
    text
}

/// Runs the wanted ones of these cases and fails with a report of those that differ.
fn replay(folder: &Path, mut names: Vec<String>) {
    names.retain(|name| wanted(name));
    let found = check_all(folder, &names, &Rules::load(&root()));
    let differing = found.iter().filter(|(_, d)| !d.is_empty()).count();
    assert!(differing == 0, "{differing} of {} cases differ from ansible-core\n{}", names.len(), report(&found));
}

#[test]
fn agrees_with_ansible_core() {
    replay(&root(), case::names(&root()));
}

#[test]
fn runs_what_ansible_core_no_longer_takes() {
    // the real ansible-playbook, when it stands in for rplay, refuses these
    if std::env::var_os("PARITY_ANSIBLE").is_none() {
        let cases = root().join("../cases");
        let names = case::names(&cases);
        replay(&cases, names.into_iter().filter(|name| name.starts_with("heritage/")).collect());
    }
}

#[test]
fn every_case_is_recorded() {
    let names = case::names(&root());
    let missing: Vec<&String> = names.iter().filter(|name| !root().join(name).join("expected.json").exists()).collect();
    assert!(missing.is_empty(), "record these: {missing:?}");
    assert!(names.len() >= 60, "only {} cases", names.len());
}
