//! What filters, tests, lookups and methods give, compared with what ansible-core gave (`filters/record.py` records it).
//!
//! `RPLAY_FILTER_CASES=file.txt` runs one file only.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rplay::source::Source;
use rplay::template::{self, Context, Scope, Templated, Variable};
use rplay::value::{Fault, FaultKind, Value, repr};
use rplay::yaml;

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filters")
}

/// The variables of `vars.yml`.
#[derive(Debug)]
struct Vars(Vec<(Arc<str>, Templated)>);

impl Vars {
    fn load() -> Vars {
        let path = here().join("vars.yml");
        let text = std::fs::read_to_string(&path).unwrap().replace("@HERE@", &here().to_string_lossy());
        let loaded = yaml::load(&Source::new(&path, text), &yaml::Options::default()).unwrap();
        Vars(loaded.node.as_map().unwrap().iter().map(|pair| (pair.key.as_str().unwrap().into(), Templated::compile(&pair.value))).collect())
    }
}

impl Scope<Templated> for Vars {
    fn variable(&self, name: &str) -> Option<Variable<Templated>> {
        self.0.iter().find(|(have, _)| &**have == name).map(|(_, value)| Variable::Template(value.clone(), None))
    }

    fn names(&self) -> Vec<Arc<str>> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }

    fn search_path(&self) -> Vec<PathBuf> {
        vec![here()]
    }

    fn decrypt(&self, _: &str) -> Result<String, String> {
        Err("no vault secrets were given".into())
    }

    fn check_mode(&self) -> bool {
        false
    }

    fn environment(&self, name: &str) -> Option<String> {
        (name == "HOME").then(|| "/root".into())
    }

    fn setting(&self, _: &str) -> Option<(Value, String)> {
        None
    }
}

/// One line: an expression and what it is worth.
fn check(expression: &str, expected: &str, cx: &Arc<Context>) -> Result<(), String> {
    let result: Result<Value, Fault> = template::evaluate(expression, cx).and_then(|value| value.resolve());
    let shown = match &result {
        Ok(value) => repr(value),
        Err(fault) if fault.kind == FaultKind::Undefined => format!("? {}", fault.message),
        Err(fault) => format!("! {}", fault.message),
    };
    let shown = shown.replace(&*here().to_string_lossy(), "@HERE@").replace('\n', "\\n");
    let expected = expected.strip_prefix("~ ").unwrap_or(expected);
    if shown.trim_end() == expected.trim_end() { Ok(()) } else { Err(format!("  {expression}\n      expected {expected}\n           got {shown}\n")) }
}

#[test]
fn expressions_are_worth_what_ansible_makes_of_them() {
    let only = std::env::var("RPLAY_FILTER_CASES").ok();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(here()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|ext| ext == "txt")).collect();
    files.sort();
    let (mut wrong, mut count) = (String::new(), 0);
    for path in files.iter().filter(|path| only.as_deref().is_none_or(|only| path.ends_with(only))) {
        let cx = Context::new(Arc::new(Vars::load()));
        for line in std::fs::read_to_string(path).unwrap().lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (expression, expected) = line.split_once(" => ").unwrap_or_else(|| panic!("{}: {line}: not recorded", path.display()));
            count += 1;
            if let Err(difference) = check(expression, expected, &cx) {
                let _ = write!(wrong, "{}:\n{difference}", path.file_name().unwrap().to_string_lossy());
            }
        }
    }
    assert!(count > 0, "no cases");
    assert!(wrong.is_empty(), "{} of {count} differ:\n{wrong}", wrong.matches("expected").count());
}
