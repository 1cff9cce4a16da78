use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

#[test]
fn esc_and_a_key_that_came_together_are_two() {
    let mut bed = pods(SIZE);
    bed.types("?<alt-:>");
    assert_eq!(bed.app.views.len(), 1);
    assert!(bed.app.prompt.is_some());
}

#[test]
fn every_key_of_the_map_does_something() {
    use crate::tui::keys::{Chord, Context, MAP};
    let of = |chord: &Chord| match chord {
        Chord::Char(' ') => "<space>".to_owned(),
        Chord::Char(c) => c.to_string(),
        Chord::Ctrl(c) => format!("<ctrl-{c}>"),
        Chord::Digits(last) => last.to_string(),
        Chord::Capitals => "N".to_owned(),
        Chord::Shift(_) | Chord::Word(_) | Chord::Code(_) => format!(
            "<{}>",
            chord
                .to_string()
                .replace('←', "left")
                .replace('→', "right")
                .replace('↑', "up")
                .replace('↓', "down")
        ),
    };
    for binding in MAP {
        let open = match binding.context {
            Context::Table | Context::Object | Context::Moving | Context::Everywhere => "",
            Context::Text => "y",
            Context::Logs => "l",
            Context::Containers => "<enter>",
            Context::Picker => ":ctx<enter>",
            Context::Used => continue,
            Context::Fleet => ":fleet<enter>",
            Context::Faults => ":faults<enter>",
            Context::Hub => ":clusters<enter>",
            Context::Prompt => ":",
        };
        for chord in binding.keys {
            // From the middle of a text, of a list, of the history; with something typed before.
            let mut bed = pods((60, 12));
            bed.types(":deploy<enter>:svc<enter>[");
            bed.copy(
                "east",
                "pods",
                &PODS,
                &["a 1/1 Running 1", "b 1/1 Running 1", "c 0/1 Pending 1"],
            );
            bed.types(" ");
            if binding.context == Context::Table && matches!(chord, Chord::Code(_)) {
                // There is no room for all columns.
                bed.happens(What::Resize(24, 12));
                bed.types("<right>");
            }
            bed.types(open);
            if open == "y" || open == "l" || open == "<enter>" {
                let long: Vec<_> = (0..40).map(|n| format!("{n:>90}")).collect();
                bed.object("east", Some(serde_json::json!({"spec": {"containers": [{"name": "app"}, {"name": "side"}]}, "x": long})));
                if open != "<enter>" {
                    bed.types("/1<enter>jj<right>");
                }
            }
            if open == ":fleet<enter>" {
                let feeds = bed.app.view().unwrap().feeds();
                bed.copy_to(feeds[0], "east", ("pods", &PODS), &["a 1/1 Running 1"]);
                bed.wait(100);
            }
            if open == ":clusters<enter>" {
                let cluster = serde_json::json!({"metadata": {"name": "east"}});
                bed.tell(bed.feed(), "hub", &[("east", Some(cluster))]);
                bed.wait(100);
            }
            if open == ":faults<enter>" {
                let feeds = bed.app.view().unwrap().feeds();
                bed.copy_to(feeds[1], "east", ("pods", &PODS), &["a 0/1 Pending 1"]);
                bed.wait(100);
            }
            if open == ":" {
                // In the middle of a line that was recalled.
                bed.types("<up><up><left>");
            }
            bed.take_effects();
            let state = |bed: &Bed| format!("{:?} {:?}", bed.app, bed.effects);
            let before = state(&bed);
            bed.types(&of(chord));
            assert!(
                before != state(&bed),
                "{:?} {chord} does nothing",
                binding.context
            );
        }
    }
}

#[test]
fn clicks_select_and_go_into_and_the_wheel_moves() {
    let mut bed = pods(SIZE);
    // Two lines of clusters, the frame, the heads: the first object stands in the fifth line.
    bed.happens(What::Click(10, 5));
    assert_eq!(selected(&bed), "east/web-1");
    bed.happens(What::Wheel(3));
    assert_eq!(selected(&bed), "west/job-7");
    for nowhere in [0, 3, 20, 23] {
        bed.happens(What::Click(10, nowhere));
        assert_eq!(selected(&bed), "west/job-7");
    }
    bed.happens(What::Click(10, 8));
    assert!(
        matches!(bed.app.view(), Some(View::Containers(_))),
        "a second click goes into it"
    );
}

#[test]
fn a_click_is_on_what_is_there_whatever_is_between() {
    let mut bed = pods((60, 14));
    bed.types("<ctrl-g>");
    let screen = bed.screen();
    let row = |wanted: &str| {
        let at = screen.lines().position(|line| line.contains(wanted));
        u16::try_from(at.unwrap()).unwrap()
    };
    bed.happens(What::Click(10, row("job-7")));
    assert_eq!(selected(&bed), "west/job-7");
    bed.happens(What::Click(10, row("▾ west")));
    assert_eq!(
        (selected(&bed).as_str(), bed.app.views.len()),
        ("west/job-7", 1)
    );
}

/// What may happen, in any order.
#[derive(Clone, Debug)]
enum Deed {
    Types(&'static str),
    Resize(u16, u16),
    Rows(&'static str, Vec<u8>),
    Object(bool),
    Used(u16),
    Wait(u64),
    Link(bool),
    Clusters(bool),
    Click(u16, u16),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let keys = [
        "j",
        "k",
        "G",
        "g",
        "<pgdn>",
        "<pgup>",
        "<enter>",
        "<esc>",
        "<tab>",
        "<space>",
        " ",
        "d",
        "y",
        "l",
        "e",
        "J",
        "u",
        "c",
        "<ctrl-s>",
        "<ctrl-z>",
        "<ctrl-w>",
        "<ctrl-g>",
        "<ctrl-b>",
        "<ctrl-f>",
        "0",
        "1",
        "4",
        "N",
        "A",
        "S",
        "C",
        "M",
        "X",
        "a",
        "<shift-left>",
        "<shift-right>",
        ":",
        "/",
        "[",
        "]",
        "-",
        "?",
        "q",
        "n",
        "w",
        "t",
        "s",
        "<left>",
        "<right>",
        "<up>",
        "<down>",
        ":fleet<enter>",
        ":faults<enter>",
        ":diff<enter>",
        ":ctx<enter>",
        ":ns shop,pay<enter>",
        ":@east<enter>",
        ":@all<enter>",
        "/web<enter>",
        "/-f w1<enter>",
        "/-l a=b<enter>",
        "/status:>5<enter>",
        "/[",
        "漢",
        "<ctrl-u>",
    ];
    let rows = (
        prop::sample::select(vec!["east", "west", "north"]),
        prop::collection::vec(0..6_u8, 0..4),
    );
    let deed = prop_oneof![
        12 => prop::sample::select(keys.to_vec()).prop_map(Deed::Types),
        1 => (1..130_u16, 1..40_u16).prop_map(|(width, height)| Deed::Resize(width, height)),
        4 => rows.prop_map(|(cluster, rows)| Deed::Rows(cluster, rows)),
        2 => any::<bool>().prop_map(Deed::Object),
        1 => (0..3000_u16).prop_map(Deed::Used),
        2 => (0..3000_u64).prop_map(Deed::Wait),
        1 => any::<bool>().prop_map(Deed::Link),
        1 => any::<bool>().prop_map(Deed::Clusters),
        1 => (0..130_u16, 0..40_u16).prop_map(|(column, row)| Deed::Click(column, row)),
    ];
    prop::collection::vec(deed, 0..40)
}

fn happens(bed: &mut Bed, deed: Deed) {
    let has_feed = bed.app.view().is_some_and(|view| !view.feeds().is_empty());
    match deed {
        Deed::Types(keys) => bed.types(keys),
        Deed::Resize(width, height) => bed.happens(What::Resize(width, height)),
        Deed::Rows(cluster, rows) if has_feed => {
            let words = [
                "Running",
                "Pending",
                "CrashLoopBackOff",
                "12",
                "5m",
                "<none>",
            ];
            let row = |row: &u8| format!("web-{row} {}/1 {} 5", row % 2, words[usize::from(*row)]);
            let rows: Vec<_> = rows.iter().map(row).collect();
            bed.copy(
                cluster,
                "pods",
                &PODS,
                &rows.iter().map(String::as_str).collect::<Vec<_>>(),
            );
        }
        Deed::Object(is_there) if has_feed => {
            bed.object("east", is_there.then(|| serde_json::json!({"kind": "Pod", "spec": {"containers": [{"name": "app"}]}})));
        }
        Deed::Used(cpu) => {
            if let Some(View::Table(table)) = bed.app.view()
                && !table.figures.used.is_empty()
            {
                bed.used("east", &[&format!("web-1 {cpu}m 64Mi")]);
            }
        }
        Deed::Wait(ms) => bed.wait(ms),
        Deed::Link(is_up) => bed.link(match is_up {
            true => LinkState::Up,
            false => LinkState::Connecting,
        }),
        Deed::Clusters(all) => bed.clusters(if all {
            &["east", "west-", "north"]
        } else {
            &["east"]
        }),
        Deed::Click(column, row) => bed.happens(What::Click(column, row)),
        Deed::Rows(..) | Deed::Object(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is typed and told in whatever order, on whatever screen: it is drawn, and what was opened is closed once.
    #[test]
    fn nothing_that_happens_is_too_much(deeds in deeds()) {
        let mut bed = pods((80, 20));
        for deed in deeds {
            happens(&mut bed, deed);
            bed.screen();
            prop_assert!(!bed.app.views.is_empty());
        }
        let open: BTreeSet<_> = bed.app.views.iter().flat_map(View::feeds).collect();
        let words = bed.app.words.feeds.map(|(types, namespaces)| [types, namespaces]);
        let mut watched = BTreeSet::new();
        for effect in bed.take_effects() {
            match effect {
                Effect::Watch(feed, ..) => prop_assert!(watched.insert(feed), "{:?} is watched twice", feed),
                Effect::Leave(feed) => prop_assert!(watched.remove(&feed), "{:?} is left and was not watched", feed),
                _ => {}
            }
        }
        let meant: BTreeSet<_> = open.into_iter().chain(words.into_iter().flatten()).collect();
        prop_assert_eq!(watched, meant, "what is watched is what is on the screen");
    }
}

#[test]
fn a_search_that_is_left_is_the_one_before() {
    let mut bed = pods(SIZE);
    bed.types("y");
    bed.object("east", Some(serde_json::json!({"kind": "Pod"})));
    bed.types("/kind<enter>/x<esc>");
    assert_eq!(text(&bed).search, "kind");
    bed.types("/<esc>");
    assert_eq!(text(&bed).search, "kind");
}

#[test]
fn a_line_is_edited_as_in_a_shell() {
    let mut bed = pods(SIZE);
    let typed = |bed: &mut Bed, keys: &str| {
        bed.types(keys);
        bed.app.prompt.as_ref().unwrap().text().to_owned()
    };
    assert_eq!(typed(&mut bed, ":web shop<ctrl-a><delete>W"), "Web shop");
    assert_eq!(typed(&mut bed, "<ctrl-right><ctrl-k>"), "Web ");
    assert_eq!(typed(&mut bed, "<ctrl-e>pay<backspace>"), "Web pa");
    assert_eq!(typed(&mut bed, "<ctrl-w>"), "Web ");
    assert_eq!(typed(&mut bed, "<ctrl-y><ctrl-h>"), "Web", "no key's");
}
