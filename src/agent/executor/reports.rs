//! The stream `status`: what became of each work, and what the cluster is. Sent when somebody waits for it, and no more
//! often than that.

use crate::agent::plan::throttle::{Due, Pace, due};
use crate::ocm::exchange::{CLUSTER_KEY, ClusterReport, WorkReport, work_key};
use crate::source::Held;
use bytes::Bytes;
use k8s_openapi::jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is said, and what is about to be.
#[derive(Debug, Default)]
pub(super) struct Reports {
    pace: Pace,
    sent: BTreeMap<String, (WorkReport, Timestamp)>,
    waiting: BTreeMap<String, WorkReport>,
    cluster: ClusterReport,
    entries: Arc<BTreeMap<Bytes, Bytes>>,
}

impl Reports {
    /// This is what became of a work.
    pub(super) fn put(&mut self, work: &str, report: WorkReport) {
        self.waiting.insert(work.to_owned(), report);
    }

    /// The hub does not list that work any more: there is nothing to say of it.
    pub(super) fn forget(&mut self, work: &str) {
        self.waiting.remove(work);
        if self.sent.remove(work).is_some() {
            Arc::make_mut(&mut self.entries).remove(work_key(work).as_bytes());
        }
    }

    /// This is what the cluster is.
    pub(super) fn cluster(&mut self, report: ClusterReport) {
        if self.cluster != report || self.entries.is_empty() {
            self.write(CLUSTER_KEY, &report);
            self.cluster = report;
        }
    }

    /// What is due is said now; when more will be.
    pub(super) fn flush(&mut self, now: Timestamp) -> Option<Timestamp> {
        let mut next: Option<Timestamp> = None;
        for (work, report) in std::mem::take(&mut self.waiting) {
            match self.when(&work, &report, now) {
                Due::Never => {}
                Due::At(then) => {
                    next = next.into_iter().chain([then]).min();
                    self.waiting.insert(work, report);
                }
                Due::Now => {
                    self.write(&work_key(&work), &report);
                    self.sent.insert(work, (report, now));
                }
            }
        }
        next
    }

    fn when(&self, work: &str, report: &WorkReport, now: Timestamp) -> Due {
        let Some((old, at)) = self.sent.get(work) else {
            return Due::Now;
        };
        if old == report {
            return Due::Never;
        }
        if (&old.uid, old.gone) != (&report.uid, report.gone) {
            return Due::Now;
        }
        match due(self.pace, Some((&old.status, *at)), &report.status, now) {
            // The plain form's status has moved, and no condition.
            Due::Never => match at.checked_add(self.pace.conditions) {
                Ok(then) if then > now => Due::At(then),
                _ => Due::Now,
            },
            other => other,
        }
    }

    fn write(&mut self, key: &str, value: &impl Serialize) {
        // Maps with other keys than strings are not among these types.
        let Ok(value) = serde_json::to_vec(value) else {
            return;
        };
        let entries = Arc::make_mut(&mut self.entries);
        entries.insert(Bytes::copy_from_slice(key.as_bytes()), value.into());
    }

    /// All that is said.
    pub(super) fn held(&self) -> Held {
        Held::Whole(Arc::clone(&self.entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    fn report(replicas: i64, gone: bool) -> WorkReport {
        WorkReport {
            uid: "1".to_owned(),
            gone,
            object_status: json!({"replicas": replicas}),
            ..WorkReport::default()
        }
    }

    #[test]
    fn values_wait_for_their_turn_and_the_end_does_not() {
        let mut reports = Reports::default();
        reports.put("w", report(1, false));
        assert_eq!(reports.flush(at(0)), None);
        reports.put("w", report(2, false));
        assert_eq!(reports.flush(at(100)), Some(at(500)));
        reports.put("w", report(3, false));
        assert_eq!(reports.flush(at(500)), None);
        let said = |reports: &Reports| match reports.held() {
            Held::Whole(all) => all
                .get(&b"work/w"[..])
                .map(|it| String::from_utf8(it.to_vec()).unwrap()),
            _ => None,
        };
        assert!(said(&reports).unwrap().contains(r#""replicas":3"#));
        reports.put("w", report(3, true));
        assert_eq!(reports.flush(at(501)), None);
        assert!(said(&reports).unwrap().contains(r#""gone":true"#));
        reports.forget("w");
        assert_eq!(said(&reports), None);
    }
}
