//! Logs.

use super::header::grouped;
use super::text::put;
use super::{framed, margin, pen, said, whereabouts};
use crate::tui::app::App;
use crate::tui::theme::{Role, Theme};
use crate::tui::view::logs::{Line, LogsView, RANGES};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use std::borrow::Cow;

/// A line with its colours.
type Parts<'a> = Vec<(Cow<'a, str>, Style)>;

/// What tells containers apart.
const COLOURS: [Role; 4] = [Role::Cluster, Role::Literal, Role::Marked, Role::Quoted];

/// Draws logs with their frame.
pub(super) fn draw(app: &App, view: &LogsView, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let on = |is_on: bool, word: &str| {
        let role = if is_on { Role::Good } else { Role::Faint };
        (format!(" {word}"), role)
    };
    let mut title = vec![
        (format!("logs {}", view.target.label()), Role::Title),
        whereabouts(&view.target),
        (
            format!(" {}", RANGES[view.range.min(RANGES.len() - 1)].0),
            Role::Head,
        ),
        on(view.follows && app.is_linked(), "follow"),
        on(view.wraps, "wrap"),
        on(view.stamps, "times"),
    ];
    if view.is_all {
        title.push(on(true, "all containers"));
    }
    match &view.wrong {
        Some(wrong) => title.push((format!(" {wrong}"), Role::Bad)),
        None if view.filter.is_empty() => {}
        None => title.push((format!(" </{}>", view.filter), Role::Marked)),
    }
    let count = match view.shown() == view.len() {
        true => grouped(view.len() as u64),
        false => format!(
            "{}/{}",
            grouped(view.shown() as u64),
            grouped(view.len() as u64)
        ),
    };
    let inside = framed(theme, area, &title, &count, buffer);
    if view.shown() == 0 {
        let why = match (view.is_empty(), view.sources.is_empty()) {
            (true, true) if view.is_of_many() => "reading which pods there are",
            (true, true) => "reading which containers there are",
            (true, false) => "no lines yet",
            (false, _) => "nothing passes the filter (esc ends it)",
        };
        return said(theme, inside, &[(why.to_owned(), Role::Faint)], buffer);
    }
    let inside = margin(inside);
    let lines = from_top(view, theme, inside);
    let mut y = inside.y;
    for parts in lines {
        if y >= inside.bottom() {
            return;
        }
        y = put(&parts, (inside, y), (view.left, view.wraps), buffer);
    }
}

/// The lines from the top of the screen on. Who follows wrapped lines sees the last of them, so the top is further down.
fn from_top<'a>(view: &'a LogsView, theme: &Theme, inside: Rect) -> Vec<Parts<'a>> {
    let many = usize::from(inside.height);
    if !(view.wraps && view.follows) {
        return view
            .lines_from(view.top)
            .take(many)
            .map(|line| parts(view, theme, line))
            .collect();
    }
    let mut lines = Vec::new();
    let mut used = 0;
    for line in view.lines_before(view.shown()) {
        let parts = parts(view, theme, line);
        let width: usize = parts.iter().map(|(text, _)| pen::width(text)).sum();
        used += width.div_ceil(usize::from(inside.width).max(1)).max(1);
        if used > many && !lines.is_empty() {
            break;
        }
        lines.push(parts);
    }
    lines.reverse();
    lines
}

fn parts<'a>(view: &LogsView, theme: &Theme, line: &'a Line) -> Parts<'a> {
    let Some(source) = line.source else {
        let text = format!("── {}", line.text).into();
        return vec![(text, theme.style(Role::Warn))];
    };
    let mut parts = Vec::new();
    if view.stamps && !line.stamp.is_empty() {
        // To the millisecond: what is behind that only takes room.
        let stamp: String = line.stamp.chars().take(23).collect();
        parts.push((format!("{stamp} ").into(), theme.style(Role::Faint)));
    }
    if view.names_sources() {
        let role = COLOURS[source % COLOURS.len()];
        parts.push((format!("{} ", view.name(source)).into(), theme.style(role)));
    }
    parts.push((line.text.as_str().into(), theme.style(Role::Text)));
    parts
}
