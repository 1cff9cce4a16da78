//! The definitions of the kinds, for hubs where nobody has installed OCM's own.
//!
//! Built from the same words as the types (`enum`s list [`super::placement::SortBy::WORDS`] and the like), and held to
//! them by a test: whatever a type writes, its schema keeps, and the other way round. Fields, defaults, limits, printer
//! columns and short names are OCM's, so that its tools find what they look for, and its CRDs can replace ours any day.

mod cluster;
mod placement;
mod replicaset;
mod schema;
mod work;

use schema::{Schema, condition_list, object};
use serde_json::{Map, Value, json};

/// One kind.
struct Kind<K> {
    short: &'static [&'static str],
    columns: Vec<Value>,
    spec: Option<Schema>,
    status: Schema,
    /// The fields at the top that must be there.
    required: &'static [&'static str],
    about: &'static str,
    of: std::marker::PhantomData<K>,
}

/// A column as `kubectl get` shows it.
fn column(name: &str, kind: &str, path: &str) -> Value {
    json!({"name": name, "type": kind, "jsonPath": path})
}

/// A column that shows a part of a condition.
fn condition_column(name: &str, condition: &str, part: &str) -> Value {
    let path = format!(".status.conditions[?(@.type==\"{condition}\")].{part}");
    column(name, "string", &path)
}

/// What a hub installs: all kinds that it writes.
pub fn of_the_hub() -> Vec<Value> {
    vec![
        cluster::managed_cluster(),
        cluster::set(),
        cluster::binding(),
        placement::placement(),
        placement::decision(),
        work::work(),
        replicaset::replica_set(),
    ]
}

/// What an agent installs in its cluster.
pub fn of_the_agent() -> Vec<Value> {
    vec![work::applied()]
}

impl<K: k8s_openapi::Resource> Kind<K> {
    fn definition(self, scope: &str) -> Value {
        let singular = K::KIND.to_lowercase();
        let mut names = json!({
            "kind": K::KIND,
            "listKind": format!("{}List", K::KIND),
            "plural": K::URL_PATH_SEGMENT,
            "singular": singular,
        });
        if !self.short.is_empty() {
            names["shortNames"] = json!(self.short);
        }
        let mut version = json!({
            "name": K::VERSION,
            "served": true,
            "storage": true,
            "subresources": {"status": {}},
        });
        if !self.columns.is_empty() {
            version["additionalPrinterColumns"] = self.columns.clone().into();
        }
        version["schema"] = json!({"openAPIV3Schema": self.schema().value()});
        json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {
                "name": format!("{}.{}", K::URL_PATH_SEGMENT, K::GROUP),
                "labels": {"app.kubernetes.io/managed-by": "mqtt-informer"},
            },
            "spec": {"group": K::GROUP, "names": names, "scope": scope, "versions": [version]},
        })
    }

    fn schema(self) -> Schema {
        let mut fields = vec![
            ("apiVersion", schema::string()),
            ("kind", schema::string()),
            ("metadata", Schema::new("object")),
        ];
        if let Some(spec) = self.spec {
            fields.push(("spec", spec));
        }
        fields.push(("status", self.status));
        object(fields).required(self.required).about(self.about)
    }
}

/// A status that has conditions, and more.
fn status(more: Vec<(&'static str, Schema)>) -> Schema {
    let mut fields = vec![("conditions", condition_list())];
    fields.extend(more);
    object(fields)
}

/// A map of JSON.
type Fields = Map<String, Value>;
