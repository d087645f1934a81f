//! The rules of `normalise.json`: what is dropped, masked and shown before two runs are compared.
//! `record.py` applies the same rules in the same way.

use std::collections::HashSet;
use std::path::Path;

use fancy_regex::Regex;
use serde_json::{Map, Value};

/// What of a run is not compared, because it is different each time or belongs to the machine.
pub struct Rules {
    drop: HashSet<String>,
    drop_if: Vec<(String, Regex)>,
    replace: Vec<(Regex, String)>,
    /// The lines of the default output that are compared.
    pub lines: Vec<Regex>,
    /// Messages in ansible-core's own words: only their sense is compared.
    pub own_words: Vec<Regex>,
}

fn regex(pattern: &Value) -> Regex {
    Regex::new(pattern.as_str().expect("a pattern is text")).expect("a pattern is valid")
}

fn patterns(all: &Value) -> Vec<Regex> {
    all.as_array().expect("a list of patterns").iter().map(regex).collect()
}

impl Rules {
    /// Reads them beside the cases.
    pub fn load(root: &Path) -> Rules {
        let text = std::fs::read_to_string(root.join("normalise.json")).expect("normalise.json is there");
        let all: Value = serde_json::from_str(&text).expect("normalise.json is JSON");
        let names = all["drop"].as_array().expect("drop is a list");
        let conditional = all["drop_if_matches"].as_object().expect("drop_if_matches is a map");
        let replace = all["replace"].as_array().expect("replace is a list");
        Rules {
            drop: names.iter().filter_map(|n| n.as_str().map(str::to_owned)).collect(),
            drop_if: conditional.iter().map(|(key, p)| (key.clone(), regex(p))).collect(),
            replace: replace.iter().map(|pair| (regex(&pair[0]), pair[1].as_str().unwrap_or("").to_owned())).collect(),
            lines: patterns(&all["lines"]),
            own_words: patterns(&all["own_words"]),
        }
    }

    /// Whether this key with this text is left out.
    pub fn drops(&self, key: &str, text: Option<&str>) -> bool {
        let volatile = |(name, pattern): &(String, Regex)| name == key && text.is_some_and(|text| pattern.is_match(text).unwrap_or(false));
        self.drop.contains(key) || key.starts_with("_ansible") || self.drop_if.iter().any(volatile)
    }

    /// The same value without what is not compared, at every depth.
    pub fn clean(&self, value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|item| self.clean(item)).collect(),
            Value::Object(map) => Value::Object(self.clean_map(map)),
            other => other.clone(),
        }
    }

    /// The same for a map.
    pub fn clean_map(&self, map: &Map<String, Value>) -> Map<String, Value> {
        let text = |key: &str| map.get(key).and_then(Value::as_str);
        let directory = text("state") == Some("directory") || map.get("isdir") == Some(&Value::Bool(true));
        map.iter()
            .filter(|(key, value)| !self.drops(key, value.as_str()) && !(*key == "size" && directory))
            .map(|(key, value)| (key.clone(), self.clean(value)))
            .collect()
    }

    /// Replaces what the patterns find.
    pub fn mask(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (pattern, name) in &self.replace {
            text = pattern.replace_all(&text, name.as_str()).into_owned();
        }
        text
    }
}
