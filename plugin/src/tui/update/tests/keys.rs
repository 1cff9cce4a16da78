use super::*;

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
        Chord::Shift(_) | Chord::Code(_) => format!(
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
            if open == ":faults<enter>" {
                let feeds = bed.app.view().unwrap().feeds();
                bed.copy_to(feeds[1], "east", ("pods", &PODS), &["a 0/1 Pending 1"]);
                bed.wait(100);
            }
            if open == ":" {
                bed.types("de");
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
