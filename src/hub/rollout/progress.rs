//! How far a cluster is, from the conditions of its work.

use super::steps::ClusterProgress;
use crate::ocm::work::{APPLIED, AVAILABLE, DEGRADED, PROGRESSING};
use crate::ocm::{Condition, ManifestWork, conditions, namespace};

/// How far a cluster is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// What is wanted is not there yet.
    ToApply,
    /// It is there, and not yet as it should be.
    Progressing,
    /// All is well.
    Succeeded,
    /// It is there, and does not do what it should.
    Failed,
    /// It has not been well for too long.
    TimedOut,
    /// Nobody can say.
    Unknown,
}

/// How far the cluster of a work is; the work says what the template says.
pub fn of(work: &ManifestWork) -> ClusterProgress {
    let (progress, since) = judge(work);
    ClusterProgress {
        cluster: namespace(work).to_owned(),
        progress,
        since: since.map(|it| it.last_transition_time.0),
        recheck: None,
    }
}

/// What conditions of the work's own generation say; older ones are about what it was.
fn judge(work: &ManifestWork) -> (Progress, Option<&Condition>) {
    let generation = work.metadata.generation;
    let found = |kind| conditions::find(&work.status.conditions, kind);
    let current = |kind| found(kind).filter(|it| it.observed_generation == generation);
    let holds = |it: &Condition| it.status == "True";
    let (progressing, available) = (current(PROGRESSING), current(AVAILABLE));
    if !current(APPLIED).is_some_and(holds) || (progressing.is_none() && available.is_none()) {
        return (Progress::ToApply, None);
    }
    let degraded = found(DEGRADED);
    if degraded.is_some_and(|it| it.observed_generation != generation) {
        return (Progress::ToApply, None);
    }
    let degraded = degraded.filter(|it| holds(it));
    match (progressing, available) {
        (Some(it), _) if it.status == "False" => (Progress::Succeeded, Some(it)),
        (Some(_), _) if degraded.is_some() => (Progress::Failed, degraded),
        (Some(it), _) => (Progress::Progressing, Some(it)),
        (None, _) if degraded.is_some() => (Progress::Failed, degraded),
        (None, Some(it)) if holds(it) => (Progress::Succeeded, Some(it)),
        (None, it) => (Progress::Progressing, it),
    }
}
