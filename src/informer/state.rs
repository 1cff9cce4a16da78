//! What a stream is doing, and how old its copy may be.

use crate::link::Failure;
use crate::protocol::frame::DecodeError;
use std::time::Duration;
use tokio::time::Instant;

/// Whether the broker can be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LinkState {
    /// Not yet.
    #[default]
    Connecting,
    /// Connected.
    Up,
    /// Not now; it is tried again.
    Down(Failure),
}

/// What a stream is doing, for progress and for errors. Old data is never dressed up as new: see `freshness`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamState {
    /// A whole copy is held.
    pub synced: bool,
    /// What was last heard while there is no (new) answer.
    pub progress: Progress,
    /// What the user's word was resolved to: `deployments.v1.apps`; empty until known.
    pub resource: String,
    /// The source's API server does not answer it. Rows are old then.
    pub upstream_down: Option<UpstreamDown>,
    /// How old the copy may be.
    pub freshness: Freshness,
    /// What stands in the way of an answer; none since the last one.
    pub obstacle: Option<Obstacle>,
}

/// Why no answer may come.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// What came under the cluster's name: a later version of the protocol, or damage.
    #[error("no answer, but {0}")]
    Unreadable(DecodeError),
    /// The broker's rules; trying again does not help.
    #[error(
        "the broker refused the request ({reason}): let this user write {topic} in the broker's ACL"
    )]
    Forbidden {
        /// Where the request was to go.
        topic: String,
        /// The broker's word.
        reason: String,
    },
}

/// The source's API server does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamDown {
    /// For how long, as of the last word.
    pub since: Duration,
    /// What happened, one line; empty when only the age is known.
    pub message: String,
}

/// Why a cluster's presence is still on the broker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForgetError {
    /// The broker said no.
    #[error("the broker refused it ({0}): let this user write {1} in the broker's ACL")]
    Refused(String, String),
    /// The broker did not say whether it took it.
    #[error("the broker did not confirm it; try again")]
    Lost,
}

/// How far a stream that is not synced has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// Nothing was heard from the source.
    #[default]
    Silent,
    /// The source is listing, so many items so far.
    Listing(u64),
    /// The answer is on its way, so many bytes so far.
    Receiving(u64),
    /// Refused: a Kubernetes Status in short.
    Refused {
        /// HTTP code.
        code: u32,
        /// `Forbidden`, `NotFound`, ...
        reason: String,
        /// The message.
        message: String,
    },
    /// The copy is whole.
    Synced,
}

/// How old a copy may be, by this process' monotonic clock; never less than the truth but for the transit.
///
/// Ordered from the best to the worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// At most 2.5 heartbeats old.
    Fresh,
    /// Older.
    Stale,
    /// Nothing is held.
    #[default]
    Unknown,
}

/// How fresh a copy is, since when, and how old it may be, at the moment of asking.
///
/// The age counts from the last proof that the copy is what the API server had: a message of the source that names the
/// copy's digest, less the time for which the source itself had not heard its API server then. So an API server that
/// hangs, a source that died and a broker that lost everything all make it grow. The one thing that it cannot know is
/// how long that message was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age {
    /// What to say of it.
    pub freshness: Freshness,
    /// Since when that is so.
    pub since: Instant,
    /// The copy was what the API server had, at most so long ago. `None` while nothing is held.
    pub at_most: Option<Duration>,
}

impl Age {
    /// The worse of two: what may be said of both together.
    #[must_use]
    pub fn or_worse(self, other: Self) -> Self {
        let worse = match self.freshness.cmp(&other.freshness) {
            std::cmp::Ordering::Greater => self,
            std::cmp::Ordering::Less => other,
            // Both have been so since the earlier of the two began.
            std::cmp::Ordering::Equal => Self {
                since: self.since.min(other.since),
                ..self
            },
        };
        let at_most = self.at_most.zip(other.at_most);
        Self {
            at_most: at_most.map(|(one, other)| one.max(other)),
            ..worse
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_streams_are_as_fresh_as_the_worse_one() {
        let start = Instant::now();
        let age = |freshness, since: u64, at_most: Option<u64>| Age {
            freshness,
            since: start + Duration::from_secs(since),
            at_most: at_most.map(Duration::from_secs),
        };
        let fresh = age(Freshness::Fresh, 1, Some(1));
        let stale = age(Freshness::Stale, 5, Some(9));
        let unknown = age(Freshness::Unknown, 3, None);
        assert_eq!(fresh.or_worse(stale), stale);
        assert_eq!(stale.or_worse(fresh), stale);
        assert_eq!(unknown.or_worse(stale), unknown);
        let younger = age(Freshness::Fresh, 2, Some(2));
        assert_eq!(
            fresh.or_worse(younger),
            age(Freshness::Fresh, 1, Some(2)),
            "the older bound, the earlier beginning"
        );
    }
}
