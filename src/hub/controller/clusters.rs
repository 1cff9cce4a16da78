//! `ManagedCluster`s, as [`crate::hub::lifecycle`] decides.

use super::agents::Agents;
use super::deeds::{self, Act, Deed};
use super::feeds::Service;
use super::plain::PlainObjects;
use super::world::World;
use crate::hub::lifecycle::accept::Patterns;
use crate::hub::lifecycle::farewell::{Farewell, Leftovers};
use crate::hub::lifecycle::{self, Action, FINALIZER};
use crate::hub::sets;
use crate::ocm::cluster::{CLUSTER_NAME_LABEL, CLUSTER_SET_LABEL, DEFAULT_LEASE_SECONDS};
use crate::ocm::work::FINALIZER as WORK_FINALIZER;
use crate::ocm::{ManagedCluster, is_deleting};
use k8s_openapi::Resource;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value, json};

/// What is done for one cluster.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) deeds: Vec<Deed>,
    /// None: there is no such cluster.
    pub(super) service: Option<Service>,
    /// It is told to forget the hub.
    pub(super) leaving: bool,
    pub(super) recheck: Option<Timestamp>,
}

/// What decides about clusters.
pub(super) struct View<'a> {
    pub(super) world: &'a World,
    pub(super) plain: &'a PlainObjects,
    pub(super) agents: &'a Agents,
    pub(super) auto_accept: &'a Patterns,
    /// Since when this hub listens.
    pub(super) listening: Timestamp,
}

/// Whether a cluster's name can be a namespace's, and is none that a hub needs itself.
pub(super) fn is_good_name(name: &str) -> bool {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let ends = name.starts_with(letters) && name.ends_with(letters);
    let valid = name.len() <= 63 && ends && name.chars().all(|c| letters(c) || c == '-');
    valid
        && name != "default"
        && !name.starts_with("kube-")
        && !name.starts_with("open-cluster-management")
}

/// What is to be done for a cluster of that name.
pub(super) fn decide(view: &View<'_>, name: &str) -> Outcome {
    let now = Timestamp::now();
    let cluster = view.world.clusters.get("", name);
    let contact = view.agents.contact(name, now);
    let works = view.world.works.of_namespace(name).count() + view.plain.of_namespace(name).count();
    let plan = lifecycle::plan(&lifecycle::World {
        name,
        cluster,
        contact: contact.as_ref(),
        auto_accept: view.auto_accept,
        leftovers: Leftovers {
            works,
            has_namespace: view.world.namespace_of(name).is_some(),
        },
        listening: view.listening,
        now,
    });
    let mut deeds = Vec::new();
    let mut leaving = false;
    for action in plan.actions {
        leaving |= action == Action::Farewell(Farewell::TellAgent);
        deeds.extend(deeds_of(view, name, cluster, action));
    }
    if let Some(cluster) = cluster.filter(|it| !is_deleting(&it.metadata))
        && let Some((key, value)) = sets::missing_set(cluster)
    {
        let patch = json!({"metadata": {"labels": {key: value}}});
        deeds.push(deeds::merge(
            deeds::place_of(cluster),
            &cluster.metadata,
            patch,
        ));
    }
    let service = cluster.map(|it| match (plan.serves_work, it.spec.hub_accepts_client) {
        (true, _) => Service::Serves,
        (false, false) => {
            Service::Refuses("the hub has not accepted this cluster (spec.hubAcceptsClient)")
        }
        (false, true) => Service::Refuses(
            "the hub has no work for this cluster: see the conditions of its ManagedCluster",
        ),
    });
    Outcome {
        deeds: one_by_one(deeds),
        service,
        leaving,
        recheck: plan.recheck,
    }
}

/// Of several patches that rely on one resourceVersion, the first: the others come with the next turn.
fn one_by_one(deeds: Vec<Deed>) -> Vec<Deed> {
    let mut merged = false;
    let keep = |deed: &Deed| match &deed.act {
        Act::Merge(_) if deed.place.plural == ManagedCluster::URL_PATH_SEGMENT => {
            !std::mem::replace(&mut merged, true)
        }
        _ => true,
    };
    deeds.into_iter().filter(keep).collect()
}

fn deeds_of(
    view: &View<'_>,
    name: &str,
    cluster: Option<&ManagedCluster>,
    action: Action,
) -> Vec<Deed> {
    let Some(cluster) = cluster else {
        return match action {
            Action::Create { accepted } => vec![create(view, name, accepted)],
            _ => Vec::new(),
        };
    };
    let place = deeds::place_of(cluster);
    let merge = |patch| vec![deeds::merge(place.clone(), &cluster.metadata, patch)];
    match action {
        Action::Create { .. } => Vec::new(),
        Action::AddFinalizer => deeds::hold(place, &cluster.metadata, FINALIZER)
            .into_iter()
            .collect(),
        Action::Accept => merge(json!({"spec": {"hubAcceptsClient": true}})),
        Action::MakeNamespace => vec![namespace(name)],
        Action::Taint(taints) => merge(json!({"spec": {"taints": taints}})),
        Action::Status(status) => vec![deeds::status(cluster, &*status)],
        Action::Farewell(step) => farewell(view, name, cluster, step),
    }
}

fn create(view: &View<'_>, name: &str, accepted: bool) -> Deed {
    let mut labels: Map<String, Value> = view
        .agents
        .labels(name)
        .into_iter()
        .map(|(key, value)| (key, value.into()))
        .collect();
    labels
        .entry(CLUSTER_SET_LABEL)
        .or_insert_with(|| sets::DEFAULT.into());
    let object = json!({
        "apiVersion": ManagedCluster::API_VERSION,
        "kind": ManagedCluster::KIND,
        "metadata": {"name": name, "labels": labels, "finalizers": [FINALIZER]},
        "spec": {"hubAcceptsClient": accepted, "leaseDurationSeconds": DEFAULT_LEASE_SECONDS},
    });
    let place = deeds::place::<ManagedCluster>("", name);
    Deed {
        place,
        act: Act::Create(object),
    }
}

fn namespace(name: &str) -> Deed {
    let object = json!({
        "apiVersion": Namespace::API_VERSION,
        "kind": Namespace::KIND,
        "metadata": {"name": name, "labels": {CLUSTER_NAME_LABEL: name}},
    });
    let place = deeds::place::<Namespace>("", name);
    Deed {
        place,
        act: Act::Apply {
            subresource: "",
            object,
        },
    }
}

fn farewell(view: &View<'_>, name: &str, cluster: &ManagedCluster, step: Farewell) -> Vec<Deed> {
    match step {
        Farewell::DeleteWorks { abandon, .. } => {
            let works = view.world.works.of_namespace(name).flat_map(|work| {
                let delete = (!is_deleting(&work.metadata)).then(|| deeds::delete(work));
                let place = deeds::place_of(work);
                let free = abandon.then(|| deeds::let_go(place, &work.metadata, WORK_FINALIZER));
                free.flatten().into_iter().chain(delete)
            });
            let plain = view
                .plain
                .of_namespace(name)
                .flat_map(|it| it.farewell(abandon));
            works.chain(plain).collect()
        }
        // It is told by its stream.
        Farewell::TellAgent => Vec::new(),
        Farewell::DeleteNamespace => {
            let found = view.world.namespace_of(name);
            let there = found.filter(|it| it.metadata.deletion_timestamp.is_none());
            there.map(deeds::delete).into_iter().collect()
        }
        Farewell::LetGo => {
            let place = deeds::place_of(cluster);
            deeds::let_go(place, &cluster.metadata, FINALIZER)
                .into_iter()
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_cannot_take_a_namespace_that_the_hub_needs() {
        for name in ["cluster1", "a", "east-1"] {
            assert!(is_good_name(name), "{name}");
        }
        for name in [
            "",
            "kube-system",
            "default",
            "A",
            "a/b",
            "-a",
            "a.b",
            &"a".repeat(64),
            "open-cluster-management-hub",
        ] {
            assert!(!is_good_name(name), "{name}");
        }
    }
}
