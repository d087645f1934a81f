//! Paths of the controller, as Python's `os.path` and `ntpath` treat them.

use std::path::{Path, PathBuf};

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{class_of, str_argument, to_list};
use crate::value::{Fault, Value};

fn path_of(value: &Value) -> Result<std::sync::Arc<str>, Fault> {
    match value {
        Value::Str(path) => Ok(path.clone()),
        other => str_argument(other, "").map_err(|fault| {
            if fault.is_undefined() || fault.is_unknown() {
                fault
            } else {
                Fault::error(format!("expected str, bytes or os.PathLike object, not {}", other.type_name()))
            }
        }),
    }
}

/// `os.path.split`: what stands before the last slash, and what follows.
fn split(path: &str) -> (&str, &str) {
    let (head, tail) = path.rfind('/').map_or(("", path), |at| path.split_at(at + 1));
    let trimmed = head.trim_end_matches('/');
    (if trimmed.is_empty() { head } else { trimmed }, tail)
}

/// `basename`.
///
/// # Errors
/// Not a path.
pub fn basename(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("basename")?;
    Ok(split(&path_of(&input)?).1.into())
}

/// `dirname`.
///
/// # Errors
/// Not a path.
pub fn dirname(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("dirname")?;
    Ok(split(&path_of(&input)?).0.into())
}

/// `splitext`.
///
/// # Errors
/// Not a path.
pub fn splitext(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("splitext")?;
    let path = path_of(&input)?;
    let name_at = path.rfind('/').map_or(0, |at| at + 1);
    let name = &path[name_at..];
    let begin = name.len() - name.trim_start_matches('.').len();
    let dot = name[begin..].rfind('.').map_or(path.len(), |at| name_at + begin + at);
    Ok(Value::Tuple(vec![path[..dot].into(), path[dot..].into()].into()))
}

/// `os.path.normpath`.
pub fn normal(path: &str) -> String {
    let slashes = match path.len() - path.trim_start_matches('/').len() {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if !slashes.is_empty() && parts.is_empty() => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let joined = format!("{slashes}{}", parts.join("/"));
    if joined.is_empty() { ".".into() } else { joined }
}

/// `normpath`.
///
/// # Errors
/// Not a path.
pub fn normpath(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("normpath")?;
    Ok(normal(&path_of(&input)?).into())
}

/// `os.path.join`.
pub fn join(parts: &[impl AsRef<str>]) -> String {
    let mut out = String::new();
    for (i, part) in parts.iter().enumerate() {
        let part = part.as_ref();
        if part.starts_with('/') || i == 0 {
            out = part.to_string();
        } else {
            if !out.is_empty() && !out.ends_with('/') {
                out.push('/');
            }
            out.push_str(part);
        }
    }
    out
}

/// `path_join`.
///
/// # Errors
/// Not paths.
pub fn path_join(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("path_join")?;
    if let Value::Str(_) = input {
        return Ok(input);
    }
    let Some(items) = to_list(&input)? else {
        return Err(Fault::error(format!("|path_join expects string or sequence, got {} instead.", class_of(&input))));
    };
    if let Some(bad) = items.iter().find(|item| !matches!(item, Value::Str(_))) {
        return Err(Fault::error(format!("join() argument must be str, bytes, or os.PathLike object, not '{}'", bad.type_name())));
    }
    let parts = items.iter().map(path_of).collect::<Result<Vec<_>, _>>()?;
    if parts.is_empty() { Err(Fault::error("join() missing 1 required positional argument: 'a'")) } else { Ok(join(&parts).into()) }
}

/// `commonpath`.
///
/// # Errors
/// Not paths, or relative and absolute ones.
pub fn commonpath(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("commonpath")?;
    let Some(items) = to_list(&input)? else {
        return Err(Fault::error(format!("|commonpath expects sequence, got {} instead.", class_of(&input))));
    };
    let paths = items.iter().map(path_of).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = paths.first() else { return Err(Fault::error("commonpath() arg is an empty sequence")) };
    let absolute = first.starts_with('/');
    if paths.iter().any(|path| path.starts_with('/') != absolute) {
        return Err(Fault::error("Can't mix absolute and relative paths"));
    }
    let split: Vec<Vec<&str>> = paths.iter().map(|path| path.split('/').filter(|part| !part.is_empty() && *part != ".").collect()).collect();
    let common: Vec<&str> =
        split[0].iter().enumerate().take_while(|(i, part)| split.iter().all(|other| other.get(*i) == Some(part))).map(|(_, part)| *part).collect();
    Ok(format!("{}{}", if absolute { "/" } else { "" }, common.join("/")).into())
}

/// A user's home as the password file has it.
fn home_of(user: &str) -> Option<String> {
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = passwd.lines().find(|line| line.split(':').next() == Some(user))?;
    line.split(':').nth(5).map(str::to_owned)
}

/// `~` and `~user` at the beginning replaced; the rest as it is.
pub fn expand_user(path: &str, env: &dyn Env) -> String {
    let Some(rest) = path.strip_prefix('~') else { return path.to_string() };
    let (user, after) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let home = if user.is_empty() { env.environment("HOME").or_else(|| home_of("root")) } else { home_of(user) };
    home.map_or_else(|| path.to_string(), |home| format!("{}{after}", if after.is_empty() { home.as_str() } else { home.trim_end_matches('/') }))
}

/// `expanduser`.
///
/// # Errors
/// Not a path.
pub fn expanduser(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    args.none("expanduser")?;
    Ok(expand_user(&path_of(&input)?, env).into())
}

/// `$name` and `${name}` replaced where the controller's environment has them.
pub fn expand_vars(path: &str, env: &dyn Env) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let braced = after.strip_prefix('{').and_then(|inside| inside.split_once('}'));
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
        let (name, written, following) = match braced {
            Some((name, following)) => (name, &rest[before.len()..rest.len() - following.len()], following),
            None => (&after[..end], &rest[before.len()..=before.len() + end], &after[end..]),
        };
        let value = if name.is_empty() { None } else { env.environment(name) };
        out.push_str(value.as_deref().unwrap_or(written));
        rest = following;
    }
    out + rest
}

/// `expandvars`.
///
/// # Errors
/// Not a path.
pub fn expandvars(input: Value, args: Arguments, env: &dyn Env) -> Result<Value, Fault> {
    args.none("expandvars")?;
    Ok(expand_vars(&path_of(&input)?, env).into())
}

fn absolute(path: &str) -> String {
    let here = std::env::current_dir().map_or_else(|_| "/".into(), |here| here.to_string_lossy().into_owned());
    normal(&join(&[here.as_str(), path]))
}

/// `os.path.realpath`: symbolic links followed as far as the path exists.
pub fn real(path: &str) -> String {
    let absolute = absolute(path);
    let mut existing = PathBuf::from(&absolute);
    let mut missing = Vec::new();
    loop {
        if let Ok(found) = existing.canonicalize() {
            let found = missing.iter().rev().fold(found, |path: PathBuf, part: &std::ffi::OsString| path.join(part));
            return found.to_string_lossy().into_owned();
        }
        let Some(name) = existing.file_name().map(std::ffi::OsStr::to_owned) else { return absolute };
        missing.push(name);
        existing.pop();
    }
}

/// `realpath`.
///
/// # Errors
/// Not a path.
pub fn realpath(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("realpath")?;
    Ok(real(&path_of(&input)?).into())
}

/// `relpath`.
///
/// # Errors
/// Not a path, or an empty one.
pub fn relpath(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    let [start] = args.bind(signature("relpath", 1, 0), ["start"])?;
    let path = path_of(&input)?;
    if path.is_empty() {
        return Err(Fault::error("no path specified"));
    }
    let (start, path) = (absolute(&start.as_ref().map_or(Ok(".".into()), path_of)?), absolute(&path));
    let parts = |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (from, to) = (parts(&start), parts(&path));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let steps: Vec<String> = vec!["..".to_string(); from.len() - common].into_iter().chain(to[common..].iter().cloned()).collect();
    Ok(if steps.is_empty() { ".".into() } else { steps.join("/").into() })
}

/// `fileglob`: regular files that match.
///
/// # Errors
/// Not a path.
pub fn fileglob(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("fileglob")?;
    if !matches!(input, Value::Str(_)) {
        return Err(Fault::error(format!("'{}' object is not subscriptable", input.type_name())));
    }
    let found = glob(&path_of(&input)?).into_iter().filter(|path| Path::new(path).is_file());
    Ok(Value::list(found.map(Value::from).collect()))
}

/// Python's `glob.glob`: `*`, `?` and `[...]` in any part of the path; hidden files only where the pattern begins with a dot. Sorted, so that runs agree.
pub fn glob(pattern: &str) -> Vec<String> {
    let (mut found, rest) = if let Some(rest) = pattern.strip_prefix('/') { (vec!["/".to_string()], rest) } else { (vec![String::new()], pattern) };
    for part in rest.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for folder in &found {
            if part.contains(['*', '?', '[']) {
                let mut names: Vec<String> = std::fs::read_dir(if folder.is_empty() { "." } else { folder })
                    .into_iter()
                    .flatten()
                    .flatten()
                    .map(|entry| entry.file_name().to_string_lossy().into_owned())
                    .collect();
                names.sort();
                next.extend(
                    names
                        .iter()
                        .filter(|name| (!name.starts_with('.') || part.starts_with('.')) && matches(part, name))
                        .map(|name| join(&[folder.as_str(), name])),
                );
            } else {
                let path = join(&[folder.as_str(), part]);
                next.extend(std::fs::symlink_metadata(&path).is_ok().then_some(path));
            }
        }
        found = next;
    }
    found
}

/// Python's `fnmatch` on a name.
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    fits(&pattern, &name)
}

fn fits(pattern: &[char], name: &[char]) -> bool {
    match (pattern.first(), name.first()) {
        (None, None) => true,
        (Some('*'), _) => fits(&pattern[1..], name) || (!name.is_empty() && fits(pattern, &name[1..])),
        (Some('?'), Some(_)) => fits(&pattern[1..], &name[1..]),
        (Some('['), Some(c)) => match class(&pattern[1..]) {
            Some((class, negated, rest)) => in_class(class, *c) != negated && fits(rest, &name[1..]),
            None => *c == '[' && fits(&pattern[1..], &name[1..]),
        },
        (Some(p), Some(c)) => p == c && fits(&pattern[1..], &name[1..]),
        _ => false,
    }
}

/// A class behind its opening bracket: its characters, whether it is negated, and what follows.
fn class(pattern: &[char]) -> Option<(&[char], bool, &[char])> {
    let negated = pattern.first() == Some(&'!');
    let inside = &pattern[usize::from(negated)..];
    let end = inside.iter().skip(1).position(|c| *c == ']')? + 1;
    Some((&inside[..end], negated, &inside[end + 1..]))
}

fn in_class(class: &[char], c: char) -> bool {
    let mut at = 0;
    while at < class.len() {
        if at + 2 < class.len() && class[at + 1] == '-' {
            if (class[at]..=class[at + 2]).contains(&c) {
                return true;
            }
            at += 3;
        } else {
            if class[at] == c {
                return true;
            }
            at += 1;
        }
    }
    false
}

/// The drive (or UNC share) of a Windows path, and the rest.
fn win_drive(path: &str) -> (&str, &str) {
    let is_slash = |c: char| c == '/' || c == '\\';
    if path.starts_with(is_slash) && path[1..].starts_with(is_slash) && !path[2..].starts_with(is_slash) {
        let server = path[2..].find(is_slash).map(|at| at + 2);
        let share = server.map(|at| path[at + 1..].find(is_slash).map_or(path.len(), |end| at + 1 + end));
        return path.split_at(share.unwrap_or(path.len()));
    }
    if path.chars().nth(1) == Some(':') { path.split_at(path.char_indices().nth(2).map_or(path.len(), |(at, _)| at)) } else { ("", path) }
}

fn win_split(path: &str) -> (String, &str) {
    let (drive, rest) = win_drive(path);
    let (head, tail) = rest.rfind(['/', '\\']).map_or(("", rest), |at| rest.split_at(at + 1));
    let trimmed = head.trim_end_matches(['/', '\\']);
    (format!("{drive}{}", if trimmed.is_empty() { head } else { trimmed }), tail)
}

/// `win_basename`.
///
/// # Errors
/// Not a path.
pub fn win_basename(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("basename")?;
    Ok(win_split(&path_of(&input)?).1.into())
}

/// `win_dirname`.
///
/// # Errors
/// Not a path.
pub fn win_dirname(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("dirname")?;
    Ok(win_split(&path_of(&input)?).0.into())
}

/// `win_splitdrive`.
///
/// # Errors
/// Not a path.
pub fn win_splitdrive(input: Value, args: Arguments, _: &dyn Env) -> Result<Value, Fault> {
    args.none("splitdrive")?;
    let path = path_of(&input)?;
    let (drive, rest) = win_drive(&path);
    Ok(Value::Tuple(vec![drive.into(), rest.into()].into()))
}
