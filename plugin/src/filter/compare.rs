//! The cells of one column in order, for `--sort-by COLUMN`.
//!
//! A column is what most readings of it say: ages, if every cell that says anything can be an age and one of them
//! cannot be a quantity; else quantities, else fractions, else text. Cells that are nothing of the kind (`<none>`,
//! `<unknown>`, nothing) come last, as text.
//!
//! A [`Key`] of an age is as long as the age was when it was read: keys that were read at one moment keep their order.

use super::typed::{self, Typed};

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

/// As what one cell can be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    something: bool,
    age: bool,
    quantity: bool,
    fraction: bool,
}

/// The readings of a column's cells, counted: what the column is, is known again after one of them changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    read: usize,
    ages: usize,
    quantities: usize,
    fractions: usize,
}

/// A cell as its column's kind reads it, once for many comparisons. A total order: numbers, and behind them, as text,
/// what is no number.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key<T = Box<str>> {
    is_no_number: bool,
    number: Option<Number>,
    text: T,
}

impl Reading {
    /// Of a cell.
    pub fn of(cell: &Cell) -> Self {
        Self::of_text(&cell.text, cell.age)
    }

    /// Of the cell that these are.
    pub fn of_text(text: &str, age: Option<i64>) -> Self {
        if is_nothing(text) {
            return Self::default();
        }
        if !typed::may_be_number(text) && age.is_none() {
            return Self {
                something: true,
                ..Self::default()
            };
        }
        let typed = Typed::read(text, age);
        Self {
            something: true,
            age: typed.age.is_some(),
            quantity: typed.quantity.is_some(),
            fraction: typed.fraction.is_some(),
        }
    }
}

impl Tally {
    /// Counts a cell in.
    pub fn add(&mut self, reading: Reading) {
        self.read += usize::from(reading.something);
        self.ages += usize::from(reading.age);
        self.quantities += usize::from(reading.quantity);
        self.fractions += usize::from(reading.fraction);
    }

    /// Counts a cell out that was counted in before.
    pub fn remove(&mut self, reading: Reading) {
        self.read -= usize::from(reading.something);
        self.ages -= usize::from(reading.age);
        self.quantities -= usize::from(reading.quantity);
        self.fractions -= usize::from(reading.fraction);
    }

    /// What the column is.
    pub fn kind(&self) -> Kind {
        match self.read {
            0 => Kind::Text,
            all if self.quantities == all => Kind::Quantity,
            all if self.ages == all => Kind::Age,
            all if self.fractions == all => Kind::Fraction,
            _ => Kind::Text,
        }
    }
}

impl Kind {
    /// What these cells, all of one column, are.
    pub fn of<'a>(cells: impl IntoIterator<Item = &'a Cell>) -> Self {
        let mut tally = Tally::default();
        cells
            .into_iter()
            .for_each(|cell| tally.add(Reading::of(cell)));
        tally.kind()
    }

    /// A cell of such a column, ready to be compared with others of it.
    pub fn key(self, cell: &Cell) -> Key {
        self.key_of(&cell.text, cell.age).boxed()
    }

    /// The same of the cell that these are, which is not kept.
    pub fn key_of(self, text: &str, age: Option<i64>) -> Key<&str> {
        let number = match self {
            Self::Age => age.or_else(|| typed::duration(text)).map(Number::Age),
            Self::Quantity => typed::quantity(text).map(Number::Quantity),
            Self::Fraction => typed::fraction(text).map(|(a, b)| Number::Fraction(a, b)),
            Self::Text => (!is_nothing(text)).then_some(Number::Text),
        };
        Key {
            is_no_number: number.is_none(),
            number,
            text,
        }
    }
}

impl<T: AsRef<str>> Key<T> {
    /// To be kept.
    pub fn boxed(&self) -> Key {
        self.with(self.text.as_ref().into())
    }

    /// To be compared with one that is not kept.
    pub fn borrowed(&self) -> Key<&str> {
        self.with(self.text.as_ref())
    }

    fn with<O>(&self, text: O) -> Key<O> {
        Key {
            is_no_number: self.is_no_number,
            number: self.number,
            text,
        }
    }

    /// A number that is greater only if the key is: what mostly suffices, and is compared in no time.
    pub fn head(&self) -> u64 {
        // What is no number is behind all of them.
        let last = NO_NUMBER - 1;
        match self.number {
            None => NO_NUMBER,
            Some(Number::Age(ms)) => (ms.cast_unsigned() ^ 1 << 63).min(last),
            Some(Number::Quantity(quantity)) => quantity.head().min(last),
            Some(Number::Fraction(one, other)) => match (u32::try_from(one), other) {
                (Ok(one), other) => {
                    (u64::from(one) << 32 | other.min(u64::from(u32::MAX))).min(last)
                }
                (Err(_), _) => last,
            },
            Some(Number::Text) => word(self.text.as_ref(), 0),
        }
    }
}

/// The head of all keys that are no numbers, and of no other.
pub const NO_NUMBER: u64 = u64::MAX;

/// Eight bytes of a text, those of this number, as a number that is greater only if the text is, among texts that have
/// those before in common.
pub fn word(text: &str, at: usize) -> u64 {
    let mut word = [0; 8];
    let bytes = text.as_bytes().get(at * 8..).unwrap_or_default();
    let len = bytes.len().min(8);
    word[..len].copy_from_slice(&bytes[..len]);
    u64::from_be_bytes(word)
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
    (text.is_empty() || text.starts_with('<'))
        && matches!(text, "" | "<none>" | "<unknown>" | "<invalid>" | "<nil>")
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
        cells.sort_by_cached_key(|cell| kind.key(cell));
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
        let kind = Kind::of([&one, &other]);
        assert!(kind.key(&one) < kind.key(&other));
    }

    proptest! {
        #[test]
        fn a_head_never_contradicts_its_key(
            texts in prop::collection::vec("(<none>|-?[0-9]{1,19}(m|h|Gi|Ei|s)?|[0-9]{1,11}/[0-9]{1,11}|[a-c]{0,9}|\\PC{0,9})", 1..6),
            ages in prop::collection::vec(prop::option::of(any::<i64>()), 6),
        ) {
            let cells = texts.iter().zip(ages).map(|(text, age)| Cell { text: text.clone(), age });
            let cells: Vec<_> = cells.collect();
            for kind in [Kind::Age, Kind::Quantity, Kind::Fraction, Kind::Text] {
                let mut keys: Vec<_> = cells.iter().map(|cell| kind.key(cell)).collect();
                keys.sort();
                prop_assert!(keys.is_sorted_by_key(|key| key.head()), "{:?} {:?}", kind, keys);
            }
        }

        /// The sum of what came less what went says the same as a look at what is there.
        #[test]
        fn a_tally_forgets_what_it_is_told_to(
            stays in prop::collection::vec("(<none>|[0-9]{1,2}(m|h|Gi|/2)?|[a-c])", 0..4),
            goes in prop::collection::vec("(<none>|[0-9]{1,2}(m|h|Gi|/2)?|[a-c])", 0..4),
        ) {
            let mut tally = Tally::default();
            let readings = |texts: &[String]| texts.iter().map(|text| Reading::of(&cell(text))).collect::<Vec<_>>();
            readings(&stays).into_iter().chain(readings(&goes)).for_each(|it| tally.add(it));
            readings(&goes).into_iter().for_each(|it| tally.remove(it));
            let cells: Vec<_> = stays.iter().map(|text| cell(text)).collect();
            prop_assert_eq!(tally.kind(), Kind::of(&cells));
        }
    }
}
