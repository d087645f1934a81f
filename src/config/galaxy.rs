//! The servers of `[galaxy] server_list`: a section `[galaxy_server.NAME]` each, and `ANSIBLE_GALAXY_SERVER_NAME_KEY` in the environment.

use std::collections::BTreeMap;

use super::convert::truth;
use super::load::{Chosen, Origin};
use super::{Config, ini};
use crate::diagnostic::Diagnostic;
use crate::value::{Value, text};

/// What can be said of a server, in the order in which it is shown.
const KEYS: &[&str] = &["url", "username", "password", "token", "auth_url", "api_version", "validate_certs", "client_id", "client_secret", "timeout"];

/// Those of [`KEYS`] that are shown to nobody.
const HIDDEN: &[&str] = &["password", "token", "client_secret"];

/// A Galaxy server of the configuration.
#[derive(Debug, Clone)]
pub struct GalaxyServer {
    /// Its name in `server_list`.
    pub name: String,
    settings: Vec<(&'static str, Chosen)>,
}

impl GalaxyServer {
    /// A setting as text, if it has a value.
    pub fn get(&self, key: &str) -> Option<String> {
        let (_, chosen) = self.settings.iter().find(|(name, _)| *name == key)?;
        (!matches!(chosen.value, Value::Null)).then(|| text(&chosen.value))
    }

    /// A setting that is yes or no, if it has a value.
    pub fn flag(&self, key: &str) -> Option<bool> {
        truth(&self.get(key)?)
    }

    /// Every setting as it may be shown.
    pub(super) fn shown(&self) -> impl Iterator<Item = (&'static str, Chosen)> + '_ {
        self.settings.iter().map(|(name, chosen)| {
            let hidden = HIDDEN.contains(name) && !matches!(chosen.value, Value::Null);
            let value = if hidden { "********".into() } else { chosen.value.clone() };
            (*name, Chosen { value, origin: chosen.origin.clone() })
        })
    }
}

impl Config {
    /// The servers of `server_list`, in order.
    ///
    /// # Errors
    /// The file has become unreadable, or a server has no address.
    pub fn galaxy_servers(&self, env: &BTreeMap<String, String>) -> Result<Vec<GalaxyServer>, Diagnostic> {
        let ini = self.file.as_ref().map(ini::parse).transpose()?.unwrap_or_default();
        let names: Vec<String> =
            self.setting("GALAXY_SERVER_LIST").and_then(|chosen| Some(chosen.value.as_slice()?.iter().map(text).collect())).unwrap_or_default();
        names.into_iter().filter(|name| !name.is_empty()).map(|name| self.galaxy_server(name, &ini, env)).collect()
    }

    fn galaxy_server(&self, name: String, ini: &ini::Ini, env: &BTreeMap<String, String>) -> Result<GalaxyServer, Diagnostic> {
        let section = format!("galaxy_server.{name}");
        let decide = |key: &'static str| {
            let variable = format!("ANSIBLE_GALAXY_SERVER_{}_{}", name.to_uppercase(), key.to_uppercase());
            if let Some(value) = env.get(&variable) {
                return (key, Chosen { value: value.as_str().into(), origin: Origin::Env(variable.into()) });
            }
            if let Some(entry) = ini.get(&section, key) {
                return (key, Chosen { value: entry.text.as_str().into(), origin: Origin::File(entry.span.clone()) });
            }
            let value = match key {
                "timeout" => self.setting("GALAXY_SERVER_TIMEOUT").map_or(Value::Null, |chosen| chosen.value.clone()),
                _ => Value::Null,
            };
            (key, Chosen { value, origin: Origin::Default })
        };
        let server = GalaxyServer { settings: KEYS.iter().copied().map(decide).collect(), name };
        if server.get("url").is_none_or(|url| url.is_empty()) {
            return Err(Diagnostic::error(format!("the Galaxy server {} has no `url`", server.name)).help(format!("add it in [{section}]")));
        }
        Ok(server)
    }
}
