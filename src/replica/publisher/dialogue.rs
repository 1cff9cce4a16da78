//! What a driver tells a publisher, and what it is told to do.

use crate::protocol::message::{Live, Presence, Reply, StreamId, Term};
use crate::protocol::names::NONE;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// Who asks, as the topic tells it that the broker's ACL guards.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session {
    /// The user that the broker authenticated.
    pub user: Arc<str>,
    /// The session, fresh per process of that user.
    pub id: Arc<str>,
}

impl Session {
    /// The broker has no users: everybody is the same one.
    pub fn is_anonymous(&self) -> bool {
        &*self.user == NONE
    }
}

/// A selection that the driver resolved: which stream it is, and what a reader has to know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The stream.
    pub stream: StreamId,
    /// Where its changes appear.
    pub live_topic: Arc<str>,
    /// What the user's word was resolved to: `pods.v1`.
    pub resource: Arc<str>,
}

/// What an upstream tells about one open stream, in order.
#[derive(Clone, Debug)]
pub enum Upstream {
    /// A list begins; its age counts from here. What came of one before is forgotten.
    Listing,
    /// A part of the list that is under way.
    Part(Vec<(Bytes, Bytes)>),
    /// Its last part: with those before it is complete and consistent (the first list, or a relist, which is diffed).
    /// One that broke half-way never has one. With the list's resourceVersion; here and below 0 = not known.
    Listed(Vec<(Bytes, Bytes)>, u64),
    /// A key has this value since that resourceVersion.
    Put(Bytes, Bytes, u64),
    /// A key is gone since that resourceVersion.
    Delete(Bytes, u64),
    /// A watch is open that goes on where the list, or the watch before, ended. It proves nothing yet.
    Watching,
    /// The watch was heard, and all that came of it is told.
    Alive,
    /// The same; and all is told that changed up to that resourceVersion.
    Bookmark(u64),
    /// The watch ended, as watches do. Until the next one is open nothing is proven.
    Ended,
    /// The API server does not answer; in words.
    Down(String),
    /// The API server refuses.
    Refused {
        /// The HTTP code.
        code: u32,
        /// Kubernetes' reason: `Forbidden`.
        reason: String,
        /// Its message.
        message: String,
    },
}

/// Names an opening of a stream's upstream, so that what an earlier one still tells is not taken for the news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Opening(pub u64);

/// What the driver is to do, in this order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Publish on the stream's live topic; call [`crate::replica::Publisher::acknowledged`] with the ticket when the
    /// broker took it.
    Live {
        /// 0: nobody waits for it.
        ticket: u64,
        /// The message.
        live: Live,
    },
    /// Publish on the session's reply topic, over the control connection.
    Reply {
        /// Whose.
        to: Session,
        /// A status or a presence; pages come from [`crate::replica::Publisher::next_page`].
        reply: Reply,
    },
    /// Publish on the presence topic, retained unless the deployment does without.
    Presence(Presence),
    /// Ask the sources of this cluster's name (and only them) who they are; answers go to
    /// [`crate::replica::Publisher::presence`].
    Who {
        /// The number to send.
        rid: u64,
    },
    /// Start the stream's upstream. If it is running, end it and start it anew: it must list.
    Open {
        /// Which.
        stream: StreamId,
        /// Comes back with each event.
        opening: Opening,
    },
    /// End the stream's upstream and forget what was kept to resolve it.
    Close {
        /// Which.
        stream: StreamId,
    },
    /// Tell the log.
    Log(Notice),
}

/// What people who run a source want to read in its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// This process writes for the cluster now.
    Writing {
        /// With this term.
        term: Term,
    },
    /// A consumer had heard of a newer term than ours: ours was renewed above it, every stream is listed anew.
    Renewed {
        /// The new one.
        term: Term,
    },
    /// Another process writes for this cluster.
    StandingBy {
        /// Its term.
        writer: Term,
        /// It is another cluster (by the uid of kube-system) under our name.
        foreign: bool,
    },
    /// A stream was refused to a user because of a quota.
    OverQuota {
        /// The user.
        user: Arc<str>,
    },
}

/// Whether this process writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It has not yet taken the name: the link or the API server was not heard, or it still listens for others.
    Starting,
    /// It is the writer.
    Writing,
    /// Somebody else is; healthy and ready.
    StandingBy {
        /// Who.
        writer: Term,
        /// It is another cluster under our name.
        foreign: bool,
    },
}

/// One stream, for metrics and for the view `source`.
#[derive(Clone, Debug)]
pub struct Report {
    /// Which.
    pub stream: StreamId,
    /// What it was resolved to.
    pub resource: Arc<str>,
    /// Its sequence number; 0 before the first list.
    pub seq: u64,
    /// Entries held.
    pub entries: usize,
    /// Their bytes as held.
    pub bytes: usize,
    /// Sessions with a lease.
    pub sessions: usize,
    /// For how long its own watch was not proven alive; zero while it is.
    pub upstream_age: Duration,
}

/// Counters since the start, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests answered with pages.
    pub answers: u64,
    /// Pages handed out.
    pub pages: u64,
    /// Flushes with changes.
    pub flushes: u64,
    /// Heartbeats.
    pub heartbeats: u64,
    /// Puts and deletes in those flushes; of a key that changed twice within one, both count.
    pub changes: u64,
}

impl Output {
    /// It needs no link.
    pub(super) fn is_local(&self) -> bool {
        matches!(self, Self::Open { .. } | Self::Close { .. } | Self::Log(_))
    }
}
