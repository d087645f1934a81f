//! Inventories as users write them, compared with what ansible-core 2.19.14 makes of them.

use super::*;

fn options() -> Options {
    let (config, _) = Config::load(&[("ANSIBLE_CONFIG".to_string(), "/nowhere.cfg".to_string())].into(), Path::new("/")).unwrap();
    Options::new(&config)
}

fn recorded(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inventory").join(name)
}

fn load(path: &Path) -> (Inventory, Vec<Diagnostic>) {
    Inventory::load(&[path.display().to_string()], options(), Arc::default()).unwrap()
}

fn words(hosts: &[HostName]) -> String {
    if hosts.is_empty() { "-".into() } else { hosts.join(" ") }
}

#[test]
fn patterns() {
    let (inventory, _) = load(&recorded("patterns/hosts.ini"));
    for line in std::fs::read_to_string(recorded("patterns.txt")).unwrap().lines() {
        let (pattern, expected) = line.split_once(" -> ").unwrap();
        let shown = match inventory.select(pattern, None) {
            Err(error) => format!("ERROR {}", error.message),
            Ok((hosts, warnings)) => {
                let unmatched: Vec<_> = warnings.iter().filter_map(|w| w.message.split_once("ignoring: ")).map(|(_, part)| part).collect();
                let tail = if unmatched.is_empty() { String::new() } else { format!(" | {}", unmatched.join(" ")) };
                words(&hosts) + &tail
            }
        };
        assert_eq!(shown, expected, "{pattern}");
    }
}

#[test]
fn limits_may_stand_in_files() {
    let (inventory, _) = load(&recorded("patterns/hosts.ini"));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "db1\n\nalpha\n").unwrap();
    let limit = format!("@{},db3", file.path().display());
    assert_eq!(words(&inventory.select("all", Some(&limit)).unwrap().0), "db1 alpha db3");
    assert_eq!(words(&inventory.select("web", Some("db")).unwrap().0), "alpha");
    let error = inventory.select("all", Some("@/no/such/file")).unwrap_err();
    assert_eq!(error.message, "Unable to find limit file /no/such/file");
}

#[test]
fn patterns_of_a_list_are_split_one_by_one() {
    let (inventory, _) = load(&recorded("patterns/hosts.ini"));
    let (hosts, warnings) = inventory.select_list(&["web:&db", "db1,db2"], None).unwrap();
    assert_eq!(words(&hosts), "alpha db1 db2", "an intersection comes after the union");
    assert!(warnings.is_empty());
    assert_eq!(words(&inventory.select_list(&["web[0]:web[1]", "db1,db2"], None).unwrap().0), "web01.example.com web02.example.com db1 db2");
}

fn ini(text: &str) -> Result<Inventory, String> {
    let source = crate::source::Source::new("hosts", text);
    let mut inventory = Inventory::empty(Arc::new(options()), Arc::default());
    let mut warnings = Vec::new();
    let data = Arc::make_mut(&mut inventory.data);
    let mut build = build::Builder { data, group_names: "never", source: None, warnings: &mut warnings };
    ini::read(&source, &mut build).map_err(|e| format!("{} {}", e.span.unwrap(), e.message))?;
    data.reconcile();
    Ok(inventory)
}

#[test]
fn what_an_ini_inventory_gets_wrong() {
    for (text, expected) in [
        ("a b\n", "hosts:1:3 Expected key=value host variable assignment, got: b"),
        ("a 'b\n", "hosts:1:1 Error parsing host definition 'a 'b': No closing quotation"),
        ("[g:kids]\n", "hosts:1:1 Section [g:kids] has unknown type: kids"),
        (
            "x\n[a b]\n",
            "hosts:2:1 Invalid section entry: '[a b]'. Please make sure that there are no spaces in the section entry, and that there are no other invalid characters",
        ),
        ("[g:vars]\na=1\n", "hosts:1:1 Section [g:vars] not valid for undefined group 'g'."),
        ("[g:children]\n  h\n", "hosts:2:3 Section [g:children] includes undefined group 'h'."),
        ("[g]\n[g:vars]\nx\n", "hosts:3:1 Expected key=value, got: x"),
        ("[a:children]\nb\n[b:children]\na\n", "hosts:4:1 adding group 'a' as child to 'b' creates a recursive dependency loop"),
        ("---\n", "hosts:1:1 Invalid host pattern '---' supplied, '---' is normally a sign this is a YAML file."),
        ("web:\n", "hosts:1:1 Invalid host pattern 'web:' supplied, ending in ':' is not allowed, this character is reserved to provide a port."),
        ("web[3:1:0]\n", "hosts:1:1 the step of the host range [3:1:0] must be a positive number"),
    ] {
        assert_eq!(ini(text).map(drop), Err(expected.to_string()), "{text}");
    }
}

#[test]
fn values_know_their_place() {
    let inventory = ini("a  x='1 2' y=[1,2]\n[g]\na\n[g:vars]\n  n = 5 # five\n").unwrap();
    let host = inventory.host("a").unwrap();
    assert_eq!(host.vars["y"].span.to_string(), "hosts:1:12");
    assert_eq!(host.vars["x"].as_str(), Some("1 2"));
    let group = inventory.group("g").unwrap();
    assert_eq!(group.vars["n"].to_value(), Value::Int(5));
    assert_eq!(group.vars["n"].span.to_string(), "hosts:5:7");
}

#[test]
fn variables_of_deeper_and_later_groups_count_more() {
    let inventory = ini("h\n[b]\nh\n[a]\nh\n[c]\nh\n[top:children]\nb\n[c:vars]\nansible_group_priority=-1\n").unwrap();
    let names: Vec<_> = inventory.group_chain("h").into_iter().map(|g| g.name.to_string()).collect();
    assert_eq!(names, ["all", "c", "a", "top", "b"]);
    assert_eq!(inventory.group_names("h").join(" "), "a b c top");
}

#[test]
fn hosts_and_groups_at_run_time_leave_snapshots_alone() {
    let mut inventory = ini("a\n[g]\nb\n").unwrap();
    let before = inventory.clone();
    let vars: Dict = [("x".into(), Value::from("{{ no }}"))].into_iter().collect();
    assert!(inventory.add_host("new", &["g".into(), "fresh".into()], &vars).unwrap());
    assert!(!inventory.add_host("new", &["g".into()], &vars).unwrap());
    assert!(inventory.add_to_group("a", "os_debian", &["os".into()]).unwrap());
    assert!(!inventory.add_to_group("a", "os_debian", &["os".into()]).unwrap());
    assert_eq!(words(&inventory.members("g")), "b new");
    assert_eq!(words(&inventory.members("os")), "a");
    assert_eq!(words(&inventory.members("ungrouped")), "-");
    assert!(matches!(&inventory.host("new").unwrap().vars["x"].kind, Kind::Unsafe(_)));
    assert_eq!(before.hosts().count(), 2);
    assert_eq!(inventory.hosts().count(), 3);
}

#[test]
fn the_controller_exists_always() {
    let inventory = ini("a\n").unwrap();
    let host = inventory.host("localhost").unwrap();
    assert!(host.implicit && host.vars["ansible_connection"].as_str() == Some("local"));
    assert_eq!(words(&inventory.select("localhost", None).unwrap().0), "localhost");
    assert_eq!(words(&inventory.select("all", None).unwrap().0), "a");
    let inventory = ini("127.0.0.1 x=1\n").unwrap();
    assert!(!inventory.host("localhost").unwrap().implicit);
    assert_eq!(words(&inventory.select("localhost", None).unwrap().0), "127.0.0.1");
}

/// What loading a file of that name and text complains about.
fn complaints(name: &str, text: &str, mode: u32) -> Vec<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    let (inventory, warnings) = load(&path);
    assert_eq!(inventory.hosts().count(), 0, "a source that is refused leaves nothing behind");
    let place = |w: &Diagnostic| w.span.as_ref().map_or(String::new(), |span| format!("{}:{} ", span.position().line, span.position().column));
    warnings.iter().map(|w| format!("{}{}", place(w), w.message).replace(&dir.path().display().to_string(), "DIR")).collect()
}

#[test]
fn sources_that_nobody_can_read() {
    for (name, text, mode, expected) in [
        ("hosts", "ok\n[g]\nh1 x\n", 0o644, "3:4 Failed to parse inventory with 'ini' plugin: Expected key=value host variable assignment, got: x"),
        (
            "h.yml",
            "all:\n  hosts: [a]\n",
            0o644,
            "2:10 Failed to parse inventory with 'yaml' plugin: Invalid \"hosts\" entry for \"all\" group, requires a dictionary, found \"list\" instead.",
        ),
        (
            "h.yml",
            "plugin: aws_ec2\n",
            0o644,
            "1:9 Failed to parse inventory with 'auto' plugin: this file configures the inventory plugin 'aws_ec2', which rplay does not have",
        ),
        (
            "hosts",
            "---\nall:\n  hosts:\n    1: {}\n",
            0o644,
            "4:5 Failed to parse inventory with 'yaml' plugin: Host pattern 1 must be a string. Enclose integers/floats in quotation marks.",
        ),
        ("h.sh", "#!/bin/sh\nexit 3\n", 0o755, "Failed to parse inventory with 'script' plugin: Inventory script returned non-zero exit code 3."),
        (
            "h.sh",
            "#!/bin/sh\necho '{'\n",
            0o755,
            "2:1 Failed to parse inventory with 'script' plugin: Inventory script result could not be parsed as JSON: EOF while parsing an object at line 2 column 0",
        ),
        (
            "h.sh",
            "#!/bin/sh\necho '{\"g\": {\"hosts\": 5}}'\n",
            0o755,
            "1:17 Failed to parse inventory with 'script' plugin: Value contains 'g.hosts' which is 'int' instead of 'list'.",
        ),
        ("h.toml", "x = 1\n", 0o644, "Failed to parse inventory with 'toml' plugin: TOML inventories are not supported"),
    ] {
        let shown = complaints(name, text, mode);
        let rest = [format!("Unable to parse DIR/{name} as an inventory source"), "No inventory was parsed, only implicit localhost is available".to_string()];
        assert_eq!(shown[1..], rest, "{text}");
        assert_eq!(shown[0], expected);
    }
}

#[test]
fn configured_strictness() {
    let strict = |change: &dyn Fn(&mut Options)| {
        let mut options = options();
        change(&mut options);
        Inventory::load(&["/no/such".into()], options, Arc::default()).map(|(_, warnings)| warnings.len()).map_err(|e| e.message)
    };
    assert_eq!(strict(&|_| {}), Ok(2));
    assert_eq!(strict(&|o| o.unparsed_warning = false), Ok(1));
    assert_eq!(strict(&|o| o.unparsed_is_failed = true).unwrap_err(), "No inventory was parsed, please check your configuration and options.");
    assert_eq!(strict(&|o| o.any_unparsed_is_failed = true).unwrap_err(), "Completely failed to parse inventory source /no/such");
    let mut options = options();
    options.pattern_mismatch = "error".into();
    let (inventory, _) = Inventory::load(&["a,".into()], options, Arc::default()).unwrap();
    assert_eq!(inventory.select("b", None).unwrap_err().message, "Could not match supplied host pattern, ignoring: b");
}

#[test]
fn files_with_variables_are_read_once_and_only_when_needed() {
    let (inventory, _) = load(&recorded("cases/group-vars/hosts"));
    let files = &inventory.adjacent()[0];
    assert_eq!(files.for_host("h2").unwrap().len(), 2);
    assert!(Arc::ptr_eq(&files.for_host("h2").unwrap(), &files.for_host("h2").unwrap()));
    let levels: Vec<_> = inventory.layers("h1", None).unwrap().into_iter().map(|layer| (layer.level, layer.of.to_string())).collect();
    let expected = [(Level::Groups, "b"), (Level::AllFiles, "all"), (Level::GroupFiles, "b"), (Level::GroupFiles, "a"), (Level::Host, "h1")];
    assert_eq!(levels, expected.map(|(level, of)| (level, of.to_string())));
}

#[test]
fn a_file_with_variables_must_be_a_dictionary() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("group_vars")).unwrap();
    for (name, text) in [("list", "- a\n"), ("bad", "a: [\n"), ("locked", "$ANSIBLE_VAULT;1.1;AES256\n6161\n"), ("null", "---\n"), ("twice", "a: 1\na: 2\n")] {
        std::fs::write(dir.path().join("group_vars").join(name), text).unwrap();
    }
    let inventory = Inventory::empty(Arc::new(options()), Arc::default());
    let files = inventory.var_files(dir.path());
    let list = files.for_group("list").unwrap_err();
    assert!(list.message.ends_with("group_vars/list must be a dictionary of variables, but is a list") && list.span.is_some(), "{list}");
    assert!(files.for_group("bad").unwrap_err().span.is_some());
    assert!(files.for_group("locked").unwrap_err().message.ends_with("Vault vaulttext format error."));
    assert!(files.for_group("null").unwrap().is_empty());
    assert_eq!(files.for_group("twice").unwrap()["a"].to_value(), Value::Int(2));
    assert_eq!(files.take_warnings().len(), 1);
    assert!(files.take_warnings().is_empty());
}
