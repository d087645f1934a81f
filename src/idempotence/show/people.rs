//! The judgement as a person reads it: by cause, worst first; each cause with its cure, each task with its place and diff.

use std::fmt::Write as _;
use std::path::Path;

use super::super::cause::Kind;
use super::super::judge::{Finding, Judgement, Place, Verdict};
use super::{count, results, shown};
use crate::report::{Colors, unified};

/// Hosts named one by one, at most.
const HOSTS: usize = 6;

/// The text. `context` is the number of lines around a change, `colors` paints.
pub fn people(judgement: &Judgement, root: &Path, context: usize, colors: &Colors) -> String {
    let mut out = String::new();
    for (verdict, word, color) in [(Verdict::WouldChange, "WOULD CHANGE", "changed"), (Verdict::Unverifiable, "UNVERIFIABLE", "unreachable")] {
        for kind in kinds(judgement, verdict) {
            let heading = format!("{word}: {} [{}]", kind.title(), kind.name());
            let _ = writeln!(out, "{}", colors.paint(color, &heading));
            let mut told: Vec<&Finding> = Vec::new();
            for finding in judgement.findings.iter().filter(|finding| shows(finding, verdict) && finding.cause.kind == kind) {
                // the other side of a fight was told with the first
                let mirrored = told.iter().any(|known| known.others.contains(&finding.place) && finding.others.contains(&known.place));
                if !mirrored {
                    one(&mut out, finding, root, context, colors);
                }
                told.push(finding);
            }
            let _ = writeln!(out, "  cure: {}\n", kind.help());
        }
    }
    for finding in judgement.findings.iter().filter(|finding| finding.waived.is_some() && finding.cause.kind != Kind::Follows) {
        let reason = finding.waived.as_deref().unwrap_or_default();
        let _ = writeln!(out, "waived: {} [{}]: {reason}", place(&finding.place, root), finding.cause.kind.name());
    }
    out.push_str(&sum(judgement, colors));
    out
}

fn shows(finding: &Finding, verdict: Verdict) -> bool {
    finding.verdict == verdict && finding.waived.is_none() && finding.cause.kind != Kind::Follows
}

fn kinds(judgement: &Judgement, verdict: Verdict) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for finding in judgement.findings.iter().filter(|finding| shows(finding, verdict)) {
        if !kinds.contains(&finding.cause.kind) {
            kinds.push(finding.cause.kind);
        }
    }
    // consequences without what they follow from are shown all the same
    let orphans = judgement.findings.iter().any(|finding| finding.cause.kind == Kind::Follows && finding.verdict == verdict && finding.waived.is_none());
    if orphans && kinds.is_empty() {
        kinds.push(Kind::Follows);
    }
    kinds
}

fn one(out: &mut String, finding: &Finding, root: &Path, context: usize, colors: &Colors) {
    let _ = writeln!(out, "  {}", place(&finding.place, root));
    let _ = writeln!(out, "    {}", finding.cause.why);
    for other in &finding.others {
        let word = if finding.cause.kind == Kind::NotRun { "hangs on it:" } else { "with:" };
        let _ = writeln!(out, "    {word} {}", place(other, root));
    }
    let _ = writeln!(out, "    on {}", hosts(finding));
    for (sides, hosts) in &finding.diffs {
        if finding.diffs.len() > 1 {
            let names: Vec<&str> = hosts.iter().map(|host| &**host).collect();
            let _ = writeln!(out, "    for {}:", names.join(", "));
        }
        for (before, after) in sides {
            for line in unified(before, after, ("before", "after"), context, colors).lines() {
                let _ = writeln!(out, "      {line}");
            }
        }
    }
}

fn place(place: &Place, root: &Path) -> String {
    format!("{}:{} `{}`", shown(&place.file, root), place.line, place.name)
}

fn hosts(finding: &Finding) -> String {
    let named = finding.hosts.iter().take(HOSTS).map(|(host, items)| match items.len() {
        0 => host.to_string(),
        1..=4 => format!("{host} (item={})", items.join(", item=")),
        more => format!("{host} ({more} items)"),
    });
    let mut text = named.collect::<Vec<_>>().join(", ");
    if finding.hosts.len() > HOSTS {
        let _ = write!(text, " and {} more", finding.hosts.len() - HOSTS);
    }
    text
}

fn sum(judgement: &Judgement, colors: &Colors) -> String {
    let follow = judgement.findings.iter().filter(|finding| finding.cause.kind == Kind::Follows && finding.waived.is_none()).count();
    let waived = judgement.findings.iter().filter(|finding| finding.waived.is_some() && finding.cause.kind != Kind::Follows).count();
    let (clean, open, would) = (results(judgement, Verdict::Clean), results(judgement, Verdict::Unverifiable), results(judgement, Verdict::WouldChange));
    let mut line = format!("{clean} clean, {would} would change, {open} unverifiable");
    if follow > 0 {
        let _ = write!(line, "; {} of them only follow", count(follow, "task"));
    }
    if waived > 0 {
        let _ = write!(line, "; {} waived", count(waived, "finding"));
    }
    let (word, color) = match judgement.verdict() {
        Verdict::Clean => ("IDEMPOTENT", "ok"),
        Verdict::Unverifiable => ("NOT PROVEN IDEMPOTENT", "unreachable"),
        Verdict::WouldChange => ("NOT IDEMPOTENT", "error"),
    };
    format!("{}: {line}\n", colors.paint(color, word))
}
