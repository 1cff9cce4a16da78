//! Which works of a `ManifestWorkReplicaSet` are written now, which wait, which go.
//!
//! | module | what it is |
//! |---|---|
//! | [`groups`] | the clusters of a placement by decision group: sdk-go's `PlacementDecisionClustersTracker` |
//! | [`steps`] | which clusters come next: sdk-go's `RolloutHandler` |
//! | `limits` | what may fail, and how long is waited |
//! | [`progress`] | how far a cluster is, from its work's conditions |
//! | [`works`] | the works that are to be |
//! | `summary` | numbers and conditions |
//!
//! Where we differ from OCM: two sets of one name in two namespaces do not fight for one work of a cluster, the second
//! takes another name; and a placement that does not exist (yet) takes no works away, as an empty one does.
//!
//! **Architecture invariant:** pure.

pub mod groups;
mod limits;
pub mod progress;
pub mod steps;
mod summary;
#[cfg(test)]
mod tests;
pub mod works;

use crate::ocm::replicaset::{ManifestWorkReplicaSetStatus, PlacementRef};
use crate::ocm::unsupported::Unsupported;
use crate::ocm::{
    ManifestWork, ManifestWorkReplicaSet, Placement, PlacementDecision, is_deleting, name,
    namespace,
};
use crate::ocm::{duration, share};
use groups::Groups;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use progress::Progress;
use std::collections::BTreeSet;
use steps::{ClusterProgress, Step};
use summary::Tally;
use works::Owned;

/// OCM ignores them too, silently.
const ALL_AT_ONCE: &str = "all clusters are begun at once, so it changes nothing";

/// What there is.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// Whose works are looked at.
    pub set: &'a ManifestWorkReplicaSet,
    /// Of the set's namespace at least.
    pub placements: &'a [Placement],
    /// Of the set's namespace at least.
    pub decisions: &'a [PlacementDecision],
    /// All works of all clusters that have this set's label, and those that have its name.
    pub works: &'a [&'a ManifestWork],
    /// The hub's clock.
    pub now: Timestamp,
}

/// What shall be.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Works to be written, whole, by server-side apply; their spec is the template as it is.
    pub write: Vec<serde_json::Value>,
    /// Works to be deleted: namespace and name.
    pub delete: Vec<(String, String)>,
    /// Clusters that took too long.
    pub timed_out: Vec<String>,
    /// The set's status.
    pub status: ManifestWorkReplicaSetStatus,
    /// When to ask again, though nothing has changed.
    pub recheck: Option<Timestamp>,
    /// Whether the set's finalizer can go.
    pub finished: bool,
}

/// Plans the works of a set.
pub fn plan(world: &World<'_>) -> Plan {
    let owned = Owned::of(world);
    if is_deleting(&world.set.metadata) {
        return farewell(world, &owned);
    }
    let mut tally = Tally::new(world);
    let mut plan = Plan {
        write: Vec::new(),
        delete: owned.of_no_placement(world),
        timed_out: Vec::new(),
        status: world.set.status.clone(),
        recheck: None,
        finished: false,
    };
    for reference in &world.set.spec.placement_refs {
        of_placement(world, &owned, reference, &mut plan, &mut tally);
    }
    plan.delete.sort();
    plan.delete.dedup();
    plan.status = tally.status(world);
    plan
}

/// A set that is being deleted takes its works with it.
fn farewell(world: &World<'_>, owned: &Owned<'_>) -> Plan {
    let left: Vec<_> = owned.all().collect();
    let background = world.set.spec.cascade_deletion_policy.as_str() != "Foreground";
    let all_told = left.iter().all(|it| is_deleting(&it.metadata));
    Plan {
        write: Vec::new(),
        delete: left
            .iter()
            .filter(|it| !is_deleting(&it.metadata))
            .map(|it| works::key(it))
            .collect(),
        timed_out: Vec::new(),
        status: world.set.status.clone(),
        recheck: None,
        finished: left.is_empty() || (background && all_told),
    }
}

fn of_placement(
    world: &World<'_>,
    owned: &Owned<'_>,
    reference: &PlacementRef,
    plan: &mut Plan,
    tally: &mut Tally,
) {
    let here = namespace(world.set);
    let wanted = reference.name.as_str();
    let mut placements = world.placements.iter();
    let found = placements.find(|it| namespace(*it) == here && name(*it) == wanted);
    let Some(placement) = found else {
        return tally.no_placement(wanted);
    };
    let decisions = world.decisions.iter().filter(|it| it.is_of(here, wanted));
    let groups = Groups::of(decisions);
    let existing = owned.of_placement(wanted);
    let known = known(world, &existing);
    let step = match steps::next(&reference.rollout_strategy, &groups, &known, world.now) {
        Ok(step) => step,
        Err(message) => return tally.wrong_strategy(wanted, &message),
    };
    let removed: BTreeSet<&str> = existing
        .iter()
        .map(|it| namespace(*it))
        .filter(|cluster| !groups.has(cluster))
        .collect();
    let gone = existing
        .iter()
        .filter(|it| removed.contains(namespace(**it)));
    plan.delete.extend(gone.map(|it| works::key(it)));
    write(world, owned, wanted, (&step, &known), plan);
    plan.recheck = plan.recheck.into_iter().chain(step.recheck).min();
    tally.placement(placement, &groups, &existing, &step, &known);
}

/// How far the clusters are whose works say what the template says; the others have everything before them.
fn known(world: &World<'_>, works: &[&ManifestWork]) -> Vec<ClusterProgress> {
    let template = &world.set.spec.manifest_work_template;
    let current = works.iter().filter(|it| works::says(it, template));
    current
        .map(|it| progress::of(it))
        .filter(|it| it.progress != Progress::Unknown)
        .collect()
}

/// Writes what is new; a work that says what it shall and waits for its agent is not written again.
fn write(
    world: &World<'_>,
    owned: &Owned<'_>,
    placement: &str,
    (step, known): (&Step, &[ClusterProgress]),
    plan: &mut Plan,
) {
    for cluster in &step.rollout {
        let said = known.iter().any(|it| it.cluster == cluster.cluster);
        if cluster.progress == Progress::ToApply && !said {
            let work = works::build(world, owned, &cluster.cluster, placement);
            plan.write.push(work);
        }
    }
    let late = step.timed_out.iter().map(|it| it.cluster.clone());
    plan.timed_out.extend(late);
}

/// What of a set we do not do.
pub fn unsupported(set: &ManifestWorkReplicaSet) -> Vec<Unsupported> {
    let mut all = Vec::new();
    for reference in &set.spec.placement_refs {
        let said = reference.rollout_strategy.all.clone().unwrap_or_default();
        let field = |name: &str| {
            let of = &reference.name;
            format!("spec.placementRefs[{of}].rolloutStrategy.all.{name}")
        };
        if said
            .min_success_time
            .as_deref()
            .and_then(duration::parse)
            .is_some_and(|it| !it.is_zero())
        {
            all.push(Unsupported::new(field("minSuccessTime"), ALL_AT_ONCE));
        }
        if said
            .max_failures
            .is_some_and(|it| share::of(&it, 100) != Some(0))
        {
            all.push(Unsupported::new(field("maxFailures"), ALL_AT_ONCE));
        }
    }
    all
}

/// That long after a moment.
pub(super) fn after(moment: Timestamp, by: std::time::Duration) -> Option<Timestamp> {
    moment.checked_add(SignedDuration::try_from(by).ok()?).ok()
}
