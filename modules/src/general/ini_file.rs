//! `ini_file`: one option in a section of an INI file. The edit itself is in `ini_edit.rs`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::ini_edit::{Condition, Edit, edit};
use crate::args::Args;
use crate::attributes::{AttributeDiff, Attributes};
use crate::change::{Change, Content};
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::spec::{Arg, Kind, Preset, Spec};
use crate::write::Write;

/// The module.
pub struct IniFile;

impl Module for IniFile {
    const SPEC: Spec = Spec {
        file_args: true,
        mutually_exclusive: &[&["value", "values"]],
        ..Spec::new(
            "ini_file",
            "Sets and removes options and sections of INI files.",
            &[
                Arg::path("path", "The file.").alias(&["dest"]).required(),
                Arg::str("section", "The section; without it the lines before the first one."),
                Arg {
                    options: &[
                        Arg::str("option", "An option that the section must have.").required(),
                        Arg::str("value", "Its value."),
                        Arg::list("values", Kind::Str, "Its values, one of which it must have."),
                    ],
                    ..Arg::list("section_has_values", Kind::Dict, "Which of several sections of that name: the one with these options.")
                },
                Arg::str("option", "The option; without it the whole section."),
                Arg::str("value", "Its value."),
                Arg::list("values", Kind::Str, "Its values, one line for each."),
                Arg::flag("backup", false, "Keep the old file under another name."),
                Arg::str("state", "Whether it shall be there.").choices(&["absent", "present"]).default(Preset::Str("present")),
                Arg::flag("exclusive", true, "Remove other lines of the option."),
                Arg::flag("no_extra_spaces", false, "Write `option=value` without spaces."),
                Arg::flag("ignore_spaces", false, "Leave a line that differs only in spaces."),
                Arg::flag("allow_no_value", false, "Allow an option without a value."),
                Arg::flag("modify_inactive_option", true, "Take a line that is commented out for the option's."),
                Arg::flag("create", true, "Make a file that is absent."),
                Arg::flag("follow", false, "Write behind a symbolic link, not over it."),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let wanted = wanted(args)?;
        let shown = args.text("path");
        let given = Path::new(shown);
        let path = if args.flag("follow") { cx.real_path(given) } else { given.to_owned() };
        let before = match cx.stat(&path)? {
            Some(_) => Some(cx.read_text(&path)?),
            None if !args.flag("create") => return Err(Failure::new(format!("Destination {} does not exist!", path.display())).with("rc", 257)),
            None => None,
        };
        let text = before.as_ref().map_or_else(String::new, |text| universal(&text.content));
        let done = edit(&text, wanted);
        let attributes = Attributes::from_args(args, cx)?;
        let mut backup = None;
        let mut changed = done.changed;
        if done.changed {
            make_parents(cx, &path)?;
            let bytes = before.as_ref().map_or_else(|| done.text.as_bytes().to_vec(), |before| before.bytes(&done.text));
            let write = Write { path: &path, content: Content::Bytes(bytes), attributes: &attributes, backup: args.flag("backup"), validate: None };
            backup = cx.write(write)?.backup;
        } else {
            changed |= cx.set_attributes(&path, &attributes, &mut AttributeDiff::default())?;
        }
        let outcome = Outcome::new(changed).msg(done.msg).with("path", shown).with("diff", diff(cx, shown, &text, &done.text));
        Ok(outcome.maybe("backup_file", backup.map(|path| path.to_string_lossy().into_owned())))
    }
}

fn wanted(args: &Args) -> Result<Edit, Failure> {
    let text = |name: &str| args.str(name).map(str::to_owned);
    if args.text("state") == "present" && !args.flag("allow_no_value") && !args.has("value") && args.list("values").is_empty() {
        return Err("Parameter 'value(s)' must be defined if state=present and allow_no_value=False.".into());
    }
    let mut values: Vec<String> = vec![];
    for value in text("value").map_or_else(|| args.texts("values"), |value| vec![value]) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    let conditions = args.list("section_has_values").iter().map(|condition| {
        let inner = Args(condition.as_object().cloned().unwrap_or_default());
        if inner.has("value") && inner.has("values") {
            return Err(Failure::new("parameters are mutually exclusive: value|values found in section_has_values"));
        }
        let values = inner.str("value").map_or_else(|| inner.texts("values"), |value| vec![value.to_owned()]);
        Ok(Condition { option: inner.text("option").to_owned(), values })
    });
    Ok(Edit {
        section: text("section").filter(|section| !section.is_empty()),
        conditions: conditions.collect::<Result<_, Failure>>()?,
        option: text("option").filter(|option| !option.is_empty()),
        values,
        present: args.text("state") == "present",
        exclusive: args.flag("exclusive"),
        tight: args.flag("no_extra_spaces"),
        ignore_spaces: args.flag("ignore_spaces"),
        no_value: args.flag("allow_no_value"),
        inactive: args.flag("modify_inactive_option"),
    })
}

/// Text with plain line ends and without a byte order mark.
fn universal(text: &str) -> String {
    text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n")
}

fn diff(cx: &Context<'_>, path: &str, before: &str, after: &str) -> Value {
    let (before, after) = if cx.wants_diff() { (before, after) } else { ("", "") };
    let header = format!("{path} (content)");
    json!({"before": before, "after": after, "before_header": header, "after_header": header})
}

fn make_parents(cx: &mut Context<'_>, path: &Path) -> Result<(), Failure> {
    let mut missing: Vec<PathBuf> = vec![];
    for dir in path.ancestors().skip(1).filter(|dir| !dir.as_os_str().is_empty()) {
        if cx.stat(dir)?.is_some() {
            break;
        }
        missing.push(dir.to_owned());
    }
    for path in missing.into_iter().rev() {
        cx.apply(Change::Dir { path, mode: None, uid: None, gid: None })?;
    }
    Ok(())
}
