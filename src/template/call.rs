//! Calls: functions, methods, macros, `loop(...)`, `super()`.

use std::sync::Arc;

use super::evaluate::Evaluator;
use super::lazy::settle;
use super::objects::{Builtin, Home, Loop, MacroValue, Module, at_home};
use super::output::Output;
use super::tree::{At, Call, Expr, ExprKind, Macro};
use super::{Arguments, active, attribute, functions, lookup, methods, mutate, operators};
use crate::value::{Dict, Fault, Key, Value};

/// Macros inside macros, at most.
const CALL_DEPTH: usize = 60;

impl Evaluator<'_> {
    pub(super) fn call(&mut self, call: &Call, at: At) -> Result<Value, Fault> {
        match &call.callee.kind {
            ExprKind::Var(name) if self.bound(name).is_none() => match &**name {
                "super" if self.block.is_some() => self.super_block(at),
                "lookup" => lookup::call(self, &call.args, false, at),
                "query" | "q" => lookup::call(self, &call.args, true, at),
                _ => {
                    let callee = self.expr(&call.callee)?;
                    self.call_with(&callee, call, at)
                }
            },
            ExprKind::Attr(of, method) => self.method(of, method, call, at),
            _ => {
                let callee = self.expr(&call.callee)?;
                self.call_with(&callee, call, at)
            }
        }
    }

    fn call_with(&mut self, callee: &Value, call: &Call, at: At) -> Result<Value, Fault> {
        if matches!(callee, Value::Undefined(_)) {
            return Ok(callee.clone());
        }
        let is_macro = matches!(callee, Value::Object(object) if object.as_any().is::<MacroValue>());
        let args = if is_macro {
            self.any_arguments(&call.args)?
        } else {
            match self.arguments(&call.args)? {
                Ok(args) => args,
                Err(undefined) => return Ok(undefined),
            }
        };
        let result = self.call_value(callee, args);
        self.outcome(result, at)
    }

    fn method(&mut self, of: &Expr, method: &str, call: &Call, at: At) -> Result<Value, Fault> {
        if let ExprKind::Var(name) = &of.kind
            && &**name == "self"
            && self.bound("self").is_none()
        {
            return self.block_text(method, 0).map_err(|fault| self.place(fault, at));
        }
        let changed = self.mutate(of, method, call).map_err(|fault| self.place(fault, at))?;
        if let Some(result) = changed {
            return Ok(result);
        }
        let target = self.expr(of)?;
        if matches!(target, Value::Undefined(_)) {
            return Ok(target);
        }
        let target = self.used(target, of.at)?;
        if let Value::Object(object) = &target
            && let Some(callee) = object.get(&Value::from(method))?
            && is_callable(&callee)
        {
            return self.call_with(&callee, call, at);
        }
        let args = match self.arguments(&call.args)? {
            Ok(args) => args,
            Err(undefined) => return Ok(undefined),
        };
        let result = self.method_of(target, method, args);
        self.outcome(result, at)
    }

    /// A method of a value: text, list, dictionary, number.
    fn method_of(&mut self, target: Value, method: &str, args: Arguments) -> Result<Value, Fault> {
        if let (Value::Object(object), "get") = (&target, method)
            && matches!(object.type_name(), "dict" | "HostVars" | "HostVarsVars")
        {
            let mut given = args.positional.into_iter();
            let key = given.next().ok_or_else(|| Fault::error("get expected at least 1 argument, got 0"))?;
            let found = object.get(&key)?;
            let default = given.next().or_else(|| args.named.into_iter().find(|(name, _)| name == "default").map(|(_, value)| value));
            return Ok(found.unwrap_or_else(|| default.unwrap_or(Value::Null)));
        }
        let mut target = plain(settle(target)?)?;
        if let Some(value) = methods::call_method(&target, method, args.clone(), &self.env())? {
            return Ok(value);
        }
        // a value that nothing else holds may change; only the result of the call is seen
        if let Some(value) = mutate::apply(&mut target, method, args.clone())? {
            return Ok(value);
        }
        let callee = attribute::attribute(&target, method)?;
        match callee {
            Value::Undefined(_) => Ok(callee),
            callee => self.call_value(&callee, args),
        }
    }

    /// Calls a value.
    ///
    /// # Errors
    /// It cannot be called, or fails.
    pub(super) fn call_value(&mut self, callee: &Value, args: Arguments) -> Result<Value, Fault> {
        let not_callable = || Fault::error(format!("'{}' object is not callable", callee.type_name()));
        let Value::Object(object) = callee else { return Err(not_callable()) };
        let any = object.as_any();
        if let Some(callable) = any.downcast_ref::<MacroValue>() {
            return self.call_macro(callable, args, None);
        }
        if let Some(builtin) = any.downcast_ref::<Builtin>() {
            return functions::call(self, builtin, args);
        }
        if let Some(each) = any.downcast_ref::<Loop>() {
            return self.recurse(each, args);
        }
        Err(not_callable())
    }

    fn recurse(&mut self, each: &Loop, args: Arguments) -> Result<Value, Fault> {
        let Some((each_loop, unit)) = &each.recursion else {
            return Err(Fault::error("The loop must have the 'recursive' marker to be called recursively."));
        };
        let items = args.positional.first().ok_or_else(|| Fault::error("loop() needs what it loops over"))?;
        let items = operators::iterate(items)?;
        let mut out = Output::new(unit.newline);
        self.deeper(|this| {
            let outer = std::mem::replace(&mut this.unit, unit.clone());
            let result = this.for_items(each_loop, items, each.depth0 + 1, &mut out);
            this.unit = outer;
            result
        })?;
        out.native(self.cx)
    }

    /// Runs something one call deeper.
    pub(super) fn deeper<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth >= CALL_DEPTH {
            return Err(Fault::error(format!("macros, loops and templates are nested more than {CALL_DEPTH} deep")));
        }
        self.depth += 1;
        let result = stacker::maybe_grow(active::RED_ZONE, active::MORE_STACK, || run(self));
        self.depth -= 1;
        result
    }

    /// Calls a macro; `caller` is the body of a call block.
    pub(super) fn call_macro(&mut self, callable: &MacroValue, args: Arguments, caller: Option<Value>) -> Result<Value, Fault> {
        let declared = callable.declared.clone();
        match &callable.home {
            Home::Frames(unit, around) => {
                let hidden = self.frames.split_off((*around).min(self.frames.len()));
                let outer = std::mem::replace(&mut self.unit, unit.clone());
                let result = self.deeper(|this| this.macro_body(&declared, args, caller));
                self.unit = outer;
                self.frames.truncate(*around);
                self.frames.extend(hidden);
                result
            }
            Home::Module(module) => {
                let names = module.names.iter().map(|(name, value)| (name.clone(), at_home(value, module))).collect();
                let mut inner = Evaluator::new(self.cx, module.unit.clone());
                inner.frames.push(names);
                inner.isolated = module.isolated;
                inner.depth = self.depth;
                inner.deeper(|this| this.macro_body(&declared, args, caller))
            }
        }
    }

    fn macro_body(&mut self, declared: &Macro, args: Arguments, caller: Option<Value>) -> Result<Value, Fault> {
        let frame = self.macro_frame(declared, args, caller)?;
        self.frames.push(frame);
        let result = self.defaults(declared).and_then(|()| {
            let mut out = Output::new(self.unit.newline);
            self.body(&declared.body, &mut out)?;
            out.native(self.cx)
        });
        self.frames.pop();
        result
    }

    fn macro_frame(&mut self, declared: &Macro, args: Arguments, caller: Option<Value>) -> Result<Vec<(Arc<str>, Value)>, Fault> {
        let mut frame: Vec<(Arc<str>, Value)> = Vec::with_capacity(declared.params.len() + 3);
        let mut positional = args.positional.into_iter();
        for (name, value) in declared.params.iter().zip(&mut positional) {
            frame.push((name.clone(), value));
        }
        let varargs: Vec<Value> = positional.collect();
        let mut kwargs = Dict::new();
        let mut caller = caller;
        for (name, value) in args.named {
            match declared.params.iter().find(|param| ***param == *name) {
                Some(param) if frame.iter().any(|(taken, _)| taken == param) => {
                    let text = format!("macro '{}' got multiple values for argument '{name}'", declared.name);
                    return Err(Fault::error(text));
                }
                Some(param) => frame.push((param.clone(), value)),
                None if name == "caller" => caller = Some(value),
                None => drop(kwargs.insert(Key::from(name), value)),
            }
        }
        if !varargs.is_empty() && !declared.reads_varargs {
            let (name, count) = (&declared.name, declared.params.len());
            return Err(Fault::error(format!("macro '{name}' takes not more than {count} argument(s)")));
        }
        if let (Some((name, _)), false) = (kwargs.first(), declared.reads_kwargs) {
            let text = format!("macro '{}' takes no keyword argument '{}'", declared.name, name.to_value());
            return Err(Fault::error(text));
        }
        if declared.reads_varargs {
            frame.push(("varargs".into(), Value::Tuple(Arc::new(varargs))));
        }
        if declared.reads_kwargs {
            frame.push(("kwargs".into(), Value::dict(kwargs)));
        }
        if declared.reads_caller {
            let none = || Value::Undefined("No caller defined".into());
            frame.push(("caller".into(), caller.unwrap_or_else(none)));
        }
        Ok(frame)
    }

    /// Gives parameters that no argument was given for their defaults, in the frame of the call.
    fn defaults(&mut self, declared: &Macro) -> Result<(), Fault> {
        let first_default = declared.params.len() - declared.defaults.len();
        for (i, name) in declared.params.iter().enumerate() {
            if self.frames.last().is_some_and(|frame| frame.iter().any(|(given, _)| given == name)) {
                continue;
            }
            let value = match i.checked_sub(first_default).and_then(|i| declared.defaults.get(i)) {
                Some(default) => self.expr(default)?,
                None => Value::Undefined(format!("parameter '{name}' was not provided").into()),
            };
            if let Some(frame) = self.frames.last_mut() {
                frame.push((name.clone(), value));
            }
        }
        Ok(())
    }
}

fn is_callable(value: &Value) -> bool {
    match value {
        Value::Object(object) => {
            let any = object.as_any();
            any.is::<MacroValue>() || any.is::<Builtin>() || any.is::<Loop>()
        }
        _ => false,
    }
}

/// A dictionary-like object of the layer of variables as a dictionary of its elements, each still lazy; other values as they are.
fn plain(value: Value) -> Result<Value, Fault> {
    let Value::Object(object) = &value else { return Ok(value) };
    if object.as_any().is::<Module>() || !matches!(object.type_name(), "dict" | "HostVars" | "HostVarsVars") {
        return Ok(value);
    }
    let Some(keys) = object.iterate()? else { return Ok(value) };
    let mut dict = Dict::with_capacity(keys.len());
    for key in keys {
        if let Some(element) = object.get(&key)? {
            dict.insert(Key::new(&key)?, element);
        }
    }
    Ok(Value::dict(dict))
}
