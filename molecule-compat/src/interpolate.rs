//! Variables of the environment in `molecule.yml`: `$X`, `${X}`, `${X:-default}`, `${X-default}`, and `$$` for a dollar.
//!
//! As in Molecule, a default after a bare `$X-` goes on to the next `}` or to the end of the file; write braces.

use std::collections::BTreeMap;

use crate::failure::{Complaint, Failure, Place, Result};

/// A dollar that begins nothing: the place in the text, in lines and columns from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invalid {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// Puts variables into a text. Names that begin with `keep` stay, as `$NAME`.
pub fn interpolate(text: &str, env: &BTreeMap<String, String>, keep: Option<&str>) -> std::result::Result<String, Invalid> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
            continue;
        }
        let Some((reference, tail)) = reference(after) else {
            return Err(place(text, text.len() - rest.len() + at));
        };
        out.push_str(&resolve(reference, env, keep));
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

/// The same for a file: a bad reference becomes a complaint with its place.
pub fn file(text: &str, path: &std::path::Path, env: &BTreeMap<String, String>, keep: Option<&str>) -> Result<String> {
    interpolate(text, env, keep).map_err(|invalid| {
        let place = Place { file: path.to_path_buf(), line: invalid.line, column: invalid.column };
        Failure::from(Complaint::at(place, "`$` begins no variable here").help("write $$ for a dollar, ${NAME} or ${NAME:-default} for a variable"))
    })
}

/// What stands behind a dollar, and what comes after it.
fn reference(text: &str) -> Option<(&str, &str)> {
    if let Some(inner) = text.strip_prefix('{') {
        let end = name(inner)?;
        return inner[end..].starts_with('}').then(|| (&inner[..end], &inner[end + 1..]));
    }
    let end = name(text)?;
    Some((&text[..end], &text[end..]))
}

/// Length of a name with its default, if the text begins with one.
fn name(text: &str) -> Option<usize> {
    let letter = |c: char| c == '_' || c.is_ascii_alphabetic();
    text.chars().next().filter(|c| letter(*c))?;
    let end = text.find(|c: char| !letter(c) && !c.is_ascii_digit()).unwrap_or(text.len());
    let behind = &text[end..];
    let dash = if behind.starts_with(":-") { 2 } else { usize::from(behind.starts_with('-')) };
    let default = behind.get(dash..).map_or(0, |default| default.find('}').unwrap_or(default.len()));
    Some(if dash > 0 && default > 0 { end + dash + default } else { end })
}

fn resolve(reference: &str, env: &BTreeMap<String, String>, keep: Option<&str>) -> String {
    if keep.is_some_and(|keep| reference.starts_with(keep)) {
        return format!("${reference}");
    }
    let default = |text: &str| match text.strip_prefix('$') {
        Some(name) => env.get(name).cloned().unwrap_or_default(),
        None => text.to_string(),
    };
    if let Some((name, other)) = reference.split_once(":-") {
        return env.get(name).filter(|value| !value.is_empty()).cloned().unwrap_or_else(|| default(other));
    }
    if let Some((name, other)) = reference.split_once('-') {
        return env.get(name).cloned().unwrap_or_else(|| default(other));
    }
    env.get(reference).cloned().unwrap_or_default()
}

fn place(text: &str, at: usize) -> Invalid {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    Invalid { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
}
