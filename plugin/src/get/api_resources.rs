//! What `api-resources` prints: of one cluster as kubectl does, of several with the clusters that have each.
//!
//! kubectl's apiresources.go and print_flags.go beside it.

use super::catalog::{ApiResource, Catalogs};
use crate::print::tabwriter::TabWriter;
use crate::print::{Audience, json, kyaml, sanitize, yaml};
use mqtt_informer::protocol::names::ClusterName;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Which resources, in which order and form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Only of this API group.
    pub group: Option<String>,
    /// Only those that live in namespaces, or only those that do not.
    pub namespaced: Option<bool>,
    /// Only what all of this can be done with.
    pub verbs: Vec<String>,
    /// Only what is in all of these categories.
    pub categories: Vec<String>,
    /// In which order.
    pub order: Order,
    /// In which form.
    pub form: Listing,
    /// No line of headers.
    pub no_headers: bool,
}

/// The order of resources; those that are equal in it by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By group.
    #[default]
    Group,
    /// By name.
    Name,
    /// By kind.
    Kind,
}

/// The forms of `-o`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listing {
    /// A table.
    #[default]
    Table,
    /// A table with verbs and categories.
    Wide,
    /// `deployments.apps`
    Name,
    /// An APIResourceList as JSON.
    Json,
    /// An APIResourceList as YAML.
    Yaml,
    /// An APIResourceList as KYAML.
    Kyaml,
}

/// A resource, and who has it.
struct Entry<'a> {
    resource: &'a ApiResource,
    clusters: Vec<&'a ClusterName>,
}

/// The text. `alone`: one cluster was named, and the output is kubectl's own.
pub fn text(catalogs: &Catalogs, choice: &Choice, alone: bool, audience: Audience) -> String {
    let entries = entries(catalogs, choice);
    let count = catalogs.iter().count();
    match choice.form {
        Listing::Table | Listing::Wide => table(&entries, choice, alone, count),
        Listing::Name => {
            let mut names: Vec<_> = entries
                .iter()
                .map(|entry| entry.resource.qualified())
                .collect();
            // Two versions of one resource have one name.
            names.dedup();
            names
                .iter()
                .map(|name| sanitize::word(name).into_owned() + "\n")
                .collect()
        }
        Listing::Json => json_list(&entries, alone, audience),
        Listing::Yaml => yaml::document(&list(&entries, alone), audience),
        Listing::Kyaml => kyaml::document(&list(&entries, alone), audience),
    }
}

/// What is chosen, each resource in the version that its server prefers; equal ones of several clusters are one.
fn entries<'a>(catalogs: &'a Catalogs, choice: &Choice) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> = Vec::new();
    // Where those of a name stand among them.
    let mut places: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (cluster, resources) in catalogs.iter() {
        let mut seen = std::collections::BTreeSet::new();
        for resource in resources {
            // The preferred version comes first.
            let preferred = seen.insert((&resource.group, &resource.name));
            if !preferred || !choice.has(resource) {
                continue;
            }
            let of_name = places.entry((&resource.group, &resource.name)).or_default();
            let same = of_name.iter().copied().find(|at| {
                let known = entries.get(*at);
                known.is_some_and(|known| is_same(known.resource, resource))
            });
            match same.and_then(|at| entries.get_mut(at)) {
                Some(entry) => entry.clusters.push(cluster),
                None => {
                    of_name.push(entries.len());
                    entries.push(Entry {
                        resource,
                        clusters: vec![cluster],
                    });
                }
            }
        }
    }
    entries.sort_by(|one, other| {
        let (one, other) = (one.resource, other.resource);
        let by = match choice.order {
            Order::Group => one.group.cmp(&other.group),
            Order::Name => one.name.cmp(&other.name),
            Order::Kind => one.kind.cmp(&other.kind),
        };
        by.then_with(|| one.name.cmp(&other.name))
    });
    entries
}

/// Whether both look the same in the table.
fn is_same(one: &ApiResource, other: &ApiResource) -> bool {
    ApiResource {
        order: other.order,
        ..one.clone()
    } == *other
}

impl Choice {
    fn has(&self, resource: &ApiResource) -> bool {
        let all =
            |wanted: &[String], found: &[String]| wanted.iter().all(|word| found.contains(word));
        !resource.verbs.is_empty()
            && self
                .group
                .as_ref()
                .is_none_or(|group| *group == resource.group)
            && self
                .namespaced
                .is_none_or(|namespaced| namespaced == resource.namespaced)
            && all(&self.verbs, &resource.verbs)
            && all(&self.categories, &resource.categories)
    }
}

fn table(entries: &[Entry<'_>], choice: &Choice, alone: bool, count: usize) -> String {
    let wide = choice.form == Listing::Wide;
    let mut writer = TabWriter::new();
    let mut line = |cells: Vec<String>, last: String| {
        let cells = cells.into_iter().chain((!alone).then_some(last));
        let safe: Vec<_> = cells
            .map(|cell| sanitize::word(&cell).into_owned())
            .collect();
        writer.write(&(safe.join("\t") + "\n"));
    };
    if !choice.no_headers {
        let mut headers = vec!["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"];
        headers.extend_from_slice(if wide { &["VERBS", "CATEGORIES"] } else { &[] });
        line(
            headers.into_iter().map(str::to_owned).collect(),
            "CLUSTERS".to_owned(),
        );
    }
    for Entry { resource, clusters } in entries {
        let mut cells = vec![
            resource.name.clone(),
            resource.short_names.join(","),
            resource.group_version(),
            resource.namespaced.to_string(),
            resource.kind.clone(),
        ];
        if wide {
            cells.extend([resource.verbs.join(","), resource.categories.join(",")]);
        }
        let names = match clusters.len() == count {
            true => "all".to_owned(),
            false => clusters
                .iter()
                .map(|name| name.as_str())
                .collect::<Vec<_>>()
                .join(","),
        };
        line(cells, names);
    }
    writer.flush();
    writer.take()
}

/// Members in the order in which Go's structure has them.
fn members(entry: &Entry<'_>, alone: bool) -> Vec<(&'static str, Value)> {
    let resource = entry.resource;
    let optional = |name, empty: bool, value: Value| (!empty).then_some((name, value));
    let clusters: Vec<_> = entry.clusters.iter().map(|name| name.as_str()).collect();
    [
        Some(("name", json!(resource.name))),
        Some(("singularName", json!(resource.singular))),
        Some(("namespaced", json!(resource.namespaced))),
        optional("group", resource.group.is_empty(), json!(resource.group)),
        optional(
            "version",
            resource.version.is_empty(),
            json!(resource.version),
        ),
        Some(("kind", json!(resource.kind))),
        Some(("verbs", json!(resource.verbs))),
        optional(
            "shortNames",
            resource.short_names.is_empty(),
            json!(resource.short_names),
        ),
        optional(
            "categories",
            resource.categories.is_empty(),
            json!(resource.categories),
        ),
        optional("clusters", alone, json!(clusters)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn list(entries: &[Entry<'_>], alone: bool) -> Value {
    let resource = |entry| {
        let members = members(entry, alone).into_iter();
        Value::Object(
            members
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Map<_, _>>(),
        )
    };
    let resources: Vec<_> = entries.iter().map(resource).collect();
    let resources = if resources.is_empty() {
        Value::Null
    } else {
        resources.into()
    };
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "", "resources": resources})
}

/// As Go writes the structure: its members are not sorted.
fn json_list(entries: &[Entry<'_>], alone: bool, audience: Audience) -> String {
    let resource = |entry| {
        let members = members(entry, alone);
        let lines = members.iter().map(|(name, value)| {
            format!(
                "            \"{name}\": {}",
                json::nested(value, 3, audience)
            )
        });
        format!(
            "        {{\n{}\n        }}",
            lines.collect::<Vec<_>>().join(",\n")
        )
    };
    let resources = match entries {
        [] => "null".to_owned(),
        entries => {
            let resources: Vec<_> = entries.iter().map(resource).collect();
            format!("[\n{}\n    ]", resources.join(",\n"))
        }
    };
    format!(
        "{{\n    \"kind\": \"APIResourceList\",\n    \"apiVersion\": \"v1\",\n    \"groupVersion\": \"\",\n    \
         \"resources\": {resources}\n}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    const PODS: &str = r#"{"order":0,"name":"pods","singular":"pod","shortNames":["po"],"kind":"Pod","version":"v1","namespaced":true,"verbs":["get","list"],"categories":["all"]}"#;
    const EVENTS: &str = r#"{"order":1,"name":"events","singular":"event","kind":"Event","version":"v1","namespaced":true,"verbs":["list"]}"#;
    const NEW_EVENTS: &str = r#"{"order":2,"name":"events","singular":"event","kind":"Event","group":"events.k8s.io","version":"v1","namespaced":true,"verbs":["list"]}"#;
    const OLD_EVENTS: &str = r#"{"order":3,"name":"events","singular":"event","kind":"Event","group":"events.k8s.io","version":"v1beta1","namespaced":true,"verbs":["list"]}"#;

    fn catalogs(clusters: &[(&str, &[&'static str])]) -> Catalogs {
        let mut catalogs = Catalogs::default();
        for (name, resources) in clusters {
            let values: Vec<_> = resources
                .iter()
                .map(|resource| Bytes::from_static(resource.as_bytes()))
                .collect();
            catalogs
                .add(&ClusterName::new(name).unwrap(), &values)
                .unwrap();
        }
        catalogs
    }

    fn one(choice: &Choice) -> String {
        let catalogs = catalogs(&[("east", &[PODS, EVENTS, NEW_EVENTS, OLD_EVENTS])]);
        text(&catalogs, choice, true, Audience::Program)
    }

    #[test]
    fn one_cluster_as_kubectl_prints_it() {
        assert_eq!(
            one(&Choice::default()),
            "NAME     SHORTNAMES   APIVERSION         NAMESPACED   KIND\n\
             events                v1                 true         Event\n\
             pods     po           v1                 true         Pod\n\
             events                events.k8s.io/v1   true         Event\n"
        );
        let name = Choice {
            form: Listing::Name,
            order: Order::Name,
            ..Choice::default()
        };
        assert_eq!(one(&name), "events\nevents.events.k8s.io\npods\n");
        let core = Choice {
            group: Some(String::new()),
            verbs: vec!["get".to_owned()],
            no_headers: true,
            form: Listing::Wide,
            ..Choice::default()
        };
        assert_eq!(
            one(&core),
            "pods   po    v1    true   Pod   get,list   all\n"
        );
        let json = Choice {
            categories: vec!["all".to_owned()],
            form: Listing::Json,
            ..Choice::default()
        };
        assert!(
            one(&json).contains(
                "            \"name\": \"pods\",\n            \"singularName\": \"pod\",\n"
            )
        );
        let none = Choice {
            namespaced: Some(false),
            form: Listing::Json,
            ..Choice::default()
        };
        assert!(one(&none).contains("\"resources\": null"));
    }

    #[test]
    fn several_say_who_has_what() {
        let several = catalogs(&[("east", &[PODS, EVENTS]), ("west", &[PODS])]);
        assert_eq!(
            text(&several, &Choice::default(), false, Audience::Program),
            "NAME     SHORTNAMES   APIVERSION   NAMESPACED   KIND    CLUSTERS\n\
             events                v1           true         Event   east\n\
             pods     po           v1           true         Pod     all\n"
        );
        let json = Choice {
            form: Listing::Json,
            ..Choice::default()
        };
        assert!(
            text(&several, &json, false, Audience::Program)
                .contains("\"clusters\": [\n                \"east\"\n")
        );
    }
}
