//! One seed's run: a queue of events in virtual time, and what happens in each of its phases.

use super::backings::{Backing, Batch};
use super::faults::Fault;
use super::ledger::Ledger;
use super::network::{ClientId, Message, Network, Party, Weather};
use super::plan::{Plan, Scenario};
use super::rng::Rng;
use super::sources::{List, Source};
use super::truth::{Kind, Truth};
use super::viewers::Viewer;
use crate::protocol::message::{Presence, Term};
use crate::replica::publisher::{Opening, Session};
use crate::replica::time::Moment;
use bytes::Bytes;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::Write;
use std::rc::Rc;
use std::time::Duration;

/// Something that happens at a moment.
#[derive(Debug)]
pub(super) enum Event {
    Connect(ClientId),
    Ready {
        client: ClientId,
        generation: u32,
    },
    Arrive {
        from: ClientId,
        generation: u32,
        message: Rc<Message>,
        ticket: u64,
    },
    Deliver {
        to: ClientId,
        generation: u32,
        message: Rc<Message>,
    },
    Ack {
        to: ClientId,
        generation: u32,
        ticket: u64,
    },
    Subscribe {
        client: ClientId,
        generation: u32,
        stream: usize,
    },
    Subscribed {
        client: ClientId,
        generation: u32,
        stream: usize,
    },
    Will(Box<Presence>),
    WakeSource(usize),
    WakeViewer(usize),
    PullPage(usize),
    List {
        source: usize,
        stream: usize,
        opening: Opening,
        step: List,
    },
    Watch {
        source: usize,
        stream: usize,
        opening: Opening,
    },
    Probe(usize),
    Churn(usize),
    Fault(Fault),
    Heal(Fault),
    StartViewer(usize),
    Store {
        viewer: usize,
        stream: usize,
    },
    Stored {
        viewer: usize,
        stream: usize,
        client: ClientId,
        batch: Box<Batch>,
    },
    Fetched {
        viewer: usize,
        stream: usize,
        client: ClientId,
        number: u64,
        keys: Vec<Bytes>,
    },
    StartSource,
    Lie(usize),
    Tick,
    Next(Phase),
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Faults come.
    Faults,
    /// None come any more; churn and lies go on.
    Settling,
    /// Nothing changes any more.
    Quiet,
    /// Everything must be as it should be, and stay so.
    Still,
    /// All viewers are gone without a word.
    Deserted,
    /// Their leases are over.
    Empty,
    /// The end.
    Over,
}

#[derive(Debug)]
struct Timed {
    at: Moment,
    order: u64,
    event: Event,
}

impl PartialEq for Timed {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Timed {}
impl PartialOrd for Timed {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Timed {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// Everything.
#[derive(Debug)]
pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) now: Moment,
    pub(super) rng: Rng,
    pub(super) phase: Phase,
    pub(super) net: Network,
    pub(super) truths: Vec<Truth>,
    pub(super) kind: Kind,
    pub(super) sources: Vec<Source>,
    pub(super) viewers: Vec<Viewer>,
    pub(super) liars: Vec<ClientId>,
    pub(super) ledger: Ledger,
    pub(super) api_hung: bool,
    pub(super) half_lists: f64,
    pub(super) list_ms: (u64, u64),
    pub(super) page_every: Duration,
    /// Of a viewer: what it had of each stream, as bytes.
    pub(super) caches: Vec<(usize, Vec<Vec<u8>>)>,
    /// Of each viewer: what its database has of each stream.
    pub(super) backings: Vec<Vec<Backing>>,
    /// The databases of thin viewers, as they were once.
    pub(super) backups: Vec<(usize, Vec<Backing>)>,
    /// Of each source: whether it writes, and its term.
    pub(super) roles: Vec<(usize, bool, Term)>,
    traced: bool,
    queue: BinaryHeap<Reverse<Timed>>,
    order: u64,
    pub(super) events: u64,
    failure: Option<String>,
}

/// More events than any seed needs: a storm.
const STORM: u64 = 1_500_000;

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let plan = Plan::new(seed);
        let mut rng = Rng::new(seed ^ 0x5eed);
        let kind = Kind {
            keys: plan.keys,
            prefix: plan.key_prefix,
            two_letters: plan.two_letters,
            value_bytes: plan.value_bytes,
        };
        let weather = Weather {
            loss: plan.loss,
            duplicates: plan.duplicates,
            ordered: plan.ordered,
            delay_ms: plan.delay_ms,
        };
        let truths = (0..plan.streams)
            .map(|_| Truth::new(&mut rng, kind))
            .collect();
        Self {
            net: Network::new(weather),
            truths,
            kind,
            now: Moment::default(),
            phase: Phase::Faults,
            sources: Vec::new(),
            viewers: Vec::new(),
            liars: Vec::new(),
            ledger: Ledger::default(),
            api_hung: false,
            half_lists: plan.half_lists,
            list_ms: plan.list_ms,
            page_every: plan.page_every,
            caches: Vec::new(),
            backings: vec![vec![Backing::default(); plan.streams]; plan.viewers],
            backups: Vec::new(),
            roles: Vec::new(),
            traced: std::env::var_os("TRACE").is_some(),
            queue: BinaryHeap::new(),
            order: 0,
            events: 0,
            failure: None,
            plan,
            rng,
        }
    }

    /// Runs to the end, or to the first failure.
    pub(super) fn run(&mut self) -> Result<(), String> {
        self.set_up();
        while let Some(Reverse(timed)) = self.queue.pop() {
            self.now = timed.at;
            self.events += 1;
            if self.events > STORM {
                self.expect(Err("a storm of events".to_owned()));
            }
            self.trace(&timed.event);
            self.happen(timed.event);
            if let Some(failure) = self.failure.take() {
                let (phase, at) = (self.phase, self.now.as_micros() / 1000);
                return Err(format!("{phase:?}, {at} ms: {failure}"));
            }
            if self.phase == Phase::Over {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn at(&mut self, at: Moment, event: Event) {
        self.order += 1;
        let order = self.order;
        self.queue.push(Reverse(Timed { at, order, event }));
    }

    /// Last wills that are still to come never do.
    pub(super) fn forget_wills(&mut self) {
        self.queue
            .retain(|Reverse(timed)| !matches!(timed.event, Event::Will(_)));
    }

    pub(super) fn after(&mut self, time: Duration, event: Event) {
        self.at(self.now + time, event);
    }

    /// Keeps the first failure.
    pub(super) fn expect(&mut self, judged: Result<(), String>) {
        if let Err(failure) = judged {
            self.failure.get_or_insert(failure);
        }
    }

    /// With `TRACE` set, what happens is told: for one seed.
    fn trace(&self, event: &Event) {
        let dull = matches!(
            event,
            Event::Tick
                | Event::WakeSource(_)
                | Event::WakeViewer(_)
                | Event::PullPage(_)
                | Event::Store { .. }
        );
        if self.traced && !dull {
            let _ = writeln!(std::io::stderr(), "{:>10} {event:?}", self.now.as_micros());
        }
    }

    pub(super) fn describe(&self) {
        if self.traced {
            let _ = writeln!(std::io::stderr(), "{:#?}", self.plan);
        }
    }

    fn set_up(&mut self) {
        for _ in 0..self.plan.sources {
            self.start_source(false);
        }
        for viewer in 0..self.plan.viewers {
            let client = self.net.clients.len();
            self.start_viewer(viewer, None);
            debug_assert!(self.net.clients.len() > client);
            let stored = if self.is_thin(viewer) {
                self.plan.streams
            } else {
                0
            };
            for stream in 0..stored {
                self.after(Duration::ZERO, Event::Store { viewer, stream });
            }
        }
        for liar in 0..self.plan.liars {
            let session = Session {
                user: "liar".into(),
                id: format!("liar-{liar}").into(),
            };
            let client = self.net.add(Party::Liar(liar), session, self.plan.streams);
            self.connect(client);
            self.liars.push(client);
            self.after(Duration::from_millis(800), Event::Lie(liar));
        }
        for stream in 0..self.plan.streams {
            let wait = self.rng.about(self.plan.churn);
            self.after(wait, Event::Churn(stream));
        }
        self.schedule_faults();
        self.after(Duration::from_millis(100), Event::Tick);
        self.after(self.plan.faults_for, Event::Next(Phase::Settling));
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Connect(client) => match self.net.clients[client].party {
                Party::Source(source) => self.connect_source(source),
                Party::Viewer(viewer) => self.connect_viewer(viewer, client),
                Party::Liar(_) => {}
            },
            Event::Ready { client, generation } => self.ready(client, generation),
            Event::Arrive {
                from,
                generation,
                message,
                ticket,
            } => {
                self.arrive(from, generation, &message, ticket);
            }
            Event::Deliver {
                to,
                generation,
                message,
            } => self.deliver(to, generation, &message),
            Event::Ack {
                to,
                generation,
                ticket,
            } => {
                if let (true, Party::Source(source)) = (
                    self.net.clients[to].generation == generation,
                    self.net.clients[to].party,
                ) {
                    self.acknowledge(source, ticket);
                }
            }
            Event::Subscribe {
                client,
                generation,
                stream,
            } => {
                self.subscribe_at_broker(client, generation, stream);
            }
            Event::Subscribed {
                client,
                generation,
                stream,
            } => {
                if let (true, Party::Viewer(viewer)) = (
                    self.net.clients[client].generation == generation,
                    self.net.clients[client].party,
                ) {
                    self.subscribed(viewer, stream);
                }
            }
            Event::Will(presence) => {
                self.net.retained = Some((*presence).clone());
                self.fan_out(&Rc::new(Message::Presence(*presence)));
            }
            Event::WakeSource(source) => self.drive_source(source),
            Event::WakeViewer(viewer) => self.drive_viewer(viewer),
            Event::PullPage(source) => {
                self.pull_page(source);
                self.drive_source(source);
            }
            Event::List {
                source,
                stream,
                opening,
                step,
            } => self.list(source, stream, opening, step),
            Event::Watch {
                source,
                stream,
                opening,
            } => self.watch(source, stream, opening),
            Event::Probe(source) => self.probe(source),
            Event::Churn(stream) => self.churn(stream),
            Event::Fault(fault) => self.fault(fault),
            Event::Heal(fault) => self.heal(fault),
            Event::StartViewer(viewer) => self.restart_viewer(viewer),
            Event::Store { viewer, stream } => self.store(viewer, stream),
            Event::Stored {
                viewer,
                stream,
                client,
                batch,
            } => self.stored((viewer, stream), client, &batch),
            Event::Fetched {
                viewer,
                stream,
                client,
                number,
                keys,
            } => self.fetched((viewer, stream), client, number, &keys),
            Event::StartSource => {
                self.start_source(false);
            }
            Event::Lie(liar) => self.lie(liar),
            Event::Tick => self.tick(),
            Event::Next(phase) => self.enter(phase),
        }
    }

    fn ready(&mut self, client: ClientId, generation: u32) {
        if self.net.clients[client].generation != generation {
            return;
        }
        match self.net.clients[client].party {
            Party::Source(source) => self.source_ready(source),
            Party::Viewer(viewer) => self.viewer_ready(viewer),
            Party::Liar(_) => {}
        }
    }

    fn deliver(&mut self, to: ClientId, generation: u32, message: &Message) {
        let client = &self.net.clients[to];
        let deaf = client.deaf;
        if client.generation != generation || deaf {
            self.net.presence_missed |= deaf && matches!(message, Message::Presence(_));
            return;
        }
        match client.party {
            Party::Source(source) => self.source_hears(source, message),
            Party::Viewer(viewer) => self.viewer_hears(viewer, message),
            Party::Liar(_) => {}
        }
    }

    fn churn(&mut self, stream: usize) {
        if self.phase >= Phase::Quiet {
            return;
        }
        self.truths[stream].change(&mut self.rng, self.kind, self.now);
        self.changed(stream);
        // Bursts, with pauses between them.
        let pause = (self.plan.churn * 40).min(Duration::from_secs(1));
        let pauses = self.rng.chance(0.15);
        let wait = self.rng.about(if pauses { pause } else { self.plan.churn });
        self.after(wait, Event::Churn(stream));
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        let settings = self.plan.settings.clone();
        let roles = settings.writer_silence * 6 / 5 + settings.who_interval;
        let (next, after) = match phase {
            Phase::Faults | Phase::Over => return,
            Phase::Settling => {
                self.heal_all();
                (Phase::Quiet, self.plan.settle_for())
            }
            Phase::Quiet => {
                self.judge_settled();
                if !self.plan.faults.corrupt.is_zero() {
                    self.corrupt(true);
                }
                let lied = if self.plan.liars > 0 {
                    settings.renewal_interval
                } else {
                    Duration::ZERO
                };
                (
                    Phase::Still,
                    Duration::from_secs(6) + self.plan.answers_take() * 2 + lied,
                )
            }
            Phase::Still => {
                self.judge_still();
                (
                    Phase::Deserted,
                    if self.has_rivals() {
                        roles
                    } else {
                        Duration::from_secs(3)
                    },
                )
            }
            Phase::Deserted => {
                self.judge_still();
                for viewer in 0..self.viewers.len() {
                    self.kill_viewer(viewer);
                }
                (Phase::Empty, settings.lease + Duration::from_secs(2))
            }
            Phase::Empty => {
                self.judge_empty();
                (
                    Phase::Over,
                    if self.has_rivals() {
                        roles * 2
                    } else {
                        Duration::from_secs(1)
                    },
                )
            }
        };
        self.after(after, Event::Next(next));
    }

    fn has_rivals(&self) -> bool {
        self.sources.iter().filter(|source| source.alive).count() > 1
    }

    pub(super) fn is_peaceful(&self) -> bool {
        matches!(self.plan.scenario, Scenario::Calm | Scenario::Flaps)
    }
}
