//! JSON values as Go's `fmt` prints them: `%v`, `%#v` and `%q`.

use super::number;
use super::unicode::is_printable;
use serde_json::{Map, Value};

/// `%v`: `map[a:1 b:[x y]]`, text as it is, `<nil>` for null.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number::plain_text(number),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", joined(items.iter().map(plain), " ")),
        Value::Object(map) => {
            let members = sorted(map).map(|(key, value)| format!("{key}:{}", plain(value)));
            format!("map[{}]", joined(members, " "))
        }
    }
}

/// `%#v`: as Go's source would have it.
pub fn syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number::plain_text(number),
        Value::String(text) => quoted(text),
        Value::Array(items) => format!(
            "[]interface {{}}{{{}}}",
            joined(items.iter().map(syntax), ", ")
        ),
        Value::Object(map) => {
            let members =
                sorted(map).map(|(key, value)| format!("{}:{}", quoted(key), syntax(value)));
            format!("map[string]interface {{}}{{{}}}", joined(members, ", "))
        }
    }
}

/// `%q`, `strconv.Quote`: what is not printable is escaped.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if is_printable(c) => out.push(c),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c => match u32::from(c) {
                code @ (0..0x20 | 0x7f) => out.push_str(&format!("\\x{code:02x}")),
                code @ 0..=0xffff => out.push_str(&format!("\\u{code:04x}")),
                code => out.push_str(&format!("\\U{code:08x}")),
            },
        }
    }
    out.push('"');
    out
}

fn sorted(map: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    let mut members: Vec<_> = map.iter().collect();
    members.sort_unstable_by_key(|(key, _)| key.as_str());
    members.into_iter()
}

fn joined(parts: impl Iterator<Item = String>, between: &str) -> String {
    parts.collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn as_go_prints_them() {
        let value = json!({"b": [1, "x y", null, 1.5], "a": {"t": true}, "e": {}, "n": []});
        assert_eq!(
            plain(&value),
            "map[a:map[t:true] b:[1 x y <nil> 1.5] e:map[] n:[]]"
        );
        assert_eq!(
            syntax(&value),
            "map[string]interface {}{\"a\":map[string]interface {}{\"t\":true}, \
             \"b\":[]interface {}{1, \"x y\", interface {}(nil), 1.5}, \
             \"e\":map[string]interface {}{}, \"n\":[]interface {}{}}"
        );
    }

    #[test]
    fn quotes_hide_nothing() {
        assert_eq!(
            quoted("a\"\\\n\x1b\u{7f}é\u{202e}\u{a0}\u{e0001}"),
            "\"a\\\"\\\\\\n\\x1b\\x7fé\\u202e\\u00a0\\U000e0001\""
        );
    }
}
