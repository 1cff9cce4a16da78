//! Who asks, as far as a search has to know.

use super::problem::{Kind, Problem};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use std::fmt;
use std::sync::Arc;

/// Which clusters whoever asks may read: put into a request's extensions by whoever checked the token. A request
/// without it is answered with 401.
#[derive(Clone)]
pub struct Reader(Option<Arc<dyn Fn(&str) -> bool + Send + Sync>>);

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
        let unknown =
            || Problem::new(Kind::Unauthorized, "Unauthorized").of(&super::instance(&parts.uri));
        reader.ok_or_else(|| unknown().into_response())
    }
}
