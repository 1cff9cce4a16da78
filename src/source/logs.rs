//! The logs that are read for sessions: a task each, which reads as far as its reader allows.
//!
//! What a reader does not ask for is not read: a task whose credit is used up waits, the connection behind it fills, and
//! the API server waits too. So a flood of lines costs what its readers ask for, and nothing else. Chunks go out on the
//! bulk connection, after the pages of streams, and only while little is queued there.

use super::{Upstream, UpstreamError};
use crate::protocol::frame;
use crate::protocol::message::{LogChunk, LogCredit, LogEnd, LogOpen, Reply};
use crate::replica::{Session, Settings};
use bytes::{Bytes, BytesMut};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// Lines that come one by one are sent together: a log is told no more often than this.
const PACE: Duration = Duration::from_millis(50);
/// Chunks of one log that may be under way, whatever its reader allows.
const AHEAD: u64 = 64;
/// The largest chunk, in bytes of text.
const CHUNK: usize = 48 * 1024;
/// The smallest, on a broker that takes small messages only.
const LEAST: usize = 1024;

/// A log of one session.
type Key = (Session, u64);

/// A chunk that may go out.
pub(super) struct Ready {
    key: Key,
    payload: Bytes,
    /// It has lines, and so a number of its own.
    counts: bool,
    end: Option<LogEnd>,
}

/// What is read for whom.
pub(super) struct Logs {
    upstream: Arc<dyn Upstream>,
    open: HashMap<Key, Open>,
    ready: mpsc::Sender<Ready>,
    /// Those whose readers want to know how far they are.
    asked: VecDeque<Key>,
    most: usize,
    most_per_user: usize,
    longest_lease: Duration,
}

/// One log.
struct Open {
    task: AbortHandle,
    credit: watch::Sender<u64>,
    until: Instant,
    /// Chunks with lines that went out.
    sent: u64,
    end: Option<LogEnd>,
    asked: bool,
}

impl Logs {
    pub(super) fn new(
        upstream: Arc<dyn Upstream>,
        settings: &Settings,
    ) -> (Self, mpsc::Receiver<Ready>) {
        // Each task waits with its next chunk until there is room for it: they take turns.
        let (ready, chunks) = mpsc::channel(1);
        let logs = Self {
            upstream,
            open: HashMap::new(),
            ready,
            asked: VecDeque::new(),
            most: settings.logs,
            most_per_user: settings.logs_per_user,
            longest_lease: settings.lease,
        };
        (logs, chunks)
    }

    /// How many are open.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Begins to read a log, in chunks that fit into `max_payload`. A request that came twice is one to go on.
    ///
    /// # Errors
    /// Why not, for the reader.
    pub(super) fn open(
        &mut self,
        from: &Session,
        open: LogOpen,
        max_payload: usize,
    ) -> Result<(), LogEnd> {
        let key = (from.clone(), open.rid);
        if self.open.contains_key(&key) {
            let LogOpen {
                rid,
                credit,
                lease_s,
                ..
            } = open;
            return self.credit(
                from,
                LogCredit {
                    rid,
                    credit,
                    lease_s,
                },
            );
        }
        let theirs = self.open.keys().filter(|(who, _)| who.user == from.user);
        let one_too_many = self.open.len() >= self.most
            || (!from.is_anonymous() && theirs.count() >= self.most_per_user);
        if one_too_many {
            return Err(LogEnd::Refused {
                code: 429,
                reason: "TooManyRequests".into(),
                message: "the syncer reads as many logs as it may: ask for fewer at once".into(),
            });
        }
        let until = Instant::now() + self.lease(open.lease_s);
        let credit = watch::Sender::new(open.credit.min(AHEAD));
        let size = max_payload.saturating_sub(frame::MAX_OVERHEAD);
        let task = Task {
            upstream: Arc::clone(&self.upstream),
            key: key.clone(),
            size: size.clamp(LEAST, CHUNK),
            credit: credit.subscribe(),
            ready: self.ready.clone(),
        };
        let task = tokio::spawn(task.run(open)).abort_handle();
        self.open.insert(
            key,
            Open {
                task,
                credit,
                until,
                sent: 0,
                end: None,
                asked: false,
            },
        );
        Ok(())
    }

    /// Allows more of a log, or notes that its reader wants to know how far it is.
    ///
    /// # Errors
    /// When it is not open.
    pub(super) fn credit(&mut self, from: &Session, credit: LogCredit) -> Result<(), LogEnd> {
        let lease = self.lease(credit.lease_s);
        let key = (from.clone(), credit.rid);
        let open = self.open.get_mut(&key).ok_or(LogEnd::NotOpen)?;
        open.until = Instant::now() + lease;
        let allowed = credit.credit.min(open.sent + AHEAD);
        let more = open.credit.send_if_modified(|before| {
            let more = allowed > *before;
            *before = allowed.max(*before);
            more
        });
        if (!more || open.end.is_some()) && !open.asked {
            open.asked = true;
            self.asked.push_back(key);
        }
        Ok(())
    }

    /// A reader wants no more.
    pub(super) fn close(&mut self, from: &Session, rid: u64) {
        self.open.remove(&(from.clone(), rid));
    }

    /// Takes note of a chunk that goes out now; none if nobody wants it any more.
    pub(super) fn sending(&mut self, ready: Ready) -> Option<(Session, Bytes)> {
        let open = self.open.get_mut(&ready.key)?;
        open.sent += u64::from(ready.counts);
        if ready.end.is_some() {
            open.end = ready.end;
        }
        Some((ready.key.0, ready.payload))
    }

    /// What is to be answered next to a reader that asked how far its log is. To be sent behind all chunks before it.
    pub(super) fn answer(&mut self) -> Option<(Session, LogChunk)> {
        while let Some(key) = self.asked.pop_front() {
            if let Some(open) = self.open.get_mut(&key) {
                open.asked = false;
                let chunk = LogChunk {
                    rid: key.1,
                    index: open.sent,
                    lines: Bytes::new(),
                    end: open.end.clone(),
                };
                return Some((key.0, chunk));
            }
        }
        None
    }

    /// Ends those whose leases are over: their readers are gone.
    pub(super) fn expire(&mut self) {
        let now = Instant::now();
        self.open.retain(|_, open| open.until > now);
    }

    /// Ends all: another one serves this cluster.
    pub(super) fn clear(&mut self) {
        self.open.clear();
        self.asked.clear();
    }

    /// The API server does not answer: what is open may be silent for that reason, and is ended, so that its readers
    /// know.
    pub(super) fn broken(&mut self, message: &str) {
        for (key, open) in &mut self.open {
            if open.end.is_none() {
                open.task.abort();
                open.end = Some(LogEnd::Broken(message.to_owned()));
                if !open.asked {
                    open.asked = true;
                    self.asked.push_back(key.clone());
                }
            }
        }
    }

    fn lease(&self, seconds: u32) -> Duration {
        Duration::from_secs(seconds.into()).min(self.longest_lease)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads one log.
struct Task {
    upstream: Arc<dyn Upstream>,
    key: Key,
    size: usize,
    credit: watch::Receiver<u64>,
    ready: mpsc::Sender<Ready>,
}

impl Task {
    async fn run(mut self, open: LogOpen) {
        let (pieces, received) = mpsc::channel(1);
        let upstream = Arc::clone(&self.upstream);
        let (result, sent) = tokio::join!(upstream.log(&open.log, pieces), self.send(received));
        let end = match result {
            Ok(()) => LogEnd::Finished,
            Err(UpstreamError::Down(message)) => LogEnd::Broken(message),
            Err(UpstreamError::Refused(refusal)) => LogEnd::Refused {
                code: refusal.code,
                reason: refusal.reason,
                message: refusal.message,
            },
        };
        self.pass(sent, Bytes::new(), Some(end)).await;
    }

    /// Sends what comes, until no more does; returns how many chunks that was.
    async fn send(&mut self, mut pieces: mpsc::Receiver<Bytes>) -> u64 {
        let mut text = BytesMut::new();
        let mut sent = 0;
        let mut due = Instant::now();
        loop {
            if text.is_empty() {
                match pieces.recv().await {
                    Some(piece) => text.extend_from_slice(&piece),
                    None => return sent,
                }
            }
            while text.len() < self.size {
                match tokio::time::timeout_at(due, pieces.recv()).await {
                    Ok(Some(piece)) => text.extend_from_slice(&piece),
                    Ok(None) | Err(_) => break,
                }
            }
            // The other side of it lives as long as this task.
            if self.credit.wait_for(|credit| *credit > sent).await.is_err() {
                return sent;
            }
            let lines = text.split_to(text.len().min(self.size)).freeze();
            self.pass(sent, lines, None).await;
            sent += 1;
            due = Instant::now() + PACE;
        }
    }

    async fn pass(&self, index: u64, lines: Bytes, end: Option<LogEnd>) {
        let counts = !lines.is_empty();
        let chunk = LogChunk {
            rid: self.key.1,
            index,
            lines,
            end: end.clone(),
        };
        let ready = Ready {
            key: self.key.clone(),
            payload: frame::encode_reply(&Reply::LogChunk(chunk)),
            counts,
            end,
        };
        // An error means that the source has ended, and this task with it.
        let _ = self.ready.send(ready).await;
    }
}
