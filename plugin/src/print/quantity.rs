//! Quantities as Kubernetes reads them, only as far as comparing them goes: `1Gi`, `250m`, `2e3`.
//!
//! A port of `ParseQuantity` of `k8s.io/apimachinery/pkg/api/resource` (quantity.go), which takes more for a quantity
//! than one would think (`k` and `-` are 0): sorting by a field depends on it.

use std::cmp::Ordering;

/// A number: `0.DIGITS` times ten to the power of the exponent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantity {
    negative: bool,
    /// Without zeros at either end; empty for 0.
    digits: Vec<u8>,
    exponent: i64,
}

/// What is finer is rounded up.
const NANO: i64 = -9;
/// The most that a quantity with a binary suffix can be.
const MOST: u64 = i64::MAX as u64;

impl Quantity {
    /// Reads it; none if it is no quantity.
    pub fn parse(text: &str) -> Option<Self> {
        let parts = Parts::of(text)?;
        let (binary, exponent) = suffix(parts.suffix)?;
        let scale = i64::from(exponent) - parts.fraction.len() as i64;
        let fast = match binary {
            true => {
                parts.fraction.is_empty()
                    && 15 - parts.whole.len() as i64 - i64::from(exponent) * 3 / 10 > 0
            }
            false => parts.whole.len().max(1) + parts.fraction.len() <= 18 && scale >= NANO,
        };
        if !fast && !parts.value.bytes().any(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mut digits: Vec<u8> = parts
            .whole
            .bytes()
            .chain(parts.fraction.bytes())
            .map(|byte| byte - b'0')
            .collect();
        let mut quantity = if binary {
            times_power_of_two(&mut digits, exponent);
            Self::of(parts.negative, digits, -(parts.fraction.len() as i64))
        } else {
            Self::of(parts.negative, digits, scale)
        };
        quantity.round_up();
        if binary {
            let most = MOST.to_string().bytes().map(|byte| byte - b'0').collect();
            let most = Self::of(false, most, 0);
            if quantity.magnitude(&most) == Ordering::Greater {
                quantity = Self {
                    negative: quantity.negative,
                    ..most
                };
            }
        }
        Some(quantity)
    }

    /// Digits before the point, times ten to the power of `scale`.
    fn of(negative: bool, digits: Vec<u8>, scale: i64) -> Self {
        let leading = digits.iter().take_while(|digit| **digit == 0).count();
        let trailing = digits.iter().rev().take_while(|digit| **digit == 0).count();
        let exponent = digits.len() as i64 - leading as i64 + scale;
        let digits = digits
            .get(leading..digits.len() - trailing)
            .unwrap_or_default()
            .to_vec();
        let zero = digits.is_empty();
        Self {
            negative: negative && !zero,
            digits,
            exponent: if zero { 0 } else { exponent },
        }
    }

    fn round_up(&mut self) {
        let kept = self.exponent - NANO;
        if self.digits.is_empty() || kept >= self.digits.len() as i64 {
            return;
        }
        let mut digits = self.digits[..usize::try_from(kept).unwrap_or(0)].to_vec();
        let mut carry = true;
        for digit in digits.iter_mut().rev() {
            if carry {
                carry = *digit == 9;
                *digit = if carry { 0 } else { *digit + 1 };
            }
        }
        if carry {
            digits.insert(0, 1);
        }
        *self = Self::of(self.negative, digits, NANO);
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (false, false) => self
                .exponent
                .cmp(&other.exponent)
                .then_with(|| self.digits.cmp(&other.digits)),
            (one, another) => another.cmp(&one),
        }
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
            (one, another) => another.cmp(&one),
        }
    }
}

struct Parts<'a> {
    negative: bool,
    /// All before the suffix.
    value: &'a str,
    /// Without leading zeros.
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
}

impl<'a> Parts<'a> {
    /// `parseQuantityString`.
    fn of(text: &'a str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let rest = unsigned.trim_start_matches('0');
        let (whole, rest) = split(rest, |byte| byte.is_ascii_digit());
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(rest) => split(rest, |byte| byte.is_ascii_digit()),
            None => ("", rest),
        };
        let (_, exponent) = split(suffix, |byte| b"eEinumkKMGTP".contains(&byte));
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        exponent
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(Self {
                negative: text.starts_with('-'),
                value: &text[..text.len() - suffix.len()],
                whole,
                fraction,
                suffix,
            })
    }
}

fn split(text: &str, inside: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text
        .bytes()
        .position(|byte| !inside(byte))
        .unwrap_or(text.len());
    // What is before is ASCII.
    text.split_at(end)
}

/// Whether a power of two is meant, else of ten; and which.
fn suffix(word: &str) -> Option<(bool, i32)> {
    let decimal = |exponent| Some((false, exponent));
    match word {
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => Some((true, 10)),
        "Mi" => Some((true, 20)),
        "Gi" => Some((true, 30)),
        "Ti" => Some((true, 40)),
        "Pi" => Some((true, 50)),
        "Ei" => Some((true, 60)),
        _ => {
            let exponent: i64 = word.strip_prefix(['e', 'E'])?.parse().ok()?;
            // Go cuts it off.
            decimal(exponent as i32)
        }
    }
}

fn times_power_of_two(digits: &mut Vec<u8>, exponent: i32) {
    let factor = 1_u128 << exponent;
    let mut carry = 0;
    for digit in digits.iter_mut().rev() {
        let product = u128::from(*digit) * factor + carry;
        *digit = (product % 10) as u8;
        carry = product / 10;
    }
    while carry > 0 {
        digits.insert(0, (carry % 10) as u8);
        carry /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn in_order() {
        let order = [
            "-1Ei", "-5", "-0.5", "-1n", "0", "1n", "1u", "1m", "250m", "0.5", "1", "1.5", "2",
            "10", "1k", "1Ki", "1e4", "1M", "1Mi", "1.5Mi", "1G", "1Gi", "1e10", "1T", "1Ti", "1P",
            "1Pi", "1E", "1Ei", "10E", "1e30",
        ];
        for (at, one) in order.iter().enumerate() {
            for (other_at, other) in order.iter().enumerate() {
                let (one, other) = (
                    Quantity::parse(one).unwrap(),
                    Quantity::parse(other).unwrap(),
                );
                assert_eq!(one.cmp(&other), at.cmp(&other_at), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn the_same_in_other_words() {
        for (one, other) in [
            ("1000m", "1"),
            ("1024Ki", "1Mi"),
            ("1e3", "1k"),
            ("01.50", "1.5"),
            ("-0", "0"),
            ("+3", "3"),
            ("k", "0"),
            ("-", "0"),
            (".", "0"),
            ("e5", "0"),
            ("100Ei", "9Ei"),
            ("1.1n", "2n"),
            ("0.0000000001", "1n"),
            ("0.5Mi", "512Ki"),
            ("9999999999.99999999999", "10000000000"),
        ] {
            assert_eq!(
                Quantity::parse(one),
                Quantity::parse(other),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "web",
            "1.2.3",
            "2026-11-25T00:00:00Z",
            "1kk",
            "M1",
            "Ei",
            "1Ki2",
            "é",
            "0x1",
            "1 ",
            "10Kib",
        ] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not(text in "[-+0-9.eEinumkKMGTP é]{0,20}") {
            if let Some(quantity) = Quantity::parse(&text) {
                prop_assert_eq!(quantity.cmp(&quantity), Ordering::Equal);
            }
        }
    }
}
