//! `rplay links FOLDER`: links to rplay under the names of Ansible's programs, for others that call these.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use clap::Parser;

use super::commands::{self, fail};
use super::console;
use super::programs::PROGRAMS;
use super::setup::Surroundings;
use crate::diagnostic::Diagnostic;

/// Makes links.
#[derive(Debug, Parser)]
#[command(about = "Makes a folder of links to rplay under the names of Ansible's programs; put it first on PATH.")]
struct Flags {
    /// Where the links stand; made where it is missing
    #[arg(value_name = "FOLDER")]
    folder: String,
}

/// Makes the links; `program` is the name it was called by.
pub(super) fn run(program: &str, arguments: &[OsString]) -> i32 {
    let flags = match commands::read::<Flags>(program, arguments) {
        Ok(flags) => flags,
        Err(code) => return code,
    };
    let around = Surroundings::read();
    let folder = around.cwd.join(&flags.folder);
    match make(&folder, &around.program) {
        Ok(()) => {
            PROGRAMS.iter().for_each(|program| console::say(&format!("{}\n", folder.join(program.name).display())));
            0
        }
        Err(error) => fail(&error, 1),
    }
}

fn make(folder: &Path, executable: &Path) -> Result<(), Diagnostic> {
    let cannot = |path: &Path, error: io::Error| Diagnostic::error(format!("cannot make {}: {error}", path.display()));
    std::fs::create_dir_all(folder).map_err(|error| cannot(folder, error))?;
    for program in PROGRAMS {
        let path = folder.join(program.name);
        if std::fs::symlink_metadata(&path).is_ok_and(|found| !found.is_symlink()) {
            return Err(Diagnostic::error(format!("{} is there and is no link", path.display())).help("take another folder, or move it away"));
        }
        // a link beside, then renamed: whoever calls it finds the old or the new one
        let beside = folder.join(format!(".{}.{}", program.name, std::process::id()));
        symlink(executable, &beside).and_then(|()| std::fs::rename(&beside, &path)).map_err(|error| {
            let _ = std::fs::remove_file(&beside);
            cannot(&path, error)
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_made_and_renewed_and_nothing_else_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("a/b");
        make(&folder, Path::new("/one")).unwrap();
        make(&folder, Path::new("/two")).unwrap();
        let mut names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert!(names.contains(&"ansible-playbook".to_string()) && names.len() == PROGRAMS.len(), "{names:?}");
        assert_eq!(std::fs::read_link(folder.join("ansible-config")).unwrap(), Path::new("/two"));
        std::fs::remove_file(folder.join("ansible-config")).unwrap();
        std::fs::write(folder.join("ansible-config"), "mine").unwrap();
        assert!(make(&folder, Path::new("/one")).unwrap_err().message.ends_with("is there and is no link"));
        assert_eq!(std::fs::read_to_string(folder.join("ansible-config")).unwrap(), "mine");
    }
}
