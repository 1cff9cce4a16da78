//! What becomes of lines that change, and whether anybody sees it.

use super::*;

#[test]
fn what_changed_is_marked_for_a_while() {
    let mut bed = Bed::of(&THREE);
    assert_eq!(bed.mark("b"), None, "the first copy is no news");
    bed.news("east", &["b 1/1 Running 1000", "d 1/1 Running 1"], 100);
    assert_eq!(bed.mark("b"), Some(Change::Cells(0b110)));
    assert_eq!(bed.mark("d"), Some(Change::New));
    assert_eq!(bed.grid.next_tick(), Some(Duration::from_millis(1300)));
    assert!(!bed.grid.tick(then(Duration::from_millis(1299))));
    assert!(bed.grid.tick(then(Duration::from_millis(1300))));
    assert_eq!(
        (bed.mark("b"), bed.mark("d"), bed.grid.next_tick()),
        (None, None, None)
    );
}

#[test]
fn marks_that_end_one_after_the_other_end_together() {
    let mut bed = Bed::of(&THREE);
    bed.news("east", &["b 1/1 Running 1000"], 101);
    bed.news("east", &["d 1/1 Running 1"], 180);
    assert_eq!(bed.grid.next_tick(), Some(Duration::from_millis(1400)));
    assert!(bed.grid.tick(then(Duration::from_millis(1400))));
    assert_eq!(bed.grid.next_tick(), None);
}

#[test]
fn what_went_fades_and_may_come_back() {
    let mut bed = Bed::of(&THREE);
    bed.grid.step(Step::Lines(1));
    bed.news("east", &["-c"], 0);
    assert_eq!(
        (bed.mark("c"), bed.selected().as_str()),
        (Some(Change::Gone), "c")
    );
    bed.news("east", &["c 0/1 Pending 9"], 500);
    assert_eq!(bed.mark("c"), Some(Change::New));
    bed.news("east", &["-c"], 1000);
    bed.grid.tick(then(Duration::from_millis(2199)));
    assert_eq!(bed.grid.len(), 3);
    bed.grid.tick(then(Duration::from_millis(2200)));
    assert_eq!(bed.shown(), "east/b west/a");
    assert_eq!(bed.selected(), "a", "the next one is selected");
}

#[test]
fn a_change_that_nobody_sees_is_no_change() {
    let mut bed = Bed::of(&THREE);
    bed.news("east", &["b 0/1 Pending 1000"], 0);
    assert_eq!(bed.mark("b"), None);
}

#[test]
fn a_change_is_seen_if_it_is_among_the_lines_on_the_screen() {
    let names = ["b", "c", "d", "e", "f", "g"];
    let rows = names.map(|name| format!("{name} 1/1 Running 1"));
    let rows: Vec<_> = rows.iter().map(|row| ("east", row.as_str())).collect();
    let mut bed = Bed::of(&rows);
    let mut told = |row: &str| bed.tell("east", &[row], Novelty::News, at(10));
    assert!(told("d 0/1 Running 1"), "the last of three");
    assert!(!told("e 0/1 Running 1"), "the one below");
    assert!(!told("-g"), "it goes unseen");
    assert!(!told("h 1/1 Running 1"), "it comes unseen");
    assert!(told("c-1 1/1 Running 1"), "it comes between");
    assert!(told("-b"), "it fades");
}

#[test]
fn what_the_filter_hides_is_not_seen() {
    let mut bed = Bed::of(&THREE);
    bed.grid.set_query(Query::parse("nosuch").unwrap(), at(0));
    let mut told = |rows: &[&str]| bed.tell("east", rows, Novelty::News, at(10));
    assert!(!told(&[
        "b 1/1 Running 1",
        "c 0/1 Running 1",
        "d 1/1 Running 1",
        "e 1/1 Running 1"
    ]));
    assert!(told(&["nosuch 1/1 Running 1"]));
}
