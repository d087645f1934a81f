//! `rplay molecule`: Molecule's flow on scenarios, with plays that run in this process.
//!
//! The crate `rplay-molecule` knows scenarios and sequences; here are the hosts (drivers), the command line and what is told. Plays are handed
//! in by the command line's layer, which is above this one.

mod args;
mod commands;
mod drivers;
mod init;
mod local;
mod login;
mod workers;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use clap::Parser as _;
use rplay_molecule::discover;
use rplay_molecule::failure::{Failure, Result};
use rplay_molecule::provisioner::Play;
use rplay_molecule::run::{self, Destroy, Request};
use rplay_molecule::scenario::{Options, Scenario};

use args::{Command, Line, Run};
use local::Local;

/// Runs one play to its exit code.
pub type Plays<'a> = dyn FnMut(&Play) -> i32 + 'a;

/// The process's surroundings.
#[derive(Debug, Clone)]
pub struct Around {
    /// The environment.
    pub env: BTreeMap<String, String>,
    /// The working directory: the project.
    pub cwd: PathBuf,
    /// Our own program.
    pub program: PathBuf,
}

/// Runs `rplay molecule ARGS` to its exit code, which is Molecule's.
pub fn run(arguments: &[String], around: &Around, plays: &mut Plays, out: &mut dyn Write) -> i32 {
    let line = match Line::try_parse_from(arguments) {
        Ok(line) => line,
        Err(error) if !error.use_stderr() => {
            let _ = write!(out, "{}", error.render());
            return 0;
        }
        Err(error) => {
            let _ = write!(std::io::stderr(), "{}", error.render());
            return rplay_molecule::failure::code::USAGE;
        }
    };
    dispatch(&line, arguments, around, plays, out).unwrap_or_else(|failure| {
        let text: String = failure.complaints.iter().map(|complaint| format!("[ERROR]: {complaint}\n")).collect();
        let _ = write!(std::io::stderr(), "{text}");
        failure.code
    })
}

fn dispatch(line: &Line, arguments: &[String], around: &Around, plays: &mut Plays, out: &mut dyn Write) -> Result<i32> {
    let options = options(line, around)?;
    match &line.command {
        Command::List(list) => commands::list(&load(&options, list.names().as_deref(), &[])?, list.format, out),
        Command::Matrix(matrix) => commands::matrix(&load(&options, matrix.names().as_deref(), &[])?, &matrix.subcommand, out),
        Command::Drivers => commands::drivers(&options.env, out),
        Command::Init(init) => init::scenario(&options.project, init.name(), out),
        Command::Login(login) => {
            let names = [login.scenario_name.clone()];
            let scenarios = load(&options, Some(&names), &[])?;
            login::login(&scenarios[0], login.host.as_deref(), &mut Local { plays, out, around })
        }
        Command::Reset(select) => {
            let scenarios = load(&options, select.names().as_deref(), &select.exclude)?;
            commands::reset(&scenarios, &mut Local { plays, out, around })
        }
        command => {
            let Some((subcommand, run)) = command.run() else { return Err(Failure::new("this command is not one of steps")) };
            sequence(subcommand, run, &options, arguments, Local { plays, out, around })
        }
    }
}

/// Runs a sequence of steps of the chosen scenarios.
fn sequence(subcommand: &str, run: &Run, options: &Options, arguments: &[String], mut by: Local) -> Result<i32> {
    let scenarios = load(options, run.select.names().as_deref(), &run.select.exclude)?;
    let workers = run.workers()?;
    if workers > 1 && scenarios.len() > 1 {
        return workers::run(&scenarios, workers, run, arguments, by.around, by.out);
    }
    let shared = scenarios.iter().any(|scenario| scenario.config.shared_state());
    let default = shared.then(|| default(&scenarios, options)).transpose()?.flatten();
    let mut locks = Vec::new();
    for scenario in &scenarios {
        if !scenario.config.shared_state() || locks.is_empty() {
            locks.push(run::lock(scenario)?);
        }
    }
    let destroy = match (subcommand, run.destroy.as_str()) {
        (_, "never") => Destroy::Never,
        ("test", _) => Destroy::Always,
        _ => Destroy::AsWritten,
    };
    let request = Request { subcommand: subcommand.into(), destroy, go_on: run.continue_on_failure };
    let summary = run::run(&scenarios, default.as_ref(), &request, &mut by);
    if run.report(&options.env) {
        let _ = by.out.write_all(rplay_molecule::report::table(&summary.entries).as_bytes());
    }
    Ok(summary.code)
}

/// The scenario that makes the hosts of those that share them.
fn default(scenarios: &[Scenario], options: &Options) -> Result<Option<Scenario>> {
    if let Some(chosen) = scenarios.iter().find(|scenario| scenario.name() == "default") {
        return Ok(Some(chosen.clone()));
    }
    let found = discover::all(&options.project)?.into_iter().find(|found| found.name == "default");
    found.map(|found| Scenario::load(&found, options).map(|(scenario, _)| scenario)).transpose()
}

/// The chosen scenarios, read and checked; warnings go to standard error.
fn load(options: &Options, names: Option<&[String]>, excluded: &[String]) -> Result<Vec<Scenario>> {
    let found = discover::select(discover::all(&options.project)?, names, excluded)?;
    if found.is_empty() {
        return Err(Failure::new(format!("no scenario in {}: no molecule/*/molecule.yml", options.project.display())));
    }
    let (mut scenarios, mut said) = (Vec::new(), String::new());
    for found in &found {
        let (scenario, warnings) = Scenario::load(found, options)?;
        said.extend(warnings.iter().map(|warning| format!("[WARNING]: {warning}\n")));
        scenarios.push(scenario);
    }
    let _ = write!(std::io::stderr(), "{said}");
    discover::distinct(scenarios.iter().map(|scenario| (scenario.name(), scenario.file.as_path())))?;
    Ok(scenarios)
}

/// What holds for all scenarios, by options and environment.
fn options(line: &Line, around: &Around) -> Result<Options> {
    let env = |name: &str| around.env.get(name).filter(|value| !value.is_empty());
    if env("MOLECULE_GLOB").is_some() {
        return Err(Failure::new("MOLECULE_GLOB is not supported: scenarios are molecule/*/molecule.yml"));
    }
    let project = env("MOLECULE_PROJECT_DIRECTORY").map_or_else(|| around.cwd.clone(), |folder| around.cwd.join(folder));
    let home = env("HOME").map(PathBuf::from);
    let cache = env("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| home.as_ref().map(|home| home.join(".cache"))).unwrap_or_else(|| "/var/cache".into());
    let mut base_config: Vec<PathBuf> = line.base_config.iter().map(|file| around.cwd.join(file)).collect();
    if let Some(missing) = base_config.iter().find(|file| !file.is_file()) {
        return Err(Failure::new(format!("there is no base config {}", missing.display())));
    }
    if base_config.is_empty() {
        let root = project.ancestors().find(|folder| folder.join(".git").exists());
        let places = root.into_iter().chain(home.as_deref()).map(|folder| folder.join(".config/molecule/config.yml"));
        base_config.extend(places.into_iter().find(|file| file.is_file()));
    }
    let run = line.command.run().map(|(_, run)| run);
    let truth = |name: &str| env(name).is_some_and(|value| matches!(value.to_lowercase().as_str(), "1" | "true" | "yes" | "on"));
    let parallel = run.is_some_and(|run| run.parallel) || truth("MOLECULE_PARALLEL");
    let mut environment = around.env.clone();
    if line.verbose > 0 {
        environment.insert("ANSIBLE_VERBOSITY".into(), line.verbose.to_string());
    }
    Ok(Options {
        env: environment,
        cache: cache.join("rplay/scenarios"),
        base_config,
        env_file: Some(project.join(line.env_file.as_deref().unwrap_or(".env.yml"))),
        debug: line.debug || truth("MOLECULE_DEBUG"),
        driver: run.and_then(|run| run.driver_name.clone()),
        platform: run.and_then(|run| run.platform_name.clone()).or_else(|| env("MOLECULE_PLATFORM_NAME").cloned().filter(|_| run.is_some())),
        shared_state: run.and_then(Run::shared_state),
        parallel: parallel.then(|| uuid::Uuid::new_v4().to_string()),
        ansible_args: run.map(|run| run.ansible_args.clone()).unwrap_or_default(),
        force: run.is_some_and(|run| run.force),
        idempotence: run.and_then(|run| run.idempotence.clone()),
        project,
    })
}
