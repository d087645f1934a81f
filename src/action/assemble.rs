//! `assemble`: a file of fragments. Those on the controller are joined here and travel as one file.

use std::path::Path;

use rplay_modules::builtin::assemble::join;
use rplay_modules::pyre::{self, Flags};
use serde_json::Value as Json;

use super::content::{find, read, send};
use super::module::{call, to_map};
use super::{Reaction, Request};
use crate::runner::NoContent;
use crate::value::{Fault, Value, text};

/// What only the fragments need.
const OWN: &[&str] = &["src", "remote_src", "regexp", "delimiter", "ignore_hidden", "decrypt"];

/// Joins fragments of the controller (`remote_src: false`), or has the target do it.
pub(super) fn run(request: &mut Request) -> Result<Reaction, Fault> {
    let mut args = to_map(&request.args);
    let is =
        |key: &str, default: bool| request.args.get(key).map_or(default, |value| matches!(text(value).to_lowercase().as_str(), "true" | "yes" | "on" | "1"));
    if is("remote_src", true) {
        return Ok(call(request, "assemble", args, &NoContent, None));
    }
    let (Some(src), true) = (request.args.get("src").map(text), request.args.contains_key("dest")) else {
        return Ok(Reaction::failed("src and dest are required"));
    };
    let fragments = find(request, "files", &src).and_then(|dir| fragments(request, &dir, is("ignore_hidden", false)));
    match fragments {
        Ok(fragments) => {
            let whole = join(&fragments, request.args.get("delimiter").map(text).as_deref());
            args.retain(|key, _: &mut Json| !OWN.contains(&key.as_str()));
            args.insert("_original_basename".into(), src.trim_end_matches('/').rsplit('/').next().unwrap_or_default().into());
            Ok(send(request, args, whole))
        }
        Err(message) => Ok(Reaction::failed(message)),
    }
}

fn fragments(request: &Request, dir: &Path, ignore_hidden: bool) -> Result<Vec<Vec<u8>>, String> {
    if !dir.is_dir() {
        return Err(format!("Source ({}) is not a directory", dir.display()));
    }
    let pattern = request.args.get("regexp").filter(|value| !matches!(value, Value::Null)).map(text);
    let regex =
        pattern.map(|pattern| pyre::compile(&pattern, Flags::default()).map_err(|why| format!("Invalid Regexp ({why}) in \"{pattern}\""))).transpose()?;
    let cannot = |error: std::io::Error| format!("cannot read {}: {error}", dir.display());
    let mut names: Vec<String> = vec![];
    for entry in std::fs::read_dir(dir).map_err(cannot)? {
        names.push(entry.map_err(cannot)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let mut out = vec![];
    for name in names {
        let fits = regex.as_ref().map_or(Ok(true), |regex| regex.is_match(&name)).map_err(|why| why.to_string())?;
        let path = dir.join(&name);
        if fits && path.is_file() && !(ignore_hidden && name.starts_with('.')) {
            out.push(read(request, &path)?);
        }
    }
    Ok(out)
}
