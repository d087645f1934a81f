//! Strategies `free` and `host_pinned`: every host runs at its own pace.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::SystemTime;

use super::batch::{Batch, BatchEnd};
use super::run::Engine;
use super::step::{Step, bug};
use super::task::{self, Done, Job};
use crate::diagnostic::Diagnostic;
use crate::event::{Event, Status};
use crate::program::TaskDef;

/// A host that runs a task.
struct Running {
    task: Arc<TaskDef>,
    step: (Arc<crate::event::TaskInfo>, bool),
}

/// Starts the next task of every host as soon as its last one is done.
pub(super) fn run(batch: &mut Batch, engine: &mut Engine) -> Result<(), Vec<Diagnostic>> {
    let (sender, receiver) = mpsc::channel::<(usize, Box<Done>)>();
    let mut running: BTreeMap<usize, Running> = BTreeMap::new();
    loop {
        start_idle(batch, engine, &mut running, &sender)?;
        if batch.end != BatchEnd::Through {
            batch.end = if batch.end == BatchEnd::PlayEnded && !running.is_empty() { BatchEnd::PlayEnded } else { batch.end };
        }
        if running.is_empty() {
            return Ok(());
        }
        let Ok((host, done)) = receiver.recv() else { return Ok(()) };
        let Some(Running { task, step: (info, fatal) }) = running.remove(&host) else { continue };
        let step = Step { task: &task, info, run_once: false, fatal };
        let broke = matches!(done.outcome.status, Status::Failed | Status::Unreachable);
        let wishes = batch.settle_result(engine, &step, host, &[host], *done);
        let wishes = wishes.into_iter().map(|wish| (host, wish)).collect();
        batch.after(engine, &step, &[host], wishes, &[host][..usize::from(broke)])?;
        if batch.end != BatchEnd::Through && running.is_empty() {
            return Ok(());
        }
    }
}

fn start_idle(
    batch: &mut Batch,
    engine: &mut Engine,
    running: &mut BTreeMap<usize, Running>,
    sender: &mpsc::Sender<(usize, Box<Done>)>,
) -> Result<(), Vec<Diagnostic>> {
    loop {
        if batch.end != BatchEnd::Through {
            return Ok(());
        }
        batch.tell_live_hosts(engine);
        let idle = batch.settle_idle(engine, &|host| running.contains_key(&host));
        let mut started = false;
        for (host, task) in idle {
            let cx = batch.context(engine, &task, host);
            let name = super::step::task_name(&task, &cx);
            if task.canonical == "meta" {
                batch.meta(engine, &task, &name, &[host])?;
                started = true;
                continue;
            }
            match batch.prepare(engine, &task, name, &cx) {
                Ok(step) => {
                    engine.send(Event::TaskStart(step.info.clone()));
                    let (info, fatal) = (step.info.clone(), step.fatal);
                    spawn(batch, engine, &task, info.clone(), host, sender.clone());
                    running.insert(host, Running { task: task.clone(), step: (info, fatal) });
                }
                Err(fault) => {
                    batch.refuse(engine, &task, &[host], &cx, fault)?;
                    started = true;
                }
            }
        }
        if !started {
            return Ok(());
        }
    }
}

fn spawn(batch: &Batch, engine: &mut Engine, task: &Arc<TaskDef>, info: Arc<crate::event::TaskInfo>, host: usize, sender: mpsc::Sender<(usize, Box<Done>)>) {
    let name = batch.hosts[host].name.clone();
    let overlays = engine.overlays.clone();
    let doubt = batch.doubt(task, host);
    let (task, events, world, shared) = (task.clone(), engine.events.clone(), engine.snapshot(), engine.shared.clone());
    engine.threads.spawn(move || {
        let send = |event: Event| drop(events.send(event));
        send(Event::HostStart { task: info.clone(), host: name.clone(), at: SystemTime::now() });
        let job = Job { task: &task, info, host: name, world, shared: &shared, overlays, made: Default::default(), doubt, send: &send };
        let done = catch_unwind(AssertUnwindSafe(|| task::run(&job))).unwrap_or_else(|panic| bug(&job, panic));
        let _ = sender.send((host, Box::new(done)));
    });
}
