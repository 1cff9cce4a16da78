//! Text with tabs in, aligned columns out: kubectl's column writer.
//!
//! A port of the part of `github.com/liggitt/tabwriter` that kubectl uses
//! (`k8s.io/cli-runtime/pkg/printers/tabwriter.go`): cells are at least 6 wide, 3 spaces apart, and a column never gets
//! narrower again after a flush. Its peculiarities are what makes two outputs equal byte for byte, so they are kept:
//!
//! - a cell belongs to a column only if a tab ends it: the last cell of a line has no width;
//! - a column is a run of *neighbouring* lines that have it: a short line ends it;
//! - a line without a tab flushes everything before it;
//! - widths count characters, not terminal cells;
//! - `\v` ends a cell as `\t` does, `\f` ends a line and flushes.

const MIN_WIDTH: usize = 6;
const PADDING: usize = 3;
/// A cell wider than this does not widen its column: one hostile cell must not blow up every line of a long table.
const WIDEST: usize = 4096;
/// Cells of a line beyond this are not told apart, for the same reason.
const MAX_CELLS: usize = 512;

/// Aligns what is written to it. Finished text gathers inside until [`TabWriter::take`].
#[derive(Debug, Default)]
pub struct TabWriter {
    /// Lines that wait for a flush; the last one is still being written.
    lines: Vec<Vec<String>>,
    /// The cell that is being written.
    cell: String,
    /// The widest that each column ever was.
    remembered: Vec<usize>,
    out: String,
    style: Style,
}

/// How wide columns are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Style {
    /// As in tables: at least 6, 3 apart, and never narrower than before.
    #[default]
    Table,
    /// As Go's own writer does it where descriptions are written: 2 apart, and as wide as they must.
    Plain,
}

impl Style {
    fn least(self) -> usize {
        match self {
            Self::Table => MIN_WIDTH,
            Self::Plain => 0,
        }
    }

    fn padding(self) -> usize {
        match self {
            Self::Table => PADDING,
            Self::Plain => 2,
        }
    }
}

impl TabWriter {
    /// An empty writer that remembers no widths.
    pub fn new() -> Self {
        Self {
            lines: vec![Vec::new()],
            ..Self::default()
        }
    }

    /// An empty writer as descriptions have it (`text/tabwriter`, `k8s.io/kubectl/pkg/describe`): columns are 2 apart,
    /// and as wide as they must.
    pub fn plain() -> Self {
        Self {
            style: Style::Plain,
            ..Self::new()
        }
    }

    /// Adds text: `\t` ends a cell, `\n` a line.
    pub fn write(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find(['\t', '\u{b}', '\n', '\u{c}']) {
            self.cell.push_str(&rest[..at]);
            let end = rest.as_bytes()[at];
            rest = &rest[at + 1..];
            if matches!(end, b'\t' | 0xb) && self.line_is_full() {
                self.cell.push(' ');
                continue;
            }
            let cells = self.end_cell();
            if matches!(end, b'\n' | 0xc) {
                self.lines.push(Vec::new());
                if end == 0xc || cells == 1 {
                    self.flush();
                }
            }
        }
        self.cell.push_str(rest);
    }

    /// Lays out everything written so far.
    pub fn flush(&mut self) {
        if !self.cell.is_empty() {
            self.end_cell();
        }
        let lines = std::mem::replace(&mut self.lines, vec![Vec::new()]);
        let mut widths = Vec::new();
        self.format(&lines, 0, lines.len(), &mut widths);
    }

    /// Forgets how wide the columns were: a table of another shape follows.
    pub fn forget_widths(&mut self) {
        self.remembered.clear();
    }

    /// The text that is laid out.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    fn line_is_full(&self) -> bool {
        self.lines
            .last()
            .is_some_and(|line| line.len() >= MAX_CELLS)
    }

    /// Ends the cell; returns how many the line has now.
    fn end_cell(&mut self) -> usize {
        let cell = std::mem::take(&mut self.cell);
        match self.lines.last_mut() {
            Some(line) => {
                line.push(cell);
                line.len()
            }
            None => {
                self.lines.push(vec![cell]);
                1
            }
        }
    }

    /// Lays out `lines[from..to]`, whose first `widths.len()` columns are known.
    fn format(&mut self, lines: &[Vec<String>], from: usize, to: usize, widths: &mut Vec<usize>) {
        let column = widths.len();
        let has_column = |line: &Vec<String>| column + 1 < line.len();
        let (mut printed, mut this) = (from, from);
        while this < to {
            if !has_column(&lines[this]) {
                this += 1;
                continue;
            }
            self.write_lines(lines, printed, this, widths);
            printed = this;
            let mut width = self.style.least();
            while this < to && has_column(&lines[this]) {
                width = width
                    .max(lines[this][column].chars().count().min(WIDEST) + self.style.padding());
                this += 1;
            }
            let width = self.remember(width, widths);
            widths.push(width);
            self.format(lines, printed, this, widths);
            widths.pop();
            printed = this;
        }
        self.write_lines(lines, printed, to, widths);
    }

    /// The width that a column gets: never less than it ever was.
    fn remember(&mut self, width: usize, widths: &[usize]) -> usize {
        if self.style == Style::Plain {
            return width;
        }
        let column = widths.len();
        if self.remembered.len() < column {
            let known = self.remembered.len();
            self.remembered.extend_from_slice(&widths[known..]);
        }
        match self.remembered.get_mut(column) {
            Some(remembered) => {
                *remembered = width.max(*remembered);
                *remembered
            }
            None => {
                self.remembered.push(width);
                width
            }
        }
    }

    fn write_lines(&mut self, lines: &[Vec<String>], from: usize, to: usize, widths: &[usize]) {
        for (index, line) in lines.iter().enumerate().take(to).skip(from) {
            for (column, cell) in line.iter().enumerate() {
                self.out.push_str(cell);
                if let Some(width) = widths.get(column) {
                    let padding = width.saturating_sub(cell.chars().count());
                    self.out.extend(std::iter::repeat_n(' ', padding));
                }
            }
            if index + 1 < lines.len() {
                self.out.push('\n');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(writes: &[&str], want: &str) {
        let mut writer = TabWriter::new();
        for text in writes {
            writer.write(text);
            writer.flush();
        }
        assert_eq!(writer.take(), want);
    }

    #[test]
    fn cells_are_at_least_six_wide_and_three_apart() {
        check(&["A\tB\tC\n"], "A     B     C\n");
        check(
            &["NAME\tREADY\nlonger-name\t1/1\n"],
            "NAME          READY\nlonger-name   1/1\n",
        );
    }

    #[test]
    fn widths_are_remembered_between_flushes() {
        check(
            &["longer-name\tx\ty\n", "a\tb\tc\n"],
            "longer-name   x     y\na             b     c\n",
        );
    }

    #[test]
    fn a_short_line_ends_a_column() {
        check(
            &["a\tb\tc\nx\ty\nlonger-one\tb\tc\n"],
            "a            b     c\nx            y\nlonger-one   b     c\n",
        );
    }

    #[test]
    fn a_line_without_tab_flushes() {
        check(&["longest\nab\tc\n"], "longest\nab    c\n");
    }

    #[test]
    fn plain_columns_are_two_apart_and_forget() {
        let mut writer = TabWriter::plain();
        writer.write("longest:\tx\n\tindented\nend\na:\tb\n");
        writer.flush();
        assert_eq!(
            writer.take(),
            "longest:  x\n          indented\nend\na:  b\n"
        );
    }

    #[test]
    fn hostile_cells_stay_cheap() {
        let mut writer = TabWriter::new();
        writer.write(&"\t".repeat(200_000));
        writer.write("\n");
        let wide = "x".repeat(1_000_000);
        for _ in 0..1000 {
            writer.write("a\tb\n");
        }
        writer.write(&format!("{wide}\tb\n"));
        writer.flush();
        assert!(writer.take().len() < 10_000_000);
    }

    #[test]
    fn the_last_line_may_lack_its_newline() {
        check(&["a\tb"], "a     b");
    }
}
