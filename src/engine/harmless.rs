//! Check mode: commands that run all the same, because they only read.
//!
//! The author says so (`# rplay: read-only` and `changed_when: false`), or `changed_when: false` stands on a `command` whose program is known to
//! read only, while nothing has been predicted for its host: then what it says is what it would say.

use std::path::Path;
use std::sync::Arc;

use super::item;
use super::task::Job;
use crate::connection::shell;
use crate::template::Context;
use crate::value::{Dict, Value, text};

/// Actions that run what the author writes.
const COMMANDS: &[&str] = &["command", "k8s_exec", "raw", "script", "shell"];

/// Programs that change nothing whatever their arguments are.
const READERS: &[&str] = &[
    "[",
    "arch",
    "basename",
    "cat",
    "cksum",
    "cut",
    "df",
    "dirname",
    "du",
    "echo",
    "egrep",
    "false",
    "fgrep",
    "findmnt",
    "free",
    "getconf",
    "getent",
    "grep",
    "groups",
    "head",
    "id",
    "ls",
    "lsblk",
    "lsmod",
    "md5sum",
    "nproc",
    "pgrep",
    "printenv",
    "printf",
    "ps",
    "pwd",
    "readlink",
    "realpath",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "stat",
    "test",
    "true",
    "uname",
    "uptime",
    "wc",
    "which",
    "whoami",
];

/// Programs that change nothing where one of these words comes first among their arguments.
const READING_WORDS: &[(&str, &[&str])] = &[
    ("apt-cache", &["policy", "search", "show"]),
    ("dpkg", &["--get-selections", "--list", "--listfiles", "--print-architecture", "--status", "-L", "-l", "-s"]),
    ("dpkg-query", &["--list", "--listfiles", "--search", "--show", "--status", "-L", "-S", "-W", "-l", "-s"]),
    ("hostname", &["--fqdn", "-f", "-i", "-I", "-s"]),
    ("rpm", &["--query", "-q", "-qa", "-qf", "-qi", "-ql"]),
    ("systemctl", &["cat", "is-active", "is-enabled", "is-failed", "list-unit-files", "list-units", "show", "status"]),
];

/// Whether check mode runs the task's command on that host.
pub(super) fn only_reads(job: &Job, cx: &Arc<Context>, args: &Dict, place: &Arc<str>) -> bool {
    if !COMMANDS.contains(&job.task.canonical.as_str()) || !says_unchanged(job, cx) {
        return false;
    }
    let known = || job.task.canonical == "command" && !job.shared.as_ansible && words(args).is_some_and(|words| reads(&words));
    job.task.mark("read-only").is_some() || known() && job.overlay_of(place).is_empty()
}

/// The command changes nothing when `changed_when` says so whatever its result is; then what later tasks see stays known.
pub(super) fn says_unchanged(job: &Job, cx: &Arc<Context>) -> bool {
    let Some(conditions) = &job.task.changed_when else { return false };
    let unknown = |name: &String| (Arc::from(name.as_str()), Value::Unknown("the command was not run".into()));
    let cx = cx.with(job.task.register.iter().map(unknown).collect());
    matches!(item::all(job, conditions, &cx, &mut Vec::new()), Ok(false))
}

fn words(args: &Dict) -> Option<Vec<String>> {
    if args.get("_uses_shell").is_some_and(Value::is_true) {
        return None;
    }
    match args.get("argv") {
        Some(argv) => Some(argv.as_slice()?.iter().map(text).collect()),
        None => shell::split(&text(args.get("_raw_params").or_else(|| args.get("cmd"))?)),
    }
}

fn reads(words: &[String]) -> bool {
    let Some((program, arguments)) = words.split_first() else { return false };
    let path = Path::new(program);
    let folder = path.parent().and_then(Path::to_str).unwrap_or_default();
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if !["", "/bin", "/sbin", "/usr/bin", "/usr/sbin"].contains(&folder) {
        return false;
    }
    let first = arguments.first().map(String::as_str);
    let known = READING_WORDS.iter().find(|(program, _)| *program == name);
    READERS.contains(&name) || known.is_some_and(|(_, words)| first.is_some_and(|first| words.contains(&first)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_read_does() {
        let judged = |line: &str| reads(&shell::split(line).unwrap_or_default());
        for line in ["cat /etc/hostname", "/usr/bin/id -u", "systemctl is-active ssh", "dpkg-query -W -f ${Version} bash", "test -s /x", "rpm -q bash"] {
            assert!(judged(line), "{line}");
        }
        for line in [
            "",
            "systemctl restart ssh",
            "systemctl --now enable ssh",
            "hostname new",
            "hostname",
            "./cat x",
            "/opt/bin/ls",
            "dpkg -i x",
            "rpm -e x",
            "find /",
            "sh -c true",
        ] {
            assert!(!judged(line), "{line}");
        }
    }
}
