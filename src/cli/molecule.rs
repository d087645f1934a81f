//! `rplay molecule`: hands plays to Molecule's flow.

use std::ffi::OsString;
use std::io::Write as _;

use super::setup::Surroundings;
use super::{console, playbook};
use crate::molecule::{self, Around};

/// Runs `rplay molecule ARGUMENTS` to its exit code.
pub(super) fn run(arguments: &[OsString]) -> i32 {
    let here = Surroundings::read();
    let around = Around { env: here.env, cwd: here.cwd, program: here.program };
    let arguments: Vec<String> = arguments.iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let (program, home) = (around.program.clone(), around.cwd.clone());
    let mut plays = |play: &rplay_molecule::provisioner::Play| {
        let words: Vec<OsString> = play.arguments.iter().map(OsString::from).collect();
        let around = Surroundings { env: play.env.clone(), cwd: play.directory.clone(), program: program.clone() };
        // one play at a time in this process; files are opened and programs started from here
        if let Err(error) = std::env::set_current_dir(&play.directory) {
            console::tell(&format!("[ERROR]: cannot go to {}: {error}\n", play.directory.display()));
            return 1;
        }
        let code = playbook::run_in("rplay", &words, around);
        let _ = std::env::set_current_dir(&home);
        code
    };
    let mut out = std::io::stdout();
    let code = molecule::run(&arguments, &around, &mut plays, &mut out);
    let _ = out.flush();
    code
}
