//! The rows of a grid.

use super::across::{self, Across, Shown};
use super::columns::GAP;
use super::header::grouped;
use super::pen::{self, Pen};
use super::{framed, said};
use crate::tui::app::App;
use crate::tui::grid::{Change, Field, Grid, Mark, Seen};
use crate::tui::health::Health;
use crate::tui::theme::{Role, Theme};
use crate::tui::view::table::TableView;
use mqtt_informer::protocol::names::ClusterName;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Columns before the first one: what a person marked, what came and went.
pub(super) const GUTTER: u16 = 2;

/// One line on the screen.
enum Drawn {
    /// The group that begins here.
    Heading(String, usize),
    /// The line at this place.
    Line(usize, Seen),
}

/// Draws a table with its frame.
pub(super) fn draw(app: &App, view: &TableView, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let grid = &view.grid;
    let place = match grid.shown() {
        0 => String::new(),
        shown => format!(
            "{}/{}",
            grouped((grid.cursor() + 1) as u64),
            grouped(shown as u64)
        ),
    };
    let inside = framed(theme, area, &title(app, view), &place, buffer);
    if inside.height == 0 || inside.width <= GUTTER {
        return;
    }
    let across = across::of(app, view, inside.width - GUTTER);
    heads(theme, &across, inside, buffer);
    let body = Rect::new(inside.x, inside.y + 1, inside.width, inside.height - 1);
    if grid.shown() == 0 {
        return said(theme, body, &nothing(app, view), buffer);
    }
    for (drawn, y) in lines(app, grid, usize::from(body.height))
        .into_iter()
        .zip(body.y..body.bottom())
    {
        match drawn {
            Drawn::Heading(name, many) => heading(theme, &name, many, (body, y), buffer),
            Drawn::Line(place, seen) => {
                let cluster = grid.cluster_name(seen.cluster);
                let row = Row {
                    is_live: cluster.is_some_and(|name| app.is_live(name)),
                    has_fresh_figures: cluster
                        .is_some_and(|name| view.has_fresh_figures(name, app.now.at)),
                    is_selected: place == grid.cursor(),
                    grid,
                    seen: &seen,
                };
                row.draw(theme, &across.columns, (body, y), buffer);
            }
        }
    }
}

/// `pods(shop)[12/34] </web> faults by namespace`
fn title(app: &App, view: &TableView) -> Vec<(String, Role)> {
    let grid = &view.grid;
    let namespaces = match view.spec.namespaces.as_slice() {
        [] => "all".to_owned(),
        names => names.join(","),
    };
    let namespaced = grid.resource().is_none_or(|resource| resource.namespaced);
    let mut title = vec![(view.plural().to_owned(), Role::Title)];
    if namespaced {
        title.push((format!("({namespaces})"), Role::Cluster));
    }
    let count = match grid.shown() == grid.len() {
        true => grouped(grid.len() as u64),
        false => format!(
            "{}/{}",
            grouped(grid.shown() as u64),
            grouped(grid.len() as u64)
        ),
    };
    title.push((format!("[{count}]"), Role::Title));
    if !view.spec.of.is_empty() {
        title.push((format!(" of {}", view.spec.of), Role::Text));
    }
    if !view.spec.clusters.is_empty() {
        title.push((format!(" @{}", view.spec.clusters.join(",")), Role::Cluster));
    }
    if let Some(labels) = app
        .cluster_labels
        .as_ref()
        .filter(|_| view.spec.of.is_empty())
    {
        title.push((format!(" @{labels}"), Role::Cluster));
    }
    if !view.spec.labels.is_empty() {
        title.push((format!(" {}", view.spec.labels), Role::Marked));
    }
    if !view.spec.filter.is_empty() {
        title.push((format!(" </{}>", view.spec.filter), Role::Marked));
    }
    if grid.faults_only() {
        title.push((" <faults>".to_owned(), Role::Bad));
    }
    let by = match grid.group() {
        crate::tui::grid::Group::None => "",
        crate::tui::grid::Group::Cluster => " <by cluster>",
        crate::tui::grid::Group::Namespace => " <by namespace>",
        crate::tui::grid::Group::Owner => " <by owner>",
    };
    title.push((by.to_owned(), Role::Marked));
    title
}

fn heads(theme: &Theme, across: &Across, inside: Rect, buffer: &mut Buffer) {
    let mut pen = Pen::new(buffer, inside.x, inside.y, inside.right());
    let sign = if across.hides_left { "‹" } else { "" };
    pen.fit(sign, GUTTER, theme.style(Role::Key));
    for column in &across.columns {
        let role = if column.is_sorted {
            Role::Sorted
        } else {
            Role::Head
        };
        put(&mut pen, column, &column.head, theme.style(role));
        pen.skip(GAP);
    }
    if across.hides_right {
        let last = inside.right() - 1;
        Pen::new(buffer, last, inside.y, inside.right()).put("›", theme.style(Role::Key));
    }
}

/// Figures stand below each other by their ends.
fn put(pen: &mut Pen<'_>, column: &Shown, text: &str, style: Style) {
    let width = u16::try_from(pen::width(text)).unwrap_or(u16::MAX);
    let left = match column.is_figure {
        true => column.width.saturating_sub(width),
        false => 0,
    };
    pen.fit("", left, style);
    pen.fit(text, column.width - left, style);
}

/// What is on the screen: as many lines as there is room for beside the groups' headings, the selected one among them.
fn lines(app: &App, grid: &Grid, room: usize) -> Vec<Drawn> {
    let mut drawn = Vec::with_capacity(room);
    let mut selected = 0;
    for place in grid.top()..grid.top() + room {
        let Some(seen) = grid.seen(place, app.now) else {
            break;
        };
        if let Some((name, many)) = seen.heading.clone() {
            drawn.push(Drawn::Heading(name, many));
        }
        drawn.push(Drawn::Line(place, seen));
        if place == grid.cursor() {
            selected = drawn.len();
        }
    }
    let mut drawn = drawn.split_off(selected.saturating_sub(room));
    // Who looks into the middle of a group sees which it is.
    if let [Drawn::Line(place, _), _, ..] = drawn.as_slice()
        && *place != grid.cursor()
        && let Some(name) = grid.group_at(*place)
    {
        drawn[0] = Drawn::Heading(name.to_owned(), 0);
    }
    drawn
}

/// The place of the object whose line is so many below the heads, on a screen with room for so many.
pub fn place_at(app: &App, view: &TableView, line: usize, room: usize) -> Option<usize> {
    match lines(app, &view.grid, room).get(line)? {
        Drawn::Line(place, _) => Some(*place),
        Drawn::Heading(..) => None,
    }
}

fn heading(theme: &Theme, name: &str, many: usize, (body, y): (Rect, u16), buffer: &mut Buffer) {
    let name = if name.is_empty() { "(nothing)" } else { name };
    let mut pen = Pen::new(buffer, body.x, y, body.right());
    pen.put(&format!("▾ {name} "), theme.style(Role::Title));
    let many = match many {
        0 => "… ".to_owned(),
        many => format!("{} ", grouped(many as u64)),
    };
    pen.put(&many, theme.style(Role::Faint));
    let rest = usize::from(pen.room());
    pen.put(&"─".repeat(rest), theme.style(Role::Faint));
}

/// One line, and what its looks depend on.
struct Row<'a> {
    grid: &'a Grid,
    seen: &'a Seen,
    is_live: bool,
    has_fresh_figures: bool,
    is_selected: bool,
}

impl Row<'_> {
    fn draw(&self, theme: &Theme, shown: &[Shown], (body, y): (Rect, u16), buffer: &mut Buffer) {
        let base = self.style(theme);
        let mut pen = Pen::new(buffer, body.x, y, body.right());
        let (sign, role) = self.sign();
        pen.put(sign, base.patch(theme.style(role)));
        pen.fit("", GUTTER - 1, base);
        for column in shown {
            let style = self.cell_style(theme, base, column);
            put(&mut pen, column, self.text(column.field), style);
            pen.fit("", GAP, base);
        }
        let rest = pen.room();
        pen.fit("", rest, base);
    }

    fn text(&self, field: Field) -> &str {
        match field {
            Field::Cluster => self
                .grid
                .cluster_name(self.seen.cluster)
                .map_or("", ClusterName::as_str),
            Field::Namespace => &self.seen.namespace,
            Field::Column(at) => self.seen.cells.get(at).map_or("", String::as_str),
        }
    }

    /// Of the whole line: what is old is never shown as if it were live, whatever else it is.
    fn style(&self, theme: &Theme) -> Style {
        let role = match (self.is_live, self.change(), self.seen.health) {
            (false, ..) => Role::Stale,
            (true, Some(Change::Gone), _) => Role::Gone,
            (true, _, Health::Bad) => Role::Bad,
            (true, _, Health::Warn) => Role::Warn,
            (true, _, Health::Done) => Role::Done,
            (true, _, Health::Well) => Role::Text,
        };
        let mut style = theme.style(role);
        if self.change() == Some(Change::New) {
            style = style.patch(theme.style(Role::New));
        }
        if self.is_selected {
            style = style.patch(theme.style(Role::Selected));
        }
        style
    }

    fn cell_style(&self, theme: &Theme, base: Style, column: &Shown) -> Style {
        let field = column.field;
        if column.is_figure && !self.has_fresh_figures {
            return base.patch(theme.style(Role::Stale));
        }
        let is_plain =
            self.is_live && self.seen.health == Health::Well && self.change() != Some(Change::Gone);
        match (field, self.change()) {
            (Field::Column(at), Some(Change::Cells(cells)))
                if at < 64 && cells & (1 << at) != 0 =>
            {
                base.patch(theme.style(Role::Changed))
            }
            (Field::Cluster, _) if is_plain => base.patch(theme.style(Role::Cluster)),
            (Field::Namespace, _) if is_plain && !self.is_selected => {
                base.patch(theme.style(Role::Faint))
            }
            _ => base,
        }
    }

    fn sign(&self) -> (&'static str, Role) {
        match (self.seen.is_marked, self.change()) {
            (true, _) => ("✓", Role::Marked),
            (false, Some(Change::New)) => ("+", Role::Good),
            (false, Some(Change::Gone)) => ("−", Role::Faint),
            (false, Some(Change::Cells(_)) | None) => (" ", Role::Text),
        }
    }

    fn change(&self) -> Option<Change> {
        self.seen.mark.map(|Mark { change, .. }| change)
    }
}

/// Why there is nothing to see.
fn nothing(app: &App, view: &TableView) -> Vec<(String, Role)> {
    let loading = view.loading();
    let line = |text: &str, role: Role| (text.to_owned(), role);
    if !view.grid.is_empty() {
        let hint = if view.grid.faults_only() {
            "nothing is unwell (ctrl-z shows all)"
        } else {
            "nothing passes the filter (esc ends it)"
        };
        return vec![line(hint, Role::Faint)];
    }
    match () {
        () if app.no_way.is_some() || !app.is_linked() => Vec::new(),
        () if loading.clusters == 0 && !view.is_discovered => {
            vec![line("looking for clusters", Role::Faint)]
        }
        () if loading.clusters == 0 => vec![
            line("no cluster is there", Role::Warn),
            line(
                ":ctx shows those that are known, @all takes all of them",
                Role::Faint,
            ),
        ],
        () if loading.refused.len() >= loading.clusters => {
            let mut reasons: Vec<_> = loading.refused.into_values().collect();
            reasons.sort();
            reasons.dedup();
            reasons.into_iter().map(|why| (why, Role::Bad)).collect()
        }
        () if loading.synced < loading.clusters => {
            vec![line("waiting for the first whole copy", Role::Faint)]
        }
        () => vec![(format!("no {} there", view.plural()), Role::Faint)],
    }
}
