//! `copy` and `template`: content of the controller goes to a file of the target, when it differs.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};

use super::module::{Content, call, to_map};
use super::{Reaction, Request};
use crate::source::Source;
use crate::template::{FileOptions, render_file};
use crate::value::{Fault, Value, text};
use crate::vault;

/// Content up to this size travels with the call: one round trip.
const INLINE: usize = 16 * 1024;

/// A relative file: in the role's or playbook's `files/` (or `templates/`), or beside the task's file.
pub(super) fn find(request: &Request, section: &str, name: &str) -> Result<PathBuf, String> {
    let path = Path::new(name);
    let missing = |searched: String| {
        format!(
            "Could not find or access '{name}'{searched} on the Ansible Controller.\nIf you are using a module and expect the file to exist on the remote, see the remote_src option"
        )
    };
    let home = || request.world.run.environment.get("HOME").map(PathBuf::from);
    let path = match (path.strip_prefix("~"), home()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_path_buf(),
    };
    if path.is_absolute() {
        return if path.exists() { Ok(path) } else { Err(missing(String::new())) };
    }
    let search = request.cx.scope().search_path();
    let tried: Vec<PathBuf> = search.iter().flat_map(|dir| [dir.join(section).join(&path), dir.join(&path)]).collect();
    tried
        .iter()
        .find(|path| path.exists())
        .cloned()
        .ok_or_else(|| missing(format!("\nSearched in:\n\t{}", tried.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join("\n\t"))))
}

/// A file of the controller; a vaulted one is decrypted.
pub(super) fn read(request: &Request, path: &Path) -> Result<Vec<u8>, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let decrypt = request.args.get("decrypt").is_none_or(Value::is_true);
    if decrypt && vault::is_encrypted(&bytes) {
        return request.world.run.secrets.decrypt_bytes(&bytes).map_err(|error| format!("{}: {error}", path.display()));
    }
    Ok(bytes)
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Calls the copy module with this content.
pub(super) fn send(request: &Request, mut args: Map<String, Json>, bytes: Vec<u8>) -> Reaction {
    let content = announce_bytes(&mut args, bytes);
    call(request, "copy", args, &content, None)
}

/// Check mode: calls the copy module with content that nobody knows; where there is no file yet, it is predicted all the same.
fn send_unknown(request: &Request, mut args: Map<String, Json>, reason: &str) -> Reaction {
    args.insert("_rplay_open".into(), reason.into());
    call(request, "copy", args, &crate::runner::NoContent, None)
}

/// Check mode: a copy of nobody knows what. Into a file that is named it can be predicted.
fn from_unknown(request: &Request, mut args: Map<String, Json>, reason: &str) -> Result<Reaction, Fault> {
    let named = request.args.get("dest").is_some_and(|dest| !text(dest).ends_with('/'));
    if !named || request.args.contains_key("remote_src") {
        return Err(Fault::unknown(reason));
    }
    args.shift_remove("src");
    Ok(send_unknown(request, args, reason))
}

/// Check mode: why a file of the controller may be there once earlier tasks are done.
fn may_be_made(request: &Request, name: &str) -> Option<String> {
    let text = |change: &Json, key: &str| change.get(key).and_then(Json::as_str).map(str::to_string);
    request.here.iter().filter(|_| name.starts_with('/')).find_map(|change| match text(change, "kind")?.as_str() {
        "opaque" if text(change, "below").is_none_or(|below| Path::new(name).starts_with(below)) => {
            Some(format!("{name} may be made by {}", text(change, "what")?))
        }
        "file" if text(change, "path")? == name => Some(format!("{name}, which an earlier task would have made")),
        _ => None,
    })
}

/// `copy`.
pub(super) fn copy(request: &mut Request) -> Result<Reaction, Fault> {
    let mut args = to_map(&request.args);
    if let Some(Value::Unknown(reason)) = request.args.get("src") {
        return from_unknown(request, args, reason);
    }
    if request.args.get("remote_src").is_some_and(|value| matches!(text(value).to_lowercase().as_str(), "true" | "yes" | "on" | "1")) {
        return Ok(call(request, "copy", args, &crate::runner::NoContent, None));
    }
    let (src, content) = (request.args.get("src").map(text), request.args.get("content"));
    let dest = request.args.get("dest").or_else(|| request.args.get("path")).map(text);
    match (&src, content, &dest) {
        (_, _, None) => return Ok(Reaction::failed("dest is required")),
        (None, None, _) => return Ok(Reaction::failed("src (or content) is required")),
        (Some(_), Some(_), _) => return Ok(Reaction::failed("src and content are mutually exclusive")),
        _ => {}
    }
    args.shift_remove("decrypt");
    args.shift_remove("local_follow");
    if let Some(content) = content {
        if dest.is_some_and(|dest| dest.ends_with('/')) {
            return Ok(Reaction::failed("can not use content with a dir as dest"));
        }
        args.shift_remove("content");
        if let Value::Unknown(reason) = content {
            return Ok(send_unknown(request, args, reason));
        }
        return Ok(send(request, args, content_text(content).into_bytes()));
    }
    let src = src.unwrap_or_default();
    let path = match find(request, "files", &src) {
        Ok(path) => path,
        Err(message) => {
            let Some(reason) = may_be_made(request, &src) else { return Ok(Reaction::failed(message)) };
            args.insert("_original_basename".into(), Path::new(&src).file_name().map(|name| name.to_string_lossy().into_owned()).into());
            return Ok(send_unknown(request, args, &reason));
        }
    };
    if path.is_dir() {
        return Ok(super::tree::copy(request, &path, src.ends_with('/')));
    }
    Ok(file(request, args, &path))
}

/// `content:` as text: structures as JSON.
fn content_text(content: &Value) -> String {
    match content {
        Value::Dict(_) | Value::List(_) => crate::value::dumps(content, false),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        other => text(other),
    }
}

/// One file of the controller.
pub(super) fn file(request: &Request, mut args: Map<String, Json>, path: &Path) -> Reaction {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    args.insert("_original_basename".into(), name.into());
    if args.get("mode").and_then(Json::as_str) == Some("preserve") {
        use std::os::unix::fs::PermissionsExt;
        if let Ok(meta) = path.metadata() {
            args.insert("mode".into(), format!("0{:o}", meta.permissions().mode() & 0o7777).into());
        }
    }
    match announce(request, &mut args, path) {
        Ok(content) => {
            if matches!(content, Content::File(..)) && !request.seen {
                // of a large file they take longer than all the rest
                args.insert("_rplay_sums".into(), false.into());
            }
            call(request, "copy", args, &content, None)
        }
        Err(message) => Reaction::failed(message),
    }
}

/// Names a file's content in the arguments of a module, small content included; what gives it when the target asks.
pub(super) fn announce(request: &Request, args: &mut Map<String, Json>, path: &Path) -> Result<Content, String> {
    let size = path.metadata().map_or(0, |meta| meta.len());
    if size as usize > INLINE * 64 && !is_vaulted(path) {
        let digest = request.pool.digest_of(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        args.insert("_rplay_sha256".into(), digest.as_str().into());
        args.insert("_rplay_size".into(), size.into());
        return Ok(Content::File(digest, path.to_path_buf()));
    }
    read(request, path).map(|bytes| announce_bytes(args, bytes))
}

fn announce_bytes(args: &mut Map<String, Json>, bytes: Vec<u8>) -> Content {
    let digest = sha256(&bytes);
    args.insert("_rplay_sha256".into(), digest.as_str().into());
    args.insert("_rplay_size".into(), bytes.len().into());
    if bytes.len() <= INLINE {
        args.insert("_rplay_content".into(), base64::engine::general_purpose::STANDARD.encode(&bytes).into());
    }
    Content::Bytes(digest, bytes)
}

fn is_vaulted(path: &Path) -> bool {
    use std::io::Read;
    let mut head = [0; 32];
    let read = std::fs::File::open(path).and_then(|mut file| file.read(&mut head)).unwrap_or(0);
    vault::is_encrypted(&head[..read])
}

/// `template`.
pub(super) fn template(request: &mut Request) -> Result<Reaction, Fault> {
    let mut args = request.args.clone();
    let mut take = |key: &str| args.shift_remove(key);
    let Some(src) = take("src").map(|value| text(&value)) else { return Ok(Reaction::failed("src and dest are required")) };
    if !request.args.contains_key("dest") {
        return Ok(Reaction::failed("src and dest are required"));
    }
    let options = match options(&mut take) {
        Ok(options) => options,
        Err(message) => return Ok(Reaction::failed(message)),
    };
    let encoding = take("output_encoding").map_or("utf-8".into(), |value| text(&value).to_lowercase());
    if !matches!(encoding.as_str(), "utf-8" | "utf8" | "ascii" | "us-ascii") {
        return Ok(Reaction::failed(format!("output_encoding {encoding} is not supported: rplay writes UTF-8")));
    }
    let (path, rendered) = match rendered(request, &src, &options) {
        Ok(Ok((path, text))) => (path, Ok(text)),
        Ok(Err(message)) => return Ok(Reaction::failed(message)),
        Err(fault) if fault.is_unknown() => (PathBuf::from(&src), Err(fault.message)),
        Err(fault) => return Err(fault),
    };
    let mut map = to_map(&args);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let plain = name.strip_suffix(".j2").unwrap_or(&name).to_string();
    map.insert("_original_basename".into(), plain.into());
    map.insert("_rplay_after_header".into(), path.display().to_string().into());
    if map.get("mode").and_then(Json::as_str) == Some("preserve") {
        use std::os::unix::fs::PermissionsExt;
        if let Ok(meta) = path.metadata() {
            map.insert("mode".into(), format!("0{:o}", meta.permissions().mode() & 0o7777).into());
        }
    }
    Ok(match rendered {
        Ok(text) => send(request, map, text.into_bytes()),
        Err(reason) => send_unknown(request, map, &reason),
    })
}

/// The options of a template; `take` gives their arguments.
pub(super) fn options(take: &mut dyn FnMut(&str) -> Option<Value>) -> Result<FileOptions, String> {
    let mut options = FileOptions::default();
    for key in [
        "block_start_string",
        "block_end_string",
        "variable_start_string",
        "variable_end_string",
        "comment_start_string",
        "comment_end_string",
        "trim_blocks",
        "lstrip_blocks",
        "newline_sequence",
    ] {
        if let Some(value) = take(key) {
            let mut word = text(&value);
            if key == "newline_sequence" {
                word = format!("\"{}\"", word.replace('\r', "\\r").replace('\n', "\\n"));
            }
            options.set(key, &word)?;
        }
    }
    Ok(options)
}

/// A template of the controller, rendered, and where it is; or why it cannot be read.
///
/// # Errors
/// An expression in it is at fault.
pub(super) fn rendered(request: &Request, src: &str, options: &FileOptions) -> Result<Result<(PathBuf, String), String>, Fault> {
    let found = find(request, "templates", src).and_then(|path| read(request, &path).map(|bytes| (path, bytes)));
    let (path, bytes) = match found {
        Ok(found) => found,
        Err(message) => return Ok(Err(message)),
    };
    let Ok(raw) = String::from_utf8(bytes) else { return Ok(Err(format!("{} is not UTF-8", path.display()))) };
    let source = Source::new(&path, raw);
    let cx = request.cx.with(file_variables(request, &path, src));
    Ok(Ok((path, render_file(&source, &cx, options)?)))
}

/// What a template may say about itself: `ansible_managed`, `template_path` and the like.
fn file_variables(request: &Request, path: &Path, src: &str) -> Vec<(std::sync::Arc<str>, Value)> {
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut vars: Vec<(std::sync::Arc<str>, Value)> = vec![
        ("template_path".into(), full.display().to_string().into()),
        ("template_fullpath".into(), full.display().to_string().into()),
        ("template_destpath".into(), request.args.get("dest").cloned().unwrap_or(Value::Null)),
        ("template_host".into(), hostname().into()),
        ("template_uid".into(), request.world.run.environment.get("USER").cloned().unwrap_or_else(|| "root".into()).into()),
        ("template_run_date".into(), Value::Date(chrono::DateTime::<chrono::Local>::from(crate::template::clock::now()).naive_local(), None)),
    ];
    if !matches!(request.cx.get("ansible_managed"), Ok(Some(_))) {
        vars.push(("ansible_managed".into(), request.settings.ansible_managed.as_str().into()));
    }
    let _ = src;
    vars
}

fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
