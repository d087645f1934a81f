//! Runs plays, programs and drivers for scenarios, and tells what happens.

use std::io::Write;
use std::process;

use rplay_molecule::failure::{Failure, Result};
use rplay_molecule::provisioner::{Command, Outcome, Play, Provisioner, Told};
use rplay_molecule::report;
use rplay_molecule::scenario::Scenario;
use rplay_molecule::state::State;
use serde_json::{Map, Value};

use super::{Around, Plays, drivers};

/// This machine.
pub(crate) struct Local<'a> {
    /// How plays are run.
    pub(crate) plays: &'a mut Plays<'a>,
    /// Where it is told.
    pub(crate) out: &'a mut dyn Write,
    /// Our surroundings.
    pub(crate) around: &'a Around,
}

impl Local<'_> {
    /// Writes a line about the flow itself.
    pub(crate) fn say(&mut self, text: &str) {
        let _ = writeln!(self.out, "molecule: {text}");
        let _ = self.out.flush();
    }
}

/// Runs a program in the foreground; `None` when it is not installed.
pub(crate) fn foreground(command: &Command) -> Result<Option<i32>> {
    let Some((program, arguments)) = command.words.split_first() else { return Ok(None) };
    let run = process::Command::new(program).args(arguments).env_clear().envs(&command.env).current_dir(&command.directory).status();
    match run {
        Ok(status) => Ok(Some(status.code().unwrap_or(1))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(format!("cannot run {program}: {error}"))),
    }
}

impl Provisioner for Local<'_> {
    fn play(&mut self, play: &Play) -> i32 {
        let _ = self.out.flush();
        (self.plays)(play)
    }

    fn command(&mut self, command: &Command) -> Result<Option<i32>> {
        let _ = self.out.flush();
        foreground(command)
    }

    fn create(&mut self, scenario: &Scenario, state: &mut State, driver: &str) -> Result<Option<Outcome>> {
        drivers::named(driver, scenario)?.map(|driver| driver.create(scenario, state, self.out)).transpose()
    }

    fn destroy(&mut self, scenario: &Scenario, state: &mut State, driver: &str) -> Result<Option<Outcome>> {
        drivers::named(driver, scenario)?.map(|driver| driver.destroy(scenario, state, self.out)).transpose()
    }

    fn reach(&self, scenario: &Scenario, state: &State, driver: &str, host: &str) -> Option<Map<String, Value>> {
        drivers::named(driver, scenario).ok().flatten().map(|driver| driver.reach(scenario, state, host))
    }

    fn told(&mut self, told: &Told) {
        match told {
            Told::Begin { scenario, step, place: (index, count) } => {
                let _ = writeln!(self.out);
                self.say(&format!("{scenario}: {} (step {index} of {count})", step.text()));
            }
            Told::End { scenario, step, outcome, took } => {
                let note = Some(report::note(outcome)).filter(|note| !note.is_empty()).map(|note| format!(": {note}")).unwrap_or_default();
                self.say(&format!("{scenario}: {} {} in {}{note}", step.text(), report::word(outcome), report::seconds(*took)));
            }
            Told::Note(text) => self.say(text),
        }
    }
}
