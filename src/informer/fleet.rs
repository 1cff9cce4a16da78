//! What is known of the clusters: each source's last presence.

use crate::protocol::message::{Presence, SERVES, Term};
use crate::protocol::names::ClusterName;
use std::collections::BTreeMap;
use std::time::Duration;

/// A retained presence is refreshed hourly; one this old belongs to a source that nobody will see again.
const EXPIRES_AFTER: Duration = Duration::from_secs(7 * 24 * 3600);

/// Clusters that are known at most: whoever may publish presences could invent any number.
const MOST: usize = 10_000;

/// Whether a presence that the broker kept belongs to nobody any more. One that comes from its source now never does,
/// whatever that one's clock says.
pub(super) fn is_expired(retained: &Presence, wall_ms: u64) -> bool {
    wall_ms.saturating_sub(retained.at_ms) > EXPIRES_AFTER.as_millis() as u64
}

/// What is known of a cluster's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its last presence. One with number 0 has not taken the name yet: its API server has not answered it. A last will
    /// has no time (0): it was written when its source connected.
    pub presence: Presence,
    /// The presence was a last will or a goodbye: nobody serves it now.
    pub offline: bool,
}

impl Cluster {
    /// By which URL it is read, if it says so: a controlplane's. What it says is hostile until checked.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        let mut capabilities = self.presence.capabilities.iter();
        capabilities.find_map(|capability| capability.strip_prefix(SERVES))
    }
}

/// The clusters by the names that their owners wrote.
#[derive(Debug, Default)]
pub(super) struct Fleet {
    clusters: BTreeMap<ClusterName, Cluster>,
}

impl Fleet {
    /// Takes a presence; answers whether it was news: never of one cluster too many.
    ///
    /// Older terms are ignored. A last will is fixed when its source connects, so its number may be older than the one
    /// that the source took since: it is matched by the nonce.
    pub(super) fn heard(&mut self, name: &ClusterName, presence: &Presence) -> bool {
        let known = self.clusters.get(name);
        if known.is_none() && self.clusters.len() >= MOST {
            return false;
        }
        if presence.online && presence.term.number == 0 {
            let free = known.is_none_or(|known| known.offline);
            if free {
                let (presence, offline) = (presence.clone(), false);
                self.clusters
                    .insert(name.clone(), Cluster { presence, offline });
            }
            return free;
        }
        if known.is_some_and(|known| !supersedes(presence, known.presence.term)) {
            return false;
        }
        let offline = !presence.online;
        let known = known.map(|known| (&known.presence, known.offline));
        if known.is_some_and(|(old, was)| {
            was == offline && (offline || same_but_for_time(old, presence))
        }) {
            return false;
        }
        // A will was written before its source knew its cluster, and at no time of interest; a goodbye says when.
        let at_ms = match offline && presence.kubernetes_version.is_empty() {
            true => 0,
            false => presence.at_ms,
        };
        // What was known of the source stays known.
        let presence = match known {
            Some((old, _)) if offline => Presence {
                online: false,
                at_ms,
                ..old.clone()
            },
            _ => Presence {
                at_ms,
                ..presence.clone()
            },
        };
        self.clusters
            .insert(name.clone(), Cluster { presence, offline });
        true
    }

    /// Forgets a cluster: its presence was cleared on the broker.
    pub(super) fn forget(&mut self, cluster: &ClusterName) -> bool {
        self.clusters.remove(cluster).is_some()
    }

    /// All of them.
    pub(super) fn clusters(&self) -> &BTreeMap<ClusterName, Cluster> {
        &self.clusters
    }
}

fn supersedes(presence: &Presence, known: Term) -> bool {
    presence.term >= known || (!presence.online && presence.term.nonce == known.nonce)
}

fn same_but_for_time(old: &Presence, new: &Presence) -> bool {
    *old == Presence {
        at_ms: old.at_ms,
        rid: old.rid,
        ..new.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presence(number: u64, nonce: u32, online: bool) -> Presence {
        Presence {
            term: Term { number, nonce },
            online,
            cluster: "east".into(),
            at_ms: 1,
            ..Presence::default()
        }
    }

    fn east() -> ClusterName {
        ClusterName::new("east").unwrap()
    }

    #[test]
    fn a_last_will_with_an_older_number_still_ends_its_source() {
        let mut fleet = Fleet::default();
        assert!(fleet.heard(&east(), &presence(9, 7, true)));
        assert!(fleet.heard(&east(), &presence(5, 7, false)));
        assert!(fleet.clusters()[&east()].offline);
    }

    #[test]
    fn one_that_waits_for_its_api_server_is_known_where_nobody_else_is() {
        let mut fleet = Fleet::default();
        assert!(fleet.heard(&east(), &presence(9, 7, true)));
        assert!(!fleet.heard(&east(), &presence(0, 8, true)), "one writes");
        assert!(fleet.heard(&east(), &presence(9, 7, false)));
        assert_eq!(
            fleet.clusters()[&east()].presence.at_ms,
            0,
            "nobody knows when"
        );
        assert!(fleet.heard(&east(), &presence(0, 8, true)));
        assert!(!fleet.clusters()[&east()].offline);
        assert!(!fleet.heard(&east(), &presence(0, 8, true)), "no news");
        assert!(
            fleet.heard(&east(), &presence(10, 8, true)),
            "it has the name"
        );
        assert_eq!(fleet.clusters()[&east()].presence.term.number, 10);
    }

    #[test]
    fn the_last_will_of_a_source_that_was_replaced_is_ignored() {
        let mut fleet = Fleet::default();
        fleet.heard(&east(), &presence(9, 7, true));
        assert!(!fleet.heard(&east(), &presence(5, 6, false)));
        assert!(!fleet.clusters()[&east()].offline);
    }

    #[test]
    fn an_hourly_refresh_is_no_news() {
        let mut fleet = Fleet::default();
        assert!(fleet.heard(&east(), &presence(9, 7, true)));
        assert!(!fleet.heard(
            &east(),
            &Presence {
                at_ms: 5,
                ..presence(9, 7, true)
            }
        ));
        assert!(fleet.heard(&east(), &presence(9, 7, false)));
        assert!(fleet.heard(&east(), &presence(9, 7, true)));
    }

    #[test]
    fn a_presence_of_last_week_is_nobodys() {
        const DAY_MS: u64 = 24 * 3600 * 1000;
        assert!(is_expired(&presence(9, 7, true), 8 * DAY_MS));
        assert!(!is_expired(&presence(9, 7, true), 6 * DAY_MS));
    }

    #[test]
    fn invented_clusters_have_a_bound_and_those_that_are_known_go_on() {
        let mut fleet = Fleet::default();
        let name = |n: usize| ClusterName::new(&format!("c{n}")).unwrap();
        for n in 0..MOST {
            assert!(fleet.heard(&name(n), &presence(9, 7, true)));
        }
        assert!(!fleet.heard(&name(MOST), &presence(9, 7, true)));
        assert!(fleet.heard(&name(0), &presence(9, 7, false)));
        assert_eq!(fleet.clusters.len(), MOST);
    }
}
