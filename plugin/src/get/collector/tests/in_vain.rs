//! Watches that end, since nothing can ever come of them, and those that go on.

use super::*;

const BOGUS: &str = "the server doesn't have a resource type";

#[test]
fn a_watch_that_every_cluster_refuses_ends() {
    let mut scene = Scene::new("bogus", &["c1", "c2"], watching);
    scene.see("c1", 0, refused("NotFound", BOGUS));
    assert_eq!(scene.code, None, "another may have it");
    scene.see("c2", 0, refused("NotFound", BOGUS));
    assert_eq!(
        (scene.code, scene.err.len()),
        (Some(1), 2),
        "{:?}",
        scene.err
    );
}

#[test]
fn a_watch_whose_clusters_are_not_all_known_goes_on() {
    let mut scene = Scene::new("bogus", &["*"], watching);
    scene.present(&["c1"]);
    scene.see("c1", 0, refused("NotFound", BOGUS));
    assert_eq!(scene.code, None);
    scene.discovered();
    assert_eq!(scene.code, Some(1));
}

#[test]
fn a_cluster_that_was_watched_may_refuse_for_a_while() {
    let mut scene = Scene::new("pods", &["c1", "c2"], watching);
    for cluster in ["c1", "c2"] {
        scene.see(cluster, 0, pods(&["a"]));
    }
    for cluster in ["c1", "c2"] {
        scene.see(cluster, 0, refused("Unauthorized", "Unauthorized"));
    }
    assert_eq!(scene.code, None);
}

#[test]
fn a_name_that_no_cluster_has_ends_a_watch_and_one_that_some_has_does_not() {
    let mut scene = Scene::new("pods nope", &["c1", "c2"], watching);
    scene.see("c1", 0, pods(&[]));
    assert_eq!(scene.code, None);
    scene.see("c2", 0, pods(&[]));
    let line = "Error from server (NotFound): pods \"nope\" not found";
    scene.check("", &[line], Some(1));
    let mut scene = Scene::new("pods a", &["c1", "c2"], watching);
    scene.see("c1", 0, pods(&["a"]));
    scene.see("c2", 0, pods(&[]));
    assert_eq!((scene.code, scene.err.len()), (None, 0), "{:?}", scene.err);
}

#[test]
fn an_absence_that_is_no_error_ends_a_watch_well() {
    let mut scene = Scene::new("pods nope", &["c1", "c2"], |plan| {
        watching(plan);
        plan.ignore_not_found = true;
    });
    scene.see("c1", 0, pods(&[]));
    scene.see("c2", 0, pods(&[]));
    scene.check("", &[], Some(0));
}

#[test]
fn the_filter_of_one_cluster_that_makes_no_sense_leaves_the_others() {
    let mut scene = Scene::new("pods", &["c1", "c2"], |plan| {
        watching(plan);
        plan.filter = Some(crate::filter::parse("NAME>x").unwrap());
    });
    scene.see("c1", 0, pods(&["1", "2"]));
    scene.see("c2", 0, pods(&["y"]));
    assert_eq!((scene.code, scene.err.len()), (None, 0), "{:?}", scene.err);
    assert!(scene.out.contains("c2        y"), "{}", scene.out);
}
