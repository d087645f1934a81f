//! `create` and `edit`: the plain text is in a private file while the editor is open, and nowhere else.

use std::io::{self, IsTerminal as _, Seek as _, Write as _};
use std::process::Command;

use super::flags::{Create, Edit};
use super::{Desk, Done, bad, files, wrong};
use crate::diagnostic::Diagnostic;
use crate::value::text;

/// A new file.
pub(super) fn create(desk: &Desk, create: &Create) -> Done {
    if !create.skip_tty_check && !io::stdout().is_terminal() {
        return Err(bad("not a tty, editor cannot be opened"));
    }
    let path = desk.path(&create.file);
    if path.exists() {
        return Err(wrong(format!("{} exists, please use 'edit' instead", path.display())));
    }
    let (secrets, label) = desk.fresh(&create.vault, create.encrypt_vault_id.as_ref())?;
    let plain = in_editor(desk, b"")?;
    files::replace(&path, secrets.encrypt(&plain, label.as_deref()).map_err(wrong)?.as_bytes())
}

/// Files that are there; a file that was not changed is not written.
pub(super) fn edit(desk: &Desk, edit: &Edit) -> Done {
    let secrets = desk.known(&edit.vault)?;
    for file in &edit.files {
        let path = desk.path(file);
        let (plain, own) = secrets.decrypt_and_label(&files::read(&path)?).map_err(|error| wrong(format!("{error} for {}", path.display())))?;
        let changed = in_editor(desk, &plain)?;
        let relabelled = edit.encrypt_vault_id.as_deref().is_some_and(|label| label != own);
        if changed != plain || relabelled {
            let label = edit.encrypt_vault_id.as_deref().unwrap_or(own);
            files::replace(&path, secrets.encrypt(&changed, Some(label)).map_err(wrong)?.as_bytes())?;
        }
    }
    Ok(())
}

/// What the user makes of a text. The file is overwritten before it goes.
fn in_editor(desk: &Desk, plain: &[u8]) -> Result<Vec<u8>, (Diagnostic, i32)> {
    let failed = |error: io::Error| bad(format!("cannot keep the text for the editor: {error}"));
    let folder = tempfile::Builder::new().prefix("rplay-vault-").tempdir().map_err(failed)?;
    let path = folder.path().join("text.yml");
    let mut file = std::fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(file.create_new(true).write(true), 0o600);
    file.open(&path).and_then(|mut file| file.write_all(plain)).map_err(failed)?;
    let edited = run_editor(desk, &path).and_then(|()| std::fs::read(&path).map_err(failed));
    let wiped = wipe(&path);
    let edited = edited?;
    wiped.map_err(|error| bad(format!("the plain text could not be wiped: {error}")))?;
    Ok(edited)
}

fn run_editor(desk: &Desk, path: &std::path::Path) -> Result<(), (Diagnostic, i32)> {
    let chosen = desk.config.setting("EDITOR").map(|chosen| text(&chosen.value)).filter(|editor| !editor.is_empty()).unwrap_or_else(|| "vi".into());
    let words = rplay_modules::shell_words::split(&chosen).map_err(|error| bad(format!("cannot read the editor's command `{chosen}`: {error}")))?;
    let [program, arguments @ ..] = words.as_slice() else { return Err(bad("the editor's command is empty")) };
    let status = Command::new(program).args(arguments).arg(path).envs(&desk.around.env).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(wrong(format!("the editor `{chosen}` failed ({status}); nothing was changed"))),
        Err(error) => Err(wrong(format!("cannot start the editor `{chosen}`: {error}"))),
    }
}

fn wipe(path: &std::path::Path) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).open(path)?;
    let length = file.metadata()?.len();
    file.seek(io::SeekFrom::Start(0))?;
    io::copy(&mut io::Read::take(io::repeat(0), length), &mut file)?;
    file.sync_all()?;
    std::fs::remove_file(path)
}
