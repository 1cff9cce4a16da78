//! Writes single objects: server-side apply, create, merge, delete.
//!
//! Only roles that keep something in an API server come here (the controlplane's mirror, the hub, an agent's executor); a
//! syncer never does.

use super::catalog::Resource;
use super::client::{Client, JSON};
use super::failure::Failure;
use super::server::Kubernetes;
use crate::source::Refusal;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request};
use kube::client::Body;
use std::time::Duration;
use url::form_urlencoded::{Serializer, byte_serialize};

const APPLY: &str = "application/apply-patch+yaml";
const MERGE: &str = "application/merge-patch+json";
const IMPERSONATE: &str = "impersonate-user";

/// Where one object is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// `apps`, or empty for the core group.
    pub group: String,
    /// `v1`.
    pub version: String,
    /// `deployments`.
    pub plural: String,
    /// Empty for what lives in no namespace.
    pub namespace: String,
    /// The object's name; empty for the collection that an object is created in.
    pub name: String,
}

/// Why an object was not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The server said no: asking again soon gives the same answer.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The server answered that it cannot, now.
    #[error("{message}")]
    NotNow {
        /// The server's words.
        message: String,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// There was no answer.
    #[error("{0}")]
    Away(String),
}

/// How an object is applied.
#[derive(Clone, Copy, Debug)]
pub struct Manner<'a> {
    /// The field manager: what it applied before and does not apply again is removed.
    pub manager: &'a str,
    /// `status`, or empty for the object itself.
    pub subresource: &'a str,
    /// Whether it wins over other managers; if not, their fields are a 409.
    pub force: bool,
}

impl Kubernetes {
    /// The same server, written to as that user; reading stays ours. Needs the right to impersonate it.
    #[must_use]
    pub fn acting_as(&self, user: &str) -> Self {
        let mut acting = self.clone();
        acting.user = Some(user.to_owned());
        acting
    }

    /// Makes the fields of an object what `object` (its JSON) says; answers the whole object.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn apply(
        &self,
        place: &Place,
        manner: Manner<'_>,
        object: Vec<u8>,
    ) -> Result<Bytes, WriteError> {
        let query = Serializer::new(String::new())
            .append_pair("fieldManager", manner.manager)
            .append_pair("force", if manner.force { "true" } else { "false" })
            .finish();
        let url = format!("{}?{query}", place.url(manner.subresource));
        self.written(Method::PATCH, &url, APPLY, object).await
    }

    /// Changes the fields that a JSON merge patch names; null removes one.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn merge(&self, place: &Place, patch: Vec<u8>) -> Result<Bytes, WriteError> {
        self.written(Method::PATCH, &place.url(""), MERGE, patch)
            .await
    }

    /// Creates an object, whose name stands in `object`.
    ///
    /// # Errors
    /// See [`WriteError`]; 409 when there is one of that name.
    pub async fn create(&self, collection: &Place, object: Vec<u8>) -> Result<Bytes, WriteError> {
        self.written(Method::POST, &collection.url(""), JSON, object)
            .await
    }

    /// Creates an object, whose name stands in `object`, as the work of that field manager.
    ///
    /// # Errors
    /// As [`Kubernetes::create`].
    pub async fn create_as(
        &self,
        collection: &Place,
        manager: &str,
        object: Vec<u8>,
    ) -> Result<Bytes, WriteError> {
        let query = Serializer::new(String::new())
            .append_pair("fieldManager", manager)
            .finish();
        let url = format!("{}?{query}", collection.url(""));
        self.written(Method::POST, &url, JSON, object).await
    }

    /// Deletes the object that has that uid; one that is gone already is no error.
    ///
    /// # Errors
    /// See [`WriteError`]; 409 when another one has taken the name.
    pub async fn delete(&self, place: &Place, uid: &str) -> Result<(), WriteError> {
        let options = serde_json::json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {"uid": uid},
        });
        let body = options.to_string().into_bytes();
        match self
            .written(Method::DELETE, &place.url(""), JSON, body)
            .await
        {
            Err(WriteError::Refused(refusal)) if refusal.code == 404 => Ok(()),
            other => other.map(drop),
        }
    }

    /// Reads one object.
    ///
    /// # Errors
    /// See [`WriteError`]; 404 when there is none.
    pub async fn object(&self, place: &Place) -> Result<Bytes, WriteError> {
        Ok(self.client().get(&place.url(""), JSON).await?)
    }

    /// Reads the objects of a collection that have such labels: a list, as the server has it now.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn objects(&self, collection: &Place, labels: &str) -> Result<Bytes, WriteError> {
        let query = Serializer::new(String::new())
            .append_pair("labelSelector", labels)
            .finish();
        let url = format!("{}?{query}", collection.url(""));
        Ok(self.client().get(&url, JSON).await?)
    }

    async fn written(
        &self,
        method: Method,
        url: &str,
        content: &str,
        body: Vec<u8>,
    ) -> Result<Bytes, WriteError> {
        let user = self.user.as_deref();
        Ok(self
            .client()
            .write((method, url), content, body, user)
            .await?)
    }
}

impl Client {
    async fn write(
        &self,
        (method, url): (Method, &str),
        content: &str,
        body: Vec<u8>,
        user: Option<&str>,
    ) -> Result<Bytes, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(url)
            .header(ACCEPT, JSON)
            .header(CONTENT_TYPE, content);
        if let Some(user) = user {
            request = request.header(IMPERSONATE, user);
        }
        let request = request.body(Body::from(body)).map_err(|error| {
            Failure::unavailable(format!("no request can be made of it: {error}"))
        })?;
        self.exchange(request).await
    }
}

impl Place {
    /// The path of the object, or of one of its subresources.
    fn url(&self, subresource: &str) -> String {
        // Not as in a form: there a space is a plus sign, here it would be one.
        let segment = |text: &str| {
            byte_serialize(text.as_bytes())
                .collect::<String>()
                .replace('+', "%20")
        };
        let mut url = Resource::root(&segment(&self.group), &segment(&self.version));
        if !self.namespace.is_empty() {
            url = format!("{url}/namespaces/{}", segment(&self.namespace));
        }
        for part in [self.plural.as_str(), &self.name, subresource] {
            if !part.is_empty() {
                url = format!("{url}/{}", segment(part));
            }
        }
        url
    }
}

impl From<Failure> for WriteError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::Refused(refusal),
            Failure::Unavailable {
                message,
                retry_after,
                answered: true,
            } => Self::NotNow {
                message,
                retry_after,
            },
            Failure::Unavailable { message, .. } => Self::Away(message),
            Failure::Expired => Self::NotNow {
                message: failure.to_string(),
                retry_after: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_path_and_no_text_leaves_its_segment() {
        let place = |group: &str, namespace: &str, name: &str| Place {
            group: group.into(),
            version: "v1".into(),
            plural: "things".into(),
            namespace: namespace.into(),
            name: name.into(),
        };
        for (place, url) in [
            (place("", "a", "b"), "/api/v1/namespaces/a/things/b"),
            (place("apps", "", "b.c"), "/apis/apps/v1/things/b.c"),
            (place("", "a", ""), "/api/v1/namespaces/a/things"),
            (
                place("", "", "system:x/../y z?q#+"),
                "/api/v1/things/system%3Ax%2F..%2Fy%20z%3Fq%23%2B",
            ),
        ] {
            assert_eq!(place.url(""), url);
            assert_eq!(place.url("status"), format!("{url}/status"));
        }
    }
}
