//! Back and forth between the views that were on the screen, whatever they were.
//!
//! What is remembered is the whole way to a view: who comes back to a description goes out of it into the table that
//! it was opened from. What both ways begin with stays as it is.

use super::{about, hub, navigate};
use crate::tui::app::{App, Place};
use crate::tui::event::Effect;
use crate::tui::view::View;
use crate::tui::view::text::TextKind;

/// History is no longer than this.
const REMEMBERED: usize = 50;

/// Goes somewhere, and remembers it.
pub(super) fn step(app: &mut App, go: impl FnOnce(&mut App) -> Vec<Effect>) -> Vec<Effect> {
    leaves(app);
    let effects = go(app);
    arrived(app);
    effects
}

/// Before one goes somewhere: the filter that was typed here belongs to what is remembered.
fn leaves(app: &mut App) {
    let here = trail(app);
    let at = app.history.at;
    if let Some(known) = app
        .history
        .trails
        .get_mut(at)
        .filter(|it| is_same(it, &here))
    {
        *known = here;
    }
}

/// After one went somewhere.
fn arrived(app: &mut App) {
    let here = trail(app);
    let history = &mut app.history;
    if history.trails.get(history.at) == Some(&here) {
        return;
    }
    history.trails.truncate(history.at + 1);
    if history.trails.len() >= REMEMBERED {
        history.trails.remove(0);
    }
    history.before = history.trails.len().checked_sub(1);
    history.trails.push(here);
    history.at = history.trails.len() - 1;
}

/// After one went out of a view: that is where one was before.
pub(super) fn returned(app: &mut App) {
    let here = trail(app);
    let history = &mut app.history;
    let until_now = history.trails.iter().take(history.at + 1);
    let before: Vec<_> = until_now.collect();
    let Some(at) = before.iter().rposition(|known| is_same(known, &here)) else {
        return;
    };
    if at != history.at {
        history.before = Some(history.at);
        history.at = at;
    }
}

/// By so many steps.
pub(super) fn travel(app: &mut App, steps: isize) -> Vec<Effect> {
    let last = app.history.trails.len().saturating_sub(1);
    let to = app.history.at.saturating_add_signed(steps).min(last);
    revisit(app, to)
}

/// To where one was before this, and back.
pub(super) fn previous(app: &mut App) -> Vec<Effect> {
    match app.history.before {
        Some(to) => revisit(app, to),
        None => Vec::new(),
    }
}

fn revisit(app: &mut App, to: usize) -> Vec<Effect> {
    leaves(app);
    let Some(places) = app.history.trails.get(to).cloned() else {
        return Vec::new();
    };
    if trail(app) == places {
        return Vec::new();
    }
    app.history.before = Some(app.history.at);
    app.history.at = to;
    if let Some(Place::Table(spec)) = places.first() {
        app.namespaces.clone_from(&spec.namespaces);
        app.chosen.clone_from(&spec.clusters);
    }
    let both = places.iter().zip(&app.views);
    let stay = both.take_while(|(place, view)| view.place().as_ref() == Some(*place));
    let stay = stay.count();
    let mut effects = navigate::close(app, stay);
    for place in places.into_iter().skip(stay) {
        effects.extend(show(app, place));
    }
    effects
}

fn show(app: &mut App, place: Place) -> Vec<Effect> {
    match place {
        Place::Table(spec) => navigate::show(app, *spec),
        Place::Fleet => navigate::show_fleet(app),
        Place::Faults => navigate::show_faults(app),
        Place::Hub(kind) => hub::show(app, kind),
        Place::Text(TextKind::Diff, target, compared) => about::diff_of(app, target, compared),
        Place::Text(kind, target, _) => about::text_of(app, kind, target),
        Place::Logs(target, containers) => about::logs_of(app, target, containers),
        Place::Containers(target) => about::containers_of(app, target),
        Place::Used(target) => about::used_by_of(app, target),
    }
}

/// The way to the view on the screen.
fn trail(app: &App) -> Vec<Place> {
    app.views.iter().filter_map(View::place).collect()
}

/// Whether both are the same but for filters, and for what became known of objects meanwhile.
fn is_same(one: &[Place], other: &[Place]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.is_same(other))
}
