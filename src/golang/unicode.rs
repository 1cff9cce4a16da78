//! Classes of characters as Go's `unicode` has them: general categories, which Rust's own methods are not.

use regex::Regex;
use std::sync::LazyLock;

static LETTER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\p{L}").ok());
static DIGIT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\p{Nd}").ok());
static PRINTABLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[\p{L}\p{M}\p{N}\p{P}\p{S}]").ok());

/// `unicode.IsLetter`.
pub fn is_letter(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphabetic()
    } else {
        matches(&LETTER, c)
    }
}

/// `unicode.IsDigit`.
pub fn is_digit(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_digit()
    } else {
        matches(&DIGIT, c)
    }
}

/// `unicode.IsPrint`: of all that is blank only the space.
pub fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        matches!(c, ' '..='~')
    } else {
        matches(&PRINTABLE, c)
    }
}

fn matches(class: &Option<Regex>, c: char) -> bool {
    class
        .as_ref()
        .is_some_and(|class| class.is_match(c.encode_utf8(&mut [0; 4])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn general_categories() {
        assert!(is_letter('é') && is_letter('漢') && !is_letter('Ⅷ') && !is_letter('_'));
        assert!(is_digit('٣') && is_digit('7') && !is_digit('²'));
        assert!(is_printable('é') && is_printable(' ') && is_printable('😀'));
        for c in "\u{7f}\u{a0}\u{202e}\u{200b}\t".chars() {
            assert!(!is_printable(c), "{c:?}");
        }
    }
}
