//! The runner over a real sshd: one round trip a call, batches, content, losses, cancelling, and what stays behind.

use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rplay::runner::ContentSource;
use sha2::{Digest, Sha256};

use super::*;

fn runners_left() -> Vec<String> {
    let names = ["/var/tmp", "/tmp"].into_iter().flat_map(|directory| fs::read_dir(directory).unwrap());
    let names = names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(".rplay-")).collect()
}

#[test]
fn a_call_is_one_round_trip_on_a_runner_that_is_kept() {
    needs_runner!();
    let server = server!();
    let (pool, target) = (server.pool(), server.target());
    assert_eq!(call(&pool, &target, None, command("echo hello")).unwrap()["stdout"], "hello");
    let first = pool.stats();
    for number in 0..50 {
        assert_eq!(call(&pool, &target, None, command(&format!("echo {number}"))).unwrap()["stdout"], number.to_string());
    }
    let stats = pool.stats();
    assert_eq!(stats.round_trips - first.round_trips, 50);
    assert_eq!((stats.processes, stats.connections), (first.processes, 1));
    assert_eq!(call(&pool, &target, Some(&sudo("nobody")), command("id -un")).unwrap()["stdout"], "nobody");
    assert_eq!(pool.stats().processes, first.processes + 1);
}

#[test]
fn items_are_sent_ahead_and_answered_in_order() {
    needs_runner!();
    let server = server!();
    let (pool, target) = (server.pool(), server.target());
    pool.hello(&target, None).unwrap();
    let before = pool.stats().round_trips;
    let calls: Vec<Call> = (0..600).map(|number| command(&format!("echo {number}"))).collect();
    let mut answers = Vec::new();
    let mut hear = |index: usize, reply: rplay_modules::wire::Reply| answers.push((index, reply.result["stdout"].as_str().unwrap().to_owned()));
    pool.call_many(&target, None, calls, &NoContent, &mut |_, _| {}, None, &mut hear).unwrap();
    let want: Vec<_> = (0..600).map(|number| (number, number.to_string())).collect();
    assert_eq!(answers, want);
    assert_eq!(pool.stats().round_trips - before, 1);
}

#[test]
fn a_runner_that_dies_is_replaced_and_a_call_in_the_middle_is_lost() {
    needs_runner!();
    let server = server!();
    let (pool, target) = (server.pool(), server.target());
    let pid = pool.hello(&target, None).unwrap().pid;
    let error = call(&pool, &target, None, command(&format!("kill -9 {pid}"))).unwrap_err();
    assert!(error.is_unreachable(), "{error}");
    let next = pool.hello(&target, None).unwrap().pid;
    assert_ne!(pid, next);
    // its end is heard of a moment after it
    exec(&pool, &target, &format!("kill -9 {next}; while kill -0 {next} 2>/dev/null; do sleep 0.1; done; sleep 0.5")).unwrap();
    assert_eq!(call(&pool, &target, None, command("echo back")).unwrap()["stdout"], "back");
    pool.reset(&target);
    assert_eq!(call(&pool, &target, None, command("echo anew")).unwrap()["stdout"], "anew");
    assert_eq!(pool.stats().connections, 2);
}

#[test]
fn a_time_out_cancels_a_call_and_the_runner_goes_on() {
    needs_runner!();
    let server = server!();
    let (pool, target) = (server.pool(), server.target());
    let pid = pool.hello(&target, None).unwrap().pid;
    let slow = pool.call(&target, None, command("sleep 100"), &NoContent, &mut |_, _| {}, None, Some(Duration::from_secs(1)));
    assert_eq!(slow.unwrap_err(), ConnectError::TimedOut { seconds: 1 });
    assert_eq!(pool.hello(&target, None).unwrap().pid, pid);
    assert_eq!(call(&pool, &target, None, command("echo on")).unwrap()["stdout"], "on");
}

#[test]
fn nothing_stays_behind() {
    needs_runner!();
    let server = server!();
    let (pool, target) = (server.pool(), server.target());
    call(&pool, &target, Some(&sudo("nobody")), command("true")).unwrap();
    let marker = pool.hello(&target, Some(&sudo("nobody"))).unwrap().pid;
    let exe = fs::read_link(format!("/proc/{marker}/exe")).unwrap();
    assert!(exe.exists(), "{exe:?} among {:?}", runners_left());
    pool.close_all();
    assert!(!exe.exists());
}

#[test]
fn the_runner_of_a_user_can_be_sent_away() {
    needs_runner!();
    let server = server!();
    let (pool, target) = (server.pool(), server.target());
    let nobody = pool.hello(&target, Some(&sudo("nobody"))).unwrap().pid;
    let root = pool.hello(&target, None).unwrap().pid;
    pool.release(&target, "nobody");
    assert!(!std::path::Path::new(&format!("/proc/{nobody}")).exists());
    assert_eq!(pool.hello(&target, None).unwrap().pid, root);
    assert_ne!(pool.hello(&target, Some(&sudo("nobody"))).unwrap().pid, nobody);
}

#[test]
fn cancelling_ends_what_runs() {
    needs_runner!();
    let server = server!();
    let (pool, target) = (server.pool(), server.target());
    pool.hello(&target, None).unwrap();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| call(&pool, &target, None, command("sleep 100")));
        let exec = scope.spawn(|| exec(&pool, &target, "sleep 100"));
        std::thread::sleep(Duration::from_millis(300));
        pool.cancel();
        assert_eq!(call.join().unwrap().unwrap_err(), ConnectError::Cancelled);
        assert_eq!(exec.join().unwrap().unwrap_err(), ConnectError::Cancelled);
    });
}

/// Content that is known by its SHA-256.
struct Content(Vec<u8>);

impl Content {
    fn sha256(&self) -> String {
        Sha256::digest(&self.0).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl ContentSource for Content {
    fn open(&self, sha256: &str) -> io::Result<Box<dyn Read + '_>> {
        if sha256 == self.sha256() { Ok(Box::new(&self.0[..])) } else { Err(io::Error::other("no such content")) }
    }
}

#[test]
fn content_travels_when_it_is_asked_for() {
    needs_runner!();
    let server = server!();
    let (pool, target) = (server.pool(), server.target());
    let content = Content((0..3_000_000u32).map(|number| ((number * 7) >> 3) as u8).collect());
    let dest = server.path("copied");
    let arguments = json!({"module": "copy", "args": {"dest": dest, "_rplay_sha256": content.sha256(), "_rplay_size": content.0.len()}});
    let copy: Call = serde_json::from_value(arguments).unwrap();
    pool.hello(&target, None).unwrap();
    let mut trips = Vec::new();
    for _ in 0..2 {
        let before = pool.stats().round_trips;
        let reply = pool.call(&target, None, copy.clone(), &content, &mut |_, _| {}, None, None).unwrap();
        trips.push((pool.stats().round_trips - before, reply.result["changed"].clone()));
    }
    assert_eq!(trips, [(2, json!(true)), (1, json!(false))]);
    assert!(fs::read(&dest).unwrap() == content.0);
    let fetch: Call = serde_json::from_value(json!({"module": "_fetch", "args": {"src": dest}})).unwrap();
    let mut got = Vec::new();
    let mut take = |piece: &[u8]| got.extend_from_slice(piece);
    pool.call(&target, None, fetch, &NoContent, &mut |_, _| {}, Some(&mut take), None).unwrap();
    assert!(got == content.0, "{} bytes came back", got.len());
    fs::remove_file(&dest).unwrap();
    let reply = pool.call(&target, None, copy, &NoContent, &mut |_, _| {}, None, None).unwrap();
    assert_eq!(reply.result["failed"], json!(true));
    assert!(reply.result["msg"].as_str().unwrap().contains("was announced"), "{:?}", reply.result);
}

#[test]
fn workers_queue_at_one_runner() {
    needs_runner!();
    let server = server!();
    let (pool, target) = (server.pool(), server.target());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (pool, target) = (&pool, &target);
            scope.spawn(move || {
                for number in 0..20 {
                    let text = format!("{thread}.{number}");
                    assert_eq!(call(pool, target, None, command(&format!("echo {text}"))).unwrap()["stdout"], text.as_str());
                }
            });
        }
    });
    assert_eq!(pool.stats().connections, 1);
    // one process asked about the host, one took the runner, one is the runner
    assert_eq!(pool.stats().processes, 3);
}

#[test]
fn more_commands_than_sessions_wait_for_their_turn() {
    let server = server!("MaxSessions 3");
    let (pool, target) = (server.pool(), server.target());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(stdout(exec(&pool, &target, "sleep 0.1; echo turn")), "turn\n"));
        }
    });
    assert_eq!(pool.stats().connections, 1);
}

#[test]
fn a_host_without_a_runner_still_takes_commands() {
    let server = server!();
    let pool = Pool::new(rplay::runner::Options { runner_dirs: vec![server.path("home")], ..server.options() });
    let target = server.target();
    let error = call(&pool, &target, None, command("true")).unwrap_err();
    assert!(matches!(&error, ConnectError::NoRunner { message } if message.starts_with("there is no runner for host (Linux on ")), "{error}");
    assert!(!error.is_unreachable());
    assert_eq!(stdout(exec(&pool, &target, "echo raw")), "raw\n");
}

#[test]
fn a_kept_runner_is_found_by_the_next_run() {
    needs_runner!();
    let server = server!();
    let options = rplay::runner::Options { keep_runner: true, ..server.options() };
    let target = Target { remote_tmp: Some(server.path("home").display().to_string()), ..server.target() };
    let mut processes = Vec::new();
    for _ in 0..2 {
        let pool = Pool::new(options.clone());
        call(&pool, &target, None, command("true")).unwrap();
        processes.push(pool.stats().processes);
    }
    assert_eq!(processes, [3, 2]);
    let kept: Vec<_> = fs::read_dir(server.path("home")).unwrap().map(|entry| entry.unwrap()).filter(|entry| entry.file_name() != ".ssh").collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(kept[0].metadata().unwrap().permissions().mode() & 0o7777, 0o755);
}

#[test]
fn here_a_runner_that_another_user_cannot_reach_is_placed() {
    needs_runner!();
    let server = server!();
    let private = server.path("private");
    fs::create_dir(&private).unwrap();
    fs::copy(server::runner_dir().join("rplay-runner"), private.join("rplay-runner")).unwrap();
    fs::set_permissions(&private, fs::Permissions::from_mode(0o700)).unwrap();
    let pool = Pool::new(rplay::runner::Options { runner_dirs: vec![private.clone()], ..server.options() });
    let target = Target::new("localhost", Transport::Local);
    assert_eq!(call(&pool, &target, Some(&sudo("nobody")), command("id -un")).unwrap()["stdout"], "nobody");
    let pid = pool.hello(&target, Some(&sudo("nobody"))).unwrap().pid;
    let placed = fs::read_link(format!("/proc/{pid}/exe")).unwrap();
    pool.close_all();
    assert!(private.join("rplay-runner").exists() && !placed.starts_with(&private) && !Path::new(&placed).exists());
}
