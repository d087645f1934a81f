//! Shows what the lab does while it does it: one line per stage with its time, and what is expected to take long.

use std::io::Write;
use std::time::Instant;

/// Writes the lines; a screen that went away is no reason to stop.
pub(crate) struct Stages<'a> {
    out: &'a mut dyn Write,
    began: Instant,
}

impl<'a> Stages<'a> {
    /// Begins the clock.
    pub(crate) fn new(out: &'a mut dyn Write) -> Self {
        Stages { out, began: Instant::now() }
    }

    /// A stage that ended, with the time since `since`.
    pub(crate) fn done(&mut self, stage: &str, text: &str, since: Instant) {
        let seconds = since.elapsed().as_secs_f64();
        self.line(format_args!("  {stage:<12} {text} ({seconds:.1} s)"));
    }

    /// Something to know about a stage, before or after it.
    pub(crate) fn note(&mut self, stage: &str, text: &str) {
        self.line(format_args!("  {stage:<12} {text}"));
    }

    /// A line of its own.
    pub(crate) fn say(&mut self, text: &str) {
        self.line(format_args!("{text}"));
    }

    /// The last line, with the time since the beginning.
    pub(crate) fn finish(&mut self, text: &str) {
        let seconds = self.began.elapsed().as_secs_f64();
        self.line(format_args!("{text} ({seconds:.1} s)"));
    }

    fn line(&mut self, text: std::fmt::Arguments) {
        let _ = writeln!(self.out, "{text}");
        let _ = self.out.flush();
    }
}
