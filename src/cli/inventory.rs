//! `ansible-inventory`, `rplay inventory`: hosts, groups and variables as rplay sees them.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use clap::{ArgAction, Parser};

use super::commands::{self, fail};
use super::flags::{InventoryFlags, Reading, VaultFlags, extra_vars};
use super::{console, setup};
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::inventory::{Inventory, Show};

/// Exit code of options that make no sense.
const BAD_OPTIONS: i32 = 5;

/// Shows the inventory.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true, infer_long_args = true, args_override_self = true, about = "Shows the hosts, groups and variables of an inventory.")]
struct Flags {
    /// Group to begin with, for --graph
    #[arg(value_name = "GROUP")]
    group: Option<String>,
    /// All hosts and groups, as an inventory script tells them
    #[arg(long)]
    list: bool,
    /// The variables of one host
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// The tree of groups and hosts
    #[arg(long)]
    graph: bool,
    /// YAML instead of JSON
    #[arg(short, long)]
    yaml: bool,
    /// TOML instead of JSON; rplay does not write TOML
    #[arg(long)]
    toml: bool,
    /// Variables in the tree of --graph
    #[arg(long)]
    vars: bool,
    /// Variables where they are defined, instead of with every host
    #[arg(long)]
    export: bool,
    /// Write into this file instead of the screen
    #[arg(long, value_name = "FILE")]
    output: Option<String>,
    /// Folder that stands for the playbook's
    #[arg(long, value_name = "FOLDER")]
    playbook_dir: Option<String>,
    /// Variables: key=value, YAML, JSON or @FILE; repeatable
    #[arg(short, long, value_name = "VARS", action = ArgAction::Append, allow_hyphen_values = true)]
    extra_vars: Vec<String>,
    /// Say more
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
    #[command(flatten)]
    inventory: InventoryFlags,
    #[command(flatten)]
    vault: VaultFlags,
}

/// Runs the program; `program` is the name it was called by.
pub(super) fn run(program: &str, arguments: &[OsString]) -> i32 {
    if let Some(code) = commands::version(program, arguments) {
        return code;
    }
    match commands::read::<Flags>(program, arguments).and_then(|flags| answer(&flags)) {
        Ok(()) => 0,
        Err(code) => code,
    }
}

fn answer(flags: &Flags) -> Result<(), i32> {
    let (_, mut config) = commands::begin(flags.verbose)?;
    let refuse = |message: &str| Err(fail(&Diagnostic::error(message), BAD_OPTIONS));
    match usize::from(flags.list) + usize::from(flags.graph) + usize::from(flags.host.is_some()) {
        1 => {}
        0 => return refuse("No action selected, at least one of --host, --graph or --list needs to be specified."),
        _ => return refuse("Conflicting options used, only one of --host, --graph or --list can be used at the same time."),
    }
    if flags.toml && !flags.graph {
        return refuse("rplay does not write TOML: take --yaml");
    }
    if flags.inventory.list_hosts {
        return refuse("--list-hosts is for playbook and ad-hoc runs");
    }
    if flags.group.is_some() && !flags.graph {
        console::complain(&[Diagnostic::warning("the group has no effect: it is for --graph")]);
    }
    if let Some(folder) = &flags.playbook_dir {
        config.playbook_dir = Some(config.places.from_cwd(folder));
    }
    let text = shown(flags, &config).map_err(|(error, code)| fail(&error, code))?;
    match &flags.output {
        // a file ends as Ansible ends it: without a line end
        Some(file) => write(&config.places.from_cwd(file), text.trim_end_matches('\n')).map_err(|error| fail(&error, 1)),
        None => {
            console::say(&text);
            Ok(())
        }
    }
}

fn shown(flags: &Flags, config: &Config) -> Result<String, (Diagnostic, i32)> {
    let plain = |error: Diagnostic| (error, 1);
    let (secrets, mut warnings) = setup::secrets(&flags.vault, config).map_err(plain)?;
    let (inventory, more) = setup::inventory(&flags.inventory, config, &secrets).map_err(plain)?;
    warnings.extend(more);
    let reading = Reading { places: &config.places, secrets: &secrets, merge: config.hash_behaviour == "merge" };
    let (extra, more) = extra_vars(&flags.extra_vars, reading).map_err(plain)?;
    warnings.extend(more);
    console::complain(&warnings);
    let play = config.playbook_dir.as_ref().map(|folder| inventory.var_files(folder));
    let show = Show { export: flags.export, limit: flags.inventory.limit.as_deref(), play: play.as_ref(), extra: Some(&extra) };
    tell(flags, &inventory, show).map_err(|error| (error, BAD_OPTIONS))
}

fn tell(flags: &Flags, inventory: &Arc<Inventory>, show: Show) -> Result<String, Diagnostic> {
    if let Some(host) = &flags.host {
        return if flags.yaml { inventory.host_yaml(host, show) } else { inventory.host_json(host, show) };
    }
    if flags.graph {
        return inventory.graph(flags.group.as_deref().unwrap_or("all"), flags.vars, show);
    }
    if flags.yaml { inventory.list_yaml(show) } else { inventory.list_json(show) }
}

/// Writes a file whole or not at all.
fn write(path: &Path, text: &str) -> Result<(), Diagnostic> {
    let written = || {
        let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or_else(|| Path::new(".")))?;
        file.write_all(text.as_bytes())?;
        let mode = std::fs::metadata(path).map_or(0o644, |found| std::os::unix::fs::PermissionsExt::mode(&found.permissions()));
        file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
        file.persist(path).map(|_| ()).map_err(|failed| failed.error)
    };
    written().map_err(|error: std::io::Error| Diagnostic::error(format!("Unable to write to destination file ({}): {error}", path.display())))
}
