//! The target's clock.

use chrono::{DateTime, Local, Offset, Utc};
use serde_json::json;

use super::Facts;
use crate::context::Context;

pub(super) fn collect(cx: &Context<'_>, facts: &mut Facts) {
    let now = Utc::now();
    let local: DateTime<Local> = now.into();
    let of = |format: &str| local.format(format).to_string();
    let (name, other) = zone(cx, local.offset().fix().local_minus_utc());
    let time = json!({
        "year": of("%Y"), "month": of("%m"), "weekday": of("%A"), "weekday_number": of("%w"), "weeknumber": of("%W"),
        "day": of("%d"), "hour": of("%H"), "minute": of("%M"), "second": of("%S"),
        "epoch": now.timestamp().to_string(), "epoch_int": now.timestamp().to_string(),
        "date": of("%Y-%m-%d"), "time": of("%H:%M:%S"),
        "iso8601_micro": now.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        "iso8601": now.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "iso8601_basic": of("%Y%m%dT%H%M%S%6f"),
        "iso8601_basic_short": of("%Y%m%dT%H%M%S"),
        "tz": name, "tz_dst": other, "tz_offset": of("%z"),
    });
    facts.insert("date_time".into(), time);
}

/// The zone's name now and its name in summer, from the rule at the end of the zone file.
fn zone(cx: &Context<'_>, offset: i32) -> (String, String) {
    let bytes = crate::system::read(cx.system(), std::path::Path::new("/etc/localtime")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let rule = text.trim_end_matches('\n').rsplit('\n').next().unwrap_or_default().to_owned();
    names(if rule.starts_with("TZif") { "" } else { &rule }, offset).unwrap_or_else(|| ("UTC".into(), "UTC".into()))
}

/// Names of a rule such as `CET-1CEST,M3.5.0,M10.5.0/3`.
fn names(rule: &str, offset: i32) -> Option<(String, String)> {
    let (standard, rest) = name(rule)?;
    let end = rest.find(|c: char| !(c.is_ascii_digit() || "+-:".contains(c))).unwrap_or(rest.len());
    let (west, rest) = rest.split_at(end);
    let summer = name(rest).map(|(name, _)| name);
    let sign = if west.starts_with('-') { 1 } else { -1 };
    let mut parts = west.trim_start_matches(['+', '-']).split(':').map(|part| part.parse::<i32>().unwrap_or(0));
    let east = sign * (parts.next()? * 3600 + parts.next().unwrap_or(0) * 60);
    let other = summer.unwrap_or_else(|| standard.clone());
    Some((if offset == east { standard } else { other.clone() }, other))
}

fn name(rule: &str) -> Option<(String, &str)> {
    if let Some(rest) = rule.strip_prefix('<') {
        let (name, rest) = rest.split_once('>')?;
        return Some((name.to_owned(), rest));
    }
    let end = rule.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rule.len());
    (end > 0).then(|| (rule[..end].to_owned(), &rule[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones() {
        let both = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(names("UTC0", 0), both("UTC", "UTC"));
        assert_eq!(names("CET-1CEST,M3.5.0,M10.5.0/3", 3600), both("CET", "CEST"));
        assert_eq!(names("CET-1CEST,M3.5.0,M10.5.0/3", 7200), both("CEST", "CEST"));
        assert_eq!(names("<+0530>-5:30", 19_800), both("+0530", "+0530"));
    }
}
