//! Walks the syntax tree: statements.

use std::sync::{Arc, Mutex};

use super::evaluate::{Block, Evaluator, NO_ELSE};
use super::file;
use super::objects::{Home, Loop, MacroValue, Module, ModuleValue, Namespace};
use super::operators;
use super::output::Output;
use super::tree::{At, Call, Expr, ExprKind, ForLoop, FromImport, Import, Include, Macro, Stmt, Target};
use super::unit::{Body, Unit};
use crate::value::{Fault, Key, Value};

/// How a body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Break,
    Continue,
}

impl Evaluator<'_> {
    /// Renders a whole template, and what it extends.
    pub(super) fn template(&mut self, body: &[Stmt], out: &mut Output) -> Result<(), Fault> {
        if self.frames.is_empty() {
            self.frames.push(Vec::new());
        }
        self.take_blocks();
        let unit = self.unit.clone();
        self.body(body, out)?;
        while let Some(parent) = self.parent.take() {
            self.unit = parent.clone();
            self.take_blocks();
            match &parent.body {
                Body::Template(body) => drop(self.body(body, out)?),
                Body::Broken(message, at) => return Err(parent.syntax_fault(message, *at)),
                Body::Expression(_) => {}
            }
        }
        self.unit = unit;
        Ok(())
    }

    fn take_blocks(&mut self) {
        let unit = self.unit.clone();
        for (name, body) in &unit.blocks {
            let definition = (unit.clone(), body.clone());
            match self.blocks.iter_mut().find(|block| block.name == *name) {
                Some(block) => block.bodies.push(definition),
                None => self.blocks.push(Block { name: name.clone(), bodies: vec![definition] }),
            }
        }
    }

    pub(super) fn body(&mut self, body: &[Stmt], out: &mut Output) -> Result<Flow, Fault> {
        for stmt in body {
            match self.stmt(stmt, out)? {
                Flow::Next => {}
                other => return Ok(other),
            }
        }
        Ok(Flow::Next)
    }

    fn stmt(&mut self, stmt: &Stmt, out: &mut Output) -> Result<Flow, Fault> {
        // what follows `extends` in a template counts only for what it defines
        let silent = self.parent.is_some();
        match stmt {
            Stmt::Text(text) if !silent => out.text(text),
            Stmt::Emit(expr) if !silent => {
                let value = self.expr(expr)?;
                out.value(self.emitted(value, expr.at)?);
            }
            Stmt::Text(_) | Stmt::Emit(_) => {}
            Stmt::For(each) => return self.for_loop(each, out),
            Stmt::If(test, yes, no) => {
                let body = if self.truth(test)? { yes } else { no };
                return self.body(body, out);
            }
            Stmt::With(assignments, body) => return self.with(assignments, body, out),
            Stmt::Set(target, expr) => {
                let value = self.expr(expr)?;
                self.assign(target, value, expr.at)?;
            }
            Stmt::SetBlock(target, filter, body) => self.set_block(target, filter.as_ref(), body)?,
            Stmt::Scoped(body) => return self.scoped(|this| this.body(body, out)),
            Stmt::FilterBlock(filter, body) => {
                let text = self.block_value(body)?;
                let value = self.filtered(filter, text)?;
                out.value(self.emitted(value, filter.at)?);
            }
            Stmt::Block(name) if !silent => self.block(name, 0, out)?,
            Stmt::Block(_) => {}
            Stmt::Extends(name) => self.extends(name)?,
            Stmt::Include(include) => self.include(include, out)?,
            Stmt::Import(import) => self.import(import)?,
            Stmt::FromImport(import) => self.import_names(import)?,
            Stmt::Macro(declared) => self.declare(declared),
            Stmt::CallBlock(call, at, body) => {
                let value = self.call_block(call, *at, body)?;
                out.value(value);
            }
            Stmt::Do(expr) => drop(self.operand(expr)?),
            Stmt::Break => return Ok(Flow::Break),
            Stmt::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    /// A value that is written: an undefined one fails with the place where it is written.
    fn emitted(&self, value: Value, at: At) -> Result<Value, Fault> {
        match &value {
            Value::Undefined(message) if &**message == NO_ELSE => Ok(value),
            Value::Undefined(_) | Value::Unknown(_) => self.used(value, at),
            _ => Ok(value),
        }
    }

    /// Runs something in a scope of its own.
    pub(super) fn scoped<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        let depth = self.frames.len();
        self.frames.push(Vec::new());
        let result = run(self);
        self.frames.truncate(depth);
        result
    }

    fn set(&mut self, name: &Arc<str>, value: Value) {
        if self.frames.is_empty() {
            self.frames.push(Vec::new());
        }
        if let Some(frame) = self.frames.last_mut() {
            match frame.iter_mut().find(|(known, _)| known == name) {
                Some((_, slot)) => *slot = value,
                None => frame.push((name.clone(), value)),
            }
        }
    }

    pub(super) fn assign(&mut self, target: &Target, value: Value, at: At) -> Result<(), Fault> {
        match target {
            Target::Name(name) => self.set(name, value),
            Target::Attr(name, field) => {
                let holder = self.variable(name)?;
                let namespace = match &holder {
                    Value::Object(object) => object.as_any().downcast_ref::<Namespace>(),
                    _ => None,
                };
                let Some(namespace) = namespace else {
                    return Err(self.place(Fault::error("cannot assign attribute on non-namespace object"), at));
                };
                namespace.lock().insert(Key::Str(field.clone()), value);
            }
            Target::Tuple(targets) => {
                let value = self.used(value, at)?;
                let items = operators::iterate(&value).map_err(|fault| {
                    let cannot = Fault::error(format!("cannot unpack non-iterable {} object", value.type_name()));
                    self.place(if fault.kind == crate::value::FaultKind::Error { cannot } else { fault }, at)
                })?;
                if items.len() != targets.len() {
                    return Err(self.place(unpacking(targets.len(), items.len()), at));
                }
                for (target, item) in targets.iter().zip(items) {
                    self.assign(target, item, at)?;
                }
            }
        }
        Ok(())
    }

    fn for_loop(&mut self, each: &Arc<ForLoop>, out: &mut Output) -> Result<Flow, Fault> {
        let items = self.operand(&each.iter)?;
        let items = operators::iterate(&items).map_err(|fault| self.place(fault, each.iter.at))?;
        self.for_items(each, items, 0, out)?;
        Ok(Flow::Next)
    }

    pub(super) fn for_items(&mut self, each: &Arc<ForLoop>, items: Vec<Value>, depth0: usize, out: &mut Output) -> Result<(), Fault> {
        let kept = self.kept(each, items)?;
        if kept.is_empty() {
            return self.scoped(|this| this.body(&each.otherwise, out)).map(drop);
        }
        let items = Arc::new(kept);
        let changed = Arc::new(Mutex::new(None));
        let recursion = each.recursive.then(|| (each.clone(), self.unit.clone()));
        for index0 in 0..items.len() {
            let flow = self.scoped(|this| {
                this.assign(&each.target, items[index0].clone(), each.iter.at)?;
                if each.reads_loop {
                    let (items, recursion, changed) = (items.clone(), recursion.clone(), changed.clone());
                    let value = Value::Object(Arc::new(Loop { index0, items, depth0, recursion, changed }));
                    this.set(&"loop".into(), value);
                }
                let flow = this.body(&each.body, out)?;
                this.after_item(each, index0)?;
                Ok(flow)
            })?;
            if flow == Flow::Break {
                break;
            }
        }
        Ok(())
    }

    /// A loop's item that the body changed in place changes in the list too.
    fn after_item(&mut self, each: &ForLoop, index0: usize) -> Result<(), Fault> {
        let Target::Name(name) = &each.target else { return Ok(()) };
        let Some(at) = self.touched.iter().position(|touched| touched == name) else { return Ok(()) };
        self.touched.remove(at);
        if each.filter.is_some() {
            return Ok(());
        }
        match self.bound(name).cloned() {
            Some(item) => self.write_back(&each.iter, index0, item),
            None => Ok(()),
        }
    }

    fn kept(&mut self, each: &ForLoop, items: Vec<Value>) -> Result<Vec<Value>, Fault> {
        let Some(filter) = &each.filter else { return Ok(items) };
        let mut kept = Vec::new();
        for item in items {
            let keep = self.scoped(|this| {
                this.assign(&each.target, item.clone(), each.iter.at)?;
                this.truth(filter)
            })?;
            if keep {
                kept.push(item);
            }
        }
        Ok(kept)
    }

    fn with(&mut self, assignments: &[(Target, Expr)], body: &[Stmt], out: &mut Output) -> Result<Flow, Fault> {
        let values = assignments.iter().map(|(_, expr)| self.expr(expr)).collect::<Result<Vec<_>, _>>()?;
        self.scoped(|this| {
            for ((target, expr), value) in assignments.iter().zip(values) {
                this.assign(target, value, expr.at)?;
            }
            this.body(body, out)
        })
    }

    fn block_value(&mut self, body: &[Stmt]) -> Result<Value, Fault> {
        let mut out = Output::new(self.unit.newline);
        self.scoped(|this| this.body(body, &mut out))?;
        out.native(self.cx)
    }

    fn set_block(&mut self, target: &Target, filter: Option<&Expr>, body: &[Stmt]) -> Result<(), Fault> {
        let mut value = self.block_value(body)?;
        if let Some(filter) = filter {
            value = self.filtered(filter, value)?;
        }
        self.assign(target, value, filter.map_or(At::default(), |filter| filter.at))
    }

    fn filtered(&mut self, filter: &Expr, text: Value) -> Result<Value, Fault> {
        match &filter.kind {
            ExprKind::Filter(call) => self.filter(call, Some(text), filter.at),
            _ => self.expr(filter),
        }
    }

    fn declare(&mut self, declared: &Arc<Macro>) {
        let home = Home::Frames(self.unit.clone(), self.frames.len());
        let value = Value::Object(Arc::new(MacroValue { declared: declared.clone(), home }));
        self.set(&declared.name, value);
    }

    fn call_block(&mut self, call: &Call, at: At, body: &Arc<Macro>) -> Result<Value, Fault> {
        let home = Home::Frames(self.unit.clone(), self.frames.len());
        let caller = Value::Object(Arc::new(MacroValue { declared: body.clone(), home }));
        let callee = self.operand(&call.callee)?;
        let mut args = self.any_arguments(&call.args)?;
        let found = match &callee {
            Value::Object(object) => object.as_any().downcast_ref::<MacroValue>().cloned(),
            _ => None,
        };
        let result = match found {
            Some(found) if !found.declared.reads_caller => {
                let text = format!("macro '{}' takes no keyword argument 'caller'", found.declared.name);
                Err(Fault::error(text))
            }
            Some(found) => self.call_macro(&found, args, Some(caller)),
            None => {
                args.named.push(("caller".into(), caller));
                self.call_value(&callee, args)
            }
        };
        result.map_err(|fault| self.place(fault, at))
    }

    /// Renders a block: its most derived definition, or one below it.
    fn block(&mut self, name: &Arc<str>, level: usize, out: &mut Output) -> Result<(), Fault> {
        let found = self.blocks.iter().find(|block| block.name == *name).and_then(|block| block.bodies.get(level)).cloned();
        let Some((unit, body)) = found else { return Ok(()) };
        let outer_unit = std::mem::replace(&mut self.unit, unit);
        let outer_block = self.block.replace((name.clone(), level));
        let result = self.deeper(|this| this.scoped(|this| this.body(&body, out)));
        self.unit = outer_unit;
        self.block = outer_block;
        result.map(drop)
    }

    /// `self.name()`
    pub(super) fn block_text(&mut self, name: &str, level: usize) -> Result<Value, Fault> {
        if !self.blocks.iter().any(|block| &*block.name == name && block.bodies.len() > level) {
            return Ok(Value::Undefined(format!("there is no block called '{name}'").into()));
        }
        let mut out = Output::new(self.unit.newline);
        self.block(&name.into(), level, &mut out)?;
        out.native(self.cx)
    }

    /// `super()`
    pub(super) fn super_block(&mut self, at: At) -> Result<Value, Fault> {
        let Some((name, level)) = self.block.clone() else {
            return Err(self.place(Fault::error("super() is only for blocks"), at));
        };
        match self.block_text(&name, level + 1)? {
            Value::Undefined(_) => Ok(Value::Undefined(format!("there is no parent block called '{name}'.").into())),
            text => Ok(text),
        }
    }

    fn extends(&mut self, name: &Expr) -> Result<(), Fault> {
        if self.parent.is_some() {
            return Err(self.place(Fault::error("extended multiple times"), name.at));
        }
        let parent = self.load(name, false)?;
        self.parent = parent;
        Ok(())
    }

    /// The template file of that name, or the first of several that exists.
    fn load(&mut self, name: &Expr, missing_is_fine: bool) -> Result<Option<Arc<Unit>>, Fault> {
        let value = self.operand(name)?;
        let names = match &value {
            Value::Str(_) => vec![value.clone()],
            other => operators::iterate(other).map_err(|fault| self.place(fault, name.at))?,
        };
        for name_of in &names {
            let found = file::load(&name_of.to_string(), self.cx, &self.unit).map_err(|fault| self.place(fault, name.at))?;
            if let Some(unit) = found {
                return Ok(Some(unit));
            }
        }
        if missing_is_fine {
            return Ok(None);
        }
        let shown: Vec<String> = names.iter().map(Value::to_string).collect();
        let text = match &shown[..] {
            [one] => format!("the template file '{one}' was not found in the template's search path"),
            several => format!("none of the templates given were found: {}", several.join(", ")),
        };
        Err(self.place(Fault::error(text), name.at))
    }

    fn include(&mut self, include: &Include, out: &mut Output) -> Result<(), Fault> {
        let Some(unit) = self.load(&include.name, include.ignore_missing)? else { return Ok(()) };
        if self.parent.is_some() {
            return Ok(());
        }
        let mut inner = self.inner(unit.clone(), include.with_context);
        let mut text = Output::new(out.newline());
        inner.deeper(|this| this.whole(&unit, &mut text))?;
        out.append(text);
        Ok(())
    }

    /// Another file's evaluation, with this one's names or without.
    fn inner(&self, unit: Arc<Unit>, with_context: bool) -> Evaluator<'_> {
        let mut inner = Evaluator::new(self.cx, unit);
        if with_context {
            inner.frames.clone_from(&self.frames);
        }
        inner.isolated = self.isolated || !with_context;
        inner.frames.push(Vec::new());
        inner.depth = self.depth;
        inner
    }

    fn whole(&mut self, unit: &Arc<Unit>, out: &mut Output) -> Result<(), Fault> {
        match &unit.body {
            Body::Template(body) => self.template(body, out),
            Body::Broken(message, at) => Err(unit.syntax_fault(message, *at)),
            Body::Expression(_) => Ok(()),
        }
    }

    /// Runs another file for what it sets and declares.
    fn module(&mut self, file: &Expr, with_context: bool) -> Result<ModuleValue, Fault> {
        let Some(unit) = self.load(file, false)? else { return Err(Fault::error("nothing to import")) };
        let mut inner = self.inner(unit.clone(), with_context);
        let mut text = Output::new("\n");
        inner.deeper(|this| this.whole(&unit, &mut text))?;
        let names = if with_context { inner.frames.concat() } else { inner.frames.pop().unwrap_or_default() };
        let text = text.joined(self.cx)?;
        let isolated = !with_context;
        Ok(ModuleValue(Arc::new(Module { unit, names, isolated, text })))
    }

    fn import(&mut self, import: &Import) -> Result<(), Fault> {
        let module = self.module(&import.file, import.with_context)?;
        self.set(&import.name, Value::Object(Arc::new(module)));
        Ok(())
    }

    fn not_exported(&self, name: &str, module: &ModuleValue, at: At) -> Value {
        let file = module.0.unit.place.part(At::default());
        let file = file.as_ref().and_then(|span| span.path().file_name()).map_or_else(String::new, |file| file.to_string_lossy().into_owned());
        let line = self.unit.place.part(at).map_or(1, |span| span.position().line);
        let text = format!("the template '{file}' (imported on line {line}) does not export the requested name '{name}'");
        Value::Undefined(text.into())
    }

    fn import_names(&mut self, import: &FromImport) -> Result<(), Fault> {
        let module = self.module(&import.file, import.with_context)?;
        for (name, alias) in &import.names {
            let value = module.export(name).unwrap_or_else(|| self.not_exported(name, &module, import.file.at));
            self.set(alias, value);
        }
        Ok(())
    }
}

fn unpacking(expected: usize, found: usize) -> Fault {
    Fault::error(if found > expected {
        format!("too many values to unpack (expected {expected})")
    } else {
        format!("not enough values to unpack (expected {expected}, got {found})")
    })
}
