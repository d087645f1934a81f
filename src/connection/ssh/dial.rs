//! The socket of a session: TCP to the first address that answers, or a proxy's standard input and output.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::connection::error::plain;
use crate::connection::ssh_config::{Proxy, Settings};
use crate::connection::{ConnectError, Local, shell};

/// What a session talks over.
pub(super) enum Wire {
    /// A TCP connection.
    Tcp(Socket),
    /// A helper process that joins us to the host.
    Helper(UnixStream, Child),
}

impl AsRawFd for Wire {
    fn as_raw_fd(&self) -> RawFd {
        match self {
            Wire::Tcp(socket) => socket.as_raw_fd(),
            Wire::Helper(socket, _) => socket.as_raw_fd(),
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if let Wire::Helper(socket, child) = self {
            let _ = socket.shutdown(std::net::Shutdown::Both);
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Opens the way to the host; with a helper, also what it complains about.
pub(super) fn dial(settings: &Settings, local: &Local, deadline: Instant) -> Result<(Wire, Option<ChildStderr>), ConnectError> {
    match &settings.proxy {
        None => Ok((Wire::Tcp(tcp(settings, deadline)?), None)),
        Some(Proxy::Command(command)) => helper(&format!("exec {command}")),
        Some(Proxy::Jump(hops)) => helper(&jump(hops, settings, local)),
    }
}

fn tcp(settings: &Settings, deadline: Instant) -> Result<Socket, ConnectError> {
    let port = settings.port;
    let bare = settings.host_name.trim_start_matches('[').trim_end_matches(']');
    let wanted = |address: &SocketAddr| match settings.address_family.as_deref() {
        Some("inet") => address.is_ipv4(),
        Some("inet6") => address.is_ipv6(),
        _ => true,
    };
    let addresses: Vec<SocketAddr> = (bare, port)
        .to_socket_addrs()
        .map_err(|error| {
            let text = plain(&error);
            let text = text.rsplit(": ").next().unwrap_or(&text).to_owned();
            ConnectError::via_ssh(format!("ssh: Could not resolve hostname {bare}: {text}"))
        })?
        .filter(wanted)
        .collect();
    let mut last = String::from("no address");
    for (index, address) in addresses.iter().enumerate() {
        // what is left is shared among the addresses that are left
        let left = deadline.saturating_duration_since(Instant::now()) / (addresses.len() - index) as u32;
        match one(*address, settings.bind_address.as_deref(), left.max(Duration::from_millis(1))) {
            Ok(socket) => return Ok(socket),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => last = "Connection timed out".to_owned(),
            Err(error) => last = plain(&error),
        }
    }
    Err(ConnectError::via_ssh(format!("ssh: connect to host {bare} port {port}: {last}")))
}

fn one(address: SocketAddr, from: Option<&str>, timeout: Duration) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if let Some(from) = from {
        let from: IpAddr = from.parse().map_err(|_| io::Error::other(format!("BindAddress {from} is not an address")))?;
        socket.bind(&SockAddr::from(SocketAddr::new(from, 0)))?;
    }
    socket.connect_timeout(&SockAddr::from(address), timeout)?;
    // without it every message waits 40 ms for an acknowledgement
    socket.set_tcp_nodelay(true)?;
    socket.set_keepalive(true)?;
    Ok(socket)
}

/// Runs a proxy command with one end of a socket pair as its standard input and output.
fn helper(command: &str) -> Result<(Wire, Option<ChildStderr>), ConnectError> {
    let failed = |error: io::Error| ConnectError::via_ssh(format!("cannot start the proxy: {}", plain(&error)));
    let (ours, theirs) = UnixStream::pair().map_err(failed)?;
    let input = OwnedFd::from(theirs.try_clone().map_err(failed)?);
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command).stdin(Stdio::from(input)).stdout(Stdio::from(OwnedFd::from(theirs))).stderr(Stdio::piped());
    // our terminal's Ctrl-C is not for it
    shell.process_group(0);
    let mut child = shell.spawn().map_err(failed)?;
    let complaints = child.stderr.take();
    Ok((Wire::Helper(ours, child), complaints))
}

/// What a helper complained about so far.
pub(super) fn complaint(stderr: Option<ChildStderr>) -> String {
    use std::io::Read;
    let Some(mut stderr) = stderr else { return String::new() };
    if rustix::io::ioctl_fionbio(&stderr, true).is_err() {
        return String::new();
    }
    // it hung up a moment ago; what it says about that may be a moment late
    std::thread::sleep(Duration::from_millis(50));
    let mut said = [0; 4096];
    let count = stderr.read(&mut said).unwrap_or(0);
    String::from_utf8_lossy(&said[..count]).trim().to_owned()
}

/// `ProxyJump` as the system's `ssh` would do it: the last hop forwards, reached through the others.
fn jump(hops: &str, settings: &Settings, local: &Local) -> String {
    let (before, last) = hops.rsplit_once(',').map_or((None, hops), |(before, last)| (Some(before), last));
    let mut words = vec![local.ssh_program.clone(), "-oBatchMode=yes".to_owned()];
    if let Some(file) = settings.config_file.as_ref().filter(|file| file.exists()) {
        words.extend(["-F".to_owned(), file.display().to_string()]);
    }
    if let Some(before) = before {
        words.extend(["-J".to_owned(), before.to_owned()]);
    }
    let last = last.trim().trim_start_matches("ssh://");
    let (user, place) = last.rsplit_once('@').map_or((None, last), |(user, place)| (Some(user), place));
    let (host, port) = split_port(place);
    if let Some(user) = user {
        words.extend(["-l".to_owned(), user.to_owned()]);
    }
    if let Some(port) = port {
        words.extend(["-p".to_owned(), port.to_owned()]);
    }
    words.push("-W".to_owned());
    words.push(format!("[{}]:{}", settings.host_name.trim_matches(['[', ']']), settings.port));
    words.extend(["--".to_owned(), host.to_owned()]);
    let words: Vec<String> = words.iter().map(|word| shell::quote(word)).collect();
    format!("exec {}", words.join(" "))
}

/// `host:port`, `[address]:port`, `host`.
fn split_port(place: &str) -> (&str, Option<&str>) {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, after) = rest.split_once(']').unwrap_or((rest, ""));
        return (host, after.strip_prefix(':'));
    }
    match place.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        _ => (place, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::{Target, Transport, ssh_config};

    #[test]
    fn a_jump_is_a_forwarding_ssh() {
        let local = Local::new("me");
        let settings = ssh_config::resolve(&Target::new("h", Transport::Ssh), &local, &ssh_config::Files::default()).unwrap();
        assert_eq!(jump("bastion", &settings, &local), "exec ssh -oBatchMode=yes -W '[h]:22' -- bastion");
        assert_eq!(jump("a,core@b:2222", &settings, &local), "exec ssh -oBatchMode=yes -J a -l core -p 2222 -W '[h]:22' -- b");
        assert_eq!(jump("u@[::1]:22", &settings, &local), "exec ssh -oBatchMode=yes -l u -p 22 -W '[h]:22' -- ::1");
    }

    #[test]
    fn a_name_that_does_not_exist_is_ansibles_message() {
        let settings = ssh_config::resolve(&Target::new("no-such-host.invalid", Transport::Ssh), &Local::new("me"), &ssh_config::Files::default()).unwrap();
        let error = tcp(&settings, Instant::now() + Duration::from_secs(5)).unwrap_err();
        assert!(error.to_string().starts_with("Failed to connect to the host via ssh: ssh: Could not resolve hostname no-such-host.invalid: "), "{error}");
    }
}
