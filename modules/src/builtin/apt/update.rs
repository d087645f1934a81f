//! The package lists: how old they are, and having them read anew.

use std::path::Path;
use std::time::{Duration, Instant};

use super::program;
use crate::change::Change;
use crate::context::Context;
use crate::outcome::Failure;

/// How patiently the lists are fetched.
pub(in crate::builtin) struct Patience {
    /// How often it is tried.
    pub tries: u32,
    /// Most seconds between two tries.
    pub longest_delay: u64,
    /// Seconds to wait for another program's lock.
    pub lock: u64,
}

impl Patience {
    /// From the arguments that `apt` and `apt_repository` share.
    pub(in crate::builtin) fn from_args(args: &crate::args::Args) -> Patience {
        let number = |name: &str, default: i64| args.int(name).unwrap_or(default).max(0) as u64;
        Patience {
            tries: number("update_cache_retries", 5) as u32,
            longest_delay: number("update_cache_retry_max_delay", 12),
            lock: number("lock_timeout", 60),
        }
    }
}

/// When the lists were last read, in seconds since 1970; 0 when nobody knows.
pub(super) fn time(cx: &Context<'_>) -> i64 {
    let stamps = ["/var/lib/apt/periodic/update-success-stamp", "/var/lib/apt/lists"];
    stamps.iter().find_map(|path| cx.stat(Path::new(path)).ok().flatten()).map_or(0, |stat| stat.mtime.0)
}

/// Reads the lists anew; in check mode it is only noted.
pub(in crate::builtin) fn refresh(cx: &mut Context<'_>, patience: &Patience) -> Result<(), Failure> {
    if cx.check() {
        cx.perform(Change::PackageLists, &[])?;
        return Ok(());
    }
    let mut why = String::from("unknown reason");
    for retry in 0..patience.tries {
        match attempt(cx, patience)? {
            None => return Ok(()),
            Some(error) => why = error,
        }
        cx.warn(format!("Failed to update cache after {} retries due to {why}, retrying", retry + 1));
        let seconds = 2u64.saturating_pow(retry).min(patience.longest_delay);
        cx.warn(format!("Sleeping for {seconds} seconds, before attempting to refresh the cache again"));
        cx.control().sleep(Duration::from_secs(seconds))?;
    }
    Err(Failure::new(format!("Failed to update apt cache after {} retries: {why}", patience.tries)))
}

/// One `apt-get update`, waiting for the lock; what went wrong, also where apt-get calls it a warning.
fn attempt(cx: &mut Context<'_>, patience: &Patience) -> Result<Option<String>, Failure> {
    let start = Instant::now();
    loop {
        let update = program(cx, "apt-get")?.args(["update", "-q", "-o"]).arg(format!("DPkg::Lock::Timeout={}", patience.lock));
        let run = cx.perform(Change::PackageLists, &[update])?.into_iter().next().unwrap_or_default();
        let error = complaint(&run.err(), run.rc);
        let locked = error.as_ref().is_some_and(|text| text.contains("Could not get lock"));
        if !locked || start.elapsed().as_secs() >= patience.lock {
            return Ok(error);
        }
        cx.control().sleep(Duration::from_secs(1))?;
    }
}

fn complaint(stderr: &str, rc: i32) -> Option<String> {
    let bad: Vec<&str> = stderr.lines().filter(|line| line.starts_with("E:") || line.starts_with("W: Failed to fetch")).collect();
    match (bad.is_empty(), rc) {
        (true, 0) => None,
        (true, _) => Some(format!("apt-get update ended with {rc}")),
        (false, _) => Some(bad.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_apt_calls_a_warning_is_a_failure_when_lists_are_missing() {
        assert_eq!(complaint("W: Failed to fetch http://x  404\nW: Some index files failed\n", 0).as_deref(), Some("W: Failed to fetch http://x  404"));
        assert_eq!(complaint("W: Target Packages is configured multiple times\n", 0), None);
        assert!(complaint("", 100).is_some());
    }
}
