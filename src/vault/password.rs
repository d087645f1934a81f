//! Where vault passwords come from: files, programs, prompts.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Secrets, VaultError};

/// Asks for a password without showing it; gives the prompt.
pub type Prompt<'a> = dyn Fn(&str) -> std::io::Result<String> + 'a;

/// What the command line and the configuration say about vault passwords.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// `label@source` or `source`, those of the configuration first.
    pub ids: Vec<String>,
    /// Files without a label.
    pub files: Vec<String>,
    /// Ask for a password without a label.
    pub ask: bool,
    /// Ask twice, for a new text.
    pub confirm: bool,
}

impl Secrets {
    /// Reads every source in order and keeps what it gives. A source that fails is a warning as long as another one gives a password.
    ///
    /// `complete` makes paths complete; `prompt` asks the user.
    ///
    /// # Errors
    /// No source gave a password although there are some, or a prompt failed.
    pub fn gather(&mut self, sources: &Sources, complete: &dyn Fn(&str) -> std::path::PathBuf, prompt: &Prompt) -> Result<Vec<VaultError>, VaultError> {
        let mut failures = Vec::new();
        for id in sources.ids.iter().map(String::as_str) {
            let (label, source) = id.split_once('@').map_or((None, id), |(label, source)| (Some(label), source));
            let name = label.unwrap_or(self.default_label()).to_string();
            match source {
                "prompt" => {
                    let password = ask(&format!("ault password ({name}): "), sources.confirm, prompt)?;
                    self.add(&name, password);
                }
                path => self.try_file(&complete(path), label, &mut failures),
            }
        }
        for path in &sources.files {
            self.try_file(&complete(path), None, &mut failures);
        }
        if sources.ask {
            let name = self.default_label().to_string();
            let password = ask("ault password: ", sources.confirm, prompt)?;
            self.add(&name, password);
        }
        if self.is_empty() && !failures.is_empty() { Err(failures.remove(failures.len() - 1)) } else { Ok(failures) }
    }

    fn try_file(&mut self, path: &Path, label: Option<&str>, failures: &mut Vec<VaultError>) {
        match password_from(path, label, self) {
            Ok(password) => self.add(label.unwrap_or(self.default_label()).to_string().as_str(), password),
            Err(failure) => failures.push(failure),
        }
    }
}

fn ask(words: &str, confirm: bool, prompt: &Prompt) -> Result<Vec<u8>, VaultError> {
    let read = |text: &str| prompt(text).map_err(|e| VaultError::Source(format!("no password from the prompt: {e}"))).map(|p| p.trim().as_bytes().to_vec());
    let (first, second) = if confirm { (format!("New v{words}"), Some(format!("Confirm new v{words}"))) } else { (format!("V{words}"), None) };
    let password = read(&first)?;
    if let Some(second) = second
        && read(&second)? != password
    {
        return Err(VaultError::Source("Passwords do not match".into()));
    }
    not_empty(password, || "Invalid vault password was provided".into())
}

fn not_empty(password: Vec<u8>, message: impl Fn() -> String) -> Result<Vec<u8>, VaultError> {
    if password.is_empty() { Err(VaultError::Source(message())) } else { Ok(password) }
}

/// The password that a file holds, or that it prints when it is a program. A file may itself be encrypted with an earlier password.
fn password_from(path: &Path, label: Option<&str>, known: &Secrets) -> Result<Vec<u8>, VaultError> {
    let shown = path.display();
    let Ok(metadata) = path.metadata() else { return Err(VaultError::Source(format!("The vault password file {shown} was not found"))) };
    if metadata.is_dir() {
        return Err(VaultError::Source(format!("The vault password file provided '{shown}' can not be a directory")));
    }
    if metadata.permissions().mode() & 0o111 != 0 {
        let password = run(path, label)?;
        return not_empty(password, || format!("Invalid vault password was provided from script ({shown})"));
    }
    let bytes = std::fs::read(path).map_err(|e| VaultError::Source(format!("Could not read vault password file '{shown}': {e}")))?;
    let text = bytes.trim_ascii();
    let password = if super::is_encrypted(text) { known.decrypt_bytes(text)? } else { text.to_vec() };
    not_empty(trim_line_ends(&password), || format!("Invalid vault password was provided from file ({shown})"))
}

/// Runs a program for a password; one called `*-client` gets the label.
fn run(path: &Path, label: Option<&str>) -> Result<Vec<u8>, VaultError> {
    let shown = path.display();
    let client = path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("-client"));
    let mut command = Command::new(path);
    if let (true, Some(label)) = (client, label) {
        command.args(["--vault-id", label]);
    }
    let stderr = if client { Stdio::piped() } else { Stdio::inherit() };
    let output = command.stderr(stderr).output().map_err(|e| {
        VaultError::Source(format!("Problem running vault password script {shown} ({e}). If this is not a script, remove the executable bit from the file."))
    })?;
    if !output.status.success() {
        let code = output.status.code().map_or_else(|| output.status.to_string(), |code| code.to_string());
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_string();
        let label = label.unwrap_or("None");
        return Err(VaultError::Source(match (client, code.as_str()) {
            (true, "2") => format!("Vault password client script {shown} did not find a secret for vault-id={label}: {stderr}"),
            (true, _) => format!("Vault password client script {shown} returned non-zero ({code}) when getting secret for vault-id={label}: {stderr}"),
            (false, _) => format!("Vault password script {shown} returned non-zero ({code})"),
        }));
    }
    Ok(trim_line_ends(&output.stdout))
}

fn trim_line_ends(bytes: &[u8]) -> Vec<u8> {
    let end = |b: &u8| matches!(b, b'\n' | b'\r');
    let start = bytes.iter().position(|b| !end(b)).unwrap_or(bytes.len());
    let stop = bytes.iter().rposition(|b| !end(b)).map_or(start, |at| at + 1);
    bytes[start..stop].to_vec()
}
