//! The upstream of a source over a playground: what an API server may do, and what is told of it.

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
        poll: Duration::from_millis(1),
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
            lists: 0,
        }
    }

    async fn next(&mut self) -> Event {
        let event = tokio::time::timeout(LONG, self.events.recv())
            .await
            .expect("nothing is told")
            .unwrap();
        match &event {
            Event::Listed(entries) => {
                self.lists += 1;
                self.entries = entries.iter().cloned().collect();
            }
            Event::Put(key, value) => drop(self.entries.insert(key.clone(), value.clone())),
            Event::Delete(key) => drop(self.entries.remove(key)),
            _ => {}
        }
        event
    }

    /// Takes events until one is as asked.
    async fn until(&mut self, mut wanted: impl FnMut(&Event) -> bool) -> Event {
        loop {
            let event = self.next().await;
            if wanted(&event) {
                return event;
            }
        }
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
    matches!(event, Event::Listed(_))
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
    copy.until(|event| matches!(event, Event::Alive)).await;
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
    assert!(matches!(copy.next().await, Event::Listing(500)));
    playground.delete("configmaps", "shop", "c0000");
    playground.expire();
    copy.until(listed).await;
    // With the header.
    assert_eq!(copy.entries.len(), 3_000);
    assert!(!copy.entries.contains_key(&b"shop/c0000"[..]));
}

#[tokio::test]
async fn a_version_that_is_too_old_is_listed_anew() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    playground.put("configmaps", config_map("a", "1"));
    let mut copy = Copy::open(&kubernetes, &all("configmaps", View::Rows), 8).await;
    copy.until_keys(&["shop/a"]).await;
    copy.until(|event| matches!(event, Event::Alive)).await;
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
    copy.until(|event| matches!(event, Event::Alive)).await;
    for round in 0..5 {
        playground.put("configmaps", config_map("a", &round.to_string()));
        playground.faults().close_watches();
        playground.put("configmaps", config_map(&format!("b{round}"), "1"));
        copy.until(|event| matches!(event, Event::Put(key, _) if key == format!("shop/b{round}").as_bytes())).await;
    }
    assert_eq!(copy.lists, 1);
    assert_eq!(copy.object("shop/a")["data"]["value"], "4");
}

#[tokio::test]
async fn bookmarks_move_a_quiet_watch_on() {
    let (playground, kubernetes) = started(Spec {
        bookmarks: Duration::from_millis(1),
        ..Spec::empty()
    })
    .await;
    let mut copy = Copy::open(&kubernetes, &all("pods", View::Rows), 8).await;
    copy.until(listed).await;
    for number in 0..20 {
        playground.put("configmaps", config_map("other", &number.to_string()));
    }
    // Without bookmarks it would be resumed from the list's version for ever.
    let moves_on = async {
        while playground.requests().watched_from < playground.version() {
            copy.until(|event| matches!(event, Event::Alive)).await;
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
    copy.until(|event| matches!(event, Event::Alive)).await;
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
    copy.until(|event| matches!(event, Event::Alive)).await;
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
    copy.until(|event| matches!(event, Event::Alive)).await;
    playground.faults().silence_watches(true);
    assert_eq!(kubernetes.probe().await, Ok(()));
    copy.until(|event| matches!(event, Event::Down(message) if message.contains("fell silent")))
        .await;
    playground.put("configmaps", config_map("a", "1"));
    playground.faults().silence_watches(false);
    copy.until_keys(&["shop/a"]).await;
    assert_eq!(copy.lists, 1);
}

#[tokio::test]
async fn a_resource_is_found_when_it_is_installed_and_refused_when_it_is_gone() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    let carts = all("carts", View::Rows);
    let unknown = Refusal {
        code: 404,
        reason: "NotFound".into(),
        message: "the server doesn't have a resource type \"carts\"".into(),
    };
    assert_eq!(
        kubernetes.resolve(&carts).await,
        Err(UpstreamError::Refused(unknown))
    );
    playground.install(Kind::custom("carts", "Cart", "shop.example.com"));
    playground.put("carts.shop.example.com", config_map("a", "1"));
    let mut copy = Copy::open(&kubernetes, &carts, 8).await;
    copy.until_keys(&["shop/a"]).await;
    copy.until(|event| matches!(event, Event::Alive)).await;
    playground.uninstall("carts.shop.example.com");
    let refused = copy.until(|event| matches!(event, Event::Refused(_))).await;
    assert!(matches!(refused, Event::Refused(Refusal { code: 404, .. })));
    assert_eq!(copy.entries.len(), 1, "its objects were deleted before");
    playground.install(Kind::custom("carts", "Cart", "shop.example.com"));
    playground.put("carts.shop.example.com", config_map("b", "1"));
    copy.until_keys(&["shop/b"]).await;
}

#[tokio::test]
async fn columns_that_change_are_listed_anew() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    let plain = Kind::custom("carts", "Cart", "shop.example.com");
    playground.install(plain.clone());
    playground.put("carts.shop.example.com", config_map("a", "1"));
    let mut copy = Copy::open(&kubernetes, &all("carts", View::Rows), 8).await;
    copy.until_keys(&["shop/a"]).await;
    let value = CustomColumn {
        name: "Value".into(),
        kind: "string".into(),
        path: "/data/value".into(),
    };
    playground.install(Kind {
        columns: vec![value],
        ..plain
    });
    playground.faults().close_watches();
    playground.put("carts.shop.example.com", config_map("a", "2"));
    copy.until(listed).await;
    let header = Header::decode(copy.entries[&b""[..]].clone()).unwrap();
    assert_eq!(
        header.columns.iter().map(|c| &*c.name).collect::<Vec<_>>(),
        ["Name", "Value"]
    );
}

#[tokio::test]
async fn what_cannot_be_watched_is_listed_again_and_again() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    let loads = Kind {
        watchable: false,
        tables: false,
        ..Kind::custom("loads", "Load", "metrics.example.com")
    };
    playground.install(loads);
    playground.put("loads.metrics.example.com", config_map("a", "1"));
    let mut copy = Copy::open(&kubernetes, &all("loads", View::Rows), 8).await;
    copy.until_keys(&["shop/a"]).await;
    assert_eq!(
        Row::decode(copy.entries[&b"shop/a"[..]].clone())
            .unwrap()
            .cells
            .len(),
        2,
        "NAME and AGE"
    );
    playground.put("loads.metrics.example.com", config_map("b", "1"));
    copy.until_keys(&["shop/a", "shop/b"]).await;
    assert_eq!(playground.requests().watches, 0);
}

#[tokio::test]
async fn a_namespace_that_is_deleted_takes_its_keys_along() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    playground.put("namespaces", json!({"metadata": {"name": "shop"}}));
    playground.put("configmaps", config_map("a", "1"));
    let selection = Selection {
        namespace: "shop".into(),
        ..all("configmaps", View::Rows)
    };
    let mut copy = Copy::open(&kubernetes, &selection, 8).await;
    copy.until_keys(&["shop/a"]).await;
    playground.delete("namespaces", "", "shop");
    copy.until_keys(&[]).await;
}

#[tokio::test]
async fn an_object_made_again_at_once_is_another() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    playground.put("configmaps", config_map("a", "1"));
    let mut copy = Copy::open(&kubernetes, &all("configmaps", View::Objects), 8).await;
    copy.until_keys(&["shop/a"]).await;
    let before = copy.object("shop/a")["metadata"]["uid"].clone();
    playground.delete("configmaps", "shop", "a");
    playground.put("configmaps", config_map("a", "1"));
    copy.until(|event| matches!(event, Event::Delete(_))).await;
    copy.until_keys(&["shop/a"]).await;
    assert_ne!(copy.object("shop/a")["metadata"]["uid"], before);
}

#[tokio::test]
async fn a_large_object_passes() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    let mut copy = Copy::open(&kubernetes, &all("configmaps", View::Objects), 8).await;
    copy.until(|event| matches!(event, Event::Alive)).await;
    let value = "é\"".repeat(500_000);
    playground.put("configmaps", config_map("large", &value));
    copy.until_keys(&["shop/large"]).await;
    assert_eq!(copy.object("shop/large")["data"]["value"], value);
}

#[tokio::test]
async fn selectors_select_and_are_judged_by_the_server() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    let labelled = |name: &str, app: &str| json!({"metadata": {"name": name, "namespace": "shop", "labels": {"app": app}}});
    playground.put("pods", labelled("a", "web"));
    playground.put("pods", labelled("b", "api"));
    let selection = Selection {
        labels: " app==web ".into(),
        ..all("pods", View::Rows)
    };
    assert_eq!(
        kubernetes.resolve(&selection).await.unwrap().labels,
        "app=web"
    );
    let mut copy = Copy::open(&kubernetes, &selection, 8).await;
    copy.until_keys(&["shop/a"]).await;
    // What leaves the selection is deleted, what enters it is added.
    playground.put("pods", labelled("b", "web"));
    playground.put("pods", labelled("a", "api"));
    copy.until_keys(&["shop/b"]).await;
    let wrong = Selection {
        labels: "a==b==".into(),
        ..selection
    };
    let Err(UpstreamError::Refused(refusal)) = kubernetes.resolve(&wrong).await else {
        panic!("not refused")
    };
    assert_eq!(
        refusal.message,
        "Unable to find \"/v1, Resource=pods\" that match label selector \"a==b==\", field selector \"\": \
         found '==', expected: ',' or 'end of string'"
    );
    let mut copy = Copy::open(
        &kubernetes,
        &Selection {
            fields: "foo=1".into(),
            ..all("pods", View::Rows)
        },
        8,
    )
    .await;
    let refused = copy.next().await;
    assert!(
        matches!(refused, Event::Refused(Refusal { code: 400, message, .. }) if message.ends_with("field label not supported: foo"))
    );
}

#[tokio::test]
async fn equal_collections_are_equal_selections() {
    let (_playground, kubernetes) = started(Spec::empty()).await;
    let resolve = async |selection: Selection| kubernetes.resolve(&selection).await.unwrap();
    let nodes = resolve(Selection {
        namespace: "shop".into(),
        managed_fields: true,
        ..all("no", View::Rows)
    })
    .await;
    assert_eq!(nodes, resolve(all("nodes", View::Rows)).await);
    let maps = resolve(Selection {
        secret_values: true,
        ..all("cm", View::Objects)
    })
    .await;
    assert_eq!(maps, resolve(all("configmaps.v1.", View::Objects)).await);
    let secrets = resolve(Selection {
        secret_values: true,
        ..all("secrets", View::Objects)
    })
    .await;
    assert_ne!(secrets, resolve(all("secrets", View::Objects)).await);
}

#[tokio::test]
async fn servers_without_aggregated_discovery_are_understood() {
    let (_new, aggregated) = started(Spec::empty()).await;
    let (_old, legacy) = started(Spec {
        legacy_discovery: true,
        ..Spec::empty()
    })
    .await;
    let mut catalogs = Vec::new();
    for kubernetes in [aggregated, legacy] {
        let mut copy = Copy::open(&kubernetes, &all("", View::Resources), 8).await;
        copy.until(listed).await;
        catalogs.push(copy.entries);
    }
    assert!(catalogs[0].contains_key(&b"ingresses.v1.networking.k8s.io"[..]));
    assert_eq!(catalogs[0], catalogs[1]);
}

#[tokio::test]
async fn the_resources_view_follows_what_is_installed() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    let mut copy = Copy::open(&kubernetes, &all("", View::Resources), 8).await;
    copy.until(listed).await;
    playground.install(Kind::custom("carts", "Cart", "shop.example.com"));
    copy.until(listed).await;
    assert!(copy.entries.contains_key(&b"carts.v1.shop.example.com"[..]));
}

#[tokio::test]
async fn no_secret_leaves() {
    let (playground, kubernetes) = started(Spec::empty()).await;
    let canary = "Y2FuYXJ5";
    let secret = |name: &str, labels: Value| {
        let applied = format!("{{\"data\":{{\"p\":\"{canary}\"}}}}");
        json!({
            "metadata": {"name": name, "namespace": "shop", "labels": labels,
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied}},
            "type": "Opaque", "data": {"p": canary}, "stringData": {"q": canary},
        })
    };
    playground.put("secrets", secret("a", json!({})));
    playground.put("secrets", secret("b", json!({"mqtt-resource": "true"})));
    let holds = |copy: &Copy, key: &str| {
        copy.entries[key.as_bytes()]
            .windows(canary.len())
            .any(|w| w == canary.as_bytes())
    };
    for (view, secret_values, leaves) in [
        (View::Rows, true, false),
        (View::Objects, false, false),
        (View::Objects, true, true),
    ] {
        let mut copy = Copy::open(
            &kubernetes,
            &Selection {
                secret_values,
                ..all("secrets", view)
            },
            8,
        )
        .await;
        copy.until_keys(&["shop/a", "shop/b"]).await;
        assert!(!holds(&copy, "shop/a"), "{view:?}");
        assert_eq!(holds(&copy, "shop/b"), leaves, "{view:?}");
        // A watch is no way around, and a label that is taken off closes the gate.
        playground.put("secrets", secret("c", json!({"mqtt-resource": "true"})));
        copy.until_keys(&["shop/a", "shop/b", "shop/c"]).await;
        assert_eq!(holds(&copy, "shop/c"), leaves, "{view:?}");
        playground.put("secrets", secret("c", json!({})));
        copy.until(|event| matches!(event, Event::Put(..))).await;
        assert!(!holds(&copy, "shop/c"), "{view:?}");
        playground.delete("secrets", "shop", "c");
    }
}

#[tokio::test]
async fn which_cluster_it_is() {
    let (_playground, kubernetes) = started(Spec::empty()).await;
    let identity = kubernetes.identify().await.unwrap();
    assert_eq!(identity.kubernetes_version, "v1.36.3");
    assert_eq!(identity.cluster_uid.len(), 36);
    // The same machine's clock, told to the second.
    assert!((i128::from(kubernetes.now_ms()) - i128::from(now())).abs() < 2_000);
}

/// Each resource of the simulated world, with its rows.
#[tokio::test]
async fn a_fleet_has_rows_of_every_kind() {
    let (_playground, kubernetes) = started(Spec {
        pace: None,
        ..Spec::default()
    })
    .await;
    for resource in [
        "pods",
        "nodes",
        "namespaces",
        "deployments",
        "replicasets",
        "statefulsets",
        "daemonsets",
        "jobs",
        "cronjobs",
        "services",
        "configmaps",
        "secrets",
        "ingresses",
        "persistentvolumeclaims",
    ] {
        let mut copy = Copy::open(&kubernetes, &all(resource, View::Rows), 8).await;
        copy.until(listed).await;
        let header = Header::decode(copy.entries.remove(&b""[..]).unwrap()).unwrap();
        assert!(copy.entries.len() > 2, "{resource}");
        for (key, row) in copy.entries {
            let row = Row::decode(row).unwrap();
            assert_eq!(row.cells.len(), header.columns.len(), "{resource} {key:?}");
        }
    }
}

#[test]
fn one_seed_makes_one_world_and_it_moves() {
    let world = |seed: u64, steps: i64| {
        let mut store = Store::new(seed, kind::built_in(), 1_000_000);
        let mut simulation = Simulation::new(seed, 1, 1_800_000_000_000);
        simulation.settle(&mut store);
        let settled = store.version();
        for step in 1..steps {
            simulation.step(&mut store, 1_800_000_000_000 + step * 1_000);
        }
        (store, settled)
    };
    let ((one, settled), (same, _), (other, _)) = (world(7, 300), world(7, 300), world(8, 2));
    let pods = |store: &Store| {
        store
            .objects("pods")
            .values()
            .map(|pod| (**pod).clone())
            .collect::<Vec<_>>()
    };
    assert_eq!((pods(&one), one.version()), (pods(&same), same.version()));
    assert_ne!(pods(&one), pods(&other));
    assert!(pods(&one).len() > 80, "{}", pods(&one).len());
    let changes: Vec<_> = one.changes_after(settled).unwrap().collect();
    let seen = |resource: &str, of: fn(&store::Change) -> bool| {
        changes.iter().any(|c| c.resource == resource && of(c))
    };
    let reason = |change: &store::Change, text: &str| {
        change
            .after
            .as_ref()
            .is_some_and(|o| o.to_string().contains(text))
    };
    assert!(seen("pods", |c| c.before.is_none()) && seen("pods", |c| c.after.is_none()));
    assert!(
        changes
            .iter()
            .any(|c| c.resource == "pods" && reason(c, "CrashLoopBackOff"))
    );
    assert!(
        changes
            .iter()
            .any(|c| c.resource == "events" && reason(c, "ScalingReplicaSet"))
    );
    assert!(
        seen("jobs.batch", |c| c.before.is_none())
            && seen("nodes", |_| true)
            && seen("deployments.apps", |_| true)
    );
    // A rollout ends: no more pods than wanted for long.
    let workloads = one.objects("deployments.apps");
    let surplus = workloads.values().filter(|d| {
        d["status"]["replicas"].as_i64() > d["spec"]["replicas"].as_i64().map(|n| n + 1)
    });
    assert_eq!(surplus.count(), 0);
}
