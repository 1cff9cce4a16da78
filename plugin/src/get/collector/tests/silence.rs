//! Clusters that are silent, late, away or stale.

use super::*;

#[test]
fn a_silent_cluster_delays_nobody() {
    let mut scene = Scene::new("pods", &[], plain);
    scene.present(&["dead", "east"]);
    scene.discovered();
    scene.see("east", 0, pods(&["a"]));
    scene.check("", &[], None);
    scene.wait(PATIENCE);
    let rows = "CLUSTER   NAME   STATUS\neast      a      Running\n";
    scene.check(rows, &[], None);
    assert_eq!(scene.collector.deadline(scene.at), Some(5 * SECOND));
    scene.wait(5 * SECOND - PATIENCE);
    let silent = "error: cluster \"dead\": no answer within 5s: its syncer is away or busy; --timeout waits longer";
    scene.check(rows, &[silent], Some(1));
}

#[test]
fn a_cluster_that_speaks_a_later_version_is_not_called_silent() {
    let mut scene = Scene::new("pods", &["c1"], plain);
    let later = StreamView {
        state: StreamState {
            obstacle: Some(Obstacle::Unreadable(DecodeError::NewerVersion(2))),
            ..StreamState::default()
        },
        ..StreamView::default()
    };
    scene.see("c1", 0, later);
    scene.check("", &[], None);
    scene.wait(5 * SECOND);
    let line = "error: cluster \"c1\": no answer, but a message of protocol version 2, and this program speaks 1: update this program";
    scene.check("", &[line], Some(1));
}

#[test]
fn a_late_cluster_s_rows_follow_under_the_same_headers() {
    let mut scene = Scene::new("pods", &[], plain);
    scene.present(&["east", "west"]);
    scene.discovered();
    scene.see("west", 0, pods(&["w"]));
    scene.wait(PATIENCE);
    scene.see("east", 0, pods(&["e"]));
    scene.check(
        "CLUSTER   NAME   STATUS\nwest      w      Running\neast      e      Running\n",
        &[],
        Some(0),
    );
}

#[test]
fn whoever_speaks_is_not_silent() {
    let mut scene = Scene::new("pods", &["c1"], plain);
    let listing = |heard: u64| StreamView {
        state: StreamState {
            progress: Progress::Listing(7),
            ..StreamState::default()
        },
        heard: Some(SECOND * u32::try_from(heard).unwrap()),
        ..StreamView::default()
    };
    for heard in [4, 8, 12] {
        scene.see("c1", 0, listing(heard));
        scene.wait(4 * SECOND);
    }
    scene.check("", &[], None);
    assert_eq!(
        scene.collector.progress(scene.at).unwrap(),
        "0/1 clusters, 7 items listed"
    );
    scene.wait(5 * SECOND);
    assert_eq!(scene.code, Some(1));
}

#[test]
fn a_last_will_is_said_at_once_when_discovery_did_not_correct_it() {
    let mut scene = Scene::new("pods", &["c1"], plain);
    scene.collector.cluster(&name("c1"), &[], true, At::ZERO);
    scene.step();
    scene.check("", &[], None);
    scene.discovered();
    scene.check(
        "",
        &["error: cluster \"c1\": offline: its syncer left the broker"],
        Some(1),
    );
}

#[test]
fn a_cluster_that_was_only_named_gets_a_hint() {
    let mut scene = Scene::new("pods", &["nobody"], plain);
    scene.discovered();
    scene.wait(5 * SECOND);
    assert!(
        scene.err[0].contains("\"nobody\"") && scene.err[0].contains("clusters"),
        "{:?}",
        scene.err
    );
}

#[test]
fn stale_rows_are_printed_and_told() {
    let mut scene = Scene::new("pods", &["c1"], plain);
    let mut view = pods(&["a"]);
    view.state.upstream_down = Some(UpstreamDown {
        since: 12 * SECOND,
        message: String::new(),
    });
    scene.see("c1", 0, view);
    scene.check(
        "NAME   STATUS\na      Running\n",
        &["warning: cluster \"c1\": stale: its API server has not answered for 12s; rows may be old"],
        Some(1),
    );
}

#[test]
fn an_api_server_that_is_away_is_not_waited_for_longer_than_a_silent_cluster() {
    let mut scene = Scene::new("pods", &["c1"], plain);
    let down = |heard: Duration, since: Duration| {
        let mut view = StreamView {
            heard: Some(heard),
            ..StreamView::default()
        };
        view.state.upstream_down = Some(UpstreamDown {
            since,
            message: "refused".to_owned(),
        });
        view
    };
    scene.see("c1", 0, down(SECOND, SECOND));
    scene.check("", &[], None);
    scene.see("c1", 0, down(SECOND, 6 * SECOND));
    scene.check(
        "",
        &["error: cluster \"c1\": its API server has not answered for 6s: refused"],
        Some(1),
    );
}
