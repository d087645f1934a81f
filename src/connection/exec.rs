//! One command from beginning to end, or up to the point where it takes input.

use std::time::{Duration, Instant};

use super::escalate::{Conversation, Plan, Step};
use super::{Become, ConnectError, Connection, Exit, Outbox, Process, Target};

/// How a command came out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExecResult {
    /// Exit status; minus the signal's number when a signal ended it.
    pub rc: i32,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

/// A process that has begun, and what it wrote already.
pub struct Opened {
    /// The process.
    pub process: Box<dyn Process>,
    /// What it wrote to its standard output so far.
    pub out: Vec<u8>,
    /// What it wrote to its standard error so far.
    pub err: Vec<u8>,
}

/// What stands between us and the end of a command.
pub(crate) struct Limits<'a> {
    /// When the task's time is over, and how long that was.
    pub deadline: Option<(Instant, Duration)>,
    /// True once the run is being stopped.
    pub cancelled: &'a dyn Fn() -> bool,
}

impl Limits<'_> {
    /// How long to wait at most before asking again.
    pub(crate) fn check(&self) -> Result<Duration, ConnectError> {
        const SLICE: Duration = Duration::from_millis(500);
        if (self.cancelled)() {
            return Err(ConnectError::Cancelled);
        }
        let Some((deadline, given)) = self.deadline else { return Ok(SLICE) };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ConnectError::TimedOut { seconds: given.as_secs() });
        }
        Ok(left.min(SLICE))
    }
}

/// Why a conversation ended without success.
enum Ended {
    /// The process is over; what it said and how it ended.
    Exit(Exit, Vec<u8>, Vec<u8>),
    /// It wants a terminal.
    Terminal,
}

/// Starts a command for input, as another user if wanted.
///
/// # Errors
/// The host cannot be reached, the other user cannot be become, or the process ended at once.
pub(crate) fn open(connection: &dyn Connection, target: &Target, becoming: Option<&Become>, command: &str) -> Result<Opened, ConnectError> {
    match becoming {
        None => Ok(Opened { process: connection.spawn(command, false)?, out: Vec::new(), err: Vec::new() }),
        Some(_) => open_marked(connection, target, becoming, command, &Limits { deadline: None, cancelled: &|| false }),
    }
}

/// Starts a command for input behind a marker: what login scripts and sudo print is not taken for its output.
///
/// # Errors
/// As [`open`].
pub(crate) fn open_marked(
    connection: &dyn Connection,
    target: &Target,
    becoming: Option<&Become>,
    command: &str,
    limits: &Limits<'_>,
) -> Result<Opened, ConnectError> {
    match begin(connection, target, becoming, command, limits)? {
        Ok(opened) => Ok(opened),
        Err((exit, out, err)) => {
            let said = String::from_utf8_lossy(&[err, out].concat()).trim().to_owned();
            let message = if said.is_empty() { format!("the command ended with status {}", exit.code) } else { said };
            Err(if becoming.is_some() { ConnectError::Become { message } } else { ConnectError::Protocol { message } })
        }
    }
}

type Early = (Exit, Vec<u8>, Vec<u8>);

/// Starts a command behind a marker, first on pipes, then on a terminal when the program insists on one.
fn begin(
    connection: &dyn Connection,
    target: &Target,
    becoming: Option<&Become>,
    command: &str,
    limits: &Limits<'_>,
) -> Result<Result<Opened, Early>, ConnectError> {
    let plan = Plan::new(becoming, &target.executable, command, false);
    let plan = if plan.pty { Plan::new(becoming, &target.executable, command, true) } else { plan };
    match converse(connection, target, plan, limits)? {
        Ok(opened) => return Ok(Ok(opened)),
        Err(Ended::Exit(exit, out, err)) => return Ok(Err((exit, out, err))),
        Err(Ended::Terminal) => {}
    }
    let plan = Plan::new(becoming, &target.executable, command, true);
    match converse(connection, target, plan, limits)? {
        Ok(opened) => Ok(Ok(opened)),
        Err(Ended::Exit(exit, out, err)) => Ok(Err((exit, out, err))),
        Err(Ended::Terminal) => Err(ConnectError::Become { message: "the program wants a terminal and does not take the one it has".into() }),
    }
}

fn converse(connection: &dyn Connection, target: &Target, plan: Plan, limits: &Limits<'_>) -> Result<Result<Opened, Ended>, ConnectError> {
    let mut process = connection.spawn(&plan.command, plan.pty)?;
    let mut talk = Conversation::new(plan);
    let mut outbox = Outbox::new();
    // Ansible gives the prompt two seconds more than the connection
    let patience = target.timeout + Duration::from_secs(2);
    let mut last = Instant::now();
    loop {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let wait = limits.check()?.min(patience.saturating_sub(last.elapsed()));
        let moved = process.pump(&mut outbox, &mut out, &mut err, wait)?;
        if moved {
            last = Instant::now();
        }
        match talk.hear(&mut out, &mut err)? {
            Step::In(out) => return Ok(Ok(Opened { process, out, err: Vec::new() })),
            Step::Send(bytes) => outbox.push(bytes),
            Step::Wait => {}
        }
        if let Some(exit) = process.exit() {
            if talk.wants_terminal() {
                return Ok(Err(Ended::Terminal));
            }
            talk.over()?;
            let (out, err) = talk.heard();
            return Ok(Err(Ended::Exit(exit, out, err)));
        }
        if !moved && last.elapsed() >= patience {
            let message = format!("Timeout ({}s) waiting for privilege escalation prompt: {}", patience.as_secs(), talk.text());
            return Err(ConnectError::Unreachable { message });
        }
    }
}

/// Runs a command to its end. Without `stdin` it reads nothing.
///
/// # Errors
/// The host cannot be reached, the other user cannot be become, or the time is over.
pub(crate) fn run(
    connection: &dyn Connection,
    target: &Target,
    becoming: Option<&Become>,
    command: &str,
    stdin: Option<&[u8]>,
    limits: &Limits<'_>,
    on_output: &mut dyn FnMut(bool, &[u8]),
) -> Result<ExecResult, ConnectError> {
    // on a terminal the end of input cannot be told, so nothing is read from it unless there is something to read
    let quiet = format!("({command}\n) </dev/null");
    let opened = match becoming {
        None => Ok(Opened { process: connection.spawn(command, false)?, out: Vec::new(), err: Vec::new() }),
        Some(_) => begin(connection, target, becoming, if stdin.is_some() { command } else { &quiet }, limits)?,
    };
    let mut opened = match opened {
        Ok(opened) => opened,
        Err((exit, stdout, stderr)) => return Ok(ExecResult { rc: exit.code, stdout, stderr }),
    };
    let mut outbox = Outbox::closed_after(stdin.unwrap_or_default().to_vec());
    let mut result = ExecResult::default();
    loop {
        for (is_err, from, into) in [(false, &mut opened.out, &mut result.stdout), (true, &mut opened.err, &mut result.stderr)] {
            if !from.is_empty() {
                on_output(is_err, from);
                into.append(from);
            }
        }
        if let Some(exit) = opened.process.exit() {
            result.rc = exit.code;
            return Ok(result);
        }
        let wait = match limits.check() {
            Ok(wait) => wait,
            Err(error) => {
                opened.process.end();
                return Err(error);
            }
        };
        opened.process.pump(&mut outbox, &mut opened.out, &mut opened.err, wait)?;
    }
}

/// Runs a command to its end, without limits; see [`crate::runner::Pool::exec`] for the usual way.
///
/// # Errors
/// The host cannot be reached, or the other user cannot be become.
pub fn exec(connection: &dyn Connection, target: &Target, becoming: Option<&Become>, command: &str) -> Result<ExecResult, ConnectError> {
    let limits = Limits { deadline: None, cancelled: &|| false };
    run(connection, target, becoming, command, None, &limits, &mut |_, _| {})
}
