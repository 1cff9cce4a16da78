//! In which namespaces a `get` looks: one, all, or each cluster's own.

use mqtt_informer::protocol::names::ClusterName;
use std::collections::{BTreeMap, BTreeSet};

/// The namespaces of a `get`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Namespaces {
    /// All of every cluster.
    #[default]
    All,
    /// This one of every cluster.
    One(String),
    /// Another one in each cluster: rows say theirs, since nothing else would.
    Each(BTreeMap<ClusterName, String>),
}

impl Namespaces {
    /// Each cluster's own; those that are all the same are one.
    pub fn each(own: BTreeMap<ClusterName, String>) -> Self {
        let names: BTreeSet<_> = own.values().collect();
        match names.into_iter().collect::<Vec<_>>().as_slice() {
            [one] => Self::One((*one).clone()),
            _ => Self::Each(own),
        }
    }

    /// The namespace of a cluster; empty for all, as a selection has it.
    pub fn of(&self, cluster: &ClusterName) -> &str {
        match self {
            Self::All => "",
            Self::One(name) => name,
            Self::Each(own) => own.get(cluster).map_or("", String::as_str),
        }
    }

    /// The one namespace in which every cluster is looked at.
    pub fn one(&self) -> Option<&str> {
        match self {
            Self::One(name) => Some(name),
            Self::All | Self::Each(_) => None,
        }
    }

    /// No namespace at all was chosen.
    pub fn is_all(&self) -> bool {
        *self == Self::All
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> ClusterName {
        ClusterName::new(name).unwrap()
    }

    fn each(own: &[(&str, &str)]) -> Namespaces {
        let own = own
            .iter()
            .map(|(cluster, namespace)| (name(cluster), (*namespace).to_owned()));
        Namespaces::each(own.collect())
    }

    #[test]
    fn each_cluster_has_its_own() {
        let namespaces = each(&[("a", "shop"), ("b", "default")]);
        assert_eq!(
            (namespaces.of(&name("a")), namespaces.of(&name("b"))),
            ("shop", "default")
        );
        assert_eq!((namespaces.one(), namespaces.is_all()), (None, false));
    }

    #[test]
    fn the_same_everywhere_is_one() {
        let namespaces = each(&[("a", "shop"), ("b", "shop")]);
        assert_eq!(namespaces, Namespaces::One("shop".to_owned()));
        assert_eq!(
            (namespaces.one(), namespaces.of(&name("other"))),
            (Some("shop"), "shop")
        );
        assert!(Namespaces::All.is_all() && Namespaces::All.of(&name("a")).is_empty());
    }
}
