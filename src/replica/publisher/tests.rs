//! What a publisher does, told step by step.

use super::*;
use crate::protocol::entries::read_entries;
use crate::protocol::message::{Epoch, Live};
use bytes::Bytes;
use std::iter::from_fn;

const WALL_MS: u64 = 1_700_000_000_000;

/// A publisher, its clock, and what it wanted done since somebody last looked.
struct Bench {
    publisher: Publisher,
    now: Moment,
    outputs: Vec<Output>,
}

fn at(ms: u64) -> Moment {
    Moment::from_millis(ms)
}

fn session(id: &str) -> Session {
    Session {
        user: "ann".into(),
        id: id.into(),
    }
}

fn target(stream: u128) -> Target {
    Target {
        stream: StreamId(stream),
        live_topic: format!("live/{stream}").into(),
        resource: "pods.v1".into(),
    }
}

fn presence(number: u64, nonce: u32, online: bool) -> Presence {
    Presence {
        term: Term { number, nonce },
        online,
        ..Presence::default()
    }
}

fn ask(rid: u64) -> Sync {
    Sync {
        rid,
        digests: vec![0],
        max_messages: 4,
        lease_s: 60,
        ..Sync::default()
    }
}

impl Bench {
    /// Not connected, API server not heard.
    fn new(settings: Settings) -> Self {
        Self {
            publisher: Publisher::new(settings, presence(0, 7, true), 1),
            now: at(0),
            outputs: Vec::new(),
        }
    }

    /// One that writes.
    fn writing() -> Self {
        let mut bench = Self::new(Settings::default());
        bench.publisher.link_up(at(0), 1 << 20);
        bench.run_to(1_000);
        bench.outputs.clear();
        bench
    }

    /// Time passes; the API server answers its probes.
    fn run_to(&mut self, ms: u64) {
        while self.now < at(ms) {
            self.now = (self.now + Duration::from_millis(500)).min(at(ms));
            self.publisher.api_alive(self.now);
            self.poll();
        }
    }

    fn poll(&mut self) {
        let (now, wall_ms) = (self.now, WALL_MS + self.now.as_micros() / 1000);
        let publisher = &mut self.publisher;
        self.outputs
            .extend(from_fn(|| publisher.poll(now, wall_ms)));
    }

    fn sync(&mut self, id: &str, sync: Sync, stream: u128) {
        self.publisher
            .sync(self.now, &session(id), sync, &target(stream));
        self.poll();
    }

    fn upstream(&mut self, stream: u128, event: Upstream) {
        let opening = self.opening(stream);
        self.publisher
            .upstream(self.now, StreamId(stream), opening, event);
        self.poll();
    }

    fn listed(&mut self, stream: u128, entries: &[(&'static str, &'static str)]) {
        let entries = entries.iter();
        let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
        let list = entries
            .map(|(key, value)| (bytes(key), bytes(value)))
            .collect();
        self.upstream(stream, Upstream::Listed(list, 1));
        self.upstream(stream, Upstream::Watching);
    }

    fn opening(&self, stream: u128) -> Opening {
        self.publisher.streams[&StreamId(stream)].opening()
    }

    fn pages(&mut self) -> Vec<(Session, Page)> {
        let (now, publisher) = (self.now, &mut self.publisher);
        from_fn(|| publisher.next_page(now, 0)).collect()
    }

    /// What was done since somebody last looked, of one kind.
    fn take<T>(&mut self, of_kind: impl Fn(&Output) -> Option<T>) -> Vec<T> {
        let taken = self.outputs.iter().filter_map(of_kind).collect();
        self.outputs.clear();
        taken
    }

    fn lives(&mut self) -> Vec<(u64, Live)> {
        self.take(|output| match output {
            Output::Live { ticket, live } => Some((*ticket, live.clone())),
            _ => None,
        })
    }

    fn states(&mut self) -> Vec<State> {
        self.take(|output| match output {
            Output::Reply {
                reply: Reply::Status(status),
                ..
            } => Some(status.state.clone()),
            _ => None,
        })
    }

    fn presences(&mut self) -> Vec<Presence> {
        self.take(|output| match output {
            Output::Presence(presence) => Some(presence.clone()),
            _ => None,
        })
    }
}

#[test]
fn the_first_presence_waits_for_the_api_server_and_for_others() {
    let mut bench = Bench::new(Settings::default());
    bench.publisher.link_up(at(0), 1 << 20);
    bench.now = at(5_000);
    bench.poll();
    assert_eq!(bench.publisher.role(), Role::Starting);
    bench
        .publisher
        .presence(bench.now, &presence(WALL_MS + 77_000, 3, true));
    bench.run_to(6_000);
    assert_eq!(bench.publisher.role(), Role::Writing);
    let told = bench.presences();
    assert_eq!(
        told[0].term.number,
        WALL_MS + 77_001,
        "the newest wins, whatever the clock says"
    );
}

#[test]
fn a_source_that_has_just_come_leaves_its_api_server_a_moment() {
    let mut bench = Bench::new(Settings::default());
    bench.publisher.link_up(at(0), 1 << 20);
    bench.now = at(500);
    bench.sync("s", ask(1), 1);
    assert!(bench.states().is_empty(), "it may answer yet");
    bench.publisher.api_down(bench.now);
    bench.sync("s", ask(2), 1);
    assert_eq!(bench.states().len(), 1, "it did not");
}

#[test]
fn a_source_without_api_server_says_so_instead_of_silence() {
    let mut bench = Bench::new(Settings::default());
    bench.publisher.link_up(at(0), 1 << 20);
    bench.now = at(5_000);
    bench.sync("s", ask(1), 1);
    assert!(matches!(
        bench.states()[..],
        [State::UpstreamDown {
            since_ms: 5_000,
            ..
        }]
    ));
    assert!(bench.publisher.streams(at(5_000)).is_empty());
    // Nor does it know what the words mean.
    let away = State::UpstreamDown {
        since_ms: 9,
        message: "connection refused".to_owned(),
    };
    let decline = |bench: &mut Bench| {
        let (now, why) = (bench.now, away.clone());
        bench.publisher.decline(now, &session("s"), 1, why);
        bench.poll();
    };
    decline(&mut bench);
    assert_eq!(bench.states(), std::slice::from_ref(&away));
    // Somebody else is there: it is his to say.
    bench
        .publisher
        .presence(bench.now, &presence(WALL_MS, 3, true));
    decline(&mut bench);
    assert_eq!(bench.states(), []);
}

#[test]
fn until_the_list_is_there_the_session_is_told_why_and_then_answered() {
    let mut bench = Bench::writing();
    bench.sync("s", ask(1), 1);
    bench.upstream(1, Upstream::Listing);
    let part: Vec<_> = (0..500_u32)
        .map(|number| (number.to_string().into(), "1".into()))
        .collect();
    bench.upstream(1, Upstream::Part(part));
    bench.run_to(2_100);
    let (first, last) = (State::Listing { items: 0 }, State::Listing { items: 500 });
    assert_eq!(bench.states(), [first, last]);
    assert!(bench.pages().is_empty());
    bench.listed(1, &[("a", "1"), ("b", "2")]);
    let pages = bench.pages();
    assert_eq!(pages.len(), 1);
    assert!(pages[0].1.end && pages[0].1.seq == 1 && pages[0].1.rid == 1);
}

#[test]
fn what_came_of_a_list_that_broke_is_forgotten() {
    let mut bench = Bench::writing();
    bench.sync("s", ask(1), 1);
    let part = || vec![("gone".into(), "1".into())];
    bench.upstream(1, Upstream::Listing);
    bench.upstream(1, Upstream::Part(part()));
    bench.upstream(1, Upstream::Down("reset".to_owned()));
    bench.upstream(1, Upstream::Listing);
    bench.listed(1, &[("a", "1")]);
    assert_eq!(bench.publisher.streams(bench.now)[0].entries, 1);
    bench.upstream(1, Upstream::Listing);
    bench.upstream(1, Upstream::Part(part()));
    bench.upstream(1, Upstream::Listing);
    bench.upstream(1, Upstream::Part(vec![("b".into(), "1".into())]));
    bench.listed(1, &[("a", "1")]);
    assert_eq!(bench.publisher.streams(bench.now)[0].entries, 2);
}

#[test]
fn a_renewal_asks_for_nothing_and_keeps_the_stream() {
    let mut bench = Bench::writing();
    bench.sync("s", ask(1), 1);
    bench.listed(1, &[("a", "1")]);
    bench.pages();
    for at_s in [30, 80, 130] {
        bench.run_to(at_s * 1_000);
        bench.sync(
            "s",
            Sync {
                max_messages: 0,
                ..ask(0)
            },
            1,
        );
    }
    assert_eq!(
        (
            bench.publisher.streams(bench.now).len(),
            bench.pages().len()
        ),
        (1, 0)
    );
    bench.run_to(191_000);
    assert!(
        bench.publisher.streams(bench.now).is_empty(),
        "its lease ran out"
    );
}

#[test]
fn a_stream_that_was_left_lingers_and_is_answered_at_once() {
    let mut bench = Bench::writing();
    bench.sync("s", ask(1), 1);
    bench.listed(1, &[("a", "1")]);
    bench.pages();
    bench.publisher.leave(bench.now, &session("s"), StreamId(1));
    bench.run_to(20_000);
    bench.sync("t", ask(1), 1);
    assert_eq!(bench.pages().len(), 1);
    bench.publisher.leave(bench.now, &session("t"), StreamId(1));
    bench.run_to(51_000);
    assert!(bench.publisher.streams(bench.now).is_empty());
}

#[test]
fn a_feed_made_anew_has_another_epoch() {
    let mut bench = Bench::writing();
    let mut epochs = Vec::new();
    for end in [100_000, 200_000] {
        bench.sync("s", ask(end), 1);
        bench.listed(1, &[("a", "1")]);
        epochs.push(bench.pages()[0].1.epoch);
        bench.run_to(end);
    }
    assert!(epochs[0] < epochs[1] && epochs[0].term == epochs[1].term);
}

#[test]
fn news_of_an_earlier_opening_are_none() {
    let mut bench = Bench::writing();
    bench.sync("s", ask(1), 1);
    let old = bench.opening(1);
    bench.run_to(100_000);
    bench.sync("s", ask(2), 1);
    bench
        .publisher
        .upstream(bench.now, StreamId(1), old, Upstream::Listed(Vec::new(), 1));
    bench.poll();
    assert!(bench.pages().is_empty());
}

#[test]
fn changes_leave_as_one_flush_and_the_next_waits_for_its_acknowledgement() {
    let mut bench = Bench::writing();
    bench.sync("s", ask(1), 1);
    bench.listed(1, &[("a", "1")]);
    bench.lives();
    bench.upstream(1, Upstream::Put("a".into(), "2".into(), 2));
    bench.upstream(1, Upstream::Put("b".into(), "3".into(), 3));
    let flushed = bench.lives();
    assert_eq!(
        flushed
            .iter()
            .map(|(_, live)| (live.prev, live.to))
            .collect::<Vec<_>>(),
        [(1, 2)]
    );
    bench.publisher.acknowledged(bench.now, flushed[0].0);
    bench.poll();
    assert_eq!((bench.lives()[0].1.prev, bench.lives().len()), (2, 0));
}

#[test]
fn what_was_in_flight_when_the_link_broke_leaves_again() {
    let mut bench = Bench::writing();
    bench.sync("s", ask(1), 1);
    bench.listed(1, &[("a", "1")]);
    bench.upstream(1, Upstream::Put("a".into(), "2".into(), 2));
    bench.lives();
    bench.publisher.link_down(bench.now);
    bench.upstream(1, Upstream::Put("b".into(), "3".into(), 3));
    assert!(bench.lives().is_empty());
    bench.publisher.link_up(bench.now, 1 << 20);
    bench.poll();
    let (_, live) = bench.lives().remove(0);
    assert_eq!((live.prev, live.to), (1, 3), "no gap for anybody");
}

#[test]
fn a_newer_presence_makes_it_stand_by_until_the_last_will() {
    let mut bench = Bench::writing();
    bench.sync("s", ask(1), 1);
    bench
        .publisher
        .presence(bench.now, &presence(WALL_MS * 2, 9, true));
    bench.poll();
    let writer = Term {
        number: WALL_MS * 2,
        nonce: 9,
    };
    assert_eq!(
        bench.publisher.role(),
        Role::StandingBy {
            writer,
            foreign: false
        }
    );
    assert!(
        bench
            .take(|output| matches!(output, Output::Close { .. }).then_some(()))
            .len()
            == 1
    );
    bench.sync("s", ask(2), 1);
    assert!(bench.outputs.is_empty(), "silent, whatever it is asked");
    // A last will was fixed when its owner connected: its number may be an older one.
    bench.publisher.presence(bench.now, &presence(1, 9, false));
    bench.run_to(1_500);
    assert_ne!(bench.publisher.role(), Role::Writing);
    bench.run_to(2_500);
    assert_eq!(bench.publisher.role(), Role::Writing);
    assert_eq!(bench.presences()[0].term.number, WALL_MS * 2 + 1);
}

#[test]
fn a_stuck_writer_loses_the_role_and_a_quiet_one_that_answers_keeps_it() {
    let writer = presence(WALL_MS * 2, 9, true);
    for (answers, loses) in [(false, true), (true, false)] {
        let mut bench = Bench::writing();
        bench.publisher.presence(bench.now, &writer);
        for second in 2..60 {
            bench.run_to(second * 1_000);
            bench.publisher.live(bench.now, writer.term, 31_000);
            if answers
                && !bench
                    .take(|output| matches!(output, Output::Who { .. }).then_some(()))
                    .is_empty()
            {
                bench.publisher.presence(bench.now, &writer);
            }
        }
        assert_eq!(bench.publisher.role() == Role::Writing, loses);
    }
}

#[test]
fn an_older_presence_and_my_own_last_will_are_answered_once_a_second() {
    let mut bench = Bench::writing();
    for heard in [
        presence(1, 9, true),
        presence(0, 7, false),
        presence(2, 9, false),
    ] {
        bench.publisher.presence(bench.now, &heard);
        bench.poll();
    }
    bench.run_to(2_000);
    assert_eq!(bench.presences().len(), 1);
}

#[test]
fn another_cluster_under_the_name_of_one_that_is_online_is_refused() {
    let of = |uid: &str, number, nonce| Presence {
        cluster_uid: uid.to_owned(),
        ..presence(number, nonce, true)
    };
    let mut bench = Bench::new(Settings::default());
    bench.publisher.describe(at(0), "mine", "v1.36.3");
    bench.publisher.link_up(at(0), 1 << 20);
    bench.publisher.presence(at(0), &of("theirs", 5, 9));
    bench.run_to(3_000);
    assert!(matches!(
        bench.publisher.role(),
        Role::StandingBy { foreign: true, .. }
    ));
    assert!(bench.presences().is_empty());
}

#[test]
fn a_claim_renews_the_term_at_once_and_then_once_a_minute_above_the_highest() {
    let mut bench = Bench::writing();
    let claim = |number| Sync {
        epoch: Epoch {
            term: Term { number, nonce: 1 },
            feed: 0,
        },
        ..ask(1)
    };
    bench.sync("s", claim(WALL_MS + 1_000_000), 1);
    assert_eq!(bench.publisher.term().number, WALL_MS + 1_000_001);
    bench.sync("honest", claim(WALL_MS + 9_000_000), 1);
    bench.sync("liar", claim(WALL_MS + 1_000_002), 1);
    bench.sync("mad", claim(u64::MAX), 1);
    bench.run_to(50_000);
    assert_eq!(bench.publisher.term().number, WALL_MS + 1_000_001);
    bench.run_to(62_000);
    assert_eq!(bench.publisher.term().number, WALL_MS + 9_000_001);
}

#[test]
fn a_user_beyond_the_quota_is_refused_and_a_lingering_stream_makes_room() {
    let mut bench = Bench::writing();
    bench.publisher.settings.feeds = 2;
    bench.publisher.settings.feeds_per_user = 2;
    bench.sync("s", ask(1), 1);
    bench.sync("s", ask(2), 2);
    bench.outputs.clear();
    bench.sync("s", ask(3), 3);
    assert!(matches!(
        &bench.states()[..],
        [State::Refused { code: 429, .. }]
    ));
    bench.publisher.leave(bench.now, &session("s"), StreamId(1));
    bench.sync("s", ask(4), 3);
    let served: Vec<u128> = bench
        .publisher
        .streams(bench.now)
        .iter()
        .map(|report| report.stream.0)
        .collect();
    assert_eq!(served, [2, 3]);
}

#[test]
fn an_answer_comes_in_windows_of_one_snapshot_and_alike_each_time() {
    let mut bench = Bench::writing();
    bench.publisher.settings.framing_bytes = 0;
    bench.publisher.max_payload = 30;
    let window = |from: &Bytes| Sync {
        max_messages: 2,
        from: from.clone(),
        ..ask(1)
    };
    bench.sync("s", window(&Bytes::new()), 1);
    bench.listed(
        1,
        &[
            ("a", "1111111111111111111111111"),
            ("b", "2222222222222222222222222"),
            ("c", "3"),
        ],
    );
    let first = bench.pages();
    assert_eq!(
        first.iter().map(|(_, page)| page.last).collect::<Vec<_>>(),
        [false, true]
    );
    bench.upstream(1, Upstream::Delete("a".into(), 4));
    bench.sync("s", window(&first[1].1.next), 1);
    let second = bench.pages();
    bench.sync("s", window(&first[0].1.next), 1);
    let again = bench.pages();
    assert_eq!(second[0].1.seq, 1, "the snapshot, not what there is now");
    assert_eq!(again[0].1.entries, first[1].1.entries);
    let whole = first
        .iter()
        .chain(&second)
        .flat_map(|(_, page)| page.entries.to_vec());
    let entries = read_entries(whole.collect::<Vec<u8>>().into());
    assert_eq!(entries.filter(Result::is_ok).count(), 3);
}

#[test]
fn a_late_duplicate_of_an_older_request_does_not_take_the_snapshot_away() {
    let mut bench = Bench::writing();
    bench.sync("s", ask(5), 1);
    bench.listed(1, &[("a", "1")]);
    bench.pages();
    bench.sync("s", ask(4), 1);
    assert!(bench.pages().is_empty());
}

#[test]
fn hostile_requests_are_dropped() {
    let mut bench = Bench::writing();
    for digests in [vec![], vec![0; 3], vec![0; 8192]] {
        bench.sync("s", Sync { digests, ..ask(1) }, 1);
    }
    assert!(bench.publisher.streams(bench.now).is_empty());
}

#[test]
fn a_hanging_api_server_shows_in_the_age_however_lively_the_link_is() {
    let mut bench = Bench::writing();
    bench.sync("s", ask(1), 1);
    bench.listed(1, &[("a", "1")]);
    bench.upstream(1, Upstream::Alive);
    for second in 2..12 {
        bench.now = at(second * 1_000);
        bench.poll();
    }
    let ages: Vec<u64> = bench
        .lives()
        .iter()
        .map(|(_, live)| live.upstream_age_ms)
        .collect();
    assert_eq!((ages[0], ages[1]), (0, 0));
    assert_eq!(ages.last(), Some(&10_000));
}

#[test]
fn probes_keep_a_quiet_watch_alive_but_the_first_after_a_pause_proves_nothing() {
    let mut bench = Bench::writing();
    bench.sync("s", ask(1), 1);
    bench.listed(1, &[("a", "1")]);
    bench.upstream(1, Upstream::Alive);
    bench.run_to(30_000);
    let age = |bench: &Bench| bench.publisher.streams(bench.now)[0].upstream_age;
    assert_eq!(age(&bench), Duration::ZERO);
    bench.now = at(40_000);
    bench.publisher.api_alive(bench.now);
    assert_eq!(
        age(&bench),
        Duration::from_secs(10),
        "what waited may still come"
    );
    bench.run_to(41_000);
    assert_eq!(age(&bench), Duration::ZERO);
    bench.upstream(1, Upstream::Listing);
    bench.run_to(46_000);
    assert_eq!(
        age(&bench),
        Duration::from_secs(5),
        "while it lists it does not watch"
    );
}

#[test]
fn a_watch_that_goes_on_without_a_list_is_proven_by_probes_after_it_opened() {
    let mut bench = Bench::writing();
    bench.sync("s", ask(1), 1);
    bench.listed(1, &[("a", "1")]);
    bench.run_to(10_000);
    bench.upstream(1, Upstream::Down("reset".to_owned()));
    bench.run_to(15_000);
    let age = |bench: &Bench| bench.publisher.streams(bench.now)[0].upstream_age;
    assert_eq!(age(&bench), Duration::from_secs(5));
    bench.upstream(1, Upstream::Watching);
    bench.run_to(15_500);
    assert_eq!(
        age(&bench),
        Duration::from_millis(5_500),
        "it may have much to tell"
    );
    bench.run_to(16_000);
    assert_eq!(age(&bench), Duration::ZERO);
}

#[test]
fn what_is_listed_again_and_again_is_as_old_as_its_last_list() {
    let mut bench = Bench::writing();
    bench.sync("s", ask(1), 1);
    let age = |bench: &Bench| bench.publisher.streams(bench.now)[0].upstream_age;
    for second in [10, 20] {
        bench.run_to(second * 1_000);
        bench.upstream(1, Upstream::Listing);
        bench.run_to((second + 1) * 1_000);
        bench.upstream(1, Upstream::Listed(vec![("a".into(), "1".into())], 1));
        bench.run_to((second + 4) * 1_000);
        assert_eq!(age(&bench), Duration::from_secs(4));
    }
}
