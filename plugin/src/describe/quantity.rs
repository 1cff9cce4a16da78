//! Amounts of resources: `100m`, `1500Mi`.
//!
//! `k8s.io/apimachinery/pkg/api/resource`: what is needed to add them, to compare them, and to print sums as Kubernetes
//! would.

use super::field::Field;
use std::cmp::Ordering;
use std::fmt;

/// Billionths: no amount is told more precisely.
const NANO: i128 = 1_000_000_000;

/// An amount, and how it is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Quantity {
    nanos: i128,
    format: Format,
}

/// Which suffixes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Format {
    /// `k`, `M`; `m`, `u`.
    #[default]
    Decimal,
    /// `Ki`, `Mi`.
    Binary,
    /// `e3`.
    Exponent,
}

impl Quantity {
    /// Reads an amount; zero if it is missing or none.
    pub(super) fn of(field: Field<'_>) -> Self {
        Self::read(&field.shown()).unwrap_or_default()
    }

    /// One.
    pub(super) fn one() -> Self {
        Self {
            nanos: NANO,
            format: Format::Decimal,
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (sign, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let end = unsigned
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let places = u32::try_from(fraction.len()).ok()?;
        let (factor, format) = multiplier(suffix)?;
        let scaled = digits.checked_mul(factor)?;
        // Rounded away from zero, as an amount that is too small to be told is.
        let divisor = 10_i128.checked_pow(places)?;
        let nanos = scaled.checked_add(divisor - 1)? / divisor;
        Some(Self {
            nanos: sign * nanos,
            format,
        })
    }

    /// Adds another amount; the sum is printed as the first one that is not zero.
    pub(super) fn add(&mut self, other: Self) {
        if self.nanos == 0 {
            self.format = other.format;
        }
        self.nanos = self.nanos.saturating_add(other.nanos);
    }

    /// In whole units, rounded up.
    pub(super) fn whole(self) -> i64 {
        self.scaled(NANO)
    }

    /// In thousandths, rounded up.
    pub(super) fn milli(self) -> i64 {
        self.scaled(NANO / 1000)
    }

    fn scaled(self, unit: i128) -> i64 {
        let rounded = self.nanos.div_euclid(unit) + i128::from(self.nanos.rem_euclid(unit) != 0);
        i64::try_from(rounded).unwrap_or(i64::MAX)
    }

    /// More than nothing.
    pub(super) fn is_positive(self) -> bool {
        self.nanos > 0
    }

    /// Nothing.
    pub(super) fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// The same amount, printed as `other` is. Rounded up to a whole if that is another way.
    pub(super) fn printed_as(self, other: Self) -> Self {
        if self.format == other.format {
            return self;
        }
        Self {
            nanos: i128::from(self.whole()) * NANO,
            format: other.format,
        }
    }

    /// Compares amounts, however they are printed.
    pub(super) fn compare(self, other: Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        let whole = self.nanos % NANO == 0;
        let format = match self.format {
            // Small ones and fractions are clearer without.
            Format::Binary if !whole || self.nanos.abs() < 1024 * NANO => Format::Decimal,
            format => format,
        };
        if format == Format::Binary {
            let (mut number, mut power) = (self.nanos / NANO, 0);
            while number % 1024 == 0 && power < 6 {
                (number, power) = (number / 1024, power + 1);
            }
            return write!(
                f,
                "{number}{}",
                ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][power]
            );
        }
        let (mut number, mut power) = (self.nanos, 0);
        while number % 1000 == 0 && power < 9 {
            (number, power) = (number / 1000, power + 1);
        }
        match (format, power) {
            (Format::Exponent, 3) => write!(f, "{number}"),
            (Format::Exponent, _) => write!(
                f,
                "{number}e{}",
                (i64::try_from(power).unwrap_or(0) - 3) * 3
            ),
            _ => write!(
                f,
                "{number}{}",
                ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"][power]
            ),
        }
    }
}

/// How many billionths a suffix stands for.
fn multiplier(suffix: &str) -> Option<(i128, Format)> {
    let decimal = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
    let binary = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let power = |at: usize| u32::try_from(at).ok();
    if let Some(at) = decimal.iter().position(|known| *known == suffix) {
        return Some((1000_i128.pow(power(at)?), Format::Decimal));
    }
    if let Some(at) = binary.iter().position(|known| *known == suffix) {
        return Some((NANO * 1024_i128.pow(power(at)? + 1), Format::Binary));
    }
    let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    let exponent = u32::try_from(exponent.checked_add(9)?).ok()?;
    Some((10_i128.checked_pow(exponent)?, Format::Exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Quantity {
        Quantity::read(text).unwrap()
    }

    #[test]
    fn amounts_print_as_kubernetes_prints_them() {
        for (text, want) in [
            ("0", "0"),
            ("100m", "100m"),
            ("1500m", "1500m"),
            ("2000m", "2"),
            ("0.5", "500m"),
            ("1000", "1k"),
            ("1024Mi", "1Gi"),
            ("1500Mi", "1500Mi"),
            ("512Ki", "512Ki"),
            ("1.5Gi", "1536Mi"),
            ("1000Ki", "1000Ki"),
            ("0.5Ki", "512"),
            ("1e3", "1e3"),
            ("12e6", "12e6"),
            ("-1", "-1"),
            ("10", "10"),
            ("123456789", "123456789"),
            ("3Ei", "3Ei"),
        ] {
            assert_eq!(read(text).to_string(), want, "{text}");
        }
        assert_eq!(Quantity::read("1x"), None);
        assert_eq!(Quantity::read("1e2147483647"), None);
        assert_eq!(Quantity::read(""), None);
        assert_eq!(
            Quantity::read("99999999999999999999999999999999999999999"),
            None
        );
    }

    #[test]
    fn sums_keep_the_first_form_that_is_not_zero() {
        let mut sum = Quantity::default();
        sum.add(read("64Mi"));
        sum.add(read("1G"));
        assert_eq!(sum.to_string(), "1067108864");
        let mut cpu = read("50m");
        cpu.add(read("950m"));
        assert_eq!(
            (cpu.to_string(), cpu.milli(), read("1m").whole()),
            ("1".into(), 1000, 1)
        );
        assert_eq!(read("1Gi").compare(read("1G")), Ordering::Greater);
        assert_eq!(read("2").printed_as(read("1Gi")).to_string(), "2");
    }
}
