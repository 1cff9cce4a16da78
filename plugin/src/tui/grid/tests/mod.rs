mod news;

use super::*;
use crate::tui::testing::{header, name, row};
use mqtt_informer::informer::Notice;
use proptest::prelude::*;
use std::collections::BTreeMap;

const COLUMNS: [&str; 4] = ["Name", "Ready", "Status", "Age"];

pub(super) fn at(ms: u64) -> Now {
    Now {
        at: Duration::from_millis(ms),
        wall_ms: 1_000_000,
    }
}

fn then(at: Duration) -> Now {
    Now { at, ..self::at(0) }
}

/// A grid, and what its clusters hold.
pub(super) struct Bed {
    pub(super) grid: Grid,
    held: BTreeMap<(String, Bytes), Bytes>,
    used: BTreeMap<(String, Bytes), Bytes>,
}

impl Bed {
    fn new() -> Self {
        let mut bed = Self {
            grid: Grid::new(Only::All),
            held: BTreeMap::new(),
            used: BTreeMap::new(),
        };
        bed.grid.set_height(3);
        bed
    }

    pub(super) fn of(rows: &[(&str, &str)]) -> Self {
        let mut bed = Self::new();
        let clusters: BTreeSet<_> = rows.iter().map(|(cluster, _)| *cluster).collect();
        for cluster in clusters {
            let its: Vec<_> = rows
                .iter()
                .filter(|(of, _)| *of == cluster)
                .map(|(_, row)| *row)
                .collect();
            bed.tell(cluster, &its, Novelty::Known, at(0));
        }
        bed
    }

    fn notice(&mut self, cluster: &str, text: &str) -> Notice {
        let (text, new) = match text.strip_prefix('-') {
            Some(name) => (name, None),
            None => (text, Some(row(text))),
        };
        let key = Bytes::from(format!("shop/{}", text.split(' ').next().unwrap()));
        let place = (cluster.to_owned(), key.clone());
        let old = match &new {
            Some(new) => self.held.insert(place, new.clone()),
            None => self.held.remove(&place),
        };
        Notice { key, old, new }
    }

    /// `-web-1` for one that went.
    pub(super) fn tell(
        &mut self,
        cluster: &str,
        rows: &[&str],
        novelty: Novelty,
        now: Now,
    ) -> bool {
        let mut notices = Vec::new();
        if novelty == Novelty::Known {
            let new = Some(header("pods", &COLUMNS));
            notices.push(Notice {
                key: Bytes::new(),
                old: None,
                new,
            });
        }
        notices.extend(rows.iter().map(|row| self.notice(cluster, row)));
        self.grid.apply(&name(cluster), &notices, novelty, now)
    }

    fn news(&mut self, cluster: &str, rows: &[&str], ms: u64) {
        self.tell(cluster, rows, Novelty::News, at(ms));
    }

    /// Thousandths of a core that pods use, or that it is not known any more.
    fn measure(&mut self, cluster: &str, pods: &[(usize, Option<u8>)]) {
        let take = |(pod, cpu): &(usize, Option<u8>)| {
            let key = Bytes::from(format!("shop/n{pod}"));
            let usage = |cpu| format!(r#"{{"containers":[{{"usage":{{"cpu":"{cpu}m"}}}}]}}"#);
            let new = cpu.map(|cpu| Bytes::from(usage(cpu)));
            let place = (cluster.to_owned(), key.clone());
            let old = match &new {
                Some(new) => self.used.insert(place, new.clone()),
                None => self.used.remove(&place),
            };
            Notice { key, old, new }
        };
        let notices: Vec<_> = pods.iter().map(take).collect();
        self.grid.measure(&name(cluster), Measure::Used, &notices);
    }

    pub(super) fn shown(&self) -> String {
        let names = (0..self.grid.shown()).filter_map(|place| self.grid.object_at(place));
        let names: Vec<_> = names
            .map(|it| format!("{}/{}", it.cluster.as_str(), it.name))
            .collect();
        names.join(" ")
    }

    fn selected(&self) -> String {
        self.grid.selected().map_or_else(String::new, |it| it.name)
    }

    fn mark(&self, name: &str) -> Option<Change> {
        let find = |place: &usize| {
            self.grid
                .object_at(*place)
                .is_some_and(|it| it.name == name)
        };
        let place = (0..self.grid.shown()).find(find)?;
        self.grid.seen(place, at(0))?.mark.map(|mark| mark.change)
    }
}

const THREE: [(&str, &str); 3] = [
    ("west", "a 1/1 Running 3000"),
    ("east", "b 0/1 Pending 1000"),
    ("east", "c 1/1 Running 2000"),
];

#[test]
fn lines_stand_by_cluster_and_name_until_they_are_sorted() {
    let mut bed = Bed::of(&THREE);
    assert_eq!(bed.shown(), "east/b east/c west/a");
    let age = bed.grid.field_named("AGE");
    bed.grid.set_sort(Sort {
        by: age,
        descending: false,
    });
    assert_eq!(bed.shown(), "west/a east/c east/b", "the younger first");
    bed.grid.set_sort(Sort {
        by: age,
        descending: true,
    });
    assert_eq!(bed.shown(), "east/b east/c west/a");
    let ready = bed.grid.field_named("ready");
    bed.grid.set_sort(Sort {
        by: ready,
        descending: false,
    });
    assert_eq!(bed.shown(), "east/b east/c west/a");
}

#[test]
fn a_column_that_turns_out_to_be_another_kind_is_sorted_anew() {
    let mut bed = Bed::of(&[("east", "a 1/1 10 1"), ("east", "b 1/1 9 1")]);
    bed.grid.set_sort(Sort {
        by: bed.grid.field_named("status"),
        descending: false,
    });
    assert_eq!(bed.shown(), "east/b east/a", "numbers");
    bed.news("east", &["c 1/1 Running 1"], 0);
    assert_eq!(bed.shown(), "east/a east/b east/c", "text");
    bed.news("east", &["-c"], 0);
    bed.grid.tick(then(FLASH));
    assert_eq!(bed.shown(), "east/b east/a", "numbers again");
}

/// Beyond what is looked up when cells are alike, and with heads alike where cells are not.
#[test]
fn thousands_of_lines_are_sorted_as_few_are() {
    let mut bed = Bed::new();
    for (cluster, beside) in [("east", 0), ("west", 5000)] {
        let rows: Vec<_> = (0..5000_u32)
            .map(|n| {
                let n = (n * 2654 + beside) % 10_007;
                format!("long-name-{n:05} {}/9 state-{} {}", n % 9, n % 7, n % 3000)
            })
            .collect();
        let rows: Vec<_> = rows.iter().map(String::as_str).collect();
        bed.tell(cluster, &rows, Novelty::Known, at(0));
    }
    let cells = |bed: &Bed, column: usize| -> Vec<_> {
        let seen = (0..bed.grid.shown()).filter_map(|place| bed.grid.seen(place, at(0)));
        let id = |seen: Seen| {
            (
                seen.cells[column].clone(),
                seen.cluster,
                seen.cells[0].clone(),
            )
        };
        seen.map(id).collect()
    };
    for (column, name) in [(0, "name"), (1, "ready"), (2, "status")] {
        for descending in [false, true] {
            let by = bed.grid.field_named(name);
            bed.grid.set_sort(Sort { by, descending });
            let sorted = cells(&bed, column);
            assert_eq!(sorted.len(), 10_000);
            let is_before =
                |(a, cluster, name): &(String, u32, String),
                 (b, other, after): &(String, u32, String)| {
                    let order = if descending { b.cmp(a) } else { a.cmp(b) };
                    order.then((cluster, name).cmp(&(other, after))).is_lt()
                };
            assert!(sorted.is_sorted_by(is_before), "{name} {descending}");
        }
    }
    // Single changes lead where a sort of all does.
    bed.news(
        "east",
        &["long-name-00001 4/9 state-3 7", "zz 8/9 state-9 1"],
        0,
    );
    let single = bed.shown();
    bed.grid.set_sort(bed.grid.sort());
    assert_eq!(bed.shown(), single);
}

#[test]
fn a_column_that_moves_is_sorted_by_where_it_is_now() {
    let mut bed = Bed::of(&[("east", "a 1/1 x 1"), ("east", "b 0/1 y 1")]);
    let by = bed.grid.field_named("status");
    bed.grid.set_sort(Sort {
        by,
        descending: true,
    });
    assert_eq!(bed.shown(), "east/b east/a");
    let columns = ["Name", "Status", "Ready", "Age"];
    let moved = Notice {
        key: Bytes::new(),
        old: None,
        new: Some(header("pods", &columns)),
    };
    bed.grid
        .apply(&name("east"), &[moved], Novelty::News, at(0));
    assert_eq!(bed.shown(), "east/a east/b", "1/1 is its status now");
    bed.news("east", &["c 2/2 x 1"], 0);
    assert_eq!(bed.shown(), "east/c east/a east/b");
}

#[test]
fn ages_are_told_at_the_moment_of_looking_and_by_the_clusters_clock() {
    let mut bed = Bed::of(&THREE);
    let age = |bed: &Bed| {
        bed.grid
            .seen(
                0,
                Now {
                    wall_ms: 61_000,
                    ..at(0)
                },
            )
            .unwrap()
            .cells[3]
            .clone()
    };
    assert_eq!(age(&bed), "60s");
    bed.grid.set_clock(&name("east"), 10_000);
    assert_eq!(age(&bed), "70s");
}

#[test]
fn the_selection_follows_its_object() {
    let mut bed = Bed::of(&THREE);
    bed.grid.step(Step::Lines(1));
    assert_eq!(bed.selected(), "c");
    bed.news("east", &["a 1/1 Running 1", "bb 1/1 Running 1"], 0);
    assert_eq!((bed.selected().as_str(), bed.grid.cursor()), ("c", 3));
    bed.grid.set_sort(Sort {
        by: bed.grid.field_named("age"),
        descending: false,
    });
    assert_eq!(bed.selected(), "c");
    bed.grid.set_query(Query::parse("pending").unwrap(), at(0));
    assert_eq!(
        bed.selected(),
        "b",
        "another has the cursor while it is hidden"
    );
    bed.grid.set_query(Query::All, at(0));
    assert_eq!(bed.selected(), "c", "and it has it back");
}

#[test]
fn before_anybody_moved_the_cursor_waits_at_the_top() {
    let mut bed = Bed::new();
    bed.tell("west", &["a 1/1 Running 1"], Novelty::Known, at(0));
    bed.tell("east", &["z 1/1 Running 1"], Novelty::Known, at(0));
    assert_eq!((bed.selected().as_str(), bed.grid.cursor()), ("z", 0));
    bed.news("east", &["y 1/1 Running 1"], 0);
    assert_eq!(
        bed.selected(),
        "z",
        "and what came first of all is not pushed away by what comes later"
    );
}

#[test]
fn only_what_is_on_the_screen_is_decoded() {
    let rows: Vec<_> = (0..2000)
        .map(|n| format!("web-{n} 1/1 Running {n}"))
        .collect();
    let mut bed = Bed::new();
    bed.tell(
        "east",
        &rows.iter().map(String::as_str).collect::<Vec<_>>(),
        Novelty::Known,
        at(0),
    );
    bed.grid.set_height(40);
    bed.grid.decoded.set(0);
    for _ in 0..3 {
        bed.grid.step(Step::Pages(1));
        bed.grid.set_query(Query::parse("web-1").unwrap(), at(0));
        let (top, height) = (bed.grid.top(), bed.grid.height());
        assert_eq!(
            (top..top + height)
                .filter_map(|place| bed.grid.seen(place, at(0)))
                .count(),
            40
        );
    }
    assert_eq!(bed.grid.decoded.get(), 3 * 40);
}

#[test]
fn a_cluster_that_leaves_takes_its_lines_along() {
    let mut bed = Bed::of(&THREE);
    bed.grid.forget(&name("east"));
    assert_eq!(bed.shown(), "west/a");
    bed.held.clear();
    bed.tell("east", &["b 0/1 Pending 1000"], Novelty::Known, at(0));
    assert_eq!(bed.shown(), "east/b west/a");
}

#[test]
fn columns_that_clusters_do_not_agree_on_are_one_set() {
    let mut bed = Bed::of(&THREE);
    let other = Notice {
        key: Bytes::new(),
        old: None,
        new: Some(header("pods", &["Name", "Status", "Zone"])),
    };
    let zoned = Notice {
        key: "shop/z".into(),
        old: None,
        new: Some(row("z Running 500")),
    };
    bed.grid
        .apply(&name("north"), &[other, zoned], Novelty::Known, at(0));
    let names: Vec<_> = bed
        .grid
        .columns()
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(names, ["Name", "Ready", "Status", "Age", "Zone"]);
    let seen = bed.grid.seen(2, at(0)).unwrap();
    assert_eq!(
        (seen.cells[1].as_str(), seen.cells[2].as_str()),
        ("", "Running")
    );
    bed.grid
        .set_query(Query::parse("status:running").unwrap(), at(0));
    assert_eq!(bed.shown(), "east/c north/z west/a");
}

#[test]
fn groups_stand_together_and_are_counted() {
    let mut bed = Bed::of(&THREE);
    bed.grid.set_group(Group::Cluster);
    let headings = |bed: &Bed| -> Vec<_> {
        (0..3)
            .map(|place| bed.grid.seen(place, at(0)).unwrap().heading)
            .collect()
    };
    assert_eq!(
        headings(&bed),
        [Some(("east".into(), 2)), None, Some(("west".into(), 1))]
    );
    bed.grid.set_group(Group::Namespace);
    assert_eq!(headings(&bed), [Some(("shop".into(), 3)), None, None]);
    bed.grid.set_group(Group::None);
    assert_eq!(headings(&bed), [None, None, None]);
}

#[test]
fn faults_only() {
    let mut bed = Bed::of(&THREE);
    bed.grid.set_faults_only(true);
    assert_eq!(bed.shown(), "east/b");
    let east = name("east");
    assert_eq!(bed.grid.counts()[&east], [0, 1, 1, 0]);
    bed.news("east", &["b 1/1 Running 1"], 0);
    assert_eq!(bed.shown(), "");
}

#[test]
fn marks_of_a_person_stay_with_their_lines() {
    let mut bed = Bed::of(&THREE);
    bed.grid.mark();
    bed.grid.mark();
    let marked: Vec<_> = bed.grid.marked().into_iter().map(|it| it.name).collect();
    assert_eq!(
        (marked, bed.selected().as_str()),
        (vec!["b".to_owned(), "c".to_owned()], "a")
    );
    bed.news("east", &["-b"], 0);
    bed.grid.tick(then(FLASH));
    assert_eq!(bed.grid.marked().len(), 1);
    assert!(bed.grid.unmark() && !bed.grid.unmark());
}

#[derive(Clone, Debug)]
enum Deed {
    Tell(usize, Vec<(usize, Option<(u8, u32)>)>, bool),
    Sort(Option<usize>, bool),
    Filter(usize),
    Group(usize),
    Step(isize),
    Tick(u64),
    Measure(usize, Vec<(usize, Option<u8>)>),
}

/// What is not there is no news, however often it is said.
fn nothing() -> impl Iterator<Item = Notice> {
    (0..).map(|n| Notice {
        key: format!("x{n}").into(),
        old: None,
        new: None,
    })
}

/// Some of them go on where others end.
const QUERIES: [&str; 11] = [
    "",
    "n",
    "running",
    "runni",
    "-f nn",
    "-f nnr",
    "!pending",
    "status:>5",
    "-l app=n1",
    "cpu:>=5",
    "cpu:1",
];

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let change = (0..12_usize, prop::option::of((0..4_u8, 0..9_u32)));
    let figure = (0..12_usize, prop::option::weighted(0.8, 0..20_u8));
    let deed = prop_oneof![
        6 => (0..3_usize, prop::collection::vec(change, 1..4), prop::bool::weighted(0.2)).prop_map(|(cluster, changes, bulk)| Deed::Tell(cluster, changes, bulk)),
        1 => (prop::option::of(0..5_usize), any::<bool>()).prop_map(|(by, descending)| Deed::Sort(by, descending)),
        2 => (0..QUERIES.len()).prop_map(Deed::Filter),
        1 => (0..3_usize).prop_map(Deed::Group),
        2 => (-3..4_isize).prop_map(Deed::Step),
        1 => (0..2000_u64).prop_map(Deed::Tick),
        1 => (0..3_usize, prop::collection::vec(figure, 1..6)).prop_map(|(cluster, figures)| Deed::Measure(cluster, figures)),
    ];
    prop::collection::vec(deed, 0..40)
}

proptest! {
    /// However it came about, the grid is as one that is made at once of what is there: the same order, the same lines.
    #[test]
    fn single_steps_lead_where_a_full_sort_does(deeds in deeds(), bulk in any::<bool>()) {
        let clusters = ["west", "east", "north"];
        let mut bed = Bed::of(&[("west", "n0 1/1 1 1"), ("east", "n0 1/1 1 1"), ("north", "n0 1/1 1 1")]);
        let (mut ms, mut query) = (0, "");
        for deed in deeds {
            match deed {
                Deed::Tell(cluster, changes, many) => {
                    let text = |(n, change): &(usize, Option<(u8, u32)>)| match change {
                        Some((word, since)) => {
                            let word = ["Running", "Pending", "12", "5m"][usize::from(*word)];
                            format!("n{n} {}/1 {word} {since}", n % 2)
                        }
                        None => format!("-n{n}"),
                    };
                    let mut texts: Vec<_> = changes.iter().map(text).collect();
                    texts.sort();
                    texts.dedup_by_key(|text| text.trim_start_matches('-').split(' ').next().map(str::to_owned));
                    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
                    let mut notices: Vec<_> = texts.iter().map(|text| bed.notice(clusters[cluster], text)).collect();
                    notices.extend(nothing().take(if many { BULK } else { 0 }));
                    bed.grid.apply(&name(clusters[cluster]), &notices, Novelty::News, at(ms));
                }
                Deed::Sort(by, descending) => bed.grid.set_sort(Sort { by: by.map(Field::Column), descending }),
                Deed::Filter(which) => {
                    query = QUERIES[which];
                    bed.grid.set_query(Query::parse(query).unwrap(), at(0));
                }
                Deed::Group(which) => bed.grid.set_group([Group::None, Group::Cluster, Group::Namespace][which]),
                Deed::Step(lines) => bed.grid.step(Step::Lines(lines)),
                Deed::Tick(later) => {
                    ms += later;
                    bed.grid.tick(then(Duration::from_millis(ms)));
                }
                Deed::Measure(cluster, figures) => bed.measure(clusters[cluster], &figures),
            }
            let (grid, shown) = (&bed.grid, bed.grid.shown());
            prop_assert!(grid.cursor() < shown.max(1) && grid.top() <= grid.cursor());
            prop_assert!(grid.cursor() < grid.top() + grid.height());
            // Where it says the selected line is, it is.
            prop_assert!(grid.selected.is_none_or(|it| grid.place_of(it).is_none_or(|at| grid.shown[at] == it)));
            prop_assert!(grid.base.len() == grid.order.len() && grid.base.is_sorted_by(|a, b| grid.places(*a, *b).is_lt()));
        }
        bed.grid.tick(then(Duration::from_millis(ms + 10_000)));
        let mut fresh = Bed::new();
        for cluster in clusters {
            let header = Notice { key: Bytes::new(), old: None, new: Some(header("pods", &COLUMNS)) };
            let its = bed.held.iter().filter(|((of, _), _)| of == cluster);
            let rows = its.map(|((_, key), value)| Notice { key: key.clone(), old: None, new: Some(value.clone()) });
            let mut notices: Vec<_> = std::iter::once(header).chain(rows).collect();
            if bulk {
                notices.extend(nothing().take(BULK));
            }
            fresh.grid.apply(&name(cluster), &notices, Novelty::Known, at(0));
        }
        let used = bed.used.iter().map(|((cluster, key), new)| (cluster, Notice { key: key.clone(), old: None, new: Some(new.clone()) }));
        used.for_each(|(cluster, notice)| fresh.grid.measure(&name(cluster), Measure::Used, &[notice]));
        fresh.grid.set_query(Query::parse(query).unwrap(), at(0));
        fresh.grid.set_group(bed.grid.group());
        fresh.grid.set_sort(bed.grid.sort());
        prop_assert_eq!(bed.shown(), fresh.shown());
        prop_assert_eq!(bed.grid.counts(), fresh.grid.counts());
        prop_assert_eq!(bed.grid.len(), bed.held.len());
    }
}

#[test]
fn lines_pass_by_their_age_and_cease_to() {
    let mut bed = Bed::of(&[
        ("a", "old 1/1 Running 400000"),
        ("a", "mid 1/1 Running 950000"),
        ("b", "new 1/1 Running 990000"),
    ]);
    let shown = |bed: &Bed| {
        let names = (0..bed.grid.shown()).filter_map(|place| bed.grid.object_at(place));
        names.map(|it| it.name).collect::<Vec<_>>().join(" ")
    };
    for (query, want) in [
        ("age:<1m", "mid new"),
        ("age:>=1m", "old"),
        ("age:=10s", "new"),
        ("age:=10m", "old"),
        ("age:>1d", ""),
    ] {
        bed.grid.set_query(Query::parse(query).unwrap(), at(0));
        assert_eq!(shown(&bed), want, "{query}");
    }
    bed.grid.set_query(Query::parse("age:<1m").unwrap(), at(0));
    assert_eq!(bed.grid.next_tick(), Some(Duration::from_secs(1)));
    let in_a_while = |ms: u64| Now {
        wall_ms: 1_000_000 + i64::try_from(ms).unwrap(),
        ..at(ms)
    };
    bed.grid.tick(in_a_while(9_000));
    assert_eq!(shown(&bed), "mid new");
    bed.grid.tick(in_a_while(9_900));
    assert_eq!(bed.grid.next_tick(), Some(Duration::from_secs(10)));
    bed.grid.tick(in_a_while(10_001));
    assert_eq!(shown(&bed), "new", "time alone made it too old");
    bed.tell(
        "b",
        &["newer 1/1 Running 1000000"],
        Novelty::News,
        in_a_while(10_002),
    );
    assert_eq!(shown(&bed), "new newer");
    bed.grid.set_clock(&name("b"), 60_000);
    bed.grid.tick(in_a_while(12_000));
    assert_eq!(shown(&bed), "", "as the cluster's own clock has it");
}
