//! What was looked at last time is shown until there is something newer.

use super::*;
use crate::tui::event::{Age, FeedNews};
use crate::tui::standing::Standing;
use crate::tui::testing::{header, name, row};
use mqtt_informer::informer::{Freshness, Notice};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

fn kept(bed: &mut Bed, cluster: &str, rows: &[&str]) {
    let notice = |key: String, value| Notice {
        key: key.into(),
        old: None,
        new: Some(value),
    };
    let mut notices = vec![notice(String::new(), header("pods", &PODS))];
    notices.extend(rows.iter().map(|text| {
        let name = text.split(' ').next().unwrap();
        notice(format!("shop/{name}"), row(text))
    }));
    let age = Age {
        freshness: Freshness::Stale,
        lasts: HOUR,
        old: Some(HOUR),
        told: bed.now().at,
        ahead_ms: 0,
    };
    let news = FeedNews::Kept(name(cluster), notices, age);
    bed.happens(What::Feed(bed.feed(), news));
}

fn started() -> Bed {
    let mut bed = Bed::new(SIZE);
    kept(&mut bed, "east", &["a 1/1 Running 5", "b 1/1 Running 5"]);
    bed
}

#[test]
fn it_is_as_old_as_it_is() {
    let mut bed = started();
    assert_eq!(bed.app.table().unwrap().grid.len(), 2);
    assert_eq!(bed.app.standing(&name("east")), Standing::Stale(HOUR));
    bed.link(LinkState::Up);
    bed.happens(What::Feed(bed.feed(), FeedNews::Joined(name("east"))));
    bed.age("east", Freshness::Unknown, 0);
    assert_eq!(
        bed.app.standing(&name("east")),
        Standing::Stale(HOUR),
        "who has not answered has said nothing of it"
    );
    assert!(!bed.app.is_live(&name("east")));
}

#[test]
fn what_comes_takes_its_place() {
    let mut bed = started();
    bed.link(LinkState::Up);
    bed.types("j");
    bed.copy("east", "pods", &PODS, &["b 0/1 Error 5", "c 1/1 Running 5"]);
    let table = bed.app.table().unwrap();
    assert_eq!((table.grid.len(), selected(&bed).as_str()), (2, "east/b"));
    assert!(bed.app.is_live(&name("east")));
    kept(&mut bed, "east", &["a 1/1 Running 5"]);
    let table = bed.app.table().unwrap();
    assert_eq!(table.grid.len(), 2, "what is kept is never news");
}

#[test]
fn a_cluster_that_is_none_any_more_goes() {
    let mut bed = started();
    bed.link(LinkState::Up);
    kept(&mut bed, "old", &["z 1/1 Running 5"]);
    bed.happens(What::Feed(bed.feed(), FeedNews::Joined(name("east"))));
    bed.happens(What::Feed(bed.feed(), FeedNews::Discovered));
    let table = bed.app.table().unwrap();
    assert_eq!(
        (table.grid.len(), table.clusters()),
        (2, vec![&name("east")])
    );
}

#[test]
fn a_copy_that_comes_late_of_a_cluster_that_is_none_any_more_is_not_shown() {
    let mut bed = started();
    bed.link(LinkState::Up);
    bed.happens(What::Feed(bed.feed(), FeedNews::Joined(name("east"))));
    bed.happens(What::Feed(bed.feed(), FeedNews::Discovered));
    kept(&mut bed, "old", &["z 1/1 Running 5"]);
    let table = bed.app.table().unwrap();
    assert_eq!(
        (table.grid.len(), table.clusters()),
        (2, vec![&name("east")])
    );
}
