//! Watches over WebSocket: each event a text message. Headlamp watches like this, as do programs in browsers.
//!
//! Follows `HandleWS` of `k8s.io/apiserver/pkg/endpoints/handlers/watch.go`; what the client says is not listened to. A
//! browser cannot set headers, so a token may come as a protocol
//! (`k8s.io/apiserver/pkg/authentication/request/websocket`).

use super::asking::Answering;
use super::status::Refusal;
use super::{text, watching};
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures::{SinkExt, Stream, StreamExt};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// So many at once.
pub(super) const SOCKETS: usize = 1024;
/// The largest message of a client, which has nothing to say.
const HEARD: usize = 4096;
/// A client has so long to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);
/// The protocol that is a token.
const BEARER: &str = "base64url.bearer.authorization.k8s.io.";

/// A connection that is to become a WebSocket.
pub(super) struct Handshake {
    upgrade: OnUpgrade,
    accept: String,
    protocol: Option<HeaderValue>,
}

impl Handshake {
    /// Takes it out of a request; None if that wants none.
    pub(super) fn of(request: &mut Request) -> Result<Option<Self>, Refusal> {
        let headers = request.headers();
        if !is_wanted(headers) || request.method() != Method::GET {
            return Ok(None);
        }
        let key = headers.get(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes);
        let (Some(key), Some("13")) = (key, text(headers, &SEC_WEBSOCKET_VERSION)) else {
            return Err(Refusal::bad_request(
                "the handshake is none of a WebSocket of version 13",
            ));
        };
        let accept = derive_accept_key(key);
        let protocol = protocols(headers).find(|it| !it.starts_with(BEARER));
        let protocol = protocol.and_then(|it| HeaderValue::from_str(it).ok());
        let upgrade = request.extensions_mut().remove::<OnUpgrade>();
        let upgrade = upgrade
            .ok_or_else(|| Refusal::bad_request("this connection cannot become a WebSocket"))?;
        Ok(Some(Self {
            upgrade,
            accept,
            protocol,
        }))
    }
}

fn is_wanted(headers: &HeaderMap) -> bool {
    let connection = text(headers, &CONNECTION).unwrap_or_default();
    let mut connection = connection.split(',').map(str::trim);
    text(headers, &UPGRADE).is_some_and(|it| it.eq_ignore_ascii_case("websocket"))
        && connection.any(|it| it.eq_ignore_ascii_case("upgrade"))
}

fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let all = headers.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter();
    all.filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','))
        .map(str::trim)
}

/// The `Authorization` header that a request for a WebSocket has by way of its protocols.
pub(super) fn authorization(headers: &HeaderMap) -> Option<String> {
    if !is_wanted(headers) {
        return None;
    }
    let token = protocols(headers).find_map(|it| it.strip_prefix(BEARER))?;
    let token = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
    Some(format!("Bearer {}", String::from_utf8(token).ok()?))
}

/// Answers with a watch.
pub(super) async fn watch(answering: Answering, handshake: Handshake) -> Result<Response, Refusal> {
    let place = answering.0.sockets.clone().try_acquire_owned();
    let place = place.map_err(|_| Refusal::not_yet("there are too many WebSockets already"))?;
    let lines = watching::lines(answering).await?;
    let Handshake {
        upgrade,
        accept,
        protocol,
    } = handshake;
    tokio::spawn(async move {
        if let Ok(upgraded) = upgrade.await {
            talk(TokioIo::new(upgraded), lines).await;
        }
        drop(place);
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = accept.parse() {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    if let Some(protocol) = protocol {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    Ok(response)
}

/// Tells all lines, and ends when either side does.
async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    lines: impl Stream<Item = Result<Bytes, Infallible>>,
) {
    let config = WebSocketConfig::default()
        .max_message_size(Some(HEARD))
        .max_frame_size(Some(HEARD));
    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    let (mut told, mut heard) = socket.split();
    let mut lines = pin!(lines);
    loop {
        tokio::select! {
            message = heard.next() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
            chunk = lines.next() => {
                let Some(Ok(chunk)) = chunk else { break };
                for message in messages(&chunk) {
                    if told.feed(message).await.is_err() {
                        return;
                    }
                }
                if told.flush().await.is_err() {
                    return;
                }
            }
        }
    }
    // Whoever has gone already needs no goodbye.
    let _ = timeout(GOODBYE, told.close()).await;
}

/// Each line by itself, its end included, as the API server tells them.
fn messages(chunk: &Bytes) -> impl Iterator<Item = Message> {
    let lines = chunk.split_inclusive(|byte| *byte == b'\n');
    // What is no text is no JSON.
    lines.filter_map(|line| {
        let text = Utf8Bytes::try_from(chunk.slice_ref(line)).ok()?;
        Some(Message::Text(text))
    })
}
