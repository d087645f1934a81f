//! The runner: started on a target, speaks the wire protocol on its standard input and output until the end.
//!
//! Without arguments it serves; `--remove-self` removes its own file at the end. `--detach FILE` and `--job FILE` are how it starts
//! detached jobs by itself.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::ExitCode;

use rplay_modules::{job, serve};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        [] => converse(),
        ["--remove-self"] => {
            let done = converse();
            remove_self();
            done
        }
        ["--detach", order] => job::run_middle(Path::new(order)),
        ["--job", order] => job::run_job(Path::new(order)),
        ["--version"] => return version(),
        _ => Err(io::Error::other("this program is started by rplay and speaks its protocol on standard input and output")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stdout)]
fn version() -> ExitCode {
    println!("rplay-runner {} (protocol {})", env!("CARGO_PKG_VERSION"), rplay_modules::wire::VERSION);
    ExitCode::SUCCESS
}

#[allow(clippy::print_stderr)]
fn complain(text: &str) {
    eprintln!("rplay-runner: {text}");
}

/// Takes standard input and output for the protocol; what this process starts, or prints by mistake, gets `/dev/null`.
fn converse() -> io::Result<()> {
    // panics are answered as failed results; their text would only be noise
    std::panic::set_hook(Box::new(|_| {}));
    let input = own(rustix::stdio::stdin())?;
    let output = own(rustix::stdio::stdout())?;
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    let env = std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    serve::serve(input, output, &env.collect::<Vec<_>>())
}

/// A descriptor of its own that children do not inherit.
fn own(fd: impl std::os::fd::AsFd) -> io::Result<File> {
    let copy: OwnedFd = rustix::io::fcntl_dupfd_cloexec(fd, 10)?;
    Ok(File::from(copy))
}

fn remove_self() {
    // a running job keeps the file alive by itself, and what cannot be removed stays as if kept
    if let Ok(path) = fs::read_link("/proc/self/exe") {
        let _ = fs::remove_file(path);
    }
}
