//! Command lines, and what they mean.

use std::path::Path;

use super::*;
use crate::value::repr;
use crate::vault::Secrets;

fn config(pairs: &[(&str, &str)]) -> Config {
    let env = pairs.iter().chain(&[("ANSIBLE_CONFIG", "/nowhere.cfg"), ("HOME", "/home/me")]).map(|(k, v)| (k.to_string(), v.to_string())).collect();
    Config::load(&env, Path::new("/work/dir")).unwrap().0
}

fn words(line: &str) -> Vec<OsString> {
    crate::inventory::shlex::split(line, false).unwrap().into_iter().map(|word| word.text.into()).collect()
}

fn flags(line: &str) -> Flags {
    match playbook("rplay", &words(line), &config(&[])) {
        Parsed::Run(flags) => *flags,
        Parsed::Say { text, .. } => panic!("{line}: {text}"),
    }
}

fn refused(line: &str) -> (i32, String) {
    match playbook::<Flags>("rplay", &words(line), &config(&[])) {
        Parsed::Run(flags) => panic!("{line}: {flags:?}"),
        Parsed::Say { text, code, .. } => (code, text),
    }
}

#[test]
fn options_in_all_their_forms() {
    let flags =
        flags("site.yml -vv -i a -ib,c, --inventory-file=d -v --list-h -e x=1 --extra 'y=2 3' --ssh-common-args '-o A=b' -tone,two -t three other.yml -f4");
    assert_eq!(flags.playbooks, ["site.yml", "other.yml"]);
    assert_eq!(flags.inventory.inventory, ["a", "b,c,", "d"]);
    assert_eq!(flags.run.extra_vars, ["x=1", "y=2 3"]);
    assert!(flags.inventory.list_hosts && flags.run.verbose == 3);
    assert_eq!(flags.connect.ssh_common_args.as_deref(), Some("-o A=b"));
    let mut config = config(&[("ANSIBLE_VERBOSITY", "1"), ("ANSIBLE_RUN_TAGS", "zero")]);
    flags.apply(&mut config);
    assert_eq!((config.verbosity, config.forks), (4, 4));
    assert_eq!(flags.tags_to_run(&config), ["zero", "one", "two", "three"]);
    assert_eq!(flags.inventory.sources(&config), ["/work/dir/a", "b,c,", "/work/dir/d"]);
}

#[test]
fn what_was_not_given_comes_from_the_configuration() {
    let given = flags("-b -K --become-user me -u you --private-key ~/key -M x:y -M z -T 3 a.yml");
    let mut config = config(&[("ANSIBLE_REMOTE_USER", "other"), ("ANSIBLE_BECOME_METHOD", "su"), ("ANSIBLE_LIBRARY", "/lib")]);
    given.apply(&mut config);
    assert_eq!(config.remote_user.as_deref(), Some("you"));
    assert_eq!((config.become_method.as_str(), config.become_user.as_str(), config.r#become, config.become_ask_pass), ("su", "me", true, true));
    assert_eq!(config.private_key_file.as_deref(), Some(Path::new("/home/me/key")));
    assert_eq!(config.library, ["/work/dir/z", "/work/dir/x", "/work/dir/y", "/lib"].map(std::path::PathBuf::from));
    assert_eq!(config.timeout, 3);
    assert_eq!(given.inventory.sources(&config), ["/etc/ansible/hosts"]);
    assert_eq!(given.tags_to_run(&config), ["all"]);
    assert_eq!(flags("--list-tags a.yml").tags_to_run(&config), ["never", "all"]);
}

#[test]
fn idempotence_takes_its_value_only_after_an_equals_sign() {
    assert_eq!(flags("--idempotence a.yml").idempotence, Some(Idempotence::Apply));
    assert_eq!(flags("--idempotence=rerun a.yml").idempotence, Some(Idempotence::Rerun));
    assert_eq!(flags("a.yml").idempotence, None);
}

#[test]
fn wrong_arguments_end_with_2() {
    for (line, part) in [
        ("", "rplay: error: the following arguments are required: playbook"),
        ("--foo a.yml", "--foo"),
        ("-f 0 a.yml", "rplay: error: The number of processes (--forks) must be >= 1"),
        ("-f x a.yml", "--forks"),
        ("-i", "--inventory"),
        ("--ask a.yml", "--ask"),
        ("-k --conn-pass-file x a.yml", "--connection-password-file"),
        ("-J --vault-password-file x a.yml", "--vault-password-file"),
    ] {
        let (code, text) = refused(line);
        assert!(code == 2 && text.contains(part), "{line}: {code} {text}");
    }
    assert_eq!(refused("--help").0, 0);
    let (code, text) = refused("--version");
    assert!(code == 0 && text.starts_with(concat!("rplay ", env!("CARGO_PKG_VERSION"), " [core 2.19.0 compatible]\n  config file = None\n")), "{text}");
    let odd = [<OsString as std::os::unix::ffi::OsStringExt>::from_vec(vec![0xff])];
    assert!(matches!(playbook::<Flags>("rplay", &odd, &config(&[])), Parsed::Say { code: 6, .. }));
}

#[test]
fn without_a_playbook_the_configured_one_runs() {
    let config = config(&[("RPLAY_PLAYBOOK", "kubernetes.yml")]);
    let Parsed::Run(flags) = playbook::<Flags>("rplay", &words("--tags test"), &config) else { panic!() };
    assert_eq!(flags.playbooks(&config), ["kubernetes.yml"]);
}

#[test]
fn ad_hoc_runs() {
    let Parsed::Run(flags) = ad_hoc("ansible", &words("web -m copy -a '-x=1 b=2' -B 10 -P 0 -o -t /tmp/x"), &config(&[])) else { panic!() };
    let mut config = config(&[]);
    flags.apply(&mut config);
    assert_eq!((flags.pattern.as_deref(), config.module_name.as_str(), config.module_args.as_deref()), (Some("web"), "copy", Some("-x=1 b=2")));
    assert_eq!((flags.background, config.poll_interval, flags.one_line), (Some(10), 0, true));
    assert!(matches!(ad_hoc("ansible", &words("-m ping"), &config), Parsed::Say { code: 2, .. }));
}

#[test]
fn vault_sources_keep_their_order() {
    let config = config(&[("ANSIBLE_VAULT_IDENTITY_LIST", "a@x"), ("ANSIBLE_VAULT_PASSWORD_FILE", "/pw")]);
    let sources = flags("--vault-pass-file y --vault-id b@prompt a.yml").vault.sources(&config);
    assert_eq!(sources.ids, ["a@x", "b@prompt"]);
    assert_eq!(sources.files, ["y", "/pw"]);
}

#[test]
fn extra_variables() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("v.yml");
    std::fs::write(&file, "from: file\nnested: {b: 2}\n").unwrap();
    let config = config(&[]);
    let secrets = Secrets::default();
    let read = |values: &[&str], merge: bool| {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        extra_vars(&values, extra::Reading { places: &config.places, secrets: &secrets, merge })
            .map(|(vars, _)| vars.iter().map(|(name, value)| format!("{name}={}", repr(&value.to_value()))).collect::<Vec<_>>().join(" "))
    };
    let file = format!("@{}", file.display());
    assert_eq!(
        read(&["a=1 b='x y' c={{ d }}", r#"{"n": 5, "t": "x"}"#, "{y: yes}", &file], false).unwrap(),
        "a='1' b='x y' c='{{ d }}' n=5 t='x' y=True from='file' nested={'b': 2}"
    );
    assert_eq!(read(&["{nested: {a: 1}}", &file], true).unwrap(), "nested={'a': 1, 'b': 2} from='file'");
    assert_eq!(read(&["free words"], false).unwrap(), "_raw_params='free words'");
    for (value, expected) in [
        ("./v.yml", "Please prepend extra_vars filename './v.yml' with '@'"),
        ("[1]", "Invalid extra vars data supplied. '[1]' could not be made into a dictionary"),
        ("@/no/such", "cannot read the extra vars file: /no/such: No such file or directory (os error 2)"),
    ] {
        assert_eq!(read(&[value], false).unwrap_err().message, expected);
    }
}
