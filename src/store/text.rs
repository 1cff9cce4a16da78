//! Text that a database takes: PostgreSQL has no NUL in text, and both fail on JSON that escapes what no text can be, or
//! has numbers that nobody can count with.

use std::borrow::Cow;

/// SQLite reads JSON to a depth of 1000, PostgreSQL to the end of its stack. Kubernetes' objects are nested 20 deep.
const MAX_DEPTH: usize = 500;
/// Numbers that are longer, or have an exponent of more digits, are text: PostgreSQL refuses the largest of them.
const MAX_NUMBER: (usize, usize) = (64, 2);

/// A text without NUL: what stood for it is U+FFFD.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The JSON object of these bytes as both databases can look into it; none if they are no JSON object.
///
/// Nearly always it is exactly the bytes. A `\u0000`, or half of a surrogate pair, is U+FFFD in it; a number that is too
/// large is its text.
pub(super) fn json(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let text = std::str::from_utf8(bytes).ok()?;
    if text.trim_start().as_bytes().first() != Some(&b'{') {
        return None;
    }
    let text = if has_odd_escapes(bytes) {
        Cow::Owned(replaced(text))
    } else {
        Cow::Borrowed(text)
    };
    if is_deep(bytes) {
        return None;
    }
    serde_json::from_str::<serde::de::IgnoredAny>(&text).ok()?;
    match with_quoted_numbers(&text) {
        Some(quoted) => Some(Cow::Owned(quoted)),
        None => Some(text),
    }
}

/// Whether arrays and objects are nested deeper than a database reads. Most have too few of them to be looked at.
fn is_deep(json: &[u8]) -> bool {
    if memchr::memchr2_iter(b'[', b'{', json)
        .nth(MAX_DEPTH)
        .is_none()
    {
        return false;
    }
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest > MAX_DEPTH
}

/// The JSON with numbers that are too large as text; none if it has none.
fn with_quoted_numbers(json: &str) -> Option<String> {
    let (mut out, mut rest) = (String::new(), json);
    let mut seen = 0;
    while let Some(unseen) = rest.get(seen..) {
        let Some(at) = unseen.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) else {
            break;
        };
        let (_, token) = unseen.split_at(at);
        seen += at;
        if token.starts_with('"') {
            seen += string_length(token);
            continue;
        }
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let length = token.find(|c| !is_part(c)).unwrap_or(token.len());
        let (number, after) = token.split_at(length);
        seen += length;
        if is_large(number) {
            let (before, _) = rest.split_at(seen - length);
            out.extend([before, "\"", number, "\""]);
            (rest, seen) = (after, 0);
        }
    }
    if out.is_empty() {
        return None;
    }
    out.push_str(rest);
    Some(out)
}

fn is_large(number: &str) -> bool {
    let exponent = number.split_once(['e', 'E']).map_or("", |(_, it)| it);
    let digits = exponent.trim_start_matches(['+', '-']).len();
    number.len() > MAX_NUMBER.0 || digits > MAX_NUMBER.1
}

/// The length of the string that JSON begins with, with both quotation marks.
fn string_length(json: &str) -> usize {
    let bytes = json.as_bytes();
    let mut seen = 1;
    while let Some(at) = bytes
        .get(seen..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        seen += at;
        if bytes.get(seen) == Some(&b'"') {
            return seen + 1;
        }
        seen += 2;
    }
    bytes.len()
}

/// Whether something in it might be `\u0000` or a surrogate: `\u00` followed by 00, `\ud8` to `\udf`.
fn has_odd_escapes(bytes: &[u8]) -> bool {
    memchr::memmem::find_iter(bytes, b"\\u").any(|at| {
        let digits = bytes.get(at + 2..at + 6).unwrap_or_default();
        digits == b"0000" || matches!(digits.first(), Some(b'd' | b'D'))
    })
}

/// The text with odd escapes replaced. What is escaped by a backslash before it is left alone.
fn replaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let (taken, written) = match code(escape) {
            Some(0) => (6, "\\ufffd"),
            Some(0xd800..=0xdbff) => {
                let low = escape.get(6..).and_then(code);
                match low {
                    Some(0xdc00..=0xdfff) => (12, ""),
                    _ => (6, "\\ufffd"),
                }
            }
            Some(0xdc00..=0xdfff) => (6, "\\ufffd"),
            _ => (
                escape
                    .char_indices()
                    .nth(2)
                    .map_or(escape.len(), |(at, _)| at),
                "",
            ),
        };
        let (escape, after) = escape.split_at(taken);
        out.push_str(if written.is_empty() { escape } else { written });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The code unit of the `\uXXXX` that a text begins with.
fn code(escape: &str) -> Option<u32> {
    let digits = escape.strip_prefix("\\u")?.get(..4)?;
    let all = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    all.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_no_text_can_be_is_replaced() {
        let cases = [
            (r#"{"a":"plain"}"#, r#"{"a":"plain"}"#),
            (r#"{"a":"x\u0000y"}"#, r#"{"a":"x\ufffdy"}"#),
            (r#"{"a":"x\\u0000y"}"#, r#"{"a":"x\\u0000y"}"#),
            (r#"{"a":"x\\\u0000y"}"#, r#"{"a":"x\\\ufffdy"}"#),
            (r#"{"a":"\ud83d\ude00"}"#, r#"{"a":"\ud83d\ude00"}"#),
            (r#"{"a":"\uD83Dx"}"#, r#"{"a":"\ufffdx"}"#),
            (r#"{"a":"\ude00"}"#, r#"{"a":"\ufffd"}"#),
            (
                r#"{"a":"\ud83d\ud83d\ude00"}"#,
                r#"{"a":"\ufffd\ud83d\ude00"}"#,
            ),
            (
                r#"{"a":[1e400,-1E-99999],"b":1e99,"c":"\"1e400","d":-1.5e+123}"#,
                r#"{"a":["1e400","-1E-99999"],"b":1e99,"c":"\"1e400","d":"-1.5e+123"}"#,
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(json(text.as_bytes()).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_object_is_none() {
        for text in ["", "[]", "{", "null", "{\"a\":\"\u{0}\"}", "{} {}"] {
            assert_eq!(json(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(json(b"{\"a\":\"\xff\"}"), None);
        let nested =
            |depth: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        assert!(json(nested(MAX_DEPTH).as_bytes()).is_none());
        assert!(json(nested(MAX_DEPTH - 1).as_bytes()).is_some());
        let flat = format!(r#"{{"a":"{}"}}"#, "[\\\"".repeat(MAX_DEPTH));
        assert!(json(flat.as_bytes()).is_some());
        assert_eq!(clean("a\0b"), "a\u{fffd}b");
    }
}
