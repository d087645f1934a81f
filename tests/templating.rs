//! Templates against the answers recorded from ansible-core (`tests/templating/record.py`): the native result, or what it fails with.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rplay::source::{Source, Span};
use rplay::template::{Condition, Context, FileOptions, Scope, Templated, Variable, render_file};
use rplay::value::{Fault, FaultKind, Value, repr};
use rplay::yaml;
use serde_json::Value as Json;

#[derive(Debug)]
struct Variables {
    entries: Vec<(Arc<str>, Templated, Span)>,
    folder: PathBuf,
}

impl Scope<Templated> for Variables {
    fn variable(&self, name: &str) -> Option<Variable<Templated>> {
        let (_, value, span) = self.entries.iter().find(|(known, ..)| &**known == name)?;
        Some(Variable::Template(value.clone(), Some(span.clone())))
    }

    fn names(&self) -> Vec<Arc<str>> {
        self.entries.iter().map(|(name, ..)| name.clone()).collect()
    }

    fn search_path(&self) -> Vec<PathBuf> {
        vec![self.folder.clone()]
    }

    fn decrypt(&self, _: &str) -> Result<String, String> {
        Err("no vault here".into())
    }

    fn check_mode(&self) -> bool {
        false
    }

    fn environment(&self, _: &str) -> Option<String> {
        None
    }

    fn setting(&self, _: &str) -> Option<(Value, String)> {
        None
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templating")
}

fn context() -> Arc<Context> {
    let path = folder().join("vars.yml");
    let source = Source::new(&path, std::fs::read_to_string(&path).unwrap());
    let loaded = yaml::load(&source, &yaml::Options::default()).unwrap();
    let entries = loaded.node.as_map().unwrap().iter();
    let entries = entries.map(|pair| (pair.key.as_str().unwrap().into(), Templated::compile(&pair.value), pair.key.span.clone()));
    Context::new(Arc::new(Variables { entries: entries.collect(), folder: folder().join("files") }))
}

fn ours(case: &Json) -> Result<Value, Fault> {
    let cx = context();
    let text = |text: &str| {
        let span = Span::synthetic("<case>", text);
        yaml::Node { kind: yaml::Kind::Text(text.into(), yaml::Style::Plain), span }
    };
    if let Some(template) = case.as_str() {
        return Templated::compile(&text(template)).render(&cx);
    }
    if let Some(condition) = case["when"].as_str() {
        let mut warnings = 0;
        let truth = Condition::compile(&text(condition)).eval(&cx, &mut |_| warnings += 1)?;
        return Ok(Value::Bool(truth));
    }
    let path = folder().join("files").join(case["file"].as_str().unwrap());
    let source = Source::new(&path, std::fs::read_to_string(&path).unwrap());
    render_file(&source, &cx, &FileOptions::default()).map(Value::from)
}

/// What we say, in the words of the record.
fn shown(result: &Result<Value, Fault>) -> (&'static str, String) {
    match result {
        Ok(Value::Omit) => ("value", "<<Omit>>".into()),
        Ok(value) => ("value", repr(value)),
        Err(fault) if fault.kind == FaultKind::Undefined => ("undefined", fault.message.clone()),
        Err(fault) => ("error", fault.message.clone()),
    }
}

fn difference(answer: &Json) -> Option<String> {
    let (kind, said) = shown(&ours(&answer["case"]));
    let known = ["value", "undefined", "error"].into_iter().find(|kind| answer.get(kind).is_some())?;
    let expected = answer[known].as_str().unwrap_or_default();
    // other errors are compared by kind only: Jinja's and Python's parsers word theirs in their own way
    let same = kind == known && (kind == "error" || said == expected);
    (!same).then(|| format!("{}\n    ansible {known}: {expected}\n    rplay   {kind}: {said}\n", answer["case"]))
}

#[test]
fn templates_mean_what_they_mean_in_ansible() {
    let mut report = String::new();
    let mut count = 0;
    let filter = std::env::var("TOPIC").unwrap_or_default();
    let mut topics: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    topics.sort();
    for topic in topics.iter().filter(|path| path.extension().is_some_and(|e| e == "json")) {
        if !topic.to_string_lossy().contains(&filter) {
            continue;
        }
        let recorded: Json = serde_json::from_str(&std::fs::read_to_string(topic).unwrap()).unwrap();
        let differing = differing(&topic.with_extension("differs"));
        for answer in recorded["answers"].as_array().unwrap() {
            count += 1;
            let expected_to_differ = differing.contains(&answer["case"].to_string());
            match (difference(answer), expected_to_differ) {
                (Some(text), false) => drop(writeln!(report, "{text}")),
                (None, true) => drop(writeln!(report, "no longer differs: {}", answer["case"])),
                _ => {}
            }
        }
    }
    assert!(report.is_empty(), "{} of {count} differ\n{report}", report.matches("rplay ").count());
    assert!(count > 0);
}

/// Cases of a topic in which we differ from Ansible on purpose or know that we fall short, one a line as JSON; `#` says why.
fn differing(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(str::to_string).collect()
}
