//! What was, and how much of it is kept.

use super::*;
use mqtt_informer::store::{ChangeKind, Error};

on_both!(
    an_object_is_what_it_was_at_each_moment,
    history_goes_through_deletions_and_other_uids,
    what_is_pruned_cannot_be_asked_for_and_the_rest_stays,
    a_clock_that_goes_back_makes_no_history,
);

async fn write(store: &Store, ms: i64, changes: Vec<(Bytes, Option<Bytes>)>) -> u64 {
    set_now(ms);
    store.write(step(stream("c1"), changes)).await.unwrap()
}

async fn values(store: &Store, seq: u64) -> Vec<Bytes> {
    let list = List {
        filter: filter(),
        at: Some(seq),
        ..List::default()
    };
    let items = store.list(&list).await.unwrap().items;
    items.into_iter().map(|it| it.value).collect()
}

async fn an_object_is_what_it_was_at_each_moment(home: Home) {
    let store = home.store;
    assert_eq!(store.sequence_at(at(5)).await.unwrap(), 0);
    for (ms, n) in [(1000, 1), (2000, 2), (2000, 3), (4000, 4)] {
        write(&store, ms, vec![put("a", pod("a", "1", n))]).await;
    }
    for (ms, seq) in [
        (999, 0),
        (1000, 1),
        (1999, 1),
        (2000, 3),
        (3999, 3),
        (4000, 4),
        (9000, 4),
    ] {
        assert_eq!(store.sequence_at(at(ms)).await.unwrap(), seq, "at {ms}");
    }
    for seq in 1..=4_u64 {
        assert_eq!(values(&store, seq).await, [pod("a", "1", seq as i64)]);
    }
    assert!(values(&store, 0).await.is_empty());
    let error = store
        .list(&List {
            filter: filter(),
            at: Some(5),
            ..List::default()
        })
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Future {
                asked: 5,
                newest: 4
            }
        ),
        "{error}"
    );
}

async fn history_goes_through_deletions_and_other_uids(home: Home) {
    use ChangeKind::{Added, Deleted, Modified};
    let store = home.store;
    let object = |uid: &str, n| vec![put("a", pod("a", uid, n))];
    for changes in [
        object("1", 1),
        object("1", 2),
        vec![gone("a")],
        object("2", 1),
        object("3", 1),
        object("3", 2),
    ] {
        let other = put("b", pod("b", "1", *store.sequence().borrow() as i64));
        write(&store, 1000, changes).await;
        write(&store, 1000, vec![other]).await;
    }
    let history = store.history(&key("c1", "a"), None, 100).await.unwrap();
    let told: Vec<_> = history
        .iter()
        .map(|it| (it.kind, it.object.seq, &*it.object.uid))
        .collect();
    let expected = [
        (Modified, 12, "3"),
        (Added, 10, "3"),
        (Deleted, 9, "2"),
        (Added, 7, "2"),
        (Deleted, 5, "1"),
        (Modified, 3, "1"),
        (Added, 1, "1"),
    ];
    assert_eq!(told, expected);
    assert_eq!(history[4].object.value, pod("a", "1", 2));
    let some = store.history(&key("c1", "a"), Some(10), 2).await.unwrap();
    assert_eq!(some, history[2..4]);
    assert!(
        store
            .history(&key("c2", "a"), None, 9)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn what_is_pruned_cannot_be_asked_for_and_the_rest_stays(home: Home) {
    let store = home.store;
    write(
        &store,
        1000,
        vec![
            put("a", pod("a", "1", 1)),
            put("b", pod("b", "1", 1)),
            put("old", pod("old", "1", 1)),
        ],
    )
    .await;
    write(&store, 2000, vec![put("a", pod("a", "1", 2))]).await; // 4
    write(&store, 3000, vec![gone("b")]).await; // 5
    write(&store, 4000, vec![put("a", pod("a", "1", 3))]).await; // 6
    assert_eq!(store.prune(at(2500)).await.unwrap().versions, 1);
    assert_eq!(store.prune(at(2500)).await.unwrap().versions, 0);
    let error = store
        .list(&List {
            filter: filter(),
            at: Some(3),
            ..List::default()
        })
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Expired {
                asked: 3,
                oldest: 4
            }
        ),
        "{error}"
    );
    let error = store.changes(&filter(), 3, 9).await.unwrap_err();
    assert!(matches!(error, Error::Expired { .. }), "{error}");
    let error = store.sequence_at(at(2499)).await.unwrap_err();
    assert!(matches!(error, Error::TooOld { .. }), "{error}");
    assert_eq!(store.sequence_at(at(2500)).await.unwrap(), 4);
    let then = [pod("a", "1", 2), pod("b", "1", 1), pod("old", "1", 1)];
    assert_eq!(values(&store, 4).await, then);
    assert_eq!(
        store.changes(&filter(), 4, 9).await.unwrap().items[0]
            .object
            .value,
        pod("b", "1", 1)
    );
    // The deletion goes with what it deleted.
    assert_eq!(store.prune(at(9000)).await.unwrap().versions, 3);
    assert_eq!(
        values(&store, 6).await,
        [pod("a", "1", 3), pod("old", "1", 1)]
    );
    assert!(
        store
            .history(&key("c1", "b"), None, 9)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        store.history(&key("c1", "a"), None, 9).await.unwrap().len(),
        1
    );
    assert_eq!(write(&store, 9001, vec![gone("old")]).await, 7);
}

async fn a_clock_that_goes_back_makes_no_history(home: Home) {
    let store = home.store;
    write(&store, 5000, vec![put("a", pod("a", "1", 1))]).await;
    write(&store, 1000, vec![put("a", pod("a", "1", 2))]).await;
    assert_eq!(store.sequence_at(at(4999)).await.unwrap(), 0);
    assert_eq!(store.sequence_at(at(5000)).await.unwrap(), 2);
}
