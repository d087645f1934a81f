//! Loops: `loop` and `with_*`, their variables, and the sum of their items' results.

use std::sync::Arc;
use std::time::Duration;

use super::ahead;
use super::item::{self, ItemPlace, is};
use super::options::truthy;
use super::task::{Done, Job, censor, fault_done, unknown_done};
use crate::action::Effect;
use crate::event::{Event, Status};
use crate::program::LoopDef;
use crate::template::{Arguments, Condition, Context, Templated, evaluate, run_lookup};
use crate::value::{Dict, Fault, Key, Value, repr, text};

/// `loop_control`, settled.
pub(super) struct Control {
    loop_var: Arc<str>,
    index_var: Option<Arc<str>>,
    label: Option<Templated>,
    pause: f64,
    extended: bool,
    all_items: bool,
    break_when: Vec<Condition>,
}

/// Runs a task for every item.
pub(super) fn run(job: &Job, cx: &Arc<Context>, looped: &LoopDef) -> Done {
    let items = match items(cx, looped) {
        Ok(items) => items,
        Err(fault) => return without_items(job, cx, fault),
    };
    let control = match control(job, cx) {
        Ok(control) => control,
        Err(fault) => return fault_done(job, Some(cx), fault, ""),
    };
    if items.is_empty() {
        let mut result = Dict::new();
        result.insert("changed".into(), false.into());
        result.insert("results".into(), Value::list(Vec::new()));
        result.insert("skipped".into(), true.into());
        result.insert("skipped_reason".into(), "No items in the list".into());
        return Done::of(Status::Skipped, result);
    }
    each(job, cx, &items, &control)
}

/// The list cannot be had: a false condition still skips the task.
fn without_items(job: &Job, cx: &Arc<Context>, fault: Fault) -> Done {
    let skipped = job.task.when.iter().any(|condition| matches!(condition.eval(cx, &mut |_| {}), Ok(false)));
    if skipped {
        return item::run(job, cx, None);
    }
    let mut done = fault_done(job, Some(cx), fault, "");
    item::doubt(job, cx, &mut done);
    done
}

fn items(cx: &Arc<Context>, looped: &LoopDef) -> Result<Vec<Value>, Fault> {
    match looped {
        LoopDef::Loop(template) => {
            let value = template.render_elements(cx)?;
            match &value {
                Value::List(items) | Value::Tuple(items) => Ok(items.to_vec()),
                other => {
                    let fault = Fault::error(format!("The `loop` value must resolve to a 'list', not '{}'.", other.type_name()));
                    Err(template.span().map_or(fault.clone(), |span| fault.at(span)))
                }
            }
        }
        LoopDef::With(name, template) => run_lookup(name, terms(cx, name, template)?, Arguments::default(), cx),
    }
}

/// The terms of `with_NAME`; a bare word that names a variable is that variable, as Ansible before 2.4 had it.
fn terms(cx: &Arc<Context>, name: &str, template: &Templated) -> Result<Vec<Value>, Fault> {
    let mut value = match template.render(cx) {
        Err(fault) if fault.is_undefined() && name == "first_found" => return Ok(Vec::new()),
        rendered => rendered?,
    };
    let bare = template.is_static() && value.as_str().is_some_and(is_bare_name);
    if bare && !matches!(name, "fileglob" | "sequence" | "lines" | "file" | "first_found" | "env" | "pipe" | "inventory_hostnames") {
        let word = value.as_str().unwrap_or_default().to_string();
        if let Ok(found) = evaluate(&word, cx) {
            value = found.resolve()?;
        }
    }
    let terms = match value {
        Value::List(items) | Value::Tuple(items) => items.to_vec(),
        other => vec![other],
    };
    // with_flattened took bare names of variables among its terms, too
    let named = |term: Value| match term.as_str().filter(|word| name == "flattened" && is_bare_name(word)) {
        Some(word) => evaluate(word, cx).and_then(|found| found.resolve()).unwrap_or(term),
        None => term,
    };
    Ok(terms.into_iter().map(named).collect())
}

fn is_bare_name(text: &str) -> bool {
    let mut parts = text.split('.');
    parts.all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '[' | ']' | '\''))
    })
}

fn control(job: &Job, cx: &Arc<Context>) -> Result<Control, Fault> {
    let find = |name: &str| job.task.loop_control.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    let render = |name: &str| find(name).map(|template| template.render(cx)).transpose();
    let flag = |name: &str, default: bool| -> Result<bool, Fault> { Ok(render(name)?.map_or(default, |value| truthy(&value))) };
    Ok(Control {
        loop_var: render("loop_var")?.map_or("item".into(), |value| text(&value).into()),
        index_var: render("index_var")?.map(|value| text(&value).into()),
        label: find("label").cloned(),
        pause: render("pause")?.and_then(|value| text(&value).parse().ok()).unwrap_or(0.0),
        extended: flag("extended", false)?,
        all_items: flag("extended_allitems", true)?,
        break_when: find("break_when").map(|template| Condition::of_templated(template, &job.task.span)).unwrap_or_default(),
    })
}

fn each(job: &Job, cx: &Arc<Context>, items: &[Value], control: &Control) -> Done {
    if control.pause == 0.0 && control.break_when.is_empty() && items.len() > 1 && ahead::is_possible(job, cx) {
        return sum(ahead::each(job, cx, items, control));
    }
    let mut dones: Vec<Done> = Vec::with_capacity(items.len());
    // what an item sets, later items see
    let mut facts: Vec<(Arc<str>, Value)> = Vec::new();
    // why nobody knows whether an earlier item was the last
    let mut ended: Option<String> = None;
    for index in 0..items.len() {
        if index > 0 && control.pause > 0.0 {
            std::thread::sleep(Duration::from_secs_f64(control.pause));
        }
        let turn = turn(cx, items, index, control, &facts);
        let done = match &ended {
            Some(reason) => unknown_done(job, Some(&turn.cx), reason),
            None => item::run(job, &turn.cx, Some(&turn.place())),
        };
        for effect in &done.effects {
            if let Effect::SetFact(set) = effect {
                facts.extend(set.iter().filter_map(|(key, value)| Some((Arc::from(key.as_str()?), value.clone()))));
            }
        }
        let done = close(job, control, &turn, done);
        let unreachable = done.outcome.status == Status::Unreachable;
        let stop = match breaks(job, control, &turn.cx, &done) {
            Err(fault) if fault.is_unknown() => {
                ended.get_or_insert(fault.message);
                false
            }
            stop => stop.unwrap_or(false),
        };
        dones.push(done);
        if unreachable || stop {
            break;
        }
    }
    sum(dones)
}

/// One item's turn: its variables, and how it is called.
pub(super) struct Turn {
    pub cx: Arc<Context>,
    vars: Vec<(Arc<str>, Value)>,
    label: String,
    value: Value,
    index: usize,
}

impl Turn {
    pub(super) fn place(&self) -> ItemPlace<'_> {
        ItemPlace { vars: &self.vars, label: Some(self.label.clone()) }
    }
}

pub(super) fn turn(cx: &Arc<Context>, items: &[Value], index: usize, control: &Control, facts: &[(Arc<str>, Value)]) -> Turn {
    let value = items[index].clone();
    let vars = variables(items, index, &value, control);
    let cx = cx.with(facts.iter().chain(&vars).cloned().collect());
    Turn { label: label(control, &cx, &value), cx, vars, value, index }
}

/// Completes an item's result and announces it.
pub(super) fn close(job: &Job, control: &Control, turn: &Turn, mut done: Done) -> Done {
    done.outcome.label = Some(turn.label.clone());
    mark(&mut done, &turn.value, turn.index, control, &turn.vars);
    announce(job, &turn.cx, &done);
    done.complaints.extend(turn.cx.take_warnings());
    done
}

fn variables(items: &[Value], index: usize, value: &Value, control: &Control) -> Vec<(Arc<str>, Value)> {
    let mut vars = vec![(control.loop_var.clone(), value.clone()), (Arc::from("ansible_loop_var"), Value::Str(control.loop_var.clone()))];
    if let Some(name) = &control.index_var {
        vars.push((name.clone(), Value::from(index)));
        vars.push((Arc::from("ansible_index_var"), Value::Str(name.clone())));
    }
    if control.extended {
        vars.push((Arc::from("ansible_loop"), extended(items, index, control)));
    }
    vars
}

fn extended(items: &[Value], index: usize, control: &Control) -> Value {
    let length = items.len();
    let mut dict = Dict::new();
    if control.all_items {
        dict.insert("allitems".into(), Value::list(items.to_vec()));
    }
    dict.insert("index".into(), Value::from(index + 1));
    dict.insert("index0".into(), Value::from(index));
    dict.insert("first".into(), (index == 0).into());
    dict.insert("last".into(), (index + 1 == length).into());
    dict.insert("length".into(), Value::from(length));
    dict.insert("revindex".into(), Value::from(length - index));
    dict.insert("revindex0".into(), Value::from(length - index - 1));
    if let Some(next) = items.get(index + 1) {
        dict.insert("nextitem".into(), next.clone());
    }
    if index > 0 {
        dict.insert("previtem".into(), items[index - 1].clone());
    }
    Value::dict(dict)
}

fn label(control: &Control, cx: &Arc<Context>, value: &Value) -> String {
    match &control.label {
        None => shown(value),
        Some(template) => match template.render(cx) {
            Ok(label) => shown(&label),
            Err(fault) if fault.is_unknown() => shown(value),
            Err(fault) => format!("Failed to template loop_control.label: {}", fault.message),
        },
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        Value::Unknown(_) => "unknown".into(),
        other => repr(&other.resolve().unwrap_or_else(|_| other.clone())),
    }
}

/// An item's result names its item.
fn mark(done: &mut Done, value: &Value, index: usize, control: &Control, vars: &[(Arc<str>, Value)]) {
    let add = |dict: &mut Dict| {
        dict.insert(Key::Str(control.loop_var.clone()), value.clone());
        dict.insert("ansible_loop_var".into(), Value::Str(control.loop_var.clone()));
        if let Some(name) = &control.index_var {
            dict.insert("ansible_index_var".into(), Value::Str(name.clone()));
            dict.insert(Key::Str(name.clone()), Value::from(index));
        }
        if let Some((_, extended)) = vars.iter().find(|(name, _)| name.as_ref() == "ansible_loop") {
            dict.insert("ansible_loop".into(), extended.clone());
        }
    };
    add(Arc::make_mut(&mut done.outcome.result));
    if let Value::Dict(dict) = &mut done.value {
        add(Arc::make_mut(dict));
    }
}

fn announce(job: &Job, cx: &Arc<Context>, done: &Done) {
    if !done.includes.is_empty() {
        return;
    }
    let mut outcome = done.outcome.clone();
    if super::task::hidden(job, cx) {
        censor(&mut outcome);
    }
    (job.send)(Event::ItemDone { task: job.info.clone(), host: job.host.clone(), outcome: Box::new(outcome) });
}

fn breaks(job: &Job, control: &Control, cx: &Arc<Context>, done: &Done) -> Result<bool, Fault> {
    if control.break_when.is_empty() {
        return Ok(false);
    }
    let mut locals = Vec::new();
    if let Some(name) = &job.task.register {
        locals.push((Arc::from(name.as_str()), done.value.clone()));
    }
    let cx = cx.with(locals);
    for condition in &control.break_when {
        if !condition.eval(&cx, &mut |_| {})? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The result of the whole loop, as ansible-core 2.19 `TaskExecutor.run`.
fn sum(dones: Vec<Done>) -> Done {
    let has = |key: &str| dones.iter().any(|done| is(&done.outcome.result, key));
    let all_skipped = dones.iter().all(|done| matches!(done.outcome.status, Status::Skipped | Status::Unknown));
    let reason = dones.iter().filter(|done| done.outcome.status == Status::Unknown).find_map(|done| done.outcome.result.get("unknown").cloned());
    let any_unknown = reason.is_some();
    let (changed, failed, unreachable) = (has("changed"), has("failed"), has("unreachable"));
    let mut result = Dict::new();
    result.insert("changed".into(), changed.into());
    let message = if failed {
        "One or more items failed"
    } else if all_skipped {
        "All items skipped"
    } else {
        "All items completed"
    };
    result.insert("msg".into(), message.into());
    if failed {
        result.insert("failed".into(), true.into());
    }
    if unreachable {
        result.insert("unreachable".into(), true.into());
        let last = dones.last().and_then(|done| done.outcome.result.get("msg").cloned());
        result.extend(last.map(|msg| (Key::from("msg"), msg)));
    }
    result.insert("results".into(), Value::list(dones.iter().map(|done| done.value.clone()).collect()));
    result.insert("skipped".into(), all_skipped.into());
    // an item that ran out of retries may be no failure by its `failed_when`
    let counts_as_failed = dones.iter().any(|done| done.outcome.status == Status::Failed);
    let status = match (unreachable, counts_as_failed, all_skipped, changed) {
        (true, ..) => Status::Unreachable,
        (_, true, ..) => Status::Failed,
        (_, _, true, _) if any_unknown => Status::Unknown,
        (_, _, true, _) => Status::Skipped,
        (.., true) => Status::Changed,
        _ => Status::Ok,
    };
    let mut done = Done::of(status, result);
    done.outcome.looped = true;
    if let Some(reason) = reason {
        done.value = partly(&done.outcome.result, &text(&reason).into(), status == Status::Unknown);
        Arc::make_mut(&mut done.outcome.result).insert("unknown".into(), reason);
    }
    for item in dones {
        done.outcome.delegated = item.outcome.delegated.or(done.outcome.delegated);
        done.outcome.diagnostic = done.outcome.diagnostic.or(item.outcome.diagnostic);
        done.outcome.diff |= item.outcome.diff;
        done.effects.extend(item.effects);
        done.changes.extend(item.changes);
        done.includes.extend(item.includes);
        done.complaints.extend(item.complaints);
        done.delegate_facts |= item.delegate_facts;
        for name in item.notify {
            if !done.notify.contains(&name) {
                done.notify.push(name);
            }
        }
        done.perhaps.extend(item.perhaps);
    }
    done
}

/// What is registered of a loop with unknown items: its results, and what nobody knows of the whole.
fn partly(result: &Dict, reason: &Arc<str>, all: bool) -> Value {
    let mut known = result.clone();
    for key in ["changed", "failed"].into_iter().filter(|key| !is(result, key)).chain(all.then_some("skipped")) {
        known.insert(key.into(), Value::Unknown(reason.clone()));
    }
    Value::dict(known)
}
