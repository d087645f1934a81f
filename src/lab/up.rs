//! `up`, `down` and `reset`: the stages of each, with the hosts in parallel.

use std::env;
use std::fs::File;
use std::path::{Path, absolute};
use std::time::Instant;

use rustix::fs::{FlockOperation, flock};

use super::base;
use super::cgroup::plan_here;
use super::credentials;
use super::description::{Host, Lab};
use super::failure::{Failure, Result};
use super::host::{self, Site};
use super::network;
use super::preflight;
use super::record::{Run, StateDir, make, wipe};
use super::stages::Stages;
use super::stop::{self, Manner};

/// Room for a base image while it is built, and for what a few hosts write, in megabytes.
const ROOM: (u64, u64) = (1200, 300);

/// Starts the named hosts (all, without names) that do not run.
pub(crate) fn up(lab: &Lab, state: &StateDir, cache: &Path, names: &[String], stages: &mut Stages) -> Result<()> {
    let wanted = lab.select(names)?;
    let build = base::missing(cache, lab, &wanted);
    preflight::programs(build)?;
    make(state.path())?;
    let _lock = lock(state)?;
    let down = settle_running(state, &wanted)?;
    if down.is_empty() {
        publish(lab, state)?;
        stages.finish(&format!("lab {}: all {} hosts are up", lab.id, wanted.len()));
        return Ok(());
    }
    stages.say(&format!(
        "lab {}: starting {} of {} hosts, usually 2 to 7 s{}",
        lab.id,
        down.len(),
        wanted.len(),
        if build { " after the base image" } else { "" }
    ));
    prepare(lab, state, build, stages)?;
    base::ensure(cache, lab, &down, stages)?;
    credentials::ensure_keys(state)?;
    network_up(lab, state, stages)?;
    publish(lab, state)?;
    start_all(lab, state, cache, &down, stages)?;
    stages.note("disk", &format!("{} for this lab, {} for base images", base::disk(state.path()), base::disk(&cache.join("base"))));
    stages.finish(&format!("lab {} is up; its files are in {}", lab.id, state.path().display()));
    Ok(())
}

/// Waits for the hosts that run already, and returns those that do not run.
fn settle_running<'a>(state: &StateDir, wanted: &[&'a Host]) -> Result<Vec<&'a Host>> {
    let mut down = Vec::new();
    for host in wanted.iter().copied() {
        match state.run(&host.name).filter(Run::alive) {
            None => down.push(host),
            Some(run) if run.address != host.address || run.kind != host.kind => {
                let failure = Failure::new(format!(
                    "{} runs as {} {}, and is now described as {} {}",
                    host.name,
                    run.kind.word(),
                    run.address,
                    host.kind.word(),
                    host.address
                ));
                return Err(failure.help("stop the old hosts first: rplay lab down"));
            }
            Some(run) => host::wait_for_sshd(host, &run, &state.host(&host.name))?,
        }
    }
    Ok(down)
}

fn prepare(lab: &Lab, state: &StateDir, build: bool, stages: &mut Stages) -> Result<()> {
    let began = Instant::now();
    preflight::disk(state.path(), if build { ROOM.0 } else { ROOM.1 })?;
    let refused = preflight::modules();
    if !refused.is_empty() {
        stages.note("warning", &format!("the kernel modules {} cannot be loaded; what needs them will not work on the hosts", refused.join(", ")));
    }
    if let Some((before, after)) = preflight::watchers() {
        stages.note(
            "inotify",
            &format!("fs.inotify.max_user_instances was {before}, too few for several hosts with a kubelet: it is {after} until the next boot"),
        );
    }
    host::write_scripts(state)?;
    stages.done("preflight", &format!("programs, disk, kernel; {}", lab.subnet), began);
    Ok(())
}

fn network_up(lab: &Lab, state: &StateDir, stages: &mut Stages) -> Result<()> {
    let began = Instant::now();
    network::bridge_up(lab, &state.path().display().to_string())?;
    if let Some(finding) = network::open_firewall(&lab.bridge) {
        stages.note("firewall", &finding);
    }
    stages.done("network", &format!("bridge {} with {}", lab.bridge, lab.subnet.gateway()), began);
    Ok(())
}

/// Starts hosts in parallel and reports each as its sshd answers; one that fails does not keep the others.
fn start_all(lab: &Lab, state: &StateDir, cache: &Path, hosts: &[&Host], stages: &mut Stages) -> Result<()> {
    let plan = plan_here()?;
    stages.note("cgroups", &plan.describe());
    for host in hosts {
        // whatever a crash left of it is in the way
        stop::host(lab, state, &host.name, Manner::Abrupt)?;
    }
    let site = Site { lab, state, cache, plan: &plan };
    let began = Instant::now();
    let (sender, results) = std::sync::mpsc::channel();
    let mut failures = Vec::new();
    std::thread::scope(|scope| {
        for host in hosts {
            let (sender, site) = (sender.clone(), &site);
            // the receiver outlives every sender
            scope.spawn(move || sender.send((*host, host::start(site, host))));
        }
        drop(sender);
        for (host, result) in results {
            match result {
                Ok(()) => stages.done("host", &format!("{} {} ({})", host.name, host.address, host.kind.word()), began),
                Err(failure) => failures.push(failure),
            }
        }
    });
    match failures.into_iter().next() {
        None => Ok(()),
        Some(failure) => Err(failure),
    }
}

/// Writes the files by which others find the hosts.
fn publish(lab: &Lab, state: &StateDir) -> Result<()> {
    credentials::write_files(state, lab)?;
    let link = lab.link.as_deref().map(|link| absolute(link).map_err(|error| Failure::io("find", link, &error))).transpose()?;
    if let Some(link) = &link {
        credentials::link(state, link)?;
    }
    let caller = |name: &str| env::var(name).ok().and_then(|id| id.parse::<u32>().ok());
    if let (Some(user), Some(group)) = (caller("SUDO_UID"), caller("SUDO_GID")) {
        credentials::hand_over(state, link.as_deref(), user, group)?;
    }
    Ok(())
}

/// Stops the named hosts; without names all hosts, and removes what the lab has outside of its folder.
pub(crate) fn down(lab: &Lab, state: &StateDir, names: &[String], manner: Manner, stages: &mut Stages) -> Result<()> {
    let _lock = if state.path().is_dir() { Some(lock(state)?) } else { None };
    let mut all: Vec<String> = if names.is_empty() { state.host_names() } else { names.to_vec() };
    if names.is_empty() {
        all.extend(lab.hosts.iter().map(|host| host.name.clone()).filter(|name| !state.host(name).is_dir()));
    } else {
        lab.select(names)?;
    }
    let outcomes = std::thread::scope(|scope| {
        let threads: Vec<_> = all.iter().map(|name| scope.spawn(move || stop::host(lab, state, name, manner))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(Failure::new("a bug stopped this host's thread")))).collect::<Vec<_>>()
    });
    outcomes.into_iter().collect::<Result<Vec<()>>>()?;
    if !names.is_empty() {
        stages.finish(&format!("lab {}: {} down", lab.id, names.join(", ")));
        return Ok(());
    }
    stop::lab(lab, state)?;
    match stop::leftovers(lab)?.as_slice() {
        [] => stages.finish(&format!("lab {} is down, nothing of it is left outside of {}", lab.id, state.path().display())),
        left => {
            return Err(Failure::new(format!("these are left of lab {}: {}", lab.id, left.join(", "))));
        }
    }
    Ok(())
}

/// Throws away what was written on hosts and starts them afresh.
pub(crate) fn reset(lab: &Lab, state: &StateDir, cache: &Path, names: &[String], stages: &mut Stages) -> Result<()> {
    down(lab, state, names, Manner::Abrupt, stages)?;
    for host in lab.select(names)? {
        wipe(&state.host(&host.name))?;
    }
    up(lab, state, cache, names, stages)
}

/// One lab command at a time per lab; the lock goes with the process.
fn lock(state: &StateDir) -> Result<File> {
    let path = state.path().join("lock");
    let file = File::create(&path).map_err(|error| Failure::io("write", &path, &error))?;
    flock(&file, FlockOperation::LockExclusive).map_err(|error| Failure::io("lock", &path, &error.into()))?;
    Ok(file)
}
