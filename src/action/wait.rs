//! `wait_for_connection`: until the host answers.

use std::time::{Duration, Instant};

use super::{Reaction, Request};
use crate::value::{Dict, Fault, Value, text};

/// Tries to log in and run a command until it works.
pub(super) fn for_connection(request: &mut Request) -> Result<Reaction, Fault> {
    let known = ["connect_timeout", "delay", "sleep", "timeout"];
    if let Some(wrong) = request.args.keys().map(|key| text(&key.to_value())).find(|key| !known.contains(&key.as_str())) {
        return Ok(Reaction::failed(format!(
            "Unsupported parameters for (wait_for_connection) module: {wrong}. Supported parameters include: connect_timeout, delay, sleep, timeout."
        )));
    }
    let mut numbers = Vec::new();
    for (key, default) in [("connect_timeout", 5), ("delay", 0), ("sleep", 1), ("timeout", 600)] {
        match request.args.get(key).map(text).map(|word| word.parse::<u64>().map_err(|_| word)) {
            None => numbers.push(default),
            Some(Ok(number)) => numbers.push(number),
            Some(Err(word)) => return Ok(Reaction::failed(format!("argument '{key}' is not a number of seconds: {word}"))),
        }
    }
    let [connect, delay, sleep, timeout] = numbers[..] else { return Ok(Reaction::failed("four numbers were expected")) };
    let start = Instant::now();
    let mut result = Dict::new();
    if !request.check {
        std::thread::sleep(Duration::from_secs(delay));
        let mut target = request.target.clone();
        target.timeout = Duration::from_secs(connect);
        request.pool.reset(request.target);
        if let Err(error) = request.pool.wait_until_reachable(&target, Duration::from_secs(timeout), Duration::from_secs(sleep)) {
            result.insert("failed".into(), true.into());
            result.insert("msg".into(), format!("timed out waiting for ping module test: {error}").into());
        }
    }
    result.insert("changed".into(), false.into());
    result.insert("elapsed".into(), Value::from(start.elapsed().as_secs() as usize));
    Ok(Reaction::of(result))
}
