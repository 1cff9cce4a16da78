//! `-o json` and `-o yaml`: one object, one List, or one object after another.
//!
//! `printGeneric` and `watch` of kubectl's get.go. A List is written item by item, so that it never has to be held
//! whole.

use super::{Audience, json, yaml};
use serde_json::{Value, json};

/// The format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `-o json`.
    Json,
    /// `-o yaml`.
    Yaml,
}

/// Writes objects; each method returns the text that comes next.
#[derive(Clone, Debug)]
pub struct ObjectPrinter {
    format: Format,
    audience: Audience,
    printed: usize,
}

impl ObjectPrinter {
    /// A printer that has printed nothing yet.
    pub fn new(format: Format, audience: Audience) -> Self {
        Self {
            format,
            audience,
            printed: 0,
        }
    }

    /// An object by itself; YAML separates it from the one before.
    pub fn object(&mut self, object: &Value) -> String {
        self.printed += 1;
        match self.format {
            Format::Json => json::document(object, self.audience),
            Format::Yaml if self.printed > 1 => {
                "---\n".to_owned() + &yaml::document(object, self.audience)
            }
            Format::Yaml => yaml::document(object, self.audience),
        }
    }

    /// An item of the List.
    pub fn item(&mut self, object: &Value) -> String {
        self.printed += 1;
        let first = self.printed == 1;
        match self.format {
            Format::Json => {
                let head = if first {
                    "{\n    \"apiVersion\": \"v1\",\n    \"items\": ["
                } else {
                    ","
                };
                format!("{head}\n        {}", json::nested(object, 2, self.audience))
            }
            Format::Yaml => {
                let head = if first {
                    "apiVersion: v1\nitems:\n"
                } else {
                    ""
                };
                // A sequence in a mapping stands as far left as the mapping: the same text as a document of one item.
                head.to_owned() + &yaml::document(&json!([object]), self.audience)
            }
        }
    }

    /// The end of the List; the whole of it if there was no item.
    pub fn end(&mut self) -> String {
        match (self.format, self.printed) {
            (_, 0) => {
                let list = json!({"apiVersion": "v1", "kind": "List", "items": [], "metadata": {"resourceVersion": ""}});
                self.object(&list)
            }
            (Format::Json, _) => {
                "\n    ],\n    \"kind\": \"List\",\n    \"metadata\": {\n        \"resourceVersion\": \"\"\n    }\n}\n".to_owned()
            }
            (Format::Yaml, _) => "kind: List\nmetadata:\n  resourceVersion: \"\"\n".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list_of(items: &[Value], format: Format) -> String {
        let mut printer = ObjectPrinter::new(format, Audience::Program);
        let mut text: String = items.iter().map(|item| printer.item(item)).collect();
        text += &printer.end();
        text
    }

    /// Item by item is the same text as the whole at once.
    #[test]
    fn a_list_is_one_document() {
        let object =
            json!({"kind": "Pod", "a": [[1, "two words"], {"x": "line\nline\n"}], "e": {}});
        for items in [
            vec![],
            vec![object.clone()],
            vec![object.clone(), json!({}), object],
        ] {
            let whole = json!({"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}});
            assert_eq!(
                list_of(&items, Format::Json),
                json::document(&whole, Audience::Program)
            );
            assert_eq!(
                list_of(&items, Format::Yaml),
                yaml::document(&whole, Audience::Program)
            );
        }
    }

    #[test]
    fn objects_one_after_another() {
        let object = json!({"a": 1});
        let mut yaml = ObjectPrinter::new(Format::Yaml, Audience::Program);
        assert_eq!(
            yaml.object(&object) + &yaml.object(&object),
            "a: 1\n---\na: 1\n"
        );
        let mut json = ObjectPrinter::new(Format::Json, Audience::Program);
        assert_eq!(
            json.object(&object) + &json.object(&object),
            "{\n    \"a\": 1\n}\n{\n    \"a\": 1\n}\n"
        );
    }
}
