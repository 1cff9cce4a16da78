//! How text is written: plain, in quotes, or as a literal block; and where long lines are folded.
//!
//! `stringv` of go-yaml's encoder (encode.go), and of its emitter (emitterc.go) `yaml_emitter_analyze_scalar`,
//! `yaml_emitter_select_scalar_style` and the writers of the four styles.

use super::{Audience, Emitter, INDENT, resolve};
use crate::print::sanitize;

/// A line longer than this is folded at its next space.
const BEST_WIDTH: usize = 80;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

/// Text and what was found in it.
pub(super) struct Scalar<'a> {
    pub(super) text: &'a str,
    audience: Audience,
    line_breaks: bool,
    plain_allowed: bool,
    single_quotes_allowed: bool,
    block_allowed: bool,
}

impl<'a> Scalar<'a> {
    pub(super) fn of(text: &'a str, audience: Audience) -> Self {
        let mut found = Found::default();
        let mut before = ' ';
        for (at, c) in text.char_indices() {
            let after = text[at + c.len_utf8()..].chars().next();
            found.indicators |= is_indicator(c, at == 0, before, after);
            found.special |=
                !is_printable(c) || (audience == Audience::Terminal && sanitize::is_covert(c));
            found.breaks_and_spaces(c, before, at == 0, after.is_none());
            before = c;
        }
        found.indicators |= text.starts_with("---") || text.starts_with("...");
        found.into_scalar(text, audience)
    }

    pub(super) fn has_breaks(&self) -> bool {
        self.line_breaks
    }

    /// The style in which text is written, as a key or elsewhere.
    pub(super) fn style(&self, simple_key: bool) -> Style {
        if self.text.contains('\n') {
            return if self.block_allowed && !simple_key {
                Style::Literal
            } else {
                Style::DoubleQuoted
            };
        }
        if !resolve::is_text(self.text) {
            return Style::DoubleQuoted;
        }
        match (self.plain_allowed, self.single_quotes_allowed) {
            (true, _) => Style::Plain,
            (false, true) => Style::SingleQuoted,
            (false, false) => Style::DoubleQuoted,
        }
    }
}

#[derive(Default)]
struct Found {
    indicators: bool,
    special: bool,
    line_breaks: bool,
    /// A space or a break at either end.
    blank_ends: bool,
    trailing_space: bool,
    break_space: bool,
    space_break: bool,
}

impl Found {
    fn breaks_and_spaces(&mut self, c: char, before: char, first: bool, last: bool) {
        if c == ' ' {
            self.blank_ends |= first || last;
            self.trailing_space |= last;
            self.break_space |= !first && is_break(before);
        } else if is_break(c) {
            self.line_breaks = true;
            self.blank_ends |= first || last;
            self.space_break |= !first && before == ' ';
        }
    }

    fn into_scalar(self, text: &str, audience: Audience) -> Scalar<'_> {
        let unquotable = self.space_break || self.special;
        Scalar {
            text,
            audience,
            line_breaks: self.line_breaks,
            plain_allowed: !(self.blank_ends
                || self.break_space
                || unquotable
                || self.line_breaks
                || self.indicators),
            single_quotes_allowed: !(self.break_space || unquotable),
            block_allowed: !(text.is_empty() || self.trailing_space || unquotable),
        }
    }
}

/// A character that would mean something in plain text of a block.
fn is_indicator(c: char, first: bool, before: char, after: Option<char>) -> bool {
    let blank_after = matches!(after, None | Some(' ' | '\t'));
    match c {
        '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
        | '@' | '`'
            if first =>
        {
            true
        }
        '?' | '-' if first => blank_after,
        ':' => blank_after,
        '#' => matches!(before, ' ' | '\t' | '\0') || is_break(before),
        _ => false,
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// libyaml's idea of it: nothing above U+FFFF, no tab.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{fffd}') && c != '\u{feff}'
}

impl Emitter {
    pub(super) fn plain(&mut self, text: &str, may_fold: bool) {
        if !self.whitespace {
            self.put(' ');
        }
        self.folding(text, may_fold, |emitter, c| emitter.put(c));
        self.whitespace = false;
        self.indention = false;
    }

    pub(super) fn single_quoted(&mut self, text: &str, may_fold: bool) {
        self.indicator("'", true, false);
        self.folding(text, may_fold, |emitter, c| {
            if c == '\'' {
                emitter.put('\'');
            }
            emitter.put(c);
        });
        self.indicator("'", false, false);
        self.whitespace = false;
        self.indention = false;
    }

    /// Text whose lines may be folded at a single space; a line break in it is written twice.
    fn folding(&mut self, text: &str, may_fold: bool, write: impl Fn(&mut Self, char)) {
        let (mut spaces, mut breaks) = (false, false);
        let mut rest = text.chars();
        let mut first = true;
        while let Some(c) = rest.next() {
            if c == ' ' {
                let single = !spaces && !first && rest.as_str().starts_with(|next| next != ' ');
                if may_fold && single && self.column > BEST_WIDTH {
                    self.start_line();
                } else {
                    self.put(' ');
                }
                spaces = true;
            } else if is_break(c) {
                if !breaks && c == '\n' {
                    self.line_break();
                }
                self.copy_break(c);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.start_line();
                }
                write(self, c);
                self.indention = false;
                (spaces, breaks) = (false, false);
            }
            first = false;
        }
    }

    pub(super) fn double_quoted(&mut self, scalar: &Scalar<'_>, may_fold: bool) {
        self.indicator("\"", true, false);
        // libyaml looks for the byte order mark at the start of the text, whichever character it is at.
        let all = scalar.text.starts_with('\u{feff}');
        let mut spaces = false;
        let mut first = true;
        let mut rest = scalar.text.chars();
        while let Some(c) = rest.next() {
            let covert = scalar.audience == Audience::Terminal && sanitize::is_covert(c);
            if all || covert || !is_printable(c) || is_break(c) || matches!(c, '"' | '\\') {
                self.escape(c);
                spaces = false;
            } else if c == ' ' {
                if may_fold
                    && !spaces
                    && !first
                    && self.column > BEST_WIDTH
                    && !rest.as_str().is_empty()
                {
                    self.start_line();
                    if rest.as_str().starts_with(' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(' ');
                }
                spaces = true;
            } else {
                self.put(c);
                spaces = false;
            }
            first = false;
        }
        self.indicator("\"", false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn escape(&mut self, c: char) {
        let short = match c {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let code = u32::from(c);
                let text = match code {
                    0..=0xff => format!("\\x{code:02X}"),
                    0x100..=0xffff => format!("\\u{code:04X}"),
                    _ => format!("\\U{code:08X}"),
                };
                text.chars().for_each(|c| self.put(c));
                return;
            }
        };
        self.put('\\');
        self.put(short);
    }

    /// `|`, and hints: the indentation if the first character hides it, `-` for no break at the end, `+` for several.
    pub(super) fn literal(&mut self, text: &str) {
        self.indicator("|", true, false);
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.indicator(&INDENT.to_string(), false, false);
        }
        let mut from_end = text.chars().rev();
        let ends_with_break = from_end.next().is_some_and(is_break);
        if !ends_with_break {
            self.indicator("-", false, false);
        } else if from_end.next().is_none_or(is_break) {
            self.indicator("+", false, false);
        }
        self.line_break();
        self.indention = true;
        self.whitespace = true;
        let mut breaks = true;
        for c in text.chars() {
            if is_break(c) {
                self.copy_break(c);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.start_line();
                }
                self.put(c);
                self.indention = false;
                breaks = false;
            }
        }
    }

    fn copy_break(&mut self, c: char) {
        self.out.push(c);
        self.column = 0;
    }
}
