//! Inventories in `tests/inventory/cases` and what `ansible-inventory` of ansible-core 2.19.14 prints for them (`record.sh` records it anew).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rplay::config::Config;
use rplay::inventory::{Inventory, Options, Show};
use rplay::vault::{Secrets, Sources};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inventory/cases");
    let mut cases: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn sources(case: &Path) -> Vec<String> {
    let complete = |source: &str| if source.contains(',') { source.to_string() } else { case.join(source).display().to_string() };
    match std::fs::read_to_string(case.join("sources")) {
        Ok(list) => list.lines().map(complete).collect(),
        Err(_) => {
            let names = case.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            names.filter(|name| name.starts_with("hosts") || name.starts_with("inv")).map(|name| complete(&name)).collect()
        }
    }
}

fn load(case: &Path) -> Inventory {
    let env: BTreeMap<String, String> = [("ANSIBLE_CONFIG", "/nowhere.cfg"), ("HOME", "/nowhere")].map(|(k, v)| (k.into(), v.into())).into();
    let (config, _) = Config::load(&env, case).unwrap();
    let mut secrets = Secrets::default();
    if case.join("password").exists() {
        let sources = Sources { files: vec!["password".into()], ..Sources::default() };
        secrets.gather(&sources, &|path| case.join(path), &|_| panic!("no prompt here")).unwrap();
    }
    Inventory::load(&sources(case), Options::new(&config), Arc::new(secrets)).unwrap().0
}

fn check(what: &str, print: impl Fn(&Inventory) -> String) {
    let mut seen = 0;
    for case in cases() {
        let expected = std::fs::read_to_string(case.join(what)).unwrap();
        let ours = print(&load(&case));
        assert_eq!(ours, expected, "{}/{what}", case.display());
        seen += 1;
    }
    assert!(seen >= 17);
}

#[test]
fn list_as_json() {
    check("list.json", |inventory| inventory.list_json(Show::default()).unwrap());
}

#[test]
fn export_as_json() {
    check("export.json", |inventory| inventory.list_json(Show { export: true, ..Show::default() }).unwrap());
}

#[test]
fn list_as_yaml() {
    check("list.yaml", |inventory| inventory.list_yaml(Show::default()).unwrap());
}

#[test]
fn graph() {
    check("graph.txt", |inventory| inventory.graph("all", false, Show::default()).unwrap());
}

#[test]
fn one_host_and_a_limit() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inventory/cases");
    let inventory = load(&folder.join("ini-basic"));
    assert_eq!(inventory.host_json("jump", Show::default()).unwrap(), "{\n    \"ansible_port\": 2222\n}\n");
    assert!(inventory.host_json("web", Show::default()).unwrap_err().message.contains("single valid host"));
    let limited = inventory.list_json(Show { limit: Some("db-a"), ..Show::default() }).unwrap();
    assert!(limited.contains("db-a") && !limited.contains("alias") && limited.contains("\"web\""), "{limited}");
    assert!(inventory.graph("web", true, Show::default()).unwrap().contains("  |  |--{ansible_user = core user}"));
    assert!(inventory.graph("wep", false, Show::default()).unwrap_err().help.unwrap().contains("web"));
}
