//! The replica's steps that run for each change or each entry, as `bench guards` counts them.

use super::digest::{Buckets, entry_digest};
use super::draft::Draft;
use super::feed::{Feed, Stamp, Tickets};
use super::{Moment, Reflector, Rids, Settings};
use crate::guarded::guarded_section;
use crate::protocol::message::{Epoch, Live, Page, Selection, StreamId, Term};
use bytes::Bytes;
use std::fmt::Write;

const CHANGES: usize = 100;

/// Something of the size of a row, which compresses as one does.
fn value(number: usize, revision: u32) -> Bytes {
    let mut text = format!("checkout-{number:05x} 1/1 Running {revision} ");
    for part in 0..6 {
        let label = (number as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(part * 8) as u16;
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "{{\"app.kubernetes.io/part-{part}\":\"{label:04x}\"}}"
        );
    }
    text.into()
}

fn key(number: usize) -> Bytes {
    format!("load/checkout-{number:05x}").into()
}

fn feed(entries: usize) -> Feed {
    let list = (0..entries)
        .map(|number| (key(number), value(number, 0)))
        .collect();
    let epoch = Epoch {
        term: Term {
            number: 1,
            nonce: 0,
        },
        feed: 1,
    };
    Feed::new(StreamId(1), epoch, Draft::default().finish(list), 1)
}

fn change(feed: &mut Feed, revision: u32) {
    for number in 0..CHANGES {
        feed.put(&key(number * 7), &value(number * 7, revision), 2);
    }
}

fn flush(feed: &mut Feed) -> Vec<(u64, Live)> {
    let stamp = Stamp {
        now: Moment::from_millis(0),
        upstream_age_ms: 0,
        slice_bytes: 60 << 10,
    };
    feed.flush(stamp, &mut Tickets::default())
}

#[test]
fn feed_put_100_changes() {
    let mut feed = feed(1000);
    let before = feed.seq();
    guarded_section(|| change(&mut feed, 1));
    assert!(feed.seq() > before);
}

#[test]
fn feed_flush_100_changes() {
    let mut feed = feed(1000);
    change(&mut feed, 1);
    let slices = guarded_section(|| flush(&mut feed));
    assert!(!slices.is_empty());
}

#[test]
fn bucket_digests_of_10_000_entries() {
    let feed = feed(10_000);
    let buckets = Buckets::for_entries(10_000, 4096);
    let digests = guarded_section(|| feed.collection().digests(buckets));
    assert_eq!(digests.len(), buckets.count());
}

/// A reflector that holds 1,000 entries takes a flush of 100 changes.
#[test]
fn reflector_receives_100_changes() {
    use crate::protocol::entries::write_entry;
    let mut feed = feed(1000);
    let mut reflector = Reflector::new(
        Settings::default(),
        Selection::default(),
        None,
        Moment::from_millis(0),
        1,
    );
    let mut rids = Rids::default();
    let mut poll = |reflector: &mut Reflector, ms| {
        while reflector
            .poll(Moment::from_millis(ms), &mut rids, 16)
            .is_some()
        {}
    };
    reflector.link_up(Moment::from_millis(0));
    poll(&mut reflector, 0);
    let mut entries = Vec::new();
    for ((_, key), held) in feed.collection().iter() {
        write_entry(&mut entries, key, &held.packed);
    }
    let page = Page {
        rid: reflector.rid().unwrap(),
        stream: StreamId(1),
        live_topic: "live".to_owned(),
        epoch: feed.epoch(),
        seq: feed.seq(),
        digest: feed.collection().digest(),
        differs: Bytes::from_static(&[1]),
        dictionary: feed.packer().dictionary(),
        last: true,
        end: true,
        entries: entries.into(),
        ..Page::default()
    };
    reflector.page(Moment::from_millis(1), page);
    poll(&mut reflector, 1);
    assert!(reflector.synced());
    change(&mut feed, 1);
    let slices = flush(&mut feed);
    guarded_section(|| {
        for (_, live) in slices {
            reflector.live(Moment::from_millis(2), live);
        }
    });
    let digest = (0..1000).map(|number| {
        let changed = number % 7 == 0 && number / 7 < CHANGES;
        entry_digest(&key(number), &value(number, u32::from(changed)))
    });
    assert_eq!(reflector.copy().digest, digest.fold(0, u64::wrapping_add));
}
