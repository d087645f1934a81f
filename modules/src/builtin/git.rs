//! `git`: a checkout of a repository. What git is told in detail is in `git_commands.rs`.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::git_commands::Repository;
use crate::args::Args;
use crate::change::Change;
use crate::coerce;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::Program;
use crate::spec::{Arg, Kind, Preset, Spec};

/// The module.
pub struct Git;

impl Module for Git {
    const SPEC: Spec = Spec {
        mutually_exclusive: &[&["separate_git_dir", "bare"], &["accept_hostkey", "accept_newhostkey"]],
        required_by: &[("archive_prefix", &["archive"])],
        ..Spec::new(
            "git",
            "Clones and updates a checkout of a git repository, by the program git.",
            &[
                Arg::path("dest", "Where the checkout is."),
                Arg::str("repo", "Address of the repository.").alias(&["name"]).required(),
                Arg::str("version", "Branch, tag or commit.").default(Preset::Str("HEAD")),
                Arg::str("remote", "Name of the remote.").default(Preset::Str("origin")),
                Arg::str("refspec", "A further refspec to fetch."),
                Arg::str("reference", "A repository to borrow objects from."),
                Arg::flag("force", false, "Throw away local modifications."),
                Arg::int("depth", "Fetch only that many commits."),
                Arg::flag("clone", true, "Clone where there is no checkout; otherwise only the version is told."),
                Arg::flag("update", true, "Fetch what is new."),
                Arg::flag("verify_commit", false, "Check the signature of the commit or tag."),
                Arg::list("gpg_allowlist", Kind::Str, "Fingerprints of keys that may have signed.").alias(&["gpg_whitelist"]).default(Preset::List(&[])),
                Arg::flag("accept_hostkey", false, "Take any host key."),
                Arg::flag("accept_newhostkey", false, "Take the key of a host that is not known yet."),
                Arg::path("key_file", "SSH key to use."),
                Arg::str("ssh_opts", "Options of ssh."),
                Arg::path("executable", "The program git."),
                Arg::flag("bare", false, "Without a working tree."),
                Arg::flag("recursive", true, "With submodules."),
                Arg::flag("single_branch", false, "Clone only the branch's history."),
                Arg::flag("track_submodules", false, "Take the latest commit of submodules."),
                Arg::raw("umask", "Umask meanwhile, octal (quoted)."),
                Arg::path("archive", "Archive file to make of the checkout."),
                Arg::str("archive_prefix", "Folder within the archive."),
                Arg::path("separate_git_dir", "Where git's own directory goes at the first clone."),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        set_umask(args)?;
        let repository = Repository::new(args, cx)?;
        let Some(dest) = repository.dest.clone() else {
            if args.flag("clone") {
                return Err("the destination directory must be specified unless clone=no".into());
            }
            let after = repository.remote_head(cx, &repository.url)?;
            return Ok(Outcome::new(true).with("before", Value::Null).with("after", after));
        };
        let there = repository.git_dir(cx)?.is_some_and(|dir| cx.stat(&dir.join("config")).is_ok_and(|stat| stat.is_some()));
        match (there, args.flag("update")) {
            (false, _) => first(args, cx, &repository, &dest),
            (true, false) => {
                let now = repository.revision(cx, "HEAD")?;
                archive(args, cx, &repository, Outcome::new(false).with("before", now.as_str()).with("after", now.as_str()))
            }
            (true, true) => update(args, cx, &repository),
        }
    }
}

fn set_umask(args: &Args) -> Result<(), Failure> {
    let Some(given) = args.get("umask") else { return Ok(()) };
    let Value::String(text) = given else { return Err("umask must be defined as a quoted octal integer".into()) };
    let bits = u32::from_str_radix(text.trim_start_matches("0o"), 8).map_err(|_| Failure::new("umask must be an octal integer"))?;
    // the call's end puts the old one back
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(bits & 0o777));
    Ok(())
}

/// There is no checkout yet.
fn first(args: &Args, cx: &mut Context<'_>, repository: &Repository, dest: &Path) -> Result<Outcome, Failure> {
    if cx.check() || !args.flag("clone") {
        let after = repository.remote_head(cx, &repository.url)?;
        if cx.check() && args.flag("clone") {
            cx.perform(Change::Opaque { what: format!("the checkout in {}", dest.display()), below: Some(dest.to_owned()) }, &[])?;
        }
        let outcome = Outcome::new(true).with("before", Value::Null).with("after", after.as_str());
        return Ok(with_diff(cx, repository, outcome, None, &after));
    }
    if let Some(dir) = dest.parent() {
        make_parents(cx, dir)?;
    }
    repository.clone_to(cx, dest)?;
    settle(args, cx, repository, Map::new(), None, false)
}

fn make_parents(cx: &mut Context<'_>, dir: &Path) -> Result<(), Failure> {
    let mut missing: Vec<PathBuf> = vec![];
    for dir in dir.ancestors() {
        if cx.stat(dir)?.is_some() {
            break;
        }
        missing.push(dir.to_owned());
    }
    for path in missing.into_iter().rev() {
        cx.apply(Change::Dir { path, mode: None, uid: None, gid: None })?;
    }
    Ok(())
}

/// There is a checkout: it gets the version asked for.
fn update(args: &Args, cx: &mut Context<'_>, repository: &Repository) -> Result<Outcome, Failure> {
    let before = repository.revision(cx, "HEAD")?;
    let shown = repository.dest.as_deref().unwrap_or(Path::new("")).display().to_string();
    let mut fields = Map::from_iter([("before".to_owned(), json!(before))]);
    let modified = !args.flag("bare") && repository.has_modifications(cx)?;
    if modified {
        let msg = format!("Local modifications exist in the destination: {shown}");
        if !args.flag("force") {
            return Err(Failure { fields, ..Failure::new(format!("{msg} (force=no).")) });
        }
        if !cx.check() {
            repository.act(cx, &["reset", "--hard", "HEAD"])?;
            fields.insert("msg".into(), json!(msg));
        }
    }
    let moved = repository.url_differs(cx)?;
    fields.insert("remote_url_changed".into(), json!(moved));
    if cx.check() {
        let after = repository.remote_head(cx, args.text("remote"))?;
        let changed = before != after || moved || modified;
        if changed {
            cx.perform(Change::Opaque { what: format!("the checkout in {shown}"), below: repository.dest.clone() }, &[])?;
        }
        let outcome = Outcome::new(changed).merge(fields).with("after", after.as_str());
        return Ok(with_diff(cx, repository, outcome, Some(&before), &after));
    }
    if moved {
        repository.act(cx, &["remote", "set-url", args.text("remote"), &repository.url])?;
    }
    repository.fetch(cx)?;
    settle(args, cx, repository, fields, Some(before), modified || moved)
}

/// After a clone or fetch: the version, submodules, the archive.
fn settle(
    args: &Args,
    cx: &mut Context<'_>,
    repository: &Repository,
    fields: Map<String, Value>,
    before: Option<String>,
    changed: bool,
) -> Result<Outcome, Failure> {
    let mut submodules = false;
    if !args.flag("bare") {
        repository.switch(cx)?;
        submodules = args.flag("recursive") && repository.update_submodules(cx)?;
    }
    let after = repository.revision(cx, "HEAD")?;
    let changed = changed || submodules || before.as_ref() != Some(&after);
    let mut outcome = Outcome::new(changed).with("before", json!(before)).merge(fields).with("after", after.as_str());
    if submodules {
        outcome = outcome.with("submodules_changed", true);
    }
    if changed {
        outcome = with_diff(cx, repository, outcome, before.as_deref(), &after);
    }
    archive(args, cx, repository, outcome)
}

fn with_diff(cx: &Context<'_>, repository: &Repository, outcome: Outcome, before: Option<&str>, after: &str) -> Outcome {
    let text = match before {
        _ if !cx.wants_diff() => return outcome,
        None => format!(">> Newly checked out {after}"),
        Some(before) if before == after => return outcome,
        Some(before) => match cx.probe(&repository.command(&["diff", before, after])) {
            Ok(run) if run.ok() && !run.stdout.is_empty() => run.out(),
            Ok(run) if run.ok() => format!(">> No visual differences between {before} and {after}"),
            Ok(run) => format!(">> Failed to get proper diff between {before} and {after}:\n>> {}", run.err()),
            Err(failure) => format!(">> Failed to get proper diff between {before} and {after}:\n>> {}", failure.msg),
        },
    };
    outcome.with("diff", json!({"prepared": text}))
}

/// The archive of the version, made anew and put in place where it differs.
fn archive(args: &Args, cx: &mut Context<'_>, repository: &Repository, mut outcome: Outcome) -> Result<Outcome, Failure> {
    let Some(path) = args.str("archive") else { return Ok(outcome) };
    if cx.check() {
        outcome.changed = true;
        cx.perform(Change::Opaque { what: format!("the archive {path}"), below: Some(path.into()) }, &[])?;
        return Ok(outcome);
    }
    let formats = [(".zip", "zip"), (".tar.gz", "tar.gz"), (".gz", "tar.gz"), (".tar", "tar"), (".tgz", "tgz")];
    let Some((_, format)) = formats.iter().find(|(ending, _)| path.ends_with(ending)) else {
        return Err(Failure::new(format!("Unable to get file extension from archive file name : {path}")));
    };
    let new = cx.scratch_dir()?.join("archive");
    let mut program = repository.command(&["archive", "--format", format, "--output"]).arg(&new);
    if let Some(prefix) = args.str("archive_prefix") {
        program = program.args(["--prefix", prefix]);
    }
    let run = cx.probe(&program.arg(args.text("version")))?;
    if !run.ok() {
        return Err(Failure::new("Failed to perform archive operation").with("details", run.err()));
    }
    let content = crate::change::Content::Staged(new);
    let attributes = crate::attributes::Attributes::default();
    let written = cx.write(crate::write::Write { path: Path::new(path), content, attributes: &attributes, backup: false, validate: None })?;
    outcome.changed |= written.changed;
    Ok(outcome)
}

/// The command with which git calls ssh.
pub(super) fn ssh_command(args: &Args, cx: &mut Context<'_>) -> Result<String, Failure> {
    let variable = |name: &str| cx.variable(name).map(str::to_owned);
    let mut options = variable("GIT_SSH_OPTS").unwrap_or_default();
    if let Some(given) = args.str("ssh_opts") {
        options.push_str(&format!(" {given}"));
    }
    let named = ["-o StrictHostKeyChecking=no", "-o StrictHostKeyChecking=accept-new"].iter().any(|option| options.contains(option));
    if args.flag("accept_hostkey") && !named {
        options.push_str(" -o StrictHostKeyChecking=no");
    }
    let base = variable("GIT_SSH").or_else(|| variable("GIT_SSH_COMMAND")).unwrap_or_else(|| "ssh".into());
    if args.flag("accept_newhostkey") && !named {
        let run = cx.probe(&Program::new([cx.require_program("ssh")?]).args(["-o", "StrictHostKeyChecking=accept-new", "-V"]))?;
        if run.ok() {
            options.push_str(" -o StrictHostKeyChecking=accept-new");
        } else {
            cx.warn("Your ssh client does not support accept_newhostkey option, therefore it cannot be used.");
        }
    }
    if !options.contains("BatchMode=yes") {
        options.push_str(" -o BatchMode=yes");
    }
    if let Some(key) = args.get("key_file").map(coerce::text) {
        options.push_str(&format!(" -i {} -o IdentitiesOnly=yes", crate::shell_words::quote(&key)));
    }
    Ok(format!("{base} {}", options.trim_start()))
}
