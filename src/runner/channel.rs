//! The conversation with one runner.

use std::io::Read;
use std::time::{Duration, Instant};

use rplay_modules::wire::{BLOB_PIECE, Call, Frame, Hello, Reply, VERSION};

use super::ContentSource;
use crate::connection::{ConnectError, Limits, Opened, Outbox, Process};

/// Calls of a batch that may be on their way at once.
const AHEAD: usize = 256;

/// Content is read while less than this waits to be sent.
const READ_AHEAD: usize = 2 * BLOB_PIECE;

/// A runner that has said hello.
pub(super) struct Runner {
    process: Box<dyn Process>,
    outbox: Outbox,
    inbox: Vec<u8>,
    read: usize,
    err: Vec<u8>,
    /// Content as it was read, before it is packed.
    piece: Vec<u8>,
    next: u32,
    /// What it said about itself.
    pub hello: Hello,
}

/// What the caller of a batch wants to hear.
pub(super) struct Ears<'a> {
    pub content: &'a dyn ContentSource,
    pub on_output: &'a mut dyn FnMut(bool, &[u8]),
    pub on_blob: &'a mut dyn FnMut(&[u8]),
    pub on_reply: &'a mut dyn FnMut(usize, Reply),
    /// Content was asked for: another round trip.
    pub on_need: &'a mut dyn FnMut(),
}

/// Why a runner did not start.
pub(super) enum Failed {
    /// Its file is not there or cannot be run.
    Missing(String),
    /// Anything else.
    Other(ConnectError),
}

impl Runner {
    /// Waits for the hello of a process that is to become a runner.
    pub(super) fn greet(opened: Opened, limits: &Limits<'_>) -> Result<Runner, Failed> {
        let hello = Hello { version: VERSION, pid: std::process::id(), uid: rustix::process::getuid().as_raw(), user: String::new(), home: String::new() };
        let Opened { process, out, err } = opened;
        let mut runner = Runner { process, outbox: Outbox::new(), inbox: out, read: 0, err, piece: Vec::new(), next: 1, hello };
        runner.outbox.push(Frame::Hello(runner.hello.clone()).encode());
        let patience = Instant::now() + Duration::from_secs(30);
        loop {
            match runner.frame() {
                Ok(Some(Frame::Hello(hello))) if hello.version == VERSION => {
                    runner.hello = hello;
                    return Ok(runner);
                }
                Ok(Some(Frame::Hello(hello))) => {
                    let message = format!("the runner speaks version {} of the protocol, and we speak {VERSION}", hello.version);
                    return Err(Failed::Other(ConnectError::Protocol { message }));
                }
                Ok(Some(_)) => return Err(Failed::Other(ConnectError::Protocol { message: "the runner did not begin with a hello".into() })),
                Ok(None) if Instant::now() > patience => {
                    return Err(Failed::Other(ConnectError::Protocol { message: format!("the runner says nothing. {}", runner.complaint()) }));
                }
                Ok(None) => {}
                Err(error) => return Err(Failed::Other(error)),
            }
            let wait = limits.check().map_err(Failed::Other)?;
            runner.pump(wait).map_err(Failed::Other)?;
            if let Some(exit) = runner.process.exit().filter(|_| runner.inbox.is_empty()) {
                let said = runner.complaint();
                return Err(match exit.code {
                    126 | 127 => Failed::Missing(said),
                    code => Failed::Other(ConnectError::Protocol { message: format!("the runner ended with status {code}. {said}") }),
                });
            }
        }
    }

    /// A number for the next batch that no other batch of this runner has.
    pub(super) fn batch(&self) -> u32 {
        self.next
    }

    /// False when it ended since the last call; what it said meanwhile is read.
    pub(super) fn still_there(&mut self) -> bool {
        self.pump(Duration::ZERO).is_ok() && self.process.exit().is_none()
    }

    /// Sends the calls ahead and hears the answers in order.
    ///
    /// # Errors
    /// The runner is lost, or the time is over; in the latter case `true` says that the runner can still be used.
    pub(super) fn converse(&mut self, calls: Vec<Call>, ears: &mut Ears<'_>, limits: &Limits<'_>) -> Result<(), (ConnectError, bool)> {
        let first = self.next;
        let count = calls.len();
        self.next = self.next.wrapping_add(count as u32).max(1);
        let mut calls = calls.into_iter().enumerate();
        let (mut asked, mut answered) = (0, 0);
        let mut upload: Option<(u32, Box<dyn Read + '_>)> = None;
        let content = ears.content;
        while answered < count {
            while asked - answered < AHEAD && self.outbox.len() < READ_AHEAD && upload.is_none() {
                let Some((index, call)) = calls.next() else { break };
                self.outbox.push(Frame::Call(first.wrapping_add(index as u32), Box::new(call)).encode());
                asked += 1;
            }
            self.feed(&mut upload);
            let wait = match limits.check() {
                Ok(wait) => wait,
                Err(error) => {
                    let usable = self.cancel(first.wrapping_add(answered as u32), first.wrapping_add(asked as u32), upload.is_some());
                    return Err((error, usable));
                }
            };
            match self.frame().map_err(|error| (error, false))? {
                None => {
                    self.pump(wait).map_err(|error| (error, false))?;
                    if self.process.exit().is_some() && self.inbox.is_empty() {
                        return Err((self.gone(), false));
                    }
                }
                Some(Frame::Reply(id, reply)) if id == first.wrapping_add(answered as u32) => {
                    (ears.on_reply)(answered, *reply);
                    answered += 1;
                }
                Some(Frame::Output(_, stream, bytes)) => (ears.on_output)(stream == 2, &bytes),
                Some(Frame::Blob(_, bytes)) => (ears.on_blob)(&bytes),
                Some(Frame::NeedBlob(id, sha256)) => {
                    (ears.on_need)();
                    match content.open(&sha256) {
                        Ok(reader) => upload = Some((id, reader)),
                        Err(error) => self.outbox.push(Frame::NoBlob(id, error.to_string()).encode()),
                    }
                }
                Some(other) => {
                    return Err((ConnectError::Protocol { message: format!("protocol error: the runner said {}", name(&other)) }, false));
                }
            }
        }
        Ok(())
    }

    /// Keeps some of the content that is being sent ready to go.
    fn feed(&mut self, upload: &mut Option<(u32, Box<dyn Read + '_>)>) {
        while self.outbox.len() < READ_AHEAD {
            let Some((id, reader)) = upload else { return };
            self.piece.clear();
            self.piece.reserve(BLOB_PIECE);
            let (frame, over) = match reader.take(BLOB_PIECE as u64).read_to_end(&mut self.piece) {
                Ok(_) => (Frame::encode_blob(*id, &self.piece), self.piece.is_empty()),
                Err(error) => (Frame::NoBlob(*id, error.to_string()).encode(), true),
            };
            self.outbox.push(frame);
            if over {
                *upload = None;
            }
        }
    }

    /// Cancels the calls that were asked and not answered; true when all were answered soon and the runner can go on.
    fn cancel(&mut self, from: u32, to: u32, uploading: bool) -> bool {
        if uploading {
            // in the middle of a content there is no way to say stop but to hang up
            return false;
        }
        let mut waiting = from;
        for id in from..to {
            self.outbox.push(Frame::Cancel(id).encode());
        }
        let patience = Instant::now() + Duration::from_secs(3);
        while waiting != to {
            match self.frame() {
                Ok(Some(Frame::Reply(id, _))) if id == waiting => waiting = waiting.wrapping_add(1),
                Ok(Some(Frame::NeedBlob(id, _))) => self.outbox.push(Frame::NoBlob(id, "cancelled".into()).encode()),
                Ok(Some(_)) => {}
                Ok(None) => {
                    let left = patience.saturating_duration_since(Instant::now());
                    if left.is_zero() || self.pump(left).is_err() || self.process.exit().is_some() {
                        return false;
                    }
                }
                Err(_) => return false,
            }
        }
        true
    }

    /// The next frame that has arrived whole.
    fn frame(&mut self) -> Result<Option<Frame>, ConnectError> {
        let decoded = Frame::decode(&self.inbox[self.read..]);
        let Some((frame, length)) = decoded.map_err(|error| ConnectError::Protocol { message: error.to_string() })? else {
            if self.read > 0 {
                self.inbox.drain(..self.read);
                self.read = 0;
            }
            return Ok(None);
        };
        self.read += length;
        if self.read == self.inbox.len() {
            self.inbox.clear();
            self.read = 0;
        }
        Ok(Some(frame))
    }

    fn pump(&mut self, wait: Duration) -> Result<bool, ConnectError> {
        let moved = self.process.pump(&mut self.outbox, &mut self.inbox, &mut self.err, wait)?;
        if self.err.len() > 8192 {
            self.err.drain(..self.err.len() - 4096);
        }
        Ok(moved)
    }

    /// The error for a runner that ended in the middle of a call.
    fn gone(&mut self) -> ConnectError {
        let how = match self.process.exit() {
            Some(exit) => exit.signal.map_or_else(|| format!("status {}", exit.code), |signal| format!("signal {signal}")),
            None => "no status".to_owned(),
        };
        ConnectError::Unreachable { message: format!("the runner ended with {how} while it worked. {}", self.complaint()) }
    }

    fn complaint(&self) -> String {
        String::from_utf8_lossy(&self.err).trim().to_owned()
    }

    /// Says goodbye and waits a moment for the runner to go, so that it can tidy up.
    pub(super) fn farewell(&mut self) {
        self.outbox.push(Frame::Bye.encode());
        self.outbox.close();
        let patience = Instant::now() + Duration::from_secs(1);
        while self.process.exit().is_none() {
            let left = patience.saturating_duration_since(Instant::now());
            self.inbox.clear();
            self.read = 0;
            if left.is_zero() || self.pump(left).is_err() {
                break;
            }
        }
        self.process.end();
    }
}

fn name(frame: &Frame) -> &'static str {
    match frame {
        Frame::Hello(_) => "hello again",
        Frame::Call(..) => "call",
        Frame::Reply(..) => "a reply out of turn",
        Frame::Cancel(_) => "cancel",
        Frame::Bye => "bye",
        Frame::Output(..) | Frame::NeedBlob(..) | Frame::Blob(..) | Frame::NoBlob(..) => "something out of turn",
    }
}
