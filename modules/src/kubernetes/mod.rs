//! The modules of the collection kubernetes.core, spoken to an API server directly: no kubectl, no Python client.
//!
//! The way of a call: connection (arguments, kubeconfig) -> api (requests; dry run in check mode) -> discovery (kinds) -> object (one object) -> k8s.

mod api;
mod compare;
mod connection;
mod definitions;
mod discovery;
mod drain_pods;
mod exec;
mod kubeconfig;
mod node;
mod object;
mod predicted;
mod transport;
mod wait;

pub mod k8s;
pub mod k8s_drain;
pub mod k8s_exec;
pub mod k8s_info;
pub mod k8s_scale;
pub mod k8s_taint;
