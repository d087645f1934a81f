//! Installs roles.

use std::path::{Path, PathBuf};

use super::installed::{self, ROLE_NOTE};
use super::requirement::RoleWanted;
use super::unpack::{self, Content, Members};
use super::{Around, Tell, Trouble, scm, server};
use crate::source::Source;
use crate::value::text;
use crate::yaml::{self, Node};

/// How roles are installed.
#[derive(Debug, Clone)]
pub struct Roles {
    /// Folders of roles: the first takes new ones, the others are looked into.
    pub folders: Vec<PathBuf>,
    /// What is there is replaced.
    pub force: bool,
    /// Dependencies that are there are replaced.
    pub force_deps: bool,
    /// Dependencies are left out.
    pub no_deps: bool,
    /// Go on after a role that could not be installed.
    pub ignore_errors: bool,
    /// `.git` is kept.
    pub keep_scm: bool,
    /// Relative sources begin here.
    pub base: PathBuf,
}

/// A role's files, and its version.
struct Fetched {
    members: Members,
    version: Option<String>,
}

impl Roles {
    /// Installs roles and what they depend on; false when one could not be installed.
    pub fn install(&self, wanted: Vec<RoleWanted>, around: &Around, tell: &mut Tell) -> bool {
        let mut fine = true;
        let mut queue: std::collections::VecDeque<(RoleWanted, bool)> = wanted.into_iter().map(|role| (role, self.force || self.force_deps)).collect();
        let mut done: Vec<String> = Vec::new();
        while let Some((role, force)) = queue.pop_front() {
            if done.contains(&role.name) {
                continue;
            }
            done.push(role.name.clone());
            match self.one(&role, force, around, tell) {
                Ok(dependencies) => {
                    for dependency in dependencies {
                        if self.path(&dependency.name).is_some() && !self.force_deps {
                            tell(&format!("- dependency {} is already installed, skipping.", shown(&dependency.name, dependency.version.as_deref())));
                        } else {
                            tell(&format!("- adding dependency: {}", shown(&dependency.name, dependency.version.as_deref())));
                            queue.push_back((dependency, self.force_deps));
                        }
                    }
                }
                Err(trouble) => {
                    fine = false;
                    tell(&format!("[WARNING]: - {} was NOT installed successfully: {trouble}", role.name));
                    if !self.ignore_errors {
                        tell("[ERROR]: - you can use --ignore-errors to skip failed roles and finish processing the list.");
                        return false;
                    }
                }
            }
        }
        fine || self.ignore_errors
    }

    /// Where a role is installed.
    fn path(&self, name: &str) -> Option<PathBuf> {
        self.folders.iter().map(|folder| folder.join(name)).find(|path| path.is_dir())
    }

    /// Installs one role; what it depends on.
    fn one(&self, role: &RoleWanted, force: bool, around: &Around, tell: &mut Tell) -> Result<Vec<RoleWanted>, Trouble> {
        let first = self.folders.first().ok_or_else(|| Trouble::new("there is no folder for roles"))?;
        let target = first.join(&role.name);
        if let Some(there) = self.path(&role.name).filter(|there| there.join(ROLE_NOTE).is_file()) {
            let version = installed::field(&there.join(ROLE_NOTE), &["version"]);
            if !force {
                tell(&match &role.version {
                    Some(wanted) if version.as_ref() != Some(wanted) => {
                        let name = shown(&role.name, version.as_deref());
                        format!("[WARNING]: - {name} is already installed - use --force to change version to {wanted}")
                    }
                    _ => format!("- {} is already installed, skipping.", shown(&role.name, role.version.as_deref())),
                });
                return self.dependencies(&there);
            }
            let (old, new) = (version.unwrap_or_else(|| "None".into()), role.version.as_deref().unwrap_or("unspecified"));
            tell(&format!("- changing role {} from {old} to {new}", role.name));
        } else if target.exists() && !force {
            return Err(Trouble::new(format!("the specified role {} appears to already exist. Use --force to replace it.", role.name)));
        } else if target.exists() && !installed::is_role(&target) {
            return Err(Trouble::new(format!(
                "{} doesn't appear to contain a role.\n  please remove this directory manually if you really want to put the role here.",
                target.display()
            )));
        }
        let mut fetched = self.fetch(role, around, tell)?;
        tell(&format!("- extracting {} to {}", role.name, target.display()));
        fetched.members.retain(|(path, _)| path != Path::new(ROLE_NOTE));
        fetched.members.push((ROLE_NOTE.into(), Content::File(note(fetched.version.as_deref())?, false)));
        unpack::place(&fetched.members, &target)?;
        tell(&format!("- {} was installed successfully", shown(&role.name, fetched.version.as_deref())));
        self.dependencies(&target)
    }

    fn fetch(&self, role: &RoleWanted, around: &Around, tell: &mut Tell) -> Result<Fetched, Trouble> {
        let version = role.version.clone();
        match role.scm.as_deref() {
            Some("git") => {
                let (members, _) = scm::git(&role.src, version.as_deref(), around, self.keep_scm)?;
                return Ok(Fetched { members: rooted(members)?, version });
            }
            Some(other) => return Err(Trouble::new(format!("rplay takes roles from git, not from {other}"))),
            None => {}
        }
        let path = self.base.join(&role.src);
        if path.is_file() {
            let bytes = std::fs::read(&path).map_err(|error| Trouble::new(format!("cannot read {}: {error}", path.display())))?;
            return Ok(Fetched { members: rooted(unpack::read(&bytes)?)?, version });
        }
        if path.is_dir() {
            return Ok(Fetched { members: rooted(unpack::folder(&path, &[".git"])?)?, version });
        }
        if role.src.contains("://") {
            tell(&format!("- downloading role from {}", role.src));
            return Ok(Fetched { members: rooted(unpack::read(&server::document(&role.src, around)?)?)?, version });
        }
        self.by_galaxy(role, around, tell)
    }

    fn by_galaxy(&self, role: &RoleWanted, around: &Around, tell: &mut Tell) -> Result<Fetched, Trouble> {
        let Some((owner, name)) = role.src.split_once('.') else {
            return Err(Trouble::new(format!("- the role name {} is neither a file nor a folder nor owner.name", role.src)));
        };
        for server in &around.servers {
            if let Some(release) = server.role(owner, name, role.version.as_deref(), around)? {
                tell(&format!("- downloading role '{name}', owned by {owner}"));
                tell(&format!("- downloading role from {}", release.url));
                let bytes = server.archive(&release.url, around)?;
                return Ok(Fetched { members: rooted(unpack::read(&bytes)?)?, version: Some(release.version) });
            }
        }
        let names: Vec<&str> = around.servers.iter().map(|server| server.name.as_str()).collect();
        Err(Trouble::new(format!("- sorry, {} was not found on {}.", role.src, names.join(", "))))
    }

    /// What an installed role depends on, without roles of the same project.
    fn dependencies(&self, role: &Path) -> Result<Vec<RoleWanted>, Trouble> {
        if self.no_deps {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for file in ["meta/main.yml", "meta/main.yaml", "meta/requirements.yml"] {
            let path = role.join(file);
            let Ok(content) = std::fs::read_to_string(&path) else { continue };
            let wrong = |error: crate::diagnostic::Diagnostic| Trouble::new(format!("{}: {}", path.display(), error.message));
            let node = yaml::load(&Source::new(&*path, content), &yaml::Options::default()).map_err(wrong)?.node;
            let list = if file == "meta/requirements.yml" { Some(&node) } else { node.get("dependencies") };
            for entry in list.and_then(Node::as_list).unwrap_or_default() {
                let dependency = RoleWanted::node(entry).map_err(wrong)?;
                if dependency.scm.is_some() || dependency.name.contains('.') || dependency.src.contains('.') {
                    found.push(dependency);
                }
            }
        }
        Ok(found)
    }
}

fn shown(name: &str, version: Option<&str>) -> String {
    version.map_or_else(|| name.to_string(), |version| format!("{name} ({version})"))
}

/// The files of the role itself: below the folder that holds the uppermost `meta/main.yml`.
fn rooted(members: Members) -> Result<Members, Trouble> {
    let metas = members.iter().filter(|(path, _)| path.ends_with("meta/main.yml") || path.ends_with("meta/main.yaml"));
    let root = metas.filter_map(|(path, _)| path.parent()?.parent()).min_by_key(|path| path.components().count());
    let root = root.ok_or_else(|| Trouble::new("this role does not appear to have a meta/main.yml file."))?.to_path_buf();
    Ok(unpack::below(members, &root))
}

/// What is noted of an installation.
fn note(version: Option<&str>) -> Result<Vec<u8>, Trouble> {
    let date = chrono::Utc::now().format("%a %b %e %H:%M:%S %Y").to_string();
    let version = version.map_or(crate::value::Value::Null, |version| version.into());
    let note = [("install_date".into(), date.as_str().into()), ("version".into(), version)].into_iter().collect();
    let options = yaml::DumpOptions { default_flow_style: Some(false), ..yaml::DumpOptions::default() };
    yaml::dump(&crate::value::Value::dict(note), &options).map(String::into_bytes).map_err(|fault| Trouble::new(text(&fault.message.as_str().into())))
}
