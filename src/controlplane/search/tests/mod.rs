//! Requests to the router over a store in memory with synthetic objects.

mod answers;
mod refusals;
mod watches;

use super::{Options, Reader, router};
use crate::protocol::message::View;
use crate::protocol::names::ClusterName;
use crate::protocol::rows::{Cell, Column, Header, Part, Row, part};
use crate::store::{self, Batch, Position, Store, StreamKey};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use axum::{Extension, Router};
use bytes::Bytes;
use http_body_util::BodyExt;
use jiff::Timestamp;
use prost::Message;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tower::ServiceExt;

/// The clock, in seconds: of the store and of the router.
static NOW: AtomicI64 = AtomicI64::new(0);
/// Tests move the clock for themselves alone.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn now() -> Timestamp {
    Timestamp::from_second(1_000_000 + NOW.load(Ordering::SeqCst)).unwrap()
}

struct World {
    store: Store,
    router: Router,
    stop: watch::Sender<bool>,
    _alone: tokio::sync::MutexGuard<'static, ()>,
}

impl World {
    async fn new() -> Self {
        Self::read_by(Reader::of_everything()).await
    }

    async fn read_by(reader: Reader) -> Self {
        let alone = ALONE.lock().await;
        NOW.store(0, Ordering::SeqCst);
        let options = store::Options {
            now,
            ..store::Options::default()
        };
        let store = Store::open("sqlite::memory:", options).await.unwrap();
        let (stop, stopping) = watch::channel(false);
        let options = Options {
            now,
            heartbeat: Duration::from_millis(20),
            ..Options::new(store.clone(), stopping)
        };
        let world = Self {
            router: router(options).layer(Extension(reader)),
            store,
            stop,
            _alone: alone,
        };
        world
            .pods(
                "prod-1",
                &[
                    ("web-1", "Running"),
                    ("web-2", "Pending"),
                    ("checkout-1", "Running"),
                ],
            )
            .await;
        world.pods("prod-2", &[("web-1", "Failed")]).await;
        world
    }

    fn at(&self, seconds: i64) {
        NOW.store(seconds, Ordering::SeqCst);
    }

    /// A cluster's pods from now on: rows first, then objects.
    async fn pods(&self, cluster: &str, pods: &[(&str, &str)]) {
        let rows = pods.iter().map(|(name, phase)| (*name, row(name, phase)));
        self.whole(cluster, View::Rows, rows).await;
        let objects = pods.iter().map(|(name, phase)| (*name, pod(name, phase)));
        self.whole(cluster, View::Objects, objects).await;
    }

    async fn whole(&self, cluster: &str, view: View, values: impl Iterator<Item = (&str, Bytes)>) {
        let batch = Batch {
            header: Some(header()),
            changes: values
                .map(|(name, value)| (key(name), Some(value)))
                .collect(),
            others: store::Others::Go,
            position: Some(Position::default()),
            ..Batch::new(stream(cluster, view))
        };
        self.store.write(batch).await.unwrap();
    }

    /// One object changes, or is gone.
    async fn put(&self, cluster: &str, name: &str, value: Option<Bytes>) {
        let batch = Batch {
            changes: vec![(key(name), value)],
            position: Some(Position::default()),
            ..Batch::new(stream(cluster, View::Objects))
        };
        self.store.write(batch).await.unwrap();
    }

    async fn ask(&self, path: &str) -> Response {
        let path = path.replace('<', "%3C").replace('>', "%3E");
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn json(&self, path: &str) -> (StatusCode, Value) {
        let response = self.ask(path).await;
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    /// The names that a search finds.
    async fn names(&self, query: &str) -> Vec<String> {
        let (status, answer) = self.json(&format!("/search?{query}")).await;
        assert_eq!(status, StatusCode::OK, "{query}: {answer}");
        let items = answer["items"].as_array().unwrap();
        let name = |item: &Value| {
            format!(
                "{}/{}",
                item["cluster"].as_str().unwrap(),
                item["name"].as_str().unwrap()
            )
        };
        items.iter().map(name).collect()
    }

    async fn problem(&self, path: &str) -> (u16, String) {
        let path = &*path.replace('<', "%3C");
        let response = self.ask(path).await;
        let status = response.status().as_u16();
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json",
            "{path}"
        );
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let problem: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(
            (&problem["status"], &problem["instance"]),
            (&json!(status), &json!(path))
        );
        assert!(
            problem["type"]
                .as_str()
                .unwrap()
                .starts_with("urn:mqinformer:problem:")
        );
        (status, problem["detail"].as_str().unwrap().to_owned())
    }
}

fn stream(cluster: &str, view: View) -> StreamKey {
    StreamKey {
        cluster: ClusterName::new(cluster).unwrap(),
        resource: "pods.v1".parse().unwrap(),
        view,
    }
}

fn key(name: &str) -> Bytes {
    format!("shop/{name}").into()
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

fn row(name: &str, phase: &str) -> Bytes {
    let cell = |part| Cell {
        parts: vec![Part { part: Some(part) }],
    };
    let row = Row {
        cells: vec![
            cell(part::Part::Text(name.into())),
            cell(part::Part::Text(phase.into())),
            cell(part::Part::SinceMs(999_000_000)),
        ],
        metadata: format!(r#"{{"name":"{name}","namespace":"shop","uid":"{name}"}}"#).into(),
    };
    row.encode_to_vec().into()
}

fn pod(name: &str, phase: &str) -> Bytes {
    let owner = name.split('-').next().unwrap();
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": "shop", "uid": name, "resourceVersion": phase.len().to_string(),
            "creationTimestamp": if name == "web-1" { "1970-01-12T13:46:00Z" } else { "1970-01-01T00:00:00Z" },
            "labels": {"app": owner}, "ownerReferences": [{"kind": "ReplicaSet", "name": owner, "controller": true}],
        },
        "spec": {"priority": name.len(), "containers": [{"image": format!("nginx:{owner}")}]},
        "status": {"phase": phase},
    })
    .to_string()
    .into()
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
