//! Selectors in one canonical form, so that equal selections are one stream.
//!
//! This does not judge: what it cannot read goes to the API server as typed, whose words for what is wrong are
//! kubectl's words too.

use std::collections::BTreeSet;

/// A label selector sorted and printed again as `k8s.io/apimachinery/pkg/labels` prints it; none if it is not one.
pub(super) fn labels(typed: &str) -> Option<String> {
    let tokens = tokens(typed)?;
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
    };
    let mut requirements = BTreeSet::new();
    while !parser.rest().is_empty() {
        requirements.insert(parser.requirement()?);
        if !parser.rest().is_empty() {
            parser.expect(",")?;
            // "a," is an error, not "a".
            parser.rest().first()?;
        }
    }
    let requirements: Vec<String> = requirements.into_iter().map(|(_, text)| text).collect();
    Some(requirements.join(","))
}

/// A field selector sorted and printed again, `==` as `=`; none if it is not one.
pub(super) fn fields(typed: &str) -> Option<String> {
    let mut terms = BTreeSet::new();
    for term in split_unescaped(typed.trim()) {
        if term.is_empty() {
            continue;
        }
        let at = term.find(['=', '!'])?;
        let (field, rest) = term.split_at(at);
        let (operator, value) = match rest {
            rest if rest.starts_with("!=") => ("!=", &rest[2..]),
            rest if rest.starts_with("==") => ("=", &rest[2..]),
            rest if rest.starts_with('=') => ("=", &rest[1..]),
            _ => return None,
        };
        well_escaped(value).then(|| terms.insert(format!("{field}{operator}{value}")))?;
    }
    let terms: Vec<String> = terms.into_iter().collect();
    Some(terms.join(","))
}

/// Splits at commas without a backslash before them.
fn split_unescaped(text: &str) -> Vec<&str> {
    let (mut terms, mut start, mut escaped) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                terms.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    terms.push(&text[start..]);
    terms
}

fn well_escaped(value: &str) -> bool {
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if !matches!(chars.next(), Some('\\' | ',' | '=')) => return false,
            '=' => return false,
            _ => {}
        }
    }
    true
}

/// Words and operators; none if something is no operator.
fn tokens(text: &str) -> Option<Vec<&str>> {
    const OPERATORS: [&str; 9] = ["==", "!=", "=", "!", "(", ")", ",", "<", ">"];
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '=' | '!' | '(' | ')' | ',' | '<' | '>' => {
                OPERATORS.iter().find(|o| rest.starts_with(**o))?.len()
            }
            _ => {
                let ends = |c: char| "=!(),<> \t\r\n".contains(c);
                rest.find(ends).unwrap_or(rest.len())
            }
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start_matches([' ', '\t', '\r', '\n']);
    }
    Some(tokens)
}

struct Parser<'a> {
    tokens: &'a [&'a str],
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a [&'a str] {
        &self.tokens[self.at..]
    }
    fn next(&mut self) -> Option<&'a str> {
        let token = self.rest().first().copied();
        self.at += usize::from(token.is_some());
        token
    }
    fn peek(&self) -> Option<&'a str> {
        self.rest().first().copied()
    }
    fn expect(&mut self, token: &str) -> Option<()> {
        (self.next()? == token).then_some(())
    }
    fn word(&mut self) -> Option<&'a str> {
        self.next().filter(|token| is_word(token))
    }

    /// One requirement as (key, text): sorted by key, as apimachinery sorts.
    fn requirement(&mut self) -> Option<(&'a str, String)> {
        if self.peek() == Some("!") {
            self.next();
            let key = self.word()?;
            return Some((key, format!("!{key}")));
        }
        let key = self.word()?;
        if matches!(self.peek(), None | Some(",")) {
            return Some((key, key.into()));
        }
        let text = match self.next()? {
            operator @ ("=" | "==" | "!=" | ">" | "<") => {
                let value = match self.peek() {
                    None | Some(",") => "",
                    Some(_) => self.word()?,
                };
                let operator = if operator == "==" { "=" } else { operator };
                format!("{key}{operator}{value}")
            }
            operator @ ("in" | "notin") => format!("{key} {operator} ({})", self.values()?),
            _ => return None,
        };
        Some((key, text))
    }

    /// `(a,b)`, sorted and without repetitions; an empty place is the empty value.
    fn values(&mut self) -> Option<String> {
        self.expect("(")?;
        let mut values = BTreeSet::new();
        loop {
            match self.next()? {
                word if is_word(word) => {
                    values.insert(word);
                    match self.next()? {
                        "," if self.peek() == Some(")") => return None,
                        "," => {}
                        ")" => break,
                        _ => return None,
                    }
                }
                ")" if values.is_empty() => {
                    values.insert("");
                    break;
                }
                // "(,a)" and the like: rare, and the server's reading counts.
                _ => return None,
            }
        }
        Some(values.into_iter().collect::<Vec<_>>().join(","))
    }
}

fn is_word(token: &str) -> bool {
    !token.starts_with(['=', '!', '(', ')', ',', '<', '>'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_selectors_have_one_form() {
        for (typed, canonical) in [
            ("", ""),
            ("  ", ""),
            ("a=b", "a=b"),
            ("a==b", "a=b"),
            (" b = c , a != d ", "a!=d,b=c"),
            ("tier,!canary", "!canary,tier"),
            ("x in (b,a, b)", "x in (a,b)"),
            ("x notin(a)", "x notin (a)"),
            ("x in ()", "x in ()"),
            ("a=", "a="),
            ("a=,b", "a=,b"),
            ("in in (in)", "in in (in)"),
            ("n>5,m<3", "m<3,n>5"),
            ("app.kubernetes.io/name=web", "app.kubernetes.io/name=web"),
        ] {
            assert_eq!(labels(typed).as_deref(), Some(canonical), "{typed}");
            assert_eq!(labels(canonical).as_deref(), Some(canonical), "{canonical}");
        }
    }

    #[test]
    fn what_is_no_label_selector_is_left_to_the_server() {
        for typed in [
            "a==b==",
            "a b",
            ",",
            "a,",
            "=b",
            "x in a",
            "x in (a",
            "!",
            "!!a",
            "a=b c",
            "x in (,a)",
            "a!b",
        ] {
            assert_eq!(labels(typed), None, "{typed}");
        }
    }

    #[test]
    fn field_selectors_have_one_form() {
        for (typed, canonical) in [
            ("", Some("")),
            ("status.phase==Running", Some("status.phase=Running")),
            ("b=2,a!=1,", Some("a!=1,b=2")),
            (r"a=x\,y", Some(r"a=x\,y")),
            ("a", None),
            ("a=b=c", None),
            (r"a=\x", None),
            ("a!b", None),
        ] {
            assert_eq!(fields(typed).as_deref(), canonical, "{typed}");
        }
    }
}
