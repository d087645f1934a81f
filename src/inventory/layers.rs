//! The variables of a host level by level, as Ansible orders them: inventory, `group_vars`, `host_vars`.

use std::sync::Arc;

use super::data::{self, Vars};
use super::{Inventory, VarFiles};
use crate::diagnostic::Diagnostic;

/// A level of precedence; later ones count more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The group `all` in the inventory.
    All,
    /// The other groups in the inventory.
    Groups,
    /// `group_vars/all` beside the inventory.
    AllFiles,
    /// `group_vars/all` beside the playbook.
    AllPlayFiles,
    /// The other `group_vars` beside the inventory.
    GroupFiles,
    /// The other `group_vars` beside the playbook.
    GroupPlayFiles,
    /// The host in the inventory.
    Host,
    /// `host_vars` beside the inventory.
    HostFiles,
    /// `host_vars` beside the playbook.
    HostPlayFiles,
}

/// Variables of one level.
#[derive(Debug, Clone)]
pub struct Layer {
    /// The level.
    pub level: Level,
    /// The group or host that has them.
    pub of: Arc<str>,
    /// The variables.
    pub vars: Arc<Vars>,
}

impl Inventory {
    /// The variables of a host, those of the last layer count most; layers without variables are left out. `play` is what
    /// [`Inventory::var_files`] gives for the folder of the playbook.
    ///
    /// # Errors
    /// A file cannot be read, decrypted or understood.
    pub fn layers(&self, host: &str, play: Option<&VarFiles>) -> Result<Vec<Layer>, Diagnostic> {
        let Some(host) = self.host(host) else { return Ok(Vec::new()) };
        let chain = self.data.chain(host);
        let (all, groups): (Vec<_>, Vec<_>) = chain.into_iter().partition(|group| &*group.name == "all");
        let mut layers = Layers(Vec::new());
        for (level, some) in [(Level::All, &all), (Level::Groups, &groups)] {
            some.iter().for_each(|group| layers.push(level, &group.name, group.vars.clone()));
        }
        for (level, play_level, some) in [(Level::AllFiles, Level::AllPlayFiles, &all), (Level::GroupFiles, Level::GroupPlayFiles, &groups)] {
            for (level, files) in self.adjacent.iter().map(|files| (level, files)).chain(play.map(|files| (play_level, files))) {
                for group in some {
                    layers.push(level, &group.name, files.for_group(&group.name)?);
                }
            }
        }
        layers.push(Level::Host, &host.name, host.vars.clone());
        for (level, files) in self.adjacent.iter().map(|files| (Level::HostFiles, files)).chain(play.map(|files| (Level::HostPlayFiles, files))) {
            layers.push(level, &host.name, files.for_host(&host.name)?);
        }
        Ok(layers.0)
    }

    /// The warnings of files with variables read since the last call.
    pub fn take_file_warnings(&self, play: Option<&VarFiles>) -> Vec<Diagnostic> {
        self.adjacent.iter().chain(play).flat_map(VarFiles::take_warnings).collect()
    }

    /// The variables of a host as one dictionary.
    ///
    /// # Errors
    /// As [`Inventory::layers`].
    pub fn variables(&self, host: &str, play: Option<&VarFiles>) -> Result<Vars, Diagnostic> {
        let mut vars = Vars::new();
        for layer in self.layers(host, play)? {
            self.lay_over(&mut vars, &layer.vars);
        }
        Ok(vars)
    }

    /// Lays variables over others; dictionaries are merged where the configuration says so.
    pub(super) fn lay_over(&self, vars: &mut Vars, over: &Vars) {
        over.iter().for_each(|(name, value)| data::set(vars, name, value.clone(), self.options.merge));
    }
}

struct Layers(Vec<Layer>);

impl Layers {
    fn push(&mut self, level: Level, of: &Arc<str>, vars: Arc<Vars>) {
        if !vars.is_empty() {
            self.0.push(Layer { level, of: of.clone(), vars });
        }
    }
}
