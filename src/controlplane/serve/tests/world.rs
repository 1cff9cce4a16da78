//! A store of made-up objects, and who asks for them.

use super::super::{Access, router};
use crate::protocol::message::View;
use crate::protocol::names::ClusterName;
use crate::protocol::rows::{Cell, Column, Header, Part, Row, part};
use crate::store::{Batch, Options, Others, Position, Store, StreamKey};
use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, Request, StatusCode};
use bytes::Bytes;
use futures::StreamExt;
use http_body_util::BodyExt;
use prost::Message;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::watch;
use tower::ServiceExt;

pub(super) const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
pub(super) const METADATA: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

pub(super) struct World {
    pub(super) store: Store,
    pub(super) router: Router,
    pub(super) stop: watch::Sender<bool>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(super) fn names(&self) -> Vec<String> {
        names(&self.json()["items"])
    }

    pub(super) fn version(&self) -> String {
        self.json()["metadata"]["resourceVersion"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(super) fn warnings(&self) -> Vec<&str> {
        let all = self.headers.get_all("warning").iter();
        all.map(|value| value.to_str().unwrap()).collect()
    }
}

pub(super) fn names(items: &Value) -> Vec<String> {
    let name = |item: &Value| item["metadata"]["name"].as_str().unwrap().to_owned();
    items.as_array().unwrap().iter().map(name).collect()
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(Access::Open).await
    }

    pub(super) async fn with(access: Access) -> Self {
        let store = Store::open("sqlite::memory:", Options::default())
            .await
            .unwrap();
        let (stop, stopped) = watch::channel(false);
        Self {
            router: router(store.clone(), access, stopped),
            store,
            stop,
        }
    }

    /// A world in which these pods of `cluster1` are `Running` on `node1`.
    pub(super) async fn of_pods(names: &[&str]) -> Self {
        let world = Self::new().await;
        world.sync("cluster1", "pods.v1", "Pod").await;
        for name in names {
            world.put("cluster1", &pod(name, "Running", "web")).await;
        }
        world
    }

    /// Both views of a resource are whole, and empty.
    pub(super) async fn sync(&self, cluster: &str, resource: &str, kind: &str) {
        for view in [View::Rows, View::Objects] {
            self.sync_view(cluster, resource, kind, view).await;
        }
    }

    pub(super) async fn sync_view(&self, cluster: &str, resource: &str, kind: &str, view: View) {
        let mut batch = Batch::new(stream(cluster, resource, view));
        batch.header = Some(header(resource, kind, view));
        batch.others = Others::Go;
        batch.position = Some(Position {
            seq: 1,
            ..Position::default()
        });
        self.store.write(batch).await.unwrap();
    }

    /// A stream that has begun and is not whole.
    pub(super) async fn begin(&self, cluster: &str, resource: &str, kind: &str) {
        let mut batch = Batch::new(stream(cluster, resource, View::Objects));
        batch.header = Some(header(resource, kind, View::Objects));
        self.store.write(batch).await.unwrap();
    }

    /// Writes a pod, as an object and as a row.
    pub(super) async fn put(&self, cluster: &str, object: &Value) -> u64 {
        let metadata = &object["metadata"];
        let key = format!(
            "{}/{}",
            metadata["namespace"].as_str().unwrap(),
            metadata["name"].as_str().unwrap()
        );
        let row = row(object);
        self.step(
            cluster,
            View::Objects,
            &key,
            Some(object.to_string().into()),
        )
        .await;
        self.step(cluster, View::Rows, &key, Some(row)).await
    }

    pub(super) async fn delete(&self, cluster: &str, key: &str) -> u64 {
        self.step(cluster, View::Objects, key, None).await;
        self.step(cluster, View::Rows, key, None).await
    }

    pub(super) async fn step(
        &self,
        cluster: &str,
        view: View,
        key: &str,
        value: Option<Bytes>,
    ) -> u64 {
        let mut batch = Batch::new(stream(cluster, "pods.v1", view));
        batch.changes = vec![(key.to_owned().into(), value)];
        self.store.write(batch).await.unwrap()
    }

    pub(super) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// GET below `/clusters/`.
    pub(super) async fn get(&self, path: &str) -> Answer {
        self.get_as(path, "application/json").await
    }

    pub(super) async fn get_as(&self, path: &str, accept: &str) -> Answer {
        self.ask(request("GET", path, accept, String::new())).await
    }

    /// Asks until the answer is as wanted.
    pub(super) async fn until(&self, path: &str, wanted: impl Fn(&Answer) -> bool) -> Answer {
        let asking = async {
            loop {
                let answer = self.get(path).await;
                if wanted(&answer) {
                    return answer;
                }
            }
        };
        let answered = tokio::time::timeout(Duration::from_secs(20), asking).await;
        answered.expect("the answer becomes what it should")
    }

    pub(super) async fn watch(&self, path: &str) -> Watching {
        self.watch_as(path, "application/json").await
    }

    pub(super) async fn watch_as(&self, path: &str, accept: &str) -> Watching {
        let request = request("GET", path, accept, String::new());
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        Watching {
            body: response.into_body().into_data_stream(),
            rest: Vec::new(),
        }
    }
}

pub(super) fn request(method: &str, path: &str, accept: &str, body: String) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(format!("/clusters/{path}"))
        .header("accept", accept)
        .header("content-type", "application/json")
        .body(Body::from(body))
        .unwrap()
}

/// An open watch.
pub(super) struct Watching {
    body: BodyDataStream,
    rest: Vec<u8>,
}

impl Watching {
    /// The next event; None at the end.
    pub(super) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let more = tokio::time::timeout(Duration::from_secs(20), self.body.next());
            let more = more.await.expect("an event in time")?;
            self.rest.extend_from_slice(&more.unwrap());
        }
    }

    /// The next events, as `TYPE name`.
    pub(super) async fn events(&mut self, count: usize) -> Vec<String> {
        let mut events = Vec::new();
        for _ in 0..count {
            let event = self.next().await.expect("another event");
            let name = &event["object"]["metadata"]["name"];
            let name = name.as_str().unwrap_or("-");
            events.push(format!("{} {name}", event["type"].as_str().unwrap()));
        }
        events
    }
}

pub(super) fn pod(name: &str, phase: &str, app: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": "shop", "uid": format!("uid-{name}"), "resourceVersion": "7000",
            "creationTimestamp": "2024-01-01T00:00:00Z", "labels": {"app": app},
        },
        "spec": {"nodeName": "node1"},
        "status": {"phase": phase},
    })
}

fn row(object: &Value) -> Bytes {
    let mut metadata = object["metadata"].clone();
    metadata.as_object_mut().unwrap().remove("resourceVersion");
    let cell = |part| Cell {
        parts: vec![Part { part: Some(part) }],
    };
    let text = |value: &Value| cell(part::Part::Text(value.as_str().unwrap().to_owned()));
    let cells = vec![
        text(&object["metadata"]["name"]),
        text(&object["status"]["phase"]),
        cell(part::Part::SinceMs(
            jiff::Timestamp::now().as_millisecond() - 300_500,
        )),
    ];
    let row = Row {
        cells,
        metadata: metadata.to_string().into(),
    };
    row.encode_to_vec().into()
}

fn stream(cluster: &str, resource: &str, view: View) -> StreamKey {
    StreamKey {
        cluster: ClusterName::new(cluster).unwrap(),
        resource: resource.parse().unwrap(),
        view,
    }
}

fn header(resource: &str, kind: &str, view: View) -> Bytes {
    let resource: crate::store::Resource = resource.parse().unwrap();
    let column = |name: &str, format: &str| Column {
        name: name.into(),
        r#type: "string".into(),
        format: format.into(),
        priority: 0,
    };
    let columns = match view {
        View::Rows => vec![
            column("Name", "name"),
            column("Status", ""),
            column("Age", ""),
        ],
        _ => vec![],
    };
    let header = Header {
        group: resource.group,
        version: resource.version,
        plural: resource.plural,
        singular: kind.to_lowercase(),
        kind: kind.into(),
        namespaced: kind != "Node",
        columns,
    };
    header.encode_to_vec().into()
}
