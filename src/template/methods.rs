//! Python's methods that an expression may call and that change nothing. Those that change their object belong to the evaluator.

use super::Env;
use super::arguments::Arguments;
use crate::value::{Fault, Value};

mod braces;
pub mod bytes;
pub mod containers;
pub mod dates;
mod numbers;
pub mod printf;
pub mod text;

/// Calls a method; `None` when the type has none of that name.
///
/// # Errors
/// As Python's, or the rendering of an element failed.
pub fn call_method(target: &Value, name: &str, args: Arguments, env: &dyn Env) -> Result<Option<Value>, Fault> {
    match target {
        Value::Str(text) => text::call(text, name, args, env),
        Value::Bytes(bytes) => bytes::call(bytes, name, args),
        Value::List(_) | Value::Tuple(_) => containers::sequence(target, name, args),
        Value::Dict(_) => containers::mapping(target, name, args, env),
        Value::Int(n) => numbers::whole(*n, name, args),
        Value::Bool(b) => numbers::whole(i128::from(*b), name, args),
        Value::Float(f) => numbers::float(*f, name, args),
        Value::Date(..) => dates::call(target, name, args),
        Value::Object(object) => match object.type_name() {
            "dict" => containers::mapping(target, name, args, env),
            "list" | "tuple" | "range" => containers::sequence(target, name, args),
            "timedelta" => object.as_any().downcast_ref::<dates::Between>().map_or(Ok(None), |between| between.call(name, args)),
            "str" => call_method(&object.resolve()?, name, args, env),
            _ => Ok(None),
        },
        Value::Null | Value::Undefined(_) | Value::Unknown(_) | Value::Omit => Ok(None),
    }
}

/// Names of the methods of a type that [`call_method`] knows, for "did you mean".
pub fn all_names(type_name: &str) -> &'static [&'static str] {
    match type_name {
        "str" => &[
            "capitalize",
            "casefold",
            "center",
            "count",
            "encode",
            "endswith",
            "expandtabs",
            "find",
            "format",
            "format_map",
            "index",
            "isalnum",
            "isalpha",
            "isascii",
            "isdecimal",
            "isdigit",
            "isidentifier",
            "islower",
            "isnumeric",
            "isprintable",
            "isspace",
            "istitle",
            "isupper",
            "join",
            "ljust",
            "lower",
            "lstrip",
            "partition",
            "removeprefix",
            "removesuffix",
            "replace",
            "rfind",
            "rindex",
            "rjust",
            "rpartition",
            "rsplit",
            "rstrip",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "swapcase",
            "title",
            "upper",
            "zfill",
        ],
        "list" => &["copy", "count", "index"],
        "tuple" => &["count", "index"],
        "dict" => &["copy", "get", "items", "keys", "values"],
        "int" | "bool" => &["as_integer_ratio", "bit_count", "bit_length", "conjugate"],
        "float" => &["conjugate", "is_integer"],
        "bytes" => &["decode", "hex"],
        "datetime" => &["ctime", "date", "isoformat", "isoweekday", "replace", "strftime", "time", "timestamp", "toordinal", "weekday"],
        "timedelta" => &["total_seconds"],
        _ => &[],
    }
}
