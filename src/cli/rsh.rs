//! `rplay __rsh SOCKET HOST COMMAND...`: what rsync starts as its remote shell. It only joins rsync with the rplay that started it.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;

use super::console;
use crate::action::{CODE, ERR};

/// Runs until the other side is over; its exit code.
pub(super) fn run(words: &[OsString]) -> i32 {
    let [socket, _host, command @ ..] = words else {
        console::tell("rplay __rsh is for rsync as started by rplay\n");
        return 255;
    };
    match join(socket, command) {
        Ok(code) => code,
        Err(error) => {
            console::tell(&format!("rplay: the connection to the other side is lost: {error}\n"));
            255
        }
    }
}

fn join(socket: &OsString, command: &[OsString]) -> std::io::Result<i32> {
    // rsync leaves our output non-blocking, as ssh likes it
    let flags = rustix::fs::fcntl_getfl(std::io::stdout())?;
    rustix::fs::fcntl_setfl(std::io::stdout(), flags - rustix::fs::OFlags::NONBLOCK)?;
    let mut stream = UnixStream::connect(socket)?;
    // rsync has quoted the words for the shell there
    let command: Vec<u8> = command.iter().map(|word| word.as_bytes()).collect::<Vec<_>>().join(&b' ');
    stream.write_all(&(command.len() as u32).to_be_bytes())?;
    stream.write_all(&command)?;
    let mut input = stream.try_clone()?;
    std::thread::spawn(move || {
        // the end of input is told in either case
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut input);
        let _ = input.shutdown(Shutdown::Write);
    });
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr().lock());
    let mut head = [0; 5];
    loop {
        stream.read_exact(&mut head)?;
        let mut bytes = vec![0; u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize];
        stream.read_exact(&mut bytes)?;
        match head[0] {
            CODE => return Ok(i32::from(bytes.first().copied().unwrap_or(255))),
            ERR => err.write_all(&bytes)?,
            _ => {
                out.write_all(&bytes)?;
                out.flush()?;
            }
        }
    }
}
