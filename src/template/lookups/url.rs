//! `url`: the lines, or the whole, of documents from the web. Runs on the controller.

use rplay_modules::download::{self, Refusal, Wanted};
use serde_json::{Map, Value as Json, json};

use crate::template::coerce::{ansible_bool, as_float, parse_float, to_dict, to_list, to_text};
use crate::template::{Arguments, Env};
use crate::value::{Fault, Value, repr};

use super::config::{invalid, resolved};
use super::inline::Options;

const KNOWN: &[&str] = &[
    "validate_certs",
    "split_lines",
    "use_proxy",
    "username",
    "password",
    "headers",
    "force",
    "timeout",
    "http_agent",
    "force_basic_auth",
    "follow_redirects",
    "use_gssapi",
    "use_netrc",
    "unix_socket",
    "ca_path",
    "unredirected_headers",
    "ciphers",
];

const REDIRECTS: &[&str] = &["all", "none", "safe", "urllib2", "no", "yes"];

/// What a request asks of the controller's environment.
const ENVIRONMENT: &[&str] =
    &["http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "NETRC", "HOME", "PATH"];

/// `url`.
///
/// # Errors
/// An option of another type, a server that does not answer or answers with a failure.
pub fn url(terms: Vec<Value>, args: Arguments, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    let asked = Asked { options: Options::new("url", KNOWN, &args), env };
    let split = asked.flag("split_lines", true)?;
    let wanted = asked.wanted()?;
    let environment: Vec<(String, String)> = ENVIRONMENT.iter().filter_map(|name| Some(((*name).to_string(), env.environment(name)?))).collect();
    let mut out = Vec::new();
    for term in &terms {
        let Value::Str(url) = term else { return Err(Fault::error(format!("unknown url type: {}", repr(term)))) };
        let body = document(url, &wanted, &environment)?;
        if split {
            out.extend(lines(&body).into_iter().map(Value::from));
        } else {
            out.push(String::from_utf8_lossy(&body).into_owned().into());
        }
    }
    Ok(out)
}

fn document(url: &str, wanted: &Wanted, environment: &[(String, String)]) -> Result<Vec<u8>, Fault> {
    let shown = masked(url);
    let failed = |why: String| Fault::error(format!("Failed lookup url for {shown}: {why}"));
    match url.split_once(':') {
        Some(("http" | "https", _)) => {}
        Some(("file", rest)) => {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            return std::fs::read(path).map_err(|error| failed(format!("<urlopen error {path}: {error}>")));
        }
        Some((scheme, _)) => return Err(failed(format!("<urlopen error unknown url type: {scheme}>"))),
        None => return Err(Fault::error(format!("unknown url type: '{url}'"))),
    }
    download::body(&Wanted { url: url.to_string(), ..wanted.clone() }, environment).map_err(|refusal| match refusal {
        Refusal::Status(status, reason) => Fault::error(format!("Received HTTP error for {shown}: HTTP Error {status}: {reason}")),
        Refusal::NoAnswer(why) => failed(why),
        Refusal::Option(why) => Fault::error(why),
    })
}

/// The URL without user and password.
fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_string() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rsplit_once('@') {
        Some((user, host)) => {
            let hidden = if user.contains(':') { "****:****" } else { "****" };
            format!("{scheme}://{hidden}@{host}{}", &rest[end..])
        }
        None => url.to_string(),
    }
}

/// Python's `bytes.splitlines()`.
fn lines(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(body).replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<String> = text.split('\n').map(str::to_string).collect();
    if lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// The options: as given, else from a variable or the configuration.
struct Asked<'a> {
    options: Options,
    env: &'a dyn Env,
}

impl Asked<'_> {
    fn option(&self, name: &str) -> Result<Option<Value>, Fault> {
        if let Some(value) = self.options.get(name) {
            return Ok(Some(value.clone()));
        }
        let configured = resolved(self.env, &format!("url.{name}"))?;
        Ok(configured.map(|(value, _)| value).filter(|value| !matches!(value, Value::Null)))
    }

    fn flag(&self, name: &str, default: bool) -> Result<bool, Fault> {
        let Some(value) = self.option(name)? else { return Ok(default) };
        ansible_bool(&value).ok_or_else(|| wrong(name, "boolean", &value))
    }

    fn text(&self, name: &str) -> Result<Option<String>, Fault> {
        self.option(name)?.map(|value| to_text(&value).map(|text| text.to_string())).transpose()
    }

    fn words(&self, name: &str) -> Result<Vec<String>, Fault> {
        let Some(value) = self.option(name)? else { return Ok(Vec::new()) };
        match to_list(&value)? {
            Some(items) => items.iter().map(|item| to_text(item).map(|text| text.to_string())).collect(),
            None => Ok(to_text(&value)?.split(',').map(|word| word.trim().to_string()).filter(|word| !word.is_empty()).collect()),
        }
    }

    fn timeout(&self) -> Result<u64, Fault> {
        let Some(value) = self.option("timeout")? else { return Ok(10) };
        let seconds = value.as_str().map_or_else(|| as_float(&value), parse_float).ok_or_else(|| wrong("timeout", "float", &value))?;
        Ok(seconds.max(0.0).ceil() as u64)
    }

    fn wanted(&self) -> Result<Wanted, Fault> {
        let follow = self.text("follow_redirects")?.unwrap_or_else(|| "urllib2".into());
        if !REDIRECTS.contains(&follow.as_str()) {
            return Err(invalid(&follow, "follow_redirects", "url", REDIRECTS));
        }
        let mut headers = self.headers()?;
        if self.flag("force", false)? {
            headers.push(("Cache-Control".into(), "no-cache".into()));
        }
        let mut options: Map<String, Json> = Map::new();
        for (name, default) in [("validate_certs", true), ("use_proxy", true), ("use_netrc", true), ("force_basic_auth", false), ("use_gssapi", false)] {
            options.insert(name.into(), json!(self.flag(name, default)?));
        }
        for (name, of) in [("username", "url_username"), ("password", "url_password"), ("unix_socket", "unix_socket"), ("ca_path", "ca_path")] {
            if let Some(text) = self.text(name)? {
                options.insert(of.into(), json!(text));
            }
        }
        options.insert("http_agent".into(), json!(self.text("http_agent")?.unwrap_or_else(|| "ansible-httpget".into())));
        options.insert("unredirected_headers".into(), json!(self.words("unredirected_headers")?));
        options.insert("ciphers".into(), json!(self.words("ciphers")?));
        options.insert("decompress".into(), json!(true));
        Ok(Wanted { url: String::new(), options, headers, follow, timeout: self.timeout()? })
    }

    fn headers(&self) -> Result<Vec<(String, String)>, Fault> {
        let Some(value) = self.option("headers")? else { return Ok(Vec::new()) };
        let headers = to_dict(&value)?.ok_or_else(|| wrong("headers", "dictionary", &value))?;
        headers.iter().map(|(name, value)| Ok((to_text(&name.to_value())?.to_string(), to_text(value)?.to_string()))).collect()
    }
}

fn wrong(option: &str, kind: &str, value: &Value) -> Fault {
    Fault::error(format!("Config '{option}' for 'url' lookup plugin from 'Direct' has an invalid value: Invalid value provided for '{kind}': {}", repr(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_hidden_and_lines_end_as_in_python() {
        assert_eq!(masked("http://u:p@h/x@y"), "http://****:****@h/x@y");
        assert_eq!(masked("http://h/u:p@x"), "http://h/u:p@x");
        assert_eq!(lines(b"one\r\ntwo\n\nlast"), ["one", "two", "", "last"]);
        assert!(lines(b"").is_empty());
    }
}
