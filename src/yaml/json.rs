//! JSON as Python reads it (also NaN and Infinity), as nodes with places. A file that is JSON as a whole is read as JSON, not as YAML.

use std::collections::HashMap;
use std::sync::Arc;

use super::events::MAX_DEPTH;
use super::node::{Kind, Node, Pair, Style};
use crate::source::{Source, Span};
use crate::value::Value;

/// The tree, when the whole text is JSON.
pub(super) fn read(source: &Arc<Source>, ansible_tags: bool) -> Option<Node> {
    let mut reader = Reader { source, text: &source.text, at: 0, depth: 0, ansible_tags };
    reader.blanks();
    let node = reader.value()?;
    reader.blanks();
    (reader.at == reader.text.len()).then_some(node)
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    text: &'a str,
    at: usize,
    depth: usize,
    ansible_tags: bool,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, wanted: u8) -> bool {
        let hit = self.peek() == Some(wanted);
        self.at += usize::from(hit);
        hit
    }

    fn value(&mut self) -> Option<Node> {
        let start = self.at;
        let kind = match self.peek()? {
            b'{' => self.nested(Self::object)?,
            b'[' => self.nested(Self::array)?,
            b'"' => Kind::Text(self.string()?.into(), Style::Double),
            _ => Kind::Scalar(self.word()?),
        };
        Some(Node { kind, span: Span::new(self.source, start, self.at) })
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Option<Kind>) -> Option<Kind> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        self.at += 1;
        self.blanks();
        let kind = read(self);
        self.depth -= 1;
        kind
    }

    fn array(&mut self) -> Option<Kind> {
        let mut items = Vec::new();
        if self.eat(b']') {
            return Some(Kind::List(items.into()));
        }
        loop {
            self.blanks();
            items.push(self.value()?);
            self.blanks();
            if self.eat(b']') {
                return Some(Kind::List(items.into()));
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    fn object(&mut self) -> Option<Kind> {
        let mut pairs: Vec<Pair> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        if self.eat(b'}') {
            return Some(Kind::Map(pairs.into()));
        }
        loop {
            self.blanks();
            let start = self.at;
            let name = if self.peek() == Some(b'"') { self.string()? } else { return None };
            // Python's JSON reader trusts values, but not keys.
            let key = Node { kind: Kind::Unsafe(name.as_str().into()), span: Span::new(self.source, start, self.at) };
            self.blanks();
            if !self.eat(b':') {
                return None;
            }
            self.blanks();
            let pair = Pair { key, value: self.value()? };
            match places.get(&name) {
                Some(place) => pairs[*place] = pair,
                None => {
                    places.insert(name, pairs.len());
                    pairs.push(pair);
                }
            }
            self.blanks();
            if self.eat(b'}') {
                return Some(self.special(&pairs).unwrap_or_else(|| Kind::Map(pairs.into())));
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    /// What Ansible writes for vaulted and unsafe text.
    fn special(&self, pairs: &[Pair]) -> Option<Kind> {
        let [pair] = pairs else { return None };
        let Kind::Text(text, _) = &pair.value.kind else { return None };
        match pair.key.as_str()? {
            "__ansible_unsafe" if self.ansible_tags => Some(Kind::Unsafe(text.clone())),
            "__ansible_vault" if self.ansible_tags => Some(Kind::Vault(text.clone())),
            _ => None,
        }
    }

    fn word(&mut self) -> Option<Value> {
        for (word, value) in [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("NaN", Value::Float(f64::NAN)),
            ("Infinity", Value::Float(f64::INFINITY)),
            ("-Infinity", Value::Float(f64::NEG_INFINITY)),
        ] {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Some(value);
            }
        }
        self.number()
    }

    fn number(&mut self) -> Option<Value> {
        let start = self.at;
        self.eat(b'-');
        match self.peek()? {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits(),
            _ => return None,
        }
        let mut whole = true;
        if self.peek() == Some(b'.') && self.text.as_bytes().get(self.at + 1).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
            self.digits();
            whole = false;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.text.as_bytes().get(self.at + 1), Some(b'+' | b'-')));
            if self.text.as_bytes().get(self.at + 1 + sign).is_some_and(u8::is_ascii_digit) {
                self.at += 1 + sign;
                self.digits();
                whole = false;
            }
        }
        let digits = &self.text[start..self.at];
        if whole { digits.parse().ok().map(Value::Int) } else { digits.parse().ok().map(Value::Float) }
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Option<String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let stop = self.rest().find(|c: char| c == '"' || c == '\\' || c < ' ')?;
            out.push_str(&self.text[self.at..self.at + stop]);
            self.at += stop + 1;
            match self.text.as_bytes()[self.at - 1] {
                b'"' => return Some(out),
                b'\\' => out.push(self.escape()?),
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += 1;
        Some(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex()?;
                if (0xd800..0xdc00).contains(&high) && self.rest().starts_with("\\u") {
                    self.at += 2;
                    let low = self.hex()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                    char::from_u32(0x10000 + ((high - 0xd800) << 10) + low)?
                } else {
                    char::from_u32(high)?
                }
            }
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::repr;

    fn shown(text: &str) -> Option<String> {
        read(&Source::new("x.json", text), true).map(|node| repr(&node.to_value()))
    }

    #[test]
    fn json_is_read_as_python_reads_it() {
        for (text, value) in [
            (" [1, 1e3, -0.5, NaN, -Infinity, true, null] ", "[1, 1000.0, -0.5, nan, -inf, True, None]"),
            (r#"{"a": "\u00e9\ud83d\ude00\n", "b": [], "a": 2}"#, "{'a': 2, 'b': []}"),
            (r#"{"__ansible_unsafe": "{{ x }}"}"#, "'{{ x }}'"),
            ("\"x\"", "'x'"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_left_to_yaml() {
        for text in ["", "{a: 1}", "[1,]", "{\"a\" 1}", "01", "1.", "'x'", "\"a\tb\"", "{{ x }}", "[1] # c", "\u{feff}[1]", "\"\\ud800\""] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
