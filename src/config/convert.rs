//! The text of a setting to its value, as Ansible converts it.

use std::path::{Path, PathBuf};

use super::paths::Places;
use super::settings::Kind;
use crate::value::Value;

/// Where a text came from, as far as it matters for its meaning.
pub struct Context<'a> {
    /// What paths may refer to.
    pub places: &'a Places,
    /// Folder of relative paths.
    pub base: PathBuf,
    /// Quotes around text are only taken off in a file.
    pub unquote: bool,
}

/// The value of a text, or `None` when it is not of that type.
pub fn convert(text: &str, kind: Kind, cx: &Context) -> Option<Value> {
    let path = |text: &str| Value::Str(cx.places.complete(text, &cx.base).to_string_lossy().into());
    let bare = |text: &str| if cx.unquote { unquote(text).to_string() } else { text.to_string() };
    Some(match kind {
        Kind::Str => Value::Str(bare(text).into()),
        Kind::Bool => Value::Bool(truth(text).unwrap_or(false)),
        Kind::Int => Value::Int(whole(text)?),
        Kind::Float => Value::Float(text.trim().parse().ok()?),
        Kind::List => Value::list(text.split(',').map(|item| Value::Str(unquote(item.trim()).into())).collect()),
        Kind::Path => path(&bare(text)),
        Kind::PathList => Value::list(text.split(',').map(|item| path(item.trim())).collect()),
        Kind::PathSpec => Value::list(text.split(':').map(|item| path(item.trim())).collect()),
    })
}

/// What Ansible's `bool` makes of a word; `None` for a word that is neither.
pub fn truth(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
        "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
        _ => None,
    }
}

/// A whole number, also written as `5.0` or `1e3`.
fn whole(text: &str) -> Option<i128> {
    let text = text.trim().replace('_', "");
    if let Ok(n) = text.parse() {
        return Some(n);
    }
    let float: f64 = text.parse().ok()?;
    (float.fract() == 0.0 && float.abs() < 1e15).then_some(float as i128)
}

/// The text without the quotes around it.
pub fn unquote(text: &str) -> &str {
    let quoted = |q| text.len() > 1 && text.starts_with(q) && text.ends_with(q) && !text.ends_with(&format!("\\{q}"));
    if quoted('"') || quoted('\'') { &text[1..text.len() - 1] } else { text }
}

/// The folder that relative paths of a file are relative to.
pub fn folder(file: &Path) -> PathBuf {
    file.parent().map_or_else(|| PathBuf::from("/"), Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::value::repr;

    #[test]
    fn every_kind() {
        let places = Places::new(&BTreeMap::new(), Path::new("/cwd"));
        let cx = Context { places: &places, base: "/base".into(), unquote: true };
        for (kind, text, expected) in [
            (Kind::Str, "'a b'", "'a b'"),
            (Kind::Bool, "Yes", "True"),
            (Kind::Bool, "flase", "False"),
            (Kind::Int, "5.0", "5"),
            (Kind::Int, "5.5", "-"),
            (Kind::Int, "x", "-"),
            (Kind::Float, "2", "2.0"),
            (Kind::List, "a, 'b,c' , ", "['a', \"'b\", \"c'\", '']"),
            (Kind::Path, "a", "'/base/a'"),
            (Kind::PathList, "a, /b", "['/base/a', '/b']"),
            (Kind::PathSpec, "a:/b", "['/base/a', '/b']"),
        ] {
            assert_eq!(convert(text, kind, &cx).map_or("-".to_string(), |v| repr(&v)), expected, "{text}");
        }
    }
}
