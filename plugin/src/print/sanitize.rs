//! The one place where text from a cluster becomes fit for a terminal.
//!
//! What a cluster says is written by whoever can name an object in it. A terminal obeys control characters;
//! bidirectional controls make a line read as what it is not. kubectl neutralises ESC and CR only (CVE-2021-25743);
//! here every control character is, in a form that shows what it was. For text without them (all that Kubernetes itself
//! writes) the result is kubectl's, byte for byte; `\t` is kept in cells as kubectl keeps it.

use std::borrow::Cow;

/// One line of text: no control character is left, not even a line break. Tabs stay.
pub fn line(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_hostile) {
        let mut safe = String::with_capacity(text.len() + 8);
        text.chars().for_each(|c| push(&mut safe, c));
        Cow::Owned(safe)
    } else {
        Cow::Borrowed(text)
    }
}

/// Text of several lines: as [`line()`], and line breaks stay.
pub fn text(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c != '\n' && is_hostile(c)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split('\n').map(line).collect::<Vec<_>>().join("\n"))
}

/// One word, for messages: as [`line()`], and tabs are shown too.
pub fn word(text: &str) -> Cow<'_, str> {
    match line(text) {
        safe if safe.contains('\t') => Cow::Owned(safe.replace('\t', "^I")),
        safe => safe,
    }
}

/// A table's cell, as kubectl prints it: up to the first line break, then `...`.
pub fn cell(text: &str) -> Cow<'_, str> {
    match text.find(['\u{c}', '\n', '\r']) {
        Some(end) => Cow::Owned(line(&text[..end]).into_owned() + "..."),
        None => line(text),
    }
}

/// Whether a terminal may act on the character instead of showing it: C0 but the tab, DEL, C1, and the bidirectional
/// controls of Unicode (UAX #9), and the line and paragraph separators.
pub fn is_hostile(c: char) -> bool {
    (c < ' ' && c != '\t') || is_covert(c)
}

/// The hostile characters above ASCII's controls: DEL, C1, separators, bidirectional controls. JSON and YAML writers
/// leave these raw, because their formats allow it.
pub fn is_covert(c: char) -> bool {
    matches!(
        c,
        '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
    )
}

fn push(out: &mut String, c: char) {
    match c {
        // kubectl's own form.
        '\r' => out.push_str("\\r"),
        '\t' => out.push('\t'),
        // ESC becomes kubectl's `^[`, the others their caret form likewise.
        '\0'..='\u{1f}' => {
            out.push('^');
            out.push(char::from(c as u8 + b'@'));
        }
        '\u{7f}' => out.push_str("^?"),
        c if is_covert(c) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn kubectl_s_own_forms_are_kept() {
        assert_eq!(line("a\x1b[31mred"), "a^[[31mred");
        assert_eq!(line("a\rb"), "a\\rb");
        assert_eq!(cell("first\nsecond"), "first...");
        assert_eq!(cell("first\rsecond"), "first...");
    }

    #[test]
    fn every_other_control_is_shown() {
        assert_eq!(line("\0\x07\x7f\u{9b}\u{202e}"), "^@^G^?\\u009b\\u202e");
        assert_eq!(line("a\nb"), "a^Jb");
        assert_eq!(word("a\tb"), "a^Ib");
        assert_eq!(text("a\n\x1b\tb\n"), "a\n^[\tb\n");
    }

    #[test]
    fn no_class_of_hostile_characters_is_forgotten() {
        // The ends of each range: C0 around the tab, DEL and C1, marks, separators and embeddings, isolates.
        for c in "\0\u{8}\n\u{1f}\u{7f}\u{80}\u{85}\u{9f}\u{61c}\u{200e}\u{200f}\u{2028}\u{202a}\u{202e}\u{2066}\u{2069}".chars() {
            assert!(is_hostile(c), "U+{:04X}", u32::from(c));
        }
        for c in "\t ~\u{a0}\u{200d}\u{202f}é漢😀".chars() {
            assert!(!is_hostile(c), "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn harmless_text_is_untouched() {
        let text = "pod/ü 漢字 😀 \\r";
        assert!(matches!(line(text), Cow::Borrowed(same) if same == text));
    }

    proptest! {
        #[test]
        fn nothing_hostile_is_left(text in any::<String>()) {
            prop_assert!(!line(&text).chars().any(is_hostile));
            prop_assert!(!cell(&text).chars().any(is_hostile));
            prop_assert!(!word(&text).contains('\t'));
        }
    }
}
