//! Tags: YAML's own, Ansible's `!unsafe`, `!vault` and `!vault-encrypted`; any other is an error.

use base64::Engine as _;

use super::Options;
use super::mapping::{self, Entry, Role};
use super::node::{Kind, Node, Style};
use super::resolve::{self, Type};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::Value;

const YAML: &str = "tag:yaml.org,2002:";

/// A list or dictionary whose tag is not yet considered.
pub(super) enum Container {
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A tag that nothing is known about.
pub(super) fn no_constructor(tag: &str, span: &Span) -> Diagnostic {
    let shown = tag.strip_prefix(YAML).map_or_else(|| tag.to_string(), |name| format!("!!{name}"));
    match shown.as_str() {
        "!!value" => Diagnostic::error("a plain `=` has no value in YAML 1.1").at(span).help("did you forget quotes? write \"=\""),
        "!!merge" => Diagnostic::error("`<<` is only allowed as a key").at(span).help("did you forget quotes? write \"<<\""),
        _ => Diagnostic::error(format!("could not determine a constructor for the tag `{shown}`"))
            .at(span)
            .did_you_mean(&shown, ["!unsafe", "!vault", "!!str", "!!int", "!!float", "!!bool", "!!binary", "!!set", "!!omap"]),
    }
}

/// A scalar with a tag.
pub(super) fn scalar(tag: &str, value: String, style: Style, span: &Span, options: &Options, in_unsafe: bool) -> Result<Kind, Diagnostic> {
    let text = |value: String| if in_unsafe { Kind::Unsafe(value.into()) } else { Kind::Text(value.into(), style) };
    let failed = |message: String| Diagnostic::error(message).at(span);
    if options.ansible_tags && matches!(tag, "!unsafe" | "!vault" | "!vault-encrypted") {
        let kind = resolve::resolve(&value);
        if tag == "!unsafe" {
            return match kind {
                Type::Str => Ok(Kind::Unsafe(value.into())),
                kind => resolve::construct(kind, &value).map(Kind::Scalar).map_err(failed),
            };
        }
        return match kind {
            Type::Str => Ok(Kind::Vault(value.into())),
            _ => Err(failed(format!("the `{tag}` tag requires a string value"))),
        };
    }
    let made = match tag.strip_prefix(YAML) {
        Some("str" | "python/unicode") => return Ok(text(value)),
        Some("null") => Ok(Value::Null),
        Some("bool") => resolve::to_bool(&value),
        Some("int") => resolve::to_int(&value),
        Some("float") => resolve::to_float(&value),
        Some("timestamp") => resolve::to_timestamp(&value),
        Some("binary") => binary(&value),
        Some("seq" | "omap" | "pairs") => Err("expected a sequence, but found a scalar".into()),
        Some("map" | "set" | "python/dict") => Err("expected a mapping, but found a scalar".into()),
        _ => return Err(no_constructor(tag, span)),
    };
    made.map(Kind::Scalar).map_err(failed)
}

/// As Python decodes base64: other characters are skipped, the first padding ends it.
fn binary(text: &str) -> Result<Value, String> {
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::RequireNone).with_decode_allow_trailing_bits(true);
    let digits: String = text.chars().take_while(|c| *c != '=').filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/')).collect();
    let padding = text.chars().filter(|c| *c == '=').count();
    let wrong = |reason: &str| format!("failed to decode base64 data: {reason}");
    if !text.is_ascii() {
        return Err(wrong("only ASCII is allowed"));
    }
    if digits.len() % 4 + padding < 4 && !digits.len().is_multiple_of(4) {
        return Err(wrong("incorrect padding"));
    }
    let bytes = GeneralPurpose::new(&base64::alphabet::STANDARD, lenient).decode(digits).map_err(|error| wrong(&error.to_string()))?;
    Ok(Value::Bytes(bytes.into()))
}

/// A list or dictionary, with its tag considered.
pub(super) fn container(
    tag: Option<&str>,
    content: Container,
    span: Span,
    options: &Options,
    warnings: &mut Vec<Diagnostic>,
    merged: &mut usize,
) -> Result<Node, Diagnostic> {
    let wanted = match tag {
        None | Some("!") => None,
        Some("!unsafe") if options.ansible_tags => None,
        Some(tag @ ("!vault" | "!vault-encrypted")) if options.ansible_tags => {
            return Err(Diagnostic::error(format!("the `{tag}` tag requires a string value")).at(&span));
        }
        Some(tag) => match tag.strip_prefix(YAML) {
            Some("python/dict") => Some("map"),
            Some("python/unicode") => Some("str"),
            Some(name @ ("seq" | "map" | "set" | "omap" | "pairs" | "str" | "int" | "float" | "bool" | "null" | "binary" | "timestamp")) => Some(name),
            _ => return Err(no_constructor(tag, &span)),
        },
    };
    let kind = match (wanted, content) {
        (None | Some("seq"), Container::List(items)) => Kind::List(items.into()),
        (None | Some("map"), Container::Map(entries)) => Kind::Map(mapping::finish(entries, options, warnings, merged)?.into()),
        (Some("set"), Container::Map(entries)) => {
            let pairs = mapping::finish(entries, options, warnings, merged)?;
            Kind::List(pairs.into_iter().map(|pair| pair.key).collect::<Vec<_>>().into())
        }
        (Some(name @ ("omap" | "pairs")), Container::List(items)) => {
            warnings.push(Diagnostic::warning(format!("the YAML tag `!!{name}` is deprecated")).at(&span).help("use a dictionary: its order is kept"));
            Kind::List(items.into_iter().map(single_pair).collect::<Result<Vec<_>, _>>()?.into())
        }
        (Some("seq" | "omap" | "pairs"), Container::Map(_)) => return Err(unexpected("a sequence", "a mapping", &span)),
        (Some("map" | "set"), Container::List(_)) => return Err(unexpected("a mapping", "a sequence", &span)),
        (Some(name), Container::Map(entries)) => {
            let default = entries.into_iter().rev().find(|entry| entry.role == Role::Default);
            match default.map(|entry| entry.value.kind) {
                Some(Kind::Text(text, style)) => scalar(&format!("{YAML}{name}"), text.to_string(), style, &span, options, false)?,
                _ => return Err(unexpected("a scalar", "a mapping", &span)),
            }
        }
        (Some(_), Container::List(_)) => return Err(unexpected("a scalar", "a sequence", &span)),
    };
    Ok(Node { kind, span })
}

fn unexpected(wanted: &str, found: &str, span: &Span) -> Diagnostic {
    Diagnostic::error(format!("expected {wanted}, but found {found}")).at(span)
}

/// An element of `!!omap` or `!!pairs`: a dictionary of one entry becomes a list of two elements.
fn single_pair(item: Node) -> Result<Node, Diagnostic> {
    match item.as_map() {
        Some([pair]) => Ok(Node { kind: Kind::List(vec![pair.key.clone(), pair.value.clone()].into()), span: item.span }),
        Some(pairs) => Err(Diagnostic::error(format!("expected a single mapping item, but found {} items", pairs.len())).at(&item.span)),
        None => Err(Diagnostic::error(format!("expected a mapping of length 1, but found {}", item.type_name())).at(&item.span)),
    }
}
