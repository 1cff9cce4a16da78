//! What happens, and what follows from it.
//!
//! **Architecture invariant:** pure. [`update`] does no IO, reads no clock but the time that comes with an event, and
//! waits for nothing: what is to be done it answers with, as [`Effect`]s.
//!
//! | module | what it is about |
//! |---|---|
//! | `act` | keys |
//! | `typing` | the prompt |
//! | `complete` | candidates for it |
//! | `navigate` | from one view to another |
//! | `drill` | from an object to what is inside |
//! | `about` | what else is wanted of an object |
//! | `objects` | news of whole objects |
//! | `logs` | which logs are read |
//! | `history` | back and forth between views |
//! | `export` | to the clipboard, to a file |
//! | `feeds` | what clusters tell |
//! | `figures` | what pods and nodes use |
//! | `follow` | what clusters are meant by their labels |

mod about;
mod act;
mod complete;
mod drill;
mod export;
mod feeds;
mod figures;
mod follow;
mod history;
mod hub;
mod logs;
mod navigate;
mod objects;
mod typing;

#[cfg(test)]
mod tests;

pub(super) use act::favourites;
pub use complete::{candidates, ghost};

use super::app::{App, Start};
use super::draw::areas;
use super::event::{Effect, Event, What};
use super::grid::Step;
use super::view::View;
use crate::print::sanitize;
use std::mem::Discriminant;
use std::time::Duration;

/// Between two looks at everything that a view is made of.
const REFRESH: Duration = Duration::from_millis(50);

/// Opens the first view.
pub fn start(start: &Start) -> (App, Vec<Effect>) {
    let mut app = App::new(start);
    let effects = navigate::go_to_start(&mut app, &start.word);
    fit(&mut app);
    (app, effects)
}

/// Takes in what happened.
pub fn update(app: &mut App, event: Event) -> Vec<Effect> {
    app.now = event.now;
    let comes_often = matches!(event.what, What::Feed(..) | What::Link(_) | What::Log(..));
    let moves = matches!(event.what, What::Key(_) | What::Wheel(_) | What::Click(..));
    let before = on_top(app);
    // Of what feeds tell, only what is on the screen is drawn anew; that time goes on hurries nobody.
    match event.what {
        What::Feed(..) | What::Link(_) => {}
        What::Tick => app.is_dirty_aside = true,
        _ => app.is_dirty = true,
    }
    let effects = take(app, event.what);
    // What is made of several tables is not made anew for each of a thousand changes, nor is the screen laid out.
    app.is_behind |= app.is_dirty || app.is_dirty_aside;
    let is_due = app.now.at >= app.refreshed + REFRESH;
    if app.is_behind && (is_due || !comes_often) {
        // Who only moves looks at what was there when the screen was drawn.
        if is_due || !moves || on_top(app) != before {
            (app.refreshed, app.is_behind) = (app.now.at, false);
            feeds::refresh(app);
        }
        fit(app);
    }
    effects
}

/// Tells the view on the screen from another one.
fn on_top(app: &App) -> (usize, Option<Discriminant<View>>) {
    (app.views.len(), app.view().map(std::mem::discriminant))
}

fn take(app: &mut App, what: What) -> Vec<Effect> {
    match what {
        What::Key(key) => return act::key(app, key),
        What::Paste(text) => return typing::paste(app, &text),
        What::Click(column, row) => return act::click(app, column, row),
        What::Tick => return tick(app),
        What::Clusters(clusters) => return feeds::clusters(app, clusters),
        What::Feed(feed, news) => return feeds::feed(app, feed, news),
        What::Wheel(lines) => act::step(app, Step::Lines(lines)),
        What::Resize(width, height) => app.size = (width, height),
        What::NoWay(why) => app.no_way = Some(sanitize::word(&why).into_owned()),
        What::Link(link) => feeds::link(app, link),
        What::Described(request, answer) => objects::described(app, request, answer),
        What::Log(request, event) => logs::log(app, request, event),
        What::Done(Ok(text)) => app.tell(text, false),
        What::Done(Err(text)) => app.tell(text, true),
    }
    Vec::new()
}

/// When time alone will change something on the screen.
pub fn next_tick(app: &App) -> Option<Duration> {
    let told = app.told.as_ref().map(|told| told.until);
    let flash = app.views.last().and_then(|view| match view {
        View::Table(table) => table.grid.next_tick(),
        _ => None,
    });
    let refresh = app.is_behind.then_some(app.refreshed + REFRESH);
    [told, flash, refresh].into_iter().flatten().min()
}

/// Ages and lags grow, changes are no longer new.
fn tick(app: &mut App) -> Vec<Effect> {
    let now = app.now;
    for table in app.views.iter_mut().flat_map(View::tables_mut) {
        table.grid.tick(now);
    }
    if app.told.as_ref().is_some_and(|told| told.until <= now.at) {
        app.told = None;
    }
    match app.views.pop() {
        Some(View::Text(mut text)) => {
            let effects = objects::describe_if_due(app, &mut text);
            app.views.push(View::Text(text));
            effects
        }
        Some(other) => {
            app.views.push(other);
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// Tells views how much of the screen they have.
fn fit(app: &mut App) {
    let inside = areas(app).inside();
    if let Some(view) = app.view_mut() {
        view.set_size(usize::from(inside.width), usize::from(inside.height));
    }
}
