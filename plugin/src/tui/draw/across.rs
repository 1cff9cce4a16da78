//! Which columns of a table are on the screen: where there is no room for all of them, a person moves to the side. What
//! a line is of, its cluster and its name, stays.

use super::columns::{self, GAP, Wanted};
use super::pen;
use super::table::GUTTER;
use crate::tui::app::App;
use crate::tui::draw::areas;
use crate::tui::grid::Field;
use crate::tui::view::table::TableView;

/// On a screen that is narrower, columns are cut to less before some have no room.
const NARROW: u16 = 100;

/// A column that is shown.
pub(super) struct Shown {
    pub(super) field: Field,
    pub(super) head: String,
    pub(super) width: u16,
    pub(super) is_sorted: bool,
    pub(super) is_figure: bool,
}

/// The columns on the screen.
pub(super) struct Across {
    pub(super) columns: Vec<Shown>,
    /// There are some that a person has moved away from.
    pub(super) hides_left: bool,
    /// There are some that have no room.
    pub(super) hides_right: bool,
}

/// The columns that have room, from the one on that a person has moved to.
pub(super) fn of(app: &App, view: &TableView, room: u16) -> Across {
    let all = all(app, view, room);
    let left = view.left.min(most(&all, room));
    let mut columns = from(all, left);
    let widths = columns::fit(&wants(&columns), room);
    let hides_right = widths.len() < columns.len();
    columns.truncate(widths.len());
    for ((column, _), width) in columns.iter_mut().zip(&widths) {
        column.width = *width;
    }
    Across {
        columns: columns.into_iter().map(|(column, _)| column).collect(),
        hides_left: left > 0,
        hides_right,
    }
}

/// By how many columns one can move to the right: until what is left has room.
pub fn most_left(app: &App, view: &TableView) -> usize {
    let room = areas(app).inside().width.saturating_sub(GUTTER);
    most(&all(app, view, room), room)
}

/// A column with the width that it wants, and how far it may be cut.
type Column = (Shown, Wanted);

fn most(all: &[Column], room: u16) -> usize {
    let movable = all.iter().filter(|(column, wanted)| !stays(column, wanted));
    let many = movable.count();
    let needs = |left: usize| {
        let mut hidden = 0;
        let shown = all.iter().filter(|(column, wanted)| {
            let hides = !stays(column, wanted) && hidden < left;
            hidden += usize::from(hides);
            !hides
        });
        let widths = shown.map(|(_, wanted)| u32::from(wanted.width + GAP));
        widths.sum::<u32>()
    };
    let fits = |left: &usize| needs(*left) <= u32::from(room) + u32::from(GAP);
    let last = many.saturating_sub(1);
    (0..=last).find(fits).unwrap_or(last)
}

fn from(all: Vec<Column>, left: usize) -> Vec<Column> {
    let mut hidden = 0;
    let is_shown = |(column, wanted): &Column| {
        let hides = !stays(column, wanted) && hidden < left;
        hidden += usize::from(hides);
        !hides
    };
    all.into_iter().filter(is_shown).collect()
}

/// Whose line it is.
fn stays(column: &Shown, wanted: &Wanted) -> bool {
    column.field == Field::Cluster || wanted.names
}

fn wants(columns: &[Column]) -> Vec<Wanted> {
    columns.iter().map(|(_, wanted)| *wanted).collect()
}

fn all(app: &App, view: &TableView, room: u16) -> Vec<Column> {
    let with_cluster = view.clusters().len() != 1 || app.clusters.len() != 1;
    let fields = view.fields(with_cluster && view.spec.of.is_empty());
    let leasts = match room {
        0..NARROW => (16, 6),
        _ => (24, 12),
    };
    fields
        .into_iter()
        .map(|field| column(view, field, leasts))
        .collect()
}

/// With the least that names, and other cells, are cut to: less of a name says nothing.
fn column(view: &TableView, field: Field, (names_least, least): (u16, u16)) -> Column {
    let (grid, sort) = (&view.grid, view.grid.sort());
    let of_union = match field {
        Field::Column(at) => Some(at),
        _ => None,
    };
    let definition = of_union.and_then(|at| grid.columns().get(at));
    let (head, width) = match field {
        Field::Cluster => ("CLUSTER".to_owned(), grid.cluster_width()),
        Field::Namespace => ("NAMESPACE".to_owned(), grid.namespace_width()),
        Field::Column(at) => {
            let name = definition.map(|column| column.name.to_uppercase());
            let width = grid.widths().get(at).copied();
            (name.unwrap_or_default(), width.unwrap_or_default())
        }
    };
    let is_sorted = sort.by == Some(field);
    let arrow = match (is_sorted, sort.descending) {
        (false, _) => "",
        (true, false) => "↑",
        (true, true) => "↓",
    };
    let head = format!("{head}{arrow}");
    let width = u16::try_from(pen::width(&head))
        .unwrap_or(u16::MAX)
        .max(width);
    let names = definition.is_some_and(|column| column.names_objects);
    let least = match head.trim_end_matches(['↑', '↓']) {
        _ if names => names_least,
        // `Running` is what one looks for.
        "STATUS" => least.max(8),
        _ => least,
    };
    let wanted = Wanted {
        width,
        least: width.min(least),
        names,
    };
    let shown = Shown {
        field,
        head,
        width,
        is_sorted,
        is_figure: of_union.is_some_and(|at| grid.is_figure(at)),
    };
    (shown, wanted)
}
