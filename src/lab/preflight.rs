//! Says what the machine lacks before anything is made: Linux, root, programs, kernel modules, disk.

use std::path::{Path, PathBuf};

use rustix::fs::{statfs, statvfs};

use super::command::{capture, installed, succeeds};
use super::failure::{Failure, Result};

/// Programs, and the Debian packages that bring them.
const PROGRAMS: [(&str, &str); 8] = [
    ("ip", "iproute2"),
    ("unshare", "util-linux"),
    ("nsenter", "util-linux"),
    ("mount", "mount"),
    ("ssh", "openssh-client"),
    ("ssh-keygen", "openssh-client"),
    ("du", "coreutils"),
    ("apt-get", "apt"),
];

/// Kernel modules that hosts use: their files, their cables, and what container networks need.
const MODULES: [&str; 6] = ["overlay", "bridge", "veth", "br_netfilter", "nf_conntrack", "vxlan"];

/// The magic number of overlayfs, which cannot be the upper layer of another.
const OVERLAYFS: u64 = 0x794c_7630;

/// Whether we may make namespaces and mounts.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Checks the operating system and the programs; `build` also asks for what builds base images.
pub(crate) fn programs(build: bool) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Err(
            Failure::new("lab hosts are made of Linux namespaces, and this is not Linux").help("use the boxes of inventories/vagrant.ini (make vagrant)")
        );
    }
    let builders = [("mmdebstrap", "mmdebstrap"), ("dpkg", "dpkg")];
    let wanted = PROGRAMS.iter().chain(builders.iter().filter(|_| build));
    let missing: Vec<&(&str, &str)> = wanted.filter(|(program, _)| !installed(program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<&str> = missing.iter().map(|(_, package)| *package).collect();
    packages.dedup();
    let names: Vec<&str> = missing.iter().map(|(program, _)| *program).collect();
    Err(Failure::new(format!("the lab needs {}, which this machine lacks", names.join(", "))).help(format!("apt-get install {}", packages.join(" "))))
}

/// Checks that the state directory can hold overlays and that there is room for what will be written.
pub(crate) fn disk(folder: &Path, megabytes: u64) -> Result<()> {
    let shown = folder.display();
    if folder.as_os_str().to_string_lossy().contains([':', ',', '\'', '"', '\\']) {
        return Err(
            Failure::new(format!("the lab cannot live in {shown}: overlay mounts cannot name it")).help("choose a folder without : , quotes and \\ with --dir")
        );
    }
    let cannot = |error: rustix::io::Errno| Failure::io("look at", folder, &error.into());
    #[allow(clippy::cast_sign_loss, reason = "a magic number has no sign")]
    let kind = statfs(folder).map_err(cannot)?.f_type as u64;
    if kind == OVERLAYFS {
        return Err(
            Failure::new(format!("{shown} is on an overlay file system, on which no overlay can be mounted")).help("choose a folder on a real disk with --dir")
        );
    }
    let room = statvfs(folder).map_err(cannot)?;
    let free = room.f_bavail.saturating_mul(room.f_frsize) / 1_048_576;
    if free < megabytes {
        return Err(Failure::new(format!("{shown} has {free} MB free, and the lab needs {megabytes} MB")).help("make room, or choose another disk with --dir"));
    }
    Ok(())
}

/// Loads kernel modules where the kernel has loadable ones. Returns those that could not be loaded.
pub(crate) fn modules() -> Vec<&'static str> {
    if !Path::new("/proc/modules").exists() {
        return Vec::new();
    }
    let release = capture("uname", &["-r"]).unwrap_or_default();
    if !PathBuf::from("/lib/modules").join(release.trim()).is_dir() {
        // a container: the modules are loaded outside or not at all
        return Vec::new();
    }
    MODULES.into_iter().filter(|module| !succeeds("modprobe", &[module])).collect()
}

/// Watches of files (inotify instances) that all hosts of a lab share: kubelet, containerd and systemd of each host want dozens.
const WATCHERS: u64 = 1024;

/// Raises the kernel's limit on inotify instances where it is too low for several hosts. Gives the limits before and after, and nothing where it was enough.
pub(crate) fn watchers() -> Option<(u64, u64)> {
    let file = "/proc/sys/fs/inotify/max_user_instances";
    let now: u64 = std::fs::read_to_string(file).ok()?.trim().parse().ok()?;
    (now < WATCHERS && std::fs::write(file, WATCHERS.to_string()).is_ok()).then_some((now, WATCHERS))
}

/// Refuses a state directory inside a project, where it would be committed, searched and copied.
pub(crate) fn outside_of_projects(folder: &Path) -> Result<()> {
    match folder.ancestors().find(|ancestor| ancestor.join(".git").exists()) {
        None => Ok(()),
        Some(project) => Err(Failure::new(format!("{} is inside of the project {}", folder.display(), project.display()))
            .help("choose a folder outside with --dir; without it, ~/.cache/rplay/lab is used")),
    }
}
