//! What clusters tell.

use super::{figures, follow, hub, logs, navigate, objects};
use crate::get::catalog::ApiResource;
use crate::print::sanitize::word;
use crate::table::Row;
use crate::tui::app::App;
use crate::tui::event::{Effect, FeedId, FeedNews};
use crate::tui::grid::{Novelty, Now};
use crate::tui::health::Health;
use crate::tui::standing::Standing;
use crate::tui::view::View;
use crate::tui::view::fleet::Known;
use crate::tui::view::list::ListLine;
use crate::tui::view::table::TableView;
use bytes::Bytes;
use mqtt_informer::informer::{Cluster, Freshness, LinkState, Notice};
use mqtt_informer::protocol::names::ClusterName;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The broker is reached now, or is not.
pub(super) fn link(app: &mut App, link: LinkState) {
    app.is_dirty |= app.link != link;
    // Another reason for being away is no other beginning of it.
    if app.is_linked() != (link == LinkState::Up) {
        app.link_since = app.now.at;
    }
    app.was_linked |= link == LinkState::Up;
    app.link = link;
}

/// The clusters that are known are others now.
pub(super) fn clusters(
    app: &mut App,
    clusters: Arc<BTreeMap<ClusterName, Cluster>>,
) -> Vec<Effect> {
    app.clusters = clusters;
    show_clusters(app);
    // Who is meant by its labels is known only now.
    match app.cluster_labels {
        Some(_) => follow::clusters(app),
        None => Vec::new(),
    }
}

/// Fills the choice of clusters, if that is on the screen.
pub(super) fn show_clusters(app: &mut App) {
    if !matches!(app.view(), Some(View::Picker(_))) {
        return;
    }
    let lines = app.clusters.iter().map(|(name, cluster)| {
        let presence = &cluster.presence;
        let labels: Vec<_> = presence
            .labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let state = if cluster.offline { "offline" } else { "online" };
        let cells = [
            name.as_str(),
            state,
            &presence.kubernetes_version,
            &labels.join(","),
        ];
        ListLine {
            id: name.as_str().to_owned(),
            cells: cells.map(|cell| word(cell).into_owned()).to_vec(),
            health: Health::Well,
            is_stale: cluster.offline,
            is_marked: false,
        }
    });
    let lines: Vec<_> = lines.collect();
    if let Some(View::Picker(picker)) = app.view_mut() {
        picker.set_clusters(lines);
    }
}

/// News of a feed: of a view, or of what completion knows.
pub(super) fn feed(app: &mut App, feed: FeedId, news: FeedNews) -> Vec<Effect> {
    if app
        .words
        .feeds
        .is_some_and(|(types, namespaces)| feed == types || feed == namespaces)
    {
        words(app, feed, news);
        return Vec::new();
    }
    let Some(at) = app
        .views
        .iter()
        .position(|view| view.feeds().contains(&feed))
    else {
        return Vec::new();
    };
    let is_on_top = at + 1 == app.views.len();
    let mut view = app.views.remove(at);
    let (is_seen, effects) = match &mut view {
        View::Table(table) if table.feeds.contains(&feed) => {
            let is_seen = to_table(table, feed, news, app.now);
            (is_seen, figures::watch(app, table))
        }
        view => (true, to_view(app, view, feed, news)),
    };
    app.views.insert(at, view);
    match is_seen {
        true => app.is_dirty |= is_on_top,
        false => app.is_dirty_aside |= is_on_top,
    }
    effects
}

fn to_its_table(tables: &mut [TableView], feed: FeedId, news: FeedNews, now: Now) {
    if let Some(table) = tables.iter_mut().find(|table| table.feeds.contains(&feed)) {
        to_table(table, feed, news, now);
    }
}

/// Before it is drawn: what is made of several tables is made anew, once for all that came.
pub(super) fn refresh(app: &mut App) {
    let mut view = app.views.pop();
    match &mut view {
        Some(View::Fleet(fleet)) => {
            let clusters = known(app, &fleet.tables);
            fleet.refresh(app.now.at, &clusters);
        }
        Some(View::Faults(faults)) => {
            let is_live = |table: &TableView, cluster: &ClusterName| {
                app.standing_in(Some(table), cluster).is_fresh()
            };
            faults.refresh(app.now, is_live);
        }
        Some(View::Hub(view)) => hub::refresh(app, view),
        _ => {}
    }
    app.views.extend(view);
}

/// The clusters that are meant, whether they have answered or not, with how each is.
fn known(app: &App, tables: &[TableView]) -> Vec<(ClusterName, Known)> {
    let meant = navigate::meant(app);
    let followed = tables.iter().flat_map(TableView::clusters);
    let known = app.clusters.keys().filter(|name| meant.matches(name));
    let names: BTreeSet<&ClusterName> = followed.chain(known).collect();
    let of = |name: &ClusterName| {
        let standings = tables
            .iter()
            .map(|table| app.standing_in(Some(table), name));
        let worst = standings.reduce(Standing::or_worse);
        let presence = app.clusters.get(name).map(|cluster| &cluster.presence);
        Known {
            standing: worst.unwrap_or(Standing::Asked),
            version: presence
                .map_or_else(String::new, |presence| presence.kubernetes_version.clone()),
        }
    };
    names
        .into_iter()
        .map(|name| (name.clone(), of(name)))
        .collect()
}

fn to_view(app: &mut App, view: &mut View, feed: FeedId, news: FeedNews) -> Vec<Effect> {
    match view {
        // Of its figures.
        View::Table(table) => {
            figures::take(table, feed, news);
            // Only now it is known that there are any.
            return figures::watch(app, table);
        }
        View::Fleet(fleet) => {
            fleet.count(feed, &news);
            to_its_table(&mut fleet.tables, feed, news, app.now);
        }
        View::Faults(faults) => {
            to_its_table(&mut faults.tables, feed, news, app.now);
        }
        View::Containers(view) => objects::to_containers(app, view, news),
        View::Used(view) => objects::to_used(view, news),
        View::Hub(view) => hub::news(view, news),
        View::Text(text) => return objects::to_text(app, text, news),
        View::Logs(view) => return logs::news(app, view, feed, news),
        View::Picker(_) | View::Help(_) => {}
    }
    Vec::new()
}

/// News for a table; answers whether what is looked at is different now: lines on the screen, or how fresh they are.
pub(super) fn to_table(table: &mut TableView, feed: FeedId, news: FeedNews, now: Now) -> bool {
    match news {
        FeedNews::Joined(cluster) => {
            let stream = table.streams.entry((feed, cluster)).or_default();
            stream.is_joined = true;
        }
        FeedNews::Left(cluster) => leave(table, feed, &cluster),
        FeedNews::Kept(cluster, notices, age) => {
            // What a file has of a cluster that is none behind this broker would never go again.
            if table.is_discovered && !table.streams.contains_key(&(feed, cluster.clone())) {
                return false;
            }
            let stream = table.streams.entry((feed, cluster.clone())).or_default();
            if !stream.is_told && stream.kept.is_empty() {
                stream.age = age;
                stream.kept = objects(&notices);
                table.grid.apply(&cluster, &notices, Novelty::Known, now);
                table.grid.set_clock(&cluster, age.ahead_ms);
            }
        }
        FeedNews::Changed(cluster, mut notices) => {
            let stream = table.streams.entry((feed, cluster.clone())).or_default();
            let novelty = match std::mem::replace(&mut stream.is_told, true) {
                true => Novelty::News,
                false => Novelty::Known,
            };
            let kept = std::mem::take(&mut stream.kept);
            if !kept.is_empty() {
                notices.extend(gone(kept, &notices));
            }
            return table.grid.apply(&cluster, &notices, novelty, now);
        }
        FeedNews::State(cluster, state) => {
            table.streams.entry((feed, cluster)).or_default().state = state;
        }
        FeedNews::Ages(ages) => {
            let mut is_other = false;
            for (cluster, age) in ages {
                let Some(stream) = table.streams.get_mut(&(feed, cluster.clone())) else {
                    continue;
                };
                // What is shown has its own age, until something newer is there.
                if stream.kept.is_empty() || age.freshness != Freshness::Unknown {
                    is_other |= stream.age.freshness != age.freshness;
                    stream.age = age;
                    table.grid.set_clock(&cluster, age.ahead_ms);
                }
            }
            return is_other;
        }
        FeedNews::Discovered => {
            table.is_discovered = true;
            // Who was there last time, and is no cluster behind this broker any more.
            let streams = table.streams.iter();
            let away = streams.filter(|((its, _), stream)| *its == feed && !stream.is_joined);
            let away: Vec<_> = away.map(|((_, cluster), _)| cluster.clone()).collect();
            away.iter().for_each(|cluster| leave(table, feed, cluster));
        }
    }
    true
}

fn leave(table: &mut TableView, feed: FeedId, cluster: &ClusterName) {
    table.streams.remove(&(feed, cluster.clone()));
    if table.age(cluster).is_none() {
        table.grid.forget(cluster);
    }
}

/// What was kept and is not told is gone.
fn gone(kept: BTreeSet<Bytes>, notices: &[Notice]) -> Vec<Notice> {
    let told = objects(notices);
    let gone = kept.into_iter().filter(|key| !told.contains(key));
    let gone = gone.map(|key| Notice {
        key,
        old: None,
        new: None,
    });
    gone.collect()
}

/// The keys of the objects that are told.
fn objects(notices: &[Notice]) -> BTreeSet<Bytes> {
    let told = notices.iter().filter(|notice| !notice.key.is_empty());
    told.map(|notice| notice.key.clone()).collect()
}

/// What completion knows: never less than before.
fn words(app: &mut App, feed: FeedId, news: FeedNews) {
    let FeedNews::Changed(_, notices) = news else {
        return;
    };
    let is_types = app.words.feeds.is_some_and(|(types, _)| feed == types);
    let told = notices.iter().filter(|notice| !notice.key.is_empty());
    for value in told.filter_map(|Notice { new, .. }| new.as_ref()) {
        if !is_types {
            let name = Row::from_value(value).map(|row| row.metadata.name);
            app.words
                .namespaces
                .extend(name.ok().filter(|name| is_plain(name)));
            continue;
        }
        let resource: ApiResource = serde_json::from_slice(value).unwrap_or_default();
        if resource.verbs.iter().any(|verb| verb == "list") {
            let words = resource.short_names.into_iter().chain([resource.name]);
            app.words.types.extend(words.filter(|word| is_plain(word)));
        }
    }
    app.is_dirty |= app.prompt.is_some();
}

/// What a cluster says may be typed for a person only if it is a plain word.
fn is_plain(word: &str) -> bool {
    !word.is_empty()
        && word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
}
