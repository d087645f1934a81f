//! `k8s`: templates of the controller become definitions; everything else is done on the target.

use serde_json::Value as Json;

use super::content::{find, options, rendered};
use super::module::{call, to_map};
use super::{Reaction, Request};
use crate::connection::Transport;
use crate::runner::NoContent;
use crate::value::{Dict, Fault, Value, text};

/// Renders `template` and calls the module.
pub(super) fn k8s(request: &mut Request) -> Result<Reaction, Fault> {
    let mut args = to_map(&request.args);
    if request.target.transport == Transport::Local
        && let Some(path) = request.args.get("src").and_then(|src| find(request, "files", &text(src)).ok())
    {
        args.insert("src".into(), path.display().to_string().into());
    }
    if let Some(template) = request.args.get("template").filter(|template| !matches!(template, Value::Null)) {
        let other = ["definition", "resource_definition", "inline", "src"].into_iter().find(|other| request.args.contains_key(*other));
        if let Some(other) = other {
            return Ok(Reaction::failed(format!("parameters are mutually exclusive: template|{other}")));
        }
        let items = template.as_slice().map_or_else(|| vec![template.clone()], <[Value]>::to_vec);
        let mut texts: Vec<Json> = vec![];
        for item in &items {
            match one(request, item)? {
                Ok(text) => texts.push(text.into()),
                Err(message) => return Ok(Reaction::failed(message)),
            }
        }
        args.shift_remove("template");
        args.insert("definition".into(), Json::Array(texts));
    }
    Ok(call(request, "k8s", args, &NoContent, None))
}

/// A path, or a mapping with `path` and options of the template.
fn one(request: &Request, item: &Value) -> Result<Result<String, String>, Fault> {
    let mut settings = match item {
        Value::Dict(map) => (**map).clone(),
        Value::Str(path) => Dict::from_iter([("path".into(), Value::Str(path.clone()))]),
        _ => return Ok(Err("Error while reading template file - a string or dict for template expected".into())),
    };
    let Some(path) = settings.shift_remove("path").map(|path| text(&path)).filter(|path| !path.is_empty()) else {
        return Ok(Err("Please specify path for template.".into()));
    };
    let options = match options(&mut |key| settings.shift_remove(key)) {
        Ok(options) => options,
        Err(message) => return Ok(Err(message)),
    };
    if let Some(key) = settings.keys().next() {
        return Ok(Err(format!("a template has no option {}", text(&key.to_value()))));
    }
    Ok(rendered(request, &path, &options)?.map(|(_, text)| text))
}
