//! The judgement as JSON: the verdict, findings, and a result for each task, host and item.

use std::path::Path;

use serde_json::{Value, json};

use super::super::judge::{Finding, Judgement, Place, Verdict};
use super::{results, shown};

/// The text; keys stay as they are from version to version, `version` counts what is added.
pub fn json(judgement: &Judgement, root: &Path) -> String {
    let findings: Vec<Value> = judgement.findings.iter().map(|one| finding(one, root)).collect();
    let each: Vec<Value> = judgement.results.iter().map(|result| {
        let item = result.key.item.as_ref().map(|(label, _)| label);
        let file = shown(&result.key.file, root);
        json!({"file": file, "line": result.key.line, "task": result.name, "host": &*result.key.host, "item": item, "verdict": result.verdict.name(), "finding": result.finding})
    }).collect();
    let counts = json!({
        "clean": results(judgement, Verdict::Clean), "would_change": results(judgement, Verdict::WouldChange),
        "unverifiable": results(judgement, Verdict::Unverifiable),
    });
    let all =
        json!({"version": 1, "verdict": judgement.verdict().name(), "exit_code": judgement.code(), "counts": counts, "findings": findings, "results": each});
    let mut text = serde_json::to_string_pretty(&all).unwrap_or_default();
    text.push('\n');
    text
}

fn place(place: &Place, root: &Path) -> Value {
    json!({"file": shown(&place.file, root), "line": place.line, "task": place.name})
}

fn finding(finding: &Finding, root: &Path) -> Value {
    let hosts: Vec<Value> = finding.hosts.iter().map(|(host, items)| json!({"host": &**host, "items": items})).collect();
    let diffs: Vec<Value> = finding
        .diffs
        .iter()
        .map(|(sides, hosts)| {
            let sides: Vec<Value> = sides.iter().map(|(before, after)| json!({"before": before, "after": after})).collect();
            json!({"hosts": hosts.iter().map(|host| &**host).collect::<Vec<_>>(), "sides": sides})
        })
        .collect();
    json!({
        "verdict": finding.verdict.name(), "kind": finding.cause.kind.name(), "place": place(&finding.place, root), "why": finding.cause.why,
        "cure": finding.cause.kind.help(), "others": finding.others.iter().map(|other| place(other, root)).collect::<Vec<_>>(),
        "hosts": hosts, "diffs": diffs, "waived": finding.waived,
    })
}
