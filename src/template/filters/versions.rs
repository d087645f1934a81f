//! `version_sort` of community.general: loose versions, lowest first.

use std::cmp::Ordering;

use crate::template::coerce::{elements, to_text};
use crate::template::tests::version::order;
use crate::template::{Arguments, Env};
use crate::value::{Fault, Value};

/// `version_sort`.
///
/// # Errors
/// Not iterable, or versions that cannot be compared.
pub fn version_sort(input: Value, mut args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    let reverse = args.take("reverse").is_some_and(|reverse| reverse.is_true());
    args.none("version_sort")?;
    let mut sorted: Vec<(std::sync::Arc<str>, Value)> = Vec::new();
    for item in elements(&input, env)? {
        let version = to_text(&item)?;
        let mut at = sorted.len();
        while at > 0 && order(&version, &sorted[at - 1].0, "loose").map_err(Fault::error)? == if reverse { Ordering::Greater } else { Ordering::Less } {
            at -= 1;
        }
        sorted.insert(at, (version, item));
    }
    Ok(Value::list(sorted.into_iter().map(|(_, item)| item).collect()))
}
