//! What the connections of a run cost, counted where bytes move.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::connection::{ConnectError, Exit, Outbox, Process};

/// Sums over a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Times that we waited for a target's answer: a call, a batch of calls, a content asked for, a command.
    pub round_trips: u64,
    /// Connections made.
    pub connections: u64,
    /// Processes started on targets.
    pub processes: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes sent.
    pub bytes_out: u64,
}

/// The counters behind [`Stats`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub round_trips: AtomicU64,
    pub connections: AtomicU64,
    pub processes: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn stats(&self) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            round_trips: get(&self.round_trips),
            connections: get(&self.connections),
            processes: get(&self.processes),
            bytes_in: get(&self.bytes_in),
            bytes_out: get(&self.bytes_out),
        }
    }
}

/// A process whose bytes are counted.
pub(super) struct Counted {
    pub inner: Box<dyn Process>,
    pub counters: Arc<Counters>,
}

impl Process for Counted {
    fn pump(&mut self, outbox: &mut Outbox, out: &mut Vec<u8>, err: &mut Vec<u8>, wait: Duration) -> Result<bool, ConnectError> {
        let (waiting, had) = (outbox.len(), out.len() + err.len());
        let result = self.inner.pump(outbox, out, err, wait);
        self.counters.bytes_out.fetch_add((waiting - outbox.len()) as u64, Ordering::Relaxed);
        self.counters.bytes_in.fetch_add((out.len() + err.len() - had) as u64, Ordering::Relaxed);
        result
    }

    fn exit(&mut self) -> Option<Exit> {
        self.inner.exit()
    }

    fn end(&mut self) {
        self.inner.end();
    }
}
