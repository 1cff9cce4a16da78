//! `-o kyaml`: YAML with braces, every text in quotes.
//!
//! A port of `sigs.k8s.io/yaml/kyaml`, as far as JSON goes: it has no comments, aliases or tags.

use super::unicode::is_printable;
use super::yaml::is_timestamp;
use super::{Audience, number, sanitize};
use regex::Regex;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// Sixty-based numbers of YAML 1.1.
static SEXAGESIMAL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[+-]?[1-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$").ok());
/// `unicode.IsLetter` and `unicode.IsNumber`.
static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\p{L}\p{N}_]$").ok());

/// The document of one value, with its `---` and a line break at its end.
pub fn document(value: &Value, audience: Audience) -> String {
    format!("---\n{}\n", nested(value, 0, audience))
}

/// A value that stands so deep in another; no line break at its end.
pub fn nested(value: &Value, depth: usize, audience: Audience) -> String {
    let mut writer = Writer {
        out: String::new(),
        audience,
    };
    writer.value(value, depth);
    writer.out
}

struct Writer {
    out: String,
    audience: Audience,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(yes) => self.out.push_str(if *yes { "true" } else { "false" }),
            Value::Number(number) => self.out.push_str(&number::json(number)),
            Value::String(text) => self.text(text, depth + 1),
            Value::Array(items) if items.is_empty() => self.out.push_str("[]"),
            Value::Array(items) => self.sequence(items, depth),
            Value::Object(map) if map.is_empty() => self.out.push_str("{}"),
            Value::Object(map) => self.mapping(map, depth),
        }
    }

    /// Brackets of collections within stand close together.
    fn sequence(&mut self, items: &[Value], depth: usize) {
        let cuddled = items.iter().all(|item| item.is_array() || item.is_object());
        self.out.push('[');
        for (index, item) in items.iter().enumerate() {
            if cuddled {
                self.out.push_str(if index > 0 { ", " } else { "" });
                self.value(item, depth);
            } else {
                self.out.push('\n');
                self.indent(depth + 1);
                self.value(item, depth + 1);
                self.out.push(',');
            }
        }
        if !cuddled {
            self.out.push('\n');
            self.indent(depth);
        }
        self.out.push(']');
    }

    fn mapping(&mut self, map: &Map<String, Value>, depth: usize) {
        let mut members: Vec<_> = map.iter().collect();
        members.sort_unstable_by_key(|(key, _)| key.as_str());
        self.out.push_str("{\n");
        for (key, value) in members {
            self.indent(depth + 1);
            self.key(key);
            self.out.push_str(": ");
            self.value(value, depth + 1);
            self.out.push_str(",\n");
        }
        self.indent(depth);
        self.out.push('}');
    }

    fn key(&mut self, key: &str) {
        if !key.contains('\n') && !needs_quotes(key) {
            return self.out.push_str(key);
        }
        self.out.push('"');
        for c in key.chars() {
            match c {
                '\n' => self.out.push_str("\\n"),
                '\t' => self.out.push_str("\\t"),
                c => self.character(c),
            }
        }
        self.out.push('"');
    }

    /// Text of several lines is folded: a line each.
    fn text(&mut self, text: &str, depth: usize) {
        const FOLD: &str = "\\\n";
        let several = text.contains('\n');
        self.out.push('"');
        if several {
            self.out.push_str(FOLD);
        }
        for c in text.chars() {
            if self.out.ends_with('\n') {
                self.indent(depth);
                // White space at the beginning of a line would be lost.
                let blank = c.is_whitespace() && c != '\n';
                self.out.push(if blank { '\\' } else { ' ' });
            }
            match c {
                '\n' => self.out.push_str("\\n\\\n"),
                '\t' => self.out.push('\t'),
                c => self.character(c),
            }
        }
        if several {
            if !self.out.ends_with('\n') {
                self.out.push_str(FOLD);
            }
            self.indent(depth);
        }
        self.out.push('"');
    }

    fn character(&mut self, c: char) {
        let covert = self.audience == Audience::Terminal && sanitize::is_covert(c);
        let short = match c {
            '"' | '\\' => c,
            c if is_printable(c) && !covert => return self.out.push(c),
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{b}' => 'v',
            '\0' => '0',
            '\u{1b}' => 'e',
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            c => {
                let escape = match u32::from(c) {
                    code @ (0..0x20 | 0x7f) => format!("\\x{code:02x}"),
                    code @ 0..=0xffff => format!("\\u{code:04x}"),
                    code => format!("\\U{code:08x}"),
                };
                return self.out.push_str(&escape);
            }
        };
        self.out.extend(['\\', short]);
    }

    fn indent(&mut self, depth: usize) {
        self.out.extend(std::iter::repeat_n("  ", depth));
    }
}

fn needs_quotes(key: &str) -> bool {
    let last = key.chars().count().saturating_sub(1);
    let allowed = |(at, c): (usize, char)| {
        is_word(c) || (at > 0 && at < last && matches!(c, '-' | '.' | '/'))
    };
    key.is_empty() || is_ambiguous(key) || !key.chars().enumerate().all(allowed)
}

fn is_word(c: char) -> bool {
    let word = || {
        WORD.as_ref()
            .is_some_and(|word| word.is_match(c.encode_utf8(&mut [0; 4])))
    };
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || c == '_'
    } else {
        word()
    }
}

/// Whether some YAML reader may take the word for something else than text.
fn is_ambiguous(word: &str) -> bool {
    const WORDS: [&str; 16] = [
        "null", "~", "true", "y", "yes", "on", "false", "n", "no", "off", ".inf", "-.inf", "+.inf",
        ".nan", "t", "f",
    ];
    let lower = word.to_lowercase();
    // `strconv.ParseBool` knows `T`, and `t`.
    WORDS.contains(&lower.as_str())
        || is_number(&word.replace('_', ""))
        || SEXAGESIMAL
            .as_ref()
            .is_some_and(|number| number.is_match(word))
        || is_timestamp(word)
}

/// Go's `strconv.ParseInt` with base 0, or `strconv.ParseFloat`, without error.
fn is_number(word: &str) -> bool {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let lower = unsigned.to_ascii_lowercase();
    if matches!(lower.as_str(), "inf" | "infinity" | "nan") {
        return lower != "nan" || unsigned.len() == word.len();
    }
    let sign = if word.starts_with('-') { "-" } else { "" };
    let integer = |digits: &str, radix| {
        !digits.starts_with(['+', '-'])
            && i64::from_str_radix(&format!("{sign}{digits}"), radix).is_ok()
    };
    let based = [("0x", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .find_map(|(prefix, radix)| Some((lower.strip_prefix(prefix)?, radix)));
    match based {
        Some((digits, 16)) => integer(digits, 16) || is_hex_float(digits),
        Some((digits, radix)) => integer(digits, radix),
        None => {
            let decimal = lower.starts_with(|c: char| c.is_ascii_digit() || c == '.');
            decimal && lower.parse::<f64>().is_ok_and(f64::is_finite)
        }
    }
}

/// `1.8p3`, after its `0x`.
fn is_hex_float(digits: &str) -> bool {
    let Some((mantissa, exponent)) = digits.split_once('p') else {
        return false;
    };
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    hex(whole)
        && hex(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent
            .parse::<u16>()
            .is_ok_and(|exponent| exponent < 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn braces_and_quotes() {
        let value = json!({"a": [{"b": 1}, {"c": []}], "no": {}, "x-y": "one\n two\n", "l": ["x", 1, null]});
        assert_eq!(
            document(&value, Audience::Program),
            "---\n{\n  a: [{\n    b: 1,\n  }, {\n    c: [],\n  }],\n  l: [\n    \"x\",\n    1,\n    null,\n  ],\n  \"no\": {},\n  \
             x-y: \"\\\n     one\\n\\\n    \\ two\\n\\\n    \",\n}\n"
        );
        assert!(
            !document(&json!("\u{202e}\u{9b}"), Audience::Terminal)
                .contains(['\u{202e}', '\u{9b}'])
        );
    }

    /// What Go's library prints for nasty text; made by tests/golden/generate.
    const GOLDEN: &str = include_str!("../../tests/golden/printed.jsonl");

    #[derive(serde::Deserialize)]
    struct Case {
        value: Value,
        /// Empty where the library refuses the value.
        kyaml: String,
    }

    #[test]
    fn as_go_prints_it() {
        let cases = GOLDEN
            .lines()
            .map(|line| serde_json::from_str::<Case>(line).unwrap());
        let mut count = 0;
        for case in cases.filter(|case| !case.kyaml.is_empty()) {
            assert_eq!(
                document(&case.value, Audience::Program),
                case.kyaml,
                "KYAML of {}",
                case.value
            );
            count += 1;
        }
        assert!(count > 50);
    }

    #[test]
    fn keys_that_need_quotes() {
        for key in [
            "", "no", "Null", "T", "1", "0x1f", "1_000", "1e3", ".5", "12:30", "2001-1-1", "-a",
            "a-", "a b", "a:b", "é!", "inf", "NaN",
        ] {
            assert!(needs_quotes(key), "{key}");
        }
        for key in [
            "a",
            "a.b/c-d",
            "é",
            "_",
            "a1",
            "nope",
            "1.2.3",
            "0x",
            "x1",
            "kubernetes.io/name",
        ] {
            assert!(!needs_quotes(key), "{key}");
        }
    }
}
