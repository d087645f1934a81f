//! `sysctl`: settings of the kernel, in a file and at once.

use std::path::Path;

use crate::args::Args;
use crate::attributes::Attributes;
use crate::change::{Change, Content};
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::{Program, Run};
use crate::spec::{Arg, Preset, RequiredIf, Spec};
use crate::write::Write;

/// The module.
pub struct Sysctl;

impl Module for Sysctl {
    const SPEC: Spec = Spec {
        required_if: &[RequiredIf { argument: "state", value: "present", needs: &["value"], any: false }],
        ..Spec::new(
            "sysctl",
            "Sets kernel parameters with sysctl and in its file.",
            &[
                Arg::str("name", "The parameter, with dots.").alias(&["key"]).required(),
                Arg::str("value", "Its value.").alias(&["val"]),
                Arg::str("state", "Whether it shall be in the file.").choices(&["present", "absent"]).default(Preset::Str("present")),
                Arg::flag("reload", true, "Have the file read (`sysctl -p`) after a change."),
                Arg::flag("sysctl_set", false, "Set the parameter at once too (`sysctl -w`)."),
                Arg::flag("ignoreerrors", false, "Ignore parameters that the kernel does not know."),
                Arg::path("sysctl_file", "The file.").default(Preset::Str("/etc/sysctl.conf")),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let name = args.text("name").trim().to_owned();
        let present = args.text("state") == "present";
        if name.is_empty() {
            return Err("name cannot be blank".into());
        }
        if present && args.text("value").is_empty() {
            return Err("value cannot be blank".into());
        }
        let value = value(args.text("value"));
        let path = cx.real_path(Path::new(args.text("sysctl_file")));
        let before = cx.stat(&path)?.filter(|stat| stat.is_file()).map(|_| cx.read_text(&path)).transpose()?.map_or_else(String::new, |text| text.content);
        let kernel = current(cx, &name)?;
        let differs = !kernel.as_ref().is_some_and(|now| now.split_whitespace().eq(value.split_whitespace()));
        let set = args.flag("sysctl_set") && present && differs;
        let write = match in_file(&before, &name) {
            None => present,
            Some(now) if now != value => true,
            Some(_) => !present,
        };
        let reload = args.flag("reload") && (write || set || (present && differs));
        if set && kernel.is_some() {
            set_now(args, cx, &name, &value)?;
        }
        if write {
            let after = edited(&before, &name, present.then_some(value.as_str()));
            let content = Content::Bytes(after.into_bytes());
            if let Some(diff) = cx.content_diff(&path, &content, &path.to_string_lossy())? {
                cx.add_diff(diff);
            }
            cx.write(Write { path: &path, content, attributes: &Attributes::default(), backup: false, validate: None })?;
        }
        if reload {
            read_file(args, cx, &name, present.then_some(value.as_str()))?;
        }
        Ok(Outcome::new(write || set || reload))
    }
}

/// Booleans are 1 and 0.
fn value(text: &str) -> String {
    match text.to_lowercase().as_str() {
        "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => "1".into(),
        "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => "0".into(),
        _ => text.trim().to_owned(),
    }
}

fn sysctl(cx: &Context<'_>, words: &[&str]) -> Result<Program, Failure> {
    let program = Program::new([cx.require_program("sysctl")?]).args(words);
    Ok(["LANG", "LC_ALL", "LC_MESSAGES"].iter().fold(program, |program, name| program.env(name, "C")))
}

/// What the kernel has, or what an earlier task would have set.
fn current(cx: &Context<'_>, name: &str) -> Result<Option<String>, Failure> {
    if let Some(value) = cx.predicted_setting(&setting(name)) {
        return Ok(value);
    }
    let run = cx.probe(&sysctl(cx, &["-e", "-n", name])?)?;
    Ok(run.ok().then(|| run.out()))
}

fn setting(name: &str) -> String {
    format!("sysctl {name}")
}

fn change(name: &str, value: Option<&str>) -> Change {
    Change::Setting { name: setting(name), value: value.map(str::to_owned) }
}

fn set_now(args: &Args, cx: &mut Context<'_>, name: &str, value: &str) -> Result<(), Failure> {
    let mut words = vec![];
    if args.flag("ignoreerrors") {
        words.push("-e");
    }
    let pair = format!("{name}={value}");
    words.extend(["-w", &pair]);
    let program = sysctl(cx, &words)?;
    match cx.perform(change(name, Some(value)), &[program])?.iter().find(|run| failed(run)) {
        Some(run) => Err(Failure::new(format!("setting {name} failed: {}{}", run.out(), run.err()))),
        None => Ok(()),
    }
}

fn read_file(args: &Args, cx: &mut Context<'_>, name: &str, value: Option<&str>) -> Result<(), Failure> {
    let ignore: &[&str] = if args.flag("ignoreerrors") { &["-e"] } else { &[] };
    let program = sysctl(cx, ignore)?.args(["-p", args.text("sysctl_file")]);
    let change = match value {
        Some(value) => change(name, Some(value)),
        None => Change::Setting { name: "sysctl -p".into(), value: None },
    };
    match cx.perform(change, &[program])?.iter().find(|run| failed(run)) {
        Some(run) => Err(Failure::new(format!("Failed to reload sysctl: {}{}", run.out(), run.err()))),
        None => Ok(()),
    }
}

/// sysctl says 0 also where it could not set something.
fn failed(run: &Run) -> bool {
    let bad = |line: &str| line.starts_with("sysctl: setting key \"") && ["Invalid argument", "Read-only file system"].iter().any(|why| line.ends_with(why));
    !run.ok() || run.err().lines().any(bad)
}

/// A line's name and value; none for what is no setting.
fn pair(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let (name, value) = line.split_once('=').filter(|_| !line.starts_with(['#', ';']))?;
    Some((name.trim(), value.trim()))
}

fn in_file<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().filter_map(pair).rfind(|(have, _)| *have == name).map(|(_, value)| value)
}

/// Every setting once, as `name=value`; the one that is wanted with its value, or not at all.
fn edited(text: &str, name: &str, value: Option<&str>) -> String {
    let mut seen: Vec<&str> = vec![];
    let mut out = String::new();
    for line in text.lines() {
        let Some((have, old)) = pair(line) else {
            out.push_str(&format!("{}\n", line.trim()));
            continue;
        };
        if seen.contains(&have) {
            continue;
        }
        seen.push(have);
        match (have == name, value) {
            (true, Some(value)) => out.push_str(&format!("{have}={value}\n")),
            (true, None) => {}
            (false, _) => out.push_str(&format!("{have}={old}\n")),
        }
    }
    if let Some(value) = value.filter(|_| !seen.contains(&name)) {
        out.push_str(&format!("{name}={value}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_each_setting_once() {
        let text = "# a\nnet.x = 1\n\nnet.y=2\nnet.x=3\n";
        assert_eq!(in_file(text, "net.x"), Some("3"));
        assert_eq!(edited(text, "net.y", Some("5")), "# a\nnet.x=1\n\nnet.y=5\n");
        assert_eq!(edited(text, "net.x", None), "# a\n\nnet.y=2\n");
        assert_eq!(edited("", "a", Some("1 2")), "a=1 2\n");
    }
}
