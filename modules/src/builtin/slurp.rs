//! `slurp`: a file's content in base64.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::args::Args;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::spec::{Arg, Spec};
use crate::system;

/// The module.
pub struct Slurp;

impl Module for Slurp {
    const SPEC: Spec = Spec::new("slurp", "Reads a file of the target.", &[Arg::path("src", "The file.").alias(&["path"]).required()]);

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let source = args.text("src");
        let data = system::read(cx.system(), Path::new(source)).map_err(|error| cannot_read(source, error))?;
        Ok(Outcome::new(false).with("content", STANDARD.encode(data)).with("source", source).with("encoding", "base64"))
    }
}

/// Why a file cannot be read, in slurp's words.
pub(super) fn cannot_read(source: &str, error: std::io::Error) -> Failure {
    use std::io::ErrorKind;
    if let Some(reason) = system::unknown_reason(&error) {
        return Failure::unknown(reason);
    }
    match error.kind() {
        ErrorKind::NotFound => Failure::new(format!("File not found: {source}")),
        ErrorKind::PermissionDenied => Failure::new(format!("File is not readable: {source}")),
        ErrorKind::IsADirectory => Failure::new(format!("Source is a directory and must be a file: {source}")),
        _ => Failure::new(format!("Unable to slurp file: {source}: {}", crate::outcome::describe(&error))),
    }
}
