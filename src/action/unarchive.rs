//! `unarchive`: an archive of the controller is unpacked on the target; it travels only when the target asks for it.

use super::content::{announce, find};
use super::module::{call, to_map};
use super::{Reaction, Request};
use crate::runner::NoContent;
use crate::value::{Fault, Value, text};

/// Unpacks it.
pub(super) fn run(request: &mut Request) -> Result<Reaction, Fault> {
    let mut args = to_map(&request.args);
    let flag = |key: &str| request.args.get(key).map(|value| matches!(text(value).to_lowercase().as_str(), "true" | "yes" | "on" | "1" | "y" | "t"));
    if args.contains_key("copy") && args.contains_key("remote_src") {
        return Ok(Reaction::failed("parameters are mutually exclusive: ('copy', 'remote_src')"));
    }
    let (Some(src), true) = (request.args.get("src").map(text), request.args.contains_key("dest")) else {
        return Ok(Reaction::failed("src (or content) and dest are required"));
    };
    let on_target = flag("remote_src").or_else(|| flag("copy").map(|copy| !copy)).unwrap_or(false);
    args.shift_remove("copy");
    args.insert("remote_src".into(), on_target.into());
    if on_target {
        return Ok(call(request, "unarchive", args, &NoContent, None));
    }
    args.shift_remove("decrypt");
    let prepared = find(request, "files", &src).and_then(|path| {
        let content = announce(request, &mut args, &path)?;
        args.insert("src".into(), path.display().to_string().into());
        Ok(content)
    });
    match prepared {
        Ok(content) => Ok(call(request, "unarchive", args, &content, None)),
        // where `creates` exists nobody needs the archive
        Err(message) if args.contains_key("creates") => {
            let reaction = call(request, "unarchive", args, &NoContent, None);
            let settled = ["skipped", "unreachable"].iter().any(|key| reaction.result.get(*key).is_some_and(Value::is_true));
            Ok(if settled { reaction } else { Reaction::failed(message) })
        }
        Err(message) => Ok(Reaction::failed(message)),
    }
}
