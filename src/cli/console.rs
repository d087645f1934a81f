//! Talking to the person at the terminal.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::diagnostic::Diagnostic;

/// Writes a text to standard output.
pub(super) fn say(text: &str) {
    let mut out = io::stdout();
    let text = crate::mask::masked(text);
    // nothing can be said where nobody listens
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Writes a text to standard error.
pub(super) fn tell(text: &str) {
    let mut err = io::stderr();
    let text = crate::mask::masked(text);
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Shows what is wrong with what the user wrote.
pub(super) fn complain(diagnostics: &[Diagnostic]) {
    let color = io::stderr().is_terminal();
    for diagnostic in diagnostics {
        tell(&format!("{}\n", diagnostic.draw(color)));
    }
}

/// Asks without showing what is typed.
pub(super) fn secret(prompt: &str) -> io::Result<String> {
    if io::stdin().is_terminal() {
        return rpassword::prompt_password(prompt);
    }
    tell(prompt);
    let line = line()?;
    tell("\n");
    Ok(line)
}

/// A line of standard input without its end.
pub(super) fn line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\n', '\r']).to_string())
}

/// Columns of the terminal: 79 when standard output is none.
pub(super) fn width() -> usize {
    if !io::stdout().is_terminal() {
        return 79;
    }
    rustix::termios::tcgetwinsize(io::stdout()).map_or(79, |size| usize::from(size.ws_col.max(2)) - 1)
}
