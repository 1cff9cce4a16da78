//! JSON exactly as `kubectl -o json` writes it: `json.MarshalIndent` with four spaces, keys in byte order.

use super::{Audience, number, sanitize};
use serde_json::{Map, Value};

const INDENT: &str = "    ";

/// The document of one value, with a line break at its end.
pub fn document(value: &Value, audience: Audience) -> String {
    let mut text = nested(value, 0, audience);
    text.push('\n');
    text
}

/// A value in one line without spaces, as `json.Marshal` writes it.
pub fn compact(value: &Value, audience: Audience) -> String {
    let mut writer = Writer {
        out: String::new(),
        audience,
        compact: true,
    };
    writer.value(value, 0);
    writer.out
}

/// A value whose first line stands `depth` levels deep in another; no line break at its end.
pub fn nested(value: &Value, depth: usize, audience: Audience) -> String {
    let mut writer = Writer {
        out: String::new(),
        audience,
        compact: false,
    };
    writer.value(value, depth);
    writer.out
}

struct Writer {
    out: String,
    audience: Audience,
    compact: bool,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(yes) => self.out.push_str(if *yes { "true" } else { "false" }),
            Value::Number(number) => self.out.push_str(&number::json(number)),
            Value::String(text) => self.string(text),
            Value::Array(items) => self.array(items, depth),
            Value::Object(map) => self.object(map, depth),
        }
    }

    fn array(&mut self, items: &[Value], depth: usize) {
        self.out.push('[');
        for (index, item) in items.iter().enumerate() {
            self.next(index, depth + 1);
            self.value(item, depth + 1);
        }
        self.close(']', items.is_empty(), depth);
    }

    fn object(&mut self, map: &Map<String, Value>, depth: usize) {
        // serde_json keeps keys in byte order unless some crate asks it for another.
        let mut members: Vec<_> = map.iter().collect();
        members.sort_unstable_by_key(|(key, _)| key.as_str());
        self.out.push('{');
        for (index, (key, value)) in members.iter().enumerate() {
            self.next(index, depth + 1);
            self.string(key);
            self.out.push_str(if self.compact { ":" } else { ": " });
            self.value(value, depth + 1);
        }
        self.close('}', members.is_empty(), depth);
    }

    fn next(&mut self, index: usize, depth: usize) {
        if index > 0 {
            self.out.push(',');
        }
        self.line(depth);
    }

    fn close(&mut self, bracket: char, empty: bool, depth: usize) {
        if !empty {
            self.line(depth);
        }
        self.out.push(bracket);
    }

    fn line(&mut self, depth: usize) {
        if self.compact {
            return;
        }
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(INDENT, depth));
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                // Go writes JSON so that it can stand in HTML and in JavaScript.
                '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => self.escape(c),
                c if self.audience == Audience::Terminal && sanitize::is_covert(c) => {
                    self.escape(c);
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    fn escape(&mut self, c: char) {
        self.out.push_str(&format!("\\u{:04x}", u32::from(c)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn as_kubectl_lays_it_out() {
        let value = json!({"b": [1, {"x": null}], "a": {}, "c": [], "B": "<&>\u{2028}\u{7f}"});
        let want = "{\n    \"B\": \"\\u003c\\u0026\\u003e\\u2028\u{7f}\",\n    \"a\": {},\n    \"b\": [\n        1,\n        \
                    {\n            \"x\": null\n        }\n    ],\n    \"c\": []\n}\n";
        assert_eq!(document(&value, Audience::Program), want);
        assert!(document(&value, Audience::Terminal).contains("\\u007f"));
        let want = "{\"B\":\"\\u003c\\u0026\\u003e\\u2028\u{7f}\",\"a\":{},\"b\":[1,{\"x\":null}],\"c\":[]}";
        assert_eq!(compact(&value, Audience::Program), want);
    }

    proptest! {
        #[test]
        fn it_reads_back_and_a_terminal_sees_nothing_hostile(text in any::<String>()) {
            let value = json!({"k": [text]});
            for audience in [Audience::Program, Audience::Terminal] {
                let back: Value = serde_json::from_str(&document(&value, audience)).unwrap();
                prop_assert_eq!(&back, &value);
            }
            let shown = document(&value, Audience::Terminal);
            prop_assert!(!shown.chars().any(|c| c != '\n' && sanitize::is_hostile(c)));
        }
    }
}
