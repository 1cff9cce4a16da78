//! Whole objects: one, one List, one after another, or the events of a watch.
//!
//! `printGeneric` and `watch` of kubectl's get.go. A List is written item by item, so that it never has to be held
//! whole; but for a JSONPath, which may look anywhere in it.

use super::columns::{Columns, ColumnsPrinter};
use super::jsonpath::{self, Template};
use super::{Audience, json, kyaml, name, yaml};
use serde_json::{Map, Number, Value, json};
use std::sync::Arc;

/// The format.
#[derive(Clone, Debug, PartialEq)]
pub enum Format {
    /// `-o json`.
    Json,
    /// `-o yaml`.
    Yaml,
    /// `-o kyaml`.
    Kyaml,
    /// `-o name`, of objects that are needed whole for another reason.
    Name,
    /// `-o jsonpath=...`.
    JsonPath(Arc<Template>),
    /// `-o jsonpath-as-json=...`.
    JsonPathAsJson(Arc<Template>),
    /// `-o custom-columns=...`.
    Columns(Arc<Columns>),
}

impl Format {
    /// kubectl leaves managedFields out of JSON and YAML only.
    pub fn shows_managed_fields(&self) -> bool {
        matches!(
            self,
            Self::JsonPath(_) | Self::JsonPathAsJson(_) | Self::Columns(_)
        )
    }
}

/// Writes objects; each method returns the text that comes next, or why there is none, in kubectl's words.
#[derive(Debug)]
pub struct ObjectPrinter {
    format: Format,
    audience: Audience,
    printed: usize,
    /// The items of a List that a JSONPath looks at when it is whole.
    held: Vec<Value>,
    columns: Option<ColumnsPrinter>,
    /// Rows say their cluster.
    with_cluster: bool,
}

impl ObjectPrinter {
    /// A printer that has printed nothing yet.
    pub fn new(format: Format, with_cluster: bool, audience: Audience) -> Self {
        let columns = match &format {
            Format::Columns(columns) => Some(ColumnsPrinter::new(Arc::clone(columns), audience)),
            _ => None,
        };
        Self {
            format,
            audience,
            printed: 0,
            held: Vec::new(),
            columns,
            with_cluster,
        }
    }

    /// An object by itself; YAML separates it from the one before.
    ///
    /// # Errors
    /// When a JSONPath cannot be applied.
    pub fn object(&mut self, object: &Value, cluster: &str) -> Result<String, String> {
        self.printed += 1;
        Ok(match &self.format {
            Format::Json => json::document(object, self.audience),
            Format::Yaml => self.separated(object),
            Format::Kyaml => kyaml::document(object, self.audience),
            Format::Name => name_of(object),
            Format::JsonPath(template) => jsonpath::print(template, object, false, self.audience)?,
            Format::JsonPathAsJson(template) => {
                jsonpath::print(template, object, true, self.audience)?
            }
            Format::Columns(_) => {
                self.row(object, cluster)?;
                self.batch()
            }
        })
    }

    /// An item of the List.
    ///
    /// # Errors
    /// When a custom column cannot be made.
    pub fn item(&mut self, object: &Value, cluster: &str) -> Result<String, String> {
        self.printed += 1;
        let first = self.printed == 1;
        Ok(match &self.format {
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
            Format::Kyaml => {
                let head = if first {
                    "---\n{\n  apiVersion: \"v1\",\n  items: ["
                } else {
                    ", "
                };
                head.to_owned() + &kyaml::nested(object, 1, self.audience)
            }
            Format::Name => name_of(object),
            Format::JsonPath(_) | Format::JsonPathAsJson(_) => {
                self.held.push(object.clone());
                String::new()
            }
            Format::Columns(_) => {
                self.row(object, cluster)?;
                String::new()
            }
        })
    }

    /// What waits to be aligned.
    pub fn batch(&mut self) -> String {
        self.columns
            .as_mut()
            .map(ColumnsPrinter::batch)
            .unwrap_or_default()
    }

    /// The end of the List; the whole of it if there was no item.
    ///
    /// # Errors
    /// When a JSONPath cannot be applied.
    pub fn end(&mut self) -> Result<String, String> {
        if let Some(columns) = &mut self.columns {
            return Ok(columns.end(self.with_cluster));
        }
        Ok(match (&self.format, self.printed) {
            (Format::JsonPath(_) | Format::JsonPathAsJson(_), _) | (Format::Json | Format::Yaml | Format::Kyaml, 0) => {
                let items = std::mem::take(&mut self.held);
                let list = json!({"apiVersion": "v1", "kind": "List", "items": items, "metadata": {"resourceVersion": ""}});
                self.object(&list, "")?
            }
            (Format::Json, _) => {
                "\n    ],\n    \"kind\": \"List\",\n    \"metadata\": {\n        \"resourceVersion\": \"\"\n    }\n}\n".to_owned()
            }
            (Format::Yaml, _) => "kind: List\nmetadata:\n  resourceVersion: \"\"\n".to_owned(),
            (Format::Kyaml, _) => {
                "],\n  kind: \"List\",\n  metadata: {\n    resourceVersion: \"\",\n  },\n}\n".to_owned()
            }
            (Format::Name | Format::Columns(_), _) => String::new(),
        })
    }

    /// An event of a watch: `ADDED`, `MODIFIED` or `DELETED`, and the object.
    ///
    /// # Errors
    /// When a JSONPath cannot be applied.
    pub fn event(&mut self, kind: &str, object: &Value, cluster: &str) -> Result<String, String> {
        match &self.format {
            Format::Json => Ok(format!(
                "{{\"type\":\"{kind}\",\"object\":{}}}\n",
                json::compact(object, self.audience)
            )),
            Format::Kyaml => Ok(format!(
                "---\n{{\n  type: \"{kind}\",\n  object: {},\n}}\n",
                kyaml::nested(object, 1, self.audience)
            )),
            Format::Name => Ok(name_of(object)),
            Format::Yaml | Format::Columns(_) => {
                self.object(&json!({"type": kind, "object": object}), cluster)
            }
            // It goes through JSON there, which makes every number a floating one.
            Format::JsonPath(_) | Format::JsonPathAsJson(_) => {
                self.object(&json!({"type": kind, "object": floating(object)}), cluster)
            }
        }
    }

    fn separated(&self, object: &Value) -> String {
        let between = if self.printed > 1 { "---\n" } else { "" };
        between.to_owned() + &yaml::document(object, self.audience)
    }

    fn row(&mut self, object: &Value, cluster: &str) -> Result<(), String> {
        let cluster = self.with_cluster.then_some(cluster);
        match &mut self.columns {
            Some(columns) => columns.add(object, cluster),
            None => Ok(()),
        }
    }
}

fn name_of(object: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let version = word(&object["apiVersion"]);
    let group = version.split_once('/').map_or("", |(group, _)| group);
    name::line(
        &word(&object["kind"]),
        group,
        &word(&object["metadata"]["name"]),
    )
}

fn floating(value: &Value) -> Value {
    match value {
        Value::Number(number) => number
            .as_f64()
            .and_then(Number::from_f64)
            .map_or(Value::Null, Value::Number),
        Value::Array(items) => items.iter().map(floating).collect(),
        Value::Object(map) => {
            let members = map
                .iter()
                .map(|(key, value)| (key.clone(), floating(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list_of(items: &[Value], format: Format) -> String {
        let mut printer = ObjectPrinter::new(format, false, Audience::Program);
        let mut text: String = items
            .iter()
            .map(|item| printer.item(item, "").unwrap())
            .collect();
        text += &printer.batch();
        text += &printer.end().unwrap();
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
            assert_eq!(
                list_of(&items, Format::Kyaml),
                kyaml::document(&whole, Audience::Program)
            );
            let template = Arc::new(Template::parse("{.items[*].kind}").unwrap());
            assert_eq!(
                list_of(&items, Format::JsonPath(Arc::clone(&template))),
                jsonpath::print(&template, &whole, false, Audience::Program).unwrap()
            );
        }
    }

    #[test]
    fn objects_one_after_another() {
        let object = json!({"a": 1});
        let twice = |format| {
            let mut printer = ObjectPrinter::new(format, false, Audience::Program);
            printer.object(&object, "").unwrap() + &printer.object(&object, "").unwrap()
        };
        assert_eq!(twice(Format::Yaml), "a: 1\n---\na: 1\n");
        assert_eq!(
            twice(Format::Json),
            "{\n    \"a\": 1\n}\n{\n    \"a\": 1\n}\n"
        );
        let columns = Columns::parse("A:.a", true).unwrap();
        assert_eq!(twice(Format::Columns(Arc::new(columns))), "A\n1\n1\n");
    }

    #[test]
    fn events_as_kubectl_writes_them() {
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "n": 1234567});
        let event = |format| {
            let mut printer = ObjectPrinter::new(format, false, Audience::Program);
            printer.event("ADDED", &object, "").unwrap()
        };
        assert_eq!(
            event(Format::Json),
            "{\"type\":\"ADDED\",\"object\":{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\"},\
             \"n\":1234567}}\n"
        );
        assert_eq!(
            event(Format::Yaml),
            "object:\n  apiVersion: apps/v1\n  kind: Deployment\n  metadata:\n    name: web\n  \"n\": 1234567\ntype: ADDED\n"
        );
        assert_eq!(event(Format::Name), "deployment.apps/web\n");
        let template = Template::parse("{.type} {.object.n}").unwrap();
        assert_eq!(
            event(Format::JsonPath(Arc::new(template))),
            "ADDED 1.234567e+06"
        );
        let columns = Columns::parse("T:.type,N:.object.n", false).unwrap();
        assert_eq!(
            event(Format::Columns(Arc::new(columns))),
            "ADDED   1234567\n"
        );
        assert!(event(Format::Kyaml).starts_with(
            "---\n{\n  type: \"ADDED\",\n  object: {\n    apiVersion: \"apps/v1\",\n"
        ));
    }
}
