//! Who takes which cluster: rendezvous hashing.
//!
//! Each member has a number for each cluster, and the one with the largest takes it. So who goes leaves only its own
//! clusters to others, who comes takes only what it wins, and everybody who knows the members knows the answer.
//!
//! Pure. Members of different versions have to agree: the numbers must not change.

use crate::protocol::entries::entry_digest;
use crate::protocol::names::ClusterName;

/// The member that takes a cluster; none if there are no members.
pub(super) fn owner<'a>(
    cluster: &ClusterName,
    members: impl IntoIterator<Item = &'a String>,
) -> Option<&'a String> {
    let number = |member: &&String| entry_digest(member.as_bytes(), cluster.as_str().as_bytes());
    members
        .into_iter()
        .max_by_key(|member| (number(member), *member))
}

/// A list of members as one number, the same for whoever has the same list; never 0.
pub(super) fn view<'a>(members: impl IntoIterator<Item = &'a String>) -> u64 {
    let list = members
        .into_iter()
        .fold(String::new(), |list, member| list + member + "\n");
    entry_digest(b"members", list.as_bytes()).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn members() -> impl Strategy<Value = BTreeSet<String>> {
        prop::collection::btree_set("[0-9a-f]{16}", 2..7)
    }

    fn clusters(count: usize) -> Vec<ClusterName> {
        let name = |n| ClusterName::new(&format!("cluster{n}")).unwrap();
        (0..count).map(name).collect()
    }

    #[test]
    fn members_of_different_versions_agree() {
        let members = ["a", "b", "c"].map(String::from);
        let owners: String = clusters(16)
            .iter()
            .map(|cluster| owner(cluster, &members).unwrap().as_str())
            .collect();
        assert_eq!(owners, "aaabbbaaacbacbba");
        assert_eq!(view(&members), 13_709_716_278_626_467_898);
    }

    proptest! {
        #[test]
        fn only_the_clusters_of_who_goes_move(members in members(), which in any::<prop::sample::Index>()) {
            let gone = members.iter().nth(which.index(members.len())).unwrap();
            let rest: BTreeSet<_> = members.iter().filter(|member| *member != gone).cloned().collect();
            for cluster in clusters(100) {
                let before = owner(&cluster, &members).unwrap();
                let after = owner(&cluster, &rest).unwrap();
                prop_assert!(before == after || before == gone, "{before} to {after}, and {gone} went");
            }
            prop_assert_ne!(view(&members), view(&rest));
        }

        #[test]
        fn the_order_in_which_members_are_told_is_no_matter(members in members()) {
            for cluster in clusters(20) {
                prop_assert_eq!(owner(&cluster, &members), owner(&cluster, members.iter().rev()));
            }
        }

        #[test]
        fn three_share_a_hundred_clusters_fairly(members in prop::collection::btree_set("[0-9a-f]{16}", 3)) {
            let mut shares = BTreeMap::new();
            for cluster in clusters(100) {
                *shares.entry(owner(&cluster, &members).unwrap()).or_insert(0) += 1;
            }
            // 33.3 each, and a standard deviation of 4.7: five of them.
            prop_assert!(shares.len() == 3 && shares.values().all(|share| (10..=57).contains(share)), "{shares:?}");
        }
    }
}
