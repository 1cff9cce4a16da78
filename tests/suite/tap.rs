//! A client that hears all that crosses a broker, and can say anything.

use bytes::Bytes;
use mqtt_informer::link::{BrokerOptions, Event, Link, Publish, mqtt};
use std::sync::{Arc, Condvar, Mutex};
use tokio::runtime::Runtime;

#[derive(Default)]
struct Heard {
    subscribed: bool,
    messages: Vec<(String, Bytes)>,
    acknowledged: usize,
}

/// Hears everything from [`Tap::start`] on.
pub(crate) struct Tap {
    heard: Arc<(Mutex<Heard>, Condvar)>,
    link: Arc<dyn Link>,
    _runtime: Runtime,
}

impl Tap {
    pub(crate) fn start(url: &str) -> Self {
        Self::start_as(url, "tap")
    }

    /// One of several at a broker.
    pub(crate) fn start_as(url: &str, client_id: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let heard = Arc::<(Mutex<Heard>, Condvar)>::default();
        let mut connection = {
            let _inside = runtime.enter();
            mqtt::connect(BrokerOptions::new(url, client_id)).unwrap()
        };
        connection.link.subscribe("#");
        let (link, writes) = (Arc::clone(&connection.link), Arc::clone(&heard));
        runtime.spawn(async move {
            while let Some(event) = connection.events.recv().await {
                let mut heard = writes.0.lock().unwrap();
                match event {
                    Event::Message { topic, payload, .. } => {
                        heard.messages.push((topic, payload));
                    }
                    Event::Subscribed(_) => heard.subscribed = true,
                    Event::Acknowledged(_) => heard.acknowledged += 1,
                    _ => {}
                }
                writes.1.notify_all();
            }
        });
        let tap = Self {
            heard,
            link,
            _runtime: runtime,
        };
        tap.until("the tap hears", |heard| heard.subscribed);
        tap
    }

    /// Waits until what was heard is as wanted, and tells it.
    pub(crate) fn wait_for(
        &self,
        what: &str,
        wanted: impl Fn(&[(String, Bytes)]) -> bool,
    ) -> Vec<(String, Bytes)> {
        self.until(what, |heard| wanted(&heard.messages));
        self.heard.0.lock().unwrap().messages.clone()
    }

    /// Publishes each message and waits until the broker has taken all of them.
    pub(crate) fn publish(&self, messages: Vec<(String, Bytes)>) {
        let before = self.heard.0.lock().unwrap().acknowledged;
        let count = messages.len();
        for (topic, payload) in messages {
            self.link.publish(Publish {
                topic,
                payload,
                retain: false,
                at_least_once: true,
                ticket: 1,
            });
        }
        self.until("the broker took them", |heard| {
            heard.acknowledged >= before + count
        });
    }

    /// What was heard before the broker took a last message of this tap's own: all that others had said before.
    pub(crate) fn so_far(&self) -> Vec<(String, Bytes)> {
        let marker = format!("so-far/{}", self.heard.0.lock().unwrap().acknowledged);
        self.publish(vec![(marker.clone(), Bytes::new())]);
        self.wait_for("the marker", |heard| {
            heard.iter().any(|(topic, _)| *topic == marker)
        })
    }

    fn until(&self, what: &str, wanted: impl Fn(&Heard) -> bool) {
        let heard = self.heard.0.lock().unwrap();
        let wait = |heard: &mut Heard| !wanted(heard);
        let waited = self
            .heard
            .1
            .wait_timeout_while(heard, crate::programs::PATIENCE, wait);
        assert!(!waited.unwrap().1.timed_out(), "waited in vain: {what}");
    }
}
