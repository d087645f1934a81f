//! `tempfile`: makes a temporary file or directory.

use std::path::{Path, PathBuf};

use crate::args::Args;
use crate::change::{Change, Content};
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::spec::{Arg, Preset, Spec};

/// The module.
pub struct Tempfile;

impl Module for Tempfile {
    const SPEC: Spec = Spec {
        // a name that nothing will have is no prediction
        check_mode: false,
        ..Spec::new(
            "tempfile",
            "Makes a temporary file or directory.",
            &[
                Arg::str("state", "What to make.").choices(&["directory", "file"]).default(Preset::Str("file")),
                Arg::path("path", "Where; the system's directory for temporary files by default."),
                Arg::str("prefix", "Beginning of the name.").default(Preset::Str("ansible.")),
                Arg::str("suffix", "End of the name.").default(Preset::Str("")),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        for part in ["prefix", "suffix"] {
            if args.text(part).contains('/') {
                return Err(Failure::new(format!("{part} must be a valid file name component, got '{}'", args.text(part))));
            }
        }
        let dir = args.str("path").or(cx.variable("TMPDIR")).unwrap_or("/tmp").to_owned();
        let path = free_name(args, cx, Path::new(&dir))?;
        let change = match args.text("state") {
            "file" => Change::File { path: path.clone(), content: Content::Bytes(vec![]), mode: Some(0o600), uid: None, gid: None },
            _ => Change::Dir { path: path.clone(), mode: Some(0o700), uid: None, gid: None },
        };
        cx.apply(change)?;
        Ok(Outcome::new(true).with("path", path.to_string_lossy()))
    }
}

fn free_name(args: &Args, cx: &Context<'_>, dir: &Path) -> Result<PathBuf, Failure> {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789_";
    for _ in 0..100 {
        let mut bytes = [0; 8];
        let mut random = std::fs::File::open("/dev/urandom")?;
        std::io::Read::read_exact(&mut random, &mut bytes)?;
        let middle: String = bytes.iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect();
        let path = dir.join(format!("{}{middle}{}", args.text("prefix"), args.text("suffix")));
        if cx.lstat(&path)?.is_none() {
            return Ok(path);
        }
    }
    Err("No usable temporary file name found".into())
}
