use super::*;

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
fn what_changes_below_the_screen_hurries_no_frame() {
    let mut bed = pods((80, 10));
    let hidden: Vec<_> = (10..30).map(|n| format!("z-{n} 1/1 Running 1")).collect();
    let hidden: Vec<_> = hidden.iter().map(String::as_str).collect();
    bed.news("west", &hidden);
    let mut told = |row: &str| {
        (bed.app.is_dirty, bed.app.is_dirty_aside) = (false, false);
        bed.news("west", &[row]);
        (bed.app.is_dirty, bed.app.is_dirty_aside)
    };
    assert_eq!(told("z-29 0/1 Error 1"), (false, true), "it is counted");
    assert_eq!(told("y-new 0/1 Error 1"), (false, true));
    let mut told = |row: &str| {
        (bed.app.is_dirty, bed.app.is_dirty_aside) = (false, false);
        bed.news("east", &[row]);
        bed.app.is_dirty
    };
    assert!(told("web-1 0/1 Error 1"));
    (bed.app.is_dirty, bed.app.is_dirty_aside) = (false, false);
    bed.wait(100);
    assert!(!bed.app.is_dirty && bed.app.is_dirty_aside);
    bed.age("east", mqtt_informer::informer::Freshness::Stale, 2_000);
    assert!(bed.app.is_dirty, "old data is dimmed at once");
}

#[test]
fn a_filter_that_is_wrong_while_it_is_typed_moves_nothing() {
    let mut bed = pods(SIZE);
    let line_of = |bed: &Bed| bed.screen().lines().position(|line| line.contains("web-1"));
    bed.types("/");
    let before = line_of(&bed);
    bed.types("-l app in (");
    let screen = bed.screen();
    let typed = screen
        .lines()
        .find(|line| line.contains("/-l app in ("))
        .unwrap();
    assert!(
        typed.trim_end().len() > "/-l app in (".len() + 10,
        "it is said why: {typed}"
    );
    assert_eq!(line_of(&bed), before, "{screen}");
    bed.types("<enter>");
    assert!(bed.screen().contains("filter: "), "{}", bed.screen());
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
    let since = bed.app.link_since;
    bed.wait(3000);
    let other = Failure {
        message: "no route to host".to_owned(),
        permanent: false,
    };
    bed.link(LinkState::Down(other));
    assert_eq!(
        bed.app.link_since, since,
        "another reason is no other beginning"
    );
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

#[test]
fn an_object_is_asked_for_in_the_version_that_its_cluster_has() {
    use crate::tui::event::FeedNews;
    use crate::tui::testing::name;
    use mqtt_informer::informer::StreamState;
    let mut bed = pods(SIZE);
    let state = StreamState {
        synced: true,
        resource: "gateways.v1beta1.gateway.networking.k8s.io".to_owned(),
        ..StreamState::default()
    };
    let news = FeedNews::State(name("west"), state);
    bed.happens(What::Feed(bed.feed(), news));
    bed.take_effects();
    bed.types("Gy");
    assert_eq!(
        watched(&mut bed)[0].0.resource,
        "gateways.v1beta1.gateway.networking.k8s.io"
    );
    bed.types("<esc>gy");
    assert_eq!(watched(&mut bed)[0].0.resource, "pods");
    bed.types("<esc>G:diff<enter>");
    let asked = watched(&mut bed).pop().unwrap().0;
    assert_eq!(asked.resource, "pods", "each in its own");
}

#[test]
fn what_is_copied_and_saved_harms_no_terminal_and_says_how_old_it_is() {
    use crate::tui::testing::name;
    use mqtt_informer::informer::Freshness;
    let mut bed = pods(SIZE);
    bed.copy(
        "west",
        "pods",
        &PODS,
        &["db\u{1b}[31m 0/1 Pending 999999000"],
    );
    bed.take_effects();
    bed.types("/db<enter>c");
    let copied = bed.take_effects();
    assert_eq!(copied, [Effect::Copy("db^[[31m".to_owned())]);
    bed.types("<esc>");
    bed.age("west", Freshness::Stale, 7_205_000);
    bed.news("east", &["-web-1"]);
    bed.types("<ctrl-s>");
    assert!(!bed.app.is_live(&name("west")));
    let effects = bed.take_effects();
    let [Effect::Save { text, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].ends_with(",AGE,AS OF"), "{text}");
    assert!(lines[1].starts_with("east,shop,cart-1") && lines[1].ends_with(",now"));
    assert!(!text.contains("web-1"), "it is going: {text}");
    assert!(text.contains(",stale 120m\n"), "{text}");
}
