//! `json_query`: JMESPath.

use std::collections::BTreeMap;

use jmespath::{Rcvar, Variable};

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::str_argument;
use crate::value::{self, Fault, Value};

/// `json_query`. Dictionaries in the answer have their keys sorted.
///
/// # Errors
/// The expression is none, or fails.
pub fn json_query(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [expression] = args.bind(signature("json_query", 1, 1), ["expr"])?;
    let expression = str_argument(&expression.unwrap_or(Value::Null), "the expression")?;
    let compiled = jmespath::compile(&expression).map_err(|error| Fault::error(format!("JMESPathError in json_query filter plugin:\n{error}")))?;
    let found = compiled.search(variable(&input.resolve()?)).map_err(|error| Fault::error(format!("Error in jmespath.search in json_query filter plugin:\n{error}")))?;
    Ok(plain(&found))
}

fn variable(value: &Value) -> Rcvar {
    Rcvar::new(match value {
        Value::Null | Value::Undefined(_) => Variable::Null,
        Value::Bool(b) => Variable::Bool(*b),
        Value::List(items) | Value::Tuple(items) => Variable::Array(items.iter().map(variable).collect()),
        Value::Dict(dict) => Variable::Object(dict.iter().map(|(key, value)| (value::text(&key.to_value()), variable(value))).collect::<BTreeMap<_, _>>()),
        number @ (Value::Int(_) | Value::Float(_)) => match value::to_json(number) {
            serde_json::Value::Number(number) => Variable::Number(number),
            _ => Variable::Null,
        },
        other => Variable::String(value::text(other)),
    })
}

fn plain(variable: &Variable) -> Value {
    match variable {
        Variable::Null | Variable::Expref(_) => Value::Null,
        Variable::Bool(b) => Value::Bool(*b),
        Variable::String(text) => text.as_str().into(),
        Variable::Number(number) => value::from_json(&serde_json::Value::Number(number.clone())),
        Variable::Array(items) => Value::list(items.iter().map(|item| plain(item)).collect()),
        Variable::Object(map) => map.iter().map(|(key, value)| (key.as_str().into(), plain(value))).collect(),
    }
}
