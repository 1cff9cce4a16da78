//! What a hub has: its clusters, works and placements.

use super::history;
use crate::tui::app::App;
use crate::tui::event::{Effect, FeedNews};
use crate::tui::view::View;
use crate::tui::view::hub::{HubKind, HubView};
use mqtt_informer::informer::{Clusters, Freshness, Notice};
use mqtt_informer::protocol::names::ClusterName;

/// Goes to it, over what is on the screen.
pub(super) fn go(app: &mut App, kind: HubKind) -> Vec<Effect> {
    match app.view() {
        Some(View::Hub(view)) if view.kind == kind => Vec::new(),
        _ => history::step(app, |app| show(app, kind)),
    }
}

/// Shows it.
pub(super) fn show(app: &mut App, kind: HubKind) -> Vec<Effect> {
    let feed = app.feed_id();
    let selection = Box::new(kind.selection());
    app.views.push(View::Hub(Box::new(HubView::new(
        kind,
        feed,
        app.hub.clone(),
    ))));
    let watch = |name| Effect::Watch(feed, Clusters::one(name), selection);
    app.hub.clone().map(watch).into_iter().collect()
}

/// News of it.
pub(super) fn news(view: &mut HubView, news: FeedNews) {
    match news {
        FeedNews::Changed(_, notices) => {
            // A copy from an earlier time was shown until now; what it has and this one has not is gone.
            if !view.is_read {
                view.begin();
            }
            set_objects(view, &notices);
            view.is_read = true;
        }
        FeedNews::Kept(_, notices, age) if !view.is_read => {
            view.age = age;
            set_objects(view, &notices);
        }
        FeedNews::State(_, state) => view.state = state,
        FeedNews::Ages(ages) => {
            let age = ages.into_iter().next().map(|(_, age)| age);
            let is_told = |freshness| view.is_read || freshness != Freshness::Unknown;
            if let Some(age) = age.filter(|age| is_told(age.freshness)) {
                view.age = age;
            }
        }
        FeedNews::Left(_) => view.leave(),
        FeedNews::Discovered => view.is_discovered = true,
        FeedNews::Joined(_) | FeedNews::Kept(..) => {}
    }
}

fn set_objects(view: &mut HubView, notices: &[Notice]) {
    for Notice { key, new, .. } in notices.iter().filter(|notice| !notice.key.is_empty()) {
        view.set_object(key, new.as_ref());
    }
}

/// Before it is drawn.
pub(super) fn refresh(app: &App, view: &mut HubView) {
    let has_left = |cluster: &str| {
        let name = ClusterName::new(cluster).ok();
        let known = name.and_then(|name| app.clusters.get(&name));
        known.is_some_and(|known| known.offline)
    };
    view.refresh(app.now.wall_ms, has_left);
}
