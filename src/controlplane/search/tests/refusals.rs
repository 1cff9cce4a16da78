//! What is refused, and what does no harm.

use super::{Options, Reader, World, encoded, router};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;
use tokio::sync::watch;
use tower::ServiceExt;

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
