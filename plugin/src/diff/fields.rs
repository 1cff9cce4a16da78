//! Which fields of some values differ, and what they are in each.

use super::Version;
use serde_json::Value;
use std::collections::BTreeSet;

/// One field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// A JSONPath: `.spec.template.spec.containers[?(@.name=="web")].image`.
    pub path: String,
    /// What it is in each version, in their order; none where it is not.
    pub values: Vec<Option<Value>>,
}

impl Field {
    /// The image of a container: the container's name.
    pub fn container(&self) -> Option<&str> {
        let rest = self.path.strip_suffix("\")].image")?;
        let (list, name) = rest.rsplit_once("[?(@.name==\"")?;
        list.to_lowercase().ends_with("containers").then_some(name)
    }

    /// It is the number of replicas.
    pub fn is_replicas(&self) -> bool {
        self.path == ".spec.replicas"
    }

    /// How people call it: `image web`, `replicas`, or its path.
    pub fn shown(&self) -> String {
        match self.container() {
            Some(name) => format!("image {name}"),
            None if self.is_replicas() => "replicas".to_owned(),
            None => self.path.clone(),
        }
    }
}

/// The fields that are not the same in all versions, in the order of their paths; as deep as they go.
pub fn differing(versions: &[Version]) -> Vec<Field> {
    let values: Vec<_> = versions
        .iter()
        .map(|version| Some(&version.object))
        .collect();
    let mut fields = Vec::new();
    if values.len() > 1 {
        walk("", &values, &mut fields);
    }
    fields
}

fn walk(path: &str, values: &[Option<&Value>], fields: &mut Vec<Field>) {
    if values.windows(2).all(|pair| pair[0] == pair[1]) {
        return;
    }
    let all = |is: fn(&Value) -> bool| values.iter().flatten().all(|value| is(value));
    let there = values.iter().flatten().count();
    if there > 1 && all(Value::is_object) {
        let maps = values
            .iter()
            .flatten()
            .filter_map(|value| value.as_object());
        let keys: BTreeSet<&String> = maps.flat_map(|map| map.keys()).collect();
        for key in keys {
            let inner: Vec<_> = values
                .iter()
                .map(|value| value.and_then(|it| it.get(key)))
                .collect();
            walk(&format!("{path}{}", step(key)), &inner, fields);
        }
        return;
    }
    if there > 1 && all(has_names) {
        let items = values
            .iter()
            .flatten()
            .filter_map(|value| value.as_array())
            .flatten();
        let mut names: Vec<&str> = Vec::new();
        items.filter_map(name_of).for_each(|name| {
            if !names.contains(&name) {
                names.push(name);
            }
        });
        let before = fields.len();
        for name in names {
            let inner: Vec<_> = values.iter().map(|value| named_in(*value, name)).collect();
            walk(&format!("{path}[?(@.name=={name:?})]"), &inner, fields);
        }
        if fields.len() > before {
            return;
        }
        // The same items in another order.
    }
    fields.push(Field {
        path: path.to_owned(),
        values: values.iter().map(|value| value.cloned()).collect(),
    });
}

/// A list whose items have names of their own is compared by them.
fn has_names(value: &Value) -> bool {
    let Value::Array(items) = value else {
        return false;
    };
    let names: BTreeSet<_> = items.iter().filter_map(name_of).collect();
    names.len() == items.len()
}

fn name_of(item: &Value) -> Option<&str> {
    item.get("name")?.as_str()
}

fn named_in<'a>(list: Option<&'a Value>, name: &str) -> Option<&'a Value> {
    let items = list?.as_array()?;
    items.iter().find(|item| name_of(item) == Some(name))
}

/// `.replicas`, `["app.kubernetes.io/name"]` where the dots would be read as steps.
fn step(key: &str) -> String {
    let is_plain = !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    match is_plain {
        true => format!(".{key}"),
        false => format!("[{key:?}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::tests::{names, web};
    use serde_json::json;

    fn version(object: Value) -> Version {
        Version {
            clusters: names(&["a"]),
            object,
        }
    }

    #[track_caller]
    fn check(objects: &[Value], want: &[&str]) {
        let versions: Vec<_> = objects.iter().cloned().map(version).collect();
        let shown = |field: &Field| {
            let values = field.values.iter().map(|value| match value {
                Some(value) => value.to_string(),
                None => "-".to_owned(),
            });
            format!("{} {}", field.path, values.collect::<Vec<_>>().join(" "))
        };
        let fields = differing(&versions);
        assert_eq!(fields.iter().map(shown).collect::<Vec<_>>(), want);
    }

    #[test]
    fn fields_are_found_as_deep_as_they_go() {
        check(
            &[web("a:1", 1), web("a:2", 3)],
            &[
                ".spec.replicas 1 3",
                ".spec.template.spec.containers[?(@.name==\"web\")].image \"a:1\" \"a:2\"",
            ],
        );
        check(&[web("a:1", 1), web("a:1", 1)], &[]);
        check(&[json!({"a": {"b": 1}}), json!({"a": {}})], &[".a.b 1 -"]);
        check(
            &[json!({"a": 1}), json!({"a": {"b": 1}})],
            &[".a 1 {\"b\":1}"],
        );
        check(
            &[json!({"x.y/z": 1}), json!({"x.y/z": 2}), json!({})],
            &["[\"x.y/z\"] 1 2 -"],
        );
    }

    #[test]
    fn named_items_are_compared_by_name_and_others_as_lists() {
        let list = |items: Value| json!({ "l": items });
        check(
            &[
                list(json!([{"name": "a", "v": 1}, {"name": "b"}])),
                list(json!([{"name": "b"}, {"name": "a", "v": 2}])),
            ],
            &[".l[?(@.name==\"a\")].v 1 2"],
        );
        check(
            &[list(json!([{"name": "a"}])), list(json!([]))],
            &[".l[?(@.name==\"a\")] {\"name\":\"a\"} -"],
        );
        check(
            &[list(json!([1, 2])), list(json!([2, 1]))],
            &[".l [1,2] [2,1]"],
        );
        check(
            &[
                list(json!([{"name": "a"}, {"name": "b"}])),
                list(json!([{"name": "b"}, {"name": "a"}])),
            ],
            &[".l [{\"name\":\"a\"},{\"name\":\"b\"}] [{\"name\":\"b\"},{\"name\":\"a\"}]"],
        );
    }

    #[test]
    fn people_call_some_fields_by_other_names() {
        let fields = differing(&[version(web("a:1", 1)), version(web("a:2", 3))]);
        let shown: Vec<_> = fields.iter().map(Field::shown).collect();
        assert_eq!(shown, ["replicas", "image web"]);
    }
}
