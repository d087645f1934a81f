//! Methods of whole numbers and floats.

use crate::template::arguments::Arguments;
use crate::value::{Fault, Value};

/// A method of a whole number or boolean; `None` when there is none of that name.
///
/// # Errors
/// It was given arguments that it does not take.
pub fn whole(n: i128, name: &str, args: Arguments) -> Result<Option<Value>, Fault> {
    let answer = match name {
        "bit_length" => Value::Int(i128::from(128 - n.unsigned_abs().leading_zeros())),
        "bit_count" => Value::Int(i128::from(n.unsigned_abs().count_ones())),
        "conjugate" => Value::Int(n),
        "as_integer_ratio" => Value::Tuple(vec![Value::Int(n), Value::Int(1)].into()),
        _ => return Ok(None),
    };
    args.none_named(name)?;
    Ok(Some(answer))
}

/// A method of a float; `None` when there is none of that name.
///
/// # Errors
/// It was given arguments that it does not take.
pub fn float(f: f64, name: &str, args: Arguments) -> Result<Option<Value>, Fault> {
    let answer = match name {
        "is_integer" => Value::Bool(f.is_finite() && f.fract() == 0.0),
        "conjugate" => Value::Float(f),
        _ => return Ok(None),
    };
    args.none_named(name)?;
    Ok(Some(answer))
}
