//! `ansible-vault`, `rplay vault`: encrypts and decrypts files and texts.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use super::commands::{self, fail};
use super::console;
use super::flags::VaultFlags;
use super::setup::Surroundings;
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::vault::{Secrets, Sources};

mod edit;
mod files;
mod flags;
mod strings;

use flags::{Command, Encrypt, Flags, Rekey};

/// Exit code of options that make no sense, and of files that cannot be read.
const BAD_OPTIONS: i32 = 5;

/// What a command works with.
struct Desk {
    around: Surroundings,
    config: Config,
}

type Done = Result<(), (Diagnostic, i32)>;

/// What goes wrong with encrypted text itself.
fn wrong(error: impl std::fmt::Display) -> (Diagnostic, i32) {
    (Diagnostic::error(error.to_string()), 1)
}

/// What cannot be meant.
fn bad(message: impl Into<String>) -> (Diagnostic, i32) {
    (Diagnostic::error(message), BAD_OPTIONS)
}

/// Runs the program; `program` is the name it was called by.
pub(super) fn run(program: &str, arguments: &[OsString]) -> i32 {
    if let Some(code) = commands::version(program, arguments) {
        return code;
    }
    let flags = match commands::read::<Flags>(program, arguments) {
        Ok(flags) => flags,
        Err(code) => return code,
    };
    let desk = match commands::begin(flags.verbose) {
        Ok((around, config)) => Desk { around, config },
        Err(code) => return code,
    };
    match desk.answer(&flags.command) {
        Ok(()) => 0,
        Err((error, code)) => fail(&error, code),
    }
}

impl Desk {
    fn answer(&self, command: &Command) -> Done {
        match command {
            Command::Encrypt(encrypt) => self.encrypt(encrypt),
            Command::Decrypt(decrypt) => {
                let secrets = self.known(&decrypt.vault)?;
                files::each(&decrypt.files, decrypt.output.as_deref(), self, "Decryption successful", |bytes| secrets.decrypt_bytes(bytes).map_err(wrong))
            }
            Command::View(view) => {
                let secrets = self.known(&view.vault)?;
                view.files.iter().try_for_each(|file| {
                    let plain = secrets.decrypt_bytes(&files::read(&self.path(file))?).map_err(|error| wrong(format!("{error} for {file}")))?;
                    files::to_screen(&plain)
                })
            }
            Command::Rekey(rekey) => self.rekey(rekey),
            Command::Create(create) => edit::create(self, create),
            Command::Edit(edit) => edit::edit(self, edit),
            Command::EncryptString(string) => strings::encrypt(self, string),
        }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.config.places.from_cwd(file)
    }

    /// Passwords that open what is there; asked for where none is given.
    fn known(&self, vault: &VaultFlags) -> Result<Secrets, (Diagnostic, i32)> {
        self.gather(vault.sources(&self.config))
    }

    /// Passwords for what is to be encrypted, and the label of the one to take.
    fn fresh(&self, vault: &VaultFlags, label: Option<&String>) -> Result<(Secrets, Option<String>), (Diagnostic, i32)> {
        let secrets = self.gather(Sources { confirm: true, ..vault.sources(&self.config) })?;
        let label = self.label(&secrets, label)?;
        Ok((secrets, label))
    }

    /// The label to encrypt with: where there are several, one must be named.
    fn label(&self, secrets: &Secrets, given: Option<&String>) -> Result<Option<String>, (Diagnostic, i32)> {
        let label = given.cloned().or_else(|| self.config.vault_encrypt_identity.clone());
        let mut labels: Vec<&str> = secrets.labels().collect();
        labels.dedup();
        if label.is_none() && labels.len() > 1 {
            let labels = labels.join(",");
            return Err(bad(format!("The vault-ids {labels} are available to encrypt. Specify the vault-id to encrypt with --encrypt-vault-id")));
        }
        Ok(label)
    }

    fn gather(&self, mut sources: Sources) -> Result<Secrets, (Diagnostic, i32)> {
        sources.ask |= sources.ids.is_empty() && sources.files.is_empty();
        let mut secrets = Secrets::new(&self.config.vault_identity, self.config.vault_id_match, self.config.vault_encrypt_salt.as_deref());
        let failures = secrets.gather(&sources, &|path| self.path(path), &console::secret).map_err(wrong)?;
        console::complain(&failures.into_iter().map(|failure| Diagnostic::warning(failure.to_string())).collect::<Vec<_>>());
        Ok(secrets)
    }

    fn encrypt(&self, encrypt: &Encrypt) -> Done {
        let (secrets, label) = self.fresh(&encrypt.vault, encrypt.encrypt_vault_id.as_ref())?;
        files::each(&encrypt.files, encrypt.output.as_deref(), self, "Encryption successful", |bytes| {
            Ok(secrets.encrypt(bytes, label.as_deref()).map_err(wrong)?.into_bytes())
        })
    }

    fn rekey(&self, rekey: &Rekey) -> Done {
        let old = self.known(&rekey.vault)?;
        let ids = rekey.new_vault_id.iter().cloned().collect();
        let files = rekey.new_vault_password_file.iter().cloned().collect();
        let new = self.gather(Sources { ids, files, ask: false, confirm: true })?;
        let label = new.labels().next().map(str::to_string);
        // every file is opened before the first is written
        let plain = rekey.files.iter().map(|file| {
            let path = self.path(file);
            let bytes = old.decrypt_bytes(&files::read(&path)?).map_err(|error| wrong(format!("{error} for {}", path.display())))?;
            Ok((path, bytes))
        });
        for (path, bytes) in plain.collect::<Result<Vec<_>, (Diagnostic, i32)>>()? {
            let sealed = new.encrypt(&bytes, label.as_deref()).map_err(wrong)?;
            files::replace(&path, sealed.as_bytes())?;
        }
        console::tell("Rekey successful\n");
        Ok(())
    }
}

/// Says what was done, to somebody who looks.
fn done(text: &str) {
    if std::io::stdout().is_terminal() {
        console::tell(&format!("{text}\n"));
    }
}
