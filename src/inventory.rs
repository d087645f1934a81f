//! Hosts, groups and their variables: from files, folders, programs and lists, and from tasks at run time.
//!
//! An [`Inventory`] is cheap to clone: a snapshot shares everything until one of the two changes. Variables of `group_vars` and `host_vars`
//! are read when a host first needs them ([`VarFiles`]). Nothing here renders a template.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::Config;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;
use crate::value::{Dict, Value};
use crate::vault::Secrets;
use crate::yaml::{DuplicateKeys, Kind, Node, Pair};

mod address;
mod build;
mod data;
mod files;
mod ini;
mod layers;
mod literal;
mod pattern;
mod read;
mod script;
pub mod shlex;
mod show;
mod tree;

pub use address::parse_address;
pub use build::is_variable_name;
pub use data::{Group, Host, HostName, LOCALHOST, Vars, merged};
pub use files::VarFiles;
pub use layers::{Layer, Level};
pub use pattern::split as split_pattern;
pub use show::Show;

use data::{ALL, Data};

/// How sources and files with variables are read.
#[derive(Debug, Clone)]
pub struct Options {
    /// Formats in the order in which they are tried.
    pub enabled: Vec<String>,
    /// Endings of files in a folder that are no inventory.
    pub ignore_extensions: Vec<String>,
    /// Regular expressions of names in a folder that are no inventory.
    pub ignore_patterns: Vec<String>,
    /// Endings of files with variables, beside none at all.
    pub extensions: Vec<String>,
    /// What to do with odd letters in names of groups.
    pub group_names: String,
    /// No source at all could be read: an error.
    pub unparsed_is_failed: bool,
    /// Some source could not be read: an error.
    pub any_unparsed_is_failed: bool,
    /// No source at all could be read: a warning.
    pub unparsed_warning: bool,
    /// `warning`, `error` or `ignore` for patterns without a match.
    pub pattern_mismatch: String,
    /// Dictionaries are merged (`hash_behaviour = merge`).
    pub merge: bool,
    /// Keys that are there twice.
    pub duplicate_keys: DuplicateKeys,
}

impl Options {
    /// The options of a configuration.
    pub fn new(config: &Config) -> Options {
        Options {
            enabled: config.inventory_enabled.clone(),
            ignore_extensions: config.inventory_ignore_extensions.clone(),
            ignore_patterns: config.inventory_ignore_patterns.clone(),
            extensions: config.yaml_extensions.clone(),
            group_names: config.force_valid_group_names.clone(),
            unparsed_is_failed: config.inventory_unparsed_is_failed,
            any_unparsed_is_failed: config.inventory_any_unparsed_is_failed,
            unparsed_warning: config.inventory_unparsed_warning,
            pattern_mismatch: config.host_pattern_mismatch.clone(),
            merge: config.hash_behaviour == "merge",
            duplicate_keys: match config.duplicate_dict_key.as_str() {
                "error" => DuplicateKeys::Error,
                "ignore" => DuplicateKeys::Ignore,
                _ => DuplicateKeys::Warn,
            },
        }
    }
}

/// All hosts and groups of a run.
#[derive(Debug, Clone)]
pub struct Inventory {
    data: Arc<Data>,
    options: Arc<Options>,
    secrets: Arc<Secrets>,
    sources: Arc<Vec<String>>,
    adjacent: Arc<[VarFiles]>,
    implicit: Arc<[Host; 3]>,
}

impl Inventory {
    /// An inventory without hosts.
    pub fn empty(options: Arc<Options>, secrets: Arc<Secrets>) -> Inventory {
        let data = Data::new(options.merge);
        Inventory { data: Arc::new(data), options, secrets, sources: Arc::default(), adjacent: Arc::new([]), implicit: Arc::new(LOCALHOST.map(implicit)) }
    }

    /// Reads sources, later ones over earlier ones: paths (complete ones) of files and folders, or lists of hosts with a comma.
    ///
    /// # Errors
    /// No source could be read and the configuration says that this is an error. Anything else that is wrong is a warning.
    pub fn load(sources: &[String], options: Options, secrets: Arc<Secrets>) -> Result<(Inventory, Vec<Diagnostic>), Diagnostic> {
        let mut inventory = Inventory::empty(Arc::new(options), secrets);
        let mut warnings = Vec::new();
        let options = inventory.options.clone();
        let mut data = Data::new(options.merge);
        let mut parsed = false;
        for source in sources.iter().filter(|source| !source.is_empty()) {
            parsed |= read::source(source, &mut data, &options, &inventory.secrets, &mut warnings)?;
        }
        if !parsed && options.unparsed_is_failed {
            return Err(Diagnostic::error("No inventory was parsed, please check your configuration and options."));
        } else if !parsed && options.unparsed_warning {
            warnings.push(Diagnostic::warning("No inventory was parsed, only implicit localhost is available"));
        }
        data.reconcile();
        warnings.extend(same_names(&data));
        inventory.data = Arc::new(data);
        inventory.sources = Arc::new(sources.to_vec());
        inventory.adjacent = folders(sources).iter().map(|folder| inventory.var_files(folder)).collect();
        Ok((inventory, warnings))
    }

    /// The hosts of all groups, in Ansible's order.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.data.members(ALL).into_iter().map(|host| &self.data.hosts[host])
    }

    /// The groups, `all` and `ungrouped` first, then in order of the sources.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.data.groups.values()
    }

    /// A host by name; `localhost` and its other names exist always.
    pub fn host(&self, name: &str) -> Option<&Host> {
        let implied = || {
            let at = LOCALHOST.iter().position(|local| *local == name)?;
            Some(self.data.localhost.map_or(&self.implicit[at], |host| &self.data.hosts[host]))
        };
        self.data.hosts.get(name).or_else(implied)
    }

    /// A group by name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.data.groups.get(name)
    }

    /// Names of the hosts of a group and of the groups below it.
    pub fn members(&self, group: &str) -> Vec<HostName> {
        let members = self.data.groups.get_index_of(group).map(|group| self.data.members(group)).unwrap_or_default();
        members.into_iter().map(|host| self.data.hosts[host].name.clone()).collect()
    }

    /// Names of the groups directly below a group, and of the hosts directly in it.
    pub fn direct(&self, group: &Group) -> (Vec<Arc<str>>, Vec<HostName>) {
        let groups = group.children.iter().map(|group| self.data.groups[*group].name.clone()).collect();
        (groups, group.hosts.iter().map(|host| self.data.hosts[*host].name.clone()).collect())
    }

    /// The groups whose variables a host has, `all` first; the variables of later ones count before those of earlier ones.
    pub fn group_chain(&self, host: &str) -> Vec<&Group> {
        self.host(host).map(|host| self.data.chain(host)).unwrap_or_default()
    }

    /// `group_names` of a host: its groups without `all`, sorted.
    pub fn group_names(&self, host: &str) -> Vec<Arc<str>> {
        let mut names: Vec<_> = self.group_chain(host).into_iter().filter(|group| &*group.name != "all").map(|group| group.name.clone()).collect();
        names.sort();
        names
    }

    /// The sources as they were given.
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// `group_vars` and `host_vars` beside the sources; those of later sources count more.
    pub fn adjacent(&self) -> &[VarFiles] {
        &self.adjacent
    }

    /// `group_vars` and `host_vars` in a playbook's folder.
    pub fn var_files(&self, folder: &Path) -> VarFiles {
        VarFiles::new(folder.to_path_buf(), self.options.clone(), self.secrets.clone())
    }

    /// The passwords that files are decrypted with.
    pub fn secrets(&self) -> &Arc<Secrets> {
        &self.secrets
    }

    /// The hosts of a pattern, within a limit (`--limit`, which may name files with `@`), and warnings for parts without a match.
    ///
    /// # Errors
    /// A part is no regular expression, a subscript is too large, a limit's file cannot be read.
    pub fn select(&self, pattern: &str, limit: Option<&str>) -> Result<(Vec<HostName>, Vec<Diagnostic>), Diagnostic> {
        self.select_list(&[pattern], limit)
    }

    /// As [`Inventory::select`], for a list of patterns, as `hosts:` may hold one: each is split on its own.
    ///
    /// # Errors
    /// As [`Inventory::select`].
    pub fn select_list<P: AsRef<str>>(&self, patterns: &[P], limit: Option<&str>) -> Result<(Vec<HostName>, Vec<Diagnostic>), Diagnostic> {
        let parts: Vec<String> = patterns.iter().flat_map(|pattern| pattern::split(pattern.as_ref())).collect();
        let matched = pattern::select(&self.data, &parts)?;
        let mut hosts = matched.hosts;
        let mut unmatched = matched.unmatched;
        if let Some(limit) = limit {
            let within = pattern::select(&self.data, &limit_parts(limit)?)?;
            let names: std::collections::HashSet<_> = within.hosts.into_iter().collect();
            hosts.retain(|host| names.contains(host));
            unmatched.extend(within.unmatched.into_iter().filter(|part| !part.is_empty()));
        }
        Ok((hosts, self.mismatches(&unmatched)?))
    }

    fn mismatches(&self, unmatched: &[String]) -> Result<Vec<Diagnostic>, Diagnostic> {
        let known = || self.data.groups.keys().chain(self.data.hosts.keys()).map(|name| &**name);
        let message = |part: &String| Diagnostic::error(format!("Could not match supplied host pattern, ignoring: {part}")).did_you_mean(part, known());
        match (self.options.pattern_mismatch.as_str(), unmatched.first()) {
            ("error", Some(first)) => Err(message(first)),
            ("warning", _) => Ok(unmatched.iter().map(|part| Diagnostic { severity: Severity::Warning, ..message(part) }).collect()),
            _ => Ok(Vec::new()),
        }
    }

    /// Adds a host at run time (`add_host`), or changes it; true when that changed anything. The values are data, not templates.
    ///
    /// # Errors
    /// A name is empty.
    pub fn add_host(&mut self, name: &str, groups: &[String], vars: &Dict) -> Result<bool, Diagnostic> {
        if name.is_empty() || groups.iter().any(String::is_empty) {
            return Err(Diagnostic::error("names of hosts and groups must not be empty"));
        }
        let data = Arc::make_mut(&mut self.data);
        let (host, mut changed) = data.add_host(name, None);
        if changed {
            data.join(ALL, host);
        }
        for (key, value) in vars {
            let key = key.to_value().to_string();
            let old = data.hosts[host].vars.get(key.as_str());
            changed |= old.is_none_or(|old| old.to_value() != *value);
            data.set_host_var(host, &key, data_node(value, &Span::synthetic("<add_host>", "")));
        }
        for group in groups {
            changed |= !data.groups.contains_key(group.as_str());
            let group = data.add_group(group);
            changed |= data.join(group, host);
        }
        data.reconcile();
        Ok(changed)
    }

    /// Puts a host into a group at run time (`group_by`); true when that changed anything.
    ///
    /// # Errors
    /// There is no such host, or the groups would contain one another.
    pub fn add_to_group(&mut self, host: &str, group: &str, parents: &[String]) -> Result<bool, Diagnostic> {
        let data = Arc::make_mut(&mut self.data);
        let host = data.hosts.get_index_of(host).or(data.localhost.filter(|_| LOCALHOST.contains(&host)));
        let host = host.ok_or_else(|| Diagnostic::error("the implicit localhost is in no inventory and cannot be put into a group"))?;
        let mut changed = false;
        let group = data.add_group(group);
        for parent in parents {
            changed |= !data.groups.contains_key(parent.as_str());
            let parent = data.add_group(parent);
            changed |= data.add_child(parent, group)?;
        }
        changed |= data.join(group, host);
        data.reconcile();
        Ok(changed)
    }
}

fn implicit(name: &str) -> Host {
    let connection = data::synthetic("local", "<implicit localhost>");
    Host { name: name.into(), vars: Arc::new(Vars::from([("ansible_connection".into(), connection)])), source: None, implicit: true, groups: Vec::new() }
}

/// A warning for every name that a group and a host share.
fn same_names(data: &Data) -> Vec<Diagnostic> {
    let shared = data.groups.keys().filter(|name| data.hosts.contains_key(*name));
    shared.map(|name| Diagnostic::warning(format!("Found both group and host with same name: {name}"))).collect()
}

/// Folders that have `group_vars` and `host_vars` beside the sources.
fn folders(sources: &[String]) -> Vec<PathBuf> {
    let paths = sources.iter().filter(|source| !source.is_empty()).map(Path::new).filter(|path| path.exists() || !path.to_string_lossy().contains(','));
    let folder = |path: &Path| if path.is_dir() { path.to_path_buf() } else { path.parent().map(Path::to_path_buf).unwrap_or_default() };
    let mut folders: Vec<PathBuf> = Vec::new();
    for folder in paths.map(folder) {
        // the last of equal folders counts
        folders.retain(|known| *known != folder);
        folders.push(folder);
    }
    folders
}

/// The parts of `--limit`; lines of a file named with `@` are parts too.
fn limit_parts(limit: &str) -> Result<Vec<String>, Diagnostic> {
    let mut parts = Vec::new();
    for part in pattern::split(limit) {
        let Some(file) = part.strip_prefix('@') else {
            parts.push(part);
            continue;
        };
        let path = Path::new(file);
        if !path.exists() {
            return Err(Diagnostic::error(format!("Unable to find limit file {file}")));
        } else if !path.is_file() {
            return Err(Diagnostic::error(format!("Limit starting with \"@\" must be a file, not a directory: {file}")));
        }
        let text = std::fs::read_to_string(path).map_err(|e| Diagnostic::error(format!("cannot read the limit file {file}: {e}")))?;
        parts.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_string));
    }
    Ok(parts)
}

/// The node of a piece of data: text in it is no template.
pub fn data_node(value: &Value, span: &Span) -> Node {
    let kind = match value {
        Value::Str(text) => Kind::Unsafe(text.clone()),
        Value::List(items) | Value::Tuple(items) => Kind::List(Arc::new(items.iter().map(|item| data_node(item, span)).collect())),
        Value::Dict(dict) => {
            let pair = |(key, value): (&crate::value::Key, &Value)| Pair { key: data_node(&key.to_value(), span), value: data_node(value, span) };
            Kind::Map(Arc::new(dict.iter().map(pair).collect()))
        }
        other => Kind::Scalar(other.clone()),
    };
    Node { kind, span: span.clone() }
}

#[cfg(test)]
mod tests;
