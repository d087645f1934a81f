//! Access and modification times of the `file` module.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{Local, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};

use crate::args::Args;
use crate::attributes::AttributeDiff;
use crate::change::Change;
use crate::context::Context;
use crate::outcome::Failure;
use crate::system::Time;

/// What one of the two times shall be.
#[derive(Debug, Clone, Copy, PartialEq)]
enum When {
    Keep,
    Now,
    At(Time),
}

/// Both times.
pub(super) struct Times {
    modification: When,
    access: When,
}

impl Times {
    pub(super) fn read(args: &Args, touch: bool) -> Result<Times, Failure> {
        let one = |name: &str| -> Result<When, Failure> {
            match args.str(name) {
                None if touch => Ok(When::Now),
                None | Some("preserve") => Ok(When::Keep),
                Some("now") => Ok(When::Now),
                Some(text) => parse(text, args.text(&format!("{name}_format"))).map(When::At),
            }
        };
        Ok(Times { modification: one("modification_time")?, access: one("access_time")? })
    }

    pub(super) fn set(&self, cx: &mut Context<'_>, path: &Path, diff: &mut AttributeDiff) -> Result<bool, Failure> {
        if (self.modification, self.access) == (When::Keep, When::Keep) {
            return Ok(false);
        }
        let Some(stat) = cx.stat(path)? else { return Ok(false) };
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = (since.as_secs() as i64, i64::from(since.subsec_nanos()));
        let at = |when: When, old: Time| match when {
            When::Keep => old,
            When::Now => now,
            When::At(time) => time,
        };
        let (mtime, atime) = (at(self.modification, stat.mtime), at(self.access, stat.atime));
        if (mtime, atime) == (stat.mtime, stat.atime) {
            return Ok(false);
        }
        cx.apply(Change::Attr { path: path.to_owned(), mode: None, uid: None, gid: None, times: Some((atime, mtime)) })?;
        if mtime != stat.mtime {
            diff.note("mtime", seconds(stat.mtime), seconds(mtime));
        }
        if atime != stat.atime {
            diff.note("atime", seconds(stat.atime), seconds(atime));
        }
        Ok(true)
    }
}

/// A time as a number of seconds, as Python's `st_mtime`.
pub(super) fn seconds(time: Time) -> f64 {
    time.0 as f64 + time.1 as f64 / 1e9
}

fn parse(text: &str, format: &str) -> Result<Time, Failure> {
    let parsed = NaiveDateTime::parse_from_str(text, format)
        .or_else(|error| NaiveDate::parse_from_str(text, format).map(|date| date.and_time(NaiveTime::MIN)).map_err(|_| error));
    let local = parsed.map(|time| Local.from_local_datetime(&time).earliest());
    match local {
        Ok(Some(time)) => Ok((time.timestamp(), 0)),
        Ok(None) => Err(wrong(text, format, "no such local time")),
        Err(error) => Err(wrong(text, format, &error.to_string())),
    }
}

fn wrong(text: &str, format: &str, why: &str) -> Failure {
    Failure::new(format!("Error while obtaining timestamp for time {text} using format {format}: {why}"))
}
