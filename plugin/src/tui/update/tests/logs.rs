//! The logs of all pods of a workload.

use super::*;
use crate::tui::event::{FeedId, RequestId};
use mqtt_informer::informer::log::{LogEnd, LogEvent, LogLine};
use mqtt_informer::protocol::logs::LogSelection;
use serde_json::{Value, json};

fn read(bed: &mut Bed) -> Vec<(RequestId, LogSelection)> {
    let effects = bed.take_effects().into_iter();
    let read = effects.filter_map(|effect| match effect {
        Effect::ReadLog(request, _, log, _) => Some((request, *log)),
        _ => None,
    });
    read.collect()
}

fn whose(logs: &[(RequestId, LogSelection)]) -> Vec<String> {
    let names = logs
        .iter()
        .map(|(_, log)| format!("{}/{}", log.pod, log.container));
    names.collect()
}

fn pod(state: &str) -> Option<Value> {
    Some(json!({
        "spec": {"initContainers": [{"name": "setup"}], "containers": [{"name": "app"}]},
        "status": {
            "initContainerStatuses": [{"name": "setup", "state": {"terminated": {}}}],
            "containerStatuses": [{"name": "app", "state": {state: {}}}]}}))
}

/// A deployment whose logs are looked at, and the feed of its pods.
fn deployment() -> (Bed, FeedId) {
    let mut bed = Bed::new(SIZE);
    bed.link(LinkState::Up);
    bed.clusters(&["east"]);
    bed.types(":deploy<enter>");
    bed.copy("east", "deployments", &PODS, &["web 2/2 x 1"]);
    bed.take_effects();
    bed.types("l");
    let selector = json!({"matchLabels": {"app": "web"}});
    bed.object(
        "east",
        Some(json!({"kind": "Deployment", "spec": {"selector": selector}})),
    );
    let pods = watched(&mut bed).pop().unwrap().0;
    assert_eq!(
        (
            pods.resource.as_str(),
            pods.namespace.as_str(),
            pods.labels.as_str()
        ),
        ("pods", "shop", "app=web")
    );
    let feed = bed.app.view().unwrap().feeds()[1];
    (bed, feed)
}

#[test]
fn all_pods_are_read_as_they_come_run_and_go() {
    let (mut bed, feed) = deployment();
    bed.tell(
        feed,
        "east",
        &[
            ("shop/web-1", pod("running")),
            ("shop/web-2", pod("waiting")),
        ],
    );
    let first = read(&mut bed);
    assert_eq!(
        whose(&first),
        ["web-1/app"],
        "one that waits has written nothing"
    );
    bed.tell(feed, "east", &[("shop/web-2", pod("running"))]);
    let second = read(&mut bed);
    assert_eq!(whose(&second), ["web-2/app"]);
    for (request, text) in [(first[0].0, "one"), (second[0].0, "other")] {
        let line = LogLine {
            time: None,
            stamp: Default::default(),
            text: text.to_owned().into(),
            cut: false,
        };
        bed.happens(What::Log(request, LogEvent::Lines(vec![line])));
    }
    let screen = bed.screen();
    assert!(
        screen.contains("web-1 one") && screen.contains("web-2 other"),
        "{screen}"
    );
    bed.happens(What::Log(
        first[0].0,
        LogEvent::Ended(LogEnd::Finished, None),
    ));
    bed.tell(feed, "east", &[("shop/web-1", None)]);
    assert!(bed.screen().contains("pod web-1 is gone"));
    assert!(read(&mut bed).is_empty());
}

#[test]
fn ranges_and_containers_are_of_all_pods() {
    let (mut bed, feed) = deployment();
    bed.tell(
        feed,
        "east",
        &[
            ("shop/web-1", pod("running")),
            ("shop/web-2", pod("running")),
        ],
    );
    bed.take_effects();
    bed.types("3");
    let logs = read(&mut bed);
    assert_eq!(whose(&logs), ["web-1/app", "web-2/app"]);
    assert!(logs.iter().all(|(_, log)| log.since_s == Some(300)));
    bed.types("a");
    let all = ["web-1/setup", "web-1/app", "web-2/setup", "web-2/app"];
    assert_eq!(whose(&read(&mut bed)), all);
    bed.types("<esc>");
    let closed = bed.take_effects();
    let logs = closed.iter().filter(|it| matches!(it, Effect::CloseLog(_)));
    assert_eq!(logs.count(), 4);
    assert!(closed.contains(&Effect::Leave(feed)));
}

#[test]
fn there_is_a_limit_and_it_is_told() {
    let (mut bed, feed) = deployment();
    let names: Vec<_> = (0..60).map(|at| format!("shop/web-{at}")).collect();
    let pods: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), pod("running")))
        .collect();
    bed.tell(feed, "east", &pods);
    assert_eq!(read(&mut bed).len(), 50);
    assert!(bed.screen().contains("those of other pods are not read"));
    // Those that are gone make room.
    let gone: Vec<_> = names
        .iter()
        .take(30)
        .map(|name| (name.as_str(), None))
        .collect();
    bed.tell(feed, "east", &gone);
    bed.tell(feed, "east", &[("shop/web-58", pod("running"))]);
    assert_eq!(whose(&read(&mut bed)), ["web-58/app"]);
}

#[test]
fn what_selects_nothing_says_so() {
    let mut bed = Bed::new(SIZE);
    bed.link(LinkState::Up);
    bed.types(":svc<enter>");
    bed.copy("east", "services", &PODS, &["web 1/1 x 1"]);
    bed.types("l");
    bed.object("east", Some(json!({"kind": "Service", "spec": {}})));
    assert!(
        bed.screen().contains("it selects no pods"),
        "{}",
        bed.screen()
    );
}
