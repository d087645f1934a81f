//! Finds `ansible.cfg` and decides every setting: environment before file before default.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use super::convert::{Context, convert, folder, truth};
use super::ini::{self, Ini};
use super::paths::Places;
use super::settings::{Kind, PYTHON_PLUGINS, SETTINGS, Setting};
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Source, Span};
use crate::value::{Value, text};

/// Who decided a setting.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// Nobody.
    Default,
    /// An environment variable.
    Env(Cow<'static, str>),
    /// A line of the file.
    File(Span),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Env(name) => write!(f, "env: {name}"),
            Origin::File(span) => write!(f, "{}", span.path().display()),
        }
    }
}

/// What a setting is, and who decided it.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// Its value.
    pub value: Value,
    /// Who decided it.
    pub origin: Origin,
}

/// Every setting of the table by name.
pub type Settings = IndexMap<&'static str, Chosen>;

/// The file, if there is one, and every setting.
pub struct Loaded {
    /// The file that was read.
    pub file: Option<Arc<Source>>,
    /// All settings, in the table's order.
    pub settings: Settings,
    /// What is odd, but goes on.
    pub warnings: Vec<Diagnostic>,
}

/// Reads the file and the environment.
pub fn load(env: &BTreeMap<String, String>, cwd: &Path) -> Result<Loaded, Diagnostic> {
    let places = Places::new(env, cwd);
    let mut warnings = Vec::new();
    let file = find(env, &places, &mut warnings);
    let source = file.map(|path| read(&path)).transpose()?;
    let ini = source.as_ref().map(ini::parse).transpose()?.unwrap_or_default();
    let mut decide = Decide { env, places: &places, ini: &ini, home: String::new(), warnings };
    decide.home = decide.home()?;
    let settings = SETTINGS.iter().map(|setting| Ok((setting.name, decide.setting(setting)?))).collect::<Result<Settings, Diagnostic>>()?;
    let mut warnings = decide.warnings;
    warnings.extend(python_plugins(&settings));
    Ok(Loaded { file: source, settings, warnings })
}

fn find(env: &BTreeMap<String, String>, places: &Places, warnings: &mut Vec<Diagnostic>) -> Option<PathBuf> {
    let named = env.get("ANSIBLE_CONFIG").map(|text| places.from_cwd(text));
    let named = named.map(|path| if path.is_dir() { path.join("ansible.cfg") } else { path });
    let here = places.cwd().join("ansible.cfg");
    let public = places.cwd().metadata().is_ok_and(|m| m.permissions().mode() & 0o002 != 0);
    let found = named
        .iter()
        .cloned()
        .chain((!public).then(|| here.clone()))
        .chain([places.from_cwd("~/.ansible.cfg"), PathBuf::from("/etc/ansible/ansible.cfg")])
        .find(|path| path.exists() && std::fs::File::open(path).is_ok());
    if public && here.exists() && (named.is_none() || found != named) {
        let message = format!("{} is ignored, because everybody may write to this directory", here.display());
        warnings.push(Diagnostic::warning(message).help("`chmod o-w .`, or name the file in ANSIBLE_CONFIG"));
    }
    found
}

fn read(path: &Path) -> Result<Arc<Source>, Diagnostic> {
    let unreadable = |why: String| Diagnostic::error(format!("error reading config file ({}): {why}", path.display()));
    if !matches!(path.extension().and_then(|e| e.to_str()), Some("cfg" | "ini")) {
        return Err(unreadable("unsupported configuration file extension".into()).help("call it `ansible.cfg`"));
    }
    let bytes = std::fs::read(path).map_err(|e| unreadable(e.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".into()))?;
    Ok(Source::new(path, text))
}

struct Decide<'a> {
    env: &'a BTreeMap<String, String>,
    places: &'a Places,
    ini: &'a Ini,
    home: String,
    warnings: Vec<Diagnostic>,
}

impl Decide<'_> {
    /// `ANSIBLE_HOME` first: defaults refer to it.
    fn home(&mut self) -> Result<String, Diagnostic> {
        match SETTINGS.iter().find(|setting| setting.name == "ANSIBLE_HOME") {
            Some(setting) => Ok(text(&self.setting(setting)?.value)),
            None => Ok("~/.ansible".into()),
        }
    }

    fn setting(&mut self, setting: &Setting) -> Result<Chosen, Diagnostic> {
        let env = setting.env.iter().rev().find_map(|name| Some((Origin::Env(Cow::Borrowed(name)), self.env.get(*name)?.as_str())));
        let file = || setting.ini.iter().rev().find_map(|(section, key)| self.ini.get(section, key));
        let found = env.or_else(|| file().map(|entry| (Origin::File(entry.span.clone()), entry.text.as_str())));
        let Some((origin, written)) = found else { return Ok(self.default(setting)) };
        if written.is_empty() && setting.kind == Kind::Path {
            return Ok(Chosen { value: Value::Null, origin });
        }
        match convert(written, setting.kind, &self.context(&origin)) {
            Some(value) => self.checked(setting, written, Chosen { value, origin }),
            None if written.is_empty() && matches!(origin, Origin::Env(_)) => Ok(self.default(setting)),
            None => Err(wrong(setting, &origin, format!("`{written}` is not {}", article(setting.kind)))),
        }
    }

    fn default(&self, setting: &Setting) -> Chosen {
        let value = match setting.default {
            None => Value::Null,
            Some("") if setting.kind == Kind::List => Value::list(Vec::new()),
            Some(written) => {
                let written = written.replace("{{ANSIBLE_HOME}}", &self.home);
                convert(&written, setting.kind, &self.context(&Origin::Default)).unwrap_or(Value::Null)
            }
        };
        Chosen { value, origin: Origin::Default }
    }

    fn context(&self, origin: &Origin) -> Context<'_> {
        match origin {
            Origin::File(span) => Context { places: self.places, base: folder(span.path()), unquote: true },
            Origin::Env(_) | Origin::Default => Context { places: self.places, base: self.places.cwd().to_path_buf(), unquote: false },
        }
    }

    /// Warns once for a line that several settings read.
    fn doubt(&mut self, error: Diagnostic) {
        if error.span.is_none() || self.warnings.iter().all(|w| w.span != error.span) {
            self.warnings.push(Diagnostic { severity: Severity::Warning, ..error });
        }
    }

    fn checked(&mut self, setting: &Setting, written: &str, chosen: Chosen) -> Result<Chosen, Diagnostic> {
        let allowed = |value: &Value| value.as_str().is_some_and(|word| setting.choices.contains(&word));
        let fine = setting.choices.is_empty() || chosen.value.as_slice().map_or_else(|| allowed(&chosen.value), |items| items.iter().all(allowed));
        if !fine {
            let message = format!("invalid value `{written}`");
            return Err(wrong(setting, &chosen.origin, message).help(format!("valid values are: {}", setting.choices.join(", "))));
        }
        if setting.kind == Kind::Bool && truth(written).is_none() && !written.is_empty() {
            self.doubt(wrong(setting, &chosen.origin, format!("`{written}` is no boolean, taken as false")));
        }
        Ok(chosen)
    }
}

fn wrong(setting: &Setting, origin: &Origin, what: String) -> Diagnostic {
    match origin {
        Origin::File(span) => Diagnostic::error(format!("config {}: {what}", setting.name)).at(span),
        Origin::Env(name) => Diagnostic::error(format!("config {} from the environment variable {name}: {what}", setting.name)),
        Origin::Default => Diagnostic::error(format!("config {}: {what}", setting.name)),
    }
}

fn article(kind: Kind) -> &'static str {
    match kind {
        Kind::Int => "an integer",
        Kind::Float => "a number",
        Kind::Bool => "a boolean",
        Kind::Str => "text",
        Kind::List => "a list",
        Kind::Path | Kind::PathList | Kind::PathSpec => "a path",
    }
}

/// One warning for all settings that point to plugins in Python.
fn python_plugins(settings: &Settings) -> Option<Diagnostic> {
    let set: Vec<_> = PYTHON_PLUGINS.iter().filter_map(|name| Some((*name, &settings.get(name)?.origin))).filter(|(_, o)| **o != Origin::Default).collect();
    let names: Vec<_> = set.iter().map(|(name, _)| *name).collect();
    let (_, first) = set.first()?;
    let warning = Diagnostic::warning(format!("plugins written in Python are not loaded; without effect: {}", names.join(", ")));
    Some(match first {
        Origin::File(span) => warning.at(span),
        Origin::Env(_) | Origin::Default => warning,
    })
}
