//! Bad input: every case says what is run, the exit code, and what must be said; nothing panics.
//!
//! A folder of `tests/cases/bad-input/` with a `case.yml` is one case. It is copied into a scratch directory and run there; `<case>` in the
//! output stands for that directory, `<home>` for the home directory beside it. Connections and disks that fail are in `bad-input/`.
//!
//! `RPLAY_BAD_INPUT=name` (several with commas) chooses cases, `RPLAY_BIN` another program to run (the text is then not compared, and
//! the exit code is compared with `ansible`, or `exit` where there is none). `BLESS=1` writes what was said into `case.yml`.

#![allow(clippy::print_stderr)]

#[path = "bad-input/data.rs"]
mod data;
#[path = "bad-input/disks.rs"]
mod disks;
#[path = "bad-input/hosts.rs"]
mod hosts;
#[path = "bad-input/program.rs"]
mod program;

#[test]
fn every_case_is_refused_with_its_words_and_code() {
    let names = data::names();
    assert!(names.len() >= 25, "only {} cases", names.len());
    let wanted = std::env::var("RPLAY_BAD_INPUT").ok();
    let chosen = |name: &&String| wanted.as_ref().is_none_or(|list| list.split(',').any(|one| one == name.as_str()));
    let wrong: Vec<String> = names.iter().filter(chosen).filter_map(|name| data::check(name).err()).collect();
    assert!(wrong.is_empty(), "{} of {} cases differ\n{}", wrong.len(), names.len(), wrong.join("\n"));
}
