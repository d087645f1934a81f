//! What `git` tells the program git: questions to the checkout and to the remote, clone, fetch, checkout, submodules.

use std::path::{Path, PathBuf};

use super::git::ssh_command;
use crate::args::Args;
use crate::change::Change;
use crate::context::Context;
use crate::outcome::Failure;
use crate::program::{Program, Run};

/// A checkout and where it comes from.
pub(super) struct Repository {
    base: Program,
    pub dest: Option<PathBuf>,
    pub url: String,
    args: Args,
}

impl Repository {
    pub(super) fn new(args: &Args, cx: &mut Context<'_>) -> Result<Repository, Failure> {
        let git = args.str("executable").map_or_else(|| cx.require_program("git"), |path| Ok(PathBuf::from(path)))?;
        let mut base = Program::new([git]).env("GIT_SSH_COMMAND", &ssh_command(args, cx)?);
        for name in ["LANG", "LC_ALL", "LC_MESSAGES", "LC_CTYPE", "LANGUAGE"] {
            base = base.env(name, "C");
        }
        let given = crate::coerce::expand(args.text("repo"), cx);
        // a depth needs a protocol, also for a path
        let url = if given.starts_with('/') { format!("file://{given}") } else { args.text("repo").to_owned() };
        let dest = args.str("dest").map(|dest| std::path::absolute(dest).unwrap_or_else(|_| dest.into()));
        Ok(Repository { base, dest, url, args: args.clone() })
    }

    fn version(&self) -> &str {
        self.args.text("version")
    }

    fn remote(&self) -> &str {
        self.args.text("remote")
    }

    fn depth(&self) -> Option<String> {
        self.args.int("depth").filter(|depth| *depth != 0).map(|depth| depth.to_string())
    }

    /// A command in the checkout, where there is one.
    pub(super) fn command(&self, words: &[&str]) -> Program {
        let mut program = self.base.clone().args(words);
        program.dir = self.dest.clone().filter(|dest| dest.is_dir());
        program
    }

    fn ask(&self, cx: &Context<'_>, words: &[&str]) -> Result<Run, Failure> {
        cx.probe(&self.command(words))
    }

    /// Asks, and takes no other answer than success.
    fn require(&self, cx: &Context<'_>, words: &[&str]) -> Result<String, Failure> {
        let program = self.command(words);
        let run = cx.probe(&program)?;
        if run.ok() { Ok(run.out()) } else { Err(refused(&program, &run)) }
    }

    /// Changes something; failing is the task's failure.
    pub(super) fn act(&self, cx: &mut Context<'_>, words: &[&str]) -> Result<Run, Failure> {
        let program = self.command(words);
        let shown = program.clone();
        let change = Change::Opaque { what: "git".into(), below: self.dest.clone() };
        let run = cx.perform(change, &[program])?.into_iter().next().unwrap_or_default();
        if run.ok() { Ok(run) } else { Err(refused(&shown, &run)) }
    }

    /// As [`Repository::act`], with the failure's own words.
    fn act_or(&self, cx: &mut Context<'_>, words: &[&str], msg: &str) -> Result<Run, Failure> {
        self.act(cx, words).map_err(|failure| if failure.unknown.is_some() { failure } else { Failure { msg: msg.to_owned(), ..failure } })
    }

    /// Git's own directory; `None` where there is no checkout.
    pub(super) fn git_dir(&self, cx: &Context<'_>) -> Result<Option<PathBuf>, Failure> {
        let Some(dest) = &self.dest else { return Ok(None) };
        let dir = if self.args.flag("bare") { dest.clone() } else { dest.join(".git") };
        let Some(stat) = cx.stat(&dir)? else { return Ok(None) };
        if stat.is_dir() {
            return Ok(Some(dir));
        }
        let text = cx.read_text(&dir)?.content;
        let real = text.trim_end().strip_prefix("gitdir: ").map(|path| dest.join(path));
        match real {
            Some(real) if cx.stat(&real)?.is_some_and(|stat| stat.is_dir()) => self.in_place(real),
            _ => Err("Current repo does not have a valid reference to a separate Git dir or it refers to the invalid path".into()),
        }
    }

    fn in_place(&self, real: PathBuf) -> Result<Option<PathBuf>, Failure> {
        match self.args.str("separate_git_dir") {
            Some(wanted) if Path::new(wanted) != real => {
                Err(Failure::new(format!("git's directory is {} and not {wanted}; moving it is not supported", real.display())))
            }
            _ => Ok(Some(real)),
        }
    }

    pub(super) fn revision(&self, cx: &Context<'_>, name: &str) -> Result<String, Failure> {
        Ok(self.ask(cx, &["rev-parse", name])?.out().trim_end_matches('\n').to_owned())
    }

    pub(super) fn has_modifications(&self, cx: &Context<'_>) -> Result<bool, Failure> {
        Ok(self.ask(cx, &["status", "--porcelain"])?.out().lines().any(|line| !line.starts_with("??")))
    }

    pub(super) fn url_differs(&self, cx: &Context<'_>) -> Result<bool, Failure> {
        let run = self.ask(cx, &["ls-remote", "--get-url", self.remote()])?;
        let have = run.out().trim_end_matches('\n').to_owned();
        let real = |path: &str| cx.real_path(Path::new(path));
        Ok(run.ok() && have != self.url && real(&have) != real(&self.url))
    }

    fn is_branch(&self, cx: &Context<'_>, remote: &str) -> Result<bool, Failure> {
        let name = format!("refs/heads/{}", self.version());
        Ok(self.require(cx, &["ls-remote", remote, "-h", &name])?.contains(self.version()))
    }

    fn is_tag(&self, cx: &Context<'_>, remote: &str) -> Result<bool, Failure> {
        let name = format!("refs/tags/{}", self.version());
        Ok(self.require(cx, &["ls-remote", remote, "-t", &name])?.contains(self.version()))
    }

    fn is_local_branch(&self, cx: &Context<'_>) -> Result<bool, Failure> {
        let name = format!("refs/heads/{}", self.version());
        Ok(self.ask(cx, &["show-ref", "--verify", "--quiet", &name])?.ok())
    }

    /// The branch that is checked out, or the remote's where none is.
    fn head_branch(&self, cx: &Context<'_>) -> Result<String, Failure> {
        let run = self.ask(cx, &["symbolic-ref", "-q", "--short", "HEAD"])?;
        if run.ok() {
            return Ok(run.out().trim().to_owned());
        }
        let remote = format!("refs/remotes/{}/", self.remote());
        let out = self.require(cx, &["symbolic-ref", "-q", &format!("{remote}HEAD")])?;
        Ok(out.trim().trim_start_matches(remote.as_str()).to_owned())
    }

    /// The commit that the version is at the remote; a commit stays what it is.
    pub(super) fn remote_head(&self, cx: &Context<'_>, remote: &str) -> Result<String, Failure> {
        let version = self.version();
        let out = if version == "HEAD" && remote == self.url {
            self.require(cx, &["ls-remote", remote, "-h", "HEAD"])
                .and_then(|out| if out.is_empty() { self.require(cx, &["ls-remote", remote, "HEAD"]) } else { Ok(out) })?
        } else if version == "HEAD" {
            self.require(cx, &["ls-remote", remote, "-h", &format!("refs/heads/{}", self.head_branch(cx)?)])?
        } else if self.is_branch(cx, remote)? {
            self.require(cx, &["ls-remote", remote, "-h", &format!("refs/heads/{version}")])?
        } else if self.is_tag(cx, remote)? {
            let out = self.require(cx, &["ls-remote", remote, "-t", &format!("refs/tags/{version}*")])?;
            // the commit behind an annotated tag comes in a line of its own
            let row = |end: &str| out.lines().find(|line| line.ends_with(end)).map(str::to_owned);
            row(&format!("/{version}^{{}}")).or_else(|| row(&format!("/{version}"))).unwrap_or_default()
        } else {
            return Ok(version.to_owned());
        };
        match out.split_whitespace().next() {
            Some(commit) => Ok(commit.to_owned()),
            None => Err(Failure::new(format!("Could not determine remote revision for {version}"))),
        }
    }

    pub(super) fn clone_to(&self, cx: &mut Context<'_>, dest: &Path) -> Result<(), Failure> {
        let fetchable = self.is_branch(cx, &self.url)? || self.is_tag(cx, &self.url)?;
        let mut words: Vec<String> = vec!["clone".into()];
        let mut add = |more: &[&str]| words.extend(more.iter().map(|word| (*word).to_owned()));
        if self.args.flag("bare") {
            add(&["--bare"]);
        } else {
            add(&["--origin", self.remote()]);
        }
        match self.depth() {
            Some(depth) if self.version() == "HEAD" || self.args.has("refspec") => add(&["--depth", &depth]),
            Some(depth) if fetchable => add(&["--depth", &depth, "--branch", self.version()]),
            Some(_) => {
                cx.warn("Ignoring depth argument. Shallow clones are only available for HEAD, branches, tags or in combination with refspec.");
            }
            None => {}
        }
        if let Some(reference) = self.args.str("reference") {
            add(&["--reference", reference]);
        }
        if self.args.flag("single_branch") {
            add(&["--single-branch"]);
            if fetchable {
                add(&["--branch", self.version()]);
            }
        }
        if let Some(dir) = self.args.str("separate_git_dir") {
            add(&[&format!("--separate-git-dir={dir}")]);
        }
        add(&[&self.url, &dest.to_string_lossy()]);
        self.act(cx, &words.iter().map(String::as_str).collect::<Vec<_>>())?;
        if self.args.flag("bare") && self.remote() != "origin" {
            self.act(cx, &["remote", "add", self.remote(), &self.url])?;
        }
        if let Some(refspec) = self.args.str("refspec") {
            let depth = self.depth();
            let mut words = vec!["fetch"];
            words.extend(depth.iter().flat_map(|depth| ["--depth", depth.as_str()]));
            words.extend([self.remote(), refspec]);
            self.act(cx, &words)?;
        }
        if self.args.flag("verify_commit") { self.verify(cx) } else { Ok(()) }
    }

    /// Fetches: with a depth only what the version needs, else everything.
    pub(super) fn fetch(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let (version, remote) = (self.version(), self.remote());
        let refspec = self.args.str("refspec").map(str::to_owned);
        let mut refspecs: Vec<String> = vec![];
        let mut words: Vec<String> = vec!["fetch".into()];
        if let Some(depth) = self.depth() {
            let head = self.head_branch(cx)?;
            if let Some(refspec) = &refspec {
                refspecs.push(refspec.clone());
            } else if version == "HEAD" {
                refspecs.push(head);
            } else if self.is_branch(cx, &self.url)? {
                if head != version {
                    refspecs.push(format!("+refs/heads/{version}:refs/heads/{version}"));
                }
                refspecs.push(format!("+refs/heads/{version}:refs/remotes/{remote}/{version}"));
            } else if self.is_tag(cx, &self.url)? {
                refspecs.push(format!("+refs/tags/{version}:refs/tags/{version}"));
            }
            if !refspecs.is_empty() {
                words.extend(["--depth".into(), depth]);
            }
        }
        if refspecs.is_empty() {
            if self.args.flag("bare") {
                refspecs.extend(["+refs/heads/*:refs/heads/*".into(), "+refs/tags/*:refs/tags/*".into()]);
            } else {
                words.push("--tags".into());
            }
            refspecs.extend(refspec);
        }
        if self.args.flag("force") {
            words.push("--force".into());
        }
        words.push(remote.to_owned());
        words.extend(refspecs);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.act(cx, &words).map(drop).map_err(|failure| Failure { msg: format!("Failed to download remote objects and refs: {}", failure.msg), ..failure })
    }

    /// Checks the version out.
    pub(super) fn switch(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let (version, remote) = (self.version(), self.remote());
        if version == "HEAD" {
            let branch = self.head_branch(cx)?;
            let failed = format!("Failed to checkout branch {branch}");
            self.act_or(cx, &["checkout", "--force", &branch], &failed)?;
            self.act_or(cx, &["reset", "--hard", &format!("{remote}/{branch}"), "--"], &failed)?;
        } else if self.is_branch(cx, remote)? {
            if let (Some(depth), false) = (self.depth(), self.is_local_branch(cx)?) {
                let (own, tracked) = (format!("+refs/heads/{version}:refs/heads/{version}"), format!("+refs/heads/{version}:refs/remotes/{remote}/{version}"));
                self.act_or(cx, &["fetch", &format!("--depth={depth}"), remote, &own, &tracked], &format!("Failed to fetch branch from remote: {version}"))?;
            }
            let there = format!("{remote}/{version}");
            if self.is_local_branch(cx)? {
                self.act_or(cx, &["checkout", "--force", version], &format!("Failed to checkout branch {version}"))?;
                self.act_or(cx, &["reset", "--hard", &there], &format!("Failed to checkout {version}"))?;
            } else {
                self.act_or(cx, &["checkout", "--track", "-b", version, &there], &format!("Failed to checkout {version}"))?;
            }
        } else {
            self.act_or(cx, &["checkout", "--force", version], &format!("Failed to checkout {version}"))?;
        }
        if self.args.flag("verify_commit") { self.verify(cx) } else { Ok(()) }
    }

    fn verify(&self, cx: &Context<'_>) -> Result<(), Failure> {
        let version = self.version();
        let tags = self.require(cx, &["for-each-ref", "refs/tags/", "--format", "%(objecttype):%(refname:short)"])?;
        let annotated = tags.lines().any(|line| line.strip_prefix("tag:") == Some(version));
        let allowed = self.args.texts("gpg_allowlist");
        let mut words = vec![if annotated { "verify-tag" } else { "verify-commit" }, version];
        if !allowed.is_empty() {
            words.push("--raw");
        }
        let run = self.ask(cx, &words)?;
        let failed = |msg: String| Failure::new(msg).with("stdout", run.out()).with("stderr", run.err()).with("rc", run.rc);
        if !run.ok() {
            return Err(failed(format!("Failed to verify GPG signature of commit/tag \"{version}\"")));
        }
        if allowed.is_empty() {
            return Ok(());
        }
        // the primary key's fingerprint is the last of twelve words
        let err = run.err();
        let row = err.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).find(|row| row.get(1) == Some(&"VALIDSIG")).unwrap_or_default();
        let key = row.get(11).or(row.get(2)).copied().unwrap_or_default();
        if allowed.iter().any(|have| have == key) {
            return Ok(());
        }
        Err(failed(format!("The gpg_allowlist does not include the public key \"{key}\" for this commit")))
    }

    /// Brings submodules to where they shall be; whether any was not.
    pub(super) fn update_submodules(&self, cx: &mut Context<'_>) -> Result<bool, Failure> {
        let Some(dest) = self.dest.clone() else { return Ok(false) };
        let file = dest.join(".gitmodules");
        if cx.stat(&file)?.is_none() || !self.submodules_differ(cx, &dest, &file)? {
            return Ok(false);
        }
        self.act(cx, &["submodule", "sync"])?;
        let mut words = vec!["submodule", "update", "--init", "--recursive"];
        if self.args.flag("track_submodules") {
            words.push("--remote");
        }
        if self.args.flag("force") {
            words.push("--force");
        }
        self.act(cx, &words).map_err(|failure| Failure { msg: format!("Failed to init/update submodules: {}", failure.msg), ..failure })?;
        Ok(true)
    }

    fn submodules_differ(&self, cx: &mut Context<'_>, dest: &Path, file: &Path) -> Result<bool, Failure> {
        let text = cx.read_text(file)?.content;
        let paths = text.lines().filter_map(|line| line.trim().strip_prefix("path")?.trim_start().strip_prefix('=')).map(str::trim);
        for path in paths {
            if cx.stat(&dest.join(path).join(".git"))?.is_none() {
                return Ok(true);
            }
        }
        self.act(cx, &["submodule", "foreach", "git", "fetch"])?;
        if self.args.flag("track_submodules") {
            let there = format!("{}/HEAD", self.remote());
            let versions = |name: &str| self.ask(cx, &["submodule", "foreach", "git", "rev-parse", name]).map(|run| run.out());
            return Ok(versions("HEAD")? != versions(&there)?);
        }
        Ok(self.require(cx, &["submodule", "status"])?.lines().any(|line| !line.starts_with(' ')))
    }
}

fn refused(program: &Program, run: &Run) -> Failure {
    let failure = Failure::new(run.err().trim_end()).with("rc", run.rc).with("stdout", run.out()).with("stderr", run.err());
    failure.with("cmd", program.shown())
}
