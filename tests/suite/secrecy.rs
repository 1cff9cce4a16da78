//! A Secret's value never leaves its cluster: looked for in everything that the broker saw, unpacked.

use crate::scene::Scene;
use bed::CANARY;
use bytes::Bytes;
use mqtt_informer::informer::Informer;
use mqtt_informer::link::{BrokerOptions, Event, mqtt};
use mqtt_informer::protocol::compress::{Packed, Packer};
use mqtt_informer::protocol::entries::{Change, read_changes, read_entries};
use mqtt_informer::protocol::frame;
use mqtt_informer::protocol::message::{Reply, Selection, View};
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::protocol::topics::Topics;
use mqtt_informer::replica::Settings;
use std::time::Duration;
use tokio::sync::mpsc;

const LIMIT: usize = 64 << 20;

/// Everything that a message says to somebody who can read it.
fn revealed(payload: &Bytes, packers: &mut Vec<Packer>) -> Vec<u8> {
    let mut text = payload.to_vec();
    let mut values = Vec::new();
    if let Ok(Reply::Page(page)) = frame::decode_reply(payload, LIMIT) {
        packers.extend(page.dictionary.as_ref().and_then(|dictionary| Packer::with_dictionary(dictionary).ok()));
        values.extend(read_entries(page.entries).filter_map(Result::ok).map(|entry| entry.value));
    } else if let Ok(live) = frame::decode_live(payload, LIMIT) {
        let changes = read_changes(live.changes).filter_map(Result::ok);
        values.extend(changes.filter_map(|(_, change)| match change {
            Change::Value(value) => Some(value),
            Change::Deleted | Change::Delta(_) => None,
        }));
    }
    for value in values {
        text.extend(unpacked(&value, packers));
    }
    text
}

fn unpacked(value: &Packed, packers: &[Packer]) -> Vec<u8> {
    let plain = Packer::default();
    let tried = packers.iter().chain([&plain]).filter_map(|packer| packer.unpack(value, LIMIT).ok());
    tried.flat_map(|bytes| bytes.to_vec()).collect()
}

fn finds(text: &[u8], needle: &str) -> bool {
    text.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// The canary as base64, but for its end, which depends on what follows.
fn encoded() -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in CANARY.as_bytes().chunks_exact(3) {
        let word = chunk.iter().fold(0u32, |word, byte| (word << 8) | u32::from(*byte));
        out.extend((0..4).map(|at| char::from(LETTERS[(word >> (18 - 6 * at)) as usize & 63])));
    }
    out
}

fn leaks(text: &[u8]) -> bool {
    finds(text, CANARY) || finds(text, &encoded())
}

/// Listens to a broker: everything.
async fn tap(url: &str) -> mpsc::UnboundedReceiver<Bytes> {
    let mut connection = mqtt::connect(BrokerOptions::new(url, "tap")).unwrap();
    connection.link.subscribe("#");
    loop {
        if let Some(Event::Subscribed(_)) = connection.events.recv().await {
            break;
        }
    }
    let (heard, tapped) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let _link = connection.link;
        while let Some(event) = connection.events.recv().await {
            if let Event::Message { payload, .. } = event {
                let _ = heard.send(payload);
            }
        }
    });
    tapped
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secrets_value_is_in_no_message_unless_its_owner_and_its_reader_ask() {
    let scene = tokio::task::block_in_place(|| Scene::new("secrecy"));
    let (cluster, namespace, _syncer) = tokio::task::block_in_place(|| {
        let cluster = scene.shared();
        let namespace = cluster.namespace("secrecy").unwrap();
        for (name, labels) in [("hidden", "{}"), ("shared", "{mqtt-resource: \"\"}")] {
            let value = format!("password: {CANARY}");
            let metadata = format!("{{name: {name}, namespace: {namespace}, labels: {labels}}}");
            cluster.apply(&format!("apiVersion: v1\nkind: Secret\nmetadata: {metadata}\nstringData: {{{value}}}\n")).unwrap();
        }
        let syncer = scene.syncer(&cluster, &[]);
        (cluster, namespace, syncer)
    });
    let mut tapped = tap(scene.broker.url()).await;
    let selection = Selection { resource: "secrets".into(), namespace: namespace.clone(), ..Selection::default() };

    // Every view, watched while the Secrets change: no message may hold it.
    let informer = informer(scene.broker.url());
    let views = [(View::Rows, false), (View::Objects, false), (View::Objects, true)];
    for (view, managed_fields) in views {
        let subscription = informer.subscribe(&name(), Selection { view, managed_fields, ..selection.clone() });
        synced(&subscription).await;
    }
    tokio::task::block_in_place(|| {
        cluster.kubectl_ok(&["-n", &namespace, "annotate", "secret", "hidden", "shared", "touched=yes"]).unwrap();
    });
    let subscription = informer.subscribe(&name(), Selection { view: View::Objects, ..selection.clone() });
    synced(&subscription).await;
    let mut packers = Vec::new();
    let mut messages = 0;
    while let Ok(payload) = tapped.try_recv() {
        messages += 1;
        assert!(!leaks(&revealed(&payload, &mut packers)), "a message holds the value of a Secret");
    }
    assert!(messages > 6, "the tap heard {messages} messages only");

    // Who asks for values gets those of the Secret whose owner lets them go, and no other's.
    let asking = Selection { view: View::Objects, secret_values: true, ..selection };
    let subscription = informer.subscribe(&name(), asking);
    synced(&subscription).await;
    let snapshot = subscription.store().snapshot();
    let value = |name: &str| snapshot.entries[&Bytes::from(format!("{namespace}/{name}"))].clone();
    assert!(leaks(&value("shared")), "{:?}", value("shared"));
    assert!(!leaks(&value("hidden")), "{:?}", value("hidden"));
}

fn name() -> ClusterName {
    ClusterName::new("cluster1").unwrap()
}

fn informer(url: &str) -> Informer {
    let connection = mqtt::connect(BrokerOptions::new(url, "secrecy")).unwrap();
    Informer::start(connection, Topics::default(), Settings::default()).unwrap()
}

async fn synced(subscription: &mqtt_informer::informer::Subscription) {
    let mut state = subscription.store().state();
    let synced = state.wait_for(|state| state.synced);
    tokio::time::timeout(Duration::from_secs(30), synced).await.unwrap().unwrap();
}
