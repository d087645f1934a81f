//! SSH in this process: libssh2 over a socket, one session per host for the whole run.

use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use ssh2::{MethodType, Session as Raw};

use super::ssh_config::{self, Settings};
use super::{ConnectError, Connection, Local, Process, Target, Transport, external};

mod auth;
mod dial;
mod hostkey;
mod known_hosts;
mod process;
mod session;

use session::Session;

/// How often a server that is too busy to begin is asked again.
const BUSY_RETRIES: u32 = 4;

/// A host behind libssh2.
struct Ssh {
    session: std::sync::Arc<Session>,
}

/// Connects, checks the host's key and logs in; hands over to the system's `ssh` what libssh2 cannot do.
pub(super) fn connect(target: &Target, local: &Local, files: &ssh_config::Files) -> Result<Box<dyn Connection>, ConnectError> {
    let settings = ssh_config::resolve(target, local, files)?;
    if let Some(reason) = settings.only_openssh.as_ref().filter(|_| target.password.is_none()) {
        files.once(local, &format!("{}: using the ssh program, because of {reason}", target.name));
        return openssh(target, local);
    }
    let mut attempt = 0;
    loop {
        match login(target, &settings, local, files) {
            Ok(session) => return Ok(Box::new(Ssh { session })),
            Err(Failure::Gssapi) => return openssh(target, local),
            Err(Failure::Busy(_)) if attempt < BUSY_RETRIES => {
                // sshd drops connections at random while many log in (MaxStartups)
                std::thread::sleep(Duration::from_millis(50 + 150 * u64::from(attempt) + u64::from(rand::random::<u8>())));
            }
            Err(Failure::Other(ConnectError::Unreachable { .. })) if attempt < target.retries.max(settings.connection_attempts.saturating_sub(1)) => {
                std::thread::sleep(Duration::from_secs(1 << attempt.min(5)));
            }
            Err(Failure::Busy(error) | Failure::Other(error)) => return Err(error),
        }
        attempt += 1;
    }
}

fn openssh(target: &Target, local: &Local) -> Result<Box<dyn Connection>, ConnectError> {
    let target = Target { transport: Transport::Openssh, ..target.clone() };
    Ok(Box::new(external::Program::new(&target, local)?))
}

/// Why a login failed, as far as the next step depends on it.
enum Failure {
    /// The server hung up before it said who it is.
    Busy(ConnectError),
    /// The server would take Kerberos, which only the system's `ssh` has.
    Gssapi,
    /// Anything else.
    Other(ConnectError),
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Failure {
        Failure::Other(error)
    }
}

fn login(target: &Target, settings: &Settings, local: &Local, files: &ssh_config::Files) -> Result<std::sync::Arc<Session>, Failure> {
    let timeout = settings.connect_timeout.unwrap_or(target.timeout).max(Duration::from_millis(1));
    let deadline = Instant::now() + timeout;
    let (wire, complaints) = dial::dial(settings, local, deadline)?;
    let fd = wire.as_raw_fd();
    let known = known_hosts::Known::load(settings)?;
    let mut raw = Raw::new().map_err(|error| setup(&error))?;
    raw.set_tcp_stream(wire);
    raw.set_timeout(timeout.as_millis().min(u128::from(u32::MAX)) as u32);
    raw.set_compress(settings.compression);
    prefer(&raw, settings, &known)?;
    if let Err(error) = raw.handshake() {
        return Err(handshake_failed(settings, &error, &dial::complaint(complaints)));
    }
    hostkey::verify(&raw, settings, &known, local, files)?;
    match auth::authenticate(&raw, target, settings) {
        Ok(()) => {}
        Err(auth::Refused::Gssapi) => return Err(Failure::Gssapi),
        Err(auth::Refused::Because(error)) => return Err(error.into()),
    }
    // when one is due we decide ourselves; libssh2 only refuses to send more than one in two seconds
    raw.set_keepalive(true, 2);
    raw.set_timeout(0);
    raw.set_blocking(false);
    Ok(Session::new(raw, fd, settings, target)?)
}

fn setup(error: &ssh2::Error) -> ConnectError {
    ConnectError::setup(format!("libssh2: {}", error.message()))
}

fn handshake_failed(settings: &Settings, error: &ssh2::Error, helper: &str) -> Failure {
    use libssh2_codes::{BANNER_RECV, SOCKET_DISCONNECT, SOCKET_RECV, TIMEOUT};
    let at = format!("{} port {}", settings.host_name, settings.port);
    if !helper.is_empty() {
        return Failure::Other(ConnectError::via_ssh(helper));
    }
    match code(error) {
        Some(BANNER_RECV | SOCKET_DISCONNECT | SOCKET_RECV) => {
            let said = format!("kex_exchange_identification: Connection closed by remote host ({at}): {}", error.message());
            Failure::Busy(ConnectError::via_ssh(said))
        }
        Some(TIMEOUT) => Failure::Other(ConnectError::via_ssh(format!("Connection timed out during banner exchange with {at}"))),
        _ => Failure::Other(ConnectError::via_ssh(format!("Unable to negotiate with {at}: {}", error.message()))),
    }
}

/// The numbers of libssh2's errors that we tell apart.
mod libssh2_codes {
    pub(super) const BANNER_RECV: i32 = -2;
    pub(super) const SOCKET_SEND: i32 = -7;
    pub(super) const TIMEOUT: i32 = -9;
    pub(super) const SOCKET_DISCONNECT: i32 = -13;
    pub(super) const CHANNEL_FAILURE: i32 = -21;
    pub(super) const CHANNEL_REQUEST_DENIED: i32 = -22;
    pub(super) const SOCKET_TIMEOUT: i32 = -30;
    pub(super) const EAGAIN: i32 = -37;
    pub(super) const SOCKET_RECV: i32 = -43;
}

/// The number of libssh2's error.
fn code(error: &ssh2::Error) -> Option<i32> {
    match error.code() {
        ssh2::ErrorCode::Session(code) => Some(code),
        ssh2::ErrorCode::SFTP(_) => None,
    }
}

/// Tells libssh2 which algorithms to offer; host keys that we know come first, so that the server shows one of them.
fn prefer(raw: &Raw, settings: &Settings, known: &known_hosts::Known) -> Result<(), ConnectError> {
    let both = |one: MethodType, other: MethodType, list: &Option<String>, name: &str| -> Result<(), ConnectError> {
        let Some(list) = list else { return Ok(()) };
        set(raw, one, list, name)?;
        set(raw, other, list, name)
    };
    both(MethodType::CryptCs, MethodType::CryptSc, &settings.ciphers, "Ciphers")?;
    both(MethodType::MacCs, MethodType::MacSc, &settings.macs, "MACs")?;
    if let Some(list) = &settings.kex {
        set(raw, MethodType::Kex, list, "KexAlgorithms")?;
    }
    if let Some(list) = &settings.host_key_algorithms {
        return set(raw, MethodType::HostKey, list, "HostKeyAlgorithms");
    }
    let types = known.types();
    if types.is_empty() {
        return Ok(());
    }
    let supported = raw.supported_algs(MethodType::HostKey).map_err(|error| setup(&error))?;
    let is_known = |algorithm: &&str| types.iter().any(|kind| kind == algorithm || (kind == "ssh-rsa" && algorithm.starts_with("rsa-sha2-")));
    let (first, rest): (Vec<&str>, Vec<&str>) = supported.into_iter().partition(|algorithm| is_known(algorithm));
    let list = [first, rest].concat().join(",");
    raw.method_pref(MethodType::HostKey, &list).map_err(|error| setup(&error))
}

/// A list of algorithms as ssh_config writes it: plain, or with `+`, `-`, `^` before it and patterns in it.
fn set(raw: &Raw, kind: MethodType, list: &str, name: &str) -> Result<(), ConnectError> {
    let supported = raw.supported_algs(kind).map_err(|error| setup(&error))?;
    let list = algorithms(list, &supported);
    if list.is_empty() {
        return Err(ConnectError::setup(format!("ssh configuration: libssh2 has none of the algorithms of {name}")));
    }
    raw.method_pref(kind, &list.join(",")).map_err(|error| setup(&error))
}

/// Those of the list that libssh2 has, in the order wanted.
fn algorithms(list: &str, supported: &[&str]) -> Vec<String> {
    let (operator, names) = match list.chars().next() {
        Some(c @ ('+' | '-' | '^')) => (Some(c), &list[1..]),
        _ => (None, list),
    };
    let patterns: Vec<&str> = names.split(',').map(str::trim).collect();
    let named = |algorithm: &&&str| patterns.iter().any(|pattern| ssh_config::glob(pattern, algorithm));
    let chosen: Vec<&str> = match operator {
        Some('+') => supported.to_vec(),
        Some('-') => supported.iter().filter(|algorithm| !named(algorithm)).copied().collect(),
        Some(_) => {
            let first = supported.iter().filter(named);
            first.chain(supported.iter().filter(|algorithm| !named(algorithm))).copied().collect()
        }
        None => {
            let matching = |pattern: &&str| supported.iter().filter(|algorithm| ssh_config::glob(pattern, algorithm)).copied().collect::<Vec<_>>();
            patterns.iter().flat_map(matching).collect()
        }
    };
    chosen.into_iter().map(str::to_owned).collect()
}

impl Connection for Ssh {
    fn spawn(&self, command: &str, pty: bool) -> Result<Box<dyn Process>, ConnectError> {
        Ok(Box::new(process::start(&self.session, command, pty)?))
    }

    fn alive(&self) -> bool {
        self.session.alive()
    }

    fn tend(&self) {
        self.session.tend();
    }
}

#[cfg(test)]
mod tests {
    use super::algorithms;

    #[test]
    fn lists_of_algorithms_are_read_as_openssh_reads_them() {
        let have = ["a1", "a2", "b1"];
        for (list, want) in [("b1,x,a2", "b1 a2"), ("-a*", "b1"), ("^b1", "b1 a1 a2"), ("+zzz", "a1 a2 b1"), ("zzz", "")] {
            assert_eq!(algorithms(list, &have).join(" "), want, "{list}");
        }
    }
}
