//! The link over MQTT 5.
//!
//! One task owns the connection and never waits for anybody but the broker; the handle fills an outbox and returns.
//! The packets are those of crate rumqttc (known to nobody else); its event loop is not used, because it
//! - does not read while it writes, so that two sides with full buffers wait for each other,
//! - does not understand the short DISCONNECT by which brokers say that a client id was taken over,
//! - keeps state across connections that can stop the next one for good (a packet number that waits for an
//!   acknowledgement that cannot come any more), counts messages that a broker refused as under way, and gives numbers
//!   twice,
//! - writes and flushes each message by itself.
//!
//! So here reading and writing never wait for each other, each connection starts from nothing, and
//! `flight` gives the numbers. Sessions are always clean: nothing depends on what a broker may have kept.

mod backoff;
mod certificate;
mod failure;
mod flight;
mod outbox;
mod plan;
mod rivalry;
mod session;
mod terms;
mod tls;
mod transport;
mod wire;

use super::{
    BrokerOptions, Connection, Event, Failure, Link, OptionsError, Publish, events, topics,
};
use backoff::{Backoff, SETTLED};
use events::{EventSender, WeakEventSender};
use failure::Attempt;
use outbox::Outbox;
use plan::Plan;
use rivalry::Rivalry;
use session::Lost;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Starts a link; must be called inside a tokio runtime.
///
/// # Errors
/// When the options cannot work: a malformed URL, an unreadable file. A broker that cannot be reached is no error here:
/// [`Event::Down`] tells it, and the link tries again until it is dropped.
pub fn connect(options: BrokerOptions) -> Result<Connection, OptionsError> {
    let plan = Plan::new(&options)?;
    let user = plan.attempt.user.clone();
    let (sender, events) = events::queue(events::LIMIT);
    let refusals = sender.downgrade();
    let outbox = Arc::new(Outbox::default());
    let abandoned = CancellationToken::new();
    let driver = Driver {
        options,
        attempt: plan.attempt,
        events: sender,
        outbox: outbox.clone(),
        backoff: Backoff::default(),
        rivalry: Rivalry::default(),
    };
    let token = abandoned.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = token.cancelled() => {}
            () = driver.run() => {}
        }
    });
    let link = Arc::new(MqttLink {
        user,
        outbox,
        refusals,
        _abandon: abandoned.drop_guard(),
    });
    Ok(Connection { link, events })
}

struct MqttLink {
    user: String,
    outbox: Arc<Outbox>,
    /// For what is refused before the task sees it.
    refusals: WeakEventSender,
    /// The last handle ends the task.
    _abandon: DropGuard,
}

impl Link for MqttLink {
    fn publish(&self, message: Publish) {
        let refused = if topics::is_topic(&message.topic) {
            self.outbox
                .publish(message)
                .err()
                .map(|message| (message, "too much is queued already"))
        } else {
            Some((message, "not a topic that can be published to"))
        };
        if let Some((message, reason)) = refused {
            self.refusals.send(Event::PublishRefused {
                ticket: message.ticket,
                topic: message.topic,
                reason: reason.to_owned(),
                by_broker: false,
            });
        }
    }

    fn subscribe(&self, filter: &str) {
        if topics::is_filter(filter) {
            self.outbox.subscribe(filter);
        } else {
            self.refusals.send(Event::SubscribeRefused {
                filter: filter.to_owned(),
                reason: "not a topic filter".to_owned(),
            });
        }
    }

    fn unsubscribe(&self, filter: &str) {
        self.outbox.unsubscribe(filter);
    }

    fn queued(&self) -> usize {
        self.outbox.queued()
    }

    fn user(&self) -> &str {
        &self.user
    }

    fn reconnect(&self) {
        self.outbox.reconnect();
    }

    fn close(&self) {
        self.outbox.close();
    }
}

/// Makes one connection after the other.
struct Driver {
    options: BrokerOptions,
    /// For words about failures before a plan exists.
    attempt: Attempt,
    events: EventSender,
    outbox: Arc<Outbox>,
    backoff: Backoff,
    rivalry: Rivalry,
}

impl Driver {
    async fn run(mut self) {
        while let Err(failure) = self.connection().await {
            let now = Instant::now();
            let wait = self
                .backoff
                .failed(now, failure.permanent, rand::random::<f64>());
            tracing::debug!(%failure, ?wait, "link down");
            self.events.send(Event::Down(failure));
            if self.paused(wait).await {
                break;
            }
        }
    }

    /// One connection, from the attempt to its end. `Ok` when the link was closed.
    async fn connection(&mut self) -> Result<(), Failure> {
        let options = self.options.clone();
        // Files are read anew: certificates and passwords are renewed while we run.
        let plan = tokio::task::spawn_blocking(move || Plan::new(&options))
            .await
            .map_err(|error| self.attempt.misconfigured(&error))?
            .map_err(|error| self.attempt.misconfigured(&error))?;
        let opened = session::open(plan, &self.outbox, &self.events).await;
        let Some(session) = opened.inspect_err(|_| self.rivalry.interrupted())? else {
            return Ok(());
        };
        self.backoff.admitted();
        let since = Instant::now();
        let result = session.run().await;
        self.outbox.disconnected();
        let settled = since.elapsed() >= SETTLED;
        if settled {
            self.backoff.succeeded();
        }
        result.map_err(|lost| self.explained(lost, settled))
    }

    fn explained(&mut self, lost: Lost, settled: bool) -> Failure {
        match lost {
            Lost::Closed(attempt) => {
                if self.rivalry.closed(Instant::now(), settled) {
                    attempt.taken_over()
                } else {
                    attempt.closed()
                }
            }
            Lost::Failed(failure) => {
                self.rivalry.interrupted();
                failure
            }
        }
    }

    /// Waits; true when the link was closed meanwhile.
    async fn paused(&self, wait: Duration) -> bool {
        let until = tokio::time::Instant::now() + wait;
        loop {
            if self.outbox.closing() {
                return true;
            }
            tokio::select! {
                () = tokio::time::sleep_until(until) => return false,
                () = self.outbox.changed() => {}
            }
        }
    }
}
