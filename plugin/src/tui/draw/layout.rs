//! Where what is on the screen.

use super::header;
use crate::tui::app::App;
use ratatui::layout::Rect;

/// The parts of the screen, from its top to its foot; those that are not there have no height.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Areas {
    /// Clusters.
    pub header: Rect,
    /// What is wrong, or how far things are.
    pub banner: Rect,
    /// What is typed.
    pub prompt: Rect,
    /// The view, with its frame.
    pub body: Rect,
    /// Where one is.
    pub crumbs: Rect,
    /// What can be typed.
    pub hints: Rect,
}

/// The parts of this screen.
pub fn areas(app: &App) -> Areas {
    let (width, height) = app.size;
    let header = match height {
        0..=11 => 1,
        12..=19 => 2,
        _ => 2 + header::more_lines(app, width),
    };
    let banner = u16::from(header::has_banner(app));
    let prompt = u16::from(app.prompt.is_some());
    let crumbs = u16::from(height >= 14);
    let hints = u16::from(height >= 6);
    let body = height.saturating_sub(header + banner + prompt + crumbs + hints);
    let mut y = 0;
    let mut part = |lines: u16| {
        let lines = lines.min(height - y);
        let part = Rect::new(0, y, width, lines);
        y += lines;
        part
    };
    Areas {
        header: part(header),
        banner: part(banner),
        prompt: part(prompt),
        body: part(body),
        crumbs: part(crumbs),
        hints: part(hints),
    }
}

impl Areas {
    /// What is inside of the body's frame.
    pub fn inside(&self) -> Rect {
        let Rect {
            x,
            y,
            width,
            height,
        } = self.body;
        match (width, height) {
            (2.., 2..) => Rect::new(x + 1, y + 1, width - 2, height - 2),
            _ => Rect::new(x, y, 0, 0),
        }
    }

    /// No part reaches beyond this: a screen may be smaller already than what was last heard of it.
    pub(super) fn within(self, area: Rect) -> Self {
        let cut = |part: Rect| part.intersection(area);
        Self {
            header: cut(self.header),
            banner: cut(self.banner),
            prompt: cut(self.prompt),
            body: cut(self.body),
            crumbs: cut(self.crumbs),
            hints: cut(self.hints),
        }
    }
}
