//! The command line of `rplay molecule`, as Molecule's.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use rplay_molecule::failure::{Failure, Result, code};

/// Molecule's flow: hosts are made, a role is applied, proven idempotent and verified, hosts are taken away.
#[derive(Debug, Parser)]
#[command(name = "rplay molecule", bin_name = "rplay molecule", no_binary_name = true, version)]
pub(crate) struct Line {
    /// Plays run with -vvv and --diff, and MOLECULE_DEBUG is set.
    #[arg(long)]
    pub(crate) debug: bool,
    /// More of what plays do; may be given several times.
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// A file merged below every molecule.yml; may be given several times [default: .config/molecule/config.yml].
    #[arg(short = 'c', long, value_name = "FILE")]
    pub(crate) base_config: Vec<PathBuf>,
    /// A file with variables for molecule.yml [default: .env.yml].
    #[arg(short = 'e', long, value_name = "FILE")]
    pub(crate) env_file: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The whole sequence: from nothing to verified, and to nothing again.
    Test(Run),
    /// Make the hosts, prepare them, apply the role in check mode.
    Check(Run),
    /// Play cleanup.yml.
    Cleanup(Run),
    /// Make the hosts, prepare them, apply the role.
    Converge(Run),
    /// Make the hosts and prepare them.
    Create(Run),
    /// Get roles and collections.
    Dependency(Run),
    /// Take the hosts away.
    Destroy(Run),
    /// Would applying the role again change something?
    Idempotence(Run),
    /// Run ansible-lint.
    Lint(Run),
    /// Play prepare.yml.
    Prepare(Run),
    /// Play side_effect.yml.
    SideEffect(Run),
    /// Read the converge playbook without running it.
    Syntax(Run),
    /// Play verify.yml, or run another verifier.
    Verify(Run),
    /// Show scenarios and their hosts.
    List(List),
    /// Show the steps of a subcommand.
    Matrix(Matrix),
    /// Show drivers.
    Drivers,
    /// Log in to a host.
    Login(Login),
    /// Throw away hosts and working folders.
    Reset(Select),
    /// Write a new scenario.
    Init(Init),
}

impl Command {
    /// The name and options of a command that is a sequence of steps.
    pub(crate) fn run(&self) -> Option<(&'static str, &Run)> {
        Some(match self {
            Command::Test(run) => ("test", run),
            Command::Check(run) => ("check", run),
            Command::Cleanup(run) => ("cleanup", run),
            Command::Converge(run) => ("converge", run),
            Command::Create(run) => ("create", run),
            Command::Dependency(run) => ("dependency", run),
            Command::Destroy(run) => ("destroy", run),
            Command::Idempotence(run) => ("idempotence", run),
            Command::Lint(run) => ("lint", run),
            Command::Prepare(run) => ("prepare", run),
            Command::SideEffect(run) => ("side_effect", run),
            Command::Syntax(run) => ("syntax", run),
            Command::Verify(run) => ("verify", run),
            Command::List(_) | Command::Matrix(_) | Command::Drivers | Command::Login(_) | Command::Reset(_) | Command::Init(_) => return None,
        })
    }
}

/// Which scenarios.
#[derive(Debug, Clone, Args)]
pub(crate) struct Select {
    /// A scenario, or a pattern of names; may be given several times [default: default].
    #[arg(short = 's', long, value_name = "NAME")]
    pub(crate) scenario_name: Vec<String>,
    /// A scenario to leave out; may be given several times.
    #[arg(short = 'e', long, value_name = "NAME")]
    pub(crate) exclude: Vec<String>,
    /// All scenarios.
    #[arg(long)]
    pub(crate) all: bool,
}

impl Select {
    /// The names; none for all.
    pub(crate) fn names(&self) -> Option<Vec<String>> {
        if self.all {
            return None;
        }
        Some(if self.scenario_name.is_empty() { vec!["default".into()] } else { self.scenario_name.clone() })
    }
}

/// Options of everything that runs steps.
#[derive(Debug, Clone, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) select: Select,
    /// Whether hosts are taken away in the end; `always` also after a failure of `test`.
    #[arg(long, default_value = "always", value_parser = ["always", "never"])]
    pub(crate) destroy: String,
    /// The driver to make hosts with.
    #[arg(short = 'd', long, value_name = "NAME")]
    pub(crate) driver_name: Option<String>,
    /// One host of the scenario only.
    #[arg(short = 'p', long, value_name = "NAME")]
    pub(crate) platform_name: Option<String>,
    /// Names of hosts and folders of this run's own, so that it can run beside another one of the same scenario.
    #[arg(long)]
    pub(crate) parallel: bool,
    /// How many scenarios run at a time: a number, `cpus` or `cpus-1`.
    #[arg(long, default_value = "1", value_name = "NUMBER")]
    workers: String,
    /// The other scenarios are run after one failed.
    #[arg(long)]
    pub(crate) continue_on_failure: bool,
    /// Prepare hosts again.
    #[arg(short = 'f', long)]
    pub(crate) force: bool,
    /// Scenarios share hosts, which the default scenario makes.
    #[arg(long = "shared-state", overrides_with = "unshared")]
    shared: bool,
    /// Each scenario has hosts of its own.
    #[arg(long = "no-shared-state", overrides_with = "shared")]
    unshared: bool,
    /// No table at the end.
    #[arg(long, overrides_with = "reported")]
    no_report: bool,
    /// A table at the end; the default.
    #[arg(long = "report", overrides_with = "no_report")]
    reported: bool,
    /// How idempotence is judged: by a replay in check mode, or by a second run as Molecule does.
    #[arg(long, value_parser = ["check-only", "rerun"])]
    pub(crate) idempotence: Option<String>,
    /// Arguments for plays, after `--`.
    #[arg(last = true, value_name = "ARGUMENTS")]
    pub(crate) ansible_args: Vec<String>,
}

impl Run {
    pub(crate) fn shared_state(&self) -> Option<bool> {
        (self.shared || self.unshared).then_some(self.shared)
    }

    /// Whether the table is shown; MOLECULE_REPORT decides where no option does.
    pub(crate) fn report(&self, env: &BTreeMap<String, String>) -> bool {
        let off = |value: &String| matches!(value.to_lowercase().as_str(), "0" | "false" | "no" | "off");
        !self.no_report && (self.reported || !env.get("MOLECULE_REPORT").is_some_and(off))
    }

    pub(crate) fn workers(&self) -> Result<usize> {
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        match self.workers.to_lowercase().as_str() {
            "cpus" => Ok(processors()),
            "cpus-1" => Ok(processors().saturating_sub(1).max(1)),
            text => text
                .parse()
                .ok()
                .filter(|number| *number > 0)
                .ok_or_else(|| Failure::new(format!("--workers is a number from 1, cpus or cpus-1, not `{}`", self.workers)).code(code::USAGE)),
        }
    }
}

/// How a list looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table.
    Simple,
    /// Columns between tabs, without a head.
    Plain,
    /// A YAML list.
    Yaml,
}

/// Options of `list`.
#[derive(Debug, Clone, Args)]
pub(crate) struct List {
    /// One scenario only.
    #[arg(short = 's', long, value_name = "NAME")]
    scenario_name: Option<String>,
    /// How it looks.
    #[arg(short = 'f', long, default_value = "simple")]
    pub(crate) format: Format,
}

impl List {
    pub(crate) fn names(&self) -> Option<Vec<String>> {
        self.scenario_name.clone().map(|name| vec![name])
    }
}

/// Options of `matrix`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Matrix {
    /// One scenario only.
    #[arg(short = 's', long, value_name = "NAME")]
    scenario_name: Option<String>,
    /// The subcommand whose steps are shown.
    pub(crate) subcommand: String,
}

impl Matrix {
    pub(crate) fn names(&self) -> Option<Vec<String>> {
        self.scenario_name.clone().map(|name| vec![name])
    }
}

/// Options of `login`.
#[derive(Debug, Clone, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Login {
    /// The host, or the beginning of its name.
    #[arg(short = 'h', long, value_name = "NAME")]
    pub(crate) host: Option<String>,
    /// The scenario.
    #[arg(short = 's', long, default_value = "default", value_name = "NAME")]
    pub(crate) scenario_name: String,
    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

/// What to write anew.
#[derive(Debug, Clone, Args)]
pub(crate) struct Init {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    /// A scenario for the lab.
    Scenario {
        /// Its name.
        #[arg(default_value = "default")]
        name: String,
    },
}

impl Init {
    pub(crate) fn name(&self) -> &str {
        let What::Scenario { name } = &self.what;
        name
    }
}
