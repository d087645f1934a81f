//! Runs the sequences of scenarios over a [`Provisioner`], and decides what a failure means.

use std::time::Instant;

use crate::failure::{Failure, Result, code};
use crate::provisioner::{Outcome, Provisioner, Told};
use crate::report::Entry;
use crate::scenario::Scenario;
use crate::sequence::{Action, Step};
use crate::state::State;
use crate::steps;

/// What becomes of hosts in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Destroy {
    /// As the sequence says; a failure leaves them.
    #[default]
    AsWritten,
    /// Also after a failure.
    Always,
    /// They stay.
    Never,
}

/// What is to be run.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The subcommand: `test`, `converge`...
    pub subcommand: String,
    /// What becomes of the hosts.
    pub destroy: Destroy,
    /// The other scenarios are run after a failure too.
    pub go_on: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Summary {
    /// Every step that was run.
    pub entries: Vec<Entry>,
    /// The exit code.
    pub code: i32,
}

/// Runs scenarios one after the other; `default` is the scenario that makes the hosts of those that share them.
pub fn run(scenarios: &[Scenario], default: Option<&Scenario>, request: &Request, by: &mut dyn Provisioner) -> Summary {
    let mut summary = Summary::default();
    let shared = default.filter(|_| scenarios.iter().any(|scenario| scenario.config.shared_state()));
    let mut runner = Runner { request, by, summary: &mut summary };
    let frame = |runner: &mut Runner, action: Action| {
        shared.is_none_or(|default| {
            let named = default.steps(&request.subcommand).is_some_and(|steps| steps.iter().any(|step| step.action == action));
            !named || runner.step(default, &Step::from(action), (1, 1))
        })
    };
    if !frame(&mut runner, Action::Create) {
        return summary;
    }
    for scenario in scenarios {
        if runner.scenario(scenario, shared.is_some()) {
            continue;
        }
        if runner.summary.code == code::INTERRUPTED {
            return summary;
        }
        if request.destroy == Destroy::Always {
            runner.clean(scenario, shared);
        }
        if !request.go_on {
            return summary;
        }
    }
    frame(&mut runner, Action::Destroy);
    summary
}

struct Runner<'a> {
    request: &'a Request,
    by: &'a mut dyn Provisioner,
    summary: &'a mut Summary,
}

impl Runner<'_> {
    /// A whole sequence; false after a failure.
    fn scenario(&mut self, scenario: &Scenario, shared: bool) -> bool {
        let steps = scenario.steps(&self.request.subcommand).unwrap_or_default();
        let framed = |step: &Step| shared && matches!(step.action, Action::Create | Action::Destroy);
        let steps: Vec<&Step> = steps.iter().filter(|step| !framed(step)).collect();
        let count = steps.len();
        let fine = steps.iter().enumerate().all(|(index, step)| self.step(scenario, step, (index + 1, count)));
        if fine && !shared && self.request.destroy != Destroy::Never && steps.iter().any(|step| step.action == Action::Destroy) {
            prune(scenario);
        }
        fine
    }

    /// After a failure: cleanup and destroy, whose own failures do not change the exit code.
    fn clean(&mut self, scenario: &Scenario, shared: Option<&Scenario>) {
        let failed = self.summary.code;
        self.by.told(&Told::Note("a step failed: cleanup and destroy follow, since --destroy=always"));
        self.step(scenario, &Step::from(Action::Cleanup), (1, 2));
        self.step(shared.unwrap_or(scenario), &Step::from(Action::Destroy), (2, 2));
        self.summary.code = failed;
    }

    /// One step; false when it failed.
    fn step(&mut self, scenario: &Scenario, step: &Step, place: (usize, usize)) -> bool {
        self.by.told(&Told::Begin { scenario: scenario.name(), step, place });
        let began = Instant::now();
        let outcome = self.perform(scenario, step).unwrap_or_else(|failure| Outcome::Failed(failure.code, failure.to_string()));
        let took = began.elapsed();
        self.by.told(&Told::End { scenario: scenario.name(), step, outcome: &outcome, took });
        let failed = if let Outcome::Failed(code, _) = &outcome { Some(*code) } else { None };
        self.summary.entries.push(Entry { scenario: scenario.name().into(), step: step.clone(), outcome, took });
        if let Some(code) = failed {
            self.summary.code = code;
        }
        failed.is_none()
    }

    fn perform(&mut self, scenario: &Scenario, step: &Step) -> Result<Outcome> {
        let mut state = State::read(&scenario.ephemeral)?;
        let driver = scenario.driver(&state)?;
        if step.action == Action::Destroy && self.request.destroy == Destroy::Never {
            return Ok(Outcome::Skipped("--destroy=never".into()));
        }
        let stamp = modified(scenario);
        if state.modified.is_some() && state.modified != stamp {
            self.by.told(&Told::Note("molecule.yml was changed since the hosts were made; `destroy` or `reset` begins anew"));
        }
        state.modified = stamp;
        let outcome = steps::perform(&mut steps::Site { scenario, state: &mut state, driver: &driver, by: self.by }, step);
        state.write()?;
        outcome
    }
}

/// When the scenario's file was changed, in seconds.
fn modified(scenario: &Scenario) -> Option<u64> {
    let time = std::fs::metadata(&scenario.file).and_then(|data| data.modified()).ok()?;
    time.duration_since(std::time::UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// Leaves what describes the scenario and what the driver calls safe in the working folder, and nothing else.
fn prune(scenario: &Scenario) {
    let safe = scenario.config.texts("/driver/safe_files");
    let Ok(entries) = std::fs::read_dir(&scenario.ephemeral) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let kept = ["state.yml", "ansible.cfg", "inventory", ".lock"].contains(&name.as_str()) || safe.iter().any(|safe| safe.ends_with(&name));
        if !kept {
            let path = entry.path();
            // what cannot be removed is only old
            let _ = if path.is_dir() && !path.is_symlink() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        }
    }
}

/// One run of a scenario at a time: the lock goes with the returned file.
pub fn lock(scenario: &Scenario) -> Result<std::fs::File> {
    let folder = &scenario.ephemeral;
    std::fs::create_dir_all(folder).map_err(|error| Failure::io("make", folder, &error))?;
    let path = folder.join(".lock");
    let file = std::fs::File::create(&path).map_err(|error| Failure::io("write", &path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => Err(Failure::new(format!("another run works on scenario {}: {} is locked", scenario.name(), path.display())).code(code::TIMEOUT)),
    }
}
