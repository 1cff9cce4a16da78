//! Templates into nodes: a port of `k8s.io/client-go/util/jsonpath` (parser.go), its errors word for word.

use super::unquote::unquote;
use crate::golang::unicode::{is_digit, is_letter, is_printable};

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// Text of the template, or in quotes.
    Text(String),
    /// `{...}`.
    List(Vec<Node>),
    /// `.name`
    Field(String),
    /// `range`, `end`, and what is neither.
    Identifier(String),
    /// `[1]`, `[1:2]`, `[::2]`.
    Array([Bound; 3]),
    /// `[?(left operator right)]`.
    Filter(Box<Filter>),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// `.*`
    Wildcard,
    /// `..`
    Recursive,
    /// `[a,b]`
    Union(Vec<Vec<Node>>),
}

/// Which items of a list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Filter {
    pub(super) left: Vec<Node>,
    /// `exists` if there is nothing to compare with.
    pub(super) operator: String,
    pub(super) right: Vec<Node>,
}

/// From, to, or step of a slice.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Bound {
    pub(super) known: bool,
    pub(super) value: i64,
    /// Not written: one more than where the slice begins.
    pub(super) derived: bool,
}

/// Why a template cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// client-go's words.
    pub message: String,
    /// The byte of the template at which reading stopped.
    pub at: usize,
}

/// Reads a template: text with actions in braces.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, SyntaxError> {
    Parser {
        input: text,
        pos: 0,
        start: 0,
    }
    .template()
}

struct Parser<'a> {
    input: &'a str,
    pos: usize,
    /// What lies before it is taken.
    start: usize,
}

impl<'a> Parser<'a> {
    fn template(&mut self) -> Result<Vec<Node>, SyntaxError> {
        let mut root = Vec::new();
        while let Some(brace) = self.rest().find('{') {
            self.pos += brace;
            if self.pos > self.start {
                root.push(Node::Text(self.take().to_owned()));
            }
            self.pos += 1;
            self.take();
            root.push(Node::List(self.action()?));
        }
        self.pos = self.input.len();
        if self.pos > self.start {
            root.push(Node::Text(self.take().to_owned()));
        }
        Ok(root)
    }

    /// What is between braces; the left one is taken, the right one will be.
    fn action(&mut self) -> Result<Vec<Node>, SyntaxError> {
        let mut nodes = Vec::new();
        loop {
            if self.rest().starts_with('}') {
                self.pos += 1;
                self.take();
                return Ok(nodes);
            }
            if self.rest().starts_with("[?(") {
                nodes.push(self.filter()?);
                continue;
            }
            if self.rest().starts_with("..") {
                self.recursive(&mut nodes)?;
                continue;
            }
            let at = self.pos;
            match self.next() {
                None | Some('\r' | '\n') => return Err(self.error("unclosed action", at)),
                Some(' ' | '@' | '$') => {
                    self.take();
                }
                Some('[') => self.array(&mut nodes)?,
                Some(quote @ ('"' | '\'')) => nodes.push(self.quoted(quote)?),
                Some('.') => nodes.push(self.field()),
                Some(c) if matches!(c, '+' | '-') || is_digit(c) => {
                    self.pos = at;
                    nodes.push(self.number()?);
                }
                Some(c) if is_word(c) => {
                    self.pos = at;
                    nodes.push(self.identifier());
                }
                Some(c) => {
                    let shown = if is_printable(c) {
                        format!(" '{c}'")
                    } else {
                        String::new()
                    };
                    let code = u32::from(c);
                    return Err(self.error(
                        format!("unrecognized character in action: U+{code:04X}{shown}"),
                        at,
                    ));
                }
            }
        }
    }

    fn identifier(&mut self) -> Node {
        while !self.at_terminator() {
            self.next();
        }
        match self.take() {
            "true" => Node::Bool(true),
            "false" => Node::Bool(false),
            word => Node::Identifier(word.to_owned()),
        }
    }

    fn recursive(&mut self, nodes: &mut Vec<Node>) -> Result<(), SyntaxError> {
        if nodes.last() == Some(&Node::Recursive) {
            return Err(self.error("invalid multiple recursive descent", self.pos));
        }
        self.pos += "..".len();
        self.take();
        nodes.push(Node::Recursive);
        if self.rest().starts_with(is_word) {
            nodes.push(self.field());
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Node, SyntaxError> {
        if self.rest().starts_with(['+', '-']) {
            self.pos += 1;
        }
        let rest = self.rest();
        self.pos += rest
            .find(|c| c != '.' && !is_digit(c))
            .unwrap_or(rest.len());
        let at = self.start;
        let word = self.take();
        if let Ok(integer) = word.parse() {
            return Ok(Node::Int(integer));
        }
        match word.parse::<f64>() {
            Ok(float) if float.is_finite() => Ok(Node::Float(float)),
            _ => Err(self.error(format!("cannot parse number {word}"), at)),
        }
    }

    fn array(&mut self, nodes: &mut Vec<Node>) -> Result<(), SyntaxError> {
        let begin = self.start;
        let rest = self.rest();
        match rest.find(['\n', ']']) {
            Some(end) if rest[end..].starts_with(']') => self.pos += end + 1,
            _ => return Err(self.error("unterminated array", begin)),
        }
        let word = self.take();
        let text = match &word[1..word.len() - 1] {
            "*" => ":",
            text => text,
        };
        // Where the words of a nested template lie in this one.
        let inside = |error: SyntaxError, offset: usize| SyntaxError {
            at: begin + offset + error.at.saturating_sub(1),
            ..error
        };
        if text.contains(',') {
            let mut union = Vec::new();
            let mut offset = 0;
            for part in text.split(',') {
                let nested = first_action(&format!("[{}]", part.trim_matches(' ')));
                union.push(nested.map_err(|error| inside(error, offset))?);
                offset += part.len() + 1;
            }
            nodes.push(Node::Union(union));
            return Ok(());
        }
        let key = text
            .strip_prefix('\'')
            .and_then(|text| text.strip_suffix('\''));
        if let Some(key) = key.filter(|key| !key.contains('\'')) {
            nodes.extend(first_action(&format!(".{key}")).map_err(|error| inside(error, 1))?);
            return Ok(());
        }
        let bounds = bounds(text).map_err(|message| self.error(message, begin + 1))?;
        nodes.push(Node::Array(bounds));
        Ok(())
    }

    fn filter(&mut self) -> Result<Node, SyntaxError> {
        let begin = self.pos;
        self.pos += "[?(".len();
        self.take();
        let (mut opened, mut closed, mut pair) = (false, false, '"');
        loop {
            match self.next() {
                None | Some('\n') => return Err(self.error("unterminated filter", begin)),
                Some(c @ ('"' | '\'')) if !opened => (opened, pair) = (true, c),
                Some(c @ ('"' | '\'')) => closed |= c == pair && !self.is_escaped(),
                Some(')') if opened == closed => break,
                Some(_) => {}
            }
        }
        let at = self.pos;
        if self.next() != Some(']') {
            return Err(self.error("unclosed array expect ]", at));
        }
        let offset = self.start;
        let word = self.take();
        let text = &word[..word.len() - 2];
        let nested = |text: &str, begin: usize| {
            first_action(text).map_err(|error| SyntaxError {
                at: begin + error.at.saturating_sub(1),
                ..error
            })
        };
        let filter = match comparison(text) {
            None => Filter {
                left: nested(text, offset)?,
                operator: "exists".to_owned(),
                right: Vec::new(),
            },
            Some((left, operator, right)) => Filter {
                left: nested(left, offset)?,
                operator: operator.to_owned(),
                right: nested(right, offset + left.len() + operator.len())?,
            },
        };
        Ok(Node::Filter(Box::new(filter)))
    }

    fn quoted(&mut self, quote: char) -> Result<Node, SyntaxError> {
        let begin = self.start;
        loop {
            match self.next() {
                None | Some('\n') => return Err(self.error("unterminated quoted string", begin)),
                Some(c) if c == quote && !self.is_escaped() => break,
                Some(_) => {}
            }
        }
        let word = self.take();
        match unquote(word) {
            Some(text) => Ok(Node::Text(text)),
            None => Err(self.error(format!("unquote string {word} error invalid syntax"), begin)),
        }
    }

    fn field(&mut self) -> Node {
        self.take();
        while !self.at_terminator() {
            if self.next() == Some('\\') {
                self.next();
            }
        }
        match self.take() {
            "*" => Node::Wildcard,
            name => Node::Field(name.replace('\\', "")),
        }
    }

    fn rest(&self) -> &'a str {
        &self.input[self.pos..]
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.pos += c.len_utf8();
        Some(c)
    }

    /// What was read since this was last called.
    fn take(&mut self) -> &'a str {
        let taken = &self.input[self.start..self.pos];
        self.start = self.pos;
        taken
    }

    /// The character that was read last, an ASCII one, has a backslash before it.
    fn is_escaped(&self) -> bool {
        let before = self.pos.checked_sub(2);
        before.and_then(|at| self.input.as_bytes().get(at)) == Some(&b'\\')
    }

    fn at_terminator(&self) -> bool {
        let terminators = [
            ' ', '\t', '\r', '\n', '.', ',', '[', ']', '$', '@', '{', '}',
        ];
        self.rest().is_empty() || self.rest().starts_with(terminators)
    }

    fn error(&self, message: impl Into<String>, at: usize) -> SyntaxError {
        SyntaxError {
            message: message.into(),
            at,
        }
    }
}

/// The first action of a template that is one: what follows a brace in it is ignored, as in client-go.
fn first_action(text: &str) -> Result<Vec<Node>, SyntaxError> {
    match parse(&format!("{{{text}}}"))?.into_iter().next() {
        Some(Node::List(nodes)) => Ok(nodes),
        _ => Ok(Vec::new()),
    }
}

/// `isAlphaNumeric`.
fn is_word(c: char) -> bool {
    c == '_' || is_letter(c) || is_digit(c)
}

/// The three parts that `^([^!<>=]+)([!<>=]+)(.+?)$` finds.
fn comparison(text: &str) -> Option<(&str, &str, &str)> {
    const OPERATORS: [char; 4] = ['!', '<', '>', '='];
    let begin = text.find(OPERATORS).filter(|at| *at > 0)?;
    let run = text[begin..].find(|c: char| !OPERATORS.contains(&c));
    // Something has to be left to compare with.
    let end = begin + run.unwrap_or_else(|| text.len() - begin - 1);
    (end > begin).then(|| (&text[..begin], &text[begin..end], &text[end..]))
}

/// `[from:to:step]`, each of which may be missing.
fn bounds(text: &str) -> Result<[Bound; 3], String> {
    let parts: Vec<&str> = text.split(':').collect();
    let is_number = |part: &&str| {
        let digits = part.strip_prefix('-').unwrap_or(part);
        digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    if parts.len() > 3 || !parts.iter().all(is_number) {
        return Err(format!("invalid array index {text}"));
    }
    let bound = |index: usize| match parts.get(index).copied() {
        None | Some("") => Ok::<_, String>(Bound::default()),
        Some(number) => Ok(Bound {
            known: true,
            value: number
                .parse()
                .map_err(|_| format!("array index {number} is not a number"))?,
            derived: false,
        }),
    };
    let (from, to, step) = (bound(0)?, bound(1)?, bound(2)?);
    let next = Bound {
        known: true,
        value: from.value.wrapping_add(1),
        derived: true,
    };
    Ok([from, if parts.len() == 1 { next } else { to }, step])
}
