//! String literals as Jinja reads them: Python's escapes, or none at all inside `{{ }}` outside template files.

/// The value of one or more string literals side by side; `raw` is their text with quotes, `escapes` whether backslashes mean something.
pub(super) fn value(raw: &str, escapes: bool) -> String {
    let mut out = String::new();
    let mut rest = raw.trim_start();
    while let Some(quote) = rest.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        let body = &rest[1..];
        let end = closing(body, quote);
        if escapes {
            unescape(&body[..end], &mut out);
        } else {
            out.push_str(&body[..end]);
        }
        rest = body.get(end + 1..).unwrap_or("").trim_start();
    }
    if out.contains('\r') { out.replace("\r\n", "\n").replace('\r', "\n") } else { out }
}

fn closing(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (i, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return i,
            _ => {}
        }
    }
    body.len()
}

fn unescape(body: &str, out: &mut String) {
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let Some(c) = chars.next() else { return out.push('\\') };
        match c {
            '\n' => {}
            '\\' | '\'' | '"' => out.push(c),
            'a' => out.push('\u{7}'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\u{b}'),
            'x' => coded(&mut chars, c, 2, out),
            'u' => coded(&mut chars, c, 4, out),
            'U' => coded(&mut chars, c, 8, out),
            '0'..='7' => octal(&mut chars, c, out),
            other => {
                out.push('\\');
                out.push(other);
            }
        }
    }
}

/// `\xhh`, `\uhhhh`, `\Uhhhhhhhh`; what is no character stays as it was written.
fn coded(chars: &mut std::str::Chars<'_>, letter: char, digits: usize, out: &mut String) {
    let rest = chars.as_str();
    let code = rest.get(..digits).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit())).and_then(|d| u32::from_str_radix(d, 16).ok());
    match code.and_then(char::from_u32) {
        Some(c) => {
            out.push(c);
            *chars = rest[digits..].chars();
        }
        None => {
            out.push('\\');
            out.push(letter);
        }
    }
}

fn octal(chars: &mut std::str::Chars<'_>, first: char, out: &mut String) {
    let mut code = first.to_digit(8).unwrap_or(0);
    for _ in 0..2 {
        let Some(digit) = chars.as_str().chars().next().and_then(|c| c.to_digit(8)) else { break };
        code = code * 8 + digit;
        chars.next();
    }
    out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn escapes_are_python_s_or_none() {
        assert_eq!(value(r#"'a\nb\x41\u00e9\d\101'"#, true), "a\nbAé\\dA");
        assert_eq!(value(r#"'a\n\'b'"#, false), r"a\n\'b");
        assert_eq!(value(r#"'a' "b""#, true), "ab");
    }
}
