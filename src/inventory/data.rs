//! Hosts and groups and how they belong together.

use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::yaml::{Kind, Node, Pair};

/// Name of a host.
pub type HostName = Arc<str>;

/// Variables by name, in order of the file.
pub type Vars = IndexMap<Arc<str>, Node>;

/// Names that mean the controller, also where no inventory has them.
pub const LOCALHOST: [&str; 3] = ["127.0.0.1", "localhost", "::1"];

/// A host.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its name in the inventory.
    pub name: HostName,
    /// Variables of its lines, without those of groups and of `host_vars`.
    pub vars: Arc<Vars>,
    /// The source where it was first found: `inventory_file`.
    pub source: Option<Arc<Path>>,
    /// It stands in no inventory: `localhost` as the controller.
    pub implicit: bool,
    pub(super) groups: Vec<usize>,
}

/// A group.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its name.
    pub name: Arc<str>,
    /// Variables of its sections, without those of `group_vars`.
    pub vars: Arc<Vars>,
    /// Longest way down from `all`.
    pub depth: usize,
    /// `ansible_group_priority`; of groups of the same depth the highest counts.
    pub priority: i64,
    pub(super) hosts: Vec<usize>,
    pub(super) children: Vec<usize>,
    pub(super) parents: Vec<usize>,
}

/// All hosts and groups; numbers are places in the maps, from which nothing is ever removed.
#[derive(Debug, Clone)]
pub(super) struct Data {
    pub hosts: IndexMap<HostName, Host>,
    pub groups: IndexMap<Arc<str>, Group>,
    /// Dictionaries are merged (`hash_behaviour = merge`).
    pub merge: bool,
    /// The first host with one of the names of the controller.
    pub localhost: Option<usize>,
}

/// Places of the two groups that always exist.
pub(super) const ALL: usize = 0;
const UNGROUPED: usize = 1;

impl Data {
    pub fn new(merge: bool) -> Data {
        let mut data = Data { hosts: IndexMap::new(), groups: IndexMap::new(), merge, localhost: None };
        data.add_group("all");
        data.add_group("ungrouped");
        data.link(ALL, UNGROUPED);
        data
    }

    /// The group's number; it is made if it does not exist.
    pub fn add_group(&mut self, name: &str) -> usize {
        if let Some(at) = self.groups.get_index_of(name) {
            return at;
        }
        let name: Arc<str> = name.into();
        let group = Group { name: name.clone(), vars: Arc::default(), depth: 0, priority: 1, hosts: vec![], children: vec![], parents: vec![] };
        self.groups.insert_full(name, group).0
    }

    /// The host's number and whether it is new.
    pub fn add_host(&mut self, name: &str, source: Option<&Arc<Path>>) -> (usize, bool) {
        if let Some(at) = self.hosts.get_index_of(name) {
            return (at, false);
        }
        let name: HostName = name.into();
        let host = Host { name: name.clone(), vars: Arc::default(), source: source.cloned(), implicit: false, groups: vec![] };
        let at = self.hosts.insert_full(name.clone(), host).0;
        if LOCALHOST.contains(&&*name) {
            self.localhost.get_or_insert(at);
        }
        (at, true)
    }

    /// Puts a host into a group; false if it was there.
    pub fn join(&mut self, group: usize, host: usize) -> bool {
        if self.hosts[host].groups.contains(&group) {
            return false;
        }
        self.hosts[host].groups.push(group);
        self.groups[group].hosts.push(host);
        true
    }

    /// Makes a group the child of another; false if it was.
    pub fn add_child(&mut self, parent: usize, child: usize) -> Result<bool, Diagnostic> {
        if parent == child {
            return Err(Diagnostic::error(format!("can't add group '{}' to itself", self.groups[parent].name)));
        }
        if self.groups[parent].children.contains(&child) {
            return Ok(false);
        }
        if self.ancestors(&[parent]).contains(&child) {
            let (child, parent) = (&self.groups[child].name, &self.groups[parent].name);
            return Err(Diagnostic::error(format!("adding group '{child}' as child to '{parent}' creates a recursive dependency loop")));
        }
        self.link(parent, child);
        Ok(true)
    }

    fn link(&mut self, parent: usize, child: usize) {
        self.groups[parent].children.push(child);
        self.groups[child].parents.push(parent);
        let mut deeper = vec![(child, self.groups[parent].depth + 1)];
        while let Some((group, depth)) = deeper.pop() {
            if self.groups[group].depth < depth {
                self.groups[group].depth = depth;
                deeper.extend(self.groups[group].children.iter().map(|child| (*child, depth + 1)));
            }
        }
    }

    /// These groups and all above them, without repetition.
    pub fn ancestors(&self, groups: &[usize]) -> Vec<usize> {
        self.walk(groups, |group| &group.parents)
    }

    /// A group and all below it, level by level.
    pub fn descendants(&self, group: usize) -> Vec<usize> {
        self.walk(&[group], |group| &group.children)
    }

    fn walk(&self, from: &[usize], next: impl Fn(&Group) -> &Vec<usize>) -> Vec<usize> {
        let mut seen = vec![false; self.groups.len()];
        let mut found: Vec<usize> = Vec::new();
        let mut visit = |found: &mut Vec<usize>, group: usize| {
            if !std::mem::replace(&mut seen[group], true) {
                found.push(group);
            }
        };
        from.iter().for_each(|group| visit(&mut found, *group));
        let mut at = 0;
        while let Some(group) = found.get(at).copied() {
            next(&self.groups[group]).iter().for_each(|group| visit(&mut found, *group));
            at += 1;
        }
        found
    }

    /// Hosts of a group and of the groups below it, in Ansible's order.
    pub fn members(&self, group: usize) -> Vec<usize> {
        let mut seen = vec![false; self.hosts.len()];
        let hosts = self.descendants(group).into_iter().flat_map(|group| &self.groups[group].hosts);
        hosts.copied().filter(|host| !std::mem::replace(&mut seen[*host], true)).collect()
    }

    /// The groups whose variables a host has, those of the last count most.
    pub fn chain(&self, host: &Host) -> Vec<&Group> {
        let mut numbers = self.ancestors(&host.groups);
        if !numbers.contains(&ALL) {
            numbers.push(ALL);
        }
        let mut chain: Vec<&Group> = numbers.into_iter().map(|group| &self.groups[group]).collect();
        chain.sort_by(|a, b| (a.depth, a.priority, &a.name).cmp(&(b.depth, b.priority, &b.name)));
        chain
    }

    /// What holds once all sources are read: every group below `all`, every host in a group, in `ungrouped` only where in no other.
    pub fn reconcile(&mut self) {
        for group in 1..self.groups.len() {
            if self.groups[group].parents.is_empty() {
                self.link(ALL, group);
            }
        }
        for host in 0..self.hosts.len() {
            let groups = &self.hosts[host].groups;
            if groups.iter().any(|group| *group > UNGROUPED) {
                self.leave_ungrouped(host);
            } else if !groups.contains(&UNGROUPED) {
                self.join(UNGROUPED, host);
            }
        }
    }

    fn leave_ungrouped(&mut self, host: usize) {
        if self.hosts[host].groups.contains(&UNGROUPED) {
            self.hosts[host].groups.retain(|group| *group != UNGROUPED);
            self.groups[UNGROUPED].hosts.retain(|member| *member != host);
        }
    }

    pub fn set_group_var(&mut self, group: usize, name: &str, value: Node) -> Result<(), Diagnostic> {
        if name == "ansible_group_priority" {
            let priority = priority(&value).ok_or_else(|| Diagnostic::error("ansible_group_priority must be a whole number").at(&value.span))?;
            self.groups[group].priority = priority;
            return Ok(());
        }
        set(Arc::make_mut(&mut self.groups[group].vars), name, value, self.merge);
        Ok(())
    }

    pub fn set_host_var(&mut self, host: usize, name: &str, value: Node) {
        set(Arc::make_mut(&mut self.hosts[host].vars), name, value, self.merge);
    }
}

fn priority(value: &Node) -> Option<i64> {
    match &value.kind {
        Kind::Scalar(value) => i64::try_from(value.as_int()?).ok(),
        Kind::Text(text, _) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Sets a variable; with `merge`, a dictionary is merged into the one that is there.
pub(super) fn set(vars: &mut Vars, name: &str, value: Node, merge: bool) {
    match vars.get_mut(name) {
        Some(old) if merge => *old = merged(old, &value),
        Some(old) => *old = value,
        None => drop(vars.insert(name.into(), value)),
    }
}

/// The second dictionary laid over the first, at any depth; of anything else, the second.
pub fn merged(old: &Node, new: &Node) -> Node {
    let (Kind::Map(below), Kind::Map(above)) = (&old.kind, &new.kind) else { return new.clone() };
    let mut pairs: Vec<Pair> = below.to_vec();
    for pair in above.iter() {
        match pairs.iter_mut().find(|p| same_key(&p.key, &pair.key)) {
            Some(found) => found.value = merged(&found.value, &pair.value),
            None => pairs.push(pair.clone()),
        }
    }
    Node { kind: Kind::Map(Arc::new(pairs)), span: new.span.clone() }
}

fn same_key(a: &Node, b: &Node) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::Scalar(a), Kind::Scalar(b)) => a == b,
        _ => a.as_str().is_some() && a.as_str() == b.as_str(),
    }
}

/// A node without a place in a file.
pub(super) fn synthetic(text: &str, what: &str) -> Node {
    Node::text(text, Span::synthetic(what, text))
}
