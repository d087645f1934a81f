//! What the recorded cases cannot show: places, chains, what is rendered how often, unknown values, warnings.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Condition, Context, FileOptions, Scope, Templated, Variable, evaluate, render_file};
use crate::diagnostic::Diagnostic;
use crate::source::Source;
use crate::value::{Fault, FaultKind, Value, repr};
use crate::yaml;

/// Variables from YAML; those whose names begin with `data_` are data.
#[derive(Debug)]
struct Variables {
    node: yaml::Node,
    compiled: Vec<Templated>,
    asked: AtomicUsize,
}

impl Scope<Templated> for Variables {
    fn variable(&self, name: &str) -> Option<Variable<Templated>> {
        match name {
            "unknown" => return Some(Variable::Value(Value::Unknown("a command did not run".into()))),
            "holder" => return Some(Variable::Value([("x".into(), Value::Unknown("no facts".into()))].into_iter().collect())),
            _ => {}
        }
        let at = self.node.as_map()?.iter().position(|pair| pair.key.as_str() == Some(name))?;
        self.asked.fetch_add(1, Ordering::Relaxed);
        let pair = &self.node.as_map()?[at];
        if name.starts_with("data_") {
            return Some(Variable::Value(pair.value.to_value()));
        }
        Some(Variable::Template(self.compiled[at].clone(), Some(pair.key.span.clone())))
    }

    fn names(&self) -> Vec<Arc<str>> {
        self.node.as_map().unwrap().iter().filter_map(|pair| pair.key.as_str().map(Arc::from)).collect()
    }

    fn search_path(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    fn decrypt(&self, vaulted: &str) -> Result<String, String> {
        Ok(vaulted.trim().replace("SECRET", "{{ who }}"))
    }

    fn check_mode(&self) -> bool {
        true
    }

    fn environment(&self, _: &str) -> Option<String> {
        None
    }

    fn setting(&self, _: &str) -> Option<(Value, String)> {
        None
    }
}

fn variables(text: &str) -> Arc<Variables> {
    let source = Source::new("vars.yml", text);
    let node = yaml::load(&source, &yaml::Options::default()).unwrap().node;
    let compiled = node.as_map().unwrap().iter().map(|pair| Templated::compile(&pair.value)).collect();
    Arc::new(Variables { node, compiled, asked: AtomicUsize::new(0) })
}

fn over(text: &str) -> Arc<Context> {
    Context::new(variables(text))
}

fn rendered(template: &str, cx: &Arc<Context>) -> Result<Value, Fault> {
    let source = Source::new("task.yml", format!("msg: {template}\n"));
    let node = yaml::load(&source, &yaml::Options::default()).unwrap().node;
    Templated::compile(node.get("msg").unwrap()).render(cx)
}

fn shown(template: &str, cx: &Arc<Context>) -> String {
    rendered(template, cx).map_or_else(|fault| format!("{:?}: {}", fault.kind, fault.message), |value| repr(&value))
}

fn judged(condition: &str, cx: &Arc<Context>) -> (Result<bool, Fault>, Vec<Diagnostic>) {
    let source = Source::new("task.yml", format!("when: {condition}\n"));
    let node = yaml::load(&source, &yaml::Options::default()).unwrap().node;
    let mut warnings = Vec::new();
    let result = Condition::compile(node.get("when").unwrap()).eval(cx, &mut |warning| warnings.push(warning));
    (result, warnings)
}

#[test]
fn an_error_points_at_the_part_that_fails_and_tells_the_way_to_it() {
    let cx = over("a: \"x {{ b }}\"\nb: |\n  text\n    {{ one + missing.x }}\none: 1\n");
    let fault = rendered("'{{ a }}'", &cx).unwrap_err();
    assert_eq!(fault.message, "'missing' is undefined");
    assert_eq!(fault.span.as_ref().unwrap().to_string(), "vars.yml:4:14");
    assert_eq!(fault.span.as_ref().unwrap().text(), "missing.x");
    let trail: Vec<String> = fault.trail.iter().map(|(name, span)| format!("{name} {}", span.as_ref().unwrap())).collect();
    assert_eq!(trail, ["b vars.yml:2:1", "a vars.yml:1:1"]);

    let fault = rendered("\"{{ 'it' ~ 1 // 0 }}\"", &cx).unwrap_err();
    assert_eq!(fault.span.unwrap().text(), "1 // 0");
    let fault = rendered("'{{ 1 + }}'", &cx).unwrap_err();
    assert_eq!(fault.span.unwrap().to_string(), "task.yml:1:14");
}

#[test]
fn a_cycle_names_its_chain() {
    let cx = over("a: '{{ b }}'\nb: {c: '{{ d }}', e: 1}\nd: '{{ b.c }}'\n");
    let fault = rendered("'{{ a.c }}'", &cx).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Error);
    assert_eq!(fault.message, "Recursive loop detected in template: b.c -> d -> b.c");
    assert_eq!(fault.span.unwrap().to_string(), "vars.yml:2:8");
    assert_eq!(shown("'{{ b.e }}'", &cx), "1");
    // nothing stays behind
    assert_eq!(shown("'{{ a.e }}'", &cx), "1");
}

#[test]
fn nesting_is_bounded_before_the_stack_is() {
    let mut text = String::new();
    for i in 0..150 {
        text.push_str(&format!("v{i}: \"{{{{ v{} | default('x') ~ '' }}}}\"\n", i + 1));
    }
    let cx = over(&text);
    assert!(shown("'{{ v90 }}'", &cx).starts_with('\''));
    let cx = over(&text);
    assert!(shown("'{{ v0 }}'", &cx).contains("nested more than 100 deep"));
}

#[test]
fn a_variable_is_rendered_once_for_all_items_unless_it_depends_on_the_item() {
    let variables = variables(
        "url: 'http://{{ host }}'\nhost: h{{ port }}\nport: 80\nper: '{{ url }}/{{ item }}'\nlate: '{{ item | default(1) }}'\nd: {x: '{{ item }}'}\nwith_d: '{{ d.x }}'\nsame: '{{ [d] }}'\n",
    );
    let cx = Context::new(variables.clone());
    for i in 0..3i64 {
        let item = cx.with(vec![("item".into(), i.into())]);
        assert_eq!(shown("'{{ per }} {{ late }} {{ with_d }} {{ same[0].x }}'", &item), format!("'http://h80/{i} {i} {i} {i}'"));
    }
    assert_eq!(shown("'{{ late }}'", &cx), "1");
    let asked = variables.asked.load(Ordering::Relaxed);
    let item = cx.with(vec![("item".into(), Value::Int(9))]);
    assert_eq!(shown("'{{ url }}'", &item), "'http://h80'");
    assert_eq!(variables.asked.load(Ordering::Relaxed), asked, "url was rendered again");
}

#[test]
fn what_is_unknown_makes_the_whole_unknown() {
    let cx = over("lazy: '{{ unknown }}'\nlist: ['{{ unknown }}', 1]\n");
    for template in [
        "{{ unknown }}",
        "x{{ unknown.stdout }}",
        "{{ unknown | default(1) }}",
        "{{ unknown is defined }}",
        "{{ unknown + 1 }}",
        "{{ [unknown] }}",
        "{{ lazy }}",
        "{{ list }}",
        "{{ holder.x }}",
        "{{ holder }}",
        "{{ true and unknown }}",
        "{{ missing | default(unknown) }}",
    ] {
        assert_eq!(rendered(&format!("'{template}'"), &cx).unwrap_err().kind, FaultKind::Unknown, "{template}");
    }
    for (template, value) in
        [("{{ false and unknown }}", "False"), ("{{ true or unknown }}", "True"), ("{{ 1 if true else unknown }}", "1"), ("{{ list[1] }}", "1")]
    {
        assert_eq!(shown(&format!("'{template}'"), &cx), value);
    }
    assert_eq!(judged("unknown.rc == 0", &cx).0.unwrap_err().kind, FaultKind::Unknown);
}

#[test]
fn only_author_s_text_is_rendered() {
    let cx = over("data_evil: '{{ who }}'\nwho: me\nsafe: '{{ data_evil }}'\nvault: !vault SECRET\nunsafe: !unsafe '{{ who }}'\n");
    assert_eq!(shown("'{{ data_evil }} {{ safe }} {{ unsafe }}'", &cx), "'{{ who }} {{ who }} {{ who }}'");
    assert_eq!(shown("'{{ vault }}'", &cx), "'me'");
    assert_eq!(shown("'{{ vars.who }} {{ vars.nobody is defined }}'", &cx), "'me False'");
    let data = cx.with(vec![("item".into(), "{{ who }}".into())]);
    assert_eq!(shown("'{{ item }}'", &data), "'{{ who }}'");
    assert_eq!(judged("data_evil", &cx).0, Ok(true));
}

#[test]
fn conditions_that_2_18_accepted_are_accepted_with_a_warning() {
    let cx = over("n: 1\nname: x\nexpr: n == 2\nyes_text: 'true'\ndata_text: n == 2\nempty: ''\nt: '{{ n == 1 }}'\n");
    for (condition, truth, warned) in [
        ("n == 1", true, false),
        ("true", true, false),
        ("'yes'", true, false),
        ("", true, true),
        ("n", true, true),
        ("name", true, true),
        ("expr", false, true),
        ("yes_text", true, true),
        ("data_text", true, true),
        ("empty", false, true),
        ("t", true, false),
        ("'{{ t }}'", true, true),
        ("'{{ expr }}'", false, true),
        ("'{{ n }} == 2'", false, true),
        ("'{{ n }} == {{ n }}'", true, true),
        ("\"'{{ name }}' == 'x'\"", true, true),
        ("[]", true, true),
        ("0", false, true),
    ] {
        let (result, warnings) = judged(condition, &cx);
        // a name that is no variable: `x` as an expression
        if condition == "name" {
            assert_eq!(result.unwrap_err().message, "'x' is undefined");
            continue;
        }
        assert_eq!(result, Ok(truth), "{condition}");
        assert_eq!(!warnings.is_empty(), warned, "{condition}: {warnings:?}");
    }
    let (result, _) = judged("missing.x == 1", &cx);
    assert_eq!(result.unwrap_err().span.unwrap().text(), "missing.x");
}

#[test]
fn containers_stay_lazy_until_they_are_read() {
    let cx = over("d: {good: '{{ one }}', bad: '{{ missing }}', ugly: '{{ 1 // 0 }}', omitted: '{{ omit }}'}\none: 1\n");
    let lazy = cx.get("d").unwrap().unwrap();
    let Value::Object(object) = &lazy else { panic!("{lazy:?}") };
    assert_eq!(object.len(), Some(4));
    assert_eq!(object.get(&"good".into()).unwrap(), Some(Value::Int(1)));
    assert!(matches!(object.get(&"bad".into()), Ok(Some(Value::Undefined(_)))));
    assert_eq!(object.get(&"ugly".into()).unwrap_err().message, "integer division or modulo by zero");
    assert_eq!(object.resolve().unwrap_err().message, "'missing' is undefined");
    assert_eq!(object.resolve().unwrap_err().trail[0].0, "d.bad");
    drop(cx);
    assert!(object.get(&"omitted".into()).unwrap_err().message.contains("end of its task"));
}

#[test]
fn syntax_errors_are_known_before_the_run() {
    let source = Source::new("task.yml", "a: ['{{ x', {b: '{{ y | nosuch }}'}, fine]\n");
    let node = yaml::load(&source, &yaml::Options::default()).unwrap().node;
    let complaints = Templated::compile(node.get("a").unwrap()).syntax_errors();
    let said: Vec<String> = complaints.iter().map(|c| format!("{} {}", c.span.as_ref().unwrap(), c.message)).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("task.yml:1:") && said[0].contains("Syntax error in template"), "{said:?}");
    assert_eq!(said[1], "task.yml:1:25 no filter named 'nosuch'");
    assert_eq!(complaints[1].span.as_ref().unwrap().text(), "nosuch");
}

#[test]
fn templates_in_files_find_their_place() {
    let cx = over("one: 1\n");
    let source = Source::new("x.j2", "#jinja2: lstrip_blocks: True\n  {% if one %}\nline {{ missing }}\n{% endif %}\n");
    let fault = render_file(&source, &cx, &FileOptions::default()).unwrap_err();
    assert_eq!(fault.span.unwrap().to_string(), "x.j2:3:9");
    let options = FileOptions { newline_sequence: "\r\n", vars: [("extra".into(), "e".into())].into_iter().collect(), ..FileOptions::default() };
    let source = Source::new("x.j2", "{{ extra }}\n{% set a = 1 %}\nb\n");
    assert_eq!(render_file(&source, &cx, &options).unwrap(), "e\r\nb\r\n");
    assert_eq!(evaluate("one + 1", &cx), Ok(Value::Int(2)));
}
