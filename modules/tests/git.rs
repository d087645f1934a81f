//! `git` over repositories made here: cloned once, updated when there is something new, predicted in check mode.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::run;
use serde_json::{Value, json};

struct Place(tempfile::TempDir);

fn git(dir: &Path, words: &[&str]) -> String {
    let settings = ["-c", "user.name=me", "-c", "user.email=me@example.org", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always"];
    let output = Command::new("git").args(settings).args(words).current_dir(dir).env("HOME", "/nonexistent").output().unwrap();
    assert!(output.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl Place {
    fn new() -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        std::fs::create_dir(place.origin()).unwrap();
        git(&place.origin(), &["init", "-q"]);
        place.commit("one");
        git(&place.origin(), &["tag", "-a", "v1", "-m", "first"]);
        place
    }

    fn origin(&self) -> PathBuf {
        self.0.path().join("origin")
    }

    fn dest(&self) -> PathBuf {
        self.0.path().join("deep/dest")
    }

    fn commit(&self, text: &str) -> String {
        std::fs::write(self.origin().join("file"), text).unwrap();
        git(&self.origin(), &["add", "."]);
        git(&self.origin(), &["commit", "-q", "-m", text]);
        git(&self.origin(), &["rev-parse", "HEAD"])
    }

    fn run(&self, more: Value, check: bool) -> Value {
        let mut args = json!({"repo": self.origin(), "dest": self.dest()});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        run("git", args, check)
    }

    fn content(&self) -> String {
        std::fs::read_to_string(self.dest().join("file")).unwrap()
    }
}

#[test]
fn a_checkout_is_made_once_and_follows_its_branch() {
    let place = Place::new();
    let predicted = place.run(json!({}), true);
    assert_eq!((&predicted["changed"], &predicted["before"]), (&json!(true), &Value::Null), "{predicted}");
    assert!(!place.dest().exists());
    let first = place.run(json!({}), false);
    assert_eq!((&first["changed"], &first["after"]), (&json!(true), &predicted["after"]), "{first}");
    assert_eq!(first["diff"]["prepared"], format!(">> Newly checked out {}", first["after"].as_str().unwrap()));
    for check in [true, false] {
        let again = place.run(json!({}), check);
        assert_eq!((&again["changed"], &again["remote_url_changed"]), (&json!(false), &json!(false)), "{again}");
    }
    let new = place.commit("two");
    assert_eq!(place.run(json!({"update": false}), false)["changed"], false);
    let predicted = place.run(json!({}), true);
    assert_eq!((&predicted["changed"], &predicted["after"]), (&json!(true), &json!(new)));
    assert_eq!(place.content(), "one");
    let updated = place.run(json!({}), false);
    assert_eq!((&updated["before"], &updated["after"]), (&first["after"], &json!(new)), "{updated}");
    assert!(updated["diff"]["prepared"].as_str().unwrap().contains("+two"));
    assert_eq!(place.content(), "two");
}

#[test]
fn versions_are_branches_tags_and_commits() {
    let place = Place::new();
    let old = git(&place.origin(), &["rev-parse", "HEAD"]);
    place.commit("two");
    git(&place.origin(), &["checkout", "-q", "-b", "side"]);
    let side = place.commit("side");
    git(&place.origin(), &["checkout", "-q", "main"]);
    for (version, content) in [("v1", "one"), ("side", "side"), (old.as_str(), "one"), (&side[..], "side"), ("main", "two")] {
        let predicted = place.run(json!({"version": version}), true);
        let result = place.run(json!({"version": version}), false);
        assert_eq!((&result["changed"], &predicted["changed"]), (&json!(true), &json!(true)), "{version}: {result}");
        assert_eq!(result["after"], predicted["after"], "{version}");
        assert_eq!(place.content(), content, "{version}");
        assert_eq!(place.run(json!({"version": version}), false)["changed"], false, "{version}");
    }
    let failed = place.run(json!({"version": "nonsense"}), false);
    assert_eq!(failed["msg"], "Failed to checkout nonsense", "{failed}");
}

#[test]
fn a_shallow_clone_can_change_its_branch() {
    let place = Place::new();
    git(&place.origin(), &["checkout", "-q", "-b", "side"]);
    place.commit("side");
    git(&place.origin(), &["checkout", "-q", "main"]);
    place.commit("two");
    place.commit("three");
    assert_eq!(place.run(json!({"depth": 1, "version": "main"}), false)["changed"], true);
    assert_eq!(git(&place.dest(), &["rev-list", "--count", "HEAD"]), "1");
    let side = place.run(json!({"depth": 1, "version": "side"}), false);
    assert_eq!((&side["changed"], place.content().as_str()), (&json!(true), "side"), "{side}");
    assert_eq!(place.run(json!({"depth": 1, "version": "side"}), false)["changed"], false);
}

#[test]
fn local_modifications_are_kept_unless_forced_away() {
    let place = Place::new();
    place.run(json!({}), false);
    std::fs::write(place.dest().join("file"), "mine").unwrap();
    let failed = place.run(json!({}), false);
    let msg = format!("Local modifications exist in the destination: {} (force=no).", place.dest().display());
    assert_eq!((&failed["failed"], &failed["msg"]), (&json!(true), &json!(msg)));
    assert_eq!(place.content(), "mine");
    let forced = place.run(json!({"force": true}), false);
    assert_eq!((&forced["changed"], place.content().as_str()), (&json!(true), "one"), "{forced}");
}

#[test]
fn submodules_archives_and_a_new_address() {
    let place = Place::new();
    let other = Place::new();
    git(&place.origin(), &["submodule", "add", "-q", &other.origin().to_string_lossy(), "sub"]);
    place.commit("with");
    let environment = ["GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=protocol.file.allow", "GIT_CONFIG_VALUE_0=always"];
    let wrapper = place.0.path().join("git-here");
    std::fs::write(&wrapper, format!("#!/bin/sh\nexport {}\nexec git \"$@\"\n", environment.join(" "))).unwrap();
    std::os::unix::fs::symlink("/bin/sh", place.0.path().join("sh")).unwrap();
    std::fs::set_permissions(&wrapper, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let archive = place.0.path().join("out.tar");
    let more = json!({"executable": wrapper, "archive": archive, "archive_prefix": "p/"});
    let first = place.run(more.clone(), false);
    assert_eq!((&first["changed"], &first["submodules_changed"]), (&json!(true), &json!(true)), "{first}");
    assert_eq!(std::fs::read_to_string(place.dest().join("sub/file")).unwrap(), "one");
    let names: Vec<String> = tar::Archive::new(std::fs::File::open(&archive).unwrap())
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().display().to_string())
        .collect();
    assert!(names.contains(&"p/file".to_owned()), "{names:?}");
    assert_eq!(place.run(more, false)["changed"], false);
    // the other one has a tag of the same name elsewhere: without force git keeps the old one and fails
    let moved = json!({"repo": other.origin(), "recursive": false, "executable": wrapper, "force": true});
    let result = place.run(moved, false);
    assert_eq!((&result["changed"], &result["remote_url_changed"]), (&json!(true), &json!(true)), "{result}");
}
