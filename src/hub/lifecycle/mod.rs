//! What a `ManagedCluster` is, from what is heard of it: pending, accepted, joined, available, going.
//!
//! | module | what it is |
//! |---|---|
//! | [`accept`] | who is let in without being asked for |
//! | `claims` | what a cluster says of itself |
//! | `health` | conditions and taints |
//! | [`labels`] | which labels an agent may choose |
//! | [`farewell`] | the steps by which a cluster goes |
//!
//! # Rules
//! - Presence makes a cluster, nothing else does; a cluster that was never accepted and is gone stays, pending.
//! - Acceptance is a person's word: who took it back is not accepted again by a pattern.
//! - Another cluster under a name that is taken (by the uid of its `kube-system`) is not the one that was accepted: it
//!   joins nothing until somebody deletes the old one.
//! - Silence takes nothing away: it makes a condition, and after five leases a taint. Only a person deletes a cluster.
//! - A cluster that comes back after a year is one that was silent for long, or, if it was deleted, a new one: pending,
//!   and so without a stream of work, and so without a reason to remove what it has.
//!
//! **Architecture invariant:** pure.

pub mod accept;
mod claims;
pub mod farewell;
mod health;
pub mod labels;
#[cfg(test)]
mod tests;

pub use claims::ID_CLAIM;
pub use health::unreachable_after;

use crate::ocm::cluster::{
    ClusterClaim, HUB_ACCEPTED, JOINED, ManagedClusterStatus, ManagedClusterVersion,
};
use crate::ocm::conditions::{condition, find, observed, set};
use crate::ocm::{ManagedCluster, Taint, is_deleting, name};
use accept::Patterns;
use farewell::{Farewell, Home, Leftovers};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// Our finalizer of a cluster.
pub const FINALIZER: &str = "mqinformer.io/cluster";

/// What is heard of a cluster's agent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contact {
    /// Whether its presence says that it is here; its last will says that it is not.
    pub online: bool,
    /// What it says is a copy that is proven to be fresh.
    pub proven: bool,
    /// When it was heard last, by the hub's clock; nothing: not by this hub process.
    pub heard: Option<Timestamp>,
    /// What its API server said last, if that was not well.
    pub trouble: Option<String>,
    /// The uid of its `kube-system`.
    pub uid: String,
    /// `v1.36.0`
    pub kubernetes: Option<String>,
    /// All that its nodes have.
    pub capacity: BTreeMap<String, Value>,
    /// What of it pods can have.
    pub allocatable: BTreeMap<String, Value>,
    /// What it says of itself.
    pub claims: Vec<ClusterClaim>,
    /// It has confirmed that it was let go.
    pub detached: bool,
}

/// What there is.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// The name in question.
    pub name: &'a str,
    /// As the API server has it.
    pub cluster: Option<&'a ManagedCluster>,
    /// What is heard of it; none: nothing ever.
    pub contact: Option<&'a Contact>,
    /// Why no cluster can have that name, if none can.
    pub impossible: Option<&'a str>,
    /// Who is let in without being asked for.
    pub auto_accept: &'a Patterns,
    /// What is left of it, should it go.
    pub leftovers: Leftovers,
    /// Since when this hub has been listening: before, it cannot have heard anybody.
    pub listening: Timestamp,
    /// The hub's clock.
    pub now: Timestamp,
}

/// What shall be done, in this order; each is done again as long as it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Make the cluster, accepted or not.
    Create {
        /// `spec.hubAcceptsClient`
        accepted: bool,
    },
    /// Put our finalizer on it.
    AddFinalizer,
    /// Set `spec.hubAcceptsClient`.
    Accept,
    /// Make its namespace, labelled with its name.
    MakeNamespace,
    /// Write its taints, all of them: those of others are among them.
    Taint(Vec<Taint>),
    /// Write its status.
    Status(Box<ManagedClusterStatus>),
    /// A step of its farewell.
    Farewell(Farewell),
}

/// What shall be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// What is to be done now.
    pub actions: Vec<Action>,
    /// Whether its work may be sent to it.
    pub serves_work: bool,
    /// When to ask again, though nothing has changed.
    pub recheck: Option<Timestamp>,
}

/// Plans the next actions for one name.
pub fn plan(world: &World<'_>) -> Plan {
    match (world.cluster, world.impossible) {
        (Some(cluster), Some(why)) => refused(world, cluster, why),
        (None, Some(_)) => Plan::default(),
        (cluster, None) => possible(world, cluster),
    }
}

fn possible(world: &World<'_>, cluster: Option<&ManagedCluster>) -> Plan {
    match cluster {
        Some(cluster) if cluster.metadata.deletion_timestamp.is_some() => leaving(world, cluster),
        Some(cluster) => living(world, cluster),
        None => born(world),
    }
}

fn born(world: &World<'_>) -> Plan {
    let present = world.contact.is_some_and(|it| it.online);
    let accepted = world.auto_accept.matches(world.name);
    let create = present.then_some(Action::Create { accepted });
    Plan {
        actions: create.into_iter().collect(),
        ..Plan::default()
    }
}

/// Its namespace is somebody else's: nothing in there is touched, whatever becomes of the cluster.
fn refused(world: &World<'_>, cluster: &ManagedCluster, why: &str) -> Plan {
    let mut status = cluster.status.clone();
    let said = condition(JOINED, false, "NameRefused", why, world.now);
    let generation = cluster.metadata.generation;
    set(&mut status.conditions, observed(said, generation));
    let status = (status != cluster.status).then(|| Action::Status(Box::new(status)));
    let held = cluster.metadata.finalizers.iter().flatten();
    let is_held = held.clone().any(|it| it == FINALIZER) && is_deleting(&cluster.metadata);
    let free = is_held.then_some(Action::Farewell(Farewell::LetGo));
    Plan {
        actions: status
            .filter(|_| !is_deleting(&cluster.metadata))
            .into_iter()
            .chain(free)
            .collect(),
        ..Plan::default()
    }
}

fn living(world: &World<'_>, cluster: &ManagedCluster) -> Plan {
    let mut plan = Plan::default();
    let finalizers = cluster.metadata.finalizers.as_deref().unwrap_or_default();
    if !finalizers.iter().any(|it| it == FINALIZER) {
        plan.actions.push(Action::AddFinalizer);
    }
    let undecided = find(&cluster.status.conditions, HUB_ACCEPTED).is_none();
    let accepted = cluster.spec.hub_accepts_client;
    if !accepted && undecided && world.auto_accept.matches(name(cluster)) {
        plan.actions.push(Action::Accept);
    }
    let (health, recheck) = health::judge(world, cluster);
    if accepted && world.leftovers.namespace == Home::Nowhere {
        plan.actions.push(Action::MakeNamespace);
    }
    if let Some(taints) = health::taints(world, cluster, &health) {
        plan.actions.push(Action::Taint(taints));
    }
    let status = status(world, cluster, &health);
    if status != cluster.status {
        plan.actions.push(Action::Status(Box::new(status)));
    }
    // Who comes next under the name may be another one, and is judged first.
    plan.serves_work = accepted && health.is_the_same && is_here(world);
    plan.recheck = recheck;
    plan
}

fn leaving(world: &World<'_>, cluster: &ManagedCluster) -> Plan {
    let finalizers = cluster.metadata.finalizers.as_deref().unwrap_or_default();
    if !finalizers.iter().any(|it| it == FINALIZER) {
        return Plan::default();
    }
    let (health, _) = health::judge(world, cluster);
    let step = farewell::next(world, cluster, &health);
    let mut told = cluster.clone();
    farewell::tell(&mut told, &step, world, &health);
    let mut actions = Vec::new();
    if told.status != cluster.status && step != Farewell::LetGo {
        actions.push(Action::Status(Box::new(told.status)));
    }
    // The deletes of its works have to reach it, and no other one, so its stream goes on until it is told to forget the hub.
    let serves_work =
        health.is_the_same && matches!(step, Farewell::DeleteWorks { .. } | Farewell::TellAgent);
    actions.push(Action::Farewell(step));
    Plan {
        actions,
        serves_work: serves_work && cluster.spec.hub_accepts_client && is_here(world),
        recheck: None,
    }
}

fn is_here(world: &World<'_>) -> bool {
    world.contact.is_some_and(|it| it.online)
}

/// The status, with what the agent says of its cluster, as long as it is the one that was accepted.
fn status(
    world: &World<'_>,
    cluster: &ManagedCluster,
    health: &health::Health,
) -> ManagedClusterStatus {
    let mut status = cluster.status.clone();
    status.conditions = health::conditions(world, cluster, health);
    let Some(contact) = world.contact.filter(|_| health.is_the_same) else {
        return status;
    };
    if !cluster.spec.hub_accepts_client || !contact.online {
        return status;
    }
    // One that has not counted its nodes yet is no cluster without any: placements would leave it.
    if !contact.capacity.is_empty() {
        status.capacity.clone_from(&contact.capacity);
    }
    if !contact.allocatable.is_empty() {
        status.allocatable.clone_from(&contact.allocatable);
    }
    status.version = ManagedClusterVersion {
        kubernetes: contact.kubernetes.clone(),
    };
    status.cluster_claims = claims::all(cluster, contact);
    status
}
