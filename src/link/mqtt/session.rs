//! One connection's life: hand over what is wanted, tell what happened.

use super::failure::words;
use super::flight::{Flight, Handed, Sent};
use super::outbox::{Order, Outbox, cost};
use super::plan::Plan;
use super::terms::Terms;
use crate::link::events::EventSender;
use crate::link::{Event, Failure, Publish, Ticket};
use bytes::Bytes;
use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::v5::{
    PubAckReason, PubCompReason, PubRecReason, SubAck, SubscribeReasonCode,
};
use rumqttc::v5::{AsyncClient, Event as Happening, EventLoop, Incoming};
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// Requests handed to the library and not taken up yet: enough to keep the socket busy. Its own queue holds as many, and
/// the goodbye.
const WAITING: usize = 16;

/// How long a closing link may take to send what is queued and to see the broker hang up.
const GOODBYE: Duration = Duration::from_secs(2);

/// Below, a payload is copied out of the read buffer, which it would otherwise keep alive.
const WORTH_SHARING: usize = 4 << 10;

/// A connection that is up.
pub(super) struct Session<'a> {
    plan: Plan,
    outbox: &'a Outbox,
    events: &'a EventSender,
    client: AsyncClient,
    flight: Flight,
    terms: Terms,
    /// When a closing link gives up; `None` while nobody wants it closed.
    deadline: Option<Instant>,
    said_goodbye: bool,
}

/// Connects. `None` when the link was closed meanwhile.
pub(super) async fn open<'a>(
    mut plan: Plan,
    outbox: &'a Outbox,
    events: &'a EventSender,
) -> Result<Option<(Session<'a>, EventLoop)>, Failure> {
    let (client, mut library) = AsyncClient::new(plan.options.clone(), WAITING + 1);
    let answer = {
        let mut poll = pin!(library.poll());
        loop {
            if outbox.closing() {
                return Ok(None);
            }
            tokio::select! {
                answer = &mut poll => break answer,
                () = outbox.changed() => {}
            }
        }
    };
    let terms = match answer {
        Ok(Happening::Incoming(Incoming::ConnAck(answer))) => Terms::agreed(
            plan.quality_of_service,
            plan.max_payload,
            answer.properties.as_ref(),
        ),
        Ok(_) => return Err(plan.attempt.silent()), // cannot be: the library tells the answer first
        Err(error) => return Err(plan.attempt.failed(&error)),
    };
    plan.attempt.connected = true;
    keep_own_pace(&mut library, plan.keep_alive);
    let session = Session {
        plan,
        outbox,
        events,
        client,
        flight: Flight::default(),
        terms,
        deadline: None,
        said_goodbye: false,
    };
    Ok(Some((session, library)))
}

/// A broker may ask for another keep-alive. A shorter one counts; a longer one, or none (0), would leave us without a sign
/// of life for too long.
fn keep_own_pace(library: &mut EventLoop, ours: Duration) {
    let asked = library.options.keep_alive();
    if asked.is_zero() || asked > ours {
        library.options.set_keep_alive(ours);
    }
}

impl Session<'_> {
    /// Runs until the connection is lost, or the link was closed (`Ok`).
    pub(super) async fn run(mut self, mut library: EventLoop) -> Result<(), Failure> {
        self.outbox.connected();
        self.events.send(Event::Up {
            max_payload: self.terms.max_payload(),
            limits_known: self.terms.announced,
        });
        loop {
            match self.next(&mut library).await {
                Ok(happening) => self.tell(happening),
                Err(failure) => {
                    // What was read in one go with the error.
                    for happening in std::mem::take(&mut library.state.events) {
                        self.tell(happening);
                    }
                    return if self.said_goodbye {
                        Ok(())
                    } else {
                        Err(failure)
                    };
                }
            }
        }
    }

    /// The next thing that happens, while handing over what is wanted.
    async fn next(&mut self, library: &mut EventLoop) -> Result<Happening, Failure> {
        let mut poll = pin!(timeout(self.plan.keep_alive * 2, library.poll()));
        loop {
            self.hand_over();
            if self.outbox.wants_reconnect() {
                return Err(self.plan.attempt.given_up());
            }
            let deadline = self.deadline;
            tokio::select! {
                biased;
                polled = &mut poll => return match polled {
                    Ok(Ok(happening)) => Ok(happening),
                    Ok(Err(error)) => Err(self.plan.attempt.failed(&error)),
                    Err(_) => Err(self.plan.attempt.silent()),
                },
                () = self.outbox.changed() => {}
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    self.said_goodbye = true; // as well as was possible
                    return Err(self.plan.attempt.silent());
                }
            }
        }
    }

    fn hand_over(&mut self) {
        while self.flight.waiting() < WAITING {
            match self.outbox.next() {
                Some(Order::Publish(message)) => self.publish(message),
                Some(Order::Subscribe(filter)) => self.subscribe(filter),
                Some(Order::Unsubscribe(filter)) => {
                    if self.client.try_unsubscribe(filter).is_ok() {
                        self.flight.hand(Handed::Unsubscribe);
                    }
                }
                None => break,
            }
        }
        if self.outbox.closing() && !self.said_goodbye {
            self.deadline
                .get_or_insert_with(|| Instant::now() + GOODBYE);
            if self.flight.waiting() == 0 {
                self.said_goodbye = self.client.try_disconnect().is_ok();
            }
        }
    }

    fn publish(&mut self, message: Publish) {
        let cost = cost(&message);
        let quality = self.terms.quality_for(&message);
        let sent = Sent {
            ticket: message.ticket,
            topic: message.topic.clone(),
            cost,
            acknowledged: quality != rumqttc::v5::mqttbytes::QoS::AtMostOnce,
        };
        let reason = self.terms.refusal(&message).or_else(|| {
            let retain = self.terms.retain(&message);
            let properties = self.terms.properties_for(&message);
            self.client
                .try_publish_with_properties(
                    message.topic,
                    quality,
                    retain,
                    message.payload,
                    properties,
                )
                .err()
                .map(|_| "the client library refuses it".to_owned())
        });
        match reason {
            None => self.flight.hand(Handed::Publish(sent)),
            Some(reason) => {
                self.outbox.settled(cost);
                self.refuse(sent, reason);
            }
        }
    }

    fn subscribe(&mut self, filter: String) {
        match self.client.try_subscribe(&filter, self.terms.quality()) {
            Ok(()) => self.flight.hand(Handed::Subscribe(filter)),
            Err(_) => self.events.send(Event::SubscribeRefused {
                filter,
                reason: "the client library refuses it".to_owned(),
            }),
        }
    }

    fn tell(&mut self, happening: Happening) {
        match happening {
            Happening::Incoming(packet) => self.received(packet),
            Happening::Outgoing(packet) => self.wrote(&packet),
        }
    }

    fn wrote(&mut self, packet: &Outgoing) {
        match *packet {
            Outgoing::Publish(number) => {
                let written = self.flight.published(number);
                self.outbox.settled(written.cost);
                self.acknowledge(written.done);
            }
            Outgoing::AwaitAck(number) => self.flight.held_back(number),
            Outgoing::Subscribe(number) => self.flight.subscribing(number),
            Outgoing::Unsubscribe(_) => self.flight.unsubscribing(),
            _ => {}
        }
    }

    fn received(&mut self, packet: Incoming) {
        match packet {
            Incoming::Publish(message) => {
                // A topic that is no UTF-8 breaks the protocol, and is nobody's.
                if let Ok(topic) = String::from_utf8(message.topic.to_vec()) {
                    self.events.send(Event::Message {
                        topic,
                        payload: unshared(message.payload),
                        retained: message.retain,
                    });
                }
            }
            Incoming::PubAck(answer) => match answer.reason {
                PubAckReason::Success | PubAckReason::NoMatchingSubscribers => {
                    self.taken(answer.pkid);
                }
                reason => self.refused(answer.pkid, &words(reason)),
            },
            Incoming::PubRec(answer) => match answer.reason {
                PubRecReason::Success | PubRecReason::NoMatchingSubscribers => {}
                reason => self.refused(answer.pkid, &words(reason)),
            },
            Incoming::PubComp(answer) => match answer.reason {
                PubCompReason::Success => self.taken(answer.pkid),
                reason => self.refused(answer.pkid, &words(reason)),
            },
            Incoming::SubAck(answer) => self.subscribed(&answer),
            _ => {}
        }
    }

    fn taken(&mut self, number: u16) {
        let sent = self.flight.acknowledged(number);
        self.acknowledge(sent.map(|sent| sent.ticket));
    }

    fn acknowledge(&self, ticket: Option<Ticket>) {
        if let Some(ticket) = ticket.filter(|ticket| *ticket != 0) {
            self.events.send(Event::Acknowledged(ticket));
        }
    }

    fn refused(&mut self, number: u16, reason: &str) {
        if let Some(sent) = self.flight.acknowledged(number) {
            self.refuse(sent, format!("the broker says: {reason}"));
        }
    }

    fn refuse(&self, sent: Sent, reason: String) {
        self.events.send(Event::PublishRefused {
            ticket: sent.ticket,
            topic: sent.topic,
            reason,
        });
    }

    fn subscribed(&mut self, answer: &SubAck) {
        let Some(filter) = self.flight.subscribed(answer.pkid) else {
            return;
        };
        self.events.send(match answer.return_codes.first() {
            Some(SubscribeReasonCode::Success(_)) => Event::Subscribed(filter),
            reason => Event::SubscribeRefused {
                filter,
                reason: reason.map_or("the broker gives no reason".to_owned(), |reason| {
                    format!("the broker says: {}", words(reason))
                }),
            },
        });
    }
}

fn unshared(payload: Bytes) -> Bytes {
    if payload.len() < WORTH_SHARING {
        Bytes::copy_from_slice(&payload)
    } else {
        payload
    }
}
