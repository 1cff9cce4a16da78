//! What a stream's copy has and the store has not.
//!
//! A whole copy's is the difference between two snapshots, what was written and what is. A thin copy knows it by itself
//! ([`Member::unsettled`]), and lets the values go when it is said to be written.

use super::batches::{Change, End};
use crate::informer::{Member, Snapshot, Unsettled};
use crate::protocol::message::{Epoch, View};
use crate::protocol::names::ClusterName;
use crate::protocol::rows::Header;
use crate::store::{Others, Position, Resource, StreamKey};
use bytes::Bytes;
use prost::Message;

/// What leads from what a store has to what a source has.
pub(super) struct Unwritten {
    header: Option<Bytes>,
    to: (Epoch, u64),
    what: What,
}

enum What {
    /// Without `from`, from whatever is there.
    Whole {
        from: Option<Snapshot>,
        to: Snapshot,
    },
    /// Nothing but the position, if none.
    Thin(Option<Unsettled>),
}

impl Unwritten {
    /// What leads from what was `written`, if that is known, to what a member has. None: nothing, or it has nothing yet.
    pub(super) fn of(member: &Member, written: Option<&Snapshot>) -> Option<Self> {
        let now = member.store().snapshot();
        if !now.is_whole() {
            return None;
        }
        if now.thin.is_none() {
            return Some(Self::of_whole(written.cloned(), now));
        }
        let unsettled = member.unsettled();
        if unsettled.is_none() && written.is_some() {
            return None;
        }
        let newer = unsettled.as_ref().and_then(Unsettled::header).cloned();
        Some(Self {
            header: newer.or_else(|| header(&now)),
            to: match &unsettled {
                Some(unsettled) => unsettled.position(),
                None => (now.epoch, now.seq),
            },
            what: What::Thin(unsettled),
        })
    }

    pub(super) fn of_whole(from: Option<Snapshot>, to: Snapshot) -> Self {
        Self {
            header: header(&to),
            to: (to.epoch, to.seq),
            what: What::Whole { from, to },
        }
    }

    /// Which stream of the store it is of, as its header says.
    pub(super) fn key(&self, cluster: &ClusterName, view: View) -> Option<StreamKey> {
        let header = Header::decode(self.header.clone()?).ok()?;
        let named = !header.plural.is_empty() && !header.version.is_empty();
        named.then(|| StreamKey {
            cluster: cluster.clone(),
            resource: Resource {
                group: header.group,
                version: header.version,
                plural: header.plural,
            },
            view,
        })
    }

    /// Each key that differs, the header first.
    pub(super) fn changes(&self) -> Box<dyn Iterator<Item = Change> + Send + '_> {
        match &self.what {
            What::Whole { from: None, to } => {
                let all = to.entries.iter();
                Box::new(all.map(|(key, value)| (key.clone(), Some(value.clone()))))
            }
            What::Whole {
                from: Some(from),
                to,
            } => {
                let notices = to.since(from).into_iter();
                Box::new(notices.map(|notice| (notice.key, notice.new)))
            }
            What::Thin(None) => Box::new(std::iter::empty()),
            What::Thin(Some(unsettled)) => {
                let header = unsettled.header().cloned();
                let header = header.map(|header| (Bytes::new(), Some(header)));
                let objects = unsettled.changes();
                let objects = objects.map(|(key, value)| (key, value.map(|value| value.bytes)));
                Box::new(header.into_iter().chain(objects))
            }
        }
    }

    /// Where the store is with all of it.
    pub(super) fn end(&self) -> End {
        let (epoch, seq) = self.to;
        let others = match &self.what {
            What::Whole { from: None, to } => {
                let keys = to.objects().map(|(key, _)| key.clone());
                Others::GoUnless(keys.collect())
            }
            What::Thin(Some(unsettled)) if unsettled.is_everything() => {
                Others::GoUnless(unsettled.keys().cloned().collect())
            }
            What::Whole { .. } | What::Thin(_) => Others::Stay,
        };
        End {
            position: Position {
                epoch,
                seq,
                dictionary: None,
            },
            others,
        }
    }

    /// Whether a try in vain has to be followed by the same, rather than by what there is then. Some of it may be in the
    /// store, and a thin copy does not tell what came and went since.
    pub(super) fn is_to_be_repeated(&self) -> bool {
        matches!(self.what, What::Thin(_))
    }

    /// All of it is written: what the store has, as far as that is remembered.
    pub(super) fn written(self, member: &Member) -> Snapshot {
        match self.what {
            What::Whole { to, .. } => to,
            What::Thin(unsettled) => {
                if let Some(unsettled) = &unsettled {
                    member.settled(unsettled);
                }
                Snapshot {
                    epoch: self.to.0,
                    seq: self.to.1,
                    ..Snapshot::default()
                }
            }
        }
    }
}

fn header(snapshot: &Snapshot) -> Option<Bytes> {
    snapshot.entries.get(&b""[..]).cloned()
}
