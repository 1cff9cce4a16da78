//! What goes wrong is told in one line, and mended when it can be.

use crate::client::Client;
use crate::mosquitto::Mosquitto;
use crate::peer;
use mqtt_informer::link::{BrokerOptions, Event, Failure};
use std::time::Duration;

async fn failure(options: BrokerOptions) -> Failure {
    let failure = Client::start(options).down().await;
    assert!(!failure.message.contains('\n'), "{failure}");
    failure
}

#[tokio::test]
async fn a_killed_broker_comes_back_and_so_do_we_with_all_subscriptions() {
    let mut broker = Mosquitto::start();
    let options = BrokerOptions::new(broker.url(), "survivor");
    let mut client = Client::connected(options, &["a/#", "b/+"]).await;
    broker.kill();
    client.down().await;
    client.publish("a/1", "into the void", 1);
    broker.restart();
    client.up().await;
    let mut filters = [client.subscribed().await, client.subscribed().await];
    filters.sort();
    assert_eq!(filters, ["a/#", "b/+"]);
    client.publish("a/1", "here", 2);
    client.publish("b/1", "here too", 3);
    assert_eq!(client.message().await.1, "here");
    assert_eq!(client.message().await.1, "here too");
}

#[tokio::test]
async fn a_broker_that_hangs_is_noticed() {
    let broker = Mosquitto::start();
    let mut options = BrokerOptions::new(broker.url(), "patient");
    options.keep_alive = Duration::from_secs(1);
    let mut client = Client::connected(options, &[]).await;
    broker.signal("STOP");
    let failure = client.down().await;
    broker.signal("CONT");
    assert!(failure.message.contains("no longer answers"), "{failure}");
    client.up().await;
}

#[tokio::test]
async fn nobody_listens() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let url = format!("tcp://127.0.0.1:{port}");
    let failure = failure(BrokerOptions::new(url, "me")).await;
    assert!(failure.message.contains("nothing listens at"), "{failure}");
    assert!(!failure.permanent);
}

#[tokio::test]
async fn the_host_does_not_exist() {
    let failure = failure(BrokerOptions::new("tcp://nowhere.invalid", "me")).await;
    assert!(
        failure.message.contains("\"nowhere.invalid\" is unknown"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_broker_of_the_older_protocol() {
    // Return code 1, "unacceptable protocol version", as MQTT 3.1.1 words it.
    let url = peer::play(&[&[0x20, 2, 0, 1]]).await;
    let failure = failure(BrokerOptions::new(url, "me")).await;
    assert!(
        failure.message.contains("does not speak MQTT 5"),
        "{failure}"
    );
    assert!(failure.permanent);
}

#[tokio::test]
async fn a_broker_of_the_older_protocol_says_so() {
    // Reason 0x84, "unsupported protocol version".
    let url = peer::play(&[&[0x20, 3, 0, 0x84, 0]]).await;
    let failure = failure(BrokerOptions::new(url, "me")).await;
    assert!(
        failure.message.contains("does not speak MQTT 5"),
        "{failure}"
    );
    assert!(failure.permanent);
}

#[tokio::test]
async fn a_peer_that_closes_at_once() {
    let url = peer::play(&[]).await;
    let failure = failure(BrokerOptions::new(url, "me")).await;
    assert!(failure.message.contains("MQTT 5"), "{failure}");
}

#[tokio::test]
async fn a_peer_that_speaks_something_else() {
    let url = peer::play(&[b"HTTP/1.1 400 Bad Request\r\n\r\n"]).await;
    let failure = failure(BrokerOptions::new(url, "me")).await;
    assert!(
        failure.message.contains("does not speak MQTT 5"),
        "{failure}"
    );
    assert!(failure.permanent);
}

#[tokio::test]
async fn a_broker_that_breaks_the_protocol_is_left_and_tried_again() {
    // A subscription, which only clients send.
    let url = peer::play(&[peer::WELCOME, &[0x82, 7, 0, 9, 0, 0, 1, b'a', 0]]).await;
    let mut client = Client::start(BrokerOptions::new(url, "me"));
    client.link.subscribe("a");
    client.up().await;
    let failure = client.down().await;
    assert!(failure.message.contains("broke the protocol"), "{failure}");
    client.up().await;
}

#[tokio::test]
async fn a_refused_subscription_is_told() {
    // The answer to the first subscription, whose number is 1: reason 0x87, "not authorized".
    let url = peer::play(&[peer::WELCOME, &[0x90, 4, 0, 1, 0, 0x87]]).await;
    let mut client = Client::start(BrokerOptions::new(url, "me"));
    client.link.subscribe("secret/#");
    let (filter, reason) = client
        .until("refusal", |event| match event {
            Event::SubscribeRefused { filter, reason } => Some((filter, reason)),
            _ => None,
        })
        .await;
    assert_eq!(filter, "secret/#");
    assert!(reason.contains("not authorized"), "{reason}");
}

#[tokio::test]
async fn a_message_too_large_is_refused_and_harms_no_other() {
    let configuration = "listener PORT 127.0.0.1\nallow_anonymous true\nmax_packet_size 20000\n";
    let broker = Mosquitto::start_with(configuration, |_| ());
    let mut client = Client::start(BrokerOptions::new(broker.url(), "me"));
    let (max_payload, limits_known) = client.up().await;
    assert!((19_000..20_000).contains(&max_payload), "{max_payload}");
    assert!(limits_known);
    client.publish("t", vec![0; 20_001], 1);
    client.publish("t", vec![0; max_payload], 2);
    let (ticket, reason) = client.refused().await;
    assert_eq!(ticket, 1);
    assert!(reason.contains("20001 bytes"), "{reason}");
    assert_eq!(client.acknowledged().await, 2);
    assert_eq!(client.link.queued(), 0);
}

#[tokio::test]
async fn names_that_are_no_topics_are_refused() {
    let broker = Mosquitto::start();
    let mut client = Client::connected(BrokerOptions::new(broker.url(), "me"), &[]).await;
    client.publish("a/+", "", 1);
    assert_eq!(client.refused().await.0, 1);
    client.link.subscribe("a#");
    client
        .until("refusal", |event| match event {
            Event::SubscribeRefused { filter, .. } => (filter == "a#").then_some(()),
            _ => None,
        })
        .await;
}

#[tokio::test]
async fn a_link_can_be_closed_while_it_cannot_connect() {
    let mut client = Client::start(BrokerOptions::new("tcp://nowhere.invalid", "me"));
    client.down().await;
    client.link.close();
    client.ended().await;
}

#[tokio::test]
async fn a_link_can_be_closed_while_the_broker_hangs() {
    let broker = Mosquitto::start();
    let mut client = Client::connected(BrokerOptions::new(broker.url(), "me"), &[]).await;
    broker.signal("STOP");
    for _ in 0..200 {
        client.publish("t", vec![0; 60_000], 0);
    }
    client.link.close();
    client.ended().await;
    broker.signal("CONT");
}

#[tokio::test]
async fn what_does_not_fit_the_outbox_is_refused_with_its_ticket() {
    let broker = Mosquitto::start();
    let mut client = Client::connected(BrokerOptions::new(broker.url(), "me"), &[]).await;
    broker.signal("STOP");
    for ticket in 1..=1_000 {
        client.publish("t", vec![0; 60_000], ticket);
    }
    let (ticket, reason) = client.refused().await;
    broker.signal("CONT");
    assert!(
        ticket > 100 && reason.contains("queued already"),
        "{ticket} {reason}"
    );
    assert!(client.link.queued() <= 16 << 20);
}
