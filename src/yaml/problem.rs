//! What the parser complains about, told to people: its words, the place, and the cure for the classic mistakes.

use std::sync::Arc;

use super::events::Problem;
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// The diagnostic for a problem.
pub(super) fn explain(source: &Arc<Source>, problem: &Problem) -> Diagnostic {
    let line = source.line(source.position(problem.at).line);
    let opened = problem.context.as_ref().map(|(_, at)| source.line(source.position(*at).line));
    let at = |offset: usize| Span::new(source, offset, offset);
    let found = match &problem.context {
        // The end of the file says nothing, the quote that was opened does.
        Some((context, opened)) if is_open_quote(problem) => Diagnostic::error(problem.message.clone()).at(&at(*opened)).note(context.clone()),
        _ => Diagnostic::error(problem.message.clone()).at(&at(problem.at)),
    };
    let found = match &problem.context {
        Some(_) if is_open_quote(problem) => found,
        Some((context, at)) if *at != problem.at => found.note_at(context.clone(), &Span::new(source, *at, *at)),
        Some((context, _)) => found.note(context.clone()),
        None => found,
    };
    match cure(source, problem, line, opened) {
        Some(help) => found.help(help),
        None => found,
    }
}

fn is_open_quote(problem: &Problem) -> bool {
    problem.message.contains("unexpected end of stream") && problem.context.as_ref().is_some_and(|(context, _)| context.contains("quoted scalar"))
}

fn cure(source: &Arc<Source>, problem: &Problem, line: &str, opened: Option<&str>) -> Option<String> {
    let at = source.text[problem.at..].chars().next();
    let message = problem.message.as_str();
    let context = problem.context.as_ref().map_or("", |(context, _)| context.as_str());
    if let Some(help) = unquoted_template(line).or_else(|| opened.and_then(unquoted_template)) {
        return Some(help);
    }
    if at == Some('\t') || message.contains("tab character") || line.trim_start_matches(' ').starts_with('\t') {
        return Some("YAML is indented with spaces, this is a tab".into());
    }
    if message.contains("cannot start any token") {
        return at.map(|c| format!("did you forget quotes? a plain value cannot begin with `{c}`"));
    }
    if is_open_quote(problem) {
        return Some("this quote is never closed; did you forget one?".into());
    }
    if message.contains("escape character") || message.contains("hexdecimal") {
        return Some("in double quotes a backslash begins an escape: write it twice, or use single quotes".into());
    }
    if message.contains("undefined alias") || context.contains("scanning an alias") {
        return Some("did you forget quotes? a plain value that begins with `*` refers to an anchor".into());
    }
    if message.contains("mapping values are not allowed") {
        return Some(unquoted_colon(line, opened));
    }
    if let Some(help) = quote_inside(line).or_else(|| opened.and_then(quote_inside)) {
        return Some(help);
    }
    if message.contains("could not find expected ':'") {
        return Some(missing_space(opened.unwrap_or(line)).unwrap_or_else(|| "is a `:` missing behind the key, or is the line indented wrongly?".into()));
    }
    if message.contains("did not find expected key") || message.contains("did not find expected '-' indicator") {
        return Some("check the indentation: this line does not fit what it stands in".into());
    }
    if message.contains("expected ',' or") {
        return Some("is a bracket or a comma missing?".into());
    }
    None
}

/// The value of a line `key: value` or `- value`, without the key.
fn value_of(line: &str) -> &str {
    let mut rest = line.trim();
    while let Some(after) = rest.strip_prefix("- ") {
        rest = after.trim_start();
    }
    let key_end = rest.find(": ").filter(|end| !rest[..*end].contains(['"', '\'', '{', '['])).map_or(0, |end| end + 2);
    rest[key_end..].trim()
}

fn unquoted_template(line: &str) -> Option<String> {
    let value = value_of(line);
    (value.starts_with("{{") || value.starts_with("{%")).then(|| {
        let quote = if value.contains('"') { '\'' } else { '"' };
        format!("did you forget quotes around the template? write {quote}{value}{quote}")
    })
}

fn unquoted_colon(line: &str, opened: Option<&str>) -> String {
    let value = value_of(line);
    if value.contains(": ") || value.ends_with(':') {
        let quote = if value.contains('"') { '\'' } else { '"' };
        return format!("did you forget quotes? a colon and a space begin a new value: write {quote}{value}{quote}");
    }
    opened.and_then(missing_space).unwrap_or_else(|| "check the indentation of this line and the one before".into())
}

/// `"foo" in bar`: a value that begins with a quote ends with it.
fn quote_inside(line: &str) -> Option<String> {
    let value = value_of(line);
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner = &value[1..];
    let end = inner.find(quote)?;
    let rest = inner[end + 1..].trim();
    if rest.is_empty() || rest.starts_with('#') || rest.starts_with(':') {
        return None;
    }
    let other = if quote == '"' { '\'' } else { '"' };
    let fixed = if value.contains(other) { String::new() } else { format!(": write {other}{value}{other}") };
    Some(format!("the value ends with its second quote; did you forget quotes around the whole{fixed}"))
}

/// `name:value`
fn missing_space(line: &str) -> Option<String> {
    let rest = line.trim().trim_start_matches("- ").trim_start();
    let colon = rest.find(':')?;
    let (key, value) = (&rest[..colon], &rest[colon + 1..]);
    let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    (plain && !value.is_empty() && !value.starts_with([' ', '/'])).then(|| format!("is a space missing behind the colon? write `{key}: {value}`"))
}
