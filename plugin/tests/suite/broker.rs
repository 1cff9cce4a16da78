//! A `get` through a real broker: two sources without Kubernetes, MQTT on loopback, the program itself.

use super::cli::plugin;
use bytes::Bytes;
use mqtt_informer::link::embedded::EmbeddedBroker;
use mqtt_informer::link::{BrokerOptions, LastWill, mqtt};
use mqtt_informer::protocol::message::{Selection, View};
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::protocol::rows::{Cell, Column, Header, Part, Row, part};
use mqtt_informer::protocol::topics::Topics;
use mqtt_informer::replica::Settings;
use mqtt_informer::source::{
    BoxFuture, Event, Health, Identity, Options, Refusal, Resolved, Source, Upstream, UpstreamError,
};
use prost::Message;
use snapbox::str;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// An API server that holds one pod, and no secrets for anybody.
struct OnePod {
    name: &'static str,
}

impl Upstream for OnePod {
    fn resolve<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> BoxFuture<'a, Result<Resolved, UpstreamError>> {
        Box::pin(async move {
            let refusal = |code, reason: &str, message: &str| Refusal {
                code,
                reason: reason.to_owned(),
                message: message.to_owned(),
            };
            match selection.resource.as_str() {
                "po" | "pods" => {}
                "secrets" => return Err(refusal(403, "Forbidden", "secrets is forbidden").into()),
                _ => {
                    return Err(refusal(
                        404,
                        "NotFound",
                        "the server doesn't have a resource type \"foo\"",
                    )
                    .into());
                }
            }
            Ok(Resolved {
                group: String::new(),
                version: "v1".to_owned(),
                plural: "pods".to_owned(),
                kind: "Pod".to_owned(),
                namespaced: true,
                watchable: true,
                namespace: selection.namespace.clone(),
                labels: String::new(),
                fields: selection.fields.clone(),
                view: selection.view,
                managed_fields: false,
                secret_values: false,
            })
        })
    }

    fn run<'a>(
        &'a self,
        selection: &'a Resolved,
        events: mpsc::Sender<Event>,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let mut entries = vec![(Bytes::new(), header())];
            let wanted = format!("metadata.name={}", self.name);
            if selection.fields.is_empty() || selection.fields == wanted {
                let value = match selection.view {
                    View::Rows => row(self.name),
                    _ => object(self.name),
                };
                entries.push((format!("default/{}", self.name).into(), value));
            }
            // The stream may have ended already.
            let _ = events.send(Event::Listed(entries, 0)).await;
            events.closed().await;
        })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    fn identify(&self) -> BoxFuture<'_, Result<Identity, String>> {
        Box::pin(async {
            Ok(Identity {
                cluster_uid: self.name.to_owned(),
                kubernetes_version: "v1.36.3".to_owned(),
            })
        })
    }

    fn now_ms(&self) -> u64 {
        3_600_000
    }
}

fn header() -> Bytes {
    let column = |name: &str, format: &str| Column {
        name: name.to_owned(),
        r#type: "string".to_owned(),
        format: format.to_owned(),
        priority: 0,
    };
    let header = Header {
        version: "v1".to_owned(),
        plural: "pods".to_owned(),
        kind: "Pod".to_owned(),
        namespaced: true,
        columns: vec![column("Name", "name"), column("Age", "")],
        ..Header::default()
    };
    header.encode_to_vec().into()
}

fn row(name: &str) -> Bytes {
    let cell = |part| Cell {
        parts: vec![Part { part: Some(part) }],
    };
    let row = Row {
        // By the API server's clock, which is far from this machine's.
        cells: vec![
            cell(part::Part::Text(name.to_owned())),
            cell(part::Part::SinceMs(0)),
        ],
        metadata: format!(r#"{{"name":"{name}","namespace":"default"}}"#)
            .into_bytes()
            .into(),
    };
    row.encode_to_vec().into()
}

fn object(name: &str) -> Bytes {
    format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}","namespace":"default"}}}}"#
    )
    .into()
}

/// A broker and the sources on it, until this is dropped.
struct Fleet {
    url: String,
    _runtime: tokio::runtime::Runtime,
    _broker: EmbeddedBroker,
    stops: Vec<watch::Sender<bool>>,
}

fn fleet(clusters: &[(&str, &'static str)]) -> Fleet {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let broker = runtime
        .block_on(EmbeddedBroker::start("127.0.0.1:0".parse().unwrap()))
        .unwrap();
    let url = broker.url();
    let stops = runtime.block_on(async {
        let mut stops = Vec::new();
        for (name, pod) in clusters {
            stops.push(serve(&url, name, OnePod { name: pod }).await);
        }
        stops
    });
    Fleet {
        url,
        _runtime: runtime,
        _broker: broker,
        stops,
    }
}

/// Serves a cluster; returns when it writes.
async fn serve(url: &str, cluster: &str, upstream: OnePod) -> watch::Sender<bool> {
    let source = Source::new(Options {
        cluster: ClusterName::new(cluster).unwrap(),
        role: "syncer",
        labels: vec![],
        retained: true,
        topics: Topics::default(),
        settings: Settings::default(),
    });
    let (topic, payload) = source.last_will();
    let mut control = BrokerOptions::new(url, format!("source-{cluster}"));
    control.last_will = Some(LastWill {
        topic,
        payload,
        retain: true,
    });
    let bulk = BrokerOptions::new(url, format!("source-{cluster}-bulk"));
    let (stop, stopped) = watch::channel(false);
    let (health, mut watched) = watch::channel(Health::default());
    let (control, bulk) = (
        mqtt::connect(control).unwrap(),
        mqtt::connect(bulk).unwrap(),
    );
    tokio::spawn(source.run(control, bulk, Arc::new(upstream), health, stopped));
    let writing =
        |health: &Health| health.role == mqtt_informer::replica::Role::Writing && health.link_up;
    watched.wait_for(writing).await.unwrap();
    stop
}

#[test]
fn one_cluster_many_clusters_and_none() {
    let fleet = fleet(&[("east", "web"), ("west", "db")]);
    let get = |words: &str| {
        let words: Vec<_> = words.split(' ').chain(["--broker", &fleet.url]).collect();
        plugin(&words).assert()
    };
    get("get pods --cluster east")
        .success()
        .stderr_eq("")
        .stdout_eq(str![[r#"
NAME   AGE
web    60m

"#]]);
    get("get po").success().stderr_eq("").stdout_eq(str![[r#"
CLUSTER   NAME   AGE
east      web    60m
west      db     60m

"#]]);
    get("get pods web --cluster east -o json")
        .success()
        .stdout_eq(str![[r#"
{
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "web",
        "namespace": "default"
    }
}

"#]]);
    get("get pods -A -o yaml --cluster w*")
        .success()
        .stdout_eq(str![[r#"
apiVersion: v1
items:
- apiVersion: v1
  kind: Pod
  metadata:
    annotations:
      mqinformer.io/cluster: west
    name: db
    namespace: default
kind: List
metadata:
  resourceVersion: ""

"#]]);
    get("get pods missing --cluster east")
        .code(1)
        .stdout_eq("")
        .stderr_eq(str![[r#"
Error from server (NotFound): pods "missing" not found

"#]]);
    get("get foo").code(1).stdout_eq("").stderr_eq(str![[r#"
error: the server doesn't have a resource type "foo"

"#]]);
    get("get secrets --cluster east")
        .code(1)
        .stdout_eq("")
        .stderr_eq(str![[r#"
Error from server (Forbidden): secrets is forbidden

"#]]);
    get("get pods --cluster nobody --timeout 1s").code(1).stdout_eq("").stderr_eq(str![[r#"
error: cluster "nobody": no answer within 1s: nothing was ever heard of it; `kubectl mqinformer clusters` lists those that are known

"#]]);
    get("get pods --cluster no*")
        .code(1)
        .stdout_eq("")
        .stderr_eq(str![[r#"
error: no cluster matches --cluster no*: known are east, west

"#]]);
    get("get pods --cluster east,nobody --timeout 1s -o name")
        .code(1)
        .stdout_eq(str![[r#"
pod/web

"#]]);
    get("get pods --cluster east,nobody --timeout 1s --allow-partial").success();
    get("clusters").success().stdout_eq(str![[r#"
NAME   STATE   SINCE   KUBERNETES   SYNCER   STREAMS   LAG
east   fresh   [..]   v1.36.3      [..]
west   fresh   [..]   v1.36.3      [..]

"#]]);
    get("clusters forget east").code(1).stderr_eq(str![[r#"
error: cluster "east": its syncer is connected and would come back at once; stop it first

"#]]);
    get("clusters forget nobody").code(1).stderr_eq(str![[r#"
error: no cluster "nobody" is known at this broker

"#]]);
}

#[test]
fn rows_are_chosen_by_their_columns() {
    let fleet = fleet(&[("east", "web"), ("west", "db")]);
    let get = |filter: &str, more: &str| {
        let words = ["get", "pods", "--broker", &fleet.url, "--filter", filter];
        let words: Vec<_> = words.into_iter().chain(more.split_whitespace()).collect();
        plugin(&words).assert()
    };
    let rows = |filter: &str, want: &str| {
        get(filter, "--no-headers")
            .success()
            .stderr_eq("")
            .stdout_eq(want.to_owned());
    };
    rows("NAME=web", "east   web   60m\n");
    rows("cluster!=east", "west   db    60m\n");
    rows(
        "NAME=~^(web|db)$,AGE>59m,AGE<2h",
        "east   web   60m\nwest   db    60m\n",
    );
    rows("/^d/", "west   db    60m\n");
    get("NAME=web", "-o name").success().stdout_eq("pod/web\n");
    get("AGE>1d", "")
        .success()
        .stdout_eq("")
        .stderr_eq("No resources found in default namespace.\n");
    get("AEG>1d", "").code(1).stdout_eq("").stderr_eq(
        "error: --filter: no column \"AEG\" at column 1: there are CLUSTER, NAMESPACE, NAME, AGE\n",
    );
    get("AEG>1d", "-w --cluster east")
        .code(1)
        .stdout_eq("")
        .stderr_eq("error: --filter: no column \"AEG\" at column 1: there are CLUSTER, NAMESPACE, NAME, AGE\n");
    get("NAME!web", "").code(1).stdout_eq("").stderr_eq(
        "error: --filter \"NAME!web\": =, !=, >, >=, <, <=, =~ or !~ is missing after \"NAME\" at column 5\n",
    );
    let error = get("NAME=web", "-o yaml").code(1).get_output().clone();
    assert!(
        String::from_utf8(error.stderr)
            .unwrap()
            .starts_with("error: --filter chooses")
    );
}

#[test]
fn a_watch_tells_who_leaves_and_ends_in_peace() {
    let fleet = fleet(&[("east", "web")]);
    let path = env!("CARGO_BIN_EXE_kubectl-mqinformer");
    let mut watch = std::process::Command::new(path)
        .args(["get", "pods", "-w", "--broker", &fleet.url])
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(watch.stdout.take().unwrap());
    let first: Vec<String> = out.lines().take(2).map(Result::unwrap).collect();
    assert_eq!(first, ["CLUSTER   NAME   AGE", "east      web    60m"]);
    fleet.stops[0].send(true).unwrap();
    let err = BufReader::new(watch.stderr.take().unwrap());
    let line = err.lines().next().unwrap().unwrap();
    assert_eq!(
        line,
        "warning: cluster \"east\": offline: its syncer left the broker; rows may be old"
    );
    let pid = watch.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(watch.wait().unwrap().code(), Some(0));
}

#[test]
fn a_demo_runs_a_command_against_simulated_clusters() {
    let demo = plugin(&[
        "demo",
        "--",
        "get",
        "nodes",
        "-o",
        "name",
        "--cluster",
        "berlin",
    ])
    .assert();
    let said = String::from_utf8(demo.success().get_output().stdout.clone()).unwrap();
    assert!(
        said.lines().count() > 2 && said.lines().all(|line| line.starts_with("node/")),
        "{said}"
    );
}

#[test]
fn a_broker_without_clusters() {
    let fleet = fleet(&[]);
    plugin(&["get", "pods", "--broker", &fleet.url]).assert().code(1).stderr_eq(str![[r#"
error: no cluster is known at this broker: start a syncer in each cluster, or name one with --cluster

"#]]);
    plugin(&["clusters", "--broker", &fleet.url])
        .assert()
        .success()
        .stderr_eq("No clusters found\n");
    plugin(&["clusters", "-o", "json", "--broker", &fleet.url])
        .assert()
        .success()
        .stdout_eq(str![[r#"
{
    "clusters": []
}

"#]]);
}
