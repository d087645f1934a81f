//! Sources: folders, files in any of the formats, lists. A source that no format can read is left out as a whole.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use rplay_modules::pyre;

use super::build::Builder;
use super::data::Data;
use super::{Options, ini, script, tree};
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Source;
use crate::vault::Secrets;
use crate::yaml;

struct Reader<'a> {
    options: &'a Options,
    secrets: &'a Secrets,
    warnings: &'a mut Vec<Diagnostic>,
}

/// Reads a source into the data; true when it, or a part of a folder, could be read.
pub(super) fn source(source: &str, data: &mut Data, options: &Options, secrets: &Secrets, warnings: &mut Vec<Diagnostic>) -> Result<bool, Diagnostic> {
    Reader { options, secrets, warnings }.source(Path::new(source), data)
}

impl Reader<'_> {
    fn source(&mut self, path: &Path, data: &mut Data) -> Result<bool, Diagnostic> {
        if path.is_dir() {
            return self.folder(path, data);
        }
        let mut failures = Vec::new();
        for format in &self.options.enabled {
            let format = format.strip_prefix("ansible.builtin.").unwrap_or(format);
            match self.attempt(format, path, data) {
                Some(Ok(())) => return Ok(true),
                Some(Err(failure)) => failures.push((format.to_string(), failure)),
                None => {}
            }
        }
        self.give_up(path, failures)?;
        Ok(false)
    }

    fn folder(&mut self, folder: &Path, data: &mut Data) -> Result<bool, Diagnostic> {
        let entries = std::fs::read_dir(folder).map_err(|e| Diagnostic::error(format!("cannot read the inventory folder {}: {e}", folder.display())))?;
        let mut names: Vec<String> = entries.filter_map(Result::ok).map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        let mut parsed = false;
        for name in names {
            if !self.is_ignored(&name)? {
                parsed |= self.source(&folder.join(name), data)?;
            }
        }
        Ok(parsed)
    }

    fn is_ignored(&self, name: &str) -> Result<bool, Diagnostic> {
        if name.starts_with('.') || matches!(name, "host_vars" | "group_vars" | "vars_plugins") {
            return Ok(true);
        }
        if self.options.ignore_extensions.iter().any(|end| name.ends_with(end.as_str())) {
            return Ok(true);
        }
        for pattern in self.options.ignore_patterns.iter().filter(|pattern| !pattern.is_empty()) {
            let regex = pyre::compile(pattern, pyre::Flags::default())
                .map_err(|why| Diagnostic::error(format!("invalid inventory ignore pattern '{pattern}': {why}")))?;
            if regex.is_match(name).map_err(Diagnostic::error)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Tries one format; `None` when the source cannot be of it.
    fn attempt(&mut self, format: &str, path: &Path, data: &mut Data) -> Option<Result<(), Diagnostic>> {
        let list = path.to_string_lossy();
        let extension = path.extension().map(|e| format!(".{}", e.to_string_lossy()));
        let is_yaml = extension.as_ref().is_none_or(|e| self.options.extensions.contains(e));
        let wanted = match format {
            "host_list" | "advanced_host_list" => !path.exists() && list.contains(','),
            "script" => path.exists() && path.metadata().is_ok_and(|m| m.permissions().mode() & 0o111 != 0),
            "auto" => path.exists() && matches!(extension.as_deref(), Some(".yml" | ".yaml")),
            "yaml" => path.exists() && is_yaml,
            "ini" => path.exists() && extension.as_deref() != Some(".toml"),
            "toml" => path.exists() && extension.as_deref() == Some(".toml"),
            _ => false,
        };
        wanted.then(|| self.read(format, path, data))
    }

    fn read(&mut self, format: &str, path: &Path, data: &mut Data) -> Result<(), Diagnostic> {
        match format {
            "script" => self.build(path, data, |build| script::read(path, build)),
            "ini" => {
                let source = text(path, self.secrets)?;
                self.build(path, data, |build| ini::read(&source, build))
            }
            "auto" => Err(self.plugin(path)?),
            "toml" => Err(Diagnostic::error("TOML inventories are not supported").help("write it as YAML: the shape is the same")),
            "yaml" => {
                let loaded = yaml::load(&text(path, self.secrets)?, &self.yaml())?;
                self.build(path, data, |build| {
                    build.warnings.extend(loaded.warnings);
                    tree::read(&loaded.node, build)
                })
            }
            _ => self.build(path, data, |build| script::read_list(&path.to_string_lossy(), build)),
        }
    }

    /// Lets a format build on a copy, which counts when the format succeeds.
    fn build(&mut self, path: &Path, data: &mut Data, read: impl FnOnce(&mut Builder) -> Result<(), Diagnostic>) -> Result<(), Diagnostic> {
        let mut copy = data.clone();
        let mut found = Vec::new();
        read(&mut Builder { data: &mut copy, group_names: &self.options.group_names, source: Some(path.into()), warnings: &mut found })?;
        *data = copy;
        for warning in found {
            if self.warnings.iter().all(|known| known.message != warning.message) {
                self.warnings.push(warning);
            }
        }
        Ok(())
    }

    fn yaml(&self) -> yaml::Options {
        yaml::Options { duplicate_keys: self.options.duplicate_keys, ..yaml::Options::default() }
    }

    /// A YAML file that configures a plugin, and that is no inventory itself.
    fn plugin(&self, path: &Path) -> Result<Diagnostic, Diagnostic> {
        let source = text(path, self.secrets)?;
        let shown = path.display();
        let no_key = Diagnostic::error(format!("no root 'plugin' key found, '{shown}' is not a valid YAML inventory plugin config file"));
        // most inventories are none, and large ones take long to read twice
        if !source.text.contains("plugin") {
            return Ok(no_key);
        }
        let loaded = yaml::load(&source, &self.yaml())?;
        Ok(match loaded.node.get("plugin") {
            Some(plugin) => Diagnostic::error(format!("{PLUGIN} '{}', which rplay does not have", plugin.to_value())).at(&plugin.span),
            None => no_key,
        })
    }

    fn give_up(&mut self, path: &Path, failures: Vec<(String, Diagnostic)>) -> Result<(), Diagnostic> {
        // the default source need not exist
        if path == Path::new("/etc/ansible/hosts") && !path.exists() {
            return Ok(());
        }
        if let Some((format, failure)) = telling(path, failures) {
            let message = format!("Failed to parse inventory with '{format}' plugin: {}", failure.message);
            self.warnings.push(Diagnostic { severity: Severity::Warning, message, ..failure });
        }
        let shown = path.display();
        if self.options.any_unparsed_is_failed {
            return Err(Diagnostic::error(format!("Completely failed to parse inventory source {shown}")));
        }
        let why = if path.exists() || path.to_string_lossy().contains(',') { None } else { Some("there is no such file") };
        let warning = Diagnostic::warning(format!("Unable to parse {shown} as an inventory source"));
        self.warnings.push(why.into_iter().fold(warning, Diagnostic::note));
        Ok(())
    }
}

const PLUGIN: &str = "this file configures the inventory plugin";

/// The failure of the format that the file most likely is of; those of the other formats only mislead.
fn telling(path: &Path, failures: Vec<(String, Diagnostic)>) -> Option<(String, Diagnostic)> {
    let find = |wanted: &str| failures.iter().find(|(format, _)| format == wanted).cloned();
    let is_plugin = |(_, failure): &(String, Diagnostic)| failure.message.starts_with(PLUGIN);
    let named = matches!(path.extension().and_then(|e| e.to_str()), Some("yml" | "yaml" | "json"));
    let looks_like_yaml = |(_, failure): &(String, Diagnostic)| failure.message.starts_with("Invalid host pattern");
    find("script")
        .or_else(|| find("auto").filter(is_plugin))
        .or_else(|| find("yaml").filter(|_| named))
        .or_else(|| find("ini").filter(|ini| !looks_like_yaml(ini)))
        .or_else(|| find("yaml"))
        .or_else(|| failures.last().cloned())
}

/// A file's text, decrypted when it is encrypted. Lines of comments need not be UTF-8.
pub(super) fn text(path: &Path, secrets: &Secrets) -> Result<Arc<Source>, Diagnostic> {
    let bytes = secrets
        .read(path)
        .map_err(|e| Diagnostic::error(format!("{}: {e}", path.display()).replace(&format!("{0}: {0}: ", path.display()), &format!("{}: ", path.display()))))?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => lenient(e.as_bytes()).ok_or_else(|| Diagnostic::error(format!("{}: the file is not UTF-8", path.display())))?,
    };
    Ok(Source::new(path, text))
}

/// The text with the odd bytes of its comments replaced; `None` when other lines have some too.
fn lenient(bytes: &[u8]) -> Option<String> {
    let line = |line: &[u8]| match std::str::from_utf8(line) {
        Ok(text) => Some(text.to_string()),
        Err(_) if line.starts_with(b"#") || line.starts_with(b";") => Some(String::from_utf8_lossy(line).into_owned()),
        Err(_) => None,
    };
    bytes.split_inclusive(|byte| *byte == b'\n').map(line).collect()
}
