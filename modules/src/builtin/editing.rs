//! What `lineinfile`, `blockinfile` and `replace` share: the file before, writing it back, the diff's form.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::args::Args;
use crate::attributes::{AttributeDiff, Attributes};
use crate::change::{Change, Content};
use crate::context::Context;
use crate::outcome::Failure;
use crate::spec::Arg;
use crate::text::Text;
use crate::write::Write;

/// The path that they edit.
pub(super) const PATH: Arg = Arg::path("path", "The file.").alias(&["dest", "destfile", "name"]).required();
/// Keep the old file.
pub(super) const BACKUP: Arg = Arg::flag("backup", false, "Keep the old file under another name.");
/// Check the new file.
pub(super) const VALIDATE: Arg = Arg::str("validate", "Command that must accept the new file, named `%s` in it.");

/// A file that is edited.
pub(super) struct Edited {
    /// As the user names it.
    pub shown: String,
    /// Where it is really, links followed.
    pub path: PathBuf,
    /// Its text; `None` when there is no file yet.
    pub before: Option<Text>,
}

/// What writing back did.
pub(super) struct Saved {
    pub message: String,
    pub changed: bool,
    pub backup: String,
    pub attributes: AttributeDiff,
}

impl Edited {
    pub(super) fn open(args: &Args, cx: &Context<'_>) -> Result<Edited, Failure> {
        let shown = args.text("path").to_owned();
        let given = Path::new(&shown);
        let before = match cx.stat(given)? {
            Some(stat) if stat.is_dir() => return Err(Failure::new(format!("Path {shown} is a directory !")).with("rc", 256)),
            Some(_) => Some(cx.read_text(given)?),
            None => None,
        };
        Ok(Edited { path: cx.real_path(given), shown, before })
    }

    /// The text, empty for a new file.
    pub(super) fn text(&self) -> &str {
        self.before.as_ref().map_or("", |text| text.content.as_str())
    }

    /// The user's text in the characters of this file.
    pub(super) fn like(&self, text: &str) -> String {
        self.before.as_ref().map_or_else(|| text.to_owned(), |before| before.like(text))
    }

    /// Writes the new text where it differs, and sets the attributes; `done` is the message of a change.
    pub(super) fn save(&self, args: &Args, cx: &mut Context<'_>, after: &str, done: &str) -> Result<Saved, Failure> {
        let attributes = Attributes::from_args(args, cx)?;
        let differs = self.before.as_ref().is_none_or(|before| before.content != after) && !done.is_empty();
        let mut saved = Saved { message: done.to_owned(), changed: differs, backup: String::new(), attributes: AttributeDiff::default() };
        let attributes_changed = if differs {
            make_parents(cx, &self.path)?;
            let bytes = self.before.as_ref().map_or_else(|| after.as_bytes().to_vec(), |before| before.bytes(after));
            let content = Content::Bytes(bytes);
            let write = Write { path: &self.path, content, attributes: &attributes, backup: args.flag("backup"), validate: args.str("validate") };
            let written = cx.write(write)?;
            saved.backup = written.backup.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
            saved.attributes = written.attributes;
            written.attributes_changed
        } else {
            cx.set_attributes(&self.path, &attributes, &mut saved.attributes)?
        };
        if attributes_changed {
            let and = if saved.changed { " and " } else { "" };
            saved.message = format!("{}{and}ownership, perms or SE linux context changed", saved.message);
            saved.changed = true;
        }
        Ok(saved)
    }

    /// The list of two diffs, content and attributes, that Ansible prints.
    pub(super) fn diff(&self, cx: &Context<'_>, after: &str, attributes: &AttributeDiff) -> Value {
        let (before, after) = if cx.wants_diff() { (self.text(), after) } else { ("", "") };
        let header = |what: &str| format!("{} ({what})", self.shown);
        let content = json!({"before": before, "after": after, "before_header": header("content"), "after_header": header("content")});
        if cx.check() && self.before.is_none() {
            return content;
        }
        let mut attribute = Map::new();
        if !attributes.before.is_empty() {
            attribute.insert("before".into(), json!(attributes.before));
            attribute.insert("after".into(), json!(attributes.after));
        }
        attribute.insert("before_header".into(), json!(header("file attributes")));
        attribute.insert("after_header".into(), json!(header("file attributes")));
        json!([content, attribute])
    }
}

fn make_parents(cx: &mut Context<'_>, path: &Path) -> Result<(), Failure> {
    let mut missing = vec![];
    for dir in path.ancestors().skip(1) {
        if dir.as_os_str().is_empty() || cx.stat(dir)?.is_some() {
            break;
        }
        missing.push(dir.to_owned());
    }
    for path in missing.into_iter().rev() {
        let shown = path.display().to_string();
        let failed = |failure: Failure| Failure { msg: format!("Error creating {shown} ({})", failure.msg), ..failure };
        cx.apply(Change::Dir { path, mode: None, uid: None, gid: None }).map_err(failed)?;
    }
    Ok(())
}

/// Lines with their ends; only a line feed ends one.
pub(super) fn lines(text: &str) -> Vec<String> {
    text.split_inclusive('\n').map(str::to_owned).collect()
}
