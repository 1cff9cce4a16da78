//! What happens to the screen's state, and what it wants done: all that crosses between [`super::update()`] and the
//! driver.

use super::grid::{Now, ObjectId};
use crossterm::event::KeyEvent;
use mqtt_informer::informer::log::{LogEvent, LogPosition};
use mqtt_informer::informer::{Cluster, Clusters, Freshness, LinkState, Notice, StreamState};
use mqtt_informer::protocol::logs::LogSelection;
use mqtt_informer::protocol::message::Selection;
use mqtt_informer::protocol::names::ClusterName;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Names a selection that is watched in several clusters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedId(pub u64);

/// Names something that was asked for once, or a log that is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// Something happened, then.
#[derive(Clone, Debug)]
pub struct Event {
    /// When.
    pub now: Now,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum What {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// So many lines up (negative) or down by the wheel.
    Wheel(isize),
    /// Clicked there: column and row of the screen.
    Click(u16, u16),
    /// The screen is so wide and so high.
    Resize(u16, u16),
    /// Time went by.
    Tick,
    /// The way to the broker or the API servers could not be opened at all.
    NoWay(String),
    /// The broker is reached, or is not.
    Link(LinkState),
    /// All clusters that are known.
    Clusters(Arc<BTreeMap<ClusterName, Cluster>>),
    /// News of a feed.
    Feed(FeedId, FeedNews),
    /// A description, or why there is none.
    Described(RequestId, Result<String, String>),
    /// News of a log that is read.
    Log(RequestId, LogEvent),
    /// Something that was to be done was, or was not: to be told.
    Done(Result<String, String>),
}

impl What {
    /// A person did it, and waits for what comes of it.
    pub fn is_typed(&self) -> bool {
        matches!(
            self,
            Self::Key(_) | Self::Paste(_) | Self::Wheel(_) | Self::Click(..) | Self::Resize(..)
        )
    }
}

/// News of a feed: see [`mqtt_informer::informer::Update`].
#[derive(Clone, Debug)]
pub enum FeedNews {
    /// This cluster is followed from now on.
    Joined(ClusterName),
    /// It is no longer one, and its copy is gone.
    Left(ClusterName),
    /// A copy that was kept when its cluster was looked at last, so old: to be shown until there is a newer one.
    Kept(ClusterName, Vec<Notice>, Age),
    /// Its copy changed.
    Changed(ClusterName, Vec<Notice>),
    /// What its stream does changed.
    State(ClusterName, StreamState),
    /// How fresh the copies of all its clusters are.
    Ages(Vec<(ClusterName, Age)>),
    /// Those who have not joined are not there.
    Discovered,
}

/// How fresh a copy is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Age {
    /// What to say of it.
    pub freshness: Freshness,
    /// For how long that was so when it was told.
    pub lasts: Duration,
    /// So long before it was told, the copy was proved to be what the API server had; none while nothing is held.
    pub old: Option<Duration>,
    /// When it was told, as [`Now::at`] has it.
    pub told: Duration,
    /// How far the API server's clock is ahead of this machine's, in ms.
    pub ahead_ms: i64,
}

impl Age {
    /// The worse of two, as [`mqtt_informer::informer::Age::or_worse`] has it: that one knows when, this one how long ago.
    #[must_use]
    pub fn or_worse(self, other: Self) -> Self {
        let worst = match self.freshness.cmp(&other.freshness) {
            Ordering::Less => other,
            Ordering::Greater => self,
            // Both have been so since the earlier of the two began.
            Ordering::Equal => Self {
                lasts: self.lasts.max(other.lasts),
                ..self
            },
        };
        let old = self.old.zip(other.old);
        Self {
            old: old.map(|(one, other)| one.max(other)),
            ..worst
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Watch a selection in these clusters from now on.
    Watch(FeedId, Clusters, Box<Selection>),
    /// No longer.
    Leave(FeedId),
    /// Describe an object.
    Describe(RequestId, Described),
    /// Read a container's log from now on; only what is newer than this, if some was read before.
    ReadLog(
        RequestId,
        ClusterName,
        Box<LogSelection>,
        Option<LogPosition>,
    ),
    /// No longer.
    CloseLog(RequestId),
    /// Put this on the clipboard of the terminal.
    Copy(String),
    /// Write this to a file whose name begins so.
    Save {
        /// The beginning of the file's name.
        name: String,
        /// Its end: `csv`, `txt`, `yaml`.
        kind: &'static str,
        /// What to write.
        text: String,
    },
    /// End.
    Quit,
}

/// Which object is to be described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its type, as its cluster resolves it.
    pub resource: String,
    /// Which one.
    pub object: ObjectId,
}
