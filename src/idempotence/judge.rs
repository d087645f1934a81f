//! Verdicts: for every task, host and item whether a second run would change something, and the findings with their causes.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use super::cause::{self, Cause, Kind};
use super::record::{Key, Record, Recording, changes};
use super::resource::{self, Touch};
use crate::event::{Evidence, Status};

mod relate;
mod twice;

/// The passes that were made.
#[derive(Debug, Default)]
pub struct Passes {
    /// A replay in check mode, with diffs and evidence.
    pub replay: Recording,
    /// The same with another clock.
    pub later: Option<Recording>,
    /// A second real run, which judges where there is one; the replays explain.
    pub rerun: Option<Recording>,
}

/// What is true of a task for a host, or of one of its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// A second run changes nothing.
    Clean,
    /// It cannot be known without a second run.
    Unverifiable,
    /// A second run changes something.
    WouldChange,
}

impl Verdict {
    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Clean => "clean",
            Verdict::Unverifiable => "unverifiable",
            Verdict::WouldChange => "would-change",
        }
    }
}

/// A task, as findings name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// File.
    pub file: PathBuf,
    /// Line.
    pub line: usize,
    /// Name with its role.
    pub name: String,
}

impl Place {
    fn of(record: &Record) -> Place {
        Place { file: record.key.file.clone(), line: record.key.line, name: record.task.name.clone() }
    }
}

/// One verdict.
#[derive(Debug, Clone)]
pub struct Result {
    /// Which task, host and item.
    pub key: Key,
    /// The task's name.
    pub name: String,
    /// What is true.
    pub verdict: Verdict,
    /// Why it is not clean: an index into the findings.
    pub finding: Option<usize>,
}

/// What is not clean: a task, why, on which hosts, with which diffs.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Would change, or unverifiable.
    pub verdict: Verdict,
    /// The task.
    pub place: Place,
    /// Why.
    pub cause: Cause,
    /// Other tasks that are part of it.
    pub others: Vec<Place>,
    /// Hosts with the labels of items.
    pub hosts: Vec<(Arc<str>, Vec<String>)>,
    /// Diffs (texts before and after), each with the hosts that have it.
    pub diffs: Vec<(Vec<(String, String)>, Vec<Arc<str>>)>,
    /// What the mark on the task says.
    pub mark: Option<String>,
    /// Why it is excused, once waivers were looked at.
    pub waived: Option<String>,
}

/// All verdicts and findings of a run.
#[derive(Debug, Clone, Default)]
pub struct Judgement {
    /// In the order of the replay.
    pub results: Vec<Result>,
    /// Worst first, then in the order of the replay.
    pub findings: Vec<Finding>,
}

impl Judgement {
    /// The worst verdict that nobody excuses.
    pub fn verdict(&self) -> Verdict {
        self.findings.iter().filter(|finding| finding.waived.is_none()).map(|finding| finding.verdict).max().unwrap_or(Verdict::Clean)
    }

    /// The exit code.
    pub fn code(&self) -> i32 {
        match self.verdict() {
            Verdict::Clean => 0,
            Verdict::Unverifiable => super::UNVERIFIABLE,
            Verdict::WouldChange => super::WOULD_CHANGE,
        }
    }
}

/// A record that is not clean.
struct Suspect<'a> {
    record: &'a Record,
    evidence: Option<&'a Evidence>,
    verdict: Verdict,
    touches: BTreeSet<Touch>,
    cause: Option<Cause>,
    others: Vec<&'a Record>,
}

/// Judges.
pub fn judge(passes: &Passes) -> Judgement {
    let later = passes.later.as_ref().map(Recording::by_key).unwrap_or_default();
    let mut suspects = suspects(passes, &later);
    for suspect in &mut suspects {
        suspect.cause = alone(suspect, later.get(&suspect.record.key).copied());
    }
    twice::name_sources(&mut suspects, &passes.replay, &later);
    relate::relate(&mut suspects, &passes.replay);
    relate::spare(&mut suspects, &passes.replay);
    gather(passes, suspects)
}

/// Those that are not clean, with their verdicts.
fn suspects<'a>(passes: &'a Passes, later: &HashMap<&Key, &'a Record>) -> Vec<Suspect<'a>> {
    let rerun = passes.rerun.as_ref().map(Recording::by_key);
    let mut found = Vec::new();
    for record in &passes.replay.records {
        let again = rerun.as_ref().map(|rerun| rerun.get(&record.key).copied());
        let verdict = match again {
            Some(again) => {
                if again.is_some_and(|again| changes(again.outcome.status) && !cause::leaves_alone(record)) {
                    Verdict::WouldChange
                } else {
                    Verdict::Clean
                }
            }
            None => of_replay(record, later.get(&record.key).copied()),
        };
        if verdict != Verdict::Clean {
            let evidence = record.outcome.evidence.as_deref();
            let touches = evidence.map(resource::touches).unwrap_or_default();
            found.push(Suspect { record, evidence, verdict, touches, cause: None, others: Vec::new() });
        }
    }
    found
}

fn of_replay(record: &Record, later: Option<&Record>) -> Verdict {
    let evidence = record.outcome.evidence.as_deref();
    let begun = evidence.is_some_and(|evidence| evidence.args.is_some());
    let said = record.outcome.status == Status::Changed && evidence.is_some_and(|evidence| evidence.judged);
    if cause::leaves_alone(record) && !said && !matches!(record.outcome.status, Status::Failed | Status::Unreachable) {
        return Verdict::Clean;
    }
    match record.outcome.status {
        Status::Changed => Verdict::WouldChange,
        // what it does is not known, but that it changes nothing
        Status::Unknown if evidence.is_some_and(|evidence| evidence.never) => Verdict::Clean,
        Status::Unknown if begun && cause::always_changes(record) => Verdict::WouldChange,
        Status::Unknown if begun => match evidence {
            // a command without a word about it says changed whenever it runs, and so does one that says it always changed
            Some(evidence) if evidence.always || (cause::is_command(record) && !evidence.judged) => Verdict::WouldChange,
            _ => Verdict::Unverifiable,
        },
        Status::Unknown => Verdict::Unverifiable,
        Status::Failed | Status::Unreachable if !record.outcome.ignored && !record.outcome.rescued => Verdict::Unverifiable,
        Status::Ok if later.is_some_and(|later| changes(later.outcome.status)) => Verdict::WouldChange,
        Status::Ok if evidence.is_some_and(|evidence| cause::of_outside(record, evidence).is_some()) => Verdict::Unverifiable,
        _ => Verdict::Clean,
    }
}

/// The cause as far as the record tells it alone.
fn alone(suspect: &Suspect, later: Option<&Record>) -> Option<Cause> {
    let record = suspect.record;
    if matches!(record.outcome.status, Status::Failed | Status::Unreachable) {
        return Some(Cause::new(Kind::ReplayFailed, record.message()));
    }
    let evidence = suspect.evidence?;
    if record.outcome.status == Status::Ok && suspect.verdict == Verdict::Unverifiable {
        return cause::of_outside(record, evidence);
    }
    if suspect.verdict == Verdict::Unverifiable {
        let by_output = cause::is_command(record) && evidence.judged && evidence.args.is_some();
        return by_output.then(|| Cause::new(Kind::JudgedByOutput, "`changed_when` is not known before the command has run"));
    }
    let volatile = later.and_then(|later| twice::of(record, later));
    cause::of_command(record, evidence).or(volatile).or_else(|| cause::of_arguments(record, evidence))
}

/// Findings: the same cause of the same task on several hosts is one.
fn gather(passes: &Passes, suspects: Vec<Suspect>) -> Judgement {
    let mut findings: Vec<Finding> = Vec::new();
    let mut of_key: HashMap<Key, usize> = HashMap::new();
    for suspect in suspects {
        let fallback = || match suspect.verdict {
            Verdict::Unverifiable => Cause::new(Kind::Unknown, suspect.record.message()),
            _ => relate::leftover(suspect.record, suspect.evidence),
        };
        let cause = suspect.cause.clone().unwrap_or_else(fallback);
        let place = Place::of(suspect.record);
        let at = findings.iter().position(|finding| finding.place == place && finding.cause.kind == cause.kind && finding.verdict == suspect.verdict);
        let at = at.unwrap_or_else(|| {
            let mark = suspect.record.task.waived.clone();
            let (others, hosts, diffs) = (Vec::new(), Vec::new(), Vec::new());
            findings.push(Finding { verdict: suspect.verdict, place, cause, others, hosts, diffs, mark, waived: None });
            findings.len() - 1
        });
        add(&mut findings[at], &suspect);
        of_key.insert(suspect.record.key.clone(), at);
    }
    let results = passes.replay.records.iter().map(|record| {
        let finding = of_key.get(&record.key).copied();
        let verdict = finding.map_or(Verdict::Clean, |at| findings[at].verdict);
        Result { key: record.key.clone(), name: record.task.name.clone(), verdict, finding }
    });
    Judgement { results: results.collect(), findings }
}

fn add(finding: &mut Finding, suspect: &Suspect) {
    let host = &suspect.record.key.host;
    if !finding.hosts.iter().any(|(known, _)| known == host) {
        finding.hosts.push((host.clone(), Vec::new()));
    }
    if let Some((label, _)) = &suspect.record.key.item
        && let Some((_, items)) = finding.hosts.iter_mut().find(|(known, _)| known == host)
        && !items.contains(label)
    {
        items.push(label.clone());
    }
    for other in &suspect.others {
        let place = Place::of(other);
        if !finding.others.contains(&place) {
            finding.others.push(place);
        }
    }
    let sides = suspect.record.sides();
    if sides.is_empty() {
        return;
    }
    match finding.diffs.iter_mut().find(|(known, _)| *known == sides) {
        Some((_, hosts)) if !hosts.contains(host) => hosts.push(host.clone()),
        Some(_) => {}
        None => finding.diffs.push((sides, vec![host.clone()])),
    }
}
