//! Watches over WebSocket, over real connections.

use super::super::access::Access;
use super::super::{listen, socket};
use super::world::{World, pod};
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures::{SinkExt, StreamExt};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

const TOKEN: &str = "0123456789abcdef";

async fn served(world: &World) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stopped = world.stop.subscribe();
    tokio::spawn(listen::serve(listener, None, world.router.clone(), stopped));
    address
}

/// A client's socket, and the headers that it was answered with.
async fn connect(
    address: SocketAddr,
    path: &str,
    protocols: &str,
) -> Result<(WebSocketStream<TcpStream>, HeaderMap), Error> {
    let url = format!("ws://{address}/clusters/{path}");
    let mut request = url.into_client_request().unwrap();
    if !protocols.is_empty() {
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", protocols.parse().unwrap());
    }
    let stream = TcpStream::connect(address).await.unwrap();
    let (socket, response) = client_async(request, stream).await?;
    Ok((socket, response.headers().clone()))
}

/// The next event, as `TYPE name`; None at the end.
async fn event(socket: &mut WebSocketStream<TcpStream>) -> Option<String> {
    let next = tokio::time::timeout(Duration::from_secs(20), socket.next());
    match next.await.expect("an event in time") {
        Some(Ok(Message::Text(text))) => {
            assert!(text.ends_with("}\n"), "a line: {text:?}");
            let event: Value = serde_json::from_str(&text).unwrap();
            let name = event["object"]["metadata"]["name"].as_str().unwrap_or("-");
            Some(format!("{} {name}", event["type"].as_str().unwrap()))
        }
        Some(Ok(Message::Close(_))) | None => None,
        other => panic!("{other:?}"),
    }
}

fn status(error: Error) -> u16 {
    match error {
        Error::Http(response) => response.status().as_u16(),
        error => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_watch_over_a_websocket_tells_each_event_as_a_text() {
    let world = World::of_pods(&["a", "b"]).await;
    let address = served(&world).await;
    let path = "cluster1/api/v1/pods?watch=true";
    let (mut socket, headers) = connect(address, path, "base64.binary.k8s.io")
        .await
        .unwrap();
    assert_eq!(headers["sec-websocket-protocol"], "base64.binary.k8s.io");
    assert_eq!(event(&mut socket).await.unwrap(), "ADDED a");
    assert_eq!(event(&mut socket).await.unwrap(), "ADDED b");
    world.put("cluster1", &pod("a", "Failed", "web")).await;
    world.delete("cluster1", "shop/b").await;
    assert_eq!(event(&mut socket).await.unwrap(), "MODIFIED a");
    assert_eq!(event(&mut socket).await.unwrap(), "DELETED b");

    // What is said to it is not listened to, and it ends when the server does.
    socket.send(Message::Text("hello".into())).await.unwrap();
    world.put("cluster1", &pod("c", "Running", "web")).await;
    assert_eq!(event(&mut socket).await.unwrap(), "ADDED c");
    world.stop.send(true).unwrap();
    assert_eq!(event(&mut socket).await, None);
}

#[tokio::test]
async fn a_watch_over_a_websocket_ends_in_time_and_may_be_of_all_clusters() {
    let world = World::of_pods(&["a"]).await;
    let address = served(&world).await;
    let path = "*/api/v1/namespaces/shop/pods?watch=1&timeoutSeconds=1";
    let (mut socket, headers) = connect(address, path, "").await.unwrap();
    assert_eq!(headers.get("sec-websocket-protocol"), None);
    assert_eq!(event(&mut socket).await.unwrap(), "ADDED a");
    assert_eq!(event(&mut socket).await, None);
}

#[tokio::test]
async fn a_browsers_token_is_a_protocol() {
    let access = Access::parse(&format!("{TOKEN},ann,cluster1\n")).unwrap();
    let world = World::with(access).await;
    world.sync("cluster1", "pods.v1", "Pod").await;
    world.put("cluster1", &pod("a", "Running", "web")).await;
    let address = served(&world).await;
    let of = |token: &str| {
        let token = BASE64_URL_SAFE_NO_PAD.encode(token);
        format!("base64url.bearer.authorization.k8s.io.{token}, base64.binary.k8s.io")
    };
    let path = "cluster1/api/v1/pods?watch=true";
    let (mut socket, headers) = connect(address, path, &of(TOKEN)).await.unwrap();
    assert_eq!(headers["sec-websocket-protocol"], "base64.binary.k8s.io");
    assert_eq!(event(&mut socket).await.unwrap(), "ADDED a");
    for protocols in [&of("fedcba9876543210"), "base64.binary.k8s.io", ""] {
        let refused = connect(address, path, protocols).await;
        assert_eq!(status(refused.unwrap_err()), 401, "{protocols}");
    }
    let refused = connect(address, "other/api/v1/pods?watch=true", &of(TOKEN)).await;
    assert_eq!(status(refused.unwrap_err()), 403);
    // What is no watch is answered as ever.
    let list = connect(address, "cluster1/api/v1/pods", &of(TOKEN)).await;
    assert_eq!(status(list.unwrap_err()), 200);
    // A token is a protocol of a WebSocket alone.
    let mut headers = HeaderMap::new();
    headers.insert("sec-websocket-protocol", of(TOKEN).parse().unwrap());
    assert_eq!(socket::authorization(&headers), None);
}

#[tokio::test]
async fn a_handshake_that_is_none_is_refused() {
    let world = World::of_pods(&["a"]).await;
    let request = |version: &str, key: &str| {
        let request = Request::builder()
            .uri("/clusters/cluster1/api/v1/pods?watch=true")
            .header("connection", "keep-alive, Upgrade")
            .header("upgrade", "WebSocket")
            .header("sec-websocket-version", version)
            .header("sec-websocket-key", key);
        request.body(Body::empty()).unwrap()
    };
    // The last is on a connection that cannot become one.
    for (version, key) in [("8", "x"), ("", "x"), ("13", "dGhlIHNhbXBsZSBub25jZQ==")] {
        let answer = world.ask(request(version, key)).await;
        assert_eq!(answer.status, 400, "{version} {key}: {}", answer.text);
    }
}
