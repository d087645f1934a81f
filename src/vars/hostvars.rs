//! `hostvars`: other hosts' variables, each looked up when it is asked for.

use std::any::Any;
use std::sync::Arc;

use super::{TaskScope, World};
use crate::template::Context;
use crate::value::{Dict, Fault, Key, Object, Value};

/// The magic variable `hostvars`.
#[derive(Debug)]
pub struct HostVars {
    world: Arc<World>,
}

impl HostVars {
    /// The hosts of this world. As in Ansible, variables of the running play and task are not part of it.
    pub fn new(world: &Arc<World>) -> HostVars {
        let mut world = World::clone(world);
        world.play = None;
        HostVars { world: Arc::new(world) }
    }
}

impl Object for HostVars {
    fn type_name(&self) -> &'static str {
        "dict"
    }

    fn get(&self, key: &Value) -> Result<Option<Value>, Fault> {
        let Some(name) = key.as_str() else { return Ok(None) };
        let Some(host) = self.world.inventory.host(name) else { return Ok(None) };
        self.world.read_variables(&host.name).map_err(|error| Fault::error(error.message))?;
        Ok(Some(Value::Object(Arc::new(OneHost::new(&self.world, &host.name)))))
    }

    fn iterate(&self) -> Result<Option<Vec<Value>>, Fault> {
        Ok(Some(self.world.inventory.hosts().map(|host| Value::Str(host.name.clone())).collect()))
    }

    fn len(&self) -> Option<usize> {
        Some(self.world.inventory.hosts().count())
    }

    fn resolve(&self) -> Result<Value, Fault> {
        let hosts = self.world.inventory.hosts();
        let all = hosts.map(|host| Ok((Key::Str(host.name.clone()), OneHost::new(&self.world, &host.name).resolve()?)));
        Ok(Value::dict(all.collect::<Result<Dict, Fault>>()?))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `hostvars[host]`.
#[derive(Debug)]
struct OneHost {
    context: Arc<Context>,
}

impl OneHost {
    fn new(world: &Arc<World>, host: &Arc<str>) -> OneHost {
        OneHost { context: Context::new(TaskScope::new(world, host, None, world.run.check)) }
    }
}

impl Object for OneHost {
    fn type_name(&self) -> &'static str {
        "dict"
    }

    fn get(&self, key: &Value) -> Result<Option<Value>, Fault> {
        key.as_str().map_or(Ok(None), |name| self.context.get(name)?.map(|value| value.resolve()).transpose())
    }

    fn iterate(&self) -> Result<Option<Vec<Value>>, Fault> {
        Ok(Some(self.context.scope().names().into_iter().map(Value::Str).collect()))
    }

    fn len(&self) -> Option<usize> {
        Some(self.context.scope().names().len())
    }

    fn resolve(&self) -> Result<Value, Fault> {
        let mut all = Dict::new();
        for name in self.context.scope().names() {
            if name.as_ref() == "hostvars" || name.as_ref() == "vars" {
                continue;
            }
            if let Some(value) = self.context.get(&name)? {
                all.insert(Key::Str(name), value.resolve()?);
            }
        }
        Ok(Value::dict(all))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
