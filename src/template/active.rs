//! What is being rendered on this thread: finds cycles, bounds the depth, and collects the names that a rendering read.

use std::cell::RefCell;
use std::sync::Arc;

use crate::source::Span;
use crate::value::{Fault, Value};

/// Names that a rendering read, directly or through other variables.
pub(super) type Reads = Arc<[Arc<str>]>;

/// Variables inside variables, at most: far more than anybody writes.
const DEPTH: usize = 100;

/// A rendering begins only with so much stack left, on more stack otherwise.
pub(super) const RED_ZONE: usize = 256 * 1024;

/// How much more.
pub(super) const MORE_STACK: usize = 2 * 1024 * 1024;

struct Rendering {
    task: usize,
    name: Arc<str>,
    defined: Option<Span>,
    reads: Vec<Arc<str>>,
    /// It read something whose parts render themselves later.
    lazily: bool,
}

thread_local! {
    static ACTIVE: RefCell<Vec<Rendering>> = const { RefCell::new(Vec::new()) };
}

/// Runs a rendering of a variable (or of an element, by its path) and tells what it read, and whether it read lazy values.
pub(super) fn rendering(task: usize, name: &str, defined: Option<&Span>, render: impl FnOnce() -> Result<Value, Fault>) -> (Result<Value, Fault>, Reads, bool) {
    if let Err(fault) = enter(task, name, defined) {
        return (Err(fault), Arc::default(), true);
    }
    let leave = Leave;
    let result = stacker::maybe_grow(RED_ZONE, MORE_STACK, render);
    std::mem::forget(leave);
    let done = ACTIVE.with_borrow_mut(|active| {
        let done = active.pop()?;
        if let Some(outer) = active.last_mut() {
            add(&mut outer.reads, &done.name);
            done.reads.iter().for_each(|name| add(&mut outer.reads, name));
            outer.lazily |= done.lazily;
        }
        Some(done)
    });
    match done {
        Some(done) => (result, done.reads.into(), done.lazily),
        None => (result, Arc::default(), true),
    }
}

/// Runs something and tells what it read on this thread: names of variables, and functions that never give the same twice, such as `now()`.
pub fn reading<T>(run: impl FnOnce() -> T) -> (T, Vec<Arc<str>>) {
    ACTIVE.with_borrow_mut(|active| active.push(Rendering { task: 0, name: "".into(), defined: None, reads: Vec::new(), lazily: false }));
    let leave = Leave;
    let done = run();
    std::mem::forget(leave);
    let reads = ACTIVE.with_borrow_mut(|active| {
        let reads = active.pop().map(|done| done.reads).unwrap_or_default();
        if let Some(outer) = active.last_mut() {
            reads.iter().for_each(|name| add(&mut outer.reads, name));
        }
        reads
    });
    (done, reads)
}

/// Takes the rendering off when it panics.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        ACTIVE.with_borrow_mut(|active| active.pop());
    }
}

fn enter(task: usize, name: &str, defined: Option<&Span>) -> Result<(), Fault> {
    ACTIVE.with_borrow_mut(|active| {
        if let Some(first) = active.iter().position(|r| r.task == task && &*r.name == name && !name.is_empty()) {
            return Err(cycle(&active[first..], name));
        }
        if active.len() >= DEPTH {
            let mut fault = Fault::error(format!("variables are nested more than {DEPTH} deep in templates"));
            fault.span = defined.cloned();
            return Err(fault);
        }
        active.push(Rendering { task, name: name.into(), defined: defined.cloned(), reads: Vec::new(), lazily: false });
        Ok(())
    })
}

/// The error of a variable that needs itself: Ansible's words, the chain, and where each is defined.
fn cycle(chain: &[Rendering], name: &str) -> Fault {
    let mut names: Vec<&str> = chain.iter().map(|r| &*r.name).collect();
    names.push(name);
    let mut fault = Fault::error(format!("Recursive loop detected in template: {}", names.join(" -> ")));
    fault.span = chain.first().and_then(|r| r.defined.clone());
    fault
}

/// The path of what is being rendered, for the names of its elements.
pub(super) fn path() -> Arc<str> {
    ACTIVE.with_borrow(|active| active.last().map_or_else(|| "".into(), |r| r.name.clone()))
}

/// Notes that the current rendering read a variable.
pub(super) fn note(name: &str) {
    ACTIVE.with_borrow_mut(|active| {
        if let Some(current) = active.last_mut()
            && !current.reads.iter().any(|read| &**read == name)
        {
            current.reads.push(name.into());
        }
    });
}

/// Notes that the current rendering read something that had read these.
pub(super) fn note_all(names: &[Arc<str>]) {
    ACTIVE.with_borrow_mut(|active| {
        if let Some(current) = active.last_mut() {
            names.iter().for_each(|name| add(&mut current.reads, name));
        }
    });
}

/// Notes that the current rendering read something lazy.
pub(super) fn note_lazy() {
    ACTIVE.with_borrow_mut(|active| {
        if let Some(current) = active.last_mut() {
            current.lazily = true;
        }
    });
}

fn add(reads: &mut Vec<Arc<str>>, name: &Arc<str>) {
    if !reads.contains(name) {
        reads.push(name.clone());
    }
}
