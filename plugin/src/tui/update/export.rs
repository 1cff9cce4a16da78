//! Out of the screen: to the clipboard, to a file.

use crate::tui::app::App;
use crate::tui::event::Effect;
use crate::tui::grid::{Field, Seen};
use crate::tui::view::View;
use crate::tui::view::text::TextKind;

/// Puts names, or a text, on the clipboard.
pub(super) fn copy(app: &mut App) -> Vec<Effect> {
    if let Some((_, _, text)) = whole_text(app) {
        return vec![Effect::Copy(text)];
    }
    let Some(table) = app.table_mut() else {
        return Vec::new();
    };
    let marked = table.grid.marked();
    let objects = match marked.is_empty() {
        true => table.grid.selected().into_iter().collect(),
        false => marked,
    };
    let names: Vec<_> = objects.into_iter().map(|object| object.name).collect();
    match names.is_empty() {
        true => Vec::new(),
        false => vec![Effect::Copy(names.join("\n"))],
    }
}

/// What a text or logs are, to be copied or saved: the beginning and the end of a file's name, and the text.
fn whole_text(app: &App) -> Option<(String, &'static str, String)> {
    let (target, kind, text) = match app.view()? {
        View::Text(text) => {
            let kind = if text.kind == TextKind::Yaml {
                "yaml"
            } else {
                "txt"
            };
            (&text.target, kind, text.lines.as_ref()?.join("\n") + "\n")
        }
        View::Logs(logs) => (&logs.target, "log", logs.text()),
        _ => return None,
    };
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '.' {
            c
        } else {
            '-'
        }
    };
    Some((target.label().chars().map(plain).collect(), kind, text))
}

/// The lines that are shown, with the columns that are, as comma-separated values.
pub(super) fn save(app: &mut App) -> Vec<Effect> {
    if let Some((name, kind, text)) = whole_text(app) {
        return vec![Effect::Save { name, kind, text }];
    }
    let now = app.now;
    let Some(table) = app.table_mut() else {
        return Vec::new();
    };
    let fields = table.fields(true);
    let head = |field: &Field| match field {
        Field::Cluster => "CLUSTER".to_owned(),
        Field::Namespace => "NAMESPACE".to_owned(),
        Field::Column(at) => table.grid.columns()[*at].name.to_uppercase(),
    };
    let cell = |seen: &Seen, field: &Field| match field {
        Field::Cluster => {
            let name = table.grid.cluster_name(seen.cluster);
            name.map_or_else(String::new, |name| name.as_str().to_owned())
        }
        Field::Namespace => seen.namespace.clone(),
        Field::Column(at) => seen.cells.get(*at).cloned().unwrap_or_default(),
    };
    let line = |cells: Vec<String>| {
        cells
            .iter()
            .map(|cell| quoted(cell))
            .collect::<Vec<_>>()
            .join(",")
            + "\n"
    };
    let mut text = line(fields.iter().map(head).collect());
    for seen in table.grid.all_cells(now) {
        text += &line(fields.iter().map(|field| cell(&seen, field)).collect());
    }
    let name = table
        .plural()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .collect();
    vec![Effect::Save {
        name,
        kind: "csv",
        text,
    }]
}

/// As RFC 4180 has it; what a spreadsheet would take for a formula is text.
fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@']) && cell.len() > 1;
    let cell = if formula {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    match cell.contains([',', '"', '\n', '\'']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    }
}
