//! `service`: a service by whatever starts services: systemd, OpenRC or init scripts.

use std::path::Path;

use serde_json::json;

use super::systemd_service::SystemdService;
use crate::args::Args;
use crate::change::Change;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::Program;
use crate::spec::{Arg, Preset, Spec};

/// The module.
pub struct Service;

impl Module for Service {
    const SPEC: Spec = Spec {
        required_one_of: &[&["state", "enabled"]],
        ..Spec::new(
            "service",
            "Starts, stops and enables services.",
            &[
                Arg::str("name", "Name of the service.").required(),
                Arg::str("state", "What the service shall do.").choices(&["started", "stopped", "reloaded", "restarted"]),
                Arg::int("sleep", "Seconds between stop and start of a restart, for init scripts."),
                Arg::str("pattern", "Text in the list of processes that tells that it runs, for init scripts without status."),
                Arg::bool("enabled", "Whether the service starts at boot."),
                Arg::str("runlevel", "Run level of OpenRC.").default(Preset::Str("default")),
                Arg::str("arguments", "Arguments for the init script.").alias(&["args"]).default(Preset::Str("")),
                Arg::str("use", "Which module does it; chosen by itself.").default(Preset::Str("auto")),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let systemd = cx.system().lstat(Path::new("/run/systemd/system")).is_ok();
        let asked = args.text("use").rsplit('.').next().unwrap_or_default();
        match asked {
            "systemd" | "systemd_service" => by_systemd(args, cx),
            "auto" if systemd => by_systemd(args, cx),
            "auto" | "service" | "sysvinit" | "openrc" => by_script(args, cx),
            other => Err(Failure::new(format!("service has no way called '{other}'; it knows auto, systemd, sysvinit, openrc"))),
        }
    }
}

fn by_systemd(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
    let mut inner = serde_json::Map::new();
    for key in ["name", "state", "enabled"] {
        inner.extend(args.get(key).map(|value| (key.to_owned(), value.clone())));
    }
    for key in ["pattern", "sleep"] {
        if args.has(key) {
            cx.warn(format!("Ignoring \"{key}\" as it is not used in \"systemd\""));
        }
    }
    inner.extend([("scope".to_owned(), json!("system"))]);
    SystemdService::run(&Args(inner), cx)
}

/// How an init system is spoken to.
enum Init {
    OpenRc,
    Script(String),
}

fn by_script(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
    let name = args.text("name").to_owned();
    let script = format!("/etc/init.d/{name}");
    if cx.lstat(Path::new(&script))?.is_none() {
        return Err(Failure::new(format!("Could not find the requested service {name}: host")));
    }
    let init = if cx.find_program("rc-service").is_some() { Init::OpenRc } else { Init::Script(script) };
    let mut outcome = Outcome::new(false).with("name", name.as_str());
    if let Some(wanted) = args.bool("enabled") {
        enable(args, cx, &init, &name, wanted)?;
        outcome = outcome.with("enabled", wanted);
    }
    if let Some(wanted) = args.str("state") {
        set_state(args, cx, &init, &name, wanted)?;
        let state = if wanted == "stopped" { "stopped" } else { "started" };
        outcome = outcome.with("state", state);
    }
    outcome.changed = cx.changed();
    Ok(outcome)
}

fn action(args: &Args, cx: &Context<'_>, init: &Init, name: &str, word: &str) -> Result<Program, Failure> {
    let program = match init {
        Init::OpenRc => Program::new([cx.require_program("rc-service")?]).args([name, word]),
        Init::Script(_) if cx.find_program("service").is_some() => Program::new([cx.require_program("service")?]).args([name, word]),
        Init::Script(path) => Program::new([path]).arg(word),
    };
    Ok(program.args(args.text("arguments").split_whitespace()))
}

fn running(args: &Args, cx: &Context<'_>, init: &Init, name: &str) -> Result<bool, Failure> {
    for change in cx.system().noted().iter().rev() {
        if let Change::Unit { name: noted, active: Some(active), .. } = change
            && noted == name
        {
            return Ok(*active);
        }
    }
    if let Some(pattern) = args.str("pattern") {
        let run = cx.probe(&Program::new([cx.require_program("ps")?]).arg("auxww"))?;
        let run = if run.ok() { run } else { cx.probe(&Program::new([cx.require_program("ps")?]))? };
        return Ok(run.out().lines().any(|line| line.contains(pattern)));
    }
    Ok(cx.probe(&action(args, cx, init, name, "status")?)?.ok())
}

fn set_state(args: &Args, cx: &mut Context<'_>, init: &Init, name: &str, wanted: &str) -> Result<(), Failure> {
    let now = running(args, cx, init, name)?;
    let words: &[&str] = match (wanted, now) {
        ("started", false) => &["start"],
        ("stopped", true) => &["stop"],
        ("reloaded", true) => &["reload"],
        ("restarted", true) if args.has("sleep") => &["stop", "start"],
        ("restarted", true) => &["restart"],
        ("reloaded" | "restarted", false) => &["start"],
        _ => return Ok(()),
    };
    for (at, word) in words.iter().enumerate() {
        if at > 0 && !cx.check() {
            cx.control().sleep(std::time::Duration::from_secs(args.int("sleep").unwrap_or(1).max(0) as u64))?;
        }
        let program = action(args, cx, init, name, word)?;
        let change = Change::Unit { name: name.to_owned(), active: Some(*word != "stop"), enabled: None, masked: None };
        if let Some(run) = cx.perform(change, &[program])?.iter().find(|run| !run.ok()) {
            let text = if run.stderr.is_empty() { run.out() } else { run.err() };
            return Err(Failure::new(format!("Unable to {word} service {name}: {text}")).with("rc", run.rc));
        }
    }
    Ok(())
}

fn enable(args: &Args, cx: &mut Context<'_>, init: &Init, name: &str, wanted: bool) -> Result<(), Failure> {
    let level = args.text("runlevel");
    let now = match init {
        Init::OpenRc => cx.system().lstat(&Path::new("/etc/runlevels").join(level).join(name)).is_ok(),
        Init::Script(_) => !crate::glob::paths(cx.system(), Path::new(&format!("/etc/rc?.d/S??{name}"))).is_empty(),
    };
    if now == wanted {
        return Ok(());
    }
    let program = match init {
        Init::OpenRc => Program::new([cx.require_program("rc-update")?]).args([if wanted { "add" } else { "del" }, name, level]),
        Init::Script(_) if cx.find_program("chkconfig").is_some() => {
            Program::new([cx.require_program("chkconfig")?]).args([name, if wanted { "on" } else { "off" }])
        }
        Init::Script(_) => Program::new([cx.require_program("update-rc.d")?]).args([name, if wanted { "defaults" } else { "remove" }]),
    };
    let change = Change::Unit { name: name.to_owned(), active: None, enabled: Some(wanted), masked: None };
    if let Some(run) = cx.perform(change, &[program])?.iter().find(|run| !run.ok()) {
        return Err(Failure::new(format!("Unable to {} service {name}: {}", if wanted { "enable" } else { "disable" }, run.err())));
    }
    Ok(())
}
