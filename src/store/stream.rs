//! What a store is written from: streams, and where in them it is.

use crate::protocol::message::{Epoch, View};
use crate::protocol::names::ClusterName;
use crate::protocol::rows::Header;
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// A resource as its cluster resolved it: `deployments.v1.apps`, `pods.v1`; empty for views without one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// `apps`, empty for the core group.
    pub group: String,
    /// `v1`. Objects are the same in all versions: it does not tell two resources apart.
    pub version: String,
    /// `deployments`.
    pub plural: String,
}

impl FromStr for Resource {
    type Err = std::convert::Infallible;
    /// Any text is some resource: whether there is one is for its cluster to say.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, '.').map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        let (plural, version, group) = (next(), next(), next());
        Ok(Self {
            group,
            version,
            plural,
        })
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.plural, self.version)?;
        if self.group.is_empty() {
            return Ok(());
        }
        write!(f, ".{}", self.group)
    }
}

/// One stream that a store keeps: all objects of a resource in one cluster, in one view.
///
/// Two streams of the same resource, view and cluster, each with another selector, would delete each other's objects:
/// a store has one of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StreamKey {
    /// Whose.
    pub cluster: ClusterName,
    /// Of what.
    pub resource: Resource,
    /// What of each object.
    pub view: View,
}

/// Where in its stream a store is: what a `Sync` after a restart needs, and no values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Position {
    /// The epoch of the source's state that the store has.
    pub epoch: Epoch,
    /// Its sequence number in that epoch.
    pub seq: u64,
    /// The stream's dictionary, without which the source sends it again.
    pub dictionary: Option<Bytes>,
}

/// What becomes of the objects of the stream that a batch does not name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Others {
    /// They stay as they are: the batch is a step.
    #[default]
    Stay,
    /// They are gone: the batch is the whole stream.
    Go,
    /// They are gone unless their key is here: the last batch of a whole that is too large for one.
    GoUnless(BTreeSet<Bytes>),
}

/// What is written at once: all of it or, whatever happens, nothing. Some thousand changes, some MB.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Which stream.
    pub stream: StreamKey,
    /// The value under its empty key, if it is new.
    pub header: Option<Bytes>,
    /// Key (`namespace/name`, or `name`) to value, `None` for what is gone. Of one key, the last counts. The empty key is
    /// the header.
    pub changes: Vec<(Bytes, Option<Bytes>)>,
    /// What becomes of all others.
    pub others: Others,
    /// Where the store is in the stream after this batch; none in the middle of a step that takes several batches, so
    /// that a restart between them repairs it.
    pub position: Option<Position>,
    /// The writer's fencing token, where several processes write to one PostgreSQL: see [`Store::beat`].
    ///
    /// [`Store::beat`]: super::Store::beat
    pub fence: Option<u64>,
}

impl Batch {
    /// A step of one stream, empty so far.
    #[must_use]
    pub fn new(stream: StreamKey) -> Self {
        Self {
            stream,
            header: None,
            changes: Vec::new(),
            others: Others::Stay,
            position: None,
            fence: None,
        }
    }
}

/// What a store knows of one stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    /// Which.
    pub key: StreamKey,
    /// Its header: kind, scope, columns. Only default values until a batch had one.
    pub header: Header,
    /// When it was whole first; `None` if it never was.
    pub synced: Option<Timestamp>,
    /// When it was last proven to be what the cluster has.
    pub proven: Option<Timestamp>,
}

/// The number by which a database knows a view.
pub(super) fn view_code(view: View) -> i64 {
    match view {
        View::Rows => 0,
        View::Objects => 1,
        View::Resources => 2,
        View::Source => 3,
        View::Work => 4,
        View::Status => 5,
    }
}

pub(super) fn view_of(code: i64) -> View {
    match code {
        0 => View::Rows,
        1 => View::Objects,
        2 => View::Resources,
        4 => View::Work,
        5 => View::Status,
        _ => View::Source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_printed_as_it_is_read() {
        for text in ["pods.v1", "deployments.v1.apps", "a.v1beta1.b.c.d"] {
            assert_eq!(text.parse::<Resource>().unwrap().to_string(), text);
        }
        let deployments: Resource = "deployments.v1.apps".parse().unwrap();
        assert_eq!((&*deployments.group, &*deployments.version), ("apps", "v1"));
    }

    #[test]
    fn views_have_numbers_of_their_own() {
        for view in [
            View::Rows,
            View::Objects,
            View::Resources,
            View::Source,
            View::Work,
            View::Status,
        ] {
            assert_eq!(view_of(view_code(view)), view);
        }
    }
}
