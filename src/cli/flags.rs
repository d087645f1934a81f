//! The options of `rplay` as `ansible-playbook` has them, and of ad-hoc runs as `ansible` has them.
//!
//! Long options may be shortened as far as they stay clear, `-v` adds up, `-e` and `-i` keep their order. What an option changes in the
//! configuration is in [`apply`].

use std::ffi::OsString;

use clap::{ArgAction, Args, Parser, ValueEnum};

use super::programs;
use crate::config::Config;

mod apply;
mod extra;

pub use extra::{Reading, extra_vars};

/// What is to be done after the command line was read.
#[derive(Debug)]
pub enum Parsed<T> {
    /// Go on.
    Run(Box<T>),
    /// Write a text and end with this code.
    Say {
        /// The text, with its line end.
        text: String,
        /// Exit code.
        code: i32,
        /// It belongs to standard error.
        stderr: bool,
    },
}

/// How to judge that a second run changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Idempotence {
    /// Apply, then replay in check mode.
    Apply,
    /// Only replay in check mode: the hosts are as a run left them.
    CheckOnly,
    /// Apply, then judge by a second real run.
    Rerun,
}

/// How to reach hosts.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Connection options")]
pub struct ConnectFlags {
    /// Key to log in with
    #[arg(long, alias = "key-file", value_name = "FILE")]
    pub private_key: Option<String>,
    /// Log in as this user
    #[arg(short, long, value_name = "NAME")]
    pub user: Option<String>,
    /// Connection to use: ssh, local...
    #[arg(short, long, value_name = "NAME")]
    pub connection: Option<String>,
    /// Seconds until a connection attempt is given up
    #[arg(short = 'T', long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// Arguments of ssh, scp and sftp
    #[arg(long, value_name = "ARGUMENTS", allow_hyphen_values = true)]
    pub ssh_common_args: Option<String>,
    /// Arguments of sftp
    #[arg(long, value_name = "ARGUMENTS", allow_hyphen_values = true)]
    pub sftp_extra_args: Option<String>,
    /// Arguments of scp
    #[arg(long, value_name = "ARGUMENTS", allow_hyphen_values = true)]
    pub scp_extra_args: Option<String>,
    /// Arguments of ssh
    #[arg(long, value_name = "ARGUMENTS", allow_hyphen_values = true)]
    pub ssh_extra_args: Option<String>,
    /// Ask for the login password
    #[arg(short = 'k', long, conflicts_with = "connection_password_file")]
    pub ask_pass: bool,
    /// File with the login password
    #[arg(long, alias = "conn-pass-file", value_name = "FILE")]
    pub connection_password_file: Option<String>,
}

/// How to become another user.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Privilege escalation options")]
pub struct BecomeFlags {
    /// Run tasks as another user
    #[arg(short = 'b', long = "become")]
    pub r#become: bool,
    /// How: sudo, su...
    #[arg(long, value_name = "METHOD")]
    pub become_method: Option<String>,
    /// Which user
    #[arg(long, value_name = "NAME")]
    pub become_user: Option<String>,
    /// Ask for the password that this needs
    #[arg(short = 'K', long, conflicts_with = "become_password_file")]
    pub ask_become_pass: bool,
    /// File with the password that this needs
    #[arg(long, alias = "become-pass-file", value_name = "FILE")]
    pub become_password_file: Option<String>,
}

/// Which hosts.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Inventory options")]
pub struct InventoryFlags {
    /// Inventory file, folder, program or comma separated list of hosts; repeatable
    #[arg(short, long, alias = "inventory-file", value_name = "SOURCE", action = ArgAction::Append)]
    pub inventory: Vec<String>,
    /// Only these of the hosts: a pattern or @FILE
    #[arg(short, long, value_name = "PATTERN", allow_hyphen_values = true)]
    pub limit: Option<String>,
    /// Show the hosts that would be worked on
    #[arg(long)]
    pub list_hosts: bool,
    /// Forget cached facts
    #[arg(long)]
    pub flush_cache: bool,
}

/// Passwords of the vault.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Vault options")]
pub struct VaultFlags {
    /// Password source: LABEL@FILE, LABEL@prompt; repeatable
    #[arg(long, value_name = "ID", action = ArgAction::Append)]
    pub vault_id: Vec<String>,
    /// Ask for the vault password
    #[arg(short = 'J', long, alias = "ask-vault-pass", conflicts_with = "vault_password_file")]
    pub ask_vault_password: bool,
    /// File with the vault password, or program that prints it; repeatable
    #[arg(long, alias = "vault-pass-file", value_name = "FILE", action = ArgAction::Append)]
    pub vault_password_file: Vec<String>,
}

/// How to run.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Run options")]
pub struct RunFlags {
    /// Change nothing, predict what would change
    #[arg(short = 'C', long)]
    pub check: bool,
    /// Show what changes in files
    #[arg(short = 'D', long)]
    pub diff: bool,
    /// Variables: key=value, YAML, JSON or @FILE; repeatable
    #[arg(short, long, value_name = "VARS", action = ArgAction::Append, allow_hyphen_values = true)]
    pub extra_vars: Vec<String>,
    /// Hosts worked on at once
    #[arg(short, long, value_name = "NUMBER", allow_hyphen_values = true)]
    pub forks: Option<i64>,
    /// Folders with modules, before the others; repeatable
    #[arg(short = 'M', long, value_name = "PATHS", action = ArgAction::Append)]
    pub module_path: Vec<String>,
    /// Say more; up to -vvvvvv
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    /// Show version and configuration file
    #[arg(long)]
    pub version: bool,
}

/// Options of a playbook run.
#[derive(Debug, Clone, Parser)]
#[command(disable_version_flag = true, infer_long_args = true, args_override_self = true, about = "Runs playbooks on the hosts of an inventory.")]
pub struct Flags {
    /// Playbooks to run
    #[arg(value_name = "PLAYBOOK")]
    pub playbooks: Vec<String>,
    /// Only tasks with these tags; repeatable
    #[arg(short, long, value_name = "TAGS", action = ArgAction::Append)]
    pub tags: Vec<String>,
    /// No tasks with these tags; repeatable
    #[arg(long, value_name = "TAGS", action = ArgAction::Append)]
    pub skip_tags: Vec<String>,
    /// Run handlers even if a task fails
    #[arg(long)]
    pub force_handlers: bool,
    /// Check the syntax, run nothing
    #[arg(long)]
    pub syntax_check: bool,
    /// Show the tasks that would run
    #[arg(long)]
    pub list_tasks: bool,
    /// Show the tags that exist
    #[arg(long)]
    pub list_tags: bool,
    /// Ask before each task
    #[arg(long)]
    pub step: bool,
    /// Begin at the task of this name
    #[arg(long, value_name = "NAME")]
    pub start_at_task: Option<String>,
    /// Take what is only suspicious for an error
    #[arg(long, help_heading = "Options of rplay's own")]
    pub strict: bool,
    /// Afterwards, prove that a second run changes nothing
    #[arg(long, value_enum, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "apply", help_heading = "Options of rplay's own")]
    pub idempotence: Option<Idempotence>,
    /// Write what was found: json, junit, sarif or github, to a file or (without one) to standard output; repeatable
    #[arg(long, value_name = "FORMAT[=FILE]", action = ArgAction::Append, help_heading = "Options of rplay's own", requires = "idempotence")]
    pub report: Vec<String>,
    /// File with findings that may stay (.rplay-waivers.yml)
    #[arg(long, value_name = "FILE", help_heading = "Options of rplay's own", requires = "idempotence")]
    pub waivers: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub connect: ConnectFlags,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub escalate: BecomeFlags,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub inventory: InventoryFlags,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub vault: VaultFlags,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub run: RunFlags,
}

/// Options of an ad-hoc run: one task on the hosts of a pattern.
#[derive(Debug, Clone, Parser)]
#[command(disable_version_flag = true, infer_long_args = true, args_override_self = true, about = "Runs one task on the hosts of a pattern.")]
pub struct AdHocFlags {
    /// Hosts
    #[arg(value_name = "PATTERN", required_unless_present = "version")]
    pub pattern: Option<String>,
    /// Module to run
    #[arg(short, long, value_name = "NAME")]
    pub module_name: Option<String>,
    /// Its arguments: key=value pairs or JSON
    #[arg(short, long, value_name = "ARGUMENTS", allow_hyphen_values = true)]
    pub args: Option<String>,
    /// Leave the task running for at most so long
    #[arg(short = 'B', long, value_name = "SECONDS")]
    pub background: Option<u64>,
    /// Time between two looks at a task left running
    #[arg(short = 'P', long, value_name = "SECONDS")]
    pub poll: Option<u64>,
    /// One line per result
    #[arg(short, long)]
    pub one_line: bool,
    /// Write results into this folder
    #[arg(short, long, value_name = "FOLDER")]
    pub tree: Option<String>,
    /// Time after which the task is ended
    #[arg(long, value_name = "SECONDS")]
    pub task_timeout: Option<u64>,
    /// Folder that stands for the playbook's
    #[arg(long, value_name = "FOLDER")]
    pub playbook_dir: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub connect: ConnectFlags,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub escalate: BecomeFlags,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub inventory: InventoryFlags,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub vault: VaultFlags,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub run: RunFlags,
}

/// What rplay does beside running playbooks.
const COMMANDS: &str = "Commands, each with --help:
  rplay idempotence PLAYBOOK   apply, replay in check mode, say what a second run would change and why
  rplay plan PLAYBOOK          what a run would change, in one piece; --out FILE saves it
  rplay apply FILE             run exactly that plan
  rplay drift PLAYBOOK         what hosts have come to differ in, and since when
  rplay molecule COMMAND       Molecule's scenarios: test, converge, verify...
  rplay lab COMMAND            real hosts on this machine: up, status, ssh, down...
  rplay links DIR              links under Ansible's names: ansible-playbook, ansible-config...";

/// What all kinds of runs share.
pub trait Shared: Parser {
    /// How to run.
    fn run(&self) -> &RunFlags;
}

/// Options that have those of a playbook run among them.
pub trait OfPlaybook: Parser {
    /// Those.
    fn playbook(&self) -> &Flags;
}

impl OfPlaybook for Flags {
    fn playbook(&self) -> &Flags {
        self
    }
}

impl<T: OfPlaybook> Shared for T {
    fn run(&self) -> &RunFlags {
        &self.playbook().run
    }
}

impl Shared for AdHocFlags {
    fn run(&self) -> &RunFlags {
        &self.run
    }
}

/// Reads the arguments of a playbook run; `program` is the name rplay was called by. Without a playbook in the arguments and in the
/// configuration, the usage and code 2.
pub fn playbook<T: OfPlaybook>(program: &str, arguments: &[OsString], config: &Config) -> Parsed<T> {
    match parse::<T>(program, arguments, config) {
        Parsed::Run(flags) if flags.playbook().playbooks.is_empty() && config.playbook.is_none() => {
            complain::<T>(program, "the following arguments are required: playbook")
        }
        parsed => parsed,
    }
}

/// Reads the arguments of an ad-hoc run.
pub fn ad_hoc(program: &str, arguments: &[OsString], config: &Config) -> Parsed<AdHocFlags> {
    parse(program, arguments, config)
}

fn parse<T: Shared>(program: &str, arguments: &[OsString], config: &Config) -> Parsed<T> {
    if arguments.iter().any(|argument| argument.to_str().is_none()) {
        return Parsed::Say { text: "command line arguments must be UTF-8\n".into(), code: 6, stderr: true };
    }
    let words = std::iter::once(OsString::from(program)).chain(arguments.iter().cloned());
    let mut command = T::command().name(program.to_string()).bin_name(program);
    if !program.starts_with("ansible") && !program.contains(' ') {
        command = command.after_help(COMMANDS);
    }
    let flags = match command.try_get_matches_from(words).and_then(|matches| T::from_arg_matches(&matches)) {
        Ok(flags) => flags,
        Err(error) => return Parsed::Say { text: error.to_string(), code: error.exit_code(), stderr: error.use_stderr() },
    };
    if flags.run().version {
        return Parsed::Say { text: programs::version(program, config), code: 0, stderr: false };
    }
    if flags.run().forks.is_some_and(|forks| forks < 1) {
        return complain::<T>(program, "The number of processes (--forks) must be >= 1");
    }
    Parsed::Run(Box::new(flags))
}

/// The usage and an error, as Python's `argparse` words it.
fn complain<T: Parser>(program: &str, message: &str) -> Parsed<T> {
    let usage = T::command().name(program.to_string()).bin_name(program).render_usage();
    Parsed::Say { text: format!("{usage}\n\n{program}: error: {message}\n\nFor more information, try '--help'.\n"), code: 2, stderr: true }
}

#[cfg(test)]
mod tests;
