//! `json_query`: a query in JMESPath over a value.
//!
//! Grammar and functions are those of the JMESPath specification; where it leaves something open, and in messages, we do what the Python
//! library does, because that is what Ansible shows. The parts of a value that a query does not touch are not rendered.

mod functions;
mod interpret;
mod lexer;
mod parser;

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::defined;
use crate::value::{Fault, FaultKind, Value};

/// Why a query has no answer.
#[derive(Debug, PartialEq)]
enum Trouble {
    /// The query itself is wrong, or a function got what it cannot take.
    Query(String),
    /// Python fails in the middle of it.
    Other(String),
    /// Check mode cannot know it.
    Unknown(String),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Trouble {
        match fault.kind {
            FaultKind::Unknown => Trouble::Unknown(fault.message),
            FaultKind::Undefined | FaultKind::Error => Trouble::Other(fault.message),
        }
    }
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Fault {
        match trouble {
            Trouble::Query(message) => Fault::error(format!("JMESPathError in json_query filter plugin:\n{message}")),
            Trouble::Other(message) => Fault::error(format!("Error in jmespath.search in json_query filter plugin:\n{message}")),
            Trouble::Unknown(reason) => Fault::unknown(reason),
        }
    }
}

/// `json_query`.
///
/// # Errors
/// The expression is no JMESPath, a function got another type than it takes, or a part that is looked at has no value.
pub fn json_query(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [expression] = args.bind(signature("json_query", 1, 1), ["expr"])?;
    let expression = expression.unwrap_or(Value::Null);
    defined(&expression)?;
    Ok(search(&expression, &input)?)
}

fn search(expression: &Value, data: &Value) -> Result<Value, Trouble> {
    let text = match expression {
        Value::Str(text) if !text.is_empty() => text,
        Value::List(_) | Value::Dict(_) | Value::Object(_) => return Err(Trouble::Other(format!("unhashable type: '{}'", expression.type_name()))),
        other if !other.is_true() => return Err(Trouble::Query("Invalid JMESPath expression: cannot be empty.".into())),
        other => return Err(Trouble::Other(format!("'{}' object is not iterable", other.type_name()))),
    };
    let query = parser::parse(text)?;
    interpret::visit(&query, data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::filters::json;

    fn ask(query: &str, data: &str) -> Result<String, Trouble> {
        search(&query.into(), &json::parse(data).unwrap()).map(|value| crate::value::repr(&value))
    }

    #[test]
    fn projections_end_at_a_pipe_and_skip_nothing_else() {
        let data = r#"{"a": [{"b": [1, 2]}, {"b": [3]}, {"c": 0}]}"#;
        for (query, answer) in [
            ("a[*].b[0]", "[1, 3]"),
            ("a[*].b | [0]", "[1, 2]"),
            ("a[].b[]", "[1, 2, 3]"),
            ("a[?b].b", "[[1, 2], [3]]"),
            ("a[0].b[0] | @", "1"),
            ("*[0].b", "[[1, 2]]"),
            ("a[:2].{x: b, n: length(b)}", "[{'x': [1, 2], 'n': 2}, {'x': [3], 'n': 1}]"),
            ("a[::-1].c | [0]", "0"),
            ("!a", "False"),
            ("a[-1].[c, b]", "[0, None]"),
        ] {
            assert_eq!(ask(query, data).as_deref(), Ok(answer), "{query}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let message = |query: &str| match ask(query, "{}") {
            Err(Trouble::Query(message)) => message,
            other => panic!("{query}: {other:?}"),
        };
        assert_eq!(message("a.[").lines().next(), Some("Invalid jmespath expression: Incomplete expression:"));
        assert_eq!(message("a ~"), "Bad jmespath expression: Unknown token ~:\na ~\n  ^");
        assert!(message("a b").starts_with("Unexpected token: b: Parse error at column 2, token \"b\" (UNQUOTED_IDENTIFIER)"));
        assert!(ask(&"(".repeat(100_000), "{}").is_err());
        assert!(ask(&vec!["a"; 50_000].join("||"), "{}").is_err());
    }
}
