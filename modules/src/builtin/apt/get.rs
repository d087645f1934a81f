//! Running apt-get: the command line with Ansible's options, simulated in check mode, services kept from starting when asked.

use std::path::Path;

use serde_json::{Value, json};

use super::known;
use crate::args::Args;
use crate::change::{Change, Content};
use crate::context::Context;
use crate::outcome::{Failure, Tried};
use crate::program::Run;
use crate::shell_words;

const POLICY_RC_D: &str = "/usr/sbin/policy-rc.d";

/// What a run of apt-get does to packages.
pub(super) enum Effect<'e> {
    /// These are installed.
    Installs(&'e [String]),
    /// These are removed.
    Removes(&'e [String]),
    /// Whatever its output says.
    Whatever,
}

/// The options of every apt-get that changes packages, as the command line shows them.
pub(super) fn dpkg_options(args: &Args) -> String {
    let options: Vec<String> = args.text("dpkg_options").split(',').map(|option| format!("-o \"Dpkg::Options::=--{option}\"")).collect();
    format!("{} -o DPkg::Lock::Timeout={}", options.join(" "), args.int("lock_timeout").unwrap_or(60))
}

/// The word when the argument is true.
pub(super) fn when(on: bool, word: &'static str) -> &'static str {
    if on { word } else { "" }
}

/// Runs a command line: for real, or simulated in check mode (`--simulate` stands in it then). Says whether it did anything.
pub(super) fn run(args: &Args, cx: &mut Context<'_>, line: &str, effect: &Effect<'_>) -> Result<Run, Failure> {
    let words = shell_words::split(line).map_err(|why| Failure::new(format!("cannot read the command line {line}: {why}")))?;
    let program = super::with_environment(words);
    if cx.check() {
        let run = cx.probe(&program)?;
        match unsettled(cx) {
            _ if run.ok() => predict(cx, effect, &run.out())?,
            Some(why) => return Err(Failure::unknown(format!("what apt-get would say: {why}"))),
            None => {}
        }
        return Ok(run);
    }
    with_policy(args, cx, |cx| {
        let change = Change::Package { names: vec![], present: true };
        Ok(cx.perform(change, &[program])?.into_iter().next().unwrap_or_default())
    })
}

/// Why apt-get may decide otherwise then: earlier tasks would have changed what it looks at.
fn unsettled(cx: &Context<'_>) -> Option<String> {
    cx.system().noted().iter().rev().find_map(|change| match change {
        Change::Package { names, .. } => Some(format!("{} would be another matter", names.join(", "))),
        Change::Setting { name, .. } if name.starts_with("dpkg selection") => Some(format!("the {name} would be another one")),
        _ => known::lists_may_change(cx),
    })
}

/// Keeps what a simulation says for later tasks.
fn predict(cx: &mut Context<'_>, effect: &Effect<'_>, simulated: &str) -> Result<(), Failure> {
    let (mut installed, mut removed) = simulated_packages(simulated);
    match effect {
        Effect::Installs(names) => installed.extend(names.iter().cloned()),
        Effect::Removes(names) => removed.extend(names.iter().cloned()),
        Effect::Whatever => {}
    }
    for (mut names, present) in [(installed, true), (removed, false)] {
        names.sort();
        names.dedup();
        if !names.is_empty() {
            cx.perform(Change::Package { names, present }, &[])?;
        }
    }
    Ok(())
}

/// The packages that a simulation would install and remove.
fn simulated_packages(text: &str) -> (Vec<String>, Vec<String>) {
    let named = |word: &str| text.lines().filter_map(|line| line.strip_prefix(word)?.split_whitespace().next()).map(str::to_owned).collect::<Vec<_>>();
    (named("Inst "), [named("Remv "), named("Purg ")].concat())
}

/// With `policy_rc_d` services are kept from starting: a policy that answers with that number stands there meanwhile.
fn with_policy<T>(args: &Args, cx: &mut Context<'_>, run: impl FnOnce(&mut Context<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
    let Some(code) = args.int("policy_rc_d") else { return run(cx) };
    let path = Path::new(POLICY_RC_D);
    let old = cx.stat(path)?.map(|stat| Ok::<_, Failure>((cx.read(path)?, stat.mode))).transpose()?;
    let put = |cx: &mut Context<'_>, bytes: Vec<u8>, mode| {
        cx.system_mut().write(path, Content::Bytes(bytes), mode, (None, None), false).tried(|| format!("Failed to create or chmod {POLICY_RC_D}"))
    };
    put(cx, format!("#!/bin/sh\nexit {code}\n").into_bytes(), 0o755)?;
    let result = run(cx);
    match old {
        Some((bytes, mode)) => put(cx, bytes, mode)?,
        None => cx.system_mut().remove(path).tried(|| format!("Fail to remove {POLICY_RC_D} (after package manipulation)"))?,
    }
    result
}

/// What apt-get says between its preparations and its summary.
pub(super) fn diff(cx: &Context<'_>, output: &str) -> Value {
    if !cx.wants_diff() {
        return json!({});
    }
    let lines: Vec<&str> = output.lines().collect();
    let at = |text: &str| lines.iter().position(|line| *line == text);
    let start = at("Resolving dependencies...").or_else(|| at("Reading state information...")).map_or(0, |at| at + 1);
    let is_summary = |line: &str| {
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
        rest.len() < line.len() && (rest.starts_with(" upgraded") || rest.starts_with(" packages upgraded"))
    };
    let end = lines.iter().position(|line| is_summary(line)).map_or(lines.len(), |at| at + 1);
    json!({"prepared": lines.get(start..end).unwrap_or_default().join("\n")})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulation_names_packages() {
        let text = "Reading package lists...\nInst hello (2.10-3 Debian:12 [amd64])\nRemv old [1]\nPurg older [1]\nConf hello (2.10-3)\n";
        assert_eq!(simulated_packages(text), (vec!["hello".to_owned()], vec!["old".to_owned(), "older".to_owned()]));
    }
}
