//! Filters over numbers and sizes.

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{as_float, defined, flag_or, given, index_or, parse_float, parse_int, to_index, to_text};
use crate::value::{Fault, Value};

/// `abs`.
///
/// # Errors
/// Not a number.
pub fn abs(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    if !args.positional.is_empty() {
        return Err(Fault::error(format!("abs() takes exactly one argument ({} given)", 1 + args.positional.len())));
    }
    args.none("abs")?;
    match input {
        Value::Int(n) => Ok(Value::Int(n.saturating_abs())),
        Value::Bool(b) => Ok(Value::Int(i128::from(b))),
        Value::Float(f) => Ok(Value::Float(f.abs())),
        other => Err(Fault::error(format!("bad operand type for abs(): '{}'", other.type_name()))),
    }
}

/// `int`.
///
/// # Errors
/// Infinity, as in Python.
pub fn int(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [default, base] = args.bind(signature("do_int", 1, 0), ["default", "base"])?;
    let base = match base {
        None => Some(10),
        Some(Value::Int(n)) => u32::try_from(n).ok().filter(|base| *base == 0 || (2..=36).contains(base)),
        Some(_) => None,
    };
    let whole = match &input {
        Value::Int(n) => Some(*n),
        Value::Bool(b) => Some(i128::from(*b)),
        Value::Float(f) if f.is_infinite() => return Err(Fault::error("cannot convert float infinity to integer")),
        Value::Float(f) => truncated(*f),
        Value::Str(text) => base.and_then(|base| parse_int(text, base)).or_else(|| parse_float(text).and_then(truncated)),
        _ => None,
    };
    Ok(whole.map_or_else(|| default.unwrap_or(Value::Int(0)), Value::Int))
}

fn truncated(f: f64) -> Option<i128> {
    (f.is_finite() && f.abs() < 1.7e38).then_some(f as i128)
}

/// `float`.
///
/// # Errors
/// None but wrong arguments.
pub fn float(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [default] = args.bind(signature("do_float", 1, 0), ["default"])?;
    let f = match &input {
        Value::Str(text) => parse_float(text),
        other => as_float(other),
    };
    Ok(f.map_or_else(|| default.unwrap_or(Value::Float(0.0)), Value::Float))
}

/// `round`.
///
/// # Errors
/// Not a number, or an unknown method.
pub fn round(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [precision, method] = args.bind(signature("do_round", 1, 0), ["precision", "method"])?;
    let precision = index_or(precision.as_ref(), 0)?.clamp(-400, 400) as i32;
    let method = method.as_ref().map_or(Ok("common".into()), to_text)?;
    if !matches!(&*method, "common" | "ceil" | "floor") {
        return Err(Fault::error("method must be common, ceil or floor"));
    }
    let Some(f) = as_float(&input) else {
        return Err(Fault::error(match &*method {
            "common" => format!("type {} doesn't define __round__ method", input.type_name()),
            _ => format!("must be real number, not {}", input.type_name()),
        }));
    };
    match (&*method, &input) {
        ("common", Value::Float(_)) if !f.is_finite() => Ok(Value::Float(f)),
        ("common", Value::Float(_)) => Ok(Value::Float(rounded(f, precision))),
        ("common", whole) => round_whole(to_index(whole)?, precision).map(Value::Int),
        (method, _) => {
            let scale = 10f64.powi(precision);
            let scaled = f * scale;
            Ok(Value::Float(if method == "ceil" { scaled.ceil() } else { scaled.floor() } / scale))
        }
    }
}

/// Python's `round` of a float: correctly rounded in decimal, half to even.
fn rounded(f: f64, precision: i32) -> f64 {
    if precision >= 0 {
        return format!("{f:.*}", precision as usize).parse().unwrap_or(f);
    }
    let scale = 10f64.powi(-precision);
    (f / scale).round_ties_even() * scale
}

fn round_whole(n: i128, precision: i32) -> Result<i128, Fault> {
    if precision >= 0 {
        return Ok(n);
    }
    let Some(scale) = 10i128.checked_pow(precision.unsigned_abs()) else { return Ok(0) };
    let (low, rest) = (n.div_euclid(scale) * scale, n.rem_euclid(scale));
    let up = rest * 2 > scale || (rest * 2 == scale && (low / scale) % 2 != 0);
    Ok(if up { low + scale } else { low })
}

/// A number; what is none fails with the words of the filter and the reason.
fn number(value: &Value, message: &str) -> Result<f64, Fault> {
    defined(value)?;
    as_float(value).ok_or_else(|| Fault::error(format!("{message}: must be real number, not {}", value.type_name())))
}

/// `log`.
///
/// # Errors
/// Not a number, or not positive.
pub fn log(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [base] = args.bind(signature("logarithm", 1, 0), ["base"])?;
    let wrong = "log() can only be used on numbers";
    let x = number(&input, wrong)?;
    let base = base.as_ref().map(|base| number(base, wrong)).transpose()?;
    if x <= 0.0 || base.is_some_and(|base| base <= 0.0) {
        return Err(Fault::error("math domain error"));
    }
    Ok(Value::Float(match base {
        None => x.ln(),
        Some(10.0) => x.log10(),
        Some(1.0) => return Err(Fault::error("float division by zero")),
        Some(base) => x.ln() / base.ln(),
    }))
}

/// `pow`.
///
/// # Errors
/// Not numbers.
pub fn pow(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [exponent] = args.bind(signature("power", 1, 1), ["y"])?;
    let wrong = "pow() can only be used on numbers";
    let (x, y) = (number(&input, wrong)?, number(&exponent.unwrap_or(Value::Null), wrong)?);
    let power = x.powf(y);
    if power.is_nan() && !x.is_nan() && !y.is_nan() || (x == 0.0 && y < 0.0) {
        return Err(Fault::error("math domain error"));
    }
    if power.is_infinite() && x.is_finite() && y.is_finite() {
        return Err(Fault::error("math range error"));
    }
    Ok(Value::Float(power))
}

/// `root`.
///
/// # Errors
/// Not numbers, or the root of a negative one.
pub fn root(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [base] = args.bind(signature("inversepower", 1, 0), ["base"])?;
    let wrong = "root() can only be used on numbers";
    let x = number(&input, wrong)?;
    let base = match base {
        None => 2.0,
        Some(Value::Str(text)) => parse_float(&text).ok_or_else(|| Fault::error(wrong))?,
        Some(other) => number(&other, wrong)?,
    };
    if base == 0.0 {
        return Err(Fault::error("float division by zero"));
    }
    let root = if base == 2.0 { x.sqrt() } else { x.powf(1.0 / base) };
    if root.is_nan() && !x.is_nan() { Err(Fault::error(format!("{wrong}: math domain error"))) } else { Ok(Value::Float(root)) }
}

/// `filesizeformat`.
///
/// # Errors
/// Not a number.
pub fn filesizeformat(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [binary] = args.bind(signature("do_filesizeformat", 1, 0), ["binary"])?;
    let binary = flag_or(binary.as_ref(), false)?;
    let bytes = match &input {
        Value::Str(text) => parse_float(text).ok_or_else(|| Fault::error(format!("could not convert string to float: {}", crate::value::repr(&input))))?,
        other => as_float(other).ok_or_else(|| Fault::error(format!("float() argument must be a string or a real number, not '{}'", other.type_name())))?,
    };
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    if bytes == 1.0 {
        return Ok("1 Byte".into());
    }
    if bytes < base {
        return Ok(format!("{} Bytes", bytes.trunc()).into());
    }
    let prefixes = if binary { ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"] } else { ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"] };
    let step = (0..8).find(|i| bytes < base.powi(i + 2)).unwrap_or(7);
    Ok(format!("{:.1} {}", base * bytes / base.powi(step + 2), prefixes[step as usize]).into())
}

const SIZES: [(char, u32); 9] = [('Y', 80), ('Z', 70), ('E', 60), ('P', 50), ('T', 40), ('G', 30), ('M', 20), ('K', 10), ('B', 0)];

/// `human_readable`.
///
/// # Errors
/// Not a number.
pub fn human_readable(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [bits, unit] = args.bind(signature("human_readable", 1, 0), ["isbits", "unit"])?;
    defined(&input)?;
    let size = as_float(&input).ok_or_else(|| {
        Fault::error(format!("human_readable() failed on bad input: '>=' not supported between instances of '{}' and 'int'", input.type_name()))
    })?;
    let base = if flag_or(bits.as_ref(), false)? { "bits" } else { "Bytes" };
    let unit = given(unit).map(|unit| to_text(&unit)).transpose()?.map(|unit| unit.to_uppercase());
    let fits = |(letter, power): &(char, u32)| match &unit {
        Some(unit) => unit.chars().eq([*letter]),
        None => size >= 2f64.powi(*power as i32),
    };
    let (letter, power) = SIZES.into_iter().find(fits).unwrap_or(('B', 0));
    let suffix = if power == 0 { base.to_string() } else { format!("{letter}{}", &base[..1]) };
    Ok(format!("{:.2} {suffix}", size / 2f64.powi(power as i32)).into())
}

/// `human_to_bytes`.
///
/// # Errors
/// Text that is no size.
pub fn human_to_bytes(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [default_unit, bits] = args.bind(signature("human_to_bytes", 1, 0), ["default_unit", "isbits"])?;
    let bits = flag_or(bits.as_ref(), false)?;
    let shown = to_text(&input)?;
    let default_unit = given(default_unit).map(|unit| to_text(&unit)).transpose()?;
    size_of(&shown, default_unit.as_deref(), bits).map_or_else(
        || Err(Fault::error(format!("human_to_bytes() can't interpret the input: {}", why_no_size(&shown, default_unit.as_deref(), bits)))),
        |n| Ok(Value::Int(n)),
    )
}

fn split_size(text: &str) -> Option<(f64, Option<&str>)> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim();
    let well_formed = !number.is_empty() && !number.ends_with('.') && number.matches('.').count() <= 1 && unit.chars().all(|c| c.is_ascii_alphabetic());
    well_formed.then(|| (number.parse().unwrap_or(0.0), (!unit.is_empty()).then_some(unit)))
}

fn size_of(text: &str, default_unit: Option<&str>, bits: bool) -> Option<i128> {
    let (number, unit) = split_size(text)?;
    let Some(unit) = unit.or(default_unit) else { return Some(number.round_ties_even() as i128) };
    let letter = unit.chars().next()?.to_ascii_uppercase();
    let (_, power) = SIZES.into_iter().find(|(have, _)| *have == letter)?;
    if unit.len() > 1 && !unit_fits(unit, letter, bits) {
        return None;
    }
    Some((number * 2f64.powi(power as i32)).round_ties_even() as i128)
}

fn unit_fits(unit: &str, letter: char, bits: bool) -> bool {
    let (short, word) = if bits { ('b', "bit") } else { ('B', "byte") };
    let prefix = match letter {
        'B' => return unit.eq_ignore_ascii_case(word),
        'K' => "kilo",
        'M' => "mega",
        'G' => "giga",
        'T' => "tera",
        'P' => "peta",
        'E' => "exa",
        'Z' => "zetta",
        _ => "yotta",
    };
    // the table that Ansible reads has one t in zettabyte
    let word = format!("{}{word}", if letter == 'Z' { "zeta" } else { prefix });
    unit.eq_ignore_ascii_case(&word) || unit == format!("{letter}{short}")
}

fn why_no_size(text: &str, default_unit: Option<&str>, bits: bool) -> String {
    let Some((_, unit)) = split_size(text) else { return format!("human_to_bytes() can't interpret following string: {text}") };
    let unit = unit.or(default_unit).unwrap_or_default();
    let letter = unit.chars().next().unwrap_or(' ').to_ascii_uppercase();
    if !SIZES.iter().any(|(have, _)| *have == letter) {
        return format!("human_to_bytes() failed to convert {text} (unit = {unit}). The suffix must be one of Y, Z, E, P, T, G, M, K, B");
    }
    let short = if bits { 'b' } else { 'B' };
    let expected =
        if letter == 'B' { format!("expect {short} or {}", if bits { "bit" } else { "byte" }) } else { format!("expect {letter}{short} or {letter}") };
    format!("human_to_bytes() failed to convert {text}. Value is not a valid string ({expected})")
}
