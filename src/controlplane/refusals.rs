//! Which clusters do not answer for a resource, and why: each reason is told once.

use crate::informer::{Progress, StreamState};
use crate::protocol::names::ClusterName;
use std::collections::BTreeMap;

/// What was told of each cluster since it last answered.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    told: BTreeMap<ClusterName, String>,
}

impl Refusals {
    /// What there is to tell of a stream's new state.
    pub(super) fn news(&mut self, cluster: &ClusterName, state: &StreamState) -> Option<String> {
        let why = match (&state.progress, &state.obstacle) {
            (Progress::Refused { message, .. }, _) => message.clone(),
            (_, Some(obstacle)) => obstacle.to_string(),
            (Progress::Synced, None) => {
                self.told.remove(cluster);
                return None;
            }
            _ => return None,
        };
        let news = self.told.get(cluster) != Some(&why);
        if news {
            self.told.insert(cluster.clone(), why.clone());
        }
        news.then_some(why)
    }

    /// The cluster is none any more.
    pub(super) fn forget(&mut self, cluster: &ClusterName) {
        self.told.remove(cluster);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_once_until_the_cluster_answers() {
        let cluster = ClusterName::new("c").unwrap();
        let state = |progress| StreamState {
            progress,
            ..StreamState::default()
        };
        let refused = |message: &str| {
            state(Progress::Refused {
                code: 403,
                reason: "Forbidden".into(),
                message: message.into(),
            })
        };
        let mut refusals = Refusals::default();
        let mut news = |state: &StreamState| refusals.news(&cluster, state);
        assert_eq!(news(&refused("no")).as_deref(), Some("no"));
        assert_eq!(news(&state(Progress::Listing(3))), None);
        assert_eq!(news(&refused("no")), None);
        assert_eq!(news(&refused("never")).as_deref(), Some("never"));
        assert_eq!(news(&state(Progress::Synced)), None);
        assert_eq!(news(&refused("never")).as_deref(), Some("never"));
    }
}
