//! Source processes: a publisher, its connection, its lists and watches.

use super::ledger::Record;
use super::network::{ClientId, Message, Party};
use super::plan::Wills;
use super::world::{Event, Phase, World};
use crate::protocol::message::{Page, Presence, Reply, Request, StreamId, Term};
use crate::replica::mutants::mutant;
use crate::replica::publisher::{Opening, Output, Publisher, Role, Session, Target, Upstream};
use crate::replica::time::Moment;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Duration;

/// The first stream's id; the others follow.
pub(super) const FIRST_STREAM: u128 = 100;

/// One process.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) publisher: Publisher,
    pub(super) client: ClientId,
    pub(super) session: Session,
    pub(super) alive: bool,
    /// Its API server does not answer it.
    pub(super) stuck: bool,
    pub(super) foreign: bool,
    pub(super) clock: Clock,
    pub(super) up_since: Option<Moment>,
    /// A reader renewed its lease with an older term: until then it has to be told.
    pub(super) owes_presence: Option<Moment>,
    renewed: Option<Moment>,
    watches: BTreeMap<usize, Watch>,
    wake: Option<Moment>,
    pulls: bool,
    hung_since: Option<Moment>,
}

/// How wrong its clock is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    pub(super) back_ms: u64,
    pub(super) coarse: bool,
}

/// One opened upstream.
#[derive(Debug)]
struct Watch {
    opening: Opening,
    /// Delivered up to this; none before the first list.
    revision: Option<usize>,
    /// It was told that the API server is away, and lists anew when it is back.
    broken: bool,
}

/// Keys and values, as an API server lists them.
type Entries = Vec<(Bytes, Bytes)>;

/// A step of a list.
#[derive(Debug)]
pub(super) enum List {
    Evaluate,
    Arrive {
        list: Vec<(Bytes, Bytes)>,
        revision: usize,
    },
    Again,
    /// No list: the watch goes on where it was.
    Resume,
}

impl Clock {
    fn wall_ms(self, now: Moment) -> u64 {
        let ms = 1_700_000_000_000 + now.as_micros() / 1000 - self.back_ms;
        if self.coarse {
            ms / 20_000 * 20_000
        } else {
            ms
        }
    }
}

impl World {
    /// A new process of the cluster's name; it connects after a while.
    pub(super) fn start_source(&mut self, foreign: bool) -> usize {
        let index = self.sources.len();
        let session = Session {
            user: "source".into(),
            id: format!("source-{index}").into(),
        };
        let nonce = self.rng.next() as u32;
        let presence = Presence {
            term: Term { number: 0, nonce },
            cluster: "cluster1".to_owned(),
            cluster_uid: if foreign { "another" } else { "one" }.to_owned(),
            ..Presence::default()
        };
        let seed = self.rng.next();
        let mut clock = Clock {
            coarse: self.plan.clock_coarse,
            back_ms: 0,
        };
        if self.plan.clock_back && index > 0 {
            clock.back_ms = self.rng.pick(self.plan.back_ms);
        }
        let client = self
            .net
            .add(Party::Source(index), session.clone(), self.plan.streams);
        self.sources.push(Source {
            publisher: Publisher::new(self.plan.settings.clone(), presence, seed),
            client,
            session,
            alive: true,
            stuck: false,
            foreign,
            clock,
            up_since: None,
            owes_presence: None,
            renewed: None,
            watches: BTreeMap::new(),
            wake: None,
            pulls: false,
            hung_since: None,
        });
        self.after(Duration::from_millis(20), Event::Connect(client));
        self.after(Duration::from_millis(30), Event::Probe(index));
        index
    }

    pub(super) fn wall_ms(&self, source: usize) -> u64 {
        self.sources[source].clock.wall_ms(self.now)
    }

    /// Connected; subscriptions are confirmed after a round trip.
    pub(super) fn connect_source(&mut self, source: usize) {
        let (client, wall_ms) = (self.sources[source].client, self.wall_ms(source));
        if !self.sources[source].alive || self.net.clients[client].up {
            return;
        }
        let generation = self.connect(client);
        self.net.clients[client].will = Some(self.sources[source].publisher.last_will(wall_ms));
        let wait = self.delay();
        self.after(wait, Event::Ready { client, generation });
    }

    pub(super) fn source_ready(&mut self, source: usize) {
        let now = self.now;
        let client = self.sources[source].client;
        self.sources[source].up_since = Some(now);
        self.sources[source].publisher.link_up(now, 1 << 20);
        self.send_retained(client);
        self.drive_source(source);
    }

    /// The connection breaks; the broker publishes the last will, or not.
    pub(super) fn cut_source(&mut self, source: usize) {
        let (now, client) = (self.now, self.sources[source].client);
        if !self.net.clients[client].up {
            return;
        }
        let will = self.disconnect(client);
        self.sources[source].owes_presence = None;
        self.sources[source].up_since = None;
        self.sources[source].publisher.link_down(now);
        let wills = match self.plan.wills {
            Wills::Any => self.rng.pick(&[Wills::OnTime, Wills::Late, Wills::Lost]),
            wills => wills,
        };
        let after = match wills {
            Wills::Lost => None,
            Wills::Late => Some(self.rng.millis(1_000..=8_000)),
            _ => Some(self.rng.millis(0..=200)),
        };
        if let (Some(after), Some(will)) = (after, will) {
            self.after(after, Event::Will(Box::new(will)));
        }
        self.drive_source(source);
    }

    /// The process ends: killed, or with a goodbye.
    pub(super) fn kill_source(&mut self, source: usize) {
        let wall_ms = self.wall_ms(source);
        let goodbye = self.sources[source].publisher.goodbye(wall_ms);
        if let Some(goodbye) = goodbye
            && self.rng.chance(0.3)
        {
            let client = self.sources[source].client;
            if self.net.clients[client].up {
                let message = std::rc::Rc::new(Message::Presence(goodbye.clone()));
                self.net.retained = Some(goodbye);
                self.fan_out(&message);
                self.disconnect(client);
            }
        } else {
            self.cut_source(source);
        }
        self.sources[source].alive = false;
        self.sources[source].up_since = None;
        self.sources[source].watches.clear();
    }

    fn is_hung(&self, source: usize) -> bool {
        self.api_hung || self.sources[source].stuck
    }

    /// What a source hears.
    pub(super) fn source_hears(&mut self, source: usize, message: &Message) {
        let now = self.now;
        let publisher = &mut self.sources[source].publisher;
        match message {
            Message::Live { live, .. } => {
                publisher.live(now, live.epoch.term, live.upstream_age_ms);
            }
            Message::Presence(presence) => publisher.presence(now, presence),
            Message::Reply {
                reply: Reply::Presence(presence),
                ..
            } => {
                publisher.presence(now, presence);
            }
            Message::Reply { .. } => {}
            Message::Ask { from, request } => match request {
                Request::Sync(sync) => {
                    let below = sync.max_messages == 0 && sync.epoch.term < publisher.term();
                    if below && publisher.role() == Role::Writing {
                        let until = now + self.plan.settings.presence_interval * 2;
                        self.sources[source].owes_presence.get_or_insert(until);
                    }
                    let publisher = &mut self.sources[source].publisher;
                    let stream: usize = sync.selection.resource.parse().expect("a stream");
                    let target = Target {
                        stream: StreamId(FIRST_STREAM + stream as u128),
                        live_topic: format!("live/{stream}").into(),
                        resource: format!("stream{stream}.v1").into(),
                    };
                    publisher.sync(now, from, sync.clone(), &target);
                }
                Request::Leave(selection) => {
                    let stream: u128 = selection.resource.parse().expect("a stream");
                    publisher.leave(now, from, StreamId(FIRST_STREAM + stream));
                }
                Request::Who(rid) => publisher.who(now, from, *rid),
                // Logs are no streams: nobody sends these here.
                Request::LogOpen(_) | Request::LogCredit(_) | Request::LogClose(_) => {}
            },
        }
        self.drive_source(source);
    }

    pub(super) fn acknowledge(&mut self, source: usize, ticket: u64) {
        let now = self.now;
        self.sources[source].publisher.acknowledged(now, ticket);
        self.drive_source(source);
    }

    /// Does what the publisher wants done, and says when it wants to be woken.
    pub(super) fn drive_source(&mut self, source: usize) {
        if !self.sources[source].alive {
            return;
        }
        let wall_ms = self.wall_ms(source);
        while let Some(output) = self.sources[source].publisher.poll(self.now, wall_ms) {
            self.obey(source, output);
        }
        if !self.sources[source].pulls {
            self.sources[source].pulls = true;
            self.pull_page(source);
        }
        self.note_role(source);
        let deadline = self.sources[source].publisher.next_deadline();
        if let Some(at) = deadline {
            let at = at.max(self.now + Duration::from_micros(1));
            let wake = self.sources[source].wake;
            if wake.is_none_or(|wake| wake > at || wake <= self.now) {
                self.sources[source].wake = Some(at);
                self.at(at, Event::WakeSource(source));
            }
        }
    }

    fn obey(&mut self, source: usize, output: Output) {
        let client = self.sources[source].client;
        match output {
            Output::Live { ticket, live } => {
                let stream = (live.stream.0 - FIRST_STREAM) as usize;
                self.judge_live(stream, &live);
                self.publish(client, Message::Live { stream, live }, ticket);
            }
            Output::Reply { to, reply } => self.publish(client, Message::Reply { to, reply }, 0),
            Output::Presence(presence) => {
                self.sources[source].owes_presence = None;
                self.publish(client, Message::Presence(presence), 0);
            }
            Output::Who { rid } => {
                let from = self.sources[source].session.clone();
                let request = Request::Who(rid);
                self.publish(client, Message::Ask { from, request }, 0);
            }
            Output::Open { stream, opening } => {
                let stream = (stream.0 - FIRST_STREAM) as usize;
                let watch = Watch {
                    opening,
                    revision: None,
                    broken: false,
                };
                self.sources[source].watches.insert(stream, watch);
                self.begin_list(source, stream, opening);
            }
            Output::Close { stream } => {
                let stream = (stream.0 - FIRST_STREAM) as usize;
                self.sources[source].watches.remove(&stream);
            }
            Output::Log(_) => {}
        }
    }

    /// The bulk connection has room for a page.
    pub(super) fn pull_page(&mut self, source: usize) {
        let (now, wall_ms) = (self.now, self.wall_ms(source));
        let client = self.sources[source].client;
        let up = self.net.clients[client].up && self.sources[source].alive;
        let page = up
            .then(|| self.sources[source].publisher.next_page(now, wall_ms))
            .flatten();
        let Some((to, page)) = page else {
            self.sources[source].pulls = false;
            return;
        };
        self.judge_page(&page);
        let reply = Reply::Page(page);
        self.publish(client, Message::Reply { to, reply }, 0);
        let wait = self.page_every.max(Duration::from_micros(50));
        self.after(wait, Event::PullPage(source));
    }

    /// A list begins: it is evaluated at some moment, and arrives later.
    fn begin_list(&mut self, source: usize, stream: usize, opening: Opening) {
        let wait = self.list_time();
        self.tell(source, stream, opening, Upstream::Listing);
        self.after(
            wait,
            Event::List {
                source,
                stream,
                opening,
                step: List::Evaluate,
            },
        );
    }

    fn list_time(&mut self) -> Duration {
        let (low, high) = self.list_ms;
        self.rng.millis(low..=high)
    }

    pub(super) fn list(&mut self, source: usize, stream: usize, opening: Opening, step: List) {
        if !self.is_open(source, stream, opening) {
            return;
        }
        if self.is_hung(source) {
            self.after(
                Duration::from_millis(300),
                Event::List {
                    source,
                    stream,
                    opening,
                    step,
                },
            );
            return;
        }
        match step {
            List::Again => self.begin_list(source, stream, opening),
            List::Resume => self.watching(source, stream, opening),
            List::Evaluate if self.half_lists > 0.0 && self.rng.chance(self.half_lists) => {
                self.break_list(source, stream, opening);
            }
            List::Evaluate => {
                let (list, revision) = (self.truths[stream].list(), self.truths[stream].revision());
                let step = List::Arrive { list, revision };
                let wait = self.list_time();
                self.after(
                    wait,
                    Event::List {
                        source,
                        stream,
                        opening,
                        step,
                    },
                );
            }
            List::Arrive { list, revision } => {
                let (parts, last) = self.cut(list);
                for part in parts {
                    self.tell(source, stream, opening, Upstream::Part(part));
                }
                if let Some(watch) = self.sources[source].watches.get_mut(&stream) {
                    watch.revision = Some(revision);
                }
                let listed = Upstream::Listed(last, revision as u64);
                self.tell(source, stream, opening, listed);
                self.watching(source, stream, opening);
            }
        }
    }

    /// A list comes in parts, the last of which may be empty.
    fn cut(&mut self, mut list: Entries) -> (Vec<Entries>, Entries) {
        let mut parts = Vec::new();
        while !list.is_empty() && self.rng.chance(0.5) {
            let rest = list.split_off(1 + self.rng.below(list.len()));
            parts.push(std::mem::replace(&mut list, rest));
        }
        (parts, list)
    }

    /// A watch opens; what happened since its revision comes after its lag.
    fn watching(&mut self, source: usize, stream: usize, opening: Opening) {
        if let Some(watch) = self.sources[source].watches.get_mut(&stream) {
            watch.broken = false;
        }
        self.tell(source, stream, opening, Upstream::Watching);
        self.deliver_later(source, stream, opening);
        let watch = self.sources[source].watches.get(&stream);
        let (Some(lag), Some(from)) = (self.lag_of(source), watch.and_then(|watch| watch.revision))
        else {
            return;
        };
        // What changed since the list comes as late as what changes from now on.
        let changes = self.truths[stream].log[from + 1..].iter();
        for at in changes.map(|change| change.at + lag).collect::<Vec<_>>() {
            let watch = Event::Watch {
                source,
                stream,
                opening,
            };
            self.at(at.max(self.now), watch);
        }
    }

    fn deliver_later(&mut self, source: usize, stream: usize, opening: Opening) {
        let lag = if self.plan.lags_unevenly {
            1
        } else {
            self.plan.watch_lag_ms
        };
        let lag = self.rng.millis(0..=lag);
        for lag in [Some(lag), self.lag_of(source)].into_iter().flatten() {
            let watch = Event::Watch {
                source,
                stream,
                opening,
            };
            self.after(lag, watch);
        }
    }

    /// How far behind a source's watch always is.
    fn lag_of(&self, source: usize) -> Option<Duration> {
        let lags = self.plan.lags_unevenly && source % 2 == 1;
        lags.then(|| Duration::from_millis(self.plan.watch_lag_ms))
    }

    /// The connection breaks in the middle of a list.
    fn break_list(&mut self, source: usize, stream: usize, opening: Opening) {
        let list = self.truths[stream].list();
        let half = list.len() / 2;
        let part = list[..half].to_vec();
        self.tell(source, stream, opening, Upstream::Part(part));
        if mutant!(BrokenListDiffed) {
            self.tell(source, stream, opening, Upstream::Listed(Vec::new(), 0));
        }
        self.tell(source, stream, opening, Upstream::Down("reset".to_owned()));
        let wait = self.rng.millis(100..=1_000);
        self.after(
            wait,
            Event::List {
                source,
                stream,
                opening,
                step: List::Again,
            },
        );
    }

    fn is_open(&self, source: usize, stream: usize, opening: Opening) -> bool {
        let watch = self.sources[source].watches.get(&stream);
        watch.is_some_and(|watch| watch.opening == opening)
    }

    /// A watch delivers what it has not yet.
    pub(super) fn watch(&mut self, source: usize, stream: usize, opening: Opening) {
        if !self.is_open(source, stream, opening) || self.is_hung(source) {
            return;
        }
        let last =
            self.truths[stream].revision_at(self.now - self.lag_of(source).unwrap_or_default());
        let watch = self.sources[source].watches.get(&stream);
        let Some(from) = watch
            .filter(|watch| !watch.broken)
            .and_then(|watch| watch.revision)
        else {
            return;
        };
        for revision in from + 1..=last {
            let change = self.truths[stream].log[revision].clone();
            if let Some(watch) = self.sources[source].watches.get_mut(&stream) {
                watch.revision = Some(revision);
            }
            let event = match change.value {
                Some(value) => Upstream::Put(change.key, value, revision as u64),
                None => Upstream::Delete(change.key, revision as u64),
            };
            self.tell(source, stream, opening, event);
        }
        let bookmark = Upstream::Bookmark(last as u64);
        self.tell(source, stream, opening, bookmark);
    }

    /// Something changed: watches deliver it after their lag.
    pub(super) fn changed(&mut self, stream: usize) {
        for source in 0..self.sources.len() {
            let watch = self.sources[source].watches.get(&stream);
            if let Some(opening) = watch
                .filter(|watch| watch.revision.is_some())
                .map(|watch| watch.opening)
            {
                self.deliver_later(source, stream, opening);
            }
        }
    }

    /// The connection to the API server is reset and the watch goes on later; or it ends with 410, and all is listed
    /// anew.
    pub(super) fn relist(&mut self, source: usize, stream: usize) {
        let Some(watch) = self.sources[source].watches.get_mut(&stream) else {
            return;
        };
        if watch.revision.is_none() || watch.broken {
            return;
        }
        watch.broken = true;
        let opening = watch.opening;
        let ended = match self.rng.chance(0.5) {
            true => Upstream::Down("reset".to_owned()),
            false => Upstream::Ended,
        };
        self.tell(source, stream, opening, ended);
        if self.rng.chance(0.5) {
            return self.begin_list(source, stream, opening);
        }
        let wait = self.rng.millis(10..=4_000);
        let step = List::Resume;
        let resume = Event::List {
            source,
            stream,
            opening,
            step,
        };
        self.after(wait, resume);
    }

    /// The API server is asked for a sign of life, twice a heartbeat.
    pub(super) fn probe(&mut self, source: usize) {
        if !self.sources[source].alive {
            return;
        }
        let now = self.now;
        let open: Vec<(usize, Opening, bool)> = self.sources[source]
            .watches
            .iter()
            .map(|(stream, watch)| {
                (
                    *stream,
                    watch.opening,
                    watch.revision.is_some() && !watch.broken,
                )
            })
            .collect();
        if self.is_hung(source) {
            let since = *self.sources[source].hung_since.get_or_insert(now);
            if now.since(since) >= Duration::from_secs(1) {
                self.sources[source].publisher.api_down(now);
                for (stream, opening, listed) in open {
                    if listed && self.rng.chance(0.1) {
                        self.sources[source]
                            .watches
                            .get_mut(&stream)
                            .expect("open")
                            .broken = true;
                        self.tell(
                            source,
                            stream,
                            opening,
                            Upstream::Down("timeout".to_owned()),
                        );
                        self.after(
                            Duration::from_millis(200),
                            Event::List {
                                source,
                                stream,
                                opening,
                                step: List::Again,
                            },
                        );
                    }
                }
            }
        } else {
            self.sources[source].hung_since = None;
            self.sources[source].publisher.api_alive(now);
            // A quiet watch has a bookmark now and then; the probes are what tells that it is alive.
            for (stream, opening, listed) in open {
                if listed && self.rng.chance(0.02) {
                    self.watch(source, stream, opening);
                }
            }
        }
        self.drive_source(source);
        self.after(self.plan.settings.heartbeat / 2, Event::Probe(source));
    }

    /// The upstream tells something; the state it leads to is written down.
    fn tell(&mut self, source: usize, stream: usize, opening: Opening, event: Upstream) {
        let (now, id) = (self.now, StreamId(FIRST_STREAM + stream as u128));
        self.sources[source]
            .publisher
            .upstream(now, id, opening, event);
        let revision = self.sources[source]
            .watches
            .get(&stream)
            .and_then(|watch| watch.revision);
        let state = self.sources[source].publisher.state_of(id);
        if let (Some(revision), Some((epoch, seq, digest))) = (revision, state) {
            let record = Record {
                seq,
                digest,
                revisions: (revision, revision),
                at: now,
            };
            self.judge_feed(stream, revision, digest);
            let noted = self.ledger.note(stream, epoch, record);
            self.expect(noted);
        }
        self.drive_source(source);
    }

    /// The source that writes now and is able to, if there is exactly one.
    pub(super) fn writer(&self) -> Option<usize> {
        let mut writers = (0..self.sources.len()).filter(|index| {
            let source = &self.sources[*index];
            source.alive
                && !self.net.clients[source.client].deaf
                && source.publisher.role() == Role::Writing
        });
        writers.next().filter(|_| writers.next().is_none())
    }

    /// In the end nobody's role or term changes any more.
    fn note_role(&mut self, source: usize) {
        self.note_renewal(source);
        let role = self.sources[source].publisher.role();
        let now = (
            source,
            role == Role::Writing,
            self.sources[source].publisher.term(),
        );
        let deaf = self.net.clients[self.sources[source].client].deaf;
        if self.phase >= Phase::Still && !deaf {
            let before = self.roles.iter().find(|(index, ..)| *index == source);
            if before.is_some_and(|before| *before != now) {
                self.expect(Err(format!(
                    "source {source} changed its role in the end: {role:?}"
                )));
            }
        } else {
            self.roles.retain(|(index, ..)| *index != source);
            self.roles.push(now);
        }
    }

    /// A writer goes on under a new term once a minute at most, whatever it is told.
    fn note_renewal(&mut self, source: usize) {
        let process = &self.sources[source];
        let (role, term) = (process.publisher.role(), process.publisher.term());
        let before = self.roles.iter().find(|(index, ..)| *index == source);
        let again =
            before.is_some_and(|(_, wrote, with)| *wrote && role == Role::Writing && *with != term);
        if again {
            let interval = self.plan.settings.renewal_interval;
            let soon = process
                .renewed
                .is_some_and(|last| self.now < last + interval);
            self.sources[source].renewed = Some(self.now);
            if soon {
                self.expect(Err(format!(
                    "source {source} renewed its term twice within {interval:?}"
                )));
            }
        }
    }

    pub(super) fn judge_page(&mut self, page: &Page) {
        let stream = (page.stream.0 - FIRST_STREAM) as usize;
        self.judge_told(stream, page.epoch, page.seq, page.digest, "answered");
    }
}
