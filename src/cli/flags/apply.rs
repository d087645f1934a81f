//! What options change in the configuration, and what the two say together.

use clap::Parser as _;

use super::{AdHocFlags, BecomeFlags, ConnectFlags, Flags, InventoryFlags, RunFlags, VaultFlags};
use crate::config::Config;
use crate::vault::Sources;

impl Flags {
    /// Lays the options over the configuration.
    pub fn apply(&self, config: &mut Config) {
        self.connect.apply(config);
        self.escalate.apply(config);
        self.run.apply(config);
        config.force_handlers |= self.force_handlers;
        config.strict |= self.strict;
        config.tags_run.extend(split_tags(&self.tags));
        config.tags_skip.extend(split_tags(&self.skip_tags));
    }

    /// The tags to run: those given, else all; for `--list-tags` also `never`.
    pub fn tags_to_run(&self, config: &Config) -> Vec<String> {
        let given = config.tags_run.iter().filter(|tag| !tag.is_empty()).cloned().collect::<Vec<_>>();
        match (given.is_empty(), self.list_tags && config.tags_skip.is_empty()) {
            (false, _) => given,
            (true, true) => vec!["never".into(), "all".into()],
            (true, false) => vec!["all".into()],
        }
    }

    /// The playbooks as written: those given, else the one of the configuration.
    pub fn playbooks(&self, config: &Config) -> Vec<String> {
        if self.playbooks.is_empty() { config.playbook.iter().cloned().collect() } else { self.playbooks.clone() }
    }
}

impl AdHocFlags {
    /// Lays the options over the configuration.
    pub fn apply(&self, config: &mut Config) {
        self.connect.apply(config);
        self.escalate.apply(config);
        self.run.apply(config);
        set(&mut config.module_name, &self.module_name);
        config.module_args = self.args.clone().or(config.module_args.take());
        config.poll_interval = self.poll.unwrap_or(config.poll_interval);
        config.task_timeout = self.task_timeout.unwrap_or(config.task_timeout);
        config.playbook_dir = self.playbook_dir.as_ref().map(|path| config.places.from_cwd(path)).or(config.playbook_dir.take());
    }
}

impl AdHocFlags {
    /// The options of a playbook run that mean the same.
    pub fn as_run(&self) -> Flags {
        let mut flags = Flags::parse_from(["rplay"]);
        flags.connect.clone_from(&self.connect);
        flags.escalate.clone_from(&self.escalate);
        flags.inventory.clone_from(&self.inventory);
        flags.vault.clone_from(&self.vault);
        flags.run.clone_from(&self.run);
        flags
    }
}

impl ConnectFlags {
    fn apply(&self, config: &mut Config) {
        let path = |given: &Option<String>| given.as_ref().map(|path| config.places.from_cwd(path));
        let (key, password) = (path(&self.private_key), path(&self.connection_password_file));
        config.private_key_file = key.or(config.private_key_file.take());
        config.connection_password_file = password.or(config.connection_password_file.take());
        config.remote_user = self.user.clone().or(config.remote_user.take());
        config.timeout = self.timeout.unwrap_or(config.timeout);
        config.ask_pass |= self.ask_pass;
        set(&mut config.transport, &self.connection);
        set(&mut config.ssh_common_args, &self.ssh_common_args);
        set(&mut config.ssh_extra_args, &self.ssh_extra_args);
        set(&mut config.scp_extra_args, &self.scp_extra_args);
        set(&mut config.sftp_extra_args, &self.sftp_extra_args);
    }
}

impl BecomeFlags {
    fn apply(&self, config: &mut Config) {
        config.r#become |= self.r#become;
        config.become_ask_pass |= self.ask_become_pass;
        set(&mut config.become_method, &self.become_method);
        set(&mut config.become_user, &self.become_user);
        config.become_password_file = self.become_password_file.as_ref().map(|path| config.places.from_cwd(path)).or(config.become_password_file.take());
    }
}

impl RunFlags {
    fn apply(&self, config: &mut Config) {
        config.diff_always |= self.diff;
        config.forks = self.forks.and_then(|forks| usize::try_from(forks).ok()).unwrap_or(config.forks);
        config.verbosity = config.verbosity.saturating_add(self.verbose);
        for paths in &self.module_path {
            let paths: Vec<_> = paths.split(':').filter(|path| !path.is_empty()).map(|path| config.places.from_cwd(path)).collect();
            config.library.splice(0..0, paths);
        }
    }
}

impl InventoryFlags {
    /// The sources: those given, else those of the configuration; paths are complete.
    pub fn sources(&self, config: &Config) -> Vec<String> {
        if self.inventory.is_empty() {
            return config.inventory.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        }
        let complete = |source: &String| if source.contains(',') { source.clone() } else { config.places.from_cwd(source).to_string_lossy().into_owned() };
        self.inventory.iter().map(complete).collect()
    }
}

impl VaultFlags {
    /// The password sources of options and configuration, in the order in which they are tried.
    pub fn sources(&self, config: &Config) -> Sources {
        let configured = config.vault_password_file.iter().map(|path| path.to_string_lossy().into_owned());
        Sources {
            ids: config.vault_identity_list.iter().filter(|id| !id.is_empty()).chain(&self.vault_id).cloned().collect(),
            files: self.vault_password_file.iter().cloned().chain(configured).collect(),
            ask: self.ask_vault_password || config.ask_vault_pass,
            confirm: false,
        }
    }
}

fn set(setting: &mut String, given: &Option<String>) {
    if let Some(given) = given {
        setting.clone_from(given);
    }
}

/// Words between commas of all occurrences, each once.
fn split_tags(given: &[String]) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in given.iter().flat_map(|tags| tags.split(',')).map(str::trim) {
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_string());
        }
    }
    tags
}
