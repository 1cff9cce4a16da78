//! The messages of logs: opened by a reader, read in order, and by nobody else.
//!
//! A log is no keyed collection: it has no state that could be compared by digests, and no two readers want the same
//! part of it. So it has its own messages. `LogOpen` names one container's log and allows so many chunks; `LogCredit`
//! allows more and renews the lease; the source answers with `LogChunk`s, counted from 0, and never with more than was
//! allowed. A chunk that is missing shows in the next one's index, or in the answer to a `LogCredit` that allows
//! nothing new. The reader then opens the log anew, from the second of the last whole line that it has: each line comes
//! with its time, so that it knows where to go on, and whether something is missing.

use bytes::Bytes;

/// The longest name of a pod or a container, in bytes.
pub const MAX_NAME: usize = 253;

/// Which part of which log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LogSelection {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// One of its containers.
    pub container: String,
    /// Go on with what is written later.
    pub follow: bool,
    /// Of the container's instance before this one.
    pub previous: bool,
    /// Only so many lines of what there is.
    pub tail: Option<u64>,
    /// Only what was written in the last so many seconds, by the cluster's clock.
    pub since_s: Option<u64>,
    /// Only what was written from this second on, in seconds since 1970; goes before `since_s`.
    pub from_s: Option<i64>,
}

/// "Read this log for me."
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOpen {
    /// Names the log in this session from now on; not 0.
    pub rid: u64,
    /// Which.
    pub log: LogSelection,
    /// How many chunks may be sent.
    pub credit: u64,
    /// How long the source should go on reading for this session unasked, in seconds.
    pub lease_s: u32,
}

/// "Go on." One that allows nothing new asks how far the source is, and is answered at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogCredit {
    /// The log's.
    pub rid: u64,
    /// How many chunks may be sent, those that were sent included.
    pub credit: u64,
    /// As in [`LogOpen`].
    pub lease_s: u32,
}

/// A slice of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogChunk {
    /// The log's.
    pub rid: u64,
    /// Counts the chunks with lines, from 0; in one without lines, how many were sent so far.
    pub index: u64,
    /// Text as the API server sends it with `timestamps=true`; it may end anywhere.
    pub lines: Bytes,
    /// Nothing more will come, and why.
    pub end: Option<LogEnd>,
}

/// Why nothing more comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEnd {
    /// The API server ended the log: everything was read, or the container is no more.
    Finished,
    /// The source reads no log of this number: it began anew, or the lease was over.
    NotOpen,
    /// The API server, or the connection to it, broke off.
    Broken(String),
    /// The API server, or the source, said no.
    Refused {
        /// The HTTP code of the Kubernetes Status.
        code: u32,
        /// Its reason.
        reason: String,
        /// Its message.
        message: String,
    },
}

/// Whether a text can name a namespace, a pod or a container, and a URL's segment: what Kubernetes allows in names.
pub fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    !text.is_empty()
        && text.len() <= MAX_NAME
        && text.chars().all(allowed)
        && text.chars().any(|c| c != '.')
}
