//! One run of a task's action: condition, arguments, tries, what counts as changed and failed. As ansible-core 2.19 `TaskExecutor._execute_internal`.

use std::sync::Arc;
use std::time::Duration;

use super::evidence;
use super::harmless;
use super::options::{Lookup, is_implicit, truthy};
use super::results;
use super::task::{Done, IncludeWish, Job, fault_done, flag, unknown_done};
use crate::action::{self, Effect, Reaction, Request};
use crate::connection::{Become, Target, Transport};
use crate::diagnostic::Diagnostic;
use crate::event::{Event, Evidence, Status};
use crate::program::Opt;
use crate::template::{Condition, Context, reading};
use crate::value::{Dict, Fault, Value, text};
use crate::vars::TaskScope;

/// A loop's item, for the results.
pub(super) struct ItemPlace<'a> {
    pub vars: &'a [(Arc<str>, Value)],
    pub label: Option<String>,
}

/// What is settled about the doing of a task.
struct Setting {
    target: Target,
    become_: Option<Become>,
    delegated: Option<Arc<str>>,
    check: bool,
    /// Check mode runs it all the same, because it only reads.
    reads: bool,
    diff: bool,
    environment: Vec<(String, String)>,
    timeout: u64,
    async_seconds: u64,
    poll: u64,
}

/// What is settled about a run, before anything is done.
pub(super) struct Ready {
    args: Dict,
    setting: Setting,
    complaints: Vec<Diagnostic>,
    evidence: Option<Box<Evidence>>,
}

/// A run as far as it can be known without doing anything.
pub(super) enum Prepared {
    /// Nothing is to be done.
    Done(Box<Done>),
    /// This is.
    Ready(Box<Ready>),
}

/// Runs the task once, as a whole or for an item.
pub(super) fn run(job: &Job, cx: &Arc<Context>, item: Option<&ItemPlace>) -> Done {
    let mut done = match prepare(job, cx, item) {
        Prepared::Done(done) => *done,
        Prepared::Ready(ready) => proceed(job, cx, item, *ready),
    };
    doubt(job, cx, &mut done);
    done
}

/// Whether the handlers of an unknown result are notified is unknown, unless it changes nothing whatever it is. The idempotence checker, which
/// collects evidence, names the task that notifies instead.
pub(super) fn doubt(job: &Job, cx: &Arc<Context>, done: &mut Done) {
    if done.outcome.status == Status::Unknown && !job.shared.as_ansible && !job.shared.evidence && !harmless::says_unchanged(job, cx) {
        done.perhaps = notifications(job, cx).unwrap_or_default();
    }
}

/// Evaluates conditions, arguments and settings.
pub(super) fn prepare(job: &Job, cx: &Arc<Context>, item: Option<&ItemPlace>) -> Prepared {
    let (prepared, reads) = reading(|| prepare_inner(job, cx, item));
    let mut prepared = prepared.unwrap_or_else(|(fault, what)| Prepared::Done(Box::new(fault_done(job, Some(cx), fault, what))));
    if let Prepared::Done(done) = &mut prepared {
        done.outcome.evidence = job.shared.evidence.then(|| Box::new(evidence::asked(job, cx, &reads)));
    }
    prepared
}

/// Does what was prepared.
pub(super) fn proceed(job: &Job, cx: &Arc<Context>, item: Option<&ItemPlace>, mut ready: Ready) -> Done {
    let args = std::mem::take(&mut ready.args);
    let (done, reads) = reading(|| tries(job, cx, args, &ready.setting, &mut ready.complaints));
    evidence::read(ready.evidence.as_deref_mut(), cx, &reads);
    let done = done.and_then(|done| conclude(job, cx, item, ready, done));
    done.unwrap_or_else(|(fault, what)| fault_done(job, Some(cx), fault, what))
}

/// What was prepared is done, and this came of it.
pub(super) fn answered(job: &Job, cx: &Arc<Context>, item: Option<&ItemPlace>, mut ready: Ready, reaction: Reaction) -> Done {
    let reaction = judged(job, cx, &ready.setting, reaction, (1, 1), &mut ready.complaints);
    conclude(job, cx, item, ready, finish(job, reaction)).unwrap_or_else(|(fault, what)| fault_done(job, Some(cx), fault, what))
}

/// What carries a task's bytes, when that does not depend on the item; nothing in check mode, where items see what earlier ones would do.
pub(super) fn transport(job: &Job, cx: &Arc<Context>) -> Option<Transport> {
    settle(job, cx, &Dict::new()).ok().filter(|setting| !setting.check).map(|setting| setting.target.transport)
}

impl Ready {
    /// Where it is done, and as whom.
    pub(super) fn destination(&self) -> (&Target, Option<&Become>) {
        (&self.setting.target, self.setting.become_.as_ref())
    }

    /// `timeout`, seconds; 0 for none.
    pub(super) fn timeout(&self) -> u64 {
        self.setting.timeout
    }

    /// What is sent for it, when the action is a module that is only handed on.
    pub(super) fn call(&self, job: &Job, cx: &Arc<Context>) -> rplay_modules::wire::Call {
        action::call_of(&request(job, cx, &self.args, &self.setting, String::new(), &|_, _| {}))
    }
}

type Stop = (Fault, &'static str);

fn plain(fault: Fault) -> Stop {
    (fault, "")
}

fn prepare_inner(job: &Job, cx: &Arc<Context>, item: Option<&ItemPlace>) -> Result<Prepared, Stop> {
    let mut complaints = Vec::new();
    let (met, mut asked) = reading(|| conditions(job, cx, &mut complaints));
    if let Some(failed) = met? {
        let mut done = failed;
        done.complaints.extend(complaints);
        return Ok(Prepared::Done(Box::new(done)));
    }
    if job.task.is_include() {
        return include(job, cx, item).map(|done| Prepared::Done(Box::new(done)));
    }
    let (args, reads) = reading(|| arguments(job, cx));
    asked.extend(reads);
    let args = args.map_err(|fault| (fault, "Finalization of task args failed: "))?;
    if let Some(reason) = unknown_of(&args, &job.task.canonical) {
        return Ok(Prepared::Done(Box::new(unknown_done(job, Some(cx), &reason))));
    }
    keep_secret(job, &args);
    let setting = settle(job, cx, &args).map_err(plain)?;
    let evidence = job.shared.evidence.then(|| Box::new(evidence::given(job, cx, &args, &asked)));
    Ok(Prepared::Ready(Box::new(Ready { args, setting, complaints, evidence })))
}

/// Why one of the arguments is unknown that the action must know.
fn unknown_of(args: &Dict, action: &str) -> Option<Arc<str>> {
    let matters = |name: &str| action != "set_fact" && (action != "copy" || !["content", "src"].contains(&name));
    args.iter().filter(|(name, _)| name.as_str().is_none_or(matters)).find_map(|(_, value)| match value {
        Value::Unknown(reason) => Some(reason.clone()),
        _ => None,
    })
}

/// Arguments that the module keeps to itself are shown nowhere; a file's `content` is left out of its invocation only, as its diff shows it.
fn keep_secret(job: &Job, args: &Dict) {
    let Some(entry) = rplay_modules::find(&job.task.canonical) else { return };
    for argument in entry.spec.arguments().filter(|argument| argument.no_log && argument.name != "content") {
        let given = std::iter::once(&argument.name).chain(argument.aliases).find_map(|name| args.get(*name));
        if let Some(Value::Str(secret)) = given {
            crate::mask::remember(secret);
        }
    }
}

/// What a run adds to the result of its action.
fn conclude(job: &Job, cx: &Arc<Context>, item: Option<&ItemPlace>, ready: Ready, mut done: Done) -> Result<Done, Stop> {
    let Ready { setting, complaints, mut evidence, .. } = ready;
    if let Some(evidence) = &mut evidence {
        evidence.changes.clone_from(&done.changes);
    }
    done.outcome.evidence = evidence;
    done.outcome.delegated = setting.delegated.clone().filter(|host| *host != job.host || item.is_none());
    done.delegate_facts = flag(job, cx, Opt::DelegateFacts, false).map_err(plain)?;
    done.outcome.diff = setting.diff;
    done.complaints.extend(complaints);
    if done.outcome.status == Status::Changed {
        done.notify = notifications(job, cx).map_err(plain)?;
    }
    Ok(done)
}

/// The skipped result when a condition is false.
fn conditions(job: &Job, cx: &Arc<Context>, complaints: &mut Vec<Diagnostic>) -> Result<Option<Done>, Stop> {
    for condition in &job.task.when {
        let holds = evaluate(job, condition, cx, complaints).map_err(|fault| (fault, "Error while evaluating conditional: "))?;
        if !holds {
            let mut result = Dict::new();
            result.insert("changed".into(), false.into());
            result.insert("skipped".into(), true.into());
            result.insert("skip_reason".into(), "Conditional result was False".into());
            result.insert("false_condition".into(), condition.value());
            return Ok(Some(Done::of(Status::Skipped, result)));
        }
    }
    Ok(None)
}

/// A condition; what 2.19 refuses and 2.18 took is a warning, or an error under `--strict`.
fn evaluate(job: &Job, condition: &Condition, cx: &Arc<Context>, complaints: &mut Vec<Diagnostic>) -> Result<bool, Fault> {
    let mut broken = None;
    let holds = condition.eval(cx, &mut |warning| broken = Some(warning))?;
    match broken {
        Some(warning) if job.shared.strict => Err(Fault { span: warning.span.clone(), ..Fault::error(warning.message) }),
        Some(warning) => {
            complaints.push(warning);
            Ok(holds)
        }
        None => Ok(holds),
    }
}

pub(super) fn all(job: &Job, conditions: &[Condition], cx: &Arc<Context>, complaints: &mut Vec<Diagnostic>) -> Result<bool, Fault> {
    for condition in conditions {
        if !evaluate(job, condition, cx, complaints)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The arguments: module defaults first, then `args:` as a template, then what stands in the task; `omit` left out.
fn arguments(job: &Job, cx: &Arc<Context>) -> Result<Dict, Fault> {
    let task = job.task;
    let mut args = Dict::new();
    for defaults in &task.inherited.module_defaults {
        let Value::Dict(all) = defaults.render(cx)? else { continue };
        for (name, value) in all.iter() {
            let applies = name.as_str().is_some_and(|name| crate::action::catalog::canonical(name) == task.canonical);
            if let (true, Some(own)) = (applies, value.as_dict()) {
                args.extend(own.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
        }
    }
    if let Some(template) = &task.args_template {
        match template.render(cx)? {
            Value::Dict(all) => args.extend(all.iter().map(|(key, value)| (key.clone(), value.clone()))),
            Value::Null | Value::Omit => {}
            other => return Err(Fault::error(format!("args must be a dictionary, not a {}", other.type_name())).at(&task.span)),
        }
    }
    for (name, template) in &task.args {
        if action::takes_raw(&task.canonical, name) {
            continue;
        }
        let value =
            template.render(cx).or_else(|fault| if fault.is_unknown() { Ok(Value::Unknown(fault.message.into())) } else { Err(naming(fault, name)) })?;
        let key = if name.contains("{{") { text(&crate::template::Templated::text(&name.as_str().into(), &task.span).render(cx)?) } else { name.clone() };
        args.insert(key.into(), value);
    }
    if let Some(free) = &task.free_form {
        args.insert("_raw_params".into(), free.render(cx)?);
    }
    args.retain(|_, value| !matches!(value, Value::Omit));
    Ok(args)
}

fn naming(mut fault: Fault, name: &str) -> Fault {
    if !fault.message.starts_with("Error while resolving value for") {
        fault.message = format!("Error while resolving value for '{name}': {}", fault.message);
    }
    fault
}

fn settle(job: &Job, cx: &Arc<Context>, args: &Dict) -> Result<Setting, Fault> {
    let inherited = &job.task.inherited;
    let delegated = match inherited.opt(Opt::DelegateTo) {
        None => None,
        Some(template) => match template.render(cx)? {
            Value::Null | Value::Omit => None,
            value => Some(Arc::<str>::from(text(&value))).filter(|name| !name.is_empty()),
        },
    };
    // synchronize joins this machine with the task's host: delegated to this machine it still reaches that host
    let doer = delegated.clone().filter(|name| job.task.canonical != "synchronize" || !is_implicit(&job.world.inventory, name));
    let vars = match &doer {
        None => cx.clone(),
        Some(host) => Context::new(TaskScope::new(&job.world, host, None, job.info.check)),
    };
    let lookup = Lookup { vars: &vars, cx, inherited };
    let name = doer.as_deref().unwrap_or(&job.host);
    let target = lookup.target(name, &job.shared.defaults, is_implicit(&job.world.inventory, name))?;
    let asked = lookup.flag(Opt::CheckMode, job.shared.check)?;
    let reads = asked && harmless::only_reads(job, cx, args, delegated.as_ref().unwrap_or(&job.host));
    let check = asked && !reads;
    let number = |template: Option<&crate::template::Templated>, default: u64, what: &str| -> Result<u64, Fault> {
        match template.map(|template| template.render(cx)).transpose()? {
            None | Some(Value::Null | Value::Omit) => Ok(default),
            Some(value) => text(&value)
                .parse::<f64>()
                .map(|n| n.max(0.0) as u64)
                .map_err(|_| Fault::error(format!("the value '{}' for `{what}` is not a number", text(&value)))),
        }
    };
    Ok(Setting {
        become_: lookup.become_(&job.shared.defaults)?,
        check,
        reads,
        diff: lookup.flag(Opt::Diff, job.shared.diff)?,
        environment: environment(job, cx)?,
        timeout: number(inherited.opt(Opt::Timeout), job.shared.task_timeout, "timeout")?,
        async_seconds: number(job.task.async_.as_ref(), 0, "async")?,
        poll: number(job.task.poll.as_ref(), job.shared.poll_interval, "poll")?,
        delegated,
        target,
    })
}

/// `environment` of all levels, later ones win.
fn environment(job: &Job, cx: &Arc<Context>) -> Result<Vec<(String, String)>, Fault> {
    let mut merged = indexmap::IndexMap::new();
    for template in &job.task.inherited.environment {
        let value = template.render(cx)?;
        let dicts: Vec<Value> = value.as_slice().map_or_else(|| vec![value.clone()], <[Value]>::to_vec);
        for dict in dicts {
            match dict {
                Value::Dict(dict) => merged.extend(dict.iter().map(|(key, value)| (text(&key.to_value()), text(value)))),
                Value::Null | Value::Omit => {}
                other => return Err(Fault::error(format!("environment must be a dictionary, received {} ({})", text(&other), other.type_name()))),
            }
        }
    }
    Ok(merged.into_iter().collect())
}

fn tries(job: &Job, cx: &Arc<Context>, args: Dict, setting: &Setting, complaints: &mut Vec<Diagnostic>) -> Result<Done, Stop> {
    let task = job.task;
    let retries = match &task.retries {
        Some(template) => match template.render(cx).map_err(plain)? {
            Value::Null | Value::Omit => 1,
            value => {
                1 + text(&value).parse::<f64>().map_err(|_| plain(Fault::error(format!("`retries` is not a number: {}", text(&value)))))?.max(0.0) as usize
            }
        },
        None if !task.until.is_empty() => 4,
        None => 1,
    };
    let delay = match &task.delay {
        Some(template) => text(&template.render(cx).map_err(plain)?).parse::<f64>().unwrap_or(5.0),
        None => 5.0,
    };
    for attempt in 1..=retries {
        let mut reaction = judged(job, cx, setting, act(job, cx, &args, setting)?, (retries, attempt), complaints);
        // what check mode cannot know does not become known by trying again
        if retries == 1 || reaction.result.contains_key("_rplay_unknown") {
            return Ok(finish(job, reaction));
        }
        let after = with_register(job, cx, &reaction);
        let done = match task.until.is_empty() {
            true => !is(&reaction.result, "failed"),
            false => all(job, &task.until, &after, complaints).map_err(|fault| (fault, "Error while evaluating conditional: "))?,
        };
        if done || is(&reaction.result, "unreachable") {
            return Ok(finish(job, reaction));
        }
        if (setting.check || setting.reads) && job.is_pending() {
            reaction.result.insert("failed".into(), false.into());
            reaction.result.insert("_rplay_unknown".into(), "it is not as the task waits for, and may be once earlier tasks are done".into());
            return Ok(finish(job, reaction));
        }
        if attempt == retries {
            reaction.result.insert("attempts".into(), Value::from(retries - 1));
            reaction.result.insert("failed".into(), true.into());
            return Ok(finish(job, reaction));
        }
        reaction.result.insert("retries".into(), Value::from(retries));
        let outcome = Box::new(finish(job, reaction).outcome);
        (job.send)(Event::Retry { task: job.info.clone(), host: job.host.clone(), left: retries - attempt, outcome });
        std::thread::sleep(Duration::from_secs_f64(if delay < 0.0 { 1.0 } else { delay }));
    }
    Err(plain(Fault::error("a task without a try")))
}

/// Check mode: why a failure says nothing of how it would be once earlier tasks are done.
fn open_failure(job: &Job, setting: &Setting, reaction: &Reaction, became: bool) -> Option<String> {
    if !(setting.check || setting.reads) || !is(&reaction.result, "failed") {
        return None;
    }
    let said = || reaction.result.get("msg").map(text).unwrap_or_default();
    let user = setting.become_.as_ref().map(|become_| become_.user.as_str()).filter(|_| !became);
    let is_made = |change: &serde_json::Value| change["kind"] == "user" && change["present"] == true && change["name"].as_str() == user;
    if user.is_some() && job.overlay_of(setting.delegated.as_ref().unwrap_or(&job.host)).iter().any(is_made) {
        return Some(format!("nobody can become {} before an earlier task has made that user", user.unwrap_or_default()));
    }
    (setting.reads && job.is_pending()).then(|| format!("it fails now ({}), and may not once earlier tasks are done", said()))
}

/// A result with what every one has, and what `changed_when` and `failed_when` make of it. `tries`: how many there are, and which this is.
fn judged(job: &Job, cx: &Arc<Context>, setting: &Setting, mut reaction: Reaction, tries: (usize, usize), complaints: &mut Vec<Diagnostic>) -> Reaction {
    let became = reaction.result.shift_remove("_rplay_become").is_none();
    if let Some(reason) = open_failure(job, setting, &reaction, became) {
        reaction = Reaction::ok("");
        reaction.result.insert("_rplay_unknown".into(), reason.into());
    }
    if reaction.result.contains_key("_rplay_unknown") && harmless::says_unchanged(job, cx) {
        reaction.changes.retain(|change| change.get("kind").and_then(|kind| kind.as_str()) != Some("opaque"));
    }
    job.remember(setting.delegated.as_ref().unwrap_or(&job.host), &reaction.changes);
    results::complete(&mut reaction.result, tries.0, tries.1);
    let after = with_register(job, cx, &reaction);
    judge(job, &after, &mut reaction.result, complaints);
    reaction
}

fn act(job: &Job, cx: &Arc<Context>, args: &Dict, setting: &Setting) -> Result<Reaction, Stop> {
    let send = job.send;
    let (info, host) = (&job.info, &job.host);
    let on_output = move |stderr: bool, bytes: &[u8]| {
        send(Event::Output { task: info.clone(), host: host.clone(), stderr, bytes: bytes.to_vec() });
    };
    let job_id = if setting.async_seconds > 0 { results::job_id() } else { String::new() };
    let mut request = request(job, cx, args, setting, job_id, &on_output);
    let mut started = action::run(&mut request).map_err(plain)?;
    if setting.check && setting.async_seconds > 0 && setting.poll == 0 {
        // no job was left running: whoever waits for it cannot know
        started.result.entry("ansible_job_id".into()).or_insert(Value::Unknown("check mode leaves no job running".into()));
    }
    if setting.async_seconds == 0 || setting.poll == 0 || is(&started.result, "failed") || is(&started.result, "skipped") {
        return Ok(started);
    }
    results::poll(job, &mut request, started, setting.poll).map_err(plain)
}

fn request<'a>(
    job: &'a Job,
    cx: &'a Arc<Context>,
    args: &Dict,
    setting: &'a Setting,
    job_id: String,
    on_output: &'a (dyn Fn(bool, &[u8]) + Sync),
) -> Request<'a> {
    Request {
        action: &job.task.canonical,
        written: &job.task.action,
        args: args.clone(),
        raw_args: &job.task.args,
        cx,
        host: &job.host,
        target: &setting.target,
        delegated: setting.delegated.as_deref(),
        become_: setting.become_.as_ref(),
        check: setting.check,
        diff: setting.diff,
        environment: setting.environment.clone(),
        timeout: setting.timeout,
        async_seconds: setting.async_seconds,
        job: job_id,
        live: job.shared.live && !job.info.no_log,
        overlay: if setting.check { job.overlay_of(setting.delegated.as_ref().unwrap_or(&job.host)) } else { Vec::new() },
        seen: job.task.register.is_some() || setting.async_seconds > 0 || job.shared.settings.results_shown,
        here: if setting.check { job.overlay_of(&"localhost".into()) } else { Vec::new() },
        pool: &job.shared.pool,
        world: &job.world,
        on_output,
        settings: &job.shared.settings,
    }
}

/// Variables with the result under the name of `register`, and with the facts that it brought.
fn with_register(job: &Job, cx: &Arc<Context>, reaction: &Reaction) -> Arc<Context> {
    let mut locals: Vec<(Arc<str>, Value)> = Vec::new();
    for effect in &reaction.effects {
        if let Effect::SetFact(facts) | Effect::Facts(facts) = effect {
            locals.extend(facts.iter().filter_map(|(key, value)| Some((Arc::from(key.as_str()?), value.clone()))));
        }
    }
    if let Some(name) = &job.task.register {
        let value = match reaction.result.get("_rplay_unknown") {
            Some(reason) => Value::Unknown(text(reason).into()),
            None => results::registered(&reaction.result),
        };
        locals.push((name.as_str().into(), value));
    }
    if locals.is_empty() { cx.clone() } else { cx.with(locals) }
}

/// `changed_when` and `failed_when`.
fn judge(job: &Job, cx: &Arc<Context>, result: &mut Dict, complaints: &mut Vec<Diagnostic>) {
    if result.contains_key("skipped") || is(result, "unreachable") {
        return;
    }
    if let Some(conditions) = &job.task.changed_when {
        match all(job, conditions, cx, complaints) {
            Ok(changed) => drop(result.insert("changed".into(), changed.into())),
            Err(fault) => return judged_wrongly(result, "changed_when_result", fault),
        }
    }
    if let Some(conditions) = &job.task.failed_when {
        match all(job, conditions, cx, complaints) {
            Ok(failed) => {
                if !failed && is(result, "failed") {
                    result.insert("failed_when_suppressed_exception".into(), "(traceback unavailable)".into());
                }
                result.insert("failed_when_result".into(), failed.into());
                result.insert("failed".into(), failed.into());
            }
            Err(fault) => judged_wrongly(result, "failed_when_result", fault),
        }
    }
}

fn judged_wrongly(result: &mut Dict, key: &str, fault: Fault) {
    if fault.is_unknown() {
        result.entry("_rplay_unknown".into()).or_insert_with(|| fault.message.into());
        return;
    }
    result.insert("failed".into(), true.into());
    result.insert(key.into(), format!("Error while evaluating conditional: {}", fault.message).into());
}

fn finish(job: &Job, mut reaction: Reaction) -> Done {
    let unknown = reaction.result.shift_remove("_rplay_unknown").filter(|_| !is(&reaction.result, "failed"));
    let value = results::registered(&reaction.result);
    let complaints = results::warnings(&mut reaction.result);
    let status = if unknown.is_some() { Status::Unknown } else { results::status(&reaction.result) };
    if let Some(reason) = &unknown {
        reaction.result.insert("unknown".into(), reason.clone());
    }
    let mut done = Done::of(status, reaction.result);
    done.value = match unknown {
        Some(reason) => Value::Unknown(text(&reason).into()),
        None => value,
    };
    done.effects = reaction.effects;
    done.changes = reaction.changes;
    done.complaints = complaints;
    if status == Status::Failed {
        done.outcome.diagnostic = Some(Box::new(results::failure_place(job, &done.outcome.result)));
    }
    done
}

fn notifications(job: &Job, cx: &Arc<Context>) -> Result<Vec<String>, Fault> {
    let Some(template) = job.task.inherited.opt(Opt::Notify) else { return Ok(Vec::new()) };
    let value = template.render(cx)?;
    let all = match value.as_slice() {
        Some(items) => items.to_vec(),
        None => vec![value],
    };
    Ok(all.iter().filter(|value| !matches!(value, Value::Null | Value::Omit)).map(text).collect())
}

fn include(job: &Job, cx: &Arc<Context>, item: Option<&ItemPlace>) -> Result<Done, Stop> {
    let args = arguments(job, cx).map_err(plain)?;
    if let Some(reason) = unknown_of(&args, &job.task.canonical) {
        return Ok(unknown_done(job, Some(cx), &reason));
    }
    let mut result = Dict::new();
    let mut rest = args.clone();
    if job.task.canonical != "include_role" {
        let file = rest.shift_remove("_raw_params").or_else(|| rest.shift_remove("file"));
        result.extend(file.map(|file| (crate::value::Key::from("include"), file)));
    }
    result.insert("include_args".into(), Value::dict(rest));
    result.insert("changed".into(), false.into());
    let mut done = Done::of(Status::Ok, result);
    let locals = item.map(|item| item.vars.to_vec()).unwrap_or_default();
    done.includes = vec![IncludeWish { args, locals, label: item.and_then(|item| item.label.clone()) }];
    Ok(done)
}

/// A flag of a result.
pub(super) fn is(result: &Dict, key: &str) -> bool {
    result.get(key).is_some_and(truthy)
}
