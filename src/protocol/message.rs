//! The messages, as the rest of the program sees them (the wire form is `messages.proto`).

pub use super::logs::{LogChunk, LogCredit, LogEnd, LogOpen, LogSelection};

use bytes::Bytes;

/// The most hash buckets that a request compares.
pub const MAX_BUCKETS: usize = 4096;
/// The longest cursor, in bytes.
pub const MAX_CURSOR: usize = 64;
/// The longest topic, in bytes: what AWS IoT allows.
pub const MAX_TOPIC: usize = 256;
/// The longest of the short texts (names, versions, words), in bytes.
pub const MAX_WORD: usize = 512;
/// The longest selector as typed, in bytes.
pub const MAX_SELECTOR: usize = 16 * 1024;

/// One life of a source as the writer of its cluster's streams.
///
/// Ordered by number, then nonce: the newest wins (rule F2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term {
    /// Milliseconds since 1970, or one more than any number heard of.
    pub number: u64,
    /// Random, so that two sources that took the same number still differ.
    pub nonce: u32,
}

/// One incarnation of one feed: the term of its source and a count within it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch {
    /// The source's term.
    pub term: Term,
    /// Counts the incarnations of feeds in that source, from 1.
    pub feed: u32,
}

/// The identity of a stream: a hash of its canonical selection, made by the source, never by a consumer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u128);

/// What a selection shows of each object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum View {
    /// What `kubectl get` prints: the API server's own Table, one row a value.
    #[default]
    Rows,
    /// The whole object as the API server's JSON.
    Objects,
    /// What the cluster has: its API resources.
    Resources,
    /// The source about itself: one entry.
    Source,
    /// What a hub wants done in one cluster, which is named where other views have a namespace.
    Work,
    /// What became of the work of one hub, which is named where other views have a namespace.
    Status,
}

/// Which objects, in which view, as the consumer words it; the source resolves it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selection {
    /// The user's word: `po`, `deploy`, `deployments.apps`, `deployments.v1.apps`. Empty for views without a resource.
    pub resource: String,
    /// One namespace, or empty for all (and for cluster-scoped resources).
    pub namespace: String,
    /// A label selector as typed, or empty.
    pub labels: String,
    /// A field selector as typed, or empty. One object is `metadata.name=NAME`.
    pub fields: String,
    /// What to show of each object.
    pub view: View,
    /// Keep `metadata.managedFields` (view `Objects` only).
    pub managed_fields: bool,
    /// Ask for the values of Secrets whose owner allows it by the label `mqtt-resource`.
    pub secret_values: bool,
}

/// "This is what I have": the only request, and the only way to repair a copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sync {
    /// Unique in a session, over all streams and clusters; 0 in a renewal.
    pub rid: u64,
    /// The newest epoch the consumer heard of.
    pub epoch: Epoch,
    /// Digests of the copy's hash buckets; a power of two of them.
    pub digests: Vec<u64>,
    /// Where to go on in the answer; empty = from the start. Opaque, compared for equality only.
    pub from: Bytes,
    /// How many pages may be sent before the next ask. 0 renews the lease and asks for nothing.
    pub max_messages: u32,
    /// How long the source should go on serving this session unasked, in seconds.
    pub lease_s: u32,
    /// Which stream.
    pub selection: Selection,
    /// The id of the dictionary that the consumer holds for this stream, 0 for none. The source sends its own if it
    /// differs.
    pub dictionary: u32,
}

/// A slice of one answer: consistent with all pages of the same `(rid, epoch, seq)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The request's.
    pub rid: u64,
    /// Which stream this is, as the source names it.
    pub stream: StreamId,
    /// Where its changes appear.
    pub live_topic: String,
    /// The snapshot's epoch.
    pub epoch: Epoch,
    /// The snapshot's sequence number.
    pub seq: u64,
    /// The digest of the whole snapshot.
    pub digest: u64,
    /// Bitmap of the buckets that differ, one bit each of the request's digests, least significant first.
    pub differs: Bytes,
    /// Where this slice begins.
    pub from: Bytes,
    /// Where the next one does.
    pub next: Bytes,
    /// The last slice of this window.
    pub last: bool,
    /// The last slice of the answer.
    pub end: bool,
    /// For how long the source's own watch has not been proven alive, in ms.
    pub upstream_age_ms: u64,
    /// The API server's clock, ms since 1970.
    pub now_ms: u64,
    /// The stream's dictionary, when the consumer lacks it.
    pub dictionary: Option<Bytes>,
    /// A slice of the byte string that [`super::entries`] describes.
    pub entries: Bytes,
    /// The resourceVersion of the last change that the snapshot holds; 0 = not known.
    pub changed: u64,
    /// The resourceVersion up to which it holds every change; 0 = not known.
    pub up_to: u64,
}

/// Why there is no answer yet, or that there will be none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The source is listing; so many items so far.
    Listing {
        /// Items received from the API server so far.
        items: u64,
    },
    /// The stream is served.
    Serving,
    /// The API server does not answer, for so long.
    UpstreamDown {
        /// Milliseconds since it last answered.
        since_ms: u64,
        /// What happened, in one line.
        message: String,
    },
    /// The API server, or the source, said no.
    Refused {
        /// The HTTP code of the Kubernetes Status.
        code: u32,
        /// Its reason: `Forbidden`, `NotFound`.
        reason: String,
        /// Its message.
        message: String,
    },
}

/// Words instead of silence (rule R6: it counts as heard, and never changes a copy).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The request's.
    pub rid: u64,
    /// The source's newest epoch for the stream, or its term with feed 0.
    pub epoch: Epoch,
    /// What is going on.
    pub state: State,
    /// What the user's word was resolved to: `pods.v1`, or empty when it was not.
    pub resource: String,
}

/// A slice of one flush: everything that changed from `prev` to `to`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// Which stream.
    pub stream: StreamId,
    /// Its epoch.
    pub epoch: Epoch,
    /// Counts the flushes of this epoch.
    pub flush: u64,
    /// The sequence number that the flush starts from.
    pub prev: u64,
    /// The one that it leads to.
    pub to: u64,
    /// This slice, from 0.
    pub index: u32,
    /// How many there are. One without changes is a heartbeat.
    pub count: u32,
    /// The digest of the whole collection at `to`.
    pub digest: u64,
    /// For how long the source's own watch has not been proven alive, in ms.
    pub upstream_age_ms: u64,
    /// A slice of the byte string that [`super::entries`] describes.
    pub changes: Bytes,
    /// The resourceVersion of the last change up to `to`; 0 = not known, and in heartbeats.
    pub changed: u64,
}

/// A presence with more labels than this is refused.
pub const MAX_LABELS: usize = 64;

/// The role of a source that serves a cluster, and does in it what a hub wants.
pub const AGENT: &str = "agent";

/// The role of a source of work for clusters, which is none itself.
pub const HUB: &str = "hub";

/// The role of one that keeps copies of clusters and is none itself.
pub const CONTROLPLANE: &str = "controlplane";

/// What a capability begins with that says by which URL a controlplane is read.
pub const SERVES: &str = "serve=";

/// A source's birth, retained, and with `online = false` its last will.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// Who writes.
    pub term: Term,
    /// False in a last will and in a goodbye.
    pub online: bool,
    /// The cluster's name, as its owner wrote it.
    pub cluster: String,
    /// `syncer`, [`AGENT`], [`HUB`] or [`CONTROLPLANE`].
    pub role: String,
    /// The uid of the namespace `kube-system`: which cluster this is, whatever it is called.
    pub cluster_uid: String,
    /// The API server's version, `v1.36.3`.
    pub kubernetes_version: String,
    /// This program's version.
    pub version: String,
    /// Labels given to the source, sorted by key: valid as Kubernetes' are, at most [`MAX_LABELS`].
    pub labels: Vec<(String, String)>,
    /// What the source can do beyond the base protocol, sorted.
    pub capabilities: Vec<String>,
    /// In an answer to `Who`: the request's rid; else 0.
    pub rid: u64,
    /// When this was written, ms since 1970 by the source's clock; for "since when" only.
    pub at_ms: u64,
}

/// What a consumer sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Repair or renew.
    Sync(Sync),
    /// End a lease early: the session leaves this stream.
    Leave(Selection),
    /// Every source answers with its presence on the reply topic; the number comes back in it.
    Who(u64),
    /// Read a container's log.
    LogOpen(LogOpen),
    /// Go on reading it.
    LogCredit(LogCredit),
    /// Stop reading the log that was opened with this number.
    LogClose(u64),
}

/// What a source sends to one consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A slice of an answer.
    Page(Page),
    /// Words instead.
    Status(Status),
    /// The answer to `Who`.
    Presence(Presence),
    /// A slice of a log.
    LogChunk(LogChunk),
}
