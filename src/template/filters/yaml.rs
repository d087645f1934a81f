//! YAML as PyYAML reads and writes it, with Ansible's representation.

use crate::template::coerce::{ansible_bool, flag_or, given, to_index, to_text};
use crate::template::{Arguments, Env};
use crate::value::{Fault, Value};
use crate::yaml::{self, DumpOptions};

/// `to_yaml`.
///
/// # Errors
/// A part has no value, or an unknown option.
pub fn to_yaml(input: Value, mut args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    dumped(&input, &mut args, DumpOptions::default())
}

/// `to_nice_yaml`.
///
/// # Errors
/// A part has no value, or an unknown option.
pub fn to_nice_yaml(input: Value, mut args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    if !args.positional.is_empty() {
        args.named.push(("indent".into(), args.positional.remove(0)));
    }
    dumped(&input, &mut args, DumpOptions::nice())
}

fn dumped(input: &Value, args: &mut Arguments, mut options: DumpOptions) -> Result<Value, Fault> {
    let number = |value: Value| -> Result<i32, Fault> {
        match &value {
            Value::Float(f) if f.is_infinite() => Ok(-1),
            Value::Float(f) => Ok(*f as i32),
            value => Ok(i32::try_from(to_index(value)?).unwrap_or(-1)),
        }
    };
    for (name, value) in std::mem::take(&mut args.named) {
        let flag = |default: bool| flag_or(given(Some(value.clone())).as_ref(), default);
        match name.as_str() {
            "indent" => options.indent = given(Some(value)).map(number).transpose()?,
            "width" => options.width = given(Some(value)).map(number).transpose()?,
            "default_flow_style" => options.default_flow_style = given(Some(value)).map(|value| ansible_bool(&value).unwrap_or_else(|| value.is_true())),
            "sort_keys" => options.sort_keys = flag(true)?,
            "allow_unicode" => options.allow_unicode = flag(true)?,
            "explicit_start" => options.explicit_start = flag(false)?,
            "explicit_end" => options.explicit_end = flag(false)?,
            "canonical" => options.canonical = flag(false)?,
            "default_style" => options.default_style = given(Some(value)).map(|value| to_text(&value)).transpose()?.and_then(|style| style.chars().next()),
            "line_break" | "encoding" | "dump_vault_tags" if matches!(value, Value::Null) => {}
            other => return Err(Fault::error(format!("dump_all() got an unexpected keyword argument '{other}'"))),
        }
    }
    yaml::dump(input, &options).map(Value::from)
}

/// `from_yaml`.
///
/// # Errors
/// The text is no YAML.
pub fn from_yaml(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("from_yaml")?;
    match &input {
        Value::Str(text) => yaml::load_value(text).map_err(|diagnostic| Fault::error(diagnostic.message)),
        _ => Ok(input),
    }
}

/// `from_yaml_all`.
///
/// # Errors
/// The text is no YAML.
pub fn from_yaml_all(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("from_yaml_all")?;
    match &input {
        Value::Null => Ok(Value::list(Vec::new())),
        Value::Str(text) => yaml::load_all_values(text).map(Value::list).map_err(|diagnostic| Fault::error(diagnostic.message)),
        _ => Ok(input),
    }
}
