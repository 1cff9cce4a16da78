//! What a reflector wants done, and what it tells of itself.

use crate::protocol::entries::Key;
use crate::protocol::message::Sync;
use crate::replica::time::Moment;

/// Request numbers: one counter for all streams and clusters of a session.
#[derive(Debug, Default)]
pub struct Rids(u64);

impl Rids {
    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

/// What the driver is to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Send this to the stream's source.
    Sync(Sync),
    /// Subscribe to the stream's live topic (and leave the one before, if any); call
    /// [`crate::replica::Reflector::subscribed`] for each SUBACK, also after a reconnect.
    Subscribe {
        /// The topic.
        topic: String,
        /// The one that it replaces.
        instead_of: Option<String>,
    },
    /// Fetch these keys' values from the backing of a thin copy: a delta waits for them. Answered by
    /// [`crate::replica::Reflector::give`], or not at all.
    Bases {
        /// Which fetch it is.
        number: u64,
        /// The keys.
        keys: Vec<Key>,
    },
}

/// How far an answer has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Pages staged.
    pub pages: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The API server's clock, as the last page told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerClock {
    /// Its time, ms since 1970.
    pub now_ms: u64,
    /// When that arrived here.
    pub at: Moment,
}

/// Counters since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests: digests sent, and an answer wanted.
    pub requests: u64,
    /// Messages that these took: windows and re-asks included, renewals not.
    pub syncs: u64,
    /// Renewals sent.
    pub renewals: u64,
    /// Times that a digest was not what it should have been. Not zero is a bug of somebody's.
    pub divergences: u64,
    /// Flushes applied.
    pub flushes: u64,
    /// Answers switched to.
    pub answers: u64,
    /// Times that values were fetched from the backing of a thin copy.
    pub fetches: u64,
    /// Times that the backing lacked some of them, or had others: somebody else has changed what it keeps.
    pub bases_refused: u64,
}
