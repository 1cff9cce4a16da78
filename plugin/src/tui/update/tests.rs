use super::*;
use crate::tui::grid::{Field, Group, Only};
use crate::tui::testing::{Bed, PODS, pods};
use crate::tui::view::table::TableSpec;
use mqtt_informer::informer::Clusters;
use mqtt_informer::link::Failure;
use mqtt_informer::protocol::message::Selection;
use mqtt_informer::protocol::selector::LabelSelector;

const SIZE: (u16, u16) = (100, 24);

fn spec(bed: &Bed) -> &TableSpec {
    &bed.app.table().unwrap().spec
}

/// What is watched from now on: the types with their namespaces and fields, and in which clusters.
fn watched(bed: &mut Bed) -> Vec<(Selection, Clusters)> {
    let effects = bed.take_effects().into_iter();
    let watched = effects.filter_map(|effect| match effect {
        Effect::Watch(_, clusters, selection) => Some((*selection, clusters)),
        _ => None,
    });
    watched.collect()
}

fn selected(bed: &Bed) -> String {
    let selected = bed.app.table().unwrap().grid.selected();
    selected.map_or_else(String::new, |it| {
        format!("{}/{}", it.cluster.as_str(), it.name)
    })
}

#[test]
fn it_opens_on_the_pods_of_all_namespaces_and_clusters() {
    let mut bed = Bed::new(SIZE);
    let watched = watched(&mut bed);
    let [(selection, clusters)] = watched.as_slice() else {
        panic!("{watched:?}")
    };
    assert_eq!(
        (selection.resource.as_str(), selection.namespace.as_str()),
        ("pods", "")
    );
    assert_eq!(*clusters, Clusters::all());
}

#[test]
fn a_command_shows_another_table_and_leaves_the_first() {
    let mut bed = pods(SIZE);
    let feed = bed.feed();
    bed.take_effects();
    bed.types(":deploy shop,pay @east /web<enter>");
    assert!(bed.effects.contains(&Effect::Leave(feed)));
    let watched: Vec<_> = watched(&mut bed)
        .into_iter()
        .filter(|(it, _)| it.resource == "deploy")
        .collect();
    let namespaces: Vec<_> = watched
        .iter()
        .map(|(it, _)| it.namespace.as_str())
        .collect();
    assert_eq!(namespaces, ["shop", "pay"]);
    assert_eq!(watched[0].1, Clusters::new(["east"]).unwrap());
    assert_eq!(spec(&bed).filter, "web");
    bed.types(":nodes<enter>");
    assert_eq!(spec(&bed).namespaces, ["shop", "pay"], "they stay meant");
    assert_eq!(spec(&bed).clusters, ["east"]);
    bed.types(":@all<enter>");
    assert_eq!(
        (spec(&bed).word.as_str(), spec(&bed).clusters.len()),
        ("nodes", 0)
    );
}

#[test]
fn history_goes_back_and_forth() {
    let mut bed = pods(SIZE);
    bed.types(":deploy<enter>:nodes<enter>");
    let word = |bed: &Bed| spec(bed).word.clone();
    for (typed, want) in [
        ("[", "deploy"),
        ("[", "pods"),
        ("[", "pods"),
        ("]", "deploy"),
        ("-", "pods"),
        ("-", "deploy"),
    ] {
        bed.types(typed);
        assert_eq!(word(&bed), want, "{typed}");
    }
    bed.types(":svc<enter>]");
    assert_eq!(word(&bed), "svc", "what was ahead is forgotten");
}

#[test]
fn a_filter_works_while_it_is_typed_and_esc_takes_it_back() {
    let mut bed = pods(SIZE);
    bed.types("/web");
    assert_eq!(bed.app.table().unwrap().grid.shown(), 2);
    bed.types("-[");
    let table = bed.app.table().unwrap();
    assert!(
        table.wrong.as_ref().unwrap().contains("unclosed"),
        "{:?}",
        table.wrong
    );
    assert_eq!(table.grid.shown(), 2, "what was understood last counts");
    bed.types("<esc>");
    assert_eq!(bed.app.table().unwrap().grid.shown(), 5);
    bed.types("/!run<enter>");
    assert_eq!(bed.app.table().unwrap().grid.shown(), 3);
    bed.types("<esc>");
    assert_eq!(
        (bed.app.table().unwrap().grid.shown(), bed.app.views.len()),
        (5, 1)
    );
}

#[test]
fn tab_completes_types_namespaces_and_clusters() {
    let mut bed = pods(SIZE);
    bed.app.words.namespaces = ["shop".to_owned(), "shipping".to_owned()].into();
    bed.types(":dep<tab> sh<tab><tab> @we<tab>");
    assert_eq!(
        bed.app.prompt.as_ref().unwrap().text(),
        "deployments shop @west"
    );
    bed.types("<ctrl-u>@east,w<tab>");
    assert_eq!(bed.app.prompt.as_ref().unwrap().text(), "@east,west");
    bed.types("<ctrl-u>po");
    assert_eq!(ghost(&bed.app, "po").as_deref(), Some("ds"));
}

#[test]
fn what_cannot_be_done_is_told_and_stays_typed() {
    let mut bed = pods(SIZE);
    bed.types(":pods @@nosuch<enter>");
    let told = bed.app.told.clone().unwrap();
    assert!(told.is_wrong && told.text.contains("nosuch"), "{told:?}");
    assert!(bed.app.prompt.is_some());
    bed.types("<esc><esc>");
    bed.wait(5000);
    assert_eq!(bed.app.told, None);
}

#[test]
fn clusters_are_chosen_from_a_list() {
    let mut bed = pods(SIZE);
    bed.types(":ctx<enter>");
    bed.take_effects();
    bed.types("<down><space><enter>");
    let watched = watched(&mut bed);
    assert_eq!(watched[0].1, Clusters::new(["west"]).unwrap());
    assert_eq!(bed.app.views.len(), 1);
    bed.types(":cl<enter>");
    let View::Picker(picker) = bed.app.view().unwrap() else {
        panic!("{:?}", bed.app.view())
    };
    assert_eq!(
        picker.answer(),
        ["west"],
        "those that are meant are chosen already"
    );
}

#[test]
fn clusters_may_be_meant_by_their_labels() {
    let mut bed = Bed::with(Start {
        cluster_labels: Some(LabelSelector::parse("env=prod").unwrap()),
        size: SIZE,
        ..Start::default()
    });
    let before = watched(&mut bed);
    assert!(
        !before[0].1.matches(&crate::tui::testing::name("east")),
        "before labels are known nobody is asked"
    );
    bed.clusters(&["east", "west"]);
    let after = watched(&mut bed);
    assert_eq!(after[0].1, Clusters::new(["east"]).unwrap());
    bed.clusters(&["east", "west-"]);
    assert!(watched(&mut bed).is_empty(), "nobody came or went");
}

#[test]
fn digits_are_namespaces() {
    let mut bed = pods(SIZE);
    bed.types("1");
    assert!(bed.app.told.as_ref().unwrap().is_wrong);
    bed.types(":ns pay<enter>:ns shop<enter>");
    bed.types("2");
    assert_eq!(spec(&bed).namespaces, ["pay"]);
    bed.types("1");
    assert_eq!(
        spec(&bed).namespaces,
        ["shop"],
        "numbers stay while one goes by them"
    );
    bed.types("0");
    assert!(spec(&bed).namespaces.is_empty());
}

#[test]
fn capitals_and_shifted_arrows_sort() {
    let mut bed = pods(SIZE);
    let sort = |bed: &Bed| bed.app.table().unwrap().grid.sort();
    bed.types("A");
    assert_eq!(
        (sort(&bed).by, sort(&bed).descending),
        (Some(Field::Column(3)), false)
    );
    bed.types("A");
    assert!(sort(&bed).descending);
    bed.types("<shift-left>");
    assert_eq!(
        (sort(&bed).by, sort(&bed).descending),
        (Some(Field::Column(2)), false)
    );
    bed.types("<shift-right><shift-right><shift-right>");
    assert_eq!(sort(&bed).by, Some(Field::Column(3)), "it ends there");
    bed.types("C");
    assert_eq!(sort(&bed).by, Some(Field::Cluster));
    bed.types("J");
    assert_eq!(sort(&bed).by, Some(Field::Cluster), "never J");
}

#[test]
fn switches_of_a_table() {
    let mut bed = pods(SIZE);
    bed.types("<ctrl-z>");
    assert_eq!(bed.app.table().unwrap().grid.shown(), 2);
    bed.types("<ctrl-z><ctrl-w><ctrl-g>");
    let table = bed.app.table().unwrap();
    assert!(table.is_wide && !table.grid.faults_only());
    assert_eq!(table.grid.group(), Group::Cluster);
}

#[test]
fn names_are_copied_and_tables_saved() {
    let mut bed = pods(SIZE);
    bed.take_effects();
    bed.types("c");
    assert_eq!(bed.take_effects(), [Effect::Copy("cart-1".to_owned())]);
    bed.types(" <down> c");
    assert_eq!(
        bed.take_effects(),
        [Effect::Copy("cart-1\nweb-2".to_owned())]
    );
    bed.types("/web-1<enter><ctrl-s>");
    let effects = bed.take_effects();
    let [Effect::Save { name, text, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let want =
        "CLUSTER,NAMESPACE,NAME,READY,STATUS,AGE\neast,shop,web-1,0/1,CrashLoopBackOff,100s\n";
    assert_eq!((name.as_str(), text.as_str()), ("pods", want));
}

#[test]
fn into_an_object_and_out_again() {
    let mut bed = Bed::new(SIZE);
    bed.types(":deploy<enter>");
    bed.copy("east", "deployments", &PODS, &["web 1/1 x 1"]);
    bed.take_effects();
    bed.types("<enter>");
    let it = watched(&mut bed);
    assert_eq!(
        (it[0].0.resource.as_str(), it[0].0.namespace.as_str()),
        ("replicasets.v1.apps", "shop")
    );
    assert_eq!(it[0].1, Clusters::new(["east"]).unwrap());
    assert!(matches!(&spec(&bed).only, Only::MadeBy(maker) if maker.uid == "web"));
    let feed = bed.feed();
    bed.types("<esc>");
    assert_eq!(bed.take_effects(), [Effect::Leave(feed)]);
    assert_eq!(spec(&bed).word, "deploy");
    bed.types(":nodes<enter>");
    bed.copy("west", "nodes", &["Name", "Status", "Age"], &["n1 Ready 1"]);
    bed.take_effects();
    bed.types("<enter>");
    assert_eq!(watched(&mut bed)[0].0.fields, "spec.nodeName=n1");
}

#[test]
fn the_selection_is_the_objects_and_not_the_places() {
    let mut bed = pods(SIZE);
    bed.types("jj");
    assert_eq!(selected(&bed), "east/web-2");
    bed.news("east", &["a-new 1/1 Running 1", "-web-1"]);
    bed.wait(1500);
    assert_eq!(selected(&bed), "east/web-2");
    bed.types("G");
    assert_eq!(selected(&bed), "west/job-7");
}

#[test]
fn nothing_is_drawn_anew_for_a_view_that_nobody_sees() {
    let mut bed = pods(SIZE);
    let below = bed.feed();
    bed.types("?");
    bed.app.is_dirty = false;
    let news = crate::tui::event::FeedNews::Discovered;
    bed.happens(What::Feed(below, news));
    assert!(!bed.app.is_dirty);
}

#[test]
fn a_broken_link_makes_everything_old_at_once() {
    let mut bed = pods(SIZE);
    let east = crate::tui::testing::name("east");
    assert!(bed.app.is_live(&east));
    let failure = Failure {
        message: "connection refused".to_owned(),
        permanent: false,
    };
    bed.link(LinkState::Down(failure));
    assert!(!bed.app.is_live(&east));
    bed.link(LinkState::Up);
    assert!(bed.app.is_live(&east));
}

#[test]
fn q_quits_from_a_table_and_closes_anything_else() {
    let mut bed = pods(SIZE);
    bed.take_effects();
    bed.types("?q");
    assert!(bed.take_effects().is_empty());
    bed.types("q");
    assert_eq!(bed.take_effects(), [Effect::Quit]);
    bed.types(":q<enter>");
    assert!(bed.take_effects().contains(&Effect::Quit));
}

fn pod(container_state: serde_json::Value) -> serde_json::Value {
    serde_json::json!({
        "kind": "Pod",
        "metadata": {"name": "cart-1", "namespace": "shop", "uid": "u"},
        "spec": {"containers": [{"name": "app", "image": "a:1"}, {"name": "side", "image": "s:1"}]},
        "status": {"containerStatuses": [
            {"name": "app", "ready": true, "state": container_state},
            {"name": "side", "ready": true, "state": {"running": {}}}]}})
}

fn text(bed: &Bed) -> &crate::tui::view::text::TextView {
    match bed.app.view() {
        Some(View::Text(text)) => text,
        other => panic!("{other:?}"),
    }
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
    assert_eq!(
        (text(&bed).len(), text(&bed).refused.as_deref()),
        (1, Some("gone"))
    );
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
    let again = read(&mut bed);
    assert_eq!((again.len(), again[0].1.container.as_str()), (1, "app"));
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
    bed.types(":deploy<enter>");
    bed.copy("east", "deployments", &PODS, &["web 1/1 x 1"]);
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
        "involvedObject.kind=Deployment,involvedObject.name=web"
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

/// The lines of the list on the screen.
fn listed(bed: &Bed) -> Vec<String> {
    let list = match bed.app.view() {
        Some(View::Faults(view)) => &view.list,
        Some(View::Fleet(view)) => &view.list,
        other => panic!("{other:?}"),
    };
    list.lines
        .iter()
        .map(|line| line.cells.join(" ").trim_end().to_owned())
        .collect()
}

fn with_faults() -> Bed {
    let mut bed = pods(SIZE);
    bed.take_effects();
    bed.types(":faults<enter>");
    let feeds = bed.app.view().unwrap().feeds();
    bed.copy_to(
        feeds[0],
        "west",
        ("nodes", &["Name", "Status", "Age"]),
        &["n1 NotReady 999990000", "n2 Ready 1"],
    );
    let its = [
        "a 0/1 Pending 999990000",
        "b 1/1 Running 1",
        "c 0/1 CrashLoopBackOff 999990000",
    ];
    bed.copy_to(feeds[1], "east", ("pods", &PODS), &its);
    bed.copy_to(
        feeds[1],
        "west",
        ("pods", &PODS),
        &["d 0/1 ImagePullBackOff 999990000"],
    );
    bed.wait(100);
    bed
}

#[test]
fn faults_of_all_kinds_stand_by_how_bad_they_are() {
    let mut bed = with_faults();
    let fields: Vec<_> = watched(&mut bed)
        .into_iter()
        .map(|(it, _)| format!("{} {}", it.resource, it.fields))
        .collect();
    assert_eq!(
        (fields.len(), fields[8].as_str()),
        (9, "events type=Warning"),
        "and two for completion"
    );
    assert_eq!(
        listed(&bed),
        [
            "west node shop n1 NotReady 10s",
            "east pod shop c CrashLoopBackOff 10s",
            "west pod shop d ImagePullBackOff 10s",
            "east pod shop a Pending 10s",
        ]
    );
    let feeds = bed.app.view().unwrap().feeds();
    bed.copy_to(
        feeds[0],
        "west",
        ("nodes", &["Name", "Status", "Age"]),
        &["n1 Ready 1"],
    );
    bed.wait(2000);
    assert_eq!(listed(&bed).len(), 3);
    bed.types("jy");
    let it = watched(&mut bed);
    assert_eq!(
        (it[0].0.resource.as_str(), it[0].0.fields.as_str()),
        ("pods", "metadata.name=d")
    );
    bed.types("<esc><enter>");
    assert!(matches!(bed.app.view(), Some(View::Containers(_))));
    bed.types("<esc><esc>");
    let left = bed
        .take_effects()
        .into_iter()
        .filter(|effect| matches!(effect, Effect::Leave(_)));
    assert_eq!((left.count(), bed.app.views.len()), (9, 1));
}

#[test]
fn the_fleet_says_what_each_cluster_has() {
    let mut bed = pods(SIZE);
    bed.types(":fleet<enter>");
    let feeds = bed.app.view().unwrap().feeds();
    bed.copy_to(
        feeds[0],
        "east",
        ("pods", &PODS),
        &[
            "a 0/1 Pending 1",
            "b 1/1 Running 1",
            "c 0/1 Error 1",
            "d 0/1 Completed 1",
        ],
    );
    bed.copy_to(
        feeds[1],
        "east",
        ("nodes", &["Name", "Status", "Age"]),
        &["n1 NotReady 1", "n2 Ready 1"],
    );
    bed.clusters(&["east", "west-"]);
    bed.wait(100);
    let lines = listed(&bed);
    assert!(
        lines[0].starts_with("east fresh 0.5s v1.36.3 1/2 4 1 1 1 1 0"),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with("west offline 60s  v1.36.3 0/0 0"),
        "{}",
        lines[1]
    );
    bed.take_effects();
    bed.types("<enter>");
    let it = watched(&mut bed);
    assert_eq!(
        (it[0].0.resource.as_str(), &it[0].1),
        ("pods", &Clusters::new(["east"]).unwrap())
    );
}

#[test]
fn the_same_object_of_several_clusters_is_compared() {
    let mut bed = Bed::new(SIZE);
    bed.types(":deploy<enter>");
    for cluster in ["east", "north", "west"] {
        bed.copy(
            cluster,
            "deployments",
            &PODS,
            &["api 1/1 x 1", "web 1/1 x 1"],
        );
    }
    bed.types("  :diff<enter>");
    assert!(
        bed.app.told.as_ref().unwrap().text.contains("same object"),
        "api and web of one cluster are two"
    );
    bed.types("<esc>gj j :diff<enter>");
    let (selection, clusters) = watched(&mut bed).pop().unwrap();
    assert_eq!(
        (selection.fields.as_str(), clusters),
        (
            "metadata.name=web",
            Clusters::new(["east", "north"]).unwrap()
        )
    );
    let object = |image: &str| {
        Some(
            serde_json::json!({"kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"image": image}}),
        )
    };
    bed.object("east", object("a:1"));
    bed.object("north", object("a:2"));
    let lines = text(&bed).lines.clone().unwrap();
    assert!(
        lines.contains(&"-  image: a:1".to_owned()) && lines.contains(&"+  image: a:2".to_owned()),
        "{lines:?}"
    );
    bed.types("<esc><esc>:diff<enter>");
    let (_, clusters) = watched(&mut bed).pop().unwrap();
    assert_eq!(
        clusters,
        Clusters::all(),
        "without marks it is all clusters"
    );
}

#[test]
fn esc_and_a_key_that_came_together_are_two() {
    let mut bed = pods(SIZE);
    bed.types("?<alt-:>");
    assert_eq!(bed.app.views.len(), 1);
    assert!(bed.app.prompt.is_some());
}

#[test]
fn every_key_of_the_map_does_something() {
    use crate::tui::keys::{Chord, Context, MAP};
    let of = |chord: &Chord| match chord {
        Chord::Char(' ') => "<space>".to_owned(),
        Chord::Char(c) => c.to_string(),
        Chord::Ctrl(c) => format!("<ctrl-{c}>"),
        Chord::Digits(last) => last.to_string(),
        Chord::Capitals => "N".to_owned(),
        Chord::Shift(_) | Chord::Code(_) => format!(
            "<{}>",
            chord
                .to_string()
                .replace('←', "left")
                .replace('→', "right")
                .replace('↑', "up")
                .replace('↓', "down")
        ),
    };
    for binding in MAP {
        let open = match binding.context {
            Context::Table | Context::Object | Context::Moving | Context::Everywhere => "",
            Context::Text => "y",
            Context::Logs => "l",
            Context::Containers => "<enter>",
            Context::Picker => ":ctx<enter>",
            Context::Used => continue,
            Context::Fleet => ":fleet<enter>",
            Context::Faults => ":faults<enter>",
            Context::Prompt => ":",
        };
        for chord in binding.keys {
            // From the middle of a text, of a list, of the history; with something typed before.
            let mut bed = pods((60, 12));
            bed.types(":deploy<enter>:svc<enter>[");
            bed.copy(
                "east",
                "pods",
                &PODS,
                &["a 1/1 Running 1", "b 1/1 Running 1", "c 0/1 Pending 1"],
            );
            bed.types(" ");
            bed.types(open);
            if open == "y" || open == "l" || open == "<enter>" {
                let long: Vec<_> = (0..40).map(|n| format!("{n:>90}")).collect();
                bed.object("east", Some(serde_json::json!({"spec": {"containers": [{"name": "app"}, {"name": "side"}]}, "x": long})));
                if open != "<enter>" {
                    bed.types("/1<enter>jj<right>");
                }
            }
            if open == ":fleet<enter>" {
                let feeds = bed.app.view().unwrap().feeds();
                bed.copy_to(feeds[0], "east", ("pods", &PODS), &["a 1/1 Running 1"]);
                bed.wait(100);
            }
            if open == ":faults<enter>" {
                let feeds = bed.app.view().unwrap().feeds();
                bed.copy_to(feeds[1], "east", ("pods", &PODS), &["a 0/1 Pending 1"]);
                bed.wait(100);
            }
            if open == ":" {
                bed.types("de");
            }
            bed.take_effects();
            let state = |bed: &Bed| format!("{:?} {:?}", bed.app, bed.effects);
            let before = state(&bed);
            bed.types(&of(chord));
            assert!(
                before != state(&bed),
                "{:?} {chord} does nothing",
                binding.context
            );
        }
    }
}
