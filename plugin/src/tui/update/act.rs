//! Keys, where nothing is typed.

use super::{about, drill, export, figures, history, logs, navigate, typing};
use crate::tui::app::App;
use crate::tui::command::Wish;
use crate::tui::draw::{areas, help_lines, most_left, place_at};
use crate::tui::event::Effect;
use crate::tui::grid::{Field, Group, Sort, Step};
use crate::tui::keys::{self, Action};
use crate::tui::view::View;
use crate::tui::view::logs::LogsView;
use crate::tui::view::table::TableView;
use crate::tui::view::text::{TextKind, TextView};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// How many columns a text is moved to the side at once.
const ASIDE: i16 = 8;

/// Does what a key does.
pub(super) fn key(app: &mut App, key: KeyEvent) -> Vec<Effect> {
    app.told = None;
    // A terminal says `alt` by sending `esc` first: two keys that came together look like one. No key here is with alt.
    if key.modifiers.contains(KeyModifiers::ALT) && matches!(key.code, KeyCode::Char(_)) {
        let plain = key.modifiers - KeyModifiers::ALT;
        let keys = [
            KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE),
            KeyEvent::new(key.code, plain),
        ];
        return keys
            .into_iter()
            .flat_map(|key| self::key(app, key))
            .collect();
    }
    if app.prompt.is_some() {
        return typing::key(app, key);
    }
    let contexts = app.view().map(View::contexts).unwrap_or_default();
    match keys::action(contexts, &key) {
        Some(action) => act(app, action, &key),
        None => Vec::new(),
    }
}

fn act(app: &mut App, action: Action, key: &KeyEvent) -> Vec<Effect> {
    match action {
        Action::Up => step(app, Step::Lines(-1)),
        Action::Down => step(app, Step::Lines(1)),
        Action::PageUp => step(app, Step::Pages(-1)),
        Action::PageDown => step(app, Step::Pages(1)),
        Action::First => step(app, Step::First),
        Action::Last => step(app, Step::Last),
        Action::Command => return typing::command(app),
        Action::Filter => return typing::filter(app),
        Action::Earlier => return history::travel(app, -1),
        Action::Later => return history::travel(app, 1),
        Action::Previous => return history::previous(app),
        Action::Help => return navigate::help(app),
        Action::Back => return back(app),
        Action::Close => return navigate::back(app),
        Action::Quit => return vec![Effect::Quit],
        Action::Open => return drill::open(app),
        Action::Describe => return about::text(app, TextKind::Describe),
        Action::Yaml => return about::text(app, TextKind::Yaml),
        Action::Logs => return about::logs(app),
        Action::Events => return about::events(app),
        Action::Owner => return about::owner(app),
        Action::UsedBy => return about::used_by(app),
        Action::Range => return logs::range(app, key),
        Action::AllContainers => return logs::all_containers(app),
        Action::Copy => return export::copy(app),
        Action::Save => return export::save(app),
        Action::Favourite => return favourite(app, key),
        Action::Choose => {
            if let Some(View::Picker(picker)) = app.view_mut() {
                picker.choose();
            }
        }
        Action::Accept => return accept(app),
        Action::Wide => return wide(app),
        Action::Left => aside(app, -1),
        Action::Right => aside(app, 1),
        other => match app.view_mut() {
            Some(View::Table(table)) => in_table(table, other, key),
            Some(View::Text(text)) => in_text(text, other),
            Some(View::Logs(logs)) => in_logs(logs, other),
            _ => {}
        },
    }
    Vec::new()
}

/// To the side: a column of a table, some columns of the screen of what is text.
fn aside(app: &mut App, by: i16) {
    let most = match app.view() {
        Some(View::Table(table)) => most_left(app, table),
        _ => 0,
    };
    match app.view_mut() {
        Some(View::Table(table)) => {
            let left = table.left.min(most);
            table.left = left.saturating_add_signed(isize::from(by)).min(most);
        }
        Some(View::Text(text)) => text.scroll.aside(by * ASIDE),
        Some(View::Logs(logs)) => logs.left = logs.left.saturating_add_signed(by * ASIDE),
        _ => {}
    }
}

fn in_text(text: &mut TextView, action: Action) {
    match action {
        Action::Next => text.go_on(true),
        Action::Before => text.go_on(false),
        Action::Wrap => text.toggle_wrap(),
        _ => {}
    }
}

fn in_logs(logs: &mut LogsView, action: Action) {
    match action {
        Action::Follow => logs.toggle_follow(),
        Action::Stamps => logs.stamps = !logs.stamps,
        Action::Wrap => logs.wraps = !logs.wraps,
        _ => {}
    }
}

/// Wide, or no longer; what is only shown so is only watched so.
fn wide(app: &mut App) -> Vec<Effect> {
    let Some(View::Table(mut table)) = app.views.pop() else {
        return Vec::new();
    };
    table.is_wide = !table.is_wide;
    let effects = figures::watch(app, &mut table);
    app.views.push(View::Table(table));
    effects
}

fn in_table(table: &mut TableView, action: Action, key: &KeyEvent) {
    let grid = &mut table.grid;
    match action {
        Action::Mark => grid.mark(),
        Action::FaultsOnly => grid.set_faults_only(!grid.faults_only()),
        Action::Group => grid.set_group(match grid.group() {
            Group::None => Group::Cluster,
            Group::Cluster => Group::Namespace,
            Group::Namespace => Group::Owner,
            Group::Owner => Group::None,
        }),
        Action::SortBy => {
            if let KeyCode::Char(letter) = key.code {
                sort_by_letter(table, letter);
            }
        }
        Action::SortLeft => sort_beside(table, -1),
        Action::SortRight => sort_beside(table, 1),
        _ => {}
    }
}

/// Moves in whatever is on the screen.
pub(super) fn step(app: &mut App, step: Step) {
    let width = app.size.0;
    match app.view_mut() {
        Some(View::Table(table)) => table.grid.step(step),
        Some(View::Picker(picker)) => picker.list.step(step),
        Some(View::Containers(view)) => view.list.step(step),
        Some(View::Used(view)) => view.list.step(step),
        Some(View::Fleet(view)) => view.list.step(step),
        Some(View::Faults(view)) => view.list.step(step),
        Some(View::Hub(view)) => view.list.step(step),
        Some(View::Logs(logs)) => logs.step(step),
        Some(View::Text(text)) => text.step(step),
        Some(View::Help(scroll)) => {
            let lines = help_lines(width).len();
            scroll.step(step, lines, scroll.most(lines));
        }
        None => {}
    }
}

/// Selects the line that was clicked; goes into it if it was selected already.
pub(super) fn click(app: &mut App, _column: u16, row: u16) -> Vec<Effect> {
    let inside = areas(app).inside();
    // The first line inside has the heads.
    let Some(line) = row.checked_sub(inside.y + 1) else {
        return Vec::new();
    };
    if line + 1 >= inside.height {
        return Vec::new();
    }
    let clicked = match app.view() {
        Some(View::Table(table)) => {
            let room = usize::from(inside.height) - 1;
            place_at(app, table, usize::from(line), room)
        }
        _ => None,
    };
    match app.view_mut() {
        Some(View::Table(table)) => {
            let Some(place) = clicked else {
                return Vec::new();
            };
            if place == table.grid.cursor() {
                return drill::open(app);
            }
            table.grid.go_to(place);
        }
        Some(View::Picker(picker)) => picker.list.go_to(picker.list.top() + usize::from(line)),
        Some(View::Containers(view)) => view.list.go_to(view.list.top() + usize::from(line)),
        Some(View::Used(view)) => view.list.go_to(view.list.top() + usize::from(line)),
        Some(View::Fleet(view)) => view.list.go_to(view.list.top() + usize::from(line)),
        Some(View::Faults(view)) => view.list.go_to(view.list.top() + usize::from(line)),
        Some(View::Hub(view)) => view.list.go_to(view.list.top() + usize::from(line)),
        _ => {}
    }
    Vec::new()
}

/// One step out: of the filter, of the marks, of the view.
fn back(app: &mut App) -> Vec<Effect> {
    let is_filtered = match app.view() {
        Some(View::Table(table)) => !table.spec.filter.is_empty(),
        Some(View::Picker(picker)) => !picker.filter.is_empty(),
        Some(View::Text(text)) => !text.search.is_empty(),
        Some(View::Logs(logs)) => !logs.filter.is_empty(),
        Some(view) => view.list().is_some_and(|list| !list.filter.is_empty()),
        None => false,
    };
    if is_filtered {
        typing::set_filter(app, "");
        return Vec::new();
    }
    if app.table_mut().is_some_and(|table| table.grid.unmark()) {
        return Vec::new();
    }
    navigate::back(app)
}

fn accept(app: &mut App) -> Vec<Effect> {
    let Some(View::Picker(picker)) = app.view() else {
        return Vec::new();
    };
    let chosen = picker.answer();
    if chosen.is_empty() {
        return Vec::new();
    }
    app.views.pop();
    let wish = Wish {
        clusters: Some(chosen),
        ..Wish::default()
    };
    navigate::go(app, wish)
}

/// 0 is all namespaces, 1 the one that was used last.
fn favourite(app: &mut App, key: &KeyEvent) -> Vec<Effect> {
    let KeyCode::Char(digit) = key.code else {
        return Vec::new();
    };
    let number = digit.to_digit(10).unwrap_or_default() as usize;
    let namespaces = match number.checked_sub(1) {
        None => Vec::new(),
        Some(at) => match favourites(app).get(at) {
            Some(name) => vec![name.clone()],
            None => {
                app.tell(
                    format!("no namespace has the number {number} yet: :ns NAME gives it one"),
                    true,
                );
                return Vec::new();
            }
        },
    };
    // Which number a namespace has stays, while one goes from one to another by them.
    let known = app.favourites.clone();
    let wish = Wish {
        namespaces: Some(namespaces),
        ..Wish::default()
    };
    let effects = navigate::go(app, wish);
    if !known.is_empty() {
        app.favourites = known;
    }
    effects
}

/// The namespaces behind the digits from 1 on: those that were used, the last one first.
pub(crate) fn favourites(app: &App) -> Vec<String> {
    app.favourites.iter().take(9).cloned().collect()
}

/// The same column again is sorted the other way round. Of figures, the greatest is what one looks for.
fn sort_by(table: &mut TableView, field: Field) {
    let sort = table.grid.sort();
    let begins = matches!(field, Field::Column(at) if table.grid.is_figure(at));
    let descending = match sort.by == Some(field) {
        true => !sort.descending,
        false => begins,
    };
    set_sort(table, field, descending);
}

/// Who looks at the first line looks at what is first now; who looks at an object goes on looking at it.
fn set_sort(table: &mut TableView, field: Field, descending: bool) {
    let is_first = table.grid.cursor() == 0;
    table.grid.set_sort(Sort {
        by: Some(field),
        descending,
    });
    if is_first {
        table.grid.step(Step::First);
    }
}

fn sort_by_letter(table: &mut TableView, letter: char) {
    // Where there are figures, as in k9s.
    let figures: &[&str] = match letter {
        'C' => &["CPU"],
        'M' => &["MEM"],
        'X' => &["%CPU/R", "%CPU"],
        'Z' => &["%MEM/R", "%MEM"],
        _ => &[],
    };
    let figures = figures.iter().filter(|_| table.grid.has_figures());
    let figure = figures
        .filter_map(|head| table.grid.field_named(head))
        .next();
    let head = match letter {
        'N' => "NAME",
        'A' => "AGE",
        'S' => "STATUS",
        'R' => "READY",
        'T' => "RESTARTS",
        'O' => "NODE",
        'P' => "NAMESPACE",
        'C' => "CLUSTER",
        _ => "",
    };
    let exact = table.grid.field_named(head).filter(|_| !head.is_empty());
    let begins = || table.grid.field_named(&letter.to_string());
    if let Some(field) = figure.or(exact).or_else(begins) {
        sort_by(table, field);
    }
}

fn sort_beside(table: &mut TableView, by: isize) {
    let fields = table.fields(true);
    let Some(last) = fields.len().checked_sub(1) else {
        return;
    };
    let current = table
        .grid
        .sort()
        .by
        .and_then(|field| fields.iter().position(|it| *it == field));
    let next = match (current, by < 0) {
        (None, true) => last,
        (None, false) => 0,
        (Some(at), _) => at.saturating_add_signed(by).min(last),
    };
    set_sort(table, fields[next], false);
}
