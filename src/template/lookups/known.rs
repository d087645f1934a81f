//! What the controller knows: environment, variables, host names, commands.

use std::process::{Command, Stdio};

use crate::template::coerce::{to_dict, to_list, to_text};
use crate::template::filters::{path, regex};
use crate::template::{Arguments, Env};
use crate::value::{Fault, Value, repr};

use super::search;

/// `env`.
///
/// # Errors
/// A term has no value.
pub fn env(terms: Vec<Value>, args: Arguments, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    let default = args.named.iter().find(|(name, _)| name == "default").map(|(_, value)| value);
    let mut out = Vec::new();
    for term in &terms {
        let term = to_text(term)?;
        let name = term.split_whitespace().next().ok_or_else(|| Fault::error("list index out of range"))?;
        out.push(match (env.environment(name), default) {
            (Some(value), _) => value.into(),
            (None, Some(Value::Undefined(_))) => Value::Undefined(format!("The environment variable '{name}' is not set.").into()),
            (None, Some(default)) => default.clone(),
            (None, None) => "".into(),
        });
    }
    Ok(out)
}

/// `vars`.
///
/// # Errors
/// A variable cannot be rendered.
pub fn vars(terms: Vec<Value>, args: Arguments, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    let default = args.named.iter().find(|(name, _)| name == "default").map(|(_, value)| value).filter(|default| !matches!(default, Value::Null));
    let mut out = Vec::new();
    for term in &terms {
        let Value::Str(name) = term else {
            return Err(Fault::error(format!("Variable name must be 'str' not '{}'.", term.type_name())));
        };
        out.push(match (env.variable(name)?, default) {
            (Some(value), _) => value,
            (None, Some(default)) => default.clone(),
            (None, None) => Value::Undefined(format!("No variable named '{name}' was found.").into()),
        });
    }
    Ok(out)
}

/// `varnames`.
///
/// # Errors
/// A bad pattern.
pub fn varnames(terms: Vec<Value>, _: Arguments, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    let names = env.variable_names();
    let mut out = Vec::new();
    for term in &terms {
        let Value::Str(pattern) = term else {
            return Err(Fault::error(format!(
                "Invalid setting identifier, \"{}\" is not a string, it is a {}",
                to_text(term)?,
                crate::template::coerce::class_of(term)
            )));
        };
        let regex = regex::compile(pattern, false, false)
            .map_err(|fault| Fault::error(format!("Unable to use \"{pattern}\" as a search parameter: {}", fault.message)))?;
        for name in &names {
            if regex.is_match(name).map_err(Fault::error)? {
                out.push(Value::Str(name.clone()));
            }
        }
    }
    Ok(out)
}

/// What a command of the shell wrote.
fn output(lookup: &str, command: &str, env: &dyn Env) -> Result<String, Fault> {
    let output = Command::new("/bin/sh").arg("-c").arg(command).current_dir(search::base_folder(env)?).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| Fault::error(format!("lookup_plugin.{lookup}({command}) could not start: {error}")))?;
    if !output.status.success() {
        use std::os::unix::process::ExitStatusExt as _;
        let code = output.status.code().unwrap_or_else(|| -output.status.signal().unwrap_or(1));
        return Err(Fault::error(format!("lookup_plugin.{lookup}({command}) returned {code}")));
    }
    String::from_utf8(output.stdout).map_err(|_| Fault::error(format!("lookup_plugin.{lookup}({command}) wrote what is not UTF-8 text")))
}

/// `pipe`.
///
/// # Errors
/// A command fails.
pub fn pipe(terms: Vec<Value>, _: Arguments, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    crate::template::active::note("pipe()");
    terms.iter().map(|term| Ok(output("pipe", &to_text(term)?, env)?.trim_end().into())).collect()
}

/// `lines`.
///
/// # Errors
/// A command fails.
pub fn lines(terms: Vec<Value>, _: Arguments, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    let mut out = Vec::new();
    for term in &terms {
        out.extend(output("lines", &to_text(term)?, env)?.lines().map(Value::from));
    }
    Ok(out)
}

/// `inventory_hostnames`: hosts that patterns name, from the variable `groups`.
///
/// # Errors
/// The groups cannot be read.
pub fn inventory_hostnames(terms: Vec<Value>, _: Arguments, env: &dyn Env) -> Result<Vec<Value>, Fault> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for (name, hosts) in env.variable("groups")?.map_or(Ok(None), |groups| to_dict(&groups))?.unwrap_or_default() {
        let hosts = to_list(&hosts)?.unwrap_or_default().iter().map(|host| Ok(to_text(host)?.to_string())).collect::<Result<_, Fault>>()?;
        groups.push((to_text(&name.to_value())?.to_string(), hosts));
    }
    let mut patterns = Vec::new();
    for term in &terms {
        let texts = to_list(term)?.unwrap_or_else(|| vec![term.clone()]);
        for text in &texts {
            patterns.extend(split_patterns(&to_text(text)?));
        }
    }
    Ok(matched(&groups, &patterns)?.into_iter().map(Value::from).collect())
}

/// Patterns at commas, else at colons that stand outside brackets.
fn split_patterns(text: &str) -> Vec<String> {
    if text.contains(',') {
        return text.split(',').map(|part| part.trim().to_string()).filter(|part| !part.is_empty()).collect();
    }
    let mut depth = 0;
    let parts = text.split(|c: char| {
        depth += match c {
            '[' => 1,
            ']' => -1,
            _ => 0,
        };
        c == ':' && depth == 0
    });
    parts.map(|part| part.trim().to_string()).filter(|part| !part.is_empty()).collect()
}

/// The hosts of all patterns: plain ones first, then what `&` keeps, then what `!` leaves.
fn matched(groups: &[(String, Vec<String>)], patterns: &[String]) -> Result<Vec<String>, Fault> {
    let mut all: Vec<String> = Vec::new();
    for host in groups.iter().flat_map(|(_, hosts)| hosts) {
        if !all.contains(host) {
            all.push(host.clone());
        }
    }
    let plain: Vec<&String> = patterns.iter().filter(|pattern| !pattern.starts_with(['!', '&'])).collect();
    let mut chosen = if plain.is_empty() { all.clone() } else { Vec::new() };
    for pattern in plain {
        for host in one(groups, &all, pattern)? {
            if !chosen.contains(&host) {
                chosen.push(host);
            }
        }
    }
    for pattern in patterns.iter().filter_map(|pattern| pattern.strip_prefix('&')) {
        let kept = one(groups, &all, pattern)?;
        chosen.retain(|host| kept.contains(host));
    }
    for pattern in patterns.iter().filter_map(|pattern| pattern.strip_prefix('!')) {
        let left = one(groups, &all, pattern)?;
        chosen.retain(|host| !left.contains(host));
    }
    Ok(chosen)
}

/// The hosts of one pattern, with its range of positions applied.
fn one(groups: &[(String, Vec<String>)], all: &[String], pattern: &str) -> Result<Vec<String>, Fault> {
    let (name, range) = match pattern.strip_suffix(']').and_then(|pattern| pattern.rsplit_once('[')) {
        Some((name, range)) if !pattern.starts_with('~') && range.chars().all(|c| c.is_ascii_digit() || "-:".contains(c)) => (name, Some(range)),
        _ => (pattern, None),
    };
    let compiled = name.strip_prefix('~').map(|source| regex::compile(source, false, false)).transpose()?;
    let fits = |candidate: &str| match &compiled {
        Some(regex) => regex.match_start(candidate).map(|found| found.is_some()).map_err(Fault::error),
        None => Ok(path::matches(name, candidate)),
    };
    let mut hosts: Vec<String> = Vec::new();
    let mut add = |host: &String| {
        if !hosts.contains(host) {
            hosts.push(host.clone())
        }
    };
    if name == "all" || name == "*" {
        all.iter().for_each(&mut add);
    } else {
        for (group, members) in groups {
            if fits(group)? {
                members.iter().for_each(&mut add);
            }
        }
        for host in all {
            if fits(host)? {
                add(host);
            }
        }
    }
    let Some(range) = range else { return Ok(hosts) };
    let position = |text: &str| text.parse::<i128>().map(|n| crate::template::coerce::clamp_index(n, hosts.len()));
    let bad = |_| Fault::error(format!("bad range in the host pattern {}", repr(&pattern.into())));
    let (from, to) = match range.split_once([':', '-']).filter(|(from, _)| !from.is_empty() || range.starts_with(':')) {
        Some((from, to)) => {
            let to = if to.is_empty() { hosts.len() } else { (position(to).map_err(bad)? + 1).min(hosts.len()) };
            (if from.is_empty() { 0 } else { position(from).map_err(bad)? }, to)
        }
        None => {
            let at = position(range).map_err(bad)?;
            (at, (at + 1).min(hosts.len()))
        }
    };
    Ok(hosts.get(from..to.max(from)).unwrap_or_default().to_vec())
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn patterns_choose_hosts() {
        let group = |name: &str, hosts: &[&str]| (name.to_string(), hosts.iter().map(|host| host.to_string()).collect::<Vec<_>>());
        let groups = [group("all", &["a1", "a2", "b1"]), group("www", &["a1", "b1"])];
        for (patterns, hosts) in [
            ("all:!www", "a2"),
            ("www", "a1 b1"),
            ("?1", "a1 b1"),
            ("all,&www", "a1 b1"),
            ("~[ab]1", "a1 b1"),
            ("all[0:1]", "a1 a2"),
            ("all[-1]", "b1"),
            ("none", ""),
        ] {
            assert_eq!(matched(&groups, &split_patterns(patterns)).unwrap().join(" "), hosts, "{patterns}");
        }
    }
}
