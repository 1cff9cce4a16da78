//! The lines for stderr: kubectl's own where kubectl has one, and what only a fleet needs.
//!
//! Each is one line without its line break. Whatever comes from a cluster is made fit for a terminal here.

use super::plan::Way;
use crate::print::sanitize::word;
use mqtt_informer::informer::Obstacle;
use mqtt_informer::kubernetes::duration;
use mqtt_informer::protocol::names::ClusterName;
use std::time::Duration;

/// The beginning of kubectl's message for a type that a cluster does not have; sources word it likewise.
const NO_TYPE: &str = "the server doesn't have a resource type";

/// Why a whole copy may be old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The source's last will came.
    Offline,
    /// The API server has not answered its source for so long.
    ApiServerAway(Duration),
    /// The broker is away.
    BrokerAway,
    /// The source was not heard lately.
    Unheard,
}

/// An API server's refusal: a Kubernetes Status in short.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// `Forbidden`.
    pub reason: String,
    /// What it said.
    pub message: String,
}

impl Refusal {
    /// The object does not exist.
    pub fn not_found(resource: &str, name: &str) -> Self {
        Self {
            reason: "NotFound".to_owned(),
            message: format!("{resource} \"{name}\" not found"),
        }
    }

    /// A message of kubectl itself, not of an API server.
    pub fn local(message: impl Into<String>) -> Self {
        Self {
            reason: String::new(),
            message: message.into(),
        }
    }

    /// The type does not exist there.
    pub fn is_no_type(&self) -> bool {
        self.message.starts_with(NO_TYPE)
    }

    /// Type or object does not exist there: no error as long as it exists in another cluster.
    pub fn is_absence(&self) -> bool {
        self.is_no_type() || self.reason == "NotFound"
    }

    /// As kubectl words it (`checkErr`, `StandardErrorMessage`).
    pub fn line(&self) -> String {
        let message = word(&self.message);
        match self.reason.as_str() {
            "" => format!("error: {message}"),
            _ if self.is_no_type() => format!("error: {message}"),
            "Unauthorized" => format!("error: You must be logged in to the server ({message})"),
            reason => format!("Error from server ({}): {message}", word(reason)),
        }
    }
}

/// Several errors of one command, a line each; one alone.
pub fn refusals(refusals: &[Refusal]) -> Vec<String> {
    match refusals {
        [one] => vec![one.line()],
        // Among several, kubectl leaves out the prefix of its own.
        several => several
            .iter()
            .map(|refusal| refusal.line().trim_start_matches("error: ").to_owned())
            .collect(),
    }
}

/// Nothing was found, and nothing was wrong.
pub fn no_resources(namespace: Option<&str>) -> String {
    match namespace {
        Some(namespace) => format!("No resources found in {} namespace.", word(namespace)),
        None => "No resources found".to_owned(),
    }
}

/// A refusal in one of several clusters.
pub fn refused(cluster: &ClusterName, refusal: &Refusal) -> String {
    let line = refusal.line();
    format!(
        "error: cluster {}: {}",
        quoted(cluster),
        line.trim_start_matches("error: ")
    )
}

/// Words that are of one of several clusters.
pub fn of_cluster(cluster: &ClusterName, words: &str) -> String {
    format!("cluster {}: {words}", quoted(cluster))
}

/// Nothing was heard from a cluster.
pub fn silent(cluster: &ClusterName, timeout: Duration, known: bool) -> String {
    let hint = if known {
        "its syncer is away or busy; --timeout waits longer"
    } else {
        "nothing was ever heard of it; `kubectl mqinformer clusters` lists those that are known"
    };
    format!(
        "error: cluster {}: no answer within {}: {hint}",
        quoted(cluster),
        span(timeout)
    )
}

/// Something stands in the way of a cluster's answer.
pub fn obstructed(cluster: &ClusterName, obstacle: &Obstacle) -> String {
    format!(
        "error: cluster {}: {}",
        quoted(cluster),
        word(&obstacle.to_string())
    )
}

/// Nothing was heard from the API server of a context.
pub fn api_server_silent(cluster: &ClusterName, timeout: Duration) -> String {
    format!(
        "error: cluster {}: no answer within {}: its API server, or its credential plugin, is away or slow; \
         --timeout waits longer",
        quoted(cluster),
        span(timeout)
    )
}

/// No context is meant by what was typed.
pub fn no_context(typed: &str, known: &[&str], files: &str) -> String {
    if known.is_empty() {
        return format!("error: there are no contexts in {}", word(files));
    }
    format!(
        "error: no context matches --context {}: known are {}",
        word(typed),
        word(&few(known.iter().copied()))
    )
}

/// What kubectl says of one context that does not exist, word for word.
pub fn missing_context(context: &str) -> String {
    format!(
        "Error in configuration: context was not found for specified context: {}",
        word(context)
    )
}

/// The whole took longer than it may.
pub fn too_slow(cluster: &ClusterName, limit: Duration) -> String {
    format!(
        "error: cluster {}: not complete within {}: --request-timeout allows more",
        quoted(cluster),
        span(limit)
    )
}

/// The last will of a cluster's syncer came.
pub fn offline(cluster: &ClusterName) -> String {
    format!(
        "error: cluster {}: offline: its syncer left the broker",
        quoted(cluster)
    )
}

/// A cluster's API server is away, and there is nothing to show.
pub fn api_server_away(cluster: &ClusterName, since: Duration, message: &str) -> String {
    let why = if message.is_empty() {
        String::new()
    } else {
        format!(": {}", word(message))
    };
    format!(
        "error: cluster {}: its API server has not answered for {}{why}",
        quoted(cluster),
        human(since)
    )
}

/// Rows are shown that may be old.
pub fn stale(cluster: &ClusterName, doubt: Doubt) -> String {
    let why = match doubt {
        Doubt::Offline => "offline: its syncer left the broker".to_owned(),
        Doubt::ApiServerAway(since) => {
            format!(
                "stale: its API server has not answered for {}",
                human(since)
            )
        }
        Doubt::BrokerAway => "stale: the broker is away".to_owned(),
        Doubt::Unheard => "stale: its syncer has not been heard lately".to_owned(),
    };
    format!(
        "warning: cluster {}: {why}; rows may be old",
        quoted(cluster)
    )
}

/// No hub answers. It is in no list of clusters, so that one cannot be looked up there.
pub fn no_hub(hub: &ClusterName, timeout: Duration) -> String {
    format!(
        "error: no hub called \"{hub}\" answered within {}: start one with mqtt-informer hub, name another one with --hub, or wait longer with --timeout",
        human(timeout)
    )
}

/// A cluster that was stale or away is fresh.
pub fn fresh_again(cluster: &ClusterName) -> String {
    format!("cluster {}: fresh again", quoted(cluster))
}

/// A value that is not what its stream's view says.
pub fn malformed(cluster: &ClusterName) -> String {
    format!(
        "error: cluster {}: sent something that is no answer to this request",
        quoted(cluster)
    )
}

/// No cluster is meant by what was typed.
pub fn no_cluster(typed: &str, known: &[&ClusterName]) -> String {
    if known.is_empty() {
        return "error: no cluster is known at this broker: start a syncer in each cluster, or name one with --cluster".to_owned();
    }
    format!(
        "error: no cluster matches {}: known are {}",
        word(typed),
        word(&few(known.iter().map(|name| name.as_str())))
    )
}

/// Said of Secrets that were printed without their values, which look as if they were empty.
pub fn redacted(way: Way) -> String {
    let who = match way {
        Way::Broker => " (a syncer that was started with --show-secrets sends them)",
        Way::Direct => " (kubectl shows them)",
    };
    format!(
        "note: values of Secrets are left out here: they are printed as empty, and are not{who}"
    )
}

/// The first ten of some names.
fn few<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = if names.len() > 10 { ", ..." } else { "" };
    names.take(10).collect::<Vec<_>>().join(", ") + more
}

/// The broker cannot be reached.
pub fn broker(failure: &str) -> String {
    format!("error: {}", word(failure))
}

/// The broker neither answers nor refuses.
pub fn broker_silent(timeout: Duration) -> String {
    format!(
        "error: the broker does not answer within {}: check --broker; --timeout waits longer",
        span(timeout)
    )
}

/// The broker went away during a watch.
pub fn broker_away(failure: &str) -> String {
    format!("warning: {}; trying again", word(failure))
}

/// It is back.
pub fn broker_back() -> String {
    "connected to the broker again".to_owned()
}

fn quoted(cluster: &ClusterName) -> String {
    format!("\"{}\"", word(cluster.as_str()))
}

/// `5s`, `500ms`.
fn span(duration: Duration) -> String {
    match duration.as_millis() {
        ms if ms % 1000 == 0 => format!("{}s", ms / 1000),
        ms => format!("{ms}ms"),
    }
}

fn human(duration: Duration) -> String {
    duration::human(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_kubectl_words_them() {
        let refusal = |reason: &str, message: &str| Refusal {
            reason: reason.to_owned(),
            message: message.to_owned(),
        };
        for (refusal, want) in [
            (
                Refusal::not_found("pods", "x"),
                "Error from server (NotFound): pods \"x\" not found",
            ),
            (
                refusal("Forbidden", "no\x1b"),
                "Error from server (Forbidden): no^[",
            ),
            (
                refusal("NotFound", "the server doesn't have a resource type \"a\""),
                "error: the server doesn't have a resource type \"a\"",
            ),
            (
                refusal("Unauthorized", "who?"),
                "error: You must be logged in to the server (who?)",
            ),
            (Refusal::local("oh"), "error: oh"),
        ] {
            assert_eq!(refusal.line(), want);
        }
        assert_eq!(
            refusals(&[Refusal::local("a"), Refusal::not_found("pods", "x")]),
            ["a", "Error from server (NotFound): pods \"x\" not found"]
        );
    }

    #[test]
    fn every_line_is_one_line() {
        let cluster = ClusterName::new("east").unwrap();
        let lines = [
            silent(&cluster, Duration::from_millis(1500), false),
            api_server_away(&cluster, Duration::from_secs(7), "refused\nnow\x07"),
            stale(&cluster, Doubt::Unheard),
            broker("bad\nnews"),
            no_cluster("a\n*", &[&cluster]),
            no_context("a\n*", &["b\n"], "/f"),
            no_context("*", &[], "/f\n"),
            missing_context("a\n"),
            api_server_silent(&cluster, Duration::from_secs(5)),
        ];
        for line in lines {
            assert!(!line.contains(['\n', '\x07']), "{line:?}");
        }
    }
}
