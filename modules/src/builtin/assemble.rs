//! `assemble`: one file of the fragments in a directory. For fragments on the controller its action sends the whole to `copy`.

use std::path::Path;

use serde_json::json;

use crate::args::Args;
use crate::attributes::{AttributeDiff, Attributes};
use crate::change::Content;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::pyre::{self, Flags};
use crate::spec::{Arg, Spec};
use crate::write::Write;

/// The module.
pub struct Assemble;

impl Module for Assemble {
    const SPEC: Spec = Spec {
        file_args: true,
        ..Spec::new(
            "assemble",
            "Makes a file of the fragments in a directory.",
            &[
                Arg::path("src", "The directory.").required(),
                Arg::str("delimiter", "Text between fragments."),
                Arg::path("dest", "The file.").required(),
                Arg::flag("backup", false, "Keep the old file under another name."),
                Arg::flag("remote_src", true, "The directory is on the target."),
                Arg::str("regexp", "Expression that a fragment's name must match."),
                Arg::flag("ignore_hidden", false, "Leave out names that begin with a dot."),
                Arg::str("validate", "Command that must accept the new file, named `%s` in it."),
                Arg::flag("decrypt", true, "Decrypt vaulted fragments of the controller."),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let (src, dest) = (args.text("src"), Path::new(args.text("dest")));
        match cx.stat(Path::new(src))? {
            None => return Err(Failure::new(format!("Source ({src}) does not exist"))),
            Some(stat) if !stat.is_dir() => return Err(Failure::new(format!("Source ({src}) is not a directory"))),
            Some(_) => {}
        }
        let fragments = fragments(args, cx, Path::new(src))?;
        let whole = join(&fragments, args.str("delimiter"));
        let content = Content::Bytes(whole);
        let hash = |algorithm: &str| Ok::<_, Failure>(crate::digest::by_name(algorithm, &mut *content.open()?)?);
        let mut outcome =
            Outcome::new(false).with("src", src).with("dest", args.text("dest")).with("checksum", json!(hash("sha1")?)).with("md5sum", json!(hash("md5")?));
        let attributes = Attributes::from_args(args, cx)?;
        if cx.has_content(dest, &content)? {
            outcome.changed = cx.set_attributes(dest, &attributes, &mut AttributeDiff::default())?;
            return Ok(outcome.msg("OK"));
        }
        if let Some(diff) = cx.content_diff(dest, &content, args.text("dest"))? {
            cx.add_diff(diff);
        }
        let written = cx.write(Write { path: dest, content, attributes: &attributes, backup: args.flag("backup"), validate: args.str("validate") })?;
        outcome.changed = written.changed;
        Ok(outcome.msg("OK").maybe("backup_file", written.backup.map(|path| path.to_string_lossy().into_owned())))
    }
}

fn fragments(args: &Args, cx: &Context<'_>, src: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let regex = args
        .str("regexp")
        .map(|pattern| pyre::compile(pattern, Flags::default()).map_err(|why| Failure::new(format!("Invalid Regexp ({why}) in \"{pattern}\""))));
    let regex = regex.transpose()?;
    let mut out = vec![];
    for name in cx.system().list(src).map_err(Failure::from)? {
        let shown = name.to_string_lossy();
        let fits = regex.as_ref().map_or(Ok(true), |regex| regex.is_match(&shown))?;
        let path = src.join(&name);
        if !fits || args.flag("ignore_hidden") && shown.starts_with('.') || !cx.stat(&path)?.is_some_and(|stat| stat.is_file()) {
            continue;
        }
        out.push(cx.read(&path)?);
    }
    Ok(out)
}

/// Fragments one after the other; every one but the last ends its line, and the delimiter stands on lines of its own.
pub fn join(fragments: &[Vec<u8>], delimiter: Option<&str>) -> Vec<u8> {
    let delimiter = delimiter.filter(|text| !text.is_empty()).map(unescaped);
    let mut whole: Vec<u8> = vec![];
    let mut unfinished = false;
    for (at, fragment) in fragments.iter().enumerate() {
        if unfinished {
            whole.push(b'\n');
        }
        if let (true, Some(delimiter)) = (at > 0, &delimiter) {
            whole.extend_from_slice(delimiter);
            if delimiter.last() != Some(&b'\n') {
                whole.push(b'\n');
            }
        }
        whole.extend_from_slice(fragment);
        unfinished = !fragment.ends_with(b"\n");
    }
    whole
}

/// `\n`, `\t`, `\\`, `\x41` as in Python.
fn unescaped(text: &str) -> Vec<u8> {
    let mut out = vec![];
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let after = &rest[at + 1..];
        let hex = after.strip_prefix('x').and_then(|digits| digits.get(..2)).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (byte, used) = match (after.chars().next(), hex) {
            (_, Some(byte)) => (byte, 3),
            (Some('n'), _) => (b'\n', 1),
            (Some('t'), _) => (b'\t', 1),
            (Some('r'), _) => (b'\r', 1),
            (Some('\\'), _) => (b'\\', 1),
            _ => (b'\\', 0),
        };
        out.push(byte);
        rest = &after[used..];
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_are_joined_at_line_ends() {
        let parts = [b"a".to_vec(), b"b\n".to_vec(), b"c".to_vec()];
        assert_eq!(join(&parts, None), b"a\nb\nc");
        assert_eq!(join(&parts, Some("### \\x41")), b"a\n### A\nb\n### A\nc");
        assert_eq!(unescaped("a\\tb\\\\\\q"), b"a\tb\\\\q");
    }
}
