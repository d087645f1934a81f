//! `wait_for`: waits for a port, a file, a text, or for connections to end. Connections are counted in `tcp_connections.rs`.

use std::io::Read;
use std::net::{IpAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::tcp_connections;
use crate::args::Args;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::pyre::{self, Flags, Regex};
use crate::resolve;
use crate::spec::{Arg, Kind, Preset, Spec};
use crate::text::Text;

/// The module.
pub struct WaitFor;

impl Module for WaitFor {
    const SPEC: Spec = Spec {
        check_mode: false,
        ..Spec::new(
            "wait_for",
            "Waits for a port, a file, a text in one of them, or for connections to end.",
            &[
                Arg::str("host", "Host of the port.").default(Preset::Str("127.0.0.1")),
                Arg::int("timeout", "Seconds to wait at most.").default(Preset::Int(300)),
                Arg::int("connect_timeout", "Seconds for one connection.").default(Preset::Int(5)),
                Arg::int("delay", "Seconds before the first look.").default(Preset::Int(0)),
                Arg::int("port", "Port to look at."),
                Arg::list("active_connection_states", Kind::Str, "States in which a connection counts for `drained`.")
                    .default(Preset::List(tcp_connections::STATES)),
                Arg::path("path", "File to look at."),
                Arg::str("search_regex", "Text that the file or the connection must give."),
                Arg::str("state", "What to wait for.").choices(&["absent", "drained", "present", "started", "stopped"]).default(Preset::Str("started")),
                Arg::list("exclude_hosts", Kind::Str, "Hosts whose connections do not count for `drained`."),
                Arg::int("sleep", "Seconds between looks.").default(Preset::Int(1)),
                Arg::str("msg", "Message of the failure."),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let wait = Wait::new(args)?;
        wait.pause(cx, args.int("delay").unwrap_or(0).max(0) as u64)?;
        let mut found = Match::default();
        if wait.port.is_none() && wait.path.is_none() && wait.state != "drained" {
            cx.control().sleep(wait.timeout)?;
        } else {
            while !wait.look(args, cx, &mut found)? {
                if wait.started.elapsed() >= wait.timeout {
                    return Err(wait.too_late(args));
                }
                wait.pause(cx, args.int("sleep").unwrap_or(1).max(0) as u64)?;
                if wait.started.elapsed() >= wait.timeout {
                    return Err(wait.too_late(args));
                }
            }
        }
        let outcome = Outcome::new(false)
            .with("state", if wait.path.is_some() && matches!(wait.state.as_str(), "started" | "present") { "file" } else { wait.state.as_str() })
            .with("port", json!(wait.port))
            .with("search_regex", json!(args.str("search_regex")))
            .with("match_groups", found.groups)
            .with("match_groupdict", found.names);
        Ok(outcome.with("path", json!(wait.path)).with("elapsed", wait.started.elapsed().as_secs()))
    }
}

/// What a search found.
#[derive(Default)]
struct Match {
    groups: Vec<Value>,
    names: Map<String, Value>,
}

struct Wait {
    host: String,
    port: Option<u16>,
    path: Option<String>,
    state: String,
    regex: Option<Regex>,
    timeout: Duration,
    started: Instant,
}

impl Wait {
    fn new(args: &Args) -> Result<Wait, Failure> {
        let refuse = |msg: &str| Err(Failure::new(msg).with("elapsed", 0));
        let (state, path) = (args.text("state").to_owned(), args.str("path").map(str::to_owned));
        let regex = args.str("search_regex").map(|pattern| pyre::compile(pattern, Flags { multiline: true, ..Flags::default() }));
        let regex = regex.transpose().map_err(|why| Failure::new(format!("Invalid regular expression: {why}")))?;
        if args.has("port") && path.is_some() {
            return refuse("port and path parameter can not both be passed to wait_for");
        }
        for alone in ["stopped", "drained"] {
            if path.is_some() && state == alone {
                return refuse(&format!("state={alone} should only be used for checking a port in the wait_for module"));
            }
        }
        if args.has("exclude_hosts") && state != "drained" {
            return refuse("exclude_hosts should only be with state=drained");
        }
        if let Some(bad) = args.texts("active_connection_states").iter().find(|state| !tcp_connections::STATES.contains(&state.as_str())) {
            return refuse(&format!("unknown active_connection_state ({bad}) defined"));
        }
        let port = args.int("port").filter(|port| *port != 0);
        let port = port.map(|port| u16::try_from(port).map_err(|_| Failure::new(format!("port {port} is out of range")))).transpose()?;
        let timeout = Duration::from_secs(args.int("timeout").unwrap_or(300).max(0) as u64);
        Ok(Wait { host: args.text("host").to_owned(), port, path, state, regex, timeout, started: Instant::now() })
    }

    fn pause(&self, cx: &Context<'_>, seconds: u64) -> Result<(), Failure> {
        if seconds > 0 { cx.control().sleep(Duration::from_secs(seconds)) } else { cx.control().check() }
    }

    /// One look: whether what is waited for is so.
    fn look(&self, args: &Args, cx: &Context<'_>, found: &mut Match) -> Result<bool, Failure> {
        match (self.state.as_str(), &self.path, self.port) {
            ("absent" | "stopped", Some(path), _) => Ok(cx.stat(Path::new(path))?.is_none()),
            ("absent" | "stopped", None, Some(port)) => Ok(self.connect(args, cx, port).is_none()),
            ("drained", _, port) => {
                let addresses = resolve::addresses(&self.host, cx.environment(), cx.control())?;
                let excluded = args
                    .texts("exclude_hosts")
                    .iter()
                    .filter_map(|host| resolve::addresses(host, cx.environment(), cx.control()).ok())
                    .flatten()
                    .collect::<Vec<_>>();
                Ok(tcp_connections::count(&addresses, port.unwrap_or(0), &excluded, &args.texts("active_connection_states")) == 0)
            }
            (_, Some(path), _) => self.look_at_file(cx, path, found),
            (_, None, Some(port)) => self.look_at_port(args, cx, port, found),
            (_, None, None) => Ok(true),
        }
    }

    fn look_at_file(&self, cx: &Context<'_>, path: &str, found: &mut Match) -> Result<bool, Failure> {
        if cx.stat(Path::new(path))?.is_none() {
            return Ok(false);
        }
        let Some(regex) = &self.regex else { return Ok(true) };
        // a file that cannot be read yet may become so
        let bytes = crate::system::read(cx.system(), Path::new(path)).unwrap_or_default();
        self.search(regex, bytes, found)
    }

    fn search(&self, regex: &Regex, bytes: Vec<u8>, found: &mut Match) -> Result<bool, Failure> {
        let text = Text::new(bytes).content;
        let Some(hit) = regex.search(&text)? else { return Ok(false) };
        found.groups = (1..=hit.groups()).map(|group| json!(hit.group(group, &text))).collect();
        let named = regex.names().iter().enumerate().filter_map(|(group, name)| Some((name.clone()?, json!(hit.group(group, &text)))));
        found.names = named.collect();
        Ok(true)
    }

    fn connect(&self, args: &Args, cx: &Context<'_>, port: u16) -> Option<TcpStream> {
        let left = self.timeout.saturating_sub(self.started.elapsed()).max(Duration::from_millis(100));
        let wait = Duration::from_secs(args.int("connect_timeout").unwrap_or(5).max(1) as u64).min(left);
        let addresses: Vec<IpAddr> = resolve::addresses(&self.host, cx.environment(), cx.control()).unwrap_or_default();
        addresses.into_iter().find_map(|ip| TcpStream::connect_timeout(&(ip, port).into(), wait).ok())
    }

    fn look_at_port(&self, args: &Args, cx: &Context<'_>, port: u16, found: &mut Match) -> Result<bool, Failure> {
        let Some(mut stream) = self.connect(args, cx, port) else { return Ok(false) };
        let Some(regex) = &self.regex else { return Ok(true) };
        let (mut data, mut buffer) = (vec![], [0; 1024]);
        while self.started.elapsed() < self.timeout {
            cx.control().check()?;
            let left = self.timeout.saturating_sub(self.started.elapsed()).clamp(Duration::from_millis(10), Duration::from_secs(1));
            stream.set_read_timeout(Some(left))?;
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => data.extend_from_slice(&buffer[..n]),
                Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut | std::io::ErrorKind::Interrupted) => {
                    continue;
                }
                Err(_) => break,
            }
            if self.search(regex, data.clone(), found)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn too_late(&self, args: &Args) -> Failure {
        let place = self.path.clone().unwrap_or_else(|| format!("{}:{}", self.host, self.port.map_or("None".into(), |port| port.to_string())));
        let msg = match (self.state.as_str(), args.str("search_regex"), &self.path) {
            ("absent" | "stopped", _, Some(_)) => format!("Timeout when waiting for {place} to be absent."),
            ("absent" | "stopped", _, None) => format!("Timeout when waiting for {place} to stop."),
            ("drained", ..) => format!("Timeout when waiting for {place} to drain"),
            (_, Some(pattern), _) => format!("Timeout when waiting for search string {pattern} in {place}"),
            (_, None, Some(_)) => format!("Timeout when waiting for file {place}"),
            (_, None, None) => format!("Timeout when waiting for {place}"),
        };
        Failure::new(args.str("msg").map_or(msg, str::to_owned)).with("elapsed", self.started.elapsed().as_secs())
    }
}
