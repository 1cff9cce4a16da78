//! What a hub serves: each cluster's work, to that cluster's user only; and to everybody who may look, what it knows of
//! clusters, places and works. Values of Secrets that are in works are not among that.

use super::controller::Feeds;
use crate::kubernetes::Kubernetes;
use crate::protocol::message::{Selection, View};
use crate::protocol::names::UserName;
use crate::protocol::topics::Segment;
use crate::source::{BoxFuture, Event, Held, Identity, Refusal, Resolved, Upstream, UpstreamError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc;

/// What stands for a cluster's name in `--agent-user`.
pub(super) const CLUSTER: &str = "{cluster}";

/// The groups whose objects everybody may see.
const SHOWN: [&str; 2] = [
    "cluster.open-cluster-management.io",
    "work.open-cluster-management.io",
];

/// The upstream of a hub's source.
pub(super) struct Serving {
    /// The hub's API server, as people may see it.
    pub(super) shown: Kubernetes,
    pub(super) feeds: Arc<Feeds>,
    pub(super) agents: AgentUsers,
}

/// Which user of the broker is which cluster's agent.
pub(super) struct AgentUsers {
    pattern: String,
    /// The broker has no users: whoever asks, nobody knows who it is.
    anonymous: bool,
    warned: AtomicBool,
}

impl AgentUsers {
    pub(super) fn new(pattern: &str, own_user: &str) -> Self {
        Self {
            pattern: pattern.to_owned(),
            anonymous: own_user == UserName::anonymous().as_str(),
            warned: AtomicBool::new(false),
        }
    }

    /// Whether a user, as topics spell it, is the agent of that cluster.
    fn is_agent(&self, user: &str, cluster: &str) -> bool {
        if self.anonymous {
            if !self.warned.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    "the hub is nobody in particular at this broker, so nobody can be told from anybody: whoever \
                     reaches the broker can have every cluster's work; give it users, and --username"
                );
            }
            return true;
        }
        let name = UserName::new(&self.pattern.replace(CLUSTER, cluster));
        name.is_ok_and(|name| Segment::from(&name).as_str() == user)
    }
}

impl Upstream for Serving {
    fn admit(&self, user: &str, selection: &Selection) -> Result<(), Refusal> {
        let cluster = &selection.namespace;
        if selection.view != View::Work {
            return Ok(());
        }
        if self.agents.is_agent(user, cluster) {
            // Asked anew each time: a stream that is open still has what it had before it was refused.
            return self.feeds.refusal(cluster).map_or(Ok(()), Err);
        }
        Err(Refusal {
            code: 403,
            reason: "Forbidden".into(),
            message: format!(
                "the user {user:?} of the broker is not the agent of {cluster:?}: see the hub's --agent-user"
            ),
        })
    }

    fn resolve<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> BoxFuture<'a, Result<Resolved, UpstreamError>> {
        Box::pin(async move {
            match selection.view {
                View::Work => Ok(Resolved::own(
                    View::Work,
                    "work",
                    "Work",
                    &selection.namespace,
                )),
                View::Rows | View::Objects => is_shown(self.shown.resolve(selection).await?),
                _ => self.shown.resolve(selection).await,
            }
        })
    }

    fn run<'a>(
        &'a self,
        selection: &'a Resolved,
        events: mpsc::Sender<Event>,
    ) -> BoxFuture<'a, ()> {
        match selection.view {
            View::Work => Box::pin(Held::serve(self.feeds.of(&selection.namespace), events)),
            _ => self.shown.run(selection, events),
        }
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), String>> {
        self.shown.probe()
    }

    fn identify(&self) -> BoxFuture<'_, Result<Identity, String>> {
        self.shown.identify()
    }

    fn now_ms(&self) -> u64 {
        self.shown.now_ms()
    }
}

/// What it is, if everybody may see it.
fn is_shown(resolved: Resolved) -> Result<Resolved, UpstreamError> {
    if SHOWN.contains(&resolved.group.as_str()) {
        return Ok(resolved);
    }
    Err(UpstreamError::Refused(Refusal {
        code: 403,
        reason: "Forbidden".into(),
        message: format!(
            "this is a hub: it shows what it knows of clusters, placements and works, and no {}",
            resolved.plural
        ),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_hubs_own_cluster_nothing_is_shown() {
        let resolved = |group: &str| Resolved {
            group: group.to_owned(),
            ..Resolved::own(View::Rows, "things", "Thing", "")
        };
        for group in SHOWN {
            assert!(is_shown(resolved(group)).is_ok(), "{group}");
        }
        let refused = is_shown(resolved("")).unwrap_err();
        assert!(matches!(refused, UpstreamError::Refused(it) if it.message.ends_with("no things")));
    }

    #[test]
    fn only_its_own_user_gets_a_clusters_work() {
        let users = AgentUsers::new("agent-{cluster}", "hub");
        assert!(users.is_agent("agent-a", "a"));
        assert!(users.is_agent("agent-a%2Fb", "a/b"), "as topics spell it");
        for user in ["agent-b", "a", "-", "hub"] {
            assert!(!users.is_agent(user, "a"), "{user}");
        }
        assert!(AgentUsers::new("{cluster}", "-").is_agent("-", "a"));
    }
}
