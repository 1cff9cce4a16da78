//! A link as tests see it: everything that is waited for has a deadline.

use bytes::Bytes;
use mqtt_informer::link::{BrokerOptions, Connection, Event, Events, Failure, Link, Publish, mqtt};
use std::sync::Arc;
use std::time::Duration;

/// Only a hang takes so long, also on a machine that is busy with other things.
const DEADLINE: Duration = Duration::from_secs(90);

pub struct Client {
    pub link: Arc<dyn Link>,
    pub events: Events,
}

impl Client {
    pub fn start(options: BrokerOptions) -> Self {
        let Connection { link, events } = mqtt::connect(options).unwrap();
        Self { link, events }
    }

    /// Connected, and subscribed to `filters`.
    pub async fn connected(options: BrokerOptions, filters: &[&str]) -> Self {
        let mut client = Self::start(options);
        for filter in filters {
            client.link.subscribe(filter);
        }
        client.up().await;
        for _ in filters {
            client.subscribed().await;
        }
        client
    }

    pub fn publish(&self, topic: &str, payload: impl Into<Bytes>, ticket: u64) {
        self.link.publish(message(topic, payload, false, ticket));
    }

    /// The first event that `pick` takes; the others are skipped.
    pub async fn until<T>(&mut self, what: &str, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        let mut last_failure = None;
        let found = tokio::time::timeout(DEADLINE, async {
            loop {
                match self.events.recv().await {
                    Some(Event::Down(failure)) => {
                        last_failure = Some(failure.clone());
                        if let Some(found) = pick(Event::Down(failure)) {
                            return Some(found);
                        }
                    }
                    Some(event) => {
                        if let Some(found) = pick(event) {
                            return Some(found);
                        }
                    }
                    None => return None,
                }
            }
        });
        match found.await {
            Ok(Some(found)) => found,
            Ok(None) => panic!("the link ended before {what}"),
            Err(_) => panic!("no {what}; the last failure was {last_failure:?}"),
        }
    }

    /// (largest payload, limits known)
    pub async fn up(&mut self) -> (usize, bool) {
        self.until("connection", |event| match event {
            Event::Up {
                max_payload,
                limits_known,
            } => Some((max_payload, limits_known)),
            _ => None,
        })
        .await
    }

    pub async fn down(&mut self) -> Failure {
        self.until("failure", |event| match event {
            Event::Down(failure) => Some(failure),
            _ => None,
        })
        .await
    }

    pub async fn subscribed(&mut self) -> String {
        self.until("subscription", |event| match event {
            Event::Subscribed(filter) => Some(filter),
            _ => None,
        })
        .await
    }

    /// (topic, payload, retained)
    pub async fn message(&mut self) -> (String, String, bool) {
        self.until("message", |event| match event {
            Event::Message {
                topic,
                payload,
                retained,
            } => Some((
                topic,
                String::from_utf8_lossy(&payload).into_owned(),
                retained,
            )),
            _ => None,
        })
        .await
    }

    pub async fn acknowledged(&mut self) -> u64 {
        self.until("acknowledgement", |event| match event {
            Event::Acknowledged(ticket) => Some(ticket),
            _ => None,
        })
        .await
    }

    /// (ticket, reason)
    pub async fn refused(&mut self) -> (u64, String) {
        self.until("refusal", |event| match event {
            Event::PublishRefused { ticket, reason, .. } => Some((ticket, reason)),
            _ => None,
        })
        .await
    }

    pub async fn ended(&mut self) {
        let end = async { while self.events.recv().await.is_some() {} };
        tokio::time::timeout(DEADLINE, end)
            .await
            .expect("the link did not end");
    }
}

pub fn message(topic: &str, payload: impl Into<Bytes>, retain: bool, ticket: u64) -> Publish {
    Publish {
        topic: topic.to_owned(),
        payload: payload.into(),
        retain,
        at_least_once: false,
        ticket,
    }
}
