//! Sources under version control: git, by the program of that name.

use std::path::Path;
use std::process::Command;

use super::unpack::{self, Members};
use super::{Around, Trouble};

/// The files of a repository at a version (a branch, tag or commit; else where its HEAD is), and the commit.
///
/// # Errors
/// git is missing or refuses.
pub fn git(url: &str, version: Option<&str>, around: &Around, keep: bool) -> Result<(Members, String), Trouble> {
    if version.is_some_and(|version| version.starts_with('-')) {
        return Err(Trouble::new(format!("`{}` is no version of a repository", version.unwrap_or_default())));
    }
    let folder = tempfile::Builder::new().prefix("rplay-git-").tempdir().map_err(|error| Trouble::new(format!("no place for a clone: {error}")))?;
    let clone = folder.path().join("clone");
    run(&["clone", "--quiet", "--", url, &clone.to_string_lossy()], folder.path(), around)?;
    if let Some(version) = version.filter(|version| !["", "*", "HEAD"].contains(version)) {
        run(&["checkout", "--quiet", version, "--"], &clone, around)?;
    }
    let commit = run(&["rev-parse", "HEAD"], &clone, around)?.trim().to_string();
    let members = unpack::folder(&clone, if keep { &[] } else { &[".git"] })?;
    Ok((members, commit))
}

fn run(arguments: &[&str], folder: &Path, around: &Around) -> Result<String, Trouble> {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(folder).env_clear().envs(around.env);
    let output = command.output().map_err(|error| Trouble::new(format!("could not find/use git, it is required to continue: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let code = output.status.code().map_or_else(|| output.status.to_string(), |code| code.to_string());
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Trouble::new(format!("- command git {} failed (rc={code}) - {}", arguments.join(" "), said.trim())))
}
