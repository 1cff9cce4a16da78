//! What a thin reflector does, told step by step.

use super::tests::*;
use super::*;
use crate::replica::Thin;

/// A delta of the simulator's kind needs the simulator; a real one is made of real values.
fn long(letter: char) -> String {
    (0..400).map(|n| format!("{letter}{n};")).collect()
}

fn delta_flush(prev: u64, to: u64, key: &str, (old, new): (&str, &str)) -> Live {
    let delta = Packer::default()
        .delta(old.as_bytes(), new.as_bytes(), usize::MAX)
        .unwrap();
    let mut changes = Vec::new();
    write_change(&mut changes, key.as_bytes(), &Change::Delta(delta));
    Live {
        changes: changes.into(),
        ..flush(prev, to, &[], &[(key, new)])
    }
}

/// A thin reflector that holds one value at seq 5, and its backing has it.
fn settled(key: &str, value: &str) -> Bench {
    let mut bench = Bench::holding_in(thin(&[]), &[(key, value)]);
    settle(&mut bench);
    bench
}

fn thin(entries: &[(&str, &str)]) -> Option<Copy> {
    let digests = entries.iter().map(|(key, value)| {
        let digest = entry_digest(key.as_bytes(), value.as_bytes());
        (Bytes::copy_from_slice(key.as_bytes()), digest)
    });
    let seq = if entries.is_empty() { 0 } else { 5 };
    let at = (epoch(1), seq);
    Some(Copy::of_backing(at, None, Thin::away(digests)))
}

fn settle(bench: &mut Bench) {
    let stored = bench.thin().stored();
    bench.reflector.settled(&stored);
}

fn fetched(bench: &mut Bench) -> Vec<(u64, Vec<Key>)> {
    let asks = std::mem::take(&mut bench.asks).into_iter();
    let fetches = asks.filter_map(|ask| match ask {
        Ask::Bases { number, keys } => Some((number, keys)),
        Ask::Sync(_) | Ask::Subscribe { .. } => None,
    });
    fetches.collect()
}

fn pair(key: &str, value: &str) -> (Bytes, Bytes) {
    (key.to_owned().into(), value.to_owned().into())
}

impl Bench {
    fn thin(&self) -> &Thin {
        self.reflector.copy.thin.as_ref().unwrap()
    }

    fn value(&self, key: &str) -> Option<Bytes> {
        self.thin().value(key.as_bytes())
    }
}

#[test]
fn a_value_is_held_until_it_is_stored_and_the_header_for_ever() {
    let mut bench = Bench::holding_in(thin(&[]), &[("", "header"), ("a", "1")]);
    assert_eq!(bench.value("a").unwrap(), "1");
    assert_eq!(bench.reflector.unsettled_bytes(), 1);
    settle(&mut bench);
    assert_eq!(
        (bench.value("a"), bench.reflector.unsettled_bytes()),
        (None, 0)
    );
    assert_eq!(bench.reflector.copy.entries[&b""[..]], "header");
    assert_eq!(bench.reflector.bytes, bench.reflector.copy.count_bytes());
    let expected = digest(&[("", "header"), ("a", "1")]);
    assert_eq!(bench.reflector.copy.count_digest(), expected);
}

#[test]
fn what_changed_while_it_was_stored_stays() {
    let mut bench = Bench::holding_in(thin(&[]), &[("a", "1"), ("b", "1")]);
    let stored = bench.thin().stored();
    let now = [("a", "2"), ("b", "1")];
    bench.live(200, flush(5, 6, &[("a", Some("2"))], &now));
    bench.reflector.settled(&stored);
    assert_eq!(bench.value("a").unwrap(), "2");
    assert_eq!(bench.value("b"), None);
    let since: Vec<_> = bench
        .thin()
        .since(&stored)
        .map(|(key, _)| key.clone())
        .collect();
    assert_eq!(since, ["a"]);
}

#[test]
fn a_delta_to_a_value_that_is_away_waits_for_it() {
    let (old, new) = (long('a'), long('b'));
    let mut bench = settled("k", &old);
    bench.live(200, delta_flush(5, 6, "k", (&old, &new)));
    let fetches = fetched(&mut bench);
    assert_eq!(fetches, [(1, vec![Key::from("k")])]);
    assert_eq!(bench.reflector.copy.seq, 5);
    bench.poll(1_000);
    assert!(bench.syncs().is_empty(), "it is no gap");
    bench.reflector.give(2, vec![pair("k", &old)]);
    assert_eq!(bench.reflector.copy.seq, 5, "that was not asked");
    bench.reflector.give(1, vec![pair("k", &old)]);
    assert_eq!(bench.reflector.copy.seq, 6);
    assert_eq!(bench.value("k").unwrap(), new);
    assert!(bench.reflector.bases.is_empty());
}

#[test]
fn a_delta_to_a_value_that_is_held_needs_nobody() {
    let (old, new) = (long('a'), long('b'));
    let mut bench = Bench::holding_in(thin(&[]), &[("k", &old)]);
    bench.live(200, delta_flush(5, 6, "k", (&old, &new)));
    assert_eq!(bench.value("k").unwrap(), new);
    assert!(fetched(&mut bench).is_empty());
}

#[test]
fn a_base_that_never_comes_is_asked_of_the_source() {
    let (old, new) = (long('a'), long('b'));
    let mut bench = settled("k", &old);
    bench.live(200, delta_flush(5, 6, "k", (&old, &new)));
    for ms in (200..10_000).step_by(1_000) {
        bench.live(ms, flush(6, 6, &[], &[("k", &new)]));
    }
    let rid = bench.reflector.rid().unwrap();
    assert!(bench.syncs().iter().all(|sync| sync.rid == rid));
    bench.page(10_100, &Bench::answer(rid, 6, &[("k", &new)]));
    assert_eq!(bench.value("k").unwrap(), new);
}

#[test]
fn what_the_backing_lacks_or_has_otherwise_is_asked_of_the_source_and_told_again() {
    let (old, new) = (long('a'), long('b'));
    let older = long('0');
    for given in [vec![], vec![pair("k", &older)]] {
        let mut bench = settled("k", &old);
        let stored = bench.thin().stored();
        bench.live(200, delta_flush(5, 6, "k", (&old, &new)));
        let (number, _) = fetched(&mut bench).remove(0);
        bench.reflector.give(number, given);
        assert_eq!(bench.reflector.copy.seq, 5);
        for ms in [210, 300] {
            bench.poll(ms);
        }
        let sync = bench.syncs().remove(0);
        assert_eq!(sync.digests, [0], "as if it were not held");
        // The change was taken back meanwhile: the value is the one that should have been there.
        bench.page(310, &Bench::answer(sync.rid, 7, &[("k", &old)]));
        assert_eq!(bench.value("k").unwrap(), old);
        let since = bench.thin().since(&stored).count();
        assert_eq!(since, 1, "it is news to the backing");
        let tally = bench.reflector.tally();
        assert_eq!((tally.divergences, tally.bases_refused), (0, 1));
    }
}

#[test]
fn what_the_backing_lacks_and_the_source_has_not_either_is_gone() {
    let (old, new) = (long('a'), long('b'));
    let mut bench = settled("k", &old);
    bench.live(200, delta_flush(5, 6, "k", (&old, &new)));
    let stored = bench.thin().stored();
    let (number, _) = fetched(&mut bench).remove(0);
    bench.reflector.give(number, Vec::new());
    bench.poll(300);
    bench.poll(400);
    let sync = bench.syncs().remove(0);
    let nothing = Page {
        differs: Bytes::from_static(&[0]),
        ..Bench::answer(sync.rid, 7, &[])
    };
    bench.reflector.page(at(410), nothing);
    assert_eq!((bench.reflector.copy.seq, bench.thin().len()), (7, 0));
    // It comes back as it was, before its absence was stored: the backing may have a wrong row still.
    bench.live(420, flush(7, 8, &[("k", Some(&old))], &[("k", &old)]));
    assert_eq!(bench.thin().since(&stored).count(), 1);
}

#[test]
fn bases_of_too_many_bytes_are_asked_of_the_source_at_once() {
    let (old, new) = (long('a'), long('b'));
    let mut bench = settled("k", &old);
    bench.reflector.settings.bases_bytes = 100;
    bench.live(200, delta_flush(5, 6, "k", (&old, &new)));
    bench.poll(300);
    assert_eq!(bench.syncs().len(), 1);
    assert!(bench.reflector.fetch.is_none());
}

#[test]
fn while_too_much_is_not_stored_nothing_is_taken_in_and_nothing_asked() {
    let mut bench = Bench::holding_in(thin(&[]), &[("a", "12345")]);
    bench.reflector.settings.unsettled_bytes = 4;
    bench.live(200, flush(5, 6, &[("a", Some("2"))], &[("a", "2")]));
    bench.reflector.subscribed(at(200));
    bench.poll(1_000);
    assert_eq!(bench.reflector.copy.seq, 5);
    assert!(bench.syncs().is_empty());
    let renewals = bench.reflector.next_deadline().unwrap();
    assert!(renewals > at(2_000), "nor does it spin: {renewals:?}");
    settle(&mut bench);
    assert_eq!(bench.reflector.copy.seq, 6);
}

#[test]
fn it_begins_with_what_is_stored_and_only_what_differs_is_news() {
    let mut bench = Bench::with(thin(&[("a", "1"), ("b", "1"), ("c", "1")]));
    let stored = bench.thin().clone();
    bench.poll(0);
    let sync = bench.syncs().remove(0);
    assert_eq!(
        sync.digests,
        [digest(&[("a", "1"), ("b", "1"), ("c", "1")])]
    );
    // One bucket: the whole comes again.
    bench.page(70, &Bench::answer(sync.rid, 9, &[("a", "1"), ("b", "2")]));
    let since = bench.thin().since(&stored);
    let since: Vec<_> = since
        .map(|(key, mark)| (key.clone(), mark.is_some()))
        .collect();
    assert_eq!(since, [("b".into(), true), ("c".into(), false)]);
    assert_eq!(
        (bench.value("a"), bench.value("b").unwrap()),
        (None, "2".into())
    );
}
