//! Names of hosts in inventories and patterns: ports, and ranges such as `web[01:20:2]`.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The name and the port of `name:22`, `[name]:22` or `name`; `None` when it is no address.
///
/// The name may hold ranges, as inventories do.
pub fn parse_address(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = split_port(text);
    let port = port.map(str::parse).transpose().ok()?;
    (is_ipv4(host) || is_ipv6(host) || is_hostname(host)).then_some((host, port))
}

fn split_port(text: &str) -> (&str, Option<&str>) {
    let Some((host, port)) = text.rsplit_once(':').filter(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())) else {
        return (text, None);
    };
    match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(inner) if !inner.is_empty() => (inner, Some(port)),
        _ if outside_brackets(host).is_some_and(|outside| !outside.contains(':')) => (host, Some(port)),
        _ => (text, None),
    }
}

/// The text with every `[...]` taken out; `None` when brackets do not match.
fn outside_brackets(text: &str) -> Option<String> {
    replace_ranges(text, "", |_| true)
}

/// The text with every range replaced; `None` when one is not `valid` or brackets do not match.
fn replace_ranges(text: &str, with: &str, valid: impl Fn(&str) -> bool) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        let (inside, after) = after.split_once(']')?;
        if !valid(inside) || before.contains(']') {
            return None;
        }
        out.push_str(before);
        out.push_str(with);
        rest = after;
    }
    (!rest.contains(']')).then(|| out + rest)
}

fn range_of(text: &str, bound: impl Fn(&str) -> bool) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    matches!(parts.len(), 2 | 3) && parts[..2].iter().all(|part| bound(part)) && parts.get(2).is_none_or(|step| number(step))
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_ipv4(text: &str) -> bool {
    let plain = replace_ranges(text, "0", |range| range_of(range, digits));
    plain.is_some_and(|plain| {
        let parts: Vec<_> = plain.split('.').collect();
        let unpadded: Vec<_> =
            parts.iter().map(|p| if p.len() <= 3 { p.trim_start_matches('0') } else { p }).map(|p| if p.is_empty() { "0" } else { p }).collect();
        parts.iter().all(|p| digits(p)) && unpadded.join(".").parse::<Ipv4Addr>().is_ok()
    })
}

fn is_ipv6(text: &str) -> bool {
    let hexadecimal = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_hexdigit());
    replace_ranges(text, "0", |range| range_of(range, hexadecimal)).is_some_and(|plain| plain.parse::<Ipv6Addr>().is_ok())
}

fn is_hostname(text: &str) -> bool {
    let letter = |part: &str| part.len() == 1 && part.bytes().all(|b| b.is_ascii_alphabetic());
    let alphanumeric = |range: &str| range_of(range, digits) || range_of(range, letter);
    replace_ranges(text, "0", alphanumeric).is_some_and(|plain| plain.split('.').all(is_label))
}

fn is_label(label: &str) -> bool {
    label.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
        && label.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        && !label.ends_with(['-', '_'])
}

/// The names that a host line stands for, and its port.
///
/// # Errors
/// A range is wrong.
pub fn expand(pattern: &str) -> Result<(Vec<String>, Option<u16>), String> {
    let (name, port) = parse_address(pattern).unwrap_or((pattern, None));
    let names = if name.contains('[') { expand_ranges(name)? } else { vec![name.to_string()] };
    Ok((names, port))
}

fn expand_ranges(name: &str) -> Result<Vec<String>, String> {
    let Some((head, rest)) = name.split_once('[') else { return Ok(vec![name.to_string()]) };
    let (range, tail) = rest.split_once(']').ok_or_else(|| format!("the range in '{name}' is not closed by ']'"))?;
    let tails = expand_ranges(tail)?;
    let steps = sequence(range)?;
    Ok(steps.iter().flat_map(|step| tails.iter().map(move |tail| format!("{head}{step}{tail}"))).collect())
}

fn sequence(range: &str) -> Result<Vec<String>, String> {
    let parts: Vec<&str> = range.split(':').collect();
    let (begin, end, step) = match parts[..] {
        [begin, end] => (begin, end, "1"),
        [begin, end, step] => (begin, end, step),
        _ => return Err("host range must be begin:end or begin:end:step".into()),
    };
    let begin = if begin.is_empty() { "0" } else { begin };
    if end.is_empty() {
        return Err("host range must specify end value".into());
    }
    let padded = begin.starts_with('0') && begin.len() > 1;
    if padded && begin.len() != end.len() {
        return Err("host range must specify equal-length begin and end formats".into());
    }
    let wrong = |_| format!("host range [{range}] must be made of numbers or of single letters");
    let step: usize = step.parse().ok().filter(|step| *step > 0).ok_or_else(|| format!("the step of the host range [{range}] must be a positive number"))?;
    if let (Some(first), Some(last)) = (letter_number(begin), letter_number(end)) {
        if first > last {
            return Err("host range must have begin <= end".into());
        }
        return Ok((first..=last).step_by(step).map(|n| char::from(LETTERS[n]).to_string()).collect());
    }
    let (first, last): (u64, u64) = (begin.parse().map_err(wrong)?, end.parse().map_err(wrong)?);
    let width = if padded { begin.len() } else { 0 };
    Ok((first..=last).step_by(step).map(|n| format!("{n:0width$}")).collect())
}

const LETTERS: &[u8; 52] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn letter_number(text: &str) -> Option<usize> {
    let [letter] = text.as_bytes() else { return None };
    LETTERS.iter().position(|l| l == letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        // recorded from ansible-core 2.19.14: parse_address(text, allow_ranges=True)
        for (text, expected) in [
            ("web", Some(("web", None))),
            ("web:22", Some(("web", Some(22)))),
            ("10.0.0.1:2222", Some(("10.0.0.1", Some(2222)))),
            ("[fe80::1]:22", Some(("fe80::1", Some(22)))),
            ("fe80::1", Some(("fe80::1", None))),
            ("::1", Some(("::1", None))),
            ("web[01:20:2].x", Some(("web[01:20:2].x", None))),
            ("web[a:c]:22", Some(("web[a:c]", Some(22)))),
            ("a_b-c", Some(("a_b-c", None))),
            ("web-", None),
            ("web:db", None),
            ("a b", None),
            ("web[0]", None),
            ("host:", None),
        ] {
            assert_eq!(parse_address(text), expected, "{text}");
        }
    }

    #[test]
    fn ranges() {
        for (pattern, expected) in [
            ("web[1:3]", "web1 web2 web3"),
            ("web[01:10:3]-[a:b]", "web01-a web01-b web04-a web04-b web07-a web07-b web10-a web10-b"),
            ("[:2]x", "0x 1x 2x"),
            ("h[08:11]", "h08 h09 h10 h11"),
            ("web[3:1]", ""),
        ] {
            assert_eq!(expand(pattern).unwrap().0.join(" "), expected, "{pattern}");
        }
        for (pattern, expected) in [
            ("a[1]", "host range must be begin:end or begin:end:step"),
            ("a[1:]", "host range must specify end value"),
            ("a[01:100]", "host range must specify equal-length begin and end formats"),
            ("a[c:a]", "host range must have begin <= end"),
            ("a[1:3", "the range in 'a[1:3' is not closed by ']'"),
            ("a[1:3:0]", "the step of the host range [1:3:0] must be a positive number"),
        ] {
            assert_eq!(expand(pattern).unwrap_err(), expected);
        }
    }
}
