//! The protocol between the controller and a runner: length-prefixed frames over one byte stream.
//!
//! A frame is `u32` length (big endian, of kind and payload), one byte kind, payload. File content travels raw in
//! [`Frame::Blob`], packed (see [`crate::piece`]) where that makes it smaller; everything else is JSON. The controller sends `Hello`, `Call`, `Blob`, `Cancel`, `Bye`;
//! the runner sends `Hello`, `Output`, `NeedBlob`, `Blob`, `Reply`. Calls carry an id, may be sent ahead (loop items) and are
//! answered in order.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::piece;

/// Version of the protocol; both sides refuse another one.
pub const VERSION: u32 = 2;

/// The largest frame that either side accepts, in bytes. Longer content is split into several blobs.
pub const MAX_FRAME: usize = 64 * 1024 * 1024;

/// Content of a file travels in pieces of at most this many bytes.
pub const BLOB_PIECE: usize = 256 * 1024;

/// What either side says first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// Always [`VERSION`].
    pub version: u32,
    /// Process id of the speaker.
    pub pid: u32,
    /// Effective user id of the speaker.
    pub uid: u32,
    /// Name of that user, empty where it is unknown.
    pub user: String,
    /// Home directory of that user, empty where it is unknown.
    pub home: String,
}

/// One task for one host: a module run, or a program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Name of the module as in the static list, without collection (`copy`, `systemd`).
    pub module: String,
    /// Arguments, templated but not yet coerced. Keys that begin with `_rplay_` are from the controller's action.
    pub args: Map<String, Value>,
    /// Check mode: predict, change nothing.
    #[serde(default)]
    pub check: bool,
    /// Collect diffs.
    #[serde(default)]
    pub diff: bool,
    /// Environment of the task, added to the runner's own.
    #[serde(default)]
    pub environment: Vec<(String, String)>,
    /// Send standard output and error of programs as `Output` frames while they run.
    #[serde(default)]
    pub live: bool,
    /// Seconds after which the runner ends the task by itself; 0 for none.
    #[serde(default)]
    pub timeout: u64,
    /// Run detached, for at most this many seconds (`async:`); 0 for in the foreground.
    #[serde(default)]
    pub async_seconds: u64,
    /// Job id of a detached run.
    #[serde(default)]
    pub job: String,
    /// Directory of job files, `~` allowed; empty for the default (`~/.ansible_async`).
    #[serde(default)]
    pub async_dir: String,
    /// Check mode: what earlier tasks of this run would have changed on this host, as the module crate's `Change` serialises itself.
    #[serde(default)]
    pub overlay: Vec<Value>,
    /// When this call fails, later calls of the same batch are not run (a loop of which the rest must not run).
    #[serde(default)]
    pub stop_on_failure: bool,
    /// Number of the batch of calls sent ahead together (the items of one loop); 0 for a call of its own.
    #[serde(default)]
    pub batch: u32,
    /// Context of files made by the task.
    #[serde(default)]
    pub umask: Option<u32>,
}

/// The answer to a [`Call`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The module's result with Ansible's names: `changed`, `failed`, `msg`, `rc`, `diff`...
    pub result: Map<String, Value>,
    /// Check mode: the changes that would have been made, for the overlay.
    #[serde(default)]
    pub changes: Vec<Value>,
    /// The call was not run because an earlier one of its batch with `stop_on_failure` failed.
    #[serde(default)]
    pub not_run: bool,
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// First frame of both sides.
    Hello(Hello),
    /// Controller: run this.
    Call(u32, Box<Call>),
    /// Runner: standard output (1) or standard error (2) of the running call.
    Output(u32, u8, Vec<u8>),
    /// Runner: send the content with this SHA-256 (hexadecimal), needed by the call.
    NeedBlob(u32, String),
    /// Either side: a piece of content; an empty piece ends it.
    Blob(u32, Vec<u8>),
    /// Controller: the content asked for cannot be had, with the reason.
    NoBlob(u32, String),
    /// Runner: the result.
    Reply(u32, Box<Reply>),
    /// Controller: end the running call (its processes are killed) and answer it as failed.
    Cancel(u32),
    /// Controller: end of the conversation.
    Bye,
}

const KIND_HELLO: u8 = 1;
const KIND_CALL: u8 = 2;
const KIND_OUTPUT: u8 = 3;
const KIND_NEED: u8 = 4;
const KIND_BLOB: u8 = 5;
const KIND_NO_BLOB: u8 = 6;
const KIND_REPLY: u8 = 7;
const KIND_CANCEL: u8 = 8;
const KIND_BYE: u8 = 9;
const KIND_PACKED: u8 = 10;

impl Frame {
    /// The frame's bytes, length included, so that one `write` sends it.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![0, 0, 0, 0];
        match self {
            Frame::Hello(hello) => {
                out.push(KIND_HELLO);
                json(&mut out, hello);
            }
            Frame::Call(id, call) => {
                head(&mut out, KIND_CALL, *id);
                json(&mut out, call);
            }
            Frame::Output(id, stream, bytes) => {
                head(&mut out, KIND_OUTPUT, *id);
                out.push(*stream);
                out.extend_from_slice(bytes);
            }
            Frame::NeedBlob(id, sha256) => {
                head(&mut out, KIND_NEED, *id);
                out.extend_from_slice(sha256.as_bytes());
            }
            Frame::Blob(id, bytes) => return Frame::encode_blob(*id, bytes),
            Frame::NoBlob(id, reason) => {
                head(&mut out, KIND_NO_BLOB, *id);
                out.extend_from_slice(reason.as_bytes());
            }
            Frame::Reply(id, reply) => {
                head(&mut out, KIND_REPLY, *id);
                json(&mut out, reply);
            }
            Frame::Cancel(id) => head(&mut out, KIND_CANCEL, *id),
            Frame::Bye => out.push(KIND_BYE),
        }
        let length = (out.len() - 4) as u32;
        out[..4].copy_from_slice(&length.to_be_bytes());
        out
    }

    /// The bytes of a [`Frame::Blob`], for who has the content at hand.
    pub fn encode_blob(id: u32, bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![0, 0, 0, 0];
        head(&mut out, KIND_PACKED, id);
        if !piece::pack(bytes, &mut out) {
            out[4] = KIND_BLOB;
            out.extend_from_slice(bytes);
        }
        let length = (out.len() - 4) as u32;
        out[..4].copy_from_slice(&length.to_be_bytes());
        out
    }

    /// Takes one whole frame from the front of `buffer`: the frame and how many bytes it took, or `None` while it is incomplete.
    ///
    /// # Errors
    /// A frame that is too long, of unknown kind or not well-formed.
    pub fn decode(buffer: &[u8]) -> io::Result<Option<(Frame, usize)>> {
        let Some(prefix) = buffer.first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*prefix) as usize;
        if length == 0 || length > MAX_FRAME {
            return Err(bad(format!("a frame of {length} bytes")));
        }
        let Some(body) = buffer.get(4..4 + length) else { return Ok(None) };
        Ok(Some((Frame::parse(body[0], &body[1..])?, 4 + length)))
    }

    fn parse(kind: u8, body: &[u8]) -> io::Result<Frame> {
        let with_id = || -> io::Result<(u32, &[u8])> {
            let id = body.first_chunk::<4>().ok_or_else(|| bad("a frame without an id"))?;
            Ok((u32::from_be_bytes(*id), &body[4..]))
        };
        Ok(match kind {
            KIND_HELLO => Frame::Hello(parse_json(body)?),
            KIND_BYE => Frame::Bye,
            _ => {
                let (id, rest) = with_id()?;
                match kind {
                    KIND_CALL => Frame::Call(id, Box::new(parse_json(rest)?)),
                    KIND_REPLY => Frame::Reply(id, Box::new(parse_json(rest)?)),
                    KIND_OUTPUT => {
                        let (stream, bytes) = rest.split_first().ok_or_else(|| bad("an empty output frame"))?;
                        Frame::Output(id, *stream, bytes.to_vec())
                    }
                    KIND_NEED => Frame::NeedBlob(id, text(rest)?),
                    KIND_NO_BLOB => Frame::NoBlob(id, text(rest)?),
                    KIND_BLOB => Frame::Blob(id, rest.to_vec()),
                    KIND_PACKED => Frame::Blob(id, piece::unpack(rest)?),
                    KIND_CANCEL => Frame::Cancel(id),
                    other => return Err(bad(format!("a frame of unknown kind {other}"))),
                }
            }
        })
    }

    /// Reads one frame; `None` at the end of the stream.
    ///
    /// # Errors
    /// I/O errors and malformed frames.
    pub fn read(from: &mut impl Read) -> io::Result<Option<Frame>> {
        let mut prefix = [0; 4];
        let mut got = 0;
        while got < 4 {
            match from.read(&mut prefix[got..])? {
                0 if got == 0 => return Ok(None),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => got += n,
            }
        }
        let length = u32::from_be_bytes(prefix) as usize;
        if length == 0 || length > MAX_FRAME {
            return Err(bad(format!("a frame of {length} bytes")));
        }
        let mut body = vec![0; length];
        from.read_exact(&mut body)?;
        Frame::parse(body[0], &body[1..]).map(Some)
    }

    /// Writes the frame with one call and flushes.
    ///
    /// # Errors
    /// I/O errors.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.encode())?;
        to.flush()
    }
}

fn head(out: &mut Vec<u8>, kind: u8, id: u32) {
    out.push(kind);
    out.extend_from_slice(&id.to_be_bytes());
}

fn json(out: &mut Vec<u8>, value: &impl Serialize) {
    // serialising these plain structures into memory cannot fail
    let _ = serde_json::to_writer(out, value);
}

fn parse_json<T: for<'a> Deserialize<'a>>(body: &[u8]) -> io::Result<T> {
    serde_json::from_slice(body).map_err(|error| bad(error.to_string()))
}

fn text(bytes: &[u8]) -> io::Result<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| bad("a frame that is not UTF-8"))
}

pub(crate) fn bad(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("protocol error: {}", what.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_survives_the_way_there_and_back() {
        let call = Call { module: "ping".into(), ..serde_json::from_str(r#"{"module":"x","args":{}}"#).unwrap() };
        for frame in [
            Frame::Hello(Hello { version: VERSION, pid: 1, uid: 0, user: "root".into(), home: "/root".into() }),
            Frame::Call(7, Box::new(call)),
            Frame::Output(7, 2, b"\xff\0".to_vec()),
            Frame::NeedBlob(7, "ab".into()),
            Frame::Blob(7, vec![]),
            Frame::Blob(7, b"packed ".repeat(9000)),
            Frame::NoBlob(7, "gone".into()),
            Frame::Reply(7, Box::default()),
            Frame::Cancel(7),
            Frame::Bye,
        ] {
            let bytes = frame.encode();
            assert_eq!(Frame::decode(&bytes).unwrap(), Some((frame.clone(), bytes.len())));
            assert_eq!(Frame::decode(&bytes[..bytes.len() - 1]).unwrap(), None);
            assert_eq!(Frame::read(&mut &bytes[..]).unwrap(), Some(frame));
        }
    }

    #[test]
    fn a_frame_that_is_too_long_is_refused() {
        let error = Frame::decode(&[0xff, 0xff, 0xff, 0xff, 1]).unwrap_err();
        assert!(error.to_string().contains("protocol error"));
    }
}
