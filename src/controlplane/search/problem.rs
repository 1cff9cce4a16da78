//! What is answered instead of what was asked for: RFC 9457 problem details, in words that kubectl's users know.

use crate::store;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Every kind of problem: the last word of its `type`, its status and its title. The OpenAPI document lists them.
pub(super) const KINDS: [(Kind, &str, StatusCode, &str); 10] = [
    (
        Kind::Parameter,
        "invalid-parameter",
        StatusCode::BAD_REQUEST,
        "A parameter is unknown or invalid",
    ),
    (
        Kind::Field,
        "unknown-field",
        StatusCode::BAD_REQUEST,
        "No object has such a field",
    ),
    (
        Kind::Continue,
        "invalid-continue",
        StatusCode::BAD_REQUEST,
        "The continue token is not of this search",
    ),
    (
        Kind::Unauthorized,
        "unauthorized",
        StatusCode::UNAUTHORIZED,
        "Who asks is not known",
    ),
    (
        Kind::NotFound,
        "not-found",
        StatusCode::NOT_FOUND,
        "There is no such thing",
    ),
    (
        Kind::Method,
        "method-not-allowed",
        StatusCode::METHOD_NOT_ALLOWED,
        "What is here can only be read",
    ),
    (
        Kind::Expired,
        "expired",
        StatusCode::GONE,
        "That moment is not kept any more",
    ),
    (
        Kind::Slow,
        "too-slow",
        StatusCode::GATEWAY_TIMEOUT,
        "The search takes too long",
    ),
    (
        Kind::Busy,
        "unavailable",
        StatusCode::SERVICE_UNAVAILABLE,
        "The store does not answer now",
    ),
    (
        Kind::Internal,
        "internal",
        StatusCode::INTERNAL_SERVER_ERROR,
        "The store cannot be read",
    ),
];

/// What kind of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Parameter,
    Field,
    Continue,
    Unauthorized,
    NotFound,
    Method,
    Expired,
    Slow,
    Busy,
    Internal,
}

/// A problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    kind: Kind,
    pub(super) detail: String,
    /// The parameter that it is about.
    parameter: Option<&'static str>,
    /// What was asked for: path and query.
    instance: String,
}

impl Problem {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            parameter: None,
            instance: String::new(),
        }
    }

    /// A parameter is wrong.
    pub(super) fn parameter(name: &'static str, detail: impl std::fmt::Display) -> Self {
        Self {
            parameter: Some(name),
            ..Self::new(Kind::Parameter, format!("{name}: {detail}"))
        }
    }

    /// A parameter names a field that there is not.
    pub(super) fn field(name: &'static str, detail: String) -> Self {
        Self {
            parameter: Some(name),
            ..Self::new(Kind::Field, detail)
        }
    }

    /// What was asked for.
    pub(super) fn of(self, instance: &str) -> Self {
        const LONGEST: usize = 1024;
        let instance = instance.chars().take(LONGEST).collect();
        Self { instance, ..self }
    }

    /// As one line of an event stream has it.
    pub(super) fn json(&self) -> Value {
        let (_, word, status, title) = self.row();
        let mut problem = json!({
            "type": format!("urn:mqinformer:problem:{word}"),
            "title": title,
            "status": status.as_u16(),
            "detail": self.detail,
        });
        if !self.instance.is_empty() {
            problem["instance"] = self.instance.clone().into();
        }
        if let Some(parameter) = self.parameter {
            problem["parameter"] = parameter.into();
        }
        problem
    }

    pub(super) fn is_expired(&self) -> bool {
        self.kind == Kind::Expired
    }

    /// The same may be answered later.
    pub(super) fn passes(&self) -> bool {
        matches!(self.kind, Kind::Busy | Kind::Slow)
    }

    fn row(&self) -> (Kind, &'static str, StatusCode, &'static str) {
        let row = KINDS.into_iter().find(|row| row.0 == self.kind);
        row.unwrap_or(KINDS[KINDS.len() - 1])
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.row().2;
        let body = self.json().to_string();
        let mut response =
            (status, [(CONTENT_TYPE, "application/problem+json")], body).into_response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Unavailable(_) => Self::new(
                Kind::Busy,
                "the store's database does not answer; try again",
            ),
            store::Error::Expired { .. } => Self::new(
                Kind::Expired,
                "what was asked for is older than what is kept (--history): begin anew without continue, or ask for a later moment",
            ),
            store::Error::TooOld { oldest, .. } => Self::new(
                Kind::Expired,
                format!(
                    "that is longer ago than what is kept, which begins at {oldest} (--history)"
                ),
            ),
            store::Error::Future { asked, newest } => Self::new(
                Kind::Parameter,
                format!("sequence {asked} has not come yet: the newest is {newest}"),
            ),
            store::Error::Invalid(why) => Self::new(Kind::Parameter, why),
            other => {
                tracing::error!(error = %other, "a search failed");
                Self::new(
                    Kind::Internal,
                    "the store cannot be read; the log of the controlplane says why",
                )
            }
        }
    }
}

/// The one of these words that was perhaps meant: `; did you mean "kind"?`, or nothing.
pub(super) fn meant<'a>(word: &str, among: impl IntoIterator<Item = &'a str>) -> String {
    let near = among
        .into_iter()
        .map(|known| (distance(word, known), known))
        .filter(|(distance, known)| *distance <= (known.chars().count() / 3).clamp(1, 2))
        .min();
    near.map_or_else(String::new, |(_, known)| {
        format!("; did you mean {known:?}?")
    })
}

/// How many characters have to be added, left out, replaced or swapped to get from one word to the other; case
/// counts as nothing. Words of any length: those that are too long are never near.
pub(super) fn distance(one: &str, other: &str) -> usize {
    const LONGEST: usize = 64;
    let lower = |text: &str| -> Vec<char> {
        text.chars()
            .flat_map(char::to_lowercase)
            .take(LONGEST + 1)
            .collect()
    };
    let (one, other) = (lower(one), lower(other));
    if one.len() > LONGEST || other.len() > LONGEST {
        return usize::MAX;
    }
    // Rows of the matrix of prefixes: the last two, and the one that is made.
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let replaced = last[j] + usize::from(a != b);
            let mut least = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_what_is_near() {
        let known = ["kind", "cluster", "namespace", "where"];
        assert_eq!(meant("kidn", known), "; did you mean \"kind\"?");
        assert_eq!(meant("NAMESPACES", known), "; did you mean \"namespace\"?");
        assert_eq!(meant("limit", known), "");
        assert_eq!(meant(&"x".repeat(100_000), known), "");
        assert_eq!((distance("", "ab"), distance("phse", "phase")), (2, 1));
    }

    #[test]
    fn every_kind_has_a_row_of_its_own() {
        for (kind, word, status, _) in KINDS {
            let problem = Problem::new(kind, "x").json();
            assert_eq!(problem["type"], format!("urn:mqinformer:problem:{word}"));
            assert_eq!(problem["status"], status.as_u16());
        }
    }
}
