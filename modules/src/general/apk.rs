//! `apk`: packages of Alpine.

use std::path::Path;

use serde_json::json;

use crate::args::Args;
use crate::change::Change;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::{Program, Run};
use crate::spec::{Arg, Kind, Preset, Spec};

/// The module.
pub struct Apk;

impl Module for Apk {
    const SPEC: Spec = Spec {
        mutually_exclusive: &[&["name", "upgrade"]],
        ..Spec::new(
            "apk",
            "Installs, upgrades and removes packages with apk.",
            &[
                Arg::str("state", "Whether the packages shall be there.")
                    .choices(&["present", "installed", "absent", "removed", "latest"])
                    .default(Preset::Str("present")),
                Arg::list("name", Kind::Str, "The packages."),
                Arg::flag("no_cache", false, "Keep no index."),
                Arg::list("repository", Kind::Str, "Repositories to use instead of the configured ones."),
                Arg::flag("update_cache", false, "Read the indexes anew before."),
                Arg::flag("upgrade", false, "Upgrade all packages."),
                Arg::flag("available", false, "With `upgrade`: take what the repositories have, older versions too."),
                Arg::str("world", "File of what is asked for.").default(Preset::Str("/etc/apk/world")),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let names = args.texts("name");
        if names.iter().any(|name| name.trim().is_empty()) {
            return Err("Package name(s) cannot be empty or whitespace-only".into());
        }
        let apk = Apks::new(args, cx)?;
        if args.flag("update_cache") {
            let run = apk.update(cx)?;
            if names.is_empty() && !args.flag("upgrade") {
                return Ok(Outcome::new(true).msg("updated repository indexes").with("stdout", run.out()).with("stderr", run.err()));
            }
        }
        if args.flag("upgrade") {
            return apk.upgrade(args, cx);
        }
        match args.text("state") {
            "absent" | "removed" => apk.remove(cx, &names),
            state => apk.install(args, cx, &names, state == "latest"),
        }
    }
}

struct Apks {
    base: Program,
}

impl Apks {
    fn new(args: &Args, cx: &Context<'_>) -> Result<Apks, Failure> {
        let mut base = Program::new([cx.require_program("apk")?]);
        for name in ["LANG", "LC_ALL", "LC_MESSAGES", "LC_CTYPE"] {
            base = base.env(name, "C");
        }
        if args.flag("no_cache") {
            base = base.arg("--no-cache");
        }
        for repository in args.texts("repository") {
            base = base.args(["--repository", &repository, "--repositories-file", "/dev/null"]);
        }
        Ok(Apks { base })
    }

    fn ask(&self, cx: &Context<'_>, words: &[&str]) -> Result<Run, Failure> {
        cx.probe(&self.base.clone().args(words))
    }

    /// Runs a command, simulated in check mode, when what it would do is noted.
    fn perform(&self, cx: &mut Context<'_>, words: &[&str], names: &[String], present: bool) -> Result<Run, Failure> {
        let program = self.base.clone().args(words);
        let change = Change::Package { names: names.to_vec(), present };
        if !cx.check() {
            return Ok(cx.perform(change, &[program])?.into_iter().next().unwrap_or_default());
        }
        let run = cx.probe(&program.arg("--simulate"))?;
        if run.ok() && !names.is_empty() {
            cx.perform(change, &[])?;
        }
        Ok(run)
    }

    fn update(&self, cx: &mut Context<'_>) -> Result<Run, Failure> {
        let run = cx.perform(Change::PackageLists, &[self.base.clone().arg("update")])?.into_iter().next().unwrap_or_default();
        if run.ok() { Ok(run) } else { Err(failed("could not update package db".into(), &run)) }
    }

    fn upgrade(&self, args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let words: &[&str] = if args.flag("available") { &["upgrade", "--available"] } else { &["upgrade"] };
        let names = if cx.check() { packages(&self.ask(cx, &[words, &["--simulate"]].concat())?.out()) } else { vec![] };
        let run = self.perform(cx, words, &names, true)?;
        if !run.ok() {
            return Err(failed("failed to upgrade packages".into(), &run));
        }
        let nothing = run.out().starts_with("OK");
        Ok(done(!nothing, if nothing { "packages already upgraded" } else { "upgraded packages" }.into(), &run))
    }

    /// Whether it was asked for by name; what check mode predicted counts.
    fn is_wanted(&self, args: &Args, cx: &Context<'_>, name: &str) -> Result<bool, Failure> {
        if let Some(present) = predicted(cx, name) {
            return Ok(present);
        }
        let world = cx.read_text(Path::new(args.text("world")))?.content;
        Ok(world.split_whitespace().any(|word| word.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['@', '=', '<', '>', '~']))))
    }

    fn is_latest(&self, cx: &Context<'_>, name: &str) -> Result<bool, Failure> {
        let out = self.ask(cx, &["version", name])?.out();
        let row = out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).find(|row| row.first().is_some_and(|first| base(first) == Some(name)));
        Ok(row.is_none_or(|row| row.get(1) != Some(&"<")))
    }

    fn install(&self, args: &Args, cx: &mut Context<'_>, names: &[String], latest: bool) -> Result<Outcome, Failure> {
        let (mut missing, mut old) = (vec![], vec![]);
        for name in names {
            let virtual_head = format!("{name}: virtual meta package");
            if self.ask(cx, &["-v", "info", "--description", name])?.out().lines().any(|line| line.starts_with(&virtual_head)) {
                let depends = self.ask(cx, &["-v", "info", "--depends", name])?.out();
                for dependency in depends.split_whitespace().skip(1) {
                    if latest && !self.is_latest(cx, dependency)? {
                        old.push(dependency.to_owned());
                    }
                }
            } else if !self.is_wanted(args, cx, name)? {
                missing.push(name.clone());
            } else if latest && !self.is_latest(cx, name)? {
                old.push(name.clone());
            }
        }
        let upgrade = !old.is_empty();
        missing.extend(old);
        if missing.is_empty() {
            return Ok(Outcome::new(false).msg("package(s) already installed"));
        }
        let mut words = vec!["add"];
        if upgrade {
            words.push("--upgrade");
        }
        words.extend(missing.iter().map(String::as_str));
        let shown = crate::coerce::repr(&json!(missing));
        let run = self.perform(cx, &words, &missing, true)?;
        if !run.ok() {
            return Err(failed(format!("failed to install {shown}"), &run));
        }
        Ok(done(true, format!("installed {shown} package(s)"), &run))
    }

    fn remove(&self, cx: &mut Context<'_>, names: &[String]) -> Result<Outcome, Failure> {
        let mut there = vec![];
        for name in names {
            let installed = match predicted(cx, name) {
                Some(present) => present,
                None => self.ask(cx, &["-v", "info", "--installed", name])?.ok(),
            };
            there.extend(installed.then(|| name.clone()));
        }
        if there.is_empty() {
            return Ok(Outcome::new(false).msg("package(s) already removed"));
        }
        let words: Vec<&str> = ["del", "--purge"].into_iter().chain(there.iter().map(String::as_str)).collect();
        let shown = crate::coerce::repr(&json!(there));
        let run = self.perform(cx, &words, &there, false)?;
        let mut gone = run.ok();
        for name in there.iter().filter(|_| !cx.check()) {
            // others may still need it
            gone &= !self.ask(cx, &["-v", "info", "--installed", name])?.ok();
        }
        if gone { Ok(done(true, format!("removed {shown} package(s)"), &run)) } else { Err(failed(format!("failed to remove {shown} package(s)"), &run)) }
    }
}

fn predicted(cx: &Context<'_>, name: &str) -> Option<bool> {
    cx.system().noted().iter().rev().find_map(|change| match change {
        Change::Package { names, present } if names.iter().any(|have| have == name) => Some(*present),
        _ => None,
    })
}

/// `busybox` of `busybox-1.36.1-r2`.
fn base(versioned: &str) -> Option<&str> {
    versioned.rsplitn(3, '-').nth(2)
}

/// The packages of lines such as `(1/2) Installing busybox (1.36.1-r2)`.
fn packages(out: &str) -> Vec<String> {
    let row = |line: &str| line.starts_with('(').then(|| line.split_whitespace().nth(2).map(str::to_owned)).flatten();
    out.lines().filter_map(row).collect()
}

fn done(changed: bool, msg: String, run: &Run) -> Outcome {
    Outcome::new(changed).msg(msg).with("stdout", run.out()).with("stderr", run.err()).with("packages", packages(&run.out()))
}

fn failed(msg: String, run: &Run) -> Failure {
    Failure::new(msg).with("stdout", run.out()).with("stderr", run.err()).with("packages", packages(&run.out()))
}
