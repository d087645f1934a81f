//! Ansible's regular expression filters, over Python's `re`.

use std::cell::RefCell;
use std::collections::HashMap;

use rplay_modules::pyre::{self, Flags, Regex};

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{flag_or, index_or, str_argument, to_text};
use crate::value::{Fault, Value};

thread_local! {
    static COMPILED: RefCell<HashMap<(String, Flags), Regex>> = RefCell::default();
}

/// A pattern, compiled once per thread.
///
/// # Errors
/// What Python would refuse.
pub fn compile(pattern: &str, ignorecase: bool, multiline: bool) -> Result<Regex, Fault> {
    let key = (pattern.to_string(), Flags { ignorecase, multiline, ..Flags::default() });
    COMPILED.with_borrow_mut(|compiled| {
        if let Some(regex) = compiled.get(&key) {
            return Ok(regex.clone());
        }
        let regex = pyre::compile(pattern, key.1).map_err(Fault::error)?;
        if compiled.len() >= 512 {
            compiled.clear();
        }
        compiled.insert(key, regex.clone());
        Ok(regex)
    })
}

fn pattern(value: Option<Value>, ignorecase: Option<&Value>, multiline: Option<&Value>) -> Result<Regex, Fault> {
    let source = match value.unwrap_or("".into()) {
        Value::Str(text) => text,
        other => str_argument(&other.resolve()?, "the pattern").map_err(|fault| {
            if fault.is_undefined() || fault.is_unknown() { fault } else { Fault::error("first argument must be string or compiled pattern") }
        })?,
    };
    compile(&source, flag_or(ignorecase, false)?, flag_or(multiline, false)?)
}

/// `regex_replace`.
///
/// # Errors
/// A bad pattern, or not as many matches as demanded.
pub fn regex_replace(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [source, replacement, ignorecase, multiline, count, mandatory] =
        args.bind(signature("regex_replace", 1, 0), ["pattern", "replacement", "ignorecase", "multiline", "count", "mandatory_count"])?;
    let text = to_text(&input)?;
    let shown = source.clone().unwrap_or("".into());
    let regex = pattern(source, ignorecase.as_ref(), multiline.as_ref())?;
    let replacement = str_argument(&replacement.unwrap_or("".into()), "the replacement")?;
    let count = index_or(count.as_ref(), 0)?;
    let mandatory = index_or(mandatory.as_ref(), 0)?;
    let (output, replaced) = regex.sub(&replacement, &text, usize::try_from(count).unwrap_or(0)).map_err(Fault::error)?;
    if mandatory != 0 && mandatory != replaced as i128 {
        return Err(Fault::error(format!("'{shown}' should match {mandatory} times, but matches {count} times in '{text}'")));
    }
    Ok(output.into())
}

/// `regex_findall`.
///
/// # Errors
/// A bad pattern.
pub fn regex_findall(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [source, multiline, ignorecase] = args.bind(signature("regex_findall", 1, 1), ["regex", "multiline", "ignorecase"])?;
    let regex = pattern(source, ignorecase.as_ref(), multiline.as_ref())?;
    let found = regex.findall(&to_text(&input)?).map_err(Fault::error)?;
    let row = |mut groups: Vec<String>| match groups.len() {
        1 => groups.remove(0).into(),
        _ => Value::Tuple(groups.into_iter().map(Value::from).collect::<Vec<_>>().into()),
    };
    Ok(Value::list(found.into_iter().map(row).collect()))
}

/// `regex_search`.
///
/// # Errors
/// A bad pattern or group.
pub fn regex_search(input: Value, mut args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let (ignorecase, multiline) = (args.take("ignorecase"), args.take("multiline"));
    let source = args.take("regex");
    let source = match (source, args.positional.is_empty()) {
        (Some(source), _) => source,
        (None, false) => args.positional.remove(0),
        _ => return Err(Fault::error("regex_search() missing 1 required positional argument: 'regex'")),
    };
    let wanted = args.positional.iter().map(to_text).collect::<Result<Vec<_>, _>>()?;
    if wanted.iter().any(|group| !group.starts_with('\\')) {
        return Err(Fault::error("Unknown argument"));
    }
    let regex = pattern(Some(source), ignorecase.as_ref(), multiline.as_ref())?;
    let text = to_text(&input)?;
    let Some(found) = regex.search(&text).map_err(Fault::error)? else { return Ok(Value::Null) };
    if wanted.is_empty() {
        return Ok(found.group(0, &text).unwrap_or_default().into());
    }
    let mut groups = Vec::new();
    for reference in &wanted {
        let number = group_number(&regex, reference)?;
        if number > found.groups() {
            return Err(Fault::error("no such group"));
        }
        groups.push(found.group(number, &text).map_or(Value::Null, Value::from));
    }
    Ok(Value::list(groups))
}

/// The group that `\1` or `\g<name>` means.
fn group_number(regex: &Regex, reference: &str) -> Result<usize, Fault> {
    if let Some(name) = reference.strip_prefix("\\g<").and_then(|rest| rest.rsplit_once('>')).map(|(name, _)| name) {
        return regex.group_number(name).ok_or_else(|| Fault::error("no such group"));
    }
    let digits: String = reference[1..].chars().take_while(char::is_ascii_digit).collect();
    digits.parse().map_err(|_| Fault::error("'NoneType' object has no attribute 'group'"))
}

/// `regex_escape`.
///
/// # Errors
/// An unknown kind of expression.
pub fn regex_escape(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [kind] = args.bind(signature("regex_escape", 1, 0), ["re_type"])?;
    let text = to_text(&input)?;
    match &*kind.as_ref().map_or(Ok("python".into()), to_text)? {
        "python" => Ok(pyre::escape(&text).into()),
        "posix_basic" => Ok(text.chars().flat_map(|c| if "].[^$*\\".contains(c) { vec!['\\', c] } else { vec![c] }).collect::<String>().into()),
        "posix_extended" => Err(Fault::error("Regex type (posix_extended) not yet implemented")),
        other => Err(Fault::error(format!("Invalid regex type ({other})"))),
    }
}
