//! What must hold on every broker.

use crate::client::{Client, message};
use crate::mosquitto::Mosquitto;
use mqtt_informer::link::embedded::EmbeddedBroker;
use mqtt_informer::link::{BrokerOptions, Event, LastWill, QualityOfService};

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_does_what_we_need() {
    let broker = Mosquitto::start();
    everything(&broker.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_broker_does_what_we_need() {
    let broker = EmbeddedBroker::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    everything(&broker.url()).await;
    let mut client = Client::connected(BrokerOptions::new(broker.url(), "last"), &[]).await;
    broker.stop().await;
    let failure = client.down().await;
    assert!(!failure.permanent, "{failure}");
}

#[tokio::test]
async fn an_address_in_use_is_told_in_one_line() {
    let broker = EmbeddedBroker::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let error = EmbeddedBroker::start(broker.local_addr())
        .await
        .err()
        .unwrap();
    let message = error.to_string();
    assert!(
        message.starts_with("cannot start a broker on 127.0.0.1:"),
        "{message}"
    );
    assert!(!message.contains('\n'), "{message}");
}

async fn everything(url: &str) {
    for quality in 0..=2 {
        messages_arrive_in_order_and_are_acknowledged(url, quality).await;
    }
    retained_messages_wait_for_subscribers(url).await;
    a_will_is_published_unless_the_link_was_closed(url).await;
    closing_sends_what_is_queued(url).await;
    the_second_of_an_id_takes_over(url).await;
    a_burst_arrives_whole(url).await;
    a_link_given_up_comes_back_subscribed(url).await;
    many_subscriptions_are_all_confirmed(url).await;
}

async fn messages_arrive_in_order_and_are_acknowledged(url: &str, quality: u8) {
    let mut options = BrokerOptions::new(url, format!("order-{quality}"));
    options.quality_of_service = QualityOfService::try_from(quality).unwrap();
    let topic = format!("order/{quality}");
    let mut client = Client::connected(options, &[&topic]).await;
    for number in 1..=300 {
        client.publish(&topic, number.to_string(), number);
    }
    let (mut heard, mut acknowledged) = (Vec::new(), Vec::new());
    while heard.len() < 300 || acknowledged.len() < 300 {
        let event = client.until("message", Some).await;
        match event {
            Event::Message { payload, .. } => {
                heard.push(String::from_utf8_lossy(&payload).parse::<u64>().unwrap());
            }
            Event::Acknowledged(ticket) => acknowledged.push(ticket),
            other => panic!("{other:?}"),
        }
    }
    let expected: Vec<u64> = (1..=300).collect();
    assert_eq!(heard, expected, "quality of service {quality}");
    assert_eq!(acknowledged, expected, "quality of service {quality}");
    assert_eq!(client.link.queued(), 0);
}

async fn retained_messages_wait_for_subscribers(url: &str) {
    let mut writer = Client::connected(BrokerOptions::new(url, "writer"), &[]).await;
    for (name, ticket) in [("a", 1), ("b", 2)] {
        let topic = format!("presence/{name}");
        writer.link.publish(message(&topic, name, true, ticket));
        writer.acknowledged().await;
    }
    let mut reader = Client::connected(BrokerOptions::new(url, "reader"), &["presence/+"]).await;
    let mut heard = [reader.message().await, reader.message().await];
    heard.sort();
    let expected = |name: &str| (format!("presence/{name}"), name.to_owned(), true);
    assert_eq!(heard, [expected("a"), expected("b")]);

    writer.link.publish(message("presence/a", "new", true, 0));
    let expected = ("presence/a".to_owned(), "new".to_owned(), false);
    assert_eq!(reader.message().await, expected, "live, so not retained");
}

async fn a_will_is_published_unless_the_link_was_closed(url: &str) {
    let mut witness = Client::connected(BrokerOptions::new(url, "witness"), &["will/+"]).await;
    let with_will = |name: &str| {
        let mut options = BrokerOptions::new(url, format!("will-{name}"));
        options.last_will = Some(LastWill {
            topic: format!("will/{name}"),
            payload: "gone".into(),
            retain: true,
        });
        options
    };
    let mut closed = Client::connected(with_will("closed"), &[]).await;
    closed.link.close();
    closed.ended().await;
    drop(Client::connected(with_will("dropped"), &[]).await);
    assert_eq!(witness.message().await.0, "will/dropped");
    let mut late = Client::connected(BrokerOptions::new(url, "late"), &["will/+"]).await;
    let expected = ("will/dropped".to_owned(), "gone".to_owned(), true);
    assert_eq!(late.message().await, expected);
}

async fn closing_sends_what_is_queued(url: &str) {
    let mut reader = Client::connected(BrokerOptions::new(url, "reader"), &["last/+"]).await;
    let mut writer = Client::connected(BrokerOptions::new(url, "writer"), &[]).await;
    for number in 0..500 {
        writer.publish("last/words", number.to_string(), 0);
    }
    writer.link.close();
    writer.link.close();
    writer.publish("last/words", "too late", 0);
    writer.ended().await;
    for number in 0..500 {
        assert_eq!(reader.message().await.1, number.to_string());
    }
    writer = Client::connected(BrokerOptions::new(url, "writer"), &[]).await;
    writer.publish("last/check", "", 0);
    assert_eq!(reader.message().await.0, "last/check");
}

async fn the_second_of_an_id_takes_over(url: &str) {
    let mut first = Client::connected(BrokerOptions::new(url, "twin"), &[]).await;
    let _second = Client::start(BrokerOptions::new(url, "twin"));
    let failure = first
        .until("take-over", |event| match event {
            Event::Down(failure) => failure.permanent.then_some(failure),
            _ => None,
        })
        .await;
    assert!(failure.message.contains("client id \"twin\""), "{failure}");
}

async fn a_burst_arrives_whole(url: &str) {
    const COUNT: usize = 10_000;
    let mut reader = Client::connected(BrokerOptions::new(url, "reader"), &["burst"]).await;
    let writer = Client::connected(BrokerOptions::new(url, "writer"), &[]).await;
    for number in 0..COUNT {
        writer.publish("burst", number.to_string(), 0);
    }
    for number in 0..COUNT {
        assert_eq!(reader.message().await.1, number.to_string());
    }
}

async fn a_link_given_up_comes_back_subscribed(url: &str) {
    let mut client = Client::connected(BrokerOptions::new(url, "again"), &["again"]).await;
    client.link.reconnect();
    assert!(!client.down().await.permanent);
    client.up().await;
    assert_eq!(client.subscribed().await, "again");
    client.publish("again", "here", 0);
    assert_eq!(client.message().await.1, "here");
}

async fn many_subscriptions_are_all_confirmed(url: &str) {
    let mut client = Client::start(BrokerOptions::new(url, "many"));
    for number in 0..300 {
        client.link.subscribe(&format!("many/{number}"));
    }
    let mut confirmed = Vec::new();
    while confirmed.len() < 300 {
        confirmed.push(client.subscribed().await);
    }
    confirmed.sort();
    confirmed.dedup();
    assert_eq!(confirmed.len(), 300);
    client.publish("many/299", "here", 1);
    assert_eq!(client.message().await.0, "many/299");
    client.link.unsubscribe("many/299");
    client.publish("many/299", "unheard", 2);
    client.publish("many/0", "heard", 3);
    assert_eq!(client.message().await.0, "many/0");
}
