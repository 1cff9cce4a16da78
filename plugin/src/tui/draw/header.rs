//! Which clusters there are and how fresh each is; and what everybody has to know.

use super::pen::{self, Pen};
use crate::tui::app::App;
use crate::tui::prompt::{Prompt, Purpose};
use crate::tui::standing::Standing;
use crate::tui::theme::{Role, Theme};
use crate::tui::view::View;
use mqtt_informer::informer::LinkState;
use mqtt_informer::protocol::names::ClusterName;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Lines that the clusters get at most, beside their first.
const MORE_LINES: u16 = 2;

/// How many lines more than one the clusters need.
pub(super) fn more_lines(app: &App, width: u16) -> u16 {
    let needed: usize = app.meant().iter().map(|name| entry_width(app, name)).sum();
    let lines = needed / usize::from(width.max(1));
    u16::try_from(lines).unwrap_or(u16::MAX).min(MORE_LINES)
}

/// What this is, where it looks, and the clusters.
pub(super) fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if area.height < 2 {
        return clusters(app, theme, area, buffer);
    }
    let mut pen = Pen::new(buffer, area.x, area.y, area.right());
    pen.put(" mqinformer ", theme.style(Role::Title));
    let (sign, role) = match &app.link {
        LinkState::Up => ("●", Role::Good),
        LinkState::Connecting => ("◌", Role::Warn),
        LinkState::Down(_) => ("○", Role::Bad),
    };
    pen.put(sign, theme.style(role));
    pen.put(&format!(" {}", app.place), theme.style(Role::Text));
    if is_simulated(app) {
        pen.put(" simulated clusters", theme.style(Role::Warn));
    }
    favourites(app, theme, &mut pen);
    let rest = Rect::new(area.x, area.y + 1, area.width, area.height - 1);
    clusters(app, theme, rest, buffer);
}

/// Whether none of the clusters is a real one: nobody may take them for that.
fn is_simulated(app: &App) -> bool {
    let label = ("simulated".to_owned(), "true".to_owned());
    let mut clusters = app.clusters.values();
    !app.clusters.is_empty() && clusters.all(|cluster| cluster.presence.labels.contains(&label))
}

/// The namespaces behind the digits, as far as there is room for them; the one that is looked at stands out.
fn favourites(app: &App, theme: &Theme, pen: &mut Pen<'_>) {
    if !matches!(app.view(), Some(View::Table(_))) {
        return;
    }
    let names = crate::tui::update::favourites(app);
    let all = std::iter::once("all".to_owned());
    for (number, name) in all.chain(names).enumerate() {
        if usize::from(pen.room()) < pen::width(&name) + 7 {
            return;
        }
        let is_on = match number {
            0 => app.namespaces.is_empty(),
            _ => app.namespaces.contains(&name),
        };
        pen.put(&format!("   {number}"), theme.style(Role::Key));
        let role = if is_on { Role::Title } else { Role::Faint };
        pen.put(&format!(" {name}"), theme.style(role));
    }
}

/// Each cluster with its state, the troubled ones first where not all have room.
fn clusters(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let mut names = app.meant();
    let needed: usize = names.iter().map(|name| entry_width(app, name)).sum();
    let room = usize::from(area.width) * usize::from(area.height);
    if needed + 1 > room {
        names.sort_by_key(|name| std::cmp::Reverse(app.standing(name).rank()));
        return summary(app, theme, &names, area, buffer);
    }
    let mut y = area.y;
    let mut x = area.x + 1;
    for name in names {
        let width = u16::try_from(entry_width(app, name)).unwrap_or(u16::MAX);
        if x + width > area.right() && x > area.x + 1 && y + 1 < area.bottom() {
            (x, y) = (area.x + 1, y + 1);
        }
        let mut pen = Pen::new(buffer, x, y, area.right());
        entry(app, theme, name, &mut pen);
        x += width;
    }
}

/// `4 fresh  1 stale  2 offline`, and as many names of those in trouble as there is room for.
fn summary(app: &App, theme: &Theme, names: &[&ClusterName], area: Rect, buffer: &mut Buffer) {
    let mut pen = Pen::new(buffer, area.x, area.y, area.right());
    for wanted in [3, 2, 1, 4, 0] {
        let its = names
            .iter()
            .filter(|name| app.standing(name).rank() == wanted);
        let many = its.count();
        if many > 0 {
            let (sign, word, role) = ["● fresh", "◌ asked", "◐ stale", "○ offline", "✗ refused"]
                .get(usize::from(wanted))
                .and_then(|words| words.split_once(' '))
                .map_or(("", "", Role::Text), |(sign, word)| {
                    (sign, word, role_of(wanted))
                });
            pen.put(&format!(" {sign} {many} {word} "), theme.style(role));
        }
    }
    let troubled = names.iter().filter(|name| app.standing(name).rank() >= 2);
    for name in troubled {
        if usize::from(pen.room()) < entry_width(app, name) {
            pen.put("…", theme.style(Role::Faint));
            return;
        }
        entry(app, theme, name, &mut pen);
    }
}

fn entry(app: &App, theme: &Theme, name: &ClusterName, pen: &mut Pen<'_>) {
    let standing = app.standing(name);
    let (sign, words) = standing.words();
    pen.put(sign, theme.style(role_of(standing.rank())));
    pen.put(&format!(" {}", name.as_str()), theme.style(Role::Cluster));
    let role = match standing {
        Standing::Fresh(_) | Standing::Asked => Role::Faint,
        _ => role_of(standing.rank()),
    };
    pen.put(&format!(" {words}"), theme.style(role));
    pen.skip(3);
}

fn entry_width(app: &App, name: &ClusterName) -> usize {
    let (_, words) = app.standing(name).words();
    pen::width(name.as_str()) + pen::width(&words) + 6
}

pub(super) fn role_of(rank: u8) -> Role {
    match rank {
        0 => Role::Good,
        1 => Role::Faint,
        2 => Role::Warn,
        _ => Role::Bad,
    }
}

/// Whether there is anything that everybody has to know.
pub(super) fn has_banner(app: &App) -> bool {
    !news(app).0.is_empty()
}

/// What everybody has to know, in a line.
pub(super) fn banner(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let (text, role) = news(app);
    if area.height > 0 && !text.is_empty() {
        let mut pen = Pen::new(buffer, area.x, area.y, area.right());
        pen.fit(&format!(" {text}"), area.width, theme.style(role));
    }
}

fn news(app: &App) -> (String, Role) {
    if let Some(why) = &app.no_way {
        return (why.clone(), Role::Alarm);
    }
    if let LinkState::Down(failure) = &app.link {
        let since = app.now.at.saturating_sub(app.link_since).as_secs();
        let old = match app.was_linked {
            true => format!("no broker: what is shown is {since}s old or older; "),
            false => "no broker: ".to_owned(),
        };
        return (format!("{old}{}", failure.message), Role::Alarm);
    }
    if app.link == LinkState::Connecting {
        return (format!("connecting to {}", app.place), Role::Faint);
    }
    match app.view() {
        Some(View::Table(table)) => progress(app, table),
        _ => (String::new(), Role::Faint),
    }
}

/// How far a table is that is not whole; who says no.
fn progress(app: &App, table: &crate::tui::view::table::TableView) -> (String, Role) {
    // While it is typed that stands beside it: the table stays where it is.
    let is_typed = |prompt: &Prompt| prompt.purpose == Purpose::Filter;
    let is_typed = app.prompt.as_ref().is_some_and(is_typed);
    if let Some(wrong) = table.wrong.as_ref().filter(|_| !is_typed) {
        return (format!("filter: {wrong}"), Role::Bad);
    }
    let loading = table.loading();
    let offline =
        |name: &&&ClusterName| app.clusters.get(**name).is_some_and(|known| known.offline);
    let clusters = table.clusters();
    let away = clusters.iter().filter(offline).count();
    let open = loading.clusters
        - loading.synced
        - loading.refused.len().min(loading.clusters - loading.synced);
    if open > away {
        let mut parts = vec![format!(
            "{} of {} clusters are whole",
            loading.synced, loading.clusters
        )];
        if loading.listed > 0 {
            parts.push(format!("{} items listed", grouped(loading.listed)));
        }
        if loading.received > 0 {
            parts.push(format!("{} kB received", grouped(loading.received / 1000)));
        }
        if loading.silent > 0 {
            parts.push(format!("{} have not answered", loading.silent));
        }
        return (parts.join(" · "), Role::Warn);
    }
    match loading.refused.first_key_value() {
        Some((cluster, why)) => {
            let more = match loading.refused.len() - 1 {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            (format!("{}: {why}{more}", cluster.as_str()), Role::Bad)
        }
        None => (String::new(), Role::Faint),
    }
}

/// `12,345`
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
