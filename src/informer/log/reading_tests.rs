//! A log's reader, told by hand what its source would send.

use super::*;
use bytes::Bytes;

struct Bench {
    reading: Reading,
    rids: Rids,
    now: Moment,
}

fn log() -> LogSelection {
    LogSelection {
        namespace: "shop".into(),
        pod: "web".into(),
        container: "app".into(),
        follow: true,
        tail: Some(10),
        ..LogSelection::default()
    }
}

impl Bench {
    fn new() -> Self {
        Self::of(log())
    }

    fn of(log: LogSelection) -> Self {
        let request = LogRequest {
            log,
            after: None,
            patience: Duration::from_secs(5),
        };
        let now = Moment::from_millis(1_000);
        Self {
            reading: Reading::new(request, Settings::default(), true, now),
            rids: Rids::default(),
            now,
        }
    }

    fn asks(&mut self) -> Vec<Ask> {
        std::iter::from_fn(|| self.reading.poll(self.now, &mut self.rids, 4)).collect()
    }

    /// Opens it, and returns what was asked.
    fn opened(&mut self) -> LogOpen {
        match self.asks().as_slice() {
            [Ask::Open(open)] | [Ask::Close(_), Ask::Open(open)] => open.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn pass(&mut self, millis: u64) {
        self.now = self.now + Duration::from_millis(millis);
    }

    fn chunk(&mut self, index: u64, text: &str, end: Option<LogEnd>) {
        let chunk = LogChunk {
            rid: self.reading.rid().unwrap_or_default(),
            index,
            lines: Bytes::copy_from_slice(text.as_bytes()),
            end,
        };
        self.reading.chunk(self.now, &chunk);
    }

    fn events(&mut self) -> Vec<LogEvent> {
        std::iter::from_fn(|| self.reading.next_event()).collect()
    }

    /// The lines that came, and nothing else did.
    fn lines(&mut self) -> Vec<String> {
        let text = |event| match event {
            LogEvent::Lines(lines) => lines
                .into_iter()
                .map(|line| String::from_utf8(line.text.to_vec()).unwrap())
                .collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        self.events().into_iter().flat_map(text).collect()
    }
}

fn stamped(second: u32, text: &str) -> String {
    format!("2026-11-25T10:00:{second:02}Z {text}\n")
}

#[test]
fn lines_come_in_order_and_no_more_is_allowed_than_was_taken() {
    let mut bench = Bench::new();
    let open = bench.opened();
    assert_eq!((open.log, open.credit), (log(), 4));
    for index in 0..4 {
        bench.chunk(index, &stamped(1, &index.to_string()), None);
    }
    // The fifth was not allowed.
    bench.chunk(4, &stamped(2, "pushed"), None);
    assert_eq!(bench.lines(), ["0", "1", "2", "3"]);
    assert_eq!(bench.asks(), [], "nobody has taken anything");
    bench.reading.taken();
    let credit = |credit| LogCredit {
        rid: open.rid,
        credit,
        lease_s: 60,
    };
    assert_eq!(
        bench.asks(),
        [Ask::Credit(credit(5))],
        "nothing is under way"
    );
    bench.reading.taken();
    assert_eq!(bench.asks(), [Ask::Credit(credit(6))]);
    bench.chunk(4, &stamped(2, "4"), None);
    assert_eq!(bench.lines(), ["4"]);
}

#[test]
fn what_comes_twice_counts_once_and_what_is_missing_is_read_again() {
    let mut bench = Bench::new();
    let first = bench.opened();
    bench.chunk(0, &stamped(1, "a"), None);
    bench.chunk(0, &stamped(1, "a"), None);
    bench.chunk(2, &stamped(3, "c"), None);
    assert_eq!(bench.lines(), ["a"]);
    let asks = bench.asks();
    let [Ask::Close(closed), Ask::Open(open)] = asks.as_slice() else {
        panic!("{asks:?}");
    };
    assert_eq!(*closed, first.rid);
    let second = "2026-11-25T10:00:01Z".parse::<jiff::Timestamp>().unwrap();
    assert_eq!(
        (open.log.tail, open.log.from_s),
        (None, Some(second.as_second()))
    );
    bench.chunk(
        0,
        &(stamped(1, "a") + &stamped(2, "b") + &stamped(3, "c")),
        None,
    );
    assert_eq!(bench.lines(), ["b", "c"]);
}

#[test]
fn a_lost_last_chunk_shows_in_the_answer_to_a_renewal() {
    let mut bench = Bench::new();
    bench.opened();
    bench.chunk(0, &stamped(1, "a"), None);
    bench.lines();
    bench.reading.taken();
    bench.pass(2_000);
    assert!(matches!(bench.asks().as_slice(), [Ask::Credit(_)]));
    bench.chunk(1, "", None);
    assert_eq!(bench.asks(), [], "all is there");
    bench.pass(2_000);
    bench.asks();
    bench.chunk(2, "", None);
    assert!(matches!(
        bench.asks().as_slice(),
        [Ask::Close(_), Ask::Open(_)]
    ));
}

#[test]
fn an_end_counts_only_when_all_before_it_came() {
    let mut bench = Bench::new();
    bench.opened();
    bench.chunk(1, "", Some(LogEnd::Finished));
    assert_eq!(bench.events(), []);
    bench.opened();
    bench.chunk(0, &stamped(1, "a"), None);
    bench.chunk(1, "", Some(LogEnd::Finished));
    let events = bench.events();
    assert!(
        matches!(
            events.as_slice(),
            [
                LogEvent::Lines(_),
                LogEvent::Ended(LogEnd::Finished, Some(_))
            ]
        ),
        "{events:?}"
    );
    assert!(matches!(bench.asks().as_slice(), [Ask::Close(_)]));
    assert_eq!(bench.reading.deadline(), None);
}

#[test]
fn a_request_that_is_lost_is_sent_again_and_silence_is_told_once() {
    let mut bench = Bench::new();
    let open = bench.opened();
    assert_eq!(bench.asks(), []);
    bench.pass(500);
    assert_eq!(bench.asks(), [Ask::Open(open)]);
    bench.pass(5_000);
    bench.asks();
    bench.pass(5_000);
    bench.asks();
    assert_eq!(bench.events(), [LogEvent::Silent]);
    bench.chunk(0, "", None);
    assert_eq!(bench.events(), [LogEvent::Heard]);
}

#[test]
fn a_source_that_began_anew_goes_on_where_the_log_was() {
    let mut bench = Bench::new();
    bench.opened();
    bench.chunk(0, &stamped(7, "a"), None);
    bench.lines();
    bench.chunk(0, "", Some(LogEnd::NotOpen));
    assert!(matches!(bench.asks().as_slice(), [Ask::Close(_)]));
    bench.pass(250);
    assert!(bench.opened().log.from_s.is_some());
    bench.chunk(0, &stamped(9, "z"), None);
    let events = bench.events();
    assert!(
        matches!(events.as_slice(), [LogEvent::Gap(_), LogEvent::Lines(_)]),
        "{events:?}"
    );
}

#[test]
fn a_log_without_lines_loses_none_when_it_is_opened_anew() {
    let mut bench = Bench::new();
    bench.opened();
    bench.chunk(0, "", None);
    bench.reading.link_down();
    assert_eq!(bench.asks(), []);
    bench.pass(30_000);
    bench.reading.link_up(bench.now);
    let open = bench.opened();
    assert_eq!((open.log.tail, open.log.since_s), (None, Some(35)));
}

#[test]
fn a_log_without_lines_that_was_asked_for_from_a_moment_on_is_opened_anew_with_one_time() {
    for (tail, again) in [(None, (Some(7), None)), (Some(0), (None, Some(35)))] {
        let mut bench = Bench::of(LogSelection {
            tail,
            from_s: Some(7),
            ..log()
        });
        bench.opened();
        bench.chunk(0, "", None);
        bench.reading.link_down();
        bench.pass(30_000);
        bench.reading.link_up(bench.now);
        let log = bench.opened().log;
        assert_eq!((log.tail, (log.from_s, log.since_s)), (None, again));
    }
}

#[test]
fn an_api_server_that_broke_off_is_told_once_and_tried_ever_more_seldom() {
    let mut bench = Bench::new();
    bench.opened();
    for wait in [250, 500, 1_000, 2_000] {
        bench.chunk(0, "", Some(LogEnd::Broken("away".into())));
        bench.pass(wait - 1);
        assert!(matches!(bench.asks().as_slice(), [Ask::Close(_)]), "{wait}");
        bench.pass(1);
        bench.opened();
    }
    assert_eq!(bench.events(), [LogEvent::Broken("away".into())]);
}

#[test]
fn a_source_that_died_is_asked_anew() {
    let mut bench = Bench::new();
    bench.opened();
    bench.chunk(0, &stamped(1, "a"), None);
    for _ in 0..2 {
        bench.pass(2_000);
        assert!(matches!(bench.asks().as_slice(), [Ask::Credit(_)]));
    }
    bench.pass(1_000);
    assert!(matches!(
        bench.asks().as_slice(),
        [Ask::Close(_), Ask::Open(_)]
    ));
}
