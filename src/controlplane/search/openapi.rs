//! `/openapi.json`: the routes for programs, made of the table that requests are checked against.

use super::parameters::{Endpoint, Form, Parameter, TABLE};
use super::problem::KINDS;
use super::reader::Reader;
use super::scope::STATES;
use axum::Json;
use serde_json::{Map, Value, json};

pub(super) async fn document(_: Reader) -> Json<Value> {
    Json(openapi())
}

/// What each route answers with, and what it is.
const ROUTES: [(&str, Option<Endpoint>, &str, &str, &str); 6] = [
    (
        "/search",
        Some(Endpoint::Search),
        "Objects that match, page by page of one moment",
        "SearchAnswer",
        "application/json",
    ),
    (
        "/search/count",
        Some(Endpoint::Count),
        "How many objects match",
        "CountAnswer",
        "application/json",
    ),
    (
        "/search/watch",
        Some(Endpoint::Watch),
        "A search as server-sent events: clusters, snapshot, then added, changed and removed; expired when Last-Event-ID is too old",
        "Events",
        "text/event-stream",
    ),
    (
        "/history/{cluster}/{kind}/{namespace}/{name}",
        Some(Endpoint::History),
        "What happened to an object, the newest first; or how it was",
        "HistoryAnswer",
        "application/json",
    ),
    (
        "/history/{cluster}/{kind}/{name}",
        Some(Endpoint::History),
        "The same of an object that lives in no namespace",
        "HistoryAnswer",
        "application/json",
    ),
    (
        "/openapi.json",
        None,
        "This document",
        "Document",
        "application/json",
    ),
];

/// The document.
pub(super) fn openapi() -> Value {
    let paths: Map<String, Value> = ROUTES
        .iter()
        .map(|(path, endpoint, summary, answer, media)| {
            (
                (*path).to_owned(),
                route(path, *endpoint, summary, answer, media),
            )
        })
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "mqtt-informer search",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The fleet's objects, now and in the past, over all clusters. Read only.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "responses": {"Problem": {
                "description": "RFC 9457 problem details",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }},
            "schemas": schemas(),
        },
    })
}

fn route(
    path: &str,
    endpoint: Option<Endpoint>,
    summary: &str,
    answer: &str,
    media: &str,
) -> Value {
    let in_path = path
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = in_path
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    if let Some(endpoint) = endpoint {
        let of = TABLE
            .iter()
            .filter(|parameter| parameter.of.contains(&endpoint));
        parameters.extend(of.map(parameter));
    }
    if endpoint == Some(Endpoint::Watch) {
        parameters.push(json!({
            "name": "Last-Event-ID", "in": "header", "description": "Go on after this event.", "schema": {"type": "string"},
        }));
    }
    let mut responses = json!({
        "200": {"description": summary, "content": {media: {"schema": {"$ref": format!("#/components/schemas/{answer}")}}}},
    });
    for (_, _, status, _) in KINDS {
        responses[status.as_str()] = json!({"$ref": "#/components/responses/Problem"});
    }
    json!({"get": {
        "summary": summary,
        "operationId": operation(path),
        "parameters": parameters,
        "responses": responses,
    }})
}

/// `/search/count` is `searchCount`.
fn operation(path: &str) -> String {
    let words = path
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let mut name = String::new();
    for word in words {
        let mut rest = word.chars();
        let first = rest.next().unwrap_or_default();
        match name.is_empty() {
            true => name.push(first),
            false => name.push(first.to_ascii_uppercase()),
        }
        name.extend(rest);
    }
    name
}

fn parameter(parameter: &Parameter) -> Value {
    let one = match parameter.form {
        Form::Text => json!({"type": "string"}),
        Form::Number => json!({"type": "integer", "minimum": 1, "maximum": 500, "default": 100}),
        Form::Switch => json!({"type": "boolean", "default": false}),
        Form::Words => json!({"type": "array", "items": {"type": "string"}}),
    };
    let schema = match parameter.repeats {
        true => json!({"type": "array", "items": one}),
        false => one,
    };
    let mut json = json!({
        "name": parameter.name,
        "in": "query",
        "description": parameter.text,
        "schema": schema,
        "explode": parameter.repeats,
        "style": "form",
    });
    if !parameter.example.is_empty() {
        json["example"] = parameter.example.into();
    }
    json
}

fn schemas() -> Value {
    let text = json!({"type": "string"});
    let maybe = json!({"type": ["string", "null"]});
    let time = json!({"type": "string", "format": "date-time"});
    let list = |of: &str| json!({"type": "array", "items": {"$ref": format!("#/components/schemas/{of}")}});
    let texts = json!({"type": "array", "items": text});
    let types: Vec<_> = KINDS
        .iter()
        .map(|(_, word, _, _)| format!("urn:mqinformer:problem:{word}"))
        .collect();
    json!({
        "Item": {"type": "object", "properties": {
            "cluster": text, "resource": text, "kind": maybe, "apiVersion": maybe, "namespace": text, "name": text,
            "resourceVersion": text, "clusterResourceVersion": maybe, "uid": text, "created": maybe,
            "labels": {"type": "object", "additionalProperties": text},
            "owner": {"type": ["object", "null"], "properties": {"kind": text, "name": text}},
            "phase": maybe, "ready": {"type": ["boolean", "null"]}, "firstSeen": time, "changed": time,
            "cells": texts, "row": text, "fields": {"type": "object"}, "object": {"type": "object"},
        }, "required": ["cluster", "resource", "namespace", "name", "resourceVersion"]},
        "Cluster": {"type": "object", "properties": {
            "name": text, "state": {"enum": STATES}, "provenAgo": maybe, "proven": maybe, "missing": texts,
        }, "required": ["name", "state"]},
        "Column": {"type": "object", "properties": {
            "name": text, "type": text, "format": text, "priority": {"type": "integer"},
        }},
        "SearchAnswer": {"type": "object", "properties": {
            "resourceVersion": text, "asOf": time, "items": list("Item"), "continue": maybe,
            "columns": {"type": "object", "additionalProperties": list("Column")},
            "headers": {"type": "object", "additionalProperties": text},
            "clusters": list("Cluster"), "warnings": texts,
        }},
        "CountAnswer": {"type": "object", "properties": {
            "asOf": time, "count": {"type": "integer"}, "clusters": list("Cluster"), "warnings": texts,
            "groups": {"type": "array", "items": {"type": "object", "properties": {"value": maybe, "count": {"type": "integer"}}}},
        }},
        "Events": {"type": "string"},
        "HistoryAnswer": {"type": "object", "properties": {
            "cluster": text, "resource": text, "kind": text, "namespace": text, "name": text, "proven": maybe,
            "asOf": time, "item": {"$ref": "#/components/schemas/Item"}, "steps": list("Step"),
            "continue": maybe, "complete": {"type": "boolean"},
        }},
        "Step": {"type": "object", "properties": {
            "time": time, "type": {"enum": ["added", "changed", "deleted"]}, "resourceVersion": text,
            "clusterResourceVersion": maybe, "uid": text, "more": {"type": "integer"}, "object": {"type": "object"},
            "changes": {"type": "array", "items": {"type": "object", "properties": {"path": text, "from": {}, "to": {}}}},
        }},
        "Document": {"type": "object"},
        "Problem": {"type": "object", "properties": {
            "type": {"enum": types}, "title": text, "status": {"type": "integer"}, "detail": text, "instance": text,
            "parameter": text,
        }, "required": ["type", "title", "status", "detail"]},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_in_the_document_where_it_is_understood() {
        let document = openapi();
        for (path, endpoint, ..) in ROUTES {
            let parameters = document["paths"][path]["get"]["parameters"]
                .as_array()
                .unwrap()
                .clone();
            let documented: Vec<_> = parameters
                .iter()
                .filter(|it| it["in"] == "query")
                .map(|it| it["name"].clone())
                .collect();
            let understood = TABLE
                .iter()
                .filter(|it| endpoint.is_some_and(|endpoint| it.of.contains(&endpoint)));
            let understood: Vec<_> = understood.map(|it| Value::from(it.name)).collect();
            assert_eq!(documented, understood, "{path}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn check(document: &Value, part: &Value) {
            match part {
                Value::Object(fields) => {
                    for (name, value) in fields {
                        match (name.as_str(), value) {
                            ("$ref", Value::String(to)) => {
                                let pointer = to.strip_prefix('#').unwrap();
                                assert!(document.pointer(pointer).is_some(), "{to}");
                            }
                            (_, value) => check(document, value),
                        }
                    }
                }
                Value::Array(items) => items.iter().for_each(|item| check(document, item)),
                _ => {}
            }
        }
        let document = openapi();
        check(&document, &document);
        assert_eq!(
            document["paths"]["/search/count"]["get"]["operationId"],
            "searchCount"
        );
    }
}
