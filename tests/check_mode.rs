//! Check mode as a user sees it: every folder of `tests/check-mode/` is played with `--check --diff`, and what is shown is `expected.txt`.
//!
//! A folder may have an `inventory.ini` (three local hosts without one), further arguments in `args`, and `expected-ansible.txt`: the same
//! called as `ansible-playbook`. The variable `out` is an empty folder; what is in it afterwards stands at the end of what is expected.
//! `RPLAY_CHECK_MODE=NAME` chooses cases, `BLESS=1` writes the expectations.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const INVENTORY: &str = "[all]\na\nb\nc\n[all:vars]\nansible_connection=local\n";

fn program() -> PathBuf {
    // cargo builds the programs of this package only; local tasks need the runner beside rplay
    let built =
        Command::new(env!("CARGO")).args(["build", "--quiet", "-p", "rplay-modules", "--bin", "rplay-runner"]).current_dir(env!("CARGO_MANIFEST_DIR")).status();
    assert!(built.is_ok_and(|status| status.success()), "the runner cannot be built");
    PathBuf::from(env!("CARGO_BIN_EXE_rplay"))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check-mode")
}

fn cases() -> Vec<PathBuf> {
    let wanted = std::env::var("RPLAY_CHECK_MODE").ok();
    let entries = fs::read_dir(folder()).expect("the folder can be read").flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path.is_dir() && wanted.as_ref().is_none_or(|name| path.ends_with(name))).collect();
    found.sort();
    assert!(!found.is_empty(), "no cases in {}", folder().display());
    found
}

/// What is shown by that program, and what it left.
fn play(case: &Path, program: &Path) -> String {
    let scratch = tempfile::tempdir().expect("a folder for the run");
    let (out, home) = (scratch.path().join("out"), scratch.path().join("home"));
    fs::create_dir(&out).and_then(|()| fs::create_dir(&home)).expect("folders of the run");
    let inventory = Some(case.join("inventory.ini")).filter(|path| path.exists()).unwrap_or_else(|| {
        let path = scratch.path().join("inventory.ini");
        fs::write(&path, INVENTORY).expect("the inventory");
        path
    });
    let further = fs::read_to_string(case.join("args")).unwrap_or_default();
    let done = Command::new(program)
        .current_dir(case)
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "LANG"))
        .envs([("HOME", home.as_os_str()), ("ANSIBLE_NOCOLOR", "1".as_ref()), ("TZ", "UTC".as_ref()), ("COLUMNS", "80".as_ref())])
        .args(["--check", "--diff", "playbook.yml", "-f", "1", "-i"])
        .arg(&inventory)
        .args(["-e", &format!("out={}", out.display())])
        .args(further.split_whitespace())
        .output()
        .expect("rplay starts");
    let shown = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    let mut text: String = shown.lines().map(|line| format!("{}\n", tidy(line))).collect();
    text.push_str(&format!("exit {}, {}\n", done.status.code().unwrap_or(-1), left(&out)));
    for (path, name) in [(out.as_path(), "<out>"), (home.as_path(), "<home>"), (case, "<case>"), (scratch.path(), "<scratch>")] {
        text = text.replace(&*path.to_string_lossy(), name);
    }
    text
}

/// Without the stars of banners and the blanks at the end.
fn tidy(line: &str) -> &str {
    line.trim_end_matches('*').trim_end()
}

fn left(out: &Path) -> String {
    let mut names: Vec<String> = fs::read_dir(out).expect("the folder").flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    if names.is_empty() { "nothing was made".to_string() } else { format!("made: {}", names.join(" ")) }
}

fn differs(case: &Path, program: &Path, expected: &str) -> Option<String> {
    let (path, got) = (case.join(expected), play(case, program));
    if std::env::var("BLESS").is_ok_and(|value| value == "1") {
        fs::write(path, got).expect("the expectation can be written");
        return None;
    }
    let wanted = fs::read_to_string(&path).unwrap_or_default();
    (wanted != got).then(|| {
        let diff = similar::TextDiff::from_lines(&wanted, &got);
        format!("== {}\n{}", path.display(), diff.unified_diff().header("wanted", "got"))
    })
}

#[test]
fn check_mode_shows_what_would_be() {
    let program = program();
    let links = tempfile::tempdir().expect("a folder for the link");
    let ansible = links.path().join("ansible-playbook");
    std::os::unix::fs::symlink(&program, &ansible).expect("a link");
    let mut wrong = Vec::new();
    for case in cases() {
        wrong.extend(differs(&case, &program, "expected.txt"));
        if case.join("expected-ansible.txt").exists() {
            wrong.extend(differs(&case, &ansible, "expected-ansible.txt"));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ\n{}", wrong.len(), wrong.join("\n"));
}
