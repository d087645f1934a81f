//! The variables of a task on a host: which layer defines a name, in Ansible's order of precedence.
//!
//! Nothing is copied per host and task: a [`TaskScope`] holds shared layers and looks from the highest to the lowest.

mod hostvars;
mod layer;
mod magic;
mod scope;
mod world;

pub use hostvars::HostVars;
pub use layer::Layer;
pub use scope::{RoleVars, TaskScope, TaskVars};
pub use world::{HostState, PlayVars, RunInfo, World};
