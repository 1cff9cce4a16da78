//! A broker and its links in this process: for clusters that need no broker, and for tests.
//!
//! Everything happens in the call that asks for it, on the caller's thread, in the order of connecting: two runs that
//! ask for the same do the same. There are no tasks and no clock.

use super::events::{self, EventSender};
use super::{Connection, Event, Failure, LastWill, Link, Publish, topics};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// As over MQTT, so that what works here works there.
const MAX_PAYLOAD: usize = 64 << 10;

/// A broker for links in this process; clones are the same broker.
#[derive(Clone, Debug, Default)]
pub struct MemoryBroker {
    state: Arc<Mutex<State>>,
}

/// What happens to one message on its way to one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Delivered,
    /// It does not.
    Lost,
    /// It arrives, and once more.
    Doubled,
}

impl MemoryBroker {
    /// A broker with nothing retained and nobody connected.
    pub fn new() -> Self {
        Self::default()
    }

    /// Connects a client; its link is up at once. The `id` is for [`MemoryBroker::cut`], `user` for [`Link::user`].
    pub fn connect(&self, id: &str, user: &str, last_will: Option<LastWill>) -> Connection {
        let (sender, events) = events::queue(events::LIMIT);
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.clients.insert(
            number,
            Client {
                id: id.to_owned(),
                events: sender,
                filters: BTreeSet::new(),
                last_will,
                up: false,
            },
        );
        state.up(number);
        Connection {
            link: Arc::new(MemoryLink {
                number,
                user: user.to_owned(),
                broker: self.clone(),
            }),
            events,
        }
    }

    /// Breaks the connection of the clients with this id, as a network would: their last wills are published.
    pub fn cut(&self, id: &str) {
        let mut state = self.lock();
        for number in state.numbers(id) {
            state.down(number, "the connection was cut");
        }
    }

    /// Mends what [`MemoryBroker::cut`] broke.
    pub fn restore(&self, id: &str) {
        let mut state = self.lock();
        for number in state.numbers(id) {
            state.up(number);
        }
    }

    /// From now on, `fate` decides over each delivery: it gets the recipient's id and the message. It must not call the
    /// broker.
    pub fn set_fate(&self, fate: impl FnMut(&str, &Publish) -> Fate + Send + 'static) {
        self.lock().fate = Some(Box::new(fate));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct MemoryLink {
    number: u64,
    user: String,
    broker: MemoryBroker,
}

impl Link for MemoryLink {
    fn publish(&self, message: Publish) {
        self.broker.lock().publish(self.number, message);
    }

    fn subscribe(&self, filter: &str) {
        self.broker.lock().subscribe(self.number, filter);
    }

    fn unsubscribe(&self, filter: &str) {
        if let Some(client) = self.broker.lock().clients.get_mut(&self.number) {
            client.filters.remove(filter);
        }
    }

    fn queued(&self) -> usize {
        0
    }

    fn user(&self) -> &str {
        &self.user
    }

    fn reconnect(&self) {
        let mut state = self.broker.lock();
        if state.down(self.number, "nothing was heard: connecting again") {
            state.up(self.number);
        }
    }

    fn close(&self) {
        self.broker.lock().clients.remove(&self.number);
    }
}

impl Drop for MemoryLink {
    fn drop(&mut self) {
        let mut state = self.broker.lock();
        state.down(self.number, "the link was dropped");
        state.clients.remove(&self.number);
    }
}

/// Decides over each delivery: the recipient's id, the message.
type Decide = Box<dyn FnMut(&str, &Publish) -> Fate + Send>;

#[derive(Default)]
struct State {
    next: u64,
    clients: BTreeMap<u64, Client>,
    retained: BTreeMap<String, Bytes>,
    fate: Option<Decide>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("State")
            .field("clients", &self.clients.len())
            .field("retained", &self.retained.len())
            .finish_non_exhaustive()
    }
}

struct Client {
    id: String,
    events: EventSender,
    filters: BTreeSet<String>,
    last_will: Option<LastWill>,
    up: bool,
}

impl State {
    fn numbers(&self, id: &str) -> Vec<u64> {
        self.clients
            .iter()
            .filter(|(_, client)| client.id == id)
            .map(|(number, _)| *number)
            .collect()
    }

    fn publish(&mut self, number: u64, message: Publish) {
        let Some(client) = self.clients.get(&number).filter(|client| client.up) else {
            return;
        };
        let events = client.events.clone();
        let ticket = message.ticket;
        let refusal = if !topics::is_topic(&message.topic) {
            Some("not a topic that can be published to".to_owned())
        } else if message.payload.len() > MAX_PAYLOAD {
            let bytes = message.payload.len();
            Some(format!(
                "{bytes} bytes are more than the {MAX_PAYLOAD} that go in one message"
            ))
        } else {
            None
        };
        match refusal {
            Some(reason) => events.send(Event::PublishRefused {
                ticket,
                topic: message.topic,
                reason,
                by_broker: false,
            }),
            None => {
                self.route(&message);
                if ticket != 0 {
                    events.send(Event::Acknowledged(ticket));
                }
            }
        }
    }

    fn route(&mut self, message: &Publish) {
        if message.retain {
            if message.payload.is_empty() {
                self.retained.remove(&message.topic);
            } else {
                self.retained
                    .insert(message.topic.clone(), message.payload.clone());
            }
        }
        for client in self.clients.values().filter(|client| client.up) {
            if !client.wants(&message.topic) {
                continue;
            }
            let fate = self
                .fate
                .as_mut()
                .map_or(Fate::Delivered, |fate| fate(&client.id, message));
            let copies = match fate {
                Fate::Lost => 0,
                Fate::Delivered => 1,
                Fate::Doubled => 2,
            };
            for _ in 0..copies {
                client.deliver(&message.topic, &message.payload, false);
            }
        }
    }

    fn subscribe(&mut self, number: u64, filter: &str) {
        let Some(client) = self.clients.get_mut(&number) else {
            return;
        };
        if !topics::is_filter(filter) {
            client.events.send(Event::SubscribeRefused {
                filter: filter.to_owned(),
                reason: "not a topic filter".to_owned(),
            });
            return;
        }
        client.filters.insert(filter.to_owned());
        if client.up {
            client.subscribed(filter, &self.retained);
        }
    }

    fn up(&mut self, number: u64) {
        let Some(client) = self.clients.get_mut(&number).filter(|client| !client.up) else {
            return;
        };
        client.up = true;
        client.events.send(Event::Up {
            max_payload: MAX_PAYLOAD,
            limits_known: true,
        });
        for filter in &client.filters {
            client.subscribed(filter, &self.retained);
        }
    }

    /// True when the client was up.
    fn down(&mut self, number: u64, message: &str) -> bool {
        let Some(client) = self.clients.get_mut(&number).filter(|client| client.up) else {
            return false;
        };
        client.up = false;
        client.events.send(Event::Down(Failure {
            message: message.to_owned(),
            permanent: false,
        }));
        if let Some(will) = client.last_will.clone() {
            self.route(&Publish {
                topic: will.topic,
                payload: will.payload,
                retain: will.retain,
                at_least_once: true,
                ticket: 0,
            });
        }
        true
    }
}

impl Client {
    /// A client gets a message once, however many of its filters match.
    fn wants(&self, topic: &str) -> bool {
        self.filters
            .iter()
            .any(|filter| topics::matches(filter, topic))
    }

    fn subscribed(&self, filter: &str, retained: &BTreeMap<String, Bytes>) {
        self.events.send(Event::Subscribed(filter.to_owned()));
        for (topic, payload) in retained {
            if topics::matches(filter, topic) {
                self.deliver(topic, payload, true);
            }
        }
    }

    fn deliver(&self, topic: &str, payload: &Bytes, retained: bool) {
        self.events.send(Event::Message {
            topic: topic.to_owned(),
            payload: payload.clone(),
            retained,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(link: &dyn Link, topic: &str, payload: &'static str, retain: bool) {
        link.publish(Publish {
            topic: topic.into(),
            payload: payload.into(),
            retain,
            at_least_once: false,
            ticket: 1,
        });
    }

    /// What happened since the last look, in words.
    fn seen(connection: &mut Connection) -> Vec<String> {
        std::iter::from_fn(|| connection.events.try_recv())
            .map(|event| match event {
                Event::Up { .. } => "up".to_owned(),
                Event::Down(failure) => format!("down: {failure}"),
                Event::Message {
                    topic,
                    payload,
                    retained,
                } => {
                    let kept = if retained { " kept" } else { "" };
                    format!("{topic}={}{kept}", String::from_utf8_lossy(&payload))
                }
                Event::Acknowledged(ticket) => format!("ack {ticket}"),
                Event::PublishRefused { reason, .. } => format!("refused: {reason}"),
                Event::Subscribed(filter) => format!("on {filter}"),
                Event::SubscribeRefused { filter, .. } => format!("not on {filter}"),
            })
            .collect()
    }

    fn will(payload: &'static str) -> Option<LastWill> {
        Some(LastWill {
            topic: "will".into(),
            payload: payload.into(),
            retain: true,
        })
    }

    #[test]
    fn messages_go_to_those_who_subscribed_and_are_kept_when_asked() {
        let broker = MemoryBroker::new();
        let mut writer = broker.connect("w", "-", None);
        let mut reader = broker.connect("r", "eve", None);
        assert_eq!(reader.link.user(), "eve");
        reader.link.subscribe("a/+");
        reader.link.subscribe("a/#");
        publish(&*writer.link, "a/b", "1", false);
        publish(&*writer.link, "b", "2", true);
        assert_eq!(seen(&mut writer), ["up", "ack 1", "ack 1"]);
        assert_eq!(seen(&mut reader), ["up", "on a/+", "on a/#", "a/b=1"]);
        reader.link.subscribe("b");
        assert_eq!(seen(&mut reader), ["on b", "b=2 kept"]);
        publish(&*writer.link, "b", "", true);
        reader.link.unsubscribe("b");
        reader.link.subscribe("b");
        assert_eq!(seen(&mut reader), ["b=", "on b"]);
    }

    #[test]
    fn a_cut_link_loses_messages_comes_back_subscribed_and_leaves_its_will() {
        let broker = MemoryBroker::new();
        let writer = broker.connect("w", "-", None);
        let mut reader = broker.connect("r", "-", will("gone"));
        let mut witness = broker.connect("x", "-", None);
        witness.link.subscribe("will");
        reader.link.subscribe("a");
        broker.cut("r");
        publish(&*writer.link, "a", "lost", false);
        publish(&*reader.link, "a", "lost too", false);
        broker.restore("r");
        publish(&*writer.link, "a", "1", false);
        let expected = [
            "up",
            "on a",
            "down: the connection was cut",
            "up",
            "on a",
            "a=1",
        ];
        assert_eq!(seen(&mut reader), expected);
        assert_eq!(seen(&mut witness), ["up", "on will", "will=gone"]);
    }

    #[test]
    fn a_dropped_link_leaves_its_will_and_a_closed_one_does_not() {
        let broker = MemoryBroker::new();
        let mut witness = broker.connect("x", "-", None);
        witness.link.subscribe("will");
        let mut closed = broker.connect("c", "-", will("closed"));
        closed.link.close();
        closed.link.close();
        assert_eq!(seen(&mut closed), ["up"]);
        drop(closed);
        drop(broker.connect("d", "-", will("dropped")));
        assert_eq!(seen(&mut witness), ["up", "on will", "will=dropped"]);
    }

    #[test]
    fn a_reconnect_is_a_new_connection() {
        let broker = MemoryBroker::new();
        let mut client = broker.connect("c", "-", None);
        client.link.subscribe("a");
        seen(&mut client);
        client.link.reconnect();
        let expected = ["down: nothing was heard: connecting again", "up", "on a"];
        assert_eq!(seen(&mut client), expected);
        broker.cut("c");
        seen(&mut client);
        client.link.reconnect();
        assert!(seen(&mut client).is_empty(), "nothing while it is down");
    }

    #[test]
    fn fate_loses_and_doubles() {
        let broker = MemoryBroker::new();
        let mut client = broker.connect("c", "-", None);
        client.link.subscribe("+");
        broker.set_fate(|id, message| match (id, message.topic.as_str()) {
            ("c", "lost") => Fate::Lost,
            ("c", "doubled") => Fate::Doubled,
            _ => Fate::Delivered,
        });
        seen(&mut client);
        for topic in ["lost", "doubled", "t"] {
            publish(&*client.link, topic, "1", false);
        }
        let expected = ["ack 1", "doubled=1", "doubled=1", "ack 1", "t=1", "ack 1"];
        assert_eq!(seen(&mut client), expected);
    }

    #[test]
    fn what_a_broker_would_refuse_is_refused() {
        let broker = MemoryBroker::new();
        let mut client = broker.connect("c", "-", None);
        client.link.subscribe("a#");
        publish(&*client.link, "a/+", "1", false);
        client.link.publish(Publish {
            topic: "a".into(),
            payload: vec![0; MAX_PAYLOAD + 1].into(),
            retain: false,
            at_least_once: false,
            ticket: 1,
        });
        let expected = [
            "up",
            "not on a#",
            "refused: not a topic that can be published to",
            "refused: 65537 bytes are more than the 65536 that go in one message",
        ];
        assert_eq!(seen(&mut client), expected);
    }
}
