//! One cell: text, numbers, and instants that are shown as the time since then.

use mqtt_informer::kubernetes::duration;
use mqtt_informer::protocol::rows;
use prost::Message;
use prost::encoding::decode_varint;
use std::fmt::Write;

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

    /// [`Self::still_text`] of the cell that these bytes are, put behind `text`; and the instant, in ms since 1970, if that
    /// is all that is in it. No cell is made for that: a column of many rows is read some times faster so.
    pub fn still(bytes: &[u8], text: &mut String) -> Option<i64> {
        let before = text.len();
        still(bytes, text).unwrap_or_else(|| {
            // It is of another version, or of none.
            text.truncate(before);
            let cell = Self::from_bytes(bytes);
            text.push_str(&cell.still_text());
            match cell.parts.as_slice() {
                [Part::Since(at)] => Some(*at),
                _ => None,
            }
        })
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

    /// How long ago it was, in ms, if an instant is all that is in it: exact, where its text is rounded.
    pub fn age(&self, now_ms: i64) -> Option<i64> {
        match self.parts.as_slice() {
            [Part::Since(at)] => Some(now_ms.saturating_sub(*at)),
            _ => None,
        }
    }
}

/// The tags of a cell's parts and of what they are: the first have a length before them.
const PART: u8 = 1 << 3 | 2;
const TEXT: u8 = 1 << 3 | 2;
const SINCE: u8 = 2 << 3;
const INTEGER: u8 = 3 << 3;
const NULL: u8 = 4 << 3;

/// See [`Cell::still`]; none if the bytes are not as this version writes them.
fn still(mut bytes: &[u8], text: &mut String) -> Option<Option<i64>> {
    let (mut parts, mut since) = (0, None);
    while let Some((&PART, rest)) = bytes.split_first() {
        bytes = rest;
        let (tag, mut part) = sized(&mut bytes)?.split_first()?;
        match *tag {
            TEXT => text.push_str(std::str::from_utf8(sized(&mut part)?).ok()?),
            SINCE => since = Some(decode_varint(&mut part).ok()?.cast_signed()),
            INTEGER => {
                let number = decode_varint(&mut part).ok()?.cast_signed();
                write!(text, "{number}").ok()?;
            }
            NULL => drop(decode_varint(&mut part).ok()?),
            _ => return None,
        }
        if !part.is_empty() {
            return None;
        }
        parts += usize::from(*tag != NULL);
    }
    bytes.is_empty().then(|| since.filter(|_| parts == 1))
}

/// Takes off what has its length before it.
fn sized<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(decode_varint(bytes).ok()?).ok()?;
    let (field, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(field)
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
    use proptest::prelude::*;
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

    fn part() -> impl Strategy<Value = Option<Wire>> {
        prop_oneof![
            3 => "\\PC{0,140}".prop_map(|text| Some(Wire::Text(text))),
            3 => any::<i64>().prop_map(|at| Some(Wire::SinceMs(at))),
            1 => any::<i64>().prop_map(|number| Some(Wire::Integer(number))),
            1 => any::<bool>().prop_map(|it| Some(Wire::Null(it))),
            1 => Just(None),
        ]
    }

    fn is_read_alike(bytes: &[u8]) -> Result<(), TestCaseError> {
        let cell = Cell::from_bytes(bytes);
        let mut text = "before".to_owned();
        let since = Cell::still(bytes, &mut text);
        prop_assert_eq!(text, format!("before{}", cell.still_text()));
        prop_assert_eq!(since.map(|at| 0_i64.saturating_sub(at)), cell.age(0));
        Ok(())
    }

    proptest! {
        #[test]
        fn what_is_still_is_read_alike_in_both_ways(
            parts in prop::collection::vec(part(), 0..4),
            junk in prop::collection::vec(any::<u8>(), 0..8),
            at in any::<prop::sample::Index>(),
        ) {
            let parts = parts.into_iter().map(|part| rows::Part { part }).collect();
            let mut bytes = rows::Cell { parts }.encode_to_vec();
            is_read_alike(&bytes)?;
            is_read_alike(&junk)?;
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..at, junk);
            is_read_alike(&bytes)?;
        }
    }
}
