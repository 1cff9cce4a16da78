//! How it all looks.
//!
//! **Architecture invariant:** [`draw`] changes nothing but the frame, and looks at no more of a table than is on the
//! screen. Text gets there through `pen::Pen` only, which makes it fit for a terminal.
//!
//! | module | what it draws |
//! |---|---|
//! | `pen` | text, cut and padded by columns of the screen |
//! | `layout` | where what is |
//! | `header` | clusters and how fresh they are; what is wrong |
//! | `table` | rows of a grid |
//! | `across` | which columns of a table are on the screen |
//! | `columns` | how wide they are |
//! | `list` | short lists |
//! | `text`, `logs` | texts and logs |
//! | `help` | all keys |
//! | `footer` | where one is, and hints |

mod across;
mod columns;
mod footer;
mod header;
mod help;
mod layout;
mod list;
mod logs;
mod pen;
mod table;
mod text;

#[cfg(test)]
pub(in crate::tui) mod tests;

pub use across::most_left;
pub use help::lines as help_lines;
pub use layout::{Areas, areas};
pub use table::place_at;

use super::app::App;
use super::standing::Standing;
use super::theme::{Role, Theme};
use super::view::View;
use super::view::target::Target;
use pen::Pen;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, BorderType, Borders, Widget};

/// Draws everything.
pub fn draw(app: &App, theme: &Theme, frame: &mut Frame<'_>) {
    let area = frame.area();
    let areas = areas(app).within(area);
    let buffer = frame.buffer_mut();
    buffer.set_style(area, theme.style(Role::Text));
    header::draw(app, theme, areas.header, buffer);
    header::banner(app, theme, areas.banner, buffer);
    match app.view() {
        Some(View::Table(view)) => table::draw(app, view, theme, areas.body, buffer),
        Some(View::Picker(picker)) => list::picker(picker, theme, areas.body, buffer),
        Some(View::Containers(view)) => list::containers(app, view, theme, areas.body, buffer),
        Some(View::Used(view)) => list::used(app, view, theme, areas.body, buffer),
        Some(View::Fleet(view)) => list::fleet(view, theme, areas.body, buffer),
        Some(View::Faults(view)) => list::faults(app, view, theme, areas.body, buffer),
        Some(View::Hub(view)) => list::hub(app, view, theme, areas.body, buffer),
        Some(View::Text(view)) => text::draw(app, view, theme, areas.body, buffer),
        Some(View::Logs(view)) => logs::draw(app, view, theme, areas.body, buffer),
        Some(View::Help(scroll)) => help::draw(app, scroll, theme, areas.body, buffer),
        None => {}
    }
    footer::draw(app, theme, &areas, buffer);
    if let Some(cursor) = footer::prompt(app, theme, areas.prompt, buffer) {
        frame.set_cursor_position(cursor);
    }
}

/// A frame with a title in the middle and a remark at its foot; answers what is inside.
fn framed(
    theme: &Theme,
    area: Rect,
    title: &[(String, Role)],
    remark: &str,
    buffer: &mut Buffer,
) -> Rect {
    let block = Block::new()
        .borders(Borders::ALL)
        .border_type(BorderType::Rounded)
        .border_style(theme.style(Role::Faint));
    let inside = block.inner(area);
    block.render(area, buffer);
    if area.width < 4 || area.height < 2 {
        return inside;
    }
    let width: usize = title
        .iter()
        .map(|(text, _)| pen::width(text))
        .sum::<usize>()
        + 2;
    let room = usize::from(area.width) - 2;
    let left = room.saturating_sub(width) / 2;
    let start = area.x + 1 + u16::try_from(left).unwrap_or_default();
    let mut pen = Pen::new(buffer, start, area.y, area.right() - 1);
    pen.put(" ", theme.style(Role::Faint));
    for (text, role) in title {
        pen.put(text, theme.style(*role));
    }
    pen.put(" ", theme.style(Role::Faint));
    let width = pen::width(remark);
    if !remark.is_empty() && width + 4 < room {
        let start = area.right() - 3 - u16::try_from(width).unwrap_or_default();
        let mut pen = Pen::new(buffer, start, area.bottom() - 1, area.right() - 1);
        pen.put(&format!(" {remark} "), theme.style(Role::Faint));
    }
    inside
}

/// Text does not touch its frame.
fn margin(inside: Rect) -> Rect {
    Rect {
        x: inside.x + u16::from(inside.width > 2),
        width: inside.width.saturating_sub(2).max(inside.width.min(1)),
        ..inside
    }
}

/// ` live`, or what it is instead.
fn freshness(standing: Standing) -> (String, Role) {
    match standing {
        Standing::Fresh(_) => (" live".to_owned(), Role::Good),
        other => (
            format!(" {}", other.words().1),
            header::role_of(other.rank()),
        ),
    }
}

/// ` shop @berlin`: where an object is.
fn whereabouts(target: &Target) -> (String, Role) {
    let Some(id) = &target.id else {
        return (String::new(), Role::Cluster);
    };
    let namespace = match id.namespace.as_str() {
        "" => String::new(),
        namespace => format!("({namespace})"),
    };
    (
        format!("{namespace} @{}", id.cluster.as_str()),
        Role::Cluster,
    )
}

/// A line in the middle of an empty view.
fn said(theme: &Theme, area: Rect, lines: &[(String, Role)], buffer: &mut Buffer) {
    let many = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let top = area.y + area.height.saturating_sub(many) / 3;
    for ((text, role), y) in lines.iter().zip(top..area.bottom()) {
        let width = u16::try_from(pen::width(text)).unwrap_or(u16::MAX);
        let x = area.x + area.width.saturating_sub(width) / 2;
        Pen::new(buffer, x, y, area.right()).fit(text, area.right() - x, theme.style(*role));
    }
}
