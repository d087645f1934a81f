//! Destinations that take nothing: a full disk, a read-only file system, a folder that may not be written, and a runner that is killed.
//!
//! The mounts are made in a mount namespace of their own (`unshare`), so that nothing stays behind; they need root.

#![allow(clippy::print_stderr)]

use std::path::Path;
use std::process::Command;

use crate::program::{Ran, Scratch, path};

/// Why mounts cannot be made here, if they cannot.
fn no_mounts() -> Option<&'static str> {
    if !rustix::process::geteuid().is_root() {
        return Some("not root");
    }
    let tried = Command::new("unshare").args(["--mount", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    (!tried.is_ok_and(|output| output.status.success())).then_some("unshare --mount and mount do not work here")
}

/// Runs the playbook where `target`, a folder of the case, is a tmpfs with these options.
fn with_tmpfs(options: &str, playbook: &str) -> Option<Ran> {
    if let Some(why) = no_mounts() {
        eprintln!("skipped: {why}");
        return None;
    }
    let scratch = Scratch::new();
    scratch.write("playbook.yml", playbook);
    std::fs::create_dir(scratch.case().join("target")).expect("a folder to mount on");
    let plain = scratch.command();
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", "mount -t tmpfs -o \"$1\" none target && shift && exec \"$@\"", "sh", options]);
    command.arg(path()).args(["-i", "localhost,", "-c", "local", "playbook.yml"]);
    command.current_dir(scratch.case()).env_clear();
    command.envs(plain.get_envs().filter_map(|(key, value)| Some((key, value?))));
    Some(scratch.run(command))
}

const COPY: &str = "- hosts: all
  gather_facts: false
  tasks:
    - name: Copy
      ansible.builtin.copy:
        content: \"{{ 'x' * 400000 }}\"
        dest: target/file
    - name: After
      ansible.builtin.debug:
        msg: not reached
";

#[test]
fn a_full_disk_fails_the_task() {
    let Some(ran) = with_tmpfs("size=64k", COPY) else { return };
    ran.must(2, &["fatal: [localhost]: FAILED!", "No space left on device", "failed=1"]);
    assert!(!ran.stdout.contains("not reached"));
}

#[test]
fn a_full_disk_is_not_filled_for_a_rescue_either() {
    let playbook = "- hosts: all
  gather_facts: false
  tasks:
    - name: Try
      block:
        - name: Copy
          ansible.builtin.copy:
            content: \"{{ 'x' * 400000 }}\"
            dest: target/file
      rescue:
        - name: Look
          ansible.builtin.command: ls -A target
          register: left
        - name: Tell
          ansible.builtin.debug:
            msg: 'left {{ left.stdout_lines }}'
";
    let Some(ran) = with_tmpfs("size=64k", playbook) else { return };
    ran.must(0, &["No space left on device", "left []", "rescued=1"]);
}

#[test]
fn a_read_only_file_system_fails_the_task() {
    let Some(ran) = with_tmpfs("ro", COPY) else { return };
    ran.must(2, &["fatal: [localhost]: FAILED!", "ead-only file system", "failed=1"]);
}

#[test]
fn a_destination_below_a_file_fails_the_task() {
    let scratch = Scratch::new();
    scratch.write("target", "a file");
    scratch.write("playbook.yml", COPY);
    let mut command = scratch.command();
    command.args(["-i", "localhost,", "-c", "local", "playbook.yml"]);
    scratch.run(command).must(2, &["fatal: [localhost]: FAILED!", "target", "failed=1"]);
}

#[test]
fn a_destination_of_somebody_else_fails_the_task() {
    if !rustix::process::geteuid().is_root() || !Path::new("/usr/bin/sudo").exists() {
        eprintln!("skipped: not root, or no sudo");
        return;
    }
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.case().join("target")).expect("a folder of root");
    scratch.write("playbook.yml", &COPY.replace("target/file", "\"{{ playbook_dir }}/target/file\""));
    open_to_all(&scratch);
    let mut command = scratch.command();
    command.args(["-i", "localhost,", "-c", "local", "-b", "--become-user", "nobody", "playbook.yml"]);
    scratch.run(command).must(2, &["fatal: [localhost]: FAILED!", "Permission denied", "failed=1"]);
}

/// Everybody may look into the scratch directory.
fn open_to_all(scratch: &Scratch) {
    use std::os::unix::fs::PermissionsExt;
    for path in [scratch.path(""), scratch.case()] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("the mode can be set");
    }
}

#[test]
fn a_killed_runner_is_a_lost_host() {
    let scratch = Scratch::new();
    scratch.write(
        "playbook.yml",
        "- hosts: all
  gather_facts: false
  tasks:
    - name: Kill
      ansible.builtin.shell: 'kill -9 $PPID; sleep 5'
    - name: After
      ansible.builtin.debug:
        msg: not reached
",
    );
    let mut command = scratch.command();
    command.args(["-i", "localhost,", "-c", "local", "playbook.yml"]);
    let ran = scratch.run(command);
    ran.must(4, &["fatal: [localhost]: UNREACHABLE!", "unreachable=1"]);
    assert!(!ran.stdout.contains("not reached"));
}
