//! Jinja's filters over text.

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{elements, flag_or, given, index_or, str_argument, to_dict, to_list, to_text};
use crate::template::methods::{printf, text as py};
use crate::value::{Dict, Fault, Key, Value};

/// `lower`.
///
/// # Errors
/// A part has no value.
pub fn lower(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("do_lower")?;
    Ok(to_text(&input)?.to_lowercase().into())
}

/// `upper`.
///
/// # Errors
/// A part has no value.
pub fn upper(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("do_upper")?;
    Ok(to_text(&input)?.to_uppercase().into())
}

/// `capitalize`.
///
/// # Errors
/// A part has no value.
pub fn capitalize(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("do_capitalize")?;
    Ok(py::capitalize(&to_text(&input)?).into())
}

/// `title`: a letter after white space, `-`, `(`, `{`, `[` or `<` is a capital.
///
/// # Errors
/// A part has no value.
pub fn title(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("do_title")?;
    let mut out = String::new();
    let mut begins = true;
    for c in to_text(&input)?.chars() {
        if begins {
            out.extend(c.to_uppercase())
        } else {
            out.extend(c.to_lowercase())
        }
        begins = c.is_whitespace() || "-({[<".contains(c);
    }
    Ok(out.into())
}

/// `string`.
///
/// # Errors
/// A part has no value.
pub fn string(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("soft_str")?;
    Ok(Value::Str(to_text(&input)?))
}

/// `trim`.
///
/// # Errors
/// A part has no value.
pub fn trim(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [chars] = args.bind(signature("do_trim", 1, 0), ["chars"])?;
    let chars = given(chars).map(|chars| str_argument(&chars, "").map_err(|_| Fault::error("strip arg must be None or str"))).transpose()?;
    Ok(py::strip(&to_text(&input)?, chars.as_deref(), true, true).into())
}

/// `replace`.
///
/// # Errors
/// A part has no value, or the count is no number.
pub fn replace(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [old, new, count] = args.bind(signature("do_replace", 2, 2), ["old", "new", "count"])?;
    let (old, new) = (to_text(&old.unwrap_or(Value::Null))?, to_text(&new.unwrap_or(Value::Null))?);
    let count = index_or(given(count).as_ref(), -1)?;
    Ok(py::replace(&to_text(&input)?, &old, &new, count).into())
}

/// `center`.
///
/// # Errors
/// The width is no number.
pub fn center(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [width] = args.bind(signature("do_center", 1, 0), ["width"])?;
    Ok(py::center(&to_text(&input)?, index_or(width.as_ref(), 80)?, ' ').into())
}

/// `format`.
///
/// # Errors
/// As Python's `%`.
pub fn format(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    if !args.positional.is_empty() && !args.named.is_empty() {
        return Err(Fault::error("can't handle positional and keyword arguments at the same time"));
    }
    let values = if args.named.is_empty() {
        Value::Tuple(args.positional.into())
    } else {
        Value::dict(args.named.into_iter().map(|(name, value)| (Key::from(name), value)).collect::<Dict>())
    };
    Ok(printf::percent(&to_text(&input)?, &values)?.into())
}

/// `indent`.
///
/// # Errors
/// The input is not text, or the width neither number nor text.
pub fn indent(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [width, first, blank] = args.bind(signature("do_indent", 1, 0), ["width", "first", "blank"])?;
    let indention = match width {
        Some(Value::Str(text)) => text.to_string(),
        width => match &width {
            Some(other) if !matches!(other, Value::Int(_) | Value::Bool(_)) => {
                return Err(Fault::error(format!("can't multiply sequence by non-int of type '{}'", other.type_name())));
            }
            width => " ".repeat(index_or(width.as_ref(), 4)?.max(0) as usize),
        },
    };
    let Value::Str(text) = &input else {
        return Err(Fault::error(format!("unsupported operand type(s) for +=: '{}' and 'str'", input.type_name())));
    };
    let blank = flag_or(blank.as_ref(), false)?;
    let mut out = String::new();
    let with_end = format!("{text}\n");
    for (i, line) in py::splitlines(&with_end, false).into_iter().enumerate() {
        if i > 0 {
            out.push('\n');
            if blank || !line.is_empty() {
                out.push_str(&indention);
            }
        }
        out.push_str(line);
    }
    if flag_or(first.as_ref(), false)? {
        out.insert_str(0, &indention);
    }
    Ok(out.into())
}

/// `truncate`.
///
/// # Errors
/// The length is shorter than the end mark.
pub fn truncate(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [length, killwords, end, leeway] = args.bind(signature("do_truncate", 2, 0), ["length", "killwords", "end", "leeway"])?;
    let length = index_or(length.as_ref(), 255)?;
    let end = end.as_ref().map_or(Ok("...".into()), to_text)?;
    let leeway = index_or(given(leeway).as_ref(), 5)?;
    let end_len = end.chars().count() as i128;
    if length < end_len {
        return Err(Fault::error(format!("expected length >= {end_len}, got {length}")));
    }
    if leeway < 0 {
        return Err(Fault::error(format!("expected leeway >= 0, got {leeway}")));
    }
    let Value::Str(text) = &input else {
        super::sequence::length_of(&input)?;
        return Err(Fault::error(format!("'{}' object has no attribute 'rsplit'", input.type_name())));
    };
    if text.chars().count() as i128 <= length + leeway {
        return Ok(input);
    }
    let cut: String = text.chars().take((length - end_len) as usize).collect();
    let kept = if flag_or(killwords.as_ref(), false)? { &cut } else { cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head) };
    Ok(format!("{kept}{end}").into())
}

/// `wordcount`.
///
/// # Errors
/// A part has no value.
pub fn wordcount(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("do_wordcount")?;
    let words = super::regex::compile(r"\w+", false, false)?.find_all(&to_text(&input)?).map_err(Fault::error)?;
    Ok(words.len().into())
}

/// `split`: Python's method as a filter.
///
/// # Errors
/// The input is not text, or an empty separator.
pub fn split(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [separator, maxsplit] = args.bind(signature("split", 1, 0), ["sep", "maxsplit"])?;
    let Value::Str(text) = &input else {
        return Err(Fault::error(format!("descriptor 'split' for 'str' objects doesn't apply to a '{}' object", input.type_name())));
    };
    let separator = given(separator).map(|separator| str_argument(&separator, "sep")).transpose()?;
    py::split(text, separator.as_deref(), index_or(maxsplit.as_ref(), -1)?)
}

/// `comment`: text as a comment of a language.
///
/// # Errors
/// An unknown style, or an option that is not text.
pub fn comment(input: Value, mut args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let style = match (args.positional.is_empty(), args.take("style")) {
        (false, None) => args.positional.remove(0),
        (_, style) => style.unwrap_or("plain".into()),
    };
    if !args.positional.is_empty() {
        return Err(Fault::error(format!("comment() takes from 1 to 2 positional arguments but {} were given", 2 + args.positional.len())));
    }
    let (beginning, decoration, end) = match &*to_text(&style)? {
        "plain" => ("", "# ", ""),
        "erlang" => ("", "% ", ""),
        "c" => ("", "// ", ""),
        "cblock" => ("/*", " * ", " */"),
        "xml" => ("<!--", " - ", "-->"),
        other => return Err(Fault::error(format!("Invalid style '{other}'."))),
    };
    let mut option = |name: &str, default: &str| args.take(name).map_or(Ok(default.into()), |value| to_text(&value));
    let (newline, beginning, decoration, end) =
        (option("newline", "\n")?, option("beginning", beginning)?, option("decoration", decoration)?, option("end", end)?);
    let (prefix, postfix) = (option("prefix", decoration.trim_end())?, option("postfix", decoration.trim_end())?);
    let count = |value: Option<Value>| Ok::<usize, Fault>(index_or(value.as_ref(), 1)?.max(0) as usize);
    let (prefix_count, postfix_count) = (count(args.take("prefix_count"))?, count(args.take("postfix_count"))?);
    let Value::Str(text) = &input else { return Err(Fault::error(format!("'{}' object has no attribute 'replace'", input.type_name()))) };

    let mut out = String::new();
    if !beginning.is_empty() {
        out += &format!("{beginning}{newline}");
    }
    if !prefix.is_empty() {
        let line = if prefix == newline { newline.to_string() } else { format!("{prefix}{newline}") };
        out += &line.repeat(prefix_count);
    }
    let body = format!("{decoration}{}", text.replace(&*newline, &format!("{newline}{decoration}")));
    out += &body.replace(&format!("{decoration}{newline}"), &format!("{}{newline}", decoration.trim_end()));
    out += &format!("{newline}{postfix}").repeat(postfix_count);
    if !end.is_empty() {
        out += &format!("{newline}{end}");
    }
    Ok(out.into())
}

/// `urlencode`: a path, or a query of pairs.
///
/// # Errors
/// A part has no value.
pub fn urlencode(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    args.none("do_urlencode")?;
    let pairs = match (to_dict(&input)?, to_list(&input)?) {
        (Some(dict), _) => dict.into_iter().map(|(key, value)| (key.to_value(), value)).collect(),
        (_, Some(items)) => pairs_of(&items, env)?,
        _ => return Ok(percent_encode(&to_text(&input)?, "/", false).into()),
    };
    let mut parts = Vec::new();
    for (key, value) in pairs {
        parts.push(format!("{}={}", percent_encode(&to_text(&key)?, "", true), percent_encode(&to_text(&value)?, "", true)));
    }
    Ok(parts.join("&").into())
}

fn pairs_of(items: &[Value], env: &dyn Env) -> Result<Vec<(Value, Value)>, Fault> {
    let mut pairs = Vec::new();
    for item in items {
        let parts = elements(item, env).map_err(|fault| {
            if fault.message.ends_with("not iterable") { Fault::error(format!("cannot unpack non-iterable {} object", item.type_name())) } else { fault }
        })?;
        match parts.as_slice() {
            [key, value] => pairs.push((key.clone(), value.clone())),
            few if few.len() < 2 => return Err(Fault::error(format!("not enough values to unpack (expected 2, got {})", few.len()))),
            _ => return Err(Fault::error("too many values to unpack (expected 2)")),
        }
    }
    Ok(pairs)
}

/// Python's `urllib.parse.quote`; with `plus`, a space is `+`.
pub fn percent_encode(text: &str, safe: &str, plus: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' if plus => out.push('+'),
            _ if byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte) || safe.as_bytes().contains(&byte) => out.push(char::from(byte)),
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}
