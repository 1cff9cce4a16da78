//! Short lists.

use super::columns::{self, GAP, Wanted};
use super::header::grouped;
use super::pen::{self, Pen};
use super::{framed, freshness, said, whereabouts};
use crate::tui::app::App;
use crate::tui::health::Health;
use crate::tui::standing::Standing;
use crate::tui::theme::{Role, Theme};
use crate::tui::view::containers::ContainersView;
use crate::tui::view::faults::FaultsView;
use crate::tui::view::fleet::FleetView;
use crate::tui::view::hub::HubView;
use crate::tui::view::list::{List, ListLine};
use crate::tui::view::picker::PickerView;
use crate::tui::view::table::{TableView, refusal};
use crate::tui::view::used::UsedView;
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
    list(&picker.list, false, theme, inside, buffer);
}

/// The containers of a pod.
pub(super) fn containers(
    app: &App,
    view: &ContainersView,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let standing = app.standing_of(&view.target, view.age, view.gone.is_some());
    let title = [
        ("containers".to_owned(), Role::Title),
        (format!("[{}]", view.list.lines.len()), Role::Title),
        (format!(" of {}", view.target.label()), Role::Text),
        whereabouts(&view.target),
        freshness(standing),
    ];
    let inside = framed(theme, area, &title, "", buffer);
    list(&view.list, !standing.is_fresh(), theme, inside, buffer);
    if let Some(gone) = &view.gone {
        said(theme, inside, &[(gone.clone(), Role::Bad)], buffer);
    }
}

/// The clusters, one a line.
pub(super) fn fleet(view: &FleetView, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let title = [
        ("fleet".to_owned(), Role::Title),
        (format!("[{}]", view.list.lines.len()), Role::Title),
        filter(&view.list),
    ];
    let inside = framed(theme, area, &title, "", buffer);
    list(&view.list, false, theme, inside, buffer);
    if nothing_passes(&view.list, theme, inside, buffer) {
        return;
    }
    if view.list.lines.is_empty() {
        said(
            theme,
            inside,
            &[("looking for clusters".to_owned(), Role::Faint)],
            buffer,
        );
    }
}

/// Everything that is unwell.
pub(super) fn faults(app: &App, view: &FaultsView, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let lines = &view.list.lines;
    let is_bad = |line: &&ListLine| line.health == Health::Bad;
    let (all, bad) = match view.list.filter.is_empty() {
        true => view.many,
        false => (lines.len(), lines.iter().filter(is_bad).count()),
    };
    let count = match lines.len() {
        many if many < all => format!("[{} of {}]", grouped(many as u64), grouped(all as u64)),
        many => format!("[{}]", grouped(many as u64)),
    };
    let title = [
        ("faults".to_owned(), Role::Title),
        (count, Role::Title),
        (
            format!(" {} broken", grouped(bad as u64)),
            if bad > 0 { Role::Bad } else { Role::Good },
        ),
        filter(&view.list),
    ];
    let inside = framed(theme, area, &title, "", buffer);
    list(&view.list, false, theme, inside, buffer);
    if !nothing_passes(&view.list, theme, inside, buffer) && lines.is_empty() {
        said(theme, inside, &[all_is_well(app, view)], buffer);
    }
}

/// Why there are no faults: there are none, or nobody can know now.
fn all_is_well(app: &App, view: &FaultsView) -> (String, Role) {
    let loadings: Vec<_> = view.tables.iter().map(TableView::loading).collect();
    let is_whole = loadings.iter().all(|loading| {
        let told = loading.synced + loading.refused.len();
        loading.clusters > 0 && told >= loading.clusters
    });
    let is_live = app.meant().into_iter().all(|name| app.is_live(name));
    let is_refused = loadings.iter().any(|loading| !loading.refused.is_empty());
    let (text, role) = match (is_whole, is_refused, is_live) {
        (false, ..) => ("looking; not everything is whole yet", Role::Faint),
        (true, true, _) => ("nothing is unwell in what may be read", Role::Warn),
        (true, false, false) => (
            "nothing was unwell when all clusters were heard last",
            Role::Warn,
        ),
        (true, false, true) => ("nothing is unwell, anywhere", Role::Good),
    };
    (text.to_owned(), role)
}

/// What was typed to filter a list.
fn filter(list: &List) -> (String, Role) {
    match list.filter.as_str() {
        "" => (String::new(), Role::Marked),
        filter => (format!(" </{filter}>"), Role::Marked),
    }
}

/// Says so if the filter is why there is nothing to see.
fn nothing_passes(list: &List, theme: &Theme, inside: Rect, buffer: &mut Buffer) -> bool {
    let is_it = list.lines.is_empty() && !list.filter.is_empty();
    if is_it {
        let line = "nothing passes the filter (esc ends it)".to_owned();
        said(theme, inside, &[(line, Role::Faint)], buffer);
    }
    is_it
}

/// What uses an object.
pub(super) fn used(app: &App, view: &UsedView, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let standing = app.standing_of(&view.target, view.age, view.refused.is_some());
    let title = [
        ("used by".to_owned(), Role::Title),
        (format!("[{}]", view.list.lines.len()), Role::Title),
        (format!(" {}", view.target.label()), Role::Text),
        whereabouts(&view.target),
        freshness(standing),
        filter(&view.list),
    ];
    let inside = framed(theme, area, &title, "", buffer);
    list(&view.list, !standing.is_fresh(), theme, inside, buffer);
    if nothing_passes(&view.list, theme, inside, buffer) {
        return;
    }
    let line = match (&view.refused, view.is_read) {
        (Some(why), _) => (why.clone(), Role::Bad),
        (None, false) => ("reading the pods".to_owned(), Role::Faint),
        (None, true) if view.list.lines.is_empty() => ("no pod uses it".to_owned(), Role::Faint),
        _ => return,
    };
    said(theme, inside, &[line], buffer);
}

/// What a hub has.
pub(super) fn hub(app: &App, view: &HubView, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let refused = refusal(&view.state);
    let standing = view.hub.as_ref().map_or(Standing::Asked, |name| {
        app.standing_by(name, view.age, refused.is_some())
    });
    let bad = view.list.lines.iter();
    let bad = bad.filter(|line| line.health == Health::Bad).count();
    let stuck = match bad {
        0 => String::new(),
        many => format!(" {} stuck", grouped(many as u64)),
    };
    let of = match view.kind.of() {
        of if of.is_empty() => of,
        of => format!(" of {of}"),
    };
    let title = [
        (format!("hub {}", view.kind.words()), Role::Title),
        (format!("[{}]", view.list.lines.len()), Role::Title),
        (stuck, Role::Bad),
        (of, Role::Text),
        freshness(standing),
        filter(&view.list),
    ];
    let inside = framed(theme, area, &title, "", buffer);
    list(&view.list, !standing.is_fresh(), theme, inside, buffer);
    if nothing_passes(&view.list, theme, inside, buffer) || !view.list.lines.is_empty() {
        return;
    }
    let line = match refused {
        Some(why) => (why, Role::Bad),
        None if view.is_alone() => (no_hub(view), Role::Warn),
        None if !view.is_read => ("asking the hub".to_owned(), Role::Faint),
        None => (format!("no {}", view.kind.words()), Role::Faint),
    };
    said(theme, inside, &[line], buffer);
}

/// Nobody serves under the name.
fn no_hub(view: &HubView) -> String {
    match &view.hub {
        Some(name) => format!(
            "no hub called {name} answers on this broker: start `mqtt-informer hub`, or name another one with --hub"
        ),
        None => "a hub is found at a broker, not among contexts".to_owned(),
    }
}

/// A list with its heads. All of it may be old, or single lines.
fn list(list: &List, is_old: bool, theme: &Theme, area: Rect, buffer: &mut Buffer) {
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
            names: false,
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
        let is_old = is_old || line.is_stale;
        draw_line(line, theme, (&widths, at == list.cursor(), is_old), pen);
    }
}

fn draw_line(
    line: &ListLine,
    theme: &Theme,
    (widths, is_selected, is_old): (&[u16], bool, bool),
    mut pen: Pen<'_>,
) {
    let role = match (is_old, line.health) {
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
