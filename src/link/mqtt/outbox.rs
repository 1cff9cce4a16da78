//! What the callers of a link want, until its task has time for it.

use crate::link::Publish;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What may wait to be written, in bytes. Who sends more than that without asking [`crate::link::Link::queued`] loses
/// it.
const LIMIT: usize = 16 << 20;

/// What a message in the outbox costs beside its topic and payload.
const OVERHEAD: usize = 128;

/// One thing to tell the broker.
#[derive(Debug)]
pub(super) enum Order {
    Publish(Publish),
    Subscribe(String),
    Unsubscribe(String),
}

/// Bounded, and shared by the handle (which fills it) and the task (which empties it). Nobody waits in it but the task.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct State {
    up: bool,
    closing: bool,
    reconnect: bool,
    orders: VecDeque<Order>,
    filters: BTreeSet<String>,
    /// Of the messages that were queued and not yet written.
    bytes: usize,
}

/// What a message weighs.
pub(super) fn cost(message: &Publish) -> usize {
    message.topic.len() + message.payload.len() + OVERHEAD
}

/// The handle's side.
impl Outbox {
    /// Queues a message, or gives it back when there is no room. While the connection is down it is dropped: the caller
    /// has a [`crate::link::Event::Down`] to read.
    pub(super) fn publish(&self, message: Publish) -> Result<(), Publish> {
        let mut state = self.lock();
        if !state.up || state.closing {
            return Ok(());
        }
        let cost = cost(&message);
        if state.bytes + cost > LIMIT {
            return Err(message);
        }
        state.bytes += cost;
        state.orders.push_back(Order::Publish(message));
        self.wake.notify_one();
        Ok(())
    }

    pub(super) fn subscribe(&self, filter: &str) {
        let mut state = self.lock();
        state.filters.insert(filter.to_owned());
        if state.up {
            state.orders.push_back(Order::Subscribe(filter.to_owned()));
            self.wake.notify_one();
        }
    }

    pub(super) fn unsubscribe(&self, filter: &str) {
        let mut state = self.lock();
        if state.filters.remove(filter) && state.up {
            state
                .orders
                .push_back(Order::Unsubscribe(filter.to_owned()));
            self.wake.notify_one();
        }
    }

    pub(super) fn queued(&self) -> usize {
        self.lock().bytes
    }

    pub(super) fn reconnect(&self) {
        let mut state = self.lock();
        state.reconnect = state.up;
        self.wake.notify_one();
    }

    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.wake.notify_one();
    }
}

/// The task's side.
impl Outbox {
    /// A connection without a session was made: all subscriptions are due.
    pub(super) fn connected(&self) {
        let mut state = self.lock();
        state.up = true;
        state.orders = state
            .filters
            .iter()
            .cloned()
            .map(Order::Subscribe)
            .collect();
    }

    /// The connection is gone, and all that waited for it.
    pub(super) fn disconnected(&self) {
        let mut state = self.lock();
        state.up = false;
        state.reconnect = false;
        state.orders.clear();
        state.bytes = 0;
    }

    pub(super) fn next(&self) -> Option<Order> {
        self.lock().orders.pop_front()
    }

    /// So many bytes that were queued are written, or refused.
    pub(super) fn settled(&self, bytes: usize) {
        let mut state = self.lock();
        state.bytes = state.bytes.saturating_sub(bytes);
    }

    /// [`Outbox::close`] was called.
    pub(super) fn closing(&self) -> bool {
        self.lock().closing
    }

    /// [`Outbox::reconnect`] was called since the connection was made.
    pub(super) fn wants_reconnect(&self) -> bool {
        self.lock().reconnect
    }

    /// Waits until something was asked for (or wakes for nothing). Cancel-safe.
    pub(super) async fn changed(&self) {
        self.wake.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn message(bytes: usize) -> Publish {
        Publish {
            topic: "t".into(),
            payload: Bytes::from(vec![0; bytes]),
            retain: false,
            at_least_once: false,
            ticket: 0,
        }
    }

    fn orders(outbox: &Outbox) -> Vec<String> {
        std::iter::from_fn(|| outbox.next())
            .map(|order| match order {
                Order::Publish(message) => message.topic,
                Order::Subscribe(filter) => format!("+{filter}"),
                Order::Unsubscribe(filter) => format!("-{filter}"),
            })
            .collect()
    }

    #[test]
    fn subscriptions_outlive_connections_and_messages_do_not() {
        let outbox = Outbox::default();
        outbox.subscribe("b");
        outbox.subscribe("a");
        outbox.publish(message(1)).unwrap();
        assert!(orders(&outbox).is_empty(), "down");
        outbox.connected();
        outbox.subscribe("c");
        outbox.publish(message(1)).unwrap();
        outbox.unsubscribe("a");
        outbox.unsubscribe("unknown");
        assert_eq!(orders(&outbox), ["+a", "+b", "+c", "t", "-a"]);
        outbox.publish(message(1)).unwrap();
        outbox.disconnected();
        assert_eq!(outbox.queued(), 0);
        outbox.connected();
        assert_eq!(orders(&outbox), ["+b", "+c"]);
    }

    #[test]
    fn what_does_not_fit_comes_back_and_what_is_written_makes_room() {
        let outbox = Outbox::default();
        outbox.connected();
        let half = cost(&message(LIMIT / 2 - OVERHEAD - 1));
        outbox.publish(message(LIMIT / 2 - OVERHEAD - 1)).unwrap();
        outbox.publish(message(LIMIT / 2 - OVERHEAD - 1)).unwrap();
        assert_eq!(outbox.queued(), LIMIT);
        assert!(outbox.publish(message(1)).is_err());
        outbox.settled(half);
        assert!(outbox.publish(message(1)).is_ok());
    }

    #[test]
    fn only_a_connection_that_is_up_can_be_given_up() {
        let outbox = Outbox::default();
        outbox.reconnect();
        assert!(!outbox.wants_reconnect());
        outbox.connected();
        outbox.reconnect();
        assert!(outbox.wants_reconnect());
        outbox.disconnected();
        assert!(!outbox.wants_reconnect());
    }
}
