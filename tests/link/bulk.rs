//! Much at once, both ways, and readers that do not read.

use crate::client::Client;
use crate::mosquitto::Mosquitto;
use mqtt_informer::link::embedded::EmbeddedBroker;
use mqtt_informer::link::{BrokerOptions, Event};

/// What is under way at most: what a broker queues for a client has an end.
const WINDOW: u64 = 500;

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_through_mosquitto() {
    let broker = Mosquitto::start();
    both_ways(&broker.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_through_the_embedded_broker() {
    let broker = EmbeddedBroker::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    both_ways(&broker.url()).await;
}

async fn both_ways(url: &str) {
    let mut sleeper = Client::connected(BrokerOptions::new(url, "sleeper"), &["+"]).await;
    let left = Client::connected(BrokerOptions::new(url, "left"), &["right"]).await;
    let right = Client::connected(BrokerOptions::new(url, "right"), &["left"]).await;
    let count = 20_000;
    tokio::join!(
        exchange(left, "left", count, 1 << 10, WINDOW),
        exchange(right, "right", count, 1 << 10, WINDOW)
    );
    // It lost what it did not read, and nothing else: neither its connection nor its place in the conversation.
    sleeper.link.subscribe("sign");
    let mut heard = 0;
    sleeper
        .until("confirmation", |event| match event {
            Event::Message { .. } => {
                heard += 1;
                None
            }
            Event::Down(failure) => panic!("{failure}"),
            Event::Subscribed(filter) => (filter == "sign").then_some(()),
            _ => None,
        })
        .await;
    assert!(heard > 0);
    assert!(sleeper.events.dropped() > 0, "40 MiB do not fit its queue");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_through_mosquitto() {
    let broker = Mosquitto::start();
    pages(&broker.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_through_the_embedded_broker() {
    let broker = EmbeddedBroker::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    pages(&broker.url()).await;
}

async fn pages(url: &str) {
    let left = Client::connected(BrokerOptions::new(url, "left"), &["right"]).await;
    let right = Client::connected(BrokerOptions::new(url, "right"), &["left"]).await;
    tokio::join!(
        exchange(left, "left", 1_000, 64 << 10, 64),
        exchange(right, "right", 1_000, 64 << 10, 64)
    );
}

/// Sends so many messages and hears as many of the other's, in order; never more than `window` unacknowledged.
async fn exchange(mut client: Client, topic: &str, count: u64, size: usize, window: u64) {
    let (mut sent, mut acknowledged, mut heard) = (0, 0, 0);
    while acknowledged < count || heard < count {
        while sent < count && sent - acknowledged < window {
            sent += 1;
            let mut payload = vec![0; size];
            payload[..8].copy_from_slice(&sent.to_be_bytes());
            client.publish(topic, payload, sent);
        }
        match client.until("event", Some).await {
            Event::Acknowledged(_) => acknowledged += 1,
            Event::Message { payload, .. } => {
                heard += 1;
                assert_eq!(payload.len(), size);
                assert_eq!(payload[..8], u64::to_be_bytes(heard), "{topic}");
            }
            other => panic!("{topic}: {other:?}"),
        }
    }
}
