//! `shell`: runs a command line through a shell.

use super::command;
use crate::args::Args;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::spec::Spec;

/// The module.
pub struct Shell;

impl Module for Shell {
    const SPEC: Spec = command::spec("shell", "Runs a command line through a shell, `/bin/sh` unless another is named.");

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        command::run(args, cx, true)
    }
}
