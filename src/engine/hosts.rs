//! What the engine keeps per host while a batch runs.

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use super::cursor::Cursor;

/// A host in a batch.
#[derive(Debug)]
pub(super) struct HostRun {
    /// Its name.
    pub name: Arc<str>,
    /// Where it stands.
    pub cursor: Cursor,
    /// Ids of the notified handlers.
    pub notified: IndexSet<String>,
    /// Check mode: ids of handlers that nobody can tell whether they are notified, each with the reason.
    pub perhaps: IndexMap<String, String>,
    /// How it does.
    pub status: HostStatus,
    /// `end_host`: it counts no longer among the play's hosts.
    pub ended: bool,
}

/// How a host does in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HostStatus {
    /// It runs.
    Running,
    /// It has failed.
    Failed,
    /// It could not be reached.
    Unreachable,
    /// It is done: at the end, or by `end_host` and the like.
    Done,
}
