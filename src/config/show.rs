//! What `ansible-config` prints: `dump` and `list`.

use std::fmt::Write as _;

use super::Config;
use super::load::Origin;
use super::settings::{Kind, SETTINGS, Setting};
use crate::value::{Value, repr, text};

/// Which settings a dump shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// All.
    All,
    /// Those that somebody has set.
    Only,
}

/// `ansible-config dump`: `NAME(origin) = value`, a line each, by name.
pub fn dump(config: &Config, which: Changed) -> String {
    let mut lines: Vec<(&str, String)> = SETTINGS.iter().filter(|s| !s.name.contains('.')).filter_map(|s| Some((s.name, line(config, s, which)?))).collect();
    let file = config.file.as_ref().map_or("None".to_string(), |source| source.path.display().to_string());
    if which == Changed::All || config.file.is_some() {
        lines.push(("CONFIG_FILE", format!("CONFIG_FILE() = {file}\n")));
    }
    lines.extend(SETTINGS.iter().filter(|s| s.name.starts_with("rplay.")).filter_map(|s| Some((s.name, line(config, s, Changed::Only)?))));
    lines.sort_by_key(|(name, _)| *name);
    let mut out: String = lines.into_iter().map(|(_, line)| line).collect();
    out.push_str("\nGALAXY_SERVERS:\n");
    out
}

fn line(config: &Config, setting: &Setting, which: Changed) -> Option<String> {
    let chosen = config.setting(setting.name)?;
    if which == Changed::Only && chosen.origin == Origin::Default {
        return None;
    }
    let shown = match &chosen.value {
        Value::Str(word) => word.to_string(),
        value => repr(value),
    };
    Some(format!("{}({}) = {shown}\n", setting.name, chosen.origin))
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
