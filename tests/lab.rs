//! The lab: its cgroup planner on recorded machines, and one real host from nothing to nothing where this machine can.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use rplay::lab::cgroup::{Plan, plan};

fn recorded(machine: &str) -> (String, String) {
    let read = |kind: &str| fs::read_to_string(format!("{}/lab/recorded/{machine}.{kind}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    (read("mountinfo"), read("cgroup"))
}

fn planned(machine: &str, systemd: bool) -> Plan {
    let (mounts, own) = recorded(machine);
    plan(&mounts, &own, systemd).unwrap()
}

fn own_groups(plan: &Plan) -> Vec<(String, PathBuf)> {
    let Plan::Hybrid(all) = plan else { panic!("not hybrid: {plan:?}") };
    all.iter().map(|one| (format!("{}={}", one.folder, one.options), one.own.clone())).collect()
}

#[test]
fn hybrid_nests_below_the_caller_in_every_hierarchy() {
    let plan = planned("hybrid", false);
    let groups = own_groups(&plan);
    assert_eq!(groups.len(), 10);
    for (hierarchy, own) in [
        ("memory=memory", "/sys/fs/cgroup/memory/jobs/2948c14c"),
        ("cpuset=cpuset", "/sys/fs/cgroup/cpuset"),
        ("systemd=none,name=systemd", "/sys/fs/cgroup/systemd"),
        ("unified=unified", "/sys/fs/cgroup/unified"),
    ] {
        assert!(groups.contains(&(hierarchy.to_string(), PathBuf::from(own))), "{hierarchy} in {groups:?}");
    }
    assert_eq!(plan.layout(), "hybrid");
}

#[test]
fn controllers_mounted_together_stay_together() {
    let groups = own_groups(&planned("legacy-systemd", true));
    assert!(groups.contains(&("cpu,cpuacct=cpu,cpuacct".into(), "/sys/fs/cgroup/cpu,cpuacct/user.slice".into())), "{groups:?}");
    assert!(groups.contains(&("systemd=none,name=systemd".into(), "/sys/fs/cgroup/systemd/user.slice/user-1000.slice/session-2.scope".into())));
}

#[test]
fn version_2_asks_systemd_for_a_scope_or_nests_below_the_caller() {
    assert_eq!(planned("unified", true), Plan::Scope("/sys/fs/cgroup".into()));
    let own = "/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope";
    assert_eq!(planned("unified", false), Plan::Below(own.into()));
    assert_eq!(planned("unified", true).layout(), "unified");
}

#[test]
fn a_mount_that_shows_a_part_of_the_tree_is_followed() {
    assert_eq!(planned("container", false), Plan::Below("/sys/fs/cgroup/inner".into()));
}

#[test]
fn machines_without_usable_groups_are_refused_with_advice() {
    let (mounts, own) = recorded("hybrid");
    let without: String = mounts.lines().filter(|line| !line.contains("name=systemd")).map(|line| format!("{line}\n")).collect();
    assert!(plan(&without, &own, false).unwrap_err().contains("mount -t cgroup -o none,name=systemd"));
    assert!(plan("", &own, false).unwrap_err().contains("no cgroups are mounted"));
    let (mounts, _) = recorded("container");
    assert!(plan(&mounts, "0::/../../..\n", false).unwrap_err().contains("does not show our own group"));
}

/// A lab of one host that no other test can meet: its own id, network and folder.
struct OneHost {
    id: String,
    subnet: String,
    address: Ipv4Addr,
    folder: PathBuf,
}

impl OneHost {
    fn new(number: u8) -> OneHost {
        let place = u8::try_from(std::process::id() % 120).unwrap() * 2 + number;
        let id = format!("test{place}-{}", std::process::id());
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"));
        OneHost { subnet: format!("10.77.{place}.0/24"), address: Ipv4Addr::new(10, 77, place, 11), folder: cache.join("rplay/lab").join(&id), id }
    }

    fn lab(&self, words: &[&str]) -> (i32, String) {
        let file = format!("{}/lab/lab.yml", env!("CARGO_MANIFEST_DIR"));
        let host = format!("one={}", self.address);
        let settings = ["--file", &file, "--id", &self.id, "--subnet", &self.subnet, "--hosts", &host, "--dir", self.folder.to_str().unwrap()];
        let args: Vec<String> = settings.iter().chain(words).map(|word| (*word).to_string()).collect();
        let mut out = Vec::new();
        let status = rplay::lab::run(&args, &mut out);
        (status, String::from_utf8(out).unwrap())
    }

    fn ssh(&self, command: &str) -> String {
        let output = Command::new("ssh").arg("-F").arg(self.folder.join("ssh.config")).args(["-o", "BatchMode=yes", "one", command]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_string()
    }

    fn init(&self) -> u32 {
        let (_, text) = self.lab(&["status", "--json"]);
        let status: serde_json::Value = serde_json::from_str(&text).unwrap();
        status["hosts"][0]["init"].as_u64().and_then(|init| init.try_into().ok()).unwrap()
    }

    /// What is left when a killed process had a moment to be collected by its parent.
    fn remains(&self) -> Vec<String> {
        for _ in 0..100 {
            if self.traces().is_empty() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        self.traces()
    }

    /// Mounts, interfaces, groups and processes that carry the lab's name.
    fn traces(&self) -> Vec<String> {
        let mut found: Vec<String> =
            fs::read_to_string("/proc/self/mountinfo").unwrap().lines().filter(|line| line.contains(&self.id)).map(Into::into).collect();
        let links = Command::new("ip").args(["-details", "link", "show"]).output().unwrap();
        found.extend(String::from_utf8_lossy(&links.stdout).lines().filter(|line| line.contains(&self.id)).map(Into::into));
        groups_named(Path::new("/sys/fs/cgroup"), &format!("rplay-lab-{}", self.id), &mut found);
        for process in fs::read_dir("/proc").unwrap().flatten() {
            let group = fs::read_to_string(process.path().join("cgroup")).unwrap_or_default();
            found.extend(group.lines().filter(|line| line.contains(&self.id)).map(Into::into));
        }
        found
    }
}

impl Drop for OneHost {
    /// A test that failed leaves nothing either.
    fn drop(&mut self) {
        if self.folder.exists() {
            self.lab(&["clean"]);
        }
    }
}

fn groups_named(folder: &Path, name: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        if entry.file_name().to_string_lossy().starts_with(name) {
            found.push(entry.path().display().to_string());
        }
        groups_named(&entry.path(), name, found);
    }
}

/// Why a real host cannot be made here; nothing when it can.
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn skipped() -> bool {
    let can = |program: &str, arguments: &[&str]| Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success());
    let reason = if !rustix::process::geteuid().is_root() {
        "lab hosts need root"
    } else if !can("unshare", &["--mount", "--net", "--pid", "--uts", "--ipc", "--cgroup", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]) {
        "this machine does not allow namespaces and mounts"
    } else if !can("sh", &["-c", "command -v mmdebstrap"]) {
        "mmdebstrap is not installed (make deps)"
    } else {
        return false;
    };
    eprintln!("skipped: {reason}");
    true
}

#[test]
fn a_host_comes_works_and_goes_without_a_trace() {
    if skipped() {
        return;
    }
    let one = OneHost::new(0);
    let (status, said) = one.lab(&["up"]);
    assert_eq!(status, 0, "{said}");
    assert_eq!(one.ssh("hostname; id -un; sudo -n id -un; cat /proc/1/comm; command -v python3 || echo no python"), "one\ncore\nroot\nsystemd\nno python");
    assert!(one.lab(&["status"]).1.lines().any(|line| line.starts_with("one ") && line.contains(" up ")), "status says up");
    let first = one.init();
    assert!(one.lab(&["up"]).1.contains("all 1 hosts are up"));
    assert_eq!(one.init(), first, "a second up starts nothing");

    one.ssh("sudo touch /kept");
    assert_eq!(one.lab(&["down", "one"]).0, 0);
    assert_eq!(one.lab(&["up", "one"]).0, 0);
    assert_eq!(one.ssh("ls /kept"), "/kept", "files outlive a restart");
    assert_eq!(one.lab(&["reset"]).0, 0);
    assert_eq!(one.ssh("ls /kept 2>/dev/null || echo fresh"), "fresh");

    let (status, said) = one.lab(&["down"]);
    assert_eq!((status, one.remains()), (0, vec![]), "{said}");
    assert_eq!(one.lab(&["clean"]).0, 0);
    assert!(!one.folder.exists());
}

#[test]
fn after_a_crash_down_finds_everything_without_its_records() {
    if skipped() {
        return;
    }
    let one = OneHost::new(1);
    let (status, said) = one.lab(&["up"]);
    assert_eq!(status, 0, "{said}");
    let init = one.init();
    fs::remove_file(one.folder.join("hosts/one/run.json")).unwrap();
    assert!(!one.traces().is_empty(), "the check of traces sees a running host");
    let (status, said) = one.lab(&["down"]);
    assert_eq!((status, one.remains()), (0, vec![]), "{said}");
    assert!(!Path::new(&format!("/proc/{init}")).exists(), "the host's init is gone");
    assert_eq!(one.lab(&["clean"]).0, 0);
}
