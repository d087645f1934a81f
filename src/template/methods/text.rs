//! Python's methods of text, as functions and as the method table.

use std::sync::Arc;

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{clamp_index, elements, flag_or, given, index_or, str_argument, to_index};
use crate::value::{Fault, Value};

use super::braces;

/// Python's white space.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// `str.capitalize`.
pub fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars.as_str().to_lowercase().chars()).collect())
}

/// `str.strip`, `lstrip`, `rstrip`.
pub fn strip<'t>(text: &'t str, chars: Option<&str>, left: bool, right: bool) -> &'t str {
    let stripped = |c: char| chars.map_or_else(|| is_space(c), |chars| chars.contains(c));
    let text = if left { text.trim_start_matches(stripped) } else { text };
    if right { text.trim_end_matches(stripped) } else { text }
}

/// `str.replace`; a negative count is all.
pub fn replace(text: &str, old: &str, new: &str, count: i128) -> String {
    if count < 0 { text.replace(old, new) } else { text.replacen(old, new, usize::try_from(count).unwrap_or(usize::MAX)) }
}

/// `str.splitlines`.
pub fn splitlines(text: &str, keep_ends: bool) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some((at, c)) =
        rest.char_indices().find(|(_, c)| matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'))
    {
        let width = if rest[at..].starts_with("\r\n") { 2 } else { c.len_utf8() };
        lines.push(&rest[..if keep_ends { at + width } else { at }]);
        rest = &rest[at + width..];
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// `str.split`; without a separator, runs of white space separate. A negative `max` is no limit.
///
/// # Errors
/// An empty separator.
pub fn split(text: &str, separator: Option<&str>, max: i128) -> Result<Value, Fault> {
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let parts: Vec<&str> = match separator {
        Some("") => return Err(Fault::error("empty separator")),
        Some(separator) => text.splitn(max.saturating_add(1), separator).collect(),
        None => {
            let mut parts = Vec::new();
            let mut rest = text.trim_start_matches(is_space);
            while !rest.is_empty() {
                let at = if parts.len() == max { None } else { rest.find(is_space) };
                let (part, after) = at.map_or((rest, ""), |at| rest.split_at(at));
                parts.push(if parts.len() == max { part } else { part.trim_end_matches(is_space) });
                rest = after.trim_start_matches(is_space);
            }
            parts
        }
    };
    Ok(Value::list(parts.into_iter().map(Value::from).collect()))
}

/// `str.rsplit`.
///
/// # Errors
/// An empty separator.
fn rsplit(text: &str, separator: Option<&str>, max: i128) -> Result<Value, Fault> {
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let mut parts: Vec<&str> = match separator {
        Some("") => return Err(Fault::error("empty separator")),
        Some(separator) => text.rsplitn(max.saturating_add(1), separator).collect(),
        None => {
            let mut parts = Vec::new();
            let mut rest = text.trim_end_matches(is_space);
            while !rest.is_empty() {
                let at = if parts.len() == max { None } else { rest.char_indices().rev().find(|(_, c)| is_space(*c)) };
                let (before, part) = at.map_or(("", rest), |(at, c)| (&rest[..at], &rest[at + c.len_utf8()..]));
                parts.push(part);
                rest = before.trim_end_matches(is_space);
            }
            parts
        }
    };
    parts.reverse();
    Ok(Value::list(parts.into_iter().map(Value::from).collect()))
}

/// `str.center`, Python's way of rounding included.
pub fn center(text: &str, width: i128, fill: char) -> String {
    let len = text.chars().count() as i128;
    let pad = (width - len).max(0);
    let left = pad / 2 + (pad & width & 1);
    let of = |n: i128| fill.to_string().repeat(n as usize);
    format!("{}{text}{}", of(left), of(pad - left))
}

/// `str.title`: a letter after anything that is no letter is a capital.
fn title(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase())
        } else {
            out.extend(c.to_uppercase())
        }
        inside = c.is_alphabetic();
    }
    out
}

fn swapcase(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_uppercase() { c.to_lowercase().collect::<Vec<_>>() } else { c.to_uppercase().collect() }).collect()
}

fn zfill(text: &str, width: i128) -> String {
    let missing = (width - text.chars().count() as i128).max(0) as usize;
    let (sign, digits) = if text.starts_with(['+', '-']) { text.split_at(1) } else { ("", text) };
    format!("{sign}{}{digits}", "0".repeat(missing))
}

fn expandtabs(text: &str, size: i128) -> String {
    let size = usize::try_from(size).unwrap_or(0);
    let mut out = String::new();
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' if size > 0 => {
                let width = size - column % size;
                out.push_str(&" ".repeat(width));
                column += width;
            }
            '\t' => {}
            '\n' | '\r' => {
                out.push(c);
                column = 0;
            }
            c => {
                out.push(c);
                column += 1;
            }
        }
    }
    out
}

/// `islower` and `isupper`: some letter has case, and none has the other.
pub fn has_only_case(text: &str, upper: bool) -> bool {
    let (wanted, other): (fn(char) -> bool, fn(char) -> bool) =
        if upper { (char::is_uppercase, char::is_lowercase) } else { (char::is_lowercase, char::is_uppercase) };
    text.chars().any(wanted) && !text.chars().any(other)
}

fn is_title(text: &str) -> bool {
    let (mut inside, mut seen) = (false, false);
    for c in text.chars() {
        match (c.is_uppercase(), c.is_lowercase()) {
            (true, _) if inside => return false,
            (_, true) if !inside => return false,
            (upper, lower) => {
                inside = upper || lower;
                seen |= inside;
            }
        }
    }
    seen
}

fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_') && chars.all(|c| c.is_alphanumeric() || c == '_')
}

/// A method of text; `None` when there is none of that name.
///
/// # Errors
/// As Python's.
pub fn call(text: &Arc<str>, name: &str, args: Arguments, env: &dyn Env) -> Result<Option<Value>, Fault> {
    if let Some(answer) = question(text, name) {
        args.none_named(&format!("str.{name}"))?;
        return Ok(Some(answer.into()));
    }
    if let Some(made) = transformed(text, name) {
        args.none_named(&format!("str.{name}"))?;
        return Ok(Some(made.into()));
    }
    Ok(Some(match name {
        "strip" | "lstrip" | "rstrip" => {
            let [chars] = args.bind(signature("strip", 0, 0), ["chars"])?;
            let chars = given(chars).map(|chars| str_argument(&chars, &format!("{name} arg"))).transpose()?;
            strip(text, chars.as_deref(), name != "rstrip", name != "lstrip").into()
        }
        "split" | "rsplit" => {
            let [separator, max] = args.bind(signature("split", 0, 0), ["sep", "maxsplit"])?;
            let separator = given(separator).map(|separator| str_argument(&separator, "sep")).transpose()?;
            let max = index_or(max.as_ref(), -1)?;
            if name == "split" { split(text, separator.as_deref(), max)? } else { rsplit(text, separator.as_deref(), max)? }
        }
        "splitlines" => {
            let [keep] = args.bind(signature("splitlines", 0, 0), ["keepends"])?;
            Value::list(splitlines(text, flag_or(keep.as_ref(), false)?).into_iter().map(Value::from).collect())
        }
        "partition" | "rpartition" => partition(text, args, name)?,
        "startswith" | "endswith" => edge(text, args, name)?,
        "removeprefix" | "removesuffix" => {
            let [part] = args.bind(signature("removeprefix", 0, 1), ["part"])?;
            let part = str_argument(&part.unwrap_or(Value::Null), &format!("{name}() argument"))?;
            let rest = if name == "removeprefix" { text.strip_prefix(&*part) } else { text.strip_suffix(&*part) };
            rest.unwrap_or(text).into()
        }
        "find" | "rfind" | "index" | "rindex" | "count" => search(text, args, name)?,
        "replace" => {
            at_least(name, &args, 2)?;
            let [old, new, count] = args.bind(signature("replace", 0, 2), ["old", "new", "count"])?;
            let (old, new) =
                (str_argument(&old.unwrap_or(Value::Null), "replace() argument 1")?, str_argument(&new.unwrap_or(Value::Null), "replace() argument 2")?);
            replace(text, &old, &new, index_or(count.as_ref(), -1)?).into()
        }
        "center" | "ljust" | "rjust" => justify(text, args, name)?,
        "zfill" => {
            let [width] = args.bind(signature("zfill", 0, 1), ["width"])?;
            zfill(text, to_index(&width.unwrap_or(Value::Null))?).into()
        }
        "expandtabs" => {
            let [size] = args.bind(signature("expandtabs", 0, 0), ["tabsize"])?;
            expandtabs(text, index_or(size.as_ref(), 8)?).into()
        }
        "join" => {
            let [items] = args.bind(signature("join", 0, 1), ["iterable"])?;
            join(text, &elements(&items.unwrap_or(Value::Null), env)?)?
        }
        "encode" => encode(text, args)?,
        "format" => braces::format(text, &args.positional, &args.named, env)?.into(),
        "format_map" => {
            let [map] = args.bind(signature("format_map", 0, 1), ["mapping"])?;
            let dict = crate::template::coerce::to_dict(&map.unwrap_or(Value::Null))?.unwrap_or_default();
            let named: Vec<(String, Value)> = dict.into_iter().map(|(key, value)| (key.as_str().unwrap_or_default().to_string(), value)).collect();
            braces::format(text, &[], &named, env)?.into()
        }
        _ => return Ok(None),
    }))
}

/// The complaint of a method of C about too few arguments.
fn at_least(name: &str, args: &Arguments, least: usize) -> Result<(), Fault> {
    let given = args.positional.len();
    if given >= least || !args.named.is_empty() { Ok(()) } else { Err(Fault::error(format!("{name} expected at least {least} arguments, got {given}"))) }
}

fn question(text: &str, name: &str) -> Option<bool> {
    let all = |test: fn(char) -> bool| !text.is_empty() && text.chars().all(test);
    Some(match name {
        "isalpha" => all(char::is_alphabetic),
        "isalnum" => all(char::is_alphanumeric),
        "isdigit" | "isdecimal" => all(|c| c.is_numeric() && c.is_ascii_digit() || (!c.is_ascii() && c.is_ascii_digit())),
        "isnumeric" => all(char::is_numeric),
        "isspace" => all(is_space),
        "isascii" => text.is_ascii(),
        "islower" => has_only_case(text, false),
        "isupper" => has_only_case(text, true),
        "istitle" => is_title(text),
        "isidentifier" => is_identifier(text),
        "isprintable" => text.chars().all(|c| !c.is_control() && (c == ' ' || !c.is_whitespace())),
        _ => return None,
    })
}

fn transformed(text: &str, name: &str) -> Option<String> {
    Some(match name {
        "lower" => text.to_lowercase(),
        "casefold" => text.to_lowercase().replace('ß', "ss"),
        "upper" => text.to_uppercase(),
        "capitalize" => capitalize(text),
        "title" => title(text),
        "swapcase" => swapcase(text),
        _ => return None,
    })
}

fn partition(text: &str, args: Arguments, name: &str) -> Result<Value, Fault> {
    let [separator] = args.bind(signature("partition", 0, 1), ["sep"])?;
    let separator = str_argument(&separator.unwrap_or(Value::Null), "sep")?;
    if separator.is_empty() {
        return Err(Fault::error("empty separator"));
    }
    let first = name == "partition";
    let parts = match if first { text.split_once(&*separator) } else { text.rsplit_once(&*separator) } {
        Some((before, after)) => [before, &separator, after],
        None if first => [text, "", ""],
        None => ["", "", text],
    };
    Ok(Value::Tuple(parts.into_iter().map(Value::from).collect::<Vec<_>>().into()))
}

/// The part of the text that optional start and end (in characters) leave, and the start.
fn window<'t>(text: &'t str, start: Option<&Value>, end: Option<&Value>) -> Result<(usize, Option<&'t str>), Fault> {
    let len = text.chars().count();
    let start_given = start.map_or(Ok(0), to_index)?;
    let (from, to) = (clamp_index(start_given, len), clamp_index(index_or(end, len as i128)?, len));
    if from > to || start_given > len as i128 {
        return Ok((from, None));
    }
    let byte = |n: usize| text.char_indices().nth(n).map_or(text.len(), |(at, _)| at);
    Ok((from, Some(&text[byte(from)..byte(to)])))
}

fn edge(text: &str, args: Arguments, name: &str) -> Result<Value, Fault> {
    let [part, start, end] = args.bind(signature("startswith", 0, 1), ["part", "start", "end"])?;
    let (_, inside) = window(text, given(start).as_ref(), given(end).as_ref())?;
    let fits = |part: &Value| -> Result<bool, Fault> {
        let Value::Str(part) = part else {
            return Err(Fault::error(format!("{name} first arg must be str or a tuple of str, not {}", part.type_name())));
        };
        Ok(inside.is_some_and(|inside| if name == "startswith" { inside.starts_with(&**part) } else { inside.ends_with(&**part) }))
    };
    match part.unwrap_or(Value::Null) {
        Value::Tuple(parts) => {
            for part in parts.iter() {
                if fits(part)? {
                    return Ok(true.into());
                }
            }
            Ok(false.into())
        }
        part => fits(&part).map(Value::from),
    }
}

fn search(text: &str, args: Arguments, name: &str) -> Result<Value, Fault> {
    let [part, start, end] = args.bind(signature("find", 0, 1), ["sub", "start", "end"])?;
    let part = str_argument(&part.unwrap_or(Value::Null), &format!("{name}() argument 1"))?;
    let (from, inside) = window(text, given(start).as_ref(), given(end).as_ref())?;
    if name == "count" {
        return Ok(inside.map_or(0, |inside| inside.matches(&*part).count()).into());
    }
    let at = inside.and_then(|inside| {
        let byte = if name.starts_with('r') { inside.rfind(&*part) } else { inside.find(&*part) }?;
        Some(from + inside[..byte].chars().count())
    });
    match at {
        Some(at) => Ok(at.into()),
        None if name.ends_with("find") => Ok(Value::Int(-1)),
        None => Err(Fault::error("substring not found")),
    }
}

fn justify(text: &str, args: Arguments, name: &str) -> Result<Value, Fault> {
    let [width, fill] = args.bind(signature("center", 0, 1), ["width", "fillchar"])?;
    let width = to_index(&width.unwrap_or(Value::Null))?;
    let fill = fill.map_or(Ok(" ".into()), |fill| str_argument(&fill, "the fill character"))?;
    let mut chars = fill.chars();
    let (Some(fill), None) = (chars.next(), chars.next()) else {
        return Err(Fault::error("The fill character must be exactly one character long"));
    };
    let pad = fill.to_string().repeat((width - text.chars().count() as i128).max(0) as usize);
    Ok(match name {
        "ljust" => format!("{text}{pad}").into(),
        "rjust" => format!("{pad}{text}").into(),
        _ => center(text, width, fill).into(),
    })
}

fn join(separator: &str, items: &[Value]) -> Result<Value, Fault> {
    let mut out = String::new();
    for (i, item) in items.iter().enumerate() {
        let Value::Str(part) = item else {
            return Err(Fault::error(format!("sequence item {i}: expected str instance, {} found", item.type_name())));
        };
        if i > 0 {
            out.push_str(separator);
        }
        out.push_str(part);
    }
    Ok(out.into())
}

fn encode(text: &str, args: Arguments) -> Result<Value, Fault> {
    let [encoding, _errors] = args.bind(signature("encode", 0, 0), ["encoding", "errors"])?;
    let encoding = encoding.map_or(Ok("utf-8".into()), |encoding| str_argument(&encoding, "encode() argument 'encoding'"))?;
    Ok(Value::Bytes(super::bytes::encode(text, &encoding)?.into()))
}
