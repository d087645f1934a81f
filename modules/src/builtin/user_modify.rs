//! Altering a user that exists: only what differs is handed to usermod, and days of the password to chage.

use std::path::Path;

use serde_json::{Map, Value};

use super::user::{expiry, perform, predicted, require_group, wanted_groups};
use crate::accounts::User as Account;
use crate::args::Args;
use crate::change::Change;
use crate::context::Context;
use crate::outcome::Failure;
use crate::program::Program;
use crate::system;

/// The fields of the user's line in shadow; empty when it cannot be read.
fn shadow(cx: &Context<'_>, name: &str) -> Vec<String> {
    let bytes = system::read(cx.system(), Path::new("/etc/shadow")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let line = text.lines().find(|line| line.split(':').next() == Some(name));
    line.map(|line| line.split(':').map(str::to_owned).collect()).unwrap_or_default()
}

pub(super) fn modify(args: &Args, cx: &mut Context<'_>, now: &Account) -> Result<Map<String, Value>, Failure> {
    let mut options: Vec<String> = vec![];
    let mut option = |flag: &str, value: String| options.extend([flag.to_owned(), value]);
    if let Some(uid) = args.int("uid").filter(|uid| *uid != i64::from(now.uid)) {
        option("-u", uid.to_string());
        if args.flag("non_unique") {
            options.push("-o".into());
        }
    }
    let mut option = |flag: &str, value: String| options.extend([flag.to_owned(), value]);
    if let Some(group) = args.str("group") {
        let group = require_group(cx, group)?;
        if group.gid != now.gid {
            option("-g", group.gid.to_string());
        }
    }
    if args.has("groups") {
        options.extend(groups(args, cx, now)?);
    }
    options.extend(plain(args, now));
    let shadow = shadow(cx, &now.name);
    options.extend(account(args, &shadow));
    options.extend(password(args, &shadow));
    if options.is_empty() {
        return Ok(Map::new());
    }
    let program = Program::new([cx.require_program("usermod")?]).args(options).arg(&now.name);
    let fields = predicted(args, cx);
    perform(cx, Change::User { name: now.name.clone(), present: true, fields }, program, &now.name)
}

/// `-G` when memberships differ; with `append` only when one is missing.
fn groups(args: &Args, cx: &Context<'_>, now: &Account) -> Result<Vec<String>, Failure> {
    let predicted = cx.system().noted().iter().rev().find_map(|change| match change {
        Change::User { name, fields, .. } if *name == now.name => fields.get("groups").and_then(Value::as_array).cloned(),
        _ => None,
    });
    let mut current: Vec<String> = match predicted {
        Some(names) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        None => cx.groups().into_iter().filter(|group| group.members.contains(&now.name) || group.gid == now.gid).map(|group| group.name).collect(),
    };
    current.sort();
    let wanted = wanted_groups(args, cx)?;
    let primary = cx.group_by_id(now.gid).map(|group| group.name);
    let missing = wanted.iter().any(|name| !current.contains(name));
    let surplus = current.iter().any(|name| !wanted.contains(name) && Some(name) != primary.as_ref());
    let append = args.flag("append");
    if !missing && (append || !surplus) {
        return Ok(vec![]);
    }
    let mut options = if append { vec!["-a".to_owned()] } else { vec![] };
    options.extend(["-G".to_owned(), wanted.join(",")]);
    Ok(options)
}

fn plain(args: &Args, now: &Account) -> Vec<String> {
    let mut options = vec![];
    let mut differs = |flag: &str, key: &str, have: &str| {
        let wanted = args.str(key).filter(|wanted| *wanted != have);
        options.extend(wanted.into_iter().flat_map(|wanted| [flag.to_owned(), wanted.to_owned()]));
        wanted.is_some()
    };
    differs("-c", "comment", &now.gecos);
    differs("-s", "shell", &now.shell);
    if differs("-d", "home", &now.home) && args.flag("move_home") {
        options.push("-m".into());
    }
    options
}

fn account(args: &Args, shadow: &[String]) -> Vec<String> {
    let mut options = vec![];
    let field = |at: usize| shadow.get(at).and_then(|text| text.parse::<i64>().ok());
    if let Some(wanted) = args.float("expires") {
        let (days, now) = ((wanted / 86_400.0).floor() as i64, field(7));
        if if wanted < 0.0 { now.is_some() } else { now != Some(days) } {
            options.extend(["-e".to_owned(), expiry(wanted)]);
        }
    }
    if let Some(days) = args.int("password_expire_account_disable")
        && field(6) != Some(days)
    {
        options.extend(["-f".to_owned(), days.to_string()]);
    }
    options
}

fn password(args: &Args, shadow: &[String]) -> Vec<String> {
    let now = shadow.get(1).map(String::as_str).unwrap_or_default();
    let locked = now.starts_with('!');
    if let Some(wanted) = args.str("password").filter(|_| args.text("update_password") == "always")
        && now.trim_start_matches('!') != wanted.trim_start_matches('!')
    {
        let lock = if args.flag("password_lock") { "!" } else { "" };
        return vec!["-p".into(), format!("{lock}{wanted}")];
    }
    match args.bool("password_lock") {
        Some(true) if !locked => vec!["-L".into()],
        // a password that is only a lock cannot be unlocked
        Some(false) if locked && now != "!" => vec!["-U".into()],
        _ => vec![],
    }
}

/// Days after which a password may, must and is told to be changed.
pub(super) fn password_days(args: &Args, cx: &mut Context<'_>, name: &str) -> Result<(), Failure> {
    let shadow = shadow(cx, name);
    let field = |at: usize| shadow.get(at).and_then(|text| text.parse::<i64>().ok());
    let mut options = vec![];
    for (key, flag, at) in [("password_expire_min", "-m", 3), ("password_expire_max", "-M", 4), ("password_expire_warn", "-W", 5)] {
        if let Some(days) = args.int(key).filter(|days| field(at) != Some(*days)) {
            options.extend([flag.to_owned(), days.to_string()]);
        }
    }
    if options.is_empty() {
        return Ok(());
    }
    let program = Program::new([cx.require_program("chage")?]).args(options).arg(name);
    perform(cx, Change::User { name: name.to_owned(), present: true, fields: Map::new() }, program, name).map(drop)
}
