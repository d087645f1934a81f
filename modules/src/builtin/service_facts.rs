//! `service_facts`: the machine's services as facts, from systemd, init scripts or OpenRC.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::args::Args;
use crate::change::Change;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::{Program, Run};
use crate::spec::Spec;

/// The module.
pub struct ServiceFacts;

type Services = Map<String, Value>;

/// States that say more than the unit file's.
const BAD: &[&str] = &["not-found", "masked", "failed"];

impl Module for ServiceFacts {
    const SPEC: Spec = Spec::new("service_facts", "Tells which services there are, as the fact `services`.", &[]);

    fn run(_: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let mut services = Services::new();
        let has = |cx: &Context<'_>, name: &str| cx.find_program(name).is_some();
        if has(cx, "rc-status") && has(cx, "rc-update") {
            openrc(cx, &mut services)?;
        } else if has(cx, "service") && !has(cx, "chkconfig") {
            scripts(cx, &mut services)?;
        }
        if has(cx, "systemctl") && ["/run/systemd/system", "/dev/.run/systemd", "/dev/.systemd"].iter().any(|path| cx.system().lstat(Path::new(path)).is_ok()) {
            units(cx, &mut services)?;
            unit_files(cx, &mut services)?;
        }
        predict(cx, &mut services);
        if services.is_empty() {
            let msg = "Failed to find any services. This can be due to privileges or some other configuration issue.";
            return Ok(Outcome::new(false).with("skipped", true).msg(msg));
        }
        Ok(Outcome::new(false).with("ansible_facts", json!({"services": services})))
    }
}

fn output(cx: &Context<'_>, name: &str, words: &[&str]) -> Result<Run, Failure> {
    cx.probe(&Program::new([cx.require_program(name)?]).args(words).env("LANG", "C").env("LC_ALL", "C"))
}

fn scripts(cx: &mut Context<'_>, services: &mut Services) -> Result<(), Failure> {
    let run = output(cx, "service", &["--status-all"])?;
    if run.rc == 4 && cx.stat(Path::new("/etc/init.d"))?.is_none() {
        return Ok(());
    }
    if !run.ok() {
        cx.warn(format!("Unable to query 'service' tool ({}): {}", run.rc, run.err()));
    }
    for line in run.out().lines() {
        let line = line.trim_start();
        let (state, name) = match (line.strip_prefix("[ + ]"), line.strip_prefix("[ - ]")) {
            (Some(name), _) => ("running", name.trim()),
            (_, Some(name)) => ("stopped", name.trim()),
            _ => continue,
        };
        services.insert(name.to_owned(), json!({"name": name, "state": state, "source": "sysv"}));
    }
    Ok(())
}

fn openrc(cx: &Context<'_>, services: &mut Services) -> Result<(), Failure> {
    let levels = output(cx, "rc-update", &["show", "-v"])?.out();
    let level = |name: &str| {
        let row = levels.lines().filter_map(|line| line.split_once('|')).find(|(have, _)| have.trim() == name)?;
        let words: Vec<&str> = row.1.split_whitespace().collect();
        Some(if words.is_empty() { Value::Null } else { json!(words) })
    };
    for line in output(cx, "rc-status", &["-a", "-s", "-m"])?.out().lines().filter(|line| line.starts_with(' ')) {
        let words: Vec<String> = line.split_whitespace().map(|word| word.replace(['[', ']'], "")).filter(|word| !word.is_empty()).collect();
        let [name, state, ..] = &words[..] else { continue };
        if let Some(level) = level(name).filter(|_| name != "*") {
            services.insert(name.clone(), json!({"name": name, "runlevels": level, "state": state, "source": "openrc"}));
        }
    }
    Ok(())
}

fn entry(name: &str, state: &str, status: &str) -> Value {
    json!({"name": name, "state": state, "status": status, "source": "systemd"})
}

fn units(cx: &mut Context<'_>, services: &mut Services) -> Result<(), Failure> {
    let run = output(cx, "systemctl", &["list-units", "--no-pager", "--type", "service", "--all", "--plain"])?;
    if !run.ok() {
        cx.warn(format!("Could not list units from systemd: {}", run.err()));
        return Ok(());
    }
    for line in run.out().lines().filter(|line| line.contains(".service")) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [name, _, active, sub, ..] = fields[..] else { continue };
        let said = &fields[..fields.len() - 1];
        let status = BAD.iter().find(|bad| said.contains(bad)).copied().unwrap_or(active);
        services.insert(name.to_owned(), entry(name, if sub == "running" { "running" } else { "stopped" }, status));
    }
    Ok(())
}

fn unit_files(cx: &mut Context<'_>, services: &mut Services) -> Result<(), Failure> {
    let run = output(cx, "systemctl", &["list-unit-files", "--no-pager", "--type", "service", "--all"])?;
    if !run.ok() {
        cx.warn(format!("Could not get unit files data from systemd: {}", run.err()));
        return Ok(());
    }
    let out = run.out();
    let rows = out.lines().filter(|line| line.contains(".service"));
    let rows: Vec<(&str, &str)> = rows.filter_map(|line| line.split_whitespace().next().zip(line.split_whitespace().nth(1))).collect();
    let inactive: Vec<&str> = rows.iter().map(|(name, _)| *name).filter(|name| !services.contains_key(*name)).collect();
    let states = states(cx, &inactive)?;
    for (name, status) in rows {
        let state = inactive.iter().position(|have| *have == name).map(|at| states[at].clone());
        match (state, services.get_mut(name)) {
            (Some(state), _) => drop(services.insert(name.to_owned(), entry(name, &state, status))),
            (None, Some(service)) if !BAD.contains(&service["status"].as_str().unwrap_or_default()) => service["status"] = json!(status),
            _ => {}
        }
    }
    Ok(())
}

/// What each unit does, asked for all at once; a template does nothing.
fn states(cx: &Context<'_>, names: &[&str]) -> Result<Vec<String>, Failure> {
    let plain: Vec<&str> = names.iter().copied().filter(|name| !name.contains("@.")).collect();
    let mut answers = vec![];
    if !plain.is_empty() {
        let words = [&["show", "--property=ActiveState"], &plain[..]].concat();
        answers = output(cx, "systemctl", &words)?.out().lines().filter_map(|line| line.strip_prefix("ActiveState=")).map(str::to_owned).collect::<Vec<_>>();
    }
    let complete = answers.len() == plain.len();
    let of = |name: &&str| plain.iter().position(|have| have == name).filter(|_| complete).map_or_else(|| "unknown".to_owned(), |at| answers[at].clone());
    Ok(names.iter().map(of).collect())
}

/// What earlier tasks would have started and stopped.
fn predict(cx: &Context<'_>, services: &mut Services) {
    for change in cx.system().noted() {
        let Change::Unit { name, active, enabled, masked } = change else { continue };
        let key = if services.contains_key(name) || name.contains('.') { name.clone() } else { format!("{name}.service") };
        let service = services.entry(key.clone()).or_insert_with(|| entry(&key, "stopped", "unknown"));
        if let Some(active) = active {
            service["state"] = json!(if *active { "running" } else { "stopped" });
        }
        if let Some(enabled) = enabled {
            service["status"] = json!(if *enabled { "enabled" } else { "disabled" });
        }
        if *masked == Some(true) {
            service["status"] = json!("masked");
        }
    }
}
