//! The run: order, batches, failure, handlers. It does no I/O of its own: it calls actions and sends events.

mod ahead;
mod apply;
mod batch;
mod cursor;
mod evidence;
mod free;
mod gather;
mod handlers;
mod harmless;
mod hosts;
mod include;
mod item;
mod loops;
mod meta;
mod options;
mod play;
mod results;
mod run;
mod step;
mod task;
mod unknown;

pub use options::ConnectionDefaults;
pub use run::{Engine, RunOptions, RunResult, StepAnswer};
