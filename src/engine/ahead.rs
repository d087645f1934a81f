//! The items of a loop sent ahead: where no item can see what another one did, they travel together and are answered in order.
//!
//! That holds for modules that the controller only hands on, on another machine: there nothing that is evaluated for an item (files and
//! commands of the controller included) can depend on what an earlier item did. Not in check mode: there a later item sees what an earlier one would do.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use super::item::{self, Prepared, Ready};
use super::loops::{Control, Turn, close, turn};
use super::task::{Done, Job};
use crate::action;
use crate::connection::{Become, Target, Transport};
use crate::event::{Event, Status};
use crate::program::Opt;
use crate::runner::NoContent;
use crate::template::Context;
use crate::value::Value;

/// So many items are prepared and sent at once.
const WINDOW: usize = 64;

/// Whether the items of this task can be sent ahead.
pub(super) fn is_possible(job: &Job, cx: &Arc<Context>) -> bool {
    let task = job.task;
    let once = task.until.is_empty() && task.retries.is_none() && task.async_.is_none() && task.inherited.opt(Opt::DelegateTo).is_none();
    once && action::is_handed_on(&task.canonical) && item::transport(job, cx).is_some_and(|transport| transport != Transport::Local)
}

/// Runs the items; ends early where the host is lost.
pub(super) fn each(job: &Job, cx: &Arc<Context>, items: &[Value], control: &Control) -> Vec<Done> {
    let mut dones = Vec::with_capacity(items.len());
    for first in (0..items.len()).step_by(WINDOW) {
        let indices = first..items.len().min(first + WINDOW);
        let mut queue: Queue = indices.map(|index| prepared(job, turn(cx, items, index, control, &[]))).collect();
        while !queue.is_empty() {
            batch(job, control, &mut queue, &mut dones);
            if dones.last().is_some_and(|done| done.outcome.status == Status::Unreachable) {
                return dones;
            }
        }
    }
    dones
}

/// Items in order, with what is known of them.
type Queue = VecDeque<(Turn, Prepared)>;

fn prepared(job: &Job, turn: Turn) -> (Turn, Prepared) {
    let prepared = item::prepare(job, &turn.cx, Some(&turn.place()));
    (turn, prepared)
}

/// Runs the items at the head of the queue that work at the same place as the same user.
fn batch(job: &Job, control: &Control, queue: &mut Queue, dones: &mut Vec<Done>) {
    let Some((target, becoming)) = head(queue) else {
        while let Some((turn, Prepared::Done(done))) = queue.pop_front() {
            dones.push(close(job, control, &turn, *done));
        }
        return;
    };
    let same = |ready: &Ready| ready.destination() == (&target, becoming.as_ref());
    let ready = |(turn, prepared): &(Turn, Prepared)| match prepared {
        Prepared::Done(_) => Some(None),
        Prepared::Ready(ready) => same(ready).then(|| Some((ready.call(job, &turn.cx), ready.timeout()))),
    };
    let (calls, timeouts): (Vec<_>, Vec<u64>) = queue.iter().map_while(ready).flatten().unzip();
    let patience = timeouts.iter().map(|timeout| action::patience(*timeout)).sum();
    let state = RefCell::new((queue, dones));
    let mut on_output = |stderr: bool, bytes: &[u8]| {
        (job.send)(Event::Output { task: job.info.clone(), host: job.host.clone(), stderr, bytes: bytes.to_vec() });
    };
    let mut on_reply = |_: usize, reply| {
        let reaction = action::answered(reply, &job.task.canonical, &job.task.action);
        let (queue, dones) = &mut *state.borrow_mut();
        next(job, control, queue, dones, reaction);
    };
    let sent = job.shared.pool.call_many(&target, becoming.as_ref(), calls, &NoContent, &mut on_output, patience, &mut on_reply);
    if let Err(error) = sent {
        let (queue, dones) = &mut *state.borrow_mut();
        next(job, control, queue, dones, action::broken(&error));
    }
}

/// Where the first item that has something to do does it.
fn head(queue: &Queue) -> Option<(Target, Option<Become>)> {
    queue.iter().find_map(|(_, prepared)| match prepared {
        Prepared::Ready(ready) => {
            let (target, becoming) = ready.destination();
            Some((target.clone(), becoming.cloned()))
        }
        Prepared::Done(_) => None,
    })
}

/// The next item that had something to do has its result; those before it that had nothing are closed, too.
fn next(job: &Job, control: &Control, queue: &mut Queue, dones: &mut Vec<Done>, reaction: action::Reaction) {
    while let Some((turn, prepared)) = queue.pop_front() {
        match prepared {
            Prepared::Done(done) => dones.push(close(job, control, &turn, *done)),
            Prepared::Ready(ready) => {
                let done = item::answered(job, &turn.cx, Some(&turn.place()), *ready, reaction);
                return dones.push(close(job, control, &turn, done));
            }
        }
    }
}
