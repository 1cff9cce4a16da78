//! Reads the text by serde, and refuses what makes no sense where it stands.

use super::words::Words;
use super::{File, Value, Wrong};
use crate::settings::Setting;
use clap::Command;
use clap::builder::Resettable;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
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

pub(super) struct Parser<'a> {
    settings: &'a [Setting],
    file: RefCell<File>,
    /// Our own words of what is wrong; the library knows the place.
    why: RefCell<Option<String>>,
}

impl Parser<'_> {
    pub(super) fn error<E: serde::de::Error>(&self, why: String) -> E {
        *self.why.borrow_mut() = Some(why);
        E::custom("")
    }

    /// What is of another type than it should be is told in our words: the library's name types of this program.
    pub(super) fn unlike<E: fmt::Display>(&self, error: E, words: impl FnOnce() -> String) -> E {
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
    pub(super) fn check<E: serde::de::Error>(
        &self,
        setting: &Setting,
        words: &[String],
    ) -> Result<(), E> {
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
