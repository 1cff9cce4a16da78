//! MQTT inside web sockets, with and without TLS.

use crate::access::{anonymous, secure};
use crate::client::Client;
use crate::mosquitto::Mosquitto;
use bytes::Bytes;
use mqtt_informer::link::{BrokerOptions, Event};

/// mosquitto 2.0.11 does not start when all its listeners are web sockets.
const SPARE: &str = "listener SPARE 127.0.0.1\n";
const PLAIN: &str = "allow_anonymous true\nlistener PORT 127.0.0.1\nprotocol websockets\n";

/// A large message each way, which no frame holds whole, and many small ones.
async fn converse(options: BrokerOptions) {
    let mut client = Client::connected(options, &["t"]).await;
    let large: Bytes = (0..60_000_u32)
        .map(|byte| byte as u8)
        .collect::<Vec<_>>()
        .into();
    client.publish("t", large.clone(), 1);
    for number in 2..=20 {
        client.publish("t", number.to_string(), number);
    }
    let (mut heard, mut acknowledged) = (Vec::new(), Vec::new());
    while heard.len() < 20 || acknowledged.len() < 20 {
        match client.until("message", Some).await {
            Event::Message { payload, .. } => heard.push(payload),
            Event::Acknowledged(ticket) => acknowledged.push(ticket),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(heard.remove(0), large);
    let expected: Vec<_> = (2..=20).map(|number: u64| number.to_string()).collect();
    assert_eq!(heard, expected);
    client.link.close();
    client.ended().await;
}

#[tokio::test]
async fn a_web_socket() {
    let broker = Mosquitto::start_with(&(SPARE.to_owned() + PLAIN), |_| ());
    converse(BrokerOptions::new(
        format!("ws://127.0.0.1:{}", broker.port),
        "me",
    ))
    .await;
}

#[tokio::test]
async fn a_web_socket_inside_tls() {
    let broker = secure(|sample| {
        let open = sample
            .replace("PORT 127.0.0.1", "PORT 127.0.0.1\nprotocol websockets")
            .replace("allow_anonymous false", "allow_anonymous true")
            .replace("acl_file", "# acl_file")
            .replace("password_file", "# password_file");
        SPARE.to_owned() + &open
    });
    let mut options = anonymous(&broker, "me");
    options.url = options.url.replace("mqtts://", "wss://");
    converse(options).await;
}

#[tokio::test]
async fn a_web_socket_where_there_is_none() {
    let broker = Mosquitto::start();
    let url = broker.url().replace("tcp://", "ws://");
    let failure = Client::start(BrokerOptions::new(url, "me")).down().await;
    assert!(
        failure.message.contains("no web socket at ws://127.0.0.1"),
        "{failure}"
    );
    assert!(!failure.message.contains('\n'), "{failure}");
}
