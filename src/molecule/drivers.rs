//! Drivers that need no playbook: the lab, containers, Vagrant.

mod containers;
mod lab;
mod vagrant;

use std::io::Write;

use rplay_molecule::failure::{Complaint, Result};
use rplay_molecule::provisioner::Outcome;
use rplay_molecule::scenario::Scenario;
use rplay_molecule::sequence::Action;
use rplay_molecule::state::State;
use serde_json::{Map, Value};

/// Makes hosts and takes them away.
pub(crate) trait Driver {
    /// Starts the scenario's hosts.
    fn create(&self, scenario: &Scenario, state: &mut State, out: &mut dyn Write) -> Result<Outcome>;

    /// Takes them away, also what is left of them after a failure.
    fn destroy(&self, scenario: &Scenario, state: &mut State, out: &mut dyn Write) -> Result<Outcome>;

    /// Variables by which a host is reached.
    fn reach(&self, scenario: &Scenario, state: &State, host: &str) -> Map<String, Value>;

    /// The command that logs in to a host.
    fn login(&self, scenario: &Scenario, state: &State, host: &str) -> Vec<String>;
}

/// Names of drivers without playbooks, and what each is.
pub(crate) const BUILT_IN: [(&str, &str); 4] = [
    ("lab", "hosts of `rplay lab`: Debian with systemd, without Python"),
    ("docker", "containers, by the program docker"),
    ("podman", "containers, by the program podman"),
    ("vagrant", "virtual machines, by the program vagrant"),
];

/// The driver of that name; `None` when playbooks of the scenario do its work.
pub(crate) fn named(name: &str, scenario: &Scenario) -> Result<Option<Box<dyn Driver>>> {
    if matches!(name, "default" | "delegated") || name != "lab" && scenario.playbook(Action::Create).is_some() {
        return Ok(None);
    }
    Ok(Some(match name {
        "lab" => Box::new(lab::Lab),
        "docker" => Box::new(containers::Containers("docker")),
        "podman" => Box::new(containers::Containers("podman")),
        "vagrant" => Box::new(vagrant::Vagrant),
        other => {
            let complaint = Complaint::new(format!("scenario {}: the driver {other} is not built in", scenario.name()));
            return Err(complaint.help("give the scenario create.yml and destroy.yml, or take lab, docker, podman or vagrant").into());
        }
    }))
}
