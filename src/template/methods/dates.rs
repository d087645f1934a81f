//! Dates: `strftime`, `strptime`, methods, attributes, and the difference of two.

use std::any::Any;
use std::sync::Arc;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta, Timelike};

use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{index_or, str_argument};
use crate::value::{Fault, Object, Value, text};

const MONTHS: [&str; 12] = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// `date.strftime(format)`.
///
/// # Errors
/// The value is not a date.
pub fn strftime(value: &Value, format: &str) -> Result<String, Fault> {
    let Value::Date(date, offset) = value else { return Err(Fault::error(format!("'{}' object has no attribute 'strftime'", value.type_name()))) };
    Ok(written(date, *offset, "", format))
}

/// A date in C's format; `zone` is the name that `%Z` gives.
pub fn written(date: &NaiveDateTime, offset: Option<FixedOffset>, zone: &str, format: &str) -> String {
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut directive = chars.next();
        let plain = directive == Some('-');
        if plain {
            directive = chars.next();
        }
        match directive {
            Some('f') => out += &format!("{:06}", date.and_utc().timestamp_subsec_micros()),
            Some('z') => out += &offset.map_or_else(String::new, |offset| offset.to_string().replace(':', "")),
            Some('Z') => out += &zone_name(offset, zone),
            Some('s') => out += &offset.map_or(date.and_utc().timestamp(), |offset| (*date - offset).and_utc().timestamp()).to_string(),
            Some('c') => out += &date.format("%a %b %e %H:%M:%S %Y").to_string(),
            Some('P') => out += if date.hour() < 12 { "am" } else { "pm" },
            Some(c) if "aAbBCdDeFgGhHIjklmMnprRStTuUVwWxXyY%".contains(c) => {
                let shown = date.format(&format!("%{c}")).to_string();
                let bare = shown.trim_start_matches(['0', ' ']);
                out += if !plain {
                    &shown
                } else if bare.is_empty() {
                    "0"
                } else {
                    bare
                };
            }
            Some(other) => out.extend(['%', other]),
            None => out.push('%'),
        }
    }
    out
}

fn zone_name(offset: Option<FixedOffset>, zone: &str) -> String {
    match offset {
        _ if !zone.is_empty() => zone.to_string(),
        None => String::new(),
        Some(offset) if offset.local_minus_utc() == 0 => "UTC".into(),
        Some(offset) => format!("UTC{offset}"),
    }
}

/// What `strptime` collects.
struct Parts {
    year: i32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    micro: u32,
    pm: Option<bool>,
    ordinal: Option<u32>,
    offset: Option<i32>,
}

/// `datetime.strptime(text, format)`.
///
/// # Errors
/// Python's `ValueError`.
pub fn strptime(text: &str, format: &str) -> Result<Value, Fault> {
    let mismatch = || Fault::error(format!("time data '{text}' does not match format '{format}'"));
    let mut parts = Parts { year: 1900, month: 1, day: 1, hour: 0, minute: 0, second: 0, micro: 0, pm: None, ordinal: None, offset: None };
    let expanded = format.replace("%c", "%a %b %d %H:%M:%S %Y").replace("%x", "%m/%d/%y").replace("%X", "%H:%M:%S");
    let mut rest = text;
    let mut chars = expanded.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => {
                let directive = chars.next().ok_or_else(|| Fault::error(format!("stray %% in format '{format}'")))?;
                rest = parts.read(directive, rest).ok_or_else(|| match directive {
                    c if "YymdHIMSfjbBhaApzZ%wuUW".contains(c) => mismatch(),
                    c => Fault::error(format!("'{c}' is a bad directive in format '{format}'")),
                })?;
            }
            c if c.is_whitespace() => {
                let trimmed = rest.trim_start();
                if trimmed.len() == rest.len() {
                    return Err(mismatch());
                }
                rest = trimmed;
            }
            c => rest = rest.strip_prefix(c).ok_or_else(mismatch)?,
        }
    }
    if !rest.is_empty() {
        return Err(Fault::error(format!("unconverted data remains: {rest}")));
    }
    parts.date().ok_or_else(|| Fault::error("day is out of range for month"))
}

impl Parts {
    /// Reads one directive; gives what follows, or `None` when the text does not fit.
    fn read<'t>(&mut self, directive: char, text: &'t str) -> Option<&'t str> {
        let mut number = |max_digits: usize, low: u32, high: u32, slot: fn(&mut Parts, u32)| {
            let digits = text.bytes().take(max_digits).take_while(u8::is_ascii_digit).count();
            // the longest prefix that is in range, as an alternation of patterns would find it
            (1..=digits).rev().find_map(|len| {
                let n: u32 = text[..len].parse().ok()?;
                (low..=high).contains(&n).then(|| {
                    slot(self, n);
                    &text[len..]
                })
            })
        };
        match directive {
            'Y' => (text.bytes().take(4).filter(u8::is_ascii_digit).count() == 4).then(|| number(4, 0, 9999, |p, n| p.year = n as i32)).flatten(),
            'y' => number(2, 0, 99, |p, n| p.year = n as i32 + if n < 69 { 2000 } else { 1900 }),
            'm' => number(2, 1, 12, |p, n| p.month = n),
            'd' => number(2, 1, 31, |p, n| p.day = n),
            'H' => number(2, 0, 23, |p, n| p.hour = n),
            'I' => number(2, 1, 12, |p, n| p.hour = n % 12),
            'M' => number(2, 0, 59, |p, n| p.minute = n),
            'S' => number(2, 0, 61, |p, n| p.second = n.min(59)),
            'j' => number(3, 1, 366, |p, n| p.ordinal = Some(n)),
            'w' | 'u' => number(1, 0, 7, |_, _| ()),
            'U' | 'W' => number(2, 0, 53, |_, _| ()),
            'f' => {
                let digits = text.bytes().take(6).take_while(u8::is_ascii_digit).count();
                self.micro = format!("{:0<6}", &text[..digits]).parse().ok().filter(|_| digits > 0)?;
                Some(&text[digits..])
            }
            'b' | 'B' | 'h' => name(text, &MONTHS, directive == 'B').map(|(index, rest)| {
                self.month = index as u32 + 1;
                rest
            }),
            'a' | 'A' => name(text, &DAYS, directive == 'A').map(|(_, rest)| rest),
            'p' => {
                let head = text.get(..2)?.to_ascii_lowercase();
                self.pm = Some(match head.as_str() {
                    "am" => false,
                    "pm" => true,
                    _ => return None,
                });
                Some(&text[2..])
            }
            'z' => self.offset(text),
            'Z' => ["UTC", "GMT"].into_iter().find_map(|zone| text.strip_prefix(zone)),
            '%' => text.strip_prefix('%'),
            _ => None,
        }
    }

    fn offset<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        if let Some(rest) = text.strip_prefix('Z') {
            self.offset = Some(0);
            return Some(rest);
        }
        let sign = match text.chars().next()? {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        let hours: i32 = text.get(1..3)?.parse().ok()?;
        let rest = text.get(3..)?;
        let rest = rest.strip_prefix(':').unwrap_or(rest);
        let minutes: i32 = rest.get(..2)?.parse().ok()?;
        self.offset = Some(sign * (hours * 3600 + minutes * 60));
        Some(&rest[2..])
    }

    fn date(&self) -> Option<Value> {
        let date = match self.ordinal {
            Some(ordinal) => NaiveDate::from_yo_opt(self.year, ordinal)?,
            None => NaiveDate::from_ymd_opt(self.year, self.month, self.day)?,
        };
        let hour = self.hour + if self.pm == Some(true) && self.hour < 12 { 12 } else { 0 };
        let offset = self.offset.map(FixedOffset::east_opt);
        if offset == Some(None) {
            return None;
        }
        Some(Value::Date(date.and_hms_micro_opt(hour, self.minute, self.second, self.micro)?, offset.flatten()))
    }
}

fn name<'t>(text: &'t str, names: &[&str], full: bool) -> Option<(usize, &'t str)> {
    names.iter().enumerate().find_map(|(index, name)| {
        let wanted = if full { *name } else { &name[..3] };
        let head = text.get(..wanted.len())?;
        head.eq_ignore_ascii_case(wanted).then(|| (index, &text[wanted.len()..]))
    })
}

/// A number of the date (`year`, `month`...) or its zone.
pub fn attribute(value: &Value, name: &str) -> Option<Value> {
    let Value::Date(date, offset) = value else { return None };
    Some(match name {
        "year" => i64::from(date.year()).into(),
        "month" => i64::from(date.month()).into(),
        "day" => i64::from(date.day()).into(),
        "hour" => i64::from(date.hour()).into(),
        "minute" => i64::from(date.minute()).into(),
        "second" => i64::from(date.second()).into(),
        "microsecond" => i64::from(date.and_utc().timestamp_subsec_micros()).into(),
        "tzinfo" => offset.map_or(Value::Null, |offset| zone_name(Some(offset), "").into()),
        _ => return None,
    })
}

/// A method of a date; `None` when there is none of that name.
///
/// # Errors
/// As Python's.
pub fn call(value: &Value, name: &str, args: Arguments) -> Result<Option<Value>, Fault> {
    let Value::Date(date, offset) = value else { return Ok(None) };
    Ok(Some(match name {
        "strftime" => {
            let [format] = args.bind(signature("strftime", 0, 1), ["format"])?;
            strftime(value, &str_argument(&format.unwrap_or(Value::Null), "strftime() argument 1")?)?.into()
        }
        "isoformat" => {
            let [separator] = args.bind(signature("isoformat", 0, 0), ["sep"])?;
            let separator = separator.map_or(Ok("T".into()), |s| str_argument(&s, "isoformat() argument 1"))?;
            text(value).replacen(' ', &separator, 1).into()
        }
        "timestamp" => {
            args.none_named(name)?;
            let utc = match offset {
                Some(offset) => (*date - *offset).and_utc(),
                None => date.and_local_timezone(chrono::Local).earliest().map_or_else(|| date.and_utc(), |local| local.to_utc()),
            };
            Value::Float(utc.timestamp_micros() as f64 / 1e6)
        }
        "date" => {
            args.none_named(name)?;
            date.format("%Y-%m-%d").to_string().into()
        }
        "time" => {
            args.none_named(name)?;
            text(&Value::Date(*date, None)).split_once(' ').map_or_else(String::new, |(_, time)| time.to_string()).into()
        }
        "ctime" => date.format("%a %b %e %H:%M:%S %Y").to_string().into(),
        "weekday" => i64::from(date.weekday().num_days_from_monday()).into(),
        "isoweekday" => i64::from(date.weekday().number_from_monday()).into(),
        "toordinal" => i64::from(date.num_days_from_ce()).into(),
        "replace" => replaced(date, *offset, args)?,
        _ => return Ok(None),
    }))
}

fn replaced(date: &NaiveDateTime, offset: Option<FixedOffset>, args: Arguments) -> Result<Value, Fault> {
    let [year, month, day, hour, minute, second, micro] =
        args.bind(signature("replace", 0, 0), ["year", "month", "day", "hour", "minute", "second", "microsecond"])?;
    let part = |value: Option<Value>, now: u32| Ok::<u32, Fault>(u32::try_from(index_or(value.as_ref(), i128::from(now))?).unwrap_or(u32::MAX));
    let year = i32::try_from(index_or(year.as_ref(), i128::from(date.year()))?).unwrap_or(i32::MAX);
    let made = NaiveDate::from_ymd_opt(year, part(month, date.month())?, part(day, date.day())?);
    let (hour, minute, second, micro) =
        (part(hour, date.hour())?, part(minute, date.minute())?, part(second, date.second())?, part(micro, date.and_utc().timestamp_subsec_micros())?);
    let made = made.and_then(|made| made.and_hms_micro_opt(hour, minute, second, micro));
    made.map(|made| Value::Date(made, offset)).ok_or_else(|| Fault::error("day is out of range for month"))
}

/// What lies between two dates: Python's `timedelta`.
#[derive(Debug)]
pub struct Between(TimeDelta);

/// `a - b` for two dates; `None` when they are not two dates.
///
/// # Errors
/// One has an offset and the other has none.
pub fn difference(a: &Value, b: &Value) -> Option<Result<Value, Fault>> {
    let (Value::Date(a, x), Value::Date(b, y)) = (a, b) else { return None };
    let instant = |date: &NaiveDateTime, offset: &Option<FixedOffset>| offset.map_or(*date, |offset| *date - offset);
    if x.is_some() != y.is_some() {
        return Some(Err(Fault::error("can't subtract offset-naive and offset-aware datetimes")));
    }
    Some(Ok(Value::Object(Arc::new(Between(instant(a, x) - instant(b, y))))))
}

impl Between {
    /// Whole days, the seconds of the rest, and its microseconds; only the days can be negative.
    fn parts(&self) -> (i64, i64, i64) {
        let micros = self.0.num_microseconds().unwrap_or(i64::MAX);
        let (seconds, micro) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
        (seconds.div_euclid(86_400), seconds.rem_euclid(86_400), micro)
    }

    fn total_seconds(&self) -> f64 {
        self.0.num_microseconds().unwrap_or(i64::MAX) as f64 / 1e6
    }

    fn shown(&self) -> String {
        let (days, seconds, micro) = self.parts();
        let clock = format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        let clock = if micro > 0 { format!("{clock}.{micro:06}") } else { clock };
        match days {
            0 => clock,
            1 | -1 => format!("{days} day, {clock}"),
            _ => format!("{days} days, {clock}"),
        }
    }

    /// A method; `None` when there is none of that name.
    ///
    /// # Errors
    /// It was given arguments.
    pub fn call(&self, name: &str, args: Arguments) -> Result<Option<Value>, Fault> {
        if name != "total_seconds" {
            return Ok(None);
        }
        args.none_named(name)?;
        Ok(Some(self.total_seconds().into()))
    }
}

impl Object for Between {
    fn type_name(&self) -> &'static str {
        "timedelta"
    }

    fn get(&self, key: &Value) -> Result<Option<Value>, Fault> {
        let (days, seconds, micro) = self.parts();
        Ok(match key.as_str() {
            Some("days") => Some(days.into()),
            Some("seconds") => Some(seconds.into()),
            Some("microseconds") => Some(micro.into()),
            _ => None,
        })
    }

    fn iterate(&self) -> Result<Option<Vec<Value>>, Fault> {
        Ok(None)
    }

    fn len(&self) -> Option<usize> {
        None
    }

    fn resolve(&self) -> Result<Value, Fault> {
        Ok(self.shown().into())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The local time of an instant with its offset and the zone's name as far as it is known.
pub fn local(seconds: i64, micro: u32, utc: bool) -> Option<(NaiveDateTime, FixedOffset, &'static str)> {
    let instant = DateTime::from_timestamp(seconds, micro * 1000)?;
    if utc {
        return Some((instant.naive_utc(), FixedOffset::east_opt(0)?, "GMT"));
    }
    let here = instant.with_timezone(&chrono::Local);
    Some((here.naive_local(), *here.offset(), ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Value {
        strptime(text, "%Y-%m-%d %H:%M:%S").unwrap()
    }

    #[test]
    fn dates_are_read_and_written() {
        let when = date("2024-02-09 07:08:09");
        for (format, shown) in
            [("%d.%m.%y %-H:%M", "09.02.24 7:08"), ("%a %b %j %p %%", "Fri Feb 040 AM %"), ("%Q|%f", "%Q|000000"), ("%c", "Fri Feb  9 07:08:09 2024")]
        {
            assert_eq!(strftime(&when, format).unwrap(), shown);
        }
        assert_eq!(strptime("9 Feb 2024 7PM", "%d %b %Y %I%p").unwrap(), date("2024-02-09 19:00:00"));
        assert_eq!(text(&strptime("2024-01-01T00:00:00.5+0130", "%Y-%m-%dT%H:%M:%S.%f%z").unwrap()), "2024-01-01 00:00:00.500000+01:30");
        for (text, format, message) in [
            ("2024", "%Y-%m", "time data '2024' does not match format '%Y-%m'"),
            ("2024x", "%Y", "unconverted data remains: x"),
            ("1", "%Q", "'Q' is a bad directive in format '%Q'"),
            ("2023-02-30", "%Y-%m-%d", "day is out of range for month"),
        ] {
            assert_eq!(strptime(text, format).unwrap_err().message, message);
        }
    }

    #[test]
    fn the_difference_of_dates_is_a_timedelta() {
        let between = difference(&date("2024-01-03 00:00:00"), &date("2024-01-01 12:00:30")).unwrap().unwrap();
        let Value::Object(between) = between else { panic!("no object") };
        assert_eq!(between.get(&"seconds".into()).unwrap(), Some(Value::Int(43_170)));
        assert_eq!(between.resolve().unwrap(), "1 day, 11:59:30".into());
    }
}
