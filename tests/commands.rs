//! Ansible's programs under their names: every case of `tests/commands/cases.yml` gives what ansible-core gave when `record.py` wrote `expected.json`.
//! `RPLAY_COMMANDS=part of a name` chooses cases.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;
use serde_yaml::Value as Yaml;

/// What is said of an error goes to standard error with rplay: the result's line is compared.
fn without_complaint(stdout: &str) -> &str {
    if stdout.starts_with("[ERROR]") { &stdout[stdout.find("\nh1 |").map_or(0, |at| at + 1)..] } else { stdout }
}

fn links() -> (tempfile::TempDir, PathBuf) {
    let built = Command::new(env!("CARGO")).args(["build", "--quiet", "-p", "rplay-modules", "--bin", "rplay-runner"]).status();
    assert!(built.is_ok_and(|status| status.success()), "the runner cannot be built");
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("links");
    let made = Command::new(env!("CARGO_BIN_EXE_rplay")).arg("links").arg(&folder).stdout(Stdio::null()).status().unwrap();
    assert!(made.success());
    (dir, folder)
}

fn text(value: &Yaml) -> String {
    value.as_str().map(str::to_string).unwrap_or_else(|| serde_yaml::to_string(value).unwrap().trim().to_string())
}

/// What rplay answers, in the form of the recording.
fn answer(case: &Yaml, links: &Path) -> Json {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().canonicalize().unwrap();
    let here = folder.to_string_lossy().into_owned();
    for (path, content) in case["files"].as_mapping().into_iter().flatten() {
        let at = folder.join(path.as_str().unwrap());
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::fs::write(at, content.as_str().unwrap()).unwrap();
    }
    let words: Vec<String> = case["run"].as_sequence().unwrap().iter().map(|word| text(word).replace("{DIR}", &here)).collect();
    let mut command = Command::new(links.join(&words[0]));
    command.args(&words[1..]).current_dir(&folder).env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", &folder);
    for (name, value) in case["env"].as_mapping().into_iter().flatten() {
        command.env(name.as_str().unwrap(), text(value));
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // a program that reads nothing may be gone
    let _ = child.stdin.take().unwrap().write_all(case["stdin"].as_str().unwrap_or_default().as_bytes());
    let output = child.wait_with_output().unwrap();
    let after: serde_json::Map<String, Json> = case["after"]
        .as_sequence()
        .into_iter()
        .flatten()
        .map(|path| (text(path), std::fs::read_to_string(folder.join(text(path))).map_or(Json::Null, Json::String)))
        .collect();
    let all = serde_json::json!({"rc": output.status.code(), "stdout": String::from_utf8_lossy(&output.stdout), "after": after});
    serde_json::from_str(&all.to_string().replace(&here, "{DIR}")).unwrap()
}

#[test]
fn programs_answer_as_ansibles_do() {
    let cases: Vec<Yaml> = serde_yaml::from_str(include_str!("commands/cases.yml")).unwrap();
    let recorded: Json = serde_json::from_str(include_str!("commands/expected.json")).unwrap();
    let wanted = std::env::var("RPLAY_COMMANDS").unwrap_or_default();
    let (_dir, links) = links();
    let mut wrong = Vec::new();
    for case in cases.iter().filter(|case| text(&case["name"]).contains(&wanted)) {
        let name = text(&case["name"]);
        let expected = &recorded["answers"][&name];
        assert!(expected.is_object(), "{name}: not recorded");
        let actual = answer(case, &links);
        let only_code = case["only"].as_str() == Some("rc");
        let same = actual["rc"] == expected["rc"]
            && (only_code
                || (actual["after"] == expected["after"]
                    && without_complaint(actual["stdout"].as_str().unwrap()) == without_complaint(expected["stdout"].as_str().unwrap())));
        if !same {
            wrong.push(format!("{name}\n  wanted: {expected}\n     got: {actual}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn versions_are_in_the_form_that_others_read_and_name_rplay() {
    let (_dir, links) = links();
    for entry in std::fs::read_dir(&links).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let output = Command::new(&path).arg("--version").env("HOME", "/nowhere").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.starts_with(&format!("{name} [core 2.19.0]\n  executed by = rplay ")), "{name}: {text}");
    }
}
