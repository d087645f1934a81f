//! What a host's result does to the run: variables, counts, notifications, failure.

use std::sync::Arc;

use super::batch::Batch;
use super::cursor::Caught;
use super::hosts::HostStatus;
use super::run::Engine;
use super::step::Step;
use super::task::{Done, IncludeWish};
use crate::action::Effect;
use crate::event::{Event, Status};
use crate::value::{Dict, Value};

impl Batch<'_> {
    /// Applies the result of one host (for `run_once`, to the whole group); gives the includes it asks for.
    pub(super) fn settle_result(&mut self, engine: &mut Engine, step: &Step, host: usize, group: &[usize], done: Done) -> Vec<IncludeWish> {
        let Done { mut outcome, value, effects, changes, notify, perhaps, includes, complaints, ignore_errors: _, delegate_facts } = done;
        for complaint in complaints {
            engine.complain(complaint.at(&step.task.span));
        }
        let name = self.hosts[host].name.clone();
        if step.task.handler {
            self.forget_notification(step, host, group);
        }
        if !changes.is_empty() {
            let place = outcome.delegated.clone().unwrap_or_else(|| name.clone());
            Arc::make_mut(&mut engine.overlays).entry(place).or_default().extend(changes);
        }
        let hearers: Vec<usize> = if step.run_once { group.to_vec() } else { vec![host] };
        let facts_for = if delegate_facts { outcome.delegated.clone() } else { None };
        self.effects(engine, &hearers, host, facts_for, effects);
        if let Some(register) = &step.task.register {
            let world = engine.world_mut();
            for &hearer in &hearers {
                world.state_mut(&self.hosts[hearer].name).set(register, value.clone());
            }
        }
        if !includes.is_empty() && outcome.status == Status::Ok {
            engine.send(Event::TaskDone { task: step.info.clone(), host: name, outcome: Box::new(outcome) });
            return includes;
        }
        self.notify_perhaps(engine, host, &perhaps, step);
        self.notify_all(engine, &name, host, (&notify, step.task), outcome.status);
        if !engine.fatal.is_empty() {
            return Vec::new();
        }
        self.count(engine, step, host, group, &mut outcome, &value);
        engine.send(Event::TaskDone { task: step.info.clone(), host: name, outcome: Box::new(outcome) });
        includes
    }

    fn forget_notification(&mut self, step: &Step, host: usize, group: &[usize]) {
        let hosts = if step.run_once { group.to_vec() } else { vec![host] };
        for host in hosts {
            self.hosts[host].notified.shift_remove(&step.task.id);
            self.hosts[host].perhaps.shift_remove(&step.task.id);
        }
    }

    fn count(&mut self, engine: &mut Engine, step: &Step, host: usize, group: &[usize], outcome: &mut crate::event::Outcome, value: &Value) {
        let name = self.hosts[host].name.clone();
        match outcome.status {
            Status::Ok => engine.count(&name).ok += 1,
            Status::Changed => {
                engine.count(&name).ok += 1;
                engine.count(&name).changed += 1;
            }
            Status::Skipped => engine.count(&name).skipped += 1,
            Status::Unknown => engine.count(&name).unknown += 1,
            Status::Unreachable | Status::Failed if outcome.ignored => {
                engine.count(&name).ok += 1;
                engine.count(&name).ignored += 1;
                if outcome.result.get("changed").is_some_and(Value::is_true) {
                    engine.count(&name).changed += 1;
                }
                if outcome.status == Status::Unreachable {
                    self.hosts[host].cursor.advance();
                }
            }
            Status::Unreachable => {
                engine.count(&name).unreachable += 1;
                self.lose(engine, host);
            }
            Status::Failed => {
                outcome.rescued = self.hosts[host].cursor.rescuable();
                if outcome.rescued {
                    engine.count(&name).rescued += 1;
                    self.remember_failure(engine, step, host, value);
                } else {
                    engine.count(&name).failed += 1;
                }
                let hosts = if step.run_once { group.to_vec() } else { vec![host] };
                for host in hosts {
                    self.fail_host(engine, host);
                }
            }
        }
        if outcome.ignored && outcome.status == Status::Failed {
            self.hosts[host].cursor.advance();
        }
    }

    fn lose(&mut self, engine: &mut Engine, host: usize) {
        self.hosts[host].status = HostStatus::Unreachable;
        engine.unreachable.insert(self.hosts[host].name.clone());
    }

    /// The host failed where it stands: a rescue or always section goes on, or it is out.
    pub(super) fn fail_host(&mut self, engine: &mut Engine, host: usize) {
        let run = &mut self.hosts[host];
        if run.status == HostStatus::Running && run.cursor.fail() == Caught::Failed {
            run.status = HostStatus::Failed;
            engine.failed.insert(run.name.clone());
        }
    }

    /// `ansible_failed_task` and `ansible_failed_result`, for rescue sections.
    fn remember_failure(&mut self, engine: &mut Engine, step: &Step, host: usize, value: &Value) {
        let mut task = Dict::new();
        let name = step.info.name.split_once(" : ").filter(|_| step.task.role.is_some()).map_or(step.info.name.as_str(), |(_, name)| name);
        task.insert("name".into(), name.into());
        task.insert("action".into(), step.task.action.as_str().into());
        task.insert("tags".into(), Value::list(step.task.inherited.tags.iter().map(|tag| tag.as_str().into()).collect()));
        if let Some(register) = &step.task.register {
            task.insert("register".into(), register.as_str().into());
        }
        let name = self.hosts[host].name.clone();
        let state = engine.world_mut().state_mut(&name);
        state.set("ansible_failed_task", Value::dict(task));
        state.set("ansible_failed_result", value.clone());
    }

    fn effects(&mut self, engine: &mut Engine, hearers: &[usize], host: usize, facts_for: Option<Arc<str>>, effects: Vec<Effect>) {
        for effect in effects {
            let names: Vec<Arc<str>> = match &facts_for {
                Some(name) => vec![name.clone()],
                None => hearers.iter().map(|&hearer| self.hosts[hearer].name.clone()).collect(),
            };
            match effect {
                Effect::Facts(facts) => {
                    let facts = crate::template::clock::shifted(&facts).unwrap_or(facts);
                    names.iter().for_each(|name| engine.world_mut().state_mut(name).add_facts(&facts));
                }
                Effect::SetFact(facts) => {
                    for name in &names {
                        let state = engine.world_mut().state_mut(name);
                        for (key, value) in facts.iter().filter_map(|(key, value)| Some((key.as_str()?, value))) {
                            state.set(key, value.clone());
                        }
                    }
                }
                Effect::IncludeVars(layer) => {
                    for name in &names {
                        Arc::make_mut(&mut engine.world_mut().state_mut(name).included).extend(&layer);
                    }
                }
                Effect::AddHost { name, groups, vars } => {
                    let mut inventory = (*engine.world.inventory).clone();
                    if let Err(error) = inventory.add_host(&name, &groups, &vars) {
                        engine.complain(error);
                    }
                    engine.world_mut().set_inventory(Arc::new(inventory));
                }
                Effect::GroupBy { group, parents } => {
                    let mut inventory = (*engine.world.inventory).clone();
                    if let Err(error) = inventory.add_to_group(&self.hosts[host].name, &group, &parents) {
                        engine.complain(error);
                    }
                    engine.world_mut().set_inventory(Arc::new(inventory));
                }
                Effect::Stats { data, per_host, aggregate } => self.stats(engine, host, data, per_host, aggregate),
            }
        }
    }

    /// `set_stats`: per host or for the run (`_run`), replaced or added up.
    fn stats(&mut self, engine: &mut Engine, host: usize, data: Dict, per_host: bool, aggregate: bool) {
        let place = if per_host { self.hosts[host].name.to_string() } else { "_run".to_string() };
        let slot = engine.custom.entry(place.as_str().into()).or_insert_with(|| Value::dict(Dict::new()));
        let Value::Dict(slot) = slot else { return };
        let slot = Arc::make_mut(slot);
        for (key, value) in data {
            let merged = match (slot.get(&key), aggregate) {
                (Some(old), true) => added(old, &value),
                _ => value,
            };
            slot.insert(key, merged);
        }
    }
}

/// Python's `+` and `update`, for `set_stats` with `aggregate`.
fn added(old: &Value, new: &Value) -> Value {
    match (old, new) {
        (Value::Int(a), Value::Int(b)) => Value::Int(a + b),
        (Value::Float(a), Value::Float(b)) => Value::Float(a + b),
        (Value::Str(a), Value::Str(b)) => format!("{a}{b}").into(),
        (Value::List(a), Value::List(b)) => Value::list(a.iter().chain(b.iter()).cloned().collect()),
        (Value::Dict(a), Value::Dict(b)) => a.iter().chain(b.iter()).map(|(k, v)| (k.clone(), v.clone())).collect(),
        _ => new.clone(),
    }
}
