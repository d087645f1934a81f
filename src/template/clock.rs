//! The clock of templates. The idempotence checker moves it to find what depends on it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

use crate::value::{Dict, Value, text};

/// Seconds that the clock is ahead, for all templates of the process.
static AHEAD: AtomicI64 = AtomicI64::new(0);

/// Puts the clock of templates and of gathered facts ahead by so many seconds; 0 for the true time.
pub fn set_ahead(seconds: i64) {
    AHEAD.store(seconds, Ordering::Relaxed);
}

/// The time that templates see.
pub fn now() -> SystemTime {
    let ahead = AHEAD.load(Ordering::Relaxed);
    let by = Duration::from_secs(ahead.unsigned_abs());
    if ahead < 0 { SystemTime::now() - by } else { SystemTime::now() + by }
}

/// Facts with their `date_time` put ahead as the clock is.
pub fn shifted(facts: &Dict) -> Option<Dict> {
    let ahead = AHEAD.load(Ordering::Relaxed);
    let key = ["ansible_date_time", "date_time"].into_iter().find(|key| facts.contains_key(*key)).filter(|_| ahead != 0)?;
    let time = facts.get(key)?.as_dict()?;
    let epoch: i64 = text(time.get("epoch")?).parse().ok()?;
    let utc = DateTime::<Utc>::from_timestamp(epoch + ahead, 0)?;
    let offset = offset_seconds(&text(time.get("tz_offset")?))?;
    let local = utc.with_timezone(&chrono::FixedOffset::east_opt(offset)?);
    let mut moved = time.clone();
    let formats = [
        ("year", "%Y"),
        ("month", "%m"),
        ("weekday", "%A"),
        ("weekday_number", "%w"),
        ("weeknumber", "%W"),
        ("day", "%d"),
        ("hour", "%H"),
        ("minute", "%M"),
        ("second", "%S"),
        ("date", "%Y-%m-%d"),
        ("time", "%H:%M:%S"),
        ("iso8601_basic", "%Y%m%dT%H%M%S%6f"),
        ("iso8601_basic_short", "%Y%m%dT%H%M%S"),
    ];
    for (name, format) in formats {
        moved.insert(name.into(), local.format(format).to_string().into());
    }
    for name in ["epoch", "epoch_int"] {
        moved.insert(name.into(), utc.timestamp().to_string().into());
    }
    moved.insert("iso8601".into(), utc.format("%Y-%m-%dT%H:%M:%SZ").to_string().into());
    moved.insert("iso8601_micro".into(), utc.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string().into());
    let mut all = facts.clone();
    all.insert(key.into(), Value::dict(moved));
    Some(all)
}

/// `+0530` in seconds.
fn offset_seconds(text: &str) -> Option<i32> {
    let (sign, digits) = text.split_at_checked(1)?;
    let (hours, minutes) = digits.split_at_checked(2)?;
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    Some(if sign == "-" { -seconds } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets() {
        assert_eq!(offset_seconds("+0530"), Some(19_800));
        assert_eq!(offset_seconds("-0100"), Some(-3600));
        assert_eq!(offset_seconds(""), None);
    }
}
