//! Containers come, restart and go.

use super::super::request::{containers, part, subject};
use super::*;
use serde_json::json;

fn request(word: &str, follow: bool, most: usize) -> Request {
    let mut part = part(Some(5), None, None).unwrap();
    part.follow = follow;
    Request {
        subject: subject(&[word.to_owned()], "").unwrap(),
        containers: containers(None, true).unwrap(),
        part,
        include: vec![],
        exclude: vec![],
        most,
    }
}

fn east() -> ClusterName {
    ClusterName::new("east").unwrap()
}

fn pod(name: &str, uid: &str, restarts: u64, state: &str) -> Pod {
    let pod = json!({
        "metadata": {"name": name, "namespace": "shop", "uid": uid},
        "spec": {"containers": [{"name": "app"}]},
        "status": {"containerStatuses": [{"name": "app", "restartCount": restarts, "state": {state: {}}}]},
    });
    Pod::read(pod.to_string().as_bytes()).unwrap()
}

/// What is opened now: pod, its tail.
fn opened(tracker: &mut Tracker) -> Vec<(String, Option<u64>)> {
    std::iter::from_fn(|| tracker.next_opening().unwrap())
        .map(|opening| (opening.id.pod, opening.log.tail))
        .collect()
}

fn id(pod: &str) -> Id {
    Id {
        cluster: east(),
        namespace: "shop".into(),
        pod: pod.into(),
        container: "app".into(),
    }
}

fn at(seconds: u64) -> At {
    Duration::from_secs(seconds)
}

#[test]
fn what_is_there_is_read_in_part_and_what_comes_later_as_a_whole() {
    let mut tracker = Tracker::new(request("web", true, 9));
    let (old, other) = (
        pod("web-1", "1", 0, "running"),
        pod("db-1", "2", 0, "running"),
    );
    let waiting = pod("web-2", "3", 0, "waiting");
    tracker.pods(&east(), &[old.clone(), other, waiting]);
    assert_eq!(opened(&mut tracker), [("web-1".into(), Some(5))]);
    let (begun, new) = (
        pod("web-2", "3", 0, "running"),
        pod("web-3", "4", 0, "running"),
    );
    tracker.pods(&east(), &[old, begun, new]);
    assert_eq!(
        opened(&mut tracker),
        [("web-2".into(), None), ("web-3".into(), None)]
    );
}

#[test]
fn a_container_that_restarts_is_read_on() {
    let mut tracker = Tracker::new(request("web", true, 9));
    tracker.pods(&east(), &[pod("web", "1", 0, "running")]);
    opened(&mut tracker);
    tracker.pods(&east(), &[pod("web", "1", 1, "running")]);
    assert_eq!(opened(&mut tracker), [], "its old log is still open");
    tracker.ended(&id("web"), &LogEnd::Finished, None, at(0));
    assert_eq!(opened(&mut tracker), [("web".into(), None)]);
    // The status may come later than the end.
    tracker.ended(&id("web"), &LogEnd::Finished, None, at(1));
    assert_eq!(opened(&mut tracker), []);
    tracker.pods(&east(), &[pod("web", "1", 2, "running")]);
    assert_eq!(opened(&mut tracker), [("web".into(), None)]);
}

#[test]
fn a_log_that_ends_while_its_container_runs_is_looked_at_again_ever_more_seldom() {
    let mut tracker = Tracker::new(request("web", true, 9));
    tracker.pods(&east(), &[pod("web", "1", 0, "running")]);
    let mut now = at(0);
    for wait in [1, 2, 4, 8, 10, 10] {
        assert_eq!(opened(&mut tracker).len(), 1);
        tracker.ended(&id("web"), &LogEnd::Finished, None, now);
        assert_eq!(tracker.deadline(), Some(now + at(wait)));
        assert_eq!(opened(&mut tracker), []);
        now += at(wait);
        tracker.wake(now);
    }
    opened(&mut tracker);
    tracker.ended(&id("web"), &LogEnd::Finished, None, now);
    tracker.pods(&east(), &[pod("web", "1", 0, "terminated")]);
    assert_eq!((tracker.deadline(), tracker.is_idle()), (None, true));
}

#[test]
fn the_end_of_a_log_says_nothing_of_the_pod_that_took_its_name() {
    let mut tracker = Tracker::new(request("web", true, 9));
    tracker.pods(&east(), &[pod("web", "1", 0, "running")]);
    assert_eq!(opened(&mut tracker).len(), 1);
    tracker.pods(&east(), &[pod("web", "2", 0, "waiting")]);
    tracker.ended(&id("web"), &LogEnd::Finished, None, at(0));
    assert_eq!(tracker.waiting().count(), 1);
    tracker.pods(&east(), &[pod("web", "2", 0, "running")]);
    assert_eq!(opened(&mut tracker).len(), 1);
}

#[test]
fn what_was_evicted_before_it_ran_is_waited_for_by_nobody() {
    for (phase, may_start) in [("Pending", true), ("Failed", false)] {
        let mut tracker = Tracker::new(request("web", true, 9));
        let evicted = json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "1"},
            "spec": {"containers": [{"name": "app"}]},
            "status": {"phase": phase},
        });
        tracker.pods(
            &east(),
            &[Pod::read(evicted.to_string().as_bytes()).unwrap()],
        );
        assert_eq!(opened(&mut tracker), []);
        assert_eq!(
            tracker.waiting().collect::<Vec<_>>(),
            [(&id("web"), may_start)]
        );
    }
}

#[test]
fn without_following_each_is_read_once_and_not_more_than_allowed_at_once() {
    let mut tracker = Tracker::new(request("web", false, 1));
    let pods = [
        pod("web-1", "1", 0, "running"),
        pod("web-2", "2", 0, "terminated"),
    ];
    tracker.pods(&east(), &pods);
    assert_eq!(opened(&mut tracker), [("web-1".into(), Some(5))]);
    tracker.ended(&id("web-1"), &LogEnd::Finished, None, at(0));
    assert_eq!(opened(&mut tracker), [("web-2".into(), Some(5))]);
    tracker.ended(&id("web-2"), &LogEnd::Finished, None, at(0));
    tracker.pods(&east(), &[pod("web-3", "3", 0, "running")]);
    assert_eq!(
        (opened(&mut tracker), tracker.is_idle(), tracker.len()),
        (vec![], true, 2)
    );
}

#[test]
fn more_than_may_be_followed_is_an_error() {
    let mut tracker = Tracker::new(request("web", true, 1));
    let pods = [
        pod("web-1", "1", 0, "running"),
        pod("web-2", "2", 0, "running"),
    ];
    tracker.pods(&east(), &pods);
    assert_eq!(tracker.next_opening(), Err(TooMany(2, 1)));
}

#[test]
fn a_pod_that_is_gone_is_forgotten_when_its_log_has_ended() {
    let mut tracker = Tracker::new(request("web", true, 9));
    tracker.pods(&east(), &[pod("web", "1", 0, "running")]);
    opened(&mut tracker);
    tracker.pods(&east(), &[]);
    tracker.ended(&id("web"), &LogEnd::Finished, None, at(0));
    assert_eq!(tracker.deadline(), None);
    tracker.pods(&east(), &[]);
    assert!(tracker.is_empty());
    tracker.pods(&east(), &[pod("web", "2", 0, "running")]);
    assert_eq!(opened(&mut tracker).len(), 1, "another pod of that name");
}

#[test]
fn a_pod_by_name_is_asked_although_it_has_not_run() {
    let mut tracker = Tracker::new(request("pod/web", false, 9));
    tracker.pods(&east(), &[pod("web", "1", 0, "waiting")]);
    assert_eq!(opened(&mut tracker).len(), 1);
}

#[test]
fn a_container_that_no_pod_has_is_told_from_a_pod_that_is_not_there() {
    let mut asked = request("web", true, 9);
    asked.containers = containers(Some("nope"), false).unwrap();
    let mut tracker = Tracker::new(asked);
    tracker.pods(&east(), &[pod("db-1", "1", 0, "running")]);
    assert!(!tracker.met_any() && tracker.without_container().is_none());
    tracker.pods(&east(), &[pod("web-1", "2", 0, "running")]);
    assert!(tracker.met_any() && tracker.is_empty());
    let why = "container nope is not valid for pod web-1 out of: app";
    assert_eq!(tracker.without_container(), Some(why));
}
