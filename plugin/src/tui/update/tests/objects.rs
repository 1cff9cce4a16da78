use super::*;
use crate::tui::event::FeedNews;
use crate::tui::testing::name;
use crate::tui::theme::Theme;
use mqtt_informer::informer::Freshness;
use serde_json::json;

fn pod(container_state: serde_json::Value) -> serde_json::Value {
    serde_json::json!({
        "kind": "Pod",
        "metadata": {"name": "cart-1", "namespace": "shop", "uid": "u"},
        "spec": {"containers": [{"name": "app", "image": "a:1"}, {"name": "side", "image": "s:1"}]},
        "status": {"containerStatuses": [
            {"name": "app", "ready": true, "state": container_state},
            {"name": "side", "ready": true, "state": {"running": {}}}]}})
}

#[test]
fn yaml_is_of_one_object_and_live() {
    let mut bed = pods(SIZE);
    bed.take_effects();
    bed.types("y");
    let it = watched(&mut bed);
    assert_eq!(
        (it[0].0.fields.as_str(), it[0].0.view),
        (
            "metadata.name=cart-1",
            mqtt_informer::protocol::message::View::Objects
        )
    );
    assert_eq!(it[0].1, Clusters::new(["east"]).unwrap());
    assert_eq!(text(&bed).lines, None);
    bed.object("east", Some(pod(serde_json::json!({"running": {}}))));
    assert!(
        text(&bed)
            .lines
            .as_ref()
            .unwrap()
            .contains(&"  name: cart-1".to_owned())
    );
    bed.types("/side<enter>n");
    assert_eq!(text(&bed).at, 1);
    bed.object("east", None);
    assert!(
        text(&bed).objects.values().all(Option::is_some),
        "nothing was said of it"
    );
    bed.types("<esc>");
    assert!(
        text(&bed).search.is_empty(),
        "one step out is out of the search"
    );
    bed.types("<esc>");
    assert_eq!(bed.app.views.len(), 1);
}

#[test]
fn a_description_is_asked_for_and_made_anew_when_its_object_changes() {
    let mut bed = pods(SIZE);
    bed.take_effects();
    bed.types("d");
    let asked = |bed: &mut Bed| {
        let effects = bed.take_effects().into_iter();
        let mut requests = effects.filter_map(|effect| match effect {
            Effect::Describe(request, _) => Some(request),
            _ => None,
        });
        requests.next()
    };
    let first = asked(&mut bed).unwrap();
    bed.object("east", Some(pod(serde_json::json!({"running": {}}))));
    assert_eq!(asked(&mut bed), None, "the first is still under way");
    bed.happens(What::Described(first, Ok("Name: cart-1\n".to_owned())));
    assert_eq!(text(&bed).len(), 1);
    bed.wait(500);
    assert_eq!(asked(&mut bed), None);
    bed.wait(600);
    let second = asked(&mut bed).unwrap();
    bed.happens(What::Described(first, Ok("old\nold\n".to_owned())));
    assert_eq!(
        text(&bed).len(),
        1,
        "an answer to an earlier question is none"
    );
    bed.happens(What::Described(second, Err("gone".to_owned())));
    assert_eq!((text(&bed).len(), text(&bed).refused()), (1, Some("gone")));
    bed.wait(4900);
    assert_eq!(asked(&mut bed), None);
    bed.wait(200);
    assert!(
        asked(&mut bed).is_some(),
        "what belongs to it may have changed"
    );
}

#[test]
fn logs_of_all_usual_containers_are_read_again_when_they_run_again() {
    use mqtt_informer::informer::log::{LogEnd, LogEvent};
    let mut bed = pods(SIZE);
    bed.take_effects();
    bed.types("l");
    bed.object("east", Some(pod(serde_json::json!({"running": {}}))));
    let read = |bed: &mut Bed| -> Vec<_> {
        let effects = bed.take_effects().into_iter();
        effects
            .filter_map(|effect| match effect {
                Effect::ReadLog(request, _, log, after) => Some((request, *log, after)),
                _ => None,
            })
            .collect()
    };
    let logs = read(&mut bed);
    let names: Vec<_> = logs
        .iter()
        .map(|(_, log, _)| (log.container.as_str(), log.tail, log.follow))
        .collect();
    assert_eq!(
        names,
        [("app", Some(1000), true), ("side", Some(1000), true)]
    );
    bed.happens(What::Log(
        logs[0].0,
        LogEvent::Ended(LogEnd::Finished, None),
    ));
    bed.object(
        "east",
        Some(pod(
            serde_json::json!({"waiting": {"reason": "CrashLoopBackOff"}}),
        )),
    );
    assert!(read(&mut bed).is_empty(), "it does not run");
    bed.object(
        "east",
        Some(pod(serde_json::json!({"running": {"startedAt": "x"}}))),
    );
    let effects = bed.take_effects();
    assert_eq!(
        effects[0],
        Effect::CloseLog(logs[0].0),
        "nobody reads the one that has ended"
    );
    assert!(
        matches!(&effects[1..], [Effect::ReadLog(_, _, log, _)] if log.container == "app"),
        "{effects:?}"
    );
    bed.types("3");
    let effects = bed.take_effects();
    let closed = effects
        .iter()
        .filter(|effect| matches!(effect, Effect::CloseLog(_)))
        .count();
    let since: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::ReadLog(_, _, log, _) => Some((log.since_s, log.tail)),
            _ => None,
        })
        .collect();
    assert_eq!((closed, since), (2, vec![(Some(300), None); 2]));
    bed.types("<esc>");
    let left = bed
        .take_effects()
        .iter()
        .filter(|effect| matches!(effect, Effect::CloseLog(_)))
        .count();
    assert_eq!(left, 2);
}

#[test]
fn containers_and_the_log_of_one() {
    let mut bed = pods(SIZE);
    bed.types("<enter>");
    bed.object("east", Some(pod(serde_json::json!({"running": {}}))));
    bed.take_effects();
    bed.types("j<enter>");
    let read = bed
        .take_effects()
        .into_iter()
        .find_map(|effect| match effect {
            Effect::ReadLog(_, _, log, _) => Some(log.container),
            _ => None,
        });
    assert_eq!(read.as_deref(), Some("side"));
}

#[test]
fn what_an_object_has_nothing_of_is_told() {
    let mut bed = Bed::new(SIZE);
    bed.types(":cm<enter>");
    bed.copy("east", "things", &PODS, &["web 1/1 x 1"]);
    for (key, word) in [("l", "logs"), ("u", "uses"), ("J", "made")] {
        bed.types(key);
        assert!(
            bed.app.told.as_ref().unwrap().text.contains(word),
            "{:?}",
            bed.app.told
        );
        assert_eq!(bed.app.views.len(), 1);
    }
    bed.take_effects();
    bed.types("e");
    assert_eq!(
        watched(&mut bed)[0].0.fields,
        "involvedObject.kind=Thing,involvedObject.name=web"
    );
}

#[test]
fn who_uses_a_secret() {
    let mut bed = Bed::new(SIZE);
    bed.types(":secrets<enter>");
    bed.copy("east", "secrets", &PODS, &["keys 1/1 x 1"]);
    bed.take_effects();
    bed.types("u");
    let it = watched(&mut bed);
    assert_eq!(
        (it[0].0.resource.as_str(), it[0].0.namespace.as_str()),
        ("pods", "shop")
    );
    bed.object("east", Some(serde_json::json!({"spec": {"volumes": [{"name": "v", "secret": {"secretName": "keys"}}]}})));
    let View::Used(used) = bed.app.view().unwrap() else {
        panic!("{:?}", bed.app.view())
    };
    assert_eq!(used.list.lines[0].cells, ["shop", "x", "volume v"]);
}

fn left(bed: &mut Bed, cluster: &str) {
    let news = FeedNews::Left(name(cluster));
    bed.happens(What::Feed(bed.feed(), news));
    // A cluster that was named is followed again at once, and has said nothing then.
    let news = FeedNews::Joined(name(cluster));
    bed.happens(What::Feed(bed.feed(), news));
    bed.age(cluster, Freshness::Unknown, 0);
}

/// How the first line is drawn that has this text.
fn role_of(bed: &Bed, text: &str) -> ratatui::style::Style {
    crate::tui::draw::tests::line_style(bed, &Theme::default(), text)
}

#[test]
fn what_is_shown_of_a_cluster_that_left_is_old_in_every_view() {
    let uses = json!({"metadata": {"name": "x"}, "kind": "Pod", "spec": {
        "containers": [{"name": "app", "image": "a:1"}],
        "volumes": [{"name": "conf", "secret": {"secretName": "cart-1"}}]}});
    for (plural, key, text) in [
        ("pods", "y", "image"),
        ("pods", "<enter>", "a:1"),
        ("secrets", "u", "volume conf"),
    ] {
        let mut bed = Bed::new(SIZE);
        bed.link(LinkState::Up);
        bed.clusters(&["east"]);
        bed.copy("east", plural, &PODS, &["cart-1 1/1 Running 1"]);
        bed.types(key);
        bed.object("east", Some(uses.clone()));
        let live = role_of(&bed, text);
        assert!(bed.screen().contains(" live"), "{}", bed.screen());
        bed.clusters(&["east-"]);
        let offline = role_of(&bed, text);
        assert_ne!(live, offline, "{key}: its source is away");
        assert!(bed.screen().contains(" offline 60s"), "{}", bed.screen());
        bed.clusters(&["east"]);
        assert_eq!(role_of(&bed, text), live, "{key}");
        left(&mut bed, "east");
        assert_eq!(role_of(&bed, text), offline, "{key}: it left");
        assert!(!bed.screen().contains(" live"), "{}", bed.screen());
    }
}

#[test]
fn what_used_an_object_before_a_cluster_left_does_not_come_back_with_it() {
    let mut bed = Bed::new(SIZE);
    bed.types(":secrets<enter>");
    bed.copy("east", "secrets", &PODS, &["keys 1/1 x 1"]);
    bed.types("u");
    let uses = json!({"spec": {"volumes": [{"name": "v", "secret": {"secretName": "keys"}}]}});
    bed.object("east", Some(uses));
    left(&mut bed, "east");
    let used = |bed: &Bed| match bed.app.view() {
        Some(View::Used(used)) => used.list.lines.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(used(&bed), 1, "it is shown until there is something newer");
    bed.object("east", None);
    assert_eq!(used(&bed), 0);
}

#[test]
fn a_difference_is_as_old_as_the_oldest_part_of_it() {
    let mut bed = Bed::new(SIZE);
    bed.link(LinkState::Up);
    bed.clusters(&["east", "north", "west"]);
    bed.types(":deploy<enter>");
    for cluster in ["east", "north", "west"] {
        bed.copy(cluster, "deployments", &PODS, &["web 1/1 x 1"]);
    }
    bed.types(":diff<enter>");
    for cluster in ["east", "north", "west"] {
        let object = json!({"kind": "Deployment", "metadata": {"name": "web"}, "spec": cluster});
        bed.object(cluster, Some(object));
    }
    assert!(bed.screen().contains("web live"), "{}", bed.screen());
    bed.age("east", Freshness::Stale, 65_000);
    bed.age("north", Freshness::Stale, 15_000);
    bed.age("west", Freshness::Unknown, 0);
    assert!(bed.screen().contains("web stale 60s"), "{}", bed.screen());
    left(&mut bed, "east");
    assert!(bed.screen().contains("web stale 10s"), "{}", bed.screen());
    let lines = text(&bed).lines.clone().unwrap();
    assert!(
        !lines.iter().any(|line| line.contains("east")),
        "what it had is compared no longer: {lines:?}"
    );
}

#[test]
fn a_description_that_can_no_longer_be_made_says_so() {
    let mut bed = pods(SIZE);
    bed.take_effects();
    bed.types("d");
    let asked = |bed: &mut Bed| {
        let effects = bed.take_effects().into_iter();
        let mut requests = effects.filter_map(|effect| match effect {
            Effect::Describe(request, _) => Some(request),
            _ => None,
        });
        requests.next().unwrap()
    };
    let first = asked(&mut bed);
    bed.object("east", Some(pod(json!({"running": {}}))));
    bed.happens(What::Described(first, Ok("Name: cart-1\n".to_owned())));
    let live = role_of(&bed, "Name: cart-1");
    bed.wait(1100);
    let second = asked(&mut bed);
    bed.happens(What::Described(second, Err("pods is forbidden".to_owned())));
    let screen = bed.screen();
    assert!(
        screen.contains("pods is forbidden") && !screen.contains(" live"),
        "{screen}"
    );
    assert_ne!(role_of(&bed, "Name: cart-1"), live);
}

#[test]
fn of_what_api_servers_select_pods_by_only_those_are_read() {
    for (plural, fields) in [
        ("nodes", "spec.nodeName=x"),
        ("serviceaccounts", "spec.serviceAccountName=x"),
        ("secrets", ""),
    ] {
        let mut bed = Bed::new(SIZE);
        bed.copy("east", plural, &PODS, &["x 1/1 x 1"]);
        bed.take_effects();
        bed.types("u");
        assert_eq!(watched(&mut bed)[0].0.fields, fields, "{plural}");
    }
}
