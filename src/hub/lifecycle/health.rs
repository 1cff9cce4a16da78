//! The conditions and taints of a cluster.

use super::{Contact, ID_CLAIM, World};
use crate::ocm::cluster::{AVAILABLE, HUB_ACCEPTED, JOINED, TAINT_UNAVAILABLE, TAINT_UNREACHABLE};
use crate::ocm::conditions::{State, condition, find, is_true, observed, set};
use crate::ocm::{Condition, ManagedCluster, Taint, TaintEffect, Time};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

/// How many leases of silence make a cluster unreachable, as in OCM.
const LEASES: i64 = 5;

/// How a cluster is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Health {
    /// The one that speaks is the one that was accepted.
    pub(super) is_the_same: bool,
    /// Whether it has ever been here, accepted.
    joined: bool,
    state: Liveness,
}

#[derive(Clone, Debug, PartialEq)]
enum Liveness {
    /// It was never here, or is not accepted: there is nothing to say.
    Unasked,
    Well,
    /// It is here, its API server is not well.
    Trouble(String),
    /// It says that it is gone, but not for long.
    Away,
    /// It is here, and has not said yet how its API server is.
    Unproven,
    /// This hub has only begun to listen.
    Unheard,
    /// Nothing is heard of it.
    Silent,
}

/// After how much silence a cluster counts as unreachable.
pub fn unreachable_after(cluster: &ManagedCluster) -> SignedDuration {
    SignedDuration::from_secs(i64::from(cluster.lease_seconds()) * LEASES)
}

/// How a cluster is, and when that changes by itself.
pub(super) fn judge(world: &World<'_>, cluster: &ManagedCluster) -> (Health, Option<Timestamp>) {
    let known = cluster.claim(ID_CLAIM).filter(|it| !it.is_empty());
    let is_the_same = world
        .contact
        .is_none_or(|it| it.uid.is_empty() || known.is_none_or(|known| known == it.uid));
    let contact = world.contact.filter(|_| is_the_same);
    let before = is_true(&cluster.status.conditions, JOINED);
    let here = contact.is_some_and(|it| it.online);
    let joined = before || (here && cluster.spec.hub_accepts_client);
    let (state, recheck) = match joined {
        true => liveness(world, cluster, contact),
        false => (Liveness::Unasked, None),
    };
    let health = Health {
        is_the_same,
        joined,
        state,
    };
    (health, recheck)
}

fn liveness(
    world: &World<'_>,
    cluster: &ManagedCluster,
    contact: Option<&Contact>,
) -> (Liveness, Option<Timestamp>) {
    // A hub that has just begun has heard nobody: its own silence is not theirs.
    let heard = contact.and_then(|it| it.heard).unwrap_or(world.listening);
    let deadline = heard.checked_add(unreachable_after(cluster)).ok();
    let Some(deadline) = deadline.filter(|it| *it > world.now) else {
        return (Liveness::Silent, None);
    };
    let state = match contact {
        Some(it) if it.online => match &it.trouble {
            Some(trouble) => Liveness::Trouble(trouble.clone()),
            None if it.proven => Liveness::Well,
            None => Liveness::Unproven,
        },
        Some(_) => Liveness::Away,
        None => Liveness::Unheard,
    };
    (state, Some(deadline))
}

/// The conditions, those of others left as they are.
pub(super) fn conditions(
    world: &World<'_>,
    cluster: &ManagedCluster,
    health: &Health,
) -> Vec<Condition> {
    let mut all = cluster.status.conditions.clone();
    let generation = cluster.metadata.generation;
    let mut put = |kind, state: State, reason, message: String| {
        let new = condition(kind, state, reason, message, world.now);
        set(&mut all, observed(new, generation));
    };
    let decided = find(&cluster.status.conditions, HUB_ACCEPTED).is_some();
    match cluster.spec.hub_accepts_client {
        true => put(
            HUB_ACCEPTED,
            State::True,
            "HubClusterAdminAccepted",
            "Accepted by hub cluster admin".to_owned(),
        ),
        // Before anybody has decided, a cluster is pending: nobody has denied it.
        false if decided => put(
            HUB_ACCEPTED,
            State::False,
            "HubClusterAdminDenied",
            "Denied by hub cluster admin".to_owned(),
        ),
        false => {}
    }
    if !health.is_the_same {
        let text = "another cluster uses this name: the uid of its kube-system is not the claim id.k8s.io; delete this ManagedCluster to let it in";
        put(JOINED, State::False, "AnotherCluster", text.to_owned());
    } else if health.joined {
        put(
            JOINED,
            State::True,
            "ManagedClusterJoined",
            "Managed cluster joined".to_owned(),
        );
    }
    if let Some((state, reason, message)) = available(&health.state) {
        put(AVAILABLE, state, reason, message);
    }
    all
}

fn available(state: &Liveness) -> Option<(State, &'static str, String)> {
    let text = str::to_owned;
    Some(match state {
        Liveness::Unasked | Liveness::Unheard | Liveness::Unproven => return None,
        Liveness::Well => (
            State::True,
            "ManagedClusterAvailable",
            text("Managed cluster is available"),
        ),
        Liveness::Trouble(trouble) => (
            State::False,
            "ManagedClusterKubeAPIServerUnavailable",
            format!("The kube-apiserver is not ok: {trouble}"),
        ),
        Liveness::Away => (
            State::Unknown,
            "ManagedClusterLeaseUpdateStopped",
            text("The agent has gone offline."),
        ),
        Liveness::Silent => (
            State::Unknown,
            "ManagedClusterLeaseUpdateStopped",
            text("Registration agent stopped updating its lease."),
        ),
    })
}

/// The taints that a cluster shall have, if they are not those that it has.
///
/// An agent that says good-bye may be restarting: nothing moves away from it before it has been silent for long, and
/// nothing comes back to it before it is heard.
pub(super) fn taints(
    world: &World<'_>,
    cluster: &ManagedCluster,
    health: &Health,
) -> Option<Vec<Taint>> {
    let (unreachable, unavailable) = match &health.state {
        _ if !health.is_the_same => (true, false),
        Liveness::Away | Liveness::Unheard | Liveness::Unproven => return None,
        Liveness::Unasked | Liveness::Silent => (true, false),
        Liveness::Trouble(_) => (false, true),
        Liveness::Well => (false, false),
    };
    let mut taints = cluster.spec.taints.clone();
    for (key, wanted) in [
        (TAINT_UNREACHABLE, unreachable),
        (TAINT_UNAVAILABLE, unavailable),
    ] {
        let has = taints.iter().any(|it| it.key == key);
        if wanted && !has {
            taints.push(taint(key, world.now));
        } else if !wanted {
            taints.retain(|it| it.key != key);
        }
    }
    (taints != cluster.spec.taints).then_some(taints)
}

fn taint(key: &str, now: Timestamp) -> Taint {
    Taint {
        key: key.to_owned(),
        effect: TaintEffect::NoSelect,
        time_added: Some(Time(now)),
        value: None,
    }
}
