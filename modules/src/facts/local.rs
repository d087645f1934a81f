//! Facts that the administrator of the target gives in files of `fact_path`: JSON, INI, or programs that print one of them.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{FACT_PATH, Facts};
use crate::context::Context;
use crate::glob;
use crate::program::{Program, is_program};

pub(super) fn collect(cx: &Context<'_>, facts: &mut Facts) {
    let dir = facts.get(FACT_PATH).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut local = Map::new();
    for path in glob::paths(cx.system(), &Path::new(&dir).join("*.fact")) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        local.insert(name, one(cx, &path));
    }
    facts.insert("local".into(), Value::Object(local));
}

fn one(cx: &Context<'_>, path: &Path) -> Value {
    let text = if is_program(path) {
        match cx.probe(&Program::new([path])) {
            Ok(run) if run.ok() => run.out(),
            Ok(run) => return json!(format!("Failure executing fact script ({}), rc: {}, err: {}", path.display(), run.rc, run.err())),
            Err(failure) => return json!(format!("Could not execute fact script ({}): {}", path.display(), failure.msg)),
        }
    } else {
        String::from_utf8_lossy(&crate::system::read(cx.system(), path).unwrap_or_default()).into_owned()
    };
    serde_json::from_str(&text)
        .ok()
        .or_else(|| ini(&text))
        .unwrap_or_else(|| json!(format!("error loading facts as JSON or ini - please check content: {}", path.display())))
}

/// Sections of `key = value` lines; keys in lower case.
fn ini(text: &str) -> Option<Value> {
    let mut sections = Map::new();
    let mut current: Option<String> = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections.entry(name).or_insert_with(|| json!({}));
            current = Some(name.to_owned());
            continue;
        }
        let at = line.find(['=', ':'])?;
        let section = sections.get_mut(current.as_ref()?)?;
        section[line[..at].trim().to_lowercase()] = json!(line[at + 1..].trim());
    }
    Some(Value::Object(sections))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ini_files() {
        assert_eq!(ini("[a]\nKey = v\n# c\n[b]\nx: y\n"), Some(json!({"a": {"key": "v"}, "b": {"x": "y"}})));
        assert_eq!(ini("nonsense"), None);
    }
}
