//! Tasks on hosts of a lab of their own, one Debian with systemd and one that has only busybox: they run there and never here, without
//! Python, with one connection per host and one round trip per task. Needs root; says why when it is skipped.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A lab that no other test can meet, taken away at the end.
struct Lab {
    id: String,
    subnet: String,
    hosts: String,
    folder: PathBuf,
    work: tempfile::TempDir,
}

impl Lab {
    fn up() -> Lab {
        let place = 121 + u8::try_from(std::process::id() % 120).unwrap();
        let id = format!("targets-{}", std::process::id());
        let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"), PathBuf::from);
        let hosts = format!("one=10.79.{place}.11,two:busybox=10.79.{place}.12");
        let lab = Lab { subnet: format!("10.79.{place}.0/24"), hosts, folder: cache.join("rplay/lab").join(&id), id, work: tempfile::tempdir().unwrap() };
        let (status, said) = lab.run(&["up"]);
        assert_eq!(status, 0, "{said}");
        lab
    }

    fn run(&self, words: &[&str]) -> (i32, String) {
        let file = format!("{}/lab/lab.yml", env!("CARGO_MANIFEST_DIR"));
        let folder = self.folder.to_str().unwrap();
        let settings = ["--file", &file, "--id", &self.id, "--subnet", &self.subnet, "--hosts", &self.hosts, "--dir", folder];
        let args: Vec<String> = settings.iter().chain(words).map(|word| (*word).to_string()).collect();
        let mut out = Vec::new();
        (rplay::lab::run(&args, &mut out), String::from_utf8(out).unwrap())
    }

    /// A file beside the playbooks.
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.work.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn play(&self, name: &str, hosts: &str, tasks: &str) -> (i32, String) {
        let indented: String = tasks.lines().map(|line| format!("    {line}\n")).collect();
        let book = self.file(&format!("{name}.yml"), &format!("- hosts: {hosts}\n  gather_facts: false\n  vars: {{ansible_user: root}}\n  tasks:\n{indented}"));
        let output = self.rplay(&[book.to_str().unwrap(), "-vvv"]);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code().unwrap(), said)
    }

    fn rplay(&self, words: &[&str]) -> Output {
        let inventory = self.folder.join("inventory.ini");
        // the runner stays for the next play: it is sent once per host
        let mut rplay = Command::new(env!("CARGO_BIN_EXE_rplay"));
        rplay.env("ANSIBLE_KEEP_REMOTE_FILES", "1").arg("-i").arg(inventory).args(words).current_dir(self.work.path()).output().unwrap()
    }

    /// What a command in the host says, without SSH and without rplay's tasks.
    fn exec(&self, host: &str, command: &str) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_rplay"))
            .args(["lab", "--file", &format!("{}/lab/lab.yml", env!("CARGO_MANIFEST_DIR")), "--id", &self.id, "--subnet", &self.subnet])
            .args(["--hosts", &self.hosts, "--dir", self.folder.to_str().unwrap(), "exec", host, "--", "sh", "-c", command])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_string()
    }
}

impl Drop for Lab {
    /// A test that failed leaves nothing either.
    fn drop(&mut self) {
        self.run(&["clean"]);
    }
}

/// Why there can be no hosts here; nothing when there can.
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn skipped() -> bool {
    let can = |program: &str, arguments: &[&str]| Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success());
    let runner = PathBuf::from(env!("CARGO_BIN_EXE_rplay")).with_file_name(format!("rplay-runner-{}-linux", std::env::consts::ARCH));
    let reason = if !rustix::process::geteuid().is_root() {
        "lab hosts need root"
    } else if !can("unshare", &["--mount", "--net", "--pid", "--uts", "--ipc", "--cgroup", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]) {
        "this machine does not allow namespaces and mounts"
    } else if !can("sh", &["-c", "command -v mmdebstrap"]) {
        "mmdebstrap is not installed (make deps)"
    } else if !runner.exists() {
        "the static runner is not built (make debug)"
    } else {
        return false;
    };
    eprintln!("skipped: {reason}");
    true
}

#[test]
fn tasks_run_on_their_hosts_without_python() {
    if skipped() {
        return;
    }
    let lab = Lab::up();
    nothing_runs_on_the_controller(&lab);
    busybox_is_enough(&lab);
    a_missing_program_is_named(&lab);
    a_task_is_one_round_trip(&lab);
    a_loop_is_one_round_trip(&lab);
    sudo_asks_for_a_password(&lab);
}

/// Every way to write a file, on both hosts: the file is there and not here.
fn nothing_runs_on_the_controller(lab: &Lab) {
    let ways = ["command", "copy", "file", "shell", "template", "raw", "script"];
    let marker = |way: &str| PathBuf::from(format!("/root/marker-{}-{way}", lab.id));
    let script = lab.file("mark.sh", "#!/bin/sh\nhostname > \"$1\"\n");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    lab.file("mark.j2", "{{ inventory_hostname }}\n");
    let base = format!("/root/marker-{}", lab.id);
    let (status, said) = lab.play(
        "markers",
        "all",
        &format!(
            r#"- command: sh -c 'hostname > {base}-command'
- copy: {{content: "{{{{ inventory_hostname }}}}\n", dest: {base}-copy}}
- file: {{path: {base}-file, state: touch}}
- shell: hostname > {base}-shell
- template: {{src: mark.j2, dest: {base}-template}}
- raw: hostname > {base}-raw
- script: mark.sh {base}-script"#
        ),
    );
    assert_eq!(status, 0, "{said}");
    for way in ways {
        assert!(!marker(way).exists(), "{way} ran on the controller");
        for host in ["one", "two"] {
            let wanted = if way == "file" { "" } else { host };
            let found = lab.exec(host, &format!("cat {} && echo there", marker(way).display()));
            assert_eq!(found, format!("{wanted}\nthere").trim(), "{way} on {host}");
        }
    }
}

/// The daily modules on a host that has neither Python nor Perl.
fn busybox_is_enough(lab: &Lab) {
    assert_eq!(lab.exec("two", "command -v python3 || command -v perl || command -v rsync || echo nothing"), "nothing");
    lab.file("tree/a/b", "b\n");
    lab.file("tree/c.log", "c\n");
    lab.file("hello.sh", "echo hello $1\n");
    let packed = Command::new("tar").args(["-czf", "tree.tar.gz", "tree"]).current_dir(lab.work.path()).status().unwrap();
    assert!(packed.success());
    let (status, said) = lab.play("busybox", "two", include_str!("targets/busybox.yml"));
    assert_eq!(status, 0, "{said}");
    assert_eq!(fs::read_to_string(lab.work.path().join("fetched")).unwrap(), "first\nsecond\n");
    assert_eq!(fs::read_to_string(lab.work.path().join("back/a/b")).unwrap(), "b\n");
}

fn a_missing_program_is_named(lab: &Lab) {
    for (name, task, program) in [("systemd", "systemd: {name: cron, state: started}", "systemctl"), ("user", "user: {name: somebody}", "useradd")] {
        let (status, said) = lab.play(name, "two", &format!("- {task}"));
        assert_eq!(status, 2, "{said}");
        assert!(said.contains(program) && said.contains("failed=1"), "{said}");
    }
}

/// Twenty tasks cost twenty round trips more than none, over one connection per host.
fn a_task_is_one_round_trip(lab: &Lab) {
    let count = |tasks: usize| {
        let (status, said) = lab.play("count", "all", &"- command: \"true\"\n".repeat(tasks));
        assert_eq!(status, 0, "{said}");
        (cost(&said, "round trips"), cost(&said, "connections"), cost(&said, "processes"))
    };
    let (one, many) = (count(1), count(21));
    assert_eq!(many.0 - one.0, 2 * 20, "round trips of 20 tasks on two hosts");
    assert_eq!((one.1, many.1), (2, 2), "connections to two hosts");
    assert_eq!(one.2, many.2, "a task starts no process");
}

/// What a run cost, by the line that it ends with.
fn cost(said: &str, word: &str) -> u64 {
    let line = said.lines().find(|line| line.starts_with("rplay: ")).unwrap_or_else(|| panic!("no cost in {said}"));
    let before = line.split(word).next().unwrap().trim();
    before.rsplit(' ').next().unwrap().parse().unwrap()
}

/// Forty items cost one round trip; they are done in order, and neither a condition nor a failure in the middle stops them.
fn a_loop_is_one_round_trip(lab: &Lab) {
    let cost_of = |tasks: &str| {
        let (status, said) = lab.play("loop", "one", tasks);
        assert_eq!(status, 0, "{said}");
        (cost(&said, "round trips"), said)
    };
    let (alone, _) = cost_of("- command: 'true'\n");
    let looped = r#"- shell: "echo {{ item }} >> /root/items; test {{ item }} != 7"
  loop: "{{ range(40) | list }}"
  when: item != 20
  register: r
  ignore_errors: true
- fail: {msg: order}
  when: (r.results | map(attribute='item') | list) != (range(40) | list)
- fail: {msg: failed}
  when: (r.results | rejectattr('skipped', 'defined') | selectattr('failed') | map(attribute='item') | list) != [7]
- fail: {msg: skipped}
  when: (r.results | selectattr('skipped', 'defined') | map(attribute='item') | list) != [20]
"#;
    let (trips, said) = cost_of(looped);
    assert_eq!(trips, alone, "{said}");
    let wanted: Vec<String> = (0..40).filter(|item| *item != 20).map(|item: u32| item.to_string()).collect();
    assert_eq!(lab.exec("one", "cat /root/items").lines().collect::<Vec<_>>(), wanted);
    let shown: Vec<&str> = said.lines().filter(|line| line.contains("(item=")).collect();
    let order: Vec<String> = shown.iter().map(|line| line.split("(item=").nth(1).unwrap().split(')').next().unwrap().to_owned()).collect();
    assert_eq!(order, (0..40).map(|item: u32| item.to_string()).collect::<Vec<_>>(), "{said}");
    let (of_users, said) = cost_of("- command: id -un\n  become: true\n  become_user: \"{{ item }}\"\n  loop: [core, core, ops, ops, core]\n");
    assert!(of_users > alone + 2, "each user has a runner of its own: {said}");
}

/// The real sudo, right, wrong and without password: Ansible's words and exit codes, and the password nowhere to be seen.
fn sudo_asks_for_a_password(lab: &Lab) {
    let secret = "open-sesame-5823";
    lab.exec("one", &format!("echo 'ops:{secret}' | chpasswd"));
    let (right, wrong) = (lab.file("right", &format!("{secret}\n")), lab.file("wrong", "wrong-sesame-5823\n"));
    let [right, wrong] = [right.to_str().unwrap(), wrong.to_str().unwrap()];
    let right_vars = format!("@{}", lab.file("right.yml", &format!("ansible_become_password: {secret}\n")).display());
    let wrong_vars = format!("@{}", lab.file("wrong.yml", "ansible_become_password: wrong-sesame-5823\n").display());
    let list = r#"cat /proc/[0-9]*/cmdline | tr "\0" " ""#;
    let tasks = format!(
        "- shell: id -un; {list}\n- raw: id -un > /root/by-raw-$$; {list}\n- debug: {{msg: \"{{{{ lookup('pipe', 'cat /proc/[0-9]*/cmdline; true') }}}}\"}}\n"
    );
    let indented: String = tasks.lines().map(|line| format!("    {line}\n")).collect();
    let book = lab.file("sudo.yml", &format!("- hosts: one\n  gather_facts: false\n  become: true\n  tasks:\n{indented}"));
    for (words, status, words_said) in [
        (vec!["--become-password-file", right], 0, "\"stdout\": \"root"),
        (vec!["-e", &right_vars], 0, "\"stdout\": \"root"),
        (vec!["--become-password-file", wrong], 2, "\"msg\": \"Task failed: Incorrect sudo password\""),
        (vec!["-e", &wrong_vars], 2, "\"msg\": \"Task failed: Incorrect sudo password\""),
        (vec![], 2, "\"msg\": \"Task failed: Missing sudo password\""),
    ] {
        let output = lab.rplay(&[&[book.to_str().unwrap(), "-vvvv", "-e", "ansible_user=ops"], words.as_slice()].concat());
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(status), "{words:?}: {said}");
        assert!(said.contains(words_said) && said.contains("unreachable=0"), "{words:?}: {said}");
        assert!(!said.contains("sesame-5823"), "the password is shown, or in a list of processes: {words:?}: {said}");
    }
}
