//! One task on one host: what the controller does, and what it sends to the target.

pub mod catalog;
mod request;

pub use request::{Effect, Reaction, Request, Settings};
