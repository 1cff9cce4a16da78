//! Reads streams once: waits until a copy is whole, or until it is clear that it will not be.

use crate::clock::wall_ms;
use crate::describe::plan::Found;
use crate::get::StreamView;
use crate::get::member::{At, Circumstances, Member, Standing, Trouble};
use crate::get::messages::{self, Doubt};
use crate::get::plan::Way;
use crate::table::Resource;
use bytes::Bytes;
use mqtt_informer::informer::{Informer, LinkState, Store};
use mqtt_informer::protocol::message::Selection;
use mqtt_informer::protocol::names::{ClusterName, HUB};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// For how long is waited.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// For a cluster that is silent.
    pub(super) timeout: Duration,
    /// For the whole.
    pub(super) end: Option<Duration>,
    /// What is said of a silent cluster depends on it.
    pub(super) way: Way,
}

/// What reads through an informer.
#[derive(Clone)]
pub(super) struct Reader {
    informer: Informer,
    limits: Limits,
    start: Instant,
    discovered: watch::Receiver<bool>,
}

/// A stream as it was read.
pub(super) struct Read {
    pub(super) found: Found,
    /// Why it may be old.
    pub(super) doubt: Option<Doubt>,
    /// The clock of the cluster's API server, ms since 1970.
    pub(super) now_ms: i64,
}

impl Reader {
    pub(super) fn new(informer: Informer, limits: Limits) -> Self {
        let (ended, discovered) = watch::channel(false);
        let asked = informer.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = asked.discovered() => {
                    // Nobody may be left who wants to know.
                    let _ = ended.send(true);
                }
                () = ended.closed() => {}
            }
        });
        Self {
            informer,
            limits,
            start: Instant::now(),
            discovered,
        }
    }

    /// Waits until whoever is there has said so.
    pub(super) async fn discovered(&self) {
        // It fails only if the informer has ended, and then nobody is there.
        let _ = self.discovered.clone().wait_for(|done| *done).await;
    }

    /// Waits until the whole may last no longer.
    pub(super) async fn ended(&self) {
        sleep_until(self.limits.end.map(|end| self.start + end)).await;
    }

    /// The whole of a stream, or why there is none.
    pub(super) async fn read(
        &self,
        cluster: &ClusterName,
        selection: Selection,
    ) -> Result<Read, Trouble> {
        let subscription = self.informer.subscribe(cluster, selection);
        let store = subscription.store();
        let (mut state, mut link) = (store.state(), self.informer.link_state());
        let (mut clusters, mut discovered) = (self.informer.clusters(), self.discovered.clone());
        let mut member = Member::new(cluster.clone(), 1, 1, self.start.elapsed());
        let mut link_up: Option<At> = None;
        loop {
            let at = self.start.elapsed();
            let is_up = matches!(&*link.borrow_and_update(), LinkState::Up);
            link_up = is_up.then(|| link_up.unwrap_or(at));
            if let Some(presence) = clusters.borrow_and_update().get(cluster) {
                (member.known, member.offline) = (true, presence.offline);
            }
            state.borrow_and_update();
            member.see(0, self.view(store));
            let circumstances = Circumstances {
                at,
                discovered: *discovered.borrow_and_update(),
                link_up,
                timeout: self.limits.timeout,
                end: self.limits.end,
            };
            match member.standings(&circumstances).pop() {
                None | Some(Standing::Pending) => {}
                Some(Standing::Whole) => return whole(store, None),
                Some(Standing::Stale(doubt)) => return whole(store, Some(doubt)),
                Some(Standing::Failed(trouble)) => return Err(trouble),
            }
            let deadline = member.deadline(&circumstances);
            tokio::select! {
                Ok(()) = state.changed() => {}
                Ok(()) = link.changed() => {}
                Ok(()) = clusters.changed() => {}
                Ok(()) = discovered.changed() => {}
                () = sleep_until(deadline.map(|deadline| self.start + deadline)) => {}
            }
        }
    }

    /// The line that tells why a cluster has no answer.
    pub(super) fn line(&self, cluster: &ClusterName, trouble: &Trouble) -> String {
        if cluster.as_str() == HUB && matches!(trouble, Trouble::Silent) {
            return messages::no_hub(cluster, self.limits.timeout);
        }
        let known = self.informer.clusters().borrow().contains_key(cluster);
        let mut member = Member::new(cluster.clone(), 1, 1, At::ZERO);
        member.known = known;
        member.line(
            trouble,
            self.limits.timeout,
            self.limits.end.unwrap_or_default(),
            self.limits.way,
        )
    }

    /// The same of a hub.
    pub(super) fn hub_line(&self, hub: &ClusterName, trouble: &Trouble) -> String {
        match trouble {
            Trouble::Silent => messages::no_hub(hub, self.limits.timeout),
            _ => self.line(hub, trouble),
        }
    }

    /// Waits until the broker cannot be reached for good, or for too long; then says why.
    pub(super) async fn broken(&self) -> String {
        let mut link = self.informer.link_state();
        let mut down_since = Instant::now();
        loop {
            let state = link.borrow_and_update().clone();
            let line = match state {
                LinkState::Up => {
                    down_since = Instant::now();
                    None
                }
                LinkState::Down(failure) if failure.permanent => {
                    return messages::broker(&failure.message);
                }
                LinkState::Down(failure) => Some(messages::broker(&failure.message)),
                LinkState::Connecting => Some(messages::broker_silent(self.limits.timeout)),
            };
            let limit = line.is_some().then(|| down_since + self.limits.timeout);
            tokio::select! {
                Ok(()) = link.changed() => {}
                () = sleep_until(limit) => if let Some(line) = line { return line },
            }
        }
    }

    fn view(&self, store: &Store) -> StreamView {
        // The state goes first: what it says is whole is in the snapshot that is taken after it.
        let state = store.state().borrow().clone();
        let heard = store
            .heard_at()
            .map(|at| at.saturating_duration_since(self.start));
        StreamView {
            state,
            heard,
            ..StreamView::default()
        }
    }
}

fn whole(store: &Store, doubt: Option<Doubt>) -> Result<Read, Trouble> {
    let snapshot = store.snapshot();
    let header = snapshot
        .entries
        .get(&Bytes::new())
        .ok_or(Trouble::Malformed)?;
    let resource = Resource::from_header(header).map_err(|_| Trouble::Malformed)?;
    let objects = snapshot
        .objects()
        .map(|(_, value)| serde_json::from_slice(value));
    let objects = objects
        .collect::<Result<_, _>>()
        .map_err(|_| Trouble::Malformed)?;
    let server = store.server_now_ms().and_then(|ms| i64::try_from(ms).ok());
    Ok(Read {
        found: Found { resource, objects },
        doubt,
        now_ms: server.unwrap_or_else(wall_ms),
    })
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
