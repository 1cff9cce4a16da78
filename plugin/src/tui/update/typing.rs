//! The prompt: commands and filters.

use super::{complete, navigate};
use crate::tui::app::App;
use crate::tui::command::Command;
use crate::tui::event::Effect;
use crate::tui::keys::{self, Action, Context};
use crate::tui::prompt::{Prompt, Purpose};
use crate::tui::query::Query;
use crate::tui::view::View;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::InputRequest;

/// Begins to type a command.
pub(super) fn command(app: &mut App) -> Vec<Effect> {
    app.prompt = Some(Prompt::new(Purpose::Command, ""));
    navigate::learn_words(app)
}

/// Begins to type a filter, at the one that is there.
pub(super) fn filter(app: &mut App) -> Vec<Effect> {
    let text = match app.view() {
        Some(View::Table(table)) => table.spec.filter.clone(),
        Some(View::Picker(picker)) => picker.filter.clone(),
        Some(View::Logs(logs)) => logs.filter.clone(),
        // One searches for something else mostly.
        Some(View::Text(_)) => String::new(),
        view => match view.and_then(View::list) {
            Some(list) => list.filter.clone(),
            None => return Vec::new(),
        },
    };
    let mut prompt = Prompt::new(Purpose::Filter, &text);
    if let Some(View::Text(view)) = app.view() {
        prompt.before.clone_from(&view.search);
    }
    app.prompt = Some(prompt);
    Vec::new()
}

/// Text that was pasted is typed, if anything is.
pub(super) fn paste(app: &mut App, text: &str) -> Vec<Effect> {
    if let Some(prompt) = &mut app.prompt {
        prompt.paste(text);
        try_filter(app);
    }
    Vec::new()
}

/// A key while something is typed.
pub(super) fn key(app: &mut App, key: KeyEvent) -> Vec<Effect> {
    match keys::action(&[Context::Prompt], &key) {
        Some(Action::Accept) => return accept(app),
        Some(Action::Back) => leave(app),
        Some(action) => edit(app, action),
        None => type_in(app, &key),
    }
    try_filter(app);
    Vec::new()
}

fn edit(app: &mut App, action: Action) {
    let Some(mut prompt) = app.prompt.take() else {
        return;
    };
    match action {
        Action::Complete if prompt.purpose == Purpose::Command => {
            prompt.complete(|typed| complete::candidates(app, typed));
        }
        Action::Up if prompt.purpose == Purpose::Command => prompt.recall(&app.typed, true),
        Action::Down if prompt.purpose == Purpose::Command => prompt.recall(&app.typed, false),
        action => {
            if let Some(request) = request(action) {
                prompt.edit(request);
            }
        }
    }
    app.prompt = Some(prompt);
}

/// What no key is for is typed.
fn type_in(app: &mut App, key: &KeyEvent) {
    let plain = KeyModifiers::NONE | KeyModifiers::SHIFT;
    if let (Some(prompt), KeyCode::Char(c)) = (&mut app.prompt, key.code)
        && plain.contains(key.modifiers)
    {
        prompt.edit(InputRequest::InsertChar(c));
    }
}

/// What an action does to a line.
fn request(action: Action) -> Option<InputRequest> {
    Some(match action {
        Action::Clear => InputRequest::DeleteLine,
        Action::Left => InputRequest::GoToPrevChar,
        Action::Right => InputRequest::GoToNextChar,
        Action::WordLeft => InputRequest::GoToPrevWord,
        Action::WordRight => InputRequest::GoToNextWord,
        Action::First => InputRequest::GoToStart,
        Action::Last => InputRequest::GoToEnd,
        Action::DeleteBefore => InputRequest::DeletePrevChar,
        Action::DeleteAfter => InputRequest::DeleteNextChar,
        Action::DeleteWord => InputRequest::DeletePrevWord,
        Action::DeleteRest => InputRequest::DeleteTillEnd,
        _ => return None,
    })
}

fn accept(app: &mut App) -> Vec<Effect> {
    let Some(prompt) = app.prompt.take() else {
        return Vec::new();
    };
    match prompt.purpose {
        Purpose::Filter => {
            if let Some(View::Table(table)) = app.view_mut() {
                table.grid.settle();
            }
            Vec::new()
        }
        Purpose::Command => {
            let text = prompt.text().trim().to_owned();
            match Command::parse(&text, &app.groups) {
                Ok(None) => Vec::new(),
                Ok(Some(command)) => {
                    app.typed.retain(|known| *known != text);
                    app.typed.push(text);
                    navigate::command(app, command)
                }
                Err(wrong) => {
                    app.tell(wrong, true);
                    app.prompt = Some(prompt);
                    Vec::new()
                }
            }
        }
    }
}

/// What was typed counts for nothing.
fn leave(app: &mut App) {
    if let Some(prompt) = app.prompt.take()
        && prompt.purpose == Purpose::Filter
    {
        set_filter(app, &prompt.before);
    }
}

/// A filter works while it is typed.
fn try_filter(app: &mut App) {
    let typed = app
        .prompt
        .as_ref()
        .filter(|prompt| prompt.purpose == Purpose::Filter);
    if let Some(text) = typed.map(|prompt| prompt.text().to_owned()) {
        set_filter(app, &text);
    }
}

/// Filters what is on the screen. What cannot be understood yet changes nothing but says so.
pub(super) fn set_filter(app: &mut App, text: &str) {
    let now = app.now;
    match app.view_mut() {
        Some(View::Table(table)) if table.spec.filter != text => {
            table.spec.filter = text.to_owned();
            table.wrong = None;
            match Query::parse(text) {
                Ok(query) => table.grid.set_query(query, now),
                Err(wrong) => table.wrong = Some(wrong),
            }
        }
        Some(View::Logs(logs)) if logs.filter != text => logs.set_filter(text),
        Some(View::Text(view)) => {
            // What is no expression yet, becomes one while it is typed; its end says what is wrong.
            if let Err(wrong) = view.search_for(text) {
                app.tell(wrong, true);
            }
        }
        Some(View::Picker(picker)) => {
            picker.filter = text.to_owned();
            picker.refresh();
        }
        Some(view) => {
            let list = view.list_mut().filter(|list| list.filter != text);
            if let Some(Err(wrong)) = list.map(|list| list.set_filter(text)) {
                app.tell(wrong, true);
            }
        }
        None => {}
    }
}
