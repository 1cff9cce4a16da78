//! Watches.

use super::world::{METADATA, TABLE, World, pod};
use serde_json::json;

#[tokio::test]
async fn a_watch_goes_on_where_a_list_ended() {
    let world = World::of_pods(&["web"]).await;
    let version = world.get("cluster1/api/v1/pods").await.version();
    let path = format!("cluster1/api/v1/namespaces/shop/pods?watch=true&resourceVersion={version}");
    world.put("cluster1", &pod("api", "Pending", "api")).await;
    let mut watch = world.watch(&path).await;
    assert_eq!(watch.events(1).await, ["ADDED api"]);
    world.put("cluster1", &pod("api", "Running", "api")).await;
    world.delete("cluster1", "shop/web").await;
    assert_eq!(watch.events(2).await, ["MODIFIED api", "DELETED web"]);
    // Whoever was away is told the same.
    assert_eq!(
        world.watch(&path).await.events(3).await,
        ["ADDED api", "MODIFIED api", "DELETED web"]
    );
}

#[tokio::test]
async fn versions_grow_and_are_those_to_go_on_from() {
    let world = World::of_pods(&["seed"]).await;
    let version = world.get("cluster1/api/v1/pods").await.version();
    let mut watch = world
        .watch(&format!(
            "cluster1/api/v1/pods?watch=1&resourceVersion={version}"
        ))
        .await;
    world.put("cluster1", &pod("a", "Running", "web")).await;
    world.put("cluster1", &pod("b", "Running", "web")).await;
    world.delete("cluster1", "shop/a").await;
    let mut seen = vec![version.parse::<u64>().unwrap()];
    for _ in 0..3 {
        let event = watch.next().await.unwrap();
        let version = event["object"]["metadata"]["resourceVersion"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!(version > *seen.last().unwrap());
        seen.push(version);
    }
    let mut resumed = world
        .watch(&format!(
            "cluster1/api/v1/pods?watch=1&resourceVersion={}",
            seen[2]
        ))
        .await;
    assert_eq!(resumed.events(1).await, ["DELETED a"]);
}

#[tokio::test]
async fn a_selector_lets_objects_in_and_out() {
    let world = World::of_pods(&["web", "api"]).await;
    let version = world.get("cluster1/api/v1/pods").await.version();
    for selector in [
        "labelSelector=app%3Dweb",
        "fieldSelector=status.phase%3DRunning",
    ] {
        let path = format!("cluster1/api/v1/pods?watch=1&resourceVersion={version}&{selector}");
        let mut watch = world.watch(&path).await;
        if selector.starts_with("label") {
            world.put("cluster1", &pod("web", "Pending", "other")).await;
            world.put("cluster1", &pod("web", "Failed", "other")).await;
            world.put("cluster1", &pod("web", "Running", "web")).await;
        }
        world
            .put(
                "cluster1",
                &pod(
                    "api",
                    "Running",
                    if selector.starts_with("label") {
                        "web"
                    } else {
                        "b"
                    },
                ),
            )
            .await;
        let events = watch.events(2).await;
        assert_eq!(events, ["DELETED web", "ADDED web"], "{selector}");
    }
}

#[tokio::test]
async fn a_streaming_list_is_the_objects_and_a_bookmark() {
    let world = World::of_pods(&["a", "b"]).await;
    let query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    for (accept, kind) in [
        ("application/json", "Pod"),
        (METADATA, "PartialObjectMetadata"),
    ] {
        let mut watch = world
            .watch_as(&format!("cluster1/api/v1/pods?{query}"), accept)
            .await;
        assert_eq!(watch.events(2).await, ["ADDED a", "ADDED b"]);
        let bookmark = watch.next().await.unwrap();
        assert_eq!(bookmark["type"], "BOOKMARK");
        assert_eq!(bookmark["object"]["kind"], kind);
        assert_eq!(
            bookmark["object"]["metadata"]["annotations"],
            json!({"k8s.io/initial-events-end": "true"})
        );
        let newest = world.store.sequence().borrow().to_string();
        assert_eq!(bookmark["object"]["metadata"]["resourceVersion"], newest);
        world.put("cluster1", &pod("b", "Failed", kind)).await;
        assert_eq!(watch.events(1).await, ["MODIFIED b"]);
    }
    let of_all = world.get(&format!("*/api/v1/pods?{query}")).await;
    assert_eq!(of_all.json()["reason"], "Invalid");
    let without = "watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan";
    let mut watch = world
        .watch(&format!("cluster1/api/v1/pods?{without}"))
        .await;
    world.put("cluster1", &pod("c", "Running", "web")).await;
    assert_eq!(watch.events(1).await, ["ADDED c"]);
}

#[tokio::test]
async fn tables_have_their_columns_once() {
    let world = World::of_pods(&["a"]).await;
    let mut watch = world
        .watch_as("cluster1/api/v1/pods?watch=true", TABLE)
        .await;
    let first = watch.next().await.unwrap();
    assert_eq!(first["object"]["columnDefinitions"][2]["name"], "Age");
    assert_eq!(
        first["object"]["rows"][0]["cells"],
        json!(["a", "Running", "5m"])
    );
    world.put("cluster1", &pod("a", "Failed", "web")).await;
    let second = watch.next().await.unwrap();
    assert_eq!(second["type"], "MODIFIED");
    assert_eq!(second["object"]["columnDefinitions"], json!(null));
    assert_eq!(second["object"]["rows"][0]["cells"][1], "Failed");
}

#[tokio::test]
async fn a_table_s_watch_by_a_field_that_changes_tells_what_the_objects_say() {
    let world = World::of_pods(&["a", "b"]).await;
    let version = world.get("cluster1/api/v1/pods").await.version();
    let path = format!(
        "cluster1/api/v1/pods?watch=1&resourceVersion={version}&fieldSelector=status.phase%3DRunning"
    );
    let mut watch = world.watch_as(&path, TABLE).await;
    world.put("cluster1", &pod("a", "Failed", "web")).await;
    let event = watch.next().await.unwrap();
    assert_eq!(
        (
            event["type"].as_str(),
            event["object"]["rows"][0]["cells"][0].as_str()
        ),
        (Some("DELETED"), Some("a"))
    );
    world.put("cluster1", &pod("a", "Running", "web")).await;
    assert_eq!(watch.next().await.unwrap()["type"], "ADDED");
    // The row came later than its object, and is told as it is.
    let last = watch.next().await.unwrap();
    assert_eq!(last["object"]["rows"][0]["cells"][1], "Running");
    world.delete("cluster1", "shop/a").await;
    let gone = watch.next().await.unwrap();
    assert_eq!(gone["type"], "DELETED");
    assert_eq!(gone["object"]["rows"][0]["cells"][0], "a");
}

#[tokio::test]
async fn of_all_clusters_all_changes_are_told() {
    let world = World::of_pods(&["web"]).await;
    let version = world.get("*/api/v1/pods").await.version();
    let mut watch = world
        .watch(&format!("*/api/v1/pods?watch=1&resourceVersion={version}"))
        .await;
    world.sync("cluster2", "pods.v1", "Pod").await;
    world.put("cluster2", &pod("web", "Running", "web")).await;
    world.put("cluster1", &pod("web", "Failed", "web")).await;
    for (kind, cluster) in [("ADDED", "cluster2"), ("MODIFIED", "cluster1")] {
        let event = watch.next().await.unwrap();
        assert_eq!(event["type"], kind);
        assert_eq!(
            event["object"]["metadata"]["annotations"]["mqinformer.io/cluster"],
            cluster
        );
    }
    let mut one = world
        .watch(&format!(
            "cluster1/api/v1/pods?watch=1&resourceVersion={version}"
        ))
        .await;
    assert_eq!(one.events(1).await, ["MODIFIED web"]);
}

#[tokio::test]
async fn a_watch_ends_in_time_with_a_bookmark() {
    let world = World::of_pods(&[]).await;
    let path = "cluster1/api/v1/pods?watch=1&resourceVersion=0&timeoutSeconds=1";
    let mut watch = world
        .watch(&format!("{path}&allowWatchBookmarks=true"))
        .await;
    assert_eq!(watch.events(1).await, ["BOOKMARK -"]);
    assert_eq!(watch.next().await, None);
    assert_eq!(world.watch(path).await.next().await, None);
    let mut stopped = world.watch("cluster1/api/v1/pods?watch=1").await;
    world.stop.send(true).unwrap();
    assert_eq!(stopped.next().await, None);
}

#[tokio::test]
async fn a_version_of_another_store_is_gone() {
    let world = World::of_pods(&["web"]).await;
    let answer = world
        .get("cluster1/api/v1/pods?watch=1&resourceVersion=999999")
        .await;
    assert_eq!(answer.status.as_u16(), 504);
}

#[tokio::test]
async fn many_changes_reach_one_who_is_slow() {
    let world = World::of_pods(&["seed"]).await;
    let version = world.get("cluster1/api/v1/pods").await.version();
    let path = format!("cluster1/api/v1/pods?watch=1&resourceVersion={version}");
    let mut watch = world.watch(&path).await;
    for number in 0..3000 {
        let name = format!("p{}", number % 10);
        let object = pod(&name, "Running", &format!("v{number}"));
        world
            .step(
                "cluster1",
                crate::protocol::message::View::Objects,
                &format!("shop/{name}"),
                Some(object.to_string().into()),
            )
            .await;
    }
    let mut last = String::new();
    for _ in 0..3000 {
        let event = watch.next().await.unwrap();
        last = event["object"]["metadata"]["labels"]["app"]
            .as_str()
            .unwrap()
            .to_owned();
    }
    assert_eq!(last, "v2999");
}
