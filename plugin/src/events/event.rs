//! What of an event's JSON is printed.

use bytes::Bytes;
use jiff::Timestamp;
use mqtt_informer::kubernetes::duration;
use mqtt_informer::protocol::names::ClusterName;
use serde::{Deserialize, Deserializer};

/// An event of a cluster.
#[derive(Clone, Debug)]
pub struct Event {
    /// Where it happened.
    pub cluster: ClusterName,
    /// The API server's clock, ms since 1970.
    pub now_ms: i64,
    /// As the API server has it.
    pub json: Bytes,
    pub(super) said: Said,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Said {
    pub(super) metadata: Metadata,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) involved_object: Involved,
    count: i64,
    #[serde(deserialize_with = "time")]
    first_timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "time")]
    last_timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "time")]
    event_time: Option<Timestamp>,
    series: Option<Series>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) namespace: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Involved {
    pub(super) kind: String,
    pub(super) name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Series {
    count: i64,
    #[serde(deserialize_with = "time")]
    last_observed_time: Option<Timestamp>,
}

/// A time, or none: also for a null, and for what is no time.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

impl Event {
    /// Reads an event; none if it is none.
    pub fn read(cluster: &ClusterName, now_ms: i64, json: &Bytes) -> Option<Self> {
        Some(Self {
            cluster: cluster.clone(),
            now_ms,
            json: json.clone(),
            said: serde_json::from_slice(json).ok()?,
        })
    }

    /// Whether it is of one of these types; any, if there are none.
    pub fn is_of(&self, types: &[String]) -> bool {
        types.is_empty()
            || types
                .iter()
                .any(|it| it.eq_ignore_ascii_case(&self.said.kind))
    }

    /// The time that events are sorted by.
    pub fn time(&self) -> Option<Timestamp> {
        let said = &self.said;
        match &said.series {
            Some(series) => series.last_observed_time,
            None => said.last_timestamp.or(said.event_time),
        }
    }

    /// What kubectl prints as LAST SEEN.
    pub(super) fn last_seen(&self) -> String {
        let said = &self.said;
        let first = self.since(said.event_time.or(said.first_timestamp));
        match &said.series {
            Some(series) => format!(
                "{} (x{} over {first})",
                self.since(series.last_observed_time),
                series.count
            ),
            None if said.count > 1 => format!(
                "{} (x{} over {first})",
                self.since(said.last_timestamp),
                said.count
            ),
            None => first,
        }
    }

    fn since(&self, time: Option<Timestamp>) -> String {
        match time {
            Some(time) => duration::human(self.now_ms.saturating_sub(time.as_millisecond())),
            None => "<unknown>".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(json: serde_json::Value) -> Event {
        let now: Timestamp = "2026-11-25T10:00:00Z".parse().unwrap();
        let cluster = ClusterName::new("east").unwrap();
        let json = Bytes::from(json.to_string());
        Event::read(&cluster, now.as_millisecond(), &json).unwrap()
    }

    #[test]
    fn when_it_was_last_seen() {
        for (json, want) in [
            (
                json!({"firstTimestamp": "2026-11-25T09:59:00Z", "count": 1}),
                "60s",
            ),
            (
                json!({"firstTimestamp": "2026-11-25T09:00:00Z", "lastTimestamp": "2026-11-25T09:58:00Z", "count": 7}),
                "2m (x7 over 60m)",
            ),
            (
                json!({"eventTime": "2026-11-25T09:00:00.000000Z", "series": {"count": 3, "lastObservedTime": "2026-11-25T09:59:30.5Z"}}),
                "29s (x3 over 60m)",
            ),
            (
                json!({"firstTimestamp": null, "eventTime": null}),
                "<unknown>",
            ),
            (
                json!({"firstTimestamp": "x", "count": 2}),
                "<unknown> (x2 over <unknown>)",
            ),
        ] {
            assert_eq!(read(json.clone()).last_seen(), want, "{json}");
        }
    }

    #[test]
    fn types_are_told_apart() {
        let warning = read(json!({"type": "Warning"}));
        assert!(warning.is_of(&[]) && warning.is_of(&["warning".into()]));
        assert!(!warning.is_of(&["Normal".into()]));
        let cluster = ClusterName::new("east").unwrap();
        assert!(Event::read(&cluster, 0, &Bytes::from_static(b"[1]")).is_none());
    }
}
