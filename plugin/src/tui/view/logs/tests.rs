use super::lines::{MOST, MOST_BYTES};
use super::*;
use proptest::prelude::*;

fn view(texts: &[&str]) -> LogsView {
    let mut view = LogsView::new(Target::default(), None, FeedId(1));
    view.sources.push(Source {
        request: RequestId(1),
        pod: "web-0".to_owned(),
        container: "app".to_owned(),
        ended: None,
    });
    view.set_height(2);
    tell(&mut view, texts);
    view
}

fn tell(view: &mut LogsView, texts: &[&str]) {
    let line = |text: &&str| LogLine {
        time: None,
        stamp: Default::default(),
        text: (*text).to_owned().into(),
        cut: false,
    };
    view.take(
        RequestId(1),
        LogEvent::Lines(texts.iter().map(line).collect()),
    );
}

fn seen(view: &LogsView) -> Vec<&str> {
    view.lines_from(view.top)
        .take(view.height)
        .map(|line| line.text.as_str())
        .collect()
}

#[test]
fn the_end_is_followed_until_somebody_goes_up() {
    let mut view = view(&["a", "b", "c"]);
    assert_eq!(seen(&view), ["b", "c"]);
    view.step(Step::Lines(-1));
    tell(&mut view, &["d"]);
    assert_eq!(seen(&view), ["a", "b"]);
    view.step(Step::Last);
    tell(&mut view, &["e"]);
    assert_eq!(seen(&view), ["d", "e"]);
}

#[test]
fn filters_and_remarks() {
    let mut view = view(&["GET /", "POST /", "GET /x"]);
    view.set_filter("get");
    assert_eq!(seen(&view), ["GET /", "GET /x"]);
    view.set_filter("!get");
    tell(&mut view, &["GET /y", "PUT"]);
    assert_eq!(seen(&view), ["POST /", "PUT"]);
    view.set_filter("(");
    assert!(view.wrong.is_some());
    assert_eq!(
        seen(&view),
        ["POST /", "PUT"],
        "what was understood last counts"
    );
    view.take(RequestId(1), LogEvent::Broken("reset".to_owned()));
    assert_eq!(
        seen(&view)[1],
        "app: reset; trying again",
        "and is never filtered out"
    );
    view.take(RequestId(9), LogEvent::Heard);
    assert_eq!(
        view.len(),
        6,
        "news of a log that is not read any more are none"
    );
}

#[test]
fn what_was_there_before_stands_where_it_was_written() {
    let mut view = view(&[]);
    view.sources.push(Source {
        request: RequestId(2),
        pod: "web-1".to_owned(),
        container: "app".to_owned(),
        ended: None,
    });
    view.set_height(9);
    let lines = |times: &[u8]| {
        let line = |second: &u8| LogLine {
            time: None,
            stamp: format!("2026-11-27T10:00:{second:02}.5Z").into(),
            text: second.to_string().into(),
            cut: false,
        };
        LogEvent::Lines(times.iter().map(line).collect())
    };
    view.take(RequestId(1), lines(&[1, 3, 9]));
    view.take(RequestId(2), LogEvent::Broken("x".to_owned()));
    view.take(RequestId(2), lines(&[2, 3, 4, 11]));
    let want = ["1", "2", "3", "3", "4", "9", "app: x; trying again", "11"];
    assert_eq!(seen(&view), want);
    view.set_filter("1");
    view.take(RequestId(1), lines(&[10, 12, 21]));
    let want = ["1", "10", "app: x; trying again", "11", "12", "21"];
    assert_eq!(seen(&view).len(), want.len(), "{:?}", seen(&view));
    let many = vec![0; MOST];
    view.take(RequestId(1), lines(&many));
    assert_eq!(view.len(), MOST, "the oldest are forgotten");
}

#[test]
fn what_is_looked_at_stays_where_it_is_while_older_lines_come() {
    let mut view = view(&[]);
    view.sources.push(Source {
        request: RequestId(2),
        pod: "web-1".to_owned(),
        container: "app".to_owned(),
        ended: None,
    });
    let lines = |times: &[u8]| {
        let line = |second: &u8| LogLine {
            time: None,
            stamp: format!("2026-11-27T10:00:{second:02}.5Z").into(),
            text: second.to_string().into(),
            cut: false,
        };
        LogEvent::Lines(times.iter().map(line).collect())
    };
    view.take(RequestId(1), lines(&[10, 20, 30, 40, 50]));
    view.step(Step::Lines(-1));
    assert_eq!(seen(&view), ["30", "40"]);
    view.take(RequestId(2), lines(&[1, 11, 21, 45]));
    assert_eq!(seen(&view), ["30", "40"]);
    view.step(Step::First);
    view.take(RequestId(2), lines(&[2, 12]));
    assert_eq!(seen(&view), ["1", "2"]);
    view.set_filter("0");
    view.step(Step::Lines(1));
    assert_eq!(seen(&view), ["20", "30"]);
    view.take(RequestId(2), lines(&[0, 15, 16, 25]));
    assert_eq!(seen(&view), ["20", "30"], "whatever passes before it");
    view.set_filter("");
    view.step(Step::Last);
    view.take(RequestId(2), lines(&[13]));
    assert_eq!(seen(&view), ["45", "50"], "who follows, follows");
}

#[test]
fn memory_is_bounded_by_bytes_too() {
    let mut view = view(&[]);
    let long = "x".repeat(MOST_BYTES / 8);
    for _ in 0..9 {
        tell(&mut view, &[&long]);
    }
    assert_eq!((view.len(), view.shown()), (8, 8));
    tell(&mut view, &["y"]);
    assert_eq!(seen(&view)[1], "y");
    assert_eq!(view.len(), 8);
}

#[test]
fn memory_is_bounded() {
    let mut view = view(&[]);
    view.set_filter("!x");
    for _ in 0..MOST {
        tell(&mut view, &["x", "y"]);
    }
    assert_eq!((view.len(), view.shown()), (MOST, MOST / 2));
    assert_eq!(seen(&view), ["y", "y"]);
}

#[test]
fn colours_of_the_container_are_left_out() {
    let view = view(&["\u{1b}[1;31merror\u{1b}[0m: x\u{1b}[2J\u{1b}[", "a\tb"]);
    assert_eq!(seen(&view), ["error: x^[[2J^[[", "a    b"]);
}

proptest! {
    #[test]
    fn nothing_panics(text in "(\\x1b\\[|[0-9;m]|\\PC){0,12}") {
        let _ = without_colours(&text);
    }
}
