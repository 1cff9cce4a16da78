use crate::tui::event::{FeedNews, What};
use crate::tui::testing::{Bed, PODS, pods};
use crate::tui::theme::{Colours, Ground, Theme};
use mqtt_informer::informer::{Freshness, LinkState};
use mqtt_informer::link::Failure;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Modifier;
use snapbox::{assert_data_eq, file};

fn down() -> LinkState {
    LinkState::Down(Failure {
        message: "connection refused".to_owned(),
        permanent: false,
    })
}

#[test]
fn before_anything_is_known() {
    let bed = Bed::new((80, 16));
    assert_data_eq!(bed.screen(), file!["snapshots/start.txt"].raw());
}

#[test]
fn a_table() {
    assert_data_eq!(pods((100, 24)).screen(), file!["snapshots/pods.txt"].raw());
}

#[test]
fn simulated_clusters_are_called_so() {
    let mut bed = pods((100, 24));
    assert!(!bed.screen().contains("simulated"));
    let mut clusters = (*bed.app.clusters).clone();
    for cluster in clusters.values_mut() {
        cluster.presence.labels = vec![("simulated".to_owned(), "true".to_owned())];
    }
    bed.happens(What::Clusters(clusters.into()));
    assert!(
        bed.screen()
            .lines()
            .next()
            .unwrap()
            .contains("simulated clusters")
    );
}

#[test]
fn a_table_on_a_small_screen() {
    assert_data_eq!(
        pods((40, 10)).screen(),
        file!["snapshots/pods-40x10.txt"].raw()
    );
}

#[test]
fn what_is_old_says_so() {
    let mut bed = pods((100, 16));
    bed.age("east", Freshness::Stale, 17_000);
    bed.clusters(&["east", "west-"]);
    assert_data_eq!(bed.screen(), file!["snapshots/stale.txt"].raw());
}

#[test]
fn a_broker_that_is_away() {
    let mut bed = pods((100, 16));
    bed.link(down());
    bed.wait(3000);
    assert_data_eq!(bed.screen(), file!["snapshots/down.txt"].raw());
}

#[test]
fn groups_filters_sorting_and_marks() {
    let mut bed = pods((100, 18));
    bed.types("S<ctrl-g><home><down> <ctrl-g>/shop<enter>");
    bed.news("west", &["new-1 1/1 Running 999999000", "-db-0"]);
    assert_data_eq!(bed.screen(), file!["snapshots/grouped.txt"].raw());
}

#[test]
fn the_prompt_with_candidates() {
    let mut bed = pods((100, 14));
    bed.types(":de");
    assert_data_eq!(bed.screen(), file!["snapshots/prompt.txt"].raw());
}

#[test]
fn the_middle_of_a_group_says_which_it_is() {
    let mut bed = pods((60, 12));
    let rows: Vec<_> = (10..40)
        .map(|at| format!("web-{at} 1/1 Running 1"))
        .collect();
    let rows: Vec<_> = rows.iter().map(String::as_str).collect();
    bed.copy("west", "pods", &PODS, &rows);
    bed.types("<ctrl-g>G");
    let screen = bed.screen();
    assert!(
        screen.contains("▾ west …") && screen.contains("web-39"),
        "{screen}"
    );
    bed.types("kkkkkk");
    let screen = bed.screen();
    assert!(
        !screen.contains("▾ west …"),
        "it hides no line that has the cursor: {screen}"
    );
}

#[test]
fn figures_of_pods() {
    let mut bed = pods((100, 14));
    bed.used("east", &["web-1 1250m 64Mi", "web-2 3m 1Gi"]);
    bed.types("C");
    assert_data_eq!(bed.screen(), file!["snapshots/figures.txt"].raw());
}

#[test]
fn columns_that_have_no_room_are_moved_to() {
    let columns = [
        "Name",
        "Ready",
        "Status",
        "IP",
        "Node",
        "Nominated",
        "Gates",
        "Age",
    ];
    let row = "web-1 1/1 Running 10.244.100.200 ip-10-0-3-42.internal none-at-all none 999990000";
    let mut bed = Bed::new((60, 12));
    bed.link(LinkState::Up);
    bed.clusters(&["east", "west"]);
    bed.copy("east", "pods", &columns, &[row]);
    let start = bed.screen();
    bed.types("<right><right><right>");
    let moved = bed.screen();
    bed.types("<right><right><right><right><right><right><right><right>");
    let end = bed.screen();
    assert_data_eq!(start + &moved + &end, file!["snapshots/aside.txt"].raw());
    bed.types("<left>");
    let back = bed.screen();
    assert!(back.contains('‹') && back.contains("NAME"), "{back}");
    bed.happens(What::Resize(200, 12));
    assert!(!bed.screen().contains(['‹', '›']), "there is room for all");
}

#[test]
fn help() {
    let mut bed = pods((100, 60));
    bed.types("?");
    assert_data_eq!(bed.screen(), file!["snapshots/help.txt"].raw());
}

#[test]
fn the_choice_of_clusters() {
    let mut bed = pods((100, 14));
    bed.types(":ctx<enter> ");
    assert_data_eq!(bed.screen(), file!["snapshots/clusters.txt"].raw());
}

fn pod() -> serde_json::Value {
    serde_json::json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "cart-1", "namespace": "shop"},
        "spec": {"containers": [{"name": "app", "image": "registry/app:1", "ports": [{"containerPort": 8080}]},
                                {"name": "side", "image": "registry/side:2"}]},
        "status": {"containerStatuses": [
            {"name": "app", "ready": true, "restartCount": 2, "state": {"running": {"startedAt": "1970-01-12T13:00:00Z"}}},
            {"name": "side", "ready": false, "restartCount": 9, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}})
}

#[test]
fn containers_yaml_and_descriptions() {
    let mut bed = pods((100, 20));
    bed.types("<enter>");
    bed.object("east", Some(pod()));
    assert_data_eq!(bed.screen(), file!["snapshots/containers.txt"].raw());
    bed.types("y");
    bed.object("east", Some(pod()));
    bed.types("/app<enter>");
    assert_data_eq!(bed.screen(), file!["snapshots/yaml.txt"].raw());
    bed.age("east", Freshness::Stale, 17_000);
    bed.types("<esc>w");
    assert_data_eq!(bed.screen(), file!["snapshots/yaml-stale.txt"].raw());
}

#[test]
fn logs() {
    use mqtt_informer::informer::log::{LogEvent, LogLine};
    let mut bed = pods((70, 14));
    bed.types("l");
    bed.object("east", Some(pod()));
    let requests: Vec<_> = bed
        .take_effects()
        .into_iter()
        .filter_map(|effect| match effect {
            crate::tui::event::Effect::ReadLog(request, ..) => Some(request),
            _ => None,
        })
        .collect();
    for (at, text) in [
        (0, "GET /"),
        (
            1,
            "level=error msg=\"no route to host, and this line is longer than the screen is wide\"",
        ),
        (0, "POST /"),
    ] {
        let line = LogLine {
            time: None,
            stamp: "2026-11-26T22:47:20.123456789Z".into(),
            text: text.into(),
            cut: false,
        };
        bed.happens(What::Log(requests[at], LogEvent::Lines(vec![line])));
    }
    bed.happens(What::Log(
        requests[1],
        LogEvent::Broken("connection reset".to_owned()),
    ));
    bed.types("wt");
    assert_data_eq!(bed.screen(), file!["snapshots/logs.txt"].raw());
}

#[test]
fn the_fleet_and_its_faults() {
    let mut bed = pods((120, 16));
    bed.types(":fleet<enter>");
    let nodes: (&str, &[&str]) = ("nodes", &["Name", "Status", "Age"]);
    let feeds = bed.app.view().unwrap().feeds();
    bed.copy_to(
        feeds[0],
        "east",
        ("pods", &PODS),
        &["a 0/1 Pending 1", "b 1/1 Running 1", "c 0/1 Error 1"],
    );
    bed.copy_to(feeds[1], "east", nodes, &["n1 NotReady 1", "n2 Ready 1"]);
    bed.clusters(&["east", "west-"]);
    bed.wait(3000);
    assert_data_eq!(bed.screen(), file!["snapshots/fleet.txt"].raw());
    bed.types("<esc>:faults<enter>");
    let feeds = bed.app.view().unwrap().feeds();
    bed.copy_to(feeds[0], "east", nodes, &["n1 NotReady 1", "n2 Ready 1"]);
    bed.copy_to(
        feeds[1],
        "west",
        ("pods", &PODS),
        &["a 0/1 Pending 1", "b 1/1 Running 1", "c 0/1 Error 1"],
    );
    bed.wait(100);
    assert_data_eq!(bed.screen(), file!["snapshots/faults.txt"].raw());
}

#[test]
fn what_a_hub_has() {
    let mut bed = pods((120, 16));
    bed.types(":works<enter>");
    bed.happens(What::Feed(bed.feed(), FeedNews::Discovered));
    assert!(
        bed.screen()
            .contains("no hub called hub answers on this broker")
    );
    let condition = |kind: &str, status: &str, why: &str| {
        serde_json::json!({"type": kind, "status": status, "message": why,
        "reason": "", "lastTransitionTime": "1970-01-12T13:46:00Z"})
    };
    let work = |cluster: &str, name: &str, applied: (&str, &str)| {
        let applied = condition("Applied", applied.0, applied.1);
        let meta = serde_json::json!({"kind": "Deployment", "namespace": "shop", "name": name});
        let manifest = serde_json::json!({"resourceMeta": meta, "conditions": [applied]});
        let work = serde_json::json!({
            "metadata": {"namespace": cluster, "name": name, "creationTimestamp": "1970-01-12T13:45:00Z"},
            "status": {"conditions": [applied, condition("Available", "True", "")],
                "resourceStatus": {"manifests": [manifest]}}});
        (format!("{cluster}/{name}"), Some(work))
    };
    let works = [
        work("east", "pay", ("False", "deployments.apps is forbidden")),
        work("east", "web", ("True", "")),
        work("west", "web", ("True", "")),
    ];
    let works: Vec<_> = works
        .iter()
        .map(|(key, it)| (key.as_str(), it.clone()))
        .collect();
    bed.tell(bed.feed(), "hub", &works);
    bed.age("hub", Freshness::Fresh, 100);
    bed.clusters(&["east", "west-"]);
    bed.wait(1000);
    assert_data_eq!(bed.screen(), file!["snapshots/works.txt"].raw());
    bed.age("hub", Freshness::Stale, 17_000);
    assert!(bed.screen().contains("stale"), "{}", bed.screen());
}

#[test]
fn text_of_all_kinds_stays_in_its_columns() {
    let mut bed = Bed::new((80, 14));
    bed.link(LinkState::Up);
    bed.clusters(&["east", "漢字-cluster"]);
    let rows = [
        "漢字漢字 1/1 Running 1",
        "e\u{301}te\u{301} 1/1 Running 1",
        "\u{1b}[31mred 1/1 a\u{202e}b 1",
        "👩‍👩‍👧 1/1 \u{200d} 1",
    ];
    bed.copy("east", "pods", &PODS, &rows);
    bed.copy("漢字-cluster", "pods", &PODS, &["plain 1/1 Running 1"]);
    assert_data_eq!(bed.screen(), file!["snapshots/wide.txt"].raw());
}

#[test]
fn every_size_can_be_drawn() {
    let mut bed = pods((100, 24));
    bed.age("east", Freshness::Stale, 17_000);
    let views = [
        "",
        "<ctrl-g>",
        "/we",
        "<esc>:po",
        "<esc>?",
        "<esc>:ctx<enter>",
    ];
    for view in views {
        bed.types(view);
        if ["<esc>y", "<esc>l", "<esc><enter>"].contains(&view) {
            bed.object("east", Some(pod()));
        }
        for width in (0..60).step_by(3).chain([1, 2, 40, 80, 200, 500]) {
            for height in (0..14).chain([24, 200]) {
                bed.happens(What::Resize(width, height));
                bed.screen_or_nothing();
            }
        }
    }
}

#[test]
fn a_screen_that_is_smaller_than_was_heard_is_no_harm() {
    let bed = pods((200, 60));
    let mut terminal = Terminal::new(TestBackend::new(30, 7)).unwrap();
    terminal
        .draw(|frame| crate::tui::draw(&bed.app, &Theme::default(), frame))
        .unwrap();
}

/// The colours of the line of an object.
pub(in crate::tui) fn line_style(bed: &Bed, theme: &Theme, name: &str) -> ratatui::style::Style {
    let (width, height) = bed.app.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| crate::tui::draw(&bed.app, theme, frame))
        .unwrap();
    let buffer = terminal.backend().buffer();
    for y in 0..height {
        let line: String = (0..width).map(|x| buffer[(x, y)].symbol()).collect();
        if let Some(at) = line.find(name) {
            let x = u16::try_from(line[..at].chars().count()).unwrap();
            return buffer[(x, y)].style();
        }
    }
    panic!("{name} is not there")
}

#[test]
fn old_rows_never_look_like_live_ones() {
    for colours in [Colours::None, Colours::Sixteen, Colours::Many] {
        for ground in [Ground::Dark, Ground::Light] {
            let theme = Theme { colours, ground };
            let mut bed = pods((100, 24));
            bed.types("G");
            let live = line_style(&bed, &theme, "web-1");
            bed.age("east", Freshness::Stale, 17_000);
            let old = line_style(&bed, &theme, "web-1");
            assert_ne!(live, old, "{theme:?}");
            bed.age("east", Freshness::Fresh, 100);
            assert_eq!(live, line_style(&bed, &theme, "web-1"));
            bed.link(down());
            assert_eq!(old, line_style(&bed, &theme, "web-1"), "{theme:?}");
        }
    }
}

#[test]
fn without_colours_the_selection_is_seen() {
    let theme = Theme {
        colours: Colours::None,
        ground: Ground::Dark,
    };
    let style = line_style(&pods((100, 24)), &theme, "cart-1");
    assert!(style.add_modifier.contains(Modifier::REVERSED));
    assert_eq!(style.bg, Some(ratatui::style::Color::Reset));
}
