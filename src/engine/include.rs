//! Dynamic includes: hosts that include the same thing run it together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::batch::Batch;
use super::options::truthy;
use super::run::Engine;
use super::step::Step;
use super::task::IncludeWish;
use crate::diagnostic::Diagnostic;
use crate::event::Event;
use crate::playbook::resolve_include;
use crate::program::{self, Compiler, Inherited, Program, RoleUse, TaskDef};
use crate::template::{Context, Templated};
use crate::value::{Dict, Value, repr, text};
use crate::vars::{Layer, TaskScope};

/// One thing that is included, and by whom.
struct Included {
    key: String,
    shown: String,
    wish: IncludeWish,
    hosts: Vec<usize>,
}

impl Batch<'_> {
    /// Enters what the hosts asked for, in order of first discovery.
    pub(super) fn include(&mut self, engine: &mut Engine, step: &Step, group: &[usize], wishes: Vec<(usize, IncludeWish)>) -> Result<(), Vec<Diagnostic>> {
        let mut all: Vec<Included> = Vec::new();
        let mut gone: Vec<usize> = Vec::new();
        for (host, wish) in wishes {
            let (key, shown) = match self.target(step.task, &wish) {
                Ok(found) => found,
                Err(error) => {
                    self.break_include(engine, step, host, &error, &wish);
                    gone.push(host);
                    continue;
                }
            };
            match all.iter_mut().find(|known| known.key == key) {
                Some(known) if !known.hosts.contains(&host) => known.hosts.push(host),
                _ => all.push(Included { key, shown, wish, hosts: vec![host] }),
            }
        }
        let mut entered: Vec<(usize, usize, Arc<Program>)> = Vec::new();
        for (ordinal, included) in all.iter().enumerate() {
            let first = included.hosts[0];
            match self.compile_include(engine, step, included, first) {
                Ok(program) => {
                    self.announce_include(engine, step, included);
                    let program = Arc::new(program);
                    entered.extend(included.hosts.iter().map(|&host| (host, ordinal, program.clone())));
                }
                Err(errors) => {
                    let error = errors.into_iter().next().unwrap_or_else(|| Diagnostic::error("nothing could be included"));
                    for &host in &included.hosts {
                        self.break_include(engine, step, host, &error, &included.wish);
                        gone.push(host);
                    }
                }
            }
        }
        for &host in group {
            let mine: Vec<(usize, Arc<Program>)> =
                entered.iter().filter(|(h, ..)| *h == host).map(|(_, ordinal, program)| (*ordinal, program.clone())).collect();
            if !mine.is_empty() && !gone.contains(&host) {
                self.hosts[host].cursor.include(mine);
            }
        }
        Ok(())
    }

    fn announce_include(&mut self, engine: &mut Engine, step: &Step, included: &Included) {
        for &host in &included.hosts {
            engine.count(&self.hosts[host].name.clone()).ok += 1;
        }
        let hosts = included.hosts.iter().map(|&host| self.hosts[host].name.clone()).collect();
        engine.send(Event::Included { task: step.info.clone(), file: included.shown.clone(), hosts, label: included.wish.label.clone() });
    }

    fn break_include(&mut self, engine: &mut Engine, step: &Step, host: usize, error: &Diagnostic, wish: &IncludeWish) {
        let mut result = Dict::new();
        if let Some(file) = argument(&wish.args, &["_raw_params", "file"]) {
            result.insert("include".into(), file.into());
        }
        result.insert("failed".into(), true.into());
        result.insert("changed".into(), false.into());
        result.insert("reason".into(), error.message.as_str().into());
        result.insert("msg".into(), error.message.as_str().into());
        let mut done = super::task::Done::of(crate::event::Status::Failed, result);
        done.outcome.diagnostic = Some(Box::new(error.clone().at(&step.task.span)));
        // counted as a failure even where a rescue section goes on, as in ansible-core 2.19
        let name = self.hosts[host].name.clone();
        engine.count(&name).failed += 1;
        self.fail_host(engine, host);
        engine.send(Event::TaskDone { task: step.info.clone(), host: name, outcome: Box::new(done.outcome) });
    }

    /// What is included: a key by which equal includes are known, and what is shown.
    fn target(&self, task: &TaskDef, wish: &IncludeWish) -> Result<(String, String), Diagnostic> {
        let locals: Vec<String> = wish.locals.iter().map(|(name, value)| format!("{name}={}", repr(value))).collect();
        let args: Vec<String> = wish.args.iter().map(|(name, value)| format!("{}={}", text(&name.to_value()), repr(value))).collect();
        let rest = format!("{args:?}|{locals:?}");
        if task.canonical == "include_role" {
            let name =
                argument(&wish.args, &["name", "role"]).ok_or_else(|| Diagnostic::error("'name' is a required field for include_role").at(&task.span))?;
            return Ok((format!("role|{rest}"), name));
        }
        let file =
            argument(&wish.args, &["_raw_params", "file"]).ok_or_else(|| Diagnostic::error("No include file was specified to the include").at(&task.span))?;
        let file = file.split_whitespace().next().filter(|_| task.canonical == "include").unwrap_or(&file);
        // a file that is not there is the trouble of the hosts that include it, in their turn
        let shown = self.file(task, file).map_or_else(|_| file.to_string(), |path| absolute(&path).display().to_string());
        Ok((format!("{shown}|{rest}"), shown))
    }

    fn file(&self, task: &TaskDef, name: &str) -> Result<PathBuf, Diagnostic> {
        let own = program::dir_of(&task.span);
        let outer = task.outer.as_deref().unwrap_or(&task.inherited);
        let dirs = program::include_dirs(outer, &own, task.handler);
        resolve_include(name, &dirs).map_err(|error| error.at(&task.span))
    }

    fn compile_include(&mut self, engine: &mut Engine, step: &Step, included: &Included, host: usize) -> Result<Program, Vec<Diagnostic>> {
        let task = step.task;
        let inherited = self.below(engine, task, &included.wish)?;
        let world = engine.snapshot();
        let vars = program::task_vars(&inherited);
        let cx = Context::new(TaskScope::new(&world, &self.hosts[host].name, Some(vars), engine.options.check));
        let dir = world.run.playbook_dir.clone();
        let id = engine.id("include");
        let mut c = Compiler::new(engine.library, cx, engine.filter, &dir, id);
        let mut program = Program::default();
        if task.canonical == "include_role" {
            let use_ = role_use(task, &included.wish.args);
            let again = included.wish.args.get("allow_duplicates").is_some_and(|value| !truthy(value));
            let known = |roles: &[Arc<str>]| roles.iter().any(|role| **role == *use_.name);
            if again && engine.world.play.as_ref().is_some_and(|play| known(&play.roles) || known(&play.dependencies)) {
                return Ok(program);
            }
            program::compile_role(&mut c, use_, &inherited, &mut program)?;
        } else {
            let name = argument(&included.wish.args, &["_raw_params", "file"]).unwrap_or_default();
            let path = self.file(task, name.split_whitespace().next().filter(|_| task.canonical == "include").unwrap_or(&name)).map_err(|error| vec![error])?;
            let entries = engine.library.tasks(&path, task.handler)?;
            let inner = program::below_file(inherited, &path);
            c.entries(&entries, &inner, task.handler, &mut program)?;
        }
        self.splice(engine, c);
        Ok(program)
    }

    /// Handlers and public variables of included roles become the play's.
    fn splice(&mut self, engine: &mut Engine, c: Compiler) {
        let (handlers, vars, defaults, warnings) = (c.handlers, c.role_vars, c.role_defaults, c.warnings);
        if !handlers.instructions.is_empty() {
            let mut all = Program::clone(&self.handlers);
            all.append(handlers);
            self.handlers = Arc::new(all);
        }
        if (!vars.is_empty() || !defaults.is_empty())
            && let Some(play) = &engine.world.play
        {
            let mut play = (**play).clone();
            play.role_vars.extend(vars);
            play.role_defaults.extend(defaults);
            engine.world_mut().play = Some(Arc::new(play));
        }
        for warning in warnings.into_iter().chain(engine.library.take_warnings()) {
            engine.complain(warning);
        }
    }

    /// What included tasks inherit: what stands around the include, `apply`, and its variables.
    fn below(&self, engine: &Engine, task: &TaskDef, wish: &IncludeWish) -> Result<Inherited, Vec<Diagnostic>> {
        let mut inherited = task.outer.as_deref().unwrap_or(&task.inherited).clone();
        if let Some(apply) = &task.apply {
            let cx = program::static_context(&engine.world, &self.play.vars);
            inherited = program::descend(&inherited, apply, &cx).map_err(|error| vec![error])?;
        }
        inherited.include_vars = task.inherited.include_vars.clone();
        if !wish.locals.is_empty() {
            let mut layer = Layer::default();
            for (name, value) in &wish.locals {
                layer.insert(name.clone(), Templated::value(value.clone()), None);
            }
            inherited.include_vars.push(Arc::new(layer));
        }
        Ok(inherited)
    }
}

fn role_use(task: &TaskDef, args: &Dict) -> RoleUse {
    let from = |name: &str| argument(args, &[name]);
    RoleUse {
        name: argument(args, &["name", "role"]).unwrap_or_default(),
        tasks_from: from("tasks_from"),
        vars_from: from("vars_from"),
        defaults_from: from("defaults_from"),
        handlers_from: from("handlers_from"),
        public: args.get("public").is_some_and(truthy),
        validate: args.get("rolespec_validate").is_none_or(truthy),
        ..RoleUse::default_at(&task.span)
    }
}

fn argument(args: &Dict, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| args.get(*name)).filter(|value| !matches!(value, Value::Null)).map(text)
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}
