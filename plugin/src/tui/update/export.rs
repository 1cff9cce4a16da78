//! Out of the screen: to the clipboard, to a file.

use crate::print::sanitize::{self, word};
use crate::tui::app::App;
use crate::tui::event::Effect;
use crate::tui::grid::{Change, Field, Seen};
use crate::tui::standing::Standing;
use crate::tui::view::View;
use crate::tui::view::text::TextKind;
use mqtt_informer::protocol::names::ClusterName;

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
    // What is copied may be put into a terminal.
    let names = objects.iter().map(|object| word(&object.name));
    let names: Vec<_> = names.collect();
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
            let lines = text.lines.as_ref()?.iter();
            let lines = lines.map(|line| sanitize::line(line) + "\n");
            (&text.target, kind, lines.collect())
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
    let Some(View::Table(table)) = app.view() else {
        return Vec::new();
    };
    let fields = table.fields(true);
    let standing = |cluster: &ClusterName| app.standing_in(Some(table), cluster);
    // A file does not dim what is old.
    let is_old = table
        .clusters()
        .into_iter()
        .any(|it| !standing(it).is_fresh());
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
    let as_of = |seen: &Seen| match table.grid.cluster_name(seen.cluster).map(standing) {
        Some(Standing::Fresh(_)) => "now".to_owned(),
        other => other.unwrap_or(Standing::Asked).words().1,
    };
    let heads = fields.iter().map(head);
    let mut text = line(heads.chain(is_old.then(|| "AS OF".to_owned())));
    let is_gone = |seen: &Seen| seen.mark.is_some_and(|mark| mark.change == Change::Gone);
    for seen in table.grid.all_cells(app.now).filter(|seen| !is_gone(seen)) {
        let cells = fields.iter().map(|field| cell(&seen, field));
        text += &line(cells.chain(is_old.then(|| as_of(&seen))));
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

fn line(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<_> = cells.map(|cell| quoted(&cell)).collect();
    cells.join(",") + "\n"
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
