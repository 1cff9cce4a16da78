//! Fields that are not written where the object is there already: `ignoreFields`.

use crate::ocm::work::IgnoreField;
use serde_json::Value;

/// One step into an object.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Name(String),
    Index(usize),
}

/// Takes the fields out that are not to be written.
pub fn remove(object: &mut Value, fields: &[IgnoreField]) {
    for field in fields {
        let pointers = field.json_pointers.iter().filter_map(|it| pointer(it));
        let paths = field.json_paths.iter().filter_map(|it| path(it));
        for way in pointers.chain(paths) {
            take(object, &way);
        }
    }
}

/// Whether a JSONPath is one that we can take out: names and indices only.
pub fn is_simple(text: &str) -> bool {
    path(text).is_some()
}

fn take(object: &mut Value, way: &[Part]) {
    let Some((last, before)) = way.split_last() else {
        return;
    };
    let mut at = Some(object);
    for part in before {
        at = at.and_then(|it| step(it, part));
    }
    match (at, last) {
        (Some(Value::Object(map)), Part::Name(name)) => _ = map.remove(name),
        (Some(Value::Array(items)), Part::Index(index)) if *index < items.len() => {
            items.remove(*index);
        }
        _ => {}
    }
}

fn step<'a>(value: &'a mut Value, part: &Part) -> Option<&'a mut Value> {
    match (value, part) {
        (Value::Object(map), Part::Name(name)) => map.get_mut(name),
        (Value::Array(items), Part::Index(index)) => items.get_mut(*index),
        _ => None,
    }
}

/// RFC 6901: `/spec/replicas`.
fn pointer(text: &str) -> Option<Vec<Part>> {
    let parts = text.strip_prefix('/')?.split('/');
    let part = |it: &str| match it.parse() {
        Ok(index) => Part::Index(index),
        Err(_) => Part::Name(it.replace("~1", "/").replace("~0", "~")),
    };
    Some(parts.map(part).collect())
}

/// `.spec.template.spec.containers[0].image`, with or without `$` and braces.
fn path(text: &str) -> Option<Vec<Part>> {
    let inside = text.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
    let mut rest = inside.unwrap_or(text);
    rest = rest.strip_prefix('$').unwrap_or(rest);
    let mut parts = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let (index, after) = after.split_once(']')?;
            parts.push(bracketed(index)?);
            rest = after;
            continue;
        }
        let after = rest.strip_prefix('.')?;
        let end = after.find(['.', '[']).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        if name.is_empty() || name.contains(['*', '?', '@', '(']) {
            return None;
        }
        parts.push(Part::Name(name.to_owned()));
        rest = after;
    }
    (!parts.is_empty()).then_some(parts)
}

/// `[0]` or `['a.b']`.
fn bracketed(text: &str) -> Option<Part> {
    let quoted = |quote: char| {
        text.strip_prefix(quote)
            .and_then(|it| it.strip_suffix(quote))
    };
    match quoted('\'').or_else(|| quoted('"')) {
        Some(name) => Some(Part::Name(name.to_owned())),
        None => text.parse().ok().map(Part::Index),
    }
}
