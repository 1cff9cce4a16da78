//! The broker and the ways to it: late, lossy, out of order, and sometimes not there.

use super::world::{Event, World};
use crate::protocol::message::{Live, Presence, Reply, Request};
use crate::replica::publisher::Session;
use crate::replica::time::Moment;
use std::rc::Rc;
use std::time::Duration;

/// What crosses the broker.
#[derive(Clone, Debug)]
pub(super) enum Message {
    Live { stream: usize, live: Live },
    Reply { to: Session, reply: Reply },
    Ask { from: Session, request: Request },
    Presence(Presence),
}

/// Who is behind a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Party {
    Source(usize),
    Viewer(usize),
    Liar(usize),
}

pub(super) type ClientId = usize;

/// One connection to the broker.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) party: Party,
    pub(super) session: Session,
    pub(super) up: bool,
    /// Counts its connections: what was under way in an earlier one is lost.
    pub(super) generation: u32,
    /// Takes nothing in.
    pub(super) deaf: bool,
    pub(super) will: Option<Presence>,
    /// The live topics that the broker knows it subscribed to.
    pub(super) live: Vec<bool>,
    in_order: Moment,
    out_order: Moment,
}

/// How the ways are just now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    pub(super) loss: f64,
    pub(super) duplicates: f64,
    pub(super) ordered: bool,
    /// One way, in ms.
    pub(super) delay_ms: (u64, u64),
}

#[derive(Debug)]
pub(super) struct Network {
    pub(super) clients: Vec<Client>,
    pub(super) retained: Option<Presence>,
    pub(super) weather: Weather,
    /// A source missed a presence: what is retained may be wrong until it is told anew, hourly.
    pub(super) presence_missed: bool,
}

impl Network {
    pub(super) fn new(weather: Weather) -> Self {
        Self {
            clients: Vec::new(),
            retained: None,
            weather,
            presence_missed: false,
        }
    }

    pub(super) fn add(&mut self, party: Party, session: Session, streams: usize) -> ClientId {
        self.clients.push(Client {
            party,
            session,
            up: false,
            generation: 0,
            deaf: false,
            will: None,
            live: vec![false; streams],
            in_order: Moment::default(),
            out_order: Moment::default(),
        });
        self.clients.len() - 1
    }
}

impl World {
    pub(super) fn delay(&mut self) -> Duration {
        let (low, high) = self.net.weather.delay_ms;
        self.rng.millis(low.min(high)..=high)
    }

    /// A client publishes; `ticket` 0: nobody waits for the acknowledgement.
    pub(super) fn publish(&mut self, from: ClientId, message: Message, ticket: u64) {
        let mut at = self.now + self.delay();
        let ordered = self.net.weather.ordered;
        let client = &mut self.net.clients[from];
        if !client.up {
            return;
        }
        if ordered {
            at = at.max(client.out_order);
            client.out_order = at;
        }
        let generation = client.generation;
        let message = Rc::new(message);
        self.at(
            at,
            Event::Arrive {
                from,
                generation,
                message,
                ticket,
            },
        );
    }

    /// The broker takes a message, and hands it on.
    pub(super) fn arrive(
        &mut self,
        from: ClientId,
        generation: u32,
        message: &Rc<Message>,
        ticket: u64,
    ) {
        if self.net.clients[from].generation != generation {
            return;
        }
        if ticket != 0 {
            let at = self.now + self.delay();
            self.at(
                at,
                Event::Ack {
                    to: from,
                    generation,
                    ticket,
                },
            );
        }
        if let Message::Presence(presence) = &**message {
            self.net.retained = Some(presence.clone());
        }
        self.fan_out(message);
    }

    pub(super) fn fan_out(&mut self, message: &Rc<Message>) {
        for to in 0..self.net.clients.len() {
            let client = &self.net.clients[to];
            let wants = match (&**message, client.party) {
                (Message::Live { stream, .. }, Party::Viewer(_)) => client.live[*stream],
                (Message::Live { .. } | Message::Ask { .. }, Party::Source(_)) => true,
                (Message::Presence(_), Party::Source(_) | Party::Viewer(_)) => true,
                (Message::Reply { to, .. }, _) => *to == client.session,
                _ => false,
            };
            if wants && client.up {
                self.deliver_to(to, message.clone());
            }
        }
    }

    pub(super) fn deliver_to(&mut self, to: ClientId, message: Rc<Message>) {
        let weather = self.net.weather;
        if self.rng.chance(weather.loss) {
            let to_source = matches!(self.net.clients[to].party, Party::Source(_));
            self.net.presence_missed |= to_source && matches!(*message, Message::Presence(_));
            return;
        }
        let copies = if self.rng.chance(weather.duplicates) {
            2
        } else {
            1
        };
        for _ in 0..copies {
            let mut at = self.now + self.delay();
            let client = &mut self.net.clients[to];
            if weather.ordered {
                at = at.max(client.in_order);
                client.in_order = at;
            }
            let generation = client.generation;
            let message = message.clone();
            self.at(
                at,
                Event::Deliver {
                    to,
                    generation,
                    message,
                },
            );
        }
    }

    /// A connection is there again, and what the broker retains comes.
    pub(super) fn connect(&mut self, client: ClientId) -> u32 {
        let connection = &mut self.net.clients[client];
        connection.up = true;
        connection.generation += 1;
        connection.live.fill(false);
        connection.generation
    }

    pub(super) fn send_retained(&mut self, to: ClientId) {
        if let Some(presence) = self.net.retained.clone() {
            self.deliver_to(to, Rc::new(Message::Presence(presence)));
        }
    }

    /// A connection is gone, with all that was under way.
    pub(super) fn disconnect(&mut self, client: ClientId) -> Option<Presence> {
        let connection = &mut self.net.clients[client];
        connection.up = false;
        connection.generation += 1;
        connection.will.take()
    }
}
