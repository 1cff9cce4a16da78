use super::*;
use crate::tui::event::{FeedId, FeedNews};
use crate::tui::testing::name;
use mqtt_informer::informer::{Progress, StreamState};
use mqtt_informer::protocol::message;

fn heads(bed: &Bed) -> Vec<String> {
    let table = bed.app.table().unwrap();
    let columns = table
        .fields(false)
        .into_iter()
        .filter_map(|field| match field {
            Field::Column(at) => Some(table.grid.columns()[at].name.to_uppercase()),
            _ => None,
        });
    columns.collect()
}

/// The names of what is shown, in order.
fn names(bed: &Bed) -> String {
    let grid = &bed.app.table().unwrap().grid;
    let objects = (0..grid.shown()).filter_map(|place| grid.object_at(place));
    objects.map(|it| it.name).collect::<Vec<_>>().join(" ")
}

fn cells(bed: &Bed, place: usize) -> Vec<String> {
    let table = bed.app.table().unwrap();
    let seen = table.grid.seen(place, bed.now()).unwrap();
    let fields = table.fields(false).into_iter();
    let cells = fields.filter_map(|field| match field {
        Field::Column(at) => Some(seen.cells[at].clone()),
        _ => None,
    });
    cells.collect()
}

fn bounds_feed(bed: &Bed) -> Option<FeedId> {
    bed.app.table().unwrap().figures.bounds.first().copied()
}

#[test]
fn pods_have_figures_where_a_cluster_tells_them() {
    let mut bed = pods(SIZE);
    let it = watched(&mut bed);
    let last = &it.last().unwrap().0;
    assert_eq!(
        (last.resource.as_str(), last.view),
        ("pods.metrics.k8s.io", message::View::Objects)
    );
    assert_eq!(heads(&bed), ["NAME", "READY", "STATUS", "AGE"]);
    bed.used("east", &["web-1 250m 64Mi", "web-2 1 1Gi", "nosuch 1 1"]);
    assert_eq!(
        heads(&bed),
        ["NAME", "READY", "STATUS", "CPU", "MEM", "AGE"]
    );
    assert_eq!(cells(&bed, 1)[3..5], ["250", "64"]);
    assert_eq!(
        cells(&bed, 3)[3..5],
        ["n/a", "n/a"],
        "west has told nothing"
    );
}

#[test]
fn a_cluster_without_metrics_says_nothing_of_it() {
    let mut bed = pods(SIZE);
    let before = bed.screen();
    let View::Table(table) = bed.app.view().unwrap() else {
        panic!("{:?}", bed.app.view())
    };
    let refused = StreamState {
        progress: Progress::Refused {
            code: 404,
            reason: "NotFound".to_owned(),
            message: "the server doesn't have a resource type".to_owned(),
        },
        ..StreamState::default()
    };
    let feed = table.figures.used[0];
    bed.happens(What::Feed(feed, FeedNews::State(name("east"), refused)));
    assert_eq!(bed.screen(), before);
}

#[test]
fn figures_are_sorted_as_numbers_the_greatest_first() {
    let mut bed = pods(SIZE);
    bed.types("C");
    assert_eq!(
        bed.app.table().unwrap().grid.sort().by,
        Some(Field::Cluster),
        "where there are none"
    );
    bed.used(
        "east",
        &["web-1 90m 200Mi", "web-2 1100m 10Mi", "cart-1 250m 3Gi"],
    );
    bed.types("C");
    assert_eq!(names(&bed), "web-2 cart-1 web-1 db-0 job-7");
    bed.types("M");
    assert_eq!(names(&bed), "cart-1 web-1 web-2 db-0 job-7");
    bed.types("M");
    assert_eq!(names(&bed), "db-0 job-7 web-2 web-1 cart-1");
    bed.used("west", &["db-0 1m 4Gi"]);
    assert_eq!(names(&bed), "job-7 web-2 web-1 cart-1 db-0", "as they move");
    bed.news("east", &["web-2 0/1 Error 1"]);
    assert_eq!(names(&bed), "job-7 web-2 web-1 cart-1 db-0");
}

#[test]
fn figures_can_be_filtered_by() {
    let mut bed = pods(SIZE);
    bed.used(
        "east",
        &["web-1 90m 200Mi", "web-2 1100m 10Mi", "cart-1 250m 3Gi"],
    );
    bed.types("/cpu:>200<enter>");
    assert_eq!(names(&bed), "cart-1 web-2");
    bed.used("west", &["db-0 201m 1Mi"]);
    assert_eq!(names(&bed), "cart-1 web-2 db-0");
    bed.used("east", &["web-2 20m 10Mi"]);
    assert_eq!(names(&bed), "cart-1 db-0");
    bed.news("east", &["web-2 1/1 Running 5"]);
    assert_eq!(names(&bed), "cart-1 db-0", "another row is no other figure");
}

#[test]
fn percentages_are_looked_up_in_the_pods_while_the_table_is_wide() {
    let mut bed = pods(SIZE);
    bed.types("<ctrl-w>");
    assert_eq!(bounds_feed(&bed), None, "there is nothing to be a part of");
    bed.used("east", &["web-1 50m 100Mi"]);
    let feed = bounds_feed(&bed).unwrap();
    let it = watched(&mut bed);
    let last = &it.last().unwrap().0;
    assert_eq!(
        (last.resource.as_str(), last.view),
        ("pods", message::View::Objects)
    );
    let resources =
        serde_json::json!({"requests": {"cpu": "100m", "memory": "50Mi"}, "limits": {"cpu": "1"}});
    let pod = serde_json::json!({"spec": {"containers": [{"resources": resources}]}});
    bed.tell(feed, "east", &[("shop/web-1", Some(pod))]);
    let want = ["50", "50", "5", "100", "200", "n/a"];
    assert_eq!(cells(&bed, 1)[3..9], want);
    bed.types("X");
    assert_eq!(names(&bed).split(' ').next(), Some("web-1"));
    bed.types("<ctrl-w>");
    assert!(bed.take_effects().contains(&Effect::Leave(feed)));
    assert_eq!(
        heads(&bed),
        ["NAME", "READY", "STATUS", "CPU", "MEM", "AGE"]
    );
}

#[test]
fn nodes_are_measured_by_what_they_have() {
    let mut bed = Bed::new(SIZE);
    bed.link(LinkState::Up);
    bed.clusters(&["east"]);
    bed.types(":no<enter>");
    bed.copy("east", "nodes", &["Name", "Status", "Age"], &["n1 Ready 1"]);
    let View::Table(table) = bed.app.view().unwrap() else {
        panic!("{:?}", bed.app.view())
    };
    let used = table.figures.used[0];
    let metrics = serde_json::json!({"usage": {"cpu": "4", "memory": "8Gi"}});
    bed.tell(used, "east", &[("shop/n1", Some(metrics))]);
    let node = serde_json::json!({"status": {"allocatable": {"cpu": "16", "memory": "64Gi"}}});
    bed.tell(
        bounds_feed(&bed).unwrap(),
        "east",
        &[("shop/n1", Some(node))],
    );
    assert_eq!(
        heads(&bed),
        ["NAME", "STATUS", "CPU", "%CPU", "MEM", "%MEM", "AGE"]
    );
    assert_eq!(cells(&bed, 0)[2..6], ["4000", "25", "8192", "12"]);
}

#[test]
fn other_things_are_not_measured() {
    let mut bed = Bed::new(SIZE);
    bed.types(":deploy<enter>");
    bed.take_effects();
    bed.copy("east", "deployments", &PODS, &["web 1/1 x 1"]);
    assert!(bed.take_effects().is_empty());
}

#[test]
fn figures_are_old_when_lists_of_them_do_not_come() {
    let mut bed = pods(SIZE);
    bed.used("east", &["web-1 250m 64Mi"]);
    let View::Table(table) = bed.app.view().unwrap() else {
        panic!("{:?}", bed.app.view())
    };
    let feed = table.figures.used[0];
    let is_fresh = |bed: &Bed| {
        let table = bed.app.table().unwrap();
        table.has_fresh_figures(&name("east"), bed.now().at)
    };
    let told = |bed: &mut Bed, old_s: u64| {
        let age = crate::tui::event::Age {
            // Between two lists the informer says so.
            freshness: mqtt_informer::informer::Freshness::Stale,
            old: Some(Duration::from_secs(old_s)),
            told: bed.now().at,
            ..Default::default()
        };
        bed.happens(What::Feed(feed, FeedNews::Ages(vec![(name("east"), age)])));
    };
    told(&mut bed, 14);
    assert!(is_fresh(&bed));
    bed.wait(30_000);
    assert!(is_fresh(&bed));
    bed.wait(10_000);
    assert!(!is_fresh(&bed), "whether or not anybody tells it");
    told(&mut bed, 2);
    assert!(is_fresh(&bed));
    assert!(
        bed.app.is_live(&name("east")),
        "rows have an age of their own"
    );
}

#[test]
fn figures_of_two_namespaces_are_as_old_as_the_older_ones() {
    let mut bed = Bed::new(SIZE);
    bed.link(LinkState::Up);
    bed.clusters(&["east"]);
    bed.types(":ns a,b<enter>:pods<enter>");
    bed.copy("east", "pods", &PODS, &["web-1 1/1 Running 1"]);
    bed.used("east", &["web-1 250m 64Mi"]);
    let used = bed.app.table().unwrap().figures.used.clone();
    assert_eq!(used.len(), 2);
    for (feed, old_s) in [(used[0], 90), (used[1], 2)] {
        let age = crate::tui::event::Age {
            old: Some(Duration::from_secs(old_s)),
            told: bed.now().at,
            ..Default::default()
        };
        bed.happens(What::Feed(feed, FeedNews::Ages(vec![(name("east"), age)])));
    }
    let table = bed.app.table().unwrap();
    assert!(!table.has_fresh_figures(&name("east"), bed.now().at));
}
