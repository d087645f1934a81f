//! How findings hang together: tasks that fight, what undoes what, and what is only a consequence.

use std::sync::Arc;

use super::super::cause::{self, Cause, Kind};
use super::super::record::{Record, Recording};
use super::super::resource::{self, Aspect, Touch};
use super::{Suspect, Verdict};
use crate::event::{Evidence, Status};

/// Finds fights and consequences among what is not explained yet.
pub(super) fn relate<'a>(suspects: &mut [Suspect<'a>], replay: &'a Recording) {
    for at in 0..suspects.len() {
        if let Some(other) = heard(suspects, at) {
            follow(&mut suspects[at], other);
        }
    }
    for at in 0..suspects.len() {
        if suspects[at].cause.is_none() {
            let (cause, others) = fights(suspects, at).or_else(|| undone(&suspects[at], replay)).unwrap_or_default();
            let suspect = &mut suspects[at];
            suspect.others.extend(others);
            suspect.cause = suspect.cause.take().or(cause);
        }
    }
    for at in 0..suspects.len() {
        let handler = suspects[at].record.task.handler;
        if handler && !matches!(&suspects[at].cause, Some(cause) if cause.kind == Kind::Follows) {
            let notifier = suspects.iter().take(at).rev().find(|other| !other.record.task.handler && same_host(other, &suspects[at])).map(|other| other.record);
            match notifier {
                Some(notifier) => follow(&mut suspects[at], notifier),
                None => suspects[at].cause = Some(Cause::new(Kind::Follows, "a handler that was notified")),
            }
        }
    }
}

fn same_host(a: &Suspect, b: &Suspect) -> bool {
    a.record.key.host == b.record.key.host
}

fn follow<'a>(suspect: &mut Suspect<'a>, other: &'a Record) {
    suspect.cause = Some(Cause::new(Kind::Follows, format!("of {}:{}", other.key.file.display(), other.key.line)));
    suspect.others = vec![other];
}

/// The suspect whose registered result this one hears of, when nothing but that is its cause.
fn heard<'a>(suspects: &[Suspect<'a>], at: usize) -> Option<&'a Record> {
    let suspect = &suspects[at];
    let evidence = suspect.evidence?;
    let conditional = matches!(
        &suspect.cause,
        None | Some(Cause { kind: Kind::Restarted | Kind::NoChangedWhen | Kind::JudgedByOutput | Kind::Unknown | Kind::ReplayFailed, .. })
    );
    if !conditional {
        return None;
    }
    let registers = |other: &&Suspect<'a>| {
        let name: Option<Arc<str>> = other.evidence.and_then(|evidence| evidence.register.as_deref()).map(Arc::from);
        same_host(other, suspect) && other.record.key != suspect.record.key && name.is_some_and(|name| evidence.reads.contains_key(&name))
    };
    suspects[..at].iter().rev().find(registers).map(|other| other.record)
}

type Told<'a> = (Option<Cause>, Vec<&'a Record>);

/// Another suspect that touches the same.
fn fights<'a>(suspects: &[Suspect<'a>], at: usize) -> Option<Told<'a>> {
    let suspect = &suspects[at];
    let explained = |other: &Suspect| {
        other.cause.as_ref().is_some_and(|cause| !matches!(cause.kind, Kind::Fight | Kind::ModeFight | Kind::HandlerUndoes | Kind::CommandUndoes))
    };
    let mut met: Vec<(&Suspect<'a>, Vec<(Touch, Touch)>)> = Vec::new();
    for (index, other) in suspects.iter().enumerate() {
        if index != at && same_host(other, suspect) {
            let common = resource::common(&suspect.touches, &other.touches);
            if !common.is_empty() {
                met.push((other, common));
            }
        }
    }
    if let Some((other, _)) = met.iter().find(|(other, _)| explained(other) && !other.record.task.handler) {
        return Some((Some(Cause::new(Kind::Follows, format!("of {}:{}", other.record.key.file.display(), other.record.key.line))), vec![other.record]));
    }
    let (_, common) = met.first()?;
    let (touch, _) = common.first()?;
    let attributes = met.iter().all(|(_, common)| common.iter().all(|(a, b)| a.aspect == Aspect::Attributes && b.aspect == Aspect::Attributes));
    let handler = suspect.record.task.handler || met.iter().any(|(other, _)| other.record.task.handler);
    let kind = if handler {
        Kind::HandlerUndoes
    } else if attributes {
        Kind::ModeFight
    } else {
        Kind::Fight
    };
    let what = match (touch.kind, attributes) {
        ("path", true) => format!("mode, owner or group of {}", touch.name),
        ("path", false) => touch.name.clone(),
        (kind, _) => format!("the {kind} {}", touch.name),
    };
    Some((Some(Cause::new(kind, format!("both set {what}"))), met.into_iter().map(|(other, _)| other.record).collect()))
}

/// A command that names what the suspect touches.
fn undone<'a>(suspect: &Suspect<'a>, replay: &'a Recording) -> Option<Told<'a>> {
    if suspect.verdict != Verdict::WouldChange {
        return None;
    }
    let ran = |record: &&&Record| record.key.host == suspect.record.key.host && record.key != suspect.record.key && record.outcome.status != Status::Skipped;
    let commands: Vec<&'a Record> = replay.records.iter().filter(|record| ran(&record) && !guarded(record)).collect();
    for touch in &suspect.touches {
        let named = commands
            .iter()
            .find(|record| record.outcome.evidence.as_ref().and_then(|evidence| evidence.command.as_deref()).is_some_and(|command| names(command, touch)));
        if let Some(record) = named {
            let kind = if record.task.handler { Kind::HandlerUndoes } else { Kind::CommandUndoes };
            return Some((Some(Cause::new(kind, format!("its command names {}", touch.name))), vec![*record]));
        }
    }
    None
}

/// A command that `creates` or `removes` kept from running.
fn guarded(record: &Record) -> bool {
    let guards = record.outcome.evidence.as_ref().is_some_and(|evidence| ["creates", "removes"].iter().any(|key| evidence.words.contains_key(key)));
    guards && record.outcome.status == Status::Ok
}

/// Whether a command speaks of a thing: its path or a folder above it, or the name of a user, group or unit.
fn names(command: &str, touch: &Touch) -> bool {
    let words = || command.split(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | ';' | '&' | '|' | '<' | '>' | '(' | ')' | '=' | ','));
    if touch.kind != "path" {
        let tool = match touch.kind {
            "unit" => "systemctl",
            "user" => "user",
            "group" => "group",
            "setting" => "sysctl",
            _ => return false,
        };
        return command.contains(tool) && words().any(|word| word.trim_end_matches(".service") == touch.name);
    }
    words().any(|word| {
        let word = word.trim_end_matches(['*', '/']);
        word.len() > 1
            && word.starts_with('/')
            && word.matches('/').count() >= 2
            && (touch.name == word || touch.name.strip_prefix(word).is_some_and(|rest| rest.starts_with('/')))
    })
}

/// A command whose result is not known hangs others up: it is the finding, and they are part of it.
pub(super) fn spare<'a>(suspects: &mut Vec<Suspect<'a>>, replay: &'a Recording) {
    let mut roots: Vec<Suspect<'a>> = Vec::new();
    for suspect in suspects.iter_mut() {
        let open = suspect.verdict == Verdict::Unverifiable && suspect.cause.as_ref().is_none_or(|cause| cause.kind == Kind::ReplayFailed);
        let (Some(evidence), true) = (suspect.evidence, open) else { continue };
        let root = replay.records.iter().rev().find(|record| {
            let of = record.outcome.evidence.as_deref();
            let registers = of.and_then(|of| of.register.as_deref()).is_some_and(|name| evidence.reads.contains_key(name));
            registers && record.key.host == suspect.record.key.host && record.outcome.status == Status::Unknown && record.key != suspect.record.key
        });
        let Some(root) = root else { continue };
        follow(suspect, root);
        match roots.iter_mut().find(|known| known.record.key == root.key) {
            Some(known) => known.others.push(suspect.record),
            None => roots.push(Suspect {
                record: root,
                evidence: root.outcome.evidence.as_deref(),
                verdict: Verdict::Unverifiable,
                touches: Default::default(),
                cause: Some(Cause::new(Kind::NotRun, "its result is not known in check mode")),
                others: vec![suspect.record],
            }),
        }
    }
    roots.retain(|root| !suspects.iter().any(|known| known.record.key == root.record.key));
    suspects.extend(roots);
}

/// What remains.
pub(super) fn leftover(record: &Record, evidence: Option<&Evidence>) -> Cause {
    match cause::action(record) {
        "lineinfile" | "replace" | "blockinfile" | "ini_file" | "template" | "copy" | "user" | "group" | "cron" | "file" | "unarchive" | "assemble" => {
            Cause::new(Kind::NotConvergent, "it finds its own work and changes it again")
        }
        _ if evidence.is_some_and(|evidence| evidence.judged) => Cause::new(Kind::NotConvergent, "`changed_when` says that it changed"),
        _ => Cause::new(Kind::Unexplained, "no other task touches it"),
    }
}
