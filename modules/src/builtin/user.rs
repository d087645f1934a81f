//! `user`: users of the machine, by useradd, usermod and userdel. What alters an existing user is in `user_modify.rs`, keys in `user_key.rs`.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{user_key, user_modify};
use crate::accounts::User as Account;
use crate::args::Args;
use crate::attributes::{AttributeDiff, Attributes};
use crate::change::{Change, Content};
use crate::context::Context;
use crate::list::Module;
use crate::mode::Mode;
use crate::outcome::{Failure, Outcome};
use crate::program::{Program, Run};
use crate::spec::{Arg, Kind, Preset, Spec};

/// The module.
pub struct User;

impl Module for User {
    const SPEC: Spec = Spec::new(
        "user",
        "Makes, alters and removes users.",
        &[
            Arg::str("state", "Whether the user shall be there.").choices(&["absent", "present"]).default(Preset::Str("present")),
            Arg::str("name", "Name of the user.").alias(&["user"]).required(),
            Arg::int("uid", "Number of the user."),
            Arg::flag("non_unique", false, "Allow a number that is used already."),
            Arg::str("group", "Primary group, by name or number."),
            Arg::list("groups", Kind::Str, "Other groups; an empty list removes the user from all."),
            Arg::str("comment", "Comment, usually the full name."),
            Arg::path("home", "Home directory."),
            Arg::path("shell", "Login shell."),
            Arg::str("password", "Hashed password.").secret(),
            Arg::str("login_class", "Login class; not on Linux."),
            Arg::int("password_expire_max", "Most days between changes of the password."),
            Arg::int("password_expire_min", "Fewest days between changes of the password."),
            Arg::int("password_expire_warn", "Days of warning before the password expires."),
            Arg::bool("hidden", "Hide the user at the login window; not on Linux."),
            Arg::str("seuser", "SELinux user for logins."),
            Arg::flag("force", false, "Remove the user even when logged in."),
            Arg::flag("remove", false, "Remove the user's home directory too."),
            Arg::flag("create_home", true, "Make the home directory.").alias(&["createhome"]),
            Arg::str("skeleton", "Directory that a new home is copied from."),
            Arg::flag("system", false, "Take a number of the system's range."),
            Arg::flag("move_home", false, "Move the old home's content when `home` changes."),
            Arg::flag("append", false, "Add to `groups` and leave other memberships."),
            Arg::bool("generate_ssh_key", "Make an SSH key for the user where there is none."),
            Arg::int("ssh_key_bits", "Bits of that key.").default(Preset::Int(0)),
            Arg::str("ssh_key_type", "Type of that key.").default(Preset::Str("rsa")),
            Arg::path("ssh_key_file", "File of that key, relative to the home."),
            Arg::str("ssh_key_comment", "Comment of that key."),
            Arg::str("ssh_key_passphrase", "Passphrase of that key.").secret(),
            Arg::str("update_password", "Whether an existing user's password is set.").choices(&["always", "on_create"]).default(Preset::Str("always")),
            Arg::float("expires", "When the account expires, in seconds since 1970; negative for never."),
            Arg::bool("password_lock", "Lock the password."),
            Arg::bool("local", "Use libuser's programs; not supported."),
            Arg::str("profile", "Profile; not on Linux."),
            Arg::str("authorization", "Authorization; not on Linux."),
            Arg::str("role", "Role; not on Linux."),
            Arg::str("umask", "Permissions that a new home does not get."),
            Arg::int("password_expire_account_disable", "Days after which an expired password disables the account."),
            Arg::int("uid_min", "Smallest number to take."),
            Arg::int("uid_max", "Largest number to take."),
        ],
    );

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        refuse_foreign(args, cx)?;
        let name = args.text("name").to_owned();
        let now = cx.user(&name);
        if args.text("state") == "absent" {
            return remove(args, cx, &name, now.is_some());
        }
        let mut fields = Map::new();
        match &now {
            None => {
                let output = add(args, cx, &name)?;
                fields.extend([("system".to_owned(), json!(args.flag("system"))), ("create_home".to_owned(), json!(args.flag("create_home")))]);
                fields.extend(output);
            }
            Some(account) => {
                let output = user_modify::modify(args, cx, account)?;
                fields.extend([("append".to_owned(), json!(args.flag("append"))), ("move_home".to_owned(), json!(args.flag("move_home")))]);
                fields.extend(output);
            }
        }
        if args.has("password") {
            fields.insert("password".into(), json!("NOT_LOGGING_PASSWORD"));
        }
        finish(args, cx, &name, fields)
    }
}

fn refuse_foreign(args: &Args, cx: &mut Context<'_>) -> Result<(), Failure> {
    if args.flag("local") {
        return Err("local is not supported; the user is made by useradd".into());
    }
    for name in ["login_class", "hidden", "profile", "authorization", "role"] {
        if args.has(name) {
            cx.warn(format!("{name} means nothing on Linux"));
        }
    }
    if args.flag("append") && !args.has("groups") {
        cx.warn("'append' is set, but no 'groups' are specified. Use 'groups' for appending new groups.");
    }
    if args.str("password").is_some_and(|password| !looks_hashed(password)) {
        cx.warn("The input password appears not to have been hashed. The 'password' argument must be encrypted for this module to work properly.");
    }
    Ok(())
}

fn looks_hashed(password: &str) -> bool {
    if ["*", "!", "*************"].contains(&password) {
        return true;
    }
    let fields: Vec<&str> = password.split('$').collect();
    let last = fields.last().copied().unwrap_or_default();
    let length = match fields.get(1).copied() {
        Some("1") => last.len() == 22,
        Some("5" | "y") => last.len() == 43,
        Some("6") => last.len() == 86,
        _ => true,
    };
    fields.len() >= 3 && length && !password.contains([':', '*', '!']) && last.chars().all(|c| c.is_ascii_alphanumeric() || "./".contains(c))
}

fn remove(args: &Args, cx: &mut Context<'_>, name: &str, there: bool) -> Result<Outcome, Failure> {
    if !there {
        return Ok(Outcome::new(false).with("name", name).with("state", "absent"));
    }
    let mut program = Program::new([cx.require_program("userdel")?]);
    if args.flag("force") {
        program = program.arg("-f");
    }
    if args.flag("remove") {
        program = program.arg("-r");
    }
    let output = perform(cx, Change::User { name: name.to_owned(), present: false, fields: Map::new() }, program.arg(name), name)?;
    let outcome = cx.outcome().with("name", name).with("state", "absent").with("force", args.flag("force"));
    Ok(outcome.with("remove", args.flag("remove")).merge(output))
}

/// Runs a program that alters the user; its output as `stdout` and `stderr` when there is some.
pub(super) fn perform(cx: &mut Context<'_>, change: Change, program: Program, name: &str) -> Result<Map<String, Value>, Failure> {
    let runs = cx.perform(change, &[program])?;
    let run = runs.into_iter().next().unwrap_or_else(Run::default);
    if !run.ok() {
        return Err(Failure::new(run.err()).with("name", name).with("rc", run.rc));
    }
    let mut output = Map::new();
    for (key, text) in [("stdout", run.out()), ("stderr", run.err())] {
        if !text.is_empty() {
            output.insert(key.into(), json!(text));
        }
    }
    Ok(output)
}

/// A group by name or number, or Ansible's failure.
pub(super) fn require_group(cx: &Context<'_>, name: &str) -> Result<crate::accounts::Group, Failure> {
    let by_number = |text: &str| text.parse().ok().and_then(|gid| cx.group_by_id(gid));
    cx.group(name).or_else(|| by_number(name)).ok_or_else(|| Failure::new(format!("Group {name} does not exist")))
}

/// The names of the groups asked for.
pub(super) fn wanted_groups(args: &Args, cx: &Context<'_>) -> Result<Vec<String>, Failure> {
    let names = args.texts("groups").into_iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let mut groups = names.map(|name| require_group(cx, &name).map(|group| group.name)).collect::<Result<Vec<_>, _>>()?;
    groups.sort();
    groups.dedup();
    Ok(groups)
}

/// Days or date for `-e`.
pub(super) fn expiry(seconds: f64) -> String {
    if seconds < 0.0 {
        return String::new();
    }
    chrono::DateTime::from_timestamp(seconds as i64, 0).map(|time| time.format("%Y-%m-%d").to_string()).unwrap_or_default()
}

fn add(args: &Args, cx: &mut Context<'_>, name: &str) -> Result<Map<String, Value>, Failure> {
    let mut program = Program::new([cx.require_program("useradd")?]);
    let mut option = |flag: &str, value: Option<String>| {
        if let Some(value) = value {
            program.argv.extend([flag.into(), value.into()]);
        }
    };
    let text = |key: &str| args.str(key).map(str::to_owned);
    option("-u", args.int("uid").map(|uid| uid.to_string()));
    option("-Z", text("seuser"));
    if let Some(group) = args.str("group") {
        require_group(cx, group)?;
    }
    option("-g", text("group"));
    let groups = wanted_groups(args, cx)?;
    option("-G", (!groups.is_empty()).then(|| groups.join(",")));
    option("-c", text("comment"));
    option("-d", text("home"));
    option("-s", text("shell"));
    option("-e", args.float("expires").map(expiry));
    option("-f", args.int("password_expire_account_disable").map(|days| days.to_string()));
    let lock = if args.flag("password_lock") { "!" } else { "" };
    option("-p", text("password").map(|password| format!("{lock}{password}")));
    if args.flag("create_home") {
        option("-k", text("skeleton"));
        option("-K", text("umask").map(|umask| format!("UMASK={umask}")));
    }
    option("-K", args.int("uid_min").map(|n| format!("UID_MIN={n}")));
    option("-K", args.int("uid_max").map(|n| format!("UID_MAX={n}")));
    let mut flag = |on: bool, flag: &str| program.argv.extend(on.then(|| flag.into()));
    flag(args.flag("non_unique") && args.has("uid"), "-o");
    flag(!args.has("group") && cx.group(name).is_some(), "-N");
    flag(args.flag("create_home"), "-m");
    flag(!args.flag("create_home"), "-M");
    flag(args.flag("system"), "-r");
    if let (Some(home), true) = (args.str("home"), args.flag("create_home")) {
        make_parent(cx, Path::new(home))?;
    }
    perform(cx, Change::User { name: name.to_owned(), present: true, fields: predicted(args, cx) }, program.arg(name), name)
}

/// useradd makes only the home itself.
fn make_parent(cx: &mut Context<'_>, home: &Path) -> Result<(), Failure> {
    let mut missing = vec![];
    for dir in home.ancestors().skip(1) {
        if cx.stat(dir)?.is_some() {
            break;
        }
        missing.push(dir.to_owned());
    }
    for path in missing.into_iter().rev() {
        cx.apply(Change::Dir { path, mode: Some(0o755), uid: None, gid: None })?;
    }
    Ok(())
}

/// What check mode will know of the user.
pub(super) fn predicted(args: &Args, cx: &Context<'_>) -> Map<String, Value> {
    let mut fields = Map::new();
    for key in ["comment", "home", "shell"] {
        fields.extend(args.str(key).map(|value| (key.to_owned(), json!(value))));
    }
    fields.extend(args.int("uid").map(|uid| ("uid".to_owned(), json!(uid))));
    if let Some(group) = args.str("group").and_then(|name| require_group(cx, name).ok()) {
        fields.insert("gid".into(), json!(group.gid));
    }
    if args.has("groups") {
        fields.insert("groups".into(), json!(args.texts("groups")));
    }
    fields
}

fn finish(args: &Args, cx: &mut Context<'_>, name: &str, mut fields: Map<String, Value>) -> Result<Outcome, Failure> {
    let Some(account) = cx.user(name) else {
        return Err(Failure::new(format!("failed to look up user name: {name}")).with("name", name));
    };
    for (key, value) in [
        ("uid", json!(account.uid)),
        ("group", json!(account.gid)),
        ("comment", json!(account.gecos)),
        ("home", json!(account.home)),
        ("shell", json!(account.shell)),
    ] {
        fields.insert(key.into(), value);
    }
    if args.has("groups") {
        fields.insert("groups".into(), json!(args.texts("groups").join(",")));
    }
    if args.flag("create_home") {
        make_home(args, cx, &account)?;
    }
    if args.flag("generate_ssh_key") {
        fields.extend(user_key::ensure(args, cx, &account)?);
    }
    user_modify::password_days(args, cx, name)?;
    Ok(cx.outcome().with("name", name).with("state", "present").merge(fields))
}

/// The home of a user who has none, from the skeleton.
fn make_home(args: &Args, cx: &mut Context<'_>, account: &Account) -> Result<(), Failure> {
    let home = Path::new(args.str("home").unwrap_or(&account.home)).to_owned();
    if cx.stat(&home)?.is_some() {
        return Ok(());
    }
    make_parent(cx, &home)?;
    let umask = args.str("umask").and_then(|text| u32::from_str_radix(text, 8).ok()).unwrap_or(cx.umask());
    let mode = Some(0o777 & !umask);
    let (uid, gid) = (Some(account.uid), Some(account.gid));
    cx.apply(Change::Dir { path: home.clone(), mode, uid, gid })?;
    copy_skeleton(cx, Path::new(args.str("skeleton").unwrap_or("/etc/skel")), &home)?;
    let owner = Attributes { uid, gid, ..Attributes::default() };
    let mut below = vec![home.clone()];
    super::file::walk(cx, &home, &mut |path, _| below.push(path.to_owned()));
    for path in below {
        cx.set_attributes(&path, &owner, &mut AttributeDiff::default())?;
    }
    let owner = Attributes { mode: mode.map(Mode::Bits), ..owner };
    cx.set_attributes(&home, &owner, &mut AttributeDiff::default()).map(drop)
}

fn copy_skeleton(cx: &mut Context<'_>, from: &Path, to: &Path) -> Result<(), Failure> {
    for name in cx.system().list(from).unwrap_or_default() {
        let (source, target) = (from.join(&name), to.join(&name));
        let Some(stat) = cx.lstat(&source)? else { continue };
        if stat.is_dir() {
            cx.apply(Change::Dir { path: target.clone(), mode: Some(stat.mode), uid: None, gid: None })?;
            copy_skeleton(cx, &source, &target)?;
        } else if stat.is_link() {
            let link = cx.system().read_link(&source)?;
            cx.apply(Change::Link { path: target, target: link })?;
        } else {
            let content = Content::Bytes(cx.read(&source)?);
            cx.apply(Change::File { path: target, content, mode: Some(stat.mode), uid: None, gid: None })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_and_dates() {
        assert!(looks_hashed("!"));
        assert!(!looks_hashed("secret"));
        assert!(looks_hashed(&format!("$6$salt${}", "a".repeat(86))));
        assert!(!looks_hashed(&format!("$6$salt${}", "a".repeat(80))));
        assert_eq!(expiry(0.0), "1970-01-01");
        assert_eq!(expiry(-1.0), "");
    }
}
