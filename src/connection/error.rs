//! Why a host, a process or a runner could not be had, in Ansible's words where it has some.

use thiserror::Error;

/// What went wrong between us and a target.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConnectError {
    /// The host does not answer, or the connection was lost.
    #[error("{message}")]
    Unreachable {
        /// What happened.
        message: String,
    },
    /// The host does not let us in.
    #[error("{message}")]
    AuthFailed {
        /// What was tried, and what would help.
        message: String,
    },
    /// The host did not prove who it is.
    #[error("{message}")]
    HostKey {
        /// Which key, and what would help.
        message: String,
    },
    /// Becoming another user failed.
    #[error("{message}")]
    Become {
        /// What the program said.
        message: String,
    },
    /// No runner can be had on this host.
    #[error("{message}")]
    NoRunner {
        /// Why.
        message: String,
    },
    /// The runner said something that it should not.
    #[error("{message}")]
    Protocol {
        /// What.
        message: String,
    },
    /// Our own side is set up wrongly.
    #[error("{message}")]
    Setup {
        /// What.
        message: String,
    },
    /// The task's time is over.
    #[error("Timed out after {seconds} second(s).")]
    TimedOut {
        /// How long it was given.
        seconds: u64,
    },
    /// The run is being stopped.
    #[error("interrupted")]
    Cancelled,
}

impl ConnectError {
    /// `UNREACHABLE` rather than `FAILED`.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, ConnectError::Unreachable { .. } | ConnectError::AuthFailed { .. } | ConnectError::HostKey { .. })
    }

    /// Lost or refused by the network, with Ansible's beginning.
    pub(crate) fn via_ssh(message: impl std::fmt::Display) -> ConnectError {
        ConnectError::Unreachable { message: format!("Failed to connect to the host via ssh: {message}") }
    }

    pub(crate) fn lost(host: &str, message: impl std::fmt::Display) -> ConnectError {
        ConnectError::Unreachable { message: format!("Failed to connect to the host via ssh: connection to {host} lost: {message}") }
    }

    pub(crate) fn setup(message: impl Into<String>) -> ConnectError {
        ConnectError::Setup { message: message.into() }
    }
}

/// The text of an operating system error, without the number that Rust adds.
pub(crate) fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}
