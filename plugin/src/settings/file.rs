//! The configuration file's text.
//!
//! ```yaml
//! broker: mqtts://broker.example.com     # any setting, by the name of its flag
//! username: me
//! password-file: ~/.config/mqinformer/password
//! current-profile: prod
//! profiles:
//!   prod: { broker: mqtts://prod.example.com, cluster: ["@eu", us-1] }
//! groups:
//!   eu: ["eu-*", "!eu-old"]
//! ```
//!
//! Which settings there are, and what values they take, is told by [`Setting`]s. What is wrong is told with its line
//! and column.
//!
//! **Architecture invariant:** pure; a value is never part of a message unless it is what is wrong.

pub mod edit;
mod lines;
mod reading;
mod words;

use super::Setting;
use crate::get::Groups;
use std::collections::BTreeMap;
use std::fmt;

/// The setting that names a broker.
const BROKER: &str = "broker";
/// Those that say who we are to it.
pub const LOGIN: [&str; 4] = ["username", "password_file", "client_crt", "client_key"];

/// Values by the settings' names in the program.
pub type Values = BTreeMap<String, Value>;

/// What the file says of one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// One word; several of a list.
    pub words: Vec<String>,
    /// Where it stands, counted from 1; 0 if that could not be found.
    pub line: usize,
}

/// A file that makes sense.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// What holds whatever the profile.
    pub settings: Values,
    /// What holds for one of them.
    pub profiles: BTreeMap<String, Values>,
    /// The profile to use if none is named.
    pub current_profile: Option<Value>,
    /// Names for lists of clusters.
    pub groups: Groups,
}

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Line and column, counted from 1; none if it is not at one place.
    pub place: Option<(usize, usize)>,
    /// What is wrong and what is expected, one line.
    pub message: String,
}

impl fmt::Display for Wrong {
    /// `3:7: unknown key ...`, to follow the file's name and a colon.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.place {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.message)
    }
}

impl File {
    /// Reads the text.
    ///
    /// # Errors
    /// What is wrong first, and where.
    pub fn parse(text: &str, settings: &[Setting]) -> Result<Self, Wrong> {
        // An empty file, or one of comments, says nothing.
        let says_something = text
            .lines()
            .map(str::trim)
            .any(|line| !matches!(line, "" | "---") && !line.starts_with('#'));
        if !says_something {
            return Ok(Self::default());
        }
        let mut file = reading::read(text, settings)?;
        file.find_lines(text, settings);
        Ok(file)
    }

    /// The profile in use, and the settings with its own on top. A profile that names another broker does not log in
    /// to it as to the first.
    ///
    /// # Errors
    /// When there is no such profile.
    pub fn with_profile(&self, named: Option<&str>) -> Result<(Option<String>, Values), Wrong> {
        let current = self.current_profile.as_ref();
        let own = current
            .and_then(|value| value.words.first())
            .map(String::as_str);
        let mut values = self.settings.clone();
        let Some(name) = named.or(own) else {
            return Ok((None, values));
        };
        let Some(profile) = self.profiles.get(name) else {
            let place = current
                .filter(|_| named.is_none())
                .map(|value| (value.line, 1));
            let known: Vec<_> = self.profiles.keys().map(String::as_str).collect();
            let message = match known.as_slice() {
                [] => format!("there is no profile {name:?}: the file has none"),
                known => format!(
                    "there is no profile {name:?}: the file has {}",
                    known.join(", ")
                ),
            };
            return Err(Wrong { place, message });
        };
        if profile.contains_key(BROKER) {
            leave_login(&mut values);
        }
        // A profile of clusters behind a broker is none of contexts.
        if profile.contains_key(BROKER) || profile.contains_key("cluster") {
            values.remove("context");
        }
        values.extend(profile.clone());
        Ok((Some(name.to_owned()), values))
    }

    fn find_lines(&mut self, text: &str, settings: &[Setting]) {
        let key = |id: &str| {
            settings
                .iter()
                .find(|setting| setting.id == id)
                .map(|setting| setting.key.as_str())
        };
        for (id, value) in &mut self.settings {
            value.line = lines::line_of(text, &[key(id).unwrap_or_default()]);
        }
        for (name, values) in &mut self.profiles {
            for (id, value) in values {
                value.line = lines::line_of(text, &["profiles", name, key(id).unwrap_or_default()]);
            }
        }
        if let Some(value) = &mut self.current_profile {
            value.line = lines::line_of(text, &["current-profile"]);
        }
    }
}

/// Takes a broker's login out of values that name it: it is nobody else's.
pub(super) fn leave_login(values: &mut Values) {
    if values.contains_key(BROKER) {
        LOGIN.iter().for_each(|id| drop(values.remove(*id)));
    }
}

#[cfg(test)]
mod tests;
