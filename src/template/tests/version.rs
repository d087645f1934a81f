//! The order of versions: loose, strict, semantic, PEP 440.

use std::cmp::Ordering;

use crate::template::Env;
use crate::template::arguments::{Arguments, signature};
use crate::template::coerce::{given, to_text};
use crate::value::{Fault, Value, repr};

/// `version`, `version_compare`.
///
/// # Errors
/// Something that is no version, an unknown operator or kind.
pub fn version(input: Value, args: Arguments, _: &dyn Env) -> Result<bool, Fault> {
    let [other, operator, strict, kind] = args.bind(signature("version_compare", 1, 1), ["version", "operator", "strict", "version_type"])?;
    let (strict, kind) = (given(strict), given(kind));
    if strict.is_some() && kind.is_some() {
        return Err(Fault::error("Cannot specify both 'strict' and 'version_type'"));
    }
    let other = other.unwrap_or(Value::Null);
    if !input.is_true() {
        return Err(Fault::error("Input version value cannot be empty"));
    }
    if !other.is_true() {
        return Err(Fault::error("Version parameter to compare against cannot be empty"));
    }
    let kind = match (strict.is_some_and(|strict| strict.is_true()), kind) {
        (true, _) => "strict".into(),
        (_, Some(kind)) => to_text(&kind)?,
        _ => "loose".into(),
    };
    if !matches!(&*kind, "loose" | "strict" | "semver" | "semantic" | "pep440") {
        return Err(Fault::error(format!("Invalid version type ({kind}). Must be one of 'loose', 'strict', 'semver', 'semantic', 'pep440'")));
    }
    let operator = operator.map_or(Ok("eq".into()), |operator| to_text(&operator))?;
    let fits: fn(Ordering) -> bool = match &*operator {
        "==" | "=" | "eq" => Ordering::is_eq,
        "<" | "lt" => Ordering::is_lt,
        "<=" | "le" => Ordering::is_le,
        ">" | "gt" => Ordering::is_gt,
        ">=" | "ge" => Ordering::is_ge,
        "!=" | "<>" | "ne" => Ordering::is_ne,
        other => {
            return Err(Fault::error(format!(
                "Invalid operator type ({other}). Must be one of '==', '=', 'eq', '<', 'lt', '<=', 'le', '>', 'gt', '>=', 'ge', '!=', '<>', 'ne'"
            )));
        }
    };
    let (a, b) = (to_text(&input)?, to_text(&other)?);
    order(&a, &b, &kind).map(fits).map_err(|message| Fault::error(format!("Version comparison failed: {message}")))
}

/// The order of two versions of one kind.
///
/// # Errors
/// One is no version of that kind, or they cannot be compared.
pub fn order(a: &str, b: &str, kind: &str) -> Result<Ordering, String> {
    match kind {
        "strict" => Ok(strict(a)?.cmp(&strict(b)?)),
        "semver" | "semantic" => Ok(Semantic::parse(a)?.cmp(&Semantic::parse(b)?)),
        "pep440" => Ok(super::pep440::parse(a)?.cmp(&super::pep440::parse(b)?)),
        _ => loose_order(&loose(a), &loose(b)),
    }
}

/// A part of a loose version.
#[derive(Debug, PartialEq)]
enum Part {
    Number(u128),
    Text(String),
}

/// Runs of digits, runs of lower-case letters, and what stands between; dots separate.
fn loose(text: &str) -> Vec<Part> {
    let kind = |c: char| match c {
        c if c.is_numeric() => 0,
        'a'..='z' => 1,
        '.' => 2,
        _ => 3,
    };
    let mut runs: Vec<(u8, String)> = Vec::new();
    for c in text.chars() {
        match runs.last_mut() {
            Some((have, run)) if *have == kind(c) && *have != 2 => run.push(c),
            _ => runs.push((kind(c), c.to_string())),
        }
    }
    let part = |(kind, run): (u8, String)| match (kind, run.parse()) {
        (2, _) => None,
        (0, Ok(number)) => Some(Part::Number(number)),
        _ => Some(Part::Text(run)),
    };
    runs.into_iter().filter_map(part).collect()
}

fn loose_order(a: &[Part], b: &[Part]) -> Result<Ordering, String> {
    for (x, y) in a.iter().zip(b) {
        let order = match (x, y) {
            (Part::Number(x), Part::Number(y)) => x.cmp(y),
            (Part::Text(x), Part::Text(y)) => x.cmp(y),
            (Part::Number(_), Part::Text(_)) => return Err("'<' not supported between instances of 'int' and 'str'".into()),
            (Part::Text(_), Part::Number(_)) => return Err("'<' not supported between instances of 'str' and 'int'".into()),
        };
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(a.len().cmp(&b.len()))
}

/// `major.minor[.patch][{a,b}n]`; a release comes after its pre-releases.
fn strict(text: &str) -> Result<([u64; 3], (char, u64)), String> {
    let wrong = || format!("invalid version number '{text}'");
    let at = text.find(['a', 'b']).unwrap_or(text.len());
    let (numbers, pre) = text.split_at(at);
    let number = |digits: &str| if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse::<u64>().map_err(|_| wrong()) } else { Err(wrong()) };
    let numbers = numbers.split('.').map(number).collect::<Result<Vec<_>, _>>()?;
    let core = match numbers.as_slice() {
        [major, minor] => [*major, *minor, 0],
        [major, minor, patch] => [*major, *minor, *patch],
        _ => return Err(wrong()),
    };
    let pre = match pre.chars().next() {
        None => ('z', 0),
        Some(letter) => (letter, number(&pre[1..])?),
    };
    Ok((core, pre))
}

/// A semantic version; build data has no part in the order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Semantic {
    core: [u64; 3],
    /// A release comes after its pre-releases.
    release: bool,
    pre: Vec<Identifier>,
}

/// Numbers come before text.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Text(String),
}

impl Semantic {
    fn parse(text: &str) -> Result<Semantic, String> {
        let wrong = || format!("invalid semantic version {}", repr(&text.into()));
        let (version, build) = text.split_once('+').map_or((text, None), |(version, build)| (version, Some(build)));
        let (core, pre) = version.split_once('-').map_or((version, None), |(core, pre)| (core, Some(pre)));
        let number = |digits: &str| {
            let good = digits == "0" || (!digits.starts_with('0') && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
            if good { digits.parse::<u64>().ok() } else { None }
        };
        let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let numbers = core.split('.').map(number).collect::<Option<Vec<_>>>().ok_or_else(wrong)?;
        let core = <[u64; 3]>::try_from(numbers).map_err(|_| wrong())?;
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let identifier = |part: &str| match number(part) {
            Some(number) => Some(Identifier::Number(number)),
            None => (word(part) && !all_digits(part)).then(|| Identifier::Text(part.to_string())),
        };
        let parts = pre.map_or(Some(Vec::new()), |pre| pre.split('.').map(identifier).collect()).ok_or_else(wrong)?;
        if build.is_some_and(|build| !build.split('.').all(word)) {
            return Err(wrong());
        }
        Ok(Semantic { core, release: pre.is_none(), pre: parts })
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn versions_have_their_kinds_order() {
        for (a, b, kind, expected) in [
            ("1.10", "1.9", "loose", Ordering::Greater),
            ("2.4.1", "2.4", "loose", Ordering::Greater),
            ("v1.2.3", "v1.2.10", "loose", Ordering::Less),
            ("1.0a1", "1.0", "strict", Ordering::Less),
            ("1.0", "1.0.0", "strict", Ordering::Equal),
            ("1.0.0-rc.1", "1.0.0-rc.beta", "semver", Ordering::Less),
            ("1.0.0+a", "1.0.0+b", "semver", Ordering::Equal),
            ("1.0.0-alpha", "1.0.0", "semver", Ordering::Less),
            ("1.0.dev1", "1.0a1", "pep440", Ordering::Less),
            ("1.0.post1", "1.0", "pep440", Ordering::Greater),
        ] {
            assert_eq!(order(a, b, kind), Ok(expected), "{a} {b} {kind}");
        }
        assert_eq!(order("1", "1.0", "strict").unwrap_err(), "invalid version number '1'");
        assert_eq!(order("1.a", "1.0", "loose").unwrap_err(), "'<' not supported between instances of 'str' and 'int'");
        assert!(order("1.0", "1.0.0", "semver").is_err());
    }
}
