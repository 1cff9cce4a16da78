//! Watches: what they print, and when they end.

use super::*;

#[test]
fn a_watch_prints_changes_until_it_is_ended() {
    let mut scene = Scene::new("pods", &["c1"], watching);
    scene.see("c1", 0, pods(&["a", "b"]));
    scene.check("NAME   STATUS\na      Running\nb      Running\n", &[], None);
    scene.out.clear();
    let mut view = pods(&[]);
    let change = |key: &str, old: Option<Bytes>, new: Option<Bytes>| Notice {
        key: Bytes::copy_from_slice(key.as_bytes()),
        old,
        new,
    };
    let (running, failed) = (row(&["a", "Running"], "a"), row(&["a", "Failed"], "a"));
    view.changes = vec![
        change("a", Some(running.clone()), Some(failed)),
        change("b", Some(row(&["b", "Running"], "b")), None),
        change(
            "c",
            Some(row(&["c", "Old"], "1")),
            Some(row(&["c", "New"], "2")),
        ),
    ];
    scene.see("c1", 0, view);
    scene.check(
        "a      Failed\nb      Running\nc      Old\nc      New\n",
        &[],
        None,
    );
    scene.out.clear();
    let mut same = pods(&[]);
    same.changes = vec![change("a", Some(running.clone()), Some(running))];
    scene.see("c1", 0, same);
    scene.wait(60 * SECOND);
    scene.check("", &[], None);
}

#[test]
fn what_is_there_when_a_watch_begins_is_one_table() {
    let mut scene = Scene::new("pods", &["c1"], watching);
    scene.see("c1", 0, pods(&["a", "much-longer"]));
    let table = "NAME          STATUS\na             Running\nmuch-longer   Running\n";
    scene.check(table, &[], None);
}

#[test]
fn a_watch_whose_filter_makes_no_sense_ends() {
    let mut scene = Scene::new("pods", &["c1"], |plan| {
        watching(plan);
        plan.filter = Some(crate::filter::parse("NAME>x").unwrap());
    });
    scene.see("c1", 0, pods(&["1", "2"]));
    let line = "error: --filter: NAME holds numbers, and \"x\" is none, at column 1";
    scene.check("", &[line], Some(1));
}

#[test]
fn a_watch_goes_on_without_broker_and_tells_who_is_stale() {
    let mut scene = Scene::new("pods", &["c1"], watching);
    scene.see("c1", 0, pods(&["a"]));
    scene
        .collector
        .link_down("connection lost", false, scene.at);
    scene.wait(60 * SECOND);
    assert_eq!(scene.collector.deadline(scene.at), None);
    scene
        .collector
        .link_down("connection refused", false, scene.at);
    scene.collector.link_up(scene.at);
    let mut stale = pods(&[]);
    stale.changes.clear();
    stale.state.freshness = Freshness::Stale;
    scene.see("c1", 0, stale.clone());
    scene.see("c1", 0, stale.clone());
    stale.state.freshness = Freshness::Fresh;
    scene.see("c1", 0, stale);
    assert_eq!(
        scene.err,
        [
            "warning: connection lost; trying again",
            "connected to the broker again",
            "warning: cluster \"c1\": stale: its syncer has not been heard lately; rows may be old",
            "cluster \"c1\": fresh again",
        ]
    );
    assert_eq!(scene.code, None);
}

#[test]
fn a_last_will_during_a_watch_is_said_at_once() {
    let mut scene = Scene::new("pods", &["c1"], watching);
    scene.present(&["c1"]);
    scene.discovered();
    scene.see("c1", 0, pods(&["a"]));
    scene.collector.cluster(&name("c1"), &[], true, scene.at);
    scene.step();
    scene.step();
    let gone = "warning: cluster \"c1\": offline: its syncer left the broker; rows may be old";
    assert_eq!(scene.err, [gone]);
    scene.collector.cluster(&name("c1"), &[], false, scene.at);
    scene.step();
    assert_eq!(scene.err, [gone, "cluster \"c1\": fresh again"]);
}

#[test]
fn a_watch_takes_up_clusters_that_join_and_those_that_were_silent() {
    let mut scene = Scene::new("pods", &[], watching);
    scene.present(&["east"]);
    scene.discovered();
    scene.see("east", 0, pods(&["a"]));
    scene.present(&["west"]);
    assert_eq!(scene.collector.take_wanted(), [name("east"), name("west")]);
    scene.wait(5 * SECOND);
    // Once, however long it lasts.
    scene.wait(5 * SECOND);
    assert_eq!(scene.err.len(), 1);
    scene.see("west", 0, pods(&["b"]));
    assert!(
        scene.out.ends_with("west      b      Running\n"),
        "{}",
        scene.out
    );
    assert_eq!(scene.err.last().unwrap(), "cluster \"west\": fresh again");
}

#[test]
fn a_watch_of_one_missing_name_ends_as_in_kubectl() {
    let mut scene = Scene::new("pods a", &["c1"], watching);
    scene.see("c1", 0, pods(&[]));
    scene.check(
        "",
        &["Error from server (NotFound): pods \"a\" not found"],
        Some(1),
    );
}

#[test]
fn a_watch_of_changes_only_begins_with_nothing() {
    let mut scene = Scene::new("pods", &["c1"], |plan| {
        plan.watch = Some(Watch::ChangesOnly);
    });
    scene.see("c1", 0, pods(&["a"]));
    scene.check("", &[], None);
    let mut view = pods(&[]);
    view.changes = vec![Notice {
        key: Bytes::from_static(b"a"),
        old: Some(row(&["a", "Running"], "a")),
        new: Some(row(&["a", "Failed"], "a")),
    }];
    scene.see("c1", 0, view);
    scene.check("NAME   STATUS\na      Failed\n", &[], None);
}
