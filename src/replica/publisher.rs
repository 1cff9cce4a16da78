//! One source as the writer of its cluster's streams: identity, role, quotas, and what to send.

use super::settings::Settings;
use super::time::Moment;
use crate::protocol::message::{Live, Page, Presence, Reply, State, StreamId, Sync, Term};
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
    /// A list is under way; so many items so far.
    Listing(u64),
    /// A complete, consistent list (the first, or a relist, which is diffed). One that broke half-way is never told.
    Listed(Vec<(Bytes, Bytes)>),
    /// A key has this value now.
    Put(Bytes, Bytes),
    /// A key is gone.
    Delete(Bytes),
    /// The API server was heard for this stream.
    Alive,
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
    /// Publish on the stream's live topic; call [`Publisher::acknowledged`] with the ticket when the broker took it.
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
        /// A status or a presence; pages come from [`Publisher::next_page`].
        reply: Reply,
    },
    /// Publish on the presence topic, retained unless the deployment does without.
    Presence(Presence),
    /// Ask the sources of this cluster's name (and only them) who they are; answers go to [`Publisher::presence`].
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
    /// Changes in flushes.
    pub changes: u64,
}

/// The source side of the protocol, for all streams of one process. Never does IO and reads no clock.
#[derive(Debug)]
pub struct Publisher {
    settings: Settings,
    presence: Presence,
}

impl Publisher {
    /// A source that has heard nothing yet. `presence` says who it is; of its term only the nonce counts, which must be
    /// random and fresh per process. `seed` spreads its time-outs.
    pub fn new(settings: Settings, presence: Presence, _seed: u64) -> Self {
        Self { settings, presence }
    }

    /// The control connection is up *and* its subscriptions (signals, presence, live of my cluster) are confirmed.
    /// `max_payload`: the largest payload that the broker takes.
    pub fn link_up(&mut self, _now: Moment, _max_payload: usize) {}

    /// The control connection is gone: what was not acknowledged counts as lost.
    pub fn link_down(&mut self, _now: Moment) {}

    /// The broker took a publish.
    pub fn acknowledged(&mut self, _now: Moment, _ticket: u64) {}

    /// A session asks about, or renews, a stream that the driver resolved.
    pub fn sync(&mut self, _now: Moment, _from: &Session, _sync: Sync, _target: &Target) {}

    /// A session's request could not be resolved, and this is why.
    pub fn decline(&mut self, _now: Moment, _from: &Session, _rid: u64, _why: State) {}

    /// A session has no more use for a stream.
    pub fn leave(&mut self, _now: Moment, _from: &Session, _stream: StreamId) {}

    /// Somebody asks who is there.
    pub fn who(&mut self, _now: Moment, _from: &Session, _rid: u64) {}

    /// A presence of my cluster's name was heard: retained, told anew, a last will, or an answer to my `Who`. My own too.
    pub fn presence(&mut self, _now: Moment, _heard: &Presence) {}

    /// A `Live` was heard on any live topic of my cluster.
    pub fn live(&mut self, _now: Moment, _term: Term, _upstream_age_ms: u64) {}

    /// The API server answered a probe of this process. To be told at least once a heartbeat while it does.
    pub fn api_alive(&mut self, _now: Moment) {}

    /// Which cluster this is, as its API server says; told before [`Publisher::api_alive`], and again when it changed.
    pub fn describe(&mut self, cluster_uid: &str, kubernetes_version: &str) {
        self.presence.cluster_uid = cluster_uid.to_owned();
        self.presence.kubernetes_version = kubernetes_version.to_owned();
    }

    /// The API server did not answer a probe.
    pub fn api_down(&mut self, _now: Moment, _message: String) {}

    /// A stream's upstream tells something.
    pub fn upstream(
        &mut self,
        _now: Moment,
        _stream: StreamId,
        _opening: Opening,
        _event: Upstream,
    ) {
    }

    /// The next thing to do, until there is none. `wall_ms`: the wall clock, ms since 1970.
    pub fn poll(&mut self, _now: Moment, _wall_ms: u64) -> Option<Output> {
        None
    }

    /// When to poll next at the latest.
    pub fn next_deadline(&self) -> Option<Moment> {
        None
    }

    /// The next page to send over the bulk connection, when that has room: sessions take turns. `server_ms`: the API
    /// server's clock, ms since 1970.
    pub fn next_page(&mut self, _now: Moment, _server_ms: u64) -> Option<(Session, Page)> {
        None
    }

    /// The last will to connect with.
    pub fn last_will(&self) -> Presence {
        self.presence.clone()
    }

    /// What to publish before a clean end; none if this process does not write.
    pub fn goodbye(&self, _wall_ms: u64) -> Option<Presence> {
        None
    }

    /// Whether this process writes.
    pub fn role(&self) -> Role {
        Role::Starting
    }

    /// The streams served.
    pub fn streams(&self, _now: Moment) -> Vec<Report> {
        Vec::new()
    }

    /// Counters since the start.
    pub fn counters(&self) -> Counters {
        Counters::default()
    }
}
