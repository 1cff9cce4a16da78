use super::*;

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
    let begin = "east asked  v1.36.3 1/2 4 1 1 1 1 -";
    assert!(
        listed(&bed)[0].starts_with(begin),
        "{}: it has not told its warnings",
        listed(&bed)[0]
    );
    let View::Fleet(fleet) = bed.app.view().unwrap() else {
        panic!("{:?}", bed.app.view())
    };
    assert!(fleet.list.lines[0].is_stale);
    bed.copy_to(feeds[2], "east", ("events", &["Type", "Age"]), &[]);
    bed.wait(100);
    let lines = listed(&bed);
    assert!(
        lines[0].starts_with("east fresh 0.6s v1.36.3 1/2 4 1 1 1 1 0"),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with("west offline 60s  v1.36.3 - - - - - - -"),
        "{}: nothing is known of it",
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
fn one_cluster_alone_is_compared_with_nothing() {
    let mut bed = Bed::new(SIZE);
    bed.clusters(&["east", "west"]);
    bed.types(":deploy @east<enter>");
    bed.copy("east", "deployments", &PODS, &["web 1/1 x 1"]);
    bed.take_effects();
    bed.types(":diff<enter>");
    let told = &bed.app.told.as_ref().unwrap().text;
    assert!(told.contains("only one cluster"), "{told}");
    assert!(watched(&mut bed).is_empty());
}

#[test]
fn a_key_is_for_the_line_under_the_cursor_whatever_left_meanwhile() {
    let mut bed = with_faults();
    bed.take_effects();
    bed.types("jjj");
    let feeds = bed.app.view().unwrap().feeds();
    let feed = |bed: &mut Bed, rows: &[&str]| {
        bed.copy_to(feeds[1], "east", ("pods", &PODS), rows);
    };
    let named = |bed: &mut Bed| watched(bed).pop().map(|(it, _)| it.fields);
    // Within the same look: what stood before it is well, or another one came.
    feed(&mut bed, &["c 1/1 Running 999990000", "0 0/1 Error 5"]);
    bed.types("y");
    assert_eq!(named(&mut bed).as_deref(), Some("metadata.name=a"));
    bed.types("<esc>");
    bed.wait(100);
    bed.types("gj");
    let id = bed.app.target().unwrap().id.unwrap();
    assert_eq!((id.cluster.as_str(), id.name.as_str()), ("west", "d"));
    bed.copy_to(
        feeds[1],
        "west",
        ("pods", &PODS),
        &["d 1/1 Running 999990000"],
    );
    bed.types("y");
    assert_eq!(
        named(&mut bed).as_deref(),
        Some("metadata.name=d"),
        "it is well meanwhile, and the one that was chosen"
    );
}

#[test]
fn the_last_of_many_changes_is_seen_although_nothing_else_happens() {
    let mut bed = with_faults();
    let feeds = bed.app.view().unwrap().feeds();
    let refreshed = bed.app.refreshed;
    bed.news_to(feeds[1], "east", &["c 1/1 Running 999990000"]);
    bed.types("j");
    assert_eq!(
        (listed(&bed).len(), bed.app.refreshed),
        (4, refreshed),
        "who moves looks at nothing anew"
    );
    assert_eq!(next_tick(&bed.app), Some(refreshed + REFRESH));
    bed.wait(50);
    assert_eq!(listed(&bed).len(), 3);
}

#[test]
fn what_is_broken_is_not_cut_off_by_what_is_only_late() {
    let mut bed = pods(SIZE);
    bed.types(":faults<enter>");
    let feeds = bed.app.view().unwrap().feeds();
    let late: Vec<_> = (0..2100).map(|at| format!("n{at} 0/1 Pending 1")).collect();
    let mut rows: Vec<_> = late.iter().map(String::as_str).collect();
    rows.push("z 0/1 CrashLoopBackOff 1");
    bed.copy_to(feeds[1], "east", ("pods", &PODS), &rows);
    bed.wait(100);
    assert!(
        listed(&bed)[0].contains("CrashLoopBackOff"),
        "{}",
        listed(&bed)[0]
    );
    assert!(
        bed.screen().contains("faults[2,000 of 2,101] 1 broken"),
        "{}",
        bed.screen()
    );
    bed.news_to(feeds[1], "east", &["-z"]);
    bed.wait(100);
    assert!(!listed(&bed)[0].contains("CrashLoopBackOff"), "it is going");
}

#[test]
fn faults_are_filtered() {
    let mut bed = with_faults();
    bed.types("/^west<enter>");
    let all_west = |bed: &Bed| listed(bed).iter().all(|line| line.starts_with("west"));
    assert!(
        all_west(&bed) && listed(&bed).len() == 2,
        "{:?}",
        listed(&bed)
    );
    bed.wait(100);
    assert!(all_west(&bed), "as they are looked at anew");
    assert_eq!(bed.app.target().unwrap().label(), "node/n1");
    bed.types("j");
    assert_eq!(bed.app.target().unwrap().label(), "pod/d");
    bed.types("<esc>");
    assert!(listed(&bed).len() > 2 && bed.app.views.len() == 2);
    assert_eq!(
        bed.app.target().unwrap().label(),
        "pod/d",
        "the cursor stays on it"
    );
}

#[test]
fn nobody_says_that_all_is_well_of_what_is_not_heard() {
    let mut bed = pods(SIZE);
    bed.types(":faults<enter>");
    for feed in bed.app.view().unwrap().feeds() {
        bed.copy_to(feed, "east", ("pods", &PODS), &["b 1/1 Running 1"]);
    }
    bed.wait(100);
    assert!(
        bed.screen().contains("nothing is unwell, anywhere"),
        "{}",
        bed.screen()
    );
    bed.clusters(&["east-"]);
    let screen = bed.screen();
    assert!(screen.contains("nothing was unwell"), "{screen}");
}
