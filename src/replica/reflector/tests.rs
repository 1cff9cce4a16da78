//! What a reflector does, told step by step.

use super::*;
pub(super) use crate::protocol::compress::{Codec, Packed, Packer};
pub(super) use crate::protocol::entries::{Change, write_change, write_entry};
use crate::protocol::message::Sync;
pub(super) use crate::replica::digest::entry_digest;
use bytes::Bytes;

pub(super) fn at(ms: u64) -> Moment {
    Moment::from_millis(ms)
}

pub(super) fn epoch(number: u64) -> Epoch {
    Epoch {
        term: Term { number, nonce: 0 },
        feed: 1,
    }
}

pub(super) fn packed(value: &str) -> Packed {
    Packed {
        codec: Codec::Plain,
        bytes: Bytes::copy_from_slice(value.as_bytes()),
    }
}

pub(super) fn digest(entries: &[(&str, &str)]) -> u64 {
    let digests = entries
        .iter()
        .map(|(key, value)| entry_digest(key.as_bytes(), value.as_bytes()));
    digests.fold(0, u64::wrapping_add)
}

/// A reflector, and what it asked for.
pub(super) struct Bench {
    pub(super) reflector: Reflector,
    pub(super) rids: Rids,
    pub(super) asks: Vec<Ask>,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(None)
    }

    pub(super) fn with(cached: Option<Copy>) -> Self {
        let mut reflector =
            Reflector::new(Settings::default(), Selection::default(), cached, at(0), 1);
        reflector.link_up(at(0));
        Self {
            reflector,
            rids: Rids::default(),
            asks: Vec::new(),
        }
    }

    /// One that holds this at epoch 1, seq 5, and is subscribed.
    pub(super) fn holding(entries: &[(&str, &str)]) -> Self {
        Self::holding_in(None, entries)
    }

    /// One that began with something cached.
    pub(super) fn holding_in(cached: Option<Copy>, entries: &[(&str, &str)]) -> Self {
        let mut bench = Self::with(cached);
        bench.poll(0);
        bench.page(1, &Self::answer(1, 5, entries));
        bench.reflector.subscribed(at(1));
        bench.poll(100);
        bench.poll(160);
        bench.page(161, &Self::answer(2, 5, &[]));
        bench.asks.clear();
        bench
    }

    /// A whole answer in one page; with nothing in it, nothing differed.
    pub(super) fn answer(rid: u64, seq: u64, entries: &[(&str, &str)]) -> Page {
        let mut bytes = Vec::new();
        for (key, value) in entries {
            write_entry(&mut bytes, key.as_bytes(), &packed(value));
        }
        Page {
            rid,
            stream: StreamId(1),
            live_topic: "live".to_owned(),
            epoch: epoch(1),
            seq,
            digest: digest(entries),
            differs: Bytes::from_static(&[u8::MAX]).slice(..1),
            last: true,
            end: true,
            entries: bytes.into(),
            ..Page::default()
        }
    }

    pub(super) fn page(&mut self, ms: u64, page: &Page) {
        let nothing = page.entries.is_empty();
        let page = Page {
            digest: if nothing {
                self.reflector.copy.digest
            } else {
                page.digest
            },
            differs: Bytes::copy_from_slice(&[u8::from(!nothing)]),
            ..page.clone()
        };
        self.reflector.page(at(ms), page);
    }

    pub(super) fn live(&mut self, ms: u64, live: Live) {
        self.reflector.live(at(ms), live);
        self.poll(ms);
    }

    pub(super) fn poll(&mut self, ms: u64) {
        while let Some(ask) = self.reflector.poll(at(ms), &mut self.rids, 16) {
            self.asks.push(ask);
        }
    }

    /// The requests since somebody last looked, renewals not.
    pub(super) fn syncs(&mut self) -> Vec<Sync> {
        let asks = std::mem::take(&mut self.asks).into_iter();
        let syncs = asks.filter_map(|ask| match ask {
            Ask::Sync(sync) => Some(sync),
            Ask::Subscribe { .. } | Ask::Bases { .. } => None,
        });
        syncs.filter(|sync| sync.max_messages > 0).collect()
    }

    pub(super) fn held(&self) -> Vec<(String, String)> {
        let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        let entries = self.reflector.copy.entries.iter();
        entries
            .map(|(key, value)| (text(key), text(value)))
            .collect()
    }

    pub(super) fn holds(&self, entries: &[(&str, &str)]) -> bool {
        let held = self.held();
        let held: Vec<(&str, &str)> = held
            .iter()
            .map(|(key, value)| (&key[..], &value[..]))
            .collect();
        held == entries
    }
}

/// A whole flush from `prev` to `to`, after which there is `after`.
pub(super) fn flush(
    prev: u64,
    to: u64,
    changes: &[(&str, Option<&str>)],
    after: &[(&str, &str)],
) -> Live {
    let mut bytes = Vec::new();
    for (key, value) in changes {
        let change = value.map_or(Change::Deleted, |value| Change::Value(packed(value)));
        write_change(&mut bytes, key.as_bytes(), &change);
    }
    Live {
        stream: StreamId(1),
        epoch: epoch(1),
        flush: to,
        prev,
        to,
        count: 1,
        digest: digest(after),
        changes: bytes.into(),
        ..Live::default()
    }
}

const A: &[(&str, &str)] = &[("a", "1")];

#[test]
fn an_empty_copy_asks_at_once_and_subscribes_when_it_knows_where() {
    let mut bench = Bench::new();
    bench.poll(0);
    let sync = bench.syncs().remove(0);
    assert_eq!(
        (sync.rid, &sync.digests[..], sync.max_messages),
        (1, &[0][..], 16)
    );
    bench.page(10, &Bench::answer(1, 5, A));
    bench.poll(10);
    let topic = "live".to_owned();
    assert_eq!(
        bench.asks[0],
        Ask::Subscribe {
            topic,
            instead_of: None
        }
    );
    assert!(bench.holds(A));
    assert_eq!(
        bench.reflector.current_at(),
        Some(at(0)),
        "as old as the question"
    );
}

#[test]
fn a_flush_is_applied_whole_and_told_key_by_key() {
    let mut bench = Bench::holding(A);
    bench.reflector.take_changes();
    bench.live(
        200,
        flush(5, 7, &[("a", None), ("b", Some("2"))], &[("b", "2")]),
    );
    assert!(bench.holds(&[("b", "2")]));
    let changes = bench.reflector.take_changes();
    let told: Vec<(&[u8], bool, bool)> = changes
        .iter()
        .map(|it| (&it.key[..], it.old.is_some(), it.new.is_some()))
        .collect();
    assert_eq!(told, [(&b"a"[..], true, false), (&b"b"[..], false, true)]);
    assert_eq!(
        (bench.reflector.copy().seq, bench.reflector.current_at()),
        (7, Some(at(200)))
    );
}

#[test]
fn half_a_flush_changes_nothing() {
    let mut bench = Bench::holding(A);
    let whole = flush(
        5,
        6,
        &[("a", Some("2")), ("b", Some("3"))],
        &[("a", "2"), ("b", "3")],
    );
    for (index, bytes) in [(1, whole.changes.slice(4..)), (0, whole.changes.slice(..4))] {
        assert!(bench.holds(A));
        let slice = Live {
            index,
            count: 2,
            changes: bytes,
            ..whole.clone()
        };
        bench.live(200, slice);
    }
    assert!(bench.holds(&[("a", "2"), ("b", "3")]));
}

#[test]
fn a_gap_is_asked_about_after_its_grace_and_not_when_it_heals() {
    for heals in [false, true] {
        let mut bench = Bench::holding(A);
        bench.live(
            200,
            flush(6, 7, &[("b", Some("3"))], &[("a", "2"), ("b", "3")]),
        );
        bench.poll(240);
        assert!(bench.syncs().is_empty());
        if heals {
            bench.live(245, flush(5, 6, &[("a", Some("2"))], &[("a", "2")]));
        }
        for ms in [260, 280, 300, 320] {
            bench.poll(ms);
        }
        assert_eq!(bench.syncs().len(), usize::from(!heals));
        assert_eq!(bench.reflector.copy().seq, if heals { 7 } else { 5 });
    }
}

#[test]
fn a_heartbeat_tells_of_a_lost_last_change() {
    let mut bench = Bench::holding(A);
    bench.live(2_000, flush(6, 6, &[], &[("a", "2")]));
    for ms in (2_000..2_140).step_by(10) {
        bench.poll(ms);
    }
    assert_eq!(bench.syncs().len(), 1);
}

#[test]
fn silence_is_asked_about() {
    let mut bench = Bench::holding(A);
    bench.live(1_000, flush(5, 5, &[], A));
    bench.poll(5_900);
    assert!(bench.syncs().is_empty() && bench.reflector.fresh(at(5_900)));
    bench.poll(6_000);
    bench.poll(6_060);
    assert_eq!(bench.syncs().len(), 1);
    assert!(!bench.reflector.fresh(at(6_060)));
}

#[test]
fn a_digest_that_is_not_the_copys_is_counted_and_asked_about() {
    let mut bench = Bench::holding(A);
    bench.live(200, flush(5, 5, &[], &[("a", "9")]));
    bench.poll(300);
    assert_eq!(
        (bench.reflector.tally().divergences, bench.syncs().len()),
        (1, 1)
    );
}

#[test]
fn a_flush_that_leads_elsewhere_than_it_says_is_never_shown() {
    let mut bench = Bench::holding(A);
    bench.live(200, flush(5, 6, &[("a", Some("wrong"))], &[("a", "right")]));
    assert!(bench.holds(A));
    assert_eq!(bench.reflector.tally().divergences, 1);
}

#[test]
fn an_answer_that_is_not_what_it_says_is_never_shown_and_everything_is_asked_for() {
    let mut bench = Bench::holding(A);
    bench.reflector.subscribed(at(200));
    bench.poll(200);
    bench.poll(300);
    let rid = bench.syncs()[0].rid;
    let page = Page {
        digest: 1,
        ..Bench::answer(rid, 6, &[("a", "2")])
    };
    bench.page(310, &page);
    assert!(bench.holds(A));
    bench.poll(320);
    assert!(bench.syncs().is_empty(), "not at once");
    bench.poll(1_000);
    let sync = bench.syncs().remove(0);
    assert_eq!((&sync.digests[..], sync.dictionary), (&[0][..], 0));
    // Which is nothing by now: an empty collection agrees with who says to hold nothing.
    let empty = Page {
        differs: Bytes::from_static(&[0]),
        ..Bench::answer(sync.rid, 7, &[])
    };
    bench.reflector.page(at(1_010), empty);
    assert!(bench.holds(&[]) && bench.reflector.tally().divergences == 1);
}

/// What another writer answers, whose list, and watch, stand at `up_to`.
fn answer_of_another(rid: u64, up_to: u64, entries: &[(&str, &str)]) -> Page {
    Page {
        epoch: epoch(2),
        changed: up_to,
        up_to,
        ..Bench::answer(rid, 1, entries)
    }
}

/// A reflector that holds `a = 1` since resourceVersion 100, and asks another writer.
fn followed() -> (Bench, u64) {
    let mut bench = Bench::holding(A);
    let told = Live {
        changed: 100,
        ..flush(5, 5, &[], A)
    };
    bench.live(200, told);
    bench.reflector.presence(at(300), epoch(2).term);
    bench.poll(300);
    bench.poll(400);
    let rid = bench.syncs()[0].rid;
    (bench, rid)
}

#[test]
fn an_older_answer_of_a_new_writer_is_asked_for_again() {
    let (mut bench, rid) = followed();
    bench.page(410, &answer_of_another(rid, 99, &[("a", "0")]));
    assert!(bench.holds(A), "it went back");
    bench.poll(420);
    assert!(bench.syncs().is_empty(), "not at once");
    bench.poll(1_000);
    let rid = bench.syncs()[0].rid;
    bench.page(1_010, &answer_of_another(rid, 100, &[("a", "2")]));
    assert!(bench.holds(&[("a", "2")]));
    assert_eq!(bench.reflector.tally().divergences, 0);
}

#[test]
fn a_cached_copy_does_not_go_back_either() {
    let cached = followed().0.reflector.copy().clone();
    let mut bench = Bench::with(Some(cached));
    bench.poll(0);
    bench.page(10, &answer_of_another(1, 99, &[("a", "0")]));
    assert!(bench.holds(A), "it went back");
    bench.poll(1_000);
    let rid = bench.syncs()[1].rid;
    bench.page(1_010, &answer_of_another(rid, 100, &[("a", "2")]));
    assert!(bench.holds(&[("a", "2")]));
}

#[test]
fn a_writer_that_stays_behind_is_believed_once_its_api_server_has_answered_for_long() {
    let (mut bench, mut rid) = followed();
    let mut believed_at = None;
    for ms in (1_000..90_000).step_by(500) {
        let stuck = ms < 10_000;
        let page = Page {
            upstream_age_ms: u64::from(stuck) * 3_000,
            ..answer_of_another(rid, 99, &[("a", "0")])
        };
        bench.page(ms, &page);
        if !bench.holds(A) {
            believed_at = Some(ms);
            break;
        }
        bench.poll(ms + 400);
        rid = bench.syncs().last().map_or(rid, |sync| sync.rid);
    }
    let believed_at = believed_at.expect("for ever");
    assert!((38_000..50_000).contains(&believed_at), "{believed_at}");
}

#[test]
fn while_a_request_is_out_the_copy_is_frozen() {
    let mut bench = Bench::holding(A);
    bench.reflector.subscribed(at(200));
    bench.poll(200);
    bench.poll(300);
    let rid = bench.syncs()[0].rid;
    bench.live(
        301,
        flush(5, 6, &[("b", Some("2"))], &[("a", "1"), ("b", "2")]),
    );
    assert!(bench.holds(A));
    bench.page(310, &Bench::answer(rid, 5, &[]));
    assert!(
        bench.holds(&[("a", "1"), ("b", "2")]),
        "what came meanwhile is applied then"
    );
}

#[test]
fn a_reask_is_the_same_request_later_and_later() {
    let mut bench = Bench::new();
    let mut sent = Vec::new();
    for ms in (0..20_000).step_by(100) {
        bench.poll(ms);
        sent.extend(bench.syncs().into_iter().map(|sync| (ms, sync.rid)));
    }
    let expected = [0, 500, 1_500, 3_500, 7_500, 12_500, 17_500].map(|ms| (ms, 1));
    assert_eq!(sent, expected);
}

#[test]
fn a_status_holds_the_request_and_is_told() {
    let mut bench = Bench::new();
    bench.poll(0);
    let status = Status {
        rid: 1,
        epoch: epoch(1),
        state: State::Listing { items: 12_000 },
        resource: "pods.v1".to_owned(),
    };
    bench.reflector.status(at(100), &status);
    bench.syncs();
    bench.poll(5_000);
    assert!(bench.syncs().is_empty());
    bench.poll(5_100);
    assert_eq!(bench.syncs().len(), 1);
    assert_eq!(bench.reflector.last_status(), Some(&status.state));
    bench.page(5_200, &Bench::answer(1, 1, A));
    assert_eq!(
        bench.reflector.current_at(),
        Some(at(100)),
        "no list was there at 100 ms"
    );
}

#[test]
fn the_next_window_is_asked_for_from_the_first_missing_place() {
    let mut bench = Bench::new();
    bench.poll(0);
    bench.syncs();
    let whole = Bench::answer(1, 5, &[("a", "1"), ("b", "2")]);
    let part =
        |from: &'static str, next: &'static str, last: bool, bytes: std::ops::Range<usize>| Page {
            from: from.into(),
            next: next.into(),
            last,
            end: next.is_empty(),
            entries: whole.entries.slice(bytes),
            ..whole.clone()
        };
    bench.page(10, &part("", "x", true, 0..3));
    bench.poll(10);
    let sync = bench.syncs().remove(0);
    assert_eq!((sync.rid, &sync.from[..]), (1, &b"x"[..]));
    assert_eq!(bench.reflector.received().pages, 1);
    bench.page(20, &part("", "x", true, 0..3));
    bench.poll(20);
    assert!(bench.syncs().is_empty(), "a duplicate is no news");
    bench.page(30, &part("x", "", true, 3..whole.entries.len()));
    assert!(bench.holds(&[("a", "1"), ("b", "2")]));
}

#[test]
fn what_is_older_than_the_newest_is_dropped() {
    let mut bench = Bench::holding(A);
    bench.reflector.presence(
        at(200),
        Term {
            number: 2,
            nonce: 0,
        },
    );
    bench.live(201, flush(5, 6, &[("a", Some("2"))], &[("a", "2")]));
    assert!(bench.holds(A));
    bench.poll(300);
    let sync = bench.syncs().remove(0);
    assert_eq!(sync.epoch.term.number, 2, "and the newest is asked for");
}

#[test]
fn a_lease_is_renewed_while_nothing_happens() {
    let mut bench = Bench::holding(A);
    for ms in (2_000..62_000).step_by(1_000) {
        bench.live(ms, flush(5, 5, &[], A));
    }
    assert!(bench.asks.iter().all(|ask| matches!(
        ask,
        Ask::Sync(Sync {
            max_messages: 0,
            lease_s: 60,
            ..
        })
    )));
    assert_eq!(bench.asks.len(), 3);
}

#[test]
fn a_cached_copy_is_shown_at_once_and_confirmed_by_its_digests() {
    let before = Bench::holding(A).reflector.copy().clone();
    let mut bench = Bench::with(Some(before));
    assert!(bench.holds(A) && bench.reflector.current_at().is_none());
    bench.poll(0);
    bench.poll(60);
    assert_eq!(bench.syncs()[0].digests, [digest(A)]);
    bench.page(70, &Bench::answer(1, 5, &[]));
    assert!(bench.reflector.fresh(at(70)));
}

#[test]
fn a_down_link_is_no_silence() {
    let mut bench = Bench::holding(A);
    bench.reflector.link_down(at(200));
    bench.poll(60_000);
    assert_eq!(
        (bench.asks.len(), bench.reflector.next_deadline()),
        (0, None)
    );
    bench.reflector.link_up(at(60_000));
    bench.poll(60_100);
    assert!(bench.syncs().is_empty(), "the heartbeat may come yet");
}

#[test]
fn no_room_puts_a_request_off_and_never_a_renewal() {
    let mut bench = Bench::new();
    let mut poll = |ms, window| bench.reflector.poll(at(ms), &mut bench.rids, window);
    assert_eq!(poll(0, 0), None);
    assert!(matches!(
        poll(20_000, 0),
        Some(Ask::Sync(Sync {
            max_messages: 0,
            ..
        }))
    ));
    assert!(matches!(
        poll(20_001, 3),
        Some(Ask::Sync(Sync {
            max_messages: 3,
            ..
        }))
    ));
}

#[test]
fn what_nobody_answers_is_asked_again_by_one_page_that_takes_no_room() {
    let mut bench = Bench::new();
    let asked = |bench: &mut Bench, ms, window| {
        let mut polls =
            std::iter::from_fn(|| bench.reflector.poll(at(ms), &mut bench.rids, window));
        polls.find_map(|ask| match ask {
            Ask::Sync(sync) => Some(sync.max_messages),
            Ask::Subscribe { .. } | Ask::Bases { .. } => None,
        })
    };
    assert!(bench.reflector.is_unanswered());
    assert_eq!(asked(&mut bench, 0, 8), Some(8));
    assert_eq!(bench.reflector.outstanding(), 8);
    assert_eq!(asked(&mut bench, 500, 0), None, "one may have been lost");
    assert_eq!(asked(&mut bench, 520, 8), Some(8));
    assert_eq!(bench.reflector.outstanding(), 8);
    assert_eq!(asked(&mut bench, 2_000, 0), Some(1), "whatever others take");
    assert_eq!(bench.reflector.outstanding(), 0);
    let page = Page {
        next: "x".into(),
        end: false,
        ..Bench::answer(1, 5, A)
    };
    bench.page(2_010, &page);
    assert!(!bench.reflector.is_unanswered());
    assert_eq!(asked(&mut bench, 2_010, 8), Some(8), "it is there");
}

#[test]
fn a_dictionary_travels_with_the_answer() {
    let rows: Vec<Bytes> = (0..4000_u64)
        .map(|i| {
            Bytes::from(format!(
                r#"{{"name":"web-{}","namespace":"team-{}","ready":"1/1","status":"Running"}}"#,
                i * 7919 % 9973,
                i % 40
            ))
        })
        .collect();
    let packer = Packer::train(&rows);
    let mut bytes = Vec::new();
    write_entry(&mut bytes, b"a", &packer.pack(&rows[0]));
    let mut bench = Bench::new();
    bench.poll(0);
    let page = Page {
        digest: entry_digest(b"a", &rows[0]),
        dictionary: packer.dictionary(),
        entries: bytes.into(),
        ..Bench::answer(1, 5, A)
    };
    bench.page(10, &page);
    assert_eq!(bench.reflector.copy().entries[&b"a"[..]], rows[0]);
    bench.reflector.subscribed(at(20));
    bench.syncs();
    bench.poll(20);
    bench.poll(100);
    assert_eq!(
        bench.syncs()[0].dictionary,
        packer.id(),
        "it is not sent again"
    );
}
