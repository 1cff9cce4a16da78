//! Kubernetes' quantities: `250m`, `1.5`, `1Gi`, `3e3` (`k8s.io/apimachinery/pkg/api/resource`, quantity.go).

/// A quantity, exact to the nano as Kubernetes' own are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity {
    nano: i128,
}

/// The suffixes, and how many nanos one of each is.
const SUFFIXES: [(&str, i128); 17] = [
    ("Ki", NANO << 10),
    ("Mi", NANO << 20),
    ("Gi", NANO << 30),
    ("Ti", NANO << 40),
    ("Pi", NANO << 50),
    ("Ei", NANO << 60),
    ("n", 1),
    ("u", 1_000),
    ("m", 1_000_000),
    ("k", NANO * 1_000),
    ("K", NANO * 1_000),
    ("M", NANO * 1_000_000),
    ("G", NANO * 1_000_000_000),
    ("T", NANO * 1_000_000_000_000),
    ("P", NANO * 1_000_000_000_000_000),
    ("E", NANO * 1_000_000_000_000_000_000),
    ("%", NANO),
];
const NANO: i128 = 1_000_000_000;
/// More digits than that are no quantity of anything, and would not fit.
const DIGITS: usize = 18;

impl Quantity {
    /// Reads a quantity, or a percentage as the number that it shows.
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, rest) = match text.as_bytes().first()? {
            b'-' => (-1, &text[1..]),
            b'+' => (1, &text[1..]),
            _ => (1, text),
        };
        let end = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_digit() || *byte == b'.')
            .count();
        let (number, suffix) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = whole.len() + fraction.len();
        if digits == 0 || digits > DIGITS || fraction.contains('.') {
            return None;
        }
        let both = whole.bytes().chain(fraction.bytes());
        let digits = both.fold(0_i64, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        let nano = i128::from(digits).checked_mul(unit(suffix)?)?;
        // Of whole numbers, a column may have many, and to divide this is slow.
        let nano = match fraction.len() {
            0 => nano,
            places => nano / 10_i128.pow(u32::try_from(places).ok()?),
        };
        Some(Self { nano: sign * nano })
    }

    /// In thousandths, the next whole one; none are less than zero.
    pub fn thousandths(self) -> u64 {
        self.rounded_up(NANO / 1000)
    }

    /// In ones, the next whole one; none are less than zero.
    pub fn ones(self) -> u64 {
        self.rounded_up(NANO)
    }

    fn rounded_up(self, unit: i128) -> u64 {
        let nano = u128::try_from(self.nano).unwrap_or_default();
        let units = nano.div_ceil(unit.unsigned_abs());
        u64::try_from(units).unwrap_or(u64::MAX)
    }

    /// A number that is greater only if the quantity is.
    pub fn head(self) -> u64 {
        let bits = (self.nano as f64).to_bits();
        match self.nano < 0 {
            true => !bits,
            false => bits | 1 << 63,
        }
    }

    /// The number, if it is a whole one that is not negative.
    pub fn whole(self) -> Option<u64> {
        (self.nano % NANO == 0).then(|| u64::try_from(self.nano / NANO).ok())?
    }
}

fn unit(suffix: &str) -> Option<i128> {
    if suffix.is_empty() {
        return Some(NANO);
    }
    let named = SUFFIXES.iter().find(|(known, _)| *known == suffix);
    if let Some((_, unit)) = named {
        return Some(*unit);
    }
    let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    let power = |exponent: i32| 10_i128.checked_pow(exponent.try_into().ok()?);
    match exponent {
        0..=18 => NANO.checked_mul(power(exponent)?),
        -9..0 => Some(NANO / power(-exponent)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nano(text: &str) -> Option<i128> {
        Quantity::parse(text).map(|quantity| quantity.nano)
    }

    #[test]
    fn as_kubernetes_reads_them() {
        for (text, want) in [
            ("0", 0),
            ("12", 12 * NANO),
            ("-3", -3 * NANO),
            ("+3", 3 * NANO),
            ("250m", 250_000_000),
            ("1.5", 1_500_000_000),
            (".5", 500_000_000),
            ("5.", 5 * NANO),
            ("1Gi", NANO << 30),
            ("1.5Ki", 1536 * NANO),
            ("2k", 2000 * NANO),
            ("1e3", 1000 * NANO),
            ("12E-3", 12_000_000),
            ("3E", 3 * 1_000_000_000_000_000_000 * NANO),
            ("45%", 45 * NANO),
            ("100n", 100),
        ] {
            assert_eq!(nano(text), Some(want), "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity() {
        for text in [
            "",
            "-",
            ".",
            "m",
            "1.2.3",
            "1x",
            "1 Gi",
            "2h",
            "1e",
            "1e99",
            "12345678901234567890",
            "é1",
            "1é",
        ] {
            assert_eq!(nano(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_used_is_rounded_up() {
        let read = |text: &str| Quantity::parse(text).unwrap();
        let thousandths =
            ["12345678n", "250m", "2", "0", "-1", "100E"].map(|it| read(it).thousandths());
        assert_eq!(thousandths, [13, 250, 2000, 0, 0, u64::MAX]);
        assert_eq!(
            ["1Ki", "1500m", "100E"].map(|it| read(it).ones()),
            [1024, 2, u64::MAX]
        );
    }

    #[test]
    fn whole_numbers_of_bytes() {
        let whole = |text: &str| Quantity::parse(text)?.whole();
        assert_eq!(whole("1Ki"), Some(1024));
        assert_eq!(whole("500m"), None);
        assert_eq!(whole("-1"), None);
        assert_eq!(whole("100E"), None, "more than fits");
    }
}
