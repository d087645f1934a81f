//! The recap, line for line.

use std::sync::Arc;

use indexmap::IndexMap;

use super::Colors;
use crate::event::Counts;

/// One line a host, in order of names as ansible-core sorts them.
pub(super) fn lines(hosts: &IndexMap<Arc<str>, Counts>, colors: &Colors) -> Vec<String> {
    let mut names: Vec<&Arc<str>> = hosts.keys().collect();
    names.sort();
    names.into_iter().map(|name| line(name, &hosts[name], colors)).collect()
}

fn line(name: &str, counts: &Counts, colors: &Colors) -> String {
    let kind = if counts.failed > 0 || counts.unreachable > 0 {
        "error"
    } else if counts.changed > 0 {
        "changed"
    } else {
        "ok"
    };
    let host = if colors.enabled() { format!("{:<37}", colors.paint(kind, name)) } else { format!("{name:<26}") };
    let mut line = format!("{host} :");
    let fields = [
        ("ok", counts.ok, "ok"),
        ("changed", counts.changed, "changed"),
        ("unreachable", counts.unreachable, "unreachable"),
        ("failed", counts.failed, "error"),
        ("skipped", counts.skipped, "skip"),
        ("rescued", counts.rescued, "ok"),
        ("ignored", counts.ignored, "warn"),
    ];
    for (word, number, kind) in fields {
        line.push(' ');
        line.push_str(&field(word, number, kind, colors));
    }
    if counts.unknown > 0 {
        line.push(' ');
        line.push_str(&field("unknown", counts.unknown, "warn", colors));
    }
    line
}

fn field(word: &str, number: usize, kind: &str, colors: &Colors) -> String {
    let shown = format!("{word}={number:<4}");
    if number > 0 { colors.paint(kind, &shown) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recap_line_is_ansibles() {
        let counts = Counts { ok: 3, changed: 1, ..Counts::default() };
        let hosts = IndexMap::from([(Arc::from("h"), counts)]);
        let shown = lines(&hosts, &Colors::new(false, Vec::new()));
        assert_eq!(shown[0], "h                          : ok=3    changed=1    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0   ");
    }
}
