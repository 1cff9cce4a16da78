use super::*;
use proptest::prelude::*;
use serde_json::json;

/// What kubectl's own libraries make of some object; made by tests/golden/generate.
const GOLDEN: &str = include_str!("../../../tests/golden/jsonpath.jsonl");

#[derive(serde::Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Case {
    template: String,
    strict: bool,
    json: bool,
    out: String,
    syntax: String,
    error: String,
}

impl Case {
    fn check(&self, object: &Value) {
        let name = format!(
            "{:?} strict={} json={}",
            self.template, self.strict, self.json
        );
        let template = match Template::parse(&self.template) {
            Ok(template) => template.with_missing_keys(!self.strict),
            Err(error) => {
                assert_eq!(error.message, self.syntax, "{name}");
                assert!(error.at <= self.template.len(), "{name}");
                return;
            }
        };
        assert_eq!("", self.syntax, "{name} should be refused");
        match print(&template, object, self.json, Audience::Program) {
            Ok(out) => assert_eq!(
                (out.as_str(), ""),
                (self.out.as_str(), self.error.as_str()),
                "{name}"
            ),
            Err(error) => assert_eq!(error + "\n", self.error, "{name}"),
        }
    }
}

#[test]
fn as_kubectl_s_own_library_does() {
    let mut lines = GOLDEN.lines();
    let object: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    let cases: Vec<Case> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(cases.len() > 900);
    cases.iter().for_each(|case| case.check(&object));
}

#[test]
fn an_error_tells_where_it_is() {
    for (template, at) in [
        ("{.a", 3),
        ("x{.a %}", 5),
        ("{.items[x]}", 8),
        ("{.items[0,x]}", 10),
        ("{.items[?(@.a==#)]}", 15),
        ("{.items[?(#)]}", 10),
        ("{\"a}", 1),
        ("{.a[?(@.b)}", 10),
        ("{..name....x}", 9),
    ] {
        assert_eq!(Template::parse(template).unwrap_err().at, at, "{template}");
    }
}

#[test]
fn an_error_of_a_relaxed_path_is_where_it_was_typed() {
    for (path, at) in [
        (".a[x]", 3),
        ("a[x]", 2),
        ("{.a[x]}", 4),
        ("{a[x]}", 3),
        ("{a", 0),
        ("a}", 1),
    ] {
        assert_eq!(Template::parse_relaxed(path).unwrap_err().at, at, "{path}");
    }
}

#[test]
fn relaxed_paths() {
    for (path, want) in [
        ("", Some("")),
        ("metadata.name", Some("{.metadata.name}")),
        (".metadata.name", Some("{.metadata.name}")),
        ("{metadata.name}", Some("{.metadata.name}")),
        ("{.metadata.name}", Some("{.metadata.name}")),
        (".", Some("{..}")),
        ("{.}", Some("{..}")),
        ("..name", Some("{..name}")),
        ("{}", None),
        ("{a}{b}", None),
        ("a}", None),
        ("{a", None),
    ] {
        assert_eq!(relaxed(path).ok().as_deref(), want, "{path}");
    }
}

#[test]
fn a_terminal_obeys_nothing_that_a_cluster_says() {
    let object = json!({"a": "x\x1b[2J\n\u{202e}", "b": ["\u{9b}"]});
    let template = Template::parse("{\"\\x1b[1m\"}{.a}{.b}").unwrap();
    let shown = print(&template, &object, false, Audience::Terminal).unwrap();
    assert_eq!(shown, "\x1b[1mx^[[2J\n\\u202e[\"\\u009b\"]");
}

proptest! {
    #[test]
    fn any_template_is_read_or_refused(text in "[ a-c0-2{}()\\[\\]?@$.,:'\"<>=!*\\\\\n-]{0,40}") {
        if let Ok(template) = Template::parse(&text) {
            let object = json!({"a": [{"b": 1}, {"b": "x"}, null, 2.5], "b": {"c": [[], {}]}, "c": "text"});
            let _ = print(&template, &object, false, Audience::Program);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = Template::parse(&format!("{{{text}}}")).map(|template| print(&template, &json!({}), true, Audience::Terminal));
        let _ = relaxed(&text);
    }
}
