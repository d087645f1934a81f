//! Arguments of filters, tests, functions and methods, and how they are bound to parameters with Python's words for what does not fit.

use crate::value::{Fault, Value};

/// Positional and named arguments of one call.
#[derive(Debug, Clone, Default)]
pub struct Arguments {
    /// Positional ones, in order (without the filter's input).
    pub positional: Vec<Value>,
    /// Named ones, in order.
    pub named: Vec<(String, Value)>,
}

/// What Python knows about a function when it binds arguments to it.
#[derive(Debug, Clone, Copy)]
pub struct Signature {
    /// Python's name of the function, for messages.
    pub function: &'static str,
    /// Positional parameters before ours: the input, the environment.
    pub before: usize,
    /// How many of our parameters have no default.
    pub required: usize,
}

/// A signature: Python's name of the function, how many parameters come before ours (the input, the environment), how many are required.
pub const fn signature(function: &'static str, before: usize, required: usize) -> Signature {
    Signature { function, before, required }
}

impl Arguments {
    /// Only positional arguments.
    pub fn of(positional: Vec<Value>) -> Arguments {
        Arguments { positional, named: Vec::new() }
    }

    /// Binds to parameters as Python does; what was not given is `None`.
    ///
    /// # Errors
    /// Python's `TypeError`: too many, missing, unexpected or doubled arguments.
    pub fn bind<const N: usize>(self, signature: Signature, names: [&str; N]) -> Result<[Option<Value>; N], Fault> {
        let Signature { function, before, required } = signature;
        if self.positional.len() > N {
            return Err(too_many(function, before + required, before + N, before + self.positional.len()));
        }
        let mut bound: [Option<Value>; N] = std::array::from_fn(|_| None);
        for (slot, value) in bound.iter_mut().zip(self.positional) {
            *slot = Some(value);
        }
        for (name, value) in self.named {
            let Some(index) = names.iter().position(|known| *known == name) else {
                return Err(Fault::error(format!("{function}() got an unexpected keyword argument '{name}'")));
            };
            if bound[index].replace(value).is_some() {
                return Err(Fault::error(format!("{function}() got multiple values for argument '{name}'")));
            }
        }
        let missing: Vec<&str> = (0..required).filter(|i| bound[*i].is_none()).map(|i| names[i]).collect();
        if missing.is_empty() { Ok(bound) } else { Err(missing_arguments(function, &missing)) }
    }

    /// For functions that take no arguments besides their input.
    ///
    /// # Errors
    /// Python's `TypeError` when there are some.
    pub fn none(self, function: &'static str) -> Result<(), Fault> {
        self.bind::<0>(signature(function, 1, 0), []).map(|_| ())
    }

    /// As [`Arguments::none`], for methods, whose names are not static and whose receiver is not counted.
    ///
    /// # Errors
    /// Python's `TypeError` when there are some.
    pub fn none_named(self, method: &str) -> Result<(), Fault> {
        let given = self.positional.len() + self.named.len();
        if given == 0 { Ok(()) } else { Err(Fault::error(format!("{method}() takes no arguments ({given} given)"))) }
    }

    /// Takes a named argument out.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        let index = self.named.iter().position(|(have, _)| have == name)?;
        Some(self.named.remove(index).1)
    }
}

fn too_many(function: &str, least: usize, most: usize, given: usize) -> Fault {
    let takes = if least == most { most.to_string() } else { format!("from {least} to {most}") };
    let noun = if most == 1 && least == most { "argument" } else { "arguments" };
    let were = if given == 1 { "was" } else { "were" };
    Fault::error(format!("{function}() takes {takes} positional {noun} but {given} {were} given"))
}

fn missing_arguments(function: &str, missing: &[&str]) -> Fault {
    let quoted: Vec<String> = missing.iter().map(|name| format!("'{name}'")).collect();
    let list = match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [first @ .., last] => format!("{}, and {last}", first.join(", ")),
    };
    let noun = if missing.len() == 1 { "argument" } else { "arguments" };
    Fault::error(format!("{function}() missing {} required positional {noun}: {list}", missing.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Arguments {
        Arguments { positional: vec![Value::Int(1)], named: vec![(name.into(), Value::Int(2))] }
    }

    #[test]
    fn binds_as_python_does() {
        let [a, b] = named("b").bind(signature("f", 1, 0), ["a", "b"]).unwrap();
        assert_eq!((a, b), (Some(Value::Int(1)), Some(Value::Int(2))));
    }

    #[test]
    fn says_what_python_says() {
        let message = |args: Arguments, required| args.bind(signature("f", 1, required), ["a", "b"]).unwrap_err().message;
        assert_eq!(message(named("a"), 0), "f() got multiple values for argument 'a'");
        assert_eq!(message(named("x"), 0), "f() got an unexpected keyword argument 'x'");
        assert_eq!(message(Arguments::default(), 2), "f() missing 2 required positional arguments: 'a' and 'b'");
        let three = Arguments::of(vec![Value::Null, Value::Null, Value::Null]);
        assert_eq!(message(three.clone(), 0), "f() takes from 1 to 3 positional arguments but 4 were given");
        assert_eq!(three.none("f").unwrap_err().message, "f() takes 1 positional argument but 4 were given");
    }
}
