//! One task for the hosts that stand at it.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::SystemTime;

use super::batch::{Batch, BatchEnd};
use super::hosts::HostStatus;
use super::options::Lookup;
use super::run::{Engine, StepAnswer};
use super::task::{self, Done, IncludeWish, Job};
use crate::diagnostic::Diagnostic;
use crate::event::{Event, Status, TaskInfo};
use crate::program::{Opt, TaskDef};
use crate::template::Context;
use crate::value::{Fault, Value, text};
use crate::vars::TaskScope;

/// What a step knows about its task.
pub(super) struct Step<'t> {
    pub task: &'t Arc<TaskDef>,
    pub info: Arc<TaskInfo>,
    pub run_once: bool,
    pub fatal: bool,
}

enum Message {
    Event(Event),
    Done(Box<Done>),
}

impl Batch<'_> {
    /// Runs `task` on the hosts of the group, applies what came of it, and moves them on.
    pub(super) fn step(&mut self, engine: &mut Engine, task: &Arc<TaskDef>, group: &[usize]) -> Result<(), Vec<Diagnostic>> {
        let Some(&first) = group.first() else { return Ok(()) };
        let cx = self.context(engine, task, first);
        let name = task_name(task, &cx);
        if !self.wanted(engine, task, &name, group) {
            return Ok(());
        }
        if task.canonical == "meta" {
            return self.meta(engine, task, &name, group);
        }
        let step = match self.prepare(engine, task, name, &cx) {
            Ok(step) => step,
            Err(fault) => return self.refuse(engine, task, group, &cx, fault),
        };
        engine.send(Event::TaskStart(step.info.clone()));
        let runners: Vec<usize> = if step.run_once { vec![first] } else { group.to_vec() };
        let throttle = throttle(task, &cx).unwrap_or(usize::MAX);
        let mut wishes = Vec::new();
        let mut failed = Vec::new();
        for part in runners.chunks(throttle.max(1)) {
            self.dispatch(engine, &step, part, &mut |batch, engine, host, done| {
                let broke = matches!(done.outcome.status, Status::Failed | Status::Unreachable);
                wishes.extend(batch.settle_result(engine, &step, host, group, done).into_iter().map(|wish| (host, wish)));
                if broke {
                    failed.push(host);
                }
            });
        }
        self.after(engine, &step, group, wishes, &failed)
    }

    /// `--start-at-task` and `--step`.
    fn wanted(&mut self, engine: &mut Engine, task: &Arc<TaskDef>, name: &str, group: &[usize]) -> bool {
        if !engine.started {
            let at = engine.options.start_at.clone().unwrap_or_default();
            let plain = name.split_once(" : ").map_or(name, |(_, rest)| rest);
            engine.started = glob(&at, name) || glob(&at, plain);
            if !engine.started && task.canonical != "gather_facts" {
                self.advance(group);
                return false;
            }
        }
        let Some(ask) = engine.options.step.as_mut().filter(|_| task.canonical != "meta") else { return true };
        match ask(name) {
            StepAnswer::Yes => true,
            StepAnswer::Continue => {
                engine.options.step = None;
                true
            }
            StepAnswer::No => {
                self.advance(group);
                false
            }
        }
    }

    pub(super) fn advance(&mut self, group: &[usize]) {
        for &host in group {
            self.hosts[host].cursor.advance();
        }
    }

    pub(super) fn context(&self, engine: &mut Engine, task: &Arc<TaskDef>, host: usize) -> Arc<Context> {
        let world = engine.snapshot();
        Context::new(TaskScope::new(&world, &self.hosts[host].name, Some(task.vars.clone()), engine.options.check))
    }

    pub(super) fn prepare<'t>(&mut self, engine: &mut Engine, task: &'t Arc<TaskDef>, name: String, cx: &Arc<Context>) -> Result<Step<'t>, Fault> {
        let lookup = Lookup { vars: cx, cx, inherited: &task.inherited };
        let bypass = matches!(task.canonical.as_str(), "add_host" | "pause");
        let run_once = bypass || lookup.flag(Opt::RunOnce, false)?;
        let ignore = lookup.flag(Opt::IgnoreErrors, false).unwrap_or(false);
        let fatal = (run_once || lookup.flag(Opt::AnyErrorsFatal, engine.options.any_errors_fatal)?) && !ignore;
        let no_log = engine.options.no_log || lookup.flag(Opt::NoLog, false).unwrap_or(true);
        let check = lookup.flag(Opt::CheckMode, engine.options.check).unwrap_or(engine.options.check);
        let info = TaskInfo {
            id: engine.id("task"),
            name,
            action: if crate::action::catalog::is_known(&task.canonical) { format!("ansible.builtin.{}", task.canonical) } else { task.action.clone() },
            path: task.file.clone(),
            line: task.line(),
            span: Some(task.span.clone()),
            args: if no_log { String::new() } else { shown_args(task) },
            handler: task.handler,
            role: task.role.clone(),
            waived: super::evidence::waived(task),
            check,
            no_log,
        };
        Ok(Step { task, info: Arc::new(info), run_once, fatal })
    }

    /// A keyword that cannot be rendered fails the hosts that stand here.
    pub(super) fn refuse(&mut self, engine: &mut Engine, task: &Arc<TaskDef>, group: &[usize], cx: &Arc<Context>, fault: Fault) -> Result<(), Vec<Diagnostic>> {
        let info = TaskInfo {
            id: engine.id("task"),
            name: task_name(task, cx),
            action: task.action.clone(),
            path: task.file.clone(),
            line: task.line(),
            span: Some(task.span.clone()),
            args: String::new(),
            handler: task.handler,
            role: task.role.clone(),
            waived: super::evidence::waived(task),
            check: engine.options.check,
            no_log: false,
        };
        let step = Step { task, info: Arc::new(info), run_once: false, fatal: false };
        engine.send(Event::TaskStart(step.info.clone()));
        let shared = engine.shared.clone();
        for &host in group {
            let world = engine.snapshot();
            let name = self.hosts[host].name.clone();
            let job = Job {
                task,
                info: step.info.clone(),
                host: name,
                world,
                shared: &shared,
                overlays: Default::default(),
                made: Default::default(),
                doubt: None,
                send: &|_| {},
            };
            let done = task::fault_done(&job, None, fault.clone(), "");
            self.settle_result(engine, &step, host, group, done);
        }
        self.after(engine, &step, group, Vec::new(), &[])
    }

    /// Runs the jobs on the worker threads; results and events are handed on in the order of the hosts.
    fn dispatch(&mut self, engine: &mut Engine, step: &Step, part: &[usize], settle: &mut dyn FnMut(&mut Self, &mut Engine, usize, Done)) {
        let (sender, receiver) = mpsc::channel::<(usize, Message)>();
        let (threads, world, shared) = (engine.threads.clone(), engine.snapshot(), engine.shared.clone());
        threads.in_place_scope(|scope| {
            for (order, &host) in part.iter().enumerate() {
                let name = self.hosts[host].name.clone();
                let overlays = engine.overlays.clone();
                let doubt = self.doubt(step.task, host);
                let (sender, direct, world, shared) = (sender.clone(), engine.events.clone(), world.clone(), shared.clone());
                let (task, info) = (step.task.clone(), step.info.clone());
                scope.spawn(move |_| {
                    let send = |event: Event| match event {
                        Event::Output { .. } => drop(direct.send(event)),
                        other => drop(sender.send((order, Message::Event(other)))),
                    };
                    let _ = direct.send(Event::HostStart { task: info.clone(), host: name.clone(), at: SystemTime::now() });
                    let job = Job { task: &task, info, host: name, world, shared: &shared, overlays, made: Default::default(), doubt, send: &send };
                    let done = catch_unwind(AssertUnwindSafe(|| task::run(&job))).unwrap_or_else(|panic| bug(&job, panic));
                    let _ = sender.send((order, Message::Done(Box::new(done))));
                });
            }
            drop(sender);
            let mut held: BTreeMap<usize, VecDeque<Message>> = BTreeMap::new();
            let mut head = 0;
            for (order, message) in receiver {
                held.entry(order).or_default().push_back(message);
                while let Some(message) = held.get_mut(&head).and_then(VecDeque::pop_front) {
                    match message {
                        Message::Event(event) => engine.send(event),
                        Message::Done(done) => {
                            settle(self, engine, part[head], *done);
                            head += 1;
                        }
                    }
                }
            }
        });
    }

    /// Why nobody can tell whether the host's handler is notified, where that is so.
    pub(super) fn doubt(&self, task: &TaskDef, host: usize) -> Option<String> {
        let run = &self.hosts[host];
        let open = task.handler && !run.notified.contains(&task.id);
        run.perhaps.get(&task.id).filter(|_| open).cloned()
    }

    /// After the whole group answered: includes, fatal errors, the percentage of failures.
    pub(super) fn after(
        &mut self,
        engine: &mut Engine,
        step: &Step,
        group: &[usize],
        wishes: Vec<(usize, IncludeWish)>,
        failed: &[usize],
    ) -> Result<(), Vec<Diagnostic>> {
        let including: Vec<usize> = wishes.iter().map(|(host, _)| *host).collect();
        for &host in group {
            let run = &mut self.hosts[host];
            let includes = including.contains(&host);
            if run.status == HostStatus::Running && !failed.contains(&host) && !includes {
                run.cursor.advance();
            }
        }
        if !wishes.is_empty() {
            self.include(engine, step, group, wishes)?;
        }
        let real: Vec<usize> = failed.to_vec();
        if step.fatal && !real.is_empty() {
            self.fail_all(engine, &real);
        }
        self.percentage(engine, &real);
        Ok(())
    }

    /// Marks every other host failed at its own place.
    fn fail_all(&mut self, engine: &mut Engine, except: &[usize]) {
        for index in 0..self.hosts.len() {
            if self.hosts[index].status == HostStatus::Running && !except.contains(&index) {
                self.fail_host(engine, index);
                engine.failed.insert(self.hosts[index].name.clone());
            }
        }
    }

    fn percentage(&mut self, engine: &mut Engine, failed: &[usize]) {
        let Some(limit) = self.max_fail else { return };
        let lost = self.hosts.iter().filter(|host| engine.failed.contains(&host.name)).count();
        if lost as f64 / self.size as f64 > limit / 100.0 {
            self.fail_all(engine, failed);
            engine.send(Event::NoHostsRemaining);
            if self.hosts.iter().all(|host| host.status != HostStatus::Running || engine.failed.contains(&host.name)) {
                engine.send(Event::NoHostsRemaining);
            }
            self.end = BatchEnd::Broken;
        }
    }
}

/// A panic of ours is a bug report, not the end of the run.
pub(super) fn bug(job: &Job, panic: Box<dyn std::any::Any + Send>) -> Done {
    let what = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|s| s.to_string())).unwrap_or_default();
    let fault = Fault::error(format!("this is a bug in rplay, please report it: {what}"));
    task::fault_done(job, None, fault.at(&job.task.span), "")
}

/// The name as banners show it.
pub(super) fn task_name(task: &TaskDef, cx: &Arc<Context>) -> String {
    let own = task.name.as_ref().map(|name| match name.render(cx) {
        Ok(Value::Null) => String::new(),
        Ok(value) => text(&value),
        Err(_) => in_parts(name.source_text().unwrap_or_default(), task, cx),
    });
    let own = own.filter(|name| !name.trim().is_empty());
    if own.is_none() && task.canonical == "include_role" {
        // as ansible-core 2.19 `IncludeRole.get_name`: what is included, without the role that includes it
        let included = task.arg("name").or_else(|| task.arg("role")).and_then(crate::template::Templated::source_text).unwrap_or_default();
        return format!("{} : {included}", task.action);
    }
    let name = own.unwrap_or_else(|| task.action.clone());
    match &task.role {
        Some(role) => format!("{role} : {}", name.trim()),
        None => name.trim().to_string(),
    }
}

/// A name of which a part cannot be rendered: that part says so, as ansible-core 2.19 shows it.
fn in_parts(name: &str, task: &TaskDef, cx: &Arc<Context>) -> String {
    let (mut out, mut rest) = (String::new(), name);
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((inner, behind)) = after.split_once("}}") else { break };
        out.push_str(before);
        let part = crate::template::Templated::text(&format!("{{{{{inner}}}}}").into(), &task.span);
        match part.render(cx) {
            Ok(value) => out.push_str(&text(&value)),
            Err(fault) => out.push_str(&format!("<< error 1 - {} >>", fault.message)),
        }
        rest = behind;
    }
    out + rest
}

fn throttle(task: &TaskDef, cx: &Arc<Context>) -> Option<usize> {
    let value = task.inherited.opt(Opt::Throttle)?.render(cx).ok()?;
    value.as_int().or_else(|| text(&value).parse().ok()).filter(|n| *n > 0).map(|n| n as usize)
}

fn shown_args(task: &TaskDef) -> String {
    let mut parts: Vec<String> = task.free_form.iter().filter_map(|free| free.source_text().map(str::to_string)).collect();
    parts.extend(task.args.iter().map(|(name, value)| format!("{name}={}", value.source_text().unwrap_or("..."))));
    parts.join(" ")
}

/// Shell wildcards, as `--start-at-task` takes them.
fn glob(pattern: &str, text: &str) -> bool {
    fn matches(pattern: &[char], text: &[char]) -> bool {
        match (pattern.first(), text.first()) {
            (None, None) => true,
            (Some('*'), _) => matches(&pattern[1..], text) || (!text.is_empty() && matches(pattern, &text[1..])),
            (Some('?'), Some(_)) => matches(&pattern[1..], &text[1..]),
            (Some(a), Some(b)) if a == b => matches(&pattern[1..], &text[1..]),
            _ => false,
        }
    }
    matches(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>())
}
