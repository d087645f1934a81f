//! Sequences over a provisioner that only writes down what it is asked: order, options, state, what a failure leads to.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rplay_molecule::discover;
use rplay_molecule::failure::Result;
use rplay_molecule::provisioner::{Command, Outcome, Play, Provisioner, Told};
use rplay_molecule::run::{self, Destroy, Request, Summary};
use rplay_molecule::scenario::{Options, Scenario};
use rplay_molecule::state::State;
use serde_json::{Map, Value};

/// Writes down; answers with the codes that are prepared for words in a play's command line.
#[derive(Default)]
struct Notebook {
    lines: Vec<String>,
    env: BTreeMap<String, String>,
    answers: Vec<(&'static str, i32)>,
    built_in: bool,
}

impl Provisioner for Notebook {
    fn play(&mut self, play: &Play) -> i32 {
        let words: Vec<&str> = play.arguments.iter().map(|word| word.rsplit('/').next().unwrap_or(word)).collect();
        let line = words.join(" ");
        let code = self.answers.iter().find(|(word, _)| line.contains(word)).map_or(0, |(_, code)| *code);
        self.lines.push(line);
        self.env.clone_from(&play.env);
        code
    }

    fn command(&mut self, command: &Command) -> Result<Option<i32>> {
        self.lines.push(format!("$ {}", command.words[0]));
        Ok(None)
    }

    fn create(&mut self, scenario: &Scenario, _: &mut State, driver: &str) -> Result<Option<Outcome>> {
        self.lines.extend(self.built_in.then(|| format!("create {} by {driver}", scenario.name())));
        Ok(self.built_in.then_some(Outcome::Done))
    }

    fn destroy(&mut self, scenario: &Scenario, _: &mut State, driver: &str) -> Result<Option<Outcome>> {
        self.lines.extend(self.built_in.then(|| format!("destroy {} by {driver}", scenario.name())));
        Ok(self.built_in.then_some(Outcome::Done))
    }

    fn reach(&self, _: &Scenario, _: &State, _: &str, host: &str) -> Option<Map<String, Value>> {
        self.built_in.then(|| Map::from_iter([("ansible_host".to_string(), Value::from(format!("{host}.test")))]))
    }

    fn told(&mut self, _: &Told) {}
}

struct Project(tempfile::TempDir);

impl Project {
    fn new(scenarios: &[(&str, &str, &[&str])]) -> Project {
        let folder = tempfile::tempdir().unwrap();
        for (name, settings, playbooks) in scenarios {
            let scenario = folder.path().join("project/molecule").join(name);
            fs::create_dir_all(&scenario).unwrap();
            fs::write(scenario.join("molecule.yml"), settings).unwrap();
            for playbook in *playbooks {
                fs::write(scenario.join(playbook), "[]\n").unwrap();
            }
        }
        Project(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn options(&self) -> Options {
        Options { project: self.path().join("project"), cache: self.path().join("cache"), ..Options::default() }
    }

    fn scenarios(&self, options: &Options) -> Vec<Scenario> {
        discover::all(&options.project).unwrap().iter().map(|found| Scenario::load(found, options).unwrap().0).collect()
    }

    fn run(&self, subcommand: &str, by: &mut Notebook, options: &Options) -> Summary {
        let scenarios = self.scenarios(options);
        let default = scenarios.iter().find(|scenario| scenario.name() == "default").cloned();
        let destroy = if subcommand == "test" { Destroy::Always } else { Destroy::AsWritten };
        run::run(&scenarios, default.as_ref(), &Request { subcommand: subcommand.into(), destroy, go_on: false }, by)
    }
}

const ALL: [&str; 7] = ["create.yml", "destroy.yml", "prepare.yml", "converge.yml", "verify.yml", "cleanup.yml", "side_effect.yml"];
const TAGS: &str = "--skip-tags molecule-notest,notest";

#[test]
fn test_plays_everything_in_molecules_order() {
    let project = Project::new(&[("default", "platforms: [{name: web}]\ndriver: {name: default}\n", &ALL)]);
    let mut by = Notebook::default();
    let summary = project.run("test", &mut by, &project.options());
    assert_eq!(summary.code, 0);
    let plain = |name: &str| format!("--inventory inventory {TAGS} {name}.yml");
    let expected = [
        plain("cleanup"),
        plain("destroy"),
        format!("--inventory inventory {TAGS} --syntax-check converge.yml"),
        plain("create"),
        plain("prepare"),
        plain("converge"),
        format!("--inventory inventory {TAGS},molecule-idempotence-notest --idempotence=check-only converge.yml"),
        plain("side_effect"),
        plain("verify"),
        plain("cleanup"),
        plain("destroy"),
    ];
    assert_eq!(by.lines, expected);
    assert_eq!(summary.entries.len(), 12);
    assert_eq!(by.env["MOLECULE_SCENARIO_NAME"], "default");
    assert_eq!(by.env["MOLECULE_DRIVER_NAME"], "default");
}

#[test]
fn a_failure_cleans_up_and_keeps_its_code() {
    let project = Project::new(&[("default", "platforms: [{name: web}]\ndriver: {name: default}\n", &ALL)]);
    let mut by = Notebook { answers: vec![("verify.yml", 2), ("cleanup.yml", 0)], ..Notebook::default() };
    let summary = project.run("test", &mut by, &project.options());
    assert_eq!(summary.code, 2);
    let last: Vec<&str> = by.lines.iter().rev().take(3).filter_map(|line| line.rsplit(' ').next()).collect();
    assert_eq!(last, ["destroy.yml", "cleanup.yml", "verify.yml"]);
    let mut by = Notebook { answers: vec![("converge.yml", 4)], ..Notebook::default() };
    assert_eq!(project.run("converge", &mut by, &project.options()).code, 4);
    assert!(by.lines.last().unwrap().ends_with("converge.yml"), "converge leaves the hosts: {:?}", by.lines);
}

#[test]
fn idempotence_is_settled_by_a_second_run_where_check_mode_cannot_judge() {
    let project = Project::new(&[("default", "platforms: [{name: web}]\n", &["converge.yml"])]);
    for (answers, code, plays) in
        [(vec![("check-only", 10)], 1, 1), (vec![("check-only", 11)], 0, 2), (vec![("check-only", 11), ("rerun", 10)], 1, 2), (vec![("check-only", 2)], 2, 1)]
    {
        let mut by = Notebook { built_in: true, ..Notebook::default() };
        assert_eq!(project.run("converge", &mut by, &project.options()).code, 0);
        let mut by = Notebook { built_in: true, answers, ..Notebook::default() };
        assert_eq!(project.run("idempotence", &mut by, &project.options()).code, code, "{:?}", by.answers);
        assert_eq!(by.lines.len(), plays, "{:?}", by.lines);
    }
    let mut by = Notebook { built_in: true, ..Notebook::default() };
    let options = Options { idempotence: Some("rerun".into()), ..project.options() };
    assert_eq!(project.run("idempotence", &mut by, &options).code, 0);
    assert!(by.lines[0].contains("--idempotence=rerun"));
}

#[test]
fn the_lab_makes_hosts_where_nothing_else_does_and_state_is_kept() {
    let project =
        Project::new(&[("default", "platforms: [{name: web, groups: [servers, all-of-them], children: [below]}]\n", &["converge.yml", "prepare.yml"])]);
    let mut by = Notebook { built_in: true, ..Notebook::default() };
    assert_eq!(project.run("idempotence", &mut by, &project.options()).code, 1, "nothing is converged");
    assert_eq!(project.run("converge", &mut by, &project.options()).code, 0);
    assert_eq!(project.run("converge", &mut by, &project.options()).code, 0);
    let seen: Vec<&str> = by.lines.iter().filter_map(|line| line.rsplit(' ').next()).collect();
    assert_eq!(seen, ["lab", "prepare.yml", "converge.yml", "converge.yml"]);
    let scenario = &project.scenarios(&project.options())[0];
    let inventory = fs::read_to_string(scenario.inventory().join("ansible_inventory.yml")).unwrap();
    let inventory = rplay_molecule::node::read(&inventory, Path::new("x")).unwrap().to_value();
    assert_eq!(inventory["servers"]["hosts"]["web"]["ansible_host"], "web.test");
    assert_eq!(inventory["all-of-them"]["children"]["below"]["hosts"]["web"]["ansible_host"], "web.test");
    assert!(inventory["all"]["vars"]["molecule_yml"].is_string());
    assert!(State::read(&scenario.ephemeral).unwrap().converged);
    let other = Options { driver: Some("docker".into()), ..project.options() };
    assert_eq!(project.run("converge", &mut by, &other).code, 1, "the lab made the hosts");
    assert_eq!(project.run("destroy", &mut by, &project.options()).code, 0);
    assert!(!State::read(&scenario.ephemeral).unwrap().created);
}

#[test]
fn scenarios_that_share_state_have_the_default_ones_hosts() {
    let shared = "shared_state: true\nplatforms: [{name: web}]\n";
    let project = Project::new(&[("default", shared, &["converge.yml"]), ("other", shared, &["converge.yml", "verify.yml"])]);
    let mut by = Notebook { built_in: true, ..Notebook::default() };
    assert_eq!(project.run("test", &mut by, &project.options()).code, 0);
    assert_eq!(by.lines.iter().filter(|line| line.starts_with("create")).collect::<Vec<_>>(), ["create default by lab"]);
    assert_eq!(by.lines.first().map(String::as_str), Some("create default by lab"));
    assert_eq!(by.lines.last().map(String::as_str), Some("destroy default by lab"));
    let folders: Vec<_> = project.scenarios(&project.options()).into_iter().map(|scenario| scenario.ephemeral).collect();
    assert_eq!(folders[0], folders[1]);
}

#[test]
fn options_arguments_and_environment_reach_plays() {
    let settings = "driver: {name: default, options: {managed: false, ansible_connection_options: {ansible_connection: local}}}\nplatforms: [{name: web}]\n\
                    provisioner:\n  options: {vv: true, become: true, extra-vars: a=b}\n  env: {FROM: '${WHERE:-here}', NUMBER: 5}\n  ansible_args: [--diff]\n\
                    \x20 config_options: {defaults: {forks: 3}}\n  playbooks: {verify: check it.yml}\n  inventory:\n    host_vars: {web: {x: 1}}\n    hosts: {all: {hosts: {extra: {}}}}\n\
                    verifier: {env: {ONLY: verify}}\nscenario: {name: named, test_sequence: [converge, verify one.yml]}\n";
    let project = Project::new(&[("default", settings, &["converge.yml", "one.yml"])]);
    let options =
        Options { ansible_args: vec!["--tags".into(), "x".into()], env: BTreeMap::from([("WHERE".to_string(), "there".to_string())]), ..project.options() };
    let mut by = Notebook::default();
    assert_eq!(project.run("test", &mut by, &options).code, 0);
    let line = |first: &str, playbook: &str| format!("{first}--extra-vars a=b --inventory inventory {TAGS} -vv --diff --tags x {playbook}");
    assert_eq!(by.lines, [line("--become ", "converge.yml"), line("", "one.yml")]);
    assert_eq!((by.env["FROM"].as_str(), by.env["NUMBER"].as_str(), by.env["ONLY"].as_str()), ("there", "5", "verify"));
    let scenario = &project.scenarios(&options)[0];
    assert_eq!(scenario.name(), "named");
    let read = |name: &str| fs::read_to_string(scenario.ephemeral.join(name)).unwrap();
    assert!(read("ansible.cfg").contains("forks = 3\n") && read("ansible.cfg").contains("host_key_checking = False\n"));
    assert!(read("inventory/host_vars/web").contains("x: 1"));
    assert!(read("inventory/hosts").contains("extra"));
    assert!(read("inventory/ansible_inventory.yml").contains("ansible_connection: local"));
}

#[test]
fn a_file_of_molecule_1_is_the_flow_of_then() {
    let project = Project::new(&[]);
    fs::create_dir_all(project.path().join("project")).unwrap();
    let settings = "ansible: {playbook: site.yml, raw_env_vars: {A: b}, group_vars: {web: [{x: 1}, {y: 2}]}}\nvagrant:\n  platforms: [{name: coreos, box: c, 'config.vm.box_url': u}]\n\
                    \x20 providers: [{name: virtualbox, type: virtualbox, options: {memory: 512}}]\n  raw_config_args: [\"ssh.insert_key = false\"]\n  instances:\n\
                    \x20   - {name: one, ansible_groups: [web], interfaces: [{network_name: private_network, type: static, ip: 10.1.2.3, auto_config: true}], options: {append_platform_to_hostname: no}}\n\
                    \x20   - {name: two}\n";
    fs::write(project.path().join("project/molecule.yml"), settings).unwrap();
    let mut by = Notebook { built_in: true, ..Notebook::default() };
    let summary = project.run("test", &mut by, &project.options());
    assert_eq!(summary.code, 0, "{:?}", summary.entries);
    let steps: Vec<String> = summary.entries.iter().map(|entry| entry.step.text()).collect();
    assert_eq!(steps, ["destroy", "create", "syntax", "converge", "idempotence", "lint", "verify", "destroy"]);
    assert!(by.lines.contains(&format!("--inventory inventory {TAGS} --tags test site.yml")), "{:?}", by.lines);
    let scenario = &project.scenarios(&project.options())[0];
    let hosts: Vec<(String, Option<String>)> =
        scenario.config.platforms().iter().map(|host| (host.name.clone(), host.text("address").map(str::to_string))).collect();
    assert_eq!(hosts, [("one".to_string(), Some("10.1.2.3".to_string())), ("two-coreos".to_string(), None)]);
    assert_eq!(by.env["A"], "b");
}
