//! `deb`: packages from files. apt-get installs them, so that what they depend on comes along.

use std::cmp::Ordering;
use std::path::Path;

use super::get::{self, Effect, when};
use super::known::Known;
use super::{program, version};
use crate::args::Args;
use crate::context::Context;
use crate::http;
use crate::outcome::{Failure, Outcome};

/// Installs the files that are not installed in just that version.
pub(super) fn install(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
    let mut files = vec![];
    let mut names = vec![];
    for file in args.text("deb").split(',') {
        let file = local(args, cx, file)?;
        let (name, wanted) = (field(cx, &file, "Package")?, field(cx, &file, "Version")?);
        let known = Known::ask(cx, &[&name], None)?;
        match known.installed(&name).map(|now| version::compare(&wanted, now)) {
            Some(Ordering::Equal) => continue,
            Some(Ordering::Less) if !args.flag("force") && !args.flag("allow_downgrade") => return Err("A later version is already installed".into()),
            _ => {}
        }
        files.push(format!("'{}'", file.trim()));
        names.push(name);
    }
    if files.is_empty() {
        return Ok(Outcome::new(false).with("stdout", "").with("stderr", "").with("diff", ""));
    }
    let line = format!("{} {}", command(args, cx)?, files.join(" "));
    let run = get::run(args, cx, &line, &Effect::Installs(&names))?;
    if !run.ok() {
        return Err(Failure::new(format!("{line} failed")).with("stdout", run.out()).with("stderr", run.err()));
    }
    let diff = get::diff(cx, &run.out());
    Ok(Outcome::new(true).with("stdout", run.out()).with("stderr", run.err()).with("diff", diff))
}

fn command(args: &Args, cx: &Context<'_>) -> Result<String, Failure> {
    let apt_get = cx.require_program("apt-get")?;
    let force = args.flag("force");
    let words = [
        apt_get.display().to_string(),
        "-y".into(),
        get::dpkg_options(args),
        when(force, "-o \"Dpkg::Options::=--force-all\"").into(),
        when(args.flag("fail_on_autoremove"), "--no-remove").into(),
        when(args.flag("allow_unauthenticated"), "--allow-unauthenticated").into(),
        when(force || args.flag("allow_downgrade"), "--allow-downgrades").into(),
        when(args.flag("allow_change_held_packages"), "--allow-change-held-packages").into(),
        super::recommends(args).into(),
        when(cx.check(), "--simulate").into(),
        "install".into(),
    ];
    Ok(words.into_iter().filter(|word: &String| !word.is_empty()).collect::<Vec<_>>().join(" "))
}

/// The file itself, fetched where it is a URL; with a `/` in it, so that apt-get takes it for a file.
fn local(args: &Args, cx: &mut Context<'_>, file: &str) -> Result<String, Failure> {
    if file.contains("://") {
        let content = http::fetch(args, cx, file).map_err(|failure| Failure { msg: format!("Failure downloading {file}, {}", failure.msg), ..failure })?;
        // apt-get knows a package file by its name
        let directory = cx.scratch_dir()?;
        let name = file.split(['?', '#']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let path = directory.join(if name.ends_with(".deb") { name } else { "package.deb" });
        std::fs::write(&path, content).map_err(Failure::from)?;
        return Ok(path.to_string_lossy().into_owned());
    }
    let path = std::path::absolute(Path::new(file)).map_err(Failure::from)?;
    if cx.check() && !path.exists() && cx.stat(&path)?.is_some() {
        return Err(Failure::unknown(format!("what is in {file}, which an earlier task would have made")));
    }
    if cx.stat(&path)?.is_none() {
        return Err(Failure::new(format!("Unable to install package: E:Could not open file {file} - open (2: No such file or directory)")));
    }
    Ok(path.to_string_lossy().into_owned())
}

fn field(cx: &Context<'_>, file: &str, name: &str) -> Result<String, Failure> {
    let run = cx.probe(&program(cx, "dpkg")?.args(["--field", file, name]))?;
    if run.ok() {
        return Ok(run.out().trim_end_matches('\n').to_owned());
    }
    Err(Failure::new(format!("dpkg --field {file} {name} failed")).with("stdout", run.out()).with("stderr", run.err()))
}
