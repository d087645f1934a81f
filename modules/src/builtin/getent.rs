//! `getent`: entries of the name service's databases as facts.

use serde_json::{Map, Value, json};

use crate::args::Args;
use crate::change::Change;
use crate::context::Context;
use crate::list::Module;
use crate::outcome::{Failure, Outcome};
use crate::program::Program;
use crate::spec::{Arg, Spec};

/// The module.
pub struct Getent;

impl Module for Getent {
    const SPEC: Spec = Spec::new(
        "getent",
        "Looks up entries of passwd, group, hosts and the like, as the fact `getent_DATABASE`.",
        &[
            Arg::str("database", "The database.").required(),
            Arg::str("key", "The entry; all of them without it."),
            Arg::str("service", "Ask only this service."),
            Arg::str("split", "What separates fields; `:` for passwd, shadow, group and gshadow, else blanks."),
            Arg::flag("fail_key", true, "Fail where there is no such entry."),
        ],
    );

    fn run(args: &Args, cx: &mut Context<'_>) -> Result<Outcome, Failure> {
        let (database, key) = (args.text("database"), args.str("key"));
        let mut program = Program::new([cx.require_program("getent")?]).arg(database).args(key);
        if let Some(service) = args.str("service") {
            program = program.args(["-s", service]);
        }
        let split = args.str("split").or_else(|| ["passwd", "shadow", "group", "gshadow"].contains(&database).then_some(":"));
        let name = format!("getent_{database}");
        let facts = |tree: Map<String, Value>| Outcome::new(false).with("ansible_facts", json!({&name: tree}));
        if let Some((key, record)) = key.and_then(|key| Some((key, predicted(cx, database, key)?))) {
            return Ok(facts(Map::from_iter([(key.to_owned(), record)])));
        }
        let run = cx.probe(&program)?;
        let missing = "One or more supplied key could not be found in the database.";
        match run.rc {
            0 => Ok(facts(tree(&run.out(), split))),
            1 => Err("Missing arguments, or database unknown.".into()),
            2 if !args.flag("fail_key") => Ok(facts(key.map(|key| (key.to_owned(), Value::Null)).into_iter().collect()).msg(missing)),
            2 => Err(missing.into()),
            3 => Err("Enumeration not supported on this database.".into()),
            _ => Err("Unexpected failure!".into()),
        }
    }
}

/// An entry that an earlier task would have made, in check mode.
fn predicted(cx: &Context<'_>, database: &str, key: &str) -> Option<Value> {
    let made = cx.system().noted().iter().any(|change| match change {
        Change::User { name, present: true, .. } => database == "passwd" && name == key,
        Change::Group { name, present: true, .. } => database == "group" && name == key,
        _ => false,
    });
    match database {
        "passwd" if made => cx.user(key).map(|user| json!(["x", user.uid.to_string(), user.gid.to_string(), user.gecos, user.home, user.shell])),
        "group" if made => cx.group(key).map(|group| json!(["x", group.gid.to_string(), group.members.join(",")])),
        _ => None,
    }
}

/// Lines by their first field; a field that comes again makes a list of entries.
fn tree(text: &str, split: Option<&str>) -> Map<String, Value> {
    let mut tree: Map<String, Value> = Map::new();
    let mut again: Vec<String> = vec![];
    for line in text.lines() {
        let fields: Vec<&str> = match split {
            Some(split) => line.split(split).collect(),
            None => line.split_whitespace().collect(),
        };
        let Some((key, rest)) = fields.split_first() else { continue };
        let rest = json!(rest);
        match tree.get_mut(*key) {
            None => drop(tree.insert((*key).to_owned(), rest)),
            Some(Value::Array(list)) if again.iter().any(|have| have == key) => list.push(rest),
            Some(old) => {
                *old = json!([old.take(), rest]);
                again.push((*key).to_owned());
            }
        }
    }
    tree
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_come_again_become_lists() {
        let tree = tree("10.0.0.1 a b\n10.0.0.1 c\n10.0.0.1 d\nother x\n", None);
        assert_eq!(Value::Object(tree), json!({"10.0.0.1": [["a", "b"], ["c"], ["d"]], "other": ["x"]}));
        assert_eq!(Value::Object(super::tree("root:x:0:\n", Some(":"))), json!({"root": ["x", "0", ""]}));
    }
}
