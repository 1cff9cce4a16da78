//! JSON as Go writes a struct: members stay in the order in which the API server has them.

/// The text of a JSON value that begins `depth` levels deep, indented as `json.MarshalIndent` does with four spaces.
/// Takes valid JSON; of anything else it makes some text.
pub(super) fn indented(json: &str, depth: usize) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = depth;
    let mut chars = json.chars();
    let mut opened = false;
    while let Some(c) = chars.next() {
        match c {
            c if c.is_ascii_whitespace() => {}
            '"' => {
                first(&mut out, &mut opened, depth);
                out.push('"');
                text(&mut out, &mut chars);
            }
            '{' | '[' => {
                first(&mut out, &mut opened, depth);
                out.push(c);
                depth += 1;
                opened = true;
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if !std::mem::take(&mut opened) {
                    line(&mut out, depth);
                }
                out.push(c);
            }
            ',' => {
                out.push(',');
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c => {
                first(&mut out, &mut opened, depth);
                out.push(c);
            }
        }
    }
    out
}

/// The first thing behind an opening bracket begins a line.
fn first(out: &mut String, opened: &mut bool, depth: usize) {
    if std::mem::take(opened) {
        line(out, depth);
    }
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("    ", depth));
}

/// The rest of a text, its closing quote included.
fn text(out: &mut String, chars: &mut std::str::Chars<'_>) {
    while let Some(c) = chars.next() {
        out.push(c);
        match c {
            '"' => return,
            '\\' => out.extend(chars.next()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn members_stay_in_their_order() {
        let json = r#"{"b":1,"a":{"x":[],"y":{},"z":[1,{"q":null}]},"c":"a, \"b\": {c} \\"}"#;
        let want = "{\n    \"b\": 1,\n    \"a\": {\n        \"x\": [],\n        \"y\": {},\n        \"z\": [\n            1,\n            \
                    {\n                \"q\": null\n            }\n        ]\n    },\n    \"c\": \"a, \\\"b\\\": {c} \\\\\"\n}";
        assert_eq!(indented(json, 0), want);
        assert_eq!(indented("{\"a\": 1}", 1), "{\n        \"a\": 1\n    }");
    }

    proptest! {
        #[test]
        fn it_reads_back(text in any::<String>(), number: i64) {
            let value = serde_json::json!({"a": [text, {}, [], {"b": number}], "c": null, "d": true});
            let again: serde_json::Value = serde_json::from_str(&indented(&value.to_string(), 3)).unwrap();
            prop_assert_eq!(again, value);
        }

        #[test]
        fn whatever_it_is_nothing_breaks(text in any::<String>()) {
            indented(&text, 0);
        }
    }
}
