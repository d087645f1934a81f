//! A step as a command line: options, environment, working directory.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use crate::node;
use crate::provisioner::Play;
use crate::scenario::Scenario;
use crate::sequence::Action;

/// How idempotence is judged: ours is `check-only`, Molecule's is `rerun`.
pub fn idempotence(scenario: &Scenario) -> String {
    let written = scenario.config.text("/provisioner/options/idempotence").map(str::to_string);
    scenario.options.idempotence.clone().or(written).unwrap_or_else(|| "check-only".into())
}

/// The play of a step.
pub fn play(scenario: &Scenario, action: Action, playbook: &Path, driver: &str, extra: &[&str]) -> Play {
    let mut arguments = options(scenario, action);
    arguments.extend(extra.iter().map(ToString::to_string));
    if scenario.first.is_some() && action == Action::Verify {
        arguments.extend(["--tags".to_string(), "test".to_string()]);
    }
    // a create playbook of the user's own gets them too
    arguments.extend(scenario.config.texts("/ansible/executor/args/ansible_playbook"));
    arguments.extend(scenario.options.ansible_args.iter().cloned());
    arguments.push(match &scenario.first {
        Some(first) => first.playbook.clone(),
        None => playbook.display().to_string(),
    });
    Play { arguments, env: env(scenario, action, driver), directory: scenario.directory.clone() }
}

/// `provisioner.options` over Molecule's own, as options of a command line in the order of their names.
fn options(scenario: &Scenario, action: Action) -> Vec<String> {
    let skipped = if action == Action::Idempotence { "molecule-notest,notest,molecule-idempotence-notest" } else { "molecule-notest,notest" };
    let mut all: BTreeMap<String, Value> = BTreeMap::from([("skip-tags".to_string(), Value::from(skipped))]);
    if scenario.options.debug {
        all.extend([("vvv".to_string(), Value::Bool(true)), ("diff".to_string(), Value::Bool(true))]);
    }
    if !matches!(action, Action::Create | Action::Destroy) {
        let mut own: Map<String, Value> = scenario.config.map("/provisioner/options");
        own.remove("idempotence");
        let verbose = |name: &str| !name.is_empty() && name.chars().all(|c| c == 'v');
        all.extend(own.into_iter().filter(|(name, _)| !(scenario.options.debug && verbose(name))));
    }
    if action.playbook() != Some("converge") {
        all.remove("become");
    }
    all.insert("inventory".into(), Value::from(scenario.inventory().display().to_string()));
    let mut words = Vec::new();
    for (name, value) in all.into_iter().filter(|(_, value)| *value != Value::Bool(false)) {
        let short = name.len() == 1 || name.chars().all(|c| c == 'v');
        words.push(format!("{}{}", if short { "-" } else { "--" }, name.replace('_', "-")));
        if value != Value::Bool(true) {
            words.push(node::text(&value));
        }
    }
    words
}

/// The environment of a play: the caller's, `MOLECULE_*`, the scenario's; a verifier has its own over them.
pub fn env(scenario: &Scenario, action: Action, driver: &str) -> BTreeMap<String, String> {
    let mut env = scenario.options.env.clone();
    let config = match &scenario.first {
        Some(first) if scenario.directory.join(&first.config_file).is_file() => scenario.directory.join(&first.config_file),
        _ => scenario.ephemeral.join("ansible.cfg"),
    };
    env.insert("ANSIBLE_CONFIG".into(), config.display().to_string());
    env.extend(scenario.own_env(driver));
    env.extend(scenario.config.env("/ansible/env"));
    if action == Action::Verify {
        env.extend(scenario.config.env("/verifier/env"));
    }
    env.insert("PWD".into(), scenario.directory.display().to_string());
    if let Some(roles) = env.get_mut("ANSIBLE_ROLES_PATH") {
        *roles = format!("{roles}:{}", scenario.ephemeral.join("roles").display());
    }
    env
}
