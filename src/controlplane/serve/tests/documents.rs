//! Discovery, reviews, refusals, and who may read what.

use super::super::Access;
use super::world::{TABLE, World, request};
use axum::http::StatusCode;
use serde_json::json;

#[tokio::test]
async fn what_is_stored_is_discovered() {
    let world = World::of_pods(&[]).await;
    world
        .sync("cluster2", "deployments.v1.apps", "Deployment")
        .await;
    let core = world.get("cluster1/api/v1").await.json();
    assert_eq!(core["resources"][0]["name"], "pods");
    assert_eq!(core["resources"][0]["shortNames"], json!(["po"]));
    assert_eq!(world.get("cluster1/apis").await.json()["groups"], json!([]));
    assert_eq!(
        world.get("cluster2/apis").await.json()["groups"][0]["name"],
        "apps"
    );
    let all = world.get("*/apis/apps/v1").await.json();
    assert_eq!(all["resources"][0]["kind"], "Deployment");
    assert_eq!(
        world.get("cluster1/apis/apps/v1").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(world.get("cluster1/version").await.json()["major"], "1");
    assert_eq!(world.get("cluster1/livez").await.text, "ok");
    assert_eq!(
        world.get("cluster1/openapi/v3").await.status,
        StatusCode::NOT_FOUND
    );
    let aggregated =
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
    let answer = world.get_as("cluster2/apis", aggregated).await;
    assert_eq!(
        answer.headers["content-type"],
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    );
    assert_eq!(
        answer.json()["items"][0]["versions"][0]["resources"][0]["resource"],
        "deployments"
    );
}

#[tokio::test]
async fn what_is_not_there_is_not_found_in_the_api_server_s_words() {
    let world = World::of_pods(&["web"]).await;
    for (path, code, message) in [
        (
            "cluster1/api/v1/namespaces/shop/pods/none",
            404,
            "pods \"none\" not found",
        ),
        (
            "cluster1/api/v1/namespaces/none/pods/web",
            404,
            "pods \"web\" not found",
        ),
        (
            "cluster1/api/v1/services",
            404,
            "the server could not find the requested resource",
        ),
        (
            "cluster1/api/v1/pods/web",
            404,
            "the server could not find the requested resource",
        ),
        (
            "cluster7/api/v1/pods",
            404,
            "clusters \"cluster7\" not found: nothing of it is stored here",
        ),
        (
            "cluster1/api/v1/pods?fieldSelector=spec.x%3D1",
            400,
            "field label not supported: spec.x",
        ),
    ] {
        let answer = world.get(path).await;
        let status = answer.json();
        assert_eq!(status["kind"], "Status", "{path}");
        assert_eq!(
            (answer.status.as_u16(), status["message"].as_str().unwrap()),
            (code, message),
            "{path}"
        );
    }
    let about = world
        .get("cluster1/api/v1/namespaces/shop/pods/none")
        .await
        .json();
    assert_eq!(about["details"], json!({"name": "none", "kind": "pods"}));
    let other = world
        .get_as(
            "cluster1/api/v1/pods",
            "application/vnd.kubernetes.protobuf",
        )
        .await;
    assert_eq!(other.status, StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn nothing_is_written() {
    let world = World::of_pods(&["web"]).await;
    for (method, path) in [
        ("POST", "cluster1/api/v1/namespaces/shop/pods"),
        ("PUT", "cluster1/api/v1/namespaces/shop/pods/web"),
        ("PATCH", "cluster1/api/v1/namespaces/shop/pods/web"),
        ("DELETE", "cluster1/api/v1/namespaces/shop/pods/web"),
        ("DELETE", "*/api/v1/pods"),
        ("POST", "cluster1/api/v1/namespaces/shop/pods/web/exec"),
        ("GET", "cluster1/api/v1/namespaces/shop/pods/web/log"),
        ("POST", "cluster1/version"),
    ] {
        let answer = world.ask(request(method, path, TABLE, "{}".into())).await;
        assert_eq!(
            answer.status,
            StatusCode::METHOD_NOT_ALLOWED,
            "{method} {path}"
        );
        assert_eq!(answer.json()["reason"], "MethodNotAllowed");
        assert_eq!(answer.headers["allow"], "GET");
    }
    assert_eq!(world.get("cluster1/api/v1/pods").await.names(), ["web"]);
}

#[tokio::test]
async fn may_i_is_answered() {
    let world = World::of_pods(&[]).await;
    let may = async |verb: &str| {
        let review = json!({"spec": {"resourceAttributes": {"verb": verb, "resource": "pods"}}});
        let path = "cluster1/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let answer = world
            .ask(request(
                "POST",
                path,
                "application/json",
                review.to_string(),
            ))
            .await;
        assert_eq!(answer.status, StatusCode::CREATED);
        answer.json()["status"]["allowed"].as_bool().unwrap()
    };
    assert!(may("list").await);
    assert!(!may("delete").await);
}

const TOKENS: &str = "aaaaaaaaaaaaaaaa,ann\nbbbbbbbbbbbbbbbb,bob,cluster1,dev-*\n";

#[tokio::test]
async fn a_user_reads_his_clusters_and_is_not_told_of_others() {
    let world = World::with(Access::parse(TOKENS).unwrap()).await;
    for cluster in ["cluster1", "cluster2", "dev-1"] {
        world.sync(cluster, "pods.v1", "Pod").await;
        world
            .put(
                cluster,
                &super::world::pod(&format!("of-{cluster}"), "Running", "web"),
            )
            .await;
    }
    let ask = async |token: &str, path: &str| {
        let mut request = request("GET", path, "application/json", String::new());
        let value = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", value);
        world.ask(request).await
    };
    let (ann, bob) = ("aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb");
    assert_eq!(
        world.get("cluster1/api").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        ask("cccccccccccccccc", "cluster1/api").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        ask(ann, "cluster2/api/v1/pods").await.names(),
        ["of-cluster2"]
    );
    assert_eq!(
        ask(bob, "cluster1/api/v1/pods").await.names(),
        ["of-cluster1"]
    );
    let there = ask(bob, "cluster2/api/v1/pods").await;
    let nowhere = ask(bob, "cluster9/api/v1/pods").await;
    assert_eq!(
        (there.status, nowhere.status),
        (StatusCode::FORBIDDEN, StatusCode::FORBIDDEN)
    );
    assert_eq!(
        ask(ann, "*/api/v1/pods").await.names(),
        ["of-cluster1", "of-cluster2", "of-dev-1"]
    );
    assert_eq!(
        ask(bob, "*/api/v1/pods").await.names(),
        ["of-cluster1", "of-dev-1"]
    );
    let hidden = ask(bob, "*/api/v1/namespaces/shop/pods/of-cluster2").await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
}
