//! Running one call over this machine, or over check mode's view of it.

use std::io::{self, Write};

use rplay_modules::context::{Controller, Settings};
use rplay_modules::control::Control;
use rplay_modules::execute::execute_on;
use rplay_modules::system::{Overlay, Real};
use rplay_modules::wire::Call;
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
pub fn run(module: &str, args: Value, check: bool) -> Value {
    let call: Call = serde_json::from_value(json!({"module": module, "args": args, "check": check, "diff": true})).unwrap();
    let env = vec![("PATH".into(), std::env::var("PATH").unwrap_or_default()), ("HOME".into(), "/nonexistent".into())];
    let settings = Settings { check, diff: true, live: false, env, umask: 0o022 };
    let reply = if check {
        execute_on(&call, &mut Overlay::new(Real, (1, 0), 0o022), &mut Nobody, settings, &Control::default())
    } else {
        execute_on(&call, &mut Real, &mut Nobody, settings, &Control::default())
    };
    Value::Object(reply.result)
}
