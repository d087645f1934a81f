//! `apt`: packages of Debian and its children, by apt-get. What is known of packages is asked of `apt-cache` and `dpkg-query`: no python3-apt.

mod deb;
mod get;
mod known;
pub(super) mod update;
pub(super) mod version;

use std::path::Path;

use serde_json::json;

use crate::args::Args;
use crate::change::Change;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::{Program, Run};
use crate::spec::{Arg, Kind, Preset, Spec};
use get::{Effect, when};
use known::{Installable, Known, Wanted};
use update::Patience;

/// The module.
pub struct Apt;

impl Module for Apt {
    const SPEC: Spec = Spec {
        mutually_exclusive: &[&["deb", "package", "upgrade"]],
        ..Spec::new(
            "apt",
            "Installs, upgrades and removes packages with apt.",
            &[
                Arg::str("state", "Whether the packages shall be there; `build-dep` for what they are built with, `fixed` to repair dependencies.")
                    .choices(&["absent", "build-dep", "fixed", "latest", "present"])
                    .default(Preset::Str("present")),
                Arg::bool("update_cache", "Read the package lists anew before.").alias(&["update-cache"]),
                Arg::int("update_cache_retries", "How often that is tried.").default(Preset::Int(5)),
                Arg::int("update_cache_retry_max_delay", "Most seconds between two tries.").default(Preset::Int(12)),
                Arg::int("cache_valid_time", "Seconds for which the lists are new enough.").default(Preset::Int(0)),
                Arg::flag("purge", false, "Remove configuration files too."),
                Arg::list("package", Kind::Str, "Packages, as `name`, `name=1.2*` or `name>=1.2`; patterns as the shell's.").alias(&["pkg", "name"]),
                Arg::path("deb", "Package file, or a URL of one."),
                Arg::str("default_release", "Release that is preferred (`-t`).").alias(&["default-release"]),
                Arg::bool("install_recommends", "Install what packages recommend; apt's own setting by default.").alias(&["install-recommends"]),
                Arg::flag("force", false, "Let apt-get do what it warns about (`--force-yes`)."),
                Arg::str("upgrade", "Upgrade all packages: `yes` and `safe` without removing any, `full` and `dist` with.")
                    .choices(&["dist", "full", "no", "safe", "yes"])
                    .default(Preset::Str("no")),
                Arg::str("dpkg_options", "Options of dpkg, separated by commas, without `--`.").default(Preset::Str("force-confdef,force-confold")),
                Arg::flag("autoremove", false, "Remove packages that nothing needs any longer."),
                Arg::flag("autoclean", false, "Remove fetched package files that can no longer be had."),
                Arg::flag("fail_on_autoremove", false, "Fail where packages would be removed."),
                Arg::int("policy_rc_d", "Exit status of policy-rc.d meanwhile; 101 keeps services from starting."),
                Arg::flag("only_upgrade", false, "Only upgrade what is installed."),
                Arg::flag("force_apt_get", false, "Use apt-get even where aptitude is there."),
                Arg::flag("clean", false, "Remove all fetched package files."),
                Arg::flag("allow_unauthenticated", false, "Install packages that nobody signed.").alias(&["allow-unauthenticated"]),
                Arg::flag("allow_downgrade", false, "Install versions older than the installed ones.").alias(&[
                    "allow-downgrade",
                    "allow_downgrades",
                    "allow-downgrades",
                ]),
                Arg::flag("allow_change_held_packages", false, "Change packages that are on hold."),
                Arg::int("lock_timeout", "Seconds to wait for another package manager.").default(Preset::Int(60)),
                Arg::flag("auto_install_module_deps", true, "Of no effect: nothing has to be installed for this module."),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        cx.require_program("apt-get")?;
        let nothing_named = !args.has("package") && args.text("upgrade") == "no" && !args.has("deb");
        if args.flag("clean") {
            let cleaned = clean(cx)?;
            if nothing_named {
                return Ok(cleaned);
            }
        }
        let cache = update_cache(args, cx)?;
        if cache.asked && nothing_named {
            return Ok(Outcome::new(cache.updated).with("cache_updated", cache.updated).with("cache_update_time", cache.time));
        }
        if args.text("upgrade") != "no" {
            return upgrade(args, cx, args.text("upgrade"));
        }
        if args.has("deb") {
            if args.text("state") != "present" {
                return Err("deb only supports state=present".into());
            }
            return deb::install(args, cx);
        }
        packages(args, cx, &cache)
    }
}

/// A program of apt or dpkg, with the environment in which it asks nothing and speaks English.
fn program(cx: &Context<'_>, name: &str) -> Result<Program, Failure> {
    Ok(with_environment([cx.require_program(name)?]))
}

fn with_environment(argv: impl IntoIterator<Item = impl Into<std::ffi::OsString>>) -> Program {
    let variables = [("DEBIAN_FRONTEND", "noninteractive"), ("DEBIAN_PRIORITY", "critical")];
    let languages = ["LANG", "LC_ALL", "LC_MESSAGES", "LC_CTYPE", "LANGUAGE"].map(|name| (name, "C.UTF-8"));
    variables.iter().chain(&languages).fold(Program::new(argv), |program, (name, value)| program.env(name, value))
}

/// What became of the package lists.
struct Cache {
    asked: bool,
    updated: bool,
    time: i64,
}

fn update_cache(args: &Args, cx: &mut Context<'_>) -> Result<Cache, Failure> {
    let valid = args.int("cache_valid_time").unwrap_or(0);
    let before = update::time(cx);
    let mut cache = Cache { asked: args.flag("update_cache") || valid != 0, updated: false, time: before };
    if cache.asked && before + valid < chrono::Utc::now().timestamp() {
        update::refresh(cx, &Patience::from_args(args))?;
        cache.time = update::time(cx);
        cache.updated = cx.check() || cache.time != before;
    }
    Ok(cache)
}

fn clean(cx: &mut Context<'_>) -> Result<Outcome, Failure> {
    let program = program(cx, "apt-get")?.arg("clean");
    let run = cx.perform(archives(), &[program])?.into_iter().next().unwrap_or_default();
    if !run.ok() || !run.stderr.is_empty() {
        let why = if run.stderr.is_empty() { String::new() } else { format!(": {}", run.err()) };
        return Err(Failure::new(format!("apt-get clean failed{why}")).with("stdout", run.out()).with("rc", run.rc));
    }
    let diff = get::diff(cx, &run.out());
    Ok(Outcome::new(true).msg(run.out()).with("stdout", run.out()).with("stderr", run.err()).with("diff", diff))
}

/// Fetched package files go: nothing that another task looks at.
fn archives() -> Change {
    Change::Setting { name: "fetched packages".into(), value: None }
}

fn packages(args: &Args, cx: &mut Context<'_>, cache: &Cache) -> Result<Outcome, Failure> {
    let all = args.texts("package");
    let specs: Vec<String> = all.iter().filter(|name| *name != "*").map(|name| name.trim().to_owned()).collect();
    let state = args.text("state");
    if state == "latest" && specs.len() < all.len() {
        if !specs.is_empty() {
            return Err("unable to install additional packages when upgrading all installed packages".into());
        }
        return upgrade(args, cx, "yes");
    }
    if let Some(bad) = specs.iter().find(|spec| spec.matches('=').count() > 1) {
        return Err(Failure::new(format!("invalid package spec: {bad}")));
    }
    if specs.is_empty() {
        for operation in ["autoclean", "autoremove"] {
            if args.flag(operation) {
                return cleanup(args, cx, operation);
            }
        }
    }
    let specs = known::expand(cx, &specs)?;
    if state == "absent" {
        return remove(args, cx, &specs);
    }
    let outcome = install(args, cx, &specs)?;
    Ok(outcome.with("cache_updated", cache.updated).with("cache_update_time", cache.time))
}

fn install(args: &Args, cx: &mut Context<'_>, specs: &[String]) -> Result<Outcome, Failure> {
    let build_dep = args.text("state") == "build-dep";
    let (line_up, names) = if build_dep { (specs.iter().map(|spec| format!("'{spec}'")).collect(), vec![]) } else { choose(args, cx, specs)? };
    let mut outcome = Outcome::new(false);
    if !line_up.is_empty() {
        let line = install_line(args, cx, build_dep, &line_up.join(" "))?;
        let run = get::run(args, cx, &line, &Effect::Installs(&names))?;
        if !run.ok() {
            return Err(failed(format!("'{line}'"), &run));
        }
        let changed = !build_dep || !is_nothing(&run.out());
        let diff = get::diff(cx, &run.out());
        outcome = Outcome::new(changed).with("stdout", run.out()).with("stderr", run.err()).with("diff", diff);
    }
    if !build_dep && !cx.check() {
        let all: Vec<&str> = specs.iter().map(|spec| Wanted::new(spec).name).collect();
        mark_manual(cx, &all)?;
    }
    Ok(outcome)
}

/// The packages that have to be installed or upgraded, as apt-get takes them, and their names.
fn choose(args: &Args, cx: &Context<'_>, specs: &[String]) -> Result<(Vec<String>, Vec<String>), Failure> {
    let wanted: Vec<Wanted<'_>> = specs.iter().map(|spec| Wanted::new(spec)).collect();
    let asked: Vec<&str> = wanted.iter().map(|wanted| wanted.name).collect();
    let mut known = Known::ask(cx, &asked, args.str("default_release"))?;
    let (latest, only_upgrade) = (args.text("state") == "latest", args.flag("only_upgrade"));
    let (mut line_up, mut names) = (vec![], vec![]);
    for wanted in wanted {
        let status = known.status(cx, wanted)?;
        if !status.installed && only_upgrade {
            continue;
        }
        if !status.satisfied && status.installable == Installable::Nothing {
            let why = known::lists_may_change(cx).map(|why| Failure::unknown(format!("the versions of {}: {why}", wanted.name)));
            return Err(why.unwrap_or_else(|| Failure::new(format!("no available installation candidate for {}", wanted.spec))));
        }
        let needed = !status.installed || latest || !status.satisfied;
        let like = match wanted.version {
            known::Version::Like(version) => Some(version),
            _ => None,
        };
        let exact = match (&status.installable, needed) {
            (Installable::Nothing, _) => continue,
            (Installable::Version(version), true) => Some(version.clone()),
            (Installable::Something, true) => like.map(str::to_owned),
            // a pattern that the installed version and a newer one fit
            (_, false) => match like {
                Some(version) => Some(version.to_owned()),
                None => continue,
            },
        };
        line_up.push(exact.map_or_else(|| format!("'{}'", wanted.name), |version| format!("'{}={version}'", wanted.name)));
        names.push(wanted.name.to_owned());
    }
    Ok((line_up, names))
}

fn install_line(args: &Args, cx: &Context<'_>, build_dep: bool, packages: &str) -> Result<String, Failure> {
    let apt_get = cx.require_program("apt-get")?;
    let only_upgrade = when(args.flag("only_upgrade"), "--only-upgrade");
    let fixed = when(args.text("state") == "fixed", "--fix-broken");
    let force = when(args.flag("force"), "--force-yes");
    let autoremove = when(args.flag("autoremove"), "--auto-remove");
    let no_remove = when(args.flag("fail_on_autoremove"), "--no-remove");
    let check = when(cx.check(), "--simulate");
    let head = format!("{} -y {}", apt_get.display(), get::dpkg_options(args));
    let mut line = if build_dep {
        format!("{head} {only_upgrade} {fixed} {force} {no_remove} {check} build-dep {packages}")
    } else {
        format!("{head} {only_upgrade} {fixed} {force} {autoremove} {no_remove} {check} install {packages}")
    };
    if let Some(release) = args.str("default_release") {
        line.push_str(&format!(" -t '{release}'"));
    }
    let more = [
        recommends(args),
        when(args.flag("allow_unauthenticated"), "--allow-unauthenticated"),
        when(args.flag("allow_downgrade"), "--allow-downgrades"),
        when(args.flag("allow_change_held_packages"), "--allow-change-held-packages"),
    ];
    more.iter().filter(|word| !word.is_empty()).for_each(|word| line.push_str(&format!(" {word}")));
    Ok(line)
}

fn recommends(args: &Args) -> &'static str {
    match args.bool("install_recommends") {
        Some(true) => "-o APT::Install-Recommends=yes",
        Some(false) => "-o APT::Install-Recommends=no",
        None => "",
    }
}

/// Packages that came along with others count as asked for from now on.
fn mark_manual(cx: &mut Context<'_>, names: &[&str]) -> Result<(), Failure> {
    let states = cx.read_text(Path::new("/var/lib/apt/extended_states")).map(|text| text.content).unwrap_or_default();
    let automatic = |name: &str| states.lines().any(|line| line.strip_prefix("Package: ") == Some(name.split(':').next().unwrap_or(name)));
    let names: Vec<&str> = names.iter().copied().filter(|name| automatic(name)).collect();
    if names.is_empty() {
        return Ok(());
    }
    if cx.find_program("apt-mark").is_none() {
        cx.warn("Could not find apt-mark binary, not marking package(s) as manually installed.");
        return Ok(());
    }
    let mark = program(cx, "apt-mark")?.arg("manual").args(&names);
    let shown = mark.shown();
    let run = cx.probe(&mark)?;
    if run.ok() { Ok(()) } else { Err(failed(format!("'{shown}'"), &run)) }
}

fn remove(args: &Args, cx: &mut Context<'_>, specs: &[String]) -> Result<Outcome, Failure> {
    let wanted: Vec<Wanted<'_>> = specs.iter().map(|spec| Wanted::new(spec)).collect();
    let names: Vec<&str> = wanted.iter().map(|wanted| wanted.name).collect();
    let known = Known::ask(cx, &names, None)?;
    let leftover = if args.flag("purge") { known::with_configuration(cx, &names)? } else { std::collections::BTreeSet::new() };
    let there: Vec<&Wanted<'_>> = wanted.iter().filter(|wanted| known.is_there(**wanted) || leftover.contains(wanted.name)).collect();
    if there.is_empty() {
        return Ok(Outcome::new(false));
    }
    let packages = there.iter().map(|wanted| format!("'{}'", wanted.spec)).collect::<Vec<_>>().join(" ");
    let line = format!(
        "{} -q -y {} {} {} {} {} {} remove {packages}",
        cx.require_program("apt-get")?.display(),
        get::dpkg_options(args),
        when(args.flag("purge"), "--purge"),
        when(args.flag("force"), "--force-yes"),
        when(args.flag("autoremove"), "--auto-remove"),
        when(cx.check(), "--simulate"),
        when(args.flag("allow_change_held_packages"), "--allow-change-held-packages"),
    );
    let names: Vec<String> = there.iter().map(|wanted| wanted.name.to_owned()).collect();
    let run = get::run(args, cx, &line, &Effect::Removes(&names))?;
    if !run.ok() {
        return Err(failed(format!("'apt-get remove {packages}'"), &run));
    }
    let diff = get::diff(cx, &run.out());
    Ok(Outcome::new(true).with("stdout", run.out()).with("stderr", run.err()).with("diff", diff))
}

fn cleanup(args: &Args, cx: &mut Context<'_>, operation: &str) -> Result<Outcome, Failure> {
    let line = format!(
        "{} -y {} {} {} {operation} {}",
        cx.require_program("apt-get")?.display(),
        get::dpkg_options(args),
        when(args.flag("purge"), "--purge"),
        when(args.flag("force"), "--force-yes"),
        when(cx.check(), "--simulate"),
    );
    let run = get::run(args, cx, &line, &Effect::Whatever)?;
    if !run.ok() {
        return Err(failed(format!("'apt-get {operation}'"), &run));
    }
    let sign = if operation == "autoremove" { "The following packages will be REMOVED" } else { "Del " };
    let out = run.out();
    let diff = get::diff(cx, &out);
    if operation == "autoclean" && cx.check() && out.contains(sign) {
        cx.perform(archives(), &[])?;
    }
    Ok(Outcome::new(out.contains(sign)).with("stdout", out).with("stderr", run.err()).with("diff", diff))
}

fn upgrade(args: &Args, cx: &mut Context<'_>, mode: &str) -> Result<Outcome, Failure> {
    let use_apt_get = args.flag("force_apt_get") || cx.find_program("aptitude").is_none();
    let autoremove = when(args.flag("autoremove"), "--auto-remove");
    let by_apt_get = use_apt_get || mode == "dist";
    let (name, command) = match (mode, by_apt_get) {
        ("dist" | "full", true) => ("apt-get", format!("dist-upgrade {autoremove}")),
        (_, true) => ("apt-get", format!("upgrade --with-new-pkgs {autoremove}")),
        ("full", false) => ("aptitude", "full-upgrade".to_owned()),
        (_, false) => ("aptitude", "safe-upgrade".to_owned()),
    };
    for (argument, option) in [("fail_on_autoremove", "--no-remove"), ("allow_downgrade", "--allow-downgrades")] {
        if args.flag(argument) && !by_apt_get {
            cx.warn(format!("APTITUDE does not support '{option}', ignoring the '{argument}' parameter."));
        }
    }
    let force = if by_apt_get { "--force-yes" } else { "--assume-yes --allow-untrusted" };
    let mut line = format!(
        "{} -y {} {} {} {} {} {} {command}",
        cx.require_program(name)?.display(),
        get::dpkg_options(args),
        when(args.flag("force"), force),
        when(by_apt_get && args.flag("fail_on_autoremove"), "--no-remove"),
        when(args.flag("allow_unauthenticated"), "--allow-unauthenticated"),
        when(by_apt_get && args.flag("allow_downgrade"), "--allow-downgrades"),
        when(cx.check(), "--simulate"),
    );
    if let Some(release) = args.str("default_release") {
        line.push_str(&format!(" -t '{release}'"));
    }
    let run = get::run(args, cx, &line, &Effect::Whatever)?;
    if !run.ok() {
        return Err(failed(format!("'{name} {command}'"), &run));
    }
    let out = run.out();
    let outcome = Outcome::new(!is_nothing(&out)).msg(out.as_str()).with("stdout", out.as_str()).with("stderr", run.err());
    Ok(if is_nothing(&out) { outcome } else { outcome.with("diff", get::diff(cx, &out)) })
}

/// Whether the summary says that nothing would be done.
fn is_nothing(out: &str) -> bool {
    ["\n0 upgraded, 0 newly installed, 0 to remove", "\n0 packages upgraded, 0 newly installed, 0 to remove"].iter().any(|text| out.contains(text))
}

fn failed(what: String, run: &Run) -> Failure {
    Failure::new(format!("{what} failed: {}", run.err())).with("stdout", json!(run.out())).with("stderr", run.err()).with("rc", run.rc)
}
