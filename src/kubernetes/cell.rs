//! One cell of a table: what of it is text, what a number, what an instant.

use super::duration;
use super::number::sprint;
use crate::protocol::rows::{Cell, Column, Part, part};
use serde_json::value::RawValue;

/// A built-in AGE is believed to be the object's even when the server's clock and ours disagree by so much, in ms.
const AGE_SLACK: i64 = 60_000;
/// What passes between a server's printing a row and our reading it, in ms.
const TRANSIT_SLACK: i64 = 5_000;

/// What is known when a cell is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    /// The API server's clock, ms since 1970.
    pub(super) now: i64,
    /// The object's creation.
    pub(super) created: Option<i64>,
    /// The instants that this column's text shows, from the object's own fields.
    pub(super) known: &'a [i64],
    /// The instant that this cell had before.
    pub(super) before: Option<i64>,
}

/// A cell, and the instant in it if that had to be guessed from the text: next time it is `before`.
pub(super) fn cell(raw: &RawValue, column: &Column, context: Context<'_>) -> (Cell, Option<i64>) {
    let one = |part| Cell {
        parts: vec![Part { part: Some(part) }],
    };
    let text = match serde_json::from_str(raw.get()) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(serde_json::Value::Null) => return (one(part::Part::Null(true)), None),
        Ok(value) => {
            let integer = value.as_i64().map(part::Part::Integer);
            return (
                one(integer.unwrap_or_else(|| part::Part::Text(sprint(&value)))),
                None,
            );
        }
        // A number that fits no type: as it came.
        Err(_) => raw.get().into(),
    };
    if !context.known.is_empty() {
        return (known(&text, context.known), None);
    }
    let explains = |at: &i64, slack| duration::agrees(&text, context.now - at, slack);
    let age = column.name.eq_ignore_ascii_case("age");
    if let Some(created) = context.created.filter(|at| age && explains(at, AGE_SLACK)) {
        return (one(part::Part::SinceMs(created)), None);
    }
    if column.r#type != "date" {
        return (one(part::Part::Text(text)), None);
    }
    let before = context.before.filter(|at| explains(at, TRANSIT_SLACK));
    if let Some(at) = before {
        return (one(part::Part::SinceMs(at)), before);
    }
    if let Some(created) = context.created.filter(|at| explains(at, TRANSIT_SLACK)) {
        return (one(part::Part::SinceMs(created)), None);
    }
    match duration::read(&text).filter(|range| range.start >= 0) {
        Some(range) => {
            // Off the interval's edge, lest our reading of the server's clock moves it over.
            let at = context.now - range.start - ((range.end - range.start) / 2).min(1000);
            (one(part::Part::SinceMs(at)), Some(at))
        }
        None => (one(part::Part::Text(text)), None),
    }
}

/// Puts the instants in the places of the durations of a text: `3 (5m ago)`, `5m (x3 over 2h)`.
fn known(text: &str, instants: &[i64]) -> Cell {
    let mut instants = instants.iter();
    let mut parts = Vec::new();
    let mut plain = String::new();
    for piece in pieces(text) {
        match duration::read(piece).and_then(|_| instants.next()) {
            Some(at) => {
                if !plain.is_empty() {
                    parts.push(part::Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(part::Part::SinceMs(*at));
            }
            None => plain.push_str(piece),
        }
    }
    if !plain.is_empty() || parts.is_empty() {
        parts.push(part::Part::Text(plain));
    }
    Cell {
        parts: parts
            .into_iter()
            .map(|part| Part { part: Some(part) })
            .collect(),
    }
}

/// Words, and what stands between them.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    const BETWEEN: [char; 3] = [' ', '(', ')'];
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let between = BETWEEN.contains(&first);
        let end = rest
            .find(|c| BETWEEN.contains(&c) != between)
            .unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;
    const MINUTE: i64 = 60_000;

    fn shown(json: &str, name: &str, kind: &str, context: Context<'_>) -> (String, Option<i64>) {
        let column = Column {
            name: name.into(),
            r#type: kind.into(),
            ..Default::default()
        };
        let (cell, guess) = cell(serde_json::from_str(json).unwrap(), &column, context);
        let parts = cell.parts.into_iter().map(|part| match part.part.unwrap() {
            part::Part::Text(text) => format!("{text:?}"),
            part::Part::SinceMs(at) => format!("since {}", (NOW - at) / 1000),
            part::Part::Integer(number) => number.to_string(),
            part::Part::Null(_) => "null".into(),
        });
        (
            parts.collect::<Vec<_>>().join(" + "),
            guess.map(|at| (NOW - at) / 1000),
        )
    }

    fn plain() -> Context<'static> {
        Context {
            now: NOW,
            created: None,
            known: &[],
            before: None,
        }
    }

    #[test]
    fn values_are_what_they_are() {
        for (json, expected) in [
            (r#""a\nb""#, r#""a\nb""#),
            ("null", "null"),
            ("7", "7"),
            ("-7", "-7"),
            ("true", r#""true""#),
            ("1e6", r#""1e+06""#),
            ("18446744073709551615", r#""18446744073709551615""#),
            (r#"["a",1]"#, r#""[a 1]""#),
            (r#""5m""#, r#""5m""#),
        ] {
            assert_eq!(shown(json, "Size", "string", plain()).0, expected, "{json}");
        }
    }

    #[test]
    fn an_age_is_the_time_since_creation() {
        let created = |ms: i64| Context {
            created: Some(NOW - ms),
            ..plain()
        };
        assert_eq!(
            shown(r#""12m""#, "Age", "string", created(12 * MINUTE + 30_000)).0,
            "since 750"
        );
        assert_eq!(
            shown(r#""<unknown>""#, "Age", "string", created(MINUTE)).0,
            r#""<unknown>""#
        );
        // A custom resource may call anything an age.
        assert_eq!(
            shown(r#""12m""#, "Age", "string", created(40 * MINUTE)).0,
            r#""12m""#
        );
        assert_eq!(
            shown(r#""12m""#, "Age", "date", created(40 * MINUTE)),
            ("since 721".into(), Some(721))
        );
        assert_eq!(
            shown(r#""<invalid>""#, "Age", "string", created(-30_000)).0,
            "since -30"
        );
    }

    #[test]
    fn known_instants_take_the_places_of_durations() {
        let known = [NOW - 5 * MINUTE, NOW - 120 * MINUTE];
        let show = |json: &str, known: &[i64]| {
            shown(json, "Restarts", "string", Context { known, ..plain() }).0
        };
        assert_eq!(
            show(r#""3 (5m ago)""#, &known[..1]),
            r#""3 (" + since 300 + " ago)""#
        );
        assert_eq!(
            show(r#""5m (x3 over 2h)""#, &known),
            r#"since 300 + " (x3 over " + since 7200 + ")""#
        );
        assert_eq!(show(r#""5m""#, &known), "since 300");
        assert_eq!(show(r#""0""#, &known), r#""0""#);
        assert_eq!(show(r#""""#, &known), r#""""#);
        assert_eq!(show(r#""<none>""#, &known), r#""<none>""#);
    }

    #[test]
    fn a_date_keeps_its_instant_while_the_text_agrees_with_it() {
        let date = |json: &str, before: Option<i64>| {
            let before = before.map(|seconds| NOW - seconds * 1000);
            shown(
                json,
                "Last Sync",
                "date",
                Context {
                    before,
                    created: Some(NOW - 999 * MINUTE),
                    ..plain()
                },
            )
        };
        assert_eq!(date(r#""12m""#, None), ("since 721".into(), Some(721)));
        assert_eq!(date(r#""12m""#, Some(745)), ("since 745".into(), Some(745)));
        assert_eq!(date(r#""12m""#, Some(790)), ("since 721".into(), Some(721)));
        assert_eq!(date(r#""3s""#, Some(745)), ("since 3".into(), Some(3)));
        assert_eq!(
            date(r#""2023-01-01T00:00:00Z""#, Some(745)),
            (r#""2023-01-01T00:00:00Z""#.into(), None)
        );
        assert_eq!(date("null", Some(745)), ("null".into(), None));
        // The creation itself, exactly.
        assert_eq!(date(r#""16h""#, None), ("since 59940".into(), None));
    }
}
