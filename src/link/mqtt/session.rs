//! One connection's life: send what is wanted, tell what happened.

use super::failure::{Attempt, words};
use super::flight::{Flight, Sent};
use super::outbox::{Order, Outbox, cost};
use super::plan::{ANSWER, Plan};
use super::terms::Terms;
use super::transport::{self, Pipe};
use super::wire::{Packets, Unwritten, WireError};
use crate::link::events::EventSender;
use crate::link::{Event, Failure, Publish, Ticket};
use bytes::{Bytes, BytesMut};
use futures::{FutureExt, StreamExt};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    self as packets, ConnAckProperties, ConnectReturnCode, Disconnect, DisconnectReasonCode,
    Filter, Packet, PingReq, PubAck, PubAckReason, PubComp, PubCompReason, PubRec, PubRecReason,
    PubRel, SubAck, Subscribe, SubscribeReasonCode, Unsubscribe,
};
use std::io;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::codec::FramedRead;

/// What is put into bytes ahead of the socket: enough to fill it with one call, little enough that an answer to the
/// broker never waits long behind it.
const BATCH: usize = 64 << 10;

/// Answers that a broker provokes and does not read, beside one message of ours. Above, we do not read either.
const UNREAD: usize = 1 << 20;

/// Packets that are taken in one turn, so that reading does not starve writing.
const TURN: usize = 64;

/// How long a closing link may take to send what is queued and to see the broker hang up.
const GOODBYE: Duration = Duration::from_secs(2);

/// Below, a payload is copied out of the read buffer, which it would otherwise keep alive.
const WORTH_SHARING: usize = 4 << 10;

type Reader = FramedRead<Box<dyn AsyncRead + Send + Unpin>, Packets>;
type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// A connection that is up.
pub(super) struct Session<'a> {
    plan: Plan,
    outbox: &'a Outbox,
    events: &'a EventSender,
    reader: Reader,
    writer: Writer,
    unwritten: Unwritten,
    /// The writer may hold bytes of its own.
    unflushed: bool,
    flight: Flight,
    terms: Terms,
    pace: Pace,
    /// When a closing link gives up; `None` while nobody wants it closed.
    deadline: Option<Instant>,
    said_goodbye: bool,
}

/// How a connection that was up ended.
pub(super) enum Lost {
    /// The broker closed it without a word.
    Closed(Attempt),
    /// Anything else.
    Failed(Failure),
}

impl From<Failure> for Lost {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// When the broker was heard, and when to ask for a sign of life.
struct Pace {
    interval: Duration,
    heard: Instant,
    next_ping: Instant,
}

/// What a turn begins with.
#[expect(
    clippy::large_enum_variant,
    reason = "lives on the stack for one turn; a box would be an allocation a packet"
)]
enum Step {
    Read(Option<Result<Packet, WireError>>),
    Wrote(io::Result<usize>),
    Asked,
    Ping,
    Overdue,
}

/// Connects. `None` when the link was closed meanwhile.
pub(super) async fn open<'a>(
    mut plan: Plan,
    outbox: &'a Outbox,
    events: &'a EventSender,
) -> Result<Option<Session<'a>>, Failure> {
    let greeted = {
        let mut greeting = pin!(timeout(ANSWER, greet(&plan)));
        loop {
            if outbox.closing() {
                return Ok(None);
            }
            tokio::select! {
                greeted = &mut greeting => break greeted,
                () = outbox.changed() => {}
            }
        }
    };
    let (reader, writer, limits) = greeted.unwrap_or_else(|_| Err(plan.attempt.silent()))?;
    plan.attempt.connected = true;
    let limits = limits.as_ref();
    let terms = Terms::agreed(plan.quality_of_service, plan.max_payload, limits);
    Ok(Some(Session {
        outbox,
        events,
        reader,
        writer,
        unwritten: Unwritten::default(),
        unflushed: false,
        flight: Flight::new(terms.unacknowledged),
        terms,
        pace: Pace::new(plan.keep_alive, limits.and_then(|l| l.server_keep_alive)),
        deadline: None,
        said_goodbye: false,
        plan,
    }))
}

/// Dials, says who we are, and hears the broker's yes.
async fn greet(plan: &Plan) -> Result<(Reader, Writer, Option<ConnAckProperties>), Failure> {
    let attempt = &plan.attempt;
    let Pipe { reader, mut writer } = transport::dial(plan)
        .await
        .map_err(|error| attempt.not_reached(&error))?;
    let mut hello = BytesMut::new();
    plan.connect
        .write(&mut hello, None)
        .map_err(|_| attempt.unwritable())?;
    let lost = |error: io::Error| attempt.lost(&WireError::Io(error));
    writer.write_all(&hello).await.map_err(lost)?;
    writer.flush().await.map_err(lost)?;
    let largest = plan.max_packet();
    let mut reader = FramedRead::new(reader, Packets { largest });
    match reader.next().await {
        Some(Ok(Packet::ConnAck(answer))) => match answer.code {
            ConnectReturnCode::Success => Ok((reader, writer, answer.properties)),
            code => Err(attempt.refused(code)),
        },
        Some(Ok(Packet::Disconnect(goodbye))) => Err(attempt.dismissed(goodbye.reason_code)),
        Some(Ok(_)) => Err(attempt.no_mqtt()),
        Some(Err(error)) => Err(attempt.lost(&error)),
        None => Err(attempt.hung_up()),
    }
}

impl Session<'_> {
    /// Runs until the connection is lost, or the link was closed (`Ok`).
    pub(super) async fn run(mut self) -> Result<(), Lost> {
        self.outbox.connected();
        self.events.send(Event::Up {
            max_payload: self.terms.max_payload(),
            limits_known: self.terms.announced,
        });
        loop {
            self.send_wanted();
            if self.outbox.wants_reconnect() {
                return Err(self.plan.attempt.given_up().into());
            }
            let step = self.next_step().await;
            match self.take(step) {
                Err(_) if self.said_goodbye => return Ok(()),
                result => result?,
            }
        }
    }

    /// Waits for the broker, for room in the socket, for the callers, and for the clock; loses nothing of any.
    async fn next_step(&mut self) -> Step {
        let reads = self.unwritten.len() < UNREAD + self.plan.max_packet();
        let writes = self.unflushed || !self.unwritten.is_empty();
        let deadline = self.deadline;
        tokio::select! {
            read = self.reader.next(), if reads => Step::Read(read),
            wrote = advance(&mut self.writer, self.unwritten.chunk()), if writes => Step::Wrote(wrote),
            () = self.outbox.changed() => Step::Asked,
            () = sleep_until(self.pace.next_ping) => Step::Ping,
            () = sleep_until(deadline.unwrap_or(self.pace.next_ping)), if deadline.is_some() => Step::Overdue,
        }
    }

    fn take(&mut self, step: Step) -> Result<(), Lost> {
        match step {
            Step::Read(first) => {
                self.pace.heard = Instant::now();
                let mut read = Some(first);
                for _ in 0..TURN {
                    let Some(one) = read else { break };
                    self.took(one)?;
                    read = self.reader.next().now_or_never();
                }
                match read {
                    Some(last) => self.took(last),
                    None => Ok(()),
                }
            }
            Step::Wrote(Ok(0)) if self.unwritten.is_empty() => {
                self.unflushed = false;
                Ok(())
            }
            Step::Wrote(Ok(0)) => Err(self.broken(io::ErrorKind::WriteZero.into()).into()),
            Step::Wrote(Ok(count)) => {
                self.unflushed = true;
                for ticket in self.unwritten.wrote(count, self.outbox) {
                    self.acknowledge(ticket);
                }
                Ok(())
            }
            Step::Wrote(Err(error)) => Err(self.broken(error).into()),
            Step::Asked => Ok(()),
            Step::Ping => Ok(self.ping()?),
            Step::Overdue => {
                self.said_goodbye = true; // as well as was possible
                Err(self.plan.attempt.silent().into())
            }
        }
    }

    /// Nothing can be written any more; what the broker said before it hung up may still be there to read.
    fn broken(&mut self, error: io::Error) -> Failure {
        while let Some(Some(Ok(packet))) = self.reader.next().now_or_never() {
            if let Err(failure) = self.received(packet) {
                return failure;
            }
        }
        self.plan.attempt.lost(&WireError::Io(error))
    }

    fn took(&mut self, read: Option<Result<Packet, WireError>>) -> Result<(), Lost> {
        match read {
            Some(Ok(packet)) => Ok(self.received(packet)?),
            Some(Err(error)) => Err(self.plan.attempt.lost(&error).into()),
            None => Err(Lost::Closed(self.plan.attempt.clone())),
        }
    }

    fn ping(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        if now.duration_since(self.pace.heard) >= self.pace.interval * 2 {
            return Err(self.plan.attempt.silent());
        }
        self.pace.next_ping = now + self.pace.interval;
        self.answer(&Packet::PingReq(PingReq));
        Ok(())
    }
}

/// Writes some of the chunk, or flushes when it is empty. Cancelled, it has done nothing.
async fn advance(writer: &mut Writer, chunk: &[u8]) -> io::Result<usize> {
    if chunk.is_empty() {
        writer.flush().await.map(|()| 0)
    } else {
        writer.write(chunk).await
    }
}

impl Pace {
    /// A broker may ask for another keep-alive. A shorter one counts; a longer one, or none (0), would leave us without
    /// a sign of life for too long.
    fn new(ours: Duration, asked: Option<u16>) -> Self {
        let asked = asked.filter(|seconds| *seconds > 0);
        let interval = asked.map_or(ours, |seconds| {
            ours.min(Duration::from_secs(seconds.into()))
        });
        let now = Instant::now();
        Self {
            interval,
            heard: now,
            next_ping: now + interval,
        }
    }
}

/// From the callers to the broker.
impl Session<'_> {
    fn send_wanted(&mut self) {
        if self.outbox.closing() {
            let latest = Instant::now() + GOODBYE;
            self.deadline.get_or_insert(latest);
        }
        while self.unwritten.len() < BATCH && self.flight.has_room() && !self.said_goodbye {
            match self.outbox.next() {
                Some(Order::Publish(message)) => self.publish(message),
                Some(Order::Subscribe(filter)) => self.subscribe(filter),
                Some(Order::Unsubscribe(filter)) => {
                    let mut packet = Unsubscribe::new(filter, None);
                    packet.pkid = self.flight.unsubscribe();
                    self.answer(&Packet::Unsubscribe(packet));
                }
                None if self.outbox.closing() => {
                    let reason = DisconnectReasonCode::NormalDisconnection;
                    self.answer(&Packet::Disconnect(Disconnect::new(reason)));
                    self.said_goodbye = true;
                }
                None => break,
            }
        }
    }

    fn publish(&mut self, message: Publish) {
        let cost = cost(&message);
        let ticket = message.ticket;
        if let Some(reason) = self.terms.refusal(&message) {
            self.outbox.settled(cost);
            self.events.send(Event::PublishRefused {
                ticket,
                topic: message.topic,
                reason,
                by_broker: false,
            });
            return;
        }
        let quality = self.terms.quality_for(&message);
        let mut packet = packets::Publish {
            qos: quality,
            retain: self.terms.retain(&message),
            properties: Some(self.terms.properties_for(&message)),
            topic: Bytes::copy_from_slice(message.topic.as_bytes()),
            payload: message.payload,
            ..packets::Publish::default()
        };
        if quality == QoS::AtMostOnce {
            self.answer(&Packet::Publish(packet));
            self.unwritten.mark(cost, Some(ticket));
        } else {
            let topic = message.topic;
            packet.pkid = self.flight.message(Sent { ticket, topic });
            self.answer(&Packet::Publish(packet));
            self.unwritten.mark(cost, None);
        }
    }

    fn subscribe(&mut self, filter: String) {
        let mut packet = Subscribe::new(Filter::new(&filter, self.terms.quality()), None);
        packet.pkid = self.flight.subscribe(filter);
        self.answer(&Packet::Subscribe(packet));
    }

    fn answer(&mut self, packet: &Packet) {
        if self.unwritten.push(packet).is_err() {
            // Cannot be: topics, filters and sizes were checked before.
            tracing::warn!("a packet could not be written");
        }
    }
}

/// From the broker to the callers.
impl Session<'_> {
    fn received(&mut self, packet: Packet) -> Result<(), Failure> {
        match packet {
            Packet::Publish(message) => self.message(message),
            Packet::PubAck(PubAck { pkid, reason, .. }) => match reason {
                PubAckReason::Success | PubAckReason::NoMatchingSubscribers => self.taken(pkid),
                reason => self.refused(pkid, &words(&reason)),
            },
            Packet::PubRec(PubRec { pkid, reason, .. }) => match reason {
                PubRecReason::Success | PubRecReason::NoMatchingSubscribers => {
                    if self.flight.is_message(pkid) {
                        self.answer(&Packet::PubRel(PubRel::new(pkid, None)));
                    }
                }
                reason => self.refused(pkid, &words(&reason)),
            },
            Packet::PubComp(PubComp { pkid, reason, .. }) => match reason {
                PubCompReason::Success => self.taken(pkid),
                reason => self.refused(pkid, &words(&reason)),
            },
            Packet::PubRel(PubRel { pkid, .. }) => {
                self.flight.released(pkid);
                self.answer(&Packet::PubComp(PubComp::new(pkid, None)));
            }
            Packet::SubAck(answer) => self.subscribed(&answer),
            Packet::UnsubAck(answer) => self.flight.answered_unsubscribe(answer.pkid),
            Packet::PingResp(_) => {}
            Packet::Disconnect(goodbye) => {
                return Err(self.plan.attempt.dismissed(goodbye.reason_code));
            }
            // What only clients send.
            _ => return Err(self.plan.attempt.lost(&WireError::Malformed)),
        }
        Ok(())
    }

    fn message(&mut self, message: packets::Publish) {
        let new = match message.qos {
            QoS::AtMostOnce => true,
            QoS::AtLeastOnce => {
                self.answer(&Packet::PubAck(PubAck::new(message.pkid, None)));
                true
            }
            QoS::ExactlyOnce => {
                self.answer(&Packet::PubRec(PubRec::new(message.pkid, None)));
                self.flight.is_new(message.pkid)
            }
        };
        // A topic that is no UTF-8 breaks the protocol, and is nobody's.
        if let Ok(topic) = String::from_utf8(message.topic.to_vec())
            && new
        {
            self.events.send(Event::Message {
                topic,
                payload: unshared(message.payload),
                retained: message.retain,
            });
        }
    }

    fn taken(&mut self, number: u16) {
        if let Some(sent) = self.flight.answered_message(number) {
            self.acknowledge(sent.ticket);
        }
    }

    fn acknowledge(&self, ticket: Ticket) {
        if ticket != 0 {
            self.events.send(Event::Acknowledged(ticket));
        }
    }

    fn refused(&mut self, number: u16, reason: &str) {
        if let Some(Sent { ticket, topic }) = self.flight.answered_message(number) {
            self.events.send(Event::PublishRefused {
                ticket,
                topic,
                reason: format!("the broker says: {reason}"),
                by_broker: true,
            });
        }
    }

    fn subscribed(&mut self, answer: &SubAck) {
        let Some(filter) = self.flight.answered_subscribe(answer.pkid) else {
            return;
        };
        self.events.send(match answer.return_codes.first() {
            Some(SubscribeReasonCode::Success(_)) => Event::Subscribed(filter),
            reason => Event::SubscribeRefused {
                filter,
                reason: reason.map_or("the broker gives no reason".to_owned(), |reason| {
                    format!("the broker says: {}", words(&reason))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brokers_keep_alive_counts_when_it_is_shorter() {
        const OURS: Duration = Duration::from_secs(5);
        for (asked, expected) in [(None, 5), (Some(0), 5), (Some(60), 5), (Some(2), 2)] {
            assert_eq!(
                Pace::new(OURS, asked).interval.as_secs(),
                expected,
                "{asked:?}"
            );
        }
    }
}
