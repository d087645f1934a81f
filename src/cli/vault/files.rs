//! Files of the vault's commands: read whole, written whole or not at all; they keep mode and owner.

use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::Path;

use super::{Desk, Done, bad, done, wrong};
use crate::cli::console;
use crate::diagnostic::Diagnostic;

/// Does the same to every file, in place or into one other; standard input is `-`, or no file at all.
pub(super) fn each(files: &[String], output: Option<&str>, desk: &Desk, said: &str, change: impl Fn(&[u8]) -> Result<Vec<u8>, (Diagnostic, i32)>) -> Done {
    if files.len() > 1 && output.is_some() {
        return Err(bad("At most one input file may be used with the --output option"));
    }
    let input = ["-".to_string()];
    for file in if files.is_empty() { &input } else { files } {
        let place = if file == "-" { "standard input".to_string() } else { desk.path(file).display().to_string() };
        let read = if file == "-" { standard_input() } else { read(&desk.path(file)) };
        let new = change(&read?).map_err(|(error, code)| (in_file(error, &place), code))?;
        match output.unwrap_or(file) {
            "-" => to_screen(&new)?,
            other => replace(&desk.path(other), &new)?,
        }
    }
    done(said);
    Ok(())
}

fn in_file(error: Diagnostic, place: &str) -> Diagnostic {
    // one that knows its place already says it
    if error.message.contains(place) { error } else { error.note(format!("in {place}")) }
}

/// A file's bytes.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, (Diagnostic, i32)> {
    std::fs::read(path).map_err(|error| wrong(format!("Unable to read source file ({}): {error}", path.display())))
}

/// Everything on standard input.
pub(super) fn standard_input() -> Result<Vec<u8>, (Diagnostic, i32)> {
    let mut bytes = Vec::new();
    if io::IsTerminal::is_terminal(&io::stdin()) {
        console::tell("Reading input from stdin. (ctrl-d to end input)\n");
    }
    io::stdin().lock().read_to_end(&mut bytes).map_err(|error| bad(format!("cannot read standard input: {error}")))?;
    Ok(bytes)
}

/// Bytes to standard output.
pub(super) fn to_screen(bytes: &[u8]) -> Done {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| bad(format!("cannot write to standard output: {error}")))
}

/// Puts new content in place of a file's; a new file is for its owner only.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Done {
    // what a link points to is replaced, not the link
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    write(&path, bytes).map_err(|error| bad(format!("Unable to write to destination file ({}): {error}", path.display())))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or_else(|| Path::new("/")))?;
    if let Ok(old) = std::fs::metadata(path) {
        if (old.uid(), old.gid()) != (file.as_file().metadata()?.uid(), file.as_file().metadata()?.gid()) {
            fchown(file.as_file(), Some(old.uid()), Some(old.gid()))?;
        }
        file.as_file().set_permissions(std::fs::Permissions::from_mode(old.mode() & 0o7777))?;
    }
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map(|_| ()).map_err(|failed| failed.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_its_mode_and_a_link_its_target() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("f"), dir.path().join("l"));
        std::fs::write(&file, "old").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("f", &link).unwrap();
        assert!(replace(&link, b"new").is_ok());
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o7777, 0o640);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(replace(&dir.path().join("n"), b"x").is_ok());
        assert_eq!(std::fs::metadata(dir.path().join("n")).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3);
        let (error, code) = replace(&dir.path().join("no/such"), b"x").unwrap_err();
        assert!(code == 5 && error.message.starts_with("Unable to write to destination file"), "{}", error.message);
    }
}
