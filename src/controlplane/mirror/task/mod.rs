//! The mirror of one kind: hears, decides, writes.
//!
//! | module | what |
//! |---|---|
//! | `clusters` | what the clusters say |
//! | `heard` | what the hub says |
//! | `jobs` | what is written to the hub |

mod clusters;
mod heard;
mod jobs;

use super::copy::{Kind, Origin};
use super::decide::Mirrored;
use super::hub::Hub;
use super::observed::{self, Copies};
use super::report::Report;
use crate::controlplane::refusals::Refusals;
use crate::controlplane::share::{Held, changed};
use crate::controlplane::{tell, until};
use crate::informer::{Update, Watch};
use crate::kubernetes::{Heard, Queue, WriteError, follow};
use crate::protocol::names::ClusterName;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Copies written at once.
const AT_ONCE: usize = 16;
pub(super) struct Task {
    hub: Arc<Hub>,
    watch: Watch,
    heard: mpsc::Receiver<Heard>,
    as_is: Vec<String>,
    /// Which clusters are this process's, if there are others.
    share: Option<Held>,
    mirrored: Option<Mirrored>,
    copies: Copies,
    clusters: BTreeMap<ClusterName, Standing>,
    queue: Queue<Origin>,
    jobs: JoinSet<(Origin, Kinds, Result<(), WriteError>)>,
    refused: HashMap<Origin, String>,
    refusals: Refusals,
    /// Nothing is written before then, since the hub is away; and how often in a row it was.
    away: Option<(Instant, u32)>,
    now: Report,
    report: watch::Sender<Report>,
}

/// What is known of a cluster's stream.
enum Standing {
    /// Nothing yet.
    Unknown,
    /// It is whole, and of this version of the kind.
    Whole(Kind),
    /// It is of another kind than the hub's.
    Other,
    /// The cluster is none any more.
    Forgotten,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kinds {
    Applied,
    Repaired,
    Deleted,
}

enum Turn {
    Update(Option<Update>),
    Heard(Option<Heard>),
    Done(Origin, Kinds, Result<(), WriteError>),
    Share,
    Due,
    Stop,
}

impl Task {
    pub(super) fn new(
        hub: Arc<Hub>,
        mut watch: Watch,
        report: watch::Sender<Report>,
        (as_is, share): (Vec<String>, Option<Held>),
    ) -> Self {
        if share.is_some() {
            // Nothing is, until it is said what is.
            watch.only(BTreeSet::new());
        }
        let now = report.borrow().clone();
        let (tell, heard) = mpsc::channel(64);
        // It ends with its listener.
        let copies = observed::selection(now.word.clone());
        tokio::spawn(follow(hub.kubernetes.clone(), copies, tell));
        Self {
            hub,
            watch,
            heard,
            as_is,
            share,
            mirrored: None,
            copies: Copies::default(),
            clusters: BTreeMap::new(),
            queue: Queue::new(),
            jobs: JoinSet::new(),
            refused: HashMap::new(),
            refusals: Refusals::default(),
            away: None,
            now,
            report,
        }
    }

    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            self.start_jobs();
            self.tell();
            match self.turn(&mut stop).await {
                Turn::Update(Some(update)) => self.update(update),
                Turn::Heard(Some(heard)) => self.hear(heard),
                Turn::Done(origin, what, result) => self.done(&origin, what, result),
                Turn::Share => self.shared(),
                Turn::Due => {}
                Turn::Stop | Turn::Update(None) | Turn::Heard(None) => break,
            }
        }
        self.finish().await;
    }

    async fn turn(&mut self, stop: &mut watch::Receiver<bool>) -> Turn {
        let due = self.next_start();
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => Turn::Stop,
            Some(done) = self.jobs.join_next() => match done {
                Ok((origin, what, result)) => Turn::Done(origin, what, result),
                // A panic ends the process; nobody aborts them.
                Err(_) => Turn::Due,
            },
            () = changed(self.share.as_mut()) => Turn::Share,
            heard = self.heard.recv() => Turn::Heard(heard),
            update = self.watch.next() => Turn::Update(update),
            () = until(due) => Turn::Due,
        }
    }

    /// When the next job may start, if one more may.
    fn next_start(&self) -> Option<Instant> {
        let lapsed = |held: &Held| held.borrow().is_lapsed();
        if self.share.as_ref().is_some_and(lapsed) {
            return None;
        }
        let due = self.queue.deadline()?;
        let free = self.now.listed && self.jobs.len() < AT_ONCE;
        let pause = self.away.map(|(until, _)| until);
        free.then(|| pause.map_or(due, |pause| due.max(pause)))
    }

    fn tell(&mut self) {
        self.now.copies = self.copies.len();
        self.now.waiting = self.queue.len();
        self.now.refused = self.refused.len();
        self.now.clusters = self.watch.members().len();
        let whole = |standing: &&Standing| matches!(standing, Standing::Whole(_));
        self.now.whole = self.clusters.values().filter(whole).count();
        tell(&self.report, &self.now);
    }
}
