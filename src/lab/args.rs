//! The command line of `rplay lab`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::description::Overrides;

/// Local hosts from Debian packages: systemd, sshd, their own address, and no Python.
#[derive(Debug, Parser)]
#[command(name = "rplay lab", bin_name = "rplay lab", no_binary_name = true, args_override_self = true)]
pub(crate) struct Line {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// Settings that go over the description's.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// The lab's description.
    #[arg(long, global = true, value_name = "FILE", default_value = "lab/lab.yml")]
    pub(crate) file: PathBuf,
    /// The folder for the lab's state [default: rplay/lab/ID in the user's cache folder].
    #[arg(long, global = true)]
    pub(crate) dir: Option<PathBuf>,
    /// Another name for the lab; labs with different names live side by side, given different subnets.
    #[arg(long, global = true)]
    id: Option<String>,
    /// Another network; hosts keep their place in it.
    #[arg(long, global = true, value_name = "ADDRESS/PREFIX")]
    subnet: Option<String>,
    /// Another name for the bridge.
    #[arg(long, global = true)]
    bridge: Option<String>,
    /// Other hosts than described; NAME:busybox=ADDRESS makes one that has only busybox.
    #[arg(long, global = true, value_name = "NAME=ADDRESS,...", value_delimiter = ',')]
    hosts: Vec<String>,
}

impl Settings {
    /// The part that changes the description.
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides { id: self.id.clone(), subnet: self.subnet.clone(), bridge: self.bridge.clone(), hosts: self.hosts.clone() }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the hosts that are down, all or the named ones.
    Up { names: Vec<String> },
    /// Stop hosts; without names, everything, leaving nothing but files.
    Down { names: Vec<String> },
    /// Show which hosts run.
    Status {
        /// One JSON object instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Log in to a host, or run a command on it, over SSH as core.
    Ssh {
        /// HOST or USER@HOST.
        host: String,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Run a command in a host as root without SSH.
    Exec {
        host: String,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<String>,
    },
    /// Fresh hosts: throw away what was written on them, all or the named ones, and start them.
    Reset { names: Vec<String> },
    /// Stop everything and remove the lab's files.
    Clean {
        /// The cached base images too.
        #[arg(long)]
        all: bool,
    },
    /// Print the folder of the lab's state.
    Path,
    /// Make a portable PyPy from Debian packages; print its path and SHA-256.
    Pypy,
    /// Fetch etcd from Debian packages; print the folder with its programs.
    Etcd,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Line {
        Line::try_parse_from(words.split_whitespace()).unwrap()
    }

    #[test]
    fn settings_stand_before_or_after_the_verb() {
        for words in ["--id x up a b", "up --id x a b", "up a b --id x"] {
            let line = parse(words);
            assert_eq!(line.settings.overrides().id.as_deref(), Some("x"), "{words}");
            assert!(matches!(line.command, Command::Up { names } if names == ["a", "b"]), "{words}");
        }
    }

    #[test]
    fn the_last_of_two_settings_counts() {
        let line = parse("--dir /a up --dir /b");
        assert_eq!(line.settings.dir, Some("/b".into()));
    }

    #[test]
    fn the_remote_command_keeps_its_flags() {
        let Command::Ssh { host, command } = parse("ssh etcd-01 ls -la --id /tmp").command else { panic!("not ssh") };
        assert_eq!((host.as_str(), command.join(" ").as_str()), ("etcd-01", "ls -la --id /tmp"));
    }
}
