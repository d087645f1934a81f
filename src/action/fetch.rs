//! `fetch`: a file of the target comes to the controller.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::module::call;
use super::{Reaction, Request};
use crate::runner::NoContent;
use crate::value::{Dict, Fault, Value, text};

/// Brings the file, unless it is here already.
pub(super) fn run(request: &mut Request) -> Result<Reaction, Fault> {
    let flag =
        |key: &str, default: bool| request.args.get(key).map_or(default, |value| matches!(text(value).to_lowercase().as_str(), "true" | "yes" | "on" | "1"));
    let known = ["src", "dest", "flat", "fail_on_missing", "validate_checksum"];
    if let Some(wrong) = request.args.keys().map(|key| text(&key.to_value())).find(|key| !known.contains(&key.as_str())) {
        return Ok(Reaction::failed(format!(
            "Unsupported parameters for (fetch) module: {wrong}. Supported parameters include: dest, fail_on_missing, flat, src, validate_checksum."
        )));
    }
    let (Some(src), Some(dest)) = (request.args.get("src").map(text), request.args.get("dest").map(text)) else {
        return Ok(Reaction::failed("src and dest are required"));
    };
    if request.check {
        let mut reaction = Reaction::ok("check mode not (yet) supported for this module");
        reaction.result.insert("skipped".into(), true.into());
        return Ok(reaction);
    }
    let place = place(request, &src, &dest, flag("flat", false));
    let Some(parent) = place.parent() else { return Ok(Reaction::failed(format!("{dest} is no file name"))) };
    // nothing is made for a file that does not come
    let existing = parent.ancestors().find(|dir| dir.is_dir()).unwrap_or(parent);
    let before = request.pool.digest_of(&place).ok();
    let mut file = match tempfile::Builder::new().prefix(".rplay-").tempfile_in(existing) {
        Ok(file) => file,
        Err(error) => return Ok(Reaction::failed(format!("cannot write in {}: {error}", existing.display()))),
    };
    let mut wrong = None;
    let mut got = false;
    let mut on_blob = |piece: &[u8]| {
        got = true;
        if let Err(error) = file.write_all(piece) {
            wrong = Some(error);
        }
    };
    let mut args = serde_json::Map::new();
    args.insert("src".into(), src.as_str().into());
    if let Some(before) = &before {
        args.insert("_rplay_sha256".into(), before.as_str().into());
    }
    let reaction = call(request, "_fetch", args, &NoContent, Some(&mut on_blob));
    if let Some(error) = wrong {
        return Ok(Reaction::failed(format!("cannot write {}: {error}", place.display())));
    }
    if !got && !failed(&reaction) && before.is_none() {
        got = true;
    }
    if failed(&reaction) {
        return Ok(missing(reaction, flag("fail_on_missing", true), &src));
    }
    if got && let Err(error) = keep(file, parent, &place) {
        return Ok(Reaction::failed(format!("cannot write {}: {error}", place.display())));
    }
    Ok(finish(request, reaction, &place, before.as_deref()))
}

/// Puts the file in its place, readable as files usually are.
fn keep(file: tempfile::NamedTempFile, parent: &Path, place: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(parent)?;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    file.persist(place).map(drop).map_err(|error| error.error)
}

fn failed(reaction: &Reaction) -> bool {
    ["failed", "unreachable"].iter().any(|key| reaction.result.get(*key).is_some_and(Value::is_true))
}

fn missing(mut reaction: Reaction, fatal: bool, src: &str) -> Reaction {
    if fatal && reaction.result.get("msg").map(text).is_some_and(|msg| msg.starts_with("File not found")) {
        reaction.result.insert("msg".into(), "the remote file does not exist, not transferring, ignored".into());
    }
    if fatal || reaction.result.contains_key("unreachable") {
        return reaction;
    }
    let msg = reaction.result.get("msg").map(text).unwrap_or_default();
    let mut result = Dict::new();
    result.insert("changed".into(), false.into());
    result.insert("file".into(), src.into());
    let msg = if msg.starts_with("File not found") { "the remote file does not exist, not transferring".to_string() } else { msg };
    result.insert("msg".into(), format!("{msg}, ignored").into());
    reaction.result = result;
    reaction
}

/// `DEST/HOST/SRC`, or `DEST` itself when `flat`.
fn place(request: &Request, src: &str, dest: &str, flat: bool) -> PathBuf {
    let home = request.world.run.environment.get("HOME").cloned().unwrap_or_default();
    let dest = match dest.strip_prefix("~/") {
        Some(rest) => format!("{home}/{rest}"),
        None => dest.to_string(),
    };
    let base = if Path::new(&dest).is_absolute() { PathBuf::from(&dest) } else { request.world.run.playbook_dir.join(&dest) };
    let name = Path::new(src).file_name().unwrap_or_default();
    match (flat, dest.ends_with('/') || (flat && base.is_dir())) {
        (true, true) => base.join(name),
        (true, false) => base,
        (false, _) => {
            let below: PathBuf = Path::new(src).components().filter(|part| matches!(part, std::path::Component::Normal(_))).collect();
            base.join(request.host.as_ref()).join(below)
        }
    }
}

fn finish(request: &Request, reaction: Reaction, place: &Path, before: Option<&str>) -> Reaction {
    let after = request.pool.digest_of(place).ok();
    let mut result = Dict::new();
    result.insert("changed".into(), (after.as_deref() != before).into());
    result.insert("dest".into(), place.display().to_string().into());
    for key in ["checksum", "md5sum", "remote_checksum", "file"] {
        if let Some(value) = reaction.result.get(key) {
            result.insert(key.into(), value.clone());
        }
    }
    if let (Some(value), false) = (reaction.result.get("checksum"), result.contains_key("remote_checksum")) {
        result.insert("remote_checksum".into(), value.clone());
    }
    result.insert("remote_md5sum".into(), Value::Null);
    Reaction::of(result)
}
