//! `dnf` (`yum`, `dnf5`): packages of Fedora, Red Hat and their like, by the program dnf.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::args::Args;
use crate::change::Change;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::{Program, Run};
use crate::spec::{Arg, Kind, Preset, Spec};

/// The module.
pub struct Dnf;

impl Module for Dnf {
    const SPEC: Spec = Spec {
        mutually_exclusive: &[&["best", "nobest"]],
        ..Spec::new(
            "dnf",
            "Installs, upgrades and removes packages with dnf or yum.",
            &[
                Arg::list("name", Kind::Str, "Packages, with a version, groups (`@name`), files and URLs too; `*` for all.")
                    .alias(&["pkg"])
                    .default(Preset::List(&[])),
                Arg::str("state", "Whether the packages shall be there; absent where `autoremove` is set.").choices(&[
                    "absent",
                    "installed",
                    "latest",
                    "present",
                    "removed",
                ]),
                Arg::list("enablerepo", Kind::Str, "Repositories to use too.").default(Preset::List(&[])),
                Arg::list("disablerepo", Kind::Str, "Repositories not to use.").default(Preset::List(&[])),
                Arg::list("exclude", Kind::Str, "Packages to leave out.").default(Preset::List(&[])),
                Arg::list("enable_plugin", Kind::Str, "Plugins to use.").default(Preset::List(&[])),
                Arg::list("disable_plugin", Kind::Str, "Plugins not to use.").default(Preset::List(&[])),
                Arg::str("disable_excludes", "Whose exclusions not to follow."),
                Arg::flag("disable_gpg_check", false, "Take packages without checking signatures."),
                Arg::bool("sslverify", "Check certificates of repositories; as configured by default."),
                Arg::flag("update_cache", false, "Read the lists anew before.").alias(&["expire-cache"]),
                Arg::flag("update_only", false, "With `latest`: only upgrade what is installed."),
                Arg::flag("autoremove", false, "Remove what nothing needs any longer."),
                Arg::flag("security", false, "With `latest`: only updates for security."),
                Arg::flag("bugfix", false, "With `latest`: only updates that mend defects."),
                Arg::flag("allowerasing", false, "Remove packages that are in the way."),
                Arg::flag("skip_broken", false, "Leave out packages that cannot be installed."),
                Arg::bool("best", "Fail where the best version cannot be had."),
                Arg::bool("nobest", "Take another version where the best cannot be had."),
                Arg::flag("install_weak_deps", true, "Install what packages recommend."),
                Arg::flag("cacheonly", false, "Fetch nothing."),
                Arg::flag("download_only", false, "Only fetch packages."),
                Arg::str("download_dir", "Where to."),
                Arg::str("conf_file", "dnf's configuration."),
                Arg::str("installroot", "Root of the system to work on.").default(Preset::Str("/")),
                Arg::str("releasever", "Release to take packages of."),
                Arg::int("lock_timeout", "Of no effect: dnf waits by itself.").default(Preset::Int(30)),
                Arg::str("use_backend", "Which dnf; chosen by itself.").choices(&["auto", "dnf", "yum", "yum4", "dnf4", "dnf5"]).default(Preset::Str("auto")),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let names: Vec<String> = args.texts("name").iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        let dnf = Dnfs { base: program(args, cx)?, root: args.text("installroot").to_owned() };
        if args.flag("update_cache") {
            let run = cx.perform(Change::PackageLists, &[dnf.base.clone().args(["makecache", "--refresh"])])?.into_iter().next().unwrap_or_default();
            if !run.ok() {
                return Err(refused(&run));
            }
            if names.is_empty() && !args.flag("autoremove") {
                return Ok(Outcome::new(false).msg("Cache updated").with("rc", 0).with("results", json!([])));
            }
        }
        let default = if args.flag("autoremove") { "absent" } else { "present" };
        match args.str("state").unwrap_or(default) {
            "absent" | "removed" if names.is_empty() => dnf.work(cx, &[vec!["autoremove".into()]], &names, false),
            "absent" | "removed" => dnf.remove(args, cx, names),
            "latest" => dnf.latest(args, cx, names),
            _ => dnf.install(cx, names),
        }
    }
}

fn program(args: &Args, cx: &Context<'_>) -> Result<Program, Failure> {
    let names: &[&str] = match args.text("use_backend") {
        "dnf5" => &["dnf5"],
        "auto" => &["dnf", "dnf5", "yum"],
        _ => &["dnf", "yum"],
    };
    let found = names.iter().find_map(|name| cx.find_program(name));
    let path = found.map_or_else(|| cx.require_program("dnf"), Ok)?;
    let mut program = Program::new([path]).env("LC_ALL", "C.UTF-8").env("LANG", "C.UTF-8");
    program = program.arg(if cx.check() { "--assumeno" } else { "-y" });
    for (name, option) in [
        ("enablerepo", "--enablerepo"),
        ("disablerepo", "--disablerepo"),
        ("exclude", "--exclude"),
        ("enable_plugin", "--enableplugin"),
        ("disable_plugin", "--disableplugin"),
    ] {
        program = program.args(args.texts(name).iter().map(|value| format!("{option}={value}")));
    }
    for (name, option) in
        [("disable_excludes", "--disableexcludes"), ("conf_file", "--config"), ("releasever", "--releasever"), ("download_dir", "--downloaddir")]
    {
        program = program.args(args.str(name).map(|value| format!("{option}={value}")));
    }
    for (name, option) in [
        ("disable_gpg_check", "--nogpgcheck"),
        ("security", "--security"),
        ("bugfix", "--bugfix"),
        ("allowerasing", "--allowerasing"),
        ("skip_broken", "--skip-broken"),
        ("best", "--best"),
        ("nobest", "--nobest"),
        ("cacheonly", "--cacheonly"),
        ("download_only", "--downloadonly"),
    ] {
        program = program.args(args.flag(name).then_some(option));
    }
    if args.bool("sslverify") == Some(false) {
        program = program.arg("--setopt=sslverify=0");
    }
    if !args.flag("install_weak_deps") {
        program = program.arg("--setopt=install_weak_deps=False");
    }
    if args.text("installroot") != "/" {
        program = program.arg(format!("--installroot={}", args.text("installroot")));
    }
    Ok(program)
}

struct Dnfs {
    base: Program,
    root: String,
}

impl Dnfs {
    fn rpm(&self, cx: &Context<'_>, words: &[&str]) -> Result<Run, Failure> {
        cx.probe(&Program::new([cx.require_program("rpm")?]).args(["--root", &self.root]).args(words).env("LC_ALL", "C"))
    }

    /// Every installed package with its version.
    fn installed(&self, cx: &Context<'_>) -> Result<BTreeSet<String>, Failure> {
        Ok(self.rpm(cx, &["-qa"])?.out().lines().map(str::to_owned).collect())
    }

    /// Whether a package is there by that name; groups, files, patterns and URLs are for dnf to know.
    fn is_there(&self, cx: &Context<'_>, name: &str) -> Result<bool, Failure> {
        let predicted = cx.system().noted().iter().rev().find_map(|change| match change {
            Change::Package { names, present } if names.iter().any(|have| have == name) => Some(*present),
            _ => None,
        });
        match predicted {
            Some(present) => Ok(present),
            None if name.starts_with('@') || name.contains(['*', '?', '[', '>', '<', '=']) || name.ends_with(".rpm") => Ok(false),
            None if name.starts_with('/') => Ok(self.rpm(cx, &["-q", "--whatprovides", name])?.ok()),
            None => Ok(self.rpm(cx, &["-q", name])?.ok() || self.rpm(cx, &["-q", "--whatprovides", name])?.ok()),
        }
    }

    fn split(&self, cx: &Context<'_>, names: Vec<String>) -> Result<(Vec<String>, Vec<String>), Failure> {
        let (mut there, mut missing) = (vec![], vec![]);
        for name in names {
            if self.is_there(cx, &name)? { there.push(name) } else { missing.push(name) }
        }
        Ok((there, missing))
    }

    fn install(&self, cx: &mut Context<'_>, names: Vec<String>) -> Result<Outcome, Failure> {
        let (_, missing) = self.split(cx, names)?;
        self.work(cx, &command("install", &missing), &missing, true)
    }

    fn latest(&self, args: &Args, cx: &mut Context<'_>, names: Vec<String>) -> Result<Outcome, Failure> {
        if names.iter().any(|name| name == "*") {
            return self.work(cx, &[vec!["upgrade".into()]], &[], true);
        }
        let (there, mut missing) = self.split(cx, names)?;
        if args.flag("update_only") {
            missing.clear();
        }
        let commands = [command("upgrade", &there), command("install", &missing)].concat();
        self.work(cx, &commands, &[there, missing].concat(), true)
    }

    fn remove(&self, args: &Args, cx: &mut Context<'_>, names: Vec<String>) -> Result<Outcome, Failure> {
        let is_special = |name: &String| name.starts_with('@') || name.contains('*');
        let mut gone = vec![];
        for name in names {
            if is_special(&name) || self.is_there(cx, &name)? {
                gone.push(name);
            }
        }
        let mut commands = command("remove", &gone);
        if !args.flag("autoremove") {
            commands.iter_mut().for_each(|words| words.insert(1, "--setopt=clean_requirements_on_remove=False".into()));
        }
        self.work(cx, &commands, &gone, false)
    }

    /// Runs dnf; what changed is what rpm has afterwards, in check mode what dnf would not do unasked.
    fn work(&self, cx: &mut Context<'_>, commands: &[Vec<String>], names: &[String], present: bool) -> Result<Outcome, Failure> {
        let before = self.installed(cx)?;
        let mut asked = false;
        for words in commands {
            let program = self.base.clone().args(words);
            let change = Change::Package { names: names.to_vec(), present };
            if cx.check() {
                let run = cx.probe(&program)?;
                let would = run.out().contains("Operation aborted") || run.err().contains("Operation aborted");
                if !run.ok() && !would {
                    return Err(refused(&run));
                }
                if would {
                    cx.perform(change, &[])?;
                    asked = true;
                }
                continue;
            }
            let run = cx.perform(change, &[program])?.into_iter().next().unwrap_or_default();
            if !run.ok() {
                return Err(refused(&run));
            }
        }
        let after = if cx.check() { before.clone() } else { self.installed(cx)? };
        let rows =
            |word: &str, a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).map(|name| json!(format!("{word}: {name}"))).collect::<Vec<Value>>();
        let results = [rows("Installed", &after, &before), rows("Removed", &before, &after)].concat();
        let changed = asked || !results.is_empty();
        Ok(Outcome::new(changed).msg(if changed { "" } else { "Nothing to do" }).with("rc", 0).with("results", results))
    }
}

fn command(word: &str, names: &[String]) -> Vec<Vec<String>> {
    if names.is_empty() { vec![] } else { vec![[vec![word.to_owned()], names.to_vec()].concat()] }
}

/// dnf's complaint; packages that it does not know are named.
fn refused(run: &Run) -> Failure {
    let text = format!("{}\n{}", run.out(), run.err());
    let unknown =
        text.lines().filter_map(|line| line.split_once("No match for argument: ")).map(|(_, name)| json!(format!("No package {} available.", name.trim())));
    let unknown: Vec<Value> = unknown.collect();
    let complaint = text.lines().find(|line| line.starts_with("Error:")).or(text.lines().rfind(|line| !line.trim().is_empty()));
    let msg = if unknown.is_empty() { complaint.unwrap_or("dnf failed").to_owned() } else { "Failed to install some of the specified packages".to_owned() };
    Failure::new(msg).with("failures", unknown).with("rc", run.rc).with("results", json!([])).with("stdout", run.out()).with("stderr", run.err())
}
