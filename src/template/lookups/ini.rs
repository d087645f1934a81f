//! `ini`: values of INI and properties files, as Python's `configparser` reads them.

use indexmap::IndexMap;

use crate::template::coerce::to_text;
use crate::template::filters::regex;
use crate::template::{Arguments, Env};
use crate::value::{Fault, Value};

use super::inline::Options;
use super::search;

const KNOWN: &[&str] = &["type", "file", "section", "re", "encoding", "default", "case_sensitive", "allow_no_value", "allow_none", "interpolation"];

/// `ini`.
///
/// # Errors
/// The file or section is missing, or the file is no INI.
pub fn ini(terms: Vec<Value>, args: Arguments, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    let options = Options::new("ini", KNOWN, &args);
    let mut out = Vec::new();
    for term in &terms {
        let text = to_text(term)?;
        let (options, key) = if text.contains('=') || text.trim().contains(' ') { options.with_term(&text)? } else { (options.clone(), text.to_string()) };
        if key.is_empty() {
            return Err(Fault::error(format!("No key to look up was provided as first term within string inline options: {text}")));
        }
        out.extend(look(&options, &key, env)?);
    }
    Ok(out)
}

fn look(options: &Options, key: &str, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    let file = options.text("file", "ansible.ini")?;
    let path = search::find(env, Some("files"), &file).ok_or_else(|| Fault::error(format!("Unable to find '{file}' in expected paths")))?;
    let properties = &*options.text("type", "ini")? == "properties";
    let text = search::read(env, &path)?;
    let (text, section) =
        if properties { (format!("[java_properties]\n{text}"), "java_properties".into()) } else { (text, options.text("section", "global")?) };
    let reading = Reading {
        file: &file,
        keep_case: options.flag("case_sensitive", false)?,
        no_value: options.flag("allow_no_value", false)? || options.flag("allow_none", false)?,
    };
    let sections = reading.parse(&text)?;
    let found = sections.get(&*section);
    let Some(entries) = found.or(if &*section == "DEFAULT" { Some(&EMPTY) } else { None }) else {
        return Err(Fault::error(format!("No section '{section}' in '{file}'.")));
    };
    let defaults = sections.get("DEFAULT").unwrap_or(&EMPTY);
    let interpolate = options.flag("interpolation", true)?;
    let shown = |name: &str, value: &Option<String>| match value {
        Some(value) if interpolate => interpolated(value, name, &section, entries, defaults, 0).map(Value::from),
        Some(value) => Ok(value.as_str().into()),
        None => Ok(Value::Null),
    };
    if options.flag("re", false)? {
        let pattern = regex::compile(key, false, false)?;
        let mut out = Vec::new();
        for (name, value) in defaults.iter().filter(|(name, _)| !entries.contains_key(*name)).chain(entries) {
            if pattern.match_start(name).map_err(Fault::error)?.is_some() {
                out.push(shown(name, value)?);
            }
        }
        return Ok(out);
    }
    let name = if reading.keep_case { key.to_string() } else { key.to_lowercase() };
    match entries.get(&name).or_else(|| defaults.get(&name)) {
        Some(value) => Ok(Some(shown(&name, value)?).into_iter().filter(|value| !matches!(value, Value::Null)).collect()),
        None => Ok(options.get("default").cloned().or(Some("".into())).into_iter().collect()),
    }
}

type Entries = IndexMap<String, Option<String>>;

static EMPTY: std::sync::LazyLock<Entries> = std::sync::LazyLock::new(IndexMap::new);

/// How a file is read.
struct Reading<'f> {
    file: &'f str,
    keep_case: bool,
    no_value: bool,
}

impl Reading<'_> {
    fn parse(&self, text: &str) -> Result<IndexMap<String, Entries>, Fault> {
        let mut sections: IndexMap<String, Entries> = IndexMap::new();
        let (mut section, mut option): (Option<String>, Option<String>) = (None, None);
        let mut indent = 0;
        for (number, raw) in text.lines().enumerate() {
            let line = raw.trim();
            let depth = raw.len() - raw.trim_start().len();
            if line.starts_with(['#', ';']) {
                continue;
            }
            if let (Some(section), Some(option), true) = (&section, &option, depth > indent || line.is_empty()) {
                // a deeper or empty line goes on with the value
                if let Some(Some(value)) = sections.get_mut(section).and_then(|entries| entries.get_mut(option)) {
                    value.push('\n');
                    value.push_str(line);
                }
                continue;
            }
            if line.is_empty() {
                continue;
            }
            indent = depth;
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.rsplit_once(']')).map(|(name, _)| name) {
                if sections.contains_key(name) && name != "DEFAULT" {
                    return Err(Fault::error(format!("While reading from '{}' [line {:2}]: section '{name}' already exists", self.file, number + 1)));
                }
                sections.entry(name.to_string()).or_default();
                (section, option) = (Some(name.to_string()), None);
                continue;
            }
            let Some(section) = &section else {
                return Err(Fault::error(format!("File contains no section headers.\nfile: '{}', line: {}\n{raw:?}", self.file, number + 1)));
            };
            let (name, value) = match line.find(['=', ':']) {
                Some(at) => (line[..at].trim(), Some(line[at + 1..].trim().to_string())),
                None if self.no_value => (line, None),
                None => return Err(Fault::error(format!("Source contains parsing errors: '{}'\n\t[line {:2}]: {raw:?}", self.file, number + 1))),
            };
            let name = if self.keep_case { name.to_string() } else { name.to_lowercase() };
            if sections.entry(section.clone()).or_default().insert(name.clone(), value).is_some() {
                return Err(Fault::error(format!("Duplicate option in '{}'.", self.file)));
            }
            option = Some(name);
        }
        for value in sections.values_mut().flat_map(IndexMap::values_mut).flatten() {
            *value = value.trim_end().to_string();
        }
        Ok(sections)
    }
}

/// `%(name)s` of the same section or of `DEFAULT` put in; `%%` is one.
fn interpolated(value: &str, option: &str, section: &str, entries: &Entries, defaults: &Entries, depth: usize) -> Result<String, Fault> {
    if depth > 10 {
        return Err(Fault::error(format!(
            "Recursion limit exceeded in value substitution: option '{option}' in section '{section}' contains an interpolation key which cannot be substituted in 10 steps."
        )));
    }
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            out.push('%');
            rest = after;
        } else if let Some((name, after)) = after.strip_prefix('(').and_then(|inside| inside.split_once(")s")) {
            let name = name.to_lowercase();
            let Some(Some(inner)) = entries.get(&name).or_else(|| defaults.get(&name)) else {
                return Err(Fault::error(format!(
                    "Bad value substitution: option '{option}' in section '{section}' contains an interpolation key '{name}' which is not a valid option name. Raw value: '{value}'"
                )));
            };
            out.push_str(&interpolated(inner, &name, section, entries, defaults, depth + 1)?);
            rest = after;
        } else {
            return Err(Fault::error(format!("'%' must be followed by '%' or '(', found: '%{after}'")));
        }
    }
    Ok(out + rest)
}
