//! `k8s_taint`: marks on nodes that keep pods away.

use serde_json::{Value, json};

use super::api::Api;
use super::connection::{CONNECTION, joined};
use super::node;
use crate::args::Args;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::spec::{Arg, Kind, Preset, Spec};

/// The module.
pub struct K8sTaint;

const OWN: &[Arg] = &[
    Arg::str("state", "Whether the node shall have the taints.").choices(&["present", "absent"]).default(Preset::Str("present")),
    Arg::str("name", "Name of the node.").required(),
    Arg::list("taints", Kind::Dict, "The taints.").required().options(&[
        Arg::str("key", "Key of the taint.").required(),
        Arg::str("value", "Value of the taint."),
        Arg::str("effect", "What it does to pods that do not tolerate it; without it, all of the key are removed.").choices(&[
            "NoSchedule",
            "NoExecute",
            "PreferNoSchedule",
        ]),
    ]),
    Arg::flag("replace", false, "Take away all other taints."),
];
const ARGS: [Arg; OWN.len() + CONNECTION.len()] = joined(OWN, CONNECTION);

impl Module for K8sTaint {
    const SPEC: Spec = Spec::new("k8s_taint", "Puts taints on nodes and takes them off.", &ARGS);

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let present = args.text("state") == "present";
        let wanted: Vec<Value> = args.list("taints").iter().map(given).collect();
        if let Some(taint) = wanted.iter().find(|taint| present && taint.get("effect").is_none()) {
            return Err(format!("taint {} needs an effect", taint["key"]).into());
        }
        let api = Api::new(args, cx)?;
        let name = args.text("name");
        for attempt in 0.. {
            let node = node::find(name, &api, cx)?;
            let now = node.pointer("/spec/taints").and_then(Value::as_array).cloned().unwrap_or_default();
            let then = if present { with(&now, &wanted, args.flag("replace")) } else { without(&now, &wanted) };
            if then == now {
                return Ok(Outcome::new(false).with("result", node));
            }
            match node::patch(&node, json!({"taints": then}), &api) {
                // a controller was faster
                Err(trouble) if trouble.status() == 409 && attempt < 5 => {}
                Err(trouble) => return Err(trouble.failure("Failed to patch node", cx.check())),
                Ok(after) => {
                    node::record(&node, &after, &api, cx)?;
                    return Ok(cx.outcome().with("result", after));
                }
            }
        }
        Err("the node is altered by others all the time".into())
    }
}

/// A taint without arguments that are not given.
fn given(taint: &Value) -> Value {
    let map = taint.as_object().into_iter().flatten();
    map.filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn alike(taint: &Value, wanted: &Value) -> bool {
    taint["key"] == wanted["key"] && wanted.get("effect").is_none_or(|effect| taint.get("effect") == Some(effect))
}

/// The taints with those wanted, each in the place of the one of its key and effect.
fn with(now: &[Value], wanted: &[Value], replace: bool) -> Vec<Value> {
    let kept = now.iter().filter_map(|taint| match wanted.iter().find(|wanted| alike(taint, wanted)) {
        // the server keeps the time with a taint
        Some(wanted) if wanted.get("value").is_none_or(Value::is_null) && taint.get("value").is_none() || wanted.get("value") == taint.get("value") => {
            Some(taint.clone())
        }
        Some(wanted) => Some(wanted.clone()),
        None => (!replace).then(|| taint.clone()),
    });
    let mut all: Vec<Value> = kept.collect();
    all.extend(wanted.iter().filter(|wanted| !now.iter().any(|taint| alike(taint, wanted))).cloned());
    all
}

fn without(now: &[Value], unwanted: &[Value]) -> Vec<Value> {
    now.iter().filter(|taint| !unwanted.iter().any(|unwanted| alike(taint, unwanted))).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taints_are_known_by_key_and_effect() {
        let (a, b) = (json!({"key": "a", "effect": "NoSchedule", "timeAdded": "t"}), json!({"key": "b", "effect": "NoExecute", "value": "1"}));
        let now = [a.clone(), b.clone()];
        assert_eq!(with(&now, &[json!({"key": "a", "effect": "NoSchedule"})], false), now);
        assert_eq!(with(&now, &[json!({"key": "b", "effect": "NoExecute", "value": "2"})], true), [json!({"key": "b", "effect": "NoExecute", "value": "2"})]);
        assert_eq!(with(&now, &[json!({"key": "a", "effect": "NoExecute"})], false).len(), 3);
        assert_eq!(without(&now, &[json!({"key": "a"})]), [b]);
        assert_eq!(without(&now, &[json!({"key": "b", "effect": "NoSchedule"})]), now);
    }
}
