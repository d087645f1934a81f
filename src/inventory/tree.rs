//! YAML inventories (and JSON and TOML ones of the same shape): groups with `hosts`, `children` and `vars`.

use super::build::Builder;
use crate::diagnostic::Diagnostic;
use crate::yaml::{Kind, Node, Pair};

/// Reads a document into the builder.
pub(super) fn read(root: &Node, build: &mut Builder) -> Result<(), Diagnostic> {
    let Some(groups) = root.as_map() else {
        let empty = root.is_null() || root.as_list().is_some_and(<[Node]>::is_empty);
        let message = if empty {
            "Parsed empty YAML file".into()
        } else {
            format!("YAML inventory has invalid structure, it should be a dictionary, got: {}", root.type_name())
        };
        return Err(Diagnostic::error(message).at(&root.span));
    };
    if groups.is_empty() {
        return Err(Diagnostic::error("Parsed empty YAML file").at(&root.span));
    }
    if let Some(plugin) = root.get("plugin").filter(|plugin| !plugin.is_null()) {
        return Err(Diagnostic::error("Plugin configuration YAML file, not YAML inventory").at(&plugin.span));
    }
    for pair in groups {
        group(&pair.key, &pair.value, build)?;
    }
    Ok(())
}

/// Reads a group; `None` when it is no group at all.
fn group(name: &Node, body: &Node, build: &mut Builder) -> Result<Option<usize>, Diagnostic> {
    let Some(text) = name.as_str() else {
        let message = format!("Invalid group name supplied, expected a string but got {} for {}", name.type_name(), name.to_value());
        return Err(Diagnostic::error(message).at(&name.span).help("put the name between quotes"));
    };
    if body.as_map().is_none() && !body.is_null() {
        build.warn(Diagnostic::warning(format!("Skipping '{text}' as this is not a valid group definition")).at(&name.span));
        return Ok(None);
    }
    let group = build.group(text, &name.span)?;
    for pair in body.as_map().unwrap_or_default() {
        section(text, group, pair, build)?;
    }
    Ok(Some(group))
}

fn section(name: &str, group: usize, pair: &Pair, build: &mut Builder) -> Result<(), Diagnostic> {
    let key = pair.key.to_value().to_string();
    let known = matches!(key.as_str(), "vars" | "children" | "hosts");
    let alone;
    let pairs = match &pair.value.kind {
        Kind::Map(pairs) => pairs.as_slice(),
        _ if pair.value.is_null() => return Ok(()),
        Kind::Text(..) | Kind::Unsafe(_) if known => {
            alone = [Pair { key: pair.value.clone(), value: null_at(&pair.value) }];
            &alone
        }
        _ if known => {
            let message = format!("Invalid \"{key}\" entry for \"{name}\" group, requires a dictionary, found \"{}\" instead.", pair.value.type_name());
            return Err(Diagnostic::error(message).at(&pair.value.span));
        }
        _ => {
            let message = format!("Skipping key ({key}) in group ({name}) as it is not a mapping, it is a {}", pair.value.type_name());
            build.warn(Diagnostic::warning(message).at(&pair.key.span));
            return Ok(());
        }
    };
    match key.as_str() {
        "vars" => pairs.iter().try_for_each(|pair| build.group_var(group, &pair.key.to_value().to_string(), pair.value.clone(), &pair.key.span)),
        "children" => pairs.iter().try_for_each(|pair| child(group, pair, build)),
        "hosts" => pairs.iter().try_for_each(|pair| hosts(group, pair, build)),
        other => {
            let message = format!("Skipping unexpected key ({other}) in group ({name}), only \"vars\", \"children\" and \"hosts\" are valid");
            build.warn(Diagnostic::warning(message).at(&pair.key.span).did_you_mean(other, ["vars", "children", "hosts"]));
            Ok(())
        }
    }
}

fn null_at(node: &Node) -> Node {
    Node { kind: Kind::Scalar(crate::value::Value::Null), span: node.span.clone() }
}

fn child(parent: usize, pair: &Pair, build: &mut Builder) -> Result<(), Diagnostic> {
    match group(&pair.key, &pair.value, build)? {
        Some(child) => build.data.add_child(parent, child).map(drop).map_err(|error| error.at(&pair.key.span)),
        None => Ok(()),
    }
}

fn hosts(group: usize, pair: &Pair, build: &mut Builder) -> Result<(), Diagnostic> {
    let Some(pattern) = pair.key.as_str() else {
        let message = format!("Host pattern {} must be a string. Enclose integers/floats in quotation marks.", pair.key.to_value());
        return Err(Diagnostic::error(message).at(&pair.key.span));
    };
    let hosts = build.hosts(pattern, group, &pair.key.span)?;
    let vars = match &pair.value.kind {
        Kind::Map(vars) => vars.as_slice(),
        _ if pair.value.is_null() || !pair.value.to_value().is_true() => &[],
        _ => {
            let message = format!("variables of host '{pattern}' must be a dictionary, found {}", pair.value.type_name());
            return Err(Diagnostic::error(message).at(&pair.value.span));
        }
    };
    for var in vars {
        let name = var.key.to_value().to_string();
        hosts.iter().for_each(|host| build.host_var(*host, &name, var.value.clone(), &var.key.span));
    }
    Ok(())
}
