//! Containers by the command line of docker or podman. Images are used as they are: no Python is put into them.

use std::io::Write;

use rplay_molecule::config::Platform;
use rplay_molecule::failure::{Complaint, Failure, Result, code};
use rplay_molecule::node;
use rplay_molecule::provisioner::{Command, Outcome};
use rplay_molecule::scenario::Scenario;
use rplay_molecule::state::State;
use serde_json::{Map, Value, json};

use super::Driver;
use crate::molecule::local::foreground;

/// The driver; its name is that of its program.
pub(crate) struct Containers(pub(crate) &'static str);

impl Driver for Containers {
    fn create(&self, scenario: &Scenario, _: &mut State, _: &mut dyn Write) -> Result<Outcome> {
        for platform in scenario.config.platforms() {
            let status = self.run(scenario, arguments(&platform)?)?;
            if status != 0 {
                return Ok(Outcome::Failed(code::FAILED, format!("{} run of {} ended with {status}", self.0, platform.name)));
            }
        }
        Ok(Outcome::Done)
    }

    fn destroy(&self, scenario: &Scenario, state: &mut State, _: &mut dyn Write) -> Result<Outcome> {
        if state.driver.is_none() {
            return Ok(Outcome::Skipped("there are no containers".into()));
        }
        let names = scenario.config.platforms().into_iter().map(|platform| platform.name);
        let words = ["rm", "--force", "--volumes"].into_iter().map(str::to_string).chain(names);
        Ok(Outcome::of(self.run(scenario, words.collect())?, &format!("{} rm", self.0)))
    }

    fn reach(&self, _: &Scenario, _: &State, host: &str) -> Map<String, Value> {
        json!({"ansible_connection": self.0, "ansible_host": host}).as_object().cloned().unwrap_or_default()
    }

    fn login(&self, _: &Scenario, _: &State, host: &str) -> Vec<String> {
        [self.0, "exec", "-it", host, "sh"].map(str::to_string).to_vec()
    }
}

impl Containers {
    fn run(&self, scenario: &Scenario, mut words: Vec<String>) -> Result<i32> {
        words.insert(0, self.0.to_string());
        let command = Command { words, env: scenario.options.env.clone(), directory: scenario.directory.clone() };
        foreground(&command)?.ok_or_else(|| missing(self.0))
    }
}

/// A driver's program is not there.
pub(super) fn missing(program: &str) -> Failure {
    let complaint = Complaint::new(format!("the driver {program} needs the program `{program}`, which is not installed"));
    Failure::from(complaint.help("--driver-name lab makes hosts without it")).code(code::SETUP)
}

/// `run` and its options for a platform.
fn arguments(platform: &Platform) -> Result<Vec<String>> {
    let refuse = |key: &str, help: &str| Failure::from(Complaint::new(format!("platform {}: `{key}` is not supported", platform.name)).help(help));
    if platform.data.contains_key("dockerfile") {
        return Err(refuse("dockerfile", "build the image first and name it with `image`"));
    }
    if platform.data.contains_key("registry") {
        return Err(refuse("registry", "log in to the registry first and name it in `image`"));
    }
    let image = platform.text("image").ok_or_else(|| Failure::new(format!("platform {} has no `image`", platform.name)))?;
    let mut words: Vec<String> = ["run", "--detach", "--name", &platform.name].map(str::to_string).to_vec();
    let hostname = platform.data.get("hostname").cloned().unwrap_or_else(|| Value::from(platform.name.clone()));
    if let Some(hostname) = hostname.as_str() {
        words.extend(["--hostname".into(), hostname.into()]);
    }
    if platform.data.get("privileged") == Some(&Value::Bool(true)) {
        words.push("--privileged".into());
    }
    for (key, option) in [("cgroupns_mode", "--cgroupns"), ("network_mode", "--network"), ("memory", "--memory"), ("cpus", "--cpus")] {
        words.extend(platform.data.get(key).map(|value| [option.to_string(), node::text(value)]).into_iter().flatten());
    }
    for (key, option) in [("volumes", "--volume"), ("tmpfs", "--tmpfs"), ("ulimits", "--ulimit"), ("networks", "--network")] {
        for value in platform.data.get(key).and_then(Value::as_array).into_iter().flatten() {
            words.extend([option.to_string(), node::text(value.get("name").unwrap_or(value))]);
        }
    }
    for (name, value) in ["env", "environment"].iter().filter_map(|key| platform.data.get(*key)?.as_object()).flatten() {
        words.extend(["--env".into(), format!("{name}={}", node::text(value))]);
    }
    words.push(image.into());
    match platform.data.get("command") {
        Some(Value::String(command)) if command.is_empty() => {}
        Some(Value::String(command)) => words.extend(["sh".into(), "-c".into(), command.clone()]),
        Some(Value::Array(command)) => words.extend(command.iter().map(node::text)),
        _ => words.extend(["sh", "-c", "while true; do sleep 10000; done"].map(str::to_string)),
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(data: Value) -> std::result::Result<String, String> {
        let data = data.as_object().cloned().unwrap_or_default();
        arguments(&Platform { name: "web".into(), groups: Vec::new(), children: Vec::new(), data })
            .map(|words| words.join(" "))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_platform_becomes_a_command_line() {
        let init = json!({"image": "debian:12", "privileged": true, "volumes": ["/sys/fs/cgroup:/sys/fs/cgroup:rw"], "tmpfs": ["/run"], "command": "/lib/systemd/systemd",
            "networks": [{"name": "lab"}], "env": {"A": "b"}, "cgroupns_mode": "host", "hostname": false});
        let expected = "run --detach --name web --privileged --cgroupns host --volume /sys/fs/cgroup:/sys/fs/cgroup:rw --tmpfs /run --network lab --env A=b debian:12 sh -c /lib/systemd/systemd";
        assert_eq!(line(init).as_deref(), Ok(expected));
        assert_eq!(line(json!({"image": "x"})).as_deref(), Ok("run --detach --name web --hostname web x sh -c while true; do sleep 10000; done"));
        assert_eq!(line(json!({})), Err("platform web has no `image`".into()));
        assert_eq!(
            line(json!({"image": "x", "dockerfile": "D"})),
            Err("platform web: `dockerfile` is not supported (build the image first and name it with `image`)".into())
        );
    }
}
