//! The runner's conversation: one thread listens (calls, content, cancel, the end), the caller's thread works and answers in order.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::accounts;
use crate::context::Controller;
use crate::control::Control;
use crate::execute::{execute, failed};
use crate::job;
use crate::outcome::Failure;
use crate::wire::{BLOB_PIECE, Call, Frame, Hello, Reply, VERSION};

/// Content on its way in.
enum Incoming {
    Piece(u32, Vec<u8>),
    Refused(u32, String),
}

/// What both threads know.
#[derive(Clone, Default)]
struct Shared {
    control: Control,
    cancelled: Arc<Mutex<HashSet<u32>>>,
}

/// Serves until the controller says `Bye` or goes away. `input` and `output` are the protocol's own.
///
/// # Errors
/// The protocol is not spoken, or the output is gone.
pub fn serve(input: File, output: File, env: &[(String, String)]) -> io::Result<()> {
    let mut output = output;
    Frame::Hello(hello(env)).write(&mut output)?;
    let shared = Shared::default();
    let (calls_to, calls) = channel();
    let (content_to, content) = channel();
    let listener = shared.clone();
    thread::spawn(move || listen(input, &listener, &calls_to, &content_to));
    let mut line = Line { output, content, call: 0 };
    let mut stopped_batch = 0;
    for (id, call) in calls {
        let reply = if call.batch != 0 && call.batch == stopped_batch {
            Reply { not_run: true, ..Reply::default() }
        } else {
            answer(id, &call, env, &mut line, &shared)
        };
        if call.stop_on_failure && call.batch != 0 && is_failed(&reply) {
            stopped_batch = call.batch;
        }
        Frame::Reply(id, Box::new(reply)).write(&mut line.output)?;
    }
    Ok(())
}

fn is_failed(reply: &Reply) -> bool {
    reply.result.get("failed") == Some(&Value::Bool(true))
}

fn hello(env: &[(String, String)]) -> Hello {
    let uid = rustix::process::geteuid().as_raw();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = passwd.lines().filter_map(accounts::parse_user).find(|user| user.uid == uid);
    let variable = |name: &str| env.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default();
    let (name, home) = user.map_or_else(|| (variable("USER"), variable("HOME")), |user| (user.name, user.home));
    Hello { version: VERSION, pid: std::process::id(), uid, user: name, home }
}

fn answer(id: u32, call: &Call, env: &[(String, String)], line: &mut Line, shared: &Shared) -> Reply {
    let control = &shared.control;
    line.call = id;
    control.begin(u64::from(id));
    if shared.cancelled.lock().unwrap_or_else(PoisonError::into_inner).remove(&id) {
        return failed(Failure::new("cancelled"));
    }
    if call.async_seconds > 0 && !call.check {
        return job::start(call, env, line);
    }
    let (_alive, gone) = channel::<()>();
    if call.timeout > 0 {
        time_out(call.timeout, id, control.clone(), gone);
    }
    let reply = execute(call, env, line, control);
    control.begin(u64::MAX);
    reply
}

/// Ends the call after its time, unless it is over (its end of the channel is dropped) before.
fn time_out(seconds: u64, id: u32, control: Control, gone: Receiver<()>) {
    thread::spawn(move || {
        if gone.recv_timeout(Duration::from_secs(seconds)) == Err(RecvTimeoutError::Timeout) {
            control.end_call(u64::from(id), &format!("Timed out after {seconds} second(s)."));
        }
    });
}

/// Reads frames until the end. What runs is ended when the controller is gone; after `Bye` it may finish.
fn listen(mut input: File, shared: &Shared, calls: &Sender<(u32, Box<Call>)>, content: &Sender<Incoming>) {
    let reason = loop {
        let sent = match Frame::read(&mut input) {
            Ok(Some(Frame::Hello(hello))) if hello.version == VERSION => true,
            Ok(Some(Frame::Hello(hello))) => break format!("the controller speaks version {} of the protocol", hello.version),
            Ok(Some(Frame::Call(id, call))) => calls.send((id, call)).is_ok(),
            Ok(Some(Frame::Blob(id, bytes))) => content.send(Incoming::Piece(id, bytes)).is_ok(),
            Ok(Some(Frame::NoBlob(id, reason))) => content.send(Incoming::Refused(id, reason)).is_ok(),
            Ok(Some(Frame::Cancel(id))) => {
                shared.cancelled.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
                shared.control.end_call(u64::from(id), "cancelled");
                true
            }
            Ok(Some(Frame::Bye)) => return,
            Ok(Some(other)) => break format!("protocol error: unexpected {other:?}"),
            Ok(None) => break "the controller is gone".to_owned(),
            Err(error) => break error.to_string(),
        };
        if !sent {
            return;
        }
    };
    shared.control.end_all(&reason);
}

/// The worker's side of the channel.
struct Line {
    output: File,
    content: Receiver<Incoming>,
    call: u32,
}

impl Controller for Line {
    fn blob(&mut self, sha256: &str, sink: &mut dyn Write) -> Result<(), String> {
        Frame::NeedBlob(self.call, sha256.to_owned()).write(&mut self.output).map_err(|error| error.to_string())?;
        loop {
            match self.content.recv() {
                Ok(Incoming::Piece(id, _)) | Ok(Incoming::Refused(id, _)) if id != self.call => {}
                Ok(Incoming::Piece(_, bytes)) if bytes.is_empty() => return Ok(()),
                Ok(Incoming::Piece(_, bytes)) => sink.write_all(&bytes).map_err(|error| format!("could not keep content: {error}"))?,
                Ok(Incoming::Refused(_, reason)) => return Err(reason),
                Err(_) => return Err("the controller is gone".into()),
            }
        }
    }

    fn output(&mut self, stream: u8, bytes: &[u8]) {
        // what is only shown may be lost; the reply will find out that the channel is gone
        let _ = Frame::Output(self.call, stream, bytes.to_vec()).write(&mut self.output);
    }

    fn send(&mut self, piece: &[u8]) -> io::Result<()> {
        for part in piece.chunks(BLOB_PIECE) {
            Frame::Blob(self.call, part.to_vec()).write(&mut self.output)?;
        }
        if piece.is_empty() {
            Frame::Blob(self.call, vec![]).write(&mut self.output)?;
        }
        Ok(())
    }
}
