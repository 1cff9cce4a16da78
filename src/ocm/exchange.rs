//! What a hub and its agents tell each other: the entries of the streams `work` and `status`.
//!
//! A work travels as the hub's API server has it, but for what the agent needs not: its status stays behind, unless it
//! says that something is complete, which the agent must not forget. A work that is deleted stays in its stream until
//! the agent has said of just that one (by its uid) that it is gone.

use super::cluster::ClusterClaim;
use super::conditions::find;
use super::work::{COMPLETE, ManifestWorkStatus};
use super::{Condition, ManifestWork, ObjectMeta};
use serde_json::Value;
use std::collections::BTreeMap;

/// Before the name of a work in the keys of both streams.
const WORK: &str = "work/";

/// The key of what a hub says of itself.
pub const HUB_KEY: &str = "hub";

/// The key of what an agent says of its cluster.
pub const CLUSTER_KEY: &str = "cluster";

structure! {
    /// What a hub says of itself to one cluster, under [`HUB_KEY`].
    pub struct HubNotice {
        /// The cluster is let go: once it has nothing of this hub any more, its agent says so.
        pub leaving: bool,
        /// The kinds, in lower case, of which the hub knows all labelled objects.
        pub known_kinds: Vec<String>,
    }
}

impl HubNotice {
    /// Whether a work that the stream does not have is one that the hub does not have: of a kind that it cannot read,
    /// it does not know.
    pub fn misses(&self, work: &str) -> bool {
        let knows = |kind| self.known_kinds.iter().any(|it| it == kind);
        self.leaving || super::plain::kind_of(work).is_none_or(knows)
    }
}

/// In the stream, a work that is there and that the hub cannot read. No agent can, so it keeps what it has of it.
pub const UNREADABLE: &[u8] = br#""unreadable""#;

structure! {
    /// What an agent says of its cluster, under [`CLUSTER_KEY`].
    pub struct ClusterReport {
        /// All that its nodes have.
        pub capacity: BTreeMap<String, Value>,
        /// What of it pods can have.
        pub allocatable: BTreeMap<String, Value>,
        /// What it says of itself.
        pub claims: Vec<ClusterClaim>,
        /// It was told to forget the hub, and has nothing of it any more.
        pub detached: bool,
    }
}

structure! {
    /// What an agent says of one work, under [`work_key`].
    pub struct WorkReport {
        /// Of which one of that name.
        pub uid: String,
        /// It was deleted, and all is removed that had to be.
        pub gone: bool,
        /// What became of it.
        pub status: ManifestWorkStatus,
        /// Of the plain form: the status of its object.
        pub object_status: Value,
    }
}

/// The key of a work.
pub fn work_key(name: &str) -> String {
    format!("{WORK}{name}")
}

/// The name of the work whose key that is.
pub fn work_of_key(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key).ok()?.strip_prefix(WORK)
}

/// A work as it travels to its agent.
pub fn travelling(work: &ManifestWork) -> ManifestWork {
    let metadata = &work.metadata;
    let says_complete = |conditions: &[Condition]| find(conditions, COMPLETE).is_some();
    let manifests = &work.status.resource_status.manifests;
    let keeps = manifests.iter().any(|it| says_complete(&it.conditions));
    ManifestWork {
        metadata: ObjectMeta {
            name: metadata.name.clone(),
            namespace: metadata.namespace.clone(),
            uid: metadata.uid.clone(),
            generation: metadata.generation,
            labels: metadata.labels.clone(),
            deletion_timestamp: metadata.deletion_timestamp.clone(),
            ..ObjectMeta::default()
        },
        spec: work.spec.clone(),
        status: match keeps {
            true => work.status.clone(),
            false => ManifestWorkStatus::default(),
        },
    }
}

/// The status of a work that has `old`, with what its agent says now; since when something is so stays, as long as it is:
/// an agent that was restarted does not know.
pub fn arrived(old: &ManifestWorkStatus, new: &ManifestWorkStatus) -> ManifestWorkStatus {
    let mut status = new.clone();
    keep_times(&old.conditions, &mut status.conditions);
    for one in &mut status.resource_status.manifests {
        let before = &old.resource_status.manifests;
        let same = before
            .iter()
            .find(|it| it.resource_meta == one.resource_meta);
        if let Some(same) = same {
            keep_times(&same.conditions, &mut one.conditions);
        }
    }
    status
}

fn keep_times(old: &[Condition], new: &mut [Condition]) {
    for condition in new {
        if let Some(before) = find(old, &condition.type_)
            && before.status == condition.status
            && before.last_transition_time.0 < condition.last_transition_time.0
        {
            condition.last_transition_time = before.last_transition_time.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocm::conditions::condition;
    use crate::ocm::work::{APPLIED, ManifestCondition};
    use k8s_openapi::jiff::Timestamp;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_status_travels_only_if_it_says_that_something_is_complete() {
        let mut work = ManifestWork::default();
        work.metadata.resource_version = Some("7".to_owned());
        let said = condition(APPLIED, true, "R", "", at(1));
        let one = ManifestCondition {
            conditions: vec![said],
            ..ManifestCondition::default()
        };
        work.status.resource_status.manifests = vec![one];
        let without = travelling(&work);
        assert_eq!(
            without,
            ManifestWork {
                spec: work.spec.clone(),
                ..ManifestWork::default()
            }
        );
        let complete = condition(COMPLETE, true, "R", "", at(1));
        work.status.resource_status.manifests[0]
            .conditions
            .push(complete);
        assert_eq!(travelling(&work).status, work.status);
    }

    #[test]
    fn nobody_misses_what_the_hub_cannot_know() {
        let mut notice = HubNotice::default();
        let object =
            serde_json::json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}});
        let secret = crate::ocm::plain::work_name(&object).unwrap();
        assert!(notice.misses("web") && !notice.misses(&secret));
        assert!(
            notice.misses("plain-secret-s"),
            "a ManifestWork may be called so"
        );
        assert_eq!(work_of_key(work_key(&secret).as_bytes()), Some(&*secret));
        notice.known_kinds = vec!["configmap".to_owned()];
        assert!(!notice.misses(&secret));
        notice.known_kinds.push("secret".to_owned());
        assert!(notice.misses(&secret));
        notice.known_kinds.clear();
        notice.leaving = true;
        assert!(notice.misses(&secret), "it is let go with all that it has");
        assert!(serde_json::from_slice::<ManifestWork>(UNREADABLE).is_err());
    }

    #[test]
    fn an_agent_that_was_restarted_moves_no_times() {
        let status = |state: bool, second| ManifestWorkStatus {
            conditions: vec![condition(APPLIED, state, "R", "", at(second))],
            ..ManifestWorkStatus::default()
        };
        let since = |status: ManifestWorkStatus| status.conditions[0].last_transition_time.0;
        assert_eq!(since(arrived(&status(true, 1), &status(true, 9))), at(1));
        assert_eq!(since(arrived(&status(false, 1), &status(true, 9))), at(9));
        assert_eq!(work_of_key(work_key("a").as_bytes()), Some("a"));
        assert_eq!(work_of_key(CLUSTER_KEY.as_bytes()), None);
    }
}
