//! Ansible's colours, by the name of what is shown.

/// Colours by name, and whether they are used.
#[derive(Debug, Clone)]
pub struct Colors {
    enabled: bool,
    names: Vec<(String, String)>,
}

/// Ansible's names of colours.
const CODES: &[(&str, &str)] = &[
    ("black", "0;30"),
    ("bright gray", "0;37"),
    ("blue", "0;34"),
    ("white", "1;37"),
    ("green", "0;32"),
    ("bright blue", "1;34"),
    ("cyan", "0;36"),
    ("bright green", "1;32"),
    ("red", "0;31"),
    ("bright cyan", "1;36"),
    ("purple", "0;35"),
    ("bright red", "1;31"),
    ("yellow", "0;33"),
    ("bright purple", "1;35"),
    ("dark gray", "1;30"),
    ("bright yellow", "1;33"),
    ("magenta", "0;35"),
    ("bright magenta", "1;35"),
    ("normal", "0"),
];

/// What each kind of line is shown in, unless `[colors]` says otherwise.
const DEFAULTS: &[(&str, &str)] = &[
    ("ok", "green"),
    ("changed", "yellow"),
    ("skip", "cyan"),
    ("included", "cyan"),
    ("error", "red"),
    ("unreachable", "bright red"),
    ("warn", "bright purple"),
    ("deprecate", "purple"),
    ("debug", "dark gray"),
    ("verbose", "blue"),
    ("highlight", "white"),
    ("diff_add", "green"),
    ("diff_remove", "red"),
    ("diff_lines", "cyan"),
];

impl Colors {
    /// Colours, of which some were set to others.
    pub fn new(enabled: bool, chosen: Vec<(String, String)>) -> Colors {
        Colors { enabled, names: chosen }
    }

    /// True when colours are used.
    pub fn enabled(&self) -> bool {
        self.enabled
    }

    /// The text in the colour of that kind; every line for itself, as Ansible does.
    pub fn paint(&self, kind: &str, text: &str) -> String {
        if !self.enabled {
            return text.to_string();
        }
        let chosen = self.names.iter().find(|(name, _)| name == kind).map(|(_, color)| color.as_str());
        let color = chosen.or_else(|| DEFAULTS.iter().find(|(name, _)| *name == kind).map(|(_, color)| *color)).unwrap_or("normal");
        let code = code(color);
        text.split('\n').map(|line| format!("\x1b[{code}m{line}\x1b[0m")).collect::<Vec<_>>().join("\n")
    }
}

fn code(color: &str) -> String {
    if let Some((_, code)) = CODES.iter().find(|(name, _)| *name == color) {
        return code.to_string();
    }
    match color.strip_prefix("color").map(str::parse::<u8>) {
        Some(Ok(number)) => format!("38;5;{number}"),
        _ => "0".into(),
    }
}
