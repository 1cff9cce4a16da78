//! `ManagedCluster`s, as [`crate::hub::lifecycle`] decides.

use super::agents::Agents;
use super::deeds::{self, Act, Deed};
use super::feeds::Service;
use super::plain::PlainObjects;
use super::world::{MADE_FOR, World};
use crate::hub::lifecycle::accept::Patterns;
use crate::hub::lifecycle::farewell::{Farewell, Home, Leftovers};
use crate::hub::lifecycle::{self, Action, FINALIZER, labels};
use crate::hub::sets;
use crate::ocm::cluster::{CLUSTER_NAME_LABEL, CLUSTER_SET_LABEL, DEFAULT_LEASE_SECONDS};
use crate::ocm::work::FINALIZER as WORK_FINALIZER;
use crate::ocm::{ManagedCluster, is_deleting, name};
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

/// Why no cluster can have that name, if none can: it would have a namespace of the hub itself. `own`: where the hub runs.
pub(super) fn impossible(name: &str, own: Option<&str>) -> Option<&'static str> {
    if own == Some(name) {
        return Some("the namespace of its name is where the hub runs: choose another --cluster");
    }
    (!is_free(name)).then_some(
        "no namespace can have its name, or only one of Kubernetes itself: choose another --cluster",
    )
}

fn is_free(name: &str) -> bool {
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
    let unread = view.world.works.unreadable_of(name);
    let works = view.world.works.of_namespace(name).count() + view.plain.of_namespace(name).count();
    let plan = lifecycle::plan(&lifecycle::World {
        name,
        cluster,
        contact: contact.as_ref(),
        auto_accept: view.auto_accept,
        impossible: impossible(name, view.world.own_namespace.as_deref()),
        leftovers: Leftovers {
            works: works + unread,
            namespace: cluster.map_or(Home::Nowhere, |it| view.world.home(it)),
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
    let possible = impossible(name, view.world.own_namespace.as_deref()).is_none();
    if let Some(cluster) = cluster.filter(|it| possible && !is_deleting(&it.metadata))
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
            "the hub sends no work to this cluster now: see the conditions of its ManagedCluster",
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
        Action::MakeNamespace => vec![namespace(cluster)],
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
        .filter(|(key, value)| labels::may_choose(key, value))
        .map(|(key, value)| (key, value.into()))
        .collect();
    labels.insert(CLUSTER_SET_LABEL.to_owned(), sets::DEFAULT.into());
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

/// Made, never taken: one that is there is somebody's.
fn namespace(cluster: &ManagedCluster) -> Deed {
    let (name, uid) = (name(cluster), &cluster.metadata.uid);
    let object = json!({
        "apiVersion": Namespace::API_VERSION,
        "kind": Namespace::KIND,
        "metadata": {"name": name, "labels": {CLUSTER_NAME_LABEL: name}, "annotations": {MADE_FOR: uid}},
    });
    Deed {
        place: deeds::place::<Namespace>("", name),
        act: Act::Create(object),
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
            let found = view.world.namespaces.get("", name);
            let there = found.filter(|it| !is_deleting(&it.metadata));
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
    use crate::kubernetes::Heard;
    use crate::source::Event;

    #[test]
    fn a_cluster_cannot_take_a_namespace_that_the_hub_needs() {
        let refused = |name: &str| impossible(name, Some("hubs")).is_some();
        for name in ["cluster1", "a", "east-1"] {
            assert!(!refused(name), "{name}");
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
            "hubs",
        ] {
            assert!(refused(name), "{name}");
        }
    }

    fn cluster(uid: &str) -> ManagedCluster {
        let made = json!({"metadata": {"name": "c", "uid": uid}});
        serde_json::from_value(made).unwrap()
    }

    #[test]
    fn a_namespace_is_the_clusters_only_if_it_was_made_for_it() {
        let mut world = World::default();
        assert_eq!(world.home(&cluster("1")), Home::Nowhere);
        let Act::Create(made) = namespace(&cluster("1")).act else {
            panic!("it is made, not changed");
        };
        let mut list = |namespace: &Value| {
            let entry = ("c".into(), namespace.to_string().into());
            world
                .namespaces
                .take(Heard::Event(Event::Listed(vec![entry], 1)));
            (world.home(&cluster("1")), world.home(&cluster("2")))
        };
        assert_eq!(list(&made), (Home::Ours, Home::Theirs));
        // OCM's label says whose it is, not who made it.
        let labelled = json!({"metadata": {"name": "c", "labels": {CLUSTER_NAME_LABEL: "c"}}});
        assert_eq!(list(&labelled), (Home::Theirs, Home::Theirs));
    }
}
