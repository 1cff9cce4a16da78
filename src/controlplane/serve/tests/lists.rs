//! `get` and `list`.

use super::world::{METADATA, TABLE, World, pod};
use crate::protocol::message::View;
use axum::http::StatusCode;
use serde_json::json;

#[tokio::test]
async fn objects_have_the_store_s_versions_and_say_their_own() {
    let world = World::of_pods(&["web", "api"]).await;
    let list = world.get("cluster1/api/v1/namespaces/shop/pods").await;
    let read = list.json();
    assert_eq!(
        (read["kind"].as_str(), read["apiVersion"].as_str()),
        (Some("PodList"), Some("v1"))
    );
    assert_eq!(list.names(), ["api", "web"]);
    assert_eq!(list.version(), world.store.sequence().borrow().to_string());
    let one = world
        .get("cluster1/api/v1/namespaces/shop/pods/web")
        .await
        .json();
    assert_eq!(
        one["metadata"]["annotations"],
        json!({"mqinformer.io/resource-version": "7000"})
    );
    assert_eq!(one, read["items"][1]);
    let version: u64 = one["metadata"]["resourceVersion"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(version <= list.version().parse().unwrap());
    assert_eq!(
        world
            .get("cluster1/api/v1/namespaces/none/pods")
            .await
            .names(),
        [""; 0]
    );
}

#[tokio::test]
async fn tables_and_metadata() {
    let world = World::of_pods(&["web"]).await;
    let table = world.get_as("cluster1/api/v1/pods", TABLE).await.json();
    assert_eq!(
        (&table["kind"], &table["apiVersion"]),
        (&json!("Table"), &json!("meta.k8s.io/v1"))
    );
    assert_eq!(table["columnDefinitions"][0]["format"], "name");
    assert_eq!(table["rows"][0]["cells"], json!(["web", "Running", "5m"]));
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    let whole = world
        .get_as("cluster1/api/v1/pods?includeObject=Object", TABLE)
        .await
        .json();
    assert_eq!(whole["rows"][0]["object"]["spec"]["nodeName"], "node1");
    let one = world
        .get_as("cluster1/api/v1/namespaces/shop/pods/web", TABLE)
        .await
        .json();
    assert_eq!(one["rows"][0]["cells"], table["rows"][0]["cells"]);
    assert_eq!(
        one["metadata"]["resourceVersion"],
        table["rows"][0]["object"]["metadata"]["resourceVersion"]
    );
    let metadata = world.get_as("cluster1/api/v1/pods", METADATA).await.json();
    assert_eq!(metadata["kind"], "PartialObjectMetadataList");
    assert_eq!(metadata["items"][0]["metadata"]["labels"]["app"], "web");
    assert_eq!(metadata["items"][0]["spec"], json!(null));
}

#[tokio::test]
async fn pages_are_of_the_moment_of_the_first() {
    let world = World::of_pods(&["a", "b", "c", "d"]).await;
    let first = world.get("cluster1/api/v1/pods?limit=3").await;
    assert_eq!(first.names(), ["a", "b", "c"]);
    let metadata = &first.json()["metadata"];
    assert_eq!(metadata["remainingItemCount"], 1);
    world.delete("cluster1", "shop/d").await;
    world.put("cluster1", &pod("e", "Running", "web")).await;
    let next = metadata["continue"].as_str().unwrap();
    let second = world
        .get(&format!("cluster1/api/v1/pods?limit=3&continue={next}"))
        .await;
    assert_eq!(second.names(), ["d"]);
    assert_eq!(second.version(), first.version());
    assert_eq!(second.json()["metadata"]["continue"], json!(null));
    assert_eq!(
        world.get("cluster1/api/v1/pods").await.names(),
        ["a", "b", "c", "e"]
    );
    let exact = format!(
        "cluster1/api/v1/pods?resourceVersion={}&resourceVersionMatch=Exact",
        first.version()
    );
    assert_eq!(world.get(&exact).await.names(), ["a", "b", "c", "d"]);
    let forged = world
        .get("cluster1/api/v1/pods?limit=3&continue=Zm9yZ2Vk")
        .await;
    assert_eq!(forged.status, StatusCode::BAD_REQUEST);
    let both = format!("cluster1/api/v1/pods?limit=3&continue={next}&resourceVersion=3");
    assert_eq!(world.get(&both).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_list_that_is_larger_than_a_page_is_whole() {
    let world = World::of_pods(&[]).await;
    let names: Vec<String> = (0..1203).map(|number| format!("pod-{number:04}")).collect();
    for name in &names {
        world
            .step(
                "cluster1",
                View::Objects,
                &format!("shop/{name}"),
                Some(pod(name, "Running", "web").to_string().into()),
            )
            .await;
    }
    assert_eq!(world.get("cluster1/api/v1/pods").await.names(), names);
    let most = world.get("cluster1/api/v1/pods?limit=1200").await;
    assert_eq!(most.names(), names[..1200]);
    let next = most.json()["metadata"]["continue"]
        .as_str()
        .unwrap()
        .to_owned();
    let rest = world
        .get(&format!("cluster1/api/v1/pods?limit=1200&continue={next}"))
        .await;
    assert_eq!(rest.names(), names[1200..]);
    let mut watch = world
        .watch("cluster1/api/v1/pods?watch=true&timeoutSeconds=1")
        .await;
    assert_eq!(watch.events(1203).await.len(), 1203);
}

#[tokio::test]
async fn selectors() {
    let world = World::of_pods(&["a"]).await;
    world.put("cluster1", &pod("b", "Pending", "api")).await;
    let names = async |query: &str| {
        world
            .get(&format!("cluster1/api/v1/pods?{query}"))
            .await
            .names()
    };
    assert_eq!(names("labelSelector=app%3Dapi").await, ["b"]);
    assert_eq!(names("labelSelector=app+notin+(api)").await, ["a"]);
    assert_eq!(names("fieldSelector=status.phase%3DPending").await, ["b"]);
    assert_eq!(names("fieldSelector=status.phase!%3DPending").await, ["a"]);
    assert_eq!(
        names("fieldSelector=metadata.name%3Db,metadata.namespace%3Dshop").await,
        ["b"]
    );
    assert_eq!(names("fieldSelector=metadata.name!%3Db").await, ["a"]);
    assert_eq!(
        names("fieldSelector=metadata.name%3Da,metadata.name%3Db").await,
        [""; 0]
    );
    assert_eq!(
        names("fieldSelector=spec.hostNetwork%3Dfalse").await,
        ["a", "b"]
    );
    let table = world
        .get_as(
            "cluster1/api/v1/pods?fieldSelector=status.phase%3DPending",
            TABLE,
        )
        .await
        .json();
    assert_eq!(table["rows"][0]["cells"][0], "b");
    assert_eq!(table["rows"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn all_clusters_as_one_say_whose_an_object_is() {
    let world = World::of_pods(&["web"]).await;
    world.sync("cluster2", "pods.v1", "Pod").await;
    world.put("cluster2", &pod("web", "Pending", "web")).await;
    world.put("cluster2", &pod("api", "Running", "api")).await;
    let all = world.get("*/api/v1/pods").await;
    let whose: Vec<_> = all.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            it["metadata"]["annotations"]["mqinformer.io/cluster"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(whose, ["cluster1", "cluster2", "cluster2"]);
    assert_eq!(all.names(), ["web", "api", "web"]);
    let table = world.get_as("*/api/v1/pods", TABLE).await.json();
    assert_eq!(table["columnDefinitions"][0]["name"], "Cluster");
    assert_eq!(
        table["rows"][2]["cells"],
        json!(["cluster2", "web", "Pending", "5m"])
    );
    assert_eq!(
        world.get("*/api/v1/namespaces/shop/pods/api").await.json()["status"]["phase"],
        "Running"
    );
    let several = world.get("*/api/v1/namespaces/shop/pods/web").await;
    assert_eq!(several.status, StatusCode::CONFLICT);
    let message = several.json()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("cluster1, cluster2"), "{message}");
    assert_eq!(
        world.get("*/api/v1/namespaces/shop/pods/none").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn what_is_not_whole_is_not_shown_as_if_it_were() {
    let world = World::new().await;
    world.begin("cluster1", "pods.v1", "Pod").await;
    for path in [
        "cluster1/api/v1/pods",
        "*/api/v1/pods",
        "cluster1/api/v1/namespaces/x/pods/y",
        "cluster1/api/v1/pods?watch=1",
    ] {
        let early = world.get(path).await;
        assert_eq!(early.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(early.headers["retry-after"], "1");
    }
    world.sync("cluster2", "pods.v1", "Pod").await;
    // What there is to serve is looked at now and then.
    let all = world
        .until("*/api/v1/pods", |it| it.status == StatusCode::OK)
        .await;
    assert_eq!(all.status, StatusCode::OK);
    assert_eq!(
        all.warnings(),
        ["299 - \"pods of these clusters are not here yet: cluster1\""]
    );
    let long_ago = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(300);
    for view in [View::Rows, View::Objects] {
        let stream = crate::store::StreamKey {
            cluster: crate::protocol::names::ClusterName::new("cluster2").unwrap(),
            resource: "pods.v1".parse().unwrap(),
            view,
        };
        world.store.prove(&stream, long_ago).await.unwrap();
    }
    let stale = world
        .until("cluster2/api/v1/pods", |it| !it.warnings().is_empty())
        .await;
    assert_eq!(
        stale.warnings(),
        ["299 - \"cluster \\\"cluster2\\\" was last heard 5m ago: its pods are as of then\""]
    );
    assert_eq!(world.get("*/api/v1/pods").await.warnings().len(), 2);
}

#[tokio::test]
async fn a_version_that_is_not_here_yet_is_waited_for_and_then_refused() {
    let world = World::of_pods(&["web"]).await;
    let newest = *world.store.sequence().borrow();
    let path = format!("cluster1/api/v1/pods?resourceVersion={}", newest + 2);
    let ask = world.get(&path);
    let put = async { world.put("cluster1", &pod("api", "Running", "web")).await };
    let (answer, _) = tokio::join!(ask, put);
    assert_eq!(answer.names(), ["api", "web"]);
    let never = world
        .get(&format!(
            "cluster1/api/v1/pods?resourceVersion={}",
            newest + 1000
        ))
        .await;
    assert_eq!(never.status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(
        never.json()["details"]["causes"][0]["reason"],
        "ResourceVersionTooLarge"
    );
}
