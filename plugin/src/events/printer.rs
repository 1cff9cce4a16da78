//! Events as a table, as objects, or as names.

use super::event::Event;
use super::ordered::indented;
use crate::get::printer::CLUSTER_ANNOTATION;
use crate::print::objects::{Format, ObjectPrinter};
use crate::print::tabwriter::TabWriter;
use crate::print::{Audience, json, name, sanitize, yaml};
use serde_json::{Value, json as value};
use std::borrow::Cow;

/// How events are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventForm {
    /// kubectl's table.
    Table,
    /// Objects as JSON.
    Json,
    /// Objects as YAML.
    Yaml,
    /// `event/web.17a2`
    Name,
}

/// Prints events.
#[derive(Debug)]
pub struct EventPrinter {
    form: EventForm,
    audience: Audience,
    /// A first column, or an annotation, that says the cluster: there may be several.
    with_cluster: bool,
    with_namespace: bool,
    headers: bool,
    table: TabWriter,
    objects: ObjectPrinter,
    items: Vec<Value>,
}

impl EventPrinter {
    /// A printer that has printed nothing.
    pub fn new(form: EventForm, audience: Audience, with_cluster: bool, no_headers: bool) -> Self {
        let format = match form {
            EventForm::Yaml => Format::Yaml,
            EventForm::Table | EventForm::Name | EventForm::Json => Format::Json,
        };
        Self {
            form,
            audience,
            with_cluster,
            with_namespace: false,
            headers: !no_headers,
            table: TabWriter::new(),
            objects: ObjectPrinter::new(format, with_cluster, audience),
            items: Vec::new(),
        }
    }

    /// Events of all namespaces say theirs.
    #[must_use]
    pub fn with_namespace(self, with_namespace: bool) -> Self {
        Self {
            with_namespace,
            ..self
        }
    }

    /// The next part of a list, in the order in which it is given.
    pub fn list(&mut self, events: &[Event]) -> String {
        match self.form {
            EventForm::Table => {
                self.head();
                events.iter().for_each(|event| self.row(event));
                self.table.flush();
                self.table.take()
            }
            EventForm::Name => events.iter().map(line).collect(),
            // One list holds them all: it is printed at the end.
            EventForm::Json if !self.with_cluster => {
                events.iter().fold(String::new(), |text, event| {
                    let head = match self.items.is_empty() {
                        true => HEAD,
                        false => ",",
                    };
                    self.items.push(Value::Null);
                    text + head + "\n        " + &self.as_go_has_it(event, 2)
                })
            }
            EventForm::Json | EventForm::Yaml => {
                let items = events.iter().filter_map(|event| self.object(event));
                let items: Vec<_> = items.collect();
                self.items.extend(items);
                String::new()
            }
        }
    }

    /// The end of the list.
    pub fn end(&mut self) -> String {
        let items = std::mem::take(&mut self.items);
        let list =
            value!({"apiVersion": "v1", "kind": "EventList", "metadata": {}, "items": items});
        match self.form {
            EventForm::Table | EventForm::Name => String::new(),
            EventForm::Json if !self.with_cluster => "\n    ]\n}\n".to_owned(),
            EventForm::Json => json::document(&list, self.audience),
            EventForm::Yaml => yaml::document(&list, self.audience),
        }
    }

    /// One event by itself, as a watch prints it.
    pub fn one(&mut self, event: &Event) -> String {
        match self.form {
            EventForm::Table => {
                self.head();
                self.row(event);
                self.table.flush();
                self.table.take()
            }
            EventForm::Name => line(event),
            EventForm::Json if !self.with_cluster => self.as_go_has_it(event, 0) + "\n",
            EventForm::Json | EventForm::Yaml => self
                .object(event)
                .and_then(|object| self.objects.object(&object, event.cluster.as_str()).ok())
                .unwrap_or_default(),
        }
    }

    fn head(&mut self) {
        if std::mem::take(&mut self.headers) {
            if self.with_cluster {
                self.table.write("CLUSTER\t");
            }
            if self.with_namespace {
                self.table.write("NAMESPACE\t");
            }
            self.table
                .write("LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n");
        }
    }

    fn row(&mut self, event: &Event) {
        let said = &event.said;
        let mut row = String::new();
        if self.with_cluster {
            row += &sanitize::word(event.cluster.as_str());
            row.push('\t');
        }
        if self.with_namespace {
            row += &sanitize::line(&said.metadata.namespace);
            row.push('\t');
        }
        let cells = [
            Cow::Owned(event.last_seen()),
            self.text(&said.kind),
            self.text(&said.reason),
            Cow::Owned(format!(
                "{}/{}",
                self.text(&said.involved_object.kind),
                self.text(&said.involved_object.name)
            )),
            self.text(said.message.trim()),
        ];
        row += &cells.join("\t");
        row.push('\n');
        self.table.write(&row);
    }

    /// kubectl leaves line breaks alone; on a terminal they could pass for rows.
    fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.audience {
            Audience::Program if text.contains('\n') => {
                let lines: Vec<_> = text.split('\n').map(sanitize::line).collect();
                Cow::Owned(lines.join("\n"))
            }
            _ => sanitize::line(text),
        }
    }

    fn as_go_has_it(&self, event: &Event, depth: usize) -> String {
        let text = String::from_utf8_lossy(&event.json);
        // Go has the kind first.
        let text = match text.strip_prefix(r#"{"apiVersion":"v1","kind":"Event""#) {
            Some(rest) => Cow::Owned(format!(r#"{{"kind":"Event","apiVersion":"v1"{rest}"#)),
            None => text,
        };
        let text = indented(&text, depth);
        match self.audience {
            Audience::Terminal if text.chars().any(sanitize::is_covert) => {
                let escaped = |c: char| match sanitize::is_covert(c) {
                    true => format!("\\u{:04x}", u32::from(c)),
                    false => c.to_string(),
                };
                text.chars().map(escaped).collect()
            }
            _ => text,
        }
    }

    fn object(&self, event: &Event) -> Option<Value> {
        let mut object: Value = serde_json::from_slice(&event.json).ok()?;
        if self.with_cluster {
            let metadata = object.get_mut("metadata")?.as_object_mut()?;
            let annotations = metadata
                .entry("annotations")
                .or_insert_with(|| value!({}))
                .as_object_mut()?;
            annotations.insert(CLUSTER_ANNOTATION.into(), event.cluster.as_str().into());
        }
        Some(object)
    }
}

const HEAD: &str = "{\n    \"kind\": \"EventList\",\n    \"apiVersion\": \"v1\",\n    \"metadata\": {},\n    \"items\": [";

fn line(event: &Event) -> String {
    name::line("Event", "", &event.said.metadata.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use mqtt_informer::protocol::names::ClusterName;

    fn event(cluster: &str, message: &str) -> Event {
        let json = value!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e1", "namespace": "shop"},
            "type": "Normal", "reason": "Started", "involvedObject": {"kind": "Pod", "name": "web"},
            "message": message, "firstTimestamp": "1970-01-01T00:00:00Z",
        });
        let cluster = ClusterName::new(cluster).unwrap();
        Event::read(&cluster, 5_000, &Bytes::from(json.to_string())).unwrap()
    }

    fn printer(form: EventForm, with_cluster: bool) -> EventPrinter {
        EventPrinter::new(form, Audience::Program, with_cluster, false)
    }

    #[test]
    fn as_kubectl_lays_them_out() {
        let mut table = printer(EventForm::Table, false);
        assert_eq!(
            table.list(&[event("a", " up\n")]),
            "LAST SEEN   TYPE     REASON    OBJECT    MESSAGE\n5s          Normal   Started   Pod/web   up\n"
        );
        let mut all = printer(EventForm::Table, true).with_namespace(true);
        assert_eq!(
            all.list(&[event("berlin", "up")]),
            "CLUSTER   NAMESPACE   LAST SEEN   TYPE     REASON    OBJECT    MESSAGE\n\
             berlin    shop        5s          Normal   Started   Pod/web   up\n"
        );
        assert_eq!(
            printer(EventForm::Name, false).list(&[event("a", "")]),
            "event/e1\n"
        );
    }

    #[test]
    fn what_could_deceive_is_shown() {
        let hostile = "a\x1b[2J\u{202e}\nforged";
        let shown = printer(EventForm::Table, false).one(&event("a", hostile));
        assert!(shown.ends_with("a^[[2J\\u202e\nforged\n"), "{shown:?}");
        let mut terminal = EventPrinter::new(EventForm::Table, Audience::Terminal, false, true);
        assert!(
            terminal
                .one(&event("a", hostile))
                .ends_with("a^[[2J\\u202e^Jforged\n")
        );
    }

    #[test]
    fn objects_are_one_list() {
        let events = [event("a", "up"), event("b", "down")];
        for (with_cluster, format) in [
            (true, EventForm::Json),
            (false, EventForm::Json),
            (true, EventForm::Yaml),
        ] {
            let mut printer = printer(format, with_cluster);
            let text = printer.list(&events) + &printer.end();
            let list: Value = serde_yaml::from_str(&text).unwrap();
            assert_eq!(list["kind"], "EventList");
            let items = list["items"].as_array().unwrap();
            assert_eq!(items.len(), 2);
            let cluster = &items[1]["metadata"]["annotations"][CLUSTER_ANNOTATION];
            assert_eq!(cluster.as_str(), with_cluster.then_some("b"));
        }
    }
}
