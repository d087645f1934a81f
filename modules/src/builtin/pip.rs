//! `pip`: refused, because rplay's targets need no Python.

use crate::args::Args;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::spec::{Arg, Kind, Spec};

/// The module.
pub struct Pip;

impl Module for Pip {
    const SPEC: Spec = Spec {
        open: true,
        ..Spec::new(
            "pip",
            "Refused: rplay does not manage Python's packages; run pip with `command` and `creates`.",
            &[Arg::list("name", Kind::Str, "The packages.")],
        )
    };

    fn run(args: &Args, _: &mut Context<'_>) -> Result<Outcome, Failure> {
        let names = args.texts("name").join(" ");
        Err(Failure::new(format!(
            "pip is not supported; install the distribution's package, or run it as a command with what it makes: \
             `command: python3 -m pip install {names}` with `creates:`"
        )))
    }
}
