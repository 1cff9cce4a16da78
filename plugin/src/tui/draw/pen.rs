//! Text on the screen, by columns: wide characters take two, combining ones none.

use crate::print::sanitize;
use ratatui::buffer::Buffer;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

/// Writes in one line, from a column to another one.
pub(super) struct Pen<'a> {
    buffer: &'a mut Buffer,
    x: u16,
    y: u16,
    end: u16,
}

/// How many columns a text needs.
pub(super) fn width(text: &str) -> usize {
    sanitize::word(text).width()
}

impl<'a> Pen<'a> {
    /// From column `x` to before column `end`, as far as the screen goes.
    pub(super) fn new(buffer: &'a mut Buffer, x: u16, y: u16, end: u16) -> Self {
        let area = buffer.area;
        let is_outside = y < area.y || y >= area.bottom();
        let end = if is_outside { x } else { end.min(area.right()) };
        Self { buffer, x, y, end }
    }

    /// How many columns are left.
    pub(super) fn room(&self) -> u16 {
        self.end.saturating_sub(self.x)
    }

    /// The column that is written to next.
    pub(super) fn column(&self) -> u16 {
        self.x
    }

    /// Writes as much of a text as there is room for.
    pub(super) fn put(&mut self, text: &str, style: Style) {
        let room = usize::from(self.room());
        if room == 0 || text.is_empty() {
            return;
        }
        let text = sanitize::word(text);
        (self.x, _) = self.buffer.set_stringn(self.x, self.y, text, room, style);
    }

    /// Writes a text in so many columns: padded, or cut with a sign that it was.
    pub(super) fn fit(&mut self, text: &str, columns: u16, style: Style) {
        let columns = columns.min(self.room());
        let end = self.x + columns;
        if columns == 0 {
            return;
        }
        let outer = std::mem::replace(&mut self.end, end);
        if width(text) > usize::from(columns) {
            self.end = end - 1;
            self.put(text, style);
            self.end = end;
            self.put("…", style);
        } else {
            self.put(text, style);
        }
        let rest = usize::from(end.saturating_sub(self.x));
        self.put(&" ".repeat(rest), style);
        self.end = outer;
        self.x = end;
    }

    /// Leaves columns as they are.
    pub(super) fn skip(&mut self, columns: u16) {
        self.x = self.x.saturating_add(columns).min(self.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::layout::Rect;

    fn line(buffer: &Buffer) -> String {
        let mut text = String::new();
        let mut skip = 0;
        for x in 0..buffer.area.width {
            let symbol = buffer[(x, 0)].symbol();
            if skip == 0 {
                text.push_str(symbol);
            }
            skip = if skip == 0 {
                symbol.width().saturating_sub(1)
            } else {
                skip - 1
            };
        }
        text
    }

    fn fitted(text: &str, columns: u16) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
        let mut pen = Pen::new(&mut buffer, 0, 0, 12);
        pen.fit(text, columns, Style::new());
        pen.put("|", Style::new());
        line(&buffer).trim_end().to_owned()
    }

    #[test]
    fn columns_are_what_a_terminal_counts() {
        for (text, want) in [
            ("web", "web   |"),
            ("longer-name", "longe…|"),
            ("漢字", "漢字  |"),
            ("漢字漢字", "漢字… |"),
            ("e\u{301}te\u{301}", "e\u{301}te\u{301}   |"),
            ("a\u{1b}[1m", "a^[[1m|"),
            ("a\tb", "a^Ib  |"),
            ("a\u{202e}b", "a\\u20…|"),
        ] {
            assert_eq!(fitted(text, 6), want, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_moves_what_comes_after_it(text in "\\PC{0,12}", columns in 0..11_u16) {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
            let mut pen = Pen::new(&mut buffer, 0, 0, 12);
            pen.fit(&text, columns, Style::new());
            prop_assert_eq!(pen.column(), columns);
            pen.put("|", Style::new());
            prop_assert_eq!(buffer[(columns, 0)].symbol(), "|");
        }

        #[test]
        fn nothing_is_written_outside(text in "\\PC{0,12}", x in 0..30_u16, y in 0..3_u16, end in 0..30_u16) {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
            let mut pen = Pen::new(&mut buffer, x, y, end);
            pen.put(&text, Style::new());
            pen.fit(&text, 5, Style::new());
        }
    }
}
