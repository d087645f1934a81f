//! Runs the system's programs (`ip`, `mount`, `ssh-keygen`...) and turns their failures into ours.

use std::process::{Command, Output, Stdio};

use super::failure::{Failure, Result};

/// Runs a program and returns its standard output; a non-zero status is a failure that shows its standard error.
pub(crate) fn capture(program: &str, arguments: &[&str]) -> Result<String> {
    let output = output(program, arguments)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let shown = [&[program], arguments].concat().join(" ");
    let error = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!("`{shown}` failed ({}): {}", output.status, error.trim())))
}

/// Whether a program ran and ended well; its output is dropped.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    output(program, arguments).is_ok_and(|output| output.status.success())
}

/// A program to run, found also where system programs are: a root shell by plain `su` lacks these folders on PATH.
pub(crate) fn program(name: &str) -> Command {
    let mut path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    path.push(":/usr/sbin:/sbin");
    let mut command = Command::new(name);
    command.env("PATH", path);
    command
}

fn output(program: &str, arguments: &[&str]) -> Result<Output> {
    self::program(program).args(arguments).stdin(Stdio::null()).output().map_err(|error| Failure::new(format!("cannot run {program}: {error}")))
}

/// Whether `program` is found on PATH or in the folders of system programs, which an ordinary user's PATH may lack.
pub(crate) fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(Into::into)).any(|folder| folder.join(program).is_file())
}
