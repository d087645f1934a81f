//! `rplay PLAYBOOK`: a run from its options to its exit code.

use std::ffi::OsString;

use super::connected::Connected;
use super::flags::{self, Parsed};
use super::session::Session;
use super::setup::Surroundings;
use super::{console, idempotence, listing, unsupported};
use crate::config::Config;
use crate::diagnostic::Diagnostic;

/// Exit code of options that make no sense.
const BAD_OPTIONS: i32 = 5;

/// Runs playbooks; `program` is the name that rplay was called by.
pub(super) fn run(program: &str, arguments: &[OsString]) -> i32 {
    run_in(program, arguments, Surroundings::read())
}

/// The same in surroundings of the caller's making: another environment, another working directory.
pub(super) fn run_in(program: &str, arguments: &[OsString], around: Surroundings) -> i32 {
    let (mut config, warnings) = match Config::load(&around.env, &around.cwd) {
        Ok(loaded) => loaded,
        Err(error) => return refuse(&[error], BAD_OPTIONS),
    };
    let flags = match flags::playbook(program, arguments, &config) {
        Parsed::Run(flags) => *flags,
        Parsed::Say { text, code, stderr } => {
            if stderr {
                console::tell(&text)
            } else {
                console::say(&text)
            }
            return code;
        }
    };
    flags.apply(&mut config);
    console::complain(&warnings);
    console::complain(&unsupported::check(&flags, &config));
    if let Err((error, code)) = unsupported::refuse(&config) {
        return refuse(&[error], code);
    }
    match Session::prepare(program, flags, config, around) {
        Ok(session) => go(session),
        Err((errors, code)) => refuse(&errors, code),
    }
}

fn refuse(errors: &[Diagnostic], code: i32) -> i32 {
    console::complain(errors);
    code
}

/// Runs what was prepared.
fn go(mut session: Session) -> i32 {
    let compiled = match session.compile() {
        Ok(compiled) => compiled,
        Err(code) => return code,
    };
    if session.flags.syntax_check || listing::wanted(&session.flags) {
        return session.list(&compiled);
    }
    if let Some(how) = session.flags.idempotence {
        return idempotence::run(&session, &compiled, how);
    }
    let connected = Connected::new(&session);
    let result = connected.pass(&session, &compiled, session.first_pass(), session.reports());
    connected.close();
    match result {
        Ok(result) => {
            session.retry_file(&result.broken);
            result.code
        }
        Err((errors, code)) => refuse(&errors, code),
    }
}
