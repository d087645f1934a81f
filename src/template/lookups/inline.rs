//! Options of lookups: named arguments, and the old `name=value` inside a term.

use std::sync::Arc;

use crate::template::Arguments;
use crate::template::coerce::{ansible_bool, parse_int, to_text};
use crate::value::{Fault, Value};

/// The options of one lookup.
#[derive(Clone)]
pub struct Options {
    lookup: &'static str,
    known: &'static [&'static str],
    given: Vec<(String, Value)>,
}

impl Options {
    /// The named arguments; a name that the lookup does not know is ignored, as Ansible ignores it.
    pub fn new(lookup: &'static str, known: &'static [&'static str], args: &Arguments) -> Options {
        Options { lookup, known, given: args.named.clone() }
    }

    /// The options with those written inside a term put over them, and what is left of the term.
    ///
    /// # Errors
    /// A name that the lookup does not know.
    pub fn with_term(&self, term: &str) -> Result<(Options, String), Fault> {
        let mut options = self.clone();
        let mut rest = Vec::new();
        for word in split(term)? {
            match word.split_once('=').filter(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')) {
                Some((name, value)) if self.known.contains(&name) => {
                    options.given.retain(|(have, _)| have != name);
                    options.given.push((name.into(), unquoted(value).into()));
                }
                Some((name, _)) => return Err(Fault::error(format!("'{name}' is not a valid option of the lookup '{}'", self.lookup))),
                None => rest.push(word),
            }
        }
        Ok((options, rest.join(" ")))
    }

    /// The value of an option; `None` where it was not given or is `None`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.given.iter().rev().find(|(have, _)| have == name).map(|(_, value)| value).filter(|value| !matches!(value, Value::Null))
    }

    /// An option as text.
    ///
    /// # Errors
    /// A part has no value.
    pub fn text(&self, name: &str, default: &str) -> Result<Arc<str>, Fault> {
        self.get(name).map_or(Ok(default.into()), to_text)
    }

    /// An option as a whole number.
    ///
    /// # Errors
    /// It is none.
    pub fn int(&self, name: &str) -> Result<Option<i128>, Fault> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = match value {
            Value::Int(n) => Some(*n),
            Value::Str(text) => parse_int(text, 0).or_else(|| old_octal(text)),
            Value::Float(f) if f.fract() == 0.0 => Some(*f as i128),
            _ => None,
        };
        number
            .map(Some)
            .ok_or_else(|| Fault::error(format!("The option '{name}' of the lookup '{}' wants a whole number, not {}", self.lookup, crate::value::repr(value))))
    }

    /// An option as a flag.
    ///
    /// # Errors
    /// It is none.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, Fault> {
        let Some(value) = self.get(name) else { return Ok(default) };
        ansible_bool(value)
            .ok_or_else(|| Fault::error(format!("The option '{name}' of the lookup '{}' wants a boolean, not {}", self.lookup, crate::value::repr(value))))
    }
}

/// `0600`, as C wrote it.
fn old_octal(text: &str) -> Option<i128> {
    text.strip_prefix('0').and_then(|digits| i128::from_str_radix(digits, 8).ok())
}

/// Words at white space; quotes keep it.
///
/// # Errors
/// A quote without its partner.
pub fn split(term: &str) -> Result<Vec<String>, Fault> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    for c in term.chars() {
        match quote {
            Some(open) => {
                word.push(c);
                quote = (c != open).then_some(open);
            }
            None if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            None => {
                // a quote opens only where a word or a value begins: an apostrophe inside a word is text
                quote = ((c == '"' || c == '\'') && (word.is_empty() || word.ends_with('='))).then_some(c);
                word.push(c);
            }
        }
    }
    if quote.is_some() {
        return Err(Fault::error(format!("failed at splitting arguments, either an unbalanced jinja2 block or quotes: {term}")));
    }
    words.extend((!word.is_empty()).then_some(word));
    Ok(words)
}

fn unquoted(value: &str) -> &str {
    ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(value)
}
