//! YAML exactly as `kubectl -o yaml` writes it.
//!
//! kubectl prints through `sigs.k8s.io/yaml`, which stands on `go.yaml.in/yaml/v2`. Other YAML writers leave `yes`,
//! `1_000` or `12:30:45` unquoted, and applying such a file changes what it means; so this one makes the choices of
//! that library: `resolve` which words need quotes, `scalar` how text is quoted and folded, `keys` in which order keys
//! come. `tests/golden/yaml` holds what the real library writes for nasty text.
//!
//! It differs in one point, on purpose: text with control characters (DEL, C1) or with NEL, on which kubectl ends with
//! an error or loses a line break, is written escaped.
//!
//! **Architecture invariant:** pure; bytes of a value depend on nothing but the value and its [`Audience`].

mod keys;
mod resolve;
mod scalar;

use super::{Audience, number};
use scalar::{Scalar, Style};
use serde_json::{Map, Value};

const INDENT: usize = 2;
/// A longer key is written in the form `? key`, `: value`.
const LONGEST_SIMPLE_KEY: usize = 128;

/// The document of one value, with a line break at its end and no `---`.
pub fn document(value: &Value, audience: Audience) -> String {
    let mut emitter = Emitter::new(audience);
    emitter.node(value, Context::Root);
    emitter.indent = None;
    emitter.start_line();
    emitter.out
}

/// Whether YAML 1.1, as go-yaml reads it, takes the word for an instant.
pub(super) fn is_timestamp(word: &str) -> bool {
    resolve::is_timestamp(word.as_bytes())
}

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Root,
    Item,
    Value,
}

/// The writer's state; the names and the conditions are those of libyaml's emitter (emitterc.go).
struct Emitter {
    out: String,
    audience: Audience,
    /// Characters in the line so far.
    column: usize,
    /// The current indentation; none outside of all collections.
    indent: Option<usize>,
    /// The last character was a space, or nothing was written yet.
    whitespace: bool,
    /// The line holds nothing but indentation and `-`, `?`, `:`.
    indention: bool,
}

impl Emitter {
    fn new(audience: Audience) -> Self {
        Self {
            out: String::new(),
            audience,
            column: 0,
            indent: None,
            whitespace: true,
            indention: true,
        }
    }

    fn node(&mut self, value: &Value, context: Context) {
        match value {
            Value::Object(map) if map.is_empty() => self.empty("{}"),
            Value::Array(items) if items.is_empty() => self.empty("[]"),
            Value::Object(map) => self.mapping(map),
            Value::Array(items) => self.sequence(items, context),
            Value::Null => self.plain_word("null"),
            Value::Bool(yes) => self.plain_word(if *yes { "true" } else { "false" }),
            Value::Number(number) => self.plain_word(&number::yaml(number)),
            Value::String(text) => {
                let scalar = Scalar::of(text, self.audience);
                self.scalar(&scalar, scalar.style(false), false);
            }
        }
    }

    fn mapping(&mut self, map: &Map<String, Value>) {
        let mut items: Vec<_> = map
            .iter()
            .map(|(key, value)| (key.chars().collect(), (key, value)))
            .collect();
        keys::sort(&mut items);
        let outer = self.deeper(false);
        for (_, (key, value)) in items {
            self.start_line();
            self.key(key);
            self.node(value, Context::Value);
        }
        self.indent = outer;
    }

    fn key(&mut self, key: &str) {
        let scalar = Scalar::of(key, self.audience);
        let simple = !scalar.has_breaks() && key.len() <= LONGEST_SIMPLE_KEY;
        if simple {
            self.scalar(&scalar, scalar.style(true), true);
            self.indicator(":", false, false);
        } else {
            self.indicator("?", true, true);
            self.scalar(&scalar, scalar.style(false), false);
            self.start_line();
            self.indicator(":", true, true);
        }
    }

    /// A sequence that is a mapping's value stands at the mapping's own indentation.
    fn sequence(&mut self, items: &[Value], context: Context) {
        let outer = self.deeper(context == Context::Value && !self.indention);
        for item in items {
            self.start_line();
            self.indicator("-", true, true);
            self.node(item, Context::Item);
        }
        self.indent = outer;
    }

    fn empty(&mut self, brackets: &str) {
        self.indicator(brackets, true, false);
    }

    fn plain_word(&mut self, word: &str) {
        let scalar = Scalar::of(word, self.audience);
        self.scalar(&scalar, Style::Plain, false);
    }

    fn scalar(&mut self, scalar: &Scalar<'_>, style: Style, simple_key: bool) {
        let outer = self.indent;
        self.indent = Some(outer.unwrap_or(0) + INDENT);
        match style {
            Style::Plain => self.plain(scalar.text, !simple_key),
            Style::SingleQuoted => self.single_quoted(scalar.text, !simple_key),
            Style::DoubleQuoted => self.double_quoted(scalar, !simple_key),
            Style::Literal => self.literal(scalar.text),
        }
        self.indent = outer;
    }

    /// One level deeper (or not, for a sequence in a mapping); returns the level to go back to.
    fn deeper(&mut self, same: bool) -> Option<usize> {
        let outer = self.indent;
        self.indent = Some(match outer {
            None => 0,
            Some(indent) if same => indent,
            Some(indent) => indent + INDENT,
        });
        outer
    }

    /// A new line, unless nothing but indentation is in this one; then spaces up to the indentation.
    fn start_line(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.line_break();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
        self.indention = true;
    }

    fn indicator(&mut self, text: &str, space_before: bool, is_indention: bool) {
        if space_before && !self.whitespace {
            self.put(' ');
        }
        text.chars().for_each(|c| self.put(c));
        self.whitespace = false;
        self.indention &= is_indention;
    }

    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn line_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::print::{json, sanitize};
    use proptest::prelude::*;
    use serde_json::json;

    /// What Go's libraries print for nasty text; made by tests/golden/generate.
    const GOLDEN: &str = include_str!("../../../tests/golden/printed.jsonl");

    #[derive(serde::Deserialize)]
    struct Case {
        value: Value,
        json: String,
        yaml: String,
    }

    #[test]
    fn as_go_prints_it() {
        let cases: Vec<Case> = GOLDEN
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert!(cases.len() > 60);
        for case in cases {
            assert_eq!(
                document(&case.value, Audience::Program),
                case.yaml,
                "YAML of {}",
                case.value
            );
            assert_eq!(
                json::document(&case.value, Audience::Program),
                case.json,
                "JSON of {}",
                case.value
            );
        }
    }

    #[test]
    fn a_terminal_sees_escapes_of_the_same_value() {
        let value = json!("abc\u{202e}def");
        assert_eq!(document(&value, Audience::Program), "abc\u{202e}def\n");
        assert_eq!(document(&value, Audience::Terminal), "\"abc\\u202Edef\"\n");
        assert_eq!(
            document(&json!("a\u{7f}\u{9b}"), Audience::Program),
            "\"a\\x7F\\x9B\"\n"
        );
    }

    fn value() -> impl Strategy<Value = Value> {
        let text = prop_oneof!["[ a:#'\"\\-\n0-9eE.x_]{0,12}", any::<String>()];
        let leaf = prop_oneof![
            text.clone().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            Just(Value::Null),
        ];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(text.clone(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn nothing_hostile_reaches_a_terminal(value in value()) {
            let shown = document(&value, Audience::Terminal);
            prop_assert!(!shown.chars().any(|c| c != '\n' && sanitize::is_hostile(c)), "{:?}", shown);
        }
    }
}
