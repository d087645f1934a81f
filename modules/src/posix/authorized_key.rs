//! `authorized_key`: public keys that may log in as a user. How the file's lines are read and written is in `key_lines.rs`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::key_lines::{Key, Lines, options};
use crate::args::Args;
use crate::attributes::{AttributeDiff, Attributes};
use crate::change::{Change, Content};
use crate::context::Context;
use crate::http;
use crate::list::Module;
use crate::mode::Mode;
use crate::outcome::{Failure, Outcome};
use crate::spec::{Arg, Preset, Spec};
use crate::write::Write;

/// The module.
pub struct AuthorizedKey;

impl Module for AuthorizedKey {
    const SPEC: Spec = Spec::new(
        "authorized_key",
        "Adds and removes public keys of a user's authorized_keys file.",
        &[
            Arg::str("user", "The user.").required(),
            Arg::str("key", "The keys, one a line, or the URL of a file of them.").required(),
            Arg::path("path", "The file, instead of `~user/.ssh/authorized_keys`."),
            Arg::flag("manage_dir", true, "Make the file's directory, and give it to the user."),
            Arg::str("state", "Whether the keys shall be there.").choices(&["absent", "present"]).default(Preset::Str("present")),
            Arg::str("key_options", "Options in front of the keys, instead of their own."),
            Arg::flag("exclusive", false, "Remove all other keys."),
            Arg::str("comment", "Comment behind the keys, instead of their own."),
            Arg::flag("validate_certs", true, "Check the certificate of the URL's server."),
            Arg::flag("follow", false, "Write behind a symbolic link, not over it."),
        ],
    );

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let path = file(args, cx)?;
        let new = keys(args, cx)?;
        let before = match cx.stat(&path)?.filter(|stat| stat.is_file()) {
            Some(_) => cx.read_text(&path)?.content,
            None => String::new(),
        };
        let mut lines = Lines::parse(&before);
        let changed = if args.text("state") == "present" { lines.add(&new, args.flag("exclusive")) } else { lines.remove(&new) };
        let mut outcome = Outcome::new(changed).with("keyfile", path.to_string_lossy().into_owned());
        for arg in Self::SPEC.args {
            outcome = outcome.with(arg.name, args.get(arg.name).cloned().unwrap_or(Value::Null));
        }
        if changed {
            let after = lines.text();
            let target = if args.flag("follow") { cx.real_path(&path) } else { path.clone() };
            if cx.wants_diff() {
                let diff = json!({"before_header": path.to_string_lossy(), "after_header": target.to_string_lossy(), "before": before, "after": after});
                outcome = outcome.with("diff", diff);
            }
            write(args, cx, &target, after)?;
        }
        Ok(outcome)
    }
}

fn file(args: &Args, cx: &Context<'_>) -> Result<PathBuf, Failure> {
    if let Some(path) = args.str("path") {
        return Ok(PathBuf::from(path));
    }
    let user = args.text("user");
    match cx.user(user) {
        Some(user) => Ok(Path::new(&user.home).join(".ssh/authorized_keys")),
        None if cx.check() => Err("Either user must exist or you must provide full path to key file in check mode".into()),
        None => Err(Failure::new(format!("Failed to lookup user {user}: \"getpwnam(): name not found: '{user}'\""))),
    }
}

fn keys(args: &Args, cx: &Context<'_>) -> Result<Vec<Key>, Failure> {
    let mut text = args.text("key").to_owned();
    if text.starts_with("http") {
        let bytes = http::fetch(args, cx, &text).map_err(|failure| Failure { msg: format!("Error getting key from: {text}"), ..failure })?;
        text = String::from_utf8_lossy(&bytes).into_owned();
    } else if let Some(path) = text.strip_prefix("file://") {
        let path = Path::new(path);
        match cx.stat(path)? {
            None => return Err(Failure::new(format!("Path to a key file not found: {}", path.display()))),
            Some(stat) if !stat.is_file() => return Err(Failure::new(format!("Path to a key is a directory and must be a file: {}", path.display()))),
            Some(_) => text = cx.read_text(path)?.content,
        }
    }
    let given = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    given
        .map(|line| {
            let mut key = Key::parse(line).ok_or_else(|| Failure::new(format!("invalid key specified: {line}")))?;
            if let Some(given) = args.str("key_options") {
                key.options = options(given);
            }
            if let Some(comment) = args.str("comment") {
                key.comment = comment.to_owned();
            }
            Ok(key)
        })
        .collect()
}

/// Writes the file; it and its directory are the user's alone.
fn write(args: &Args, cx: &mut Context<'_>, path: &Path, text: String) -> Result<(), Failure> {
    let user = args.text("user");
    let Some(account) = cx.user(user) else {
        if cx.check() {
            let (content, attributes) = (Content::Bytes(text.into_bytes()), Attributes::default());
            return cx.write(Write { path, content, attributes: &attributes, backup: false, validate: None }).map(drop);
        }
        return Err(Failure::new(format!("Failed to lookup user {user}: \"getpwnam(): name not found: '{user}'\"")));
    };
    let mine = |mode| Attributes { mode: Some(Mode::Bits(mode)), uid: Some(account.uid), gid: Some(account.gid), ..Attributes::default() };
    let dir = path.parent().unwrap_or(Path::new("/")).to_owned();
    if cx.stat(&dir)?.is_none() {
        let mode = if args.flag("manage_dir") { Some(0o700) } else { None };
        for path in missing(cx, &dir)? {
            cx.apply(Change::Dir { path, mode, uid: None, gid: None })?;
        }
    }
    if args.flag("manage_dir") {
        cx.set_attributes(&dir, &mine(0o700), &mut AttributeDiff::default())?;
    }
    cx.write(Write { path, content: Content::Bytes(text.into_bytes()), attributes: &mine(0o600), backup: false, validate: None }).map(drop)
}

/// The directories that are not there, the uppermost first.
fn missing(cx: &Context<'_>, dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut out = vec![];
    for dir in dir.ancestors() {
        if cx.stat(dir)?.is_some() {
            break;
        }
        out.insert(0, dir.to_owned());
    }
    Ok(out)
}
