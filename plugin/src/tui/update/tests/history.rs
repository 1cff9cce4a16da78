use super::*;
use crate::tui::view::text::TextKind;

/// What is on the screen, from the bottom.
fn crumbs(bed: &Bed) -> String {
    let crumbs = bed.app.views.iter().map(View::crumb);
    crumbs.collect::<Vec<_>>().join(" > ")
}

#[test]
fn every_view_is_remembered_with_the_way_to_it() {
    let mut bed = pods(SIZE);
    bed.types("jd<esc>y");
    bed.types("<esc>l<esc>:faults<enter><esc>:fleet<enter><esc><enter>");
    let ways = [
        "pods",
        "pods > describe pod/web-1",
        "pods > yaml pod/web-1",
        "pods > logs pod/web-1",
        "pods > faults",
        "pods > fleet",
        "pods > pod/web-1",
    ];
    assert_eq!(crumbs(&bed), ways[6]);
    bed.types("[");
    assert_eq!(
        crumbs(&bed),
        "pods",
        "who went out of a view was in the one below"
    );
    bed.types(":deploy<enter>[");
    assert_eq!(crumbs(&bed), "pods");
}

#[test]
fn one_goes_back_to_a_description_and_forth_to_the_logs() {
    let mut bed = pods(SIZE);
    bed.types("jdl");
    assert!(
        matches!(bed.app.view(), Some(View::Text(_))),
        "l goes to the right there"
    );
    bed.types("<esc>l:faults<enter>:diff<enter>");
    assert!(bed.app.told.is_some(), "nothing is selected there");
    bed.types("[");
    assert_eq!(crumbs(&bed), "pods > logs pod/web-1");
    bed.types("[");
    assert_eq!(crumbs(&bed), "pods");
    bed.types("]");
    assert_eq!(crumbs(&bed), "pods > logs pod/web-1");
    bed.types("]");
    assert_eq!(crumbs(&bed), "pods > logs pod/web-1 > faults");
    bed.types("--");
    assert_eq!(crumbs(&bed), "pods > logs pod/web-1 > faults");
    bed.types("-");
    assert_eq!(crumbs(&bed), "pods > logs pod/web-1");
    bed.types("<esc>");
    assert_eq!(
        selected(&bed),
        "east/web-1",
        "the table is the one that was there"
    );
}

#[test]
fn a_difference_is_shown_again_between_the_same_clusters() {
    let mut bed = pods(SIZE);
    bed.copy("west", "pods", &PODS, &["cart-1 1/1 Running 5"]);
    bed.types(" /cart<enter>j :diff<enter>");
    let diff = |bed: &Bed| match bed.app.view() {
        Some(View::Text(text)) if text.kind == TextKind::Diff => text.watched.clone(),
        other => panic!("{other:?}"),
    };
    let between = diff(&bed);
    assert_eq!(between, Clusters::new(["east", "west"]).unwrap());
    bed.types(":nodes<enter>");
    bed.types("[");
    assert_eq!(diff(&bed), between);
    bed.types("<esc>");
    assert_eq!(
        spec(&bed).filter,
        "cart",
        "with the filter that was typed there"
    );
}

#[test]
fn the_filter_that_was_typed_is_remembered() {
    let mut bed = pods(SIZE);
    bed.types("/web<enter>:nodes<enter>[");
    assert_eq!(spec(&bed).filter, "web");
    bed.types("<esc>:nodes<enter>[");
    assert_eq!(spec(&bed).filter, "");
}

#[test]
fn what_is_only_looked_at_on_the_way_is_not_remembered() {
    let mut bed = pods(SIZE);
    bed.types(":nodes<enter>?<esc>:ctx<enter><esc>");
    assert_eq!(bed.app.history.trails.len(), 2);
    bed.types("?[");
    assert_eq!(crumbs(&bed), "pods");
}

#[test]
fn what_is_below_stays_open_and_what_is_above_is_closed() {
    let mut bed = pods(SIZE);
    let below = bed.feed();
    bed.types("d");
    let above = bed.feed();
    bed.take_effects();
    bed.types("[");
    assert_eq!(bed.take_effects(), [Effect::Leave(above)]);
    bed.types("]");
    let effects = bed.take_effects();
    assert!(!effects.contains(&Effect::Leave(below)), "{effects:?}");
    assert_eq!(bed.app.views.len(), 2);
}
