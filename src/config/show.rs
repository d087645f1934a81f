//! What `ansible-config` prints: `dump`, `list` and `init`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::load::{Chosen, Origin};
use super::settings::{Kind, SETTINGS, Setting};
use super::{Config, GalaxyServer};
use crate::value::{Dict, Key, Value, dumps, repr, text};
use crate::yaml;

/// Which settings a dump shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// All.
    All,
    /// Those that somebody has set.
    Only,
}

/// How a dump is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `NAME(origin) = value`, a line each.
    Display,
    /// A list of dictionaries.
    Json,
    /// The same.
    Yaml,
}

/// `ansible-config dump`: every setting with its value and who decided it, by name; then the Galaxy servers, without their secrets.
pub fn dump(config: &Config, servers: &[GalaxyServer], which: Changed, format: Format) -> String {
    let rows = rows(config, which);
    match format {
        Format::Display => rows.iter().map(|(name, chosen)| display(name, chosen)).collect::<String>() + &display_servers(servers),
        Format::Json => dumps(&structured(&rows, servers), true) + "\n",
        Format::Yaml => {
            let options = yaml::DumpOptions { default_flow_style: Some(false), ..yaml::DumpOptions::default() };
            // names and settings can always be written
            yaml::dump(&structured(&rows, servers), &options).unwrap_or_default()
        }
    }
}

/// What is shown, by name: Ansible's settings, and those of rplay's own that somebody has set.
fn rows(config: &Config, which: Changed) -> Vec<(&'static str, Chosen)> {
    let chosen = |setting: &Setting, which: Changed| {
        let chosen = config.setting(setting.name)?;
        (which == Changed::All || chosen.origin != Origin::Default).then(|| (setting.name, chosen.clone()))
    };
    let mut rows: Vec<_> = SETTINGS.iter().filter(|s| !s.name.contains('.')).filter_map(|s| chosen(s, which)).collect();
    rows.extend(SETTINGS.iter().filter(|s| s.name.starts_with("rplay.")).filter_map(|s| chosen(s, Changed::Only)));
    if which == Changed::All || config.file.is_some() {
        let value = config.file.as_ref().map_or(Value::Null, |source| source.path.to_string_lossy().as_ref().into());
        rows.push(("CONFIG_FILE", Chosen { value, origin: Origin::Env("".into()) }));
    }
    rows.sort_by_key(|(name, _)| *name);
    rows
}

/// `CONFIG_FILE` has no origin.
fn origin(name: &str, chosen: &Chosen) -> String {
    if name == "CONFIG_FILE" { String::new() } else { chosen.origin.to_string() }
}

fn display(name: &str, chosen: &Chosen) -> String {
    let shown = match &chosen.value {
        Value::Str(word) => word.to_string(),
        value => repr(value),
    };
    format!("{name}({}) = {shown}\n", origin(name, chosen))
}

fn display_servers(servers: &[GalaxyServer]) -> String {
    let mut out = "\nGALAXY_SERVERS:\n".to_string();
    if !servers.is_empty() {
        out.push('\n');
    }
    for server in servers {
        let _ = write!(out, "\n{}\n{}\n", server.name, "=".repeat(server.name.len()));
        let mut set: Vec<_> = server.shown().filter(|(_, chosen)| chosen.origin != Origin::Default).collect();
        set.sort_by_key(|(name, _)| *name);
        set.iter().for_each(|(name, chosen)| out.push_str(&display(name, chosen)));
    }
    out
}

fn structured(rows: &[(&'static str, Chosen)], servers: &[GalaxyServer]) -> Value {
    let entry = |name: &str, chosen: &Chosen, kind: bool| -> Value {
        let mut entry: Dict = [("name".into(), name.into()), ("origin".into(), origin(name, chosen).as_str().into())].into_iter().collect();
        if kind {
            entry.insert("type".into(), Value::Null);
        }
        entry.insert("value".into(), chosen.value.clone());
        Value::dict(entry)
    };
    let server = |server: &GalaxyServer| {
        let settings = server.shown().map(|(name, chosen)| entry(name, &chosen, true));
        (Key::Str(server.name.as_str().into()), Value::list(settings.collect()))
    };
    let servers: Dict = servers.iter().map(server).collect();
    let mut out: Vec<Value> = rows.iter().map(|(name, chosen)| entry(name, chosen, false)).collect();
    out.push(Value::dict([("GALAXY_SERVERS".into(), Value::dict(servers))].into_iter().collect()));
    Value::list(out)
}

/// `ansible-config init`: every setting of `ansible.cfg` with its default, by section; what has none is a comment.
pub fn init_ini(disabled: bool) -> String {
    let mut sections: BTreeMap<&str, String> = BTreeMap::new();
    for setting in SETTINGS {
        let Some((section, key)) = setting.ini.last() else { continue };
        let out = sections.entry(section).or_default();
        let choices = if setting.choices.is_empty() { String::new() } else { format!("; one of {}", setting.choices.join(", ")) };
        let mark = if disabled || setting.default.is_none() { ";" } else { "" };
        let _ = write!(out, "# {} ({}){choices}\n{mark}{key}={}\n\n", setting.name, kind_name(setting.kind), written(setting));
    }
    sections.iter().map(|(section, text)| format!("[{section}]\n{text}")).collect()
}

/// `ansible-config init --format env`: the same as environment variables.
pub fn init_env(disabled: bool) -> String {
    let mut out = String::new();
    for setting in SETTINGS {
        let Some(name) = setting.env.last() else { continue };
        let mark = if disabled || setting.default.is_none() { "#" } else { "" };
        let _ = write!(out, "# {} ({})\n{mark}{name}={}\n\n", setting.name, kind_name(setting.kind), quoted(&written(setting)));
    }
    out
}

/// A word that a shell reads as it is.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./~:,@%+=".contains(c);
    if word.chars().all(plain) { word.to_string() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

fn written(setting: &Setting) -> String {
    setting.default.unwrap_or_default().replace("{{ANSIBLE_HOME}}", "~/.ansible")
}

/// `ansible-config list`: every setting with its type, default and the places where it can be set, as YAML.
pub fn list() -> String {
    let mut out = String::new();
    let mut settings: Vec<_> = SETTINGS.iter().collect();
    settings.sort_by_key(|setting| setting.name);
    for setting in settings {
        let _ = writeln!(out, "{}:", setting.name);
        if !setting.choices.is_empty() {
            let _ = writeln!(out, "  choices: [{}]", setting.choices.join(", "));
        }
        let _ = writeln!(out, "  default: {}", setting.default.map_or("null".into(), |d| default_text(d, setting.kind)));
        write_places(&mut out, setting);
        let _ = writeln!(out, "  type: {}", kind_name(setting.kind));
    }
    out
}

fn write_places(out: &mut String, setting: &Setting) {
    if !setting.env.is_empty() {
        out.push_str("  env:\n");
        for name in setting.env {
            let _ = writeln!(out, "  - name: {name}");
        }
    }
    if !setting.ini.is_empty() {
        out.push_str("  ini:\n");
        for (section, key) in setting.ini {
            let _ = writeln!(out, "  - key: {key}\n    section: {section}");
        }
    }
}

fn default_text(default: &str, kind: Kind) -> String {
    match kind {
        Kind::Bool => default.to_lowercase(),
        Kind::Int | Kind::Float => default.to_string(),
        Kind::List | Kind::PathList if default.is_empty() => "[]".into(),
        Kind::List | Kind::PathList => repr(&Value::list(default.split(',').map(Value::from).collect())),
        Kind::Str | Kind::Path | Kind::PathSpec => format!("'{}'", text(&Value::from(default)).replace('\'', "''")),
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Str => "string",
        Kind::Bool => "boolean",
        Kind::Int => "integer",
        Kind::Float => "float",
        Kind::List => "list",
        Kind::Path => "path",
        Kind::PathList => "pathlist",
        Kind::PathSpec => "pathspec",
    }
}
