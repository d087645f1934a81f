//! The arguments of `synchronize`, checked; what they are for rsync, and whether the runner can do without it.

use rplay_modules::args::Args;
use rplay_modules::coerce;
use rplay_modules::spec::{Arg, Kind, Preset, Spec};

use super::super::module::to_map;
use super::super::{Request, content};
use super::word;

/// The arguments of `ansible.posix.synchronize`.
const SPEC: Spec = Spec::new(
    "synchronize",
    "Makes a tree of the controller and one of the target alike, with rsync where there is one.",
    &[
        Arg::path("src", "What to take; with a final slash what is in it.").required(),
        Arg::path("dest", "Where to.").required(),
        Arg::str("mode", "From the controller (`push`) or to it (`pull`).").choices(&["push", "pull"]).default(Preset::Str("push")),
        Arg::flag("archive", true, "Recursive, with links, permissions, times, owner and group."),
        Arg::flag("checksum", false, "Compare content even where size and time agree."),
        Arg::flag("compress", true, "Compress on the way; for rsync."),
        Arg::flag("existing_only", false, "Make nothing new.").alias(&[]),
        Arg::flag("delete", false, "Remove what the source lacks."),
        Arg::flag("dirs", false, "Take directories without looking into them."),
        Arg::bool("recursive", "Look into directories; `archive` by default."),
        Arg::bool("links", "Take links as links; `archive` by default."),
        Arg::flag("copy_links", false, "Take what links point to."),
        Arg::bool("perms", "Keep permissions; `archive` by default."),
        Arg::bool("times", "Keep times of modification; `archive` by default."),
        Arg::bool("owner", "Keep the owner, as root; `archive` by default."),
        Arg::bool("group", "Keep the group; `archive` by default."),
        Arg::list("rsync_opts", Kind::Str, "More options for rsync; without rsync only `--exclude` and `--include`.").default(Preset::List(&[])),
        Arg::str("rsync_path", "rsync on the target."),
        Arg::int("rsync_timeout", "Seconds without progress.").default(Preset::Int(0)),
        Arg::flag("partial", false, "Keep files that came in part."),
        Arg::flag("delay_updates", true, "Put files into place at the end."),
        Arg::list("link_dest", Kind::Str, "Directories whose files are linked where they are the same."),
        Arg::path("private_key", "Accepted: the open session is used."),
        Arg::int("dest_port", "Accepted: the open session is used."),
        Arg::flag("set_remote_user", true, "Accepted: the open session is used."),
        Arg::flag("use_ssh_args", false, "Accepted: the open session is used."),
        Arg::flag("verify_host", false, "Accepted: the open session has verified its host."),
        Arg::flag("ssh_connection_multiplexing", false, "Accepted: the open session is used."),
        Arg::str("_local_rsync_path", "rsync on the controller."),
        Arg::str("rsh", "Not supported: rplay is rsync's remote shell."),
    ],
);

/// What is to be done.
pub(super) struct Plan {
    pub args: Args,
    /// From the target to the controller.
    pub pull: bool,
    /// The source as rsync gets it.
    pub src: String,
    /// The destination as rsync gets it.
    pub dest: String,
}

impl Plan {
    pub(super) fn read(request: &Request) -> Result<Plan, String> {
        let args =
            Args(coerce::validate(&SPEC, &to_map(&request.args)).map_err(|message| message.replace("(synchronize)", &format!("({})", request.written)))?);
        if args.has("rsh") {
            return Err("rsh is not supported: rplay itself is rsync's remote shell, over the session that is open".into());
        }
        let (src, dest) = (args.text("src").to_owned(), args.text("dest").to_owned());
        if [&src, &dest].iter().any(|path| path.starts_with("rsync://") || path.contains("::")) {
            return Err("an rsync daemon is not supported: rplay speaks to the target over its own session".into());
        }
        let pull = args.text("mode") == "pull";
        let both_there = request.delegated == Some(request.host.as_ref()) && request.target.transport != crate::connection::Transport::Local;
        let (src, dest) = match (both_there, pull) {
            (true, _) => (src, dest),
            (false, true) => (src, here(request, &dest)),
            (false, false) => (source(request, &src)?, dest),
        };
        Ok(Plan { args, pull, src, dest })
    }

    /// One of the parts of `archive`.
    pub(super) fn part(&self, name: &str) -> bool {
        self.args.bool(name).unwrap_or_else(|| self.args.flag("archive"))
    }

    /// The options of rsync, in Ansible's order.
    pub(super) fn options(&self, check: bool) -> Vec<String> {
        let mut options: Vec<String> = Vec::new();
        let mut add = |wanted: bool, option: &str| options.extend(wanted.then(|| option.to_owned()));
        let given = |name: &str, value: bool| self.args.bool(name) == Some(value);
        add(self.args.flag("delay_updates"), "--delay-updates");
        add(true, "-F");
        add(self.args.flag("compress"), "--compress");
        let timeout = self.args.int("rsync_timeout").unwrap_or(0);
        add(timeout > 0, &format!("--timeout={timeout}"));
        add(check, "--dry-run");
        add(self.args.flag("delete"), "--delete-after");
        add(self.args.flag("existing_only"), "--existing");
        add(self.args.flag("checksum"), "--checksum");
        add(self.args.flag("copy_links"), "--copy-links");
        let archive = self.args.flag("archive");
        add(archive, "--archive");
        for name in ["recursive", "links", "perms", "times", "owner", "group"] {
            add(archive && given(name, false), &format!("--no-{name}"));
            add(!archive && given(name, true), &format!("--{name}"));
        }
        add(self.args.flag("dirs"), "--dirs");
        options
    }

    /// The options that stand after the remote shell.
    pub(super) fn last_options(&self) -> Vec<String> {
        let mut options = self.args.texts("rsync_opts");
        options.extend(self.args.flag("partial").then(|| "--partial".to_owned()));
        let linked = self.args.texts("link_dest");
        options.extend((!linked.is_empty()).then(|| "-H".to_owned()));
        options.extend(linked.iter().map(|path| format!("--link-dest={path}")));
        options.push("--out-format=<<CHANGED>>%i %n%L".into());
        options
    }

    /// The rules of `rsync_opts`, when the runner can do all that is asked.
    pub(super) fn without_rsync(&self) -> Result<Vec<String>, String> {
        let mut rules = Vec::new();
        let all = self.args.texts("rsync_opts");
        let mut options = all.iter();
        while let Some(option) = options.next() {
            let (name, value) = option.split_once('=').map_or((option.as_str(), None), |(name, value)| (name, Some(value.to_owned())));
            let sign = match name {
                "--exclude" => '-',
                "--include" => '+',
                other => return Err(format!("rsync_opts: {other} needs rsync on the controller and on the target")),
            };
            let pattern = value.or_else(|| options.next().cloned()).ok_or_else(|| format!("rsync_opts: {name} needs a pattern"))?;
            let bare = pattern.trim_matches(|c| c == '"' || c == '\'');
            rules.push(format!("{sign} {bare}"));
        }
        if self.args.has("link_dest") {
            return Err("link_dest needs rsync on the controller and on the target".into());
        }
        Ok(rules)
    }
}

/// The source on the controller: searched as `copy` does, its final slash kept.
fn source(request: &Request, src: &str) -> Result<String, String> {
    let found = content::find(request, "files", src)?;
    let path = found.display().to_string();
    Ok(if src.ends_with('/') && !path.ends_with('/') { format!("{path}/") } else { path })
}

/// A destination on the controller: below the playbook's folder unless absolute.
fn here(request: &Request, dest: &str) -> String {
    let home = request.world.run.environment.get("HOME").cloned().unwrap_or_default();
    match dest.strip_prefix("~/") {
        Some(rest) => format!("{home}/{rest}"),
        None if dest.starts_with('/') => dest.to_owned(),
        None => request.world.run.playbook_dir.join(dest).display().to_string(),
    }
}

/// The program that is rsync on the target.
pub(super) fn remote_program(request: &Request) -> Option<String> {
    word(request, "rsync_path")
}
