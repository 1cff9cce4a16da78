//! The cells of one column in order, for `--sort-by COLUMN`.
//!
//! A column is what most readings of it say: ages, if every cell that says anything can be an age and one of them
//! cannot be a quantity; else quantities, else fractions, else text. Cells that are nothing of the kind (`<none>`,
//! `<unknown>`, nothing) come last, as text.

use super::typed::Typed;
use std::cmp::Ordering;

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ages: the younger first, since `5s` is less than `2h`.
    Age,
    /// Numbers and quantities.
    Quantity,
    /// `0/1`, `1/1`.
    Fraction,
    /// Anything.
    Text,
}

/// One cell, ready to be compared with others of its column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// As it is printed.
    pub text: String,
    /// Its age in ms, where an instant stands behind it.
    pub age: Option<i64>,
}

impl Kind {
    /// What these cells, all of one column, are.
    pub fn of<'a>(cells: impl IntoIterator<Item = &'a Cell>) -> Self {
        let read = cells.into_iter().filter(|cell| !is_nothing(&cell.text));
        let read: Vec<_> = read.map(|cell| Typed::read(&cell.text, cell.age)).collect();
        let sure = read.iter().any(|cell| cell.quantity.is_none());
        match () {
            () if read.is_empty() => Self::Text,
            () if read.iter().all(|cell| cell.age.is_some()) && sure => Self::Age,
            () if read.iter().all(|cell| cell.quantity.is_some()) => Self::Quantity,
            () if read.iter().all(|cell| cell.age.is_some()) => Self::Age,
            () if read.iter().all(|cell| cell.fraction.is_some()) => Self::Fraction,
            () => Self::Text,
        }
    }

    /// How two cells of such a column stand to each other. A total order.
    pub fn compare(self, one: &Cell, other: &Cell) -> Ordering {
        let key = |cell: &Cell| {
            let typed = Typed::read(&cell.text, cell.age);
            let number = match self {
                Self::Age => typed.age.map(Number::Age),
                Self::Quantity => typed.quantity.map(Number::Quantity),
                Self::Fraction => typed.fraction.map(|(a, b)| Number::Fraction(a, b)),
                Self::Text => (!is_nothing(&cell.text)).then_some(Number::Text),
            };
            (number.is_none(), number)
        };
        let numbers = key(one).cmp(&key(other));
        numbers.then_with(|| one.text.cmp(&other.text))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Number {
    Age(i64),
    Quantity(super::quantity::Quantity),
    Fraction(u64, u64),
    Text,
}

/// What tables print where there is nothing.
pub(super) fn is_nothing(text: &str) -> bool {
    matches!(text, "" | "<none>" | "<unknown>" | "<invalid>" | "<nil>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cell(text: &str) -> Cell {
        Cell {
            text: text.to_owned(),
            age: None,
        }
    }

    fn sorted(texts: &str) -> String {
        let mut cells: Vec<_> = texts.split(' ').map(cell).collect();
        let kind = Kind::of(&cells);
        cells.sort_by(|one, other| kind.compare(one, other));
        let texts: Vec<_> = cells.into_iter().map(|cell| cell.text).collect();
        texts.join(" ")
    }

    #[test]
    fn columns_are_sorted_as_what_they_are() {
        for (texts, want) in [
            ("10 9 <none> 100 1", "1 9 10 100 <none>"),
            ("1Gi 500Mi 2Gi <none> 1G", "500Mi 1G 1Gi 2Gi <none>"),
            ("250m 1 100m", "100m 250m 1"),
            ("2h 90s 3d4h 5m", "90s 5m 2h 3d4h"),
            ("5m 250m 90m", "5m 90m 250m"),
            ("1/1 0/1 10/10 <none> 9/10", "0/1 1/1 9/10 10/10 <none>"),
            ("web db <none> api", "api db web <none>"),
            ("web 10 9", "10 9 web"),
            ("<none>", "<none>"),
        ] {
            assert_eq!(sorted(texts), want, "{texts}");
        }
    }

    #[test]
    fn instants_are_sorted_by_themselves_and_not_by_their_text() {
        let old = |text: &str, age| Cell {
            text: text.to_owned(),
            age: Some(age),
        };
        let (one, other) = (old("3d", 260_000_000), old("3d", 270_000_000));
        assert_eq!(
            Kind::of([&one, &other]).compare(&one, &other),
            Ordering::Less
        );
    }

    proptest! {
        #[test]
        fn the_order_is_total(texts in prop::collection::vec("(<none>|[0-9]{1,2}(m|h|Gi|/2)?|[a-c])", 3)) {
            let cells: Vec<_> = texts.iter().map(|text| cell(text)).collect();
            let kind = Kind::of(&cells);
            let [a, b, c] = [&cells[0], &cells[1], &cells[2]];
            prop_assert_eq!(kind.compare(a, b), kind.compare(b, a).reverse());
            if kind.compare(a, b).is_le() && kind.compare(b, c).is_le() {
                prop_assert!(kind.compare(a, c).is_le());
            }
        }
    }
}
