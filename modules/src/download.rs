//! One document from the web for the controller: what `get_url` does on a target, without a file.

use std::io::Read as _;

use serde_json::{Map, Value};

use crate::args::Args;
use crate::control::Control;
use crate::http::{Around, Client, Query};

/// What is wanted, and how.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Where it is: `http` or `https`.
    pub url: String,
    /// Options with the names that `get_url` has for them: `validate_certs`, `use_proxy`, `url_username`, `ca_path`...
    pub options: Map<String, Value>,
    /// Headers of the request.
    pub headers: Vec<(String, String)>,
    /// Which redirects are followed: `all`, `safe`, `urllib2` or `none`.
    pub follow: String,
    /// Seconds to wait.
    pub timeout: u64,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The server answered with another status than success.
    Status(u16, String),
    /// Nobody answered.
    NoAnswer(String),
    /// An option is wrong or not supported.
    Option(String),
}

/// Gets the body of a document. `env` names proxies and the home directory.
///
/// # Errors
/// Why there is none.
pub fn body(wanted: &Wanted, env: &[(String, String)]) -> Result<Vec<u8>, Refusal> {
    let control = Control::default();
    let args = Args(wanted.options.clone());
    let client = Client::new(&args, Around { env, control: &control }, &wanted.url, wanted.timeout).map_err(|failure| Refusal::Option(failure.msg))?;
    let query = Query { method: "GET".into(), url: wanted.url.clone(), headers: wanted.headers.clone(), body: None, follow: wanted.follow.clone() };
    let answer = client.send(&query).map_err(|none| Refusal::NoAnswer(none.0.trim_start_matches("Request failed: ").to_owned()))?;
    if !(200..300).contains(&answer.status) {
        return Err(Refusal::Status(answer.status, answer.reason));
    }
    let mut bytes = Vec::new();
    answer.reader().read_to_end(&mut bytes).map_err(|error| Refusal::NoAnswer(crate::outcome::describe(&error)))?;
    Ok(bytes)
}
