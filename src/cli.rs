//! The command line: reads options and configuration, and hands over to the rest.

use std::ffi::OsString;
use std::io::Write as _;

mod callbacks;
mod connected;
mod console;
pub mod flags;
mod listing;
mod playbook;
mod plays;
mod preflight;
mod prompts;
mod rsh;
mod session;
mod setup;
mod unsupported;

/// Reads the process's arguments and environment, does what they say; the exit code.
pub fn main() -> u8 {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let name = std::path::Path::new(&program).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_else(|| "rplay".into());
    let arguments: Vec<OsString> = arguments.collect();
    let code = dispatch(&name, &arguments);
    u8::try_from(code).unwrap_or(255)
}

/// By the name the program was called by, then by subcommand.
fn dispatch(name: &str, arguments: &[OsString]) -> i32 {
    let first = arguments.first().and_then(|argument| argument.to_str());
    match (name, first) {
        (_, Some("__rsh")) => rsh::run(&arguments[1..]),
        (_, Some("lab")) => {
            let rest: Vec<String> = arguments[1..].iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
            let mut out = std::io::stdout();
            let code = crate::lab::run(&rest, &mut out);
            let _ = out.flush();
            code
        }
        _ => playbook::run(name, arguments),
    }
}
