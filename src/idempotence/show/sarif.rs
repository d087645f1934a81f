//! The judgement as SARIF 2.1.0, which code hosts show beside the lines.

use std::path::Path;

use serde_json::{Value, json};

use super::super::cause::Kind;
use super::super::judge::{Finding, Judgement, Place, Verdict};
use super::shown;

/// The text.
pub fn sarif(judgement: &Judgement, root: &Path) -> String {
    let rules: Vec<Value> =
        Kind::ALL.iter().map(|kind| json!({"id": kind.name(), "shortDescription": {"text": kind.title()}, "help": {"text": kind.help()}})).collect();
    let results: Vec<Value> = judgement.findings.iter().filter(|finding| finding.cause.kind != Kind::Follows).map(|finding| result(finding, root)).collect();
    let driver = json!({"name": "rplay", "version": env!("CARGO_PKG_VERSION"), "rules": rules});
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    });
    let mut text = serde_json::to_string_pretty(&log).unwrap_or_default();
    text.push('\n');
    text
}

fn location(place: &Place, root: &Path) -> Value {
    json!({"physicalLocation": {"artifactLocation": {"uri": uri(&shown(&place.file, root))}, "region": {"startLine": place.line.max(1)}}, "message": {"text": place.name}})
}

/// A path as an address: what an address does not know is written as percent signs.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let encoded: String = path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect();
    if path.starts_with('/') { format!("file://{encoded}") } else { encoded }
}

fn result(finding: &Finding, root: &Path) -> Value {
    let hosts: Vec<&str> = finding.hosts.iter().map(|(host, _)| &**host).collect();
    let text = format!("{}: {} (on {})", finding.cause.kind.title(), finding.cause.why, hosts.join(", "));
    let others: Vec<Value> = finding.others.iter().map(|other| location(other, root)).collect();
    let suppressions: Vec<Value> = finding.waived.iter().map(|reason| json!({"kind": "inSource", "justification": reason})).collect();
    json!({
        "ruleId": finding.cause.kind.name(), "level": if finding.verdict == Verdict::WouldChange { "error" } else { "warning" },
        "message": {"text": text}, "locations": [location(&finding.place, root)], "relatedLocations": others, "suppressions": suppressions,
    })
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn addresses() {
        assert_eq!(uri("roles/a b/tasks/main.yml"), "roles/a%20b/tasks/main.yml");
        assert_eq!(uri("/srv/x.yml"), "file:///srv/x.yml");
    }
}
