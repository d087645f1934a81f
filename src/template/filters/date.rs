//! `to_datetime` and `strftime`.

use std::time::UNIX_EPOCH;

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{as_float, flag_or, given, parse_float, str_argument, to_text};
use crate::template::methods::dates::{local, strptime, written};
use crate::value::{Fault, Value};

/// `to_datetime`.
///
/// # Errors
/// Text that does not fit the format.
pub fn to_datetime(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [format] = args.bind(signature("to_datetime", 1, 0), ["format"])?;
    let format = format.map_or(Ok("%Y-%m-%d %H:%M:%S".into()), |format| str_argument(&format, "strptime() argument 2"))?;
    strptime(&str_argument(&input, "strptime() argument 1")?, &format)
}

/// `strftime`: the input is the format, the argument the seconds since 1970.
///
/// # Errors
/// No number of seconds.
pub fn strftime(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [second, utc] = args.bind(signature("strftime", 1, 0), ["second", "utc"])?;
    let utc = flag_or(utc.as_ref(), false)?;
    let seconds = match given(second) {
        None => crate::template::clock::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64()),
        Some(given) => {
            let number = given.as_str().map_or_else(|| as_float(&given), parse_float);
            match number {
                Some(number) => number,
                None => return Err(Fault::error(format!("Invalid value for epoch value ({})", to_text(&given)?))),
            }
        }
    };
    let format = str_argument(&input, "strftime() argument 1")?;
    let (date, offset, zone) = local(seconds.floor() as i64, 0, utc).ok_or_else(|| Fault::error("timestamp out of range for platform time_t"))?;
    Ok(written(&date, Some(offset), zone, &format).into())
}
