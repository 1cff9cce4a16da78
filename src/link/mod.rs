//! The broker, and nothing but: bytes on topics, delivered or not.
//!
//! A link never knows what its messages mean. It promises little, because brokers do: what is published while the link
//! is down is dropped, what is acknowledged was taken by the broker and perhaps by nobody else. The layers above
//! repair.
//!
//! | link | made by | for |
//! |---|---|---|
//! | MQTT 5 | [`mqtt::connect`] | every broker |
//! | in process | [`memory::MemoryBroker::connect`] | direct mode, tests |
//!
//! [`embedded::EmbeddedBroker`] is a real broker in this process: the demo's, and any test's that wants sockets.
//!
//! **Architecture invariant:** no method of a [`Link`] waits, and nothing here grows without bound: what is queued to
//! be sent and what is queued to be read are bounded in bytes, and what does not fit is dropped, counted and told.

pub mod embedded;
mod events;
pub mod memory;
pub mod mqtt;
mod options;
mod topics;

pub use events::Events;
pub use options::{BrokerOptions, LastWill, OptionsError, Password, QualityOfService};

use bytes::Bytes;

/// Names one publish of a link, so that its acknowledgement can be told: the caller's own number, 0 = tell me nothing.
pub type Ticket = u64;

/// One message to publish.
#[derive(Clone, Debug)]
pub struct Publish {
    /// Where: no wildcards.
    pub topic: String,
    /// What.
    pub payload: Bytes,
    /// The broker keeps it for later subscribers, for a week (until then a source that is alive has sent it again).
    /// Dropped silently where the broker keeps nothing.
    pub retain: bool,
    /// Presence is always sent at least once, whatever the link's own quality of service.
    pub at_least_once: bool,
    /// Comes back in [`Event::Acknowledged`] or [`Event::PublishRefused`]; 0 for none.
    pub ticket: Ticket,
}

/// What happened on a link, in order.
///
/// What was published before a [`Event::Down`] was read may still be acknowledged after it, or never be: on `Down`,
/// forget the tickets that are out, and ignore those that come back unknown.
#[derive(Debug)]
pub enum Event {
    /// Connected. Subscriptions are made anew by the link itself; each is confirmed by [`Event::Subscribed`].
    Up {
        /// The largest payload that the broker takes, in bytes (after what topic and properties need).
        max_payload: usize,
        /// The broker announced its limits (else be gentle: 8 pages outstanding).
        limits_known: bool,
    },
    /// The connection is gone, or an attempt to make one failed; whatever was not acknowledged may be lost. Retried
    /// until the link ends.
    Down(Failure),
    /// A message on a subscribed topic.
    Message {
        /// Where: hostile until decoded.
        topic: String,
        /// What: hostile until decoded.
        payload: Bytes,
        /// Kept by the broker from before.
        retained: bool,
    },
    /// The broker took the publish with this ticket (at quality of service 0: it was written to the socket).
    Acknowledged(Ticket),
    /// The publish went nowhere and will not: too large, no room in the outbox, or the broker said no (its ACL,
    /// usually).
    PublishRefused {
        /// The publish's, 0 if it had none.
        ticket: Ticket,
        /// Where it should have gone.
        topic: String,
        /// Why, one line.
        reason: String,
        /// The broker refused it; else it was never sent.
        by_broker: bool,
    },
    /// The broker confirmed a subscription: what is published from now on arrives.
    Subscribed(String),
    /// The broker refused a subscription (its ACL, usually).
    SubscribeRefused {
        /// The topic filter.
        filter: String,
        /// The broker's reason, one line.
        reason: String,
    },
}

/// Why a link is down, worded for people: what was tried, what happened, what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// One line.
    pub message: String,
    /// Trying again will not help until somebody changes something (credentials, certificate, protocol version, an id
    /// in use).
    pub permanent: bool,
}

/// The handle on a connection that lives in its own task; it ends when the last handle is dropped (the broker then
/// publishes the last will) or [`Link::close`] was called (it does not).
///
/// No method waits. Events come through the receiver that was made with the link; they end when the link has ended.
pub trait Link: Send + Sync + 'static {
    /// Queues a message. While the link is down it is dropped (there will be an [`Event::Up`] to send anew after).
    fn publish(&self, message: Publish);
    /// Subscribes, now and after each reconnect, until [`Link::unsubscribe`].
    fn subscribe(&self, filter: &str);
    /// Ends a subscription.
    fn unsubscribe(&self, filter: &str);
    /// Bytes queued and not yet written: who sends much asks before it sends more.
    fn queued(&self) -> usize;
    /// The connected user as the broker's ACL sees it: the username, else the client certificate's common name, else
    /// `-`.
    fn user(&self) -> &str;
    /// Gives up a connection that is up and yet silent, and makes a new one. Nothing while it is down.
    fn reconnect(&self);
    /// Sends what is queued, says goodbye (no last will) and ends; [`Events::recv`] gives `None` when it has.
    /// Idempotent.
    fn close(&self);
}

/// A link and what happens on it.
pub struct Connection {
    /// The handle.
    pub link: std::sync::Arc<dyn Link>,
    /// Its events. Bounded in bytes by the link: a consumer that does not read loses messages, never memory.
    pub events: Events,
}
