//! Bringing the runner to a target: one command finds out where it may stand, one sends it.
//!
//! The file has a name that nobody can guess or is ours already, and is made where only we can replace it; it holds no secret, so that the
//! users whom we become may run it.

use uuid::Uuid;

use super::binaries::Binary;
use crate::connection::{ConnectError, Connection, ExecResult, Outbox, Target, open, shell};

/// A runner in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    /// Its path on the target.
    pub path: String,
    /// User id of who put it there; `None` for the file beside rplay itself, which stays.
    pub owner: Option<u32>,
}

/// What a target says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Probe {
    /// `uname -s`.
    pub system: String,
    /// `uname -m`.
    pub machine: String,
    /// The login user's id.
    pub uid: u32,
    /// The first directory where programs may run.
    pub directory: Option<String>,
    /// Runners that an earlier run left there for us.
    pub kept: Vec<String>,
}

const BEGIN: &str = "RPLAY-PROBE";

/// The command that asks a target about itself; directories are tried in order, the last one is home.
pub(super) fn probe_command(target: &Target) -> String {
    let mut directories = vec!["/var/tmp".to_owned(), "/tmp".to_owned(), "$HOME".to_owned()];
    if let Some(first) = target.remote_tmp.as_ref().filter(|path| path.starts_with('/')) {
        directories.insert(0, first.clone());
    }
    let directories: Vec<String> = directories.iter().map(|path| if path == "$HOME" { "\"$HOME\"".to_owned() } else { shell::quote(path) }).collect();
    let id = Uuid::new_v4().simple().to_string();
    // a file is made with noclobber, so that nobody's link is followed, and run, because a directory may be mounted noexec
    let script = format!(
        "umask 077; echo {BEGIN}; uname -s; uname -m; id -u; \
         for d in {}; do f=\"$d/.rplay-probe-{id}\"; \
         if (set -C; printf \"#\\041/bin/sh\\nexit 0\\n\" > \"$f\") 2>/dev/null && chmod 700 \"$f\" && \"$f\" 2>/dev/null; \
         then rm -f \"$f\"; echo \"dir $d\"; \
         for k in \"$d\"/.rplay-runner-*; do if [ -f \"$k\" ] && [ ! -h \"$k\" ] && [ -O \"$k\" ]; then echo \"kept $k\"; fi; done; break; fi; \
         rm -f \"$f\" 2>/dev/null; done; echo END",
        directories.join(" ")
    );
    format!("{} -c {}", target.executable, shell::quote(&script))
}

/// Reads the answer.
pub(super) fn read_probe(host: &str, answer: &ExecResult) -> Result<Probe, ConnectError> {
    let text = String::from_utf8_lossy(&answer.stdout);
    let mut lines = text.lines().map(|line| line.trim_end_matches('\r')).skip_while(|line| *line != BEGIN).skip(1);
    let incomplete = || {
        let said = String::from_utf8_lossy(&answer.stderr);
        ConnectError::NoRunner { message: format!("{host} does not tell what it is, its shell said (status {}): {}{}", answer.rc, text.trim(), said.trim()) }
    };
    let system = lines.next().ok_or_else(incomplete)?.to_owned();
    let machine = lines.next().ok_or_else(incomplete)?.to_owned();
    let uid = lines.next().and_then(|line| line.parse().ok()).ok_or_else(incomplete)?;
    let mut probe = Probe { system, machine, uid, directory: None, kept: Vec::new() };
    for line in lines {
        match line.split_once(' ') {
            Some(("dir", path)) => probe.directory = Some(path.to_owned()),
            Some(("kept", path)) => probe.kept.push(path.to_owned()),
            _ => {}
        }
    }
    Ok(probe)
}

/// Sends the runner; the file appears under its name only when it is whole.
pub(super) fn upload(connection: &dyn Connection, target: &Target, probe: &Probe, binary: &Binary, keep: bool) -> Result<Placed, ConnectError> {
    let Some(directory) = &probe.directory else {
        let message =
            format!("there is no directory on {} where programs may run (tried /var/tmp, /tmp and the home directory); set remote_tmp to one", target.name);
        return Err(ConnectError::NoRunner { message });
    };
    // each login user has a file of their own: what another one left cannot be replaced here, nor be believed
    let kept = format!("{directory}/.rplay-runner-{}-{}", binary.sha256, probe.uid);
    if keep && probe.kept.contains(&kept) {
        return Ok(Placed { path: kept, owner: Some(probe.uid) });
    }
    let once = format!("{directory}/.rplay-runner-{}-{}", &binary.sha256[..16], Uuid::new_v4().simple());
    let path = if keep { kept } else { once.clone() };
    let (temporary, final_path) = (shell::quote(&format!("{once}.new")), shell::quote(&path));
    let script = format!(
        "umask 077; if (set -C; cat > {temporary}) && chmod 755 {temporary}; \
         then echo SIZE $(wc -c < {temporary}); echo SHA $(sha256sum < {temporary} 2>/dev/null); mv -f {temporary} {final_path} && echo PLACED; \
         else rm -f {temporary}; exit 1; fi"
    );
    let answer = send(connection, target, &format!("{} -c {}", target.executable, shell::quote(&script)), &binary.bytes)?;
    verify(target, binary, &answer)?;
    Ok(Placed { path, owner: Some(probe.uid) })
}

/// Runs a command with the runner as its input.
fn send(connection: &dyn Connection, target: &Target, command: &str, bytes: &[u8]) -> Result<ExecResult, ConnectError> {
    let mut opened = open(connection, target, None, command)?;
    let mut outbox = Outbox::closed_after(bytes.to_vec());
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut quiet = 0;
    loop {
        let moved = opened.process.pump(&mut outbox, &mut stdout, &mut stderr, std::time::Duration::from_secs(5))?;
        quiet = if moved { 0 } else { quiet + 1 };
        if let Some(exit) = opened.process.exit() {
            return Ok(ExecResult { rc: exit.code, stdout, stderr });
        }
        if quiet > 12 {
            return Err(ConnectError::Unreachable { message: format!("Failed to connect to the host via ssh: {} does not take the runner", target.host) });
        }
    }
}

fn verify(target: &Target, binary: &Binary, answer: &ExecResult) -> Result<(), ConnectError> {
    let text = String::from_utf8_lossy(&answer.stdout);
    let said = |key: &str| text.lines().filter_map(|line| line.trim().strip_prefix(key)).next_back().map(str::trim).unwrap_or_default();
    let size = said("SIZE");
    let sha = said("SHA").split_whitespace().next().unwrap_or_default();
    let whole = size == binary.bytes.len().to_string() && (sha.is_empty() || sha == binary.sha256);
    if answer.rc == 0 && whole && text.lines().any(|line| line.trim() == "PLACED") {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&answer.stderr);
    let why = match stderr.trim() {
        "" if !whole => format!("{size} of {} bytes arrived", binary.bytes.len()),
        why => why.to_owned(),
    };
    Err(ConnectError::NoRunner { message: format!("the runner could not be placed on {}: {why}", target.name) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_is_read_whatever_stands_before_it() {
        let answer = |stdout: &str| ExecResult { rc: 0, stdout: stdout.as_bytes().to_vec(), stderr: b"oops".to_vec() };
        let probe = read_probe("h", &answer("Welcome!\nRPLAY-PROBE\nLinux\nx86_64\n1000\ndir /var/tmp\nkept /var/tmp/.rplay-runner-ab\nEND\n")).unwrap();
        assert_eq!((probe.system.as_str(), probe.machine.as_str(), probe.uid), ("Linux", "x86_64", 1000));
        assert_eq!((probe.directory.as_deref(), probe.kept.len()), (Some("/var/tmp"), 1));
        assert_eq!(read_probe("h", &answer("RPLAY-PROBE\nLinux\nx86_64\n0\nEND\n")).unwrap().directory, None);
        let error = read_probe("h", &answer("% Unknown command\n")).unwrap_err().to_string();
        assert!(error.contains("Unknown command") && error.contains("oops"), "{error}");
    }
}
