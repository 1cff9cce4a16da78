use super::*;
use crate::protocol::message::{
    self, Epoch, LogChunk, LogCredit, LogEnd, LogOpen, LogSelection, Page, Selection, State,
    Status, StreamId, Sync, Term, View,
};
use proptest::prelude::*;
use proptest::sample::Index;

const LIMIT: usize = 1 << 20;

fn bytes(max: usize) -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..max).prop_map(Bytes::from)
}

fn word() -> impl Strategy<Value = String> {
    "[a-z0-9./é:-]{0,30}"
}

fn name() -> impl Strategy<Value = String> {
    "[a-z0-9/é]{1,30}"
}

fn epoch() -> impl Strategy<Value = Epoch> {
    any::<(u64, u32, u32)>().prop_map(|(number, nonce, feed)| Epoch {
        term: Term { number, nonce },
        feed,
    })
}

fn selection() -> impl Strategy<Value = Selection> {
    let view = prop_oneof![
        Just(View::Rows),
        Just(View::Objects),
        Just(View::Resources),
        Just(View::Source),
        Just(View::Work),
        Just(View::Status)
    ];
    let words = (word(), word(), ".{0,40}", ".{0,40}");
    (words, view, any::<bool>(), any::<bool>()).prop_map(
        |((resource, namespace, labels, fields), view, managed_fields, secret_values)| Selection {
            resource,
            namespace,
            labels,
            fields,
            view,
            managed_fields,
            secret_values,
        },
    )
}

fn sync() -> impl Strategy<Value = Sync> {
    let digests = (0_u32..9).prop_flat_map(|log| prop::collection::vec(any::<u64>(), 1 << log));
    let numbers = any::<(u32, u32, u32)>();
    (
        1..u64::MAX,
        epoch(),
        digests,
        bytes(64),
        numbers,
        selection(),
    )
        .prop_map(
            |(rid, epoch, digests, from, (max_messages, lease_s, dictionary), selection)| Sync {
                rid,
                epoch,
                digests,
                from,
                max_messages,
                lease_s,
                selection,
                dictionary,
            },
        )
}

fn log_open() -> impl Strategy<Value = LogOpen> {
    let bounds = (
        prop::option::of(any::<u64>()),
        prop::option::of(any::<u64>()),
        prop::option::of(any::<i64>()),
    );
    let log = ("[a-z0-9-]{1,63}", "[a-z0-9.-]{1,253}", "[a-z0-9-]{1,63}");
    let flags = any::<(bool, bool)>();
    (1..u64::MAX, log, flags, bounds, any::<(u64, u32)>()).prop_map(
        |(rid, log, (follow, previous), (tail, since_s, from_s), (credit, lease_s))| LogOpen {
            rid,
            log: LogSelection {
                namespace: log.0,
                pod: log.1,
                container: log.2,
                follow,
                previous,
                tail,
                since_s,
                from_s,
            },
            credit,
            lease_s,
        },
    )
}

fn log_credit() -> impl Strategy<Value = LogCredit> {
    (1..u64::MAX, any::<(u64, u32)>()).prop_map(|(rid, (credit, lease_s))| LogCredit {
        rid,
        credit,
        lease_s,
    })
}

fn log_chunk() -> impl Strategy<Value = LogChunk> {
    let end = prop_oneof![
        Just(LogEnd::Finished),
        Just(LogEnd::NotOpen),
        ".{0,80}".prop_map(LogEnd::Broken),
        (any::<u32>(), word(), ".{0,80}").prop_map(|(code, reason, message)| LogEnd::Refused {
            code,
            reason,
            message
        }),
    ];
    (
        1..u64::MAX,
        any::<u64>(),
        bytes(3000),
        prop::option::of(end),
    )
        .prop_map(|(rid, index, lines, end)| LogChunk {
            rid,
            index,
            lines,
            end,
        })
}

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        log_open().prop_map(Request::LogOpen),
        log_credit().prop_map(Request::LogCredit),
        any::<u64>().prop_map(Request::LogClose),
        sync().prop_map(Request::Sync),
        selection().prop_map(Request::Leave),
        any::<u64>().prop_map(Request::Who),
    ]
}

fn page() -> impl Strategy<Value = Page> {
    let names = (any::<u128>(), word());
    let numbers = any::<(u64, u64, u64, u64, u64, u64, u64)>();
    let cursors = (bytes(64), bytes(64), bytes(512));
    let flags = any::<(bool, bool)>();
    let contents = (prop::option::of(bytes(3000)), bytes(6000));
    (names, epoch(), numbers, cursors, flags, contents).prop_map(
        |((stream, live_topic), epoch, numbers, cursors, (last, end), (dictionary, entries))| {
            Page {
                rid: numbers.0,
                stream: StreamId(stream),
                live_topic,
                epoch,
                seq: numbers.1,
                digest: numbers.2,
                from: cursors.0,
                next: cursors.1,
                differs: cursors.2,
                last,
                end,
                upstream_age_ms: numbers.3,
                now_ms: numbers.4,
                dictionary,
                entries,
                changed: numbers.5,
                up_to: numbers.6,
            }
        },
    )
}

fn status() -> impl Strategy<Value = Status> {
    let state = prop_oneof![
        any::<u64>().prop_map(|items| State::Listing { items }),
        Just(State::Serving),
        (any::<u64>(), ".{0,80}")
            .prop_map(|(since_ms, message)| State::UpstreamDown { since_ms, message }),
        (any::<u32>(), word(), ".{0,80}").prop_map(|(code, reason, message)| State::Refused {
            code,
            reason,
            message
        }),
    ];
    (any::<u64>(), epoch(), state, word()).prop_map(|(rid, epoch, state, resource)| Status {
        rid,
        epoch,
        state,
        resource,
    })
}

fn presence() -> impl Strategy<Value = Presence> {
    let texts = (name(), word(), word(), word(), word());
    let key = "([a-z]{1,5}\\.io/)?[a-z]{1,5}";
    let labels = prop::collection::btree_map(key, "[A-Za-z0-9]{0,5}", 0..8);
    let capabilities = prop::collection::btree_set(word(), 0..4);
    let numbers = any::<(u64, u64, bool)>();
    (epoch(), texts, labels, capabilities, numbers).prop_map(
        |(epoch, texts, labels, capabilities, (rid, at_ms, online))| Presence {
            term: epoch.term,
            online,
            cluster: texts.0,
            role: texts.1,
            cluster_uid: texts.2,
            kubernetes_version: texts.3,
            version: texts.4,
            labels: labels.into_iter().collect(),
            capabilities: capabilities.into_iter().collect(),
            rid,
            at_ms,
        },
    )
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        log_chunk().prop_map(Reply::LogChunk),
        page().prop_map(Reply::Page),
        status().prop_map(Reply::Status),
        presence().prop_map(Reply::Presence),
    ]
}

fn live() -> impl Strategy<Value = Live> {
    let numbers = any::<(u64, u64, u64, u64, u64, u64)>();
    let slices = (0..u32::MAX, 1..u32::MAX);
    (any::<u128>(), epoch(), numbers, slices, bytes(6000)).prop_map(
        |(stream, epoch, numbers, (a, b), changes)| Live {
            stream: StreamId(stream),
            epoch,
            flush: numbers.0,
            prev: numbers.1.min(numbers.2),
            to: numbers.1.max(numbers.2),
            index: a.min(b - 1),
            count: b,
            digest: numbers.3,
            upstream_age_ms: numbers.4,
            changes,
            changed: numbers.5,
        },
    )
}

/// Nothing that arrives may do more than be refused.
fn decode_as_everything(payload: &Bytes) {
    let _ = decode_request(payload, LIMIT);
    let _ = decode_reply(payload, LIMIT);
    let _ = decode_live(payload, LIMIT);
    let _ = decode_presence(payload, LIMIT);
}

fn damaged(payload: &Bytes, at: Index, bit: usize, cut: Index) -> [Bytes; 2] {
    let mut flipped = payload.to_vec();
    flipped[at.index(payload.len())] ^= 1 << bit;
    [flipped.into(), payload.slice(..cut.index(payload.len()))]
}

proptest! {
    #[test]
    fn requests_come_back(request in request()) {
        prop_assert_eq!(decode_request(&encode_request(&request), LIMIT), Ok(request));
    }

    #[test]
    fn replies_come_back(reply in reply()) {
        prop_assert_eq!(decode_reply(&encode_reply(&reply), LIMIT), Ok(reply));
    }

    #[test]
    fn lives_come_back(live in live()) {
        prop_assert_eq!(decode_live(&encode_live(&live), LIMIT), Ok(live));
    }

    #[test]
    fn presences_come_back(presence in presence()) {
        prop_assert_eq!(decode_presence(&encode_presence(&presence), LIMIT), Ok(presence));
    }

    #[test]
    fn hostile_payloads_are_refused(body in bytes(300), flags in 0_u8..3) {
        decode_as_everything(&body);
        decode_as_everything(&[&[MAGIC + MAJOR_VERSION, flags][..], &body].concat().into());
    }

    #[test]
    fn damaged_messages_are_refused_or_read(request in request(), reply in reply(), live in live(), presence in presence(), at: Index, bit in 0_usize..8, cut: Index) {
        let payloads = [
            encode_request(&request),
            encode_reply(&reply),
            encode_live(&live),
            encode_presence(&presence),
        ];
        for payload in payloads {
            damaged(&payload, at, bit, cut).iter().for_each(decode_as_everything);
        }
    }
}

/// Bytes that do not compress.
fn noise(length: usize) -> Bytes {
    let mut seed = 1_u64;
    let next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 56) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// What a message may have besides its contents, at its most.
#[test]
fn a_message_cut_by_its_overhead_fits() {
    let epoch = Epoch {
        term: Term {
            number: u64::MAX,
            nonce: u32::MAX,
        },
        feed: u32::MAX,
    };
    let page = Page {
        rid: u64::MAX,
        stream: StreamId(u128::MAX),
        live_topic: "x".repeat(message::MAX_TOPIC),
        epoch,
        seq: u64::MAX,
        digest: u64::MAX,
        differs: noise(message::MAX_BUCKETS / 8),
        from: noise(message::MAX_CURSOR),
        next: noise(message::MAX_CURSOR),
        last: true,
        end: true,
        upstream_age_ms: u64::MAX,
        now_ms: u64::MAX,
        dictionary: Some(noise(8 * 1024)),
        entries: noise(DEFAULT_MAX_MESSAGE - MAX_OVERHEAD - 8 * 1024),
        changed: u64::MAX,
        up_to: u64::MAX,
    };
    let length = encode_reply(&Reply::Page(page.clone())).len();
    assert!(
        length <= DEFAULT_MAX_MESSAGE && length + 100 > DEFAULT_MAX_MESSAGE,
        "{length}"
    );
    assert!(decode_reply(&encode_reply(&Reply::Page(page)), LIMIT).is_ok());
    let live = Live {
        stream: StreamId(u128::MAX),
        epoch,
        flush: u64::MAX,
        prev: u64::MAX,
        to: u64::MAX,
        index: u32::MAX - 1,
        count: u32::MAX,
        digest: u64::MAX,
        upstream_age_ms: u64::MAX,
        changes: noise(DEFAULT_MAX_MESSAGE - MAX_OVERHEAD),
        changed: u64::MAX,
    };
    assert!(encode_live(&live).len() <= DEFAULT_MAX_MESSAGE);
}

#[test]
fn a_heartbeat_is_small() {
    let live = Live {
        epoch: Epoch {
            term: Term {
                number: 1_790_000_000_000,
                nonce: u32::MAX,
            },
            feed: 3,
        },
        flush: 1000,
        prev: 100_000,
        to: 100_000,
        count: 1,
        digest: u64::MAX,
        changed: 300_000_000,
        ..Live::default()
    };
    let length = encode_live(&live).len();
    assert!(length <= 66, "{length}");
}

#[test]
fn what_repeats_is_compressed_and_what_was_packed_is_left_alone() {
    let page = |entries: Bytes| {
        encode_reply(&Reply::Page(Page {
            entries,
            ..Page::default()
        }))
    };
    let plain = page(vec![b'x'; 60_000].into());
    assert!(plain.len() < 200);
    assert_eq!(plain[1], COMPRESSED);
    assert_eq!(page(noise(60_000))[1], 0);
    let entry = |value: &[u8]| [b"namespace/name-of-pod", value].concat();
    let packed: Vec<u8> = noise(50_000).chunks(120).flat_map(entry).collect();
    assert_eq!(page(packed.into())[1], 0);
    let heartbeat = encode_live(&Live {
        count: 1,
        ..Live::default()
    });
    assert_eq!(heartbeat[..2], [0xa1, 0]);
}

#[test]
fn other_versions_and_other_payloads_are_told_apart() {
    let decode = |bytes: &'static [u8]| decode_live(&Bytes::from_static(bytes), LIMIT).unwrap_err();
    assert_eq!(decode(b""), DecodeError::Foreign);
    assert_eq!(decode(b"{\"specversion\":\"1.0\"}"), DecodeError::Foreign);
    assert_eq!(decode(&[0xa0, 0]), DecodeError::Foreign);
    assert_eq!(decode(&[0xa2, 0]), DecodeError::NewerVersion(2));
    assert_eq!(decode(&[0xa1, 2]), DecodeError::UnknownForm);
    assert_eq!(decode(&[0xa1, 0, 0xff]), DecodeError::Malformed);
    assert_eq!(decode(&[0xa1, 1, 0xff]), DecodeError::Malformed);
    assert_eq!(
        DecodeError::NewerVersion(2).to_string(),
        "a message of protocol version 2, and this program speaks 1: update this program"
    );
}

#[test]
fn fields_and_kinds_of_later_versions() {
    let live = encode_live(&Live {
        count: 1,
        ..Live::default()
    });
    let longer = Bytes::from([&live[..], &[0xf8, 0x06, 1]].concat());
    assert_eq!(decode_live(&longer, LIMIT), decode_live(&live, LIMIT));
    let unknown_kind = Bytes::from_static(&[0xa1, 0, 0x7a, 0]);
    assert_eq!(
        decode_reply(&unknown_kind, LIMIT),
        Err(DecodeError::UnknownKind)
    );
    assert_eq!(
        decode_request(&unknown_kind, LIMIT),
        Err(DecodeError::UnknownKind)
    );
}

#[test]
fn the_limit_holds_compressed_or_not() {
    for contents in [noise(5000), vec![0; 5000].into()] {
        let payload = encode_live(&Live {
            count: 1,
            changes: contents,
            ..Live::default()
        });
        assert!(decode_live(&payload, 5100).is_ok());
        assert_eq!(
            decode_live(&payload, 5000),
            Err(DecodeError::TooLarge(5000))
        );
    }
}

#[test]
fn values_that_cannot_be_are_refused_by_name() {
    let sync = |sync: Sync| decode_request(&encode_request(&Request::Sync(sync)), LIMIT);
    let asked = Sync {
        rid: 1,
        digests: vec![0],
        max_messages: 1,
        ..Sync::default()
    };
    assert!(sync(asked.clone()).is_ok());
    assert!(
        sync(Sync::default()).is_ok(),
        "a renewal needs neither rid nor digests"
    );
    for digests in [vec![], vec![0; 3], vec![0; 8192]] {
        let refused = sync(Sync {
            digests,
            ..asked.clone()
        });
        assert_eq!(refused, Err(DecodeError::Invalid("digests")));
    }
    assert_eq!(
        sync(Sync {
            rid: 0,
            ..asked.clone()
        }),
        Err(DecodeError::Invalid("rid"))
    );
    let from = Bytes::from(vec![0; 65]);
    assert_eq!(
        sync(Sync { from, ..asked }),
        Err(DecodeError::Invalid("from"))
    );

    for live_topic in ["#", "/payload/+/live", "$SYS/x", "a\u{0}", &"x".repeat(257)] {
        let page = Page {
            live_topic: live_topic.into(),
            ..Page::default()
        };
        let refused = decode_reply(&encode_reply(&Reply::Page(page)), LIMIT);
        assert_eq!(refused, Err(DecodeError::Invalid("live_topic")));
    }

    let live = |index, count, prev| {
        let live = Live {
            index,
            count,
            prev,
            to: 5,
            ..Live::default()
        };
        decode_live(&encode_live(&live), LIMIT).map(|_| ())
    };
    assert_eq!(live(0, 1, 5), Ok(()));
    assert_eq!(live(1, 1, 5), Err(DecodeError::Invalid("index")));
    assert_eq!(live(0, 0, 5), Err(DecodeError::Invalid("index")));
    assert_eq!(live(0, 1, 6), Err(DecodeError::Invalid("prev")));

    for cluster in ["", "-", "a\u{202e}b"] {
        let presence = Presence {
            cluster: cluster.into(),
            ..Presence::default()
        };
        let refused = decode_presence(&encode_presence(&presence), LIMIT);
        assert_eq!(refused, Err(DecodeError::Invalid("cluster")));
    }
}

/// The worked example of `docs/protocol.md`, byte by byte.
#[test]
fn the_documented_example_is_what_is_sent() {
    use crate::protocol::compress::{Codec, Packed};
    use crate::protocol::entries::{Change, write_change};
    let mut changes = Vec::new();
    let value = Packed {
        codec: Codec::Plain,
        bytes: Bytes::from_static(b"up"),
    };
    write_change(&mut changes, b"default/db", &Change::Value(value));
    write_change(&mut changes, b"default/web", &Change::Deleted);
    let live = Live {
        stream: StreamId(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff),
        epoch: Epoch {
            term: Term {
                number: 1_790_000_000_000,
                nonce: 0x0102_0304,
            },
            feed: 1,
        },
        flush: 3,
        prev: 7,
        to: 9,
        index: 0,
        count: 1,
        digest: 0x1122_3344_5566_7788,
        upstream_age_ms: 0,
        changes: changes.into(),
        changed: 4_711,
    };
    let sent = encode_live(&live);
    let documentation = include_str!("../../../docs/protocol.md");
    let example = documentation.split("<!-- example -->").nth(1).unwrap();
    let lines = example.lines().filter_map(|line| line.strip_prefix("    "));
    let hexadecimal = lines.flat_map(|line| line.split("  ").next().unwrap().split(' '));
    let documented: Vec<u8> = hexadecimal
        .filter(|it| !it.is_empty())
        .map(|it| u8::from_str_radix(it, 16).unwrap())
        .collect();
    assert_eq!(documented, sent, "{sent:02x?}");
}

#[test]
fn a_log_is_named_by_what_can_name_one() {
    let open = |namespace: &str, pod: &str, container: &str| LogOpen {
        rid: 1,
        log: LogSelection {
            namespace: namespace.into(),
            pod: pod.into(),
            container: container.into(),
            ..LogSelection::default()
        },
        ..LogOpen::default()
    };
    let decoded = |open: LogOpen| decode_request(&encode_request(&Request::LogOpen(open)), LIMIT);
    assert!(decoded(open("shop", "web-0.a", "app")).is_ok());
    for (wrong, field) in [
        (open("a/b", "web", "app"), "namespace"),
        (open("", "web", "app"), "namespace"),
        (open("shop", "../x", "app"), "pod"),
        (open("shop", "..", "app"), "pod"),
        (open("shop", "web?follow=true", "app"), "pod"),
        (open("shop", "", "app"), "pod"),
        (open("shop", "web", "%2e"), "container"),
        (open("shop", &"w".repeat(254), "app"), "pod"),
        (
            LogOpen {
                rid: 0,
                ..open("shop", "web", "app")
            },
            "rid",
        ),
    ] {
        assert_eq!(decoded(wrong), Err(DecodeError::Invalid(field)));
    }
}

#[test]
fn labels_that_kubernetes_would_not_take_are_refused() {
    let labelled = |labels: Vec<(String, String)>| {
        let presence = Presence {
            cluster: "east".into(),
            labels,
            ..Presence::default()
        };
        decode_presence(&encode_presence(&presence), usize::MAX).is_ok()
    };
    let label = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
    assert!(labelled(label("example.com/env", "prod")));
    assert!(labelled(label("env", "")));
    assert!(!labelled(label("env", "a b")));
    assert!(!labelled(label("", "x")));
    assert!(!labelled(label("env", &"x".repeat(64))));
    let many = |count| {
        (0..count)
            .map(|n| (format!("l{n}"), String::new()))
            .collect()
    };
    assert!(labelled(many(64)) && !labelled(many(65)));
}
