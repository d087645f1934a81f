//! `add_host` and `group_by`: the inventory grows while the run goes on.

use super::{Effect, Reaction, Request};
use crate::value::{Dict, Fault, Value, text};

fn names(value: Option<&Value>) -> Vec<String> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::List(items) | Value::Tuple(items)) => items.iter().map(text).collect(),
        Some(other) => text(other).split(',').map(|name| name.trim().to_string()).filter(|name| !name.is_empty()).collect(),
    }
}

/// `add_host`.
pub(super) fn add_host(request: &mut Request) -> Result<Reaction, Fault> {
    let mut args = request.args.clone();
    args.shift_remove("_raw_params");
    let mut take = |keys: &[&str]| keys.iter().find_map(|key| args.shift_remove(*key));
    let Some(name) = take(&["name", "hostname", "host"]) else {
        return Ok(Reaction::failed("name, host or hostname needs to be provided"));
    };
    let groups = names(take(&["groupname", "groups", "group"]).as_ref());
    let (name, port) = split_port(&text(&name));
    let mut vars = args;
    if let Some(port) = port {
        vars.insert("ansible_ssh_port".into(), Value::Int(port.into()));
    }
    let mut added = Dict::new();
    added.insert("host_name".into(), name.as_str().into());
    added.insert("groups".into(), Value::list(groups.iter().map(|group| group.as_str().into()).collect()));
    added.insert("host_vars".into(), Value::dict(vars.clone()));
    let known = request.world.inventory.host(&name).is_some_and(|host| !host.implicit);
    let missing = groups.iter().any(|group| !request.world.inventory.members(group).iter().any(|host| host.as_ref() == name));
    let mut result = Dict::new();
    result.insert("changed".into(), (!known || missing).into());
    result.insert("add_host".into(), Value::dict(added));
    if request.check {
        return Ok(Reaction::of(result));
    }
    Ok(Reaction::of(result).with(Effect::AddHost { name, groups, vars }))
}

/// `host:port`, unless it is an IPv6 address.
fn split_port(name: &str) -> (String, Option<u16>) {
    match name.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || (host.starts_with('[') && host.ends_with(']')) => match port.parse() {
            Ok(port) => (host.trim_matches(['[', ']']).to_string(), Some(port)),
            Err(_) => (name.to_string(), None),
        },
        _ => (name.to_string(), None),
    }
}

/// `group_by`.
pub(super) fn group_by(request: &mut Request) -> Result<Reaction, Fault> {
    let Some(key) = request.args.get("key") else {
        return Ok(Reaction::failed("the 'key' param is required when using group_by"));
    };
    let group = text(key).replace(' ', "-");
    let parents = names(request.args.get("parents"));
    let parents: Vec<String> = if parents.is_empty() { vec!["all".into()] } else { parents.iter().map(|name| name.replace(' ', "-")).collect() };
    let member = request.world.inventory.members(&group).iter().any(|host| host == request.host);
    let mut result = Dict::new();
    result.insert("changed".into(), (!member).into());
    result.insert("add_group".into(), group.as_str().into());
    result.insert("parent_groups".into(), Value::list(parents.iter().map(|name| name.as_str().into()).collect()));
    Ok(Reaction::of(result).with(Effect::GroupBy { group, parents }))
}
