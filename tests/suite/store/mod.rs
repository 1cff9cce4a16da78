//! One set of tests of the store, on SQLite and on a real PostgreSQL.

mod faults;
mod history;
mod model;
mod search;
mod writing;

use bed::Bed;
use bytes::Bytes;
use jiff::Timestamp;
use mqtt_informer::protocol::message::{Epoch, Term, View};
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::protocol::rows::{Cell, Column, Header, Part, Row, part};
use mqtt_informer::store::{
    Batch, Clusters, Filter, GroupResource, List, ObjectKey, Options, Others, Position, Store,
    Stored, StreamKey,
};
use prost::Message;
use serde_json::{Value, json};
use std::cell::Cell as Mutable;
use std::path::PathBuf;
use tempfile::TempDir;

/// A store of a test's own, and what it takes to open it again.
pub(super) struct Home {
    pub store: Store,
    pub url: String,
    _dir: Option<TempDir>,
}

thread_local! {
    /// The clock of the tests in this thread, in ms: it stands still unless it is moved.
    static NOW: Mutable<i64> = const { Mutable::new(1_000_000) };
}

pub(super) fn now() -> Timestamp {
    at(NOW.get())
}

pub(super) fn set_now(ms: i64) {
    NOW.set(ms);
}

pub(super) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

pub(super) fn options() -> Options {
    Options {
        now,
        ..Options::default()
    }
}

pub(super) async fn sqlite() -> Home {
    let dir = tempfile::tempdir().unwrap();
    let file: PathBuf = dir.path().join("store.db");
    open(format!("sqlite://{}", file.display()), Some(dir)).await
}

pub(super) async fn postgres() -> Home {
    let url = Bed::shared().unwrap().postgres().unwrap().database();
    open(url.unwrap(), None).await
}

async fn open(url: String, dir: Option<TempDir>) -> Home {
    Home {
        store: Store::open(&url, options()).await.unwrap(),
        url,
        _dir: dir,
    }
}

/// Each function of the list is a test twice: `sqlite::NAME` and `postgres::NAME`.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::$name(crate::store::sqlite().await).await; })*
        }
        mod postgres {
            $(#[tokio::test] async fn $name() { super::$name(crate::store::postgres().await).await; })*
        }
    };
}
pub(super) use on_both;

pub(super) fn cluster(name: &str) -> ClusterName {
    ClusterName::new(name).unwrap()
}

pub(super) fn stream(name: &str) -> StreamKey {
    StreamKey {
        cluster: cluster(name),
        resource: "pods.v1".parse().unwrap(),
        view: View::Objects,
    }
}

pub(super) fn rows(name: &str) -> StreamKey {
    StreamKey {
        view: View::Rows,
        ..stream(name)
    }
}

pub(super) fn pods() -> GroupResource {
    GroupResource {
        group: String::new(),
        plural: "pods".into(),
    }
}

pub(super) fn filter() -> Filter {
    Filter {
        resource: pods(),
        view: View::Objects,
        ..Filter::default()
    }
}

pub(super) fn position(seq: u64) -> Position {
    let term = Term {
        number: u64::MAX - 1,
        nonce: u32::MAX,
    };
    Position {
        epoch: Epoch { term, feed: 7 },
        seq,
        dictionary: Some(Bytes::from_static(b"\0dictionary")),
    }
}

/// A pod whose `spec.n` is a number.
pub(super) fn pod(name: &str, uid: &str, n: i64) -> Bytes {
    pod_with(name, uid, json!({"n": n}), json!({"app": "web"}))
}

pub(super) fn pod_with(name: &str, uid: &str, spec: Value, labels: Value) -> Bytes {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "ns", "uid": uid, "labels": labels, "creationTimestamp": "1970-01-01T00:10:00Z"},
        "spec": spec, "status": {"phase": "Running"},
    });
    pod.to_string().into()
}

pub(super) fn header() -> Bytes {
    let column = |name: &str| Column {
        name: name.into(),
        ..Column::default()
    };
    let header = Header {
        version: "v1".into(),
        plural: "pods".into(),
        kind: "Pod".into(),
        namespaced: true,
        columns: vec![column("Name"), column("Status"), column("Restarts")],
        ..Header::default()
    };
    header.encode_to_vec().into()
}

pub(super) fn row(name: &str, uid: &str, status: &str, restarts: i64) -> Bytes {
    let cell = |part| Cell {
        parts: vec![Part { part: Some(part) }],
    };
    let metadata = json!({"name": name, "namespace": "ns", "uid": uid});
    let row = Row {
        cells: vec![
            cell(part::Part::Text(name.into())),
            cell(part::Part::Text(status.into())),
            cell(part::Part::Integer(restarts)),
        ],
        metadata: metadata.to_string().into(),
    };
    row.encode_to_vec().into()
}

pub(super) fn put(name: &str, value: Bytes) -> (Bytes, Option<Bytes>) {
    (format!("ns/{name}").into(), Some(value))
}

pub(super) fn gone(name: &str) -> (Bytes, Option<Bytes>) {
    (format!("ns/{name}").into(), None)
}

pub(super) fn step(stream: StreamKey, changes: Vec<(Bytes, Option<Bytes>)>) -> Batch {
    Batch {
        changes,
        ..Batch::new(stream)
    }
}

pub(super) fn whole(stream: StreamKey, changes: Vec<(Bytes, Option<Bytes>)>) -> Batch {
    Batch {
        others: Others::Go,
        position: Some(position(1)),
        ..step(stream, changes)
    }
}

pub(super) fn key(cluster_name: &str, name: &str) -> ObjectKey {
    ObjectKey {
        cluster: cluster(cluster_name),
        resource: pods(),
        view: View::Objects,
        namespace: "ns".into(),
        name: name.into(),
    }
}

/// `cluster/name` of each, in their order.
pub(super) fn names(items: &[Stored]) -> Vec<String> {
    let name = |it: &Stored| format!("{}/{}", it.key.cluster, it.key.name);
    items.iter().map(name).collect()
}

pub(super) async fn listed(store: &Store, filter: Filter) -> Vec<String> {
    let list = List {
        filter,
        ..List::default()
    };
    names(&store.list(&list).await.unwrap().items)
}

pub(super) fn of(name: &str) -> Clusters {
    Clusters::one(cluster(name))
}
