//! Installs collections: settles which versions fit together, then brings them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::build::{self, Built, sha256};
use super::requirement::{CollectionWanted, From};
use super::server::Server;
use super::version::{Version, names_pre, within};
use super::{Around, Tell, Trouble, installed, scm, server, unpack};

/// Rounds in which versions are settled.
const MAX_ROUNDS: usize = 100;

/// How collections are installed.
#[derive(Debug, Clone)]
pub struct Collections {
    /// The folder that takes them.
    pub folder: PathBuf,
    /// Folders that may have them already.
    pub known: Vec<PathBuf>,
    /// What is there is replaced.
    pub force: bool,
    /// Dependencies that are there are replaced.
    pub force_deps: bool,
    /// Dependencies are left out.
    pub no_deps: bool,
    /// Newer versions replace older ones.
    pub upgrade: bool,
    /// Pre-releases count.
    pub pre: bool,
    /// Servers are not asked.
    pub offline: bool,
}

/// Who wants which versions of a collection.
#[derive(Debug, Clone)]
struct Wish {
    range: String,
    by: String,
    server: Option<String>,
}

/// What was settled for a collection.
#[derive(Debug, Clone)]
enum Settled {
    /// It is there.
    There,
    /// From its archive or source.
    Ready(Built),
    /// From a server.
    Server(usize, String),
}

impl Collections {
    /// Installs collections and what they depend on.
    ///
    /// # Errors
    /// Nothing fits together, or something could not be brought; what was installed before that stays.
    pub fn install(&self, wanted: &[CollectionWanted], around: &Around, tell: &mut Tell) -> Result<(), Trouble> {
        let servers = self.servers(wanted, around)?;
        let mut wishes: BTreeMap<String, Vec<Wish>> = BTreeMap::new();
        let mut ready: BTreeMap<String, Built> = BTreeMap::new();
        let mut order = Vec::new();
        for one in wanted {
            if let From::Galaxy(server) = &one.from {
                order.push(one.name.clone());
                wishes.entry(one.name.clone()).or_default().push(Wish { range: one.version.clone(), by: "you".into(), server: server.clone() });
                continue;
            }
            for built in bring(one, around)? {
                let name = format!("{}.{}", built.namespace, built.name);
                order.push(name.clone());
                ready.insert(name, built);
            }
        }
        let asked = order.clone();
        let unforced = |name: &String| !self.forced(name, &asked) && !self.upgrade;
        if !order.is_empty() && order.iter().all(|name| unforced(name) && self.satisfied(name, wishes.get(name), ready.get(name))) {
            tell("Nothing to do. All requested collections are already installed. If you want to reinstall them, consider using `--force`.");
            return Ok(());
        }
        tell("Process install dependency map");
        let settled = self.settle(wishes, ready, &mut order, &servers, around)?;
        tell("Starting collection install process");
        for name in &order {
            match settled.get(name) {
                None => {}
                Some(Settled::There) => tell(&format!("'{name}:{}' is already installed, skipping.", self.version_there(name).unwrap_or_else(|| "*".into()))),
                Some(Settled::Ready(built)) => self.put(built, tell)?,
                Some(Settled::Server(at, version)) => self.put(&fetched(&servers[*at], name, version, around, tell)?, tell)?,
            }
        }
        Ok(())
    }

    /// The servers of the configuration, and those that requirements name.
    fn servers(&self, wanted: &[CollectionWanted], around: &Around) -> Result<Vec<Server>, Trouble> {
        let mut servers = around.servers.clone();
        for one in wanted {
            let From::Galaxy(Some(source)) = &one.from else { continue };
            if servers.iter().any(|server| server.name == *source || server.url == *source) {
                continue;
            }
            if !source.contains("://") {
                return Err(Trouble::new(format!("the source `{source}` of {} is neither a configured server nor an address", one.name)));
            }
            servers.push(Server {
                name: source.clone(),
                url: source.clone(),
                token: None,
                user: None,
                validate_certs: around.validate_certs,
                timeout: around.timeout,
            });
        }
        Ok(servers)
    }

    fn forced(&self, name: &String, asked: &[String]) -> bool {
        self.force_deps || (self.force && asked.contains(name))
    }

    fn version_there(&self, name: &str) -> Option<String> {
        let (namespace, name) = name.split_once('.')?;
        let place = |folder: &PathBuf| installed::collections_root(folder).join(namespace).join(name);
        std::iter::once(&self.folder).chain(&self.known).find_map(|folder| installed::collection_version(&place(folder)))
    }

    fn satisfied(&self, name: &str, wishes: Option<&Vec<Wish>>, ready: Option<&Built>) -> bool {
        let Some(there) = self.version_there(name) else { return false };
        if let Some(built) = ready {
            return built.version == there;
        }
        let version = Version::parse(&there);
        wishes.is_none_or(|wishes| {
            wishes.iter().all(|wish| version.as_ref().is_some_and(|version| within(version, &wish.range) == Some(true)) || wish.range == "*")
        })
    }

    /// Chooses for each name the highest version that everybody takes, until nothing changes.
    fn settle(
        &self,
        mut wishes: BTreeMap<String, Vec<Wish>>,
        ready: BTreeMap<String, Built>,
        order: &mut Vec<String>,
        servers: &[Server],
        around: &Around,
    ) -> Result<BTreeMap<String, Settled>, Trouble> {
        let asked = order.clone();
        let base = wishes.clone();
        let mut chosen: BTreeMap<String, Settled> = BTreeMap::new();
        for _ in 0..MAX_ROUNDS {
            let mut next: BTreeMap<String, Vec<Wish>> = base.clone();
            let mut round: BTreeMap<String, Settled> = BTreeMap::new();
            for name in order.clone() {
                let settled = match ready.get(&name) {
                    Some(built) => Settled::Ready(built.clone()),
                    None => self.choose(&name, wishes.get(&name).map(Vec::as_slice).unwrap_or_default(), &asked, servers, around)?,
                };
                for (dependency, range) in self.needs(&name, &settled, servers, around)? {
                    next.entry(dependency.clone()).or_default().push(Wish { range, by: name.clone(), server: None });
                    if !order.contains(&dependency) {
                        order.push(dependency);
                    }
                }
                round.insert(name, settled);
            }
            let ranges = |wishes: &BTreeMap<String, Vec<Wish>>| {
                wishes.iter().map(|(name, all)| (name.clone(), all.iter().map(|wish| wish.range.clone()).collect::<Vec<_>>())).collect::<Vec<_>>()
            };
            let stable = ranges(&next) == ranges(&wishes);
            wishes = next;
            chosen = round;
            if stable {
                order.retain(|name| asked.contains(name) || wishes.contains_key(name));
                return Ok(chosen);
            }
        }
        let names: Vec<&String> = chosen.keys().collect();
        Err(Trouble::new(format!("no versions were found that fit together: {names:?}")))
    }

    fn choose(&self, name: &str, wishes: &[Wish], asked: &[String], servers: &[Server], around: &Around) -> Result<Settled, Trouble> {
        let owned = name.to_string();
        if !self.forced(&owned, asked) && !self.upgrade && self.satisfied(name, Some(&wishes.to_vec()), None) {
            return Ok(Settled::There);
        }
        if self.offline {
            return Err(Trouble::new(format!("{name} is not here, and --offline says that no server is asked")));
        }
        let Some((namespace, last)) = name.split_once('.') else { return Err(Trouble::new(format!("`{name}` is no name of a collection"))) };
        let source = wishes.iter().find_map(|wish| wish.server.as_ref());
        let pre = self.pre || wishes.iter().any(|wish| names_pre(&wish.range));
        let mut seen = Vec::new();
        for (at, server) in servers.iter().enumerate() {
            if source.is_some_and(|source| *source != server.name && *source != server.url) {
                continue;
            }
            let versions = server.versions(namespace, last, around)?.unwrap_or_default();
            let fits = |version: &Version| wishes.iter().all(|wish| within(version, &wish.range) == Some(true)) && (pre || !version.is_pre());
            if let Some(best) = versions.iter().filter_map(|text| Version::parse(text)).filter(|version| fits(version)).max() {
                if self.upgrade && self.version_there(name).as_deref() == Some(best.text()) && !self.forced(&owned, asked) {
                    return Ok(Settled::There);
                }
                return Ok(Settled::Server(at, best.text().to_string()));
            }
            seen.extend(versions);
        }
        let wanted: Vec<String> = wishes.iter().map(|wish| format!("{} (wanted by {})", wish.range, wish.by)).collect();
        let found = if seen.is_empty() { "no server has it".to_string() } else { format!("there is {}", seen.join(", ")) };
        Err(Trouble::new(format!("Failed to resolve the requested dependencies map. Could not satisfy {name}: {}; {found}", wanted.join(", "))))
    }

    fn needs(&self, name: &str, settled: &Settled, servers: &[Server], around: &Around) -> Result<Vec<(String, String)>, Trouble> {
        if self.no_deps {
            return Ok(Vec::new());
        }
        match settled {
            Settled::There => Ok(Vec::new()),
            Settled::Ready(built) => Ok(built.dependencies.clone()),
            Settled::Server(at, version) => {
                let (namespace, last) = name.split_once('.').unwrap_or((name, ""));
                Ok(servers[*at].release(namespace, last, version, around)?.dependencies)
            }
        }
    }

    fn put(&self, built: &Built, tell: &mut Tell) -> Result<(), Trouble> {
        let target = installed::collections_root(&self.folder).join(&built.namespace).join(&built.name);
        let name = format!("{}.{}:{}", built.namespace, built.name, built.version);
        tell(&format!("Installing '{name}' to '{}'", target.display()));
        unpack::place(&built.members, &target)?;
        tell(&format!("{name} was installed successfully"));
        Ok(())
    }
}

/// A release from a server: its archive is the one that the server names by its checksum.
fn fetched(server: &Server, name: &str, version: &str, around: &Around, tell: &mut Tell) -> Result<Built, Trouble> {
    let (namespace, last) = name.split_once('.').unwrap_or((name, ""));
    let release = server.release(namespace, last, version, around)?;
    tell(&format!("Downloading {}", release.download_url));
    let bytes = server.archive(&release.download_url, around)?;
    let sum = sha256(&bytes);
    if sum != release.sha256 {
        return Err(Trouble::new(format!(
            "Mismatch artifact hash with downloaded file: {} has {sum}, {} names {}",
            release.download_url, server.name, release.sha256
        )));
    }
    let built = build::archive(&bytes)?;
    if (built.namespace.as_str(), built.name.as_str(), built.version.as_str()) != (namespace, last, version) {
        return Err(Trouble::new(format!("{} holds {}.{}:{}, not {name}:{version}", release.download_url, built.namespace, built.name, built.version)));
    }
    Ok(built)
}

/// Collections that come from no Galaxy.
fn bring(wanted: &CollectionWanted, around: &Around) -> Result<Vec<Built>, Trouble> {
    let one = |built: Built| vec![built];
    match &wanted.from {
        From::Galaxy(_) => Ok(Vec::new()),
        From::File(path) => {
            let bytes = std::fs::read(path).map_err(|error| Trouble::new(format!("cannot read {}: {error}", path.display())))?;
            build::archive(&bytes).map_err(|trouble| Trouble::new(format!("{}: {trouble}", path.display()))).map(one)
        }
        From::Url(url) => build::archive(&server::document(url, around)?).map(one),
        From::Dir(path) => build::source(unpack::folder(path, &[".git"])?, &path.display().to_string()).map(one),
        From::Subdirs(path) => {
            let mut folders: Vec<PathBuf> = std::fs::read_dir(path)
                .map_err(|error| Trouble::new(format!("cannot read {}: {error}", path.display())))?
                .filter_map(|entry| Some(entry.ok()?.path()))
                .filter(|folder| folder.join("galaxy.yml").is_file())
                .collect();
            folders.sort();
            if folders.is_empty() {
                return Err(Trouble::new(format!("no folder in {} has a galaxy.yml", path.display())));
            }
            folders.iter().map(|folder| build::source(unpack::folder(folder, &[".git"])?, &folder.display().to_string())).collect()
        }
        From::Git(url, folder) => {
            let (members, _) = scm::git(url, Some(&wanted.version), around, false)?;
            let members = if folder.is_empty() { members } else { unpack::below(members, folder.as_ref()) };
            build::source(members, url).map(one)
        }
    }
}
