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
        ("x\n[a b]\n", "hosts:2:1 Invalid section entry: '[a b]'. Please make sure that there are no spaces in the section entry, and that there are no other invalid characters"),
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
