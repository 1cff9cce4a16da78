//! `ManagedCluster`, `ManagedClusterSet` and `ManagedClusterSetBinding`.

use super::schema::{
    QUALIFIED_NAME, Schema, boolean, condition_list, int_or_string, integer, keyed, label_selector,
    list, map, object, pattern, string, time, words,
};
use super::{Kind, column, condition_column, status};
use crate::ocm::cluster::{AVAILABLE, DEFAULT_LEASE_SECONDS, JOINED, TaintEffect};
use crate::ocm::clusterset::{SET_EMPTY, SelectorType};
use crate::ocm::{ManagedCluster, ManagedClusterSet, ManagedClusterSetBinding};
use serde_json::{Value, json};
use std::marker::PhantomData;

const QUANTITY: &str = "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$";

pub(super) fn managed_cluster() -> Value {
    let kind: Kind<ManagedCluster> = Kind {
        short: &["mcl", "mcls"],
        columns: vec![
            column("Hub Accepted", "boolean", ".spec.hubAcceptsClient"),
            column(
                "Managed Cluster URLs",
                "string",
                ".spec.managedClusterClientConfigs[*].url",
            ),
            condition_column("Joined", JOINED, "status"),
            condition_column("Available", AVAILABLE, "status"),
            column("Age", "date", ".metadata.creationTimestamp"),
        ],
        spec: Some(cluster_spec()),
        status: cluster_status(),
        required: &[],
        about: "A cluster that a hub knows. Its agent's presence makes it; spec.hubAcceptsClient lets it in.",
        of: PhantomData,
    };
    kind.definition("Cluster")
}

fn cluster_spec() -> Schema {
    let client = object(vec![
        ("caBundle", string().with("format", "byte")),
        ("url", string()),
    ])
    .required(&["url"]);
    object(vec![
        (
            "hubAcceptsClient",
            boolean().about("Whether the hub lets the cluster in: true makes its namespace, and its work begins."),
        ),
        (
            "leaseDurationSeconds",
            integer("int32").default(DEFAULT_LEASE_SECONDS),
        ),
        ("managedClusterClientConfigs", list(client)),
        ("taints", list(taint())),
    ])
}

fn taint() -> Schema {
    object(vec![
        ("effect", words(TaintEffect::WORDS)),
        ("key", pattern(QUALIFIED_NAME).with("maxLength", 316)),
        ("timeAdded", time().with("nullable", true)),
        ("value", string().with("maxLength", 1024)),
    ])
    .required(&["effect", "key"])
}

fn cluster_status() -> Schema {
    let quantities = || map(int_or_string(QUANTITY));
    let claim = object(vec![
        ("name", string().lengths(1, 253)),
        ("value", string().lengths(1, 1024)),
    ]);
    let namespace = object(vec![
        ("clusterSet", string()),
        ("conditions", condition_list()),
        ("name", namespace_name()),
    ])
    .required(&["clusterSet", "name"]);
    status(vec![
        ("allocatable", quantities()),
        ("capacity", quantities()),
        ("clusterClaims", list(claim)),
        (
            "managedNamespaces",
            keyed(&["clusterSet", "name"], namespace),
        ),
        ("version", object(vec![("kubernetes", string())])),
    ])
}

fn namespace_name() -> Schema {
    pattern("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$").with("maxLength", 63)
}

pub(super) fn set() -> Value {
    let exclusive = SelectorType::ExclusiveClusterSetLabel;
    let selector = json!({"selectorType": exclusive.as_str()});
    let cluster_selector = object(vec![
        ("labelSelector", label_selector()),
        (
            "selectorType",
            words(SelectorType::WORDS).default(exclusive.as_str()),
        ),
    ])
    .required(&["selectorType"])
    .default(selector.clone());
    let namespaces = keyed(
        &["name"],
        object(vec![("name", namespace_name())]).required(&["name"]),
    );
    let kind: Kind<ManagedClusterSet> = Kind {
        short: &["mclset", "mclsets"],
        columns: vec![
            condition_column("Empty", SET_EMPTY, "status"),
            column("Age", "date", ".metadata.creationTimestamp"),
        ],
        spec: Some(
            object(vec![
                ("clusterSelector", cluster_selector),
                ("managedNamespaces", namespaces),
            ])
            .default(json!({"clusterSelector": selector})),
        ),
        status: status(vec![]),
        required: &[],
        about: "A set of clusters.",
        of: PhantomData,
    };
    kind.definition("Cluster")
}

pub(super) fn binding() -> Value {
    let kind: Kind<ManagedClusterSetBinding> = Kind {
        short: &["mclsetbinding", "mclsetbindings"],
        columns: vec![],
        spec: Some(object(vec![(
            "clusterSet",
            string()
                .with("minLength", 1)
                .about("The set, whose name the binding has too."),
        )])),
        status: status(vec![]),
        required: &[],
        about: "A set of clusters that the placements of this namespace may choose from.",
        of: PhantomData,
    };
    kind.definition("Namespaced")
}
