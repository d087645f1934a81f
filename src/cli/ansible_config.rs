//! `ansible-config`, `rplay config`: what is configured and what could be.

use std::ffi::OsString;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::commands::{self, fail};
use super::console;
use crate::config::{self, Changed, Format};
use crate::diagnostic::Diagnostic;

/// Shows the configuration.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true, infer_long_args = true, args_override_self = true, about = "Shows the configuration.")]
struct Flags {
    /// Show version and configuration file
    #[arg(long)]
    version: bool,
    /// Say more
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

/// What of the configuration is meant.
#[derive(Debug, Args)]
struct Which {
    /// Configuration file, instead of the first that is found
    #[arg(short, long = "config", value_name = "FILE")]
    config: Option<String>,
    /// Kind of settings; rplay has those of `base`
    #[arg(short = 't', long = "type", value_name = "KIND", default_value = "base")]
    kind: String,
    /// Plugins; rplay has no settings by plugin
    #[arg(value_name = "PLUGIN")]
    plugins: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DumpFormat {
    Display,
    Json,
    Yaml,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ListFormat {
    Json,
    Yaml,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum InitFormat {
    Ini,
    Env,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every setting, its value and who decided it
    Dump {
        #[command(flatten)]
        which: Which,
        /// Only what somebody has set
        #[arg(long, alias = "changed-only")]
        only_changed: bool,
        /// How it is written
        #[arg(short, long, value_enum, default_value = "display")]
        format: DumpFormat,
    },
    /// Every setting there is: type, default, where it can be set
    List {
        #[command(flatten)]
        which: Which,
        /// How it is written
        #[arg(short, long, value_enum, default_value = "yaml")]
        format: ListFormat,
    },
    /// The configuration file
    View {
        #[command(flatten)]
        which: Which,
    },
    /// A configuration to begin with
    Init {
        #[command(flatten)]
        which: Which,
        /// How it is written
        #[arg(short, long, value_enum, default_value = "ini")]
        format: InitFormat,
        /// Every setting is a comment
        #[arg(long)]
        disabled: bool,
    },
}

/// Runs the program; `program` is the name it was called by.
pub(super) fn run(program: &str, arguments: &[OsString]) -> i32 {
    if let Some(code) = commands::version(program, arguments) {
        return code;
    }
    match commands::read::<Flags>(program, arguments).and_then(|flags| answer(&flags)) {
        Ok(text) => {
            console::say(&text);
            0
        }
        Err(code) => code,
    }
}

fn answer(flags: &Flags) -> Result<String, i32> {
    let command = &flags.command;
    let (Command::Dump { which, .. } | Command::List { which, .. } | Command::View { which } | Command::Init { which, .. }) = command;
    if which.kind != "base" || !which.plugins.is_empty() {
        let error = Diagnostic::error("rplay has no settings of single plugins").help("leave out --type and the names of plugins");
        return Err(fail(&error, 5));
    }
    let (around, config) = commands::begin_with(which.config.as_deref(), flags.verbose)?;
    match command {
        Command::Dump { only_changed, format, .. } => {
            let servers = config.galaxy_servers(&around.env).map_err(|error| fail(&error, 5))?;
            let changed = if *only_changed { Changed::Only } else { Changed::All };
            let format = match format {
                DumpFormat::Display => Format::Display,
                DumpFormat::Json => Format::Json,
                DumpFormat::Yaml => Format::Yaml,
            };
            Ok(config::dump(&config, &servers, changed, format))
        }
        Command::List { format: ListFormat::Yaml, .. } => Ok(config::list()),
        Command::List { format: ListFormat::Json, .. } => {
            let value: serde_json::Value = serde_yaml::from_str(&config::list()).map_err(|error| fail(&Diagnostic::error(error.to_string()), 250))?;
            Ok(format!("{value:#}\n"))
        }
        Command::View { .. } => match &config.file {
            Some(source) => Ok(source.text.to_string()),
            None => Err(fail(&Diagnostic::error("Invalid or no config file was supplied"), 1)),
        },
        Command::Init { format, disabled, .. } => Ok(match format {
            InitFormat::Ini => config::init_ini(*disabled),
            InitFormat::Env => config::init_env(*disabled),
        }),
    }
}
