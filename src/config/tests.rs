//! Files and environments, and what becomes of them.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::*;

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
}

fn folder(cfg: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(dir.path().join("ansible.cfg"), cfg).unwrap();
    dir
}

#[test]
fn defaults_are_ansibles() {
    let (config, warnings) = Config::load(&env(&[("HOME", "/root"), ("ANSIBLE_CONFIG", "/nowhere.cfg")]), Path::new("/")).unwrap();
    assert!(warnings.is_empty());
    assert_eq!((config.forks, config.timeout, config.poll_interval), (5, 10, 15));
    assert_eq!(config.roles_path[0], Path::new("/root/.ansible/roles"));
    assert_eq!(config.inventory, [Path::new("/etc/ansible/hosts")]);
    assert_eq!(config.ssh_args, "-C -o ControlMaster=auto -o ControlPersist=60s");
    assert_eq!(config.color("unreachable"), Some("bright red"));
    assert!(config.host_key_checking && config.callbacks_enabled.is_empty() && !config.vault_id_match);
    // recorded: `HOME=/root ansible-config dump` of ansible-core 2.19.14, without names that rplay does not know
    for line in include_str!("../../tests/inventory/config-dump.txt").lines() {
        let dump = dump(&config, &[], Changed::All, Format::Display);
        assert!(dump.lines().any(|l| l == line), "{line}\n{dump}");
    }
}

#[test]
fn environment_before_file_before_default() {
    let dir = folder(
        "[defaults]\nforks = 7\nroles_path = roles:~/r\ncollections_path={{CWD}}/c\nremote_user='me'\n[ssh_connection]\nretries = 3\n[rplay]\nplaybook = site.yml\nstrict = yes\n",
    );
    let (config, _) = Config::load(&env(&[("HOME", "/h"), ("ANSIBLE_FORKS", "9"), ("NO_COLOR", "1"), ("ANSIBLE_TIMEOUT", "")]), dir.path()).unwrap();
    assert_eq!((config.forks, config.ssh_retries, config.timeout), (9, 3, 10));
    assert_eq!(config.roles_path, [dir.path().join("roles"), "/h/r".into()]);
    assert_eq!(config.collections_path, [dir.path().join("c")]);
    assert_eq!(config.remote_user.as_deref(), Some("me"));
    assert_eq!(config.playbook.as_deref(), Some("site.yml"));
    assert!(config.strict && config.nocolor);
    let cfg = dir.path().join("ansible.cfg");
    let shown = dump(&config, &[], Changed::Only, Format::Display);
    assert!(shown.contains("DEFAULT_FORKS(env: ANSIBLE_FORKS) = 9\n"), "{shown}");
    assert!(shown.contains(&format!("DEFAULT_ROLES_PATH({}) = ['{}/roles', '/h/r']\n", cfg.display(), dir.path().display())), "{shown}");
}

#[test]
fn wrong_values_are_found_where_they_stand() {
    for (cfg, expected) in [
        ("[defaults]\nforks = x\n", "2:9 config DEFAULT_FORKS: `x` is not an integer"),
        ("[defaults]\nforks = -1\n", "2:9 config DEFAULT_FORKS: `-1` is out of range"),
        ("[defaults]\ngathering = 3\n", "2:13 config DEFAULT_GATHERING: invalid value `3`"),
        ("forks = 3\n", "1:1 file contains no section headers"),
    ] {
        let error = Config::load(&env(&[]), folder(cfg).path()).unwrap_err();
        let position = error.span.as_ref().unwrap().position();
        assert_eq!(format!("{}:{} {}", position.line, position.column, error.message), expected);
    }
    let error = Config::load(&env(&[("ANSIBLE_FORKS", "x")]), Path::new("/")).unwrap_err();
    assert_eq!(error.message, "config DEFAULT_FORKS from the environment variable ANSIBLE_FORKS: `x` is not an integer");
}

#[test]
fn warnings_for_doubtful_booleans_plugins_and_public_folders() {
    let dir = folder("[defaults]\nhost_key_checking = flase\nfilter_plugins = f\naction_plugins = a\nno_such_setting = 1\n");
    let (config, warnings) = Config::load(&env(&[]), dir.path()).unwrap();
    assert!(!config.host_key_checking);
    let messages: Vec<_> = warnings.iter().map(|w| w.message.as_str()).collect();
    assert!(messages.contains(&"config HOST_KEY_CHECKING: `flase` is no boolean, taken as false"), "{messages:?}");
    assert!(
        messages.contains(&"plugins written in Python are not loaded; without effect: DEFAULT_ACTION_PLUGIN_PATH, DEFAULT_FILTER_PLUGIN_PATH"),
        "{messages:?}"
    );
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let (config, warnings) = Config::load(&env(&[]), dir.path()).unwrap();
    assert!(config.file.is_none() && config.host_key_checking);
    assert_eq!(warnings.len(), 1);
}

#[test]
fn the_list_is_yaml_with_every_setting() {
    let list: serde_yaml::Value = serde_yaml::from_str(&list()).unwrap();
    assert_eq!(list["DEFAULT_FORKS"]["default"], serde_yaml::Value::from(5));
    assert_eq!(list.as_mapping().unwrap().len(), settings::SETTINGS.len());
}
