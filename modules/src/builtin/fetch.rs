//! `_fetch`: sends a file's content to the controller, unless it has it already. The `fetch` action calls it.

use std::io::Read;
use std::path::Path;

use super::slurp::cannot_read;
use crate::args::Args;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome, Tried};
use crate::spec::{Arg, Spec};
use crate::wire::BLOB_PIECE;

/// The module.
pub struct Fetch;

impl Module for Fetch {
    const SPEC: Spec = Spec::new("_fetch", "Sends a file to the controller.", &[Arg::path("src", "The file.").required()]);

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let source = args.text("src");
        let path = Path::new(source);
        // opened first, so that what cannot be read is said in slurp's words
        let mut file = cx.system().open(path).map_err(|error| cannot_read(source, error))?;
        let sha256 = cx.digest(path, "sha256")?;
        let outcome = Outcome::new(false)
            .with("file", source)
            .with("size", cx.stat(path)?.map_or(0, |stat| stat.size))
            .with("sha256", sha256.as_str())
            .with("checksum", cx.digest(path, "sha1")?)
            .with("md5sum", cx.digest(path, "md5")?);
        if args.str("_rplay_sha256") == Some(&sha256) {
            return Ok(outcome.with("sent", false));
        }
        let mut buffer = vec![0; BLOB_PIECE];
        loop {
            match file.read(&mut buffer).tried(|| format!("could not read {source}"))? {
                0 => break,
                n => cx.send(&buffer[..n])?,
            }
        }
        cx.send(&[])?;
        Ok(outcome.with("sent", true))
    }
}
