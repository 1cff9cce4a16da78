//! What is missing, refused or wrong.

use super::*;

#[test]
fn what_is_missing_somewhere_is_no_error_and_everywhere_it_is_one() {
    let no_type = || {
        refused(
            "NotFound",
            "the server doesn't have a resource type \"foo\"",
        )
    };
    let mut scene = Scene::new("foo", &[], plain);
    scene.present(&["east", "west"]);
    scene.see("east", 0, no_type());
    scene.see("west", 0, pods(&["a"]));
    scene.discovered();
    scene.check(
        "CLUSTER   NAME   STATUS\nwest      a      Running\n",
        &[],
        Some(0),
    );
    let mut scene = Scene::new("foo", &[], plain);
    scene.present(&["east", "west"]);
    scene.see("east", 0, no_type());
    scene.see("west", 0, no_type());
    scene.discovered();
    scene.check(
        "",
        &["error: the server doesn't have a resource type \"foo\""],
        Some(1),
    );
    let mut scene = Scene::new("pods a", &["east", "west"], plain);
    scene.see("east", 0, pods(&[]));
    scene.see("west", 0, pods(&[]));
    scene.check(
        "",
        &["Error from server (NotFound): pods \"a\" not found"],
        Some(1),
    );
}

#[test]
fn a_refusal_is_one_line_and_may_be_allowed() {
    for (allow_partial, code) in [(false, 1), (true, 0)] {
        let mut scene = Scene::new("pods", &["east", "west"], |plan| {
            plan.allow_partial = allow_partial;
        });
        scene.see("east", 0, refused("Forbidden", "pods is forbidden"));
        scene.see("west", 0, pods(&["a"]));
        scene.check(
            "CLUSTER   NAME   STATUS\nwest      a      Running\n",
            &["error: cluster \"east\": Error from server (Forbidden): pods is forbidden"],
            Some(code),
        );
    }
    // Nothing at all is not a part.
    let mut scene = Scene::new("pods", &["east", "west"], |plan| plan.allow_partial = true);
    scene.see("east", 0, refused("Forbidden", "no"));
    scene.see("west", 0, refused("Forbidden", "no"));
    assert_eq!(scene.code, Some(1));
}

#[test]
fn no_cluster_is_an_error_that_names_the_others() {
    let mut scene = Scene::new("pods", &["no*"], plain);
    scene.present(&["east"]);
    scene.discovered();
    scene.check(
        "",
        &["error: no cluster matches --cluster no*: known are east"],
        Some(1),
    );
}

#[test]
fn a_broker_that_cannot_be_reached_is_the_end() {
    let mut scene = Scene::new("pods", &[], plain);
    scene.collector = {
        let plan = scene.collector.plan.clone();
        Collector::new(plan, &ClusterSelector::default(), Audience::Program)
    };
    scene.collector.link_down("cannot connect", false, At::ZERO);
    scene.wait(4 * SECOND);
    scene.check("", &[], None);
    scene.wait(SECOND);
    scene.check("", &["error: cannot connect"], Some(1));
    scene.code = None;
    let plan = scene.collector.plan.clone();
    scene.collector = Collector::new(plan, &ClusterSelector::default(), Audience::Program);
    scene.collector.link_down("wrong password", true, At::ZERO);
    scene.at = At::ZERO;
    scene.step();
    assert_eq!(
        (scene.err.last().unwrap().as_str(), scene.code),
        ("error: wrong password", Some(1))
    );
}

#[test]
fn the_whole_may_last_so_long_and_no_longer() {
    let mut scene = Scene::new("pods", &["c1"], |plan| {
        plan.request_timeout = Some(2 * SECOND);
    });
    scene.wait(2 * SECOND);
    assert!(
        scene.err[0].contains("not complete within 2s"),
        "{:?}",
        scene.err
    );
    assert_eq!(scene.code, Some(1));
}

#[test]
fn what_a_source_makes_up_is_an_error_of_its_cluster() {
    let mut scene = Scene::new("pods", &["east", "west"], plain);
    scene.see("east", 0, whole(&Bytes::from_static(b"\xff"), &[]));
    scene.see(
        "west",
        0,
        whole(
            &header("", "pods", "Pod", &["Name"]),
            &[("a", Bytes::from_static(b"\xff"))],
        ),
    );
    assert_eq!(
        (scene.err.len(), scene.code, scene.out.as_str()),
        (2, Some(1), "")
    );
}
