//! `setup`: gathers the facts of the target.

use serde_json::{Map, Value, json};

use crate::args::Args;
use crate::context::Context;
use crate::facts;
use crate::glob;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::spec::{Arg, Kind, Preset, Spec};

/// The module.
pub struct Setup;

impl Module for Setup {
    const SPEC: Spec = Spec::new(
        "setup",
        "Gathers facts of the target.",
        &[
            Arg::list("gather_subset", Kind::Str, "Which facts: `all`, `min`, `hardware`, `network`, `virtual`, ...; `!` refuses.")
                .default(Preset::List(&["all"])),
            Arg::int("gather_timeout", "Seconds for slow facts.").default(Preset::Int(10)),
            Arg::list("filter", Kind::Str, "Only facts whose names match one of these patterns.").default(Preset::List(&[])),
            Arg::path("fact_path", "Directory of local facts.").default(Preset::Str("/etc/ansible/facts.d")),
        ],
    );

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let wanted: Vec<String> = args.texts("gather_subset").into_iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        let facts = facts::collect(cx, &wanted, args.text("fact_path"))?;
        let filters: Vec<String> = args.texts("filter").into_iter().filter(|pattern| !pattern.is_empty()).collect();
        let accepted = |name: &str| {
            filters.is_empty() || filters.iter().any(|pattern| glob::matches(pattern, name) || glob::matches(pattern, name.trim_start_matches("ansible_")))
        };
        let mut all = Map::new();
        for (name, value) in facts {
            let name = format!("ansible_{name}");
            if accepted(&name) {
                all.insert(name, value);
            }
        }
        if filters.is_empty() {
            all.insert("gather_subset".into(), json!(wanted));
            all.insert("module_setup".into(), json!(true));
        }
        Ok(Outcome::new(false).with("ansible_facts", Value::Object(all)))
    }
}
