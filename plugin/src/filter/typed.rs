//! What a cell's text is: a number, a quantity, an age, a fraction, or text.
//!
//! `5m` is five minutes or five thousandths. Of two texts that are compared, both have to be ages or both quantities,
//! and ages go first: where both readings are possible, as in `5m` and `250m`, they agree on the order.

use super::quantity::Quantity;
use std::cmp::Ordering;

/// A cell's text, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Typed<'a> {
    /// As an age, in ms.
    pub age: Option<i64>,
    /// As a number or a quantity. `12 (2m ago)` is 12.
    pub quantity: Option<Quantity>,
    /// As `1/2`.
    pub fraction: Option<(u64, u64)>,
    /// As it is.
    pub text: &'a str,
}

impl<'a> Typed<'a> {
    /// Reads a text; `age` is known where an instant stands behind it.
    pub fn read(text: &'a str, age: Option<i64>) -> Self {
        Self {
            age: age.or_else(|| duration(text)),
            quantity: quantity(text),
            fraction: fraction(text),
            text,
        }
    }

    /// Reads of a text what it can be compared by with a value that is a number of some kind.
    pub fn read_for(text: &'a str, age: Option<i64>, value: &Typed<'_>) -> Self {
        let age = || age.or_else(|| duration(text));
        Self {
            age: value.age.and_then(|_| age()),
            quantity: value.quantity.and_then(|_| quantity(text)),
            fraction: value.fraction.and_then(|_| fraction(text)),
            text,
        }
    }

    /// How a cell stands to a value: by the first way in which both can be read. None: they cannot be compared, since
    /// only one of them is a number of any kind.
    pub fn order(cell: &str, age: Option<i64>, value: &str) -> Option<Ordering> {
        Typed::read(cell, age).stands(&Typed::read(value, None))
    }

    /// The same of a cell and a value that were read.
    pub fn stands(&self, other: &Typed<'_>) -> Option<Ordering> {
        let one = self;
        if let (Some(one), Some(other)) = (one.age, other.age) {
            return Some(one.cmp(&other));
        }
        if let (Some(one), Some(other)) = (one.quantity, other.quantity) {
            return Some(one.cmp(&other));
        }
        if let (Some(one), Some(other)) = (one.fraction, other.fraction) {
            return Some(one.cmp(&other));
        }
        (one.is_text() && other.is_text()).then(|| one.text.cmp(other.text))
    }

    /// Whether it is no number of any kind.
    pub fn is_text(&self) -> bool {
        self.age.is_none() && self.quantity.is_none() && self.fraction.is_none()
    }
}

/// `12` of `12 (2m ago)`: what stands in parentheses says more about the number before it.
fn first(text: &str) -> &str {
    let first = text.strip_suffix(')').and_then(|it| it.split_once(" ("));
    first.map_or(text, |(first, _)| first)
}

/// A number or a quantity, whatever is said of it in parentheses.
pub fn quantity(text: &str) -> Option<Quantity> {
    may_be_number(text)
        .then(|| Quantity::parse(first(text)))
        .flatten()
}

/// Whether it may be a number of any kind, or an age: most texts are none, and that is seen at once.
pub fn may_be_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    let first = bytes.first();
    let begins = first.is_some_and(|first| first.is_ascii_digit() || b"+-.".contains(first));
    begins && !is_address(bytes)
}

/// `10.0.3.7`
fn is_address(bytes: &[u8]) -> bool {
    let dots = bytes.iter().filter(|byte| **byte == b'.').count();
    dots > 1
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

/// `1/2`.
pub fn fraction(text: &str) -> Option<(u64, u64)> {
    let (one, other) = text.split_once('/')?;
    Some((one.parse().ok()?, other.parse().ok()?))
}

/// A duration in ms: as Kubernetes prints them (`3d4h`, `2y30d`), or as people write them (`1.5h`, `90m`, `1w`).
pub fn duration(text: &str) -> Option<i64> {
    let mut rest = text.strip_suffix(" ago").unwrap_or(text);
    let mut total = 0_f64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest.get(..end)?.parse().ok()?;
        rest = rest.get(end..)?;
        let (unit, ms) = UNITS.iter().find(|(unit, _)| rest.starts_with(unit))?;
        rest = rest.get(unit.len()..)?;
        total += number * ms;
    }
    let usable = !text.is_empty() && total.is_finite() && total < i64::MAX as f64;
    usable.then_some(total as i64)
}

/// Units in ms, those first that another one begins like.
const UNITS: [(&str, f64); 7] = [
    ("ms", 1.0),
    ("s", 1e3),
    ("m", 60e3),
    ("h", 3600e3),
    ("d", 86_400e3),
    ("w", 604_800e3),
    ("y", 31_536_000e3),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations() {
        for (text, ms) in [
            ("5s", 5_000),
            ("2m8s", 128_000),
            ("3d4h", 273_600_000),
            ("1.5h", 5_400_000),
            ("500ms", 500),
            ("1y1d", 31_622_400_000),
            ("1w", 604_800_000),
            ("2m ago", 120_000),
        ] {
            assert_eq!(duration(text), Some(ms), "{text}");
        }
        for text in ["", "5", "m", "5x", "-5m", "<invalid>", "1Gi", "5mé", "."] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn both_sides_decide_what_they_are() {
        use Ordering::{Equal, Greater, Less};
        for (cell, value, want) in [
            ("250m", "1", Some(Less)),
            ("90s", "2m", Some(Less)),
            ("5m", "3m", Some(Greater)),
            ("12 (2m ago)", "12", Some(Equal)),
            ("1Gi", "1000M", Some(Greater)),
            ("10/10", "9/10", Some(Greater)),
            ("45%", "50", Some(Less)),
            ("<none>", "5", None),
            ("5", "abc", None),
            ("abc", "abd", Some(Less)),
            ("", "5", None),
        ] {
            assert_eq!(Typed::order(cell, None, value), want, "{cell} {value}");
        }
        assert_eq!(
            Typed::order("2d", Some(1), "1d"),
            Some(Less),
            "the instant counts, not its text"
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(cell in "\\PC{0,12}", value in "[0-9a-zA-Z%./ ()-]{0,12}") {
            let _ = Typed::order(&cell, None, &value);
        }
    }
}
