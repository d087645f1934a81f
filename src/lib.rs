//! rplay: Ansible playbooks without Ansible and without Python.
//!
//! The layers, in order; a module may import only modules from earlier layers, or earlier in its own (`tests/layers.rs`).

// base: words only
pub mod source;
pub mod diagnostic;
pub mod value;
pub mod mask;
pub mod event;
// read: text to typed data with spans
pub mod yaml;
pub mod vault;
pub mod config;
pub mod inventory;
pub mod playbook;
// mean: what an expression is worth for a host
pub mod template;
pub mod vars;
// reach: a process on a target
pub mod connection;
pub mod runner;
// act: one task on one host
pub mod action;
// run: order, batches, failure, handlers
pub mod program;
pub mod engine;
// show: events only
pub mod report;
// use: everything
pub mod galaxy;
pub mod idempotence;
pub mod lab;
pub mod molecule;
pub mod cli;
