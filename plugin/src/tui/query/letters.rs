//! Letters in a text, upper and lower case alike, and no text made for that: a filter asks a hundred thousand lines.

use memchr::{memchr2, memchr2_iter};

/// Whether a word is in a text. Only the capitals of ASCII are letters alike.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    let Some(first) = word.first() else {
        return true;
    };
    let mut begins = memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), text);
    begins.any(|at| {
        let there = text.get(at..at + word.len());
        there.is_some_and(|there| there.eq_ignore_ascii_case(word))
    })
}

/// Whether these letters, which are small, are found one after the other, whatever is between them.
pub(super) fn has_letters(text: &str, letters: &str) -> bool {
    let mut rest = text;
    letters.chars().all(|letter| {
        let behind = behind(rest, letter);
        rest = behind.unwrap_or_default();
        behind.is_some()
    })
}

/// What is behind the first of such letters.
fn behind(text: &str, letter: char) -> Option<&str> {
    if let Ok(small) = u8::try_from(letter)
        && small.is_ascii()
    {
        let at = memchr2(small, small.to_ascii_uppercase(), text.as_bytes())?;
        return text.get(at + 1..);
    }
    let is_one = |(_, c): &(usize, char)| *c == letter || c.to_lowercase().eq([letter]);
    let (at, found) = text.char_indices().find(is_one)?;
    text.get(at + found.len_utf8()..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn capitals_are_letters_too() {
        assert!(
            has_word("CrashLoopBackOff", "loopb") && has_word("web", "") && has_word("xaab", "aab")
        );
        assert!(!has_word("web", "webs") && !has_word("", "w"));
        assert!(has_letters("Über-Web", "übw") && !has_letters("Web", "bw"));
    }

    proptest! {
        #[test]
        fn they_are_found_as_in_small_letters(text in "[abAB ]{0,12}", sought in "[ab ]{0,3}") {
            let small = text.to_lowercase();
            prop_assert_eq!(has_word(&text, &sought), small.contains(&sought));
            let mut rest = small.chars();
            prop_assert_eq!(has_letters(&text, &sought), sought.chars().all(|letter| rest.any(|c| c == letter)));
        }
    }
}
