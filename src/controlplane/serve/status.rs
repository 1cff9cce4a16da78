//! What is answered instead of what was asked for: Kubernetes' own `Status`, in its own words.
//!
//! Follows `k8s.io/apimachinery/pkg/api/errors` v0.36.

use super::path::Resource;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// A failure as a `Status` says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: StatusCode,
    reason: &'static str,
    message: String,
    details: Map<String, Value>,
}

impl Refusal {
    pub(super) fn new(code: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: Map::new(),
        }
    }

    fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// Which object it is about.
    fn about(self, group: &str, plural: &str, name: &str) -> Self {
        let mut it = self;
        if !name.is_empty() {
            it = it.detail("name", name);
        }
        if !group.is_empty() {
            it = it.detail("group", group);
        }
        it.detail("kind", plural)
    }

    /// There is no object of that name.
    pub(super) fn no_object(resource: &Resource, name: &str) -> Self {
        let message = format!("{} {name:?} not found", resource.qualified());
        Self::new(StatusCode::NOT_FOUND, "NotFound", message).about(
            &resource.group,
            &resource.plural,
            name,
        )
    }

    /// There is no such resource in a version that there is.
    pub(super) fn no_resource() -> Self {
        let message = "the server could not find the requested resource";
        Self::new(StatusCode::NOT_FOUND, "NotFound", message)
    }

    /// Nobody of that name serves, or ever served.
    pub(super) fn no_cluster(name: &str) -> Self {
        let message = format!("clusters {name:?} not found: nothing of it is stored here");
        Self::new(StatusCode::NOT_FOUND, "NotFound", message).about("", "clusters", name)
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// Options of a list or of a watch that do not go together: `causes` are (field, reason, message).
    pub(super) fn invalid_options(causes: &[(&str, &str, String)]) -> Self {
        let text = |(field, reason, message): &(&str, &str, String)| match *reason {
            "FieldValueForbidden" => format!("{field}: Forbidden: {message}"),
            _ => format!("{field}: {message}"),
        };
        let all = match causes {
            [one] => text(one),
            many => format!("[{}]", many.iter().map(text).collect::<Vec<_>>().join(", ")),
        };
        let cause = |(field, reason, message): &(&str, &str, String)| {
            let message = match *reason {
                "FieldValueForbidden" => format!("Forbidden: {message}"),
                _ => message.clone(),
            };
            json!({"reason": reason, "message": message, "field": field})
        };
        let causes: Vec<_> = causes.iter().map(cause).collect();
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Invalid",
            format!("ListOptions.meta.k8s.io \"\" is invalid: {all}"),
        )
        .detail("group", "meta.k8s.io")
        .detail("kind", "ListOptions")
        .detail("causes", causes)
    }

    /// client-go gathers a streaming list by namespace and name, whatever its user keys by: of all clusters, objects of the
    /// same names would be lost on the way. Refused like this, it lists and watches.
    pub(super) fn no_streaming_list() -> Self {
        let why =
            "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
        Self::invalid_options(&[("sendInitialEvents", "FieldValueForbidden", why.to_owned())])
    }

    /// The store has nothing of that moment any more, or never had.
    pub(super) fn expired(message: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, "Expired", message)
    }

    /// A list's next page is of a moment that the store has nothing of any more.
    pub(super) fn expired_list() -> Self {
        Self::expired(
            "The provided continue parameter is too old to display a consistent list result. You must start a new list \
             without the continue parameter.",
        )
    }

    /// Nobody here has reached that version yet.
    pub(super) fn too_large(asked: u64, newest: u64) -> Self {
        let message = format!("Too large resource version: {asked}, current: {newest}");
        let cause =
            json!({"reason": "ResourceVersionTooLarge", "message": "Too large resource version"});
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "Timeout",
            format!("Timeout: {message}"),
        )
        .detail("causes", vec![cause])
        .detail("retryAfterSeconds", 1)
    }

    /// Not now; later.
    pub(super) fn not_yet(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "ServiceUnavailable",
            message,
        )
        .detail("retryAfterSeconds", 1)
    }

    /// Several clusters have an object of that name.
    pub(super) fn ambiguous(resource: &Resource, name: &str, clusters: &[&str]) -> Self {
        let message = format!(
            "{} {name:?} is in several clusters ({}): ask for it in one of them, at /clusters/<name>, or list with the field \
             selector metadata.name={name}",
            resource.qualified(),
            some(clusters)
        );
        let cause = |cluster: &&str| json!({"reason": "FieldValueDuplicate", "message": cluster, "field": "metadata.annotations"});
        Self::new(StatusCode::CONFLICT, "Conflict", message)
            .about(&resource.group, &resource.plural, name)
            .detail("causes", clusters.iter().map(cause).collect::<Vec<_>>())
    }

    /// What is served is read only.
    pub(super) fn read_only(method: &str) -> Self {
        let message = format!(
            "{method} is not served: this is a copy of the cluster to read from (get, list, watch); write to the cluster itself"
        );
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
    }

    /// What a cluster itself could do, and a copy of it cannot.
    pub(super) fn not_by_a_copy(subresource: &str) -> Self {
        let instead = match subresource {
            "log" => "; logs cross the broker by `kubectl mqinformer logs`",
            _ => "",
        };
        let message = format!(
            "{subresource:?} is not served: this is a copy of the cluster's objects, without a connection to it{instead}"
        );
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
    }

    /// The user may not see that cluster; it is not said whether there is one.
    pub(super) fn forbidden(user: &str, cluster: &str) -> Self {
        let message =
            format!("clusters {cluster:?} is forbidden: User {user:?} cannot read this cluster");
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message).about("", "clusters", cluster)
    }

    pub(super) fn not_acceptable() -> Self {
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            "NotAcceptable",
            "only the following media types are accepted: application/json",
        )
    }

    pub(super) fn unsupported_body() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: application/json",
        )
    }

    /// Something here is out of order; the log has it.
    pub(super) fn internal() -> Self {
        let message = "Internal error occurred: the store cannot be read; the log of the controlplane says why";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
    }

    /// As JSON.
    pub(super) fn json(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code.as_u16(),
        });
        if !self.details.is_empty() {
            status["details"] = self.details.clone().into();
        }
        status
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = json_response(&self.json());
        *response.status_mut() = self.code;
        let headers = response.headers_mut();
        if self.details.contains_key("retryAfterSeconds") {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.code == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert("allow", HeaderValue::from_static("GET"));
        }
        if self.code == StatusCode::UNAUTHORIZED {
            headers.insert("www-authenticate", HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// A document.
pub(super) fn json_response(value: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

/// The first few of many names.
pub(super) fn some(names: &[&str]) -> String {
    const MOST: usize = 8;
    let few = names.iter().take(MOST).copied().collect::<Vec<_>>();
    match names.len().saturating_sub(MOST) {
        0 => few.join(", "),
        more => format!("{} and {more} more", few.join(", ")),
    }
}
