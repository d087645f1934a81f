//! The tokens of a query.

use super::Trouble;
use crate::template::filters::json;
use crate::value::{Value, text};

macro_rules! kinds {
    ($($kind:ident $name:literal $power:literal;)*) => {
        /// What a token is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Kind { $($kind),* }

        impl Kind {
            /// Its name in messages.
            pub(super) fn name(self) -> &'static str {
                match self { $(Kind::$kind => $name),* }
            }

            /// How strongly it binds what stands before it.
            pub(super) fn power(self) -> u8 {
                match self { $(Kind::$kind => $power),* }
            }
        }
    };
}

kinds! {
    Eof "eof" 0;
    Unquoted "unquoted_identifier" 0;
    Quoted "quoted_identifier" 0;
    Literal "literal" 0;
    RBracket "rbracket" 0;
    RParen "rparen" 0;
    Comma "comma" 0;
    RBrace "rbrace" 0;
    Number "number" 0;
    Current "current" 0;
    Expref "expref" 0;
    Colon "colon" 0;
    Pipe "pipe" 1;
    Or "or" 2;
    And "and" 3;
    Eq "eq" 5;
    Gt "gt" 5;
    Lt "lt" 5;
    Gte "gte" 5;
    Lte "lte" 5;
    Ne "ne" 5;
    Flatten "flatten" 9;
    Star "star" 20;
    Filter "filter" 21;
    Dot "dot" 40;
    Not "not" 45;
    LBrace "lbrace" 50;
    LBracket "lbracket" 55;
    LParen "lparen" 60;
}

/// A token, what it is worth, and at which character it begins.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub kind: Kind,
    pub value: Value,
    pub start: usize,
}

/// More tokens than any query that a person writes: bounds how deep a query can be.
const MANY: usize = 4_000;

/// All tokens; the last is the end.
pub(super) fn tokens(expression: &str) -> Result<Vec<Token>, Trouble> {
    let mut lexer = Lexer { chars: expression.chars().collect(), at: 0 };
    let mut all = Vec::new();
    while let Some(token) = lexer.next().map_err(|(message, at)| bad(expression, &message, at))? {
        all.push(token);
        if all.len() > MANY {
            return Err(Trouble::Other("the query is too long".into()));
        }
    }
    all.push(Token { kind: Kind::Eof, value: "".into(), start: lexer.chars.len() });
    Ok(all)
}

fn bad(expression: &str, message: &str, at: usize) -> Trouble {
    Trouble::Query(format!("Bad jmespath expression: {message}:\n{expression}\n{}^", " ".repeat(at)))
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
}

/// What is wrong, and at which character.
type Bad = (String, usize);

impl Lexer {
    fn next(&mut self) -> Result<Option<Token>, Bad> {
        while self.chars.get(self.at).is_some_and(|c| matches!(c, ' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
        let start = self.at;
        let Some(&c) = self.chars.get(start) else { return Ok(None) };
        let (kind, value) = match c {
            'a'..='z' | 'A'..='Z' | '_' => (Kind::Unquoted, self.run(|c| c.is_ascii_alphanumeric() || c == '_').into()),
            '0'..='9' | '-' => (Kind::Number, self.number()?),
            '"' => (Kind::Quoted, self.quoted()?),
            '\'' => (Kind::Literal, self.until('\'')?.replace("\\'", "'").into()),
            '`' => (Kind::Literal, self.literal()?),
            _ => self.sign(c)?,
        };
        Ok(Some(Token { kind, value, start }))
    }

    fn sign(&mut self, c: char) -> Result<(Kind, Value), Bad> {
        let second = self.chars.get(self.at + 1).copied();
        let (kind, length) = match (c, second) {
            ('[', Some(']')) => (Kind::Flatten, 2),
            ('[', Some('?')) => (Kind::Filter, 2),
            ('|', Some('|')) => (Kind::Or, 2),
            ('&', Some('&')) => (Kind::And, 2),
            ('<', Some('=')) => (Kind::Lte, 2),
            ('>', Some('=')) => (Kind::Gte, 2),
            ('!', Some('=')) => (Kind::Ne, 2),
            ('=', Some('=')) => (Kind::Eq, 2),
            ('[', _) => (Kind::LBracket, 1),
            ('|', _) => (Kind::Pipe, 1),
            ('&', _) => (Kind::Expref, 1),
            ('<', _) => (Kind::Lt, 1),
            ('>', _) => (Kind::Gt, 1),
            ('!', _) => (Kind::Not, 1),
            ('.', _) => (Kind::Dot, 1),
            ('*', _) => (Kind::Star, 1),
            (']', _) => (Kind::RBracket, 1),
            (',', _) => (Kind::Comma, 1),
            (':', _) => (Kind::Colon, 1),
            ('@', _) => (Kind::Current, 1),
            ('(', _) => (Kind::LParen, 1),
            (')', _) => (Kind::RParen, 1),
            ('{', _) => (Kind::LBrace, 1),
            ('}', _) => (Kind::RBrace, 1),
            ('=', _) => return Err(("Unknown token '='".into(), self.at)),
            _ => return Err((format!("Unknown token {c}"), self.at)),
        };
        let value: String = self.chars[self.at..self.at + length].iter().collect();
        self.at += length;
        Ok((kind, value.into()))
    }

    fn run(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let start = self.at;
        self.at += 1;
        while self.chars.get(self.at).is_some_and(|c| belongs(*c)) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn number(&mut self) -> Result<Value, Bad> {
        let start = self.at;
        let digits = self.run(|c| c.is_ascii_digit());
        if digits == "-" {
            return Err(("Unknown token '-'".into(), start));
        }
        // beyond 128 bits it is beyond the end of any list
        let beyond = if digits.starts_with('-') { i128::MIN } else { i128::MAX };
        Ok(Value::Int(digits.parse().unwrap_or(beyond)))
    }

    /// What stands before the next delimiter, with its backslashes.
    fn until(&mut self, delimiter: char) -> Result<String, Bad> {
        let start = self.at;
        let mut out = String::new();
        self.at += 1;
        let unclosed = || (format!("Unclosed {delimiter} delimiter"), start);
        while self.chars.get(self.at) != Some(&delimiter) {
            if self.chars.get(self.at) == Some(&'\\') {
                out.push('\\');
                self.at += 1;
            }
            out.push(*self.chars.get(self.at).ok_or_else(unclosed)?);
            self.at += 1;
        }
        self.at += 1;
        Ok(out)
    }

    /// JSON between backticks; the old form without quotes is text.
    fn literal(&mut self) -> Result<Value, Bad> {
        let start = self.at;
        let lexeme = self.until('`')?.replace("\\`", "`");
        json::parse(&lexeme).or_else(|_| json::parse(&format!("\"{}\"", lexeme.trim_start()))).map_err(|_| (format!("Bad token {lexeme}"), start))
    }

    fn quoted(&mut self) -> Result<Value, Bad> {
        let start = self.at;
        let lexeme = self.until('"')?;
        json::parse(&format!("\"{lexeme}\"")).map_err(|fault| (fault.message.split(':').next().unwrap_or_default().to_string(), start))
    }
}

impl Token {
    /// The token as messages show it.
    pub(super) fn shown(&self) -> String {
        text(&self.value)
    }
}
