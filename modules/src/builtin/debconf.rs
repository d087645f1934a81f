//! `debconf`: answers to the questions of Debian's packages, before they are asked.

use serde_json::{Map, Value, json};

use crate::args::Args;
use crate::change::Change;
use crate::coerce;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::Program;
use crate::spec::{Arg, Spec};

/// The module.
pub struct Debconf;

impl Module for Debconf {
    const SPEC: Spec = Spec {
        required_together: &[&["question", "vtype", "value"]],
        ..Spec::new(
            "debconf",
            "Sets answers to the questions of a Debian package.",
            &[
                Arg::str("name", "The package.").alias(&["pkg"]).required(),
                Arg::str("question", "The question.").alias(&["selection", "setting"]),
                Arg::str("vtype", "Type of the answer.").choices(&[
                    "boolean",
                    "error",
                    "multiselect",
                    "note",
                    "password",
                    "seen",
                    "select",
                    "string",
                    "text",
                    "title",
                ]),
                Arg::raw("value", "The answer.").alias(&["answer"]),
                Arg::flag("unseen", false, "Do not mark the question as asked."),
            ],
        )
    };

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let package = args.text("name");
        let before = selections(cx, package)?;
        let (Some(question), Some(value)) = (args.str("question"), args.get("value")) else {
            return Ok(Outcome::new(false).msg("").with("current", before));
        };
        let kind = args.text("vtype");
        let wanted = Answer::new(kind, value);
        let setting = format!("debconf {package} {question}");
        let now = match cx.predicted_setting(&setting).flatten() {
            Some(value) => Some(value),
            None if kind == "password" && before.contains_key(question) => Some(password(cx, package, question)?),
            None => before.get(question).map(coerce::text),
        };
        if now.is_some_and(|now| wanted.is(&now)) {
            return Ok(Outcome::new(false).msg("").with("current", before));
        }
        let mut program = Program::new([cx.require_program("debconf-set-selections")?]);
        if args.flag("unseen") {
            program = program.arg("-u");
        }
        let program = program.stdin(format!("{package} {question} {kind} {}", wanted.text()));
        let change = Change::Setting { name: setting, value: Some(wanted.text()) };
        let run = cx.perform(change, &[program])?.into_iter().next().unwrap_or_default();
        if !run.ok() {
            return Err(Failure::new(run.err()));
        }
        let current = json!({question: wanted.shown()});
        let old = before.get(question).cloned().unwrap_or_else(|| json!(""));
        let previous = if before.contains_key(question) { json!({question: old}) } else { with(&before, question, old) };
        let after = previous.as_object().map(|map| with(map, question, wanted.shown()));
        let diff = if cx.wants_diff() { json!({"before": previous, "after": after}) } else { json!({}) };
        Ok(Outcome::new(true).msg(run.out()).with("current", current).with("previous", previous).with("diff", diff))
    }
}

fn with(map: &Map<String, Value>, key: &str, value: Value) -> Value {
    let mut map = map.clone();
    map.insert(key.to_owned(), value);
    Value::Object(map)
}

/// The answer as it is compared and written.
enum Answer {
    Plain(String),
    /// In any order.
    Many(Vec<String>),
    /// Whatever the case of letters.
    Boolean(String),
}

impl Answer {
    fn new(kind: &str, value: &Value) -> Answer {
        match (kind, value) {
            ("boolean", value) => Answer::Boolean(coerce::text(value).to_lowercase()),
            ("multiselect", Value::Array(items)) => {
                let mut items: Vec<String> = items.iter().map(coerce::text).collect();
                items.sort();
                Answer::Many(items)
            }
            (_, value) => Answer::Plain(coerce::text(value)),
        }
    }

    fn is(&self, now: &str) -> bool {
        match self {
            Answer::Plain(text) => text == now,
            Answer::Boolean(text) => *text == now.to_lowercase(),
            Answer::Many(items) => {
                let mut have: Vec<&str> = now.split(',').map(str::trim).collect();
                have.sort_unstable();
                have == items.iter().map(String::as_str).collect::<Vec<_>>()
            }
        }
    }

    fn text(&self) -> String {
        match self {
            Answer::Plain(text) | Answer::Boolean(text) => text.clone(),
            Answer::Many(items) => items.join(", "),
        }
    }

    fn shown(&self) -> Value {
        json!(self.text())
    }
}

fn selections(cx: &Context<'_>, package: &str) -> Result<Map<String, Value>, Failure> {
    let run = cx.probe(&Program::new([cx.require_program("debconf-show")?]).arg(package))?;
    if !run.ok() {
        return Err(Failure::new(run.err()));
    }
    let out = run.out();
    let pairs = out.lines().filter_map(|line| line.split_once(':'));
    Ok(pairs.map(|(key, value)| (key.trim_matches('*').trim().to_owned(), json!(value.trim()))).collect())
}

fn password(cx: &Context<'_>, package: &str, question: &str) -> Result<String, Failure> {
    let run = cx.probe(&Program::new([cx.require_program("debconf-get-selections")?]))?;
    if !run.ok() {
        return Err(Failure::new(format!("Failed to get the value '{question}' from '{package}': {}", run.err())));
    }
    let out = run.out();
    let rows = out.lines().filter(|line| line.starts_with(package)).map(|line| line.split('\t').collect::<Vec<_>>());
    let found = rows.into_iter().find(|row| row.get(1) == Some(&question) && row.get(2) == Some(&"password"));
    Ok(found.and_then(|row| row.get(3).map(|text| (*text).to_owned())).unwrap_or_default())
}
