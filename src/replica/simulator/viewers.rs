//! Consumer processes: a reflector for each stream, one session, one connection.

use super::network::{ClientId, Message, Party};
use super::sources::FIRST_STREAM;
use super::world::{Event, World};
use crate::protocol::message::{Epoch, Reply, Request, Selection, Term};
use crate::replica::copy::Copy;
use crate::replica::mutants::mutant;
use crate::replica::publisher::Session;
use crate::replica::reflector::{Ask, Reflector, Rids};
use crate::replica::time::Moment;
use bytes::Bytes;
use imbl::OrdMap;
use std::collections::HashMap;
use std::time::Duration;

/// One process.
#[derive(Debug)]
pub(super) struct Viewer {
    pub(super) client: ClientId,
    pub(super) session: Session,
    pub(super) alive: bool,
    pub(super) copies: Vec<Copied>,
    pub(super) up_since: Option<Moment>,
    /// The highest term that a presence told it, and when it did first.
    pub(super) told: (Term, Moment),
    rids: Rids,
    /// The stream that may ask first: they take turns, or one starves the others of the window.
    turn: usize,
    wake: Option<Moment>,
    /// How often each part of each answer was asked for.
    asked: HashMap<(u64, Bytes), u32>,
}

/// One stream of a viewer.
#[derive(Debug)]
pub(super) struct Copied {
    pub(super) reflector: Reflector,
    pub(super) seen: (Epoch, u64),
    /// What somebody has who only listens to the changes.
    pub(super) shown: OrdMap<Bytes, Bytes>,
    /// What was last judged of its currency: no need to, again.
    pub(super) judged: Option<(Moment, (Epoch, u64))>,
    /// When it asked for its subscription, until the broker confirms it.
    pub(super) subscribing: Option<Moment>,
    /// A byte of it was changed behind its back.
    pub(super) corrupt: bool,
    pub(super) ever_corrupt: bool,
    /// Of a thin one: flushes applied and bytes not stored, when that was last looked at.
    pub(super) taken_in: Option<(u64, usize)>,
}

impl World {
    /// A process begins, with a cache or without.
    pub(super) fn start_viewer(&mut self, viewer: usize, caches: Option<&[Option<Copy>]>) {
        let reuse = mutant!(SessionReused) && viewer < self.viewers.len();
        let life = if reuse { 0 } else { self.rng.next() };
        let session = Session {
            user: "viewer".into(),
            id: format!("viewer-{viewer}-{life:x}").into(),
        };
        let client = self
            .net
            .add(Party::Viewer(viewer), session.clone(), self.plan.streams);
        let copies = (0..self.plan.streams)
            .map(|stream| {
                let mut cached = caches.and_then(|caches| caches[stream].clone());
                if self.is_thin(viewer) {
                    cached = Some(self.backings[viewer][stream].load());
                }
                if mutant!(CacheWithoutEpoch)
                    && let Some(copy) = &mut cached
                {
                    copy.epoch = Epoch::default();
                }
                self.start_copy(stream, cached)
            })
            .collect();
        let process = Viewer {
            client,
            session,
            alive: true,
            copies,
            up_since: None,
            told: (Term::default(), self.now),
            rids: Rids::default(),
            turn: 0,
            wake: None,
            asked: HashMap::new(),
        };
        if viewer < self.viewers.len() {
            self.viewers[viewer] = process;
        } else {
            self.viewers.push(process);
        }
        self.after(Duration::from_millis(5), Event::Connect(client));
    }

    fn start_copy(&mut self, stream: usize, cached: Option<Copy>) -> Copied {
        let selection = Selection {
            resource: stream.to_string(),
            ..Selection::default()
        };
        let seed = self.rng.next();
        Copied {
            shown: cached
                .as_ref()
                .map(|copy| copy.entries.clone())
                .unwrap_or_default(),
            reflector: Reflector::new(
                self.plan.settings.clone(),
                selection,
                cached,
                self.now,
                seed,
            ),
            seen: (Epoch::default(), 0),
            judged: None,
            subscribing: None,
            corrupt: false,
            ever_corrupt: false,
            taken_in: None,
        }
    }

    pub(super) fn connect_viewer(&mut self, viewer: usize, client: ClientId) {
        let current = self.viewers[viewer].client == client && self.viewers[viewer].alive;
        if !current || self.net.clients[client].up {
            return;
        }
        let generation = self.connect(client);
        let wait = self.delay();
        self.after(wait, Event::Ready { client, generation });
    }

    /// Its subscriptions are made (again).
    pub(super) fn viewer_ready(&mut self, viewer: usize) {
        let (now, client) = (self.now, self.viewers[viewer].client);
        self.viewers[viewer].up_since = Some(now);
        self.send_retained(client);
        for stream in 0..self.plan.streams {
            self.viewers[viewer].copies[stream].reflector.link_up(now);
            if self.viewers[viewer].copies[stream]
                .reflector
                .place()
                .is_some()
            {
                self.subscribe(viewer, stream);
            }
        }
        self.drive_viewer(viewer);
    }

    fn subscribe(&mut self, viewer: usize, stream: usize) {
        self.viewers[viewer].copies[stream].subscribing = Some(self.now);
        let client = self.viewers[viewer].client;
        let generation = self.net.clients[client].generation;
        let wait = self.delay();
        self.after(
            wait,
            Event::Subscribe {
                client,
                generation,
                stream,
            },
        );
    }

    /// The broker knows the subscription; its confirmation takes a while.
    pub(super) fn subscribe_at_broker(&mut self, client: ClientId, generation: u32, stream: usize) {
        if self.net.clients[client].generation == generation {
            self.net.clients[client].live[stream] = true;
            let wait = self.delay();
            self.after(
                wait,
                Event::Subscribed {
                    client,
                    generation,
                    stream,
                },
            );
        }
    }

    pub(super) fn subscribed(&mut self, viewer: usize, stream: usize) {
        let now = self.now;
        let copied = &mut self.viewers[viewer].copies[stream];
        copied.subscribing = None;
        copied.reflector.subscribed(now);
        self.drive_viewer(viewer);
    }

    pub(super) fn cut_viewer(&mut self, viewer: usize) {
        let (now, client) = (self.now, self.viewers[viewer].client);
        if !self.net.clients[client].up {
            return;
        }
        self.disconnect(client);
        self.viewers[viewer].up_since = None;
        for copied in &mut self.viewers[viewer].copies {
            copied.reflector.link_down(now);
            copied.subscribing = None;
        }
    }

    /// The process ends without a word.
    pub(super) fn kill_viewer(&mut self, viewer: usize) {
        self.cut_viewer(viewer);
        self.viewers[viewer].alive = false;
    }

    pub(super) fn viewer_hears(&mut self, viewer: usize, message: &Message) {
        let now = self.now;
        if let Message::Presence(presence) = message
            && presence.online
            && presence.term > self.viewers[viewer].told.0
        {
            self.viewers[viewer].told = (presence.term, now);
        }
        let copies = &mut self.viewers[viewer].copies;
        match message {
            Message::Live { stream, live } => copies[*stream].reflector.live(now, live.clone()),
            Message::Presence(presence) if presence.online => {
                for copied in copies {
                    copied.reflector.presence(now, presence.term);
                }
            }
            Message::Reply {
                reply: Reply::Page(page),
                ..
            } => {
                let stream = (page.stream.0 - FIRST_STREAM) as usize;
                copies[stream].reflector.page(now, page.clone());
            }
            Message::Reply {
                reply: Reply::Status(status),
                ..
            } => {
                for copied in copies {
                    copied.reflector.status(now, status);
                }
            }
            _ => {}
        }
        self.drive_viewer(viewer);
    }

    /// Sends what the reflectors want sent, judges what they hold, and says when they want to be woken.
    pub(super) fn drive_viewer(&mut self, viewer: usize) {
        if !self.viewers[viewer].alive {
            return;
        }
        let first = self.viewers[viewer].turn;
        let streams = self.plan.streams;
        for stream in (0..streams).map(|step| (first + step) % streams) {
            self.judge_copy(viewer, stream);
            while let Some(ask) = self.poll_viewer(viewer, stream) {
                match ask {
                    Ask::Subscribe { .. } => self.subscribe(viewer, stream),
                    Ask::Bases { number, keys } => self.fetch((viewer, stream), number, keys),
                    Ask::Sync(sync) => {
                        if sync.max_messages > 0 {
                            self.judge_ask(viewer, sync.rid, &sync.from);
                            self.viewers[viewer].turn = stream + 1;
                        }
                        let (client, from) = (
                            self.viewers[viewer].client,
                            self.viewers[viewer].session.clone(),
                        );
                        let request = Request::Sync(sync);
                        self.publish(client, Message::Ask { from, request }, 0);
                    }
                }
            }
        }
        let deadlines = self.viewers[viewer].copies.iter();
        let deadline = deadlines
            .filter_map(|copied| copied.reflector.next_deadline())
            .min();
        if let Some(at) = deadline {
            let at = at.max(self.now + Duration::from_micros(1));
            let wake = self.viewers[viewer].wake;
            if wake.is_none_or(|wake| wake > at || wake <= self.now) {
                self.viewers[viewer].wake = Some(at);
                self.at(at, Event::WakeViewer(viewer));
            }
        }
    }

    fn poll_viewer(&mut self, viewer: usize, stream: usize) -> Option<Ask> {
        let process = &mut self.viewers[viewer];
        let outstanding = |(other, copied): (usize, &Copied)| {
            if other == stream {
                0
            } else {
                copied.reflector.outstanding()
            }
        };
        let others: u32 = process.copies.iter().enumerate().map(outstanding).sum();
        let window = self.plan.window.saturating_sub(others);
        let reflector = &mut process.copies[stream].reflector;
        reflector.poll(self.now, &mut process.rids, window)
    }

    /// The same part of the same answer is not asked for again and again.
    fn judge_ask(&mut self, viewer: usize, rid: u64, from: &Bytes) {
        let asked = &mut self.viewers[viewer].asked;
        let times = asked.entry((rid, from.clone())).or_default();
        *times += 1;
        let times = *times;
        if times > 60 {
            self.expect(Err(format!(
                "viewer {viewer} asked {times} times for one part of one answer"
            )));
        }
    }
}
