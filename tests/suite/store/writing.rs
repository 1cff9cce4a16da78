//! Writing: repeated, whole, replaced, hostile, at once.

use super::*;
use mqtt_informer::store::{Beat, Change, ChangeKind, Error};
use std::time::Duration;

on_both!(
    the_same_again_takes_no_number,
    a_whole_sync_deletes_what_is_gone,
    another_uid_is_another_object,
    views_are_apart,
    positions_and_digests_come_back,
    every_value_comes_back_byte_by_byte,
    metacharacters_are_text,
    a_watch_sees_what_its_filter_sees,
    fields_select_objects_and_their_rows,
    a_forgotten_cluster_is_deleted_object_by_object,
    readers_see_numbers_in_their_order,
    keys_that_are_none_are_refused_whole,
);

fn kinds(changes: &[Change]) -> Vec<(ChangeKind, String, u64)> {
    let kind = |it: &Change| (it.kind, it.object.key.name.clone(), it.object.seq);
    changes.iter().map(kind).collect()
}

async fn the_same_again_takes_no_number(home: Home) {
    let store = home.store;
    let news = store.sequence();
    let batch = step(
        stream("c1"),
        vec![put("a", pod("a", "1", 1)), put("b", pod("b", "2", 1))],
    );
    assert_eq!(store.write(batch.clone()).await.unwrap(), 2);
    assert_eq!(store.write(batch.clone()).await.unwrap(), 2);
    assert_eq!(*news.borrow(), 2);
    // Of one key, the last counts; what is not there need not go.
    let changes = vec![
        put("a", pod("a", "1", 9)),
        put("a", pod("a", "1", 1)),
        gone("x"),
    ];
    assert_eq!(store.write(step(stream("c1"), changes)).await.unwrap(), 2);
    assert_eq!(listed(&store, filter()).await, ["c1/a", "c1/b"]);
    let stored = store.get(&key("c1", "a")).await.unwrap().unwrap();
    assert_eq!(
        (stored.seq, stored.value, &*stored.uid),
        (1, pod("a", "1", 1), "1")
    );
    assert_eq!(store.get(&key("c1", "x")).await.unwrap(), None);
}

async fn a_whole_sync_deletes_what_is_gone(home: Home) {
    let store = home.store;
    for name in ["c1", "c2"] {
        let changes = ["a", "b", "c"].map(|it| put(it, pod(it, it, 1)));
        store
            .write(whole(stream(name), changes.to_vec()))
            .await
            .unwrap();
    }
    let batch = whole(stream("c1"), vec![put("b", pod("b", "b", 1))]);
    assert_eq!(store.write(batch).await.unwrap(), 8);
    assert_eq!(
        listed(&store, filter()).await,
        ["c1/b", "c2/a", "c2/b", "c2/c"]
    );
    let keep = Batch {
        others: Others::GoUnless([Bytes::from("ns/a")].into()),
        ..step(stream("c2"), vec![put("c", pod("c", "c", 1))])
    };
    assert_eq!(store.write(keep).await.unwrap(), 9);
    assert_eq!(listed(&store, filter()).await, ["c1/b", "c2/a", "c2/c"]);
}

async fn another_uid_is_another_object(home: Home) {
    let store = home.store;
    set_now(1_000_000);
    store
        .write(step(stream("c1"), vec![put("a", pod("a", "1", 1))]))
        .await
        .unwrap();
    set_now(2_000_000);
    store
        .write(step(stream("c1"), vec![put("a", pod("a", "1", 2))]))
        .await
        .unwrap();
    let first_seen = store
        .get(&key("c1", "a"))
        .await
        .unwrap()
        .unwrap()
        .first_seen;
    assert_eq!(first_seen, at(1_000_000));
    store
        .write(step(stream("c1"), vec![put("a", pod("a", "2", 2))]))
        .await
        .unwrap();
    let changes = store.changes(&filter(), 1, 10).await.unwrap();
    use ChangeKind::{Added, Deleted, Modified};
    assert_eq!(
        kinds(&changes.items),
        [
            (Modified, "a".into(), 2),
            (Deleted, "a".into(), 3),
            (Added, "a".into(), 4)
        ]
    );
    assert_eq!(
        changes.items[1].object.value,
        pod("a", "1", 2),
        "what it was"
    );
    let stored = store.get(&key("c1", "a")).await.unwrap().unwrap();
    assert_eq!((stored.first_seen, &*stored.uid), (at(2_000_000), "2"));
}

async fn views_are_apart(home: Home) {
    let store = home.store;
    let mut batch = whole(rows("c1"), vec![put("a", row("a", "1", "Running", 0))]);
    batch.changes.push((Bytes::new(), Some(header())));
    store.write(batch).await.unwrap();
    assert!(listed(&store, filter()).await.is_empty());
    store
        .write(whole(stream("c1"), vec![put("a", pod("a", "1", 1))]))
        .await
        .unwrap();
    store.write(whole(stream("c1"), vec![])).await.unwrap();
    let of_rows = Filter {
        view: View::Rows,
        ..filter()
    };
    assert_eq!(listed(&store, of_rows).await, ["c1/a"]);
    let streams = store.streams(&Clusters::All).await.unwrap();
    assert_eq!(streams.len(), 2);
    assert_eq!(streams[0].key, rows("c1"));
    assert_eq!(
        (&*streams[0].header.kind, streams[0].header.namespaced),
        ("Pod", true)
    );
    assert_eq!(streams[0].synced, Some(now()));
    store.prove(&rows("c1"), at(5)).await.unwrap();
    assert_eq!(
        store.streams(&of("c1")).await.unwrap()[0].proven,
        Some(at(5))
    );
    assert!(store.streams(&of("c2")).await.unwrap().is_empty());
    assert_eq!(store.clusters().await.unwrap(), [cluster("c1")]);
}

async fn positions_and_digests_come_back(home: Home) {
    let store = home.store;
    assert_eq!(store.position(&stream("c1")).await.unwrap(), None);
    let unfinished = step(stream("c1"), vec![put("a", pod("a", "1", 1))]);
    store.write(unfinished).await.unwrap();
    assert_eq!(store.position(&stream("c1")).await.unwrap(), None);
    let mut batch = whole(stream("c1"), vec![put("a", pod("a", "1", 1))]);
    batch.header = Some(header());
    store.write(batch).await.unwrap();
    assert_eq!(
        store.position(&stream("c1")).await.unwrap(),
        Some(position(1))
    );
    use mqtt_informer::protocol::entries::entry_digest;
    let expected = [
        (Bytes::from("ns/a"), pod("a", "1", 1)),
        (Bytes::new(), header()),
    ];
    let expected = expected.map(|(key, value)| (key.clone(), entry_digest(&key, &value)));
    assert_eq!(store.digests(&stream("c1")).await.unwrap(), expected);
    // Another process, later.
    let url = home.url.clone();
    store.close().await;
    let closed = store.write(Batch::new(stream("c1"))).await.unwrap_err();
    assert!(closed.is_retryable(), "{closed}");
    drop(store);
    let store = Store::open(&url, options()).await.unwrap();
    assert_eq!(*store.sequence().borrow(), 1);
    assert_eq!(
        store.position(&stream("c1")).await.unwrap(),
        Some(position(1))
    );
}

async fn every_value_comes_back_byte_by_byte(home: Home) {
    let store = home.store;
    let values: Vec<Bytes> = [
        &br#"{"metadata":{"uid":"u\u0000","labels":{"a":"x\u0000"}},"x":"\u0000\ud800"}"#[..],
        b"{ \"spaces\" : [ 1.50, 1e400 ] ,\n\"a\":1,\"a\":2}",
        b"no json",
        b"",
        b"\xff\0\xfe",
        b"{\"a\":\"\xff\"}",
        "{\"a\":\"ü\u{1f600}\"}".as_bytes(),
    ]
    .map(Bytes::from)
    .to_vec();
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(6_000_000));
    let values: Vec<Bytes> = values
        .into_iter()
        .chain([deep.into(), large.into()])
        .collect();
    let changes = values
        .iter()
        .enumerate()
        .map(|(i, value)| put(&i.to_string(), value.clone()));
    store
        .write(step(stream("c1"), changes.collect()))
        .await
        .unwrap();
    let page = store
        .list(&List {
            filter: filter(),
            ..List::default()
        })
        .await
        .unwrap();
    let read: Vec<Bytes> = page.items.into_iter().map(|it| it.value).collect();
    assert_eq!(read, values);
}

async fn metacharacters_are_text(home: Home) {
    let store = home.store;
    let names = [
        "a'; DROP TABLE versions; --",
        "%",
        "_",
        "\"",
        "\\",
        "$1",
        "?",
        "\u{1f600}",
        "A",
        "a",
        "ä",
    ];
    let changes = names.map(|name| {
        put(
            name,
            pod_with(name, name, json!({"x": name}), json!({"k": name})),
        )
    });
    store
        .write(step(stream("o'c\"1%"), changes.to_vec()))
        .await
        .unwrap();
    for name in names {
        let found = Filter {
            name: Some(name.into()),
            clusters: of("o'c\"1%"),
            ..filter()
        };
        assert_eq!(listed(&store, found).await, [format!("o'c\"1%/{name}")]);
        let escaped = name.replace('\\', "\\\\").replace('=', "\\=");
        let found = Filter {
            fields: format!("spec.x={escaped}").parse().unwrap(),
            ..filter()
        };
        assert_eq!(listed(&store, found).await, [format!("o'c\"1%/{name}")]);
    }
    let nothing = Filter {
        namespace: Some("ns\0' OR 1=1".into()),
        ..filter()
    };
    assert!(listed(&store, nothing).await.is_empty());
    // In the order of bytes, whatever the database thinks of letters.
    let mut sorted: Vec<_> = names.map(|name| format!("o'c\"1%/{name}")).to_vec();
    sorted.sort();
    assert_eq!(listed(&store, filter()).await, sorted);
}

async fn a_watch_sees_what_its_filter_sees(home: Home) {
    use ChangeKind::{Added, Deleted, Modified};
    let store = home.store;
    let app = |name: &str, app: &str, n: i64| {
        put(
            name,
            pod_with(name, name, json!({"n": n}), json!({"app": app})),
        )
    };
    for change in [
        app("a", "web", 1),
        app("b", "db", 1),
        app("a", "web", 2),
        app("a", "db", 2),
        app("b", "web", 2),
        gone("b"),
        gone("a"),
    ] {
        store.write(step(stream("c1"), vec![change])).await.unwrap();
    }
    let labels = Filter {
        labels: "app=web".parse().unwrap(),
        ..filter()
    };
    let changes = store.changes(&labels, 0, 10).await.unwrap();
    let expected = [
        (Added, "a".into(), 1),
        (Modified, "a".into(), 3),
        (Deleted, "a".into(), 4),
        (Added, "b".into(), 5),
        (Deleted, "b".into(), 6),
    ];
    assert_eq!(
        (kinds(&changes.items), changes.up_to),
        (expected.to_vec(), 7)
    );
    assert_eq!(
        changes.items[2].object.value,
        app("a", "web", 2).1.unwrap(),
        "what it was when it matched"
    );
    let fields = Filter {
        fields: "spec.n=2".parse().unwrap(),
        ..filter()
    };
    let changes = store.changes(&fields, 0, 2).await.unwrap();
    assert_eq!(
        (kinds(&changes.items), changes.up_to),
        (vec![(Added, "a".into(), 3), (Modified, "a".into(), 4)], 4)
    );
    let changes = store.changes(&fields, changes.up_to, 10).await.unwrap();
    assert_eq!(
        kinds(&changes.items),
        [
            (Added, "b".into(), 5),
            (Deleted, "b".into(), 6),
            (Deleted, "a".into(), 7)
        ]
    );
    let error = store.changes(&fields, 8, 10).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Future {
                asked: 8,
                newest: 7
            }
        ),
        "{error}"
    );
}

async fn fields_select_objects_and_their_rows(home: Home) {
    let store = home.store;
    let spec = |n: i64, node: &str| json!({"n": n, "nodeName": node, "yes": true, "none": null, "list": [1]});
    let pods = vec![
        put(
            "a",
            pod_with("a", "a", spec(1, "n1"), json!({"app": "web", "n": "7"})),
        ),
        put(
            "b",
            pod_with("b", "b", spec(2, "n2"), json!({"app": "db", "n": "x"})),
        ),
        put("c", pod_with("c", "c", json!({}), json!({}))),
    ];
    store.write(whole(stream("c1"), pods)).await.unwrap();
    let mut batch = whole(
        rows("c1"),
        ["a", "b", "c"]
            .map(|it| put(it, row(it, it, "Running", 0)))
            .to_vec(),
    );
    batch.header = Some(header());
    store.write(batch).await.unwrap();
    let cases = [
        ("spec.nodeName=n1", "a"),
        ("spec.nodeName!=n1", "b c"),
        ("spec.nodeName=", "c"),
        ("spec.n=2", "b"),
        ("spec.yes=true", "a b"),
        ("spec.none=", "a b c"),
        ("spec.list=[1]", "a b"),
        ("nothing=x", ""),
        ("nothing=", "a b c"),
        ("metadata.name=b", "b"),
        ("metadata.name!=b,metadata.namespace=ns", "a c"),
        ("status.phase=Running,spec.n!=1", "b c"),
        ("a\"b=x", ""),
        ("a\"b!=x", "a b c"),
        ("a\"b=", "a b c"),
    ];
    for (fields, expected) in cases {
        for view in [View::Objects, View::Rows] {
            let found = Filter {
                fields: fields.parse().unwrap(),
                view,
                ..filter()
            };
            let names = listed(&store, found).await.join(" ").replace("c1/", "");
            assert_eq!(names, expected, "{fields} {view:?}");
        }
    }
    let labels = [
        ("app", "a b"),
        ("!app", "c"),
        ("app in (web,db)", "a b"),
        ("app!=web", "b c"),
        ("app notin (web,x)", "b c"),
        ("n>6", "a"),
        ("n<8", "a"),
        ("n>7", ""),
        ("app=web,n", "a"),
    ];
    for (labels, expected) in labels {
        let found = Filter {
            labels: labels.parse().unwrap(),
            ..filter()
        };
        let names = listed(&store, found).await.join(" ").replace("c1/", "");
        assert_eq!(names, expected, "{labels}");
    }
}

async fn a_forgotten_cluster_is_deleted_object_by_object(home: Home) {
    let store = home.store;
    for name in ["c1", "c2"] {
        store
            .write(whole(
                stream(name),
                vec![put("a", pod("a", "1", 1)), put("b", pod("b", "2", 1))],
            ))
            .await
            .unwrap();
    }
    assert_eq!(store.forget_cluster(&cluster("c1")).await.unwrap(), 6);
    assert_eq!(store.forget_cluster(&cluster("c1")).await.unwrap(), 6);
    assert_eq!(listed(&store, filter()).await, ["c2/a", "c2/b"]);
    assert_eq!(store.clusters().await.unwrap(), [cluster("c2")]);
    assert_eq!(store.position(&stream("c1")).await.unwrap(), None);
    let changes = store.changes(&filter(), 4, 10).await.unwrap();
    assert_eq!(
        kinds(&changes.items),
        [
            (ChangeKind::Deleted, "a".into(), 5),
            (ChangeKind::Deleted, "b".into(), 6)
        ]
    );
}

/// Writers at once, readers beside them: whoever has seen N has seen all up to N, each number once.
async fn readers_see_numbers_in_their_order(home: Home) {
    const WRITERS: usize = 4;
    const BATCHES: usize = 25;
    let store = home.store;
    let mut news = store.sequence();
    let write = |writer: usize| {
        let store = store.clone();
        async move {
            for batch in 0..BATCHES {
                let name = format!("p{}", batch % 3);
                let changes = vec![
                    put(&name, pod(&name, "1", batch as i64)),
                    put(&format!("q{batch}"), pod("q", "1", 1)),
                ];
                store
                    .write(step(stream(&format!("c{writer}")), changes))
                    .await
                    .unwrap();
            }
        }
    };
    let writers = futures::future::join_all((0..WRITERS).map(write));
    let total = (WRITERS * BATCHES * 2) as u64;
    let reader = async {
        let mut seen = 0;
        while seen < total {
            news.changed().await.unwrap();
            let newest = *news.borrow_and_update();
            let changes = store.changes(&filter(), seen, 1000).await.unwrap();
            let numbers: Vec<u64> = changes.items.iter().map(|it| it.object.seq).collect();
            let expected: Vec<u64> = (seen + 1..=changes.up_to).collect();
            assert_eq!(numbers, expected);
            assert!(changes.up_to >= newest);
            seen = changes.up_to;
        }
    };
    futures::future::join(writers, reader).await;
    assert_eq!(*store.sequence().borrow(), total);
}

async fn keys_that_are_none_are_refused_whole(home: Home) {
    let store = home.store;
    for bad in [&b"\xff"[..], b"ns/a\0", b"/a", b"ns/"] {
        let changes = vec![
            put("a", pod("a", "1", 1)),
            (Bytes::copy_from_slice(bad), Some(pod("a", "1", 1))),
        ];
        let error = store.write(step(stream("c1"), changes)).await.unwrap_err();
        assert!(matches!(error, Error::Malformed(_)), "{error}");
    }
    assert!(listed(&store, filter()).await.is_empty());
}

#[tokio::test]
async fn who_was_replaced_writes_no_more() {
    let store = postgres().await.store;
    let beat = |member, view| Beat {
        share: "s",
        member,
        view,
        lease: Duration::from_secs(60),
    };
    let old = store.beat(&beat("a", 1)).await.unwrap();
    let new = store.beat(&beat("b", 2)).await.unwrap();
    assert!(new.fence > old.fence);
    assert_eq!(new.members, [("a".into(), 1), ("b".into(), 2)].into());
    let batch = |value, fence: u64| Batch {
        fence: Some(fence),
        ..whole(stream("c1"), vec![put("p", pod("p", "1", value))])
    };
    store.write(batch(1, old.fence)).await.unwrap();
    store.write(batch(2, new.fence)).await.unwrap();
    let late = store.write(batch(3, old.fence)).await.unwrap_err();
    assert!(matches!(late, Error::Superseded), "{late}");
    let late = store
        .forget_cluster_as(&cluster("c1"), Some(old.fence))
        .await;
    assert!(matches!(late, Err(Error::Superseded)));
    store.write(batch(4, new.fence)).await.unwrap();
    // Another cluster is another matter, and what was forgotten comes back by nobody who had it before.
    let other = Batch {
        fence: Some(old.fence),
        ..whole(stream("c2"), vec![put("p", pod("p", "1", 1))])
    };
    store.write(other).await.unwrap();
    let forgotten = store
        .forget_cluster_as(&cluster("c1"), Some(new.fence))
        .await;
    forgotten.unwrap();
    assert!(store.write(batch(5, old.fence)).await.is_err());
    assert_eq!(store.clusters().await.unwrap(), [cluster("c2")]);

    store.leave("s", "a").await.unwrap();
    let expired = Beat {
        lease: Duration::ZERO,
        ..beat("c", 3)
    };
    store.beat(&expired).await.unwrap();
    let left = store.beat(&beat("b", 2)).await.unwrap();
    assert_eq!(left.members, [("b".into(), 2)].into());
    let alone = sqlite().await.store;
    let error = alone.beat(&beat("a", 1)).await.unwrap_err().to_string();
    assert!(error.contains("SQLite is for one process"), "{error}");
}
