//! What is written to the hub, and what becomes of it.

use super::super::copy::Origin;
use super::super::decide::Step;
use super::super::hub::Job;
use super::clusters::known;
use super::{Kinds, Task};
use crate::kubernetes::WriteError;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Objects looked at in a row, before what happens meanwhile is heard.
const LOOKS: usize = 256;
/// Pauses while something refuses one object, while the hub says "not now", and while it is away.
const REFUSED: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(600));
const NOT_NOW: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));
const AWAY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));
/// So many refused objects are told one by one; of more, their number.
const TOLD: usize = 20;
/// What is due when the mirror is asked to stop is still done, for so long.
const LAST: Duration = Duration::from_secs(5);

impl Task {
    /// Does what is due now, and nothing more.
    pub(super) async fn finish(&mut self) {
        let end = Instant::now() + LAST;
        loop {
            self.start_jobs();
            let joined = tokio::time::timeout_at(end, self.jobs.join_next()).await;
            match joined {
                Ok(Some(Ok((origin, what, result)))) => self.done(&origin, what, result),
                Ok(Some(Err(_))) => {}
                Ok(None) if self.next_start().is_some_and(|due| due <= Instant::now()) => {}
                Ok(None) | Err(_) => break,
            }
            self.tell();
        }
    }

    /// Starts what is due. Most of what there is to do after a start is to look: not all of it before anything else.
    pub(super) fn start_jobs(&mut self) {
        for _ in 0..LOOKS {
            let now = Instant::now();
            if self.next_start().is_none_or(|due| due > now) {
                return;
            }
            let Some(origin) = self.queue.next(now) else {
                return;
            };
            self.start(origin, now);
        }
    }

    fn start(&mut self, origin: Origin, now: Instant) {
        let Some(mirrored) = &self.mirrored else {
            return self.queue.done(&origin, now);
        };
        let (watch, clusters) = (&self.watch, &self.clusters);
        let known = |origin: &Origin| known(watch, clusters, origin);
        let job = match mirrored.decide(&origin, &mut self.copies, known) {
            Step::Nothing => {
                self.refused.remove(&origin);
                return self.queue.done(&origin, now);
            }
            Step::Refused(why, job) => {
                self.refuse(&origin, why);
                match job {
                    Some(job) => job,
                    None => {
                        self.queue.retry(&origin, REFUSED, now);
                        return;
                    }
                }
            }
            Step::Do(job) => job,
        };
        let what = match &job {
            Job::Delete { .. } => Kinds::Deleted,
            Job::Apply(apply) if apply.repairs => Kinds::Repaired,
            Job::Apply(_) => Kinds::Applied,
        };
        let hub = Arc::clone(&self.hub);
        self.jobs.spawn(async move {
            let result = hub.run(&origin, job).await;
            (origin, what, result)
        });
    }

    pub(super) fn done(&mut self, origin: &Origin, what: Kinds, result: Result<(), WriteError>) {
        let now = Instant::now();
        if !matches!(result, Err(WriteError::Away(_))) && self.away.take().is_some() {
            tracing::info!(resource = %self.now.word, "the hub's API server is back");
            self.now.trouble = None;
        }
        match result {
            Ok(()) => {
                match what {
                    Kinds::Deleted => self.now.deleted += 1,
                    Kinds::Applied => self.now.applied += 1,
                    Kinds::Repaired => {
                        self.now.applied += 1;
                        self.now.repaired += 1;
                        self.queue.repaired(origin, now);
                    }
                }
                if what != Kinds::Deleted {
                    self.refused.remove(origin);
                }
                self.queue.done(origin, now);
            }
            Err(WriteError::Refused(refusal)) => {
                self.now.failed += 1;
                self.queue.retry(origin, REFUSED, now);
                self.refuse(origin, format!("the hub refuses it: {refusal}"));
            }
            Err(WriteError::NotNow { message, .. }) => {
                self.now.failed += 1;
                if self.queue.retry(origin, NOT_NOW, now) == 4 {
                    self.refuse(origin, format!("the hub cannot take it: {message}"));
                }
            }
            Err(WriteError::Away(message)) => {
                self.now.failed += 1;
                self.queue
                    .retry(origin, (Duration::ZERO, Duration::ZERO), now);
                self.hub_away(message, now);
            }
        }
    }

    /// All wait for the hub together.
    fn hub_away(&mut self, message: String, now: Instant) {
        let times = match self.away {
            // Those that were under way with it.
            Some((until, _)) if until > now => return,
            Some((_, times)) => times + 1,
            None => {
                tracing::warn!(resource = %self.now.word, "{message}; copies wait for the hub's API server");
                0
            }
        };
        let pause = AWAY.0 * 2_u32.saturating_pow(times.min(10));
        self.away = Some((now + pause.min(AWAY.1), times));
        self.now.trouble = Some(message);
    }

    fn refuse(&mut self, origin: &Origin, why: String) {
        if self.refused.get(origin) == Some(&why) {
            return;
        }
        let object = String::from_utf8_lossy(&origin.key);
        let (cluster, resource) = (origin.cluster.as_str(), &self.now.word);
        match self.refused.len() {
            told if told < TOLD => {
                tracing::warn!(%cluster, %resource, ?object, "not mirrored: {why}");
            }
            TOLD => tracing::warn!(%resource, "more are not mirrored: /metrics says how many"),
            _ => tracing::debug!(%cluster, %resource, ?object, "not mirrored: {why}"),
        }
        self.refused.insert(origin.clone(), why);
    }
}
