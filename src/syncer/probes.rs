//! What a syncer says of itself at `/readyz` and `/metrics`.

use crate::replica::Role;
use crate::source::{Health, StreamReport};
use std::fmt::Write;
use std::time::Duration;
use tokio::sync::watch;

/// What the endpoints read.
#[derive(Clone)]
pub(super) struct Probed {
    pub(super) health: watch::Receiver<Health>,
    pub(super) stale_after: Duration,
}

impl crate::cli::Probed for Probed {
    /// Whether it serves, or could.
    fn ready(&self) -> (bool, String) {
        self.health.borrow().ready(self.stale_after)
    }

    fn metrics(&self) -> String {
        exposition(&self.health.borrow())
    }
}

/// The Prometheus text format; names and units as its naming practices want them.
fn exposition(health: &Health) -> String {
    let mut out = String::new();
    let flag = |condition: bool| u64::from(condition) as f64;
    let counters = health.counters;
    let writing = health.role == Role::Writing;
    let standby = matches!(health.role, Role::StandingBy { foreign: false, .. });
    let gauges = [
        (
            "writing",
            "1 while this syncer serves its cluster.",
            flag(writing),
        ),
        (
            "standby",
            "1 while another syncer serves this cluster.",
            flag(standby),
        ),
        (
            "broker_up",
            "1 while connected to the broker.",
            flag(health.link_up),
        ),
        (
            "api_server_age_seconds",
            "Time since the API server was last heard.",
            health
                .upstream_age()
                .map_or(f64::INFINITY, |age| age.as_secs_f64()),
        ),
        ("streams", "Streams served.", health.streams.len() as f64),
        ("logs", "Logs read for somebody.", health.logs as f64),
    ];
    for (name, help, value) in gauges {
        metric(&mut out, name, "gauge", help, value);
    }
    let totals = [
        (
            "answers_total",
            "Requests answered with pages.",
            counters.answers,
        ),
        ("pages_total", "Pages sent.", counters.pages),
        ("flushes_total", "Flushes with changes.", counters.flushes),
        ("heartbeats_total", "Heartbeats sent.", counters.heartbeats),
        ("changes_total", "Changes sent.", counters.changes),
    ];
    for (name, help, value) in totals {
        metric(&mut out, name, "counter", help, value as f64);
    }
    per_stream(&mut out, health);
    out
}

fn metric(out: &mut String, name: &str, kind: &str, help: &str, value: f64) {
    let value = if value == f64::INFINITY {
        "+Inf".to_owned()
    } else {
        value.to_string()
    };
    line(out, format_args!("# HELP mqinformer_syncer_{name} {help}"));
    line(out, format_args!("# TYPE mqinformer_syncer_{name} {kind}"));
    line(out, format_args!("mqinformer_syncer_{name} {value}"));
}

fn per_stream(out: &mut String, health: &Health) {
    type Figure = fn(&StreamReport) -> usize;
    let figures: [(&str, &str, Figure); 3] = [
        ("stream_entries", "Entries held.", |stream| stream.entries),
        ("stream_bytes", "Bytes of the entries as held.", |stream| {
            stream.bytes
        }),
        ("stream_sessions", "Viewers with a lease.", |stream| {
            stream.sessions
        }),
    ];
    for (name, help, figure) in figures {
        line(out, format_args!("# HELP mqinformer_syncer_{name} {help}"));
        line(out, format_args!("# TYPE mqinformer_syncer_{name} gauge"));
        for stream in &health.streams {
            let StreamReport { id, resource, .. } = stream;
            // Several selections of one resource are several streams: the id tells them apart, now and later.
            line(
                out,
                format_args!(
                    "mqinformer_syncer_{name}{{resource=\"{resource}\",stream=\"{:032x}\"}} {}",
                    id.0,
                    figure(stream)
                ),
            );
        }
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::message::StreamId;
    use tokio::time::Instant;

    #[test]
    fn every_metric_has_help_and_type_and_a_number() {
        let stream = StreamReport {
            id: StreamId(7),
            resource: "pods.v1".to_owned(),
            entries: 3,
            bytes: 400,
            sessions: 1,
        };
        let text = exposition(&Health {
            streams: vec![stream],
            ..Health::default()
        });
        let of_stream = format!("{{resource=\"pods.v1\",stream=\"{:032x}\"}}", 7);
        assert!(text.contains(&format!("mqinformer_syncer_stream_entries{of_stream} 3\n")));
        let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(samples.len() >= 10);
        for sample in samples {
            let (name, value) = sample.rsplit_once(' ').unwrap();
            assert!(value == "+Inf" || value.parse::<f64>().is_ok(), "{sample}");
            let name = name.split('{').next().unwrap();
            assert!(text.contains(&format!("# TYPE {name} ")), "{name}");
        }
    }

    #[test]
    fn what_was_never_heard_is_no_readiness() {
        let ready = |health: Health| health.ready(Duration::from_secs(5)).0;
        let well = Health {
            role: Role::Writing,
            link_up: true,
            upstream_heard: Some(Instant::now()),
            ..Health::default()
        };
        assert!(ready(well.clone()));
        assert!(!ready(Health {
            upstream_heard: None,
            ..well.clone()
        }));
        assert!(!ready(Health {
            link_up: false,
            ..well
        }));
    }
}
