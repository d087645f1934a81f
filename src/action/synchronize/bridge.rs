//! Joins rsync with its other side: `rplay __rsh SOCKET ...`, which rsync starts as its remote shell, says what to run and gives its
//! standard input; a process on the open connection runs it, and its output goes back in frames (kind, length, bytes).

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::time::Duration;

use super::Request;
use crate::connection::{ConnectError, Opened, Outbox};

/// Kind of a frame with standard output.
pub const OUT: u8 = 1;
/// Kind of a frame with standard error.
pub const ERR: u8 = 2;
/// Kind of the last frame: the exit status, one byte.
pub const CODE: u8 = 3;

/// What may wait for rsync or for the target.
const WAITING: usize = 8 * 1024 * 1024;

/// How the other side ended.
pub(super) enum Ended {
    /// With this status; said anything before.
    Code(i32, bool),
    /// rsync ended before it asked for its other side.
    NeverAsked,
    /// The connection failed.
    Broken(ConnectError),
}

/// Serves one rsync until its other side is over.
pub(super) fn serve(request: &Request, listener: &UnixListener, child: &mut Child) -> Ended {
    let Some(stream) = accept(listener, child) else { return Ended::NeverAsked };
    match join(request, stream) {
        Ok((code, said)) => Ended::Code(code, said),
        Err(error) => Ended::Broken(error),
    }
}

fn accept(listener: &UnixListener, child: &mut Child) -> Option<UnixStream> {
    listener.set_nonblocking(true).ok()?;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).ok()?;
                return Some(stream);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return None,
        }
        if !matches!(child.try_wait(), Ok(None)) {
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn join(request: &Request, mut stream: UnixStream) -> Result<(i32, bool), ConnectError> {
    let lost = |error: std::io::Error| ConnectError::Setup { message: format!("rsync is gone: {error}") };
    let mut length = [0; 4];
    stream.read_exact(&mut length).map_err(lost)?;
    let mut command = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut command).map_err(lost)?;
    let opened = request.pool.open(request.target, request.become_, &command)?;
    let reader = stream.try_clone().map_err(lost)?;
    let (input_to, input) = sync_channel(64);
    std::thread::spawn(move || read_input(reader, &input_to));
    let (output, output_from) = channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&waiting);
    let writer = std::thread::spawn(move || write_output(stream, &output_from, &counted));
    let ended = move_bytes(opened, &input, &output, &waiting);
    drop(output);
    // what is left is written before rsync is told that its other side is over
    let _ = writer.join();
    ended
}

fn read_input(mut stream: UnixStream, to: &SyncSender<Vec<u8>>) {
    let mut buffer = vec![0; 32 * 1024];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        if to.send(buffer[..read].to_vec()).is_err() {
            return;
        }
    }
}

fn write_output(mut stream: UnixStream, from: &Receiver<(u8, Vec<u8>)>, waiting: &AtomicUsize) {
    for (kind, bytes) in from {
        let mut frame = vec![kind];
        frame.extend((bytes.len() as u32).to_be_bytes());
        frame.extend(&bytes);
        waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
        if stream.write_all(&frame).is_err() {
            return;
        }
    }
}

/// Moves bytes until the process is over.
fn move_bytes(mut opened: Opened, input: &Receiver<Vec<u8>>, output: &Sender<(u8, Vec<u8>)>, waiting: &AtomicUsize) -> Result<(i32, bool), ConnectError> {
    let (mut outbox, mut said, mut ended) = (Outbox::new(), false, false);
    let mut pause = Duration::from_millis(1);
    loop {
        for (kind, bytes) in [(OUT, &mut opened.out), (ERR, &mut opened.err)] {
            if !bytes.is_empty() {
                said |= kind == OUT;
                waiting.fetch_add(bytes.len(), Ordering::Relaxed);
                if output.send((kind, std::mem::take(bytes))).is_err() {
                    // rsync is gone: nobody needs its other side
                    opened.process.end();
                    return Ok((255, true));
                }
            }
        }
        if let Some(exit) = opened.process.exit() {
            waiting.fetch_add(1, Ordering::Relaxed);
            let code = if exit.code < 0 { 255 } else { exit.code.min(255) };
            let _ = output.send((CODE, vec![u8::try_from(code).unwrap_or(255)]));
            return Ok((code, said));
        }
        let mut took = false;
        while !ended && outbox.len() < WAITING {
            match input.try_recv() {
                Ok(bytes) => {
                    took = true;
                    outbox.push(bytes);
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    ended = true;
                    outbox.close();
                }
            }
        }
        if waiting.load(Ordering::Relaxed) > WAITING && !ended {
            std::thread::sleep(Duration::from_millis(1));
            continue;
        }
        let moved = opened.process.pump(&mut outbox, &mut opened.out, &mut opened.err, pause)?;
        // rsync's bytes wake nobody here, so pauses stay short while anything moves
        pause = if moved || took { Duration::from_millis(1) } else { (pause * 2).min(Duration::from_millis(16)) };
    }
}
