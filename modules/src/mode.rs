//! Permission bits: octal as numbers or text, and chmod's symbolic form.

use serde_json::Value;

/// What the `mode` argument asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// Exactly these bits.
    Bits(u32),
    /// Clauses such as `u=rw,g+X`, already checked.
    Symbolic(String),
}

/// Reads a `mode` argument.
///
/// # Errors
/// Neither octal nor symbolic.
pub fn parse(value: &Value) -> Result<Mode, String> {
    let wrong = |details: String| format!("mode must be in octal or symbolic form: {details}");
    match value {
        Value::Number(number) => {
            let bits = number.as_u64().ok_or_else(|| wrong(format!("{number} is no file mode")))?;
            bits_in_range(bits).ok_or_else(|| format!("mode value {number} is out of range; quote octal modes"))
        }
        Value::String(text) => {
            let text = text.trim();
            let octal = text.strip_prefix("0o").unwrap_or(text);
            if let Some(mode) = u64::from_str_radix(octal, 8).ok().and_then(bits_in_range) {
                return Ok(mode);
            }
            symbolic(text, 0, false, 0).map_err(wrong)?;
            Ok(Mode::Symbolic(text.to_owned()))
        }
        other => Err(wrong(format!("{other} is no file mode"))),
    }
}

fn bits_in_range(bits: u64) -> Option<Mode> {
    u32::try_from(bits).ok().filter(|bits| *bits <= 0o7777).map(Mode::Bits)
}

impl Mode {
    /// The bits wanted where the bits are `now`.
    pub fn resolve(&self, now: u32, is_dir: bool, umask: u32) -> u32 {
        match self {
            Mode::Bits(bits) => *bits,
            Mode::Symbolic(text) => symbolic(text, now, is_dir, umask).unwrap_or(now),
        }
    }
}

fn symbolic(text: &str, now: u32, is_dir: bool, umask: u32) -> Result<u32, String> {
    let mut bits = now;
    for clause in text.split(',') {
        let start = clause.find(['+', '-', '=']).ok_or_else(|| format!("bad symbolic permission for mode: {clause}"))?;
        let (users, mut rest) = clause.split_at(start);
        if let Some(bad) = users.chars().find(|c| !"ugoa".contains(*c)) {
            return Err(format!("bad symbolic permission for mode: {bad}"));
        }
        while let Some(operator) = rest.chars().next() {
            let end = rest[1..].find(['+', '-', '=']).map_or(rest.len(), |at| at + 1);
            let permissions = &rest[1..end];
            if let Some(bad) = permissions.chars().find(|c| !"rwxXstugo".contains(*c)) {
                return Err(format!("bad symbolic permission for mode: {bad}"));
            }
            bits = apply(bits, users, operator, permissions, is_dir, umask);
            rest = &rest[end..];
        }
    }
    Ok(bits)
}

fn apply(bits: u32, users: &str, operator: char, permissions: &str, is_dir: bool, umask: u32) -> u32 {
    let everyone = users.is_empty() || users.contains('a');
    let has = |user: char| everyone || users.contains(user);
    let mut out = bits;
    for (user, shift, special) in [('u', 6, 0o4000), ('g', 3, 0o2000), ('o', 0, 0o1000)] {
        if !has(user) {
            continue;
        }
        let mut wanted = 0;
        for permission in permissions.chars() {
            wanted |= match permission {
                'r' => 4 << shift,
                'w' => 2 << shift,
                'x' => 1 << shift,
                'X' if is_dir || bits & 0o111 != 0 => 1 << shift,
                's' if user != 'o' => special,
                't' if user == 'o' => special,
                'u' => (bits >> 6 & 7) << shift,
                'g' => (bits >> 3 & 7) << shift,
                'o' => (bits & 7) << shift,
                _ => 0,
            };
        }
        if users.is_empty() {
            wanted &= !umask;
        }
        out = match operator {
            '+' => out | wanted,
            '-' => out & !wanted,
            _ => out & !(7 << shift | special) | wanted,
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn resolve(text: &str, now: u32) -> u32 {
        parse(&json!(text)).unwrap().resolve(now, false, 0o022)
    }

    #[test]
    fn octal_and_symbolic() {
        assert_eq!(parse(&json!(0o644)), Ok(Mode::Bits(0o644)));
        assert_eq!(resolve("0644", 0), 0o644);
        assert_eq!(resolve("1777", 0), 0o1777);
        assert_eq!(resolve("u=rwx,g=rx,o=", 0o666), 0o750);
        assert_eq!(resolve("a+X", 0o644), 0o644);
        assert_eq!(resolve("a+X", 0o744), 0o755);
        assert_eq!(resolve("+x", 0o644), 0o755);
        assert_eq!(resolve("u+s,g=u", 0o700), 0o4770);
        assert_eq!(resolve("o+t,g-w+x", 0o770), 0o1750);
        assert_eq!(parse(&json!("X+")).unwrap_err(), "mode must be in octal or symbolic form: bad symbolic permission for mode: X");
        assert!(parse(&json!("999")).is_err());
    }
}
