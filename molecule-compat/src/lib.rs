//! Molecule's vocabulary for rplay: the schema of `molecule.yml`, scenarios, sequences of steps, state.
//!
//! This crate never calls the engine and prints nothing: `trait Provisioner` is what a program implements to make hosts and run plays.

pub mod config;
pub mod discover;
pub mod dump;
pub mod failure;
pub mod files;
pub mod first;
pub mod interpolate;
pub mod node;
pub mod play;
pub mod provisioner;
mod resolve;
pub mod report;
pub mod run;
pub mod scenario;
pub mod schema;
pub mod sequence;
pub mod state;
pub mod steps;
pub mod validate;
