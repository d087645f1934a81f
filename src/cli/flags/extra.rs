//! `--extra-vars`: `key=value`, YAML, JSON, `@file`.

use std::sync::Arc;

use crate::config::Places;
use crate::diagnostic::Diagnostic;
use crate::inventory::{Vars, merged};
use crate::playbook::parse_key_values;
use crate::source::{Source, Span};
use crate::vault::Secrets;
use crate::yaml::{self, Node};

/// How the values of `-e` are read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// Where relative files are.
    pub places: &'a Places,
    /// Passwords of encrypted files.
    pub secrets: &'a Secrets,
    /// Dictionaries are merged (`hash_behaviour = merge`).
    pub merge: bool,
}

/// The variables of all `-e` in order, later ones over earlier ones, and warnings.
///
/// # Errors
/// A value is no dictionary, a file cannot be read or decrypted.
pub fn extra_vars(values: &[String], reading: Reading) -> Result<(Vars, Vec<Diagnostic>), Diagnostic> {
    let mut vars = Vars::new();
    let mut warnings = Vec::new();
    for value in values.iter().filter(|value| !value.is_empty()) {
        let node = match value.as_bytes()[0] {
            b'@' => load(&file(&value[1..], reading)?, &mut warnings)?,
            b'/' | b'.' => return Err(Diagnostic::error(format!("Please prepend extra_vars filename '{value}' with '@'"))),
            b'[' | b'{' => load(&Source::new("<extra vars>", value.as_str()), &mut warnings)?,
            _ => {
                words(value, &mut vars)?;
                continue;
            }
        };
        let Some(pairs) = node.as_map() else {
            return Err(Diagnostic::error(format!("Invalid extra vars data supplied. '{value}' could not be made into a dictionary")).at(&node.span));
        };
        pairs.iter().for_each(|pair| set(&mut vars, &pair.key.to_value().to_string(), pair.value.clone(), reading.merge));
    }
    Ok((vars, warnings))
}

fn load(source: &Arc<Source>, warnings: &mut Vec<Diagnostic>) -> Result<Node, Diagnostic> {
    let loaded = yaml::load(source, &yaml::Options::default())?;
    warnings.extend(loaded.warnings);
    Ok(loaded.node)
}

fn file(name: &str, reading: Reading) -> Result<Arc<Source>, Diagnostic> {
    let path = reading.places.from_cwd(name);
    let bytes = reading.secrets.read(&path).map_err(|e| Diagnostic::error(format!("cannot read the extra vars file: {e}")))?;
    let text = String::from_utf8(bytes).map_err(|_| Diagnostic::error(format!("the extra vars file {} is not UTF-8", path.display())))?;
    Ok(Source::new(path, text))
}

/// `key=value` words; their values are text.
fn words(value: &str, vars: &mut Vars) -> Result<(), Diagnostic> {
    let span = Span::synthetic("<extra vars>", value);
    let parsed = parse_key_values(value, false).map_err(|why| Diagnostic::error(why).at(&span))?;
    for (name, text) in parsed.options.into_iter().chain(parsed.raw.map(|raw| ("_raw_params".to_string(), raw))) {
        set(vars, &name, Node::text(text, span.clone()), false);
    }
    Ok(())
}

fn set(vars: &mut Vars, name: &str, value: Node, merge: bool) {
    let value = match vars.get(name) {
        Some(old) if merge => merged(old, &value),
        _ => value,
    };
    vars.insert(name.into(), value);
}
