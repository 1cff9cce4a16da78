//! What is typed; where one is; which keys there are.

use super::layout::Areas;
use super::pen::Pen;
use crate::tui::app::App;
use crate::tui::keys::{self, Context};
use crate::tui::prompt::Purpose;
use crate::tui::theme::{Role, Theme};
use crate::tui::update::{candidates, ghost};
use crate::tui::view::View;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthChar;

/// The way that led here, what was done, and hints.
pub(super) fn draw(app: &App, theme: &Theme, areas: &Areas, buffer: &mut Buffer) {
    let told = app.told.as_ref();
    if areas.crumbs.height > 0 {
        crumbs(app, theme, areas.crumbs, buffer);
    }
    let area = if areas.crumbs.height > 0 {
        areas.crumbs
    } else {
        areas.hints
    };
    if areas.crumbs.height > 0 || told.is_none() {
        hints(app, theme, areas.hints, buffer);
    }
    if let Some(told) = told {
        let width = u16::try_from(super::pen::width(&told.text) + 2).unwrap_or(u16::MAX);
        let start = area.right().saturating_sub(width).max(area.x);
        let role = if told.is_wrong { Role::Bad } else { Role::Good };
        let mut pen = Pen::new(buffer, start, area.y, area.right());
        let room = pen.room();
        pen.fit(&format!(" {}", told.text), room, theme.style(role));
    }
}

fn crumbs(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let mut pen = Pen::new(buffer, area.x, area.y, area.right());
    let last = app.views.len().saturating_sub(1);
    for (at, view) in app.views.iter().enumerate() {
        if at > 0 {
            pen.put(" ›", theme.style(Role::Faint));
        }
        let role = if at == last { Role::Title } else { Role::Faint };
        pen.put(&format!(" {}", view.crumb()), theme.style(role));
    }
}

fn hints(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let contexts: &[Context] = match (&app.prompt, app.view()) {
        (Some(_), _) => &[Context::Prompt],
        (None, view) => view.map(View::contexts).unwrap_or_default(),
    };
    let mut pen = Pen::new(buffer, area.x, area.y, area.right());
    for (key, word) in keys::hints(contexts) {
        let needed = super::pen::width(&key) + word.len() + 4;
        if usize::from(pen.room()) < needed {
            return;
        }
        pen.put(&format!(" {key}"), theme.style(Role::Key));
        pen.put(&format!(" {word} "), theme.style(Role::Faint));
    }
}

/// The line that is typed, and what it could become; answers where the cursor is.
pub(super) fn prompt(
    app: &App,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) -> Option<Position> {
    let prompt = app.prompt.as_ref()?;
    if area.height == 0 {
        return None;
    }
    let sign = match prompt.purpose {
        Purpose::Command => ":",
        Purpose::Filter => "/",
    };
    let mut pen = Pen::new(buffer, area.x, area.y, area.right());
    pen.put(&format!(" {sign}"), theme.style(Role::Key));
    let start = pen.column();
    let room = usize::from(pen.room()).saturating_sub(1);
    // A line that is too long shows its end, where the cursor mostly is.
    let mut hidden = 0;
    let is_hidden = |c: &char| {
        let hides = prompt.cursor().saturating_sub(hidden) > room;
        hidden += if hides {
            c.width().unwrap_or_default()
        } else {
            0
        };
        hides
    };
    let text: String = prompt.text().chars().skip_while(is_hidden).collect();
    pen.put(&text, theme.style(Role::Typed));
    if prompt.purpose == Purpose::Filter
        && let Some(View::Table(table)) = app.view()
        && let Some(wrong) = &table.wrong
    {
        pen.skip(3);
        let room = pen.room();
        pen.fit(wrong, room, theme.style(Role::Bad));
    }
    if prompt.purpose == Purpose::Command {
        if let Some(ghost) = ghost(app, prompt.text()) {
            pen.put(&ghost, theme.style(Role::Ghost));
        }
        let others = candidates(app, prompt.stem());
        if !prompt.stem().is_empty() && others.len() > 1 {
            pen.skip(3);
            for other in others.iter().take(12) {
                let word = other.rsplit([' ', ',', '@']).next().unwrap_or_default();
                let is_it = other == prompt.text();
                let role = if is_it { Role::Found } else { Role::Faint };
                pen.put(word, theme.style(role));
                pen.put("  ", theme.style(Role::Faint));
            }
        }
    }
    let column = start + u16::try_from(prompt.cursor().saturating_sub(hidden)).unwrap_or_default();
    Some(Position::new(
        column.min(area.right().saturating_sub(1)),
        area.y,
    ))
}
