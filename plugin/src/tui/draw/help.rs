//! All keys.

use super::framed;
use super::pen::{self, Pen};
use crate::tui::app::App;
use crate::tui::keys::{self, Context};
use crate::tui::theme::{Role, Theme};
use crate::tui::view::scroll::Scroll;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The parts of the help, and which keys are in each.
const PARTS: &[(&str, &[Context])] = &[
    ("In a table", &[Context::Table, Context::Object]),
    ("Among containers", &[Context::Containers]),
    ("Among those that use something", &[Context::Used]),
    ("In the fleet", &[Context::Fleet]),
    ("Among faults", &[Context::Faults]),
    ("Among what a hub has", &[Context::Hub]),
    ("In a text", &[Context::Text]),
    ("In logs", &[Context::Logs]),
    ("Choosing clusters", &[Context::Picker]),
    ("Moving", &[Context::Moving]),
    ("Everywhere", &[Context::Everywhere]),
    ("While typing", &[Context::Prompt]),
];

/// A line: keys and words, or a heading.
type HelpLine = (String, String);

/// The lines for a screen so wide: keys, and what they do; headings have no words.
pub fn lines(width: u16) -> Vec<HelpLine> {
    let room = usize::from(width).saturating_sub(KEYS + 5).max(12);
    let mut lines = Vec::new();
    for (part, contexts) in PARTS {
        if !lines.is_empty() {
            lines.push((String::new(), String::new()));
        }
        lines.push(((*part).to_owned(), String::new()));
        for (keys, words) in keys::help(contexts) {
            for (at, words) in wrapped(words, room).into_iter().enumerate() {
                let keys = if at == 0 {
                    keys.clone()
                } else {
                    " ".to_owned()
                };
                lines.push((keys, words));
            }
        }
    }
    lines
}

/// How many columns the keys have.
const KEYS: usize = 16;

/// Words in lines of so many columns.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last().map_or(0, |line| pen::width(line));
        match lines.last_mut() {
            Some(line) if last > 0 && last + 1 + pen::width(word) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            Some(line) if last == 0 => line.push_str(word),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Draws the help.
pub(super) fn draw(app: &App, scroll: &Scroll, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let lines = lines(app.size.0);
    let remark = format!(
        "{}/{}",
        (scroll.top + scroll.height).min(lines.len()),
        lines.len()
    );
    let inside = framed(
        theme,
        area,
        &[("help".to_owned(), Role::Title)],
        &remark,
        buffer,
    );
    for ((keys, words), y) in lines.iter().skip(scroll.top).zip(inside.y..inside.bottom()) {
        let mut pen = Pen::new(buffer, inside.x + 1, y, inside.right());
        if words.is_empty() {
            pen.put(keys, theme.style(Role::Title));
        } else {
            pen.fit(
                keys,
                u16::try_from(KEYS).unwrap_or_default(),
                theme.style(Role::Key),
            );
            pen.skip(1);
            pen.put(words, theme.style(Role::Text));
        }
    }
}
