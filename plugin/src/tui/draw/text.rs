//! Texts: descriptions, YAML, differences.

use super::pen::Pen;
use super::{framed, freshness, margin, said, whereabouts};
use crate::tui::app::App;
use crate::tui::theme::{Role, Theme};
use crate::tui::view::text::{TextKind, TextView};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthChar;

/// A part of a line, and what it is.
type Part<'a> = (&'a str, Role);

/// Draws a text with its frame.
pub(super) fn draw(app: &App, view: &TextView, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let word = match view.kind {
        TextKind::Describe => "describe",
        TextKind::Yaml => "yaml",
        TextKind::Diff => "diff",
    };
    let standing = app.standing_of_text(view);
    let refused = view.refused();
    let mut title = vec![(format!("{word} {}", view.target.label()), Role::Title)];
    if view.kind != TextKind::Diff {
        title.push(whereabouts(&view.target));
    }
    let is_gone = view.kind != TextKind::Diff && view.objects.values().any(Option::is_none);
    title.push(match (is_gone, refused) {
        (true, _) => (" is not there".to_owned(), Role::Bad),
        // What is shown is what was said before that.
        (false, Some(why)) if view.lines.is_some() => (format!(" {why}"), Role::Bad),
        (false, _) => freshness(standing),
    });
    if !view.search.is_empty() {
        let at = if view.found.is_empty() {
            0
        } else {
            view.at + 1
        };
        title.push((
            format!(" </{}> {at}/{}", view.search, view.found.len()),
            Role::Marked,
        ));
    }
    let bottom = (view.scroll.top + view.scroll.height).min(view.len());
    let inside = framed(
        theme,
        area,
        &title,
        &format!("{bottom}/{}", view.len()),
        buffer,
    );
    let Some(lines) = &view.lines else {
        let line = match refused {
            Some(why) => (why.to_owned(), Role::Bad),
            None if is_gone => ("it is not there".to_owned(), Role::Faint),
            None => ("reading".to_owned(), Role::Faint),
        };
        return said(theme, inside, &[line], buffer);
    };
    let is_old = is_gone || refused.is_some() || !standing.is_fresh();
    let inside = margin(inside);
    let columns = match view.wraps {
        true => usize::from(inside.width) * usize::from(inside.height),
        false => usize::from(view.scroll.left) + usize::from(inside.width),
    };
    let mut y = inside.y;
    for (at, line) in lines.iter().enumerate().skip(view.scroll.top) {
        if y >= inside.bottom() {
            break;
        }
        let line = begin(line, columns);
        let parts = match (is_old, view.kind) {
            (true, _) => vec![(line, Role::Stale)],
            (false, TextKind::Yaml) => yaml(line),
            (false, TextKind::Describe) => description(line),
            (false, TextKind::Diff) => difference(line),
        };
        let is_current = view.found.get(view.at) == Some(&at);
        let styled = styled(view, theme, line, &parts, is_current);
        y = put(&styled, (inside, y), (view.scroll.left, view.wraps), buffer);
    }
}

/// As much of a line as has these columns: it may be a megabyte long.
fn begin(line: &str, columns: usize) -> &str {
    let mut room = columns;
    let end = line.char_indices().find(|(_, c)| {
        let width = c.width().unwrap_or_default();
        let is_over = width > room;
        room = room.saturating_sub(width);
        is_over
    });
    end.map_or(line, |(at, _)| &line[..at])
}

/// The parts with their colours, and what was searched for over them.
fn styled(
    view: &TextView,
    theme: &Theme,
    line: &str,
    parts: &[Part<'_>],
    is_current: bool,
) -> Vec<(String, Style)> {
    let found = view.found_in(line);
    let mut styled = Vec::new();
    let mut at = 0;
    for (text, role) in parts {
        let style = theme.style(*role);
        for (offset, c) in text.char_indices() {
            let place = at + offset;
            let is_found = found.iter().any(|range| range.contains(&place));
            let style = match (is_found, is_current) {
                (true, true) => theme.style(Role::Found),
                (true, false) => style.patch(theme.style(Role::Marked)),
                (false, _) => style,
            };
            match styled.last_mut() {
                Some((text, known)) if *known == style => String::push(text, c),
                _ => styled.push((c.to_string(), style)),
            }
        }
        at += text.len();
    }
    styled
}

/// Puts a line, from a column on, or wrapped; answers where the next one begins.
pub(super) fn put(
    parts: &[(impl AsRef<str>, Style)],
    (inside, mut y): (Rect, u16),
    (left, wraps): (u16, bool),
    buffer: &mut Buffer,
) -> u16 {
    if !wraps {
        let mut hidden = usize::from(left);
        let mut pen = Pen::new(buffer, inside.x, y, inside.right());
        for (text, style) in parts {
            // A line may be a megabyte long: no more of it is looked at than is on the screen.
            let shown = text.as_ref().chars().skip_while(|c| hides(*c, &mut hidden));
            let mut room = usize::from(pen.room());
            let shown: String = shown
                .take_while(|c| {
                    let is_on = room > 0;
                    room = room.saturating_sub(c.width().unwrap_or_default());
                    is_on
                })
                .collect();
            pen.put(&shown, *style);
        }
        return y + 1;
    }
    let mut pen = Pen::new(buffer, inside.x, y, inside.right());
    for (text, style) in parts {
        for c in text.as_ref().chars() {
            let width = u16::try_from(c.width().unwrap_or_default()).unwrap_or_default();
            if pen.room() < width {
                y += 1;
                if y >= inside.bottom() {
                    return y;
                }
                pen = Pen::new(buffer, inside.x, y, inside.right());
            }
            pen.put(c.encode_utf8(&mut [0; 4]), *style);
        }
    }
    y + 1
}

/// Whether a character lies to the left of what is shown.
fn hides(c: char, hidden: &mut usize) -> bool {
    let is_hidden = *hidden > 0;
    *hidden = hidden.saturating_sub(c.width().unwrap_or_default());
    is_hidden
}

/// A line of YAML: keys, texts, and what is neither.
fn yaml(line: &str) -> Vec<Part<'_>> {
    let indent = line.len() - line.trim_start_matches([' ', '-']).len();
    let (before, rest) = line.split_at(indent);
    let key = match rest.find(": ") {
        Some(at) => Some(at),
        None if rest.ends_with(':') => Some(rest.len() - 1),
        None => None,
    };
    let is_plain_key = |at: &usize| !rest[..*at].contains(' ') || rest.starts_with(['"', '\'']);
    let mut parts = vec![(before, Role::Faint)];
    let value = match key.filter(is_plain_key) {
        Some(at) => {
            parts.push((&rest[..at], Role::Name));
            parts.push((&rest[at..=at], Role::Faint));
            &rest[at + 1..]
        }
        None => rest,
    };
    let word = value.trim();
    let is_literal = matches!(
        word,
        "true" | "false" | "null" | "{}" | "[]" | "|" | "|-" | ">" | ">-"
    ) || word.parse::<f64>().is_ok();
    parts.push((
        value,
        if is_literal {
            Role::Literal
        } else {
            Role::Quoted
        },
    ));
    parts
}

/// A line of a description: what stands before a colon is what it is about.
fn description(line: &str) -> Vec<Part<'_>> {
    let word = line.trim_start();
    match word.find(':') {
        Some(at) if at < 40 && !word[..at].contains("  ") => {
            let at = line.len() - word.len() + at + 1;
            vec![(&line[..at], Role::Name), (&line[at..], Role::Text)]
        }
        _ if word.starts_with("Warning ") => vec![(line, Role::Warn)],
        _ => vec![(line, Role::Text)],
    }
}

/// A line of a unified difference.
fn difference(line: &str) -> Vec<Part<'_>> {
    let role = match line.as_bytes().first() {
        _ if line.starts_with("---") || line.starts_with("+++") => Role::Title,
        Some(b'-') => Role::Bad,
        Some(b'+') => Role::Good,
        Some(b'@') => Role::Cluster,
        Some(b' ') => Role::Text,
        _ => Role::Head,
    };
    vec![(line, role)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(parts: Vec<Part<'_>>) -> String {
        let part = |(text, role): &Part<'_>| format!("{text:?} {role:?}");
        parts
            .iter()
            .filter(|(text, _)| !text.is_empty())
            .map(part)
            .collect::<Vec<_>>()
            .join(", ")
    }

    #[test]
    fn yaml_in_parts() {
        for (line, want) in [
            ("kind: Pod", r#""kind" Name, ":" Faint, " Pod" Quoted"#),
            (
                "  - name: web",
                r#""  - " Faint, "name" Name, ":" Faint, " web" Quoted"#,
            ),
            ("  labels:", r#""  " Faint, "labels" Name, ":" Faint"#),
            (
                "  ready: true",
                r#""  " Faint, "ready" Name, ":" Faint, " true" Literal"#,
            ),
            ("  - 8080", r#""  - " Faint, "8080" Literal"#),
            ("  a b: c", r#""  " Faint, "a b: c" Quoted"#),
            (
                "  \"a b\": c",
                r#""  " Faint, "\"a b\"" Name, ":" Faint, " c" Quoted"#,
            ),
        ] {
            assert_eq!(told(yaml(line)), want, "{line}");
        }
    }

    #[test]
    fn only_what_is_seen_of_a_line_is_looked_at() {
        for (line, columns, want) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "abc"),
            ("漢字漢", 5, "漢字"),
            ("e\u{301}te\u{301}", 2, "e\u{301}t"),
        ] {
            assert_eq!(begin(line, columns), want);
        }
    }

    #[test]
    fn descriptions_and_differences_in_parts() {
        assert_eq!(
            told(description("Name:   web")),
            r#""Name:" Name, "   web" Text"#
        );
        assert_eq!(
            told(description("  Warning  BackOff")),
            r#""  Warning  BackOff" Warn"#
        );
        assert_eq!(told(difference("-a")), r#""-a" Bad"#);
        assert_eq!(told(difference("--- east")), r#""--- east" Title"#);
    }

    proptest! {
        /// Whatever it is taken for, no part of a line is lost.
        #[test]
        fn parts_are_the_line(line in "[ -]{0,3}\\PC{0,16}") {
            for parts in [yaml(&line), description(&line), difference(&line)] {
                let text: String = parts.iter().map(|(text, _)| *text).collect();
                prop_assert_eq!(text, line.clone());
            }
        }
    }
}
