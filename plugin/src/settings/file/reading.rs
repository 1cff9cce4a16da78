//! Reads the text by serde, and refuses what makes no sense where it stands.

use super::{File, Value, Wrong};
use crate::settings::Setting;
use clap::Command;
use clap::builder::Resettable;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::cell::RefCell;
use std::fmt;

/// Reads a text that says something; lines are not known yet.
pub(super) fn read(text: &str, settings: &[Setting]) -> Result<File, Wrong> {
    let parser = Parser {
        settings,
        file: RefCell::default(),
        why: RefCell::default(),
    };
    let read = Part::Top
        .seed(&parser)
        .deserialize(serde_yaml::Deserializer::from_str(text));
    read.map_err(|error| parser.wrong(&error))?;
    Ok(parser.file.into_inner())
}

/// What a part of the file is.
#[derive(Clone, Copy)]
enum Part<'a> {
    Top,
    Profiles,
    Profile(&'a str),
    Groups,
}

struct Parser<'a> {
    settings: &'a [Setting],
    file: RefCell<File>,
    /// Our own words of what is wrong; the library knows the place.
    why: RefCell<Option<String>>,
}

impl Parser<'_> {
    fn error<E: serde::de::Error>(&self, why: String) -> E {
        *self.why.borrow_mut() = Some(why);
        E::custom("")
    }

    /// What is of another type than it should be is told in our words: the library's name types of this program.
    fn unlike<E: fmt::Display>(&self, error: E, words: impl FnOnce() -> String) -> E {
        if error.to_string().contains("invalid type") {
            self.why.borrow_mut().get_or_insert_with(words);
        }
        error
    }

    fn wrong(&self, error: &serde_yaml::Error) -> Wrong {
        let message = self.why.borrow_mut().take().unwrap_or_else(|| {
            let said = error.to_string();
            // The place is told by us.
            let said = said.split(" at line ").next().unwrap_or_default();
            format!("this is no YAML: {said}")
        });
        let place = error.location().map(|at| (at.line(), at.column()));
        Wrong { place, message }
    }

    /// The words of a setting's value, as its argument takes them.
    fn check<E: serde::de::Error>(&self, setting: &Setting, words: &[String]) -> Result<(), E> {
        let argument = setting
            .argument
            .clone()
            .env(Resettable::<clap::builder::OsStr>::Reset);
        let command = Command::new("")
            .no_binary_name(true)
            .disable_help_flag(true)
            .arg(argument.global(false));
        let typed: Vec<_> = match setting.is_switch() {
            true => match words {
                [word] if matches!(word.as_str(), "true" | "false") => return Ok(()),
                _ => return Err(self.error(format!("{}: expected true or false", setting.key))),
            },
            false => words
                .iter()
                .map(|word| format!("{}={word}", setting.flag()))
                .collect(),
        };
        command
            .try_get_matches_from(typed)
            .map(|_| ())
            .map_err(|error| {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                let why = source.unwrap_or_else(|| {
                    error
                        .to_string()
                        .lines()
                        .next()
                        .unwrap_or_default()
                        .to_owned()
                });
                self.error(format!("{}: {why}", setting.key))
            })
    }
}

impl<'a> Part<'a> {
    fn seed(self, parser: &'a Parser<'a>) -> Seed<'a> {
        Seed { part: self, parser }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Top => "settings, such as broker: mqtts://broker.example.com",
            Self::Profiles => "profiles: a name, and settings under it",
            Self::Profile(_) => "the settings of a profile",
            Self::Groups => {
                "groups: a name, and a list of clusters, such as prod: [\"eu-*\", us-1]"
            }
        }
    }

    /// The keys that are no settings.
    fn sections(self) -> &'static [&'static str] {
        match self {
            Self::Top => &["current-profile", "profiles", "groups"],
            _ => &[],
        }
    }
}

/// Reads a mapping.
struct Seed<'a> {
    part: Part<'a>,
    parser: &'a Parser<'a>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let (parser, what) = (self.parser, self.part.what());
        let read = deserializer.deserialize_any(self);
        read.map_err(|error| parser.unlike(error, || format!("expected {what}")))
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.part.what())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let parser = self.parser;
        let mut seen = Vec::new();
        while let Some(key) = map.next_key_seed(Key {
            part: self.part,
            parser,
        })? {
            if seen.contains(&key) {
                return Err(parser.error(format!("{key:?} stands here twice")));
            }
            self.value(&key, &mut map)?;
            seen.push(key);
        }
        Ok(())
    }
}

impl Seed<'_> {
    fn value<'de, A: MapAccess<'de>>(&self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let parser = self.parser;
        let words = |is_list, setting| Words {
            key,
            is_list,
            setting,
            parser,
        };
        match (self.part, key) {
            (Part::Top, "profiles") => map.next_value_seed(Part::Profiles.seed(parser)),
            (Part::Top, "groups") => map.next_value_seed(Part::Groups.seed(parser)),
            (Part::Top, "current-profile") => {
                let words = map.next_value_seed(words(false, None))?;
                parser.file.borrow_mut().current_profile = Some(Value { words, line: 0 });
                Ok(())
            }
            (Part::Profiles, name) => {
                parser
                    .file
                    .borrow_mut()
                    .profiles
                    .entry(name.to_owned())
                    .or_default();
                map.next_value_seed(Part::Profile(name).seed(parser))
            }
            (Part::Groups, name) => {
                let words = map.next_value_seed(words(true, None))?;
                parser
                    .file
                    .borrow_mut()
                    .groups
                    .insert(name.to_owned(), words);
                Ok(())
            }
            (Part::Top | Part::Profile(_), key) => {
                let setting = parser.settings.iter().find(|setting| setting.key == key);
                let setting = setting.ok_or_else(|| A::Error::custom("unknown"))?;
                let words = map.next_value_seed(words(setting.is_list(), Some(setting)))?;
                let mut file = parser.file.borrow_mut();
                let values = match self.part {
                    Part::Profile(name) => file.profiles.entry(name.to_owned()).or_default(),
                    _ => &mut file.settings,
                };
                values.insert(setting.id.clone(), Value { words, line: 0 });
                Ok(())
            }
        }
    }
}

/// Reads a key, and refuses it where it stands.
struct Key<'a> {
    part: Part<'a>,
    parser: &'a Parser<'a>,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<String, E> {
        let Self { part, parser } = self;
        if matches!(part, Part::Profiles | Part::Groups) {
            return match key {
                "" => Err(parser.error("a name is empty".to_owned())),
                name => Ok(name.to_owned()),
            };
        }
        let known = parser
            .settings
            .iter()
            .map(|setting| setting.key.as_str())
            .chain(part.sections().iter().copied());
        let known: Vec<_> = known.collect();
        if known.contains(&key) {
            return Ok(key.to_owned());
        }
        Err(parser.error(match key {
            "password" => "a password cannot be in this file: put it into a file of its own and name that by password-file, \
                           or set BROKER_PASSWORD"
                .to_owned(),
            _ => format!("unknown key {key:?}: {}", instead(key, &known)),
        }))
    }
}

fn instead(key: &str, known: &[&str]) -> String {
    let closeness =
        |known: &str| strsim::jaro_winkler(&key.to_lowercase().replace('_', "-"), known);
    let best = known
        .iter()
        .map(|known| (closeness(known), known))
        .max_by(|one, other| one.0.total_cmp(&other.0));
    match best {
        Some((closeness, best)) if closeness > 0.8 => format!("did you mean {best}?"),
        _ => format!("expected one of {}", known.join(", ")),
    }
}

/// Reads a value: a word, or a list of words.
struct Words<'a> {
    key: &'a str,
    is_list: bool,
    setting: Option<&'a Setting>,
    parser: &'a Parser<'a>,
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

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Vec<String>, E> {
        self.visit_str(&value.to_string())
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

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Vec<String>, E> {
        Ok(vec![value.to_string()])
    }
}
