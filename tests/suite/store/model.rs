//! Random histories, compared with a map of every moment.

use super::*;
use mqtt_informer::store::Cursor;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Act {
    /// Some objects of a cluster change: (name, uid, number, or gone).
    Step(u8, Vec<(u8, Option<(u8, u8)>)>),
    /// These are all that a cluster has.
    Whole(u8, Vec<(u8, (u8, u8))>),
    Forget(u8),
}

type State = BTreeMap<(String, String), (u64, Bytes)>;

fn act() -> impl Strategy<Value = Act> {
    let object = || (0..3_u8, 0..3_u8);
    let step = prop::collection::vec((0..6_u8, prop::option::weighted(0.7, object())), 0..5);
    let all = prop::collection::vec((0..6_u8, object()), 0..5);
    prop_oneof![
        6 => (0..3_u8, step).prop_map(|(cluster, step)| Act::Step(cluster, step)),
        2 => (0..3_u8, all).prop_map(|(cluster, all)| Act::Whole(cluster, all)),
        1 => (0..3_u8).prop_map(Act::Forget),
    ]
}

fn value(name: u8, (uid, n): (u8, u8)) -> Bytes {
    let app = if n == 0 { "web" } else { "db" };
    pod_with(
        &format!("p{name}"),
        &uid.to_string(),
        json!({"n": n}),
        json!({"app": app}),
    )
}

async fn apply(store: &Store, act: &Act) {
    let key = |name: u8| format!("p{name}");
    match act {
        Act::Step(cluster, changes) => {
            let changes = changes.iter().map(|(name, object)| match object {
                Some(object) => put(&key(*name), value(*name, *object)),
                None => gone(&key(*name)),
            });
            let batch = step(stream(&format!("c{cluster}")), changes.collect());
            store.write(batch).await.unwrap();
        }
        Act::Whole(cluster, all) => {
            let all = all
                .iter()
                .map(|(name, object)| put(&key(*name), value(*name, *object)));
            let batch = whole(stream(&format!("c{cluster}")), all.collect());
            store.write(batch).await.unwrap();
        }
        Act::Forget(name) => {
            store
                .forget_cluster(&cluster(&format!("c{name}")))
                .await
                .unwrap();
        }
    }
}

/// What an act leads to, by values alone.
fn expected(
    mut state: BTreeMap<(String, String), Bytes>,
    act: &Act,
) -> BTreeMap<(String, String), Bytes> {
    let (Act::Step(cluster, _) | Act::Whole(cluster, _) | Act::Forget(cluster)) = act;
    let cluster = format!("c{cluster}");
    if !matches!(act, Act::Step(..)) {
        state.retain(|(it, _), _| *it != cluster);
    }
    let changes: Vec<(u8, Option<(u8, u8)>)> = match act {
        Act::Step(_, changes) => changes.clone(),
        Act::Whole(_, all) => all
            .iter()
            .map(|(name, object)| (*name, Some(*object)))
            .collect(),
        Act::Forget(_) => vec![],
    };
    for (name, object) in changes {
        let key = (cluster.clone(), format!("p{name}"));
        match object {
            Some(object) => _ = state.insert(key, value(name, object)),
            None => _ = state.remove(&key),
        }
    }
    state
}

async fn pages(store: &Store, filter: &Filter, at: Option<u64>, limit: usize) -> (State, u64) {
    let mut state = State::new();
    let mut after: Option<Cursor> = None;
    loop {
        let first = after.is_none();
        let list = List {
            filter: filter.clone(),
            at: at.filter(|_| first),
            limit,
            after,
            count: true,
        };
        let page = store.list(&list).await.unwrap();
        let left = page.remaining;
        for it in page.items {
            let key = (it.key.cluster.to_string(), it.key.name.clone());
            assert!(state.insert(key, (it.seq, it.value)).is_none(), "twice");
        }
        match page.next {
            // As text, as clients carry it.
            Some(cursor) => after = Some(cursor.to_string().parse().unwrap()),
            None => return (state, page.at),
        }
        assert!(left.is_some_and(|left| left > 0));
    }
}

/// The state that a client has who follows changes.
async fn followed(store: &Store, filter: &Filter, limit: usize) -> State {
    use mqtt_informer::store::ChangeKind;
    let (mut state, mut after) = (State::new(), 0);
    loop {
        let changes = store.changes(filter, after, limit).await.unwrap();
        for change in &changes.items {
            let object = &change.object;
            let key = (object.key.cluster.to_string(), object.key.name.clone());
            let had = match change.kind {
                ChangeKind::Deleted => state.remove(&key),
                _ => state.insert(key, (object.seq, object.value.clone())),
            };
            assert_eq!(
                had.is_some(),
                change.kind != ChangeKind::Added,
                "{change:?}"
            );
        }
        if changes.up_to == after {
            return state;
        }
        after = changes.up_to;
    }
}

async fn check(home: &Home, acts: &[Act]) {
    let store = &home.store;
    store.forget_all().await;
    let begin = *store.sequence().borrow();
    let mut truth = BTreeMap::new();
    let mut moments = Vec::new();
    for act in acts {
        apply(store, act).await;
        truth = expected(truth, act);
        moments.push((*store.sequence().borrow(), truth.clone()));
    }
    assert!(moments.iter().all(|(seq, _)| *seq >= begin));
    let values = |state: &State| -> BTreeMap<(String, String), Bytes> {
        state
            .iter()
            .map(|(key, (_, value))| (key.clone(), value.clone()))
            .collect()
    };
    let web = Filter {
        labels: "app=web".parse().unwrap(),
        ..filter()
    };
    let is_web = |value: &Bytes| String::from_utf8_lossy(value).contains("\"web\"");
    for (seq, truth) in &moments {
        let (state, at) = pages(store, &filter(), Some(*seq), 2).await;
        assert_eq!((at, &values(&state)), (*seq, truth), "at {seq}");
        assert!(state.values().all(|(it, _)| it <= seq));
        let (state, _) = pages(store, &web, Some(*seq), 1).await;
        let mut truth = truth.clone();
        truth.retain(|_, value| is_web(value));
        assert_eq!(values(&state), truth, "labels at {seq}");
    }
    for filter in [filter(), web] {
        assert_eq!(
            followed(store, &filter, 3).await,
            pages(store, &filter, None, 0).await.0
        );
    }
}

trait ForgetAll {
    async fn forget_all(&self);
}

impl ForgetAll for Store {
    async fn forget_all(&self) {
        for name in self.clusters().await.unwrap() {
            self.forget_cluster(&name).await.unwrap();
        }
    }
}

fn histories(home: impl AsyncFnOnce() -> Home, cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let home = runtime.block_on(home());
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&prop::collection::vec(act(), 1..12), |acts| {
            runtime.block_on(check(&home, &acts));
            Ok(())
        })
        .unwrap();
}

#[test]
fn sqlite_is_at_every_moment_what_was_written() {
    histories(sqlite, 32);
}

#[test]
fn postgres_is_at_every_moment_what_was_written() {
    histories(postgres, 32);
}

/// A list goes on under churn: its pages are of the moment of the first one.
#[tokio::test]
async fn pages_are_of_one_moment_whatever_happens() {
    for home in [sqlite().await, postgres().await] {
        let store = home.store;
        let all: Vec<_> = (0..20)
            .map(|i| put(&format!("p{i:02}"), pod("p", "1", 0)))
            .collect();
        store.write(whole(stream("c1"), all)).await.unwrap();
        let (mut read, mut after, mut i) = (Vec::new(), None, 0);
        loop {
            let page = store
                .list(&List {
                    filter: filter(),
                    limit: 3,
                    after,
                    ..List::default()
                })
                .await
                .unwrap();
            assert_eq!(page.at, 20);
            read.extend(page.items);
            let name = |i: i64| format!("p{:02}", i % 20);
            let churn = vec![
                gone(&name(i)),
                put(&name(i + 7), pod("p", "2", i)),
                put(&name(19 - i), pod("p", "1", i)),
            ];
            store.write(step(stream("c1"), churn)).await.unwrap();
            i += 1;
            match page.next {
                Some(cursor) => after = Some(cursor),
                None => break,
            }
        }
        assert_eq!(read.len(), 20);
        assert!(
            read.iter()
                .all(|it| it.value == pod("p", "1", 0) && it.seq <= 20)
        );
    }
}
