//! YAML 1.1's rules for scalars as PyYAML has them: which type a plain scalar is, and its value.

use std::sync::Arc;

use chrono::{FixedOffset, NaiveDate};

use crate::value::Value;

/// What a scalar is by its text alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Bool,
    Float,
    Int,
    Merge,
    Null,
    Timestamp,
    Default,
    Str,
}

/// The type of a plain scalar. As with Python's `$`, one newline at the end does not count.
pub(super) fn resolve(text: &str) -> Type {
    let bytes = match text.strip_suffix('\n') {
        Some("") => return Type::Str,
        Some(rest) => rest.as_bytes(),
        None => text.as_bytes(),
    };
    let Some(first) = bytes.first() else { return Type::Null };
    match first {
        b'y' | b'Y' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' if boolean(bytes).is_some() => Type::Bool,
        b'n' | b'N' if boolean(bytes).is_some() => Type::Bool,
        b'n' | b'N' if matches!(bytes, b"null" | b"Null" | b"NULL") => Type::Null,
        b'~' if bytes.len() == 1 => Type::Null,
        b'<' if bytes == b"<<" => Type::Merge,
        b'=' if bytes.len() == 1 => Type::Default,
        b'-' | b'+' | b'.' | b'0'..=b'9' => number(bytes),
        _ => Type::Str,
    }
}

fn number(bytes: &[u8]) -> Type {
    if is_float(bytes) {
        Type::Float
    } else if is_int(bytes) {
        Type::Int
    } else if is_timestamp(bytes, 10) {
        Type::Timestamp
    } else {
        Type::Str
    }
}

fn boolean(bytes: &[u8]) -> Option<bool> {
    match bytes {
        b"yes" | b"Yes" | b"YES" | b"true" | b"True" | b"TRUE" | b"on" | b"On" | b"ON" => Some(true),
        b"no" | b"No" | b"NO" | b"false" | b"False" | b"FALSE" | b"off" | b"Off" | b"OFF" => Some(false),
        _ => None,
    }
}

/// A cursor over the text for the patterns below; each step says whether it matched and moves on if so.
struct Scan<'a>(&'a [u8]);

impl Scan<'_> {
    fn one(&mut self, wanted: impl Fn(u8) -> bool) -> bool {
        let hit = self.0.first().is_some_and(|b| wanted(*b));
        if hit {
            self.0 = &self.0[1..];
        }
        hit
    }

    fn many(&mut self, wanted: impl Fn(u8) -> bool) -> usize {
        let count = self.0.iter().take_while(|b| wanted(**b)).count();
        self.0 = &self.0[count..];
        count
    }

    fn digits(&mut self, least: usize, most: usize) -> bool {
        let count = self.0.iter().take(most).take_while(|b| b.is_ascii_digit()).count();
        self.0 = &self.0[count..];
        count >= least
    }

    fn sign(&mut self) -> bool {
        self.one(|b| matches!(b, b'+' | b'-'))
    }

    fn at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// `([eE][-+]\d+)?` and the end.
    fn exponent_and_end(&mut self) -> bool {
        self.at_end() || self.one(|b| matches!(b, b'e' | b'E')) && self.sign() && self.many(|b| b.is_ascii_digit()) > 0 && self.at_end()
    }

    /// `(:[0-5]?\d)+`
    fn sixties(&mut self) -> bool {
        let mut any = false;
        while self.one(|b| b == b':') {
            let count = self.0.iter().take(2).take_while(|b| b.is_ascii_digit()).count();
            if count == 0 || count == 2 && self.0[0] > b'5' {
                return false;
            }
            self.0 = &self.0[count..];
            any = true;
        }
        any
    }
}

fn digit_or_bar(b: u8) -> bool {
    b.is_ascii_digit() || b == b'_'
}

fn is_float(bytes: &[u8]) -> bool {
    let mut scan = Scan(bytes);
    let signed = scan.sign();
    if scan.one(|b| b == b'.') {
        let rest = scan.0;
        return matches!(rest, b"inf" | b"Inf" | b"INF")
            || !signed && matches!(rest, b"nan" | b"NaN" | b"NAN")
            || !signed && scan.one(|b| b.is_ascii_digit()) && {
                scan.many(digit_or_bar);
                scan.exponent_and_end()
            };
    }
    if !scan.one(|b| b.is_ascii_digit()) {
        return false;
    }
    scan.many(digit_or_bar);
    let sixties = scan.0.first() == Some(&b':');
    if sixties && !scan.sixties() || !scan.one(|b| b == b'.') {
        return false;
    }
    scan.many(digit_or_bar);
    if sixties { scan.at_end() } else { scan.exponent_and_end() }
}

fn is_int(bytes: &[u8]) -> bool {
    let mut scan = Scan(bytes);
    scan.sign();
    match scan.0 {
        [b'0'] => true,
        [b'0', b'b', digits @ ..] => !digits.is_empty() && digits.iter().all(|b| matches!(b, b'0' | b'1' | b'_')),
        [b'0', b'x', digits @ ..] => !digits.is_empty() && digits.iter().all(|b| b.is_ascii_hexdigit() || *b == b'_'),
        [b'0', digits @ ..] => digits.iter().all(|b| matches!(b, b'0'..=b'7' | b'_')),
        [b'1'..=b'9', ..] => {
            scan.many(digit_or_bar);
            scan.at_end() || scan.sixties() && scan.at_end()
        }
        _ => false,
    }
}

/// A date alone has at least `shortest` characters.
fn is_timestamp(bytes: &[u8], shortest: usize) -> bool {
    let mut scan = Scan(bytes);
    if !(scan.digits(4, 4) && scan.one(|b| b == b'-') && scan.digits(1, 2) && scan.one(|b| b == b'-') && scan.digits(1, 2)) {
        return false;
    }
    if scan.at_end() {
        return bytes.len() >= shortest;
    }
    let blank = |b| matches!(b, b' ' | b'\t');
    if !scan.one(|b| matches!(b, b'T' | b't')) && scan.many(blank) == 0 {
        return false;
    }
    let colon = |b| b == b':';
    if !(scan.digits(1, 2) && scan.one(colon) && scan.digits(2, 2) && scan.one(colon) && scan.digits(2, 2)) {
        return false;
    }
    if scan.one(|b| b == b'.') {
        scan.many(|b| b.is_ascii_digit());
    }
    if scan.at_end() {
        return true;
    }
    scan.many(blank);
    scan.one(|b| b == b'Z') && scan.at_end() || scan.sign() && scan.digits(1, 2) && (scan.at_end() || scan.one(colon) && scan.digits(2, 2) && scan.at_end())
}

/// `!!bool`.
pub(super) fn to_bool(text: &str) -> Result<Value, String> {
    let lower = text.to_lowercase();
    match boolean(lower.as_bytes()) {
        Some(b) => Ok(Value::Bool(b)),
        None => Err(format!("{text:?} is not a boolean")),
    }
}

/// `!!int`: binary, octal (with a leading 0), hexadecimal, base 60 with colons.
pub(super) fn to_int(text: &str) -> Result<Value, String> {
    let plain = text.trim().replace('_', "");
    let (negative, digits) = signed(&plain);
    let wrong = || format!("{text:?} is not an integer");
    let parse = |digits: &str, radix| {
        if digits.is_empty() || digits.starts_with(['+', '-']) || !digits.chars().all(|c| c.is_digit(radix)) {
            return Err(wrong());
        }
        i128::from_str_radix(digits, radix).map_err(|_| too_big(text))
    };
    let magnitude = if let Some(digits) = digits.strip_prefix("0b") {
        parse(digits, 2)?
    } else if let Some(digits) = digits.strip_prefix("0x") {
        parse(digits, 16)?
    } else if digits.starts_with('0') {
        parse(digits, 8)?
    } else if digits.contains(':') {
        let mut sum = 0i128;
        for part in digits.split(':') {
            sum = sum.checked_mul(60).and_then(|sum| sum.checked_add(parse(part, 10).ok()?)).ok_or_else(wrong)?;
        }
        sum
    } else {
        parse(digits, 10)?
    };
    Ok(Value::Int(if negative { -magnitude } else { magnitude }))
}

fn too_big(text: &str) -> String {
    let shown: String = text.chars().take(20).collect();
    format!("the integer {shown}{} is too big: whole numbers have 128 bits here", if text.chars().count() > 20 { "..." } else { "" })
}

fn signed(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

/// `!!float`, base 60 too.
pub(super) fn to_float(text: &str) -> Result<Value, String> {
    let plain = text.trim().replace('_', "").to_lowercase();
    let (negative, digits) = signed(&plain);
    let wrong = || format!("{text:?} is not a floating point number");
    let magnitude = match digits {
        ".inf" => f64::INFINITY,
        ".nan" => f64::NAN,
        digits if digits.contains(':') => {
            let mut sum = 0.0;
            let mut base = 1.0;
            for part in digits.rsplit(':') {
                sum += part.parse::<f64>().map_err(|_| wrong())? * base;
                base *= 60.0;
            }
            sum
        }
        digits => digits.parse().map_err(|_| wrong())?,
    };
    Ok(Value::Float(if negative { -magnitude } else { magnitude }))
}

/// `!!timestamp`: a date, or a date with time and perhaps an offset.
pub(super) fn to_timestamp(text: &str) -> Result<Value, String> {
    let wrong = || format!("{text:?} is not a date");
    let text = text.trim_end_matches('\n');
    if !is_timestamp(text.as_bytes(), 0) {
        return Err(wrong());
    }
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(text.len());
    let mut parts = text[..split].split('-').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    let date = NaiveDate::from_ymd_opt(i32::try_from(next()).unwrap_or(0), next(), next())
        .filter(|date| date > &NaiveDate::MIN && !text.starts_with("0000"))
        .ok_or_else(wrong)?;
    if split == text.len() {
        return Ok(Value::day(date));
    }
    let rest = text[split..].trim_start_matches(['T', 't', ' ', '\t']);
    let (clock, zone) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.').unwrap_or(rest.len()));
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = whole.split(':').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    let micros: u32 = format!("{:0<6}", &fraction[..fraction.len().min(6)]).parse().unwrap_or(0);
    let time = date.and_hms_micro_opt(next(), next(), next(), micros).ok_or_else(wrong)?;
    Ok(Value::Date(time, offset(zone.trim()).ok_or_else(wrong)?))
}

fn offset(zone: &str) -> Option<Option<FixedOffset>> {
    if zone.is_empty() {
        return Some(None);
    }
    if zone == "Z" {
        return Some(FixedOffset::east_opt(0));
    }
    let (negative, digits) = signed(zone);
    let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "0"));
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    FixedOffset::east_opt(if negative { -seconds } else { seconds }).map(Some)
}

/// The value of a scalar of a known type; text stays text.
pub(super) fn construct(kind: Type, text: &str) -> Result<Value, String> {
    match kind {
        Type::Bool => to_bool(text),
        Type::Float => to_float(text),
        Type::Int => to_int(text),
        Type::Null => Ok(Value::Null),
        Type::Timestamp => to_timestamp(text),
        Type::Merge => Err("could not determine a constructor for the tag 'tag:yaml.org,2002:merge'".into()),
        Type::Default => Err("could not determine a constructor for the tag 'tag:yaml.org,2002:value'".into()),
        Type::Str => Ok(Value::Str(Arc::from(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::repr;

    #[test]
    fn plain_scalars_have_the_types_of_yaml_1_1() {
        for (text, shown) in [
            ("yes", "True"),
            ("y", "'y'"),
            ("0644", "420"),
            ("0o17", "'0o17'"),
            ("08", "'08'"),
            ("0x1f", "31"),
            ("0X1F", "'0X1F'"),
            ("-0b11", "-3"),
            ("1_000", "1000"),
            ("1:30", "90"),
            ("1:60", "'1:60'"),
            ("190:20:30.15", "685230.15"),
            ("1e3", "'1e3'"),
            ("1.0e3", "'1.0e3'"),
            ("1.0e+3", "1000.0"),
            (".5", "0.5"),
            ("-.5", "'-.5'"),
            ("1.", "1.0"),
            ("-.INF", "-inf"),
            ("~", "None"),
            ("2001-12-14", "'2001-12-14'"),
            ("2001-1-4", "'2001-1-4'"),
            ("2001-1-4 1:02:03.5 -5:30", "'2001-01-04 01:02:03.500000-05:30'"),
            ("2001-12-14t21:59:43.1234567Z", "'2001-12-14 21:59:43.123456+00:00'"),
            ("1.2.3", "'1.2.3'"),
        ] {
            assert_eq!(construct(resolve(text), text).map(|value| repr(&value)), Ok(shown.to_string()), "{text}");
        }
    }

    #[test]
    fn what_matches_may_still_have_no_value() {
        for text in ["0x_", "0b_", "2001-13-01", "2001-12-14 21:59:60", "=", "<<", "999999999999999999999999999999999999999999"] {
            assert!(construct(resolve(text), text).is_err(), "{text}");
        }
    }
}
