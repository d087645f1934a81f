//! The runner binary spoken to over its pipes.

use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rplay_modules::wire::{Call, Frame, Hello, Reply, VERSION};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

struct Runner {
    child: Child,
    to: Option<ChildStdin>,
    from: ChildStdout,
    next: u32,
}

fn call(module: &str, args: Value) -> Call {
    serde_json::from_value(json!({"module": module, "args": args})).unwrap()
}

fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Runner {
    fn start() -> Runner {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rplay-runner")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut to, mut from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let hello = Hello { version: VERSION, pid: 1, uid: 0, user: String::new(), home: String::new() };
        Frame::Hello(hello).write(&mut to).unwrap();
        assert!(matches!(Frame::read(&mut from).unwrap(), Some(Frame::Hello(hello)) if hello.version == VERSION));
        Runner { child, to: Some(to), from, next: 0 }
    }

    fn send(&mut self, call: Call) -> u32 {
        self.next += 1;
        self.frame(Frame::Call(self.next, Box::new(call)));
        self.next
    }

    fn frame(&mut self, frame: Frame) {
        frame.write(self.to.as_mut().unwrap()).unwrap();
    }

    fn read(&mut self) -> Frame {
        Frame::read(&mut self.from).unwrap().expect("a frame")
    }

    fn reply(&mut self, id: u32) -> Reply {
        match self.read() {
            Frame::Reply(got, reply) if got == id => *reply,
            other => panic!("{other:?}"),
        }
    }

    /// A copy of content that the runner asks for.
    fn give(&mut self, args: Value, content: &[u8]) -> Value {
        let wanted = args["_rplay_sha256"].as_str().unwrap().to_owned();
        let id = self.send(call("copy", args));
        assert_eq!(self.read(), Frame::NeedBlob(id, wanted));
        for piece in content.chunks(256 * 1024) {
            self.frame(Frame::Blob(id, piece.to_vec()));
        }
        self.frame(Frame::Blob(id, vec![]));
        Value::Object(self.reply(id).result)
    }

    fn run(&mut self, call: Call) -> Value {
        let id = self.send(call);
        Value::Object(self.reply(id).result)
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.to.take();
        let status = self.child.wait();
        assert!(std::thread::panicking() || status.unwrap().success());
    }
}

#[test]
fn calls_are_answered_in_order_and_a_loop_stops_at_its_failure() {
    let mut runner = Runner::start();
    let item = |line: &str| Call { stop_on_failure: true, batch: 1, ..call("shell", json!({"_raw_params": line})) };
    let ids: Vec<u32> = ["true", "exit 4", "true"].map(|line| runner.send(item(line))).to_vec();
    let after = runner.send(call("ping", json!({})));
    assert_eq!(runner.reply(ids[0]).result["rc"], 0);
    assert_eq!(runner.reply(ids[1]).result["rc"], 4);
    assert!(runner.reply(ids[2]).not_run);
    assert_eq!(runner.reply(after).result["ping"], "pong");
}

#[test]
fn environment_directory_and_umask_are_the_calls_own() {
    let mut runner = Runner::start();
    let mut special = call("shell", json!({"_raw_params": "echo $X; umask; pwd", "chdir": "/"}));
    special.environment = vec![("X".into(), "y".into())];
    special.umask = Some(0o077);
    assert_eq!(runner.run(special)["stdout"], "y\n0077\n/");
    let plain = runner.run(call("shell", json!({"_raw_params": "echo -$X; umask; cat"})));
    assert!(plain["stdout"].as_str().unwrap().starts_with("-\n"));
    assert!(!plain["stdout"].as_str().unwrap().contains("0077"));
}

#[test]
fn output_is_live_when_asked_for() {
    let mut runner = Runner::start();
    let id = runner.send(Call { live: true, ..call("command", json!({"_raw_params": "echo hi"})) });
    assert_eq!(runner.read(), Frame::Output(id, 1, b"hi\n".to_vec()));
    assert_eq!(runner.reply(id).result["stdout"], "hi");
}

#[test]
fn cancel_and_timeout_end_the_program() {
    let mut runner = Runner::start();
    let id = runner.send(Call { live: true, ..call("shell", json!({"_raw_params": "echo up; sleep 60"})) });
    assert!(matches!(runner.read(), Frame::Output(..)));
    runner.frame(Frame::Cancel(id));
    let reply = runner.reply(id);
    assert_eq!((&reply.result["failed"], &reply.result["msg"]), (&json!(true), &json!("cancelled")));
    let late = runner.run(Call { timeout: 1, ..call("command", json!({"_raw_params": "sleep 60"})) });
    assert_eq!(late["msg"], "Timed out after 1 second(s).");
    assert_eq!(runner.run(call("ping", json!({})))["ping"], "pong");
}

#[test]
fn bad_arguments_and_unknown_modules_are_failures() {
    let mut runner = Runner::start();
    let result = runner.run(call("ping", json!({"nonsense": 1})));
    assert_eq!(result["msg"], "Unsupported parameters for (ping) module: nonsense. Supported parameters include: data.");
    assert_eq!(runner.run(call("nonsense", json!({})))["failed"], true);
}

#[test]
fn the_end_of_the_channel_kills_what_runs() {
    let mut runner = Runner::start();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("alive");
    let line = format!("echo up; sleep 3; touch {}", file.display());
    runner.send(Call { live: true, ..call("shell", json!({"_raw_params": line})) });
    assert!(matches!(runner.read(), Frame::Output(..)));
    runner.to.take();
    runner.child.wait().unwrap();
    assert!(!file.exists());
}

#[test]
fn content_comes_when_it_is_needed() {
    let mut runner = Runner::start();
    let dir = tempfile::tempdir().unwrap();
    let dest = dir.path().join("f");
    let content: Vec<u8> = (0..5_000_000u32).map(|n| (n.wrapping_mul(2_654_435_769) >> 20) as u8).collect();
    let args = json!({"dest": dest.to_str(), "_rplay_sha256": sha256(&content), "_rplay_size": content.len(), "mode": "0751"});
    let result = runner.give(args.clone(), &content);
    assert_eq!(result["changed"], true);
    assert_eq!(result["checksum"].as_str().map(str::len), Some(40));
    assert_eq!(result["md5sum"].as_str().map(str::len), Some(32));
    assert_eq!(std::fs::read(&dest).unwrap(), content);
    assert_eq!(std::fs::metadata(&dest).unwrap().permissions().mode() & 0o7777, 0o751);
    assert_eq!(runner.run(call("copy", args))["changed"], false);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn other_content_than_was_announced_is_refused() {
    let mut runner = Runner::start();
    let dir = tempfile::tempdir().unwrap();
    let dest = dir.path().join("f");
    std::fs::write(&dest, "old").unwrap();
    let (wanted, other) = (vec![b'x'; 5_000_000], vec![b'y'; 5_000_000]);
    let args = json!({"dest": dest.to_str(), "_rplay_sha256": sha256(&wanted), "_rplay_size": wanted.len()});
    let result = runner.give(args, &other);
    assert_eq!(result["failed"], true);
    let msg = format!("the content that arrived has SHA-256 {} and not {}", sha256(&other), sha256(&wanted));
    assert_eq!(result["msg"], msg);
    assert_eq!(std::fs::read_to_string(&dest).unwrap(), "old");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn sums_that_nobody_sees_are_left_out() {
    let mut runner = Runner::start();
    let dir = tempfile::tempdir().unwrap();
    let content = vec![b'x'; 5_000_000];
    let args = json!({"dest": dir.path().join("f"), "_rplay_sha256": sha256(&content), "_rplay_size": content.len(), "_rplay_sums": false});
    let mut asked = args.clone();
    for result in [runner.give(args.clone(), &content), runner.run(call("copy", args))] {
        assert_eq!((result.get("checksum"), result.get("md5sum"), result.get("failed")), (None, None, None), "{result}");
    }
    asked["checksum"] = json!("0".repeat(40));
    assert_eq!(runner.run(call("copy", asked))["msg"], "Copied file does not match the expected checksum. Transfer failed.");
}

#[test]
fn a_job_runs_detached_and_is_asked_about() {
    let dir = tempfile::tempdir().unwrap();
    let mut runner = Runner::start();
    let mut job = call("shell", json!({"_raw_params": "sleep 0.3; echo done"}));
    (job.async_seconds, job.job, job.async_dir) = (30, "j1.1".into(), dir.path().to_str().unwrap().into());
    let started = runner.run(job);
    assert_eq!((&started["started"], &started["finished"]), (&json!(true), &json!(false)));
    drop(runner);
    let mut runner = Runner::start();
    let ask = json!({"jid": "j1.1", "_async_dir": dir.path().to_str()});
    let result = loop {
        let result = runner.run(call("async_status", ask.clone()));
        if result["finished"] == json!(true) {
            break result;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    assert_eq!((&result["stdout"], &result["rc"]), (&json!("done"), &json!(0)));
    let cleanup = runner.run(call("async_status", json!({"jid": "j1.1", "mode": "cleanup", "_async_dir": dir.path().to_str()})));
    assert_eq!(cleanup["erased"], dir.path().join("j1.1").to_str().unwrap());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
