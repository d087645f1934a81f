//! `rplay molecule login`: a shell on a host.

use rplay_molecule::failure::{Complaint, Failure, Result};
use rplay_molecule::node;
use rplay_molecule::provisioner::{Command, Told};
use rplay_molecule::run::{self, Request};
use rplay_molecule::scenario::Scenario;
use rplay_molecule::state::State;
use rplay_molecule::{provisioner::Provisioner as _, steps};
use serde_json::Value;

use super::drivers;
use super::local::{Local, foreground};

/// Makes the hosts where there are none, and logs in to one.
pub(crate) fn login(scenario: &Scenario, host: Option<&str>, by: &mut Local) -> Result<i32> {
    let names: Vec<String> = scenario.config.platforms().into_iter().map(|platform| platform.name).collect();
    let host = chosen(&names, host)?;
    if !State::read(&scenario.ephemeral)?.created && scenario.config.managed() {
        by.told(&Told::Note("the hosts are not there yet: they are made"));
        let request = Request { subcommand: "create".into(), ..Request::default() };
        let summary = run::run(std::slice::from_ref(scenario), None, &request, by);
        if summary.code != 0 {
            return Ok(summary.code);
        }
    }
    let state = State::read(&scenario.ephemeral)?;
    let words = match drivers::named(&scenario.driver(&state)?, scenario)? {
        Some(driver) => driver.login(scenario, &state, &host),
        None => delegated(scenario, &host)?,
    };
    let command = Command { words: words.clone(), env: scenario.options.env.clone(), directory: scenario.options.project.clone() };
    foreground(&command)?.ok_or_else(|| Failure::new(format!("`{}` is not installed", words[0])))
}

/// The host that is meant: by its name or the beginning of it; the only one needs no name.
fn chosen(names: &[String], host: Option<&str>) -> Result<String> {
    let listed = || if names.is_empty() { "the scenario has no platforms".to_string() } else { format!("there are {}", names.join(", ")) };
    let Some(host) = host else {
        return match names {
            [only] => Ok(only.clone()),
            _ => Err(Complaint::new("which host? say it with --host").help(listed()).into()),
        };
    };
    if let Some(exact) = names.iter().find(|name| *name == host) {
        return Ok(exact.clone());
    }
    match names.iter().filter(|name| name.starts_with(host)).collect::<Vec<_>>().as_slice() {
        [only] => Ok((*only).clone()),
        [] => Err(Complaint::new(format!("there is no host `{host}`")).help(listed()).into()),
        _ => Err(Complaint::new(format!("several hosts begin with `{host}`")).help(listed()).into()),
    }
}

/// The scenario's own command, else ssh, with what the create playbook wrote about the host.
fn delegated(scenario: &Scenario, host: &str) -> Result<Vec<String>> {
    let file = scenario.instance_config();
    let written = std::fs::read_to_string(&file).ok().and_then(|text| node::read(&text, &file).ok()).map(|node| node.to_value());
    let instance = written.as_ref().and_then(Value::as_array).into_iter().flatten().find(|one| one["instance"] == host).cloned();
    let field =
        |name: &str| if name == "instance" { Some(host.to_string()) } else { instance.as_ref()?.get(name).filter(|value| !value.is_null()).map(node::text) };
    let template = scenario.config.text("/driver/options/login_cmd_template").map(str::to_string);
    if template.is_none() && !scenario.config.managed() {
        return Err(Complaint::new("driver.options.login_cmd_template does not say how to log in").into());
    }
    let ssh = || format!("ssh {{address}} -l {{user}} -p {{port}} -i {{identity_file}} {}", steps::ssh_options(scenario).join(" "));
    let line = filled(&template.unwrap_or_else(ssh), &field).map_err(|name| Failure::new(format!("{} says no `{name}` of {host}", file.display())))?;
    Ok(vec!["sh".into(), "-c".into(), format!("exec {line}")])
}

/// A template with its `{name}`s filled in; the error is a name that is not known.
fn filled(template: &str, field: &dyn Fn(&str) -> Option<String>) -> std::result::Result<String, String> {
    let (mut out, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, tail)) = after.split_once('}') else { break };
        out += before;
        out += &field(name).ok_or_else(|| name.to_string())?;
        rest = tail;
    }
    Ok(out + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_told_by_the_beginning_of_its_name() {
        let names: Vec<String> = ["web", "web-2", "db"].map(str::to_string).to_vec();
        assert_eq!(chosen(&names, Some("web")).unwrap(), "web");
        assert_eq!(chosen(&names, Some("d")).unwrap(), "db");
        assert!(chosen(&names, Some("we")).unwrap_err().to_string().contains("several hosts"));
        assert!(chosen(&names, Some("x")).unwrap_err().to_string().contains("there are web, web-2, db"));
        assert!(chosen(&names, None).is_err());
        assert_eq!(chosen(&names[2..], None).unwrap(), "db");
    }

    #[test]
    fn a_template_is_filled() {
        let field = |name: &str| (name == "address").then(|| "10.0.0.1".to_string());
        assert_eq!(filled("ssh {address} -t", &field).as_deref(), Ok("ssh 10.0.0.1 -t"));
        assert_eq!(filled("ssh {user}", &field), Err("user".into()));
    }
}
