//! What is asked for: words of the command line, and files of requirements.

use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::source::Source;
use crate::value::text;
use crate::yaml::{self, Node};

/// A role that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleWanted {
    /// Name of its folder.
    pub name: String,
    /// `owner.name` of Galaxy, an address, a file or folder.
    pub src: String,
    /// `git`, where it is in a repository.
    pub scm: Option<String>,
    /// Version, branch, tag or commit.
    pub version: Option<String>,
}

/// Where a collection comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// A Galaxy server: one of those configured, or this one.
    Galaxy(Option<String>),
    /// An archive.
    File(PathBuf),
    /// An archive elsewhere.
    Url(String),
    /// A repository, and a folder in it.
    Git(String, String),
    /// A folder with `galaxy.yml`.
    Dir(PathBuf),
    /// A folder of such folders.
    Subdirs(PathBuf),
}

/// A collection that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionWanted {
    /// `namespace.name`, for Galaxy; elsewhere the source says it.
    pub name: String,
    /// Range of versions; for git a branch, tag or commit.
    pub version: String,
    /// Where it comes from.
    pub from: From,
}

/// A file of requirements.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requirements {
    /// Roles, in order.
    pub roles: Vec<RoleWanted>,
    /// Collections, in order.
    pub collections: Vec<CollectionWanted>,
}

/// The name of a role by its address: the last part without `.git`, `.tar.gz` and version.
fn role_name(src: &str) -> String {
    if !src.contains("://") && !src.contains('@') {
        return src.to_string();
    }
    let last = src.rsplit('/').next().unwrap_or(src);
    let last = last.strip_suffix(".git").unwrap_or(last);
    let last = last.strip_suffix(".tar.gz").unwrap_or(last);
    last.split(',').next().unwrap_or(last).to_string()
}

/// `git+https://...` in two.
fn scm_in(src: &str) -> (Option<String>, String) {
    match src.split_once('+') {
        Some((scm, rest)) if ["git", "hg"].contains(&scm) => (Some(scm.to_string()), rest.to_string()),
        _ => (None, src.to_string()),
    }
}

impl RoleWanted {
    /// `SRC[,VERSION[,NAME]]`.
    ///
    /// # Errors
    /// There are more commas.
    pub fn word(word: &str) -> Result<RoleWanted, Diagnostic> {
        let parts: Vec<&str> = word.trim().split(',').collect();
        let (src, version, name) = match parts[..] {
            [src] => (src, None, None),
            [src, version] => (src, Some(version), None),
            [src, version, name] => (src, Some(version), Some(name)),
            _ => return Err(Diagnostic::error(format!("Invalid role line ({word}). Proper format is 'role_name[,version[,name]]'"))),
        };
        let folder = Path::new(src).is_dir().then(|| Path::new(src).file_name().map(|name| name.to_string_lossy().into_owned())).flatten();
        let name = name.map(str::to_string).or(folder).unwrap_or_else(|| role_name(src));
        let (scm, src) = scm_in(src);
        Ok(RoleWanted { name: checked(&name)?, src, scm, version: version.filter(|version| !version.is_empty()).map(str::to_string) })
    }

    /// An entry of a file, or of a role's dependencies.
    pub(super) fn node(node: &Node) -> Result<RoleWanted, Diagnostic> {
        if let Some(word) = node.as_str() {
            return RoleWanted::word(word).map_err(|error| error.at(&node.span));
        }
        let get = |key: &str| node.get(key).filter(|value| !value.is_null()).map(|value| text(&value.to_value()));
        let word = |name: Option<String>| name.filter(|name| !name.is_empty());
        let src = word(get("src")).or_else(|| word(get("role"))).or_else(|| word(get("name")));
        let src = src.ok_or_else(|| Diagnostic::error("a role needs `src` or `name`").at(&node.span))?;
        let from = RoleWanted::word(&src).map_err(|error| error.at(&node.span))?;
        let name = get("name").or_else(|| get("role")).unwrap_or(from.name);
        Ok(RoleWanted {
            name: checked(&name).map_err(|error| error.at(&node.span))?,
            src: from.src,
            scm: get("scm").or(from.scm),
            version: get("version").filter(|version| !version.is_empty()).or(from.version),
        })
    }
}

/// A name that is a folder's; a path is cut to its last part.
fn checked(name: &str) -> Result<String, Diagnostic> {
    let last = name.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if last.is_empty() || last == "." || last == ".." {
        return Err(Diagnostic::error(format!("`{name}` is no name of a role")));
    }
    Ok(last.to_string())
}

impl CollectionWanted {
    /// `NAME[:RANGE]`, a file, a folder, an address, `git+URL[#/FOLDER][,VERSION]`.
    ///
    /// # Errors
    /// It is none of these.
    pub fn word(word: &str, base: &Path) -> Result<CollectionWanted, Diagnostic> {
        if word.starts_with("git+") || word.starts_with("git@") {
            return Ok(CollectionWanted::git(word, None));
        }
        if word.starts_with("http://") || word.starts_with("https://") {
            return Ok(CollectionWanted { name: word.into(), version: "*".into(), from: From::Url(word.into()) });
        }
        let path = base.join(word);
        if path.is_file() {
            return Ok(CollectionWanted { name: word.into(), version: "*".into(), from: From::File(path) });
        }
        if path.is_dir() {
            let from = if path.join("galaxy.yml").is_file() { From::Dir(path) } else { From::Subdirs(path) };
            return Ok(CollectionWanted { name: word.into(), version: "*".into(), from });
        }
        let (name, version) = word.split_once(':').unwrap_or((word, "*"));
        CollectionWanted::galaxy(name, version, None)
    }

    pub(super) fn galaxy(name: &str, version: &str, source: Option<String>) -> Result<CollectionWanted, Diagnostic> {
        let part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        match name.split('.').collect::<Vec<_>>()[..] {
            [namespace, last] if part(namespace) && part(last) => {
                Ok(CollectionWanted { name: name.into(), version: if version.is_empty() { "*" } else { version }.into(), from: From::Galaxy(source) })
            }
            _ => Err(Diagnostic::error(format!("`{name}` is no collection: neither a file nor a folder nor namespace.name"))),
        }
    }

    fn git(word: &str, version: Option<&str>) -> CollectionWanted {
        let url = word.strip_prefix("git+").unwrap_or(word);
        let (url, inline) = url.split_once(',').map_or((url, None), |(url, version)| (url, Some(version)));
        let (url, folder) = url.split_once('#').unwrap_or((url, ""));
        let version = version.or(inline).filter(|version| !version.is_empty()).unwrap_or("*");
        CollectionWanted { name: word.into(), version: version.into(), from: From::Git(url.into(), folder.trim_matches('/').into()) }
    }

    fn node(node: &Node, base: &Path) -> Result<CollectionWanted, Diagnostic> {
        if let Some(word) = node.as_str() {
            return CollectionWanted::word(word, base).map_err(|error| error.at(&node.span));
        }
        let get = |key: &str| node.get(key).filter(|value| !value.is_null()).map(|value| text(&value.to_value()));
        if let Some(signatures) = node.get("signatures") {
            return Err(Diagnostic::error("rplay does not check signatures of collections")
                .at(&signatures.span)
                .help("take the line out; archives are checked by their SHA-256"));
        }
        let (name, source) = (get("name"), get("source"));
        let version = get("version").unwrap_or_else(|| "*".into());
        let place = source.clone().or_else(|| name.clone());
        let place = place.ok_or_else(|| Diagnostic::error("a collection needs `name`").at(&node.span))?;
        let named = |from: From| Ok(CollectionWanted { name: name.clone().unwrap_or_else(|| place.clone()), version: version.clone(), from });
        let at = |error: Diagnostic| error.at(&node.span);
        let of_name = name.clone().unwrap_or_else(|| place.clone());
        match get("type").as_deref() {
            Some("git") => Ok(CollectionWanted::git(&of_name, Some(&version))),
            Some("file") => named(From::File(base.join(of_name))),
            Some("url") => named(From::Url(of_name)),
            Some("dir") => named(From::Dir(base.join(of_name))),
            Some("subdirs") => named(From::Subdirs(base.join(of_name))),
            Some("galaxy") => CollectionWanted::galaxy(&of_name, &version, source).map_err(at),
            Some(other) => Err(at(Diagnostic::error(format!("a collection's type is galaxy, url, file, git, dir or subdirs, not `{other}`")))),
            None if source.is_some() => CollectionWanted::galaxy(&of_name, &version, source).map_err(at),
            None => CollectionWanted::word(&of_name, base).map(|wanted| CollectionWanted { version, ..wanted }).map_err(at),
        }
    }
}

impl Requirements {
    /// Reads a file: a list of roles, or `roles:` and `collections:`.
    ///
    /// # Errors
    /// It is not there, or something in it is wrong.
    pub fn read(path: &Path) -> Result<Requirements, Diagnostic> {
        let mut depth = Vec::new();
        Requirements::file(path, &mut depth)
    }

    fn file(path: &Path, open: &mut Vec<PathBuf>) -> Result<Requirements, Diagnostic> {
        if !path.exists() {
            return Err(Diagnostic::error(format!("The requirements file '{}' does not exist.", path.display())));
        }
        if open.contains(&path.to_path_buf()) {
            return Err(Diagnostic::error(format!("requirements files include each other: {}", path.display())));
        }
        open.push(path.to_path_buf());
        let content = std::fs::read_to_string(path).map_err(|error| Diagnostic::error(format!("cannot read {}: {error}", path.display())))?;
        let node = yaml::load(&Source::new(path, content), &yaml::Options::default())?.node;
        let mut found = Requirements::default();
        if let Some(list) = node.as_list() {
            found.add_roles(list, path, open)?;
        } else if let Some(pairs) = node.as_map() {
            for pair in pairs {
                let name = text(&pair.key.to_value());
                let list = if pair.value.is_null() {
                    &[][..]
                } else {
                    pair.value.as_list().ok_or_else(|| Diagnostic::error(format!("`{name}` is a list")).at(&pair.value.span))?
                };
                match name.as_str() {
                    "roles" => found.add_roles(list, path, open)?,
                    "collections" => {
                        let base = path.parent().unwrap_or_else(|| Path::new("."));
                        for entry in list {
                            found.collections.push(CollectionWanted::node(entry, base)?);
                        }
                    }
                    _ => return Err(Diagnostic::error(format!("a requirements file has `roles` and `collections`, not `{name}`")).at(&pair.key.span)),
                }
            }
        } else if !node.is_null() {
            return Err(Diagnostic::error(format!("a requirements file is a list of roles, or has `roles` and `collections`; this is {}", node.described()))
                .at(&node.span));
        }
        open.pop();
        Ok(found)
    }

    fn add_roles(&mut self, list: &[Node], path: &Path, open: &mut Vec<PathBuf>) -> Result<(), Diagnostic> {
        for entry in list {
            match entry.get("include").and_then(Node::as_str) {
                Some(include) => {
                    let file = path.parent().unwrap_or_else(|| Path::new(".")).join(include);
                    let more = Requirements::file(&file, open)?;
                    self.roles.extend(more.roles);
                }
                None => self.roles.push(RoleWanted::node(entry)?),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(word: &str) -> String {
        let role = RoleWanted::word(word).unwrap();
        format!("{} {} {:?} {:?}", role.name, role.src, role.scm, role.version)
    }

    #[test]
    fn words_for_roles() {
        assert_eq!(role("geer.docker"), "geer.docker geer.docker None None");
        assert_eq!(role("geer.docker,1.2"), "geer.docker geer.docker None Some(\"1.2\")");
        assert_eq!(role("git+https://h/a/b.git,v1,n"), "n https://h/a/b.git Some(\"git\") Some(\"v1\")");
        assert_eq!(role("https://h/a/b.tar.gz"), "b https://h/a/b.tar.gz None None");
        assert_eq!(role("git@h:a/b.git"), "b git@h:a/b.git None None");
        assert!(RoleWanted::word("a,b,c,d").is_err() && RoleWanted::word("x,1,..").is_err());
    }

    #[test]
    fn words_for_collections() {
        let dir = tempfile::tempdir().unwrap();
        let word = |word: &str| CollectionWanted::word(word, dir.path());
        assert_eq!(word("a.b:>=1.0.0").unwrap(), CollectionWanted { name: "a.b".into(), version: ">=1.0.0".into(), from: From::Galaxy(None) });
        assert_eq!(word("git+https://h/r.git#/sub/,main").unwrap().from, From::Git("https://h/r.git".into(), "sub".into()));
        assert_eq!(word("git+https://h/r.git#/sub/,main").unwrap().version, "main");
        assert!(word("a").is_err() && word("a.b.c").is_err() && word("../x.y/z").is_err());
    }

    #[test]
    fn files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.yml");
        let read = |content: &str| {
            std::fs::write(&path, content).unwrap();
            Requirements::read(&path)
        };
        let both = read("roles:\n  - src: https://h/x.git\n    scm: git\n    version: 1.10\n    name: x\n  - a.b\ncollections:\n  - c.d\n  - name: e.f\n    version: '>=2.0.0'\n    source: http://s/\n").unwrap();
        assert_eq!((both.roles.len(), both.collections.len()), (2, 2));
        assert_eq!(both.roles[0].scm.as_deref(), Some("git"));
        assert_eq!(both.collections[1].from, From::Galaxy(Some("http://s/".into())));
        assert_eq!(read("- a.b\n- name: c\n  src: c.d\n").unwrap().roles[1].src, "c.d");
        for (content, place, part) in [
            ("roles: 1\n", "1:8", "`roles` is a list"),
            ("rols: []\n", "1:1", "`rols`"),
            ("- version: 1\n", "1:3", "`src` or `name`"),
            ("collections:\n  - name: a.b\n    type: ftp\n", "2:5", "`ftp`"),
            ("collections:\n  - name: a.b\n    signatures: [x]\n", "3:17", "signatures"),
            ("x\n", "1:1", "a list of roles"),
            ("- include: r.yml\n", "", "include each other"),
        ] {
            let error = read(content).unwrap_err();
            let at = error.span.as_ref().map(|span| format!("{}:{}", span.position().line, span.position().column)).unwrap_or_default();
            assert!(at == place && error.message.contains(part), "{content}: {at} {}", error.message);
        }
    }
}
