//! The key map: one table for what keys do, for the hints at the screen's foot, and for the help.
//!
//! The keys are k9s's where k9s has one.

#[rustfmt::skip]
mod map;
#[cfg(test)]
mod readme;

pub use map::MAP;

use Chord::{Capitals, Char, Code, Ctrl, Digits, Shift, Word};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt;

/// Where keys mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// A table of objects.
    Table,
    /// Whatever has an object selected.
    Object,
    /// A text: a description, YAML, a difference.
    Text,
    /// Logs.
    Logs,
    /// The containers of a pod.
    Containers,
    /// The choice of clusters.
    Picker,
    /// What uses an object.
    Used,
    /// The clusters, one a line.
    Fleet,
    /// What is unwell.
    Faults,
    /// What a hub has.
    Hub,
    /// Whatever can be moved in.
    Moving,
    /// Everywhere but in a prompt.
    Everywhere,
    /// While something is typed.
    Prompt,
}

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the map has the words")]
pub enum Action {
    Open,
    Describe,
    Yaml,
    Logs,
    Events,
    Owner,
    UsedBy,
    Mark,
    Copy,
    Save,
    FaultsOnly,
    Wide,
    Group,
    Favourite,
    SortBy,
    SortLeft,
    SortRight,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Left,
    Right,
    Command,
    Filter,
    Earlier,
    Later,
    Previous,
    Help,
    Back,
    Close,
    Quit,
    Next,
    Before,
    Wrap,
    Follow,
    Stamps,
    Range,
    AllContainers,
    Choose,
    Accept,
    Complete,
    Clear,
    WordLeft,
    WordRight,
    DeleteBefore,
    DeleteAfter,
    DeleteWord,
    DeleteRest,
}

/// A key, or a family of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chord {
    /// A character; a capital is one that is typed with shift.
    Char(char),
    /// With ctrl.
    Ctrl(char),
    /// A key without a character.
    Code(KeyCode),
    /// With shift.
    Shift(KeyCode),
    /// With ctrl or alt, as shells have it for words.
    Word(KeyCode),
    /// Any digit from 0 to this one.
    Digits(char),
    /// Any capital but J, which is the owner's, and G, which goes to the end.
    Capitals,
}

/// One line of the map.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Where.
    pub context: Context,
    /// By which keys.
    pub keys: &'static [Chord],
    /// What they do.
    pub action: Action,
    /// What is said of it.
    pub words: &'static str,
    /// The word for the hints; empty for none.
    pub hint: &'static str,
}

/// What a key does in the first of these contexts that knows it.
pub fn action(contexts: &[Context], key: &KeyEvent) -> Option<Action> {
    let find = |context: &Context| {
        let mut its = MAP.iter().filter(|binding| binding.context == *context);
        its.find(|binding| binding.keys.iter().any(|chord| chord.is(key)))
    };
    contexts.iter().find_map(find).map(|binding| binding.action)
}

/// The hints for these contexts: a key and a word each.
pub fn hints(contexts: &[Context]) -> Vec<(String, &'static str)> {
    let its = contexts
        .iter()
        .flat_map(|context| MAP.iter().filter(|binding| binding.context == *context));
    its.filter(|binding| !binding.hint.is_empty())
        .filter_map(|binding| Some((binding.keys.first()?.to_string(), binding.hint)))
        .collect()
}

/// The lines of the help for these contexts: keys, and what they do.
pub fn help(contexts: &[Context]) -> Vec<(String, &'static str)> {
    let its = contexts
        .iter()
        .flat_map(|context| MAP.iter().filter(|binding| binding.context == *context));
    let keys = |binding: &Binding| {
        binding
            .keys
            .iter()
            .map(Chord::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut lines: Vec<(String, &'static str)> = Vec::new();
    for binding in its {
        let keys = keys(binding);
        // What an inner context says of a key goes before what an outer one does.
        if !lines.iter().any(|(known, _)| *known == keys) {
            lines.push((keys, binding.words));
        }
    }
    lines
}

impl Chord {
    fn is(self, key: &KeyEvent) -> bool {
        let with = |modifier| key.modifiers.contains(modifier);
        let (ctrl, alt, shift) = (
            with(KeyModifiers::CONTROL),
            with(KeyModifiers::ALT),
            with(KeyModifiers::SHIFT),
        );
        match (self, key.code) {
            (Word(wanted), code) => (ctrl || alt) && code == wanted,
            _ if alt => false,
            (Char(wanted), KeyCode::Char(c)) => !ctrl && c == wanted,
            (Ctrl(wanted), KeyCode::Char(c)) => ctrl && c.eq_ignore_ascii_case(&wanted),
            (Code(wanted), code) => !ctrl && !shift && code == wanted,
            (Shift(wanted), code) => !ctrl && shift && code == wanted,
            (Digits(last), KeyCode::Char(c)) => !ctrl && ('0'..=last).contains(&c),
            (Capitals, KeyCode::Char(c)) => {
                !ctrl && c.is_ascii_uppercase() && !matches!(c, 'J' | 'G')
            }
            _ => false,
        }
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |code: &KeyCode| match code {
            KeyCode::Enter => "enter".to_owned(),
            KeyCode::Esc => "esc".to_owned(),
            KeyCode::Tab => "tab".to_owned(),
            KeyCode::PageUp => "pgup".to_owned(),
            KeyCode::PageDown => "pgdn".to_owned(),
            KeyCode::Left => "←".to_owned(),
            KeyCode::Right => "→".to_owned(),
            KeyCode::Up => "↑".to_owned(),
            KeyCode::Down => "↓".to_owned(),
            other => other.to_string().to_lowercase(),
        };
        match self {
            Char(' ') => f.write_str("space"),
            Char(c) if c.is_ascii_uppercase() => write!(f, "shift-{}", c.to_ascii_lowercase()),
            Char(c) => write!(f, "{c}"),
            Ctrl(c) => write!(f, "ctrl-{c}"),
            Code(code) => f.write_str(&name(code)),
            Word(code) => write!(f, "ctrl-{}", name(code)),
            Shift(code) => write!(f, "shift-{}", name(code)),
            Digits(last) => write!(f, "0-{last}"),
            Capitals => f.write_str("shift-letter"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode, modifiers: KeyModifiers) -> KeyEvent {
        KeyEvent::new(code, modifiers)
    }

    #[test]
    fn an_inner_context_goes_first() {
        let q = key(KeyCode::Char('q'), KeyModifiers::NONE);
        assert_eq!(
            action(&[Context::Table, Context::Everywhere], &q),
            Some(Action::Quit)
        );
        assert_eq!(
            action(&[Context::Text, Context::Everywhere], &q),
            Some(Action::Close)
        );
        assert_eq!(action(&[Context::Prompt], &q), None, "it is typed");
    }

    #[test]
    fn capitals_sort_but_never_j_nor_g() {
        let contexts = [Context::Table, Context::Moving, Context::Everywhere];
        let of = |c| action(&contexts, &key(KeyCode::Char(c), KeyModifiers::SHIFT));
        assert_eq!(of('N'), Some(Action::SortBy));
        assert_ne!(of('J'), Some(Action::SortBy));
        assert_eq!(
            action(&contexts, &key(KeyCode::Left, KeyModifiers::SHIFT)),
            Some(Action::SortLeft)
        );
        assert_eq!(
            action(&contexts, &key(KeyCode::Char('z'), KeyModifiers::CONTROL)),
            Some(Action::FaultsOnly)
        );
    }

    #[test]
    fn no_key_means_two_things_in_one_context() {
        for (at, binding) in MAP.iter().enumerate() {
            let earlier = MAP[..at].iter().filter(|it| it.context == binding.context);
            for other in earlier {
                let both = binding.keys.iter().find(|chord| other.keys.contains(chord));
                assert_eq!(both, None, "{:?} and {:?}", binding.action, other.action);
            }
        }
    }
}
