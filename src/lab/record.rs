//! The lab's state directory: what lies where, and what was written down about running hosts.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::description::Kind;
use super::failure::{Failure, Result};

/// The folder that holds one lab.
#[derive(Debug, Clone)]
pub(crate) struct StateDir(PathBuf);

/// What is known of a host that was started.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) address: Ipv4Addr,
    pub(crate) kind: Kind,
    pub(crate) distribution: String,
    /// The parent of the host's init; its cgroup is the controller's.
    pub(crate) supervisor: u32,
    /// The host's init, by its number on the controller.
    pub(crate) init: u32,
    /// When the init started, in clock ticks since boot: a number alone may be used again.
    pub(crate) started: u64,
    /// The groups to remove when the host goes.
    pub(crate) groups: Vec<PathBuf>,
}

impl Run {
    /// Whether the very process of this record still runs.
    pub(crate) fn alive(&self) -> bool {
        start_time(self.init) == Some(self.started)
    }
}

/// When a process started, in clock ticks since boot.
pub(crate) fn start_time(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // the name in brackets may hold anything, so count from the last bracket
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

impl StateDir {
    /// The state of a lab lives here; nothing is made yet.
    pub(crate) fn new(path: PathBuf) -> Self {
        StateDir(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.0.join("key")
    }

    pub(crate) fn known_hosts(&self) -> PathBuf {
        self.0.join("known_hosts")
    }

    pub(crate) fn ssh_config(&self) -> PathBuf {
        self.0.join("ssh.config")
    }

    pub(crate) fn inventory(&self) -> PathBuf {
        self.0.join("inventory.ini")
    }

    /// The scripts that start hosts.
    pub(crate) fn bin(&self) -> PathBuf {
        self.0.join("bin")
    }

    /// What all hosts of a kind have on top of their base: keys.
    pub(crate) fn layer(&self) -> PathBuf {
        self.0.join("layer")
    }

    pub(crate) fn host(&self, name: &str) -> PathBuf {
        self.0.join("hosts").join(name)
    }

    /// The names of all hosts that have files here.
    pub(crate) fn host_names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.join("hosts")).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// What was written down when the host started.
    pub(crate) fn run(&self, name: &str) -> Option<Run> {
        serde_json::from_str(&fs::read_to_string(self.host(name).join("run.json")).ok()?).ok()
    }

    /// Writes down that a host runs.
    pub(crate) fn remember(&self, name: &str, run: &Run) -> Result<()> {
        let text = serde_json::to_string_pretty(run).map_err(|error| Failure::new(error.to_string()))?;
        write(&self.host(name).join("run.json"), &text)
    }

    /// Forgets a host that is down.
    pub(crate) fn forget(&self, name: &str) {
        // absent is what we want
        let _ = fs::remove_file(self.host(name).join("run.json"));
    }
}

/// Makes a folder and those above it.
pub(crate) fn make(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| Failure::io("make", path, &error))
}

/// Writes a file whole or not at all.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    let folder = path.parent().unwrap_or(Path::new("."));
    let attempt = || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
        file.persist(path)?;
        Ok(())
    };
    attempt().map_err(|error| Failure::io("write", path, &error))
}

/// Removes a file tree that may be absent.
pub(crate) fn wipe(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::io("remove", path, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_number_and_start() {
        let own = std::process::id();
        let started = start_time(own).unwrap();
        let run = |started| Run {
            address: Ipv4Addr::LOCALHOST,
            kind: Kind::Systemd,
            distribution: "bookworm".into(),
            supervisor: own,
            init: own,
            started,
            groups: vec![],
        };
        assert!(run(started).alive());
        assert!(!run(started + 1).alive());
    }

    #[test]
    fn records_survive_a_round_trip() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::new(folder.path().into());
        make(&state.host("a")).unwrap();
        let run = Run {
            address: Ipv4Addr::new(10, 0, 0, 5),
            kind: Kind::Busybox,
            distribution: "trixie".into(),
            supervisor: 1,
            init: 2,
            started: 3,
            groups: vec!["/x".into()],
        };
        state.remember("a", &run).unwrap();
        assert_eq!(state.run("a").unwrap().groups, run.groups);
        assert_eq!(state.host_names(), ["a"]);
        state.forget("a");
        assert!(state.run("a").is_none());
    }
}
