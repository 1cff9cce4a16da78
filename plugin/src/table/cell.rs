//! One cell: text, numbers, and instants that are shown as the time since then.

use mqtt_informer::kubernetes::duration;
use mqtt_informer::protocol::rows;
use prost::Message;

/// A cell as it came; [`Cell::text`] is how it reads at some moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// ms since 1970.
    Since(i64),
    Integer(i64),
}

impl Cell {
    /// A cell of text.
    pub fn of_text(text: impl Into<String>) -> Self {
        Self {
            parts: vec![Part::Text(text.into())],
        }
    }

    /// Reads the bytes of one; what is none reads as nothing.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        rows::Cell::decode(bytes).unwrap_or_default().into()
    }

    /// How it reads when the API server's clock shows `now_ms` (ms since 1970). An absent value reads as nothing, as in
    /// kubectl.
    pub fn text(&self, now_ms: i64) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Integer(number) => number.to_string(),
                Part::Since(at) => duration::human(now_ms.saturating_sub(*at)),
            })
            .collect()
    }

    /// What of it stays as it is while time goes by: its text without the times since an instant.
    pub fn still_text(&self) -> String {
        let still = self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::Integer(number) => Some(number.to_string()),
            Part::Since(_) => None,
        });
        still.collect()
    }

    /// Whether it reads differently as time goes by.
    pub fn moves(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Since(_)))
    }

    /// The instant, in ms since 1970, if it is one and nothing else.
    pub fn instant(&self) -> Option<i64> {
        match self.parts.as_slice() {
            [Part::Since(at)] => Some(*at),
            _ => None,
        }
    }

    /// How long ago that was, in ms: exact, where its text is rounded.
    pub fn age(&self, now_ms: i64) -> Option<i64> {
        Some(now_ms.saturating_sub(self.instant()?))
    }
}

impl From<rows::Cell> for Cell {
    /// A part of a kind that this version does not know reads as nothing.
    fn from(cell: rows::Cell) -> Self {
        let known = cell.parts.into_iter().filter_map(|part| match part.part? {
            rows::part::Part::Text(text) => Some(Part::Text(text)),
            rows::part::Part::SinceMs(at) => Some(Part::Since(at)),
            rows::part::Part::Integer(number) => Some(Part::Integer(number)),
            rows::part::Part::Null(_) => None,
        });
        Self {
            parts: known.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rows::part::Part as Wire;

    fn cell(parts: Vec<Wire>) -> Cell {
        let parts = parts
            .into_iter()
            .map(|part| rows::Part { part: Some(part) });
        rows::Cell {
            parts: parts.collect(),
        }
        .into()
    }

    #[test]
    fn instants_are_read_at_the_moment_of_looking() {
        let restarts = cell(vec![
            Wire::Text("3 (".into()),
            Wire::SinceMs(1_000),
            Wire::Text(" ago)".into()),
        ]);
        assert_eq!(restarts.text(6_000), "3 (5s ago)");
        assert_eq!(restarts.text(301_000), "3 (5m ago)");
        assert_eq!(
            (restarts.still_text(), restarts.moves()),
            ("3 ( ago)".into(), true)
        );
    }

    #[test]
    fn an_absent_value_reads_as_nothing() {
        assert_eq!(cell(vec![Wire::Null(true)]).text(0), "");
        assert_eq!(cell(vec![Wire::Integer(-7)]).text(0), "-7");
    }

    #[test]
    fn hostile_instants_do_not_overflow() {
        assert!(
            cell(vec![Wire::SinceMs(i64::MIN)])
                .text(i64::MAX)
                .ends_with('y')
        );
        assert_eq!(
            cell(vec![Wire::SinceMs(i64::MAX)]).text(i64::MIN),
            "<invalid>"
        );
    }
}
