//! What is not taken, not believed, not sent.

use super::*;

#[test]
fn a_namespace_that_was_there_before_is_used_and_stays() {
    let mut scene = Scene::new(&["*"]);
    scene.leftovers.namespace = Home::Theirs;
    scene.arrives();
    scene.settle();
    assert_eq!(scene.leftovers.namespace, Home::Theirs, "none is made");
    scene.cluster.as_mut().unwrap().metadata.deletion_timestamp = Some(Time(at(START)));
    scene.contact.as_mut().unwrap().detached = true;
    scene.once();
    assert_eq!(scene.farewells, [Farewell::LetGo]);
}

#[test]
fn a_cluster_whose_name_cannot_be_is_told_so_and_owns_nothing() {
    let mut scene = Scene::new(&["*"]);
    scene.impossible = Some("it is a namespace of Kubernetes itself");
    scene.arrives();
    assert!(scene.settle().actions.is_empty() && scene.cluster.is_none());
    // Somebody makes it by hand, and somebody else has put our finalizer on it.
    let made = json!({"metadata": {"name": "kube-system", "finalizers": [FINALIZER]}, "spec": {"hubAcceptsClient": true}});
    scene.cluster = Some(serde_json::from_value(made).unwrap());
    scene.leftovers.works = 3;
    assert!(!scene.settle().serves_work);
    assert_eq!(scene.condition(JOINED), pair("False", "NameRefused"));
    assert_eq!(scene.leftovers.namespace, Home::Nowhere);
    scene.cluster.as_mut().unwrap().metadata.deletion_timestamp = Some(Time(at(START)));
    scene.once();
    assert_eq!(scene.farewells, [Farewell::LetGo]);
}

#[test]
fn a_report_without_nodes_uid_or_version_takes_nothing_back() {
    let mut scene = Scene::joined();
    let contact = scene.contact.as_mut().unwrap();
    contact.capacity.clear();
    contact.uid.clear();
    contact.kubernetes = None;
    scene.settle();
    let cluster = scene.cluster.as_ref().unwrap();
    assert_eq!(cluster.status.capacity["cpu"], "4");
    assert_eq!(cluster.claim(ID_CLAIM), Some("uid-1"));
    assert_eq!(cluster.claim(VERSION_CLAIM), Some("v1.36.0"));
    scene.contact.as_mut().unwrap().uid = "uid-2".to_owned();
    scene.settle();
    assert_eq!(scene.condition(JOINED), pair("False", "AnotherCluster"));
}

#[test]
fn a_denied_cluster_that_is_deleted_says_what_it_waits_for() {
    let mut scene = leaving();
    scene.accept(false);
    assert!(!scene.once().serves_work);
    let conditions = &scene.cluster.as_ref().unwrap().status.conditions;
    let message = &find(conditions, farewell::LEAVING).unwrap().message;
    assert!(
        message.contains("spec.hubAcceptsClient") && message.contains(farewell::ABANDON),
        "{message}"
    );
}

/// It said that its API server is in trouble, and then nothing any more.
#[test]
fn an_agent_that_died_in_trouble_becomes_unreachable() {
    let mut scene = Scene::joined();
    let contact = scene.contact.as_mut().unwrap();
    contact.trouble = Some("503".to_owned());
    contact.online = false;
    scene.settle();
    assert_eq!(
        scene.condition(AVAILABLE),
        pair("Unknown", "ManagedClusterLeaseUpdateStopped")
    );
    scene.now += 300;
    scene.settle();
    assert_eq!(scene.taints(), [TAINT_UNREACHABLE]);
}

#[test]
fn nobody_is_called_available_before_it_has_said_how_it_is() {
    let mut scene = Scene::new(&["*"]);
    scene.arrives();
    scene.contact.as_mut().unwrap().proven = false;
    scene.settle();
    assert_eq!(
        scene.condition(JOINED),
        pair("True", "ManagedClusterJoined")
    );
    assert_eq!(scene.condition(AVAILABLE), None);
    scene.contact.as_mut().unwrap().proven = true;
    scene.settle();
    assert_eq!(
        scene.condition(AVAILABLE),
        pair("True", "ManagedClusterAvailable")
    );
    // A copy that is stale for a moment is no news of the cluster.
    scene.contact.as_mut().unwrap().proven = false;
    assert!(scene.settle().actions.is_empty());
    scene.now += 300;
    scene.settle();
    assert_eq!(scene.taints(), [TAINT_UNREACHABLE]);
}

/// Else another cluster that takes its name would have its work for a moment.
#[test]
fn a_cluster_that_is_not_here_is_sent_nothing() {
    let mut scene = Scene::joined();
    assert!(scene.settle().serves_work);
    scene.contact.as_mut().unwrap().online = false;
    assert!(!scene.settle().serves_work);
    scene.arrives();
    assert!(scene.settle().serves_work);
}
