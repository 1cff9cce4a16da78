//! The same objects in several clusters, compared.
//!
//! An object is brought into a form from which everything is gone that a cluster makes by itself ([`form`]). Clusters
//! with equal forms have one *version* of it; the version of the most clusters (of the first cluster, among equals) is
//! what the others are compared with.
//!
//! | module | what it is |
//! |---|---|
//! | [`form`] | what counts of an object, and what does not |
//! | [`fields`] | which fields of some values differ, and how |
//! | [`text`] | for people: unified differences, and a table of what differs where |
//! | [`document`] | for scripts |
//!
//! **Architecture invariant:** pure; knows objects and names of clusters.

pub mod document;
pub mod fields;
pub mod form;
pub mod text;

use fields::Field;
use mqtt_informer::protocol::names::ClusterName;
use serde_json::Value;
use std::collections::BTreeMap;

/// Which object: the same one in every cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// `deployments.apps`
    pub resource: String,
    /// Empty for what lives in none, or where each cluster is looked at in its own.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// One form of an object, and the clusters that have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// In the order of the comparison.
    pub clusters: Vec<ClusterName>,
    /// Without what a cluster makes by itself.
    pub object: Value,
}

/// An object that is not the same everywhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Which.
    pub identity: Identity,
    /// `deployment.apps`, as messages name its kind.
    pub kind: String,
    /// The first is what the others are compared with.
    pub versions: Vec<Version>,
    /// The clusters that do not have it.
    pub missing: Vec<ClusterName>,
    /// The fields that differ, with what they are in each version.
    pub fields: Vec<Field>,
}

/// What was found of some objects in some clusters.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    clusters: Vec<ClusterName>,
    /// By object: what each cluster has, by its place.
    found: BTreeMap<Identity, (String, BTreeMap<usize, Value>)>,
}

impl Comparison {
    /// Of these clusters, the first of which is the one to compare with if nothing else speaks for another.
    pub fn of(clusters: Vec<ClusterName>) -> Self {
        Self {
            clusters,
            ..Self::default()
        }
    }

    /// Takes what a cluster has, brought into its form ([`form::of`]).
    pub fn add(&mut self, cluster: &ClusterName, identity: Identity, kind: &str, form: Value) {
        let Some(place) = self.clusters.iter().position(|known| known == cluster) else {
            return;
        };
        let (_, found) = self
            .found
            .entry(identity)
            .or_insert_with(|| (kind.to_owned(), BTreeMap::new()));
        found.insert(place, form);
    }

    /// Whether nothing was found anywhere.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The objects that are not the same everywhere, in the order of their names.
    pub fn differences(&self) -> Vec<Difference> {
        let differs =
            |(identity, (kind, found)): (&Identity, &(String, BTreeMap<usize, Value>))| {
                let missing = (0..self.clusters.len()).filter(|place| !found.contains_key(place));
                let missing: Vec<_> = missing.map(|place| self.clusters[place].clone()).collect();
                let versions = self.versions(found);
                (versions.len() > 1 || !missing.is_empty()).then(|| Difference {
                    fields: fields::differing(&versions),
                    identity: identity.clone(),
                    kind: kind.clone(),
                    versions,
                    missing,
                })
            };
        self.found.iter().filter_map(differs).collect()
    }

    fn versions(&self, found: &BTreeMap<usize, Value>) -> Vec<Version> {
        let mut versions: Vec<Version> = Vec::new();
        for (place, object) in found {
            let cluster = self.clusters[*place].clone();
            match versions.iter_mut().find(|it| it.object == *object) {
                Some(version) => version.clusters.push(cluster),
                None => versions.push(Version {
                    clusters: vec![cluster],
                    object: object.clone(),
                }),
            }
        }
        // Stable: among equals, the version of the first cluster stays the first.
        versions.sort_by_key(|version| std::cmp::Reverse(version.clusters.len()));
        versions
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    pub(crate) fn names(names: &[&str]) -> Vec<ClusterName> {
        let name = |name: &&str| ClusterName::new(name).unwrap();
        names.iter().map(name).collect()
    }

    pub(crate) fn web(image: &str, replicas: u32) -> Value {
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": { "name": "web", "namespace": "shop" },
            "spec": {
                "replicas": replicas,
                "template": { "spec": { "containers": [{ "name": "web", "image": image }] } },
            },
        })
    }

    /// `web` in each of these clusters, or not.
    pub(crate) fn compared(of: &[(&str, Option<Value>)]) -> Vec<Difference> {
        let clusters: Vec<_> = of.iter().map(|(name, _)| *name).collect();
        let mut comparison = Comparison::of(names(&clusters));
        for (name, object) in of {
            let identity = Identity {
                resource: "deployments.apps".to_owned(),
                namespace: "shop".to_owned(),
                name: "web".to_owned(),
            };
            if let Some(object) = object {
                let name = ClusterName::new(name).unwrap();
                comparison.add(&name, identity, "deployment.apps", object.clone());
            }
        }
        comparison.differences()
    }

    fn shape(difference: &Difference) -> String {
        let list = |names: &[ClusterName]| {
            let names: Vec<_> = names.iter().map(ClusterName::as_str).collect();
            names.join(",")
        };
        let versions: Vec<_> = difference
            .versions
            .iter()
            .map(|it| list(&it.clusters))
            .collect();
        format!("{} -{}", versions.join(" | "), list(&difference.missing))
    }

    #[test]
    fn clusters_with_equal_objects_are_one_version_and_the_most_are_the_measure() {
        let (one, other) = (|| Some(web("a:1", 1)), || Some(web("a:2", 1)));
        for (of, want) in [
            (&[("a", one()), ("b", one())][..], None),
            (&[("a", one()), ("b", other())], Some("a | b -")),
            (&[("b", other()), ("a", one())], Some("b | a -")),
            (
                &[("a", one()), ("b", other()), ("c", other())],
                Some("b,c | a -"),
            ),
            (&[("a", one()), ("b", None)], Some("a -b")),
            (
                &[("a", one()), ("b", None), ("c", other())],
                Some("a | c -b"),
            ),
        ] {
            let got = compared(of);
            assert_eq!(got.first().map(shape).as_deref(), want);
        }
    }
}
