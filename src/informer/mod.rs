//! Copies streams over a link into stores: the driver around [`crate::replica::Reflector`].
//!
//! **Architecture invariant:** knows nothing of Kubernetes and prints nothing.

use crate::protocol::message::{Epoch, Presence};
use bytes::Bytes;
use imbl::OrdMap;
use std::time::Duration;

/// Every entry of a copy at one moment: cheap to clone, never changes.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The epoch and sequence number at which the source had exactly this; seq 0 = nothing was received yet.
    pub epoch: Epoch,
    /// See `epoch`.
    pub seq: u64,
    /// Key to unpacked value, in byte order of the keys. The empty key holds the header.
    pub entries: OrdMap<Bytes, Bytes>,
}

/// A change of one key, for readers that print each change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The key.
    pub key: Bytes,
    /// What it was when the reader last looked.
    pub old: Option<Bytes>,
    /// What it is now. An object that was deleted and made again comes as two notices.
    pub new: Option<Bytes>,
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
    /// The source's API server is away since so long (milliseconds when heard), with its words. Rows are old then.
    pub upstream_down: Option<UpstreamDown>,
    /// How old the copy may be.
    pub freshness: Freshness,
}

/// The source's API server does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamDown {
    /// For how long, as of the last word.
    pub since: Duration,
    /// What happened, one line; empty when only the age is known.
    pub message: String,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Freshness {
    /// Nothing is held.
    #[default]
    Unknown,
    /// At most 2.5 heartbeats old.
    Fresh,
    /// Older.
    Stale,
}

/// What is known of a cluster's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its last presence.
    pub presence: Presence,
    /// The presence was a last will or a goodbye: nobody serves it now.
    pub offline: bool,
}
