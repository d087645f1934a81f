//! `hostname`: the machine's name, now and at boot.

use std::path::Path;

use serde_json::json;

use crate::args::Args;
use crate::attributes::Attributes;
use crate::change::{Change, Content};
use crate::context::Context;
use crate::facts;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::Program;
use crate::spec::{Arg, Spec};
use crate::write::Write;

/// The module.
pub struct Hostname;

impl Module for Hostname {
    const SPEC: Spec = Spec::new(
        "hostname",
        "Sets the machine's name.",
        &[
            Arg::str("name", "The name.").required(),
            Arg::str("use", "How it is set; chosen by itself.")
                .choices(&["alpine", "debian", "freebsd", "generic", "macos", "macosx", "darwin", "openbsd", "openrc", "redhat", "sles", "solaris", "systemd"]),
        ],
    );

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let name = args.text("name");
        let way = Way::choose(args, cx)?;
        let permanent = way.permanent(cx)?;
        let current = way.current(cx)?.unwrap_or_else(|| permanent.clone());
        if permanent != name {
            way.set_permanent(cx, name)?;
        }
        if current != name {
            way.set_current(cx, name)?;
        }
        let full = facts::full_name(cx, name);
        let domain = full.split_once('.').map_or("", |(_, domain)| domain);
        let short = name.split('.').next().unwrap_or(name);
        let facts = json!({"ansible_hostname": short, "ansible_nodename": name, "ansible_fqdn": full, "ansible_domain": domain});
        let outcome = cx.outcome().with("name", name).with("ansible_facts", facts);
        if !outcome.changed {
            return Ok(outcome);
        }
        let before = if current == name { permanent } else { current };
        Ok(outcome.with("diff", json!({"after": format!("hostname = {name}\n"), "before": format!("hostname = {before}\n")})))
    }
}

/// Where the name is kept.
enum Way {
    Systemd,
    /// A file that holds nothing else; on Alpine it is read at once.
    File {
        path: &'static str,
        apply: bool,
    },
    /// A line in a file of settings.
    Line {
        path: &'static str,
        key: &'static str,
        quote: &'static str,
    },
}

impl Way {
    fn choose(args: &Args, cx: &Context<'_>) -> Result<Way, Failure> {
        let alpine = Way::File { path: "/etc/hostname", apply: true };
        let redhat = Way::Line { path: "/etc/sysconfig/network", key: "HOSTNAME", quote: "" };
        let openrc = Way::Line { path: "/etc/conf.d/hostname", key: "hostname", quote: "\"" };
        let sles = Way::File { path: "/etc/HOSTNAME", apply: false };
        match args.str("use") {
            Some("systemd" | "debian") => return Ok(Way::Systemd),
            Some("alpine") => return Ok(alpine),
            Some("redhat") => return Ok(redhat),
            Some("openrc") => return Ok(openrc),
            Some("sles") => return Ok(sles),
            Some(other) => {
                return Err(Failure::new(format!("hostname has no way called '{other}' on Linux; it knows alpine, openrc, redhat, sles and systemd")));
            }
            None => {}
        }
        if cx.find_program("systemctl").is_some() && cx.system().lstat(Path::new("/run/systemd/system")).is_ok() {
            return Ok(Way::Systemd);
        }
        let (family, distribution) = facts::family_of(cx);
        match (family.as_str(), distribution.as_str()) {
            ("Alpine", _) => Ok(alpine),
            ("RedHat", _) => Ok(redhat),
            ("Gentoo", _) => Ok(openrc),
            ("Debian", _) | (_, "Void") => Ok(Way::File { path: "/etc/hostname", apply: false }),
            (_, "SLES") => Ok(sles),
            _ => Err(Failure::new(format!("hostname module cannot be used on platform Linux ({distribution})"))),
        }
    }

    fn permanent(&self, cx: &Context<'_>) -> Result<String, Failure> {
        match self {
            Way::Systemd => asked(cx, "--static"),
            Way::File { path, .. } => Ok(text(cx, path)?.trim().to_owned()),
            Way::Line { path, key, quote } => {
                let text = text(cx, path)?;
                let found = text.lines().find_map(|line| value(line, key)).map(|value| value.trim_matches(['"', ' ']).to_owned());
                match found {
                    Some(name) => Ok(name),
                    None if quote.is_empty() => Err(Failure::new(format!("Unable to locate HOSTNAME entry in {path}"))),
                    None => Ok(String::new()),
                }
            }
        }
    }

    /// The name now, where it is another thing than the permanent one.
    fn current(&self, cx: &Context<'_>) -> Result<Option<String>, Failure> {
        match self {
            Way::Systemd => asked(cx, "--transient").map(Some),
            _ => Ok(None),
        }
    }

    fn set_permanent(&self, cx: &mut Context<'_>, name: &str) -> Result<(), Failure> {
        match self {
            Way::Systemd => hostnamectl(cx, &["--pretty", "--static"], name),
            Way::File { path, .. } => put(cx, path, format!("{name}\n")),
            Way::Line { path, key, quote } => {
                let line = format!("{key}={quote}{name}{quote}\n");
                let before = text(cx, path)?;
                let found = before.lines().any(|have| value(have, key).is_some());
                let kept = before.split_inclusive('\n').map(|have| if value(have, key).is_some() { line.clone() } else { have.to_owned() });
                let after: String = kept.chain((!found).then(|| line.clone())).collect();
                put(cx, path, after)
            }
        }
    }

    fn set_current(&self, cx: &mut Context<'_>, name: &str) -> Result<(), Failure> {
        match self {
            Way::Systemd => hostnamectl(cx, &["--transient"], name),
            Way::File { path, apply: true } => {
                let program = Program::new([cx.require_program("hostname")?]).args(["-F", path]);
                perform(cx, program, "hostname", name)
            }
            _ => Ok(()),
        }
    }
}

fn value<'l>(line: &'l str, key: &str) -> Option<&'l str> {
    line.trim().strip_prefix(key)?.strip_prefix('=')
}

fn text(cx: &Context<'_>, path: &str) -> Result<String, Failure> {
    let path = Path::new(path);
    Ok(cx.stat(path)?.filter(|stat| stat.is_file()).map(|_| cx.read_text(path)).transpose()?.map_or_else(String::new, |text| text.content))
}

fn put(cx: &mut Context<'_>, path: &str, text: String) -> Result<(), Failure> {
    let write = Write { path: Path::new(path), content: Content::Bytes(text.into_bytes()), attributes: &Attributes::default(), backup: false, validate: None };
    cx.write(write).map(drop)
}

fn asked(cx: &Context<'_>, which: &str) -> Result<String, Failure> {
    if let Some(Some(name)) = cx.predicted_setting(&format!("hostname {which}")) {
        return Ok(name);
    }
    let run = cx.probe(&Program::new([cx.require_program("hostnamectl")?]).args([which, "status"]))?;
    if run.ok() { Ok(run.out().trim().to_owned()) } else { Err(failed(run.rc, &run.out(), &run.err())) }
}

fn hostnamectl(cx: &mut Context<'_>, options: &[&str], name: &str) -> Result<(), Failure> {
    if name.chars().count() > 64 {
        return Err("name cannot be longer than 64 characters on systemd servers, try a shorter name".into());
    }
    let program = Program::new([cx.require_program("hostnamectl")?]).args(options).args(["set-hostname", name]);
    perform(cx, program, &format!("hostname {}", options.last().copied().unwrap_or_default()), name)
}

fn perform(cx: &mut Context<'_>, program: Program, setting: &str, name: &str) -> Result<(), Failure> {
    let change = Change::Setting { name: setting.to_owned(), value: Some(name.to_owned()) };
    match cx.perform(change, &[program])?.iter().find(|run| !run.ok()) {
        Some(run) => Err(failed(run.rc, &run.out(), &run.err())),
        None => Ok(()),
    }
}

fn failed(rc: i32, out: &str, err: &str) -> Failure {
    Failure::new(format!("Command failed rc={rc}, out={out}, err={err}"))
}
