//! The upstream of a source over a playground: what an API server may do, and what is told of it.

mod served;
mod world;

use super::*;
use crate::kubernetes::{Access, Kubernetes, Patience};
use crate::protocol::message::{Selection, View};
use crate::protocol::rows::{Header, Row};
use crate::source::{Event, Refusal, Resolved, Upstream, UpstreamError};
use bytes::Bytes;
use prost::Message;
use serde_json::json;
use std::collections::BTreeMap;
use tokio::sync::mpsc;

/// Long enough for the busiest machine; what is waited for comes at once.
const LONG: Duration = Duration::from_secs(60);

/// Short waits where a test has to wait them out, long ones where it must not.
fn patience() -> Patience {
    let short = (Duration::from_millis(1), Duration::from_millis(10));
    Patience {
        outage: short,
        refusal: short,
        poll: (Duration::from_millis(1), Duration::from_millis(1)),
        measured: Duration::from_millis(1),
        discovery: Duration::ZERO,
        resources: Duration::from_millis(1),
        ..Patience::default()
    }
}

async fn client(playground: &Playground, patience: Patience) -> Arc<Kubernetes> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("kubeconfig");
    std::fs::write(&file, playground.kubeconfig()).unwrap();
    let access = Access {
        kubeconfig: Some(file.into()),
        context: None,
    };
    Arc::new(
        Kubernetes::with_patience(&access, false, patience)
            .await
            .unwrap(),
    )
}

fn all(resource: &str, view: View) -> Selection {
    Selection {
        resource: resource.into(),
        view,
        ..Selection::default()
    }
}

/// A stream, and the copy that its events make.
struct Copy {
    events: mpsc::Receiver<Event>,
    entries: BTreeMap<Bytes, Bytes>,
    /// Of the list that is under way.
    parts: BTreeMap<Bytes, Bytes>,
    lists: usize,
}

impl Copy {
    async fn open(kubernetes: &Arc<Kubernetes>, selection: &Selection, capacity: usize) -> Self {
        let resolved = kubernetes.resolve(selection).await.unwrap();
        Self::run(kubernetes.clone(), resolved, capacity)
    }

    fn run(kubernetes: Arc<Kubernetes>, resolved: Resolved, capacity: usize) -> Self {
        let (sender, events) = mpsc::channel(capacity);
        tokio::spawn(async move { kubernetes.run(&resolved, sender).await });
        Self {
            events,
            entries: BTreeMap::new(),
            parts: BTreeMap::new(),
            lists: 0,
        }
    }

    async fn next(&mut self) -> Event {
        let event = tokio::time::timeout(LONG, self.events.recv())
            .await
            .expect("nothing is told")
            .unwrap();
        match &event {
            Event::Listing => self.parts.clear(),
            Event::Part(entries) => self.parts.extend(entries.iter().cloned()),
            Event::Listed(entries, _) => {
                self.lists += 1;
                self.entries = std::mem::take(&mut self.parts);
                self.entries.extend(entries.iter().cloned());
            }
            Event::Put(key, value, _) => drop(self.entries.insert(key.clone(), value.clone())),
            Event::Delete(key, _) => drop(self.entries.remove(key)),
            _ => {}
        }
        event
    }

    /// Takes events until one is as asked; many others are as bad as none.
    async fn until(&mut self, mut wanted: impl FnMut(&Event) -> bool) -> Event {
        let found = async {
            loop {
                let event = self.next().await;
                if wanted(&event) {
                    return event;
                }
            }
        };
        tokio::time::timeout(LONG, found)
            .await
            .expect("what is wanted is not told")
    }

    /// Takes events until the copy has exactly these keys.
    async fn until_keys(&mut self, keys: &[&str]) {
        loop {
            let have: Vec<&[u8]> = self
                .entries
                .keys()
                .filter(|key| !key.is_empty())
                .map(|key| &key[..])
                .collect();
            if self.lists > 0 && have == keys.iter().map(|key| key.as_bytes()).collect::<Vec<_>>() {
                return;
            }
            self.next().await;
        }
    }

    fn object(&self, key: &str) -> Value {
        serde_json::from_slice(&self.entries[key.as_bytes()]).unwrap()
    }
}

fn config_map(name: &str, value: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop"}, "data": {"value": value}})
}

fn listed(event: &Event) -> bool {
    matches!(event, Event::Listed(..))
}

async fn started(spec: Spec) -> (Playground, Arc<Kubernetes>) {
    let playground = Playground::start(spec).await.unwrap();
    let kubernetes = client(&playground, patience()).await;
    (playground, kubernetes)
}

#[tokio::test]
async fn a_list_is_followed_by_what_changes() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    playground.put("configmaps", config_map("a", "1"));
    let mut copy = Copy::open(&kubernetes, &all("cm", View::Objects), 8).await;
    copy.until_keys(&["shop/a"]).await;
    let header = Header::decode(copy.entries[&b""[..]].clone()).unwrap();
    assert_eq!(
        (&*header.plural, &*header.singular, &*header.kind),
        ("configmaps", "configmap", "ConfigMap")
    );
    playground.put("configmaps", config_map("b", "1"));
    playground.put("configmaps", config_map("a", "2"));
    playground.delete("configmaps", "shop", "b");
    playground.put("configmaps", config_map("c", "1"));
    copy.until_keys(&["shop/a", "shop/c"]).await;
    assert_eq!(copy.object("shop/a")["data"]["value"], "2");
    assert_eq!(copy.object("shop/a")["kind"], "ConfigMap");
    assert_eq!((copy.lists, playground.requests().watches), (1, 1));
}

#[tokio::test]
async fn nobody_listens_any_more() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    let mut copy = Copy::open(&kubernetes, &all("pods", View::Rows), 8).await;
    copy.until(|event| matches!(event, Event::Watching)).await;
    assert_eq!(playground.requests().open_watches, 1);
    drop(copy);
    let closed = async {
        while playground.requests().open_watches > 0 {
            // The server notices that the connection is gone when it has something to say.
            playground.put(
                "pods",
                config_map("x", &playground.requests().lists.to_string()),
            );
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, closed)
        .await
        .expect("the watch stays open");
}

#[tokio::test]
async fn a_long_list_comes_whole_though_its_pages_expire() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    for number in 0..3_000 {
        playground.put("configmaps", config_map(&format!("c{number:04}"), ""));
    }
    // A channel of one: the list is at most two pages ahead.
    let mut copy = Copy::open(&kubernetes, &all("configmaps", View::Rows), 1).await;
    assert!(matches!(copy.next().await, Event::Listing));
    assert!(matches!(copy.next().await, Event::Part(part) if part.len() == 500));
    playground.delete("configmaps", "shop", "c0000");
    // From now on no further page is to be had: a second try must not need one.
    copy.until(|event| {
        playground.expire();
        listed(event)
    })
    .await;
    // With the header.
    assert_eq!(copy.entries.len(), 3_000);
    assert!(!copy.entries.contains_key(&b"shop/c0000"[..]));
}

#[tokio::test]
async fn a_list_that_does_not_end_is_an_outage() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    for number in 0..1_200 {
        playground.put("configmaps", config_map(&format!("c{number:04}"), ""));
    }
    playground.faults().endless_lists(true);
    let mut copy = Copy::open(&kubernetes, &all("configmaps", View::Rows), 8).await;
    let down = copy.until(|event| matches!(event, Event::Down(_))).await;
    assert!(
        matches!(&down, Event::Down(why) if why.contains("followed by itself")),
        "{down:?}"
    );
    playground.faults().endless_lists(false);
    copy.until(listed).await;
    assert_eq!(copy.entries.len(), 1_201, "with the header");
}

#[tokio::test]
async fn a_version_that_is_too_old_is_listed_anew() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    playground.put("configmaps", config_map("a", "1"));
    let mut copy = Copy::open(&kubernetes, &all("configmaps", View::Rows), 8).await;
    copy.until_keys(&["shop/a"]).await;
    copy.until(|event| matches!(event, Event::Watching)).await;
    playground.faults().silence_watches(true);
    playground.delete("configmaps", "shop", "a");
    playground.put("configmaps", config_map("b", "1"));
    playground.expire();
    playground.faults().silence_watches(false);
    copy.until_keys(&["shop/b"]).await;
    assert_eq!(copy.lists, 2);
}

#[tokio::test]
async fn a_broken_watch_is_resumed_where_it_stood() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    let mut copy = Copy::open(&kubernetes, &all("configmaps", View::Objects), 8).await;
    copy.until(|event| matches!(event, Event::Watching)).await;
    let mut newest = 0;
    for round in 0..5 {
        playground.put("configmaps", config_map("a", &round.to_string()));
        playground.faults().close_watches();
        playground.put("configmaps", config_map(&format!("b{round}"), "1"));
        let last = format!("shop/b{round}");
        while !copy.entries.contains_key(last.as_bytes()) {
            copy.next().await;
            if copy.entries.contains_key(&b"shop/a"[..]) {
                let value: i32 = copy.object("shop/a")["data"]["value"]
                    .as_str()
                    .unwrap()
                    .parse()
                    .unwrap();
                assert!(value >= newest, "{value} after {newest}");
                newest = value;
            }
        }
    }
    assert_eq!(copy.lists, 1);
    assert_eq!(copy.object("shop/a")["data"]["value"], "4");
}

#[tokio::test]
async fn bookmarks_move_a_quiet_watch_on() {
    let spec = Spec {
        bookmarks: Duration::from_millis(1),
        ..Spec::empty()
    };
    let (playground, kubernetes) = started(spec).await;
    let mut copy = Copy::open(&kubernetes, &all("pods", View::Rows), 8).await;
    copy.until(listed).await;
    playground.put("configmaps", config_map("other", "1"));
    // What a quiet watch says after it opened is a bookmark. Without bookmarks this would wait for ever.
    let moves_on = async {
        while playground.requests().watched_from < playground.version() {
            copy.until(|event| matches!(event, Event::Watching)).await;
            copy.until(|event| matches!(event, Event::Bookmark(_)))
                .await;
            playground.faults().close_watches();
        }
    };
    tokio::time::timeout(LONG, moves_on)
        .await
        .expect("the version stays");
    assert_eq!(copy.lists, 1);
}

#[tokio::test]
async fn a_refusal_is_told_and_does_not_last() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    playground.put("configmaps", config_map("a", "1"));
    let mut copy = Copy::open(&kubernetes, &all("configmaps", View::Rows), 8).await;
    copy.until_keys(&["shop/a"]).await;
    playground.faults().refuse("configmaps");
    let refused = copy.until(|event| matches!(event, Event::Refused(_))).await;
    assert!(
        matches!(refused, Event::Refused(Refusal { code: 403, message, .. }) if message.contains("configmaps is forbidden"))
    );
    playground.faults().allow("configmaps");
    copy.until(listed).await;
}

#[tokio::test]
async fn an_outage_is_told_and_overcome() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    let mut copy = Copy::open(&kubernetes, &all("configmaps", View::Rows), 8).await;
    copy.until(|event| matches!(event, Event::Watching)).await;
    playground.faults().unavailable(true);
    playground.faults().close_watches();
    copy.until(|event| matches!(event, Event::Down(message) if message.contains("unavailable")))
        .await;
    assert!(kubernetes.probe().await.is_err());
    assert!(matches!(kubernetes.identify().await, Err(message) if message.contains("unavailable")));
    playground.put("configmaps", config_map("a", "1"));
    playground.faults().unavailable(false);
    copy.until_keys(&["shop/a"]).await;
    assert_eq!(kubernetes.probe().await, Ok(()));
}

#[tokio::test]
async fn a_server_that_hangs_is_found_by_its_probe() {
    let playground = Playground::start(Spec::empty()).await.unwrap();
    let kubernetes = client(
        &playground,
        Patience {
            probe: Duration::from_millis(50),
            ..patience()
        },
    )
    .await;
    let mut copy = Copy::open(&kubernetes, &all("configmaps", View::Rows), 8).await;
    copy.until(|event| matches!(event, Event::Watching)).await;
    playground.faults().hang();
    let error = kubernetes.probe().await.unwrap_err();
    assert!(
        error.contains(playground.url()) && error.contains("does not answer"),
        "{error}"
    );
    playground.faults().resume();
    let answers = async { while kubernetes.probe().await.is_err() {} };
    tokio::time::timeout(LONG, answers)
        .await
        .expect("the probe does not recover");
    // The watch that hung goes on.
    playground.put("configmaps", config_map("a", "1"));
    copy.until_keys(&["shop/a"]).await;
    assert_eq!((copy.lists, playground.requests().watches), (1, 1));
}

#[tokio::test]
async fn a_watch_that_fell_silent_is_given_up() {
    let playground = Playground::start(Spec::empty()).await.unwrap();
    let kubernetes = client(
        &playground,
        Patience {
            watch_silence: Duration::from_millis(50),
            ..patience()
        },
    )
    .await;
    let mut copy = Copy::open(&kubernetes, &all("configmaps", View::Rows), 8).await;
    copy.until(|event| matches!(event, Event::Watching)).await;
    playground.faults().silence_watches(true);
    assert_eq!(kubernetes.probe().await, Ok(()));
    copy.until(|event| matches!(event, Event::Down(message) if message.contains("fell silent")))
        .await;
    playground.put("configmaps", config_map("a", "1"));
    playground.faults().silence_watches(false);
    copy.until_keys(&["shop/a"]).await;
    assert_eq!(copy.lists, 1);
}
