//! `rplay PLAYBOOK`: a run from its options to its exit code.

use std::ffi::OsString;

use super::connected::Connected;
use super::flags::{self, Flags, OfPlaybook, Parsed};
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
    match open::<Flags>(program, arguments, around) {
        Ok((_, session)) => go(session),
        Err(code) => code,
    }
}

/// Reads options and configuration, and prepares a session; what is wrong was shown when there is only an exit code.
pub(super) fn open<T: OfPlaybook>(program: &str, arguments: &[OsString], around: Surroundings) -> Result<(T, Session), i32> {
    let (mut config, warnings) = Config::load(&around.env, &around.cwd).map_err(|error| refuse(&[error], BAD_OPTIONS))?;
    let options = match flags::playbook::<T>(program, arguments, &config) {
        Parsed::Run(options) => *options,
        Parsed::Say { text, code, stderr } => {
            if stderr {
                console::tell(&text)
            } else {
                console::say(&text)
            }
            return Err(code);
        }
    };
    let flags = options.playbook().clone();
    flags.apply(&mut config);
    console::complain(&warnings);
    console::complain(&unsupported::check(&flags, &config));
    unsupported::refuse(&config).map_err(|(error, code)| refuse(&[error], code))?;
    let session = Session::prepare(program, flags, config, around).map_err(|(errors, code)| refuse(&errors, code))?;
    Ok((options, session))
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
