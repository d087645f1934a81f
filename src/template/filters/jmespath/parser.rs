//! The tree of a query: operators by how strongly they bind.

use std::sync::Arc;

use super::Trouble;
use super::lexer::{Kind, Token, tokens};
use crate::value::Value;

/// How expressions can be nested, at most.
const DEEP: usize = 200;

/// What binds less than this ends a projection.
const PROJECTION_STOP: u8 = 10;

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparator {
    Eq,
    Ne,
    Lt,
    Lte,
    Gt,
    Gte,
}

/// A node of the tree.
#[derive(Debug)]
pub(super) enum Node {
    /// `@`, and the value itself where nothing else is said.
    Identity,
    Field(Arc<str>),
    Literal(Value),
    Index(i128),
    Slice([Option<i128>; 3]),
    /// `a.b`, `a | b`: each gets what the one before gives.
    Chain(Vec<Node>),
    /// `a[0]`: as a chain.
    Indexed(Vec<Node>),
    Projection(Box<Node>, Box<Node>),
    ValueProjection(Box<Node>, Box<Node>),
    /// Left, right, condition.
    FilterProjection(Box<Node>, Box<Node>, Box<Node>),
    Flatten(Box<Node>),
    Or(Box<Node>, Box<Node>),
    And(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Compare(Comparator, Box<Node>, Box<Node>),
    Function(Arc<str>, Vec<Node>),
    MultiList(Vec<Node>),
    MultiHash(Vec<(Arc<str>, Node)>),
    /// `&a`: an argument that is not evaluated.
    Expref(Box<Node>),
}

/// Reads a query.
pub(super) fn parse(expression: &str) -> Result<Node, Trouble> {
    let tokens = tokens(expression)?;
    let mut parser = Parser { expression, tokens, at: 0, depth: 0 };
    let node = parser.expression(0)?;
    let token = parser.token();
    if token.kind == Kind::Eof { Ok(node) } else { Err(parser.wrong(token, &format!("Unexpected token: {}", token.shown()))) }
}

struct Parser<'a> {
    expression: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

fn boxed(node: Node) -> Box<Node> {
    Box::new(node)
}

impl Parser<'_> {
    /// The token that comes next; behind the end it is the end.
    fn token(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn kind(&self) -> Kind {
        self.token().kind
    }

    fn kind_after(&self) -> Kind {
        self.tokens.get(self.at + 1).map_or(Kind::Eof, |token| token.kind)
    }

    fn take(&mut self) -> Token {
        let token = self.token().clone();
        self.at += 1;
        token
    }

    fn name(&mut self) -> Arc<str> {
        self.take().shown().into()
    }

    fn wrong_at(&self, start: usize, token: &Token, message: &str) -> Trouble {
        let (shown, kind, pad) = (token.shown(), token.kind.name().to_uppercase(), " ".repeat(start + 1));
        let expression = self.expression;
        Trouble::Query(format!("{message}: Parse error at column {start}, token \"{shown}\" ({kind}), for expression:\n\"{expression}\"\n{pad}^"))
    }

    fn wrong(&self, token: &Token, message: &str) -> Trouble {
        self.wrong_at(token.start, token, message)
    }

    fn incomplete(&self) -> Trouble {
        let pad = " ".repeat(self.expression.chars().count() + 1);
        Trouble::Query(format!("Invalid jmespath expression: Incomplete expression:\n\"{}\"\n{pad}^", self.expression))
    }

    fn expect(&mut self, kind: Kind) -> Result<(), Trouble> {
        if self.kind() != kind {
            return Err(self.unexpected(kind.name()));
        }
        self.at += 1;
        Ok(())
    }

    fn unexpected(&self, wanted: &str) -> Trouble {
        let token = self.token();
        if token.kind == Kind::Eof { self.incomplete() } else { self.wrong(token, &format!("Expecting: {wanted}, got: {}", token.kind.name())) }
    }

    fn expression(&mut self, power: u8) -> Result<Node, Trouble> {
        self.depth += 1;
        if self.depth > DEEP {
            return Err(Trouble::Other("maximum recursion depth exceeded".into()));
        }
        let token = self.take();
        let mut left = self.prefix(&token)?;
        while power < self.kind().power() {
            let token = self.take();
            left = self.infix(left, &token)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn prefix(&mut self, token: &Token) -> Result<Node, Trouble> {
        Ok(match token.kind {
            Kind::Literal => Node::Literal(token.value.clone()),
            Kind::Unquoted => Node::Field(token.shown().into()),
            Kind::Quoted if self.kind() == Kind::LParen => {
                return Err(self.wrong_at(0, self.token(), "Quoted identifier not allowed for function names."));
            }
            Kind::Quoted => Node::Field(token.shown().into()),
            Kind::Star if self.kind() == Kind::RBracket => Node::ValueProjection(boxed(Node::Identity), boxed(Node::Identity)),
            Kind::Star => Node::ValueProjection(boxed(Node::Identity), boxed(self.projected(Kind::Star.power())?)),
            Kind::Filter => self.filter(Node::Identity)?,
            Kind::LBrace => self.multi_hash()?,
            Kind::LParen => {
                let inner = self.expression(0)?;
                self.expect(Kind::RParen)?;
                inner
            }
            Kind::Flatten => self.flatten(Node::Identity)?,
            Kind::Not => Node::Not(boxed(self.expression(Kind::Not.power())?)),
            Kind::LBracket => self.bracket_first()?,
            Kind::Current => Node::Identity,
            Kind::Expref => Node::Expref(boxed(self.expression(Kind::Expref.power())?)),
            Kind::Eof => return Err(self.incomplete()),
            _ => return Err(self.wrong(token, "invalid token")),
        })
    }

    fn infix(&mut self, left: Node, token: &Token) -> Result<Node, Trouble> {
        let compare = |this: &mut Self, comparator: Comparator, left: Node| Ok(Node::Compare(comparator, boxed(left), boxed(this.expression(5)?)));
        match token.kind {
            Kind::Dot => self.dot(left),
            Kind::Pipe => Ok(Node::Chain(vec![left, self.expression(Kind::Pipe.power())?])),
            Kind::Or => Ok(Node::Or(boxed(left), boxed(self.expression(Kind::Or.power())?))),
            Kind::And => Ok(Node::And(boxed(left), boxed(self.expression(Kind::And.power())?))),
            Kind::LParen => self.function(left),
            Kind::Filter => self.filter(left),
            Kind::Eq => compare(self, Comparator::Eq, left),
            Kind::Ne => compare(self, Comparator::Ne, left),
            Kind::Gt => compare(self, Comparator::Gt, left),
            Kind::Gte => compare(self, Comparator::Gte, left),
            Kind::Lt => compare(self, Comparator::Lt, left),
            Kind::Lte => compare(self, Comparator::Lte, left),
            Kind::Flatten => self.flatten(left),
            Kind::LBracket => self.bracket_after(left),
            _ => Err(self.wrong(token, "invalid token")),
        }
    }

    fn flatten(&mut self, left: Node) -> Result<Node, Trouble> {
        let flat = Node::Flatten(boxed(left));
        Ok(Node::Projection(boxed(flat), boxed(self.projected(Kind::Flatten.power())?)))
    }

    fn filter(&mut self, left: Node) -> Result<Node, Trouble> {
        let condition = self.expression(0)?;
        self.expect(Kind::RBracket)?;
        let right = if self.kind() == Kind::Flatten { Node::Identity } else { self.projected(Kind::Filter.power())? };
        Ok(Node::FilterProjection(boxed(left), boxed(right), boxed(condition)))
    }

    fn dot(&mut self, left: Node) -> Result<Node, Trouble> {
        if self.kind() == Kind::Star {
            self.at += 1;
            return Ok(Node::ValueProjection(boxed(left), boxed(self.projected(Kind::Dot.power())?)));
        }
        let right = self.after_dot(Kind::Dot.power())?;
        Ok(Node::Chain(vec![left, right]))
    }

    fn after_dot(&mut self, power: u8) -> Result<Node, Trouble> {
        match self.kind() {
            Kind::Quoted | Kind::Unquoted | Kind::Star => self.expression(power),
            Kind::LBracket => {
                self.at += 1;
                self.multi_list()
            }
            Kind::LBrace => {
                self.at += 1;
                self.multi_hash()
            }
            other => {
                let allowed = "['quoted_identifier', 'unquoted_identifier', 'lbracket', 'lbrace']";
                Err(self.wrong(self.token(), &format!("Expecting: {allowed}, got: {}", other.name())))
            }
        }
    }

    /// What is done with each element of a projection.
    fn projected(&mut self, power: u8) -> Result<Node, Trouble> {
        match self.kind() {
            kind if kind.power() < PROJECTION_STOP => Ok(Node::Identity),
            Kind::LBracket | Kind::Filter => self.expression(power),
            Kind::Dot => {
                self.at += 1;
                self.after_dot(power)
            }
            _ => Err(self.wrong(self.token(), "syntax error")),
        }
    }

    fn bracket_first(&mut self) -> Result<Node, Trouble> {
        match self.kind() {
            Kind::Number | Kind::Colon => {
                let right = self.index()?;
                self.project_slice(Node::Identity, right)
            }
            Kind::Star if self.kind_after() == Kind::RBracket => {
                self.at += 2;
                Ok(Node::Projection(boxed(Node::Identity), boxed(self.projected(Kind::Star.power())?)))
            }
            _ => self.multi_list(),
        }
    }

    fn bracket_after(&mut self, left: Node) -> Result<Node, Trouble> {
        if matches!(self.kind(), Kind::Number | Kind::Colon) {
            let right = self.index()?;
            return match left {
                // as in the Python library, a slice behind an index is no projection
                Node::Indexed(mut steps) => {
                    steps.push(right);
                    Ok(Node::Indexed(steps))
                }
                left => self.project_slice(left, right),
            };
        }
        self.expect(Kind::Star)?;
        self.expect(Kind::RBracket)?;
        Ok(Node::Projection(boxed(left), boxed(self.projected(Kind::Star.power())?)))
    }

    fn project_slice(&mut self, left: Node, right: Node) -> Result<Node, Trouble> {
        let is_slice = matches!(right, Node::Slice(_));
        let indexed = Node::Indexed(vec![left, right]);
        if is_slice { Ok(Node::Projection(boxed(indexed), boxed(self.projected(Kind::Star.power())?))) } else { Ok(indexed) }
    }

    fn index(&mut self) -> Result<Node, Trouble> {
        if self.kind() == Kind::Colon || self.kind_after() == Kind::Colon {
            return self.slice();
        }
        let number = self.take().value.as_int().unwrap_or_default();
        self.expect(Kind::RBracket)?;
        Ok(Node::Index(number))
    }

    fn slice(&mut self) -> Result<Node, Trouble> {
        let mut parts = [None; 3];
        let mut part = 0;
        while self.kind() != Kind::RBracket {
            match self.kind() {
                Kind::Colon if part < 2 => part += 1,
                Kind::Number => parts[part] = self.token().value.as_int(),
                _ => return Err(self.wrong(self.token(), "syntax error")),
            }
            self.at += 1;
        }
        self.at += 1;
        Ok(Node::Slice(parts))
    }

    fn function(&mut self, left: Node) -> Result<Node, Trouble> {
        let Node::Field(name) = left else {
            let before = &self.tokens[self.at.saturating_sub(2)];
            return Err(self.wrong(before, &format!("Invalid function name '{}'", before.shown())));
        };
        let mut args = Vec::new();
        while self.kind() != Kind::RParen {
            args.push(self.expression(0)?);
            if self.kind() == Kind::Comma {
                self.at += 1;
            }
        }
        self.at += 1;
        Ok(Node::Function(name, args))
    }

    fn multi_list(&mut self) -> Result<Node, Trouble> {
        let mut all = Vec::new();
        loop {
            all.push(self.expression(0)?);
            if self.kind() == Kind::RBracket {
                self.at += 1;
                return Ok(Node::MultiList(all));
            }
            self.expect(Kind::Comma)?;
        }
    }

    fn multi_hash(&mut self) -> Result<Node, Trouble> {
        let mut pairs = Vec::new();
        loop {
            if !matches!(self.kind(), Kind::Quoted | Kind::Unquoted) {
                return Err(self.unexpected("['quoted_identifier', 'unquoted_identifier']"));
            }
            let name = self.name();
            self.expect(Kind::Colon)?;
            pairs.push((name, self.expression(0)?));
            match self.kind() {
                Kind::Comma => self.at += 1,
                Kind::RBrace => {
                    self.at += 1;
                    return Ok(Node::MultiHash(pairs));
                }
                _ => {}
            }
        }
    }
}
