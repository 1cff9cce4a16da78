//! The mirror of one kind: hears, decides, writes.

use super::copy::{Kind, Origin};
use super::decide::{Known, Mirrored, Step};
use super::hub::{Hub, Job};
use super::inert;
use super::observed::{self, Copies};
use super::report::Report;
use crate::controlplane::refusals::Refusals;
use crate::informer::{Update, Watch};
use crate::kubernetes::{Heard, Queue, WriteError, follow};
use crate::protocol::names::ClusterName;
use crate::protocol::rows::Header;
use crate::source::{Event, Resolved};
use bytes::Bytes;
use prost::Message;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Copies written at once.
const AT_ONCE: usize = 16;
/// Objects looked at in a row, before what happens meanwhile is heard.
const LOOKS: usize = 256;
/// Pauses while something refuses one object, while the hub says "not now", and while it is away.
const REFUSED: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(600));
const NOT_NOW: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));
const AWAY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));
/// So many refused objects are told one by one; of more, their number.
const TOLD: usize = 20;
/// What is due when the mirror is asked to stop is still done, for so long.
const LAST: Duration = Duration::from_secs(5);

pub(super) struct Task {
    hub: Arc<Hub>,
    watch: Watch,
    heard: mpsc::Receiver<Heard>,
    as_is: Vec<String>,
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
    Due,
    Stop,
}

impl Task {
    pub(super) fn new(
        hub: Arc<Hub>,
        watch: Watch,
        report: watch::Sender<Report>,
        as_is: Vec<String>,
    ) -> Self {
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
            heard = self.heard.recv() => Turn::Heard(heard),
            update = self.watch.next() => Turn::Update(update),
            () = at(due) => Turn::Due,
        }
    }

    /// When the next job may start, if one more may.
    fn next_start(&self) -> Option<Instant> {
        let due = self.queue.deadline()?;
        let free = self.now.listed && self.jobs.len() < AT_ONCE;
        let pause = self.away.map(|(until, _)| until);
        free.then(|| pause.map_or(due, |pause| due.max(pause)))
    }

    /// Does what is due now, and nothing more.
    async fn finish(&mut self) {
        let end = Instant::now() + LAST;
        loop {
            self.start_jobs();
            let joined = tokio::time::timeout_at(end, self.jobs.join_next()).await;
            match joined {
                Ok(Some(Ok((origin, what, result)))) => self.done(&origin, what, result),
                Ok(Some(Err(_))) => {}
                Ok(None) if self.next_start().is_some_and(|due| due <= Instant::now()) => {}
                Ok(None) | Err(_) => break,
            }
            self.tell();
        }
    }

    /// Starts what is due. Most of what there is to do after a start is to look: not all of it before anything else.
    fn start_jobs(&mut self) {
        for _ in 0..LOOKS {
            let now = Instant::now();
            if self.next_start().is_none_or(|due| due > now) {
                return;
            }
            let Some(origin) = self.queue.next(now) else {
                return;
            };
            self.start(origin, now);
        }
    }

    fn start(&mut self, origin: Origin, now: Instant) {
        let Some(mirrored) = &self.mirrored else {
            return self.queue.done(&origin, now);
        };
        let (watch, clusters) = (&self.watch, &self.clusters);
        let known = |origin: &Origin| known(watch, clusters, origin);
        let job = match mirrored.decide(&origin, &mut self.copies, known) {
            Step::Nothing => {
                self.refused.remove(&origin);
                return self.queue.done(&origin, now);
            }
            Step::Refused(why, job) => {
                self.refuse(&origin, why);
                match job {
                    Some(job) => job,
                    None => {
                        self.queue.retry(&origin, REFUSED, now);
                        return;
                    }
                }
            }
            Step::Do(job) => job,
        };
        let what = match &job {
            Job::Delete { .. } => Kinds::Deleted,
            Job::Apply(apply) if apply.repairs => Kinds::Repaired,
            Job::Apply(_) => Kinds::Applied,
        };
        let hub = Arc::clone(&self.hub);
        self.jobs.spawn(async move {
            let result = hub.run(&origin, job).await;
            (origin, what, result)
        });
    }

    fn done(&mut self, origin: &Origin, what: Kinds, result: Result<(), WriteError>) {
        let now = Instant::now();
        if !matches!(result, Err(WriteError::Away(_))) && self.away.take().is_some() {
            tracing::info!(resource = %self.now.word, "the hub's API server is back");
            self.now.trouble = None;
        }
        match result {
            Ok(()) => {
                match what {
                    Kinds::Deleted => self.now.deleted += 1,
                    Kinds::Applied => self.now.applied += 1,
                    Kinds::Repaired => {
                        self.now.applied += 1;
                        self.now.repaired += 1;
                        self.queue.repaired(origin, now);
                    }
                }
                if what != Kinds::Deleted {
                    self.refused.remove(origin);
                }
                self.queue.done(origin, now);
            }
            Err(WriteError::Refused(refusal)) => {
                self.now.failed += 1;
                self.queue.retry(origin, REFUSED, now);
                self.refuse(origin, format!("the hub refuses it: {refusal}"));
            }
            Err(WriteError::NotNow { message, .. }) => {
                self.now.failed += 1;
                if self.queue.retry(origin, NOT_NOW, now) == 4 {
                    self.refuse(origin, format!("the hub cannot take it: {message}"));
                }
            }
            Err(WriteError::Away(message)) => {
                self.now.failed += 1;
                self.queue
                    .retry(origin, (Duration::ZERO, Duration::ZERO), now);
                self.hub_away(message, now);
            }
        }
    }

    /// All wait for the hub together.
    fn hub_away(&mut self, message: String, now: Instant) {
        let times = match self.away {
            // Those that were under way with it.
            Some((until, _)) if until > now => return,
            Some((_, times)) => times + 1,
            None => {
                tracing::warn!(resource = %self.now.word, "{message}; copies wait for the hub's API server");
                0
            }
        };
        let pause = AWAY.0 * 2_u32.saturating_pow(times.min(10));
        self.away = Some((now + pause.min(AWAY.1), times));
        self.now.trouble = Some(message);
    }

    fn refuse(&mut self, origin: &Origin, why: String) {
        if self.refused.get(origin) == Some(&why) {
            return;
        }
        let object = String::from_utf8_lossy(&origin.key);
        let (cluster, resource) = (origin.cluster.as_str(), &self.now.word);
        match self.refused.len() {
            told if told < TOLD => {
                tracing::warn!(%cluster, %resource, ?object, "not mirrored: {why}");
            }
            TOLD => tracing::warn!(%resource, "more are not mirrored: /metrics says how many"),
            _ => tracing::debug!(%cluster, %resource, ?object, "not mirrored: {why}"),
        }
        self.refused.insert(origin.clone(), why);
    }

    fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Kind(kind) => self.learn(*kind),
            Heard::Trouble(why) => self.trouble(why),
            Heard::Event(event) => self.copied(event),
        }
    }

    fn trouble(&mut self, why: String) {
        if self.now.trouble.as_ref() != Some(&why) {
            tracing::warn!(resource = %self.now.word, "nothing is mirrored: {why}");
        }
        self.now.trouble = Some(why);
    }

    /// What the word means on the hub, and how that is treated.
    fn learn(&mut self, hub: Resolved) {
        let full = match hub.group.as_str() {
            "" => hub.plural.clone(),
            group => format!("{}.{group}", hub.plural),
        };
        let treatment = match self.as_is.contains(&full) {
            true => Ok(inert::as_is()),
            false => inert::treatment(&hub.group, &hub.plural),
        };
        let treatment = match treatment {
            Ok(treatment) => treatment,
            Err(why) => {
                return self.trouble(format!(
                    "{full} cannot be mirrored: {why}; --mirror-as-is={full} does it nevertheless"
                ));
            }
        };
        self.now.trouble = None;
        let kind = Kind {
            group: hub.group,
            version: hub.version,
            plural: hub.plural,
            kind: hub.kind,
            namespaced: hub.namespaced,
        };
        self.mirrored = Some(Mirrored { kind, treatment });
        let members: Vec<_> = self.watch.members().keys().cloned().collect();
        for cluster in members {
            self.look_at_header(&cluster);
            self.add_all_of(&cluster);
        }
    }

    fn copied(&mut self, event: Event) {
        let Some(namespaced) = self.mirrored.as_ref().map(|m| m.kind.namespaced) else {
            return;
        };
        let now = Instant::now();
        match event {
            Event::Listing => self.copies.listing(),
            Event::Part(part) => self.copies.part(part),
            Event::Listed(part, _) => {
                self.copies.part(part);
                self.now.listed = true;
                self.now.trouble = None;
                for origin in self.copies.listed(namespaced) {
                    self.queue.add(&origin, now);
                }
                let members: Vec<_> = self.watch.members().keys().cloned().collect();
                for cluster in members {
                    self.add_all_of(&cluster);
                }
            }
            Event::Put(key, value, _) => {
                for origin in self.copies.put(key, value, namespaced) {
                    self.queue.add_for_repair(&origin, now);
                }
            }
            Event::Delete(key, _) => {
                if let Some(origin) = self.copies.remove(&key) {
                    if let Known::Present(..) = known(&self.watch, &self.clusters, &origin) {
                        self.now.repaired += 1;
                        self.queue.repaired(&origin, now);
                    }
                    self.queue.add_for_repair(&origin, now);
                }
            }
            Event::Refused(refusal) => self.trouble(format!("the hub refuses: {refusal}")),
            Event::Down(message) if !self.now.listed => self.trouble(message),
            Event::Down(_) | Event::Watching | Event::Alive | Event::Bookmark(_) | Event::Ended => {
            }
        }
    }

    fn update(&mut self, update: Update) {
        let now = Instant::now();
        match update {
            Update::Joined(cluster) => {
                let standing = self.clusters.entry(cluster).or_insert(Standing::Unknown);
                // Its copies are still to go, until it has said what it has now.
                if !matches!(standing, Standing::Forgotten) {
                    *standing = Standing::Unknown;
                }
            }
            Update::Changed(cluster, notices) => {
                if notices.iter().any(|notice| notice.key.is_empty()) {
                    self.look_at_header(&cluster);
                }
                for notice in notices.into_iter().filter(|notice| !notice.key.is_empty()) {
                    let (cluster, key) = (cluster.clone(), notice.key);
                    self.queue.add(&Origin { cluster, key }, now);
                }
            }
            Update::State(cluster, state) => {
                if let Some(why) = self.refusals.news(&cluster, &state) {
                    tracing::warn!(cluster = cluster.as_str(), resource = %self.now.word, "not mirrored: {why}");
                }
            }
            Update::Left(cluster) => {
                tracing::info!(cluster = cluster.as_str(), resource = %self.now.word, "the cluster was forgotten: its copies go, too");
                self.refusals.forget(&cluster);
                self.clusters.insert(cluster.clone(), Standing::Forgotten);
                self.add_copies_of(&cluster);
            }
            Update::Discovered => self.tell_of_strangers(),
            Update::Unsettled(_) | Update::Presence(_) | Update::Link(_) => {}
        }
    }

    /// Whether a cluster means by the word what the hub means. A source chooses what it answers with: were it believed,
    /// one could answer "secrets" with ClusterRoleBindings.
    fn look_at_header(&mut self, cluster: &ClusterName) {
        let (Some(mirrored), Some(member)) = (&self.mirrored, self.watch.members().get(cluster))
        else {
            return;
        };
        let snapshot = member.store().snapshot();
        let Some(header) = snapshot
            .entries
            .get(&b""[..])
            .filter(|_| snapshot.is_whole())
        else {
            return;
        };
        let theirs = kind_of(header);
        let hub = &mirrored.kind;
        let same = theirs.as_ref().is_some_and(|theirs| {
            Kind {
                version: hub.version.clone(),
                ..theirs.clone()
            } == *hub
        });
        let was_whole = matches!(self.clusters.get(cluster), Some(Standing::Whole(_)));
        let standing = match theirs.filter(|_| same) {
            Some(theirs) => Standing::Whole(theirs),
            None => {
                tracing::warn!(cluster = cluster.as_str(), resource = %self.now.word, "not mirrored: the cluster means another resource by it than the hub ({}.{})", hub.plural, hub.group);
                Standing::Other
            }
        };
        self.clusters.insert(cluster.clone(), standing);
        if !was_whole {
            // What was deleted while nobody looked.
            self.add_copies_of(cluster);
        }
    }

    fn add_copies_of(&mut self, cluster: &ClusterName) {
        let now = Instant::now();
        let theirs = |origin: &&Origin| origin.cluster == *cluster;
        let origins: Vec<_> = self.copies.origins().filter(theirs).cloned().collect();
        for origin in origins {
            self.queue.add(&origin, now);
        }
    }

    fn add_all_of(&mut self, cluster: &ClusterName) {
        let Some(member) = self.watch.members().get(cluster) else {
            return;
        };
        let (snapshot, now) = (member.store().snapshot(), Instant::now());
        for (key, _) in snapshot.objects() {
            let (cluster, key) = (cluster.clone(), key.clone());
            self.queue.add(&Origin { cluster, key }, now);
        }
    }

    /// Copies of clusters that were forgotten while nobody looked: there is nobody to say what became of them.
    fn tell_of_strangers(&self) {
        let mut strangers: BTreeMap<&str, usize> = BTreeMap::new();
        for origin in self.copies.origins() {
            if !self.watch.members().contains_key(&origin.cluster) {
                *strangers.entry(origin.cluster.as_str()).or_default() += 1;
            }
        }
        for (cluster, copies) in strangers {
            tracing::warn!(cluster, copies, resource = %self.now.word, "copies of a cluster that is not there are kept: see docs/operations.md");
        }
    }

    fn tell(&mut self) {
        self.now.copies = self.copies.len();
        self.now.waiting = self.queue.len();
        self.now.refused = self.refused.len();
        self.now.clusters = self.watch.members().len();
        let whole = |standing: &&Standing| matches!(standing, Standing::Whole(_));
        self.now.whole = self.clusters.values().filter(whole).count();
        self.report.send_if_modified(|report| {
            let news = *report != self.now;
            if news {
                report.clone_from(&self.now);
            }
            news
        });
    }
}

fn kind_of(header: &Bytes) -> Option<Kind> {
    let header = Header::decode(header.clone()).ok()?;
    Some(Kind {
        group: header.group,
        version: header.version,
        plural: header.plural,
        kind: header.kind,
        namespaced: header.namespaced,
    })
}

fn known(watch: &Watch, clusters: &BTreeMap<ClusterName, Standing>, origin: &Origin) -> Known {
    let kind = match clusters.get(&origin.cluster) {
        Some(Standing::Whole(kind)) => kind,
        Some(Standing::Forgotten) => return Known::Absent,
        Some(Standing::Unknown | Standing::Other) | None => return Known::Nothing,
    };
    let Some(member) = watch.members().get(&origin.cluster) else {
        return Known::Nothing;
    };
    let snapshot = member.store().snapshot();
    match snapshot.entries.get(&origin.key) {
        _ if !snapshot.is_whole() => Known::Nothing,
        Some(value) => Known::Present(kind.clone(), value.clone()),
        None => Known::Absent,
    }
}

async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
