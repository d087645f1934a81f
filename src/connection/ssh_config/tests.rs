//! What a host gets from configuration files.

use std::sync::{Arc, Mutex};

use super::*;
use crate::connection::Transport;

struct World {
    dir: tempfile::TempDir,
    local: Local,
    warnings: Arc<Mutex<Vec<String>>>,
}

fn world(config: &str) -> World {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join(".ssh")).unwrap();
    std::fs::write(dir.path().join(".ssh/config"), config).unwrap();
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&warnings);
    let mut local = Local::new("me");
    local.home = Some(dir.path().to_owned());
    local.system_config = dir.path().join("system");
    local.warn = Arc::new(move |text| sink.lock().unwrap().push(text.to_owned()));
    World { dir, local, warnings }
}

impl World {
    fn target(&self, target: Target) -> Settings {
        resolve(&target, &self.local, &Files::default()).unwrap()
    }

    fn host(&self, name: &str) -> Settings {
        self.target(Target::new(name, Transport::Ssh))
    }
}

#[test]
fn the_first_value_wins_and_patterns_choose() {
    let world = world(
        "Host *.lan !db.lan\n  User a\n  Port 2200\nHost db*\n  User b\n  HostName %h.example.org\nHost *\n  User c\n  IdentityFile ~/k1\n  IdentityFile %r.key\n",
    );
    let web = world.host("web.lan");
    assert_eq!((web.user.as_str(), web.port, web.host_name.as_str()), ("a", 2200, "web.lan"));
    let db = world.host("db.lan");
    assert_eq!((db.user.as_str(), db.port, db.host_name.as_str()), ("b", 22, "db.lan.example.org"));
    assert_eq!(db.identity_files, [world.dir.path().join("k1"), PathBuf::from("b.key")]);
    assert_eq!(world.host("other").user, "c");
}

#[test]
fn the_inventory_and_ssh_args_come_before_files() {
    let world = world("Host *\n  Port 1\n  User file\n  ServerAliveInterval 1m\n  ConnectTimeout 7\n");
    let mut target = Target::new("h", Transport::Ssh);
    target.user = Some("inventory".into());
    target.ssh_args = ["-o", "Port=2", "-oServerAliveInterval=5", "-J", "bastion"].map(str::to_owned).to_vec();
    let settings = world.target(target.clone());
    assert_eq!((settings.user.as_str(), settings.port, settings.alive_interval.as_secs()), ("inventory", 2, 5));
    assert_eq!(settings.proxy, Some(Proxy::Jump("bastion".into())));
    assert_eq!(settings.connect_timeout, Some(Duration::from_secs(7)));
    target.port = Some(3);
    assert_eq!(world.target(target).port, 3);
}

#[test]
fn match_conditions() {
    let world = world(
        "Match originalhost alias\n  HostName real\nMatch host real user me\n  Port 1\nMatch host real exec \"test %h = real\"\n  User hit\nMatch exec false\n  User miss\nMatch !host real\n  Port 5\nMatch final all\n  Compression yes\n",
    );
    let alias = world.host("alias");
    assert_eq!((alias.host_name.as_str(), alias.port, alias.user.as_str(), alias.compression), ("real", 1, "hit", true));
    assert_eq!(world.host("x").port, 5);
    let error = resolve(&Target::new("h", Transport::Ssh), &world.local, &Files::default());
    assert!(error.is_ok());
    std::fs::write(world.dir.path().join(".ssh/config"), "\nMatch nonsense x\n").unwrap();
    let error = resolve(&Target::new("h", Transport::Ssh), &world.local, &Files::default()).unwrap_err().to_string();
    assert!(error.ends_with(".ssh/config:2: Match knows no condition \"nonsense\""), "{error}");
}

#[test]
fn a_typo_is_an_error_as_it_is_for_ssh() {
    let typo = world("Host *\n  StrictHostKeyCheking no\n");
    let error = resolve(&Target::new("h", Transport::Ssh), &typo.local, &Files::default()).unwrap_err().to_string();
    assert!(error.ends_with(".ssh/config:2: Bad configuration option: stricthostkeycheking"), "{error}");
    let ignored = world("IgnoreUnknown Future*\nFutureThing yes\nSetEnv A=1 B=2\nPreferredAuthentications password,publickey\n");
    let settings = ignored.host("h");
    assert_eq!(settings.environment, [("A".to_owned(), "1".to_owned()), ("B".to_owned(), "2".to_owned())]);
    assert_eq!(settings.preferred, Some(vec!["password".to_owned(), "publickey".to_owned()]));
    let mut target = Target::new("h", Transport::Ssh);
    target.ssh_args = vec!["-oPrt=1".into()];
    let error = resolve(&target, &ignored.local, &Files::default()).unwrap_err().to_string();
    assert_eq!(error, "ssh_args: Bad configuration option: prt");
}

#[test]
fn include_reads_more_files_where_it_stands() {
    let world = world("Host a\n  Include conf.d/*.conf\nHost *\n  Port 9\n");
    std::fs::create_dir(world.dir.path().join(".ssh/conf.d")).unwrap();
    std::fs::write(world.dir.path().join(".ssh/conf.d/1.conf"), "User included\n").unwrap();
    assert_eq!(world.host("a").user, "included");
    assert_eq!(world.host("a").port, 9);
    assert_eq!(world.host("b").user, "me");
}

#[test]
fn a_missing_file_of_ssh_args_is_said_once_and_not_fatal() {
    let world = world("Host *\n  Port 9\n");
    let mut target = Target::new("h", Transport::Ssh);
    target.ssh_args = vec!["-F".into(), "no/such.config".into()];
    let files = Files::default();
    for _ in 0..2 {
        assert_eq!(resolve(&target, &world.local, &files).unwrap().port, 22);
    }
    let warnings = world.warnings.lock().unwrap();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("no/such.config"), "{warnings:?}");
}

#[test]
fn host_keys_are_checked_as_asked() {
    let world = world("Host new\n  StrictHostKeyChecking accept-new\nHost no\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n");
    assert_eq!(world.host("x").strict, Strict::Ask);
    assert_eq!(world.host("new").strict, Strict::AcceptNew);
    assert_eq!(world.host("no").strict, Strict::No);
    assert_eq!(world.host("no").user_known_hosts, [PathBuf::from("/dev/null")]);
    let mut target = Target::new("new", Transport::Ssh);
    target.host_key_checking = false;
    assert_eq!(world.target(target).strict, Strict::No);
}

#[test]
fn what_libssh2_cannot_do_is_named() {
    let world = world(
        "Host card\n  PKCS11Provider /usr/lib/x.so\nHost cert\n  CertificateFile ~/c\nHost agent\n  ForwardAgent yes\nHost plain\n  GSSAPIAuthentication yes\n",
    );
    assert_eq!(world.host("card").only_openssh.as_deref(), Some("PKCS11Provider"));
    assert_eq!(world.host("cert").only_openssh.as_deref(), Some("CertificateFile ~/c"));
    assert_eq!(world.host("agent").only_openssh.as_deref(), Some("ForwardAgent"));
    assert_eq!(world.host("plain").only_openssh, None);
    assert!(world.host("plain").gssapi);
}
