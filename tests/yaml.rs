//! The loader and the writer against what ansible-core's own made of the same texts (`tests/yaml/record.py` records it).

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rplay::source::{Source, Span};
use rplay::value::text;
use rplay::yaml::{DumpOptions, Kind, Loaded, Node, Options, dump, load, load_value};
use serde_json::{Value as Json, json};

fn cases(topic: &str) -> Vec<Json> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/yaml/expected.json");
    let recorded: Json = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    recorded["topics"][topic].as_array().unwrap().clone()
}

fn check(topic: &str, judge: impl Fn(&Json) -> Result<(), String>) {
    let cases = cases(topic);
    assert!(!cases.is_empty());
    let wrong: Vec<String> = cases.iter().filter_map(|case| judge(case).err().map(|why| format!("{}\n  {why}", case["text"]))).collect();
    assert!(wrong.is_empty(), "{} of {} differ\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// A value with its type beside it, as the recorder writes it.
fn typed(node: &Node) -> Json {
    match &node.kind {
        Kind::Text(text, _) => json!({"text": &**text}),
        Kind::Unsafe(text) => json!({"unsafe": &**text}),
        Kind::Vault(text) => json!({"vault": &**text}),
        Kind::Scalar(value) => json!({value.type_name(): text(value)}),
        Kind::List(items) => json!({"list": items.iter().map(typed).collect::<Vec<_>>()}),
        Kind::Map(pairs) => json!({"dict": pairs.iter().map(|pair| json!([typed(&pair.key), typed(&pair.value)])).collect::<Vec<_>>()}),
    }
}

fn read(case: &Json) -> (Arc<Source>, Result<Loaded, rplay::diagnostic::Diagnostic>) {
    let source = Source::new("x.yml", case["text"].as_str().unwrap());
    let loaded = load(&source, &Options::default());
    (source, loaded)
}

fn same_value(case: &Json) -> Result<(), String> {
    let (source, loaded) = read(case);
    match (loaded, case.get("value")) {
        (Ok(loaded), Some(value)) if typed(&loaded.node) == *value => same_warnings(case, &loaded),
        (Ok(loaded), Some(value)) => Err(format!("wanted {value}\n  got    {}", typed(&loaded.node))),
        (Ok(loaded), None) => Err(format!("must be refused, got {}", typed(&loaded.node))),
        (Err(error), Some(_)) => Err(format!("must load, got {error}")),
        (Err(error), None) => same_place(&source, &case["error"], &error),
    }
}

/// Keys that are no text have no place for Ansible; deprecated tags are its warnings of another kind.
fn same_warnings(case: &Json, loaded: &Loaded) -> Result<(), String> {
    let got: Vec<_> = loaded.warnings.iter().filter(|warning| warning.message.contains("twice")).collect();
    let wanted = case["warnings"].as_array().unwrap();
    let same = got.len() == wanted.len() && got.iter().zip(wanted).all(|(got, wanted)| wanted.is_null() || *wanted == place(got.span.as_ref()));
    if same { Ok(()) } else { Err(format!("wanted warnings at {wanted:?}, got {got:?}")) }
}

fn place(span: Option<&Span>) -> Json {
    span.map_or(Json::Null, |span| json!([span.position().line, span.position().column]))
}

/// Some errors have no place for Ansible. Past the end is the end here, and an open quote is shown where it was opened.
fn same_place(source: &Arc<Source>, wanted: &Json, error: &rplay::diagnostic::Diagnostic) -> Result<(), String> {
    let Some(span) = &error.span else { return Err(format!("no place: {error}")) };
    let number = |index: usize| wanted[index].as_u64().map(|n| usize::try_from(n).unwrap());
    let (Some(line), Some(column)) = (number(0), number(1)) else { return Ok(()) };
    let offset = if line > source.line_count() { source.text.len() } else { source.offset(line, column) };
    let open_quote = error.message.contains("unexpected end of stream");
    let other_breaks = source.text.contains(['\u{85}', '\u{2028}']);
    // Ansible shows the inner of the two braces, or the outer, depending on which it meets first.
    let braces = error.message.contains("cannot be a key") && span.start.abs_diff(offset) <= 1;
    if span.start == offset || braces || open_quote || other_breaks { Ok(()) } else { Err(format!("wanted an error at {wanted}, got {error}")) }
}

#[test]
fn plain_scalars_have_the_recorded_types() {
    check("scalars", same_value);
}

#[test]
fn hand_made_texts_have_the_recorded_values_warnings_and_errors() {
    check("hand made", same_value);
}

#[test]
fn nodes_stand_where_they_were_recorded() {
    check("places", |case| {
        same_value(case)?;
        let (_, loaded) = read(case);
        let mut got = Vec::new();
        walk(&loaded.map_err(|error| error.to_string())?.node, &mut got);
        if json!(got) == case["places"] { Ok(()) } else { Err(format!("wanted {}\n  got    {}", case["places"], json!(got))) }
    });
}

/// Where the nodes begin; of scalars also where they end.
fn walk(node: &Node, out: &mut Vec<Vec<usize>>) {
    let (start, end) = (node.span.position(), node.span.source.position(node.span.end));
    match &node.kind {
        Kind::List(items) => {
            out.push(vec![start.line, start.column]);
            items.iter().for_each(|item| walk(item, out));
        }
        Kind::Map(pairs) => {
            out.push(vec![start.line, start.column]);
            pairs.iter().for_each(|pair| [&pair.key, &pair.value].into_iter().for_each(|part| walk(part, out)));
        }
        _ => out.push(vec![start.line, start.column, end.line, end.column]),
    }
}

#[test]
fn values_are_written_as_recorded() {
    check("dump", |case| {
        let given = &case["options"];
        let number = |name: &str| given[name].as_i64().map(|n| i32::try_from(n).unwrap());
        let flag = |name: &str, otherwise: bool| given[name].as_bool().unwrap_or(otherwise);
        let options = DumpOptions {
            indent: number("indent"),
            width: number("width"),
            default_flow_style: given["default_flow_style"].as_bool(),
            sort_keys: flag("sort_keys", true),
            allow_unicode: flag("allow_unicode", true),
            explicit_start: flag("explicit_start", false),
            explicit_end: flag("explicit_end", false),
            canonical: false,
            default_style: given["default_style"].as_str().and_then(|style| style.chars().next()),
        };
        let value = load_value(case["value"].as_str().unwrap()).map_err(|error| error.to_string())?;
        let got = dump(&value, &options).map_err(|fault| fault.to_string())?;
        if case["dumped"] == got.as_str() { Ok(()) } else { Err(format!("{}\n  wanted {}\n  got    {got:?}", case["value"], case["dumped"])) }
    });
}
