//! Short lists.

use super::columns::{self, GAP, Wanted};
use super::framed;
use super::pen::{self, Pen};
use crate::tui::health::Health;
use crate::tui::theme::{Role, Theme};
use crate::tui::view::list::{List, ListLine};
use crate::tui::view::picker::PickerView;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The choice of clusters.
pub(super) fn picker(picker: &PickerView, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let mut title = vec![
        ("clusters".to_owned(), Role::Title),
        (format!("[{}]", picker.list.lines.len()), Role::Title),
    ];
    if !picker.chosen.is_empty() {
        title.push((format!(" {} chosen", picker.chosen.len()), Role::Marked));
    }
    if !picker.filter.is_empty() {
        title.push((format!(" </{}>", picker.filter), Role::Marked));
    }
    let inside = framed(theme, area, &title, "", buffer);
    list(&picker.list, theme, inside, buffer);
}

/// A list with its heads.
pub(super) fn list(list: &List, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if area.height == 0 || area.width < 3 {
        return;
    }
    let many = list.heads.len();
    let cells = |at: usize| list.lines.iter().filter_map(move |line| line.cells.get(at));
    let wanted = list.heads.iter().enumerate().map(|(at, head)| {
        let cells = cells(at).map(|cell| pen::width(cell));
        let width = cells.chain([pen::width(head)]).max().unwrap_or_default();
        let width = u16::try_from(width).unwrap_or(u16::MAX);
        // What stands last may be as long as it likes: it is cut first.
        let least = if at + 1 == many { 6 } else { 10 };
        Wanted {
            width,
            least: width.min(least),
        }
    });
    let widths = columns::fit(&wanted.collect::<Vec<_>>(), area.width - 2);
    let mut pen = Pen::new(buffer, area.x + 2, area.y, area.right());
    for (head, width) in list.heads.iter().zip(&widths) {
        pen.fit(head, *width, theme.style(Role::Head));
        pen.skip(GAP);
    }
    let rows = list.lines.iter().enumerate().skip(list.top());
    for ((at, line), y) in rows.zip(area.y + 1..area.bottom()) {
        let pen = Pen::new(buffer, area.x, y, area.right());
        draw_line(line, theme, (&widths, at == list.cursor()), pen);
    }
}

fn draw_line(
    line: &ListLine,
    theme: &Theme,
    (widths, is_selected): (&[u16], bool),
    mut pen: Pen<'_>,
) {
    let role = match (line.is_stale, line.health) {
        (true, _) => Role::Stale,
        (false, Health::Bad) => Role::Bad,
        (false, Health::Warn) => Role::Warn,
        (false, Health::Done) => Role::Done,
        (false, Health::Well) => Role::Text,
    };
    let mut style = theme.style(role);
    if is_selected {
        style = style.patch(theme.style(Role::Selected));
    }
    let sign = if line.is_marked { "✓" } else { " " };
    pen.put(sign, style.patch(theme.style(Role::Marked)));
    pen.fit("", 1, style);
    for (cell, width) in line.cells.iter().zip(widths) {
        pen.fit(cell, *width, style);
        pen.fit("", GAP, style);
    }
    let rest = pen.room();
    pen.fit("", rest, style);
}
