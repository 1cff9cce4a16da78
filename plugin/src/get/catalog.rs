//! What clusters can list, and the words that stand for several of their types: `all`, and other categories.
//!
//! `ReplaceAliases` of `k8s.io/cli-runtime/pkg/resource` (builder.go), `client-go/restmapper` (category_expansion.go).

use crate::table::Malformed;
use bytes::Bytes;
use mqtt_informer::protocol::names::ClusterName;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One resource of one version of an API group, as a source tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApiResource {
    /// Where the server had it among all.
    pub order: usize,
    /// `deployments`.
    pub name: String,
    /// `deployment`.
    pub singular: String,
    /// `deploy`.
    pub short_names: Vec<String>,
    /// `Deployment`.
    pub kind: String,
    /// `apps`, or empty for the core group.
    pub group: String,
    /// `v1`.
    pub version: String,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// What can be done with it.
    pub verbs: Vec<String>,
    /// `all`.
    pub categories: Vec<String>,
}

impl ApiResource {
    /// `apps/v1`, `v1`.
    pub fn group_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// `deployments.apps`, `pods`.
    pub fn qualified(&self) -> String {
        match self.group.as_str() {
            "" => self.name.clone(),
            group => format!("{}.{group}", self.name),
        }
    }
}

/// What each cluster has, in its server's order.
#[derive(Clone, Debug, Default)]
pub struct Catalogs(BTreeMap<ClusterName, Vec<ApiResource>>);

impl Catalogs {
    /// Adds what a cluster said.
    ///
    /// # Errors
    /// When a value is no resource.
    pub fn add(&mut self, cluster: &ClusterName, values: &[Bytes]) -> Result<(), Malformed> {
        let read = values.iter().map(|value| serde_json::from_slice(value));
        let mut resources: Vec<ApiResource> =
            read.collect::<Result<_, _>>().map_err(|_| Malformed)?;
        resources.sort_by_key(|resource| resource.order);
        self.0.insert(cluster.clone(), resources);
        Ok(())
    }

    /// Each cluster and what it has, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&ClusterName, &[ApiResource])> {
        self.0
            .iter()
            .map(|(name, resources)| (name, resources.as_slice()))
    }

    /// The word with categories replaced by what is in them in some cluster, a comma between each; none if there is no
    /// category in it.
    pub fn expanded(&self, words: &str) -> Option<String> {
        let mut found = false;
        let parts: Vec<String> = words
            .split(',')
            .map(|word| match self.category(word) {
                types if types.is_empty() => word.to_owned(),
                types => {
                    found = true;
                    types.join(",")
                }
            })
            .collect();
        found.then(|| parts.join(","))
    }

    fn category(&self, word: &str) -> Vec<String> {
        let mut types = Vec::new();
        for resource in self.0.values().flatten() {
            let name = resource.qualified();
            if resource.categories.iter().any(|category| category == word) && !types.contains(&name)
            {
                types.push(name);
            }
        }
        types
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogs() -> Catalogs {
        let resource = |order: usize, name: &str, group: &str, categories: &str| {
            let json = format!(
                r#"{{"order":{order},"name":"{name}","group":"{group}","version":"v1","categories":["{categories}"],"new":1}}"#
            );
            Bytes::from(json)
        };
        let mut catalogs = Catalogs::default();
        let east = [
            resource(1, "deployments", "apps", "all"),
            resource(0, "pods", "", "all"),
        ];
        let west = [
            resource(0, "pods", "", "all"),
            resource(1, "widgets", "x.io", "all"),
            resource(2, "nodes", "", "big"),
        ];
        catalogs
            .add(&ClusterName::new("east").unwrap(), &east)
            .unwrap();
        catalogs
            .add(&ClusterName::new("west").unwrap(), &west)
            .unwrap();
        catalogs
    }

    #[test]
    fn a_category_is_what_any_cluster_has_in_it() {
        let expanded = |words: &str| catalogs().expanded(words);
        assert_eq!(
            expanded("all").as_deref(),
            Some("pods,deployments.apps,widgets.x.io")
        );
        assert_eq!(expanded("cm,big").as_deref(), Some("cm,nodes"));
        assert_eq!(expanded("pods"), None);
        assert_eq!(Catalogs::default().expanded("all"), None);
    }

    #[test]
    fn what_is_no_resource_is_refused() {
        let east = ClusterName::new("east").unwrap();
        assert_eq!(
            Catalogs::default().add(&east, &[Bytes::from_static(b"[")]),
            Err(Malformed)
        );
    }
}
