//! The one thread that writes: it takes events from the channel and gives them to the reports.

use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::{Live, Report};
use crate::event::Event;

/// Where reports write.
pub trait Screen {
    /// A line (or several) for standard output; the line's end is added.
    fn out(&mut self, text: &str);

    /// A line (or several) for standard error.
    fn err(&mut self, text: &str);
}

/// Standard output and error, and a log file that gets both without colours.
pub struct Streams {
    /// Standard output.
    pub out: Box<dyn Write + Send>,
    /// Standard error.
    pub err: Box<dyn Write + Send>,
    /// `log_path`.
    pub log: Option<Box<dyn Write + Send>>,
}

impl Streams {
    fn write(&mut self, error: bool, text: &str) {
        let text = &*crate::mask::masked(text);
        let to = if error { &mut self.err } else { &mut self.out };
        // nothing can be said where nobody listens
        let _ = to.write_all(text.as_bytes()).and_then(|()| to.write_all(b"\n"));
        if let Some(log) = &mut self.log {
            let stamp = chrono::Local::now().format("%Y-%m-%d %H:%M:%S,%3f");
            let _ = writeln!(log, "{stamp} p={} | {}", std::process::id(), plain(text));
        }
    }
}

impl Screen for Streams {
    fn out(&mut self, text: &str) {
        self.write(false, text);
    }

    fn err(&mut self, text: &str) {
        let _ = self.out.flush();
        self.write(true, text);
        let _ = self.err.flush();
    }
}

/// Text without ANSI colours.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\x1b' {
            for c in chars.by_ref() {
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Gives events to the reports until the senders are gone.
pub fn follow(receiver: Receiver<Event>, mut reports: Vec<Box<dyn Report>>, mut streams: Streams, mut live: Option<Live>) {
    loop {
        let event = match receiver.recv_timeout(Duration::from_millis(if live.is_some() { 100 } else { 60_000 })) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => {
                if let Some(live) = &mut live {
                    live.draw(&mut *streams.err);
                }
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        };
        if let Some(live) = &mut live {
            live.clear(&mut *streams.err);
            live.event(&event);
        }
        for report in &mut reports {
            report.event(&event, &mut streams);
        }
        let _ = streams.out.flush();
    }
    if let Some(live) = &mut live {
        live.clear(&mut *streams.err);
    }
    let _ = streams.out.flush();
    let _ = streams.err.flush();
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn colours_do_not_reach_the_log() {
        assert_eq!(plain("\x1b[0;32mok: [h]\x1b[0m"), "ok: [h]");
    }
}
