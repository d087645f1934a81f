//! What shows scenarios, and what throws their folders away.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use rplay_molecule::dump;
use rplay_molecule::failure::{Failure, Result};
use rplay_molecule::provisioner::Provisioner as _;
use rplay_molecule::scenario::Scenario;
use rplay_molecule::sequence::Action;
use rplay_molecule::state::State;
use serde_json::{Value, json};

use super::args::Format;
use super::drivers;
use super::local::Local;

/// Heads of the columns of `list`.
const COLUMNS: [&str; 6] = ["Instance Name", "Driver Name", "Provisioner Name", "Scenario Name", "Created", "Converged"];

fn tell(out: &mut dyn Write, text: &str) {
    // nothing can be told where nobody listens
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Scenarios and their hosts.
pub(crate) fn list(scenarios: &[Scenario], format: Format, out: &mut dyn Write) -> Result<i32> {
    let mut rows: Vec<[String; 6]> = Vec::new();
    for scenario in scenarios {
        let state = State::read(&scenario.ephemeral)?;
        let driver = scenario.driver(&state)?;
        let created = if scenario.config.managed() || driver != "default" { state.created.to_string() } else { "unknown".into() };
        let mut names: Vec<String> = scenario.config.platforms().into_iter().map(|platform| platform.name).collect();
        if names.is_empty() {
            names.push(String::new());
        }
        for name in names {
            rows.push([name, driver.clone(), "ansible".into(), scenario.name().into(), created.clone(), state.converged.to_string()]);
        }
    }
    tell(out, &shown(&rows, format));
    Ok(0)
}

fn shown(rows: &[[String; 6]], format: Format) -> String {
    match format {
        Format::Plain => rows.iter().map(|row| row.join("\t") + "\n").collect(),
        Format::Yaml => {
            let rows =
                rows.iter().map(|row| Value::Object(COLUMNS.iter().map(ToString::to_string).zip(row.iter().map(|text| Value::from(text.as_str()))).collect()));
            dump::document(&Value::Array(rows.collect()))
        }
        Format::Simple => {
            let heads = COLUMNS.map(str::to_string);
            let all: Vec<&[String; 6]> = std::iter::once(&heads).chain(rows).collect();
            let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
            let widths: Vec<usize> = (0..6).map(width).collect();
            let line = |row: &[String; 6]| {
                let cells: Vec<String> = row.iter().zip(&widths).map(|(text, width)| format!("{text:width$}")).collect();
                format!("{}\n", cells.join("  ").trim_end())
            };
            let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            format!("{}{}\n{}", line(&heads), rule.join("  "), rows.iter().map(line).collect::<String>())
        }
    }
}

/// The steps of a subcommand, each with what it plays.
pub(crate) fn matrix(scenarios: &[Scenario], subcommand: &str, out: &mut dyn Write) -> Result<i32> {
    let mut text = String::new();
    for scenario in scenarios {
        let state = State::read(&scenario.ephemeral)?;
        let driver = drivers::named(&scenario.driver(&state)?, scenario)?.is_some();
        let steps = scenario.steps(subcommand).ok_or_else(|| Failure::new(format!("`{subcommand}` is not a sequence of steps")))?;
        text += &format!("{} {subcommand}\n", scenario.name());
        for step in steps {
            let playbook = scenario.playbook(step.action).filter(|playbook| playbook.exists() || scenario.first.is_some());
            let what = match (step.action, playbook) {
                (Action::Create | Action::Destroy, _) if driver => format!("by the driver {}", scenario.driver(&state)?),
                (_, Some(playbook)) => relative(&playbook, &scenario.options.project),
                (Action::Dependency | Action::Lint, None) => String::new(),
                (_, None) => "no playbook".into(),
            };
            text += format!("  {:<22} {what}", step.text()).trim_end();
            text += "\n";
        }
    }
    tell(out, &text);
    Ok(0)
}

fn relative(path: &Path, project: &Path) -> String {
    path.strip_prefix(project).unwrap_or(path).display().to_string()
}

/// Drivers, and whether what they need is here.
pub(crate) fn drivers(env: &BTreeMap<String, String>, out: &mut dyn Write) -> Result<i32> {
    let mut text = String::from("default   create.yml and destroy.yml of the scenario\n");
    for (name, what) in drivers::BUILT_IN {
        let here = name == "lab" || installed(name, env);
        text += &format!("{name:<9} {what}{}\n", if here { "" } else { " (not installed)" });
    }
    tell(out, &text);
    Ok(0)
}

/// True if a program of that name is on the path.
pub(crate) fn installed(program: &str, env: &BTreeMap<String, String>) -> bool {
    env.get("PATH").is_some_and(|path| path.split(':').any(|folder| Path::new(folder).join(program).is_file()))
}

/// Hosts of built-in drivers and working folders go away.
pub(crate) fn reset(scenarios: &[Scenario], by: &mut Local) -> Result<i32> {
    for scenario in scenarios {
        let mut state = State::read(&scenario.ephemeral)?;
        let driver = scenario.driver(&state)?;
        if state.kept != json!({}) || state.created {
            by.destroy(scenario, &mut state, &driver)?;
        }
        if scenario.ephemeral.is_dir() {
            std::fs::remove_dir_all(&scenario.ephemeral).map_err(|error| Failure::io("remove", &scenario.ephemeral, &error))?;
        }
        by.say(&format!("{}: {} is gone", scenario.name(), scenario.ephemeral.display()));
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_three_forms() {
        let rows = [["web".to_string(), "lab".into(), "ansible".into(), "default".into(), "true".into(), "false".into()]];
        assert_eq!(shown(&rows, Format::Plain), "web\tlab\tansible\tdefault\ttrue\tfalse\n");
        assert!(shown(&rows, Format::Yaml).contains("    Driver Name: lab\n") || shown(&rows, Format::Yaml).contains("\"Driver Name\": lab\n"));
        let lines: Vec<String> = shown(&rows, Format::Simple).lines().map(str::to_string).collect();
        assert_eq!(lines[0], "Instance Name  Driver Name  Provisioner Name  Scenario Name  Created  Converged");
        assert_eq!(lines[2], "web            lab          ansible           default        true     false");
    }
}
