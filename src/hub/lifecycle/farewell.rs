//! The steps by which a cluster goes. Each is asked for until the world says that it is done; no delete is lost.
//!
//! works deleted (their agent removes what they put there, and says so) → agent told to forget the hub → namespace gone
//! → finalizer dropped. A cluster that nobody will ever hear from again is let go by the annotation [`ABANDON`].

use super::health::Health;
use super::{ID_CLAIM, World};
use crate::ocm::ManagedCluster;
use crate::ocm::cluster::JOINED;
use crate::ocm::conditions::{condition, is_true, set};

/// With `"true"`, nobody waits for the cluster: what is in it stays there.
pub const ABANDON: &str = "mqinformer.io/abandon";
/// The condition that says how far a farewell is.
pub const LEAVING: &str = "mqinformer.io/Leaving";

/// What is left of a cluster on the hub.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Works in its namespace.
    pub works: usize,
    /// The namespace of its name.
    pub namespace: Home,
}

/// The namespace of a cluster's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Home {
    /// There is none.
    #[default]
    Nowhere,
    /// The hub has made it for just this cluster.
    Ours,
    /// Somebody else has: it is used, and stays when the cluster goes.
    Theirs,
}

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// Delete its works; `abandon`: their finalizers too.
    DeleteWorks {
        /// How many are left.
        left: usize,
        /// Nobody waits for the agent.
        abandon: bool,
    },
    /// Tell the agent to forget the hub, until it confirms.
    TellAgent,
    /// Delete its namespace.
    DeleteNamespace,
    /// Drop our finalizer.
    LetGo,
}

/// The step that is next.
pub(super) fn next(world: &World<'_>, cluster: &ManagedCluster, health: &Health) -> Farewell {
    let annotations = cluster.metadata.annotations.as_ref();
    let said = annotations.and_then(|it| it.get(ABANDON));
    let abandon = said.is_some_and(|it| it == "true");
    let left = world.leftovers.works;
    // Who never joined has nothing of ours. One whose name another cluster has taken did join, and has.
    let known = cluster.claim(ID_CLAIM).is_some_and(|it| !it.is_empty());
    let joined = known || is_true(&cluster.status.conditions, JOINED);
    let contact = world.contact.filter(|_| health.is_the_same);
    let told = contact.is_some_and(|it| it.detached);
    if left > 0 {
        return Farewell::DeleteWorks {
            left,
            abandon: abandon || !joined,
        };
    }
    if joined && !told && !abandon {
        return Farewell::TellAgent;
    }
    match world.leftovers.namespace {
        Home::Ours => Farewell::DeleteNamespace,
        Home::Nowhere | Home::Theirs => Farewell::LetGo,
    }
}

/// Says how far it is, and what it waits for.
pub(super) fn tell(
    cluster: &mut ManagedCluster,
    step: &Farewell,
    world: &World<'_>,
    health: &Health,
) {
    let online = world.contact.is_some_and(|it| it.online);
    let hint = match (cluster.spec.hub_accepts_client, online) {
        (true, _) if !health.is_the_same => format!(
            "; another cluster uses its name now, and is told nothing: this one is waited for, unless the annotation \
             {ABANDON}: \"true\" says that what is in it stays"
        ),
        (true, true) => String::new(),
        (true, false) => format!(
            "; its agent is not here: it is waited for, unless the annotation {ABANDON}: \"true\" says otherwise"
        ),
        (false, _) => format!(
            "; the cluster is denied, so its agent is told nothing: it is waited for, unless spec.hubAcceptsClient \
             becomes true again, or the annotation {ABANDON}: \"true\" says that nothing shall be removed there"
        ),
    };
    let (reason, message) = match step {
        Farewell::DeleteWorks { left, .. } => {
            ("DeletingWorks", format!("{left} works are left{hint}"))
        }
        Farewell::TellAgent => (
            "TellingAgent",
            format!("the agent has not confirmed yet{hint}"),
        ),
        Farewell::DeleteNamespace => (
            "DeletingNamespace",
            "its namespace is being deleted".to_owned(),
        ),
        Farewell::LetGo => ("Done", String::new()),
    };
    set(
        &mut cluster.status.conditions,
        condition(LEAVING, true, reason, message, world.now),
    );
}
