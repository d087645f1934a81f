//! Running one call over this machine, or over check mode's view of it.

use std::io::{self, Write};

use rplay_modules::change::Change;
use rplay_modules::context::{Controller, Settings};
use rplay_modules::control::Control;
use rplay_modules::execute::execute_on;
use rplay_modules::system::{Overlay, Real};
use rplay_modules::wire::{Call, Reply};
use serde_json::{Value, json};

struct Nobody;

impl Controller for Nobody {
    fn blob(&mut self, _: &str, _: &mut dyn Write) -> Result<(), String> {
        Err("nobody".into())
    }
    fn output(&mut self, _: u8, _: &[u8]) {}
    fn send(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// The result of a module.
#[allow(dead_code)]
pub fn run(module: &str, args: Value, check: bool) -> Value {
    Value::Object(reply(module, args, check, &[]).result)
}

/// The whole reply of a module, in check mode after the changes that were carried along.
#[allow(dead_code)]
pub fn reply(module: &str, args: Value, check: bool, carried: &[Value]) -> Reply {
    let call: Call = serde_json::from_value(json!({"module": module, "args": args, "check": check, "diff": true})).unwrap();
    let env = vec![("PATH".into(), std::env::var("PATH").unwrap_or_default()), ("HOME".into(), "/nonexistent".into())];
    let settings = Settings { check, diff: true, live: false, env, umask: 0o022 };
    if !check {
        return execute_on(&call, &mut Real, &mut Nobody, settings, &Control::default());
    }
    let mut overlay = Overlay::new(Real, (1, 0), 0o022);
    for change in carried {
        overlay.replay(&serde_json::from_value::<Change>(change.clone()).unwrap());
    }
    execute_on(&call, &mut overlay, &mut Nobody, settings, &Control::default())
}
