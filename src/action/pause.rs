//! `pause`: wait for a time, or for a person.

use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use super::{Reaction, Request};
use crate::value::{Dict, Fault, Value, text};

/// Waits; without a terminal a prompt is answered with nothing, as in ansible-core.
pub(super) fn run(request: &mut Request) -> Result<Reaction, Fault> {
    let number = |key: &str| -> Result<Option<f64>, String> {
        let Some(value) = request.args.get(key) else { return Ok(None) };
        text(value).parse().map(Some).map_err(|_| format!("non-integer value given for prompt duration:\n{}", text(value)))
    };
    let seconds = match (number("minutes"), number("seconds")) {
        (Err(message), _) | (_, Err(message)) => return Ok(Reaction::failed(message)),
        (Ok(Some(minutes)), _) => Some(minutes * 60.0),
        (_, Ok(seconds)) => seconds,
    };
    let start = Instant::now();
    let began = chrono::Local::now().naive_local();
    let mut input = String::new();
    match seconds {
        Some(seconds) => std::thread::sleep(Duration::from_secs_f64(seconds.max(1.0))),
        None if request.settings.interactive => input = ask(&request.args)?,
        None => {}
    }
    let spent = start.elapsed().as_secs_f64();
    let minutes = request.args.contains_key("minutes");
    let mut result = Dict::new();
    result.insert("changed".into(), false.into());
    result.insert("rc".into(), Value::Int(0));
    result.insert("stderr".into(), "".into());
    let shown = if minutes { format!("Paused for {} minutes", rounded(spent / 60.0)) } else { format!("Paused for {} seconds", rounded(spent)) };
    result.insert("stdout".into(), shown.into());
    result.insert("start".into(), began.to_string().into());
    result.insert("stop".into(), chrono::Local::now().naive_local().to_string().into());
    result.insert("delta".into(), Value::Int(spent as i128));
    result.insert("echo".into(), request.args.get("echo").is_none_or(Value::is_true).into());
    result.insert("user_input".into(), input.into());
    Ok(Reaction::of(result))
}

fn rounded(n: f64) -> String {
    crate::value::float_text((n * 100.0).round() / 100.0)
}

/// A prompt on the terminal itself, so that it is seen and answered whatever standard output is.
fn ask(args: &Dict) -> Result<String, Fault> {
    let prompt = args.get("prompt").map_or_else(|| "Press enter to continue, Ctrl+C to interrupt".to_string(), text);
    let open = |write: bool| std::fs::OpenOptions::new().read(!write).write(write).open("/dev/tty");
    let failed = |error: std::io::Error| Fault::error(format!("cannot ask on the terminal: {error}"));
    let mut screen = open(true).map_err(failed)?;
    write!(screen, "[pause]\n{prompt}:\n").map_err(failed)?;
    let mut line = String::new();
    std::io::BufReader::new(open(false).map_err(failed)?).read_line(&mut line).map_err(failed)?;
    Ok(line.trim_end_matches(['\n', '\r']).to_string())
}
