//! `timezone`: the time zone, and whether the hardware clock shows local time.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::args::Args;
use crate::attributes::Attributes;
use crate::change::{Change, Content};
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::Program;
use crate::spec::{Arg, Spec};
use crate::write::Write;

const ZONES: &str = "/usr/share/zoneinfo";
const LOCALTIME: &str = "/etc/localtime";
const NAME: &str = "/etc/timezone";

/// The module.
pub struct Timezone;

impl Module for Timezone {
    const SPEC: Spec = Spec {
        required_one_of: &[&["hwclock", "name"]],
        ..Spec::new(
            "timezone",
            "Sets the time zone.",
            &[
                Arg::str("hwclock", "Whether the hardware clock shows UTC or local time; needs systemd.").choices(&["local", "UTC"]).alias(&["rtc"]),
                Arg::str("name", "Name of the zone, such as `Europe/Berlin`."),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        if let Some(zone) = args.str("name")
            && !cx.stat(&Path::new(ZONES).join(zone))?.is_some_and(|stat| stat.is_file())
        {
            return Err(Failure::new(format!("Error message:\ngiven timezone \"{zone}\" is not available")));
        }
        let status = match cx.find_program("timedatectl") {
            Some(program) => Some(cx.probe(&Program::new([program]).arg("status").env("LC_ALL", "C"))?).filter(|run| run.ok()).map(|run| run.out()),
            None => None,
        };
        match status {
            Some(status) => by_systemd(args, cx, &status),
            None => by_files(args, cx),
        }
    }
}

/// What `timedatectl status` says behind a word.
fn said<'s>(status: &'s str, word: &str) -> Option<&'s str> {
    status.lines().find_map(|line| line.trim().strip_prefix(word)?.trim_start().strip_prefix(':')?.split_whitespace().next())
}

fn by_systemd(args: &Args, cx: &mut Context<'_>, status: &str) -> Result<Outcome, Failure> {
    let mut changes = Changes::default();
    for (key, command) in [("hwclock", "set-local-rtc"), ("name", "set-timezone")] {
        let Some(wanted) = args.str(key) else { continue };
        let found = match key {
            "name" => said(status, "Time zone").or(said(status, "Timezone")).unwrap_or("n/a"),
            _ if said(status, "RTC in local TZ") == Some("yes") => "local",
            _ => "UTC",
        };
        let now = cx.predicted_setting(&format!("timedatectl {command}")).flatten().unwrap_or_else(|| found.to_owned());
        if now != wanted {
            let word = match (key, wanted) {
                ("name", zone) => zone,
                (_, "local") => "yes",
                _ => "no",
            };
            let program = Program::new([cx.require_program("timedatectl")?]).args([command, word]);
            let shown = program.shown();
            let change = Change::Setting { name: format!("timedatectl {command}"), value: Some(wanted.to_owned()) };
            if let Some(run) = cx.perform(change, &[program])?.iter().find(|run| !run.ok()) {
                return Err(Failure::new(run.err().trim()).with("rc", run.rc).with("cmd", shown));
            }
            changes.msg.push(format!("executed `{shown}`"));
        }
        changes.note(key, &now, wanted);
    }
    Ok(changes.outcome(cx))
}

/// Without systemd: the link and the name in files, as Debian and most others have them.
fn by_files(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
    if args.has("hwclock") {
        return Err("hwclock is supported only where systemd's timedatectl works".into());
    }
    let zone = args.text("name");
    let file = Path::new(ZONES).join(zone);
    let named = if cx.stat(Path::new(NAME))?.is_some() { cx.read_text(Path::new(NAME))?.content.trim().to_owned() } else { "n/a".into() };
    let linked = cx.system().read_link(Path::new(LOCALTIME)).ok().map(|target| {
        let target = target.to_string_lossy().into_owned();
        target.split_once("zoneinfo/").map_or_else(|| "n/a".to_owned(), |(_, zone)| zone.to_owned())
    });
    let now = match linked {
        Some(linked) if named == zone => linked,
        None if named == zone && !same(cx, &file)? => "n/a".into(),
        _ => named.clone(),
    };
    let mut changes = Changes::default();
    if now != zone {
        if named != zone {
            let content = Content::Bytes(format!("{zone}\n").into_bytes());
            cx.write(Write { path: Path::new(NAME), content, attributes: &Attributes::default(), backup: false, validate: None })?;
            changes.msg.push(format!("Added 1 line and deleted {} line(s) on {NAME}", usize::from(named != "n/a")));
        }
        cx.apply(Change::Link { path: LOCALTIME.into(), target: file })?;
    }
    changes.note("name", &now, zone);
    Ok(changes.outcome(cx))
}

fn same(cx: &Context<'_>, zone: &Path) -> Result<bool, Failure> {
    let path = Path::new(LOCALTIME);
    Ok(cx.stat(path)?.is_some() && cx.read(path)? == cx.read(zone)?)
}

#[derive(Default)]
struct Changes {
    before: Map<String, Value>,
    after: Map<String, Value>,
    msg: Vec<String>,
}

impl Changes {
    fn note(&mut self, key: &str, before: &str, after: &str) {
        self.before.insert(key.into(), json!(before));
        self.after.insert(key.into(), json!(after));
    }

    fn outcome(self, cx: &Context<'_>) -> Outcome {
        let outcome = Outcome::new(self.before != self.after).with("diff", json!({"before": self.before, "after": self.after}));
        if self.msg.is_empty() || cx.check() { outcome } else { outcome.msg(self.msg.join("\n")) }
    }
}
