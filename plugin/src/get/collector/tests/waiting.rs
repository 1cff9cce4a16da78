//! `wait`.

use super::*;
use crate::wait::Wait;

fn waiting(conditions: &[&str], timeout: Duration) -> impl FnOnce(&mut Plan) {
    let words: Vec<_> = conditions.iter().map(|word| (*word).to_owned()).collect();
    let wait = Wait::parse(&words, timeout, false).unwrap();
    move |plan| plan.wait = Some(wait)
}

/// Pods, and whether each is ready.
fn pods_ready(pods: &[(&str, bool)]) -> StreamView {
    let values: Vec<_> = pods
        .iter()
        .map(|(name, ready)| {
            let status = if *ready { "True" } else { "False" };
            let object = format!(
                r#"{{"metadata":{{"name":"{name}","uid":"{name}"}},"status":{{"conditions":[{{"type":"Ready","status":"{status}"}}]}}}}"#
            );
            (*name, Bytes::from(object))
        })
        .collect();
    whole(&header("", "pods", "Pod", &[]), &values)
}

#[test]
fn objects_are_told_in_their_order_when_they_are_as_wanted() {
    let mut scene = Scene::new(
        "pods a b",
        &["c1"],
        waiting(&["condition=Ready"], 30 * SECOND),
    );
    scene.see("c1", 0, pods_ready(&[("a", false)]));
    scene.see("c1", 1, pods_ready(&[("b", true)]));
    scene.check("", &[], None);
    scene.see("c1", 0, pods_ready(&[("a", true)]));
    scene.check("pod/a condition met\npod/b condition met\n", &[], Some(0));
}

#[test]
fn time_is_up_for_those_that_are_not_as_wanted() {
    let mut scene = Scene::new(
        "pods a b",
        &["c1"],
        waiting(&["condition=Ready"], 30 * SECOND),
    );
    scene.see("c1", 0, pods_ready(&[("a", false)]));
    scene.see("c1", 1, pods_ready(&[("b", true)]));
    scene.wait(30 * SECOND);
    scene.check(
        "pod/b condition met\n",
        &["error: timed out waiting for the condition on pods/a"],
        Some(1),
    );
}

#[test]
fn a_look_is_enough_when_there_is_no_time() {
    let mut scene = Scene::new(
        "pods a",
        &["c1"],
        waiting(&["condition=Ready"], Duration::ZERO),
    );
    scene.see("c1", 0, pods_ready(&[("a", false)]));
    scene.check("", &["error: condition not met for pods/a"], Some(1));
}

#[test]
fn what_does_not_exist() {
    let missing = "Error from server (NotFound): pods \"a\" not found";
    let mut condition = Scene::new("pods a", &["c1"], waiting(&["condition=Ready"], SECOND));
    condition.see("c1", 0, pods_ready(&[]));
    condition.check("", &[missing], Some(1));
    let mut gone = Scene::new("pods a", &["c1"], waiting(&["delete"], SECOND));
    gone.see("c1", 0, pods_ready(&[]));
    gone.check("", &[], Some(0));
    let mut none = Scene::new("pods", &["c1"], waiting(&["condition=Ready"], SECOND));
    none.see("c1", 0, pods_ready(&[]));
    none.check("", &["error: no matching resources found"], Some(1));
}

#[test]
fn deletion_and_creation_are_waited_for() {
    let mut deleted = Scene::new("pods", &["c1"], waiting(&["delete"], 30 * SECOND));
    deleted.see("c1", 0, pods_ready(&[("a", true)]));
    deleted.check("", &[], None);
    deleted.see("c1", 0, pods_ready(&[]));
    deleted.check("pod/a condition met\n", &[], Some(0));
    let mut created = Scene::new(
        "pods a",
        &["c1"],
        waiting(&["create", "condition=Ready"], 30 * SECOND),
    );
    created.see("c1", 0, pods_ready(&[]));
    created.check("", &[], None);
    created.see("c1", 0, pods_ready(&[("a", false)]));
    created.check("pod/a condition met\n", &[], None);
    created.see("c1", 0, pods_ready(&[("a", true)]));
    created.check("pod/a condition met\npod/a condition met\n", &[], Some(0));
    let mut late = Scene::new("pods a", &["c1"], waiting(&["create"], 3 * SECOND));
    late.see("c1", 0, pods_ready(&[]));
    late.wait(3 * SECOND);
    late.check("", &["error: timed out waiting for the condition"], Some(1));
}

#[test]
fn a_type_that_is_nowhere_is_not_gone_but_mistyped() {
    let no_type = || {
        refused(
            "NotFound",
            "the server doesn't have a resource type \"podz\"",
        )
    };
    let mut nowhere = Scene::new("podz", &["c1", "c2"], waiting(&["delete"], SECOND));
    nowhere.see("c1", 0, no_type());
    nowhere.see("c2", 0, no_type());
    let line = "error: the server doesn't have a resource type \"podz\"";
    nowhere.check("", &[line], Some(1));
    let mut somewhere = Scene::new("podz", &["c1", "c2"], waiting(&["delete"], SECOND));
    somewhere.see("c1", 0, no_type());
    somewhere.see("c2", 0, pods_ready(&[]));
    somewhere.check("", &[], Some(0));
}

#[test]
fn who_looks_once_does_not_wait_for_what_is_old() {
    let mut scene = Scene::new(
        "pods a",
        &["c1"],
        waiting(&["condition=Ready"], Duration::ZERO),
    );
    let mut stale = pods_ready(&[("a", true)]);
    stale.state.freshness = Freshness::Stale;
    scene.see("c1", 0, stale);
    assert_eq!(
        (scene.code, scene.err.len()),
        (Some(1), 2),
        "{:?}",
        scene.err
    );
}

#[test]
fn several_clusters_that_have_it() {
    let mut scene = Scene::new(
        "pods a",
        &["east", "west", "north"],
        waiting(&["condition=Ready"], 30 * SECOND),
    );
    scene.see("east", 0, pods_ready(&[("a", true)]));
    scene.see("west", 0, pods_ready(&[]));
    scene.see("north", 0, pods_ready(&[("a", false)]));
    scene.check("cluster \"east\": pod/a condition met\n", &[], None);
    scene.wait(30 * SECOND);
    let line = "error: cluster \"north\": timed out waiting for the condition on pods/a";
    scene.check("cluster \"east\": pod/a condition met\n", &[line], Some(1));
}

#[test]
fn a_cluster_that_is_silent_does_not_hide_the_others() {
    let mut scene = Scene::new(
        "pods a",
        &["east", "west"],
        waiting(&["condition=Ready"], 30 * SECOND),
    );
    scene.present(&["east", "west"]);
    scene.see("east", 0, pods_ready(&[("a", true)]));
    scene.wait(6 * SECOND);
    assert_eq!(
        (scene.out.as_str(), scene.code),
        ("cluster \"east\": pod/a condition met\n", Some(1))
    );
    assert!(
        scene.err[0].starts_with("error: cluster \"west\": no answer within 5s"),
        "{:?}",
        scene.err
    );
}
