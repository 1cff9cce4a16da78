//! Who asks, as far as a search has to know.

use super::problem::{Kind, Problem};
use super::{Options, instance, router};
use crate::controlplane::serve::Access;
use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use std::fmt;
use std::sync::Arc;

/// Which clusters whoever asks may read: put into a request's extensions by whoever checked the token. A request
/// without it is answered with 401.
#[derive(Clone)]
pub struct Reader(Option<Arc<MayRead>>);

/// Whether a cluster may be read.
type MayRead = dyn Fn(&str) -> bool + Send + Sync;

impl Reader {
    /// One who may read all clusters, those that come later included.
    #[must_use]
    pub fn of_everything() -> Self {
        Self(None)
    }

    /// One who may read the clusters of which this says so.
    #[must_use]
    pub fn of(clusters: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(clusters)))
    }

    pub(super) fn may_read(&self, cluster: &str) -> bool {
        self.0.as_ref().is_none_or(|may| may(cluster))
    }

    pub(super) fn may_read_all(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.may_read_all() {
            "Reader(everything)"
        } else {
            "Reader(some)"
        })
    }
}

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let reader = parts.extensions.get::<Self>().cloned();
        let unknown = || Problem::new(Kind::Unauthorized, "Unauthorized").of(&instance(&parts.uri));
        reader.ok_or_else(|| unknown().into_response())
    }
}

/// The routes for those who have a token, each for the clusters that they may read.
pub fn guarded(options: Options, access: Access) -> Router {
    router(options).layer(from_fn_with_state(access, guard))
}

async fn guard(State(access): State<Access>, mut request: Request, next: Next) -> Response {
    let header = request.headers().get(AUTHORIZATION);
    let user = access.user(header.and_then(|value| value.to_str().ok()));
    if let Some(user) = user {
        let reader = Reader::of(move |cluster| user.may_read(cluster));
        request.extensions_mut().insert(reader);
    }
    next.run(request).await
}
