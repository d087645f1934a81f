//! The variables of one task (or one item of its loop) on one host, as templates see them: lazy, rendered once, cycles found.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::active::{self, Reads};
use super::lazy;
use super::scope::{Scope, Variable};
use super::templated::Templated;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::{Fault, FaultKind, Value};

/// The variables of one task and host. A loop's items each get a context of their own by [`Context::with`].
#[derive(Debug)]
pub struct Context {
    scope: Arc<dyn Scope<Templated>>,
    parent: Option<Arc<Context>>,
    locals: Vec<(Arc<str>, Value)>,
    cache: Mutex<HashMap<Arc<str>, Cached>>,
    shared: Arc<Shared>,
}

/// What a context has in common with those made from it.
#[derive(Debug, Default)]
struct Shared {
    warnings: Mutex<Vec<Diagnostic>>,
    /// Why recent undefined values are undefined, for errors that say more than the message.
    reasons: Mutex<Vec<(Arc<str>, Fault)>>,
}

/// A rendered variable.
#[derive(Debug, Clone)]
struct Cached {
    value: Value,
    /// The names that were read on the way to it.
    reads: Reads,
    /// Whether another context of the same task may use it: not when its parts render themselves later, in this context.
    shareable: bool,
}

const REASONS_KEPT: usize = 32;

impl Context {
    /// A context over the variables of a task.
    pub fn new(scope: Arc<dyn Scope<Templated>>) -> Arc<Context> {
        Arc::new(Context { scope, parent: None, locals: Vec::new(), cache: Mutex::default(), shared: Arc::default() })
    }

    /// A context in which further variables (data) win over all others. What was rendered before without reading one of them is not
    /// rendered again.
    pub fn with(self: &Arc<Self>, locals: Vec<(Arc<str>, Value)>) -> Arc<Context> {
        let shared = self.shared.clone();
        Arc::new(Context { scope: self.scope.clone(), parent: Some(self.clone()), locals, cache: Mutex::default(), shared })
    }

    /// The variables below the locals.
    pub fn scope(&self) -> &Arc<dyn Scope<Templated>> {
        &self.scope
    }

    /// The value of a variable, containers lazily; `None` when nothing of that name is defined. One that is itself undefined inside is
    /// [`Value::Undefined`].
    ///
    /// # Errors
    /// Its rendering failed, or needs itself.
    pub fn get(self: &Arc<Self>, name: &str) -> Result<Option<Value>, Fault> {
        if let Some(local) = self.local(name) {
            active::note(name);
            return Ok(Some(local.clone()));
        }
        if let Some(cached) = self.cached(name) {
            active::note(name);
            active::note_all(&cached.reads);
            if !cached.shareable {
                active::note_lazy();
            }
            return Ok(Some(cached.value));
        }
        match self.scope.variable(name) {
            None => {
                active::note(name);
                Ok(None)
            }
            Some(Variable::Value(value)) => {
                active::note(name);
                Ok(Some(value))
            }
            Some(Variable::Template(Templated::Value(value, _), _)) => {
                active::note(name);
                Ok(Some(value))
            }
            Some(Variable::Template(template, defined)) => self.rendered(name, &template, defined.as_ref()).map(Some),
        }
    }

    /// Names of all variables.
    pub fn names(&self) -> Vec<Arc<str>> {
        let mut names = self.scope.names();
        let mut context = Some(self);
        while let Some(here) = context {
            for (name, _) in &here.locals {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
            context = here.parent.as_deref();
        }
        names
    }

    /// Warnings of what was rendered since they were last taken; contexts made from one another have them in common.
    pub fn take_warnings(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut *lock(&self.shared.warnings))
    }

    /// Adds a warning, once.
    pub(super) fn warn(&self, warning: Diagnostic) {
        let mut warnings = lock(&self.shared.warnings);
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    /// The undefined value that stands for a failure to render, which is kept for the error of its use.
    pub(super) fn undefined_by(&self, fault: Fault) -> Value {
        let message: Arc<str> = fault.message.as_str().into();
        let mut reasons = lock(&self.shared.reasons);
        if reasons.len() >= REASONS_KEPT {
            reasons.remove(0);
        }
        reasons.push((message.clone(), fault));
        Value::Undefined(message)
    }

    /// The error of using an undefined value: the one that made it undefined where that is known.
    pub(super) fn undefined_fault(&self, message: &Arc<str>) -> Fault {
        let reasons = lock(&self.shared.reasons);
        let known = reasons.iter().rev().find(|(known, _)| Arc::ptr_eq(known, message));
        known.map_or_else(|| Fault::undefined(message.to_string()), |(_, fault)| fault.clone())
    }

    fn local(&self, name: &str) -> Option<&Value> {
        let own = self.locals.iter().rev().find(|(local, _)| &**local == name).map(|(_, value)| value);
        own.or_else(|| self.parent.as_ref()?.local(name))
    }

    fn cached(&self, name: &str) -> Option<Cached> {
        if let Some(own) = lock(&self.cache).get(name) {
            return Some(own.clone());
        }
        let above = self.parent.as_ref()?.cached(name)?;
        (above.shareable && !self.touches(&above.reads)).then_some(above)
    }

    /// True when a rendering that read these names would read one of this context's own locals.
    fn touches(&self, reads: &[Arc<str>]) -> bool {
        self.locals.iter().any(|(local, _)| reads.contains(local))
    }

    fn rendered(self: &Arc<Self>, name: &str, template: &Templated, defined: Option<&Span>) -> Result<Value, Fault> {
        let defined = defined.or(template.span());
        let (result, reads, lazily) = active::rendering(self.root(), name, defined, || template.render_lazy(self));
        let value = match result {
            Ok(value) => value,
            Err(fault) if fault.kind == FaultKind::Undefined => self.undefined_by(fault.through(name, defined)),
            Err(fault) => return Err(fault.through(name, defined)),
        };
        let shareable = !lazily && !lazy::is_lazy(&value);
        if !shareable {
            active::note_lazy();
        }
        self.keep(name.into(), Cached { value: value.clone(), reads, shareable });
        Ok(value)
    }

    /// Keeps a rendered variable in the outermost context that it does not depend on the locals of.
    fn keep(&self, name: Arc<str>, cached: Cached) {
        match &self.parent {
            Some(parent) if cached.shareable && !self.touches(&cached.reads) => parent.keep(name, cached),
            _ => drop(lock(&self.cache).insert(name, cached)),
        }
    }

    /// Identifies the task and host that this context belongs to.
    fn root(&self) -> usize {
        Arc::as_ptr(&self.shared) as usize
    }

    pub(super) fn identity(&self) -> usize {
        self.root()
    }
}

/// The context behind a lazy value, as long as its task runs.
///
/// # Errors
/// It ended.
pub(super) fn alive(context: &Weak<Context>) -> Result<Arc<Context>, Fault> {
    context.upgrade().ok_or_else(|| Fault::error("a lazy value was read after the end of its task"))
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
