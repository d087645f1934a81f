//! A batch of hosts on its way through a play: run the hosts whose cursor is lowest.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexSet;

use super::cursor::Cursor;
use super::hosts::{HostRun, HostStatus};
use super::run::Engine;
use crate::diagnostic::Diagnostic;
use crate::program::{CompiledPlay, Program, TaskDef};
use crate::value::{Value, text};

/// How a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BatchEnd {
    /// All hosts are through, or failed.
    Through,
    /// `end_play`.
    PlayEnded,
    /// `max_fail_percentage` was passed.
    Broken,
}

/// A batch.
pub(super) struct Batch<'p> {
    pub play: &'p CompiledPlay,
    pub hosts: Vec<HostRun>,
    pub handlers: Arc<Program>,
    /// Rendered names of handlers, by id.
    pub handler_names: HashMap<String, String>,
    pub end: BatchEnd,
    /// `max_fail_percentage`.
    pub max_fail: Option<f64>,
    /// Hosts at the beginning.
    pub size: usize,
}

/// `max_fail_percentage` as a number.
fn max_fail(engine: &mut Engine, play: &CompiledPlay) -> Result<Option<f64>, Vec<Diagnostic>> {
    let node = play.source.max_fail_percentage.as_ref();
    let value = play.static_value(node, &engine.world).map_err(|error| vec![error])?;
    let Some(words) = value.map(|value| text(&value)) else { return Ok(None) };
    words.trim_end_matches('%').parse().map(Some).map_err(|_| {
        let error = Diagnostic::error(format!("`max_fail_percentage` is a number, not `{words}`"));
        engine.unreadable(error.at(node.map_or(&play.source.span, |node| &node.span)))
    })
}

impl<'p> Batch<'p> {
    /// Runs a batch to its end.
    pub fn run(engine: &mut Engine, play: &'p CompiledPlay, names: &[Arc<str>]) -> Result<BatchEnd, Vec<Diagnostic>> {
        let program = Arc::new(match engine.gather_task(play, names)? {
            Some(gather) => play.main.after(&gather),
            None => play.main.clone(),
        });
        let max_fail = max_fail(engine, play)?;
        let mut batch = Batch {
            play,
            hosts: names.iter().map(|name| host_run(engine, name, &program)).collect(),
            handlers: Arc::new(play.handlers.clone()),
            handler_names: HashMap::new(),
            end: BatchEnd::Through,
            max_fail,
            size: names.len(),
        };
        let strategy = play.static_value(play.source.strategy.as_ref(), &engine.world).map_err(|error| vec![error])?;
        let strategy = strategy.as_ref().and_then(Value::as_str).unwrap_or(&engine.options.strategy).to_string();
        match strategy.rsplit('.').next().unwrap_or_default() {
            "linear" | "mitogen_linear" => batch.linear(engine)?,
            "free" | "host_pinned" | "mitogen_free" | "mitogen_host_pinned" => batch.free(engine)?,
            other => {
                let span = play.source.strategy.as_ref().map_or(&play.source.span, |node| &node.span);
                let error = Diagnostic::error(format!("invalid play strategy specified: {other}")).at(span);
                return Err(vec![error.help("rplay has the strategies linear, free and host_pinned")]);
            }
        }
        Ok(batch.end)
    }

    fn linear(&mut self, engine: &mut Engine) -> Result<(), Vec<Diagnostic>> {
        loop {
            let standing = self.settle(engine);
            self.tell_live_hosts(engine);
            let Some(lowest) = standing.iter().map(|(path, ..)| path).min().cloned() else { return Ok(()) };
            let group: Vec<usize> = standing.iter().filter(|(path, ..)| *path == lowest).map(|(_, host, _)| *host).collect();
            let Some((.., task)) = standing.into_iter().find(|(path, ..)| *path == lowest) else { return Ok(()) };
            self.step(engine, &task, &group)?;
            if !engine.fatal.is_empty() {
                return Err(std::mem::take(&mut engine.fatal));
            }
            if self.end != BatchEnd::Through {
                return Ok(());
            }
        }
    }

    /// Every host for itself: the host that has come least far goes on. Hosts at the same task still run it together.
    fn free(&mut self, engine: &mut Engine) -> Result<(), Vec<Diagnostic>> {
        super::free::run(self, engine)
    }

    /// Moves every running host to its next task; those at the end are done.
    pub fn settle(&mut self, engine: &mut Engine) -> Vec<(Vec<usize>, usize, Arc<TaskDef>)> {
        self.settle_where(engine, &|_| true)
    }

    fn settle_where(&mut self, engine: &mut Engine, wanted: &dyn Fn(usize) -> bool) -> Vec<(Vec<usize>, usize, Arc<TaskDef>)> {
        let mut standing = Vec::new();
        for (index, host) in self.hosts.iter_mut().enumerate() {
            if host.status != HostStatus::Running || !wanted(index) {
                continue;
            }
            let (notified, perhaps) = (&host.notified, &host.perhaps);
            let is_notified = |task: Option<&TaskDef>| match task {
                Some(task) => notified.contains(&task.id) || perhaps.contains_key(&task.id),
                None => !notified.is_empty() || !perhaps.is_empty(),
            };
            match host.cursor.settle(&self.handlers, &is_notified) {
                Some(task) => standing.push((host.cursor.path(), index, task)),
                None if host.cursor.failed => {
                    host.status = HostStatus::Failed;
                    engine.failed.insert(host.name.clone());
                }
                None => host.status = HostStatus::Done,
            }
        }
        standing
    }

    /// The next tasks of the running hosts that are not `busy`.
    pub fn settle_idle(&mut self, engine: &mut Engine, busy: &dyn Fn(usize) -> bool) -> Vec<(usize, Arc<TaskDef>)> {
        self.settle_where(engine, &|host| !busy(host)).into_iter().map(|(_, host, task)| (host, task)).collect()
    }

    /// `ansible_play_hosts` and `ansible_play_batch`.
    pub fn tell_live_hosts(&self, engine: &mut Engine) {
        let ended: Vec<&Arc<str>> = self.hosts.iter().filter(|host| host.ended).map(|host| &host.name).collect();
        let gone = |name: &Arc<str>| engine.failed.contains(name) || engine.unreachable.contains(name) || ended.contains(&name);
        let Some(play) = &engine.world.play else { return };
        let live: Vec<_> = play.all_hosts.iter().filter(|name| !gone(name)).cloned().collect();
        let batch: Vec<_> = self.hosts.iter().map(|host| &host.name).filter(|name| !gone(name)).cloned().collect();
        if *play.live_hosts == live && *play.batch == batch {
            return;
        }
        let mut vars = (**play).clone();
        vars.live_hosts = Arc::new(live);
        vars.batch = Arc::new(batch);
        engine.world_mut().play = Some(Arc::new(vars));
    }
}

fn host_run(engine: &Engine, name: &Arc<str>, program: &Arc<Program>) -> HostRun {
    let status = if engine.failed.contains(name) {
        HostStatus::Failed
    } else if engine.unreachable.contains(name) {
        HostStatus::Unreachable
    } else {
        HostStatus::Running
    };
    HostRun { name: name.clone(), cursor: Cursor::new(program.clone()), notified: IndexSet::new(), perhaps: Default::default(), status, ended: false }
}
