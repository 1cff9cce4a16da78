//! What became of a turn.

use super::{Cycle, PAUSES, REMOVED_BY};
use crate::agent::executor::objects::identifier;
use crate::agent::executor::turn::{Goal, Turn};
use crate::agent::plan::report::{self, Seen};
use crate::ocm::exchange::WorkReport;
use crate::ocm::plain::{self, PLAIN_LABEL};
use crate::ocm::{AppliedResource, ManifestWork, is_deleting, label};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

impl Cycle<'_> {
    pub(super) fn finish(&mut self, turn: Turn) {
        let (work, now) = (turn.name.clone(), Instant::now());
        for (thing, there) in &turn.news {
            let words = turn.words.get(&identifier(thing)).copied();
            self.objects.saw(thing, there, words.unwrap_or_default());
        }
        if turn.repaired {
            tracing::info!(
                work,
                "what somebody changed of it in the cluster is as the hub wants it again"
            );
            self.queue.repaired(&work, now);
        }
        self.report(&turn);
        match &turn.trouble {
            Some(why) => {
                // A kind may have gone, or be another one by now.
                self.unknown.insert(work.clone());
                let tries = self.queue.retry(&work, PAUSES, now);
                if tries == 1 {
                    tracing::warn!(work, "a work of the hub is not done: {why}; trying again");
                }
            }
            None => self.queue.done(&work, now),
        }
        if turn.waits {
            self.queue.add_later(&work, now + REMOVED_BY);
        }
        self.keep(turn);
    }

    /// Takes over what the turn knows of what is there for the work, and lets others have what it let go.
    fn keep(&mut self, turn: Turn) {
        let (work, now) = (&turn.name, Instant::now());
        let before = self.inventories.remove(work);
        let before = before.iter().flat_map(|it| it.resources().to_vec());
        let left = |it: &AppliedResource| turn.inventory.resources().iter().any(|new| new.is(it));
        let freed: Vec<_> = before.filter(|it| turn.gone || !left(it)).collect();
        for thing in &freed {
            self.owners.remove(&identifier(thing));
            let mut waiting = self.objects.works(thing);
            waiting.remove(work);
            waiting.iter().for_each(|other| self.queue.add(other, now));
        }
        if turn.gone {
            self.applied.remove(work);
            // It may be listed again, or never.
            self.queue.add(work, now);
            return;
        }
        for thing in turn.inventory.resources() {
            let owner = self.owners.entry(identifier(thing));
            owner.or_insert_with(|| work.clone());
        }
        let things = turn.inventory.resources().to_vec();
        if let Goal::Apply(_, reads) = &turn.goal {
            let manifests = reads.iter().flatten();
            let wanted = manifests.map(|it| crate::agent::plan::manifest::applied(&it.meta, None));
            self.objects.want(work, wanted.chain(things));
        }
        self.applied.insert(work.clone(), turn.applied);
        self.inventories.insert(work.clone(), turn.inventory);
        if matches!(turn.goal, Goal::Note) && turn.trouble.is_none() {
            self.queue.add(work, now);
        }
    }

    fn report(&mut self, turn: &Turn) {
        match &turn.goal {
            Goal::Apply(work, reads) if turn.outcomes.len() == reads.len() => {
                let outcomes: Vec<_> = reads
                    .iter()
                    .zip(&turn.outcomes)
                    .map(|(read, (applied, seen))| (read, applied.clone(), seen.clone()))
                    .collect();
                let status = report::status(work, &outcomes, Timestamp::now());
                let uid = work.metadata.uid.clone().unwrap_or_default();
                self.statuses
                    .insert(turn.name.clone(), (uid.clone(), status.clone()));
                let report = WorkReport {
                    uid,
                    gone: false,
                    status,
                    object_status: object_status(work, turn),
                };
                self.reports.put(&turn.name, report);
            }
            Goal::Remove(_) if turn.gone => {
                let work = self.works.get(&turn.name).cloned();
                if let Some(work) = work.filter(|it| is_deleting(&it.metadata)) {
                    tracing::info!(
                        work = turn.name,
                        "all that a deleted work put here is removed"
                    );
                    // Its inventory goes with this turn.
                    self.report_gone(&work);
                }
            }
            _ => {}
        }
    }
}

/// Of the plain form: the status of its only object.
fn object_status(work: &ManifestWork, turn: &Turn) -> Value {
    let seen = turn.outcomes.first().map(|(_, seen)| seen);
    match seen {
        Some(Seen::There(object)) if label(&work.metadata, PLAIN_LABEL).is_some() => {
            plain::status_back(object).cloned().unwrap_or_default()
        }
        _ => Value::Null,
    }
}
