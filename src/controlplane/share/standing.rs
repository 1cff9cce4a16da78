//! What a member may take, from what it was told last.
//!
//! Members hear of each other one after the other, so for a moment two have different lists. A cluster is given up as soon
//! as one's own list says so, and taken only once *every* member has said that it acts by the same list: whoever had it
//! before has given it up by then, or was not heard of for a whole lease and has stopped by itself.
//!
//! Pure.

use super::hashing::{owner, view};
use crate::protocol::names::ClusterName;
use std::collections::{BTreeMap, BTreeSet};

/// One member's standing in its group.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    me: String,
    /// By whom it acts.
    members: BTreeSet<String>,
    /// They all acted by the same list when they were last asked.
    agreed: bool,
    /// The fencing token for what is taken now.
    fence: u64,
    held: BTreeMap<ClusterName, u64>,
}

impl Standing {
    pub(super) fn new(me: String) -> Self {
        Self {
            me,
            members: BTreeSet::new(),
            agreed: false,
            fence: 0,
            held: BTreeMap::new(),
        }
    }

    /// The list that it acts by, as a number: to be told to the others.
    pub(super) fn view(&self) -> u64 {
        view(&self.members)
    }

    /// Whether it may take what is its own.
    pub(super) fn is_agreed(&self) -> bool {
        self.agreed
    }

    pub(super) fn members(&self) -> usize {
        self.members.len()
    }

    /// What it has, each with the token that it was taken with.
    pub(super) fn held(&self) -> &BTreeMap<ClusterName, u64> {
        &self.held
    }

    /// It has told its view, and then was told who is there and by which view each acts. `lapsed`: it was not heard of for
    /// a lease before, so that others may have taken what it had.
    pub(super) fn told(&mut self, members: &BTreeMap<String, u64>, fence: u64, lapsed: bool) {
        let list = view(members.keys());
        self.agreed =
            members.contains_key(&self.me) && members.values().all(|theirs| *theirs == list);
        self.members = members.keys().cloned().collect();
        self.fence = fence;
        // If all act by a list with it, nobody has acted by one without it.
        if lapsed && !self.agreed {
            self.held.clear();
        }
        let (me, members) = (&self.me, &self.members);
        self.held
            .retain(|cluster, _| owner(cluster, members) == Some(me));
    }

    /// Takes those of these clusters that are its own, if it may.
    pub(super) fn take<'a>(&mut self, clusters: impl IntoIterator<Item = &'a ClusterName>) {
        if !self.agreed {
            return;
        }
        for cluster in clusters {
            if owner(cluster, &self.members) == Some(&self.me) && !self.held.contains_key(cluster) {
                self.held.insert(cluster.clone(), self.fence);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn clusters() -> Vec<ClusterName> {
        let name = |n| ClusterName::new(&format!("cluster{n}")).unwrap();
        (0..12).map(name).collect()
    }

    /// A group, its members' rows, and what each member does next.
    #[derive(Default)]
    struct Group {
        rows: BTreeMap<String, u64>,
        members: BTreeMap<String, Member>,
        fence: u64,
        born: usize,
    }

    struct Member {
        standing: Standing,
        /// It was taken for dead: its row is gone, and it writes nothing until it is told again.
        lapsed: bool,
    }

    impl Group {
        fn beat(&mut self, name: &str) {
            let Some(member) = self.members.get_mut(name) else {
                return;
            };
            self.fence += 1;
            self.rows.insert(name.to_owned(), member.standing.view());
            let lapsed = std::mem::take(&mut member.lapsed);
            member.standing.told(&self.rows, self.fence, lapsed);
            member.standing.take(&clusters());
        }

        fn act(&mut self, (what, whom): (u8, prop::sample::Index)) {
            let names: Vec<_> = self.members.keys().cloned().collect();
            let name = (!names.is_empty()).then(|| whom.get(&names).clone());
            match (what, name) {
                (0, _) if names.len() < 4 => {
                    self.born += 1;
                    let name = format!("m{}", self.born);
                    let standing = Standing::new(name.clone());
                    let lapsed = false;
                    self.members.insert(name, Member { standing, lapsed });
                }
                // It dies, and is noticed later.
                (1, Some(name)) => _ = self.members.remove(&name),
                // A lease ends: of one that is dead, or was frozen.
                (2, Some(name)) => {
                    let dead = |row: &&String| !self.members.contains_key(*row);
                    let dead = self.rows.keys().find(dead).cloned();
                    let expired = dead.unwrap_or(name);
                    self.rows.remove(&expired);
                    if let Some(member) = self.members.get_mut(&expired) {
                        member.lapsed = true;
                    }
                }
                (_, Some(name)) => self.beat(&name),
                (_, None) => {}
            }
        }

        /// No two that write have one cluster.
        fn check(&self) -> Result<(), TestCaseError> {
            let mut owners = BTreeMap::new();
            for (name, member) in self.members.iter().filter(|(_, member)| !member.lapsed) {
                for cluster in member.standing.held().keys() {
                    let other = owners.insert(cluster, name);
                    prop_assert_eq!(other, None, "two have {}: {}", cluster.as_str(), name);
                }
            }
            Ok(())
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]
        #[test]
        fn no_two_ever_have_one_cluster_and_in_the_end_each_has_an_owner(
            acts in prop::collection::vec((0_u8..8, any::<prop::sample::Index>()), 1..80)
        ) {
            let mut group = Group::default();
            for act in acts {
                group.act(act);
                group.check()?;
            }
            // All that are dead are taken for dead, and the others go on.
            let (members, rows) = (&group.members, &mut group.rows);
            rows.retain(|name, _| members.contains_key(name));
            let names: Vec<_> = group.members.keys().cloned().collect();
            for name in names.iter().cycle().take(4 * names.len()) {
                group.beat(name);
                group.check()?;
            }
            let held = group.members.values().map(|member| member.standing.held().len());
            prop_assert_eq!(held.sum::<usize>(), if names.is_empty() { 0 } else { clusters().len() });
        }
    }

    #[test]
    fn one_alone_begins_with_its_second_beat_and_what_comes_later_at_once() {
        let mut standing = Standing::new("a".into());
        let all = clusters();
        let beat = |standing: &mut Standing, fence| {
            let rows = BTreeMap::from([("a".to_owned(), standing.view())]);
            standing.told(&rows, fence, false);
        };
        beat(&mut standing, 1);
        standing.take(&all[..2]);
        assert!(!standing.is_agreed() && standing.held().is_empty());
        beat(&mut standing, 2);
        standing.take(&all[..2]);
        standing.take(&all[..3]);
        assert!(standing.is_agreed());
        assert_eq!(standing.held().len(), 3);
        beat(&mut standing, 3);
        assert!(standing.held().values().all(|fence| *fence == 2), "kept");
    }
}
