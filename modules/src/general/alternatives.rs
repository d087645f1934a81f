//! `alternatives`: which of several programs a name stands for, by update-alternatives.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::args::Args;
use crate::change::Change;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::Program;
use crate::spec::{Arg, Kind, Preset, Spec};

/// The module.
pub struct Alternatives;

impl Module for Alternatives {
    const SPEC: Spec = Spec {
        required_one_of: &[&["path", "family"]],
        ..Spec::new(
            "alternatives",
            "Chooses among alternative programs.",
            &[
                Arg::str("name", "Name of the link.").required(),
                Arg::path("path", "The program that it shall point to."),
                Arg::str("family", "Family of programs, where there are such."),
                Arg::path("link", "Where the link is; needed to install an alternative."),
                Arg::int("priority", "Priority of the alternative."),
                Arg::str("state", "Installed, selected too, left to the priorities, or gone.")
                    .choices(&["present", "selected", "absent", "auto"])
                    .default(Preset::Str("selected")),
                Arg {
                    options: &[
                        Arg::str("name", "Name of the link.").required(),
                        Arg::path("path", "What it points to.").required(),
                        Arg::path("link", "Where it is.").required(),
                    ],
                    ..Arg::list("subcommands", Kind::Dict, "Links that change along.").alias(&["slaves"])
                },
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let program = Program::new([cx.require_program("update-alternatives")?]).env("LC_ALL", "C");
        let name = args.text("name").to_owned();
        let shown = cx.probe(&program.clone().args(["--display", &name]))?;
        let now = if shown.ok() { Now::parse(&shown.out(), args.list("subcommands")) } else { Now::default() };
        let mut work = Work { args, program, name, messages: vec![], after: Map::new() };
        let path = args.str("path");
        match args.text("state") {
            "absent" => {
                if let Some(path) = path.filter(|path| now.alternative(path).is_some()) {
                    work.perform(cx, &["--remove", &work.name.clone(), path], format!("Remove alternative '{path}' from '{}'.", work.name))?;
                    work.after.insert("state".into(), json!("absent"));
                }
            }
            state => {
                if let Some(path) = path.filter(|path| work.is_to_install(path, &now)) {
                    work.install(cx, path, &now)?;
                }
                let family = now.path.as_deref().and_then(|path| now.alternative(path)).map(|alternative| alternative.family.as_str());
                let chosen = path.is_some() && now.path.as_deref() == path || family.is_some() && family == args.str("family");
                if state == "selected" && !chosen {
                    let what = path.or(args.str("family")).unwrap_or_default();
                    work.perform(cx, &["--set", &work.name.clone(), what], format!("Set alternative '{what}' for '{}'.", work.name))?;
                    work.after.insert("state".into(), json!("selected"));
                }
                if state == "auto" && now.mode == "manual" {
                    work.perform(cx, &["--auto", &work.name.clone()], format!("Set alternative to auto for '{}'.", work.name))?;
                    work.after.insert("state".into(), json!("present"));
                }
            }
        }
        let before = if cx.wants_diff() { now.before(path) } else { Map::new() };
        let after = if cx.wants_diff() { work.after } else { Map::new() };
        Ok(cx.outcome().msg(work.messages.join(" ")).with("diff", json!({"before": before, "after": after})))
    }
}

struct Work<'w> {
    args: &'w Args,
    program: Program,
    name: String,
    messages: Vec<String>,
    after: Map<String, Value>,
}

impl Work<'_> {
    fn is_to_install(&self, path: &str, now: &Now) -> bool {
        let Some(have) = now.alternative(path) else { return true };
        let priority = self.args.int("priority").is_some_and(|wanted| wanted != have.priority);
        let wanted = self.args.list("subcommands");
        let others = self.args.has("subcommands")
            && (wanted.iter().any(|one| !have.subcommands.contains(one)) || have.subcommands.iter().any(|one| !wanted.contains(one)));
        priority || others
    }

    fn install(&mut self, cx: &mut Context<'_>, path: &str, now: &Now) -> Result<(), Failure> {
        if cx.stat(Path::new(path))?.is_none() {
            return Err(Failure::new(format!("Specified path {path} does not exist")));
        }
        let Some(link) = self.args.str("link").map(str::to_owned).or_else(|| now.link.clone()) else {
            return Err("Needed to install the alternative, but unable to do so as we are missing the link".into());
        };
        let have = now.alternative(path);
        let priority = self.args.int("priority").or(have.map(|have| have.priority)).unwrap_or(50);
        let mut words = vec!["--install".to_owned(), link.clone(), self.name.clone(), path.to_owned(), priority.to_string()];
        if let Some(family) = self.args.str("family") {
            words.extend(["--family".to_owned(), family.to_owned()]);
        }
        for one in self.args.list("subcommands") {
            let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
            words.extend(["--slave".to_owned(), text("link"), text("name"), text("path")]);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.perform(cx, &words, format!("Install alternative '{path}' for '{}'.", self.name))?;
        let family = self.args.str("family");
        self.after = json!({"state": "present", "path": path, "family": family, "priority": priority, "link": link}).as_object().cloned().unwrap_or_default();
        let subcommands =
            if self.args.has("subcommands") { self.args.list("subcommands").to_vec() } else { have.map(|have| have.subcommands.clone()).unwrap_or_default() };
        if !subcommands.is_empty() {
            self.after.insert("subcommands".into(), Value::Array(subcommands));
        }
        Ok(())
    }

    fn perform(&mut self, cx: &mut Context<'_>, words: &[&str], message: String) -> Result<(), Failure> {
        let program = self.program.clone().args(words);
        let change = Change::Setting { name: format!("alternatives {}", self.name), value: Some(words.join(" ")) };
        self.messages.push(message);
        match cx.perform(change, std::slice::from_ref(&program))?.iter().find(|run| !run.ok()) {
            Some(run) => {
                let failure = Failure::new(run.err().trim_end()).with("rc", run.rc).with("stdout", run.out()).with("stderr", run.err());
                Err(failure.with("cmd", program.shown()))
            }
            None => Ok(()),
        }
    }
}

/// What update-alternatives shows.
#[derive(Debug, Default, PartialEq)]
struct Now {
    mode: String,
    path: Option<String>,
    link: Option<String>,
    alternatives: Vec<Alternative>,
}

#[derive(Debug, Default, PartialEq)]
struct Alternative {
    path: String,
    family: String,
    priority: i64,
    subcommands: Vec<Value>,
}

impl Now {
    fn parse(text: &str, wanted: &[Value]) -> Now {
        let mut now = Now::default();
        let mut links: Map<String, Value> = Map::new();
        for line in text.lines() {
            let plain = line.trim_start();
            let follower = plain.strip_prefix("slave ").or(plain.strip_prefix("follower "));
            if let Some((_, mode)) = line.split_once(" - ").filter(|_| now.mode.is_empty() && !line.starts_with('/')) {
                let mode = mode.trim_start_matches("status is ").trim_end_matches(" mode").trim_end_matches('.');
                now.mode = mode.to_owned();
            } else if let Some(path) = plain.strip_prefix("link currently points to ") {
                now.path = Some(path.to_owned());
            } else if let Some((_, link)) = plain.strip_prefix("link ").and_then(|rest| rest.split_once(" is ")) {
                now.link = Some(link.to_owned());
            } else if let Some((name, link)) = follower.and_then(|rest| rest.split_once(" is ")) {
                links.insert(name.to_owned(), json!(link));
            } else if let Some((path, rest)) = line.split_once(" - ").filter(|_| line.starts_with('/')) {
                now.alternatives.push(alternative(path, rest));
            } else if let (Some((name, path)), Some(last)) = (follower.and_then(|rest| rest.split_once(": ")), now.alternatives.last_mut())
                && path != "(null)"
            {
                last.subcommands.push(json!({"name": name, "path": path}));
            }
        }
        if links.is_empty() {
            links = wanted.iter().filter_map(|one| Some((one["name"].as_str()?.to_owned(), one["link"].clone()))).collect();
        }
        for one in now.alternatives.iter_mut().flat_map(|alternative| &mut alternative.subcommands) {
            one["link"] = one["name"].as_str().and_then(|name| links.get(name)).cloned().unwrap_or(Value::Null);
        }
        now
    }

    fn alternative(&self, path: &str) -> Option<&Alternative> {
        self.alternatives.iter().find(|alternative| alternative.path == path)
    }

    fn before(&self, path: Option<&str>) -> Map<String, Value> {
        let mut before = Map::new();
        let Some(have) = path.and_then(|path| self.alternative(path)) else {
            before.insert("state".into(), json!("absent"));
            return before;
        };
        let state = if self.mode == "manual" && self.path.as_deref() != path { "selected" } else { "present" };
        for (key, value) in [("state", json!(state)), ("path", json!(have.path)), ("priority", json!(have.priority)), ("link", json!(self.link))] {
            before.insert(key.into(), value);
        }
        if !have.subcommands.is_empty() {
            before.insert("subcommands".into(), json!(have.subcommands));
        }
        before
    }
}

/// `family NAME priority 10`, the family only where there is one.
fn alternative(path: &str, rest: &str) -> Alternative {
    let after = |word: &str| rest.split_whitespace().skip_while(|have| *have != word).nth(1).unwrap_or_default();
    Alternative { path: path.to_owned(), family: after("family").to_owned(), priority: after("priority").parse().unwrap_or(0), subcommands: vec![] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_display_is_read() {
        let text = "editor - auto mode\n  link best version is /usr/bin/vim\n  link currently points to /usr/bin/vim\n  link editor is /usr/bin/editor\n  \
                    slave editor.1.gz is /usr/share/man/man1/editor.1.gz\n/bin/nano - priority 40\n  slave editor.1.gz: /usr/share/man/man1/nano.1.gz\n\
                    /usr/bin/vim - priority 50\n";
        let now = Now::parse(text, &[]);
        assert_eq!((now.mode.as_str(), now.path.as_deref(), now.link.as_deref()), ("auto", Some("/usr/bin/vim"), Some("/usr/bin/editor")));
        assert_eq!(now.alternative("/bin/nano").unwrap().priority, 40);
        let link = "/usr/share/man/man1/editor.1.gz";
        assert_eq!(now.alternatives[0].subcommands, [json!({"name": "editor.1.gz", "path": "/usr/share/man/man1/nano.1.gz", "link": link})]);
    }
}
