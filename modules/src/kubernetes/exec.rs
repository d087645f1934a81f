//! A command in a pod, over a WebSocket: its output, and how it ended.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConnection, StreamOwned};
use serde_json::Value;
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::HandshakeError;
use tungstenite::{Error, Message, WebSocket};

use super::connection::Connection;
use super::transport;
use crate::control::Control;
use crate::outcome::Failure;
use crate::resolve;

/// The newest protocol, and the one before it for older servers.
const PROTOCOLS: &str = "v5.channel.k8s.io, v4.channel.k8s.io";
/// More output than this is refused.
const LARGEST: usize = 64 * 1024 * 1024;

/// A byte stream, with or without TLS.
trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// What a command said.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// Its exit status.
    pub code: i64,
}

/// Runs a command; `path` names pod and command.
///
/// # Errors
/// The server is not there or refuses, or the command cannot be started.
pub(super) fn run(connection: &Connection, path: &str, headers: &[(String, String)], env: &[(String, String)], control: &Control) -> Result<Said, Failure> {
    if connection.proxy.is_some() {
        return Err("k8s_exec does not know proxies".into());
    }
    let (base, _) = transport::named(connection)?;
    let (tcp, stream) = open(connection, &base, env, control)?;
    let address = base.replacen("http", "ws", 1) + path;
    let mut request = address.as_str().into_client_request().map_err(|error| Failure::new(format!("{address}: {error}")))?;
    let all = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain([("Sec-WebSocket-Protocol", PROTOCOLS)]);
    for (name, value) in all {
        let bad = |_| Failure::new(format!("{name} cannot be a header"));
        let name = ureq::http::HeaderName::from_bytes(name.as_bytes()).map_err(|_| Failure::new("a header has no name"))?;
        request.headers_mut().append(name, ureq::http::HeaderValue::from_str(value).map_err(bad)?);
    }
    let mut socket = match tungstenite::client(request, stream) {
        Ok((socket, _)) => socket,
        Err(HandshakeError::Failure(error)) => return Err(refused(&base, error)),
        Err(HandshakeError::Interrupted(_)) => return Err(format!("the API server {base} does not answer").into()),
    };
    // a command may be silent for long; meanwhile the end of the call is heard
    tcp.set_read_timeout(Some(Duration::from_millis(500)))?;
    listen(&mut socket, control)
}

/// A connection to the server, and the socket under it.
fn open(connection: &Connection, base: &str, env: &[(String, String)], control: &Control) -> Result<(TcpStream, Box<dyn Stream>), Failure> {
    let parsed = |text: &str| text.parse::<ureq::http::Uri>().map_err(|error| Failure::new(format!("{text}: {error}")));
    let (uri, named) = (parsed(&connection.server)?, parsed(base)?);
    let secure = uri.scheme_str() == Some("https");
    let (host, port) = (uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(if secure { 443 } else { 80 }));
    let mut why = String::from("it has no address");
    let addresses = resolve::addresses(host, env, control)?;
    let tcp = addresses.iter().find_map(|ip| match TcpStream::connect_timeout(&(*ip, port).into(), Duration::from_secs(10)) {
        Ok(stream) => Some(stream),
        Err(error) => {
            why = crate::outcome::describe(&error);
            None
        }
    });
    let tcp = tcp.ok_or_else(|| Failure::new(format!("the API server {base} cannot be asked: {why}")))?;
    tcp.set_nodelay(true)?;
    tcp.set_read_timeout(Some(Duration::from_secs(30)))?;
    let stream = tcp.try_clone()?;
    if !secure {
        return Ok((tcp, Box::new(stream)));
    }
    let bare = named.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = rustls::pki_types::ServerName::try_from(bare).map_err(|error| Failure::new(format!("{base}: {error}")))?;
    let tls = ClientConnection::new(Arc::new(transport::rustls_config(&connection.settings)?), name).map_err(|error| Failure::new(error.to_string()))?;
    Ok((tcp, Box::new(StreamOwned::new(tls, stream))))
}

fn refused(base: &str, error: Error) -> Failure {
    let Error::Http(response) = error else { return Failure::new(format!("the API server {base} cannot be asked: {error}")) };
    let body = response.body().as_deref().unwrap_or_default();
    let message = serde_json::from_slice::<Value>(body).ok().and_then(|status| status.get("message")?.as_str().map(str::to_owned));
    let plain = || format!("HTTP status {} {}", response.status().as_u16(), String::from_utf8_lossy(body).trim());
    Failure::new(message.unwrap_or_else(plain)).with("status", response.status().as_u16())
}

/// Takes what comes until the command has ended.
fn listen(socket: &mut WebSocket<Box<dyn Stream>>, control: &Control) -> Result<Said, Failure> {
    let (mut said, mut end) = (Said::default(), vec![]);
    loop {
        control.check()?;
        match socket.read() {
            Ok(Message::Binary(bytes)) => {
                let Some((channel, data)) = bytes.split_first() else { continue };
                match channel {
                    1 => said.stdout.extend(data),
                    2 => said.stderr.extend(data),
                    3 => end.extend(data),
                    _ => {}
                }
                if said.stdout.len() + said.stderr.len() > LARGEST {
                    return Err(format!("the command says more than {} MB", LARGEST / 1024 / 1024).into());
                }
            }
            Ok(Message::Close(_)) | Err(Error::ConnectionClosed | Error::AlreadyClosed) => break,
            Ok(_) => {}
            Err(Error::Io(error)) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            // some servers close without a word once they have said how it ended
            Err(_) if !end.is_empty() => break,
            Err(error) => return Err(format!("the connection to the pod broke: {error}").into()),
        }
    }
    said.code = code(&end)?;
    Ok(said)
}

/// The exit status in the server's last word.
fn code(end: &[u8]) -> Result<i64, Failure> {
    let Ok(status) = serde_json::from_slice::<Value>(end) else { return Err("the API server did not say how the command ended".into()) };
    if status.get("status").and_then(Value::as_str) == Some("Success") {
        return Ok(0);
    }
    let causes = status.pointer("/details/causes").and_then(Value::as_array).into_iter().flatten();
    let exit = causes.into_iter().find(|cause| cause.get("reason").and_then(Value::as_str) == Some("ExitCode"));
    let exit = exit.and_then(|cause| cause.get("message")?.as_str()?.parse().ok());
    exit.ok_or_else(|| Failure::new(status.get("message").and_then(Value::as_str).unwrap_or("the command could not be started")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_tells_the_exit_status() {
        assert_eq!(code(br#"{"status": "Success"}"#).unwrap(), 0);
        let failed = br#"{"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": [{"reason": "ExitCode", "message": "3"}]}}"#;
        assert_eq!(code(failed).unwrap(), 3);
        assert_eq!(code(br#"{"status": "Failure", "message": "no such file"}"#).unwrap_err().msg, "no such file");
        assert!(code(b"").is_err());
    }
}
