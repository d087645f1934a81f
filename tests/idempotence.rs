//! The checker on its corpus: 60 playbooks on a real host, half of them with one fault each. No miss, no false alarm; what is found is told to
//! people and to programs. Needs root; says why when it is skipped.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

/// A lab of one host that no other test can meet, taken away at the end.
struct Lab {
    id: String,
    subnet: String,
    hosts: String,
    folder: PathBuf,
    work: tempfile::TempDir,
}

impl Lab {
    fn up(kind: u8) -> Option<Lab> {
        if !rustix::process::geteuid().is_root() {
            #[allow(clippy::print_stderr)]
            {
                eprintln!("skipped: a lab needs root");
            }
            return None;
        }
        let place = 1 + u8::try_from(std::process::id() % 120).unwrap();
        let id = format!("idempotence-{kind}-{}", std::process::id());
        let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"), PathBuf::from);
        let net = 76 + kind;
        let work = tempfile::tempdir().unwrap();
        let lab =
            Lab { subnet: format!("10.{net}.{place}.0/24"), hosts: format!("one=10.{net}.{place}.11"), folder: cache.join("rplay/lab").join(&id), id, work };
        let (status, said) = lab.run(&["up"]);
        assert_eq!(status, 0, "{said}");
        Some(lab)
    }

    fn run(&self, words: &[&str]) -> (i32, String) {
        let file = format!("{}/lab/lab.yml", env!("CARGO_MANIFEST_DIR"));
        let folder = self.folder.to_str().unwrap();
        let settings = ["--file", &file, "--id", &self.id, "--subnet", &self.subnet, "--hosts", &self.hosts, "--dir", folder];
        let args: Vec<String> = settings.iter().chain(words).map(|word| (*word).to_string()).collect();
        let mut out = Vec::new();
        (rplay::lab::run(&args, &mut out), String::from_utf8(out).unwrap())
    }

    fn rplay(&self, dir: &Path, words: &[&str]) -> Output {
        let inventory = self.folder.join("inventory.ini");
        let mut rplay = Command::new(env!("CARGO_BIN_EXE_rplay"));
        let rplay = rplay.env("ANSIBLE_KEEP_REMOTE_FILES", "1").env("ANSIBLE_NOCOLOR", "1").env_remove("GITHUB_ACTIONS");
        rplay.args(words).arg("-i").arg(inventory).current_dir(dir).output().unwrap()
    }

    /// A playbook of these tasks, as root, in a folder of its own.
    fn book(&self, name: &str, tasks: &str) -> PathBuf {
        let dir = self.work.path().join(name);
        fs::create_dir_all(&dir).unwrap();
        let indented: String = tasks.lines().map(|line| format!("    {line}\n")).collect();
        fs::write(dir.join("book.yml"), format!("- hosts: all\n  become: true\n  gather_facts: false\n  tasks:\n{indented}")).unwrap();
        dir
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.run(&["clean"]);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

type Spot = (String, u64);

fn spot(place: &Value) -> Spot {
    (place["file"].as_str().unwrap().to_string(), place["line"].as_u64().unwrap())
}

/// What is wrong with the verdict on a case; nothing when it is right.
fn wrong(lab: &Lab, case: &Path) -> Option<String> {
    let expected: serde_yaml::Value = serde_yaml::from_str(&fs::read_to_string(case.join("expected.yml")).unwrap()).unwrap();
    let kind = expected["kind"].as_str().unwrap();
    let tasks = expected["tasks"].as_sequence().cloned().unwrap_or_default();
    let wanted: BTreeSet<Spot> = tasks.iter().map(|task| (task["file"].as_str().unwrap().to_string(), task["line"].as_u64().unwrap())).collect();
    let output = lab.rplay(case, &["playbook.yml", "--idempotence", "--report", "json"]);
    let said = text(&output.stdout);
    // the run itself is shown first
    let Some(json) = said.find("\n{\n").and_then(|at| serde_json::from_str::<Value>(&said[at..]).ok()) else {
        return Some(format!("no verdict: {said}{}", text(&output.stderr)));
    };
    let own: Vec<&Value> = json["findings"].as_array().unwrap().iter().filter(|finding| finding["kind"] != "follows").collect();
    let told = || own.iter().map(|finding| format!("{} {} {:?}", finding["verdict"], finding["kind"], spot(&finding["place"]))).collect::<Vec<_>>().join("; ");
    if kind == "clean" {
        let alarm = own.iter().any(|finding| finding["verdict"] != "unverifiable" || !wanted.contains(&spot(&finding["place"])));
        return alarm.then(|| format!("a false alarm: {}", told()));
    }
    let named: BTreeSet<Spot> = own
        .iter()
        .filter(|finding| finding["kind"] == kind)
        .flat_map(|finding| finding["others"].as_array().unwrap().iter().chain([&finding["place"]]).map(spot).collect::<Vec<_>>())
        .collect();
    if !wanted.is_subset(&named) {
        return Some(format!("missed {kind} {wanted:?}: {}", told()));
    }
    if own.iter().any(|finding| finding["kind"] != kind || !wanted.contains(&spot(&finding["place"]))) {
        return Some(format!("more than {kind}: {}", told()));
    }
    let least = if expected["verdict"] == "would-change" { 10 } else { 11 };
    let code = output.status.code().unwrap();
    (code != 10 && code != least).then(|| format!("exit code {code}"))
}

#[test]
fn the_corpus_is_judged_without_a_miss_or_a_false_alarm() {
    let Some(lab) = Lab::up(0) else { return };
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/idempotence/corpus");
    let mut cases: Vec<PathBuf> = fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert_eq!(cases.len(), 60);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.extend(wrong(&lab, case).map(|why| format!("{}: {why}", case.file_name().unwrap().to_string_lossy())));
        }
        found
    };
    let found: Vec<String> =
        std::thread::scope(|scope| (0..3).map(|_| scope.spawn(work)).collect::<Vec<_>>().into_iter().flat_map(|one| one.join().unwrap()).collect());
    assert!(found.is_empty(), "{} of 60 are judged wrongly:\n{}", found.len(), found.join("\n"));
}

const COMMAND: &str = "- name: Build\n  ansible.builtin.command: /bin/true\n";

#[test]
fn findings_are_told_to_people_and_programs_and_can_be_waived() {
    let Some(lab) = Lab::up(1) else { return };
    let dir = lab.book("told", COMMAND);
    let names = ["json=out.json", "junit=out.xml", "sarif=out.sarif", "github=out.txt"];
    let mut words = vec!["idempotence", "book.yml"];
    words.extend(names.iter().flat_map(|name| ["--report", name]));
    let output = lab.rplay(&dir, &words);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(10), "{said}{}", text(&output.stderr));
    assert!(said.contains("WOULD CHANGE: a command that says changed at every run [no-changed-when]"), "{said}");
    assert!(said.contains("  book.yml:5 `Build`") && said.contains("NOT IDEMPOTENT: 0 clean, 1 would change, 0 unverifiable"), "{said}");
    let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
    let sarif: Value = serde_json::from_str(&read("out.sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"], 5);
    assert!(read("out.xml").contains("<failure type=\"no-changed-when\""), "{}", read("out.xml"));
    assert!(
        read("out.txt").starts_with("::error file=book.yml,line=5,title=idempotence%3A") || read("out.txt").starts_with("::error file=book.yml,line=5,"),
        "{}",
        read("out.txt")
    );
    assert_eq!(serde_json::from_str::<Value>(&read("out.json")).unwrap()["exit_code"], 10);

    // a second real run says the same
    let rerun = lab.rplay(&dir, &["book.yml", "--idempotence=rerun"]);
    assert_eq!(rerun.status.code(), Some(10), "{}", text(&rerun.stdout));

    // waived in a file, until a day
    let waiver = |until: &str| {
        fs::write(
            dir.join(".rplay-waivers.yml"),
            format!("waivers:\n  - file: book.yml:5\n    kind: no-changed-when\n    reason: it is quick\n    until: {until}\n"),
        )
        .unwrap()
    };
    waiver("2999-01-01");
    let waived = lab.rplay(&dir, &["book.yml", "--idempotence=check-only"]);
    assert_eq!(waived.status.code(), Some(0), "{}", text(&waived.stdout));
    assert!(text(&waived.stdout).contains("waived: book.yml:5 `Build` [no-changed-when]: it is quick"));
    waiver("2020-01-01");
    let expired = lab.rplay(&dir, &["book.yml", "--idempotence=check-only"]);
    assert_eq!(expired.status.code(), Some(10));
    assert!(text(&expired.stderr).contains("has expired on 2020-01-01"), "{}", text(&expired.stderr));

    // waived on the task
    let marked = lab.book("marked", &format!("# rplay: idempotence-ok it is quick until 2999-01-01\n{COMMAND}"));
    assert_eq!(lab.rplay(&marked, &["book.yml", "--idempotence=check-only"]).status.code(), Some(0));

    // check mode cannot judge by output; a second run can
    let by_output = lab.book("output", "- name: Ask\n  ansible.builtin.command: echo same\n  register: said\n  changed_when: \"'new' in said.stdout\"\n");
    assert_eq!(lab.rplay(&by_output, &["book.yml", "--idempotence"]).status.code(), Some(11));
    assert_eq!(lab.rplay(&by_output, &["book.yml", "--idempotence=rerun"]).status.code(), Some(0));

    // what never changes anything is clean, also where nobody knows what it would do
    let never = "- ansible.builtin.shell: echo a b\n  register: said\n  changed_when: false\n- ansible.builtin.shell: echo {{ item }}\n  loop: \"{{ said.stdout | split }}\"\n  changed_when: false\n";
    let never = lab.book("never", never);
    let clean = lab.rplay(&never, &["book.yml", "--idempotence"]);
    assert_eq!(clean.status.code(), Some(0), "{}", text(&clean.stdout));

    // a play that fails is not judged
    let broken = lab.book("broken", "- ansible.builtin.command: /bin/false\n");
    let failed = lab.rplay(&broken, &["book.yml", "--idempotence"]);
    assert_eq!(failed.status.code(), Some(2));
    assert!(!text(&failed.stdout).contains("IDEMPOTEN"));
}

const SETTINGS: &str = "- name: Settings\n  ansible.builtin.copy:\n    content: \"a = 1\\n\"\n    dest: /opt/planned.conf\n    mode: \"0600\"\n";

#[test]
fn a_plan_is_applied_as_it_was_made_and_drift_is_remembered() {
    let Some(lab) = Lab::up(2) else { return };
    let dir = lab.book("planned", SETTINGS);
    let plan = |words: &[&str]| lab.rplay(&dir, &[&["plan", "book.yml", "--out", "plan.json"], words].concat());
    // without the inventory of the helper: the plan has it
    let apply = || Command::new(env!("CARGO_BIN_EXE_rplay")).args(["apply", "plan.json"]).current_dir(&dir).output().unwrap();

    let planned = plan(&["--detailed-exitcode"]);
    let said = text(&planned.stdout);
    assert_eq!(planned.status.code(), Some(10), "{said}{}", text(&planned.stderr));
    assert!(said.contains("[1] ~ `Settings`  book.yml:5") && said.contains("+a = 1") && said.contains("one: would change [1], 0 as they are"), "{said}");
    assert!(said.contains("PLAN: 1 to change, 0 unknown"), "{said}");

    // somebody else is quicker
    lab.run(&["exec", "one", "sh", "-c", "echo other > /opt/planned.conf"]);
    let refused = apply();
    assert_eq!(refused.status.code(), Some(12), "{}", text(&refused.stdout));
    assert!(text(&refused.stderr).contains("the plan no longer holds; nothing was changed"), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("the host has something else there now"), "{}", text(&refused.stderr));

    assert_eq!(plan(&[]).status.code(), Some(0));
    let applied = apply();
    assert_eq!(applied.status.code(), Some(0), "{}{}", text(&applied.stdout), text(&applied.stderr));
    assert!(text(&applied.stdout).contains("changed=1"), "{}", text(&applied.stdout));
    assert_eq!(apply().status.code(), Some(12), "a plan is applied once");
    assert_eq!(plan(&["--detailed-exitcode"]).status.code(), Some(0));

    let drift = || {
        let output = lab.rplay(&dir, &["drift", "book.yml"]);
        (output.status.code().unwrap(), text(&output.stdout))
    };
    assert_eq!(drift().0, 0);
    lab.run(&["exec", "one", "chmod", "0644", "/opt/planned.conf"]);
    let (code, said) = drift();
    assert!(code == 10 && said.contains("ADRIFT: one:") && said.contains("(new)"), "{code} {said}");
    let (code, said) = drift();
    assert!(code == 10 && said.contains("seen 2 times"), "{code} {said}");
    lab.run(&["exec", "one", "chmod", "0600", "/opt/planned.conf"]);
    let (code, said) = drift();
    assert!(code == 0 && said.contains("BACK: one:") && said.contains("DRIFT: 0 adrift, 1 back"), "{code} {said}");
}
