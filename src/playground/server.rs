//! The HTTP side of a playground.

mod discovery;
mod list;
mod log;
mod watching;

use super::kind::Kind;
use super::selector::Selector;
use super::store::status;
use super::{Shared, metrics, now};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Serves everything below `/`.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(serve).with_state(shared)
}

/// Query parameters of lists and watches.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Parameters {
    watch: Option<String>,
    label_selector: String,
    field_selector: String,
    resource_version: String,
    limit: usize,
    #[serde(rename = "continue")]
    next: String,
    include_object: String,
    allow_watch_bookmarks: Option<String>,
    timeout_seconds: Option<u64>,
}

/// What a request is about.
struct Asked {
    kind: Kind,
    namespace: String,
    selector: Selector,
    parameters: Parameters,
    /// The client takes tables, and the server makes them.
    table: bool,
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    shared.faults.pass().await;
    if shared.faults.state().unavailable {
        return refuse(
            503,
            "ServiceUnavailable",
            "the playground was told to be unavailable",
        );
    }
    if request.method() != Method::GET {
        return refuse(405, "MethodNotAllowed", "a playground is read only");
    }
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    let path: Vec<&str> = uri
        .path()
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    match path.as_slice() {
        ["readyz" | "livez" | "healthz"] => "ok".into_response(),
        ["version"] => json_answer(&json!({"gitVersion": shared.spec.version})),
        ["api"] => discovery::core(&shared, &headers),
        ["apis"] => discovery::groups(&shared, &headers),
        ["api", version] => discovery::resources(&shared, "", version),
        ["apis", group, version] => discovery::resources(&shared, group, version),
        ["api", "v1", "namespaces", namespace, "pods", pod, "log"] => {
            log::answer(&shared, namespace, pod, &uri)
        }
        ["api", version, rest @ ..] => resource(&shared, ("", version), rest, &uri, &headers),
        ["apis", group, version, rest @ ..] => {
            resource(&shared, (group, version), rest, &uri, &headers)
        }
        _ => not_served(),
    }
}

fn resource(
    shared: &Arc<Shared>,
    (group, version): (&str, &str),
    rest: &[&str],
    uri: &Uri,
    headers: &HeaderMap,
) -> Response {
    let (namespace, plural, name) = match rest {
        ["namespaces", namespace, plural] => (*namespace, *plural, None),
        ["namespaces", namespace, plural, name] => (*namespace, *plural, Some(*name)),
        [plural] => ("", *plural, None),
        [plural, name] => ("", *plural, Some(*name)),
        _ => return not_served(),
    };
    let Some(kind) = shared.store().kind(group, version, plural).cloned() else {
        return not_served();
    };
    let resource = kind.name();
    if shared.faults.state().refused.contains(&resource) {
        return forbidden(&kind, namespace);
    }
    if let Some(name) = name {
        let store = shared.store();
        let key = (namespace.to_owned(), name.to_owned());
        let found = match metrics::objects(&resource, &store, now()) {
            Some(measured) => measured.get(&key).cloned(),
            None => store.get(&resource, namespace, name),
        };
        return match found {
            Some(object) => json_answer(&object),
            None => refuse(404, "NotFound", &format!("{resource} {name:?} not found")),
        };
    }
    let asked = match asked(kind, namespace, uri, headers) {
        Ok(asked) => asked,
        Err(message) => return refuse(400, "BadRequest", &message),
    };
    match asked.parameters.watch.as_deref() {
        Some("true" | "1") if asked.kind.watchable => watching::answer(shared, asked),
        Some("true" | "1") => refuse(
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        ),
        _ => list::answer(shared, &asked),
    }
}

fn asked(kind: Kind, namespace: &str, uri: &Uri, headers: &HeaderMap) -> Result<Asked, String> {
    let query = axum::extract::Query::<Parameters>::try_from_uri(uri);
    let parameters = query.map_err(|error| error.to_string())?.0;
    let selector = Selector::parse(&parameters.label_selector, &parameters.field_selector)?;
    let accepts_tables = accept(headers).contains("as=Table");
    let table = accepts_tables && kind.tables;
    Ok(Asked {
        kind,
        namespace: namespace.into(),
        selector,
        parameters,
        table,
    })
}

fn accept(headers: &HeaderMap) -> &str {
    headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn json_answer(value: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn refuse(code: u16, reason: &str, message: &str) -> Response {
    let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = status(code.as_u16(), reason, message).to_string();
    (code, [(CONTENT_TYPE, "application/json")], body).into_response()
}

fn not_served() -> Response {
    (StatusCode::NOT_FOUND, "404 page not found\n").into_response()
}

fn forbidden(kind: &Kind, namespace: &str) -> Response {
    let scope = match namespace {
        "" => "at the cluster scope".into(),
        namespace => format!("in the namespace {namespace:?}"),
    };
    let Kind { plural, group, .. } = kind;
    let message = format!(
        "{} is forbidden: User \"nobody\" cannot list resource {plural:?} in API group {group:?} {scope}",
        kind.name()
    );
    refuse(403, "Forbidden", &message)
}
