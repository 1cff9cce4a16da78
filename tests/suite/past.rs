//! What was: the plugin reads a controlplane's store over HTTP, found through the broker or by its URL.

use crate::programs::{command, plugin, program, run};
use bytes::Bytes;
use jiff::Timestamp;
use mqtt_informer::controlplane::announce::Announcement;
use mqtt_informer::controlplane::search;
use mqtt_informer::controlplane::serve::{ServeArgs, Server};
use mqtt_informer::informer::Informer;
use mqtt_informer::link::BrokerOptions;
use mqtt_informer::link::embedded::EmbeddedBroker;
use mqtt_informer::protocol::message::View;
use mqtt_informer::protocol::names::{ClusterName, Prefix};
use mqtt_informer::protocol::rows::{Cell, Column, Header, Part, Row, part};
use mqtt_informer::protocol::topics::Topics;
use mqtt_informer::store::{self, Batch, Others, Position, Store, StreamKey};
use prost::Message;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::watch;

const TOKEN: &str = "0123456789abcdef";

/// The store's clock, in seconds before now.
static AGO: AtomicI64 = AtomicI64::new(0);

fn now() -> Timestamp {
    let ago = AGO.load(Ordering::SeqCst);
    Timestamp::from_second(Timestamp::now().as_second() - ago).unwrap()
}

fn key(cluster: &str, view: View) -> StreamKey {
    StreamKey {
        cluster: ClusterName::new(cluster).unwrap(),
        resource: "pods.v1".parse().unwrap(),
        view,
    }
}

fn header() -> Bytes {
    let column = |name: &str, format: &str| Column {
        name: name.into(),
        r#type: "string".into(),
        format: format.into(),
        priority: 0,
    };
    let header = Header {
        version: "v1".into(),
        plural: "pods".into(),
        singular: "pod".into(),
        kind: "Pod".into(),
        namespaced: true,
        columns: vec![
            column("Name", "name"),
            column("Status", ""),
            column("Age", ""),
        ],
        ..Header::default()
    };
    header.encode_to_vec().into()
}

fn row(name: &str, phase: &str, created: Timestamp) -> Bytes {
    let cell = |part| Cell {
        parts: vec![Part { part: Some(part) }],
    };
    let row = Row {
        cells: vec![
            cell(part::Part::Text(name.into())),
            cell(part::Part::Text(phase.into())),
            cell(part::Part::SinceMs(created.as_millisecond())),
        ],
        metadata: format!(r#"{{"name":"{name}","namespace":"default","uid":"{name}"}}"#).into(),
    };
    row.encode_to_vec().into()
}

fn object(name: &str, phase: &str) -> Bytes {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default", "uid": name},
        "spec": {"nodeName": "n1"}, "status": {"phase": phase},
    })
    .to_string()
    .into()
}

/// What a cluster had so many seconds ago.
async fn pods(store: &Store, cluster: &str, ago: i64, pods: &[(&str, &str)]) {
    AGO.store(ago, Ordering::SeqCst);
    let created = Timestamp::from_second(Timestamp::now().as_second() - 7_200).unwrap();
    for view in [View::Rows, View::Objects] {
        let value = |name: &str, phase: &str| match view {
            View::Rows => row(name, phase, created),
            _ => object(name, phase),
        };
        let change = |(name, phase): &(&str, &str)| {
            (format!("default/{name}").into(), Some(value(name, phase)))
        };
        let batch = Batch {
            header: Some(header()),
            changes: pods.iter().map(change).collect(),
            others: Others::Go,
            position: Some(Position::default()),
            ..Batch::new(key(cluster, view))
        };
        store.write(batch).await.unwrap();
    }
}

/// A controlplane's read side on a port of its own, for everybody or for who has a token; its URL.
async fn served(store: &Store, token_file: Option<&Path>) -> String {
    let args = ServeArgs {
        serve: Some("127.0.0.1:0".parse().unwrap()),
        token_file: token_file.map(Into::into),
        ..ServeArgs::default()
    };
    let server = Server::bind(&args).await.unwrap().unwrap();
    let url = format!("http://{}", server.local_addr().unwrap());
    let (stop, stopped) = watch::channel(false);
    let more = search::guarded(
        search::Options::new(store.clone(), stopped.clone()),
        server.access().clone(),
    );
    let store = store.clone();
    tokio::spawn(async move {
        server.run(store, more, stopped).await;
        drop(stop);
    });
    url
}

async fn told(args: &[&str]) -> (i32, String, String) {
    let args: Vec<String> = args.iter().map(|it| (*it).to_owned()).collect();
    let said = tokio::task::spawn_blocking(move || {
        let mut command = command("kubectl-mqinformer");
        command.args(args);
        run(command)
    });
    let said = said.await.unwrap();
    (said.code(), said.out, said.err)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plugin_shows_what_was() {
    program("kubectl-mqinformer");
    let options = store::Options {
        now,
        ..store::Options::default()
    };
    let store = Store::open("sqlite::memory:", options).await.unwrap();
    pods(
        &store,
        "c1",
        3_600,
        &[("web", "Pending"), ("old", "Running")],
    )
    .await;
    pods(&store, "c2", 3_600, &[("db", "Running")]).await;
    pods(&store, "c1", 60, &[("web", "Running")]).await;
    pods(&store, "c2", 0, &[("db", "Running")]).await;
    let url = served(&store, None).await;
    let from = ["--controlplane", url.as_str()];
    let run = async |words: &str| {
        let mut args: Vec<&str> = words.split(' ').collect();
        args.extend(from);
        told(&args).await
    };

    // One cluster: kubectl's own table, as it was, with the ages of then.
    let (code, out, err) = run("get pods --cluster c1 --at 30m").await;
    assert_eq!(
        out, "NAME   STATUS    AGE\nold    Running   90m\nweb    Pending   90m\n",
        "{err}"
    );
    assert!(code == 0 && err.starts_with("as of 20"), "{err}");
    let (_, out, _) = run("get pods --cluster c1 --at 1s").await;
    assert!(
        out.contains("web    Running") && !out.contains("old"),
        "{out}"
    );

    // Several; sorted, filtered, in every form, by the same machine as ever.
    let (_, out, err) = run("get po -A --at 30m --sort-by STATUS").await;
    assert_eq!(
        out,
        "CLUSTER   NAMESPACE   NAME   STATUS    AGE\nc1        default     web    Pending   90m\n\
         c1        default     old    Running   90m\nc2        default     db     Running   90m\n",
        "{err}"
    );
    let (_, out, _) = run("get pod web --cluster c1 --at 30m -o jsonpath={.status.phase}").await;
    assert_eq!(out, "Pending");
    let (_, out, _) = run("get pods -A --at 30m --filter STATUS=Pending -o name").await;
    assert_eq!(out, "pod/web\n");

    // What is not there is told.
    let (code, _, err) = run("get pod gone --cluster c1 --at 30m").await;
    assert!(
        code == 1 && err.contains("Error from server (NotFound): pods \"gone\" not found"),
        "{err}"
    );
    let (code, out, err) = run("get pods --cluster c1,c9 --at 30m").await;
    assert!(
        code == 1
            && out.contains("web")
            && err.contains("c9")
            && err.contains("keeps nothing of it"),
        "{err}"
    );
    let (code, _, err) = run("get pods --cluster c1 --at 3h").await;
    assert!(
        code == 1 && err.contains("not all of it was kept by then"),
        "{err}"
    );
    let (code, _, err) = run("get foos --at 30m").await;
    assert!(
        code == 1 && err.contains("doesn't have a resource type \"foos\""),
        "{err}"
    );
    let (code, _, err) = run("get pods --at tomorrow").await;
    assert!(
        code == 1 && err.contains("--at: \"tomorrow\" is no moment"),
        "{err}"
    );

    let (code, out, err) = run("history pod/web --cluster c1").await;
    let lines: Vec<_> = out.lines().collect();
    assert!(
        code == 0 && lines[0].starts_with("TIME ") && lines.len() == 3,
        "{out}{err}"
    );
    assert!(
        lines[1].contains("changed   .status.phase: Pending → Running"),
        "{out}"
    );
    assert!(lines[2].contains("added"), "{out}");
    let (_, out, _) = run("history pod web -o json").await;
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        document["histories"][0]["steps"][0]["changes"][0]["path"],
        ".status.phase"
    );
    let (code, _, err) = run("history pod/none --cluster c1").await;
    assert!(
        code == 1 && err.contains("pods \"none\" not found"),
        "{err}"
    );

    let (_, out, err) = run("search pods .status.phase=Running").await;
    assert_eq!(
        out.lines()
            .map(|line| line
                .split_whitespace()
                .take(4)
                .collect::<Vec<_>>()
                .join(" "))
            .collect::<Vec<_>>(),
        [
            "CLUSTER NAMESPACE NAME STATUS",
            "c1 default web Running",
            "c2 default db Running"
        ],
        "{err}"
    );
    assert!(
        err.contains("cluster \"c1\" was last heard ") && !err.contains("c2"),
        "{err}"
    );
    let (_, out, _) = run("search pods --by cluster --at 30m").await;
    assert_eq!(out, "CLUSTER   COUNT\nc1        2\nc2        1\n");
    let (code, _, err) = run("search pods .status.phse=x").await;
    assert!(
        code == 1 && err.contains("did you mean \".status.phase\"?"),
        "{err}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controlplane_is_found_by_its_presence_and_gets_no_token_for_it() {
    program("kubectl-mqinformer");
    let store = Store::open("sqlite::memory:", store::Options::default())
        .await
        .unwrap();
    let broker = EmbeddedBroker::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let address = broker.url();
    let (_, _, err) = told(&["search", "pods", "--broker", &address]).await;
    assert!(
        err.contains("no controlplane announces itself at the broker"),
        "{err}"
    );

    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, format!("{TOKEN},ann\n")).unwrap();
    let url = served(&store, Some(&tokens)).await;
    let topics = Topics::new(
        Prefix::new("/signal").unwrap(),
        Prefix::new("/payload").unwrap(),
    )
    .unwrap();
    let announcement = Announcement {
        name: ClusterName::new("controlplane").unwrap(),
        url: url.clone(),
        retained: true,
        topics,
    };
    let (stop, stopped) = watch::channel(false);
    let announced =
        tokio::spawn(announcement.run(BrokerOptions::new(&address, "controlplane"), stopped));
    let informer = Informer::builder().broker(&address).start().unwrap();
    let mut known = informer.controlplanes();
    known
        .wait_for(|known| known.values().any(|it| it.presence.term.number > 0))
        .await
        .unwrap();

    let file = folder.path().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let file = file.to_str().unwrap();
    let found = ["search", "pods", "--broker", &address];
    let (code, _, err) = told(&found).await;
    assert!(code == 1 && err.contains("does not know who asks"), "{err}");
    let (code, _, err) = told(&[&found[..], &["--token-file", file]].concat()).await;
    assert!(
        code == 1 && err.contains(&format!("add --controlplane {url}")),
        "{err}"
    );
    let (_, _, err) =
        told(&[&found[..], &["--token-file", file, "--controlplane", &url]].concat()).await;
    assert!(
        err.contains("doesn't have a resource type \"pods\" (nothing is kept yet)"),
        "{err}"
    );

    // It is no cluster.
    let said = tokio::task::spawn_blocking(move || plugin(&address, &["clusters"]))
        .await
        .unwrap();
    assert_eq!(
        (said.out.as_str(), said.err.as_str()),
        ("", "No clusters found\n")
    );
    stop.send(true).unwrap();
    announced.await.unwrap().unwrap();
    broker.stop().await;
}
