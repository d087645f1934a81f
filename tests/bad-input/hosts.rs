//! Hosts that cannot be reached or that refuse: a throw-away sshd on loopback with its own keys, and ports that nobody or nothing answers.

#![allow(clippy::print_stderr)]

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::program::{Ran, Scratch};

const PLAYBOOK: &str = "- hosts: all
  gather_facts: false
  tasks:
    - name: Reach
      ansible.builtin.command: echo reached
    - name: After
      ansible.builtin.debug:
        msg: went on
";

/// A running sshd; everything it needs lies in the scratch directory.
struct Server {
    scratch: Scratch,
    port: u16,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

impl Server {
    /// Starts one, or says why none can be had here.
    fn start() -> Option<Server> {
        let missing = ["/usr/sbin/sshd", "/usr/bin/ssh-keygen"].into_iter().find(|program| !Path::new(program).exists());
        let why = missing.or((!rustix::process::geteuid().is_root()).then_some("the right of root"));
        if let Some(why) = why {
            eprintln!("skipped: {why} is missing");
            return None;
        }
        fs::create_dir_all("/run/sshd").expect("sshd's own folder");
        let scratch = Scratch::new();
        for name in ["host", "user", "stranger"] {
            let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(scratch.path(name)).status();
            assert!(made.is_ok_and(|status| status.success()), "no key was made");
        }
        let port = free_port();
        let path = |name: &str| scratch.path(name).display().to_string();
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nSetEnv HOME={}\n",
            path("host"),
            path("user.pub"),
            path("home"),
        );
        fs::write(scratch.path("sshd_config"), config).expect("sshd's configuration");
        let mut child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f", &path("sshd_config")])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sshd starts");
        let patience = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > patience {
                let _ = child.kill();
                let _ = child.wait();
                panic!("sshd does not answer");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let server = Server { scratch, port, child };
        server.trust("host.pub");
        Some(server)
    }

    /// known_hosts says that the server has this key.
    fn trust(&self, key: &str) {
        let key = fs::read_to_string(self.scratch.path(key)).expect("a public key");
        let folder = self.scratch.path("home").join(".ssh");
        fs::create_dir_all(&folder).expect("a folder for known_hosts");
        fs::write(folder.join("known_hosts"), format!("[127.0.0.1]:{} {key}", self.port)).expect("known_hosts");
    }

    fn run(&self, key: &str, playbook: &str, more: &[&str]) -> Ran {
        run(&self.scratch, self.port, key, playbook, more)
    }
}

/// Runs the playbook on `127.0.0.1` at this port.
fn run(scratch: &Scratch, port: u16, key: &str, playbook: &str, more: &[&str]) -> Ran {
    scratch.write("playbook.yml", playbook);
    scratch.write("hosts.ini", &format!("target ansible_host=127.0.0.1 ansible_port={port} ansible_user=root\n"));
    let mut command = scratch.command();
    command.args(["-i", "hosts.ini", "--private-key"]).arg(scratch.path(key)).args(more).arg("playbook.yml");
    scratch.run(command)
}

fn unreachable(ran: &Ran, why: &str) {
    ran.must(4, &["fatal: [target]: UNREACHABLE!", why, "unreachable=1"]);
    assert!(!ran.stdout.contains("went on"), "a lost host takes no part in later tasks");
}

#[test]
fn the_right_key_reaches_the_host() {
    let Some(server) = Server::start() else { return };
    server.run("user", PLAYBOOK, &[]).must(0, &["changed: [target]", "went on"]);
}

#[test]
fn a_wrong_key_is_unreachable() {
    let Some(server) = Server::start() else { return };
    unreachable(&server.run("stranger", PLAYBOOK, &[]), "Permission denied");
}

#[test]
fn a_changed_host_key_is_unreachable() {
    let Some(server) = Server::start() else { return };
    server.trust("stranger.pub");
    unreachable(&server.run("user", PLAYBOOK, &[]), "REMOTE HOST IDENTIFICATION HAS CHANGED");
}

#[test]
fn an_unknown_host_key_is_unreachable_with_the_cure() {
    let Some(server) = Server::start() else { return };
    fs::remove_file(server.scratch.path("home").join(".ssh/known_hosts")).expect("known_hosts was there");
    unreachable(&server.run("user", PLAYBOOK, &[]), "ssh-keyscan");
}

#[test]
fn a_port_where_nobody_listens_is_unreachable() {
    let scratch = Scratch::new();
    unreachable(&run(&scratch, free_port(), "none", PLAYBOOK, &[]), "Connection refused");
}

#[test]
fn a_host_that_never_speaks_times_out() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let port = silent.local_addr().expect("its address").port();
    unreachable(&run(&Scratch::new(), port, "none", PLAYBOOK, &["-T", "1"]), "timed out");
}

#[test]
fn a_name_that_does_not_exist_is_unreachable() {
    let scratch = Scratch::new();
    scratch.write("playbook.yml", PLAYBOOK);
    let mut command = scratch.command();
    command.args(["-i", "target,", "-e", "ansible_host=no-such-host.invalid", "playbook.yml"]);
    unreachable(&scratch.run(command), "no-such-host.invalid");
}

/// A `sudo` that asks for a password and takes only `right`, so that nothing of this machine is changed for the test.
const SUDO: &str = "#!/bin/sh
# answers as sudo does where a password is wanted
prompt=
while [ $# -gt 0 ]; do
  case \"$1\" in
    -p) prompt=$2; shift 2 ;;
    -u) shift 2 ;;
    -n) echo 'sudo: a password is required' >&2; exit 1 ;;
    -*) shift ;;
    *) break ;;
  esac
done
printf '%s' \"$prompt\" >&2
read -r password
if [ \"$password\" != right ]; then
  echo 'Sorry, try again.' >&2
  printf '%s' \"$prompt\" >&2
  read -r password
  echo 'sudo: 1 incorrect password attempt' >&2
  exit 1
fi
exec \"$@\"
";

fn with_sudo(more: &[&str]) -> Ran {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    scratch.write("playbook.yml", PLAYBOOK);
    let sudo = scratch.write("sudo", SUDO);
    fs::set_permissions(&sudo, fs::Permissions::from_mode(0o755)).expect("sudo is a program");
    let mut command = scratch.command();
    command.args(["-i", "target,", "-c", "local", "-b", "--become-user", "nobody", "-e"]).arg(format!("ansible_become_exe={}", sudo.display()));
    command.args(more).arg("playbook.yml");
    scratch.run(command)
}

#[test]
fn a_wrong_sudo_password_fails_the_task() {
    let ran = with_sudo(&["-e", "ansible_become_password=wrong"]);
    ran.must(2, &["fatal: [target]: FAILED!", "Incorrect sudo password", "failed=1"]);
    assert!(!ran.all().contains("\"wrong\""), "a password is shown");
}

#[test]
fn a_missing_sudo_password_fails_the_task() {
    with_sudo(&[]).must(2, &["fatal: [target]: FAILED!", "Missing sudo password", "failed=1"]);
}
