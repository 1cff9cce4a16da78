//! Several controlplanes share the clusters: who of them takes which.
//!
//! | module | what |
//! |---|---|
//! | `hashing` | who takes a cluster, from the list of members |
//! | `standing` | when a member may take what is its own, and when it gives it up |
//! | `leases` | the list of members as Leases, for those without a database |
//!
//! There is no leader, and nothing is written for a cluster: each member says that it is there and by which list it acts
//! ([`Store::beat`], or a Lease), and the rest follows from the list. One that cannot say so for a whole lease stops
//! copying into the hub by itself; what it still writes into the database is refused there as soon as somebody else has
//! taken the stream over ([`crate::store::Batch::fence`]).

mod hashing;
mod join;
mod leases;
mod options;
mod standing;

pub(super) use join::join;
pub(super) use options::ShareArgs;

use crate::informer::{Clusters, Informer};
use crate::kubernetes::Kubernetes;
use crate::protocol::names::ClusterName;
use crate::store::{Beat, Store};
use leases::Leases;
use standing::Standing;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

/// What one member has of the clusters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Holding {
    /// Its clusters, each with the fencing token for what is written of it.
    pub(super) clusters: BTreeMap<ClusterName, u64>,
    /// Without news by then, others take them.
    pub(super) until: Option<Instant>,
    /// How many share them.
    pub(super) members: usize,
    /// Why it hears nothing of the others; none if it does.
    pub(super) trouble: Option<String>,
}

/// How it is heard of.
pub(super) type Held = watch::Receiver<Holding>;

impl Holding {
    /// The names of its clusters.
    pub(super) fn names(&self) -> BTreeSet<ClusterName> {
        self.clusters.keys().cloned().collect()
    }

    /// Others may have taken them.
    pub(super) fn is_lapsed(&self) -> bool {
        self.until.is_none_or(|until| until <= Instant::now())
    }
}

/// Waits until other clusters are this process's; for ever if they are not shared.
pub(super) async fn changed(share: Option<&mut Held>) {
    let gone = match share {
        Some(held) => held.changed().await.is_err(),
        None => true,
    };
    if gone {
        std::future::pending::<()>().await;
    }
}

/// Where members find each other.
enum Registry {
    Store { store: Store, share: String },
    Leases(Box<Leases>),
}

impl Registry {
    /// One in the hub's API server.
    fn leases(kubernetes: Kubernetes, namespace: &str, share: &str) -> Self {
        let leases = Leases::new(kubernetes, namespace.into(), share.into());
        Self::Leases(Box::new(leases))
    }

    async fn beat(
        &mut self,
        me: &str,
        view: u64,
        lease: Duration,
    ) -> Result<(BTreeMap<String, u64>, u64), String> {
        match self {
            Self::Store { store, share } => {
                let beat = Beat {
                    share,
                    member: me,
                    view,
                    lease,
                };
                let beaten = store.beat(&beat).await.map_err(|error| error.to_string())?;
                Ok((beaten.members, beaten.fence))
            }
            Self::Leases(leases) => {
                let members = leases.beat(me, view, lease).await;
                Ok((members.map_err(|error| error.to_string())?, 0))
            }
        }
    }

    async fn leave(&self, me: &str) -> Result<(), String> {
        match self {
            Self::Store { store, share } => store.leave(share, me).await.map_err(|e| e.to_string()),
            Self::Leases(leases) => leases.leave(me).await.map_err(|e| e.to_string()),
        }
    }
}

/// A member at work.
pub(super) struct Share {
    held: Held,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Share {
    /// Joins the group; what it has is told as soon as it is known.
    fn start(registry: Registry, lease: Duration, clusters: Clusters, informer: &Informer) -> Self {
        let me = format!("{:016x}", rand::random::<u64>());
        let (told, held) = watch::channel(Holding::default());
        let (stop, stopped) = watch::channel(false);
        let member = Member {
            standing: Standing::new(me.clone()),
            me,
            registry,
            lease,
            clusters,
            told,
        };
        let task = tokio::spawn(member.run(informer.clone(), stopped));
        Self { held, stop, task }
    }

    /// What it has.
    pub(super) fn held(&self) -> Held {
        self.held.clone()
    }

    /// Leaves the group, so that the others need not wait. To be called when nothing is written any more.
    pub(super) async fn ended(&mut self, at_most: Duration) {
        self.stop.send_replace(true);
        if timeout(at_most, &mut self.task).await.is_err() {
            tracing::warn!("the others were not told in time that this one goes");
            self.task.abort();
        }
    }
}

struct Member {
    me: String,
    standing: Standing,
    registry: Registry,
    lease: Duration,
    clusters: Clusters,
    told: watch::Sender<Holding>,
}

impl Member {
    async fn run(mut self, informer: Informer, mut stop: watch::Receiver<bool>) {
        let mut presences = informer.clusters();
        let mut next = Instant::now();
        loop {
            let due = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = sleep_until(next) => true,
                Ok(()) = presences.changed() => false,
            };
            if due {
                next = self.beat().await;
            }
            let known = Arc::clone(&presences.borrow_and_update());
            self.take(known.keys());
        }
        let _ = timeout(self.lease / 2, self.registry.leave(&self.me)).await;
    }

    /// Says that it is there; answers when it will next.
    async fn beat(&mut self) -> Instant {
        let begun = Instant::now();
        let published = self.standing.view();
        let beat = self.registry.beat(&self.me, published, self.lease);
        let answer = timeout(self.lease / 2, beat).await;
        let answer = answer.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        let (members, fence) = match answer {
            Ok(answer) => answer,
            Err(why) => {
                self.in_vain(why);
                return Instant::now() + self.soon();
            }
        };
        let lapsed = self.told.borrow().is_lapsed();
        self.standing.told(&members, fence, lapsed);
        self.told.send_modify(|told| {
            told.until = Some(begun + self.lease);
            if told.trouble.take().is_some() {
                tracing::info!("the other controlplanes are heard of again");
            }
            let members = self.standing.members();
            if std::mem::replace(&mut told.members, members) != members {
                tracing::info!(members, "controlplanes that share the clusters");
            }
        });
        match (self.standing.view() != published, self.standing.is_agreed()) {
            (true, _) => Instant::now(),
            (false, false) => begun + self.soon(),
            (false, true) => begun + self.lease / 3,
        }
    }

    /// While others are to answer.
    fn soon(&self) -> Duration {
        self.lease / 15
    }

    fn in_vain(&self, why: String) {
        self.told.send_modify(|told| {
            if told.trouble.is_none() {
                tracing::warn!("the other controlplanes are not heard of: {why}");
            }
            told.trouble = Some(why);
        });
    }

    /// Takes what it may of the clusters that there are, and tells what it has.
    fn take<'a>(&mut self, known: impl Iterator<Item = &'a ClusterName>) {
        let clusters = &self.clusters;
        self.standing
            .take(known.filter(|name| clusters.matches(name)));
        self.standing.take(clusters.named());
        let held = self.standing.held();
        self.told.send_if_modified(|told| {
            let news = told.clusters != *held;
            if news {
                told.clusters.clone_from(held);
            }
            news
        });
    }
}
