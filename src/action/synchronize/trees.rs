//! `synchronize` without rsync: one side lists its tree, the other makes its own alike and asks for the files that it lacks by their SHA-256.

use std::collections::HashMap;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use super::super::module::call;
use super::super::{Reaction, Request};
use super::plan::Plan;
use super::rsync::outcome;
use crate::connection::{Target, Transport};
use crate::runner::{ContentSource, NoContent};
use crate::value::{Value, text, to_json};

/// Lists the source, then applies it to the destination.
pub(super) fn run(request: &Request, plan: &Plan) -> Reaction {
    let rules = match plan.without_rsync() {
        Ok(rules) => rules,
        Err(message) => return Reaction::failed(message),
    };
    let (mut local, mut away) = (Side::here(request), Side::there(request));
    let (from, to) = if plan.pull { (&mut away, &mut local) } else { (&mut local, &mut away) };
    let recursive = plan.part("recursive");
    let mut list = Map::new();
    list.insert("path".into(), plan.src.as_str().into());
    list.insert("rules".into(), json!(rules));
    list.insert("recursive".into(), recursive.into());
    list.insert("dirs".into(), plan.args.flag("dirs").into());
    list.insert("follow".into(), plan.args.flag("copy_links").into());
    list.insert("links".into(), plan.part("links").into());
    let listed = from.call(request, "_tree", list, &NoContent);
    if is_bad(&listed) {
        return listed;
    }
    let field = |name: &str| listed.result.get(name).map(to_json).unwrap_or_default();
    let entries = field("entries");
    let skipped: Vec<String> = field("skipped_names").as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect();
    let give = Give { request, from, files: files(&entries, &plan.src) };
    let mut apply = Map::new();
    apply.insert("dest".into(), plan.dest.as_str().into());
    apply.insert("entries".into(), entries.clone());
    apply.insert("rules".into(), json!(rules));
    for name in ["delete", "existing_only", "checksum"] {
        apply.insert(name.into(), plan.args.flag(name).into());
    }
    for name in ["perms", "times", "owner", "group"] {
        apply.insert(name.into(), plan.part(name).into());
    }
    apply.insert("sign".into(), (if plan.pull { ">" } else { "<" }).into());
    let done = to.call(request, "_tree_apply", apply, &give);
    if is_bad(&done) || done.result.contains_key("_rplay_unknown") {
        return done;
    }
    let lines = done.result.get("lines").and_then(Value::as_slice).unwrap_or_default().iter().map(text);
    let said: String = skipped.into_iter().chain(lines).map(|line| format!("{line}\n")).collect();
    let changed = done.result.get("changed").is_some_and(Value::is_true);
    let changes = if plan.pull { Vec::new() } else { done.changes };
    Reaction { changes, ..outcome(request, changed, &said, &shown(plan, request)) }
}

/// `cmd` of the result: what it stands for.
fn shown(plan: &Plan, request: &Request) -> String {
    let side = |path: &str, away: bool| if away { format!("{}:{path}", request.target.name) } else { path.to_owned() };
    format!("rplay (without rsync) {} {}", side(&plan.src, plan.pull), side(&plan.dest, !plan.pull))
}

fn is_bad(reaction: &Reaction) -> bool {
    ["failed", "unreachable"].iter().any(|key| reaction.result.get(*key).is_some_and(Value::is_true))
}

/// One side of the move.
struct Side<'a> {
    target: Target,
    there: bool,
    become_: Option<&'a crate::connection::Become>,
}

impl<'a> Side<'a> {
    fn here(request: &Request<'a>) -> Side<'a> {
        let mut target = Target::new("localhost", Transport::Local);
        if request.target.transport == Transport::Local {
            target.clone_from(request.target);
        }
        Side { target, there: false, become_: None }
    }

    fn there(request: &Request<'a>) -> Side<'a> {
        Side { target: request.target.clone(), there: true, become_: request.become_ }
    }

    fn call(&self, request: &Request, module: &str, args: Map<String, Json>, content: &dyn ContentSource) -> Reaction {
        call(&self.request(request), module, args, content, None)
    }

    /// The request, for this side.
    fn request<'r>(&'r self, request: &'r Request) -> Request<'r> {
        Request {
            action: request.action,
            written: request.written,
            args: request.args.clone(),
            raw_args: request.raw_args,
            cx: request.cx,
            host: request.host,
            target: &self.target,
            delegated: request.delegated,
            become_: self.become_,
            check: request.check,
            diff: false,
            environment: if self.there { request.environment.clone() } else { Vec::new() },
            timeout: request.timeout,
            async_seconds: 0,
            job: String::new(),
            live: false,
            seen: false,
            overlay: if self.there { request.overlay.clone() } else { request.here.clone() },
            here: request.here.clone(),
            pool: request.pool,
            world: request.world,
            on_output: request.on_output,
            settings: request.settings,
        }
    }
}

/// Where each content is on the side that gives.
fn files(entries: &Json, src: &str) -> HashMap<String, PathBuf> {
    let root = Path::new(src);
    let base = if src.ends_with('/') { root } else { root.parent().unwrap_or(Path::new("/")) };
    let of = |entry: &Json| {
        let sha256 = entry.get("node")?.get("sha256")?.as_str()?;
        Some((sha256.to_owned(), base.join(entry.get("name")?.as_str()?)))
    };
    entries.as_array().into_iter().flatten().filter_map(of).collect()
}

/// Gives files of one side to the other.
struct Give<'r, 'a> {
    request: &'r Request<'a>,
    from: &'r Side<'a>,
    files: HashMap<String, PathBuf>,
}

impl ContentSource for Give<'_, '_> {
    fn open(&self, sha256: &str) -> std::io::Result<Box<dyn Read + '_>> {
        let other = std::io::Error::other::<String>;
        let path = self.files.get(sha256).ok_or_else(|| other(format!("no content {sha256} was announced")))?;
        let direct = self.from.target.transport == Transport::Local && self.from.become_.is_none();
        if direct || !self.from.there {
            return Ok(Box::new(std::fs::File::open(path)?));
        }
        let mut file = tempfile::tempfile()?;
        let mut wrong = None;
        let mut on_blob = |piece: &[u8]| {
            if let Err(error) = file.write_all(piece) {
                wrong = Some(error);
            }
        };
        let mut args = Map::new();
        args.insert("src".into(), path.display().to_string().into());
        let request = self.from.request(self.request);
        let reaction = call(&request, "_fetch", args, &NoContent, Some(&mut on_blob));
        if let Some(error) = wrong {
            return Err(error);
        }
        if is_bad(&reaction) {
            return Err(other(reaction.result.get("msg").map(text).unwrap_or_default()));
        }
        file.rewind()?;
        Ok(Box::new(file))
    }
}
