//! Python literals, as `ast.literal_eval` reads the values of INI inventories.

use std::sync::Arc;

use crate::source::Span;
use crate::value::Value;
use crate::yaml::{Kind, Node, Pair, Style};

/// What a value of an INI inventory is: a Python literal, else the text as it stands.
pub fn value(text: &str, span: &Span) -> Node {
    literal(text, span).unwrap_or_else(|| Node::text(text, span.clone()))
}

/// The literal, when the whole text is one.
fn literal(text: &str, span: &Span) -> Option<Node> {
    let mut reader = Reader { rest: text.trim_start_matches([' ', '\t']), span, nested: 0 };
    let node = reader.sequence_or_item()?;
    reader.blanks();
    reader.rest.is_empty().then_some(node)
}

struct Reader<'a> {
    rest: &'a str,
    span: &'a Span,
    nested: usize,
}

impl Reader<'_> {
    fn node(&self, kind: Kind) -> Node {
        Node { kind, span: self.span.clone() }
    }

    fn list(&self, items: Vec<Node>) -> Node {
        self.node(Kind::List(Arc::new(items)))
    }

    /// Blanks, comments and, inside brackets, line ends.
    fn blanks(&mut self) {
        loop {
            let inside = self.nested > 0;
            self.rest = self.rest.trim_start_matches(|c| matches!(c, ' ' | '\t' | '\x0c') || (inside && matches!(c, '\n' | '\r')));
            if !self.rest.starts_with('#') {
                return;
            }
            self.rest = self.rest.find('\n').map_or("", |at| &self.rest[at..]);
        }
    }

    fn eat(&mut self, token: &str) -> bool {
        self.blanks();
        let found = self.rest.strip_prefix(token);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    /// `1, 2` without brackets is a tuple too.
    fn sequence_or_item(&mut self) -> Option<Node> {
        let first = self.item()?;
        self.blanks();
        if !self.rest.starts_with(',') {
            return Some(first);
        }
        let mut items = vec![first];
        while self.eat(",") {
            self.blanks();
            if self.rest.is_empty() {
                break;
            }
            items.push(self.item()?);
        }
        Some(self.list(items))
    }

    fn item(&mut self) -> Option<Node> {
        self.blanks();
        // deeper than anybody writes, shallower than the stack
        if self.nested > 90 {
            return None;
        }
        match self.rest.chars().next()? {
            '[' => self.bracketed("[", "]"),
            '(' => self.parenthesis(),
            '{' => self.braces(),
            '-' | '+' | '0'..='9' => self.number(),
            '.' if self.rest.starts_with("...") => {
                self.rest = &self.rest[3..];
                Some(self.node(Kind::Text("...".into(), Style::Plain)))
            }
            '.' => self.number(),
            _ => self.word().or_else(|| self.strings()),
        }
    }

    fn bracketed(&mut self, open: &str, close: &str) -> Option<Node> {
        let (items, _) = self.items(open, close)?;
        Some(self.list(items))
    }

    /// The items between two brackets, and whether a comma followed the last.
    fn items(&mut self, open: &str, close: &str) -> Option<(Vec<Node>, bool)> {
        self.eat(open);
        self.nested += 1;
        let (mut items, mut comma) = (Vec::new(), false);
        while !self.eat(close) {
            if !items.is_empty() && !comma {
                return None;
            }
            items.push(self.item()?);
            comma = self.eat(",");
        }
        self.nested -= 1;
        Some((items, comma))
    }

    fn parenthesis(&mut self) -> Option<Node> {
        let (mut items, comma) = self.items("(", ")")?;
        if items.len() == 1 && !comma { items.pop() } else { Some(self.list(items)) }
    }

    /// A dictionary, or a set, which becomes a list.
    fn braces(&mut self) -> Option<Node> {
        let before = self.rest;
        self.eat("{");
        self.nested += 1;
        let mut pairs: Vec<Pair> = Vec::new();
        while !self.eat("}") {
            let key = self.item()?;
            if !self.eat(":") {
                self.nested -= 1;
                self.rest = before;
                return self.bracketed("{", "}");
            }
            let value = self.item()?;
            match pairs.iter_mut().find(|pair| pair.key.as_str().is_some() && pair.key.as_str() == key.as_str()) {
                Some(pair) => pair.value = value,
                None => pairs.push(Pair { key, value }),
            }
            if !self.eat(",") {
                if !self.eat("}") {
                    return None;
                }
                break;
            }
        }
        self.nested -= 1;
        Some(self.node(Kind::Map(Arc::new(pairs))))
    }

    fn word(&mut self) -> Option<Node> {
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let value = match &self.rest[..end] {
            "True" => Value::Bool(true),
            "False" => Value::Bool(false),
            "None" => Value::Null,
            _ => return None,
        };
        self.rest = &self.rest[end..];
        Some(self.node(Kind::Scalar(value)))
    }

    fn number(&mut self) -> Option<Node> {
        let negative = self.rest.starts_with('-');
        if self.rest.starts_with(['-', '+']) {
            self.rest = self.rest[1..].trim_start_matches([' ', '\t']);
        }
        let mut end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').unwrap_or(self.rest.len());
        let exponent = self.rest[..end].ends_with(['e', 'E']) && !self.rest.starts_with("0x") && self.rest[end..].starts_with(['-', '+']);
        if exponent {
            let after = &self.rest[end + 1..];
            end += 1 + after.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(after.len());
        }
        let value = number_value(&self.rest[..end], negative)?;
        self.rest = &self.rest[end..];
        Some(self.node(Kind::Scalar(value)))
    }

    /// One or more strings after one another, which Python joins.
    fn strings(&mut self) -> Option<Node> {
        let mut text = self.string()?;
        loop {
            self.blanks();
            match self.string() {
                Some(more) => text.push_str(&more),
                None => return Some(self.node(Kind::Text(text.into(), Style::Single))),
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        let prefix = self.rest.find(['\'', '"']).filter(|at| *at <= 2)?;
        let (flags, quoted) = self.rest.split_at(prefix);
        if !matches!(flags.to_ascii_lowercase().as_str(), "" | "r" | "u" | "b" | "rb" | "br") {
            return None;
        }
        let raw = flags.contains(['r', 'R']);
        let quote = &quoted[..1];
        let triple = quote.repeat(3);
        let long = quoted.starts_with(&triple);
        let (text, rest) = string_body(&quoted[if long { 3 } else { 1 }..], if long { &triple } else { quote }, raw)?;
        self.rest = rest;
        Some(text)
    }
}

/// The text up to the closing quote, and what follows that.
fn string_body<'a>(mut rest: &'a str, close: &str, raw: bool) -> Option<(String, &'a str)> {
    let mut out = String::new();
    loop {
        if let Some(after) = rest.strip_prefix(close) {
            return Some((out, after));
        }
        let c = rest.chars().next()?;
        rest = &rest[c.len_utf8()..];
        match c {
            '\n' if close.len() == 1 => return None,
            '\\' => rest = escape(rest, raw, &mut out)?,
            c => out.push(c),
        }
    }
}

/// Takes what follows a backslash.
fn escape<'a>(rest: &'a str, raw: bool, out: &mut String) -> Option<&'a str> {
    let c = rest.chars().next()?;
    let after = &rest[c.len_utf8()..];
    if raw {
        out.extend(['\\', c]);
        return Some(after);
    }
    let hexadecimal = |digits: usize| Some((char::from_u32(u32::from_str_radix(after.get(..digits)?, 16).ok()?)?, &after[digits..]));
    let (c, after) = match c {
        '\n' => return Some(after),
        '\\' | '\'' | '"' => (c, after),
        'n' => ('\n', after),
        't' => ('\t', after),
        'r' => ('\r', after),
        'a' => ('\x07', after),
        'b' => ('\x08', after),
        'f' => ('\x0c', after),
        'v' => ('\x0b', after),
        'x' => hexadecimal(2)?,
        'u' => hexadecimal(4)?,
        'U' => hexadecimal(8)?,
        '0'..='7' => {
            let length = rest.bytes().take(3).take_while(|b| (b'0'..=b'7').contains(b)).count();
            (char::from_u32(u32::from_str_radix(&rest[..length], 8).ok()?)?, &rest[length..])
        }
        other => {
            out.push('\\');
            (other, after)
        }
    };
    out.push(c);
    Some(after)
}

fn number_value(text: &str, negative: bool) -> Option<Value> {
    let sign = if negative { -1 } else { 1 };
    if text.starts_with('_') || text.ends_with('_') || text.contains("__") {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let plain = lower.replace('_', "");
    let based = |prefix: &str, radix: u32| plain.strip_prefix(prefix).map(|digits| i128::from_str_radix(digits, radix));
    if let Some(n) = based("0x", 16).or_else(|| based("0o", 8)).or_else(|| based("0b", 2)) {
        return Some(Value::Int(n.ok()? * sign));
    }
    if plain.bytes().all(|b| b.is_ascii_digit()) {
        let padded = plain.len() > 1 && plain.starts_with('0') && plain.bytes().any(|b| b != b'0');
        return if padded { None } else { Some(Value::Int(plain.parse::<i128>().ok()? * sign)) };
    }
    let digits = plain.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'-' | b'+'));
    let float: f64 = digits.then(|| plain.parse().ok()).flatten()?;
    Some(Value::Float(if negative { -float } else { float }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::repr;

    fn shown(node: &Node) -> String {
        let join = |items: &[Node]| items.iter().map(shown).collect::<Vec<_>>().join(", ");
        match &node.kind {
            Kind::Text(text, _) => repr(&Value::from(&**text)),
            Kind::Scalar(value) => repr(value),
            Kind::List(items) => format!("[{}]", join(items)),
            Kind::Map(pairs) => format!("{{{}}}", pairs.iter().map(|p| format!("{}: {}", shown(&p.key), shown(&p.value))).collect::<Vec<_>>().join(", ")),
            Kind::Unsafe(_) | Kind::Vault(_) => "?".into(),
        }
    }

    /// Recorded from ansible-core 2.19.14's INI plugin.
    #[test]
    fn values_of_ini_inventories() {
        for line in include_str!("../../tests/inventory/ini-values.txt").lines() {
            let (text, expected) = line.split_once(" -> ").unwrap();
            let span = Span::synthetic("hosts", text);
            assert_eq!(shown(&value(text, &span)), expected, "{text}");
        }
    }
}
