//! What a program must be able to do for scenarios: run a play, make hosts, run other programs, and tell.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::failure::Result;
use crate::scenario::Scenario;
use crate::sequence::Step;
use crate::state::State;

/// A play to run, as a command line of `ansible-playbook` without the program's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Play {
    /// Options and the playbook.
    pub arguments: Vec<String>,
    /// The whole environment.
    pub env: BTreeMap<String, String>,
    /// The working directory.
    pub directory: PathBuf,
}

/// Another program to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// The whole environment.
    pub env: BTreeMap<String, String>,
    /// The working directory.
    pub directory: PathBuf,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it is for.
    Done,
    /// There was nothing to do, and why.
    Skipped(String),
    /// It has no playbook or file, which one.
    Missing(String),
    /// It failed: an exit code and what failed.
    Failed(i32, String),
}

impl Outcome {
    /// By an exit code.
    pub fn of(code: i32, what: &str) -> Outcome {
        if code == 0 { Outcome::Done } else { Outcome::Failed(code, format!("{what} ended with {code}")) }
    }
}

/// What is told while scenarios run.
#[derive(Debug)]
pub enum Told<'a> {
    /// A step begins.
    Begin {
        /// The scenario's name.
        scenario: &'a str,
        /// The step.
        step: &'a Step,
        /// Its place in the sequence, from one, and how many there are.
        place: (usize, usize),
    },
    /// A step ended.
    End {
        /// The scenario's name.
        scenario: &'a str,
        /// The step.
        step: &'a Step,
        /// How.
        outcome: &'a Outcome,
        /// How long it took.
        took: Duration,
    },
    /// Something to know.
    Note(&'a str),
}

/// A program that scenarios are run by.
pub trait Provisioner {
    /// Runs a play to its exit code.
    fn play(&mut self, play: &Play) -> i32;

    /// Runs a program to its exit code; `None` when it is not installed.
    fn command(&mut self, command: &Command) -> Result<Option<i32>>;

    /// Makes the hosts with a built-in driver; `None` when that is the create playbook's work.
    fn create(&mut self, scenario: &Scenario, state: &mut State, driver: &str) -> Result<Option<Outcome>>;

    /// Takes the hosts away with a built-in driver; `None` when that is the destroy playbook's work.
    fn destroy(&mut self, scenario: &Scenario, state: &mut State, driver: &str) -> Result<Option<Outcome>>;

    /// Variables by which a host of a built-in driver is reached; `None` for other drivers.
    fn reach(&self, scenario: &Scenario, state: &State, driver: &str, host: &str) -> Option<Map<String, Value>>;

    /// Hears what happens.
    fn told(&mut self, told: &Told);
}
