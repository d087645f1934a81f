//! Proof that a playbook is idempotent: what a replay in check mode would still change, why, and who says that it may.
//!
//! A replay is recorded ([`Recorder`]); [`judge`] compares it with a second one that has another clock and other random numbers, and with a second
//! real run where there is one. What it finds is shown by [`show`], and excused by [`waiver`].

mod cause;
pub mod drift;
mod judge;
pub mod plan;
mod record;
mod resource;
pub mod show;
pub mod waiver;

pub use cause::{Cause, Kind};
pub use judge::{Finding, Judgement, Passes, Place, Result, Verdict, judge};
pub use record::{Key, Record, Recorder, Recording};

/// Exit code where a second run would change something.
pub const WOULD_CHANGE: i32 = 10;

/// Exit code where nothing would change as far as it can be known, and something cannot be known.
pub const UNVERIFIABLE: i32 = 11;

/// How far the clock of the second replay is ahead, seconds: year, month, day, weekday, hour, minute and second are other ones.
pub const AHEAD: i64 = 400 * 86_400 + 7 * 3_600 + 13 * 60 + 29;
