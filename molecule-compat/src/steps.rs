//! What each step does: which play or program it runs, and what it leaves in the state.

use serde_json::{Map, Value, json};

use crate::failure::{Failure, Result, code};
use crate::provisioner::{Command, Outcome, Provisioner, Told};
use crate::scenario::Scenario;
use crate::sequence::{Action, Step};
use crate::state::State;
use crate::{files, node, play};

/// Exit code of a replay that would change something.
const WOULD_CHANGE: i32 = 10;
/// Exit code of a replay that could not judge every task.
const UNVERIFIABLE: i32 = 11;

/// Where a step is done.
pub struct Site<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// What is known of its hosts.
    pub state: &'a mut State,
    /// Its driver.
    pub driver: &'a str,
    /// Who does it.
    pub by: &'a mut dyn Provisioner,
}

/// Does a step.
pub fn perform(site: &mut Site, step: &Step) -> Result<Outcome> {
    match step.action {
        Action::Dependency => dependency(site),
        Action::Create => create(site),
        Action::Destroy => destroy(site),
        Action::Prepare => prepare(site),
        Action::Converge => converge(site),
        Action::Idempotence => idempotence(site),
        Action::Verify => verify(site, &step.args),
        Action::Lint => lint(site),
        Action::Check => played(site, Action::Check, &["--check"]),
        Action::Syntax => played(site, Action::Syntax, &["--syntax-check"]),
        Action::SideEffect => several(site, Action::SideEffect, &step.args),
        Action::Cleanup => played(site, Action::Cleanup, &[]),
    }
}

/// Writes the files that plays read; every play has those of the moment.
fn prepare_files(site: &Site) -> Result<()> {
    let instances = std::fs::read_to_string(site.scenario.instance_config()).ok();
    let instances = instances.and_then(|text| node::read(&text, &site.scenario.instance_config()).ok()).map(|node| node.to_value());
    let reach = |host: &str| site.by.reach(site.scenario, site.state, site.driver, host).unwrap_or_else(|| delegated(site.scenario, instances.as_ref(), host));
    files::write(site.scenario, &reach)
}

/// How a host of the default driver is reached: as the create playbook wrote, or as the file says.
fn delegated(scenario: &Scenario, instances: Option<&Value>, host: &str) -> Map<String, Value> {
    if !scenario.config.managed() {
        return scenario.config.map("/driver/options/ansible_connection_options");
    }
    let Some(instance) = instances.and_then(Value::as_array).into_iter().flatten().find(|one| one["instance"] == host) else { return Map::new() };
    let names = [
        ("become_pass", "ansible_become_pass"),
        ("become_method", "ansible_become_method"),
        ("winrm_transport", "ansible_winrm_transport"),
        ("winrm_cert_pem", "ansible_winrm_cert_pem"),
        ("winrm_cert_key_pem", "ansible_winrm_cert_key_pem"),
        ("winrm_server_cert_validation", "ansible_winrm_server_cert_validation"),
        ("shell_type", "ansible_shell_type"),
        ("connection", "ansible_connection"),
        ("user", "ansible_user"),
        ("address", "ansible_host"),
        ("port", "ansible_port"),
        ("identity_file", "ansible_private_key_file"),
        ("password", "ansible_password"),
        ("password", "ansible_ssh_pass"),
    ];
    let mut vars: Map<String, Value> =
        names.iter().filter_map(|(from, to)| Some((to.to_string(), instance.get(from).filter(|value| !value.is_null())?.clone()))).collect();
    vars.insert("ansible_ssh_common_args".into(), Value::from(ssh_options(scenario).join(" ")));
    vars
}

/// Options of ssh for hosts that come and go.
pub fn ssh_options(scenario: &Scenario) -> Vec<String> {
    let written = scenario.config.texts("/driver/ssh_connection_options");
    if !written.is_empty() {
        return written;
    }
    let common = [
        "-o UserKnownHostsFile=/dev/null",
        "-o ControlMaster=auto",
        "-o ControlPersist=60s",
        "-o ForwardX11=no",
        "-o LogLevel=ERROR",
        "-o IdentitiesOnly=yes",
        "-o StrictHostKeyChecking=no",
    ];
    let more = scenario.config.text("/driver/options/ansible_connection_options/ansible_ssh_common_args");
    common.into_iter().chain(more).map(str::to_string).collect()
}

/// The scenario's playbook of a step.
fn played(site: &mut Site, action: Action, extra: &[&str]) -> Result<Outcome> {
    let Some(playbook) = site.scenario.playbook(action) else {
        let name = action.playbook().unwrap_or(action.name());
        return Ok(Outcome::Missing(format!("no {name}.yml")));
    };
    prepare_files(site)?;
    let play = play::play(site.scenario, action, &playbook, site.driver, extra);
    Ok(Outcome::of(site.by.play(&play), &format!("the play of {}", playbook.file_name().unwrap_or_default().to_string_lossy())))
}

/// The playbooks that a step names, one after the other; without names its own.
fn several(site: &mut Site, action: Action, names: &[String]) -> Result<Outcome> {
    for name in names {
        let playbook = site.scenario.path(name);
        if !playbook.exists() {
            return Err(Failure::new(format!("{} does not exist; the step `{}` names it", playbook.display(), action.name())));
        }
        prepare_files(site)?;
        let play = play::play(site.scenario, action, &playbook, site.driver, &[]);
        let code = site.by.play(&play);
        if code != 0 {
            return Ok(Outcome::of(code, &format!("the play of {name}")));
        }
    }
    if names.is_empty() { played(site, action, &[]) } else { Ok(Outcome::Done) }
}

fn create(site: &mut Site) -> Result<Outcome> {
    site.state.driver = Some(site.driver.to_string());
    if site.state.created {
        return Ok(Outcome::Skipped("the hosts are there already".into()));
    }
    let outcome = match site.by.create(site.scenario, site.state, site.driver)? {
        Some(outcome) => outcome,
        None => played(site, Action::Create, &[])?,
    };
    site.state.created = !matches!(outcome, Outcome::Failed(..));
    if site.state.created {
        prepare_files(site)?;
    }
    Ok(outcome)
}

fn destroy(site: &mut Site) -> Result<Outcome> {
    let outcome = match site.by.destroy(site.scenario, site.state, site.driver)? {
        Some(outcome) => outcome,
        None => played(site, Action::Destroy, &[])?,
    };
    if !matches!(outcome, Outcome::Failed(..)) {
        site.state.forget();
    }
    Ok(outcome)
}

fn prepare(site: &mut Site) -> Result<Outcome> {
    if site.state.prepared && !site.scenario.options.force {
        return Ok(Outcome::Skipped("the hosts are prepared already; --force does it again".into()));
    }
    let outcome = played(site, Action::Prepare, &[])?;
    site.state.prepared |= outcome == Outcome::Done;
    Ok(outcome)
}

fn converge(site: &mut Site) -> Result<Outcome> {
    let outcome = played(site, Action::Converge, &[])?;
    site.state.converged |= outcome == Outcome::Done;
    Ok(outcome)
}

/// Ours: the replay in check mode, and what that cannot judge by a second run. `rerun` goes straight to the second run.
fn idempotence(site: &mut Site) -> Result<Outcome> {
    if !site.state.converged {
        return Err(Failure::new("the hosts are not converged yet: `converge` comes first"));
    }
    let how = play::idempotence(site.scenario);
    if !matches!(how.as_str(), "check-only" | "rerun") {
        return Err(Failure::new(format!("idempotence is judged by `check-only` or `rerun`, not by `{how}`")));
    }
    let first = judge(site, &how)?;
    if how == "check-only" && first == Outcome::Failed(UNVERIFIABLE, String::new()) {
        site.by.told(&Told::Note("check mode cannot judge all of it: a second run does"));
        return judge(site, "rerun").map(verdict);
    }
    Ok(verdict(first))
}

fn judge(site: &mut Site, how: &str) -> Result<Outcome> {
    let option = format!("--idempotence={how}");
    Ok(match played(site, Action::Idempotence, &[&option])? {
        Outcome::Failed(UNVERIFIABLE, _) => Outcome::Failed(UNVERIFIABLE, String::new()),
        other => other,
    })
}

/// Molecule knows one code for it.
fn verdict(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Failed(WOULD_CHANGE, _) => Outcome::Failed(code::FAILED, "converging again would change something".into()),
        Outcome::Failed(UNVERIFIABLE, _) => Outcome::Failed(code::FAILED, "whether converging again changes something could not be told".into()),
        other => other,
    }
}

fn verify(site: &mut Site, names: &[String]) -> Result<Outcome> {
    let config = &site.scenario.config;
    if config.at("/verifier/enabled") == Some(&Value::Bool(false)) {
        return Ok(Outcome::Skipped("the verifier is disabled".into()));
    }
    match config.text("/verifier/name").unwrap_or("ansible") {
        "testinfra" => verify_by(site, "pytest", "pip install pytest-testinfra"),
        "goss" => verify_by(site, "goss", "https://goss.rocks"),
        "inspec" => Err(Failure::new("the verifier inspec is not supported").code(code::SETUP)),
        _ => several(site, Action::Verify, names),
    }
}

/// A verifier that is a program of its own.
fn verify_by(site: &mut Site, program: &str, source: &str) -> Result<Outcome> {
    prepare_files(site)?;
    let config = &site.scenario.config;
    let tests = site.scenario.path(config.text("/verifier/directory").unwrap_or("tests"));
    let mut words = vec![program.to_string()];
    if program == "goss" {
        let file = ["goss.yaml", "goss.yml"].iter().map(|name| tests.join(name)).find(|file| file.is_file());
        let Some(file) = file else { return Ok(Outcome::Missing(format!("no goss.yaml in {}", tests.display()))) };
        words.extend(["--gossfile".into(), file.display().to_string(), "validate".into()]);
    } else {
        words.extend(["--ansible-inventory".into(), site.scenario.inventory().display().to_string(), "--connection".into(), "ansible".into()]);
        words.push(tests.display().to_string());
        words.extend(config.texts("/verifier/additional_files_or_dirs").iter().map(|path| site.scenario.path(path).display().to_string()));
    }
    for (name, value) in config.map("/verifier/options").into_iter().filter(|(_, value)| *value != json!(false)) {
        words.push(format!("{}{name}", if name.len() == 1 || name.chars().all(|c| c == 'v') { "-" } else { "--" }));
        words.extend(Some(node::text(&value)).filter(|_| value != json!(true)));
    }
    match run(site, Action::Verify, words)? {
        Some(code) => Ok(Outcome::of(code, program)),
        None => Err(Failure::new(format!("the verifier needs `{program}`, which is not installed ({source})")).code(code::SETUP)),
    }
}

fn run(site: &mut Site, action: Action, words: Vec<String>) -> Result<Option<i32>> {
    let env = play::env(site.scenario, action, site.driver);
    site.by.command(&Command { words, env, directory: site.scenario.directory.clone() })
}

/// ansible-lint where it is installed; it is no part of Molecule.
fn lint(site: &mut Site) -> Result<Outcome> {
    let words = vec!["ansible-lint".to_string()];
    let command = Command { words, env: site.scenario.options.env.clone(), directory: site.scenario.options.project.clone() };
    Ok(match site.by.command(&command)? {
        Some(code) => Outcome::of(code, "ansible-lint"),
        None => Outcome::Skipped("ansible-lint is not installed".into()),
    })
}

/// Roles and collections by `ansible-galaxy`, or a command of the scenario's.
fn dependency(site: &mut Site) -> Result<Outcome> {
    let config = &site.scenario.config;
    if !config.flag("/dependency/enabled") {
        return Ok(Outcome::Skipped("disabled".into()));
    }
    if config.text("/dependency/name") == Some("shell") {
        let Some(command) = config.text("/dependency/command").filter(|command| !command.is_empty()) else {
            return Err(Failure::new("dependency.name is shell and dependency.command says nothing"));
        };
        let words = vec!["sh".into(), "-c".into(), command.into()];
        let code = run(site, Action::Dependency, words)?;
        return Ok(code.map_or_else(|| Outcome::Failed(code::SETUP, "no shell".into()), |code| Outcome::of(code, "the command")));
    }
    let (roles, collections) = (requirements(site, "role-file", "requirements.yml"), requirements(site, "requirements-file", "collections.yml"));
    if roles.is_none() && collections.is_none() {
        return Ok(Outcome::Missing("no requirements.yml, no collections.yml".into()));
    }
    for (file, words) in [(roles, ["install", "--role-file"].as_slice()), (collections, ["collection", "install", "--requirements-file"].as_slice())] {
        let Some(file) = file else { continue };
        let mut all = vec!["ansible-galaxy".to_string()];
        all.extend(words.iter().map(ToString::to_string));
        all.push(file);
        match run(site, Action::Dependency, all)? {
            Some(0) => {}
            Some(code) => return Ok(Outcome::of(code, "ansible-galaxy")),
            None => return Err(Failure::new("the scenario has requirements, and `ansible-galaxy` is not installed").code(code::SETUP)),
        }
    }
    Ok(Outcome::Done)
}

/// A file of requirements, in the scenario or where the options say.
fn requirements(site: &Site, option: &str, name: &str) -> Option<String> {
    let named = site.scenario.config.text(&format!("/dependency/options/{option}")).map(str::to_string);
    let file = match named {
        Some(named) => site.scenario.options.project.join(named),
        None => site.scenario.path(name),
    };
    file.is_file().then(|| file.display().to_string())
}
