//! What may fail, and how long is waited.

use super::after;
use super::progress::Progress;
use super::steps::{ClusterProgress, Step};
use crate::ocm::{IntOrString, duration, share};
use k8s_openapi::jiff::Timestamp;
use std::time::Duration;

/// What all strategies say.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    soak: Duration,
    /// None: for ever.
    patience: Option<Duration>,
    failures: Option<IntOrString>,
    now: Timestamp,
}

impl Limits {
    pub(super) fn of(
        soak: &Option<String>,
        deadline: &Option<String>,
        failures: &Option<IntOrString>,
        now: Timestamp,
    ) -> Result<Self, String> {
        let wrong =
            |field: &str, text: &str| format!("invalid {field} {text:?}: write 2h, 90m or 360s");
        let soak = match soak.as_deref().unwrap_or_default() {
            "" => Duration::ZERO,
            text => duration::parse(text).ok_or_else(|| wrong("minSuccessTime", text))?,
        };
        let patience = match deadline.as_deref().unwrap_or_default() {
            "" | "None" => None,
            text => Some(duration::parse(text).ok_or_else(|| wrong("progressDeadline", text))?),
        };
        if share::within(failures.as_ref(), 1, 0).is_none() {
            return Err(not_a_share("maxFailures", failures.as_ref()));
        }
        Ok(Self {
            soak,
            patience,
            failures: failures.clone(),
            now,
        })
    }

    /// The same without a failure.
    pub(super) fn strict(&self) -> Self {
        Self {
            failures: None,
            ..self.clone()
        }
    }

    /// How many of so many may fail; if nothing that makes sense is said, none.
    pub(super) fn most_failures(&self, total: usize) -> usize {
        share::within(self.failures.as_ref(), total, 0).unwrap_or(0)
    }

    fn deadline(&self, cluster: &ClusterProgress) -> Option<Timestamp> {
        after(cluster.since.unwrap_or(self.now), self.patience?)
    }

    /// Puts a cluster where it belongs.
    pub(super) fn judge(&self, cluster: &ClusterProgress, step: &mut Step) {
        match cluster.progress {
            Progress::ToApply => step.rollout.push(cluster.clone()),
            Progress::Succeeded => {
                let until = after(cluster.since.unwrap_or(self.now), self.soak);
                if until.is_some_and(|it| it > self.now) {
                    step.rollout.push(ClusterProgress {
                        recheck: until,
                        ..cluster.clone()
                    });
                }
            }
            Progress::TimedOut => {}
            Progress::Progressing | Progress::Failed | Progress::Unknown => {
                self.wait(cluster, step);
            }
        }
    }

    fn wait(&self, cluster: &ClusterProgress, step: &mut Step) {
        let deadline = self.deadline(cluster);
        let waiting = ClusterProgress {
            recheck: deadline,
            ..cluster.clone()
        };
        match deadline.is_none_or(|it| it > self.now) {
            true => step.rollout.push(waiting),
            false => step.timed_out.push(ClusterProgress {
                progress: Progress::TimedOut,
                ..waiting
            }),
        }
    }
}

/// Failed, or too late: patience that has just ended counts at once, not only when somebody has written it down.
pub(super) fn is_failure(cluster: &ClusterProgress, limits: &Limits) -> bool {
    match cluster.progress {
        Progress::Failed | Progress::TimedOut => true,
        Progress::Progressing => limits.deadline(cluster).is_some_and(|it| it <= limits.now),
        Progress::ToApply | Progress::Succeeded | Progress::Unknown => false,
    }
}

pub(super) fn not_a_share(field: &str, said: Option<&IntOrString>) -> String {
    format!("failed to parse the provided {field}: {said:?} is neither a number nor a percentage")
}
