//! `rplay lab`: local hosts to run playbooks on, made of Linux namespaces and Debian packages.
//!
//! A host is a set of namespaces over an overlay file system, with systemd as PID 1, its own network and sshd. This
//! module knows nothing of plays and connections. `lab/README.md` describes it for its users.

mod args;
mod base;
pub mod cgroup;
mod command;
mod credentials;
mod description;
mod failure;
mod groups;
mod host;
mod network;
mod preflight;
mod record;
mod stages;
mod status;
mod stop;
mod subnet;
mod up;

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf, absolute};
use std::process;

use clap::Parser;

use args::{Command, Line, Settings};
use description::Lab;
use failure::{Failure, Result};
use record::{StateDir, wipe};
use stages::Stages;
use stop::Manner;

/// Runs `rplay lab ARGS` and returns the exit status: that of the remote command for `ssh` and `exec`, 2 for a wrong
/// command line, 1 for what failed. Results go to `out`, complaints to standard error.
pub fn run(args: &[String], out: &mut dyn Write) -> i32 {
    let line = match Line::try_parse_from(args) {
        Ok(line) => line,
        Err(error) if !error.use_stderr() => {
            let _ = write!(out, "{}", error.render());
            return 0;
        }
        Err(error) => {
            let _ = write!(std::io::stderr(), "{}", error.render());
            return 2;
        }
    };
    dispatch(&line, args, out).unwrap_or_else(|failure| {
        let _ = writeln!(std::io::stderr(), "error: {failure}");
        1
    })
}

/// Who uses addresses of a subnet on this machine, in words; the error says why that cannot be told.
pub fn user_of(subnet: &str) -> std::result::Result<Option<String>, String> {
    let parsed = subnet::Subnet::parse(subnet).ok_or_else(|| format!("`{subnet}` is not ADDRESS/PREFIX"))?;
    network::user_of(parsed).map_err(|failure| failure.to_string())
}

fn dispatch(line: &Line, args: &[String], out: &mut dyn Write) -> Result<i32> {
    match &line.command {
        Command::Pypy => {
            return script("pypy.sh", concat!(include_str!("../lab/debian.sh"), include_str!("../lab/pypy.sh")));
        }
        Command::Etcd => {
            return script("etcd.sh", concat!(include_str!("../lab/debian.sh"), include_str!("../lab/etcd.sh")));
        }
        _ => {}
    }
    let lab = Lab::read(&line.settings.file, &line.settings.overrides())?;
    let state = state_dir(&line.settings, &lab)?;
    let needs_root = !matches!(line.command, Command::Status { .. } | Command::Ssh { .. } | Command::Path);
    if needs_root && !preflight::is_root() {
        preflight::programs(false)?;
        return through_sudo(args, &state);
    }
    match &line.command {
        Command::Up { names } => up::up(&lab, &state, &cache()?, names, &mut Stages::new(out)).map(|()| 0),
        Command::Reset { names } => up::reset(&lab, &state, &cache()?, names, &mut Stages::new(out)).map(|()| 0),
        Command::Down { names } => up::down(&lab, &state, names, Manner::Orderly, &mut Stages::new(out)).map(|()| 0),
        Command::Clean { all } => clean(&lab, &state, *all, &mut Stages::new(out)).map(|()| 0),
        Command::Status { json: false } => show(out, &status::table(&lab, &state)),
        Command::Status { json: true } => show(out, &format!("{:#}\n", status::json(&lab, &state))),
        Command::Path => show(out, &format!("{}\n", state.path().display())),
        Command::Ssh { host, command } => ssh(&lab, &state, host, command),
        Command::Exec { host, command } => exec(&lab, &state, host, command),
        Command::Pypy | Command::Etcd => Ok(0),
    }
}

fn show(out: &mut dyn Write, text: &str) -> Result<i32> {
    out.write_all(text.as_bytes()).map_err(|error| Failure::new(format!("cannot write the answer: {error}")))?;
    Ok(0)
}

/// The user's cache folder for everything of ours.
fn cache() -> Result<PathBuf> {
    let folder = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    folder("XDG_CACHE_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("rplay"))
        .or_else(|| preflight::is_root().then(|| PathBuf::from("/var/cache/rplay")))
        .ok_or_else(|| Failure::new("neither XDG_CACHE_HOME nor HOME is set").help("name a folder with --dir and set XDG_CACHE_HOME"))
}

fn state_dir(settings: &Settings, lab: &Lab) -> Result<StateDir> {
    let folder = match &settings.dir {
        Some(folder) => absolute(folder).map_err(|error| Failure::io("find", folder, &error))?,
        None => cache()?.join("lab").join(&lab.id),
    };
    preflight::outside_of_projects(&folder)?;
    Ok(StateDir::new(folder))
}

/// Starts ourselves again as root, with the same cache and state.
fn through_sudo(args: &[String], state: &StateDir) -> Result<i32> {
    if !command::installed("sudo") {
        return Err(Failure::new("lab hosts need root, and this machine has no sudo").help("run it as root"));
    }
    let itself = env::current_exe().map_err(|error| Failure::new(format!("cannot find our own program: {error}")))?;
    let cache = cache()?;
    // made by ourselves, or they would be root's
    record::make(&cache.join("base"))?;
    record::make(state.path())?;
    let mut cache_home = std::ffi::OsString::from("XDG_CACHE_HOME=");
    cache_home.push(cache.parent().unwrap_or(Path::new("/")));
    let status = command::program("sudo").arg("env").arg(cache_home).arg(itself).args(["lab", "--dir"]).arg(state.path()).args(args).status();
    status.map(|status| status.code().unwrap_or(1)).map_err(|error| Failure::new(format!("cannot run sudo: {error}")))
}

fn ssh(lab: &Lab, state: &StateDir, target: &str, words: &[String]) -> Result<i32> {
    let host = lab.host(target.rsplit_once('@').map_or(target, |(_, host)| host))?;
    if !state.ssh_config().exists() {
        return Err(Failure::new(format!("{} was never started", host.name)).help("rplay lab up"));
    }
    foreground(command::program("ssh").arg("-F").arg(state.ssh_config()).arg(target).args(words), "ssh")
}

fn exec(lab: &Lab, state: &StateDir, host: &str, words: &[String]) -> Result<i32> {
    let host = lab.host(host)?;
    let run = state.run(&host.name).filter(record::Run::alive);
    let run = run.ok_or_else(|| Failure::new(format!("{} is down", host.name)).help(format!("rplay lab up {}", host.name)))?;
    let target = run.init.to_string();
    let namespaces = ["-t", &target, "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--"];
    foreground(command::program("nsenter").args(namespaces).args(words), "nsenter")
}

fn foreground(command: &mut process::Command, name: &str) -> Result<i32> {
    command.status().map(|status| status.code().unwrap_or(1)).map_err(|error| Failure::new(format!("cannot run {name}: {error}")))
}

/// Runs one of the shell assets with the cache folder as its only argument.
fn script(name: &str, text: &str) -> Result<i32> {
    foreground(command::program("sh").args(["-c", text, name]).arg(cache()?), "sh")
}

fn clean(lab: &Lab, state: &StateDir, all: bool, stages: &mut Stages) -> Result<()> {
    up::down(lab, state, &[], Manner::Abrupt, stages)?;
    if let Some(link) = &lab.link {
        credentials::unlink(state, link);
    }
    wipe(state.path())?;
    if all {
        wipe(&cache()?.join("base"))?;
    }
    stages.finish("the lab's files are removed");
    Ok(())
}
