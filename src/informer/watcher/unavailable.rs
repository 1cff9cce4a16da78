//! Why a copy does not follow its cluster just now, as kube-rs's consumers are told. Pure.

use crate::informer::{Freshness, LinkState, Progress, StreamState};
use crate::protocol::names::ClusterName;
use kube::core::Status;
use kube::runtime::watcher;

/// Why nothing new comes from a cluster. What was told before stays true of the past, and nothing is lost: when the
/// cluster is back, what changed meanwhile follows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The source, or its API server, says no: a Kubernetes Status. It is asked again, slowly.
    #[error("refused: {message} ({reason}, {code})")]
    Refused {
        /// HTTP code.
        code: u16,
        /// `Forbidden`, `NotFound`, ...
        reason: String,
        /// The message, hostile text.
        message: String,
    },
    /// This program cannot reach the broker.
    #[error("the broker cannot be reached: {message}")]
    Broker {
        /// What happened, and what to do.
        message: String,
    },
    /// The cluster's source said goodbye, or the broker said that it is gone.
    #[error("cluster {cluster} is offline: nobody serves it on the broker")]
    Offline {
        /// Which.
        cluster: ClusterName,
    },
    /// The source is there, and its API server does not answer it.
    #[error("cluster {cluster} is stale: its API server does not answer: {message}")]
    ApiServer {
        /// Which.
        cluster: ClusterName,
        /// What happened, one line; hostile text.
        message: String,
    },
    /// What is held could not be proven current for 2.5 heartbeats.
    #[error("cluster {cluster} is stale: nothing was heard of it for too long")]
    Stale {
        /// Which.
        cluster: ClusterName,
    },
    /// Nobody has ever answered under that name.
    #[error("cluster {cluster} does not answer: check its name, and whether its syncer runs")]
    Silent {
        /// Which.
        cluster: ClusterName,
    },
}

impl Unavailable {
    /// What one of our streams meant by an error item; `None` for an object that cannot be decoded.
    #[must_use]
    pub fn of(error: &watcher::Error) -> Option<Self> {
        let (watcher::Error::InitialListFailed(error) | watcher::Error::WatchFailed(error)) = error
        else {
            return None;
        };
        match error {
            kube::Error::Api(status) => Some(Self::Refused {
                code: status.code,
                reason: status.reason.clone(),
                message: status.message.clone(),
            }),
            kube::Error::Service(error) => error.downcast_ref::<Self>().cloned(),
            _ => None,
        }
    }

    /// As kube-rs's own watcher would say it: an error of the list while nothing is held, else of the watch; a refusal
    /// as the API server's Status, so that code which looks for 403 finds it.
    pub(super) fn into_error(self, synced: bool) -> watcher::Error {
        let error = match self {
            Self::Refused {
                code,
                reason,
                message,
            } => kube::Error::Api(Box::new(Status::failure(&message, &reason).with_code(code))),
            other => kube::Error::Service(Box::new(other)),
        };
        if synced {
            watcher::Error::WatchFailed(error)
        } else {
            watcher::Error::InitialListFailed(error)
        }
    }
}

/// What is known of a stream and of those between.
pub(super) struct Circumstances<'a> {
    pub(super) cluster: &'a ClusterName,
    pub(super) state: &'a StreamState,
    pub(super) freshness: Freshness,
    pub(super) link: &'a LinkState,
    /// The cluster's last presence was a will or a goodbye.
    pub(super) offline: bool,
    /// The source answered this stream, if only with words.
    pub(super) heard: bool,
    /// The stream has been asked for over a link that is up for so long that the lack of an answer means something.
    pub(super) is_late: bool,
}

/// What is the matter, if anything is.
///
/// A copy that is fresh has no trouble, whatever else is: a source that hands over to its standby, or a link that
/// blinks, is nobody's business while no row is old.
pub(super) fn judge(it: &Circumstances<'_>) -> Option<Unavailable> {
    if let Progress::Refused {
        code,
        reason,
        message,
    } = &it.state.progress
    {
        return Some(Unavailable::Refused {
            code: u16::try_from(*code).unwrap_or(500),
            reason: reason.clone(),
            message: message.clone(),
        });
    }
    let cluster = it.cluster.clone();
    if it.freshness == Freshness::Fresh {
        return None;
    }
    if let LinkState::Down(failure) = it.link {
        let message = failure.message.clone();
        return Some(Unavailable::Broker { message });
    }
    if it.offline {
        return Some(Unavailable::Offline { cluster });
    }
    if let Some(down) = &it.state.upstream_down {
        let message = down.message.clone();
        return Some(Unavailable::ApiServer { cluster, message });
    }
    // A copy that grew old while the link was down is about to be repaired.
    match (it.freshness, it.heard) {
        _ if !it.is_late => None,
        (Freshness::Stale, _) => Some(Unavailable::Stale { cluster }),
        (_, false) => Some(Unavailable::Silent { cluster }),
        _ => None,
    }
}

/// Which troubles were told since all was well: each kind once.
///
/// kube-rs's `Controller`, and whoever uses `default_backoff`, stops polling for a while after each error, twice as
/// long after each further one without an event between (0.8 s to 30 s). An outage that is told whenever its words
/// change would put off the events that follow it; one that is told once costs at most the first pauses.
#[derive(Debug, Default)]
pub(super) struct Episode {
    told: Vec<std::mem::Discriminant<Unavailable>>,
}

impl Episode {
    /// Takes what is the matter now; answers it if it has to be told. Only a copy that is fresh ends an episode: words
    /// between two refusals, or a link that blinks, do not.
    pub(super) fn news(
        &mut self,
        trouble: Option<Unavailable>,
        freshness: Freshness,
    ) -> Option<Unavailable> {
        if trouble.is_none() && freshness == Freshness::Fresh {
            self.told.clear();
        }
        let trouble = trouble?;
        let kind = std::mem::discriminant(&trouble);
        if self.told.contains(&kind) {
            return None;
        }
        self.told.push(kind);
        Some(trouble)
    }
}

#[cfg(test)]
#[path = "unavailable_tests.rs"]
mod tests;
