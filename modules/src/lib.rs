//! The modules, the wire protocol and the runner of rplay: what is compiled for the target.

pub mod pyre;
mod pyre_translate;
pub mod wire;
