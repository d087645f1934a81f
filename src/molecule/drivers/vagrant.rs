//! Virtual machines by the command line of Vagrant, from a Vagrantfile that is written for the scenario.

use std::fs;
use std::io::Write;
use std::process;

use rplay_molecule::config::Platform;
use rplay_molecule::failure::{Failure, Result};
use rplay_molecule::node;
use rplay_molecule::provisioner::{Command, Outcome};
use rplay_molecule::scenario::Scenario;
use rplay_molecule::state::State;
use serde_json::{Map, Value, json};

use super::Driver;
use super::containers::missing;
use crate::molecule::local::foreground;

/// The driver.
pub(crate) struct Vagrant;

impl Driver for Vagrant {
    fn create(&self, scenario: &Scenario, _: &mut State, _: &mut dyn Write) -> Result<Outcome> {
        let file = scenario.ephemeral.join("Vagrantfile");
        fs::create_dir_all(&scenario.ephemeral).map_err(|error| Failure::io("make", &scenario.ephemeral, &error))?;
        fs::write(&file, vagrantfile(scenario)?).map_err(|error| Failure::io("write", &file, &error))?;
        let status = run(scenario, &["up"])?;
        if status != 0 {
            return Ok(Outcome::of(status, "vagrant up"));
        }
        let shown = process::Command::new("vagrant").arg("ssh-config").env_clear().envs(&scenario.options.env).current_dir(&scenario.ephemeral).output();
        let shown = shown.map_err(|error| Failure::new(format!("cannot run vagrant ssh-config: {error}")))?;
        let config = scenario.ephemeral.join("ssh.config");
        fs::write(&config, &shown.stdout).map_err(|error| Failure::io("write", &config, &error))?;
        Ok(Outcome::of(shown.status.code().unwrap_or(1), "vagrant ssh-config"))
    }

    fn destroy(&self, scenario: &Scenario, _: &mut State, _: &mut dyn Write) -> Result<Outcome> {
        if !scenario.ephemeral.join("Vagrantfile").exists() {
            return Ok(Outcome::Skipped("there are no machines".into()));
        }
        Ok(Outcome::of(run(scenario, &["destroy", "--force"])?, "vagrant destroy"))
    }

    fn reach(&self, scenario: &Scenario, _: &State, host: &str) -> Map<String, Value> {
        let config = scenario.ephemeral.join("ssh.config");
        json!({"ansible_host": host, "ansible_ssh_common_args": format!("-F '{}'", config.display())}).as_object().cloned().unwrap_or_default()
    }

    fn login(&self, scenario: &Scenario, _: &State, host: &str) -> Vec<String> {
        ["ssh", "-F", &scenario.ephemeral.join("ssh.config").display().to_string(), host].map(str::to_string).to_vec()
    }
}

fn run(scenario: &Scenario, arguments: &[&str]) -> Result<i32> {
    let words = std::iter::once("vagrant").chain(arguments.iter().copied()).map(str::to_string).collect();
    foreground(&Command { words, env: scenario.options.env.clone(), directory: scenario.ephemeral.clone() })?.ok_or_else(|| missing("vagrant"))
}

/// The Vagrantfile of a scenario; texts are Ruby's single-quoted ones.
fn vagrantfile(scenario: &Scenario) -> Result<String> {
    let mut text = String::from("Vagrant.configure('2') do |config|\n  config.vm.synced_folder '.', '/vagrant', disabled: true\n");
    let provider = scenario.config.text("/driver/provider/name").unwrap_or("virtualbox").to_string();
    for platform in scenario.config.platforms() {
        text += &machine(&platform, &provider)?;
    }
    Ok(text + "end\n")
}

fn machine(platform: &Platform, provider: &str) -> Result<String> {
    let image = platform.text("box").ok_or_else(|| Failure::new(format!("platform {} has no `box`", platform.name)))?;
    let mut text = format!(
        "  config.vm.define {} do |host|\n    host.vm.box = {}\n    host.vm.hostname = {}\n",
        quoted(&platform.name),
        quoted(image),
        quoted(&platform.name)
    );
    if let Some(url) = platform.text("box_url") {
        text += &format!("    host.vm.box_url = {}\n", quoted(url));
    }
    for address in platform.data.get("interfaces").and_then(Value::as_array).into_iter().flatten().filter_map(|interface| interface["ip"].as_str()) {
        text += &format!("    host.vm.network 'private_network', ip: {}\n", quoted(address));
    }
    text += &format!("    host.vm.provider {} do |machine|\n", quoted(provider));
    for key in ["memory", "cpus"] {
        if let Some(value) = platform.data.get(key) {
            text += &format!("      machine.{key} = {}\n", quoted(&node::text(value)));
        }
    }
    text += "    end\n";
    for raw in platform.data.get("provider_raw_config_args").and_then(Value::as_array).into_iter().flatten() {
        text += &format!("    host.vm.provider({}) {{ |machine| machine.{} }}\n", quoted(provider), node::text(raw));
    }
    Ok(text + "  end\n")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_becomes_a_machine() {
        let data = json!({"name": "it's", "box": "debian/bookworm64", "memory": 512, "interfaces": [{"ip": "10.0.0.5"}]});
        let platform = Platform { name: "it's".into(), groups: Vec::new(), children: Vec::new(), data: data.as_object().cloned().unwrap_or_default() };
        let text = machine(&platform, "libvirt").unwrap();
        for line in ["define 'it\\'s'", "host.vm.box = 'debian/bookworm64'", "ip: '10.0.0.5'", "provider 'libvirt'", "machine.memory = '512'"] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(machine(&Platform { data: Map::new(), ..platform }, "x").is_err());
    }
}
