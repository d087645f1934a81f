//! How the running call hears that it shall end: a flag, a bell for sleepers, and the process group to kill.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::outcome::Failure;

/// Shared by the thread that works and the one that listens.
#[derive(Debug, Clone, Default)]
pub struct Control(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct State {
    ended: Option<String>,
    group: Option<Pid>,
    /// The call that runs; a Cancel or a timer of another one is not for it.
    call: u64,
    /// The controller is gone: no call shall begin.
    over: Option<String>,
}

impl Control {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call begins; its number is for [`Control::end_call`].
    pub fn begin(&self, call: u64) {
        let mut state = self.state();
        state.ended = state.over.clone();
        state.group = None;
        state.call = call;
    }

    /// Ends what runs and everything that would begin.
    pub fn end_all(&self, reason: &str) {
        self.state().over = Some(reason.to_owned());
        self.end(reason);
    }

    /// Ends what runs: its process group is killed, sleepers wake.
    pub fn end(&self, reason: &str) {
        let mut state = self.state();
        Self::stop(&mut state, reason);
        self.0.bell.notify_all();
    }

    /// Ends the call of that number when it still runs.
    pub fn end_call(&self, call: u64, reason: &str) {
        let mut state = self.state();
        if state.call == call {
            Self::stop(&mut state, reason);
            self.0.bell.notify_all();
        }
    }

    fn stop(state: &mut State, reason: &str) {
        state.ended.get_or_insert_with(|| reason.to_owned());
        if let Some(group) = state.group {
            // it may be gone already, which is as good
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// Why the call shall end, once it shall.
    pub fn ended(&self) -> Option<String> {
        self.state().ended.clone()
    }

    /// Fails when the call shall end.
    ///
    /// # Errors
    /// The reason.
    pub fn check(&self) -> Result<(), Failure> {
        self.ended().map_or(Ok(()), |reason| Err(Failure::new(reason)))
    }

    /// Sleeps, unless the call shall end.
    ///
    /// # Errors
    /// The reason for ending.
    pub fn sleep(&self, time: Duration) -> Result<(), Failure> {
        let until = Instant::now() + time;
        let mut state = self.state();
        loop {
            if let Some(reason) = &state.ended {
                return Err(Failure::new(reason.clone()));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            state = self.0.bell.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The process group that runs now.
    pub fn set_group(&self, group: Option<Pid>) {
        let mut state = self.state();
        state.group = group;
        if let (Some(group), Some(_)) = (group, &state.ended) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
