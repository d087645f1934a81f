//! What is wrong with a scenario, with its place, and the exit code that says so.

use std::fmt;
use std::path::{Path, PathBuf};

/// Exit codes as Molecule has them; a play that fails ends with its own.
pub mod code {
    /// Anything that failed without a code of its own.
    pub const FAILED: i32 = 1;
    /// A command line that makes no sense.
    pub const USAGE: i32 = 2;
    /// Another run holds the scenario.
    pub const TIMEOUT: i32 = 3;
    /// The surroundings are not as needed: no such platform, no such program.
    pub const SETUP: i32 = 4;
    /// The user ended it.
    pub const INTERRUPTED: i32 = 99;
}

/// A place in a file; lines and columns count from one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// Its line.
    pub line: usize,
    /// The column in that line, after variables were put in.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Where, when it is in a file.
    pub place: Option<Place>,
    /// What.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Complaint {
    /// A complaint without a place.
    pub fn new(message: impl Into<String>) -> Complaint {
        Complaint { place: None, message: message.into(), help: None }
    }

    /// A complaint about a place in a file.
    pub fn at(place: Place, message: impl Into<String>) -> Complaint {
        Complaint { place: Some(place), message: message.into(), help: None }
    }

    /// With advice.
    pub fn help(mut self, help: impl Into<String>) -> Complaint {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

/// Why something cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong, in order of the places.
    pub complaints: Vec<Complaint>,
    /// The exit code for it.
    pub code: i32,
}

impl Failure {
    /// A failure with one complaint.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure::from(Complaint::new(message))
    }

    /// A file that cannot be used.
    pub fn io(what: &str, path: &Path, error: &std::io::Error) -> Failure {
        Failure::new(format!("cannot {what} {}: {error}", path.display()))
    }

    /// With another exit code.
    pub fn code(mut self, code: i32) -> Failure {
        self.code = code;
        self
    }
}

impl From<Complaint> for Failure {
    fn from(complaint: Complaint) -> Failure {
        Failure { complaints: vec![complaint], code: code::FAILED }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.complaints.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Failure {}

/// What can fail so.
pub type Result<T> = std::result::Result<T, Failure>;
