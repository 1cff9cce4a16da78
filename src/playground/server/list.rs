//! Lists, in pages of one state.

use super::super::store::ObjectKey;
use super::super::{Shared, metrics, now, table};
use super::{Asked, json_answer, refuse};
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub(super) fn answer(shared: &Shared, asked: &Asked) -> Response {
    shared.lists.fetch_add(1, Ordering::SeqCst);
    let resource = asked.kind.name();
    let (version, objects, after) = {
        let mut store = shared.store();
        let measured = metrics::objects(&resource, &store, now());
        match parse_token(&asked.parameters.next) {
            // A metrics server has no pages.
            _ if measured.is_some() => (store.version(), measured.unwrap_or_default(), None),
            None if asked.parameters.next.is_empty() => {
                if asked.parameters.limit > 0 {
                    store.keep_snapshot(&resource);
                }
                (store.version(), store.objects(&resource), None)
            }
            None => return refuse(400, "BadRequest", "continue key is not valid"),
            Some((version, after)) => match store.snapshot(version, &resource) {
                Some(objects) => (version, objects, Some(after)),
                None => {
                    return refuse(410, "Expired", "The provided continue parameter is too old");
                }
            },
        }
    };
    let selected = objects.iter().filter(|((namespace, _), object)| {
        (asked.namespace.is_empty() || *namespace == asked.namespace)
            && asked.selector.selects(object)
    });
    let mut rest = selected.filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after));
    let limit = match asked.parameters.limit {
        _ if asked.kind.group == metrics::GROUP => usize::MAX,
        0 => usize::MAX,
        limit => limit,
    };
    let page: Vec<(&ObjectKey, &Arc<Value>)> = rest.by_ref().take(limit).collect();
    let next = match (rest.next(), page.last()) {
        _ if after.is_some() && shared.faults.state().endless_lists => {
            asked.parameters.next.clone()
        }
        (Some(_), Some(((namespace, name), _))) => format!("{version}:{namespace}/{name}"),
        _ => String::new(),
    };
    let metadata = json!({"resourceVersion": version.to_string(), "continue": next});
    let objects = page.into_iter().map(|(_, object)| &**object);
    json_answer(&match asked.table {
        true => table::of(
            &asked.kind,
            &asked.parameters.include_object,
            objects,
            &metadata,
            now(),
        ),
        false => {
            let items: Vec<Value> = objects
                .map(|object| without_type(object, &asked.kind.group))
                .collect();
            json!({
                "kind": format!("{}List", asked.kind.kind), "apiVersion": asked.kind.api_version(),
                "metadata": metadata, "items": items,
            })
        }
    })
}

/// `VERSION:NAMESPACE/NAME` of the last object of the page before.
fn parse_token(token: &str) -> Option<(u64, ObjectKey)> {
    let (version, key) = token.split_once(':')?;
    let (namespace, name) = key.split_once('/')?;
    Some((version.parse().ok()?, (namespace.into(), name.into())))
}

/// Items of lists of built-in kinds do not say what they are.
fn without_type(object: &Value, group: &str) -> Value {
    let mut object = object.clone();
    let built_in = !group.contains('.') || group.ends_with(".k8s.io");
    if let (true, Some(members)) = (built_in, object.as_object_mut()) {
        members.remove("kind");
        members.remove("apiVersion");
    }
    object
}
