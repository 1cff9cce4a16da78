//! The fleet as Kubernetes API servers, read only: what is in the store, for kubectl, k9s, client-go and whoever speaks
//! to an API server.
//!
//! `/clusters/<name>` is one cluster as an API server, `/clusters/*` all of them as one (kcp's convention). Discovery, get,
//! list, watch; JSON, tables and metadata alone; selectors, pages, bookmarks, streaming lists. Writes are answered with 405.
//!
//! # Versions
//! `metadata.resourceVersion` of all that is served is the **store's own sequence**: clients resume watches from the
//! version of the last object that they saw, whichever cluster it is of. What the cluster itself calls it is the
//! annotation `mqinformer.io/resource-version` (in tables it is not there: rows do not have it).
//!
//! # All clusters as one
//! Objects keep their names; the annotation `mqinformer.io/cluster` says whose they are, tables have a first column
//! CLUSTER. Two clusters may have objects of the same namespace and name, and then:
//! * lists and watches have both: a client that keys by namespace and name alone, as client-go's informers do, has one of
//!   them; key by the annotation as well (a `Reflector` with a `Store` of one's own; kcp's clients do that with theirs),
//!   or ask one cluster. Streaming lists are refused as by a server without them, because client-go gathers those by
//!   namespace and name;
//! * a `get` by name is answered with 409 that names the clusters.
//!
//! A user sees of `*` the clusters that he may read.
//!
//! # Whole and fresh
//! Before a resource's first sync its lists are answered with 503 and `Retry-After`. A cluster that is not heard any more
//! is served as it was, with a `Warning` header that says since when; of all clusters together, those that are missing
//! or stale are named.
//!
//! **Architecture invariants:** reads the store, writes nothing, talks to no broker. An answer takes the memory of one
//! page, a watch that of one chunk, however slowly its client reads.

mod accept;
mod access;
mod asking;
mod by_field;
mod discovery;
mod encode;
mod fields;
mod freshness;
mod kinds;
mod listen;
mod listing;
mod local;
mod metadata;
mod options;
mod path;
mod patient;
mod query;
mod recent;
mod review;
mod review_wire;
mod socket;
mod status;
mod table;
mod watching;

pub use access::{Access, User};
pub use options::{ServeArgs, Server};

use crate::store::Store;
use asking::{Asking, Scope, refused};
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use path::{ALL, Asked, Objects};
use serde_json::json;
use status::{Refusal, json_response};
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// The largest body of a request: a review.
const MAX_BODY: usize = 64 * 1024;

/// What all requests are answered from.
#[derive(Debug)]
struct Shared {
    store: Store,
    snapshot: kinds::Snapshot,
    recents: recent::Recents,
    access: Access,
    stopped: watch::Receiver<bool>,
    /// Places for WebSockets.
    sockets: Arc<Semaphore>,
}

/// The routes below `/clusters/`. Watches end when `stopped` changes.
pub fn router(store: Store, access: Access, stopped: watch::Receiver<bool>) -> Router {
    let shared = Arc::new(Shared {
        snapshot: kinds::Snapshot::new(store.clone()),
        recents: recent::Recents::new(store.clone()),
        store,
        access,
        stopped,
        sockets: Arc::new(Semaphore::new(socket::SOCKETS)),
    });
    Router::new()
        .route("/clusters/{*path}", any(serve))
        .with_state(shared)
}

/// Now, in ms since 1970: ages are as of it.
fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    match answer(shared, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

async fn answer(shared: Arc<Shared>, request: Request) -> Result<Response, Refusal> {
    let by_protocol = socket::authorization(request.headers());
    let authorization = text(request.headers(), &AUTHORIZATION).or(by_protocol.as_deref());
    let user = shared.access.user(authorization);
    let user = user.ok_or_else(Refusal::unauthorized)?;
    let kinds = shared.snapshot.kinds().await.map_err(refused)?;
    let readings = path::readings(request.uri().path());
    let known = |name: &str| name == ALL || kinds.cluster(name).is_some();
    let known = readings.iter().position(|(name, _)| known(name));
    let reading = readings.into_iter().nth(known.unwrap_or_default());
    let Some((name, asked)) = reading else {
        return Ok(nothing());
    };
    // Before it is said whether there is one.
    if name != ALL && !user.may_read(&name) {
        return Err(Refusal::forbidden(&user.name, &name));
    }
    let cluster = match name.as_str() {
        ALL => None,
        name => Some(
            kinds
                .cluster(name)
                .ok_or_else(|| Refusal::no_cluster(name))?,
        ),
    };
    let scope = Scope {
        cluster: cluster.cloned(),
        user,
    };
    match asked {
        Asked::Objects(objects) => of_objects(shared, &kinds, scope, objects, request).await,
        _ if request.method() != Method::GET => Err(Refusal::read_only(request.method().as_str())),
        asked => documents(&kinds, &scope, asked, request.headers()),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// As the API server answers to paths that are none.
fn nothing() -> Response {
    (StatusCode::NOT_FOUND, "404 page not found\n").into_response()
}

fn documents(
    kinds: &kinds::Kinds,
    scope: &Scope,
    asked: Asked,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let shown = || kinds.shown(|cluster| scope.has(cluster));
    let wanted = || {
        let accept = text(headers, &ACCEPT).unwrap_or_default();
        accept::documents(accept).ok_or_else(Refusal::not_acceptable)
    };
    let found = match asked {
        Asked::Paths => Some(
            json!({"paths": ["/api", "/api/v1", "/apis", "/healthz", "/livez", "/readyz", "/version"]}),
        ),
        Asked::Version => Some(version()),
        Asked::Health => return Ok("ok".into_response()),
        Asked::CoreVersions => return Ok(discovery::core_versions(&shown(), wanted()?)),
        Asked::Groups => return Ok(discovery::all_groups(&shown(), wanted()?)),
        Asked::Group(group) => discovery::group(&shown(), &group),
        Asked::Resources { group, version } => discovery::resources(&shown(), &group, &version),
        Asked::Objects(_) | Asked::Nothing => None,
    };
    Ok(found.map_or_else(nothing, |document| json_response(&document)))
}

/// The version of Kubernetes' API that is spoken here, and of this program; a cluster's own does not matter to clients
/// that only read.
fn version() -> serde_json::Value {
    json!({
        "major": "1",
        "minor": "36",
        "gitVersion": concat!("v1.36.0+mqtt-informer.", env!("CARGO_PKG_VERSION")),
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "",
        "goVersion": "",
        "compiler": "",
        "platform": "",
    })
}

async fn of_objects(
    shared: Arc<Shared>,
    kinds: &kinds::Kinds,
    scope: Scope,
    objects: Objects,
    mut request: Request,
) -> Result<Response, Refusal> {
    let method = request.method().clone();
    if let Some(review) = review::of(&objects).filter(|_| method == Method::POST) {
        return reviewed(review, kinds, &scope, request).await;
    }
    match objects.subresource.as_deref() {
        None => {}
        Some("status") if method == Method::GET => {}
        Some(subresource) => return Err(Refusal::not_by_a_copy(subresource)),
    }
    if method != Method::GET {
        return Err(Refusal::read_only(method.as_str()));
    }
    let uri: Uri = request.uri().clone();
    let accept = text(request.headers(), &ACCEPT).unwrap_or_default();
    let asked = (uri.query().unwrap_or_default(), accept);
    let asking = Asking::new(kinds, scope, objects, asked)?;
    let warnings = asking.warnings(kinds, now())?;
    let filter = asking.filter(kinds);
    let handshake = match asking.options.watch {
        true => socket::Handshake::of(&mut request)?,
        false => None,
    };
    let watched = asking.options.watch;
    let answering = (shared, asking);
    let answered = match (watched, handshake) {
        (true, Some(handshake)) => socket::watch(answering, handshake).await,
        (true, None) => watching::watch(answering).await,
        (false, _) if answering.1.name.is_some() => listing::get(answering, filter).await,
        (false, _) => listing::list(answering, filter).await,
    };
    // What is not found may be there by now: that is worth a warning, too.
    let mut response = answered.unwrap_or_else(IntoResponse::into_response);
    for warning in warnings {
        if let Ok(value) = HeaderValue::from_str(&freshness::header(&warning)) {
            response.headers_mut().append("warning", value);
        }
    }
    Ok(response)
}

async fn reviewed(
    review: review::Review,
    kinds: &kinds::Kinds,
    scope: &Scope,
    request: Request,
) -> Result<Response, Refusal> {
    let media = text(request.headers(), &CONTENT_TYPE).unwrap_or("application/json");
    let wired = media.starts_with(review_wire::MEDIA);
    if !wired && !media.starts_with("application/json") {
        return Err(Refusal::unsupported_body());
    }
    let body = to_bytes(request.into_body(), MAX_BODY).await;
    let mut body = body.map_err(|_| Refusal::bad_request("the body is larger than any review"))?;
    if wired {
        let read = review_wire::json(&body, review == review::Review::Access);
        let read = read.ok_or_else(|| Refusal::bad_request("the body is no review"))?;
        body = read.to_string().into();
    }
    let shown = kinds.shown(|cluster| scope.has(cluster));
    let answer = review.answer(&body, &scope.user.name, &shown)?;
    Ok((StatusCode::CREATED, json_response(&answer)).into_response())
}

#[cfg(test)]
mod tests;
