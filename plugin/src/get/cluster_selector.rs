//! Which clusters: names, globs, and exclusions, as `--cluster` has them.

use mqtt_informer::protocol::names::ClusterName;
use regex::Regex;
use std::fmt;

/// The clusters that a command is about.
#[derive(Clone, Debug, Default)]
pub struct ClusterSelector {
    literals: Vec<ClusterName>,
    globs: Vec<Regex>,
    excludes: Vec<Regex>,
    typed: Vec<String>,
}

/// A word after `--cluster` that is neither a name nor a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--cluster {word:?}: {why}")]
pub struct InvalidSelector {
    word: String,
    why: String,
}

impl ClusterSelector {
    /// Reads the words: `name`, `prod-*` (`*` any text, `?` one character), `!name` and `!pattern` for all but those. Nothing, or
    /// exclusions only, means every cluster.
    ///
    /// # Errors
    /// When a word cannot be a cluster's name.
    pub fn new(words: &[String]) -> Result<Self, InvalidSelector> {
        let mut selector = Self {
            typed: words.to_vec(),
            ..Self::default()
        };
        for word in words {
            let invalid = |why: String| InvalidSelector {
                word: word.clone(),
                why,
            };
            let (excluded, name) = match word.strip_prefix('!') {
                Some(name) => (true, name),
                None => (false, word.as_str()),
            };
            // Patterns are made of what names are made of.
            let checked = ClusterName::new(name).map_err(|error| invalid(error.to_string()))?;
            let is_glob = name.contains(['*', '?']);
            match (excluded, is_glob) {
                (false, false) if selector.literals.contains(&checked) => {}
                (false, false) => selector.literals.push(checked),
                (true, _) => selector
                    .excludes
                    .push(glob(name).map_err(|error| invalid(error.to_string()))?),
                (false, true) => selector
                    .globs
                    .push(glob(name).map_err(|error| invalid(error.to_string()))?),
            }
        }
        Ok(selector)
    }

    /// The cluster, if it is exactly one that was named: then output is kubectl's own.
    pub fn only(&self) -> Option<&ClusterName> {
        match (
            self.literals.as_slice(),
            self.globs.is_empty() && self.excludes.is_empty(),
        ) {
            ([name], true) => Some(name),
            _ => None,
        }
    }

    /// Those that were named and are not excluded: they are asked before anything is known of them.
    pub fn named(&self) -> impl Iterator<Item = &ClusterName> {
        self.literals.iter().filter(|name| !self.excludes(name))
    }

    /// Whether names are all there is: then nobody has to be discovered.
    pub fn is_closed(&self) -> bool {
        !self.literals.is_empty() && self.globs.is_empty()
    }

    /// Whether a cluster is meant.
    pub fn matches(&self, name: &ClusterName) -> bool {
        let everything = self.literals.is_empty() && self.globs.is_empty();
        let included = everything
            || self.literals.contains(name)
            || self.globs.iter().any(|glob| glob.is_match(name.as_str()));
        included && !self.excludes(name)
    }

    fn excludes(&self, name: &ClusterName) -> bool {
        self.excludes
            .iter()
            .any(|glob| glob.is_match(name.as_str()))
    }
}

impl fmt::Display for ClusterSelector {
    /// As it was typed; empty for every cluster.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.typed.join(","))
    }
}

fn glob(pattern: &str) -> Result<Regex, regex::Error> {
    let pieces = pattern.chars().map(|c| match c {
        '*' => ".*".to_owned(),
        '?' => ".".to_owned(),
        c => regex::escape(c.encode_utf8(&mut [0; 4])),
    });
    Regex::new(&format!("^(?s:{})$", pieces.collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(words: &[&str]) -> ClusterSelector {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        ClusterSelector::new(&words).unwrap()
    }

    fn matching(words: &[&str]) -> Vec<&'static str> {
        let selector = selector(words);
        let all = ["prod-eu", "prod-us", "test", "a.b", "ns/host:6443/user"];
        all.into_iter()
            .filter(|name| selector.matches(&ClusterName::new(name).unwrap()))
            .collect()
    }

    #[test]
    fn names_globs_and_exclusions() {
        assert_eq!(matching(&[]).len(), 5);
        assert_eq!(matching(&["test"]), ["test"]);
        assert_eq!(matching(&["prod-*"]), ["prod-eu", "prod-us"]);
        assert_eq!(
            matching(&["prod-*", "test"]),
            ["prod-eu", "prod-us", "test"]
        );
        assert_eq!(matching(&["prod-*", "!*-us"]), ["prod-eu"]);
        assert_eq!(
            matching(&["!prod-*", "!test"]),
            ["a.b", "ns/host:6443/user"]
        );
        assert_eq!(matching(&["a?b", "*6443*"]), ["a.b", "ns/host:6443/user"]);
        assert_eq!(matching(&["a.?"]), ["a.b"]);
        assert_eq!(matching(&["aXb"]), [""; 0]);
    }

    #[test]
    fn one_that_was_named() {
        let only = |words: &[&str]| selector(words).only().map(|name| name.as_str().to_owned());
        assert_eq!(only(&["test"]), Some("test".to_owned()));
        assert_eq!(only(&["test", "test"]), Some("test".to_owned()));
        for words in [&[][..], &["t*"], &["a", "b"], &["a", "!b"], &["a", "b*"]] {
            assert_eq!(only(words), None, "{words:?}");
        }
        assert_eq!(selector(&["a", "b", "!b"]).named().count(), 1);
    }

    #[test]
    fn a_word_that_is_no_name_is_refused() {
        let words = ["evil\u{1b}[31m".to_owned()];
        let error = ClusterSelector::new(&words).unwrap_err().to_string();
        assert!(
            error.starts_with("--cluster") && !error.contains('\u{1b}'),
            "{error}"
        );
        assert!(ClusterSelector::new(&["!".to_owned()]).is_err());
    }
}
