//! Starts one lab host: groups, namespaces, cable, overlay, init; then waits until sshd answers.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::base;
use super::cgroup::Plan;
use super::command;
use super::description::{Host, Lab};
use super::failure::{Failure, Result};
use super::groups::{self, Prepared};
use super::network;
use super::record::{Run, StateDir, make, start_time, write};

const START: &str = include_str!("../../lab/labstart.sh");
const INIT: &str = include_str!("../../lab/labinit.sh");

/// What starting any host of a lab needs to know.
pub(crate) struct Site<'a> {
    pub(crate) lab: &'a Lab,
    pub(crate) state: &'a StateDir,
    pub(crate) cache: &'a Path,
    pub(crate) plan: &'a Plan,
}

/// Puts the scripts that start hosts into the state directory.
pub(crate) fn write_scripts(state: &StateDir) -> Result<()> {
    make(&state.bin())?;
    write(&state.bin().join("labstart.sh"), START)?;
    write(&state.bin().join("labinit.sh"), INIT)
}

/// Starts a host that is down and waits for its sshd.
pub(crate) fn start(site: &Site, host: &Host) -> Result<()> {
    let home = site.state.host(&host.name);
    for folder in ["upper", "work", "root", "data"] {
        make(&home.join(folder))?;
    }
    let prepared = groups::prepare(site.plan, &site.lab.id, &host.name)?;
    let mut child = spawn(site, host, &home, &prepared)?;
    let outcome = settle(site, host, &prepared, &mut child);
    match outcome {
        Ok(run) => {
            // while we live the supervisor is our child, and would stay behind as a zombie when the host ends
            std::thread::spawn(move || child.wait());
            site.state.remember(&host.name, &run)?;
            wait_for_sshd(host, &run, &home)
        }
        Err(failure) => {
            // it never became a host; its namespaces end with it
            let _ = child.kill();
            let _ = child.wait();
            Err(with_log(failure, host, &home))
        }
    }
}

fn spawn(site: &Site, host: &Host, home: &Path, prepared: &Prepared) -> Result<Child> {
    let log = home.join("boot.log");
    let log = File::create(&log).map_err(|error| Failure::io("write", &log, &error))?;
    let mut command = match &prepared.scope {
        None => command::program("sh"),
        Some(scope) => {
            let mut command = command::program("systemd-run");
            command.args(["--scope", "--quiet", "--collect", "--property=Delegate=yes"]).arg(format!("--unit={scope}")).args(["--", "sh"]);
            command
        }
    };
    let lower = [site.state.layer(), base::folder(site.cache, site.lab, host.kind, &host.distribution)];
    let join: Vec<String> = prepared.join.iter().map(|group| group.display().to_string()).collect();
    command
        .arg(site.state.bin().join("labstart.sh"))
        .env("LAB_NAME", &host.name)
        .env("LAB_HOME", home)
        .env("LAB_BIN", site.state.bin())
        .env("LAB_LOWER", lower.map(|folder| folder.display().to_string()).join(":"))
        .env("LAB_SOURCE", format!("rplay-lab-{}_{}", site.lab.id, host.name))
        .env("LAB_ADDRESS", host.address.to_string())
        .env("LAB_PREFIX", site.lab.subnet.prefix().to_string())
        .env("LAB_GATEWAY", site.lab.subnet.gateway().to_string())
        .env("LAB_KIND", host.kind.word())
        .env("LAB_LAYOUT", site.plan.layout())
        .env("LAB_HIERARCHIES", site.plan.hierarchies())
        .env("LAB_JOIN", join.join("\n"))
        .env("LAB_SCOPE", if prepared.scope.is_some() { "1" } else { "0" })
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log);
    command.spawn().map_err(|error| Failure::new(format!("cannot start {}: {error}", host.name)))
}

/// The conversation with `labinit.sh`: it is ready, we lay the cable and seat its parent, it goes on.
fn settle(site: &Site, host: &Host, prepared: &Prepared, child: &mut Child) -> Result<Run> {
    let supervisor = child.id();
    let mut answer = String::new();
    if let Some(stdout) = child.stdout.take() {
        // nothing to read means that it ended; its log says why
        let _ = BufReader::new(stdout).read_line(&mut answer);
    }
    if answer.trim() != "ready" {
        return Err(Failure::new(format!("{} did not start", host.name)));
    }
    let init = only_child(supervisor).ok_or_else(|| Failure::new(format!("{} ended while it was started", host.name)))?;
    let mount = match site.plan {
        Plan::Scope(mount) => Some(mount.as_path()),
        Plan::Hybrid(_) | Plan::Below(_) => None,
    };
    let seated = groups::seat_supervisor(prepared, mount, supervisor)?;
    network::plug(site.lab, host, supervisor)?;
    let started = start_time(init).ok_or_else(|| Failure::new(format!("{} ended while it was started", host.name)))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(b"go\n").map_err(|error| Failure::new(format!("{} ended while it was started: {error}", host.name)))?;
    }
    let groups = seated.map_or_else(|| prepared.join.clone(), |group| vec![group]);
    Ok(Run { address: host.address, kind: host.kind, distribution: host.distribution.clone(), supervisor, init, started, groups })
}

fn only_child(process: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// Waits until a host that was started answers; `home` is where its boot log lies.
pub(crate) fn wait_for_sshd(host: &Host, run: &Run, home: &Path) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        if greets(host) {
            return Ok(());
        }
        if !run.alive() {
            return Err(with_log(Failure::new(format!("{} stopped while it booted", host.name)), host, home));
        }
        if Instant::now() > deadline {
            let failure = Failure::new(format!("sshd on {} ({}) does not answer", host.name, host.address));
            return Err(failure.help(format!("look inside: rplay lab exec {} systemctl --failed", host.name)));
        }
        sleep(Duration::from_millis(25));
    }
}

/// Whether sshd answers with its banner.
pub(crate) fn greets(host: &Host) -> bool {
    let address = SocketAddr::from((host.address, 22));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_millis(500)) else {
        return false;
    };
    let mut banner = [0; 4];
    stream.set_read_timeout(Some(Duration::from_secs(5))).is_ok() && stream.read_exact(&mut banner).is_ok() && &banner == b"SSH-"
}

fn with_log(failure: Failure, host: &Host, home: &Path) -> Failure {
    let log = home.join("boot.log");
    let text = fs::read_to_string(&log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    match lines[lines.len().saturating_sub(5)..].join("\n    ") {
        tail if tail.is_empty() => failure,
        tail => failure.help(format!("the last lines of {}'s boot log ({}):\n    {tail}", host.name, log.display())),
    }
}
