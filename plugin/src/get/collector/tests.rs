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

mod failures;
mod in_vain;
mod readers;
mod silence;
mod sorting;
mod waiting;
mod watches;

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
