//! `--workers`: several scenarios at a time, each in a process of its own; what each said is shown when it is done.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::Instant;

use rplay_molecule::failure::{Complaint, Failure, Result, code};
use rplay_molecule::report;
use rplay_molecule::scenario::Scenario;

use super::Around;
use super::args::Run;

/// Runs the scenarios on so many workers.
pub(crate) fn run(scenarios: &[Scenario], workers: usize, run: &Run, arguments: &[String], around: &Around, out: &mut dyn Write) -> Result<i32> {
    if run.destroy == "never" {
        return Err(Failure::new("--workers and --destroy=never do not go together").code(code::USAGE));
    }
    if scenarios.iter().any(|scenario| scenario.config.shared_state()) {
        let complaint = Complaint::new("--workers: these scenarios share their hosts (shared_state), and plays would meet on them");
        return Err(complaint.help("run them one after the other").into());
    }
    let queue = Mutex::new(scenarios.iter());
    let next = || queue.lock().ok().and_then(|mut queue| queue.next());
    let stop = AtomicBool::new(false);
    let (sender, done) = mpsc::channel();
    let mut failed: Vec<&str> = Vec::new();
    std::thread::scope(|scope| {
        for _ in 0..workers.min(scenarios.len()) {
            let (sender, next, stop) = (sender.clone(), &next, &stop);
            scope.spawn(move || {
                while let Some(scenario) = next().filter(|_| !stop.load(Ordering::Relaxed)) {
                    let (fine, said) = one(scenario.name(), arguments, around);
                    stop.fetch_or(!fine && !run.continue_on_failure, Ordering::Relaxed);
                    // the receiver outlives every sender
                    let _ = sender.send((scenario.name(), fine, said));
                }
            });
        }
        drop(sender);
        for (name, fine, said) in done {
            // nothing can be told where nobody listens
            let _ = out.write_all(&said).and_then(|()| out.flush());
            if !fine {
                failed.push(name);
            }
        }
    });
    if failed.is_empty() { Ok(0) } else { Err(Failure::new(format!("scenarios failed: {}", failed.join(", ")))) }
}

/// One scenario in a process: whether it went well, and what it said.
fn one(name: &str, arguments: &[String], around: &Around) -> (bool, Vec<u8>) {
    let began = Instant::now();
    let mut command = Command::new(&around.program);
    command.arg("molecule").args(own(arguments, name)).env_clear().envs(&around.env).current_dir(&around.cwd);
    let (fine, mut said) = match command.stdin(Stdio::null()).output() {
        Ok(done) => (done.status.success(), [done.stdout, done.stderr].concat()),
        Err(error) => (false, format!("cannot run {}: {error}\n", around.program.display()).into_bytes()),
    };
    said.extend(format!("molecule: {name} {} in {}\n", if fine { "passed" } else { "FAILED" }, report::seconds(began.elapsed())).into_bytes());
    (fine, said)
}

/// The same command line for one scenario and one worker.
fn own(arguments: &[String], name: &str) -> Vec<String> {
    let split = arguments.iter().position(|argument| argument == "--").unwrap_or(arguments.len());
    let (ours, plays) = arguments.split_at(split);
    let mut words = Vec::new();
    let mut skip = false;
    for word in ours {
        let valued = ["--workers", "-s", "--scenario-name"].contains(&word.as_str());
        let joined =
            ["--workers=", "--scenario-name="].iter().any(|start| word.starts_with(start)) || word.starts_with("-s") && !valued && !word.starts_with("--");
        if !(skip || valued || joined || word == "--all") {
            words.push(word.clone());
        }
        skip = valued;
    }
    words.extend(["--scenario-name".to_string(), name.to_string()]);
    words.extend(plays.iter().cloned());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_gets_its_own_command_line() {
        let given: Vec<String> = "test --all --workers 2 -s a -sb --scenario-name=c --debug -- -s x".split(' ').map(str::to_string).collect();
        assert_eq!(own(&given, "web").join(" "), "test --debug --scenario-name web -- -s x");
    }
}
