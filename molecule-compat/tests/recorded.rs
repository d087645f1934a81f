//! Answers recorded from Molecule 26 (`tests/recorded/record.py`), and what we say where it refuses a file.

use std::collections::BTreeMap;
use std::path::Path;

use rplay_molecule::config::{self, Written};
use rplay_molecule::interpolate::interpolate;
use rplay_molecule::sequence;
use serde_json::Value;

fn recorded(name: &str) -> Value {
    let path = format!("{}/tests/recorded/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn interpolation_is_molecules() {
    let data = recorded("interpolation");
    let env: BTreeMap<String, String> = data["env"].as_object().unwrap().iter().map(|(k, v)| (k.clone(), v.as_str().unwrap().to_string())).collect();
    let rows = data["rows"].as_array().unwrap();
    assert!(rows.len() > 50);
    for row in rows {
        let ours = match interpolate(row["text"].as_str().unwrap(), &env, row["keep"].as_str()) {
            Ok(text) => ("answer", text),
            Err(at) => ("error", format!("Invalid placeholder in string: line {}, col {}", at.line, at.column)),
        };
        assert_eq!(row[ours.0].as_str(), Some(ours.1.as_str()), "{row}");
    }
}

fn load(text: &str) -> rplay_molecule::failure::Result<config::Loaded> {
    let file = Path::new("molecule.yml");
    config::load(&[Written { file, text }], "default", &BTreeMap::new(), None)
}

#[test]
fn sequences_are_molecules() {
    for row in recorded("sequences").as_array().unwrap() {
        let (config, _) = load(row["text"].as_str().unwrap()).unwrap();
        for (command, steps) in row["steps"].as_object().unwrap() {
            let ours: Vec<Value> = sequence::steps(config.at("/scenario"), command).unwrap().iter().map(|step| Value::from(step.text())).collect();
            assert_eq!(&Value::Array(ours), steps, "{}: {command}", row["name"]);
        }
        assert_eq!(sequence::steps(config.at("/scenario"), "nosuch"), None);
    }
}

#[test]
fn files_that_molecule_refuses_are_refused_with_their_place() {
    let mut wrong = Vec::new();
    for row in recorded("schema").as_array().unwrap() {
        let (verdict, said) = match load(row["text"].as_str().unwrap()) {
            Ok((_, warnings)) => ("accepted", warnings.iter().map(ToString::to_string).collect::<Vec<_>>()),
            Err(failure) => ("refused", failure.complaints.iter().map(ToString::to_string).collect()),
        };
        // a driver of one's own is looked for when hosts are made; Molecule does it here
        let expected = row.get("ours").unwrap_or(&row["molecule"]);
        if expected != verdict || row["says"] != Value::from(said.clone()) {
            wrong.push(format!("{}: {verdict}, {:#}", row["name"], Value::from(said)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
