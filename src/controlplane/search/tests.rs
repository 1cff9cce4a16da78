//! Requests to the router over a store in memory with synthetic objects.

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

#[tokio::test]
async fn every_filter_finds_what_it_says() {
    let world = World::new().await;
    for (query, expected) in [
        (
            "kind=pods",
            "prod-1/checkout-1 prod-1/web-1 prod-1/web-2 prod-2/web-1",
        ),
        (
            "",
            "prod-1/checkout-1 prod-1/web-1 prod-1/web-2 prod-2/web-1",
        ),
        (
            "kind=po&cluster=prod-*,!prod-2&name=CKT",
            "prod-1/checkout-1",
        ),
        ("cluster=prod-2", "prod-2/web-1"),
        ("namespace=shop&labels=app%3Dcheckout", "prod-1/checkout-1"),
        ("namespace=other", ""),
        (
            "owner=ReplicaSet/web&where=.status.phase!%3DRunning",
            "prod-1/web-2 prod-2/web-1",
        ),
        ("owner=ReplicaSet/&cluster=prod-2", "prod-2/web-1"),
        (
            "where=.spec.containers[*].image~NGINX:check",
            "prod-1/checkout-1",
        ),
        ("where=.spec.priority>=10", "prod-1/checkout-1"),
        ("where=.spec.priority<=5&cluster=prod-2", "prod-2/web-1"),
        ("where=.spec.priority<5", ""),
        ("where=!.spec.containers[*].image", ""),
        (
            "where=.status.phase=Running&where=.metadata.name=web-1",
            "prod-1/web-1",
        ),
        ("age=<1h", "prod-1/web-1 prod-2/web-1"),
        ("age=>1h", "prod-1/checkout-1 prod-1/web-2"),
        (
            "kind=pods&order=-name",
            "prod-1/web-2 prod-2/web-1 prod-1/web-1 prod-1/checkout-1",
        ),
        (
            "order=.spec.priority&cluster=prod-1",
            "prod-1/web-1 prod-1/web-2 prod-1/checkout-1",
        ),
        ("order=-created&limit=2", "prod-2/web-1 prod-1/web-1"),
    ] {
        assert_eq!(world.names(query).await.join(" "), expected, "{query}");
    }
}

#[tokio::test]
async fn an_item_says_what_kubectl_would_print_and_how_fresh_its_cluster_is() {
    let world = World::new().await;
    let (_, answer) = world
        .json("/search?kind=pods&cluster=prod-2,gone&object=true&row=true")
        .await;
    let item = &answer["items"][0];
    assert_eq!(item["cells"], json!(["web-1", "Failed", "16m"]));
    assert_eq!(
        (&item["kind"], &item["phase"], &item["owner"]["name"]),
        (&json!("Pod"), &json!("Failed"), &json!("web"))
    );
    assert_eq!(item["object"]["spec"]["priority"], 5);
    assert_eq!(answer["columns"]["pods"][1]["name"], "Status");
    assert!(item["row"].is_string() && answer["headers"]["pods"].is_string());
    let states: Vec<_> = answer["clusters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["name"].clone(), it["state"].clone()))
        .collect();
    assert_eq!(
        states,
        [
            (json!("prod-2"), json!("fresh")),
            (json!("gone"), json!("unknown"))
        ]
    );
    world.at(60);
    let (_, answer) = world.json("/search?kind=pods&cluster=prod-2").await;
    assert_eq!(
        (
            &answer["clusters"][0]["state"],
            &answer["clusters"][0]["provenAgo"]
        ),
        (&json!("stale"), &json!("60s"))
    );
    let (_, answer) = world
        .json("/search?kind=pods&fields=.status.phase&limit=1")
        .await;
    assert_eq!(
        answer["items"][0]["fields"],
        json!({".status.phase": "Running"})
    );
    assert!(answer["items"][0].get("cells").is_none());
}

#[tokio::test]
async fn pages_are_of_one_moment_and_of_one_search() {
    let world = World::new().await;
    let (_, first) = world.json("/search?kind=pods&age=<1m&limit=1").await;
    let token = first["continue"].as_str().unwrap().to_owned();
    world.at(120);
    world.put("prod-2", "web-1", None).await;
    world
        .put("prod-2", "zzz", Some(pod("zzz", "Running")))
        .await;
    let (_, second) = world
        .json(&format!(
            "/search?kind=pods&age=<1m&limit=1&continue={token}"
        ))
        .await;
    let names: Vec<_> = second["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].clone())
        .collect();
    assert_eq!(
        names,
        ["web-1"],
        "as it was, and as old as it was, when the first page was asked for"
    );
    assert_eq!(
        (&second["continue"], &second["resourceVersion"]),
        (&Value::Null, &first["resourceVersion"])
    );
    for other in ["kind=pods&limit=2", "kind=pods&age=<1m&name=w"] {
        let (status, detail) = world
            .problem(&format!("/search?{other}&continue={token}"))
            .await;
        assert!(
            status == 400 && detail.contains("continue key is not valid"),
            "{detail}"
        );
    }
    world.store.prune(now()).await.unwrap();
    let (status, detail) = world
        .problem(&format!("/search?kind=pods&age=%3C1m&continue={token}"))
        .await;
    assert!(
        status == 410 && detail.contains("older than what is kept"),
        "{detail}"
    );
}

#[tokio::test]
async fn what_was_is_found_at_its_moment() {
    let world = World::new().await;
    world.at(100);
    world
        .put("prod-1", "web-2", Some(pod("web-2", "Running")))
        .await;
    world.put("prod-1", "checkout-1", None).await;
    world.at(200);
    assert_eq!(
        world.names("where=.status.phase=Pending").await.join(" "),
        ""
    );
    assert_eq!(
        world
            .names("where=.status.phase=Pending&at=150s")
            .await
            .join(" "),
        "prod-1/web-2"
    );
    assert_eq!(
        world
            .names("cluster=prod-1&at=1970-01-12T13:47:00Z")
            .await
            .len(),
        3
    );
    let (status, detail) = world.problem("/search?at=2999-01-01T00:00:00Z").await;
    assert!(
        status == 400 && detail.contains("has not come yet"),
        "{detail}"
    );
    world.store.prune(now()).await.unwrap();
    let (status, detail) = world.problem("/search?at=150s").await;
    assert!(
        status == 410 && detail.contains("longer ago than what is kept"),
        "{detail}"
    );
}

#[tokio::test]
async fn counts_are_of_groups() {
    let world = World::new().await;
    let groups = async |by: &str| {
        let (status, answer) = world
            .json(&format!("/search/count?kind=pods&by={by}"))
            .await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer["count"], 4);
        let groups = answer["groups"].as_array().unwrap().clone();
        groups
            .iter()
            .map(|it| format!("{}={}", it["value"].as_str().unwrap_or("-"), it["count"]))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(groups("cluster").await, "prod-1=3 prod-2=1");
    assert_eq!(groups("namespace").await, "shop=4");
    assert_eq!(groups("kind").await, "pods=4");
    assert_eq!(groups("phase").await, "Running=2 Failed=1 Pending=1");
    assert_eq!(groups("label:app").await, "web=3 checkout=1");
    assert_eq!(groups("label:none").await, "-=4");
    assert_eq!(groups(".spec.priority").await, "5=3 10=1");
    let (_, answer) = world
        .json("/search/count?where=.status.phase=Running")
        .await;
    assert_eq!((&answer["count"], answer.get("groups")), (&json!(2), None));
}

#[tokio::test]
async fn history_says_what_changed_at_each_step() {
    let world = World::new().await;
    world.at(10);
    world
        .put("prod-1", "web-2", Some(pod("web-2", "Running")))
        .await;
    world.at(20);
    world.put("prod-1", "web-2", None).await;
    let (_, answer) = world.json("/history/prod-1/pods/shop/web-2").await;
    let steps = answer["steps"].as_array().unwrap();
    let types: Vec<_> = steps
        .iter()
        .map(|step| step["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["deleted", "changed", "added"]);
    assert_eq!(
        steps[1]["changes"],
        json!([{"path": ".status.phase", "from": "Pending", "to": "Running"}])
    );
    assert_eq!(
        (&steps[1]["time"], &answer["complete"]),
        (&json!("1970-01-12T13:46:50Z"), &json!(true))
    );
    let (_, page) = world.json("/history/prod-1/po/shop/web-2?limit=1").await;
    let token = page["continue"].as_str().unwrap();
    let (_, page) = world
        .json(&format!(
            "/history/prod-1/po/shop/web-2?limit=1&continue={token}"
        ))
        .await;
    assert_eq!(page["steps"][0]["changes"][0]["from"], "Pending");
    let (_, was) = world.json("/history/prod-1/pods/shop/web-2?at=15s").await;
    assert_eq!(
        (
            &was["item"]["object"]["status"]["phase"],
            &was["item"]["cells"][1]
        ),
        (&json!("Pending"), &json!("Pending"))
    );
    for (path, why) in [
        (
            "/history/prod-1/pods/shop/web-2?at=0",
            "pods \"web-2\" not found as of",
        ),
        (
            "/history/prod-1/pods/shop/never",
            "not found, neither now nor",
        ),
        (
            "/history/nope/pods/shop/web-2",
            "clusters \"nope\" not found",
        ),
        (
            "/history/prod-1/pods/web-2",
            "pods are in namespaces: write /history/CLUSTER/pods/NAMESPACE/NAME",
        ),
        (
            "/history/prod-1/foos/shop/x",
            "doesn't have a resource type \"foos\"",
        ),
        ("/history/x", "write /history/CLUSTER/KIND"),
    ] {
        let (status, detail) = world.problem(path).await;
        assert!(status == 404 && detail.contains(why), "{path}: {detail}");
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_told_as_a_problem() {
    let world = World::new().await;
    for (path, code, why) in [
        (
            "/search?kinds=pods",
            400,
            "unknown parameter \"kinds\"; did you mean \"kind\"?",
        ),
        (
            "/search?kind=foo",
            404,
            "doesn't have a resource type \"foo\"",
        ),
        (
            "/search?where=.status.phse%3Dx",
            400,
            "unknown field \".status.phse\" of objects; did you mean \".status.phase\"?",
        ),
        (
            "/search?kind=pods&order=.phase",
            400,
            "unknown field \".phase\": pods have .apiVersion",
        ),
        (
            "/search/count?by=.stauts.phase",
            400,
            "did you mean \".status\"?",
        ),
        ("/search?where=a", 400, "where: \"a\" is no field path"),
        ("/search/watch?age=<1h", 400, "has no meaning here"),
        ("/search?continue=AAAA", 400, "continue key is not valid"),
    ] {
        let path = path.replace('<', "%3C");
        let (status, detail) = world.problem(&path).await;
        assert!(
            status == code && detail.contains(why),
            "{path}: {status} {detail}"
        );
    }
    let post = Request::post("/search").body(Body::empty()).unwrap();
    assert_eq!(
        world.send(post).await.status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
    let (_, answer) = world.json("/search?where=.status.reason=Evicted").await;
    assert_eq!(
        answer["warnings"],
        json!(["no objects here have .status.reason"])
    );
}

#[tokio::test]
async fn nobody_is_answered_who_is_not_known_and_nothing_that_may_not_be_read() {
    let world = World::read_by(Reader::of(|cluster| cluster == "prod-2")).await;
    assert_eq!(world.names("").await, ["prod-2/web-1"]);
    assert_eq!(world.names("cluster=prod-1").await.len(), 0);
    assert_eq!(
        world.problem("/history/prod-1/pods/shop/web-1").await.0,
        404
    );
    let (_, answer) = world.json("/search/count?by=cluster").await;
    assert_eq!(answer["count"], 1);
    let (_stop, stopping) = watch::channel(false);
    let unguarded = router(Options::new(world.store.clone(), stopping));
    for path in [
        "/search",
        "/search/count",
        "/search/watch",
        "/history/prod-2/pods/shop/web-1",
        "/openapi.json",
    ] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(
            unguarded.clone().oneshot(request).await.unwrap().status(),
            StatusCode::UNAUTHORIZED,
            "{path}"
        );
    }
}

#[tokio::test]
async fn metacharacters_are_characters() {
    let world = World::new().await;
    let hostile = [
        "'; DROP TABLE versions; --",
        "%",
        "_",
        "\\",
        "\"",
        "')) OR 1=1 --",
        "$.x",
        "*",
        "a\u{301}",
        "\u{202e}",
        "{}",
        "[*]",
        "?",
        ";",
        "/*",
    ];
    let parameters = [
        "kind",
        "cluster",
        "namespace",
        "labels",
        "owner",
        "name",
        "where",
        "age",
        "order",
        "limit",
        "continue",
        "at",
        "fields",
        "object",
        "row",
    ];
    for text in hostile {
        for parameter in parameters {
            let status = world
                .ask(&format!("/search?{parameter}={}", encoded(text)))
                .await
                .status();
            assert!(
                status.is_success() || status.is_client_error(),
                "{parameter}={text}: {status}"
            );
        }
        for value in [
            format!(".metadata.name={text}"),
            format!(".metadata.name~{text}"),
            format!(".metadata.annotations[\"{text}\"]=x"),
            format!(".spec.priority>{text}"),
        ] {
            let status = world
                .ask(&format!("/search?where={}", encoded(&value)))
                .await
                .status();
            assert!(
                status.is_success() || status.is_client_error(),
                "{value}: {status}"
            );
        }
        for by in [
            format!("label:{text}"),
            format!(".metadata.annotations['{text}']"),
        ] {
            let status = world
                .ask(&format!("/search/count?by={}", encoded(&by)))
                .await
                .status();
            assert!(
                status.is_success() || status.is_client_error(),
                "{by}: {status}"
            );
        }
        let path = percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
        assert_eq!(
            world
                .ask(&format!("/history/{path}/{path}/{path}/{path}"))
                .await
                .status(),
            StatusCode::NOT_FOUND
        );
    }
    assert_eq!(
        world.names(&format!("name={}", encoded("%"))).await.len(),
        0,
        "no wildcard"
    );
    assert_eq!(
        world.names("where=.metadata.name~_").await.len(),
        0,
        "no wildcard"
    );
    assert_eq!(world.names("").await.len(), 4, "everything is still there");
}

/// Events of a stream, one by one.
struct Events {
    body: Body,
    text: String,
}

impl Events {
    async fn open(world: &World, query: &str, last: Option<&str>) -> Self {
        let mut request = Request::get(format!("/search/watch?{query}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            body: response.into_body(),
            text: String::new(),
        }
    }

    /// The next block; none at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let frame = tokio::time::timeout(Duration::from_secs(20), self.body.frame())
                .await
                .unwrap()?;
            self.text
                .push_str(std::str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap());
        }
    }

    /// The next event, its data and its id, comments left out.
    async fn next(&mut self) -> (String, Value, Option<String>) {
        loop {
            let block = self.block().await.expect("the stream ended");
            let field = |name: &str| {
                block
                    .lines()
                    .find_map(|line| line.strip_prefix(name))
                    .map(str::to_owned)
            };
            if let Some(event) = field("event: ") {
                return (
                    event,
                    serde_json::from_str(&field("data: ").unwrap()).unwrap(),
                    field("id: "),
                );
            }
        }
    }

    async fn expect(&mut self, event: &str, name: &str) -> String {
        let (found, data, id) = self.next().await;
        assert_eq!(
            (found.as_str(), data["name"].as_str()),
            (event, Some(name)),
            "{data}"
        );
        id.unwrap()
    }
}

#[tokio::test]
async fn a_watch_begins_with_what_there_is_and_goes_on_with_what_changes() {
    let world = World::new().await;
    let mut events = Events::open(&world, "kind=pods&where=.status.phase!%3DRunning", None).await;
    let (event, data, _) = events.next().await;
    assert_eq!(
        (event.as_str(), &data["clusters"][0]["state"]),
        ("clusters", &json!("fresh"))
    );
    let (event, data, id) = events.next().await;
    assert_eq!(
        (
            event.as_str(),
            data["items"].as_array().unwrap().len(),
            &data["last"]
        ),
        ("snapshot", 2, &json!(true))
    );
    assert_eq!(id.as_deref(), data["resourceVersion"].as_str());

    world
        .put("prod-1", "web-1", Some(pod("web-1", "Failed")))
        .await;
    let first = events.expect("added", "web-1").await;
    world
        .put("prod-1", "web-1", Some(pod("web-1", "Pending")))
        .await;
    events.expect("changed", "web-1").await;
    world
        .put("prod-1", "web-1", Some(pod("web-1", "Running")))
        .await;
    events.expect("removed", "web-1").await;
    world.put("prod-2", "web-1", None).await;
    events.expect("removed", "web-1").await;

    // What nobody who watches this has to know moves the id on, too.
    world
        .put("prod-1", "new", Some(pod("new", "Running")))
        .await;
    let newest = world.store.sequence().borrow().to_string();
    while events.block().await.unwrap() != format!(": alive\nid: {newest}") {}

    let mut resumed = Events::open(
        &world,
        "kind=pods&where=.status.phase!%3DRunning",
        Some(&first),
    )
    .await;
    assert_eq!(resumed.next().await.0, "clusters");
    resumed.expect("changed", "web-1").await;
    resumed.expect("removed", "web-1").await;
    resumed.expect("removed", "web-1").await;

    // A cluster that goes silent is told of.
    world.at(60);
    let (event, data, _) = resumed.next().await;
    assert_eq!(
        (event.as_str(), &data["clusters"][0]["state"]),
        ("clusters", &json!("stale"))
    );

    world.stop.send(true).unwrap();
    while events.block().await.is_some() {}
    while resumed.block().await.is_some() {}
}

#[tokio::test]
async fn a_watch_that_was_away_for_too_long_is_told_so() {
    let world = World::new().await;
    world.at(100);
    world
        .put("prod-1", "web-1", Some(pod("web-1", "Failed")))
        .await;
    world.at(200);
    world.store.prune(now()).await.unwrap();
    for last in ["1", "999999"] {
        let mut events = Events::open(&world, "kind=pods", Some(last)).await;
        assert_eq!(events.next().await.0, "clusters");
        let (event, problem, _) = events.next().await;
        assert_eq!(
            (event.as_str(), &problem["status"]),
            ("expired", &json!(410)),
            "{last}"
        );
        assert!(events.block().await.is_none());
    }
    let request = Request::get("/search/watch")
        .header("last-event-id", "x'")
        .body(Body::empty())
        .unwrap();
    assert_eq!(world.send(request).await.status(), StatusCode::BAD_REQUEST);
}
