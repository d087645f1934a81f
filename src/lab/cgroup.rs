//! Plans where the hosts' control groups go. A pure function from what the kernel says about mounts and about the
//! caller to a plan, so that layouts of machines we do not have are tested on recorded text.
//!
//! - *hybrid*: version 1 controllers, each mounted on its own (perhaps beside a version 2 tree). A host gets a folder
//!   below the caller's own one in every hierarchy.
//! - *unified* with systemd: systemd delegates one scope per host.
//! - *unified* without systemd: a folder below the caller's own one; who lives there moves to a leaf, because in
//!   version 2 a group with controllers for its children holds no processes.

use std::path::{Path, PathBuf};

use super::failure::{Failure, Result};

/// One version 1 hierarchy, or the version 2 tree beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchy {
    /// The name of its folder in `/sys/fs/cgroup` of a host.
    pub folder: String,
    /// The options to mount it with; `unified` for the version 2 tree.
    pub options: String,
    /// The caller's own group in it.
    pub own: PathBuf,
}

impl Hierarchy {
    /// Whether new groups here need their processors and memory nodes named first.
    pub fn is_cpuset(&self) -> bool {
        self.options.split(',').any(|option| option == "cpuset")
    }
}

/// Where hosts are put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Below the caller, in each of these.
    Hybrid(Vec<Hierarchy>),
    /// In a scope that systemd makes and delegates, below this mount point.
    Scope(PathBuf),
    /// Below the caller's group of the one version 2 tree.
    Below(PathBuf),
}

impl Plan {
    /// The layout a host mounts for itself.
    pub fn layout(&self) -> &'static str {
        match self {
            Plan::Hybrid(_) => "hybrid",
            Plan::Scope(_) | Plan::Below(_) => "unified",
        }
    }

    /// Folder and mount options of each hierarchy, as `labinit.sh` reads them.
    pub fn hierarchies(&self) -> String {
        match self {
            Plan::Hybrid(all) => all.iter().map(|one| format!("{}={}", one.folder, one.options)).collect::<Vec<_>>().join(" "),
            Plan::Scope(_) | Plan::Below(_) => String::new(),
        }
    }

    /// One sentence for the screen.
    pub fn describe(&self) -> String {
        match self {
            Plan::Hybrid(all) => format!("cgroup v1, {} hierarchies, below the caller's own groups", all.len()),
            Plan::Scope(_) => "cgroup v2, a delegated systemd scope per host".into(),
            Plan::Below(own) => format!("cgroup v2, below {}", own.display()),
        }
    }
}

/// Chooses a plan from `/proc/self/mountinfo`, `/proc/self/cgroup` and whether systemd runs this machine.
pub fn plan(mountinfo: &str, own: &str, systemd: bool) -> std::result::Result<Plan, String> {
    decide(mountinfo, own, systemd).map_err(|failure| failure.to_string())
}

fn decide(mountinfo: &str, own: &str, systemd: bool) -> Result<Plan> {
    let mounts: Vec<Mount> = mountinfo.lines().filter_map(Mount::parse).collect();
    let unified = mounts.iter().find(|mount| mount.kind == "cgroup2");
    let mut hierarchies = Vec::new();
    for (controllers, path) in own.lines().filter_map(membership) {
        let Some(mount) = mounts.iter().find(|mount| mount.holds(controllers)) else {
            continue;
        };
        hierarchies.push(hierarchy(mount, controllers, path)?);
    }
    if hierarchies.iter().any(|one| one.options != "unified") {
        if !hierarchies.iter().any(|one| one.options == "none,name=systemd") {
            return Err(Failure::new("no cgroup hierarchy `name=systemd` is mounted, and systemd in a host needs it")
                .help("mkdir -p /sys/fs/cgroup/systemd && mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd"));
        }
        return Ok(Plan::Hybrid(hierarchies));
    }
    match (unified, hierarchies.into_iter().next()) {
        (Some(mount), Some(_)) if systemd => Ok(Plan::Scope(mount.point.clone())),
        (Some(_), Some(one)) => Ok(Plan::Below(one.own)),
        _ => Err(Failure::new("no cgroups are mounted").help("mount -t cgroup2 cgroup2 /sys/fs/cgroup")),
    }
}

/// `(controllers, path)` of a line of `/proc/self/cgroup`; the version 2 line has no controllers.
fn membership(line: &str) -> Option<(&str, &str)> {
    line.split_once(':')?.1.split_once(':')
}

fn hierarchy(mount: &Mount, controllers: &str, path: &str) -> Result<Hierarchy> {
    let below = path.strip_prefix(mount.root.trim_end_matches('/')).filter(|_| !path.starts_with("/.."));
    let Some(below) = below else {
        return Err(Failure::new(format!("the cgroup mount at {} does not show our own group {path}", mount.point.display()))
            .help("start the lab outside of this container, or mount the cgroups of this namespace"));
    };
    let options = match controllers {
        "" => "unified".into(),
        named if named.starts_with("name=") => format!("none,{named}"),
        list => list.into(),
    };
    let folder = mount.point.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let below = below.trim_matches('/');
    let own = if below.is_empty() { mount.point.clone() } else { mount.point.join(below) };
    Ok(Hierarchy { folder, options, own })
}

/// What matters of one line of mountinfo.
struct Mount {
    kind: String,
    root: String,
    point: PathBuf,
    options: Vec<String>,
}

impl Mount {
    fn parse(line: &str) -> Option<Mount> {
        let (left, right) = line.split_once(" - ")?;
        let mut left = left.split(' ').skip(3);
        let (root, point) = (left.next()?, left.next()?);
        let mut right = right.split(' ');
        let kind = right.next().filter(|kind| kind.starts_with("cgroup"))?;
        let options = right.nth(1)?.split(',').map(Into::into).collect();
        Some(Mount { kind: kind.into(), root: unescape(root), point: PathBuf::from(unescape(point)), options })
    }

    fn holds(&self, controllers: &str) -> bool {
        match controllers {
            "" => self.kind == "cgroup2",
            list => self.kind == "cgroup" && list.split(',').all(|one| self.options.iter().any(|option| option == one)),
        }
    }
}

/// Spaces and backslashes stand as octal numbers in mountinfo.
fn unescape(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")].iter().fold(text.to_string(), |text, (from, to)| text.replace(from, to))
}

/// The mount points of every cgroup file system, to look for what a crash left.
pub(crate) fn mount_points(mountinfo: &str) -> Vec<PathBuf> {
    mountinfo.lines().filter_map(Mount::parse).map(|mount| mount.point).collect()
}

/// Reads the caller's own situation.
pub(crate) fn plan_here() -> Result<Plan> {
    let read = |path: &str| std::fs::read_to_string(path).map_err(|error| Failure::io("read", Path::new(path), &error));
    decide(&read("/proc/self/mountinfo")?, &read("/proc/self/cgroup")?, Path::new("/run/systemd/system").is_dir())
}
