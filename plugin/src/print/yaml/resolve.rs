//! Whether a plain word would be read back as something else than itself.
//!
//! YAML 1.1 reads `yes`, `0x1f`, `1_000`, `12:30:45` and `2001-1-1` as other things than text, so such text has to be
//! quoted. This is `resolve` of `go.yaml.in/yaml/v2` (resolve.go), reduced to that one question, with the parts of Go's
//! `strconv` and `time` that it stands on.

/// Whether YAML 1.1, as go-yaml reads it, takes the plain word for text.
pub(super) fn is_text(word: &str) -> bool {
    let bytes = word.as_bytes();
    match bytes.first() {
        None => false,
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => {
            !is_keyword(word)
        }
        Some(b'.') => !is_keyword(word) && !is_dotted_float(word),
        Some(b'+' | b'-' | b'0'..=b'9') => {
            !is_keyword(word) && !is_timestamp(bytes) && !is_number(word) && !is_base_60(bytes)
        }
        Some(_) => true,
    }
}

fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "true"
            | "True"
            | "TRUE"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "false"
            | "False"
            | "FALSE"
            | "off"
            | "Off"
            | "OFF"
            | "~"
            | "null"
            | "Null"
            | "NULL"
            | ".nan"
            | ".NaN"
            | ".NAN"
            | ".inf"
            | ".Inf"
            | ".INF"
            | "+.inf"
            | "+.Inf"
            | "+.INF"
            | "-.inf"
            | "-.Inf"
            | "-.INF"
    )
}

/// `strconv.ParseFloat` of a word that begins with a point: digits with underscores between them, an exponent.
fn is_dotted_float(word: &str) -> bool {
    let mut cursor = Cursor(&word.as_bytes()[1..]);
    let fraction = cursor.0;
    cursor.digits_or_underscores();
    if !fraction[..fraction.len() - cursor.0.len()]
        .iter()
        .any(u8::is_ascii_digit)
    {
        return false;
    }
    if cursor.any(b"eE") {
        cursor.any(b"+-");
        if !cursor.0.first().is_some_and(u8::is_ascii_digit) {
            return false;
        }
        cursor.digits_or_underscores();
    }
    cursor.is_at_end() && underscores_are_between_digits(word) && is_finite(&word.replace('_', ""))
}

fn underscores_are_between_digits(word: &str) -> bool {
    let mut before = b'!';
    for byte in word.bytes() {
        if (byte == b'_' && !before.is_ascii_digit())
            || (before == b'_' && byte != b'_' && !byte.is_ascii_digit())
        {
            return false;
        }
        before = byte;
    }
    before != b'_'
}

/// An integer in any base of Go's, or a decimal float; underscores anywhere.
fn is_number(word: &str) -> bool {
    let word = word.replace('_', "");
    is_integer(&word)
        || (looks_like_float(word.as_bytes()) && is_finite(&word))
        || is_odd_binary(&word)
}

/// `strconv.ParseInt(s, 0, 64)` or `ParseUint(s, 0, 64)` succeeds.
fn is_integer(word: &str) -> bool {
    let (limit, digits) = match word.as_bytes().first() {
        Some(b'-') => (1 << 63, &word[1..]),
        Some(b'+') => ((1 << 63) - 1, &word[1..]),
        _ => (u64::MAX, word),
    };
    let (base, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &digits[2..]),
        [b'0'] => (10, digits),
        [b'0', ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    unsigned(digits, base).is_some_and(|value| value <= limit)
}

/// `0b-1` and `0b+1`: go-yaml reads what follows `0b` with its own sign.
fn is_odd_binary(word: &str) -> bool {
    let Some(rest) = word.strip_prefix("0b") else {
        return false;
    };
    match rest.as_bytes().first() {
        Some(b'-') => unsigned(&rest[1..], 2).is_some_and(|value| value <= 1 << 63),
        Some(b'+') => unsigned(&rest[1..], 2).is_some_and(|value| value < 1 << 63),
        _ => false,
    }
}

/// Digits only: Rust's own parser would take a sign.
fn unsigned(digits: &str, base: u32) -> Option<u64> {
    if digits.starts_with(['+', '-']) {
        return None;
    }
    u64::from_str_radix(digits, base).ok()
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn looks_like_float(word: &[u8]) -> bool {
    let mut cursor = Cursor(word);
    cursor.any(b"+-");
    let whole = cursor.digits();
    if cursor.any(b".") {
        let fraction = cursor.digits();
        if whole == 0 && fraction == 0 {
            return false;
        }
    } else if whole == 0 {
        return false;
    }
    if cursor.any(b"eE") {
        cursor.any(b"+-");
        if cursor.digits() == 0 {
            return false;
        }
    }
    cursor.is_at_end()
}

/// Go refuses what Rust rounds to infinity.
fn is_finite(word: &str) -> bool {
    word.parse::<f64>().is_ok_and(f64::is_finite)
}

/// `12:30:45`: `^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$`
fn is_base_60(word: &[u8]) -> bool {
    let mut cursor = Cursor(word);
    cursor.any(b"+-");
    if cursor.digits() == 0 {
        return false;
    }
    cursor.digits_or_underscores();
    let mut parts = 0;
    while cursor.any(b":") {
        if cursor.number(2).is_none_or(|part| part > 59) {
            return false;
        }
        parts += 1;
    }
    if cursor.any(b".") {
        cursor.digits_or_underscores();
    }
    parts > 0 && cursor.is_at_end()
}

/// `time.Parse` with one of the four forms that go-yaml allows.
pub(super) fn is_timestamp(word: &[u8]) -> bool {
    let year = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if year != 4 || word.get(4) != Some(&b'-') {
        return false;
    }
    let year = word[..4]
        .iter()
        .fold(0, |value, digit| value * 10 + i32::from(digit - b'0'));
    let mut cursor = Cursor(&word[5..]);
    let Some(month @ 1..=12) = cursor.number(2) else {
        return false;
    };
    if !cursor.any(b"-") {
        return false;
    }
    let Some(day) = cursor.number(2) else {
        return false;
    };
    if day < 1 || day > days_in(month, year) {
        return false;
    }
    if cursor.is_at_end() {
        return true;
    }
    let zoned = cursor.any(b"Tt");
    // Go's layout takes any number of spaces for one.
    let spaced = !zoned && cursor.any(b" ");
    while spaced && cursor.any(b" ") {}
    (zoned || spaced)
        && is_time(&mut cursor)
        && (!zoned || is_zone(&mut cursor))
        && cursor.is_at_end()
}

fn is_time(cursor: &mut Cursor<'_>) -> bool {
    let hour = cursor.number(2).is_some_and(|hour| hour < 24) && cursor.any(b":");
    let minute = hour && cursor.number(2).is_some_and(|minute| minute < 60) && cursor.any(b":");
    if !minute || cursor.number(2).is_none_or(|second| second > 59) {
        return false;
    }
    if let [b'.' | b',', b'0'..=b'9', ..] = cursor.0 {
        cursor.0 = &cursor.0[1..];
        cursor.digits();
    }
    true
}

fn is_zone(cursor: &mut Cursor<'_>) -> bool {
    if cursor.any(b"Z") {
        return true;
    }
    if !cursor.any(b"+-") {
        return false;
    }
    let [h1, h2, b':', m1, m2, ..] = *cursor.0 else {
        return false;
    };
    cursor.0 = &cursor.0[5..];
    let number = |tens: u8, ones: u8| {
        (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| (tens - b'0') * 10 + ones - b'0')
    };
    // Go allows 24 hours and 60 minutes of offset.
    number(h1, h2).is_some_and(|hours| hours <= 24)
        && number(m1, m2).is_some_and(|minutes| minutes <= 60)
}

fn days_in(month: u32, year: i32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// What is left to read.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    /// Steps over one of these bytes.
    fn any(&mut self, bytes: &[u8]) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if bytes.contains(first) => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// Steps over digits; how many.
    fn digits(&mut self) -> usize {
        self.skip(|byte| byte.is_ascii_digit())
    }

    fn digits_or_underscores(&mut self) {
        self.skip(|byte| byte.is_ascii_digit() || byte == b'_');
    }

    fn skip(&mut self, matches: impl Fn(u8) -> bool) -> usize {
        let count = self.0.iter().take_while(|byte| matches(**byte)).count();
        self.0 = &self.0[count..];
        count
    }

    /// Reads a number of one digit to `most` digits.
    fn number(&mut self, most: usize) -> Option<u32> {
        let count = self
            .0
            .iter()
            .take(most)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        (count > 0).then(|| {
            digits
                .iter()
                .fold(0, |value, digit| value * 10 + u32::from(digit - b'0'))
        })
    }

    fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_yaml_1_1_reads_as_something_else() {
        for word in [
            "",
            "~",
            "null",
            "yes",
            "On",
            "n",
            "NO",
            ".inf",
            "-.INF",
            ".5",
            ".5e3",
            "1_000",
            "0x1F",
            "0o17",
            "017",
            "08",
            "0b101",
            "0b-1",
            "+1",
            "1e3",
            "1.",
            "12:30:45",
            "-1:20.5",
            "2001-1-1",
            "2001-12-14t21:59:43.10-05:00",
            "2001-12-14 21:59:43.10",
            "2001-12-14   1:2:3",
            "18446744073709551615",
        ] {
            assert!(!is_text(word), "{word}");
        }
    }

    #[test]
    fn what_stays_text() {
        for word in [
            "<<",
            "yEs",
            "nulL",
            "1.2.3",
            "0x",
            "0xFFFFFFFFFFFFFFFFFF",
            "1e999",
            "12:60",
            "2001-2-30",
            "2001-13-1",
            "2001-12-14t21:59:43",
            "1.5Gi",
            "10m",
            "-",
            "+",
            ".",
            "._5",
            "1:2:",
            "--1",
            "0b2",
            "=",
        ] {
            assert!(is_text(word), "{word}");
        }
    }
}
