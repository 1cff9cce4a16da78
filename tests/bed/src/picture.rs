//! A terminal's screen as SVG.
//!
//! It looks the same whatever fonts there are: each run of text is as wide as its columns (`textLength`), and lines and
//! bars are drawn, not written.

use std::fmt::Write;
use vt100::{Cell, Color, Screen};

/// Of a column and of a line, in the picture's units.
const WIDTH: f64 = 8.4;
const HEIGHT: f64 = 18.0;
const FONT: f64 = 14.0;
/// Between the text's foot and the bottom of its line.
const FOOT: f64 = 4.8;
const MARGIN: f64 = 14.0;
const GROUND: &str = "#0d1117";
const TEXT: &str = "#c9d1d9";

/// The sixteen colours that a terminal has names for.
const NAMED: [&str; 16] = [
    "#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4",
    "#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#f0f6fc",
];

/// How a run of cells looks.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Look {
    text: String,
    ground: Option<String>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
}

/// Draws the screen.
pub fn svg(screen: &Screen) -> String {
    let (lines, columns) = screen.size();
    let width = f64::from(columns) * WIDTH + 2.0 * MARGIN;
    let height = f64::from(lines) * HEIGHT + 2.0 * MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" \
         width=\"{width:.0}\" height=\"{height:.0}\">\n\
         <style>text{{font:{FONT}px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;\
         white-space:pre}}path{{fill:none;stroke-width:1.2}}</style>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"10\" fill=\"{GROUND}\"/>\n"
    );
    for line in 0..lines {
        draw_line(screen, line, columns, &mut out);
    }
    out.push_str("</svg>\n");
    out
}

fn draw_line(screen: &Screen, line: u16, columns: u16, out: &mut String) {
    let cells: Vec<(u16, &Cell)> = (0..columns)
        .filter_map(|column| Some((column, screen.cell(line, column)?)))
        .filter(|(_, cell)| !cell.is_wide_continuation())
        .collect();
    let alike = |one: &(u16, &Cell), other: &(u16, &Cell)| look(one.1) == look(other.1);
    let top = MARGIN + f64::from(line) * HEIGHT;
    for run in cells.chunk_by(alike) {
        let look = look(run[0].1);
        if let Some(ground) = &look.ground {
            let (left, right) = (left(run[0].0), right(run));
            // A little over: no seam between two lines of one ground.
            let _ = writeln!(
                out,
                "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{ground}\"/>",
                right - left,
                HEIGHT + 0.2
            );
        }
    }
    for run in cells.chunk_by(alike) {
        let look = look(run[0].1);
        let kind = |cell: &(u16, &Cell)| Kind::of(cell.1);
        for part in run.chunk_by(|one, other| kind(one) == kind(other)) {
            match kind(&part[0]) {
                Kind::Blank => {}
                Kind::Shape => shapes(part, top, &look, out),
                Kind::Text => text(part, top, &look, out),
            }
        }
    }
}

/// What a cell is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blank,
    /// A line of a frame, or a bar.
    Shape,
    Text,
}

impl Kind {
    fn of(cell: &Cell) -> Self {
        match cell.contents() {
            "" | " " => Self::Blank,
            text if text.chars().all(|c| shape(c, (0.0, 0.0)).is_some()) => Self::Shape,
            _ => Self::Text,
        }
    }
}

fn left(column: u16) -> f64 {
    MARGIN + f64::from(column) * WIDTH
}

fn right(cells: &[(u16, &Cell)]) -> f64 {
    cells.last().map_or(0.0, |(column, cell)| {
        left(*column) + if cell.is_wide() { 2.0 } else { 1.0 } * WIDTH
    })
}

fn text(cells: &[(u16, &Cell)], top: f64, look: &Look, out: &mut String) {
    let text: String = cells.iter().map(|(_, cell)| cell.contents()).collect();
    let (left, right) = (left(cells[0].0), right(cells));
    let _ = write!(
        out,
        "<text x=\"{left:.1}\" y=\"{:.1}\" textLength=\"{:.1}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\"",
        top + HEIGHT - FOOT,
        right - left,
        look.text
    );
    let flags = [
        (look.bold, " font-weight=\"bold\""),
        (look.dim, " opacity=\"0.6\""),
        (look.italic, " font-style=\"italic\""),
        (look.underline, " text-decoration=\"underline\""),
    ];
    flags
        .iter()
        .filter(|(is_so, _)| *is_so)
        .for_each(|(_, words)| out.push_str(words));
    let _ = writeln!(out, ">{}</text>", escaped(&text));
}

fn shapes(cells: &[(u16, &Cell)], top: f64, look: &Look, out: &mut String) {
    let mut path = String::new();
    let mut bars = String::new();
    for (column, cell) in cells {
        let place = (left(*column), top);
        for drawn in cell.contents().chars().filter_map(|c| shape(c, place)) {
            match drawn {
                Shape::Line(line) => path.push_str(&line),
                Shape::Bar(height) => {
                    let _ = write!(
                        bars,
                        "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{WIDTH}\" height=\"{height:.1}\" fill=\"{}\"/>",
                        place.0,
                        top + HEIGHT - height,
                        look.text
                    );
                }
            }
        }
    }
    if !path.is_empty() {
        let _ = writeln!(out, "<path stroke=\"{}\" d=\"{path}\"/>", look.text);
    }
    if !bars.is_empty() {
        let _ = writeln!(out, "{bars}");
    }
}

enum Shape {
    /// An SVG path.
    Line(String),
    /// So high, from the foot of the line.
    Bar(f64),
}

/// What a character is drawn as, in the cell at this place.
fn shape(c: char, (x, y): (f64, f64)) -> Option<Shape> {
    let (middle, centre) = (x + WIDTH / 2.0, y + HEIGHT / 2.0);
    let (end, bottom) = (x + WIDTH, y + HEIGHT);
    let across = |from: f64, to: f64| format!("M{from:.1} {centre:.1}H{to:.1}");
    let down = |from: f64, to: f64| format!("M{middle:.1} {from:.1}V{to:.1}");
    let corner = |side: f64, foot: f64| {
        format!("M{side:.1} {centre:.1}Q{middle:.1} {centre:.1} {middle:.1} {foot:.1}")
    };
    let line = match c {
        '─' | '━' => across(x, end),
        '│' | '┃' => down(y, bottom),
        '╭' | '┌' => corner(end, bottom),
        '╮' | '┐' => corner(x, bottom),
        '╰' | '└' => corner(end, y),
        '╯' | '┘' => corner(x, y),
        '├' => down(y, bottom) + &across(middle, end),
        '┤' => down(y, bottom) + &across(x, middle),
        '┬' => across(x, end) + &down(centre, bottom),
        '┴' => across(x, end) + &down(y, centre),
        '┼' => across(x, end) + &down(y, bottom),
        '▁'..='█' => {
            let eighths = u32::from(c) - u32::from('▁') + 1;
            return Some(Shape::Bar((HEIGHT - 4.0) * f64::from(eighths) / 8.0));
        }
        _ => return None,
    };
    Some(Shape::Line(line))
}

fn look(cell: &Cell) -> Look {
    let named = |colour: Color| match colour {
        Color::Default => None,
        Color::Idx(number) => Some(indexed(number)),
        Color::Rgb(red, green, blue) => Some(format!("#{red:02x}{green:02x}{blue:02x}")),
    };
    let (mut text, mut ground) = (named(cell.fgcolor()), named(cell.bgcolor()));
    if cell.inverse() {
        (text, ground) = (
            Some(ground.unwrap_or_else(|| GROUND.to_owned())),
            Some(text.unwrap_or_else(|| TEXT.to_owned())),
        );
    }
    Look {
        text: text.unwrap_or_else(|| TEXT.to_owned()),
        ground,
        bold: cell.bold(),
        dim: cell.dim(),
        italic: cell.italic(),
        underline: cell.underline(),
    }
}

/// Of the 256 colours: sixteen, a cube of six by six by six, and greys.
fn indexed(number: u8) -> String {
    let level = |part: u8| if part == 0 { 0 } else { 55 + 40 * part };
    match number {
        0..=15 => NAMED[usize::from(number)].to_owned(),
        16..=231 => {
            let cube = number - 16;
            let (red, green, blue) = (level(cube / 36), level(cube / 6 % 6), level(cube % 6));
            format!("#{red:02x}{green:02x}{blue:02x}")
        }
        232.. => {
            let grey = 8 + 10 * (number - 232);
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
    }
}

/// As XML has it; what XML cannot have is left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(bytes: &str) -> String {
        let mut parser = vt100::Parser::new(2, 10, 0);
        parser.process(bytes.as_bytes());
        svg(parser.screen())
    }

    #[test]
    fn text_is_escaped_and_as_wide_as_its_columns() {
        let picture = drawn("a<&>b  \u{1b}[1;38;5;196mred");
        assert!(
            picture.contains("textLength=\"42.0\"") && picture.contains(">a&lt;&amp;&gt;b</text>"),
            "{picture}"
        );
        assert!(
            picture.contains("fill=\"#ff0000\" font-weight=\"bold\">red</text>"),
            "{picture}"
        );
    }

    #[test]
    fn frames_and_bars_are_drawn_and_grounds_are_filled() {
        let picture = drawn("╭─╮ ▄\r\n\u{1b}[7minverse");
        assert!(
            !picture.contains('╭') && !picture.contains('▄'),
            "{picture}"
        );
        assert_eq!(picture.matches("<path stroke").count(), 1, "{picture}");
        assert!(picture.contains("height=\"7.0\""), "{picture}");
        assert!(
            picture.contains(&format!("fill=\"{GROUND}\">inverse")),
            "{picture}"
        );
    }

    #[test]
    fn wide_characters_have_two_columns() {
        let picture = drawn("日本");
        assert!(picture.contains("textLength=\"33.6\""), "{picture}");
        assert!(indexed(255) == "#eeeeee" && indexed(21) == "#0000ff");
    }
}
