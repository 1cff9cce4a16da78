//! What is found, how it is shown, and what was.

use super::{World, now, pod};
use axum::http::StatusCode;
use serde_json::{Value, json};

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
