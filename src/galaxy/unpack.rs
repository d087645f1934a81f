//! Archives into folders: nothing is written outside the folder, and a folder is there whole or not at all.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use super::Trouble;

/// What an archive holds at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A folder.
    Folder,
    /// A file: its bytes, and whether it is a program.
    File(Vec<u8>, bool),
    /// A symbolic link to another path in the archive, as it is written.
    Link(PathBuf),
}

/// The members of an archive by their paths, which are relative and without `..`.
pub type Members = Vec<(PathBuf, Content)>;

/// A path that stays below where it begins, without `.`; `None` for any other.
pub fn inside(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(clean)
}

/// Where a link leads, when that stays inside.
fn link_inside(at: &Path, target: &Path) -> bool {
    if target.is_absolute() {
        return false;
    }
    let mut depth = at.components().count().saturating_sub(1);
    for part in target.components() {
        match part {
            Component::ParentDir if depth == 0 => return false,
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            _ => {}
        }
    }
    true
}

/// Reads a tar archive, compressed by gzip or not.
///
/// # Errors
/// It is damaged, or a member would leave the folder or is no file, folder or link.
pub fn read(bytes: &[u8]) -> Result<Members, Trouble> {
    let plain: Box<dyn std::io::Read> = if bytes.starts_with(&[0x1f, 0x8b]) { Box::new(flate2::read::MultiGzDecoder::new(bytes)) } else { Box::new(bytes) };
    let mut archive = tar::Archive::new(plain);
    let damaged = |error: std::io::Error| Trouble::new(format!("the file is no readable tar archive: {error}"));
    let mut members = Vec::new();
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let written = entry.path().map_err(damaged)?.into_owned();
        let leaves = |what: &Path| Trouble::new(format!("the archive has a member that leads out of its folder: {}", what.display()));
        let path = inside(&written).ok_or_else(|| leaves(&written))?;
        let kind = entry.header().entry_type();
        let content = match kind {
            tar::EntryType::Directory => Content::Folder,
            tar::EntryType::Regular | tar::EntryType::Continuous => {
                let program = entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0);
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).map_err(damaged)?;
                Content::File(bytes, program)
            }
            tar::EntryType::Symlink => {
                let target = entry.link_name().map_err(damaged)?.map(|name| name.into_owned()).unwrap_or_default();
                if !link_inside(&path, &target) {
                    return Err(leaves(&written));
                }
                Content::Link(target)
            }
            tar::EntryType::XGlobalHeader => continue,
            _ => return Err(Trouble::new(format!("the archive has a member that is no file, folder or symbolic link: {}", written.display()))),
        };
        if path.as_os_str().is_empty() {
            continue;
        }
        members.push((path, content));
    }
    Ok(members)
}

/// The members of a folder, by path; names in `leave` are left out wherever they stand.
///
/// # Errors
/// Something cannot be read, or a link leads out of the folder.
pub fn folder(root: &Path, leave: &[&str]) -> Result<Members, Trouble> {
    let mut members = Vec::new();
    walk(root, Path::new(""), leave, &mut members).map_err(|error| Trouble::new(format!("cannot read {}: {error}", root.display())))?;
    match members.iter().find(|(path, content)| matches!(content, Content::Link(target) if !link_inside(path, target))) {
        Some((path, _)) => Err(Trouble::new(format!("a link leads out of its folder: {}", root.join(path).display()))),
        None => Ok(members),
    }
}

fn walk(root: &Path, below: &Path, leave: &[&str], members: &mut Members) -> std::io::Result<()> {
    let mut entries: Vec<_> = std::fs::read_dir(root.join(below))?.collect::<Result<_, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = below.join(entry.file_name());
        if leave.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            members.push((path, Content::Link(std::fs::read_link(entry.path())?)));
        } else if kind.is_dir() {
            members.push((path.clone(), Content::Folder));
            walk(root, &path, leave, members)?;
        } else {
            let program = entry.metadata()?.permissions().mode() & 0o100 != 0;
            members.push((path, Content::File(std::fs::read(entry.path())?, program)));
        }
    }
    Ok(())
}

/// Those below a folder of the archive, by what is left of their paths.
pub fn below(members: Members, folder: &Path) -> Members {
    let strip = |(path, content): (PathBuf, Content)| Some((path.strip_prefix(folder).ok()?.to_path_buf(), content));
    members.into_iter().filter_map(strip).filter(|(path, _)| !path.as_os_str().is_empty()).collect()
}

/// The bytes of a file among members.
pub fn file<'a>(members: &'a Members, path: &str) -> Option<&'a [u8]> {
    members.iter().find_map(|(at, content)| match content {
        Content::File(bytes, _) if at == Path::new(path) => Some(bytes.as_slice()),
        _ => None,
    })
}

/// Writes members beside the target and puts them in its place: what was there before is gone only then.
///
/// # Errors
/// Something cannot be written; the target is as it was.
pub fn place(members: &Members, target: &Path) -> Result<(), Trouble> {
    write(members, target).map_err(|error| Trouble::new(format!("cannot write {}: {error}", target.display())))
}

fn write(members: &Members, target: &Path) -> std::io::Result<()> {
    let parent = target.parent().unwrap_or_else(|| Path::new("/"));
    std::fs::create_dir_all(parent)?;
    let beside = tempfile::Builder::new().prefix(".rplay-").tempdir_in(parent)?;
    let new = beside.path().join("new");
    std::fs::create_dir(&new)?;
    // links last: nothing is written through one
    let (links, others): (Vec<_>, Vec<_>) = members.iter().partition(|(_, content)| matches!(content, Content::Link(_)));
    for (path, content) in others.into_iter().chain(links) {
        let at = new.join(path);
        if let Some(folder) = at.parent() {
            std::fs::create_dir_all(folder)?;
        }
        match content {
            Content::Folder => std::fs::create_dir_all(&at)?,
            Content::File(bytes, program) => {
                std::fs::write(&at, bytes)?;
                std::fs::set_permissions(&at, std::fs::Permissions::from_mode(if *program { 0o755 } else { 0o644 }))?;
            }
            Content::Link(to) => std::os::unix::fs::symlink(to, &at)?,
        }
    }
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755))?;
    let old = beside.path().join("old");
    let there = std::fs::symlink_metadata(target).is_ok();
    if there {
        std::fs::rename(target, &old)?;
    }
    if let Err(error) = std::fs::rename(&new, target) {
        if there {
            std::fs::rename(&old, target)?;
        }
        return Err(error);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(entries: &[(&str, tar::EntryType, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, kind, text) in entries {
            let mut header = tar::Header::new_gnu();
            // names that the builder would refuse are written by hand
            header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            header.set_mode(0o644);
            if *kind == tar::EntryType::Symlink {
                header.as_gnu_mut().unwrap().linkname[..text.len()].copy_from_slice(text.as_bytes());
                header.set_size(0);
            } else {
                header.set_size(text.len() as u64);
            }
            header.set_cksum();
            builder.append(&header, if *kind == tar::EntryType::Symlink { &[][..] } else { text.as_bytes() }).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn an_archive_becomes_a_folder_and_replaces_another() {
        use tar::EntryType::{Directory, Regular, Symlink};
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("deep/role");
        let members = read(&archive(&[("r/", Directory, ""), ("r/meta/main.yml", Regular, "{}"), ("r/l", Symlink, "meta/main.yml")])).unwrap();
        place(&below(members, Path::new("r")), &target).unwrap();
        assert_eq!(std::fs::read_to_string(target.join("l")).unwrap(), "{}");
        place(&read(&archive(&[("a", Regular, "1")])).unwrap(), &target).unwrap();
        assert_eq!(std::fs::read_dir(&target).unwrap().count(), 1);
        assert_eq!(std::fs::read_dir(target.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn nothing_leaves_the_folder() {
        use tar::EntryType::{Block, Link, Regular, Symlink};
        for (path, kind, text) in [
            ("../x", Regular, "1"),
            ("a/../../x", Regular, "1"),
            ("/etc/x", Regular, "1"),
            ("a/l", Symlink, "../../x"),
            ("l", Symlink, "/etc/passwd"),
            ("h", Link, ""),
            ("d", Block, ""),
        ] {
            assert!(read(&archive(&[(path, kind, text)])).is_err(), "{path}");
        }
        assert!(read(b"no archive at all, but long enough to be taken for the header of one, if nobody looks").is_err());
    }
}
