//! The command line: reads options and configuration, and hands over to the rest.

use std::ffi::OsString;
use std::io::Write as _;

mod callbacks;
mod connected;
mod ad_hoc;
mod ansible_config;
mod commands;
mod console;
pub mod flags;
mod galaxy;
mod inventory;
mod links;
mod idempotence;
mod judging;
mod listing;
mod molecule;
mod playbook;
mod plays;
mod preflight;
mod prompts;
mod programs;
mod rsh;
mod session;
mod setup;
mod unsupported;
mod vault;

/// Reads the process's arguments and environment, does what they say; the exit code.
pub fn main() -> u8 {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let name = std::path::Path::new(&program).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_else(|| "rplay".into());
    let arguments: Vec<OsString> = arguments.collect();
    let code = dispatch(&name, &arguments);
    u8::try_from(code).unwrap_or(255)
}

/// By the name the program was called by, then by the first word.
fn dispatch(name: &str, arguments: &[OsString]) -> i32 {
    let first = arguments.first().and_then(|argument| argument.to_str()).unwrap_or_default();
    let rest = arguments.get(1..).unwrap_or_default();
    if first == "__rsh" {
        return rsh::run(rest);
    }
    if let Some(program) = programs::by_name(name) {
        return (program.run)(name, arguments);
    }
    if name.starts_with("ansible-") {
        return programs::missing(name);
    }
    if let Some(program) = programs::by_word(first) {
        return (program.run)(&format!("{name} {first}"), rest);
    }
    match first {
        "links" => links::run(&format!("{name} links"), rest),
        "idempotence" => judging::idempotence(&format!("{name} idempotence"), rest),
        "plan" => judging::plan(&format!("{name} plan"), rest),
        "apply" => judging::apply(&format!("{name} apply"), rest),
        "drift" => judging::drift(&format!("{name} drift"), rest),
        "lab" => lab(rest),
        "molecule" => molecule::run(rest),
        _ => playbook::run(name, arguments),
    }
}

fn lab(words: &[OsString]) -> i32 {
    let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let mut out = std::io::stdout();
    let code = crate::lab::run(&words, &mut out);
    let _ = out.flush();
    code
}
