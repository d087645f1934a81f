//! Makes and removes control groups as planned, and ends what runs in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::cgroup::{Hierarchy, Plan};
use super::command::succeeds;
use super::failure::{Failure, Result};

/// The groups of one host, ready to be joined.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    /// The groups the host's init is put into.
    pub(crate) join: Vec<PathBuf>,
    /// The group for the init's parent, where the kernel wants it out of the way.
    pub(crate) supervisor: Option<PathBuf>,
    /// The systemd scope to start the host in.
    pub(crate) scope: Option<String>,
}

/// The folder of a lab in each hierarchy.
pub(crate) fn folder(id: &str) -> String {
    format!("rplay-lab-{id}")
}

/// Where the former members of a version 2 group wait while a lab needs it empty.
const CALLER: &str = "rplay-lab-caller";

/// The scope of a host; `_` cannot be part of an id or a host's name, so no two labs meet here.
fn scope(id: &str, name: &str) -> String {
    format!("{}_{name}.scope", folder(id))
}

/// Makes the groups for a host.
pub(crate) fn prepare(plan: &Plan, id: &str, name: &str) -> Result<Prepared> {
    match plan {
        Plan::Hybrid(all) => {
            let join = all.iter().map(|one| prepare_v1(one, id, name)).collect::<Result<_>>()?;
            Ok(Prepared { join, ..Prepared::default() })
        }
        Plan::Scope(_) => Ok(Prepared { scope: Some(scope(id, name)), ..Prepared::default() }),
        Plan::Below(own) => {
            let lab = own.join(folder(id));
            let host = lab.join(name);
            make(&host)?;
            enable_below(own)?;
            enable(&lab)?;
            let (payload, supervisor) = (host.join("payload"), host.join("supervisor"));
            make(&payload)?;
            make(&supervisor)?;
            enable(&host)?;
            Ok(Prepared { join: vec![payload], supervisor: Some(supervisor), scope: None })
        }
    }
}

fn prepare_v1(hierarchy: &Hierarchy, id: &str, name: &str) -> Result<PathBuf> {
    let lab = hierarchy.own.join(folder(id));
    let host = lab.join(name);
    make(&host)?;
    if hierarchy.is_cpuset() {
        for file in ["cpuset.cpus", "cpuset.mems"] {
            let value = fs::read_to_string(hierarchy.own.join(file)).map_err(|error| Failure::io("read", &hierarchy.own.join(file), &error))?;
            put(&lab.join(file), &value)?;
            put(&host.join(file), &value)?;
        }
    }
    Ok(host)
}

fn make(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| Failure::io("make the cgroup", path, &error))
}

fn put(path: &Path, value: &str) -> Result<()> {
    fs::write(path, value).map_err(|error| Failure::io("write", path, &error))
}

/// Gives the children of a group every controller it has itself.
fn enable(group: &Path) -> Result<()> {
    let available = fs::read_to_string(group.join("cgroup.controllers")).unwrap_or_default();
    for controller in available.split_whitespace() {
        put(&group.join("cgroup.subtree_control"), &format!("+{controller}"))?;
    }
    Ok(())
}

/// The same for the caller's own group, which is emptied into a leaf when the kernel says it is busy.
fn enable_below(own: &Path) -> Result<()> {
    if enable(own).is_ok() {
        return Ok(());
    }
    let leaf = own.join(CALLER);
    make(&leaf)?;
    move_members(own, &leaf);
    enable(own)
}

fn members(group: &Path) -> Vec<i32> {
    let text = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| line.trim().parse().ok()).collect()
}

fn move_members(from: &Path, to: &Path) {
    for process in members(from) {
        // one that ended meanwhile cannot be moved and need not be
        let _ = fs::write(to.join("cgroup.procs"), process.to_string());
    }
}

/// Moves the init's parent out of the host's own group.
pub(crate) fn seat_supervisor(prepared: &Prepared, mount: Option<&Path>, process: u32) -> Result<Option<PathBuf>> {
    let seat = match (&prepared.supervisor, &prepared.scope, mount) {
        (Some(seat), _, _) => seat.clone(),
        (None, Some(_), Some(mount)) => {
            let file = PathBuf::from(format!("/proc/{process}/cgroup"));
            let text = fs::read_to_string(&file).map_err(|error| Failure::io("read", &file, &error))?;
            let own = text.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
            mount.join(own.trim_end_matches("payload")).join("supervisor")
        }
        _ => return Ok(None),
    };
    put(&seat.join("cgroup.procs"), &process.to_string())?;
    Ok(seat.parent().map(Path::to_path_buf))
}

/// Every group of a lab (or of one host of it) that exists below the mount points, also when no record tells of it.
pub(crate) fn find(mount_points: &[PathBuf], id: &str, host: Option<&str>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for point in mount_points {
        search(point, &folder(id), host, &mut found);
    }
    found.sort();
    found.dedup();
    found
}

fn search(folder: &Path, lab: &str, host: Option<&str>, found: &mut Vec<PathBuf>) {
    for child in children(folder) {
        let name = child.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let of_scope = name.strip_prefix(lab).and_then(|rest| rest.strip_prefix('_')).and_then(|rest| rest.strip_suffix(".scope"));
        if name == lab {
            match host {
                None => found.push(child),
                Some(host) if child.join(host).is_dir() => found.push(child.join(host)),
                Some(_) => {}
            }
        } else if of_scope.is_some_and(|name| host.is_none_or(|host| host == name)) {
            found.push(child);
        } else if !name.starts_with("rplay-lab-") || name == CALLER {
            search(&child, lab, host, found);
        }
    }
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let folders = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path()).collect()
}

/// The processes in a group and below it.
pub(crate) fn processes(group: &Path) -> Vec<i32> {
    let mut all = members(group);
    for child in children(group) {
        all.extend(processes(&child));
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// Kills what runs in the groups and removes them; what is left after the deadline is a failure that names it.
pub(crate) fn clear(groups: &[PathBuf]) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let mut left = Vec::new();
        for group in groups.iter().filter(|group| group.exists()) {
            let alive = processes(group);
            alive.iter().for_each(|process| kill(*process));
            if !alive.is_empty() || !remove(group) {
                left.push(group);
            }
        }
        match left.first() {
            None => break,
            Some(group) if Instant::now() > deadline => {
                return Err(Failure::new(format!("the cgroup {} cannot be removed; processes in it: {:?}", group.display(), processes(group))));
            }
            Some(_) => sleep(Duration::from_millis(20)),
        }
    }
    for group in groups {
        match group.file_name().and_then(|name| name.to_str()) {
            // systemd may not notice by itself that the scope's group is gone, and would refuse the next of that name
            Some(scope) if scope.ends_with(".scope") => _ = succeeds("systemctl", &["stop", scope]),
            _ => group.parent().into_iter().for_each(give_back),
        }
    }
    Ok(())
}

fn kill(process: i32) {
    if let Some(process) = rustix::process::Pid::from_raw(process) {
        // gone already is as good
        let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
    }
}

fn remove(group: &Path) -> bool {
    children(group).iter().for_each(|child| {
        remove(child);
    });
    fs::remove_dir(group).is_ok() || !group.exists()
}

/// Puts the former members of the caller's group back once no lab needs it empty.
fn give_back(own: &Path) {
    let leaf = own.join(CALLER);
    let labs = children(own).iter().filter(|child| child.file_name().is_some_and(|name| name.to_string_lossy().starts_with("rplay-lab-"))).count();
    if !leaf.is_dir() || labs > 1 {
        return;
    }
    let enabled = fs::read_to_string(own.join("cgroup.subtree_control")).unwrap_or_default();
    for controller in enabled.split_whitespace() {
        let _ = fs::write(own.join("cgroup.subtree_control"), format!("-{controller}"));
    }
    move_members(&leaf, own);
    let _ = fs::remove_dir(&leaf);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lab_finds_its_own_groups_and_no_others() {
        let root = tempfile::tempdir().unwrap();
        for group in [
            "rplay-lab-a/one",
            "jobs/rplay-lab-a/two",
            "rplay-lab-a-b/one",
            "system.slice/rplay-lab-a_one.scope",
            "system.slice/rplay-lab-a-b_one.scope",
            "rplay-lab-caller/rplay-lab-a",
        ] {
            fs::create_dir_all(root.path().join(group)).unwrap();
        }
        let found = |host| {
            let found = find(&[root.path().into(), root.path().into()], "a", host);
            found.iter().map(|path| path.strip_prefix(root.path()).unwrap().display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(found(None), ["jobs/rplay-lab-a", "rplay-lab-a", "rplay-lab-caller/rplay-lab-a", "system.slice/rplay-lab-a_one.scope"]);
        assert_eq!(found(Some("one")), ["rplay-lab-a/one", "system.slice/rplay-lab-a_one.scope"]);
    }
}
