//! What programs with commands (`ansible-config dump`, `ansible-galaxy role list`) share: reading their words, and what they begin with.

use std::ffi::OsString;

use clap::Parser;

use super::console;
use super::programs;
use super::setup::Surroundings;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Severity};

/// The words of a program by its options; or what there is to say was said, and the exit code is given.
pub(super) fn read<T: Parser>(program: &str, arguments: &[OsString]) -> Result<T, i32> {
    if arguments.iter().any(|argument| argument.to_str().is_none()) {
        console::tell("command line arguments must be UTF-8\n");
        return Err(6);
    }
    let words = std::iter::once(OsString::from(program)).chain(arguments.iter().cloned());
    let command = T::command().name(program.to_string()).bin_name(program);
    command.try_get_matches_from(words).and_then(|matches| T::from_arg_matches(&matches)).map_err(|error| {
        let text = error.to_string();
        if error.use_stderr() {
            console::tell(&text)
        } else {
            console::say(&text)
        }
        error.exit_code()
    })
}

/// Says the version when that is all that is asked for: `--version` before any command.
pub(super) fn version(program: &str, arguments: &[OsString]) -> Option<i32> {
    if !arguments.iter().take_while(|word| word.to_string_lossy().starts_with('-')).any(|word| word == "--version") {
        return None;
    }
    let around = Surroundings::read();
    Some(match Config::load(&around.env, &around.cwd) {
        Ok((config, _)) => {
            console::say(&programs::version(program, &config));
            0
        }
        Err(error) => fail(&error, 5),
    })
}

/// The surroundings and the configuration there; its warnings are shown, with `-v` its file too.
pub(super) fn begin(verbosity: u8) -> Result<(Surroundings, Config), i32> {
    begin_with(None, verbosity)
}

/// The same with a configuration file that was named.
pub(super) fn begin_with(file: Option<&str>, verbosity: u8) -> Result<(Surroundings, Config), i32> {
    let mut around = Surroundings::read();
    if let Some(file) = file {
        if !around.cwd.join(file).exists() {
            return Err(fail(&Diagnostic::error(format!("The provided configuration file is missing or not accessible: {file}")), 5));
        }
        around.env.insert("ANSIBLE_CONFIG".into(), file.into());
    }
    let (config, warnings) = Config::load(&around.env, &around.cwd).map_err(|error| fail(&error, 5))?;
    if verbosity > 0 {
        console::tell(&match &config.file {
            Some(source) => format!("Using {} as config file\n", source.path.display()),
            None => "No config file found; using defaults\n".to_string(),
        });
    }
    console::complain(&warnings);
    Ok((around, config))
}

/// Shows an error; gives its code.
pub(super) fn fail(error: &Diagnostic, code: i32) -> i32 {
    console::complain(&[Diagnostic { severity: Severity::Error, ..error.clone() }]);
    code
}
