//! Modules of rplay.
