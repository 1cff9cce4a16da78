//! What a hub says of itself at `/readyz` and `/metrics`.

use super::controller::Report;
use crate::replica::Role;
use crate::source::Health;
use std::fmt::Write;
use std::time::Duration;
use tokio::sync::watch;

/// What the endpoints read.
#[derive(Clone)]
pub(super) struct Probed {
    pub(super) health: watch::Receiver<Health>,
    pub(super) report: watch::Receiver<Report>,
    pub(super) stale_after: Duration,
}

impl crate::cli::Probed for Probed {
    /// Whether it serves work, or could.
    fn ready(&self) -> (bool, String) {
        let (ready, words) = self.health.borrow().ready(self.stale_after);
        let writes = self.health.borrow().role == Role::Writing;
        match &self.report.borrow().waits_for {
            Some(kind) if ready && writes => {
                (false, format!("reading {kind} of the hub's API server"))
            }
            _ => (ready, words),
        }
    }

    fn metrics(&self) -> String {
        let report = self.report.borrow();
        let writing = u8::from(self.health.borrow().role == Role::Writing);
        let figures = [
            (
                "writing",
                "gauge",
                "1 while this process is the hub.",
                u64::from(writing),
            ),
            (
                "clusters",
                "gauge",
                "Clusters that are known.",
                report.clusters,
            ),
            (
                "works",
                "gauge",
                "ManifestWorks of all clusters.",
                report.works,
            ),
            (
                "plain_objects",
                "gauge",
                "Labelled objects that are distributed.",
                report.plain,
            ),
            (
                "queue",
                "gauge",
                "Objects that wait for their turn, or have it.",
                report.queue,
            ),
            (
                "writes_total",
                "counter",
                "Requests that wrote something.",
                report.writes,
            ),
            (
                "failures_total",
                "counter",
                "Turns that failed and are tried again.",
                report.failures,
            ),
        ];
        let mut out = String::new();
        for (name, kind, help, value) in figures {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "# HELP mqinformer_hub_{name} {help}");
            let _ = writeln!(out, "# TYPE mqinformer_hub_{name} {kind}");
            let _ = writeln!(out, "mqinformer_hub_{name} {value}");
        }
        out
    }
}
