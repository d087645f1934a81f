//! What people and programs see: folds over events. Deleting any report changes no behaviour.

mod banner;
mod clean;
mod colors;
mod default;
mod diff;
mod json;
mod jsonl;
mod live;
mod minimal;
mod profile;
mod recap;
mod writer;

pub use colors::Colors;
pub use default::{Default, Look};
pub use diff::unified;
pub use json::Json;
pub use jsonl::Jsonl;
pub use live::Live;
pub use minimal::{Layout, Minimal, Tree};
pub use profile::{Order, Profile, ProfileOptions, Timer, What};
pub use writer::{Screen, Streams, follow};

use crate::event::Event;

/// A fold over events.
pub trait Report: Send {
    /// Takes an event in; what is shown goes to the streams.
    fn event(&mut self, event: &Event, out: &mut dyn Screen);
}
