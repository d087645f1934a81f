//! `meta`: tasks that change how the run goes on.

use std::sync::Arc;

use super::batch::{Batch, BatchEnd};
use super::hosts::HostStatus;
use super::options::{ConnectionDefaults, Lookup, is_implicit};
use super::run::Engine;
use crate::diagnostic::Diagnostic;
use crate::event::{Event, Outcome, Status, TaskInfo};
use crate::program::TaskDef;
use crate::template::Context;
use crate::value::{Dict, text};

/// All meta actions, for "did you mean".
const ACTIONS: &[&str] =
    &["noop", "flush_handlers", "refresh_inventory", "clear_facts", "clear_host_errors", "end_host", "end_batch", "end_play", "end_role", "reset_connection"];

/// Meta actions that are decided host by host.
const PER_HOST: &[&str] = &["noop", "reset_connection", "end_host", "flush_handlers", "end_role", "role_complete"];

impl Batch<'_> {
    pub(super) fn meta(&mut self, engine: &mut Engine, task: &Arc<TaskDef>, name: &str, group: &[usize]) -> Result<(), Vec<Diagnostic>> {
        let cx = self.context(engine, task, group[0]);
        let what = task.free_form.as_ref().map(|free| free.render(&cx)).transpose().map_err(|fault| vec![Diagnostic::error(fault.message).at(&task.span)])?;
        let what = what.map(|value| text(&value)).unwrap_or_default();
        let info = Arc::new(meta_info(engine, task, name));
        engine.send(Event::TaskStart(info.clone()));
        let deciders: Vec<usize> = if PER_HOST.contains(&what.as_str()) { group.to_vec() } else { vec![group[0]] };
        let mut moved = Vec::new();
        for host in deciders {
            let cx = self.context(engine, task, host);
            match holds(task, &cx) {
                Ok(true) => {}
                Ok(false) => {
                    self.skipped(engine, &info, host, &what);
                    continue;
                }
                Err(fault) if fault.is_unknown() => {
                    self.unknown(engine, &info, host, &fault.message);
                    continue;
                }
                Err(fault) => return Err(vec![Diagnostic::error(fault.message).at(&task.span)]),
            }
            engine.send(Event::Note { verbosity: 2, host: Some(self.hosts[host].name.clone()), text: format!("META: {what}") });
            if self.meta_one(engine, task, &what, host, &cx)? {
                moved.push(host);
            }
        }
        let rest: Vec<usize> = group.iter().copied().filter(|host| !moved.contains(host) && self.hosts[*host].status == HostStatus::Running).collect();
        self.advance(&rest);
        Ok(())
    }

    /// Does it for one host; true when the host's place is settled already.
    fn meta_one(&mut self, engine: &mut Engine, task: &Arc<TaskDef>, what: &str, host: usize, cx: &Arc<Context>) -> Result<bool, Vec<Diagnostic>> {
        match what {
            "noop" | "role_complete" => Ok(false),
            "flush_handlers" => {
                if self.hosts[host].cursor.in_handlers() {
                    return Err(vec![Diagnostic::error("flush_handlers cannot be used as a handler").at(&task.span)]);
                }
                let pending = !self.hosts[host].notified.is_empty() || !self.hosts[host].perhaps.is_empty();
                if pending {
                    let handlers = self.handlers.clone();
                    self.hosts[host].cursor.flush(&handlers);
                }
                Ok(pending)
            }
            "end_host" => {
                self.hosts[host].cursor.finish();
                self.hosts[host].ended = true;
                Ok(true)
            }
            "end_batch" | "end_play" => {
                self.hosts.iter_mut().for_each(|run| run.cursor.finish());
                if what == "end_play" {
                    self.end = BatchEnd::PlayEnded;
                }
                Ok(true)
            }
            "end_role" => {
                let role = task.role.clone().ok_or_else(|| vec![Diagnostic::error("cannot execute 'end_role' from outside of a role").at(&task.span)])?;
                self.hosts[host].cursor.end_role(&role);
                Ok(true)
            }
            "clear_facts" => {
                let names: Vec<Arc<str>> = self.hosts.iter().map(|run| run.name.clone()).collect();
                names.iter().for_each(|name| engine.world_mut().state_mut(name).facts = Arc::default());
                engine.gathered.retain(|host| !names.contains(host));
                Ok(false)
            }
            "clear_host_errors" => {
                self.clear_errors(engine);
                Ok(false)
            }
            "refresh_inventory" => {
                let inventory = (engine.reload)()?;
                engine.world_mut().set_inventory(inventory);
                Ok(false)
            }
            "reset_connection" => {
                self.reset_connection(engine, task, host, cx)?;
                Ok(false)
            }
            other => {
                Err(vec![Diagnostic::error(format!("invalid meta action requested: {other}")).at(&task.span).did_you_mean(other, ACTIONS.iter().copied())])
            }
        }
    }

    /// Failed and unreachable hosts take part again from the next play on, as in ansible-core 2.19.
    fn clear_errors(&mut self, engine: &mut Engine) {
        for run in &mut self.hosts {
            engine.failed.shift_remove(&run.name);
            engine.unreachable.shift_remove(&run.name);
            run.ended |= matches!(run.status, HostStatus::Failed | HostStatus::Unreachable);
        }
    }

    fn reset_connection(&mut self, engine: &mut Engine, task: &Arc<TaskDef>, host: usize, cx: &Arc<Context>) -> Result<(), Vec<Diagnostic>> {
        let name = self.hosts[host].name.clone();
        let defaults: &ConnectionDefaults = &engine.shared.defaults;
        let local = is_implicit(&engine.world.inventory, &name);
        let target = Lookup { vars: cx, cx, inherited: &task.inherited }
            .target(&name, defaults, local)
            .map_err(|fault| vec![Diagnostic::error(fault.message).at(&task.span)])?;
        engine.shared.pool.reset(&target);
        Ok(())
    }

    /// Check mode: whether it would be done is unknown; the host goes on as if not.
    fn unknown(&mut self, engine: &mut Engine, info: &Arc<TaskInfo>, host: usize, reason: &str) {
        let name = self.hosts[host].name.clone();
        let mut result = Dict::new();
        result.insert("msg".into(), format!("unknown in check mode: {reason}").into());
        result.insert("skipped".into(), true.into());
        result.insert("unknown".into(), reason.into());
        engine.count(&name).unknown += 1;
        let outcome = super::task::Done::of(Status::Unknown, result).outcome;
        engine.send(Event::TaskDone { task: info.clone(), host: name, outcome: Box::new(outcome) });
    }

    fn skipped(&mut self, engine: &mut Engine, info: &Arc<TaskInfo>, host: usize, what: &str) {
        let (msg, reason) = words(what, &self.hosts[host].name, info.role.as_deref());
        let mut result = Dict::new();
        result.insert("msg".into(), msg.into());
        result.insert("skipped".into(), true.into());
        result.insert("skip_reason".into(), reason.into());
        let outcome = Outcome { ..super::task::Done::of(Status::Skipped, result).outcome };
        engine.send(Event::TaskDone { task: info.clone(), host: self.hosts[host].name.clone(), outcome: Box::new(outcome) });
    }
}

/// The message and the reason of a meta task whose condition is false, in ansible-core 2.19's words.
fn words(what: &str, host: &str, role: Option<&str>) -> (String, String) {
    let rest = match what {
        "flush_handlers" => format!(", not running handlers for {host}"),
        "clear_facts" => format!(", not clearing facts and fact cache for {host}"),
        "clear_host_errors" => format!(", not clearing host error state for {host}"),
        "end_batch" => ", continuing current batch".into(),
        "end_play" => ", continuing play".into(),
        "end_host" => format!(", continuing execution for {host}"),
        "end_role" => format!("continuing role {} for {host}", role.unwrap_or_default()),
        _ => String::new(),
    };
    let msg = if what == "end_host" { format!("end_host conditional evaluated to false, continuing execution for {host}") } else { what.to_string() };
    (msg, format!("{what} conditional evaluated to False{rest}"))
}

fn holds(task: &TaskDef, cx: &Arc<Context>) -> Result<bool, crate::value::Fault> {
    for condition in &task.when {
        if !condition.eval(cx, &mut |_| {})? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn meta_info(engine: &mut Engine, task: &TaskDef, name: &str) -> TaskInfo {
    TaskInfo {
        id: engine.id("task"),
        name: name.to_string(),
        action: "ansible.builtin.meta".into(),
        path: task.file.clone(),
        line: task.line(),
        span: Some(task.span.clone()),
        args: String::new(),
        handler: task.handler,
        role: task.role.clone(),
        waived: super::evidence::waived(task),
        check: engine.options.check,
        no_log: false,
    }
}
