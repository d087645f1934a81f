//! Notifications: which handlers a name means.

use std::sync::Arc;

use super::batch::Batch;
use super::run::Engine;
use super::step::{Step, task_name};
use crate::diagnostic::{Diagnostic, Severity};
use crate::event::{Event, Status};
use crate::program::{Opt, TaskDef, static_context};
use crate::value::text;

impl Batch<'_> {
    /// Notifies handlers by name or topic; a name that means nothing is an error of the run.
    pub(super) fn notify_all(&mut self, engine: &mut Engine, name: &Arc<str>, host: usize, (notify, task): (&[String], &TaskDef), status: Status) {
        if status != Status::Changed {
            return;
        }
        for topic in notify {
            let handlers = self.search(engine, topic);
            if handlers.is_empty() {
                let complaint = self.missing(engine, topic, task);
                if engine.options.error_on_missing_handler {
                    engine.fatal.push(complaint);
                } else {
                    engine.complain(Diagnostic { severity: Severity::Warning, ..complaint });
                }
                continue;
            }
            for handler in handlers {
                if self.hosts[host].notified.insert(handler.id.clone()) {
                    let shown = self.handler_name(engine, &handler);
                    engine.send(Event::Notified { handler: shown, host: name.clone() });
                }
            }
        }
    }

    /// Check mode: whether these handlers are notified hangs on what is unknown.
    pub(super) fn notify_perhaps(&mut self, engine: &mut Engine, host: usize, topics: &[String], step: &Step) {
        for handler in topics.iter().flat_map(|topic| self.search(engine, topic)).collect::<Vec<_>>() {
            let reason = format!("whether `{}` notifies it", step.info.name);
            self.hosts[host].perhaps.entry(handler.id.clone()).or_insert(reason);
        }
    }

    /// A handler that nobody defines, with the place that asks for it.
    fn missing(&mut self, engine: &mut Engine, topic: &str, task: &TaskDef) -> Diagnostic {
        let all: Vec<Arc<TaskDef>> = self.handlers.tasks().cloned().collect();
        let names: Vec<String> = all.iter().filter(|handler| handler.name.is_some()).map(|handler| self.handler_name(engine, handler)).collect();
        let span = task.inherited.opt(Opt::Notify).and_then(|notify| notify.span()).unwrap_or(&task.span);
        let message = format!("The requested handler '{topic}' was not found in either the main handlers list nor in the listening handlers list");
        Diagnostic::error(message).at(span).did_you_mean(topic, names.iter().map(String::as_str))
    }

    /// The last handler of that name, and all that listen to it. As ansible-core 2.19 `search_handlers_by_notification`.
    fn search(&mut self, engine: &mut Engine, topic: &str) -> Vec<Arc<TaskDef>> {
        let all: Vec<Arc<TaskDef>> = self.handlers.tasks().rev().cloned().collect();
        let mut found: Vec<Arc<TaskDef>> = Vec::new();
        for handler in &all {
            let full = self.handler_name(engine, handler);
            let plain = full.split_once(" : ").filter(|_| handler.role.is_some()).map_or(full.as_str(), |(_, name)| name);
            if handler.name.is_some() && (full == topic || plain == topic) {
                found.push(handler.clone());
                break;
            }
        }
        let mut seen: Vec<String> = Vec::new();
        for handler in all {
            if !self.listens(engine, &handler, topic) {
                continue;
            }
            let name = self.handler_name(engine, &handler);
            if handler.name.is_some() && seen.contains(&name) {
                continue;
            }
            seen.push(name);
            if !found.iter().any(|known| known.id == handler.id) {
                found.push(handler);
            }
        }
        found
    }

    fn listens(&self, engine: &Engine, handler: &TaskDef, topic: &str) -> bool {
        let cx = static_context(&engine.world, &self.play.vars);
        handler.listen.iter().any(|listen| match listen.render(&cx) {
            Ok(value) => value.as_slice().map_or_else(|| text(&value) == topic, |items| items.iter().any(|item| text(item) == topic)),
            Err(_) => false,
        })
    }

    fn handler_name(&mut self, engine: &Engine, handler: &Arc<TaskDef>) -> String {
        if let Some(name) = self.handler_names.get(&handler.id) {
            return name.clone();
        }
        let world = Arc::new(engine.world.clone());
        let scope = crate::vars::TaskScope::new(&world, &Arc::from("localhost"), Some(handler.vars.clone()), engine.options.check);
        let name = task_name(handler, &crate::template::Context::new(scope));
        self.handler_names.insert(handler.id.clone(), name.clone());
        name
    }
}
