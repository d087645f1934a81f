//! A play: its hosts, prompts, variable files and batches.

use std::sync::Arc;

use super::batch::{Batch, BatchEnd};
use super::run::Engine;
use crate::diagnostic::{Diagnostic, Severity};
use crate::event::{Event, PlayInfo};
use crate::program::{CompiledPlay, static_context};
use crate::source::Source;
use crate::template::{Context, Templated};
use crate::value::{Value, text};
use crate::vars::{Layer, PlayVars, TaskScope};
use crate::yaml::{self, Node};

/// How a play ended.
pub(super) struct PlayEnd {
    pub code: i32,
    /// No further play runs.
    pub stop: bool,
}

impl Engine<'_> {
    /// Runs one play on all of its hosts.
    pub(super) fn play(&mut self, play: &CompiledPlay) -> Result<PlayEnd, Vec<Diagnostic>> {
        if self.world.run.playbook_dir != play.dir() {
            let mut run = (*self.world.run).clone();
            run.playbook_dir = play.dir();
            self.world_mut().run = Arc::new(run);
        }
        let (selected, hosts) = self.play_hosts(play)?;
        for host in &hosts {
            self.world.read_variables(host).map_err(|error| self.unreadable(error))?;
        }
        for warning in self.world.take_warnings() {
            self.complain(warning);
        }
        let mut vars = play.vars.clone();
        vars.all_hosts = Arc::new(selected);
        self.prompt(play, &mut vars)?;
        self.world_mut().play = Some(Arc::new(vars.clone()));
        self.vars_files(play, &hosts, &mut vars)?;
        let batches = self.batches(play, &hosts)?;
        if batches.is_empty() {
            self.announce(play, &[]);
            self.send(Event::NoHostsMatched);
            return Ok(PlayEnd { code: self.code(), stop: false });
        }
        let mut end = PlayEnd { code: 0, stop: false };
        for names in batches {
            let before = self.failed.len() + self.unreachable.len();
            self.world_mut().play = Some(Arc::new(vars.clone()));
            self.announce(play, &names);
            let ended = Batch::run(self, play, &names)?;
            end.code = if ended == BatchEnd::Broken { 2 } else { self.code() };
            end.stop |= ended == BatchEnd::Broken;
            let lost = self.failed.len() + self.unreachable.len() - before.min(self.failed.len() + self.unreachable.len());
            if lost == names.len() || ended == BatchEnd::PlayEnded {
                end.stop |= lost == names.len();
                break;
            }
        }
        Ok(end)
    }

    fn code(&self) -> i32 {
        match (self.unreachable.is_empty(), self.failed.is_empty()) {
            (false, _) => 4,
            (_, false) => 2,
            _ => 0,
        }
    }

    fn announce(&mut self, play: &CompiledPlay, hosts: &[Arc<str>]) {
        let info = PlayInfo {
            id: self.id("play"),
            name: play.name.trim().to_string(),
            path: play.source.file.clone(),
            line: play.source.span.position().line,
            hosts: hosts.to_vec(),
            check: self.options.check,
        };
        self.send(Event::PlayStart(Arc::new(info)));
    }

    /// The hosts of `hosts:`, as the pattern gives them and in the play's `order`.
    fn play_hosts(&mut self, play: &CompiledPlay) -> Result<(Vec<Arc<str>>, Vec<Arc<str>>), Vec<Diagnostic>> {
        let patterns = patterns(play, &static_context(&self.world, &play.vars)).map_err(|error| self.unreadable(error))?;
        let (mut hosts, warnings) =
            self.world.inventory.select_list(&patterns, self.options.limit.as_deref()).map_err(|error| vec![error.at(&play.source.hosts.span)])?;
        for warning in warnings {
            self.complain(warning.at(&play.source.hosts.span));
        }
        let selected = hosts.clone();
        let order = play.static_value(play.source.order.as_ref(), &self.world).map_err(|error| vec![error])?;
        match order.as_ref().and_then(Value::as_str) {
            None | Some("inventory") => {}
            Some("sorted") => hosts.sort(),
            Some("reverse_sorted") => {
                hosts.sort();
                hosts.reverse();
            }
            Some("reverse_inventory") => hosts.reverse(),
            Some("shuffle") => rand::seq::SliceRandom::shuffle(&mut hosts[..], &mut rand::rng()),
            Some(other) => {
                let span = play.source.order.as_ref().map_or(&play.source.span, |node| &node.span);
                self.fatal_code = 5;
                let error = Diagnostic::error(format!("invalid 'order' specified for inventory hosts: {other}")).at(span);
                return Err(vec![error.help("the orders are inventory, reverse_inventory, sorted, reverse_sorted and shuffle")]);
            }
        }
        Ok((selected, hosts))
    }

    fn prompt(&mut self, play: &CompiledPlay, vars: &mut PlayVars) -> Result<(), Vec<Diagnostic>> {
        let mut layer = Layer::clone(&vars.vars);
        for prompt in &play.source.vars_prompt {
            if self.world.run.extra.get(&prompt.name.value).is_some() {
                continue;
            }
            let cx = static_context(&self.world, vars);
            let render = |node: &Node| {
                Templated::compile(node).render(&cx).map(|value| text(&value)).map_err(|fault| vec![Diagnostic::error(fault.message).at(&node.span)])
            };
            let question = prompt.prompt.as_ref().map(render).transpose()?.unwrap_or_else(|| prompt.name.value.clone());
            let default = prompt.default.as_ref().map(render).transpose()?;
            let answer = (self.options.ask)(prompt, &question).filter(|answer| !answer.is_empty()).or(default).unwrap_or_default();
            let answer = match &prompt.encrypt {
                None => answer,
                Some(scheme) => encrypted(&answer, scheme, prompt, &cx).map_err(|error| vec![error.at(&prompt.name.span)])?,
            };
            layer.insert_value(&prompt.name.value, answer.into());
        }
        vars.vars = Arc::new(layer);
        Ok(())
    }

    fn vars_files(&mut self, play: &CompiledPlay, hosts: &[Arc<str>], vars: &mut PlayVars) -> Result<(), Vec<Diagnostic>> {
        let files = &play.source.vars_files;
        if files.is_empty() {
            return Ok(());
        }
        let same = files.iter().all(|node| Templated::compile(node).is_static());
        let dir = play.dir();
        if same || hosts.is_empty() {
            let cx = static_context(&self.world, vars);
            vars.files = load_files(files, &cx, &dir, self)?;
            return Ok(());
        }
        for host in hosts {
            let world = self.snapshot();
            let cx = Context::new(TaskScope::new(&world, host, None, self.options.check));
            let layers = load_files(files, &cx, &dir, self)?;
            vars.host_files.insert(host.clone(), layers);
        }
        Ok(())
    }

    /// `serial`: numbers, percentages, or a list of these of which the last repeats.
    fn batches(&mut self, play: &CompiledPlay, hosts: &[Arc<str>]) -> Result<Vec<Vec<Arc<str>>>, Vec<Diagnostic>> {
        if hosts.is_empty() {
            return Ok(Vec::new());
        }
        let serial = play.static_value(play.source.serial.as_ref(), &self.world).map_err(|error| vec![error])?;
        let sizes: Vec<Value> = match serial {
            None => return Ok(vec![hosts.to_vec()]),
            Some(value) => value.as_slice().map_or_else(|| vec![value.clone()], <[Value]>::to_vec),
        };
        let span = play.source.serial.as_ref().map_or(&play.source.span, |node| &node.span);
        let sizes = sizes.iter().map(|size| batch_size(size, hosts.len()).map_err(|error| vec![error.at(span)])).collect::<Result<Vec<_>, _>>()?;
        let (mut rest, mut batches, mut turn) = (hosts, Vec::new(), 0);
        while !rest.is_empty() {
            let size = sizes[turn.min(sizes.len() - 1)];
            let take = if size == 0 { rest.len() } else { size.min(rest.len()) };
            let (batch, more) = rest.split_at(take);
            batches.push(batch.to_vec());
            (rest, turn) = (more, turn + 1);
        }
        Ok(batches)
    }
}

/// The patterns of `hosts:`.
pub fn patterns(play: &CompiledPlay, cx: &Arc<Context>) -> Result<Vec<String>, Diagnostic> {
    let node = &play.source.hosts;
    let value =
        Templated::compile(node).render(cx).map_err(|fault| Diagnostic::error(format!("`hosts` cannot be rendered: {}", fault.message)).at(&node.span))?;
    Ok(match value.as_slice() {
        Some(items) => items.iter().map(text).collect(),
        None => vec![text(&value)],
    })
}

fn batch_size(size: &Value, total: usize) -> Result<usize, Diagnostic> {
    let shown = text(size);
    if let Some(percent) = shown.strip_suffix('%') {
        let percent: f64 = percent.trim().parse().map_err(|_| Diagnostic::error(format!("invalid percentage in serial: {shown}")))?;
        return Ok(((percent / 100.0 * total as f64) as usize).max(1));
    }
    shown.parse::<i64>().map(|n| n.max(0) as usize).map_err(|_| Diagnostic::error(format!("invalid batch size in serial: {shown}")))
}

fn encrypted(answer: &str, scheme: &str, prompt: &crate::playbook::Prompt, cx: &Arc<Context>) -> Result<String, Diagnostic> {
    let locals = [
        ("_answer", answer.into()),
        ("_scheme", scheme.into()),
        ("_salt", prompt.salt.as_deref().map_or(Value::Null, Value::from)),
        ("_size", prompt.salt_size.map_or(Value::Null, Value::from)),
    ];
    let cx = cx.with(locals.into_iter().map(|(name, value)| (Arc::from(name), value)).collect());
    let hashed =
        crate::template::evaluate("_answer | password_hash(_scheme, _salt, salt_size=_size)", &cx).map_err(|fault| Diagnostic::error(fault.message))?;
    Ok(text(&hashed))
}

/// `vars_files`: of an entry that is a list, the first file that exists.
fn load_files(files: &[Node], cx: &Arc<Context>, dir: &std::path::Path, engine: &mut Engine) -> Result<Vec<Arc<Layer>>, Vec<Diagnostic>> {
    let mut layers = Vec::new();
    for node in files {
        let value = Templated::compile(node).render(cx).map_err(|fault| vec![Diagnostic::error(fault.message).at(&node.span)])?;
        let names: Vec<String> = value.as_slice().map_or_else(|| vec![text(&value)], |items| items.iter().map(text).collect());
        let paths: Vec<_> = names.iter().map(|name| [dir.join("vars").join(name), dir.join(name)]).collect();
        let found = paths.iter().flatten().find(|path| path.is_file());
        let Some(path) = found else {
            // ansible-core 2.19 says nothing here
            let missing = Diagnostic::error(format!("vars file {} was not found", names.join(", "))).at(&node.span);
            if engine.options.strict {
                return Err(vec![missing]);
            }
            engine.complain(Diagnostic { severity: Severity::Warning, ..missing });
            continue;
        };
        let layer = load_vars_file(path, engine);
        layers.push(Arc::new(layer.map_err(|error| if error.span.is_some() { engine.unreadable(error) } else { vec![error] })?));
    }
    Ok(layers)
}

fn load_vars_file(path: &std::path::Path, engine: &mut Engine) -> Result<Layer, Diagnostic> {
    let raw = std::fs::read_to_string(path).map_err(|error| Diagnostic::error(format!("cannot read {}: {error}", path.display())))?;
    let plain = if raw.starts_with("$ANSIBLE_VAULT") {
        engine
            .world
            .run
            .secrets
            .decrypt(&raw)
            .inspect(|text| crate::mask::remember_file(text))
            .map_err(|error| Diagnostic::error(format!("{}: {error}", path.display())))?
    } else {
        raw
    };
    let loaded = yaml::load(&Source::new(path, plain), &yaml::Options::default())?;
    for warning in loaded.warnings {
        engine.complain(warning);
    }
    Layer::from_node(&loaded.node)
}
