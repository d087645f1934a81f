//! `ping`: answers, to show that modules run.

use crate::args::Args;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::spec::{Arg, Preset, Spec};

/// The module.
pub struct Ping;

impl Module for Ping {
    const SPEC: Spec = Spec::new(
        "ping",
        "Answers `pong`, to show that a target can run modules.",
        &[Arg::str("data", "What to answer; `crash` makes the module fail.").default(Preset::Str("pong"))],
    );

    fn run(args: &Args, _cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        match args.text("data") {
            "crash" => Err(Failure::new("boom")),
            data => Ok(Outcome::new(false).with("ping", data)),
        }
    }
}
