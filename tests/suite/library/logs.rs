//! Logs over an in-process link: whatever is lost on the way, a reader has every line once, or is told.

use super::{Cluster, PATIENCE, informer, name, settings, within};
use mqtt_informer::informer::Informer;
use mqtt_informer::informer::log::{LogEnd, LogEvent, LogReader, LogRequest, LogSelection};
use mqtt_informer::link::memory::{Fate, MemoryBroker};
use mqtt_informer::protocol::frame;
use mqtt_informer::protocol::message::{Reply, Request};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const LIMIT: usize = 1 << 20;

fn selection(follow: bool) -> LogSelection {
    LogSelection {
        namespace: "shop".into(),
        pod: "web".into(),
        container: "app".into(),
        follow,
        ..LogSelection::default()
    }
}

fn request(follow: bool) -> LogRequest {
    LogRequest {
        log: selection(follow),
        after: None,
        patience: PATIENCE,
    }
}

async fn cluster(broker: &MemoryBroker) -> Cluster {
    let cluster = Cluster::start(broker, "east").await;
    let pod = json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": {"containers": [{"name": "app"}]}});
    cluster.playground.put("pods", pod);
    cluster
}

fn write(cluster: &Cluster, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let line = format!("line {number}");
        cluster.playground.log("shop", "web", "app", &line);
    }
}

fn lines(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("line {number}")).collect()
}

/// Reads until so many lines were there; whatever else happened is returned, too.
async fn read(log: &mut LogReader, count: usize) -> (Vec<String>, Vec<LogEvent>) {
    let (mut lines, mut others) = (Vec::new(), Vec::new());
    within("the lines", async {
        while lines.len() < count {
            match log.next().await {
                Some(LogEvent::Lines(more)) => lines.extend(
                    more.iter()
                        .map(|line| String::from_utf8_lossy(&line.text).into_owned()),
                ),
                Some(other) => others.push(other),
                None => break,
            }
        }
    })
    .await;
    (lines, others)
}

async fn open(cluster: &Cluster, count: u64) {
    within("logs at the API server", async {
        while cluster.playground.requests().open_logs != count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

fn viewer(broker: &MemoryBroker) -> Informer {
    informer(broker, &["east"])
}

#[tokio::test]
async fn a_log_is_read_to_its_end_and_no_longer() {
    let broker = MemoryBroker::new();
    let cluster = cluster(&broker).await;
    write(&cluster, 0..3);
    let informer = viewer(&broker);
    let mut log = informer.log(&name("east"), request(false));
    let (read, _) = read(&mut log, 3).await;
    assert_eq!(read, lines(0..3));
    let end = within("the end", log.next()).await;
    assert!(
        matches!(end, Some(LogEvent::Ended(LogEnd::Finished, Some(_)))),
        "{end:?}"
    );
    assert_eq!(log.next().await, None);
}

#[tokio::test]
async fn a_log_is_open_at_the_api_server_only_while_somebody_reads() {
    let broker = MemoryBroker::new();
    let cluster = cluster(&broker).await;
    let informer = viewer(&broker);
    let log = informer.log(&name("east"), request(true));
    open(&cluster, 1).await;
    drop(log);
    open(&cluster, 0).await;
    // One that dies says nothing: its lease ends.
    let _log = informer.log(&name("east"), request(true));
    open(&cluster, 1).await;
    broker.cut("viewer");
    open(&cluster, 0).await;
}

#[tokio::test]
async fn whatever_is_lost_or_comes_twice_every_line_comes_once() {
    let broker = MemoryBroker::new();
    let cluster = cluster(&broker).await;
    let informer = viewer(&broker);
    // Every third message of the log is lost, every fourth comes twice, whoever it is for.
    let count = Arc::new(AtomicU64::new(0));
    broker.set_fate(move |_, message| {
        let of_log = matches!(
            frame::decode_reply(&message.payload, LIMIT),
            Ok(Reply::LogChunk(_))
        ) || matches!(
            frame::decode_request(&message.payload, LIMIT),
            Ok(Request::LogOpen(_) | Request::LogCredit(_))
        );
        let number = count.fetch_add(u64::from(of_log), Ordering::Relaxed);
        match number % 12 {
            _ if !of_log => Fate::Delivered,
            2 | 5 | 8 | 11 => Fate::Lost,
            3 | 7 => Fate::Doubled,
            _ => Fate::Delivered,
        }
    });
    let mut log = informer.log(&name("east"), request(true));
    let mut all = Vec::new();
    for round in 0..8 {
        write(&cluster, round * 50..(round + 1) * 50);
        let (read, others) = read(&mut log, 50).await;
        assert!(
            !others.iter().any(|event| matches!(event, LogEvent::Gap(_))),
            "{others:?}"
        );
        all.extend(read);
    }
    assert_eq!(all, lines(0..400));
}

#[tokio::test]
async fn a_source_that_dies_and_comes_back_hides_nothing() {
    let broker = MemoryBroker::new();
    let mut cluster = cluster(&broker).await;
    let informer = viewer(&broker);
    let mut log = informer.log(&name("east"), request(true));
    write(&cluster, 0..10);
    assert_eq!(read(&mut log, 10).await.0, lines(0..10));
    cluster.served = None;
    write(&cluster, 10..20);
    cluster.serve().await;
    let (read_on, others) = read(&mut log, 10).await;
    assert_eq!(read_on, lines(10..20));
    assert!(
        !others.iter().any(|event| matches!(event, LogEvent::Gap(_))),
        "{others:?}"
    );
    // What nobody has any more is said to be missing.
    cluster.served = None;
    write(&cluster, 20..30);
    cluster.playground.rotate_log("shop", "web", "app");
    write(&cluster, 30..40);
    cluster.serve().await;
    let (read_on, others) = read(&mut log, 10).await;
    assert_eq!(read_on, lines(30..40));
    assert!(
        others.iter().any(|event| matches!(event, LogEvent::Gap(_))),
        "{others:?}"
    );
}

#[tokio::test]
async fn an_api_server_that_breaks_off_is_read_on() {
    let broker = MemoryBroker::new();
    let cluster = cluster(&broker).await;
    let informer = viewer(&broker);
    let mut log = informer.log(&name("east"), request(true));
    write(&cluster, 0..10);
    assert_eq!(read(&mut log, 10).await.0, lines(0..10));
    cluster.playground.faults().close_watches();
    write(&cluster, 10..20);
    let (read_on, others) = read(&mut log, 10).await;
    assert_eq!(read_on, lines(10..20));
    assert!(
        others
            .iter()
            .all(|event| matches!(event, LogEvent::Broken(_))),
        "{others:?}"
    );
}

#[tokio::test]
async fn no_more_is_sent_than_is_taken() {
    let broker = MemoryBroker::new();
    let cluster = cluster(&broker).await;
    cluster.playground.flood_log("shop", "web", "app");
    let (sent, renewed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (counter, renewals) = (Arc::clone(&sent), Arc::clone(&renewed));
    broker.set_fate(move |_, message| {
        if let Ok(Reply::LogChunk(chunk)) = frame::decode_reply(&message.payload, LIMIT) {
            let bytes = u64::try_from(chunk.lines.len()).unwrap();
            counter.fetch_add(bytes, Ordering::Relaxed);
        }
        if let Ok(Request::LogCredit(_)) = frame::decode_request(&message.payload, LIMIT) {
            renewals.fetch_add(1, Ordering::Relaxed);
        }
        Fate::Delivered
    });
    let informer = viewer(&broker);
    let mut log = informer.log(&name("east"), request(true));
    // It takes nothing, and says again and again that it is there.
    within("renewals", async {
        while renewed.load(Ordering::Relaxed) < 5 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let before = sent.load(Ordering::Relaxed);
    assert!(before > 0 && before <= 8 * 48 * 1024, "{before}");
    read(&mut log, 10_000).await;
    assert!(sent.load(Ordering::Relaxed) > before);
}

#[tokio::test]
async fn refusals_are_the_end() {
    let broker = MemoryBroker::new();
    let cluster = cluster(&broker).await;
    let informer = viewer(&broker);
    let refused = async |request: LogRequest| {
        let mut log = informer.log(&name("east"), request);
        match within("the refusal", log.next()).await {
            Some(LogEvent::Ended(LogEnd::Refused { code, message, .. }, _)) => (code, message),
            other => panic!("{other:?}"),
        }
    };
    let mut other = request(true);
    other.log.container = "nosuch".into();
    let want = (400, "container nosuch is not valid for pod web".to_owned());
    assert_eq!(refused(other).await, want);
    cluster.playground.faults().refuse("pods/log");
    let (code, message) = refused(request(true)).await;
    assert!(code == 403 && message.contains("pods/log"), "{message}");
}

#[tokio::test]
async fn more_logs_than_a_source_reads_are_refused() {
    let broker = MemoryBroker::new();
    let cluster = cluster(&broker).await;
    let informer = viewer(&broker);
    let most = settings().logs;
    let logs: Vec<_> = (0..most)
        .map(|_| informer.log(&name("east"), request(true)))
        .collect();
    open(&cluster, u64::try_from(most).unwrap()).await;
    let mut one_more = informer.log(&name("east"), request(true));
    let end = within("the refusal", one_more.next()).await;
    assert!(
        matches!(
            end,
            Some(LogEvent::Ended(LogEnd::Refused { code: 429, .. }, _))
        ),
        "{end:?}"
    );
    drop(logs);
    open(&cluster, 0).await;
}
