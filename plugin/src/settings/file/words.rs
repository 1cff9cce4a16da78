//! Reads a value, and refuses it where it stands.

use super::reading::Parser;
use crate::settings::Setting;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use std::fmt;

/// Reads a value: a word, or a list of words.
pub(super) struct Words<'a> {
    pub(super) key: &'a str,
    pub(super) is_list: bool,
    pub(super) setting: Option<&'a Setting>,
    pub(super) parser: &'a Parser<'a>,
}

impl Words<'_> {
    fn checked<E: serde::de::Error>(self, words: Vec<String>) -> Result<Vec<String>, E> {
        match self.setting {
            None if words.iter().any(|word| word.trim_start_matches('!').starts_with('@')) => {
                Err(self.parser.error(format!("{}: a group cannot be in a group", self.key)))
            }
            None => Ok(words),
            Some(setting) if setting.key == "broker" && words.iter().any(|url| has_password(url)) => {
                Err(self.parser.error(
                    "a password cannot be in this file, nor in a broker's URL in it: use username and password-file, or set \
                     BROKER_PASSWORD"
                        .to_owned(),
                ))
            }
            Some(setting) => self.parser.check(setting, &words).map(|()| words),
        }
    }

    fn expected(&self) -> String {
        match self.is_list {
            true => format!("{}: expected a word or a list of words", self.key),
            false => format!("{}: expected one word", self.key),
        }
    }
}

/// `scheme://user:password@...`
fn has_password(url: &str) -> bool {
    let after = url.split_once("://").map_or(url, |(_, after)| after);
    after
        .rsplit_once('@')
        .is_some_and(|(login, _)| login.contains(':'))
}

impl<'de> DeserializeSeed<'de> for Words<'_> {
    type Value = Vec<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<String>, D::Error> {
        let (parser, expected) = (self.parser, self.expected());
        let read = deserializer.deserialize_any(self);
        read.map_err(|error| parser.unlike(error, || expected))
    }
}

impl<'de> Visitor<'de> for Words<'_> {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("words")
    }

    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Vec<String>, E> {
        let words = match self.is_list {
            true => word.split(',').map(str::trim).map(str::to_owned).collect(),
            false => vec![word.to_owned()],
        };
        self.checked(words)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Vec<String>, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Vec<String>, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Vec<String>, E> {
        self.visit_str(&value.to_string())
    }

    /// `1.10` would be `1.1`, which is another cluster.
    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Vec<String>, E> {
        Err(self.parser.error(format!(
            "{}: write a number with a point in quotes",
            self.key
        )))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
        if !self.is_list {
            return Err(self.parser.error(self.expected()));
        }
        let mut words = Vec::new();
        let one = || Words {
            key: self.key,
            is_list: false,
            setting: None,
            parser: self.parser,
        };
        while let Some(word) = list.next_element_seed(Word(one()))? {
            words.extend(word);
        }
        self.checked(words)
    }
}

/// Reads one word of a list.
struct Word<'a>(Words<'a>);

impl<'de> DeserializeSeed<'de> for Word<'_> {
    type Value = Vec<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<String>, D::Error> {
        // What a group may have is judged when the list is whole.
        let Self(Words { key, parser, .. }) = self;
        let read = deserializer.deserialize_any(Plain);
        read.map_err(|error| parser.unlike(error, || format!("{key}: expected a list of words")))
    }
}

struct Plain;

impl Visitor<'_> for Plain {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word")
    }

    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Vec<String>, E> {
        Ok(vec![word.to_owned()])
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Vec<String>, E> {
        Ok(vec![value.to_string()])
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Vec<String>, E> {
        Ok(vec![value.to_string()])
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Vec<String>, E> {
        Ok(vec![value.to_string()])
    }
}
