//! Connections to a real sshd on loopback: who is let in, whom we trust, what travels, and what it costs.
//!
//! Needs root, sshd, ssh and ssh-keygen; says so and passes where they are missing. Tests of the runner need `cargo build -p rplay-modules` first.

#![allow(clippy::print_stderr)]

#[path = "ssh/server.rs"]
mod server;

use std::fs;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use rplay::connection::{Become, ConnectError, ExecResult, Method, Secret, Target, Transport};
use rplay::runner::{NoContent, Pool};
use rplay_modules::wire::Call;
use serde_json::json;
use server::{Server, has_runner, keygen, missing};

/// The server, or the end of the test where none can be had.
macro_rules! server {
    () => {
        server!("")
    };
    ($extra:expr) => {
        match missing() {
            None => Server::start($extra),
            Some(what) => {
                eprintln!("skipped: {what}");
                return;
            }
        }
    };
}

/// Ends the test where there is no runner.
macro_rules! needs_runner {
    () => {
        if !has_runner() {
            eprintln!("skipped: no rplay-runner was built (cargo build -p rplay-modules)");
            return;
        }
    };
}

#[path = "ssh/runner.rs"]
mod runner;

fn exec(pool: &Pool, target: &Target, command: &str) -> Result<ExecResult, ConnectError> {
    pool.exec(target, None, command.as_bytes(), None, Some(Duration::from_secs(30)), &mut |_, _| {})
}

fn stdout(result: Result<ExecResult, ConnectError>) -> String {
    let result = result.unwrap();
    assert_eq!(result.rc, 0, "{}", String::from_utf8_lossy(&result.stderr));
    String::from_utf8(result.stdout).unwrap()
}

fn command(words: &str) -> Call {
    serde_json::from_value(json!({"module": "command", "args": {"_raw_params": words}})).unwrap()
}

fn call(pool: &Pool, target: &Target, becoming: Option<&Become>, call: Call) -> Result<serde_json::Map<String, serde_json::Value>, ConnectError> {
    pool.call(target, becoming, call, &NoContent, &mut |_, _| {}, None, Some(Duration::from_secs(30))).map(|reply| reply.result)
}

fn sudo(user: &str) -> Become {
    Become { method: Method::Sudo, user: user.into(), password: None, exe: None, flags: None }
}

#[test]
fn a_key_lets_us_in_and_the_session_is_kept() {
    let server = server!();
    let (pool, target) = (server.pool(), server.target());
    for number in 0..5 {
        assert_eq!(stdout(exec(&pool, &target, &format!("echo {number}"))), format!("{number}\n"));
    }
    let stats = pool.stats();
    assert_eq!((stats.connections, stats.processes, stats.round_trips), (1, 5, 5));
}

#[test]
fn a_wrong_key_is_refused_in_ansibles_words() {
    let server = server!();
    let mut target = server.target();
    target.private_key = Some(server.path("stranger"));
    let error = exec(&server.pool(), &target, "true").unwrap_err();
    assert!(error.is_unreachable());
    assert!(error.to_string().starts_with("Failed to connect to the host via ssh: root@127.0.0.1: Permission denied (publickey"), "{error}");
    target.private_key = Some(server.path("absent"));
    let error = exec(&server.pool(), &target, "true").unwrap_err();
    assert!(error.to_string().contains("no such identity"), "{error}");
}

#[test]
fn an_encrypted_key_says_what_to_do() {
    let server = server!();
    let key = server.path("locked").display().to_string();
    assert!(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "secret", "-f", &key]).status().unwrap().success());
    let mut target = server.target();
    target.private_key = Some(server.path("locked"));
    let error = exec(&server.pool(), &target, "true").unwrap_err();
    assert!(error.to_string().contains("is encrypted: add it to the agent with ssh-add"), "{error}");
}

#[test]
fn a_changed_host_key_is_always_refused() {
    let server = server!();
    let mut target = server.target();
    let other = fs::read_to_string(server.path("stranger.pub")).unwrap();
    fs::write(server.known_hosts(), format!("# first line\n[127.0.0.1]:{} {other}", server.port)).unwrap();
    for checking in [true, false] {
        target.host_key_checking = checking;
        let error = exec(&server.pool(), &target, "true").unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, ConnectError::HostKey { .. }), "{text}");
        assert!(text.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") && text.contains("known_hosts:2 has SHA256:"), "{text}");
    }
}

#[test]
fn an_unknown_host_is_refused_with_the_cure_unless_new_ones_are_accepted() {
    let server = server!();
    let mut target = server.target();
    fs::write(server.known_hosts(), "").unwrap();
    let error = exec(&server.pool(), &target, "true").unwrap_err().to_string();
    assert!(error.contains("ssh-keyscan -p") && error.ends_with("Host key verification failed."), "{error}");
    target.ssh_args.push("-oStrictHostKeyChecking=accept-new".into());
    assert_eq!(stdout(exec(&server.pool(), &target, "echo in")), "in\n");
    let kept = fs::read_to_string(server.known_hosts()).unwrap();
    let key = fs::read_to_string(server.path("host.pub")).unwrap();
    let key = key.split_whitespace().nth(1).unwrap();
    assert_eq!(kept, format!("[127.0.0.1]:{} ssh-ed25519 {key}\n", server.port));
    target.ssh_args.pop();
    assert_eq!(stdout(exec(&server.pool(), &target, "echo again")), "again\n");
}

#[test]
fn hashed_and_revoked_lines_count() {
    let server = server!();
    let target = server.target();
    let path = server.known_hosts().display().to_string();
    assert!(Command::new("ssh-keygen").args(["-q", "-H", "-f", &path]).output().unwrap().status.success());
    assert!(fs::read_to_string(server.known_hosts()).unwrap().starts_with("|1|"));
    assert_eq!(stdout(exec(&server.pool(), &target, "echo in")), "in\n");
    let key = fs::read_to_string(server.path("host.pub")).unwrap();
    fs::write(server.known_hosts(), format!("@revoked * {key}")).unwrap();
    let error = exec(&server.pool(), &target, "true").unwrap_err().to_string();
    assert!(error.contains("is revoked by"), "{error}");
}

#[test]
fn the_known_key_decides_the_algorithm() {
    let server = server!();
    // a second host key that known_hosts does not have must not be the one that is shown
    keygen(&server.path("second"), "ecdsa");
    let config = fs::read_to_string(server.path("sshd_config")).unwrap();
    let second = Server::start(&format!("HostKey {}", server.path("second").display()));
    assert!(config.contains("HostKey"));
    let key = fs::read_to_string(server.path("second.pub")).unwrap();
    fs::write(second.known_hosts(), format!("[127.0.0.1]:{} {key}", second.port)).unwrap();
    assert_eq!(stdout(exec(&second.pool(), &second.target(), "echo ecdsa")), "ecdsa\n");
}

#[test]
fn an_agent_holds_the_key() {
    let server = server!();
    let socket = server.path("agent");
    let mut agent = Command::new("ssh-agent").args(["-D", "-a"]).arg(&socket).stdout(std::process::Stdio::null()).spawn().unwrap();
    while !socket.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let added = Command::new("ssh-add").arg("-q").arg(server.path("user")).env("SSH_AUTH_SOCK", &socket).output().unwrap();
    let mut target = server.target();
    target.private_key = None;
    let mut options = server.options();
    let without = exec(&Pool::new(options.clone()), &target, "true");
    options.local.agent_socket = Some(socket);
    let with = exec(&Pool::new(options), &target, "echo agent");
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert!(added.status.success());
    assert!(matches!(without, Err(ConnectError::AuthFailed { .. })), "{without:?}");
    assert_eq!(stdout(with), "agent\n");
}

#[test]
fn a_wrong_password_is_refused_in_ansibles_words() {
    let server = server!("PasswordAuthentication yes");
    let mut target = server.target();
    target.private_key = None;
    target.password = Some(Secret::new("not-the-password"));
    let error = exec(&server.pool(), &target, "true").unwrap_err().to_string();
    assert!(error.starts_with("Invalid/incorrect password: root@127.0.0.1: Permission denied"), "{error}");
    assert!(!error.contains("not-the-password"));
}

#[test]
fn a_dead_port_is_unreachable() {
    let server = server!();
    let mut target = server.target();
    target.port = Some(std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
    let error = exec(&server.pool(), &target, "true").unwrap_err();
    let want = format!("Failed to connect to the host via ssh: ssh: connect to host 127.0.0.1 port {}: Connection refused", target.port.unwrap());
    assert_eq!((error.to_string(), error.is_unreachable()), (want, true));
}

#[test]
fn a_jump_host_carries_the_session() {
    let server = server!();
    let bastion = Server::start("");
    let target = server.target();
    let config = server.path("jump.config");
    let text = format!(
        "Host bastion\n  HostName 127.0.0.1\n  Port {}\n  User root\n  IdentityFile {}\n  UserKnownHostsFile {}\nHost 127.0.0.1\n  ProxyJump bastion\n  UserKnownHostsFile {}\n",
        bastion.port,
        bastion.path("user").display(),
        bastion.known_hosts().display(),
        server.known_hosts().display()
    );
    // the hop is named by an alias, so that the pattern of the target does not send it through itself
    fs::write(&config, text.replace("Host 127.0.0.1", "Host target")).unwrap();
    let mut target = Target { host: "target".into(), ..target };
    let arguments = vec!["-F".to_owned(), config.display().to_string(), "-oHostName=127.0.0.1".to_owned()];
    target.ssh_args = arguments.clone();
    assert_eq!(stdout(exec(&server.pool(), &target, "echo jumped")), "jumped\n");
    target.ssh_args = [arguments.clone(), vec![format!("-oProxyCommand=ssh -F {} -W %h:%p bastion", config.display()), "-oProxyJump=none".into()]].concat();
    assert_eq!(stdout(exec(&server.pool(), &target, "echo proxied")), "proxied\n");
    target.ssh_args = [arguments, vec!["-oProxyJump=root@127.0.0.1:1".into()]].concat();
    let error = exec(&server.pool(), &target, "true").unwrap_err().to_string();
    assert!(error.starts_with("Failed to connect to the host via ssh: ") && error.contains("port 1: Connection refused"), "{error}");
    let log = fs::read_to_string(bastion.path("log")).unwrap();
    assert!(log.contains("Accepted publickey"), "{log}");
}

#[test]
fn bytes_exit_codes_and_signals_come_back_as_they_are() {
    let server = server!();
    let (pool, target) = (server.pool(), server.target());
    let result = exec(&pool, &target, "printf '\\000\\377\\r\\n'; printf 'e\\n' >&2; exit 7").unwrap();
    assert_eq!((result.rc, result.stdout.as_slice(), result.stderr.as_slice()), (7, &b"\0\xff\r\n"[..], &b"e\n"[..]));
    assert_eq!(exec(&pool, &target, "kill -9 $$").unwrap().rc, -9);
    let mut live = Vec::new();
    let mut hear = |is_err: bool, bytes: &[u8]| live.push((is_err, bytes.to_vec()));
    pool.exec(&target, None, b"echo a; sleep 0.3; echo b >&2", None, None, &mut hear).unwrap();
    assert_eq!(live, [(false, b"a\n".to_vec()), (true, b"b\n".to_vec())]);
}

#[test]
fn ten_megabytes_travel_both_ways() {
    let server = server!();
    let (pool, target) = (server.pool(), server.target());
    let content: Vec<u8> = (0..10 * 1024 * 1024u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let result = pool.exec(&target, None, b"cat", Some(&content), None, &mut |_, _| {}).unwrap();
    assert!(result.stdout == content, "{} bytes came back", result.stdout.len());
    // a command that reads nothing does not hold us up
    let result = pool.exec(&target, None, b"echo done", Some(&content), None, &mut |_, _| {}).unwrap();
    assert_eq!(result.stdout, b"done\n");
}

#[test]
fn time_outs_end_a_command() {
    let server = server!();
    let (pool, target) = (server.pool(), server.target());
    let error = pool.exec(&target, None, b"sleep 100", None, Some(Duration::from_secs(1)), &mut |_, _| {}).unwrap_err();
    assert_eq!(error, ConnectError::TimedOut { seconds: 1 });
    assert_eq!(stdout(exec(&pool, &target, "echo alive")), "alive\n");
    assert_eq!(pool.stats().connections, 1);
}

#[test]
fn two_threads_share_a_session() {
    let server = server!();
    let (pool, target) = (server.pool(), server.target());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (pool, target) = (&pool, &target);
            scope.spawn(move || {
                for number in 0..25 {
                    let text = format!("{thread}.{number}");
                    assert_eq!(stdout(exec(pool, target, &format!("head -c 100000 /dev/zero | wc -c; echo {text}"))), format!("100000\n{text}\n"));
                }
            });
        }
    });
    assert_eq!(pool.stats().connections, 1);
}

#[test]
fn many_sessions_at_once() {
    let server = server!();
    let pool = server.pool();
    let done = Mutex::new(0);
    std::thread::scope(|scope| {
        for thread in 0..10 {
            let (pool, server, done) = (&pool, &server, &done);
            scope.spawn(move || {
                for number in 0..5 {
                    let target = Target { name: format!("h{thread}-{number}"), ..server.target() };
                    assert_eq!(stdout(exec(pool, &target, "echo here")), "here\n");
                    *done.lock().unwrap() += 1;
                }
            });
        }
    });
    assert_eq!((*done.lock().unwrap(), pool.stats().connections), (50, 50));
}

#[test]
fn become_runs_commands_as_another_user() {
    let server = server!();
    let (pool, target) = (server.pool(), server.target());
    for method in [Method::Sudo, Method::Su] {
        let mut becoming = Become { method, ..sudo("nobody") };
        if method == Method::Su {
            becoming.flags = Some("-s /bin/sh".into());
        }
        let result = pool.exec(&target, Some(&becoming), b"id -un; printf '\\377'; exit 3", None, None, &mut |_, _| {}).unwrap();
        assert_eq!((result.rc, result.stdout.as_slice()), (3, &b"nobody\n\xff"[..]), "{method:?}: {}", String::from_utf8_lossy(&result.stderr));
        let result = pool.exec(&target, Some(&becoming), b"cat", Some(b"input"), None, &mut |_, _| {}).unwrap();
        assert_eq!(result.stdout, b"input", "{method:?}");
    }
}

/// A user who may use sudo with a password, and the lines that made it; gone at the end.
struct Sudoer {
    name: &'static str,
    rule: std::path::PathBuf,
}

impl Sudoer {
    fn create(name: &'static str, password: &str, key: &std::path::Path) -> Sudoer {
        let home = format!("/tmp/{name}-home");
        let _ = Command::new("userdel").args(["-r", name]).output();
        assert!(Command::new("useradd").args(["-m", "-d", &home, "-s", "/bin/sh", name]).output().unwrap().status.success());
        let mut passwd = Command::new("chpasswd").stdin(std::process::Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut passwd.stdin.take().unwrap(), format!("{name}:{password}\n").as_bytes()).unwrap();
        assert!(passwd.wait().unwrap().success());
        let rule = std::path::PathBuf::from(format!("/etc/sudoers.d/{name}"));
        fs::write(&rule, format!("{name} ALL=(ALL) ALL\n")).unwrap();
        assert!(key.exists());
        Sudoer { name, rule }
    }
}

impl Drop for Sudoer {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.rule);
        let _ = Command::new("userdel").args(["-r", self.name]).output();
    }
}

#[test]
fn sudo_and_su_with_a_password() {
    let server = server!();
    let sudoer = Sudoer::create("rplaytest", "pa ss'w\"ord", &server.path("user"));
    let (pool, mut target) = (server.pool(), server.target());
    target.user = Some(sudoer.name.into());
    let with = |method, password: Option<&str>| Become { method, password: password.map(Secret::new), ..sudo("root") };
    let run = |becoming: &Become| pool.exec(&target, Some(becoming), b"id -u", None, Some(Duration::from_secs(20)), &mut |_, _| {});
    assert_eq!(stdout(run(&with(Method::Sudo, Some("pa ss'w\"ord")))), "0\n");
    assert_eq!(run(&with(Method::Sudo, Some("wrong"))).unwrap_err().to_string(), "Incorrect sudo password");
    assert_eq!(run(&with(Method::Sudo, None)).unwrap_err().to_string(), "Missing sudo password");
    // su asks for the other user's password: its own is the one we know
    let own = Become { user: sudoer.name.into(), ..with(Method::Su, Some("pa ss'w\"ord")) };
    let result = pool.exec(&target, Some(&own), b"id -un", None, Some(Duration::from_secs(20)), &mut |_, _| {});
    assert_eq!(stdout(result), "rplaytest\n");
    let wrong = Become { password: Some(Secret::new("wrong")), ..own };
    assert_eq!(run(&wrong).unwrap_err().to_string(), "Incorrect su password");
    if has_runner() {
        let becoming = with(Method::Sudo, Some("pa ss'w\"ord"));
        assert_eq!(call(&pool, &target, Some(&becoming), command("id -un")).unwrap()["stdout"], "root");
        assert_eq!(call(&pool, &target, None, command("id -un")).unwrap()["stdout"], "rplaytest");
        let error = call(&pool, &target, Some(&with(Method::Sudo, Some("wrong"))), command("id")).unwrap_err();
        assert_eq!(error.to_string(), "Incorrect sudo password");
    }
}

#[test]
fn local_and_openssh_do_the_same() {
    let server = server!();
    let pool = server.pool();
    let mut openssh = server.target();
    openssh.transport = Transport::Openssh;
    openssh.ssh_args = vec!["-F".into(), "none".into(), format!("-oUserKnownHostsFile={}", server.known_hosts().display())];
    for target in [Target::new("localhost", Transport::Local), openssh] {
        let result = exec(&pool, &target, "printf '\\377'; echo e >&2; exit 5").unwrap();
        assert_eq!((result.rc, result.stdout.as_slice(), result.stderr.as_slice()), (5, &b"\xff"[..], &b"e\n"[..]), "{:?}", target.transport);
        let result = pool.exec(&target, Some(&sudo("nobody")), b"id -un; cat", Some(b"in"), None, &mut |_, _| {}).unwrap();
        assert_eq!(result.stdout, b"nobody\nin", "{:?}", target.transport);
        if has_runner() {
            assert_eq!(call(&pool, &target, None, command("echo hi")).unwrap()["stdout"], "hi");
            assert_eq!(call(&pool, &target, Some(&sudo("nobody")), command("id -un")).unwrap()["stdout"], "nobody");
        }
    }
}

#[test]
fn a_lost_connection_is_unreachable_and_the_next_use_makes_another() {
    let server = server!();
    let (pool, target) = (server.pool(), server.target());
    exec(&pool, &target, "true").unwrap();
    let error = exec(&pool, &target, "kill -9 $PPID; sleep 5").unwrap_err();
    assert!(error.is_unreachable(), "{error}");
    assert_eq!(stdout(exec(&pool, &target, "echo back")), "back\n");
    assert_eq!(pool.stats().connections, 2);
}

#[test]
fn a_program_that_wants_a_terminal_gets_a_raw_one() {
    let server = server!();
    let (pool, target) = (server.pool(), server.target());
    let script = server.path("doas");
    let text = "#!/bin/sh\n[ -t 0 ] || { echo 'doas: a tty is required' >&2; exit 1; }\nprintf 'doas (me@host) password: '\nread -r answer\n\
                [ \"$answer\" = 'se cret' ] || { echo; echo 'doas: Authentication failed'; exit 1; }\necho\nshift 2\nexec \"$@\"\n";
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let doas = |password: &str| Become { method: Method::Doas, password: Some(Secret::new(password)), exe: Some(script.display().to_string()), ..sudo("root") };
    for target in [target.clone(), Target::new("localhost", Transport::Local)] {
        let result = pool.exec(&target, Some(&doas("se cret")), b"printf 'a\\n\\377'; exit 4", None, Some(Duration::from_secs(20)), &mut |_, _| {}).unwrap();
        assert_eq!((result.rc, result.stdout.as_slice()), (4, &b"a\n\xff"[..]), "{:?}", target.transport);
        let wrong = pool.exec(&target, Some(&doas("wrong")), b"true", None, Some(Duration::from_secs(20)), &mut |_, _| {}).unwrap_err();
        assert_eq!(wrong.to_string(), "Incorrect doas password");
        if has_runner() {
            let long = "x".repeat(20_000);
            let answer = call(&pool, &target, Some(&doas("se cret")), command(&format!("echo {long}"))).unwrap();
            assert_eq!(answer["stdout"], long.as_str());
        }
    }
    // sudo and su are first tried without one
    let su = Become { method: Method::Su, ..doas("se cret") };
    let refused = pool.exec(&target, Some(&Become { flags: Some("-x".into()), ..su }), b"true", None, Some(Duration::from_secs(20)), &mut |_, _| {});
    assert!(refused.is_ok(), "{refused:?}");
}

#[test]
fn a_chroot_is_a_target() {
    let server = server!();
    let pool = server.pool();
    let target = Target { host: "/".into(), ..Target::new("jail", Transport::Chroot) };
    assert_eq!(stdout(exec(&pool, &target, "pwd")), "/\n");
    let nowhere = Target { host: "/no/such/root".into(), ..target };
    let error = exec(&pool, &nowhere, "true").unwrap_err();
    assert_eq!((error.to_string(), error.is_unreachable()), ("/no/such/root is not a directory".to_owned(), true));
}
