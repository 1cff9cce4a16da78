//! From one view to another.

use super::{about, history, hub};
use crate::tui::app::App;
use crate::tui::command::{Command, Wish};
use crate::tui::event::{Effect, FeedId};
use crate::tui::query::Query;
use crate::tui::view::View;
use crate::tui::view::faults::{self, FaultsView};
use crate::tui::view::fleet::{self, FleetView};
use crate::tui::view::picker::PickerView;
use crate::tui::view::scroll::Scroll;
use crate::tui::view::table::{TableSpec, TableView};
use mqtt_informer::informer::Clusters;
use mqtt_informer::protocol::message::{self, Selection};

/// What is shown when nothing else was said.
const FIRST: &str = "pods";
/// Favourites are no longer than this.
const REMEMBERED: usize = 50;

/// The view with which everything begins.
pub(super) fn go_to_start(app: &mut App, word: &str) -> Vec<Effect> {
    let word = if word.is_empty() { FIRST } else { word };
    let wish = Wish {
        word: Some(word.to_owned()),
        ..Wish::default()
    };
    go(app, wish)
}

/// Does what was typed.
pub(super) fn command(app: &mut App, command: Command) -> Vec<Effect> {
    match command {
        Command::Quit => vec![Effect::Quit],
        Command::Help => help(app),
        Command::Pick => pick(app),
        Command::Fleet => fleet(app),
        Command::Faults => faults(app),
        Command::Hub(kind) => hub::go(app, kind),
        Command::Diff => about::diff(app),
        Command::Show(wish) => go(app, wish),
    }
}

/// Goes to a table by its name, and remembers where one was.
pub(super) fn go(app: &mut App, wish: Wish) -> Vec<Effect> {
    if let Some(namespaces) = &wish.namespaces {
        app.namespaces.clone_from(namespaces);
        for name in namespaces {
            app.favourites.retain(|known| known != name);
            app.favourites.insert(0, name.clone());
        }
        app.favourites.truncate(REMEMBERED);
    }
    if let Some(clusters) = &wish.clusters {
        app.chosen.clone_from(clusters);
    }
    let current = app.views.iter().find_map(|view| match view {
        View::Table(table) => Some(&table.spec),
        _ => None,
    });
    let word = wish.word.or_else(|| current.map(|spec| spec.word.clone()));
    let spec = TableSpec {
        word: word.unwrap_or_else(|| FIRST.to_owned()),
        namespaces: app.namespaces.clone(),
        clusters: app.chosen.clone(),
        labels: wish.labels,
        filter: wish.filter,
        ..TableSpec::default()
    };
    history::step(app, |app| {
        let mut effects = close(app, 0);
        effects.extend(show(app, spec));
        effects
    })
}

/// Shows this, with what is on the screen below it.
pub(super) fn enter(app: &mut App, spec: TableSpec) -> Vec<Effect> {
    history::step(app, |app| show(app, spec))
}

/// The same, and nobody remembers it.
pub(super) fn show(app: &mut App, spec: TableSpec) -> Vec<Effect> {
    let (table, effects) = table(app, spec);
    app.views.push(View::Table(Box::new(table)));
    effects
}

/// Leaves all views above so many.
pub(super) fn close(app: &mut App, many: usize) -> Vec<Effect> {
    let views = app.views.split_off(many.min(app.views.len()));
    views.iter().flat_map(View::leave).collect()
}

/// A table, and how it is fed.
fn table(app: &mut App, spec: TableSpec) -> (TableView, Vec<Effect>) {
    let selections = TableView::selections(&spec);
    let feeds: Vec<FeedId> = selections.iter().map(|_| app.feed_id()).collect();
    let clusters = clusters(app, &spec.clusters);
    let mut table = TableView::new(spec, feeds.clone());
    table.watched = clusters.clone();
    match Query::parse(&table.spec.filter) {
        Ok(query) => table.grid.set_query(query, app.now),
        Err(wrong) => table.wrong = Some(wrong),
    }
    let watch = |(feed, selection)| Effect::Watch(feed, clusters.clone(), Box::new(selection));
    let effects = feeds.into_iter().zip(selections).map(watch).collect();
    (table, effects)
}

/// Tables of these types, with fields that narrow them, of the clusters that are meant.
fn tables(
    app: &mut App,
    watched: &[(&str, &str)],
    namespaces: &[String],
) -> (Vec<TableView>, Vec<Effect>) {
    let (mut tables, mut effects) = (Vec::new(), Vec::new());
    for (word, fields) in watched {
        let spec = TableSpec {
            word: (*word).to_owned(),
            namespaces: namespaces.to_vec(),
            clusters: app.chosen.clone(),
            fields: (*fields).to_owned(),
            ..TableSpec::default()
        };
        let (table, its) = table(app, spec);
        tables.push(table);
        effects.extend(its);
    }
    (tables, effects)
}

/// The clusters, one a line, over what is on the screen.
fn fleet(app: &mut App) -> Vec<Effect> {
    if matches!(app.view(), Some(View::Fleet(_))) {
        return Vec::new();
    }
    history::step(app, show_fleet)
}

/// Shows them.
pub(super) fn show_fleet(app: &mut App) -> Vec<Effect> {
    let (tables, effects) = tables(app, &fleet::WATCHED, &[]);
    app.views
        .push(View::Fleet(Box::new(FleetView::new(tables))));
    super::feeds::refresh(app);
    effects
}

/// Everything that is unwell in the namespaces that are meant, over what is on the screen.
fn faults(app: &mut App) -> Vec<Effect> {
    if matches!(app.view(), Some(View::Faults(_))) {
        return Vec::new();
    }
    history::step(app, show_faults)
}

/// Shows it.
pub(super) fn show_faults(app: &mut App) -> Vec<Effect> {
    let namespaces = app.namespaces.clone();
    let (tables, effects) = tables(app, &faults::WATCHED, &namespaces);
    app.views
        .push(View::Faults(Box::new(FaultsView::new(tables))));
    effects
}

/// Out of this view, to the one below; nothing if there is none.
pub(super) fn back(app: &mut App) -> Vec<Effect> {
    if app.views.len() < 2 {
        return Vec::new();
    }
    let gone = app.views.pop();
    history::returned(app);
    gone.iter().flat_map(View::leave).collect()
}

/// All keys, over what is on the screen.
pub(super) fn help(app: &mut App) -> Vec<Effect> {
    if !matches!(app.view(), Some(View::Help(_))) {
        app.views.push(View::Help(Scroll::default()));
    }
    Vec::new()
}

/// The choice of clusters, over what is on the screen.
pub(super) fn pick(app: &mut App) -> Vec<Effect> {
    if matches!(app.view(), Some(View::Picker(_))) {
        return Vec::new();
    }
    let words = clusters(app, &app.chosen);
    let is_chosen = |name: &&_| !app.chosen.is_empty() && words.matches(name);
    let chosen = app.clusters.keys().filter(is_chosen);
    let chosen = chosen.map(|name| name.as_str().to_owned()).collect();
    app.views
        .push(View::Picker(Box::new(PickerView::new(chosen))));
    super::feeds::show_clusters(app);
    Vec::new()
}

/// The clusters that these words mean, among those with the labels that are wanted.
pub(super) fn clusters(app: &App, words: &[String]) -> Clusters {
    // They were read when they were typed.
    let named = Clusters::new(words).unwrap_or_default();
    let Some(labels) = &app.cluster_labels else {
        return named;
    };
    let is_meant = |cluster: &mqtt_informer::informer::Cluster| {
        let known = &cluster.presence.labels;
        labels.matches(|key| {
            known
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value.as_str())
        })
    };
    let meant = app
        .clusters
        .iter()
        .filter(|(name, cluster)| named.matches(name) && is_meant(cluster));
    let meant: Vec<_> = meant.map(|(name, _)| name.as_str()).collect();
    // No words would be all of them.
    let words = if meant.is_empty() { vec!["!*"] } else { meant };
    Clusters::new(words).unwrap_or_default()
}

/// The clusters that are meant anyway.
pub(super) fn meant(app: &App) -> Clusters {
    clusters(app, &app.chosen)
}

/// Asks for what completion needs, once.
pub(super) fn learn_words(app: &mut App) -> Vec<Effect> {
    if app.words.feeds.is_some() {
        return Vec::new();
    }
    let feeds = (app.feed_id(), app.feed_id());
    app.words.feeds = Some(feeds);
    let types = Selection {
        view: message::View::Resources,
        ..Selection::default()
    };
    let namespaces = Selection {
        resource: "namespaces".to_owned(),
        ..Selection::default()
    };
    let clusters = meant(app);
    vec![
        Effect::Watch(feeds.0, clusters.clone(), Box::new(types)),
        Effect::Watch(feeds.1, clusters, Box::new(namespaces)),
    ]
}
