//! Diffs as Ansible prints them.

use similar::TextDiff;

use super::Colors;
use super::clean::json;
use crate::value::{Dict, Value, text};

/// The text of a result's `diff`; empty when there is nothing to show.
pub(super) fn render(diff: &Value, context: usize, colors: &Colors) -> String {
    let parts: Vec<&Value> = match diff.as_slice() {
        Some(items) => items.iter().collect(),
        None => vec![diff],
    };
    parts.into_iter().filter_map(Value::as_dict).map(|diff| one(diff, context, colors)).collect()
}

fn one(diff: &Dict, context: usize, colors: &Colors) -> String {
    let mut out = String::new();
    for (key, what) in [("dst_binary", "destination file appears to be binary"), ("src_binary", "source file appears to be binary")] {
        if diff.contains_key(key) {
            out.push_str(&format!("diff skipped: {what}\n"));
        }
    }
    for (key, what) in [("dst_larger", "destination file size is greater than"), ("src_larger", "source file size is greater than")] {
        if let Some(size) = diff.get(key) {
            out.push_str(&format!("diff skipped: {what} {}\n", text(size)));
        }
    }
    if let (Some(before), Some(after)) = (diff.get("before"), diff.get("after")) {
        out.push_str(&of_sides(before, after, diff, context, colors));
    }
    if let Some(prepared) = diff.get("prepared") {
        out.push_str(&text(prepared));
    }
    out
}

fn side(value: &Value) -> String {
    match value {
        Value::Dict(_) => format!("{}\n", json(value, true)),
        Value::Null => String::new(),
        other => text(other),
    }
}

fn of_sides(before: &Value, after: &Value, diff: &Dict, context: usize, colors: &Colors) -> String {
    let (before, after) = (side(before), side(after));
    let header = |key: &str, word: &str| match diff.get(key).map(text).filter(|name| !name.is_empty()) {
        Some(name) => format!("{word}: {name}"),
        None => word.to_string(),
    };
    let (from, to) = (header("before_header", "before"), header("after_header", "after"));
    unified(&before, &after, (&from, &to), context, colors)
}

/// Two texts as a unified diff with these headings, painted; nothing when they are equal.
pub fn unified(before: &str, after: &str, headings: (&str, &str), context: usize, colors: &Colors) -> String {
    if before == after {
        return String::new();
    }
    let text_diff = TextDiff::from_lines(before, after);
    let shown = text_diff.unified_diff().context_radius(context).header(headings.0, headings.1).missing_newline_hint(true).to_string();
    let mut out = String::new();
    for line in shown.lines() {
        let line = if line.starts_with("\\ No newline") { "\\ No newline at end of file" } else { line };
        let kind = match line.as_bytes().first() {
            Some(b'+') => "diff_add",
            Some(b'-') => "diff_remove",
            Some(b'@') => "diff_lines",
            _ => "",
        };
        out.push_str(&if kind.is_empty() { line.to_string() } else { colors.paint(kind, line) });
        out.push('\n');
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_has_ansibles_headers() {
        let diff = Value::from_iter([
            ("before".into(), "a\nb\n".into()),
            ("after".into(), "a\nc\n".into()),
            ("before_header".into(), "/x".into()),
            ("after_header".into(), "/y".into()),
        ]);
        let shown = render(&diff, 3, &Colors::new(false, Vec::new()));
        assert_eq!(shown, "--- before: /x\n+++ after: /y\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n\n");
    }
}
