//! Ends hosts and removes what they stood on, by record where there is one and by name where a crash left none.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::cgroup::mount_points;
use super::command::{capture, succeeds};
use super::description::Lab;
use super::failure::{Failure, Result};
use super::groups;
use super::network;
use super::record::StateDir;

/// Whether a host may finish its work first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Its systemd powers off, with some seconds to do so.
    Orderly,
    /// Killed at once, for hosts whose files are thrown away.
    Abrupt,
}

/// Ends a host and removes its groups and cable; one that is down already is no failure.
pub(crate) fn host(lab: &Lab, state: &StateDir, name: &str, manner: Manner) -> Result<()> {
    let run = state.run(name);
    if let Some(run) = run.as_ref().filter(|run| run.alive() && manner == Manner::Orderly && runs_systemd(run.init)) {
        power_off(run.init);
        let deadline = Instant::now() + Duration::from_secs(10);
        while run.alive() && Instant::now() < deadline {
            sleep(Duration::from_millis(20));
        }
    }
    let mut left = groups::find(&cgroup_mounts()?, &lab.id, Some(name));
    left.extend(run.into_iter().flat_map(|run| run.groups));
    left.sort();
    left.dedup();
    groups::clear(&left)?;
    network::unplug(&lab.id, name);
    unmount_below(&state.host(name))?;
    state.forget(name);
    Ok(())
}

/// A host that is still being built, or that has only busybox, does not know how to power off.
fn runs_systemd(init: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{init}/comm")).is_ok_and(|name| name.trim() == "systemd")
}

/// SIGRTMIN+4 asks a systemd that is PID 1 to power off.
fn power_off(init: u32) {
    // an init that ended meanwhile is what we want
    succeeds("sh", &["-c", "kill -s RTMIN+4 \"$0\" 2>/dev/null || kill -38 \"$0\"", &init.to_string()]);
}

/// Removes what belongs to the lab as a whole, once no host of it runs.
pub(crate) fn lab(lab: &Lab, state: &StateDir) -> Result<()> {
    groups::clear(&groups::find(&cgroup_mounts()?, &lab.id, None))?;
    network::bridge_down(&lab.bridge)?;
    unmount_below(state.path())
}

fn cgroup_mounts() -> Result<Vec<PathBuf>> {
    Ok(mount_points(&mountinfo()?))
}

fn mountinfo() -> Result<String> {
    let path = Path::new("/proc/self/mountinfo");
    std::fs::read_to_string(path).map_err(|error| Failure::io("read", path, &error))
}

/// Hosts mount in their own namespace, so there is nothing here unless somebody else mounted into the lab.
fn unmount_below(folder: &Path) -> Result<()> {
    let shown = mountinfo()?;
    let points = shown.lines().filter_map(|line| line.split(' ').nth(4)).map(Path::new);
    for point in points.filter(|point| point.starts_with(folder) && *point != folder) {
        capture("umount", &["-R", "-l", &point.display().to_string()])?;
    }
    Ok(())
}

/// What of a lab exists on this machine: used to say that nothing does, and to find a lab whose record is gone.
pub(crate) fn leftovers(lab: &Lab) -> Result<Vec<String>> {
    let mut found: Vec<String> = groups::find(&cgroup_mounts()?, &lab.id, None).iter().map(|group| format!("cgroup {}", group.display())).collect();
    if succeeds("ip", &["link", "show", "dev", &lab.bridge]) {
        found.push(format!("bridge {}", lab.bridge));
    }
    found.extend(
        lab.hosts
            .iter()
            .map(|host| network::cable(&lab.id, &host.name))
            .filter(|cable| succeeds("ip", &["link", "show", "dev", cable]))
            .map(|cable| format!("interface {cable}")),
    );
    Ok(found)
}
