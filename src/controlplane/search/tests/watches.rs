//! Searches that are watched.

use super::{World, now, pod};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::time::Duration;

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
