//! Clusters that answer, are late, refuse, leave, come back: all without a broker.

use super::*;
use crate::get::plan::{Form, Watch};
use crate::get::{Groups, Namespaces};
use crate::print::objects::Format;
use bytes::Bytes;
use mqtt_informer::informer::{
    Freshness, Notice, Obstacle, Progress, Snapshot, StreamState, UpstreamDown,
};
use mqtt_informer::protocol::frame::DecodeError;
use mqtt_informer::protocol::rows;
use prost::Message;

mod in_vain;
mod readers;
mod sorting;
mod waiting;

const SECOND: Duration = Duration::from_secs(1);

fn name(text: &str) -> ClusterName {
    ClusterName::new(text).unwrap()
}

fn text(text: &str) -> rows::Cell {
    let part = Some(rows::part::Part::Text(text.to_owned()));
    rows::Cell {
        parts: vec![rows::Part { part }],
    }
}

fn header(group: &str, plural: &str, kind: &str, columns: &[&str]) -> Bytes {
    let column = |name: &&str| rows::Column {
        name: (*name).to_owned(),
        r#type: "string".to_owned(),
        format: if *name == "Name" { "name" } else { "" }.to_owned(),
        priority: 0,
    };
    let header = rows::Header {
        group: group.to_owned(),
        version: "v1".to_owned(),
        plural: plural.to_owned(),
        kind: kind.to_owned(),
        namespaced: plural != "nodes",
        columns: columns.iter().map(column).collect(),
        ..rows::Header::default()
    };
    header.encode_to_vec().into()
}

fn row(cells: &[&str], uid: &str) -> Bytes {
    let metadata = format!(
        r#"{{"name":"{}","namespace":"shop","uid":"{uid}"}}"#,
        cells[0]
    );
    let row = rows::Row {
        cells: cells.iter().map(|cell| text(cell)).collect(),
        metadata: metadata.into_bytes().into(),
    };
    row.encode_to_vec().into()
}

fn object(name: &str) -> Bytes {
    format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}"}}}}"#)
        .into_bytes()
        .into()
}

/// A whole copy; everything in it is a change, too.
fn whole(header: &Bytes, values: &[(&str, Bytes)]) -> StreamView {
    let entries = values
        .iter()
        .map(|(key, value)| (Bytes::copy_from_slice(key.as_bytes()), value.clone()));
    let entries: Vec<_> = entries.chain([(Bytes::new(), header.clone())]).collect();
    let notice = |(key, value): &(Bytes, Bytes)| Notice {
        key: key.clone(),
        old: None,
        new: Some(value.clone()),
    };
    StreamView {
        state: StreamState {
            synced: true,
            progress: Progress::Synced,
            freshness: Freshness::Fresh,
            ..StreamState::default()
        },
        changes: entries.iter().map(notice).collect(),
        snapshot: Snapshot {
            seq: 1,
            entries: entries.into_iter().collect(),
            ..Snapshot::default()
        },
        ..StreamView::default()
    }
}

fn pods(names: &[&str]) -> StreamView {
    let values: Vec<_> = names
        .iter()
        .map(|name| (*name, row(&[name, "Running"], name)))
        .collect();
    whole(&header("", "pods", "Pod", &["Name", "Status"]), &values)
}

fn refused(reason: &str, message: &str) -> StreamView {
    StreamView {
        state: StreamState {
            progress: Progress::Refused {
                code: 403,
                reason: reason.to_owned(),
                message: message.to_owned(),
            },
            ..StreamState::default()
        },
        ..StreamView::default()
    }
}

/// The machine, and what it printed.
struct Scene {
    collector: Collector,
    at: At,
    out: String,
    err: Vec<String>,
    code: Option<u8>,
}

impl Scene {
    /// `get WORDS --cluster CLUSTERS`, connected to the broker at 0.
    fn new(words: &str, clusters: &[&str], change: impl FnOnce(&mut Plan)) -> Self {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let clusters: Vec<String> = clusters.iter().map(|name| (*name).to_owned()).collect();
        let mut plan = Plan {
            namespaces: Namespaces::One("shop".to_owned()),
            timeout: 5 * SECOND,
            ..Plan::default()
        };
        change(&mut plan);
        let plan = plan.with_words(&words).unwrap();
        let selector = ClusterSelector::new("--cluster", &clusters, &Groups::new()).unwrap();
        let mut collector = Collector::new(plan, &selector, Audience::Program);
        collector.link_up(At::ZERO);
        Self {
            collector,
            at: At::ZERO,
            out: String::new(),
            err: Vec::new(),
            code: None,
        }
    }

    fn present(&mut self, names: &[&str]) {
        for each in names {
            self.collector.cluster(&name(each), &[], false, self.at);
        }
    }

    fn see(&mut self, cluster: &str, target: usize, view: StreamView) {
        self.collector.see(&name(cluster), target, view);
        self.step();
    }

    fn discovered(&mut self) {
        self.collector.discovered();
        self.step();
    }

    fn wait(&mut self, time: Duration) {
        self.at += time;
        self.step();
    }

    fn step(&mut self) {
        for output in self.collector.step(self.at, 0) {
            match output {
                Output::Out(text) => self.out += &text,
                Output::Err(line) => self.err.push(line),
                Output::Done(code) => self.code = Some(code),
            }
        }
    }

    #[track_caller]
    fn check(&self, out: &str, err: &[&str], code: Option<u8>) {
        assert_eq!(self.out, out);
        assert_eq!(self.err, err);
        assert_eq!(self.code, code);
    }
}

fn plain(_: &mut Plan) {}

fn watching(plan: &mut Plan) {
    plan.watch = Some(Watch::ListFirst);
}

fn json(plan: &mut Plan) {
    plan.form = Form::Objects(Format::Json);
}

#[test]
fn one_cluster_is_kubectl_s_own_output() {
    let mut scene = Scene::new("pods", &["c1"], plain);
    assert_eq!(scene.collector.take_wanted(), [name("c1")]);
    scene.see("c1", 0, pods(&["a", "b"]));
    scene.check(
        "NAME   STATUS\na      Running\nb      Running\n",
        &[],
        Some(0),
    );
}

#[test]
fn several_types_of_one_cluster_are_blocks_with_kinds() {
    let mut scene = Scene::new("pods,po,deploy,svc", &["c1"], plain);
    let deployments = whole(
        &header("apps", "deployments", "Deployment", &["Name", "Age"]),
        &[("web", row(&["web", "5m"], "1"))],
    );
    scene.see("c1", 0, pods(&["a"]));
    scene.see("c1", 1, pods(&["a"]));
    scene.see(
        "c1",
        3,
        whole(&header("", "services", "Service", &["Name"]), &[]),
    );
    scene.check("", &[], None);
    scene.see("c1", 2, deployments);
    scene.check(
        "NAME    STATUS\npod/a   Running\n\nNAME                  AGE\ndeployment.apps/web   5m\n",
        &[],
        Some(0),
    );
}

#[test]
fn nothing_found_is_said_as_kubectl_says_it() {
    let mut scene = Scene::new("pods", &["c1"], plain);
    scene.see("c1", 0, pods(&[]));
    scene.check("", &["No resources found in shop namespace."], Some(0));
    let mut scene = Scene::new("nodes", &["c1"], plain);
    scene.see("c1", 0, whole(&header("", "nodes", "Node", &["Name"]), &[]));
    scene.check("", &["No resources found"], Some(0));
    let mut scene = Scene::new("pods", &["c1"], json);
    scene.see("c1", 0, pods(&[]));
    assert!(scene.out.contains("\"items\": []") && scene.err.is_empty());
}

#[test]
fn a_name_that_is_missing_is_an_error_and_the_others_are_printed() {
    let mut scene = Scene::new("pods a b c", &["c1"], plain);
    scene.see("c1", 0, pods(&["a"]));
    scene.see("c1", 1, pods(&[]));
    scene.see("c1", 2, pods(&[]));
    let missing = |name: &str| format!("Error from server (NotFound): pods \"{name}\" not found");
    scene.check(
        "NAME   STATUS\na      Running\n",
        &[&missing("b"), &missing("c")],
        Some(1),
    );
}

#[test]
fn one_object_stands_alone_and_several_are_a_list() {
    let header = header("", "pods", "Pod", &[]);
    let mut scene = Scene::new("pods a", &["c1"], json);
    scene.see("c1", 0, whole(&header, &[("a", object("a"))]));
    assert!(
        scene
            .out
            .starts_with("{\n    \"apiVersion\": \"v1\",\n    \"kind\": \"Pod\""),
        "{}",
        scene.out
    );
    assert!(!scene.out.contains("annotations"));
    let mut scene = Scene::new("pods a", &["c*"], json);
    scene.present(&["c1"]);
    scene.see("c1", 0, whole(&header, &[("a", object("a"))]));
    scene.discovered();
    let list: serde_json::Value = serde_json::from_str(&scene.out).unwrap();
    assert_eq!(list["kind"], "List");
    assert_eq!(
        list["items"][0]["metadata"]["annotations"]["mqinformer.io/cluster"],
        "c1"
    );
}

#[test]
fn a_type_that_does_not_exist_forbids_the_rest() {
    let mut scene = Scene::new("pods,foo", &["c1"], plain);
    scene.see(
        "c1",
        1,
        refused(
            "NotFound",
            "the server doesn't have a resource type \"foo\"",
        ),
    );
    scene.check("", &[], None);
    scene.see("c1", 0, pods(&["a"]));
    scene.check(
        "",
        &["error: the server doesn't have a resource type \"foo\""],
        Some(1),
    );
}

#[test]
fn clusters_are_one_table_with_a_column_of_their_own() {
    let mut scene = Scene::new("pods", &[], plain);
    scene.present(&["west", "east"]);
    let other = whole(
        &header("", "pods", "Pod", &["Name", "Phase"]),
        &[("z", row(&["z", "Run"], "z"))],
    );
    scene.see("west", 0, other);
    scene.see("east", 0, pods(&["a"]));
    scene.check("", &[], None);
    scene.discovered();
    scene.check(
        "CLUSTER   NAME   STATUS    PHASE\neast      a      Running   \nwest      z                Run\n",
        &[],
        Some(0),
    );
}

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
