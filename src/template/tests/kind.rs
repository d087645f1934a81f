//! What a value is: Jinja's tests of types.

use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{is_dict, to_text};
use crate::template::methods::text::has_only_case;
use crate::template::{Env, filters};
use crate::value::{Fault, Value};

/// A test without arguments that asks for the type.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident($value:ident) = $answer:expr;)*) => {
        $($(#[$doc])*
        ///
        /// # Errors
        /// It was given arguments.
        pub fn $name($value: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
            args.none(concat!("test_", stringify!($name)))?;
            Ok($answer)
        })*
    };
}

kinds! {
    /// `none`.
    none(value) = matches!(value, Value::Null);
    /// `boolean`.
    boolean(value) = matches!(value, Value::Bool(_));
    /// `true`.
    is_true(value) = matches!(value, Value::Bool(true));
    /// `false`.
    is_false(value) = matches!(value, Value::Bool(false));
    /// `integer`.
    integer(value) = matches!(value, Value::Int(_));
    /// `float`.
    float(value) = matches!(value, Value::Float(_));
    /// `number`: booleans are numbers too.
    number(value) = matches!(value, Value::Int(_) | Value::Float(_) | Value::Bool(_));
    /// `string`.
    string(value) = matches!(value, Value::Str(_) | Value::Omit);
    /// `mapping`.
    mapping(value) = is_dict(&value);
    /// `sequence`: anything with a length and items, text and dictionaries included.
    sequence(value) = match &value {
        Value::Object(object) => object.len().is_some(),
        other => matches!(other, Value::Str(_) | Value::Bytes(_) | Value::List(_) | Value::Tuple(_) | Value::Dict(_)),
    };
    /// `iterable`.
    iterable(value) = match &value {
        Value::Object(object) => matches!(object.type_name(), "dict" | "list" | "tuple" | "range" | "str"),
        other => matches!(other, Value::Str(_) | Value::Bytes(_) | Value::List(_) | Value::Tuple(_) | Value::Dict(_)),
    };
    /// `callable`.
    callable(value) = matches!(&value, Value::Object(object) if matches!(object.type_name(), "function" | "Macro" | "type" | "method" | "builtin_function_or_method"));
    /// `nan`, `isnan`.
    nan(value) = matches!(value, Value::Float(f) if f.is_nan());
}

/// `escaped`: no text is; nothing is escaped by itself here.
///
/// # Errors
/// It was given arguments.
pub fn escaped(_: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    args.none("test_escaped")?;
    Ok(false)
}

/// `lower`.
///
/// # Errors
/// A part has no value.
pub fn lower(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    args.none("test_lower")?;
    Ok(has_only_case(&to_text(&input)?, false))
}

/// `upper`.
///
/// # Errors
/// A part has no value.
pub fn upper(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    args.none("test_upper")?;
    Ok(has_only_case(&to_text(&input)?, true))
}

/// `filter`: whether there is a filter of that name.
///
/// # Errors
/// It was given arguments.
pub fn filter(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    args.none("test_filter")?;
    Ok(input.as_str().is_some_and(|name| filters::find(name).is_some()))
}

/// `test`: whether there is a test of that name.
///
/// # Errors
/// It was given arguments.
pub fn test(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    args.none("test_test")?;
    Ok(input.as_str().is_some_and(|name| super::find(name).is_some()))
}

/// `defined`.
///
/// # Errors
/// It was given arguments.
pub fn defined(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    args.none("test_defined")?;
    Ok(!matches!(input, Value::Undefined(_)))
}

/// `undefined`.
///
/// # Errors
/// It was given arguments.
pub fn undefined(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    args.none("test_undefined")?;
    Ok(matches!(input, Value::Undefined(_)))
}

/// `truthy`.
///
/// # Errors
/// Wrong arguments.
pub fn truthy(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    truth(&input, args, "truthy")
}

/// `falsy`.
///
/// # Errors
/// Wrong arguments.
pub fn falsy(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    truth(&input, args, "falsy").map(|truth| !truth)
}

fn truth(value: &Value, args: Arguments, function: &'static str) -> Result<bool, Fault> {
    let [convert] = args.bind(signature(function, 1, 0), ["convert_bool"])?;
    let converted = if convert.is_some_and(|convert| convert.is_true()) { crate::template::coerce::ansible_bool(value) } else { None };
    Ok(converted.unwrap_or_else(|| value.is_true()))
}

/// `ipv4`, `ipv4_address`: text that is an address of version 4, with or without a prefix.
///
/// # Errors
/// It was given arguments.
pub fn ipv4(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    args.none("ipv4")?;
    Ok(filters::net::ipaddr::is_address(&input, 4))
}

/// `ipv6`, `ipv6_address`.
///
/// # Errors
/// It was given arguments.
pub fn ipv6(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    args.none("ipv6")?;
    Ok(filters::net::ipaddr::is_address(&input, 6))
}

/// `ip`, `ip_address`: either version.
///
/// # Errors
/// It was given arguments.
pub fn ip(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    args.none("ip")?;
    Ok(filters::net::ipaddr::is_address(&input, 0))
}
