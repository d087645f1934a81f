//! Versions of collections (semantic versions) and of roles (whatever people write), and ranges of them.

use std::cmp::Ordering;

/// A semantic version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    pre: Vec<String>,
    text: String,
}

impl Version {
    /// Reads `1.2.3`, `1.2.3-beta.1`, `1.2.3+build`.
    pub fn parse(text: &str) -> Option<Version> {
        let (plain, _build) = text.split_once('+').unwrap_or((text, ""));
        let (core, pre) = plain.split_once('-').map_or((plain, None), |(core, pre)| (core, Some(pre)));
        let numbers: Vec<u64> = core.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        let pre = pre.map(|pre| pre.split('.').map(str::to_string).collect()).unwrap_or_default();
        Some(Version { numbers: numbers.try_into().ok()?, pre, text: text.to_string() })
    }

    /// `1.0.0-rc1` and the like.
    pub fn is_pre(&self) -> bool {
        !self.pre.is_empty()
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> Ordering {
        let part = |a: &String, b: &String| match (a.parse::<u64>(), b.parse::<u64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => a.cmp(b),
        };
        let pre = || match (self.pre.is_empty(), other.pre.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                let first = self.pre.iter().zip(&other.pre).map(|(a, b)| part(a, b)).find(|order| order.is_ne());
                first.unwrap_or_else(|| self.pre.len().cmp(&other.pre.len()))
            }
        };
        self.numbers.cmp(&other.numbers).then_with(pre)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// True when a version is in a range such as `>=1.0.0,<2.0.0`; `*` is all, a bare version is that version. `None` for a range that is none.
pub fn within(version: &Version, range: &str) -> Option<bool> {
    let mut inside = true;
    for part in range.split(',').map(str::trim).filter(|part| !part.is_empty() && *part != "*") {
        let at = part.find(|c: char| !"<>=!".contains(c)).unwrap_or(part.len());
        let (operator, wanted) = part.split_at(at);
        if wanted.trim() == "*" {
            continue;
        }
        let order = version.cmp(&Version::parse(wanted.trim())?);
        inside &= match operator {
            "" | "=" | "==" => order.is_eq(),
            "!=" => order.is_ne(),
            ">" => order.is_gt(),
            "<" => order.is_lt(),
            ">=" => order.is_ge(),
            "<=" => order.is_le(),
            _ => return None,
        };
    }
    Some(inside)
}

/// True when a range names a pre-release.
pub fn names_pre(range: &str) -> bool {
    range.split(',').any(|part| Version::parse(part.trim().trim_start_matches(['<', '>', '=', '!'])).is_some_and(|version| version.is_pre()))
}

/// The order of versions of roles: numbers as numbers, between other text; a `v` in front does not count.
pub fn loosely(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| {
        let mut parts: Vec<(bool, u64, String)> = Vec::new();
        for c in text.trim_start_matches(['v', 'V']).chars() {
            let digit = c.is_ascii_digit();
            match parts.last_mut() {
                _ if c == '.' => parts.push((false, 0, String::new())),
                Some((number, _, text)) if text.is_empty() || *number == digit => {
                    *number = digit;
                    text.push(c);
                }
                _ => parts.push((digit, 0, c.to_string())),
            }
        }
        parts.retain(|(_, _, text)| !text.is_empty());
        parts.into_iter().map(|(number, _, text)| (number, if number { text.parse().unwrap_or(u64::MAX) } else { 0 }, text)).collect::<Vec<_>>()
    };
    let key = |parts: Vec<(bool, u64, String)>| {
        parts.into_iter().map(|(number, value, text)| if number { (1, value, String::new()) } else { (0, 0, text) }).collect::<Vec<_>>()
    };
    key(parts(a)).cmp(&key(parts(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_an_order() {
        let sorted = ["0.9.10", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0", "1.10.0", "2.0.0"];
        for pair in sorted.windows(2) {
            assert!(Version::parse(pair[0]).unwrap() < Version::parse(pair[1]).unwrap(), "{pair:?}");
        }
        assert!(Version::parse("1.0").is_none() && Version::parse("a.b.c").is_none());
        for pair in ["v1.2", "1.9", "1.10.1", "2.0"].windows(2) {
            assert_eq!(loosely(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
    }

    #[test]
    fn ranges() {
        for (version, range, expected) in [
            ("1.2.3", "*", Some(true)),
            ("1.2.3", "", Some(true)),
            ("1.2.3", "1.2.3", Some(true)),
            ("1.2.3", "==1.2.4", Some(false)),
            ("1.2.3", ">=1.0.0,<2.0.0", Some(true)),
            ("2.0.0", ">=1.0.0, <2.0.0", Some(false)),
            ("1.2.3", "!=1.2.3", Some(false)),
            ("1.2.3", "~1.2", None),
            ("1.2.3", ">=1", None),
        ] {
            assert_eq!(within(&Version::parse(version).unwrap(), range), expected, "{version} {range}");
        }
        assert!(names_pre("==1.0.0-rc1") && !names_pre(">=1.0.0"));
    }
}
