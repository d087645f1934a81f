//! rplay: Ansible playbooks without Ansible and without Python.
//!
//! The layers, in order; a module may import only modules from earlier layers, or earlier in its own (`tests/layers.rs`).

// base: words only
pub mod diagnostic;
pub mod event;
pub mod source;
pub mod value;
// read: text to typed data with spans
pub mod config;
pub mod inventory;
pub mod playbook;
pub mod vault;
pub mod yaml;
// mean: what an expression is worth for a host
pub mod template;
pub mod vars;
// reach: a process on a target
pub mod connection;
pub mod runner;
// act: one task on one host
pub mod action;
// run: order, batches, failure, handlers
pub mod engine;
pub mod program;
// show: events only
pub mod report;
// use: everything
pub mod cli;
pub mod lab;
