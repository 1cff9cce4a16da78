//! Deployments, StatefulSets and DaemonSets.

use super::event::Events;
use super::fleet::Blueprint;
use rand::RngExt;
use rand::rngs::StdRng;

/// What keeps the pods of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Controller {
    Deployment,
    StatefulSet,
    DaemonSet,
}

/// How many old ReplicaSets a Deployment keeps; the real default is 10.
const KEPT_REVISIONS: u32 = 2;

/// A workload that runs.
#[derive(Debug)]
pub(super) struct Workload {
    pub(super) blueprint: &'static Blueprint,
    pub(super) replicas: u32,
    /// Counts its releases.
    pub(super) revision: u32,
    pub(super) created: i64,
    /// When the present release began.
    pub(super) released: i64,
    usual: u32,
    forgotten: u32,
}

impl Workload {
    pub(super) fn new(
        blueprint: &'static Blueprint,
        scale: u32,
        created: i64,
        random: &mut StdRng,
    ) -> Self {
        let replicas = blueprint.replicas * scale;
        let revision = random.random_range(1..12);
        Self {
            blueprint,
            replicas,
            revision,
            created,
            released: created,
            usual: replicas,
            forgotten: revision.saturating_sub(1),
        }
    }

    /// The image of the present release.
    pub(super) fn image(&self) -> String {
        self.image_of(self.revision)
    }

    /// The image of a release.
    pub(super) fn image_of(&self, revision: u32) -> String {
        let (major, minor) = self.blueprint.version;
        format!(
            "{}:{major}.{}.{}",
            self.blueprint.image,
            minor + revision / 4,
            revision % 4
        )
    }

    /// What a ReplicaSet's name ends with.
    pub(super) fn hash(&self, revision: u32) -> String {
        let text = format!(
            "{}/{}/{revision}",
            self.blueprint.namespace, self.blueprint.name
        );
        safe_name(xxhash_rust::xxh3::xxh3_64(text.as_bytes()), 10)
    }

    pub(super) fn replica_set(&self, revision: u32) -> String {
        format!("{}-{}", self.blueprint.name, self.hash(revision))
    }

    pub(super) fn roll_out(&mut self, events: &mut Events, now: i64) {
        if self.blueprint.controller == Controller::DaemonSet {
            return;
        }
        self.revision += 1;
        self.released = now;
        if self.blueprint.controller == Controller::Deployment {
            let (
                set,
                Blueprint {
                    namespace, name, ..
                },
            ) = (self.replica_set(self.revision), self.blueprint);
            let message = format!("Scaled up replica set {set} from 0 to 1");
            events.add(
                now,
                ("Deployment", namespace, name),
                "ScalingReplicaSet",
                &message,
                "deployment-controller",
            );
        }
    }

    pub(super) fn scale(&mut self, by: i32, events: &mut Events, now: i64) {
        let bounds = self.usual.div_ceil(2)..=self.usual * 2;
        let wanted = self.replicas.saturating_add_signed(by);
        if self.blueprint.controller != Controller::Deployment || !bounds.contains(&wanted) {
            return;
        }
        let (
            set,
            Blueprint {
                namespace, name, ..
            },
        ) = (self.replica_set(self.revision), self.blueprint);
        let direction = if by > 0 { "up" } else { "down" };
        let message = format!(
            "Scaled {direction} replica set {set} from {} to {wanted}",
            self.replicas
        );
        self.replicas = wanted;
        events.add(
            now,
            ("Deployment", namespace, name),
            "ScalingReplicaSet",
            &message,
            "deployment-controller",
        );
    }

    /// ReplicaSets that are kept no longer.
    pub(super) fn forgotten_revisions(&mut self) -> Vec<String> {
        let upto = self.revision.saturating_sub(KEPT_REVISIONS + 1);
        let gone = (self.forgotten + 1..=upto)
            .map(|revision| self.replica_set(revision))
            .collect();
        self.forgotten = self.forgotten.max(upto);
        gone
    }

    /// The revisions whose ReplicaSets exist, the newest last.
    pub(super) fn kept_revisions(&self) -> std::ops::RangeInclusive<u32> {
        let oldest = self
            .forgotten
            .max(self.revision.saturating_sub(KEPT_REVISIONS + 1));
        oldest + 1..=self.revision
    }
}

/// Letters that Kubernetes generates names from: no vowels, so no words.
pub(super) fn safe_name(mut number: u64, length: usize) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut next = || {
        let letter = LETTERS[(number % LETTERS.len() as u64) as usize];
        number /= LETTERS.len() as u64;
        char::from(letter)
    };
    (0..length).map(|_| next()).collect()
}
