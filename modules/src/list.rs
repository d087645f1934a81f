//! The static list of modules, and the names by which they may be called.

use crate::args::Args;
use crate::builtin;
use crate::context::Context;
use crate::general;
use crate::kubernetes;
use crate::outcome::{Failure, Outcome};
use crate::posix;
use crate::spec::Spec;

/// A module: its table and what it does.
pub trait Module {
    /// Name, arguments, rules.
    const SPEC: Spec;
    /// Does it, with checked arguments.
    ///
    /// # Errors
    /// A failure with its message and keys.
    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure>;
}

/// A module in the list.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its table.
    pub spec: &'static Spec,
    /// The collection that documents it (`ansible.builtin`); empty for what only the controller's actions call.
    pub collection: &'static str,
    /// What it does.
    pub run: fn(&Args, &mut Context<'_>) -> Result<Outcome, Failure>,
}

impl Entry {
    const fn of<M: Module>(collection: &'static str) -> Entry {
        Entry { spec: const { &M::SPEC }, collection, run: M::run }
    }
}

const BUILTIN: &str = "ansible.builtin";
const KUBERNETES: &str = "kubernetes.core";
const POSIX: &str = "ansible.posix";
const GENERAL: &str = "community.general";
const INTERNAL: &str = "";

/// Every module. To add one: a file in the folder of its collection, and a line here.
static MODULES: &[Entry] = &[
    Entry::of::<builtin::fetch::Fetch>(INTERNAL),
    Entry::of::<builtin::script::Script>(INTERNAL),
    Entry::of::<builtin::tree::Tree>(INTERNAL),
    Entry::of::<builtin::tree_apply::TreeApply>(INTERNAL),
    Entry::of::<general::alternatives::Alternatives>(GENERAL),
    Entry::of::<general::apk::Apk>(GENERAL),
    Entry::of::<builtin::apt::Apt>(BUILTIN),
    Entry::of::<builtin::apt_key::AptKey>(BUILTIN),
    Entry::of::<builtin::apt_repository::AptRepository>(BUILTIN),
    Entry::of::<builtin::assemble::Assemble>(BUILTIN),
    Entry::of::<builtin::async_status::AsyncStatus>(BUILTIN),
    Entry::of::<posix::authorized_key::AuthorizedKey>(POSIX),
    Entry::of::<builtin::blockinfile::Blockinfile>(BUILTIN),
    Entry::of::<builtin::command::Command>(BUILTIN),
    Entry::of::<builtin::copy::Copy>(BUILTIN),
    Entry::of::<builtin::cron::Cron>(BUILTIN),
    Entry::of::<builtin::deb822_repository::Deb822Repository>(BUILTIN),
    Entry::of::<builtin::debconf::Debconf>(BUILTIN),
    Entry::of::<builtin::dnf::Dnf>(BUILTIN),
    Entry::of::<builtin::dpkg_selections::DpkgSelections>(BUILTIN),
    Entry::of::<builtin::file::File>(BUILTIN),
    Entry::of::<builtin::find::Find>(BUILTIN),
    Entry::of::<builtin::get_url::GetUrl>(BUILTIN),
    Entry::of::<builtin::getent::Getent>(BUILTIN),
    Entry::of::<builtin::git::Git>(BUILTIN),
    Entry::of::<builtin::group::Group>(BUILTIN),
    Entry::of::<builtin::hostname::Hostname>(BUILTIN),
    Entry::of::<general::ini_file::IniFile>(GENERAL),
    Entry::of::<builtin::iptables::Iptables>(BUILTIN),
    Entry::of::<kubernetes::k8s::K8s>(KUBERNETES),
    Entry::of::<kubernetes::k8s_drain::K8sDrain>(KUBERNETES),
    Entry::of::<kubernetes::k8s_exec::K8sExec>(KUBERNETES),
    Entry::of::<kubernetes::k8s_info::K8sInfo>(KUBERNETES),
    Entry::of::<kubernetes::k8s_scale::K8sScale>(KUBERNETES),
    Entry::of::<kubernetes::k8s_taint::K8sTaint>(KUBERNETES),
    Entry::of::<builtin::known_hosts::KnownHosts>(BUILTIN),
    Entry::of::<builtin::lineinfile::Lineinfile>(BUILTIN),
    Entry::of::<general::modprobe::Modprobe>(GENERAL),
    Entry::of::<posix::mount::Mount>(POSIX),
    Entry::of::<builtin::package::Package>(BUILTIN),
    Entry::of::<builtin::package_facts::PackageFacts>(BUILTIN),
    Entry::of::<builtin::ping::Ping>(BUILTIN),
    Entry::of::<builtin::pip::Pip>(BUILTIN),
    Entry::of::<builtin::replace::Replace>(BUILTIN),
    Entry::of::<builtin::service::Service>(BUILTIN),
    Entry::of::<builtin::service_facts::ServiceFacts>(BUILTIN),
    Entry::of::<builtin::setup::Setup>(BUILTIN),
    Entry::of::<builtin::shell::Shell>(BUILTIN),
    Entry::of::<builtin::slurp::Slurp>(BUILTIN),
    Entry::of::<builtin::stat::Stat>(BUILTIN),
    Entry::of::<posix::sysctl::Sysctl>(POSIX),
    Entry::of::<builtin::systemd_service::SystemdService>(BUILTIN),
    Entry::of::<builtin::tempfile::Tempfile>(BUILTIN),
    Entry::of::<general::timezone::Timezone>(GENERAL),
    Entry::of::<builtin::unarchive::Unarchive>(BUILTIN),
    Entry::of::<builtin::uri::Uri>(BUILTIN),
    Entry::of::<builtin::user::User>(BUILTIN),
    Entry::of::<builtin::wait_for::WaitFor>(BUILTIN),
];

/// Other names of modules.
const SYNONYMS: &[(&str, &str)] = &[("dnf5", "dnf"), ("systemd", "systemd_service"), ("yum", "dnf")];

/// Every module that a playbook can name.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    MODULES.iter().filter(|entry| entry.collection != INTERNAL)
}

/// A module by short or full name; also those that only actions call.
pub fn find(name: &str) -> Option<&'static Entry> {
    let short = canonical(name);
    MODULES.iter().find(|entry| entry.spec.name == short)
}

/// The short name behind a name as a playbook writes it: the collections that we speak for are taken off, synonyms resolved.
pub fn canonical(name: &str) -> &str {
    let short = ["ansible.builtin.", "ansible.legacy.", "ansible.posix.", "community.general.", "kubernetes.core."]
        .iter()
        .find_map(|collection| name.strip_prefix(collection))
        .unwrap_or(name);
    SYNONYMS.iter().find(|(other, _)| *other == short).map_or(short, |(_, real)| real)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(canonical("ansible.builtin.copy"), "copy");
        assert_eq!(canonical("systemd"), "systemd_service");
        assert!(find("ansible.legacy.command").is_some());
        assert!(find("nonsense").is_none());
    }

    #[test]
    fn the_list_is_sorted_and_every_argument_documented() {
        let names: Vec<&str> = MODULES.iter().map(|entry| entry.spec.name).collect();
        assert!(names.is_sorted(), "{names:?}");
        for entry in all() {
            assert!(!entry.spec.doc.is_empty(), "{}", entry.spec.name);
            for arg in entry.spec.arguments().filter(|arg| !arg.name.starts_with('_')) {
                assert!(!arg.doc.is_empty(), "{}: {}", entry.spec.name, arg.name);
            }
        }
    }
}
