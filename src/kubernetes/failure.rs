//! What can go wrong between us and an API server, sorted by what to do about it.

use super::view::Malformed;
use crate::source::{Refusal, UpstreamError};
use http::StatusCode;
use serde::Deserialize;
use std::time::Duration;

/// Why a request has no good answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// The server said no: asking again soon gives the same answer.
    #[error(transparent)]
    Refused(Refusal),
    /// No answer, or one that says "not now".
    #[error("{message}")]
    Unavailable {
        /// One line, with the server's address.
        message: String,
        /// When the server wants to be asked again.
        retry_after: Option<Duration>,
        /// The server did answer: that it cannot, now.
        answered: bool,
    },
    /// The resourceVersion or the continue token is too old (410): list again.
    #[error("too old resource version")]
    Expired,
}

impl Failure {
    /// No answer, in these words.
    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self::Unavailable {
            message: message.into(),
            retry_after: None,
            answered: false,
        }
    }

    /// What an answer other than 2xx says: mostly a Kubernetes Status, sometimes plain text.
    pub(super) fn of_answer(code: StatusCode, body: &[u8], retry_after: Option<Duration>) -> Self {
        let status = serde_json::from_slice::<Status>(body)
            .ok()
            .filter(|s| s.kind == "Status");
        let status = status.unwrap_or_else(|| Status::without_words(code));
        Self::of_status(status, code, retry_after)
    }

    /// What the object of a watch's ERROR event says.
    pub(super) fn of_error_event(object: &str) -> Self {
        match serde_json::from_str::<Status>(object) {
            Ok(status) => {
                let code =
                    StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                Self::of_status(status, code, None)
            }
            Err(_) => Self::unavailable("the watch ended with an error that is no Status"),
        }
    }

    fn not_now(status: Status, retry_after: Option<Duration>) -> Self {
        Self::Unavailable {
            message: status.message,
            retry_after,
            answered: true,
        }
    }

    fn of_status(status: Status, code: StatusCode, retry_after: Option<Duration>) -> Self {
        match code {
            StatusCode::GONE => Self::Expired,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
                Self::not_now(status, retry_after)
            }
            _ if code.is_client_error() => Self::Refused(Refusal {
                code: code.as_u16().into(),
                reason: status.reason,
                message: status.message,
            }),
            _ => Self::not_now(status, retry_after),
        }
    }
}

impl From<Malformed> for Failure {
    fn from(error: Malformed) -> Self {
        Self::unavailable(format!(
            "an answer of the API server cannot be read: {error}"
        ))
    }
}

impl From<Failure> for UpstreamError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::Refused(refusal),
            other => Self::Down(other.to_string()),
        }
    }
}

/// A `meta.k8s.io/v1` Status.
#[derive(Debug, Deserialize)]
struct Status {
    kind: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    code: u16,
}

impl Status {
    /// client-go's words for answers without a Status: a path that no API serves, a proxy's page.
    fn without_words(code: StatusCode) -> Self {
        let (reason, message) = match code {
            StatusCode::NOT_FOUND => (
                "NotFound",
                "the server could not find the requested resource",
            ),
            StatusCode::UNAUTHORIZED => (
                "Unauthorized",
                "the server has asked for the client to provide credentials",
            ),
            StatusCode::FORBIDDEN => (
                "Forbidden",
                "the server does not allow access to the requested resource",
            ),
            StatusCode::METHOD_NOT_ALLOWED => (
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
            ),
            StatusCode::NOT_ACCEPTABLE => (
                "NotAcceptable",
                "the server was unable to respond with a content type that the client supports",
            ),
            _ => ("Unknown", ""),
        };
        Self {
            kind: "Status".into(),
            reason: reason.into(),
            message: match message {
                "" => format!(
                    "an error on the server ({code}) has prevented the request from succeeding"
                ),
                message => message.into(),
            },
            code: code.as_u16(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: u16, body: &str) -> Failure {
        Failure::of_answer(StatusCode::from_u16(code).unwrap(), body.as_bytes(), None)
    }

    fn refused(code: u32, reason: &str, message: &str) -> Failure {
        let (reason, message) = (reason.into(), message.into());
        Failure::Refused(Refusal {
            code,
            reason,
            message,
        })
    }

    #[test]
    fn a_refusal_keeps_the_servers_words() {
        let body = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods is forbidden","reason":"Forbidden","details":{"kind":"pods"},"code":403}"#;
        assert_eq!(
            of(403, body),
            refused(403, "Forbidden", "pods is forbidden")
        );
    }

    #[test]
    fn plain_text_becomes_client_gos_words() {
        let words = "the server could not find the requested resource";
        assert_eq!(
            of(404, "404 page not found\n"),
            refused(404, "NotFound", words)
        );
        assert!(
            matches!(of(502, "<html>"), Failure::Unavailable { message, .. } if message.contains("502"))
        );
    }

    #[test]
    fn too_old_means_list_again() {
        let event = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version: 1 (9)","reason":"Expired","code":410}"#;
        assert_eq!(Failure::of_error_event(event), Failure::Expired);
        assert_eq!(of(410, event), Failure::Expired);
        assert!(matches!(
            Failure::of_error_event("[]"),
            Failure::Unavailable { .. }
        ));
    }

    #[test]
    fn overload_is_no_refusal() {
        let wait = Some(Duration::from_secs(3));
        let failure = Failure::of_answer(StatusCode::TOO_MANY_REQUESTS, b"", wait);
        assert!(matches!(failure, Failure::Unavailable { retry_after, .. } if retry_after == wait));
    }
}
