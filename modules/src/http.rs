//! An HTTP client for `uri`, `get_url` and the controller's lookup `url`: redirects, authentication, proxies and certificates by Ansible's rules.
//! Unix sockets are in `http_unix`.

use std::io::Read;
use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use ureq::http::{Method, Request, Response, Uri};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Connector, DefaultConnector, NextTimeout, RustlsConnector};
use ureq::{Agent, Body, Proxy};

use crate::args::Args;
use crate::context::Context;
use crate::control::Control;
use crate::http_unix::UnixConnector;
use crate::outcome::Failure;
use crate::resolve;
use crate::spec::{Arg, Kind, Preset};

/// Arguments that both modules take.
pub(crate) const FORCE: Arg = Arg::flag("force", false, "Do not take a cached or unchanged copy.");
/// See [`FORCE`].
pub(crate) const AGENT: Arg = Arg::str("http_agent", "Name of the client.").default(Preset::Str("ansible-httpget"));
/// See [`FORCE`].
pub(crate) const USE_PROXY: Arg = Arg::flag("use_proxy", true, "Use the proxies that the environment names.");
/// See [`FORCE`].
pub(crate) const VALIDATE_CERTS: Arg = Arg::flag("validate_certs", true, "Check the server's certificate.");
/// See [`FORCE`].
pub(crate) const BASIC: Arg = Arg::flag("force_basic_auth", false, "Send user and password without being asked.");
/// See [`FORCE`].
pub(crate) const CLIENT_CERT: Arg = Arg::path("client_cert", "PEM file of the client's certificate, maybe with its key.");
/// See [`FORCE`].
pub(crate) const CLIENT_KEY: Arg = Arg::path("client_key", "PEM file of the client's key.");
/// See [`FORCE`].
pub(crate) const GSSAPI: Arg = Arg::flag("use_gssapi", false, "Authenticate by GSSAPI; not supported.");
/// See [`FORCE`].
pub(crate) const UNREDIRECTED: Arg =
    Arg::list("unredirected_headers", Kind::Str, "Headers that a redirected request does not carry.").default(Preset::List(&[]));
/// See [`FORCE`].
pub(crate) const DECOMPRESS: Arg = Arg::flag("decompress", true, "Decompress a compressed answer.");
/// See [`FORCE`].
pub(crate) const CIPHERS: Arg = Arg::list("ciphers", Kind::Str, "TLS ciphers; not supported.");
/// See [`FORCE`].
pub(crate) const NETRC: Arg = Arg::flag("use_netrc", true, "Take user and password from ~/.netrc.");

/// A request.
pub(crate) struct Query {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
    /// Which redirects are followed: `all`, `safe` or `none`.
    pub follow: String,
}

/// An answer whose body is still to be read.
pub(crate) struct Answer {
    /// Where it came from in the end.
    pub url: String,
    pub status: u16,
    pub reason: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    body: Body,
    decompress: bool,
}

/// Why there is no answer.
pub(crate) struct NoAnswer(pub String);

/// What a request needs of the machine that it starts from.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub env: &'a [(String, String)],
    pub control: &'a Control,
}

impl<'a> Around<'a> {
    pub(crate) fn of(cx: &'a Context<'_>) -> Around<'a> {
        Around { env: cx.environment(), control: cx.control() }
    }

    fn variable(&self, name: &str) -> Option<&'a str> {
        self.env.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The client with everything that does not change between redirects.
pub(crate) struct Client {
    agent: Agent,
    user: Option<(String, String)>,
    basic: bool,
    name: String,
    decompress: bool,
    unredirected: Vec<String>,
}

impl Client {
    pub(crate) fn new(args: &Args, around: Around<'_>, url: &str, timeout: u64) -> Result<Client, Failure> {
        for name in ["use_gssapi"] {
            if args.flag(name) {
                return Err(Failure::new(format!("{name} is not supported")));
            }
        }
        if !args.list("ciphers").is_empty() {
            return Err("ciphers is not supported; the TLS library chooses among safe ones".into());
        }
        let wait = Some(Duration::from_secs(timeout.max(1)));
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(true)
            .user_agent("")
            .accept("")
            .accept_encoding("")
            .timeout_connect(wait)
            .timeout_recv_response(wait)
            .timeout_per_read(wait)
            .tls_config(tls(args)?);
        config = config.proxy(if args.flag("use_proxy") { proxy(around, url) } else { None });
        let resolver = Names { env: around.env.to_vec(), control: around.control.clone() };
        let agent = match args.str("unix_socket") {
            Some(path) => Agent::with_parts(config.build(), UnixConnector::new(path).chain(RustlsConnector::default()), Anywhere),
            None => Agent::with_parts(config.build(), DefaultConnector::default(), resolver),
        };
        let user = args.str("url_username").map(|user| (user.to_owned(), args.text("url_password").to_owned()));
        let user = user.or_else(|| user_in(url)).or_else(|| if args.flag("use_netrc") { netrc(around, url) } else { None });
        Ok(Client {
            agent,
            user,
            basic: args.flag("force_basic_auth"),
            name: args.text("http_agent").to_owned(),
            decompress: args.flag("decompress"),
            unredirected: args.texts("unredirected_headers").iter().map(|name| name.to_lowercase()).collect(),
        })
    }

    /// Sends a request, follows redirects and answers a demand for authentication.
    pub(crate) fn send(&self, query: &Query) -> Result<Answer, NoAnswer> {
        let mut method = query.method.clone();
        let mut body = query.body.clone();
        let mut url = without_user(&query.url);
        let mut headers = query.headers.clone();
        let mut authenticated = self.basic;
        for _ in 0..12 {
            let response = self.once(&method, &url, &headers, body.as_deref(), authenticated)?;
            let status = response.status().as_u16();
            let get = |name: &str| response.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
            if status == 401 && self.user.is_some() && !authenticated {
                authenticated = true;
                continue;
            }
            let Some(location) = get("location").filter(|_| [301, 302, 303, 307, 308].contains(&status) && follows(&query.follow, &method)) else {
                return Ok(self.answer(url, response));
            };
            url = join(&url, &location);
            headers.retain(|(name, _)| !self.unredirected.contains(&name.to_lowercase()));
            if status == 303 && method != "HEAD" || [301, 302].contains(&status) && method == "POST" {
                method = "GET".into();
                body = None;
                headers.retain(|(name, _)| !["content-type", "content-length"].contains(&name.to_lowercase().as_str()));
            }
        }
        Err(NoAnswer("Request failed: too many redirects".into()))
    }

    fn once(&self, method: &str, url: &str, headers: &[(String, String)], body: Option<&[u8]>, authenticated: bool) -> Result<Response<Body>, NoAnswer> {
        let given = |name: &str| headers.iter().any(|(have, _)| have.eq_ignore_ascii_case(name));
        let method = Method::from_bytes(method.as_bytes()).map_err(|error| NoAnswer(error.to_string()))?;
        let mut request = Request::builder().method(method).uri(url);
        if !given("user-agent") {
            request = request.header("User-Agent", &self.name);
        }
        if self.decompress && !given("accept-encoding") {
            request = request.header("Accept-Encoding", "gzip");
        }
        if let (Some((user, password)), true, false) = (&self.user, authenticated, given("authorization")) {
            request = request.header("Authorization", format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let refused = |error: ureq::Error| NoAnswer(describe(&error));
        let bad = |error: ureq::http::Error| NoAnswer(format!("unknown url type or bad header: {error}"));
        match body {
            Some(body) => self.agent.run(request.body(body).map_err(bad)?).map_err(refused),
            None => self.agent.run(request.body(()).map_err(bad)?).map_err(refused),
        }
    }

    fn answer(&self, url: String, response: Response<Body>) -> Answer {
        let status = response.status();
        let (parts, body) = response.into_parts();
        let headers = parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        Answer {
            url,
            status: status.as_u16(),
            reason: status.canonical_reason().unwrap_or_default().to_owned(),
            headers: headers.collect(),
            body,
            decompress: self.decompress,
        }
    }
}

/// Fetches a small thing, with the proxies of the environment.
pub(crate) fn fetch(args: &Args, cx: &Context<'_>, url: &str) -> Result<Vec<u8>, Failure> {
    let mut own = Map::new();
    for (key, value) in [("use_proxy", true), ("use_netrc", true), ("decompress", true), ("validate_certs", args.bool("validate_certs").unwrap_or(true))] {
        own.insert(key.into(), json!(value));
    }
    own.insert("http_agent".into(), json!("ansible-httpget"));
    if let Some(path) = url.strip_prefix("file://") {
        return cx.read(std::path::Path::new(path));
    }
    let client = Client::new(&Args(own), Around::of(cx), url, 30)?;
    let query = Query { method: "GET".into(), url: url.to_owned(), headers: vec![], body: None, follow: "urllib2".into() };
    let answer = client.send(&query).map_err(|NoAnswer(why)| Failure::new(why))?;
    if answer.status != 200 {
        return Err(Failure::new(answer.info().get("msg").and_then(Value::as_str).unwrap_or_default()));
    }
    let mut bytes = vec![];
    answer.reader().read_to_end(&mut bytes).map_err(Failure::from)?;
    Ok(bytes)
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    /// Ansible's keys: every header, cookies, status and message.
    pub(crate) fn info(&self) -> Map<String, Value> {
        let mut info = Map::new();
        for (name, value) in &self.headers {
            let key = name.replace('-', "_");
            let joined = info.get(&key).and_then(Value::as_str).map_or_else(|| value.clone(), |old| format!("{old}, {value}"));
            info.insert(key, json!(joined));
        }
        let success = (200..300).contains(&self.status);
        let length = self.header("content-length").unwrap_or("unknown");
        let msg = if success { format!("OK ({length} bytes)") } else { format!("HTTP Error {}: {}", self.status, self.reason) };
        if success {
            let pairs = self.headers.iter().filter(|(name, _)| name == "set-cookie").filter_map(|(_, value)| value.split(';').next()?.split_once('='));
            let pairs: Vec<(String, String)> = pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect();
            let text: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
            info.insert("cookies".into(), pairs.into_iter().map(|(name, value)| (name, json!(value))).collect::<Map<_, _>>().into());
            info.insert("cookies_string".into(), json!(text.join("; ")));
        }
        info.insert("msg".into(), json!(msg));
        info.insert("status".into(), json!(self.status));
        info.insert("url".into(), json!(self.url));
        info
    }

    /// The body, decompressed when wanted.
    pub(crate) fn reader(self) -> Box<dyn Read> {
        let gzip = self.decompress && self.header("content-encoding") == Some("gzip");
        let raw = self.body.into_reader();
        if gzip { Box::new(flate2::read::MultiGzDecoder::new(raw)) } else { Box::new(raw) }
    }
}

fn follows(how: &str, method: &str) -> bool {
    match how {
        "all" | "yes" => true,
        "safe" | "urllib2" => ["GET", "HEAD"].contains(&method) || how == "urllib2" && method == "POST",
        _ => false,
    }
}

fn describe(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => format!("Request failed: <urlopen error {}>", crate::outcome::describe(error)),
        ureq::Error::Timeout(_) => "Request failed: <urlopen error timed out>".into(),
        ureq::Error::HostNotFound => "Request failed: <urlopen error [Errno -2] Name or service not known>".into(),
        other => format!("Request failed: <urlopen error {other}>"),
    }
}

fn tls(args: &Args) -> Result<TlsConfig, Failure> {
    let mut config = TlsConfig::builder().disable_verification(!args.flag("validate_certs"));
    if let Some(path) = args.str("client_cert") {
        let chain = certificates(path)?;
        let key_file = args.str("client_key").unwrap_or(path);
        let text = read(key_file)?;
        let key = PrivateKey::from_pem(&text).map_err(|error| Failure::new(format!("{key_file} has no key: {error}")))?;
        config = config.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
    }
    let roots = match args.str("ca_path") {
        Some(path) => certificates(path)?,
        None => rustls_native_certs::load_native_certs().certs.iter().map(|cert| Certificate::from_der(cert).to_owned()).collect(),
    };
    Ok(config.root_certs(RootCerts::new_with_certs(&roots)).build())
}

fn read(path: &str) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::new(format!("could not read {path}: {}", crate::outcome::describe(&error))))
}

fn certificates(path: &str) -> Result<Vec<Certificate<'static>>, Failure> {
    let text = read(path)?;
    let items = ureq::tls::parse_pem(&text).filter_map(|item| match item {
        Ok(ureq::tls::PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let all: Vec<_> = items.collect();
    if all.is_empty() { Err(Failure::new(format!("{path} has no certificate"))) } else { Ok(all) }
}

/// The proxy that the call's environment names for a URL.
fn proxy(around: Around<'_>, url: &str) -> Option<Proxy> {
    let either = |name: &str| around.variable(name).or(around.variable(&name.to_uppercase())).filter(|value| !value.is_empty());
    let scheme = url.split_once("://").map_or("http", |(scheme, _)| scheme);
    let found = either(&format!("{scheme}_proxy")).or_else(|| either("all_proxy"))?;
    let host = host_of(url);
    let exempt = either("no_proxy").unwrap_or_default().split(',').map(str::trim).any(|entry| {
        let entry = entry.trim_start_matches('.');
        entry == "*" || !entry.is_empty() && (host == entry || host.ends_with(&format!(".{entry}")))
    });
    if exempt { None } else { Proxy::new(found).ok() }
}

/// Host of a URL without port.
pub(crate) fn host_of(url: &str) -> String {
    url.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default()
}

fn user_in(url: &str) -> Option<(String, String)> {
    let (_, rest) = url.split_once("://")?;
    let (user, _) = rest.split(['/', '?', '#']).next()?.rsplit_once('@')?;
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    Some((unquote(user), unquote(password)))
}

/// The URL as it may be shown and requested.
pub(crate) fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

fn unquote(text: &str) -> String {
    let mut out = vec![];
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let code = if byte == b'%' { bytes.clone().next().zip(bytes.clone().nth(1)) } else { None };
        let code = code.and_then(|(a, b)| u8::from_str_radix(&format!("{}{}", char::from(a), char::from(b)), 16).ok());
        match code {
            Some(code) => {
                bytes.nth(1);
                out.push(code);
            }
            None => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn netrc(around: Around<'_>, url: &str) -> Option<(String, String)> {
    let path = around.variable("NETRC").map_or_else(|| format!("{}/.netrc", around.variable("HOME").unwrap_or("/nowhere")), str::to_owned);
    let text = std::fs::read_to_string(path).ok()?;
    let host = host_of(url);
    let (mut here, mut user, mut password) = (false, None, None);
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "machine" if user.is_some() && here => break,
            "machine" => here = words.next() == Some(&host),
            "default" if !here => here = true,
            "login" if here => user = words.next().map(str::to_owned),
            "password" if here => password = words.next().map(str::to_owned),
            _ => {}
        }
    }
    Some((user?, password.unwrap_or_default()))
}

/// A location against the URL that named it.
pub(crate) fn join(base: &str, location: &str) -> String {
    if location.contains("://") {
        return location.to_owned();
    }
    let Some((scheme, rest)) = base.split_once("://") else { return location.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    if let Some(rest) = location.strip_prefix("//") {
        return format!("{scheme}://{rest}");
    }
    if location.starts_with('/') {
        return format!("{scheme}://{host}{location}");
    }
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let dir = path.rfind('/').map_or("/", |at| &path[..=at]);
    format!("{scheme}://{host}{dir}{location}")
}

/// Resolves names without libc.
#[derive(Debug)]
struct Names {
    env: Vec<(String, String)>,
    control: Control,
}

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, _config: &ureq::config::Config, _timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        let found = resolve::addresses(uri.host().unwrap_or_default(), &self.env, &self.control).map_err(|_| ureq::Error::HostNotFound)?;
        let mut all = self.empty();
        found.into_iter().take(16).for_each(|ip| all.push((ip, port).into()));
        Ok(all)
    }
}

/// A Unix socket needs no address.
#[derive(Debug)]
struct Anywhere;

impl Resolver for Anywhere {
    fn resolve(&self, _uri: &Uri, _config: &ureq::config::Config, _timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut all = self.empty();
        all.push(([127, 0, 0, 1], 0).into());
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_pages() {
        assert_eq!(join("http://h:1/a/b?c", "d"), "http://h:1/a/d");
        assert_eq!(join("http://h/a/b", "/d"), "http://h/d");
        assert_eq!(join("http://h", "d"), "http://h/d");
        assert_eq!(join("https://h/a", "http://g/x"), "http://g/x");
        assert_eq!(without_user("http://u:p@h/a@b"), "http://h/a@b");
        assert_eq!(user_in("http://u%40x:p@h/"), Some(("u@x".into(), "p".into())));
        assert!(follows("safe", "GET") && !follows("safe", "POST") && follows("all", "PUT") && !follows("none", "GET"));
    }
}
