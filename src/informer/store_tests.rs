use super::*;
use bytes::Bytes;
use imbl::OrdMap;

const H: Duration = Duration::from_secs(2);

fn snapshot(entries: &[(&'static str, &'static str)]) -> Snapshot {
    let entries: OrdMap<_, _> = entries
        .iter()
        .map(|(key, value)| (Bytes::from(*key), Bytes::from(*value)))
        .collect();
    Snapshot {
        entries,
        ..Snapshot::default()
    }
}

fn write(store: &Store, entries: &[(&'static str, &'static str)]) {
    store.write(snapshot(entries), Signs::default());
}

#[test]
fn changes_between_two_looks_are_one_notice() {
    let store = Store::default();
    write(&store, &[("a", "1")]);
    write(&store, &[("a", "2")]);
    let notices = store.notices();
    assert_eq!(notices.len(), 1);
    assert_eq!(
        (notices[0].old.clone(), notices[0].new.as_deref()),
        (None, Some(&b"2"[..]))
    );
    assert!(store.notices().is_empty());
}

#[test]
fn what_came_and_went_between_two_looks_was_never_there() {
    let store = Store::default();
    write(&store, &[("a", "1")]);
    write(&store, &[]);
    assert!(store.notices().is_empty());
}

#[test]
fn readers_do_not_take_changes_from_each_other() {
    let store = Store::default();
    let (mut one, mut other) = (store.changes(), store.changes());
    write(&store, &[("a", "1")]);
    assert_eq!(one.take().len(), 1);
    write(&store, &[("a", "2"), ("b", "1")]);
    assert_eq!((one.take().len(), other.take().len()), (2, 2));
    assert_eq!(store.notices().len(), 2);
    assert!(one.take().is_empty());
}

#[tokio::test]
async fn a_reader_waits_for_changes_and_not_for_rewrites() {
    let store = Store::default();
    let mut changes = store.changes();
    let writer = store.clone();
    write(&store, &[("a", "1")]);
    assert_eq!(changes.next().await.len(), 1);
    let next = tokio::spawn(async move { changes.next().await });
    tokio::task::yield_now().await;
    write(&writer, &[("a", "1")]);
    tokio::task::yield_now().await;
    assert!(!next.is_finished(), "nothing differs");
    write(&writer, &[("a", "2")]);
    assert_eq!(next.await.unwrap()[0].new.as_deref(), Some(&b"2"[..]));
}

#[test]
fn a_store_that_nobody_drains_keeps_no_history() {
    let store = Store::default();
    let value = Bytes::from(vec![0; 64]);
    let mut weak = Vec::new();
    for number in 0..1000 {
        let key = Bytes::from(number.to_string());
        let copy = Snapshot {
            entries: OrdMap::unit(key, value.clone()),
            ..Snapshot::default()
        };
        store.write(copy, Signs::default());
        weak.push(Arc::downgrade(&store.shared.held.load_full()));
    }
    let alive = weak.iter().filter(|held| held.strong_count() > 0).count();
    assert!(alive <= 1, "{alive} of 1000 copies are held");
}

#[test]
fn a_state_told_twice_wakes_once() {
    let store = Store::default();
    let mut state = store.state();
    state.mark_unchanged();
    store.tell(&StreamState::default());
    assert!(!state.has_changed().unwrap());
    store.tell(&StreamState {
        synced: true,
        ..StreamState::default()
    });
    assert!(state.has_changed().unwrap());
}

#[test]
fn an_age_grows_by_itself_and_tells_since_when() {
    let store = Store::default();
    let begin = store.shared.since;
    let at = |seconds| begin + Duration::from_secs(seconds);
    let proof = |seconds| Signs {
        current_at: Some(at(seconds)),
        stale_after: H * 5 / 2,
        ..Signs::default()
    };
    let age = |seconds| store.age_of(&store.shared.held.load(), at(seconds));
    let is = |freshness, since, at_most: Option<u64>| Age {
        freshness,
        since: at(since),
        at_most: at_most.map(Duration::from_secs),
    };
    assert_eq!(age(1), is(Freshness::Unknown, 0, None));
    store.replace(Some(snapshot(&[("a", "1")])), proof(1), at(1));
    store.replace(None, proof(3), at(3));
    assert_eq!(
        age(8),
        is(Freshness::Fresh, 1, Some(5)),
        "2.5 heartbeats are not stale yet"
    );
    assert_eq!(
        age(9),
        is(Freshness::Stale, 8, Some(6)),
        "nobody wrote anything"
    );
    store.replace(None, proof(3), at(10));
    assert_eq!(
        age(10),
        is(Freshness::Stale, 8, Some(7)),
        "a word is no proof"
    );
    store.replace(None, proof(11), at(11));
    assert_eq!(age(12), is(Freshness::Fresh, 11, Some(1)));
}
