//! What a source says of itself: to probes, to metrics, and to viewers through the view `source`.

use crate::protocol::message::StreamId;
use crate::replica::{Counters, Report, Role};
use bytes::Bytes;
use std::time::Duration;
use tokio::time::Instant;

/// How a source is doing.
#[derive(Clone, Debug)]
pub struct Health {
    /// Whether it writes for its cluster.
    pub role: Role,
    /// Connected to the broker.
    pub link_up: bool,
    /// Why not, when it is not.
    pub link_failure: Option<String>,
    /// When the API server was last heard; none if it never was.
    pub upstream_heard: Option<Instant>,
    /// What the API server's last failure was, while it is away.
    pub upstream_failure: Option<String>,
    /// The streams served.
    pub streams: Vec<StreamReport>,
    /// How many logs are read for somebody.
    pub logs: usize,
    /// Counters since the start.
    pub counters: Counters,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            role: Role::Starting,
            link_up: false,
            link_failure: None,
            upstream_heard: None,
            upstream_failure: None,
            streams: Vec::new(),
            logs: 0,
            counters: Counters::default(),
        }
    }
}

impl Health {
    /// For how long the API server was not heard.
    #[must_use]
    pub fn upstream_age(&self) -> Option<Duration> {
        self.upstream_heard.map(|heard| heard.elapsed())
    }

    /// Whether it serves, or could, and in the words of `/readyz`: what it does, or what is missing.
    #[must_use]
    pub fn ready(&self, stale_after: Duration) -> (bool, String) {
        // What the broker refuses is a failure of a link that is up.
        if let Some(failure) = &self.link_failure {
            return (false, failure.clone());
        }
        if !self.link_up {
            return (false, "connecting to the broker".into());
        }
        match self.upstream_age() {
            None => {
                return (
                    false,
                    self.upstream_failure
                        .clone()
                        .unwrap_or_else(|| "asking the API server".into()),
                );
            }
            Some(age) if age > stale_after => {
                let why = self.upstream_failure.as_deref().unwrap_or("no answer");
                return (
                    false,
                    format!(
                        "the API server was last heard {} s ago: {why}",
                        age.as_secs()
                    ),
                );
            }
            Some(_) => {}
        }
        match self.role {
            Role::Starting => (false, "asking who serves under this name".into()),
            Role::Writing => (true, "serving".into()),
            Role::StandingBy { foreign: true, .. } => (
                false,
                "another cluster serves under this name: choose another --cluster".into(),
            ),
            Role::StandingBy { .. } => (true, "standby".into()),
        }
    }
}

/// One stream that is served.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamReport {
    /// Which; the same for equal selections, whoever serves them.
    #[serde(skip)]
    pub id: StreamId,
    /// What it was resolved to: `pods.v1`.
    pub resource: String,
    /// Entries held.
    pub entries: usize,
    /// Their bytes as held.
    pub bytes: usize,
    /// Sessions with a lease.
    pub sessions: usize,
}

impl From<Report> for StreamReport {
    fn from(report: Report) -> Self {
        let Report {
            stream,
            resource,
            entries,
            bytes,
            sessions,
            ..
        } = report;
        Self {
            id: stream,
            resource: resource.to_string(),
            entries,
            bytes,
            sessions,
        }
    }
}

/// The one entry of the view `source`, under the key `source`.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    version: &'a str,
    kubernetes_version: &'a str,
    /// The API server does not answer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    upstream_down: bool,
    streams: &'a [StreamReport],
}

/// The key of the entry.
pub(super) const KEY: Bytes = Bytes::from_static(b"source");

/// The entry, as JSON. It says what changes seldom: a figure that moved with each flush would be a flush of its own.
pub(super) fn entry(
    version: &str,
    (kubernetes_version, upstream_down): (&str, bool),
    streams: &[StreamReport],
) -> Bytes {
    let entry = Entry {
        version,
        kubernetes_version,
        upstream_down,
        streams,
    };
    // Strings and numbers always have a JSON form.
    serde_json::to_vec(&entry)
        .map(Bytes::from)
        .unwrap_or_default()
}
