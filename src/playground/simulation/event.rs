//! What is told about what happens.

use super::super::rfc3339;
use super::super::store::Store;
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Real ones live for an hour; these, until there are too many.
const KEPT: usize = 150;

/// Kind, namespace and name of what an event is about.
type About<'a> = (&'static str, &'a str, &'a str);

/// The events of a cluster.
#[derive(Debug, Default)]
pub(super) struct Events {
    kept: VecDeque<Event>,
    gone: Vec<(String, String)>,
    made: u64,
}

#[derive(Debug)]
struct Event {
    name: String,
    namespace: String,
    about: (&'static str, String),
    kind: &'static str,
    reason: &'static str,
    message: String,
    component: &'static str,
    first: i64,
    last: i64,
    count: u32,
    changed: bool,
}

impl Events {
    pub(super) fn add(
        &mut self,
        now: i64,
        about: About<'_>,
        reason: &'static str,
        message: &str,
        component: &'static str,
    ) {
        self.tell(now, about, ("Normal", reason), message, component);
    }

    pub(super) fn warn(
        &mut self,
        now: i64,
        about: About<'_>,
        reason: &'static str,
        message: &str,
        component: &'static str,
    ) {
        self.tell(now, about, ("Warning", reason), message, component);
    }

    fn tell(
        &mut self,
        now: i64,
        (of, namespace, name): About<'_>,
        (kind, reason): (&'static str, &'static str),
        message: &str,
        component: &'static str,
    ) {
        let namespace = if namespace.is_empty() {
            "default"
        } else {
            namespace
        };
        let same = |event: &&mut Event| {
            event.about == (of, name.to_owned())
                && event.namespace == namespace
                && event.reason == reason
                && event.message == message
        };
        if let Some(event) = self.kept.iter_mut().find(same) {
            event.count += 1;
            event.last = now;
            event.changed = true;
            return;
        }
        self.made += 1;
        self.kept.push_back(Event {
            name: format!(
                "{name}.{:016x}",
                0x17fa_0000_0000_0000 + self.made * 0x51_7cc1
            ),
            namespace: namespace.into(),
            about: (of, name.into()),
            kind,
            reason,
            message: message.into(),
            component,
            first: now,
            last: now,
            count: 1,
            changed: true,
        });
        if self.kept.len() > KEPT
            && let Some(event) = self.kept.pop_front()
        {
            self.gone.push((event.namespace, event.name));
        }
    }

    pub(super) fn render(&mut self, store: &mut Store) {
        for (namespace, name) in self.gone.drain(..) {
            store.delete("events", &namespace, &name);
        }
        for event in self.kept.iter_mut().filter(|event| event.changed) {
            event.changed = false;
            let involved = involved(event, store);
            let object = json!({
                "metadata": {"name": event.name, "namespace": event.namespace, "creationTimestamp": rfc3339(event.first)},
                "involvedObject": involved, "type": event.kind, "reason": event.reason, "message": event.message,
                "source": {"component": event.component}, "count": event.count,
                "firstTimestamp": rfc3339(event.first), "lastTimestamp": rfc3339(event.last),
            });
            store.put("events", object, "");
        }
    }
}

/// What an event is about, as its reporter would name it: by its uid, too, since names are taken anew.
fn involved(event: &Event, store: &Store) -> Value {
    let (kind, name) = (event.about.0, event.about.1.as_str());
    let is_node = kind == "Node";
    let namespace = if is_node { "" } else { &event.namespace };
    let of_kind = store.kinds().iter().find(|it| it.kind == kind);
    let object = of_kind.and_then(|it| store.get(&it.name(), namespace, name));
    let mut involved = json!({"kind": kind, "name": name});
    if !is_node {
        involved["namespace"] = event.namespace.clone().into();
    }
    if let (Some(of_kind), Some(object)) = (of_kind, object) {
        involved["apiVersion"] = of_kind.api_version().into();
        involved["uid"] = object["metadata"]["uid"].clone();
    }
    involved
}
