//! Colours of a log's lines, as far as they are harmless.
//!
//! Many programs colour their logs. Of all that a terminal obeys, one form may pass: `ESC [ numbers m` (SGR), and of
//! its numbers those that colour or stress letters. None of them moves the cursor, none outlives its line (each line
//! ends with a reset), and none hides text: not concealed (8), no background, no black, white or grey letters, no
//! palette of the terminal's owner. Everything else is shown as [`super::sanitize`] shows it.

use super::sanitize;

/// The longest sequence that is read, in bytes.
const LONGEST: usize = 32;

/// A line for a terminal that shows colours.
pub fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut coloured = false;
    while let Some(at) = rest.find('\x1b') {
        let (before, sequence) = rest.split_at(at);
        out.push_str(&sanitize::line(before));
        match read(sequence) {
            Some((numbers, length)) => {
                let kept = kept(numbers);
                if !kept.is_empty() {
                    out.push_str(&format!("\x1b[{}m", kept.join(";")));
                    coloured = true;
                }
                rest = sequence.get(length..).unwrap_or_default();
            }
            None => {
                out.push_str(&sanitize::line("\x1b"));
                rest = sequence.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(&sanitize::line(rest));
    if coloured {
        out.push_str("\x1b[0m");
    }
    out
}

/// The numbers of a sequence that begins here, and its length.
fn read(text: &str) -> Option<(&str, usize)> {
    let body = text.strip_prefix("\x1b[")?;
    let end = body.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    let is_sgr = body.get(end..)?.starts_with('m') && end <= LONGEST;
    is_sgr.then(|| (body.get(..end).unwrap_or_default(), end + 3))
}

/// The numbers that may pass.
fn kept(numbers: &str) -> Vec<&str> {
    let mut kept = Vec::new();
    let mut numbers = numbers.split(';');
    while let Some(number) = numbers.next() {
        match number {
            "" | "0" => kept.push("0"),
            "1" | "2" | "3" | "4" | "22" | "23" | "24" | "39" => kept.push(number),
            "31" | "32" | "33" | "34" | "35" | "36" => kept.push(number),
            "91" | "92" | "93" | "94" | "95" | "96" => kept.push(number),
            // What belongs to a colour of a palette goes with it.
            "38" | "48" | "58" => {
                let more = match numbers.next() {
                    Some("5") => 1,
                    Some("2") => 3,
                    _ => 0,
                };
                numbers.by_ref().take(more).for_each(drop);
            }
            _ => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn colours_pass_and_end_with_their_line() {
        for (text, want) in [
            ("plain", "plain"),
            ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m\x1b[0m"),
            ("\x1b[1;32mok", "\x1b[1;32mok\x1b[0m"),
            ("\x1b[mreset", "\x1b[0mreset\x1b[0m"),
            ("\x1b[38;5;31;1mbold", "\x1b[1mbold\x1b[0m"),
            ("\x1b[38;2;1;2;31;4mline", "\x1b[4mline\x1b[0m"),
        ] {
            assert_eq!(line(text), want);
        }
    }

    #[test]
    fn what_hides_or_obeys_does_not() {
        for (text, want) in [
            ("\x1b[8msecret", "secret"),
            ("\x1b[30;40mblack", "black"),
            ("\x1b[2Jclear", "^[[2Jclear"),
            ("\x1b]0;title\x07", "^[]0;title^G"),
            ("\x1b[31", "^[[31"),
            ("\x1b[?25l", "^[[?25l"),
            ("\u{9b}31m", "\\u009b31m"),
        ] {
            assert_eq!(line(text), want);
        }
    }

    proptest! {
        #[test]
        fn nothing_is_left_but_what_may_pass(text in "(\x1b|\\[|[0-9;]|m|[a-z]|\u{202e}|\u{9b}|\r){0,60}") {
            let shown = line(&text);
            let allowed = regex::Regex::new("\x1b\\[([0-4]|2[2-4]|39|[39][1-6])(;([0-4]|2[2-4]|39|[39][1-6]))*m").unwrap();
            let bare = allowed.replace_all(&shown, "");
            prop_assert!(!bare.chars().any(sanitize::is_hostile), "{:?}", shown);
            prop_assert!(!shown.contains('\x1b') || shown.ends_with("\x1b[0m"), "{:?}", shown);
        }
    }
}
