//! Values that only templates have: macros, `loop`, namespaces, imported modules, functions.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use super::context::{Context, alive, lock};
use super::tree::{ForLoop, Macro};
use super::unit::Unit;
use crate::value::{Dict, Fault, Key, Object, Value};

/// Something of the engine that has a name, attributes, or can be called.
macro_rules! object {
    ($type:ty, $name:expr, $get:expr) => {
        impl Object for $type {
            fn type_name(&self) -> &'static str {
                $name
            }

            fn get(&self, key: &Value) -> Result<Option<Value>, Fault> {
                let get: fn(&$type, &str) -> Result<Option<Value>, Fault> = $get;
                key.as_str().map_or(Ok(None), |name| get(self, name))
            }

            fn iterate(&self) -> Result<Option<Vec<Value>>, Fault> {
                Ok(None)
            }

            fn len(&self) -> Option<usize> {
                None
            }

            fn resolve(&self) -> Result<Value, Fault> {
                Err(Fault::error(format!("Type '{}' is unsupported for variable storage.", self.type_name())))
            }

            fn as_any(&self) -> &dyn Any {
                self
            }
        }
    };
}

/// A macro, with the place it was declared in.
#[derive(Debug, Clone)]
pub(super) struct MacroValue {
    pub declared: Arc<Macro>,
    pub home: Home,
}

/// Where a macro finds the names around it.
#[derive(Debug, Clone)]
pub(super) enum Home {
    /// In the running text: so many frames were around its declaration.
    Frames(Arc<Unit>, usize),
    /// In an imported file.
    Module(Arc<Module>),
}

object!(MacroValue, "Macro", |this, name| Ok((name == "name").then(|| Value::Str(this.declared.name.clone()))));

/// An imported file: what it set and declared at its top level, and its text.
#[derive(Debug)]
pub(super) struct Module {
    pub unit: Arc<Unit>,
    pub names: Vec<(Arc<str>, Value)>,
    pub isolated: bool,
    pub text: String,
}

/// An imported file as a value.
#[derive(Debug)]
pub(super) struct ModuleValue(pub Arc<Module>);

impl ModuleValue {
    /// A name of the file; its macros find each other through it.
    pub(super) fn export(&self, name: &str) -> Option<Value> {
        let value = self.0.names.iter().rev().find(|(known, _)| &**known == name).map(|(_, value)| value)?;
        Some(at_home(value, &self.0))
    }
}

/// A macro of an imported file, at home there.
pub(super) fn at_home(value: &Value, module: &Arc<Module>) -> Value {
    if let Value::Object(object) = value
        && let Some(found) = object.as_any().downcast_ref::<MacroValue>()
        && matches!(found.home, Home::Frames(..))
    {
        let home = Home::Module(module.clone());
        return Value::Object(Arc::new(MacroValue { declared: found.declared.clone(), home }));
    }
    value.clone()
}

impl Object for ModuleValue {
    fn type_name(&self) -> &'static str {
        "TemplateModule"
    }

    fn get(&self, key: &Value) -> Result<Option<Value>, Fault> {
        Ok(key.as_str().and_then(|name| self.export(name)))
    }

    fn iterate(&self) -> Result<Option<Vec<Value>>, Fault> {
        Ok(None)
    }

    fn len(&self) -> Option<usize> {
        None
    }

    fn resolve(&self) -> Result<Value, Fault> {
        Ok(Value::from(self.0.text.clone()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `namespace()`: the one value that changes wherever it is held.
#[derive(Debug, Default)]
pub(super) struct Namespace(Mutex<Dict>);

impl Namespace {
    pub(super) fn new(fields: Dict) -> Namespace {
        Namespace(Mutex::new(fields))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Dict> {
        lock(&self.0)
    }
}

object!(Namespace, "Namespace", |this, name| Ok(this.lock().get(name).cloned()));

/// `loop`.
#[derive(Debug)]
pub(super) struct Loop {
    pub index0: usize,
    pub items: Arc<Vec<Value>>,
    pub depth0: usize,
    /// What to run when a recursive loop's `loop(...)` is called.
    pub recursion: Option<(Arc<ForLoop>, Arc<Unit>)>,
    pub changed: Arc<Mutex<Option<Vec<Value>>>>,
}

object!(Loop, "LoopContext", |this, name| {
    let neighbour = |i: Option<usize>, which: &str| {
        let item = i.and_then(|i| this.items.get(i)).cloned();
        item.unwrap_or_else(|| Value::Undefined(format!("there is no {which} item").into()))
    };
    let length = this.items.len();
    Ok(Some(match name {
        "index" => (this.index0 + 1).into(),
        "index0" => this.index0.into(),
        "revindex" => (length - this.index0).into(),
        "revindex0" => (length - this.index0 - 1).into(),
        "first" => (this.index0 == 0).into(),
        "last" => (this.index0 + 1 == length).into(),
        "length" => length.into(),
        "depth" => (this.depth0 + 1).into(),
        "depth0" => this.depth0.into(),
        "previtem" => neighbour(this.index0.checked_sub(1), "previous"),
        "nextitem" => neighbour(Some(this.index0 + 1), "next"),
        "cycle" => builtin(Builtin::LoopCycle(this.index0)),
        "changed" => builtin(Builtin::LoopChanged(this.changed.clone())),
        _ => return Ok(None),
    }))
});

/// A function of the engine.
#[derive(Debug, Clone)]
pub(super) enum Builtin {
    Global(&'static str),
    LoopCycle(usize),
    LoopChanged(Arc<Mutex<Option<Vec<Value>>>>),
    CyclerNext(Arc<CyclerState>),
    CyclerReset(Arc<CyclerState>),
    Joiner(String, Arc<Mutex<bool>>),
}

object!(Builtin, "function", |_, _| Ok(None));

/// A function as a value.
pub(super) fn builtin(function: Builtin) -> Value {
    Value::Object(Arc::new(function))
}

/// `cycler('a', 'b')`.
#[derive(Debug)]
pub(super) struct CyclerState {
    pub items: Vec<Value>,
    pub at: Mutex<usize>,
}

/// A cycler as a value.
#[derive(Debug)]
pub(super) struct Cycler(pub Arc<CyclerState>);

object!(Cycler, "Cycler", |this, name| {
    Ok(match name {
        "next" => Some(builtin(Builtin::CyclerNext(this.0.clone()))),
        "reset" => Some(builtin(Builtin::CyclerReset(this.0.clone()))),
        "current" => this.0.items.get(*lock(&this.0.at)).cloned(),
        _ => None,
    })
});

/// `vars`: all variables as a dictionary.
#[derive(Debug)]
pub(super) struct Vars(pub Weak<Context>);

impl Object for Vars {
    fn type_name(&self) -> &'static str {
        "dict"
    }

    fn get(&self, key: &Value) -> Result<Option<Value>, Fault> {
        key.as_str().map_or(Ok(None), |name| alive(&self.0)?.get(name))
    }

    fn iterate(&self) -> Result<Option<Vec<Value>>, Fault> {
        Ok(Some(alive(&self.0)?.names().into_iter().map(Value::Str).collect()))
    }

    fn len(&self) -> Option<usize> {
        self.0.upgrade().map(|cx| cx.names().len())
    }

    fn resolve(&self) -> Result<Value, Fault> {
        let cx = alive(&self.0)?;
        let mut dict = Dict::new();
        for name in cx.names() {
            if let Some(value) = cx.get(&name)? {
                dict.insert(Key::Str(name), super::finalize::finalize(&value)?);
            }
        }
        Ok(Value::dict(dict))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
