//! Running programs: output collected (and shown live), standard input given or empty, the whole group killed at the end of a cancelled call.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Pid;

use crate::control::Control;

/// A program to run.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// Program and arguments.
    pub argv: Vec<OsString>,
    /// Where it runs.
    pub dir: Option<PathBuf>,
    /// What it reads.
    pub stdin: Option<Vec<u8>>,
    /// Variables beside the call's.
    pub env: Vec<(String, String)>,
}

impl Program {
    /// A program with arguments.
    pub fn new(argv: impl IntoIterator<Item = impl Into<OsString>>) -> Program {
        Program { argv: argv.into_iter().map(Into::into).collect(), ..Program::default() }
    }

    /// With one more argument.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Program {
        self.argv.push(arg.into());
        self
    }

    /// With more arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Program {
        self.argv.extend(args.into_iter().map(Into::into));
        self
    }

    /// With standard input.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Program {
        self.stdin = Some(bytes.into());
        self
    }

    /// With a variable.
    pub fn env(mut self, name: &str, value: &str) -> Program {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The command line for messages.
    pub fn shown(&self) -> String {
        self.argv.iter().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }
}

/// How a program ended.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// Exit status; minus the signal's number when one ended it.
    pub rc: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

impl Run {
    /// Whether it said 0.
    pub fn ok(&self) -> bool {
        self.rc == 0
    }

    /// Standard output as text.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// Called with each piece of output: 1 or 2, and the bytes.
pub type Live<'l> = dyn FnMut(u8, &[u8]) + 'l;

/// Runs a program with exactly the environment given; `live` is called with each piece of output (1 or 2).
///
/// # Errors
/// It cannot be started.
pub fn run(program: &Program, env: &[(String, String)], control: &Control, live: Option<&mut Live<'_>>) -> io::Result<Run> {
    let Some((name, args)) = program.argv.split_first() else { return Err(io::ErrorKind::InvalidInput.into()) };
    let mut command = Command::new(find_by_env(name, env, program.dir.as_deref()));
    command.args(args).env_clear().envs(env.iter().cloned()).envs(program.env.iter().cloned());
    command.arg0(name).process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.stdin(if program.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    if let Some(dir) = &program.dir {
        command.current_dir(dir);
    }
    let mut child = command.spawn()?;
    control.set_group(Pid::from_raw(child.id() as i32));
    feed(&mut child, program.stdin.clone());
    let result = collect(&mut child, live);
    let status = child.wait();
    control.set_group(None);
    let (stdout, stderr) = result?;
    let status = status?;
    let rc = status.code().unwrap_or_else(|| -status.signal().unwrap_or(1));
    Ok(Run { rc, stdout, stderr })
}

/// The program by the *call's* PATH, which is not this process's.
fn find_by_env(name: &OsString, env: &[(String, String)], dir: Option<&Path>) -> PathBuf {
    let plain = Path::new(name);
    if plain.components().count() > 1 || plain.is_absolute() {
        return plain.to_owned();
    }
    let path = env.iter().rev().find(|(key, _)| key == "PATH").map_or("/usr/bin:/bin", |(_, value)| value);
    let base = dir.unwrap_or(Path::new("."));
    let found = path.split(':').map(|d| base.join(d).join(plain)).find(|candidate| is_program(candidate));
    found.unwrap_or_else(|| plain.to_owned())
}

/// Whether a path is a file that may be executed.
pub fn is_program(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

/// Writes standard input beside the reading, so that neither side waits for the other.
fn feed(child: &mut Child, bytes: Option<Vec<u8>>) {
    if let (Some(mut stdin), Some(bytes)) = (child.stdin.take(), bytes) {
        std::thread::spawn(move || {
            // a program that does not read all of it is no error
            let _ = stdin.write_all(&bytes);
        });
    }
}

/// Reads both pipes to their ends; a background process that keeps them open does not hold the task once its parent is gone.
fn collect(child: &mut Child, mut live: Option<&mut Live<'_>>) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let (mut stdout, mut stderr) = (vec![], vec![]);
    let mut buffer = vec![0; 64 * 1024];
    while out.is_some() || err.is_some() {
        let ready = wait_ready(out.as_ref().map(AsFd::as_fd), err.as_ref().map(AsFd::as_fd))?;
        if ready == [false, false] {
            if child.try_wait()?.is_some() {
                break;
            }
            continue;
        }
        if ready[0] && !take(&mut out, &mut stdout, &mut buffer, 1, &mut live)? {
            out = None;
        }
        if ready[1] && !take(&mut err, &mut stderr, &mut buffer, 2, &mut live)? {
            err = None;
        }
    }
    Ok((stdout, stderr))
}

fn wait_ready(out: Option<BorrowedFd<'_>>, err: Option<BorrowedFd<'_>>) -> io::Result<[bool; 2]> {
    let mut fds: Vec<PollFd<'_>> = [out, err].into_iter().flatten().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
    let second = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };
    match poll(&mut fds, Some(&second)) {
        Ok(_) => {}
        Err(rustix::io::Errno::INTR) => return Ok([false, false]),
        Err(error) => return Err(error.into()),
    }
    let mut states = fds.iter().map(|fd| !fd.revents().is_empty());
    let first = out.is_some() && states.next().unwrap_or(false);
    Ok([first, err.is_some() && states.next().unwrap_or(false)])
}

fn take(pipe: &mut Option<impl Read>, into: &mut Vec<u8>, buffer: &mut [u8], stream: u8, live: &mut Option<&mut Live<'_>>) -> io::Result<bool> {
    let Some(pipe) = pipe else { return Ok(false) };
    let n = match pipe.read(buffer) {
        Ok(n) => n,
        Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(true),
        Err(error) => return Err(error),
    };
    into.extend_from_slice(&buffer[..n]);
    if let (Some(live), true) = (live, n > 0) {
        live(stream, &buffer[..n]);
    }
    Ok(n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env() -> Vec<(String, String)> {
        vec![("PATH".into(), "/usr/bin:/bin".into()), ("A".into(), "b".into())]
    }

    #[test]
    fn output_input_and_status() {
        let program = Program::new(["sh", "-c", "cat; echo $A >&2; exit 3"]).stdin("in");
        let mut seen = vec![];
        let mut live = |stream: u8, bytes: &[u8]| seen.push((stream, bytes.to_vec()));
        let run = run(&program, &env(), &Control::default(), Some(&mut live)).unwrap();
        assert_eq!((run.rc, run.out().as_str(), run.err().as_str()), (3, "in", "b\n"));
        assert!(seen.contains(&(1, b"in".to_vec())));
    }

    #[test]
    fn a_background_process_does_not_hold_the_task() {
        let run = run(&Program::new(["sh", "-c", "sleep 30 & echo up"]), &env(), &Control::default(), None).unwrap();
        assert_eq!(run.out(), "up\n");
    }

    #[test]
    fn ending_the_call_kills_the_group() {
        let control = Control::default();
        control.begin(1);
        let other = control.clone();
        let thread = std::thread::spawn(move || {
            other.sleep(std::time::Duration::from_millis(50)).unwrap();
            other.end("stop");
        });
        let run = run(&Program::new(["sh", "-c", "sleep 30; echo no"]), &env(), &control, None).unwrap();
        thread.join().unwrap();
        assert_eq!((run.rc, run.stdout.is_empty()), (-9, true));
    }
}
