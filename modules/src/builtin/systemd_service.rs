//! `systemd_service` (`systemd`): units of systemd, by systemctl.

use serde_json::{Map, Value, json};

use crate::args::Args;
use crate::change::Change;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::{Program, Run};
use crate::spec::{Arg, Preset, Spec};

/// The module.
pub struct SystemdService;

impl Module for SystemdService {
    const SPEC: Spec = Spec {
        required_one_of: &[&["state", "enabled", "masked", "daemon_reload", "daemon_reexec"]],
        required_by: &[("state", &["name"]), ("enabled", &["name"]), ("masked", &["name"])],
        ..Spec::new(
            "systemd_service",
            "Starts, stops, enables and masks units of systemd.",
            &[
                Arg::str("name", "Name of the unit; `.service` is the default suffix.").alias(&["service", "unit"]),
                Arg::str("state", "What the unit shall do.").choices(&["reloaded", "restarted", "started", "stopped"]),
                Arg::bool("enabled", "Whether the unit starts at boot."),
                Arg::bool("force", "Replace links that are in the way."),
                Arg::bool("masked", "Whether the unit cannot be started at all."),
                Arg::flag("daemon_reload", false, "Have systemd read its units anew before.").alias(&["daemon-reload"]),
                Arg::flag("daemon_reexec", false, "Have systemd start itself anew before.").alias(&["daemon-reexec"]),
                Arg::str("scope", "Which manager: the system's, the user's or all users'.")
                    .choices(&["system", "user", "global"])
                    .default(Preset::Str("system")),
                Arg::flag("no_block", false, "Do not wait for the operation to end."),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let unit = args.str("name").map(str::to_owned);
        if let Some((bad, unit)) = unit.as_ref().and_then(|unit| unit.chars().find(|c| "*?[".contains(*c)).map(|bad| (bad, unit))) {
            return Err(Failure::new(format!("This module does not currently support using glob patterns, found '{bad}' in service name: {unit}")));
        }
        let manager = Manager::new(args, cx)?;
        for (key, command) in [("daemon_reload", "daemon-reload"), ("daemon_reexec", "daemon-reexec")] {
            if args.flag(key) {
                manager.daemon(cx, command)?;
            }
        }
        match unit {
            Some(unit) => manage(args, cx, &manager, &unit),
            None => Ok(Outcome::new(false).with("name", Value::Null).with("status", json!({}))),
        }
    }
}

/// systemctl with the options that every call has.
struct Manager {
    base: Program,
    scope: String,
}

impl Manager {
    fn new(args: &Args, cx: &Context<'_>) -> Result<Manager, Failure> {
        let mut base = Program::new([cx.require_program("systemctl")?]);
        if cx.variable("XDG_RUNTIME_DIR").is_none() {
            base = base.env("XDG_RUNTIME_DIR", &format!("/run/user/{}", rustix::process::geteuid().as_raw()));
        }
        let scope = args.text("scope").to_owned();
        if scope != "system" {
            base = base.arg(format!("--{scope}"));
        }
        if args.flag("no_block") {
            base = base.arg("--no-block");
        }
        if args.flag("force") {
            base = base.arg("--force");
        }
        Ok(Manager { base, scope })
    }

    fn command(&self, words: &[&str]) -> Program {
        self.base.clone().args(words)
    }

    /// Reload and re-exec change nothing that Ansible counts as a change.
    fn daemon(&self, cx: &mut Context<'_>, command: &str) -> Result<(), Failure> {
        if cx.check() {
            return Ok(());
        }
        let run = cx.probe(&self.command(&[command]))?;
        if run.ok() {
            return Ok(());
        }
        if cx.variable("SYSTEMD_OFFLINE") == Some("1") {
            cx.warn(format!("{command} failed, but target is a chroot or systemd is offline. Continuing. Error was: {} / {}", run.rc, run.err()));
            return Ok(());
        }
        Err(Failure::new(format!("failure {} during {command}: {}", run.rc, run.err())))
    }
}

fn manage(args: &Args, cx: &mut Context<'_>, manager: &Manager, unit: &str) -> Result<Outcome, Failure> {
    let shown = cx.probe(&manager.command(&["show", unit]))?;
    let mut status = if shown.ok() && !ignored(&shown) { parse_show(&shown.out()) } else { Map::new() };
    let predicted = predicted(cx, unit);
    let load = status.get("LoadState").and_then(Value::as_str).unwrap_or_default().to_owned();
    if load != "masked" && load != "not-found" && status.contains_key("LoadError") {
        let error = status["LoadError"].as_str().unwrap_or_default().to_owned();
        return Err(Failure::new(format!("Error loading unit file '{unit}': {error}")));
    }
    let found = found(cx, manager, unit, &load, status.is_empty())?;
    if let Some(Some(active)) = predicted.as_ref().map(|unit| unit.active) {
        status.insert("ActiveState".into(), json!(if active { "active" } else { "inactive" }));
    }
    // what earlier tasks may bring, would be made to run
    let brings = args.bool("enabled") == Some(true) || args.str("state").is_some_and(|state| state != "stopped");
    let comes = !found && predicted.is_none() && brings && comes_with(cx).is_some();
    if comes {
        status.insert("ActiveState".into(), json!("inactive"));
    }
    let state = State { unit, found: found || predicted.is_some() || comes, predicted };
    let mut fields = Map::new();
    if let Some(wanted) = args.bool("masked") {
        mask(cx, manager, &state, wanted)?;
    }
    if let Some(wanted) = args.bool("enabled") {
        fields.insert("enabled".into(), json!(enable(cx, manager, &state, wanted)?));
    }
    if let Some(wanted) = args.str("state") {
        fields.insert("state".into(), json!(set_state(cx, manager, &state, wanted, &status)?));
    }
    Ok(cx.outcome().with("name", unit).with("status", Value::Object(status)).merge(fields))
}

/// What is known of the unit.
struct State<'u> {
    unit: &'u str,
    found: bool,
    predicted: Option<Predicted>,
}

/// What check mode predicted of it.
struct Predicted {
    active: Option<bool>,
    enabled: Option<bool>,
    masked: Option<bool>,
}

fn predicted(cx: &Context<'_>, unit: &str) -> Option<Predicted> {
    let mut all: Option<Predicted> = None;
    for change in cx.system().noted() {
        if let Change::Unit { name, active, enabled, masked } = change
            && name == unit
        {
            let old = all.take().unwrap_or(Predicted { active: None, enabled: None, masked: None });
            all = Some(Predicted { active: active.or(old.active), enabled: enabled.or(old.enabled), masked: masked.or(old.masked) });
        }
    }
    all
}

fn ignored(run: &Run) -> bool {
    [run.out(), run.err()].iter().any(|text| text.contains("ignoring request") || text.contains("ignoring command"))
}

fn found(cx: &Context<'_>, manager: &Manager, unit: &str, load: &str, offline: bool) -> Result<bool, Failure> {
    if !offline && !load.is_empty() && load != "not-found" {
        return Ok(true);
    }
    // a unit file that an earlier task would have written
    let suffix = if unit.contains('.') { "" } else { ".service" };
    let template = unit.split_once('@').map(|(base, rest)| format!("{base}@{}", rest.rsplit_once('.').map_or(suffix.to_owned(), |(_, s)| format!(".{s}"))));
    for dir in ["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"] {
        for name in [Some(format!("{unit}{suffix}")), template.clone()].into_iter().flatten() {
            if cx.system().lstat(&std::path::Path::new(dir).join(name)).is_ok() && (cx.check() || offline) {
                return Ok(true);
            }
        }
    }
    if cx.system().lstat(&std::path::Path::new("/etc/init.d").join(unit)).is_ok() {
        return Ok(true);
    }
    if offline {
        let enabled = cx.probe(&manager.command(&["is-enabled", unit]))?;
        if ["enabled", "disabled", "static", "indirect", "masked", "generated", "linked"].contains(&enabled.out().trim()) {
            return Ok(true);
        }
        let listed = cx.probe(&manager.command(&["list-unit-files", unit]))?;
        if listed.ok() {
            return Ok(!listed.out().starts_with("0 unit"));
        }
        // the manager itself does not answer: say what it says
        let program = manager.command(&[]);
        let run = cx.probe(&program)?;
        if !run.ok() {
            let failure = Failure::new(run.err().trim_end()).with("cmd", program.shown()).with("rc", run.rc);
            return Err(failure.with("stdout", run.out()).with("stderr", run.err()));
        }
    }
    Ok(false)
}

/// What an earlier task would have done that may bring a unit.
fn comes_with(cx: &Context<'_>) -> Option<String> {
    cx.system().noted().iter().find_map(|change| match change {
        Change::Package { names, present: true } => Some(format!("the packages {}", names.join(", "))),
        Change::Opaque { what, below: None } => Some(what.clone()),
        _ => None,
    })
}

impl State<'_> {
    fn require(&self, cx: &Context<'_>) -> Result<(), Failure> {
        if self.found {
            return Ok(());
        }
        match comes_with(cx) {
            Some(reason) => Err(Failure::unknown(format!("the service {} may come with {reason}", self.unit))),
            None => Err(Failure::new(format!("Could not find the requested service {}: host", self.unit))),
        }
    }

    fn change(&self) -> Change {
        Change::Unit { name: self.unit.to_owned(), active: None, enabled: None, masked: None }
    }
}

fn mask(cx: &mut Context<'_>, manager: &Manager, state: &State<'_>, wanted: bool) -> Result<(), Failure> {
    let run = cx.probe(&manager.command(&["is-enabled", state.unit]))?;
    let now = state.predicted.as_ref().and_then(|p| p.masked).unwrap_or(run.out().trim() == "masked");
    if now == wanted {
        return Ok(());
    }
    let action = if wanted { "mask" } else { "unmask" };
    let change = Change::Unit { name: state.unit.to_owned(), active: None, enabled: None, masked: Some(wanted) };
    let runs = cx.perform(change, &[manager.command(&[action, state.unit])])?;
    if let Some(run) = runs.iter().find(|run| !run.ok()) {
        state.require(cx)?;
        return Err(Failure::new(format!("Failed to {action} the service ({}): {}", state.unit, run.err().trim())));
    }
    Ok(())
}

fn enable(cx: &mut Context<'_>, manager: &Manager, state: &State<'_>, wanted: bool) -> Result<bool, Failure> {
    state.require(cx)?;
    let run = cx.probe(&manager.command(&["is-enabled", state.unit, "-l"]))?;
    let out = run.out();
    let by_script = manager.scope == "system" && run.rc == 1 && !out.trim().ends_with("disabled") && script_enabled(cx, state.unit);
    let now = run.ok() && !["enabled-runtime", "indirect", "alias"].contains(&out.trim_end()) || by_script;
    let now = state.predicted.as_ref().and_then(|p| p.enabled).unwrap_or(now);
    if now == wanted {
        return Ok(now);
    }
    let action = if wanted { "enable" } else { "disable" };
    let change = Change::Unit { name: state.unit.to_owned(), active: None, enabled: Some(wanted), masked: None };
    let runs = cx.perform(change, &[manager.command(&[action, state.unit])])?;
    match runs.iter().find(|run| !run.ok()) {
        Some(run) => Err(Failure::new(format!("Unable to {action} service {}: {}{}", state.unit, run.out(), run.err()))),
        None => Ok(wanted),
    }
}

/// Whether an init script of that name starts in a run level.
fn script_enabled(cx: &Context<'_>, unit: &str) -> bool {
    !crate::glob::paths(cx.system(), std::path::Path::new(&format!("/etc/rc?.d/S??{unit}"))).is_empty()
}

fn set_state(cx: &mut Context<'_>, manager: &Manager, state: &State<'_>, wanted: &str, status: &Map<String, Value>) -> Result<String, Failure> {
    state.require(cx)?;
    let Some(active) = status.get("ActiveState").and_then(Value::as_str).map(str::to_owned) else {
        if cx.variable("SYSTEMD_OFFLINE") == Some("1") {
            cx.warn("Target is a chroot or systemd is offline. This can lead to false positives or prevent the init system tools from working.");
            return Ok(wanted.to_owned());
        }
        return Err(Failure::new("Service is in unknown state").with("status", json!(status)));
    };
    let running = ["active", "activating"].contains(&active.as_str());
    let action = match wanted {
        "started" if !running => Some("start"),
        "stopped" if running || active == "deactivating" => Some("stop"),
        "restarted" | "reloaded" if !running => Some("start"),
        "restarted" => Some("restart"),
        "reloaded" => Some("reload"),
        _ => None,
    };
    if let Some(action) = action {
        let change = match state.change() {
            Change::Unit { name, enabled, masked, .. } => Change::Unit { name, active: Some(action != "stop"), enabled, masked },
            other => other,
        };
        let runs = cx.perform(change, &[manager.command(&[action, state.unit])])?;
        if let Some(run) = runs.iter().find(|run| !run.ok()) {
            return Err(Failure::new(format!("Unable to {action} service {}: {}", state.unit, run.err())));
        }
    }
    Ok(if ["restarted", "reloaded"].contains(&wanted) { "started" } else { wanted }.to_owned())
}

/// `KEY=VALUE` lines; a value of `Exec...` in braces may go over several lines.
pub(super) fn parse_show(text: &str) -> Map<String, Value> {
    let mut status = Map::new();
    let mut open: Option<(String, Vec<&str>)> = None;
    for line in text.lines() {
        if let Some((_, lines)) = &mut open {
            lines.push(line);
            if line.trim_end().ends_with('}') {
                status.extend(open.take().map(|(key, lines)| (key, json!(lines.join("\n").trim()))));
            }
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        if key.starts_with("Exec") && value.trim_start().starts_with('{') && !value.trim_end().ends_with('}') {
            open = Some((key.to_owned(), vec![value]));
        } else {
            status.insert(key.to_owned(), json!(value.trim()));
        }
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_read() {
        let status = parse_show("Id=a.service\nExecStart={ path=/a ; argv[]=/a\n b }\nDescription=A=b\n");
        assert_eq!(status["ExecStart"], "{ path=/a ; argv[]=/a\n b }");
        assert_eq!(status["Description"], "A=b");
    }
}
