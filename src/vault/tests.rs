//! Texts of `ansible-vault` (ansible-core 2.19.14) in `tests/vault`, and passwords from every source.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::*;

fn recorded(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vault").join(name)).unwrap()
}

fn secrets(passwords: &[(&str, &str)], match_labels: bool) -> Secrets {
    let mut secrets = Secrets::new("default", match_labels, Some("pepper"));
    passwords.iter().for_each(|(label, password)| secrets.add(label, password.as_bytes().to_vec()));
    secrets
}

#[test]
fn what_ansible_encrypted_is_decrypted() {
    let known = secrets(&[("default", "swordfish"), ("dev", "another")], false);
    for (file, plain, label) in [
        ("1.1.vault", "hello: wörld\n", "default"),
        ("1.2.vault", "hello: wörld\n", "dev"),
        ("empty.vault", "", "default"),
        ("block.vault", &"0123456789abcdef".repeat(4), "default"),
    ] {
        let (bytes, used) = known.decrypt_and_label(&recorded(file)).unwrap();
        assert_eq!((String::from_utf8(bytes).unwrap().as_str(), used), (plain, label), "{file}");
    }
}

#[test]
fn with_the_same_salt_we_write_what_ansible_writes() {
    let known = secrets(&[("default", "swordfish")], false);
    let ours = known.encrypt("0123456789abcdef".repeat(4).as_bytes(), None).unwrap();
    assert_eq!(ours, String::from_utf8(recorded("block.vault")).unwrap());
    assert_eq!(known.encrypt(ours.as_bytes(), None), Err(VaultError::AlreadyEncrypted));
}

#[test]
fn there_and_back_with_a_random_salt_and_a_label() {
    let mut known = Secrets::default();
    known.add("dev", b"x".to_vec());
    let (one, two) = (known.encrypt(b"text", Some("dev")).unwrap(), known.encrypt(b"text", None).unwrap());
    assert!(one.starts_with("$ANSIBLE_VAULT;1.2;AES256;dev\n") && one != two);
    assert_eq!(known.decrypt(&one).as_deref(), Ok("text"));
    assert!(matches!(known.encrypt(b"text", Some("prod")), Err(VaultError::NoSuchLabel(..))));
}

#[test]
fn labels_decide_only_when_asked_to() {
    let text = recorded("1.2.vault");
    assert!(secrets(&[("prod", "another")], false).decrypt_bytes(&text).is_ok());
    assert_eq!(secrets(&[("prod", "another")], true).decrypt_bytes(&text), Err(VaultError::NoMatch));
    assert!(secrets(&[("prod", "wrong"), ("dev", "another")], true).decrypt_bytes(&text).is_ok());
    assert_eq!(secrets(&[("dev", "wrong")], false).decrypt_bytes(&text), Err(VaultError::NoMatch));
    assert_eq!(secrets(&[], false).decrypt_bytes(&text), Err(VaultError::NoSecrets));
}

#[test]
fn damaged_texts() {
    let known = secrets(&[("default", "swordfish")], false);
    for (text, expected) in [
        ("hello", VaultError::NotEncrypted),
        ("$ANSIBLE_VAULT;1.1", VaultError::Envelope),
        ("$ANSIBLE_VAULT;1.1;AES\n00", VaultError::Cipher("AES".into())),
        ("$ANSIBLE_VAULT;1.1;AES256\nxx", VaultError::Hex),
        ("$ANSIBLE_VAULT;1.1;AES256\n000", VaultError::Hex),
        ("$ANSIBLE_VAULT;1.1;AES256\n6161", VaultError::Text),
        ("$ANSIBLE_VAULT;1.1;AES256\n", VaultError::Text),
    ] {
        assert_eq!(known.decrypt(text), Err(expected), "{text}");
    }
    let mut flipped = recorded("1.1.vault");
    let last = flipped.len() - 2;
    flipped[last] = if flipped[last] == b'1' { b'2' } else { b'1' };
    assert_eq!(known.decrypt_bytes(&flipped), Err(VaultError::NoMatch));
}

#[test]
fn keys_are_derived_once_for_a_salt() {
    let known = secrets(&[("default", "swordfish")], false);
    let text = recorded("1.1.vault");
    (0..3).for_each(|_| drop(known.decrypt_bytes(&text)));
    assert_eq!(known.keys.lock().unwrap().len(), 1);
}

fn file(dir: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

fn gathered(dir: &Path, sources: &Sources) -> Result<Vec<(String, String)>, String> {
    let mut known = Secrets::default();
    let complete = |path: &str| dir.join(path);
    known.gather(sources, &complete, &|prompt: &str| Ok(format!("<{prompt}>"))).map_err(|e| e.to_string().replace(&dir.display().to_string(), "DIR"))?;
    Ok(known.passwords.into_iter().map(|(label, password)| (label, String::from_utf8(password).unwrap())).collect())
}

#[test]
fn passwords_from_files_programs_and_prompts() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    file(dir, "plain", "  one\n\n", 0o600);
    file(dir, "program", "#!/bin/sh\nprintf 'two%s\\n' \"$*\"\n", 0o700);
    file(dir, "my-client.sh", "#!/bin/sh\n[ \"$2\" = dev ] || { echo no such id >&2; exit 2; }\necho \"three $*\"\n", 0o700);
    let ids = |ids: &[&str]| Sources { ids: ids.iter().map(ToString::to_string).collect(), ..Sources::default() };
    let pair = |label: &str, password: &str| (label.to_string(), password.to_string());
    assert_eq!(
        gathered(dir, &Sources { files: vec!["plain".into()], ask: true, ..ids(&["a@program", "dev@my-client.sh", "p@prompt", "prompt"]) }).unwrap(),
        [
            pair("a", "two"),
            pair("dev", "three --vault-id dev"),
            pair("p", "<Vault password (p): >"),
            pair("default", "<Vault password (default): >"),
            pair("default", "one"),
            pair("default", "<Vault password: >"),
        ]
    );
    assert_eq!(gathered(dir, &ids(&["x@missing", "plain"])).unwrap(), [pair("default", "one")]);
    assert_eq!(gathered(dir, &ids(&["x@missing"])).unwrap_err(), "The vault password file DIR/missing was not found");
    assert_eq!(
        gathered(dir, &ids(&["prod@my-client.sh"])).unwrap_err(),
        "Vault password client script DIR/my-client.sh did not find a secret for vault-id=prod: no such id"
    );
    file(dir, "empty", "\n", 0o600);
    assert_eq!(gathered(dir, &ids(&["empty"])).unwrap_err(), "Invalid vault password was provided from file (DIR/empty)");
    assert_eq!(gathered(dir, &Sources { confirm: true, ..ids(&["prompt"]) }).unwrap_err(), "Passwords do not match");
}

#[test]
fn no_secret_in_what_is_shown() {
    assert_eq!(format!("{:?}", secrets(&[("dev", "hidden")], false)), r#"["dev"]"#);
}
