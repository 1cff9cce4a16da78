//! Which clusters: names, globs, groups and exclusions, as `--cluster` and `--context` have them.

use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::protocol::selector::LabelSelector;
use regex::Regex;
use std::collections::BTreeMap;
use std::fmt;

/// Names for lists of words, as the configuration file has them: `@name` stands for its words.
pub type Groups = BTreeMap<String, Vec<String>>;

/// The clusters that a command is about.
#[derive(Clone, Debug, Default)]
pub struct ClusterSelector {
    literals: Vec<ClusterName>,
    globs: Vec<Regex>,
    excludes: Vec<Regex>,
    typed: Vec<String>,
    /// What the labels of a cluster have to be.
    labels: Option<LabelSelector>,
    /// A word stood for others, or the clusters were chosen among known ones: then there may be any number of them.
    open: bool,
}

/// A word that is neither a name, nor a pattern, nor a group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{flag} {word:?}: {why}")]
pub struct InvalidSelector {
    flag: &'static str,
    word: String,
    why: String,
}

impl ClusterSelector {
    /// Reads the words of `flag`: `name`, `prod-*` (`*` any text, `?` one character), `@group`, and `!` before any of
    /// these for all but those. Nothing, or exclusions only, means every cluster.
    ///
    /// # Errors
    /// When a word cannot be a cluster's name, or there is no such group.
    pub fn new(
        flag: &'static str,
        words: &[String],
        groups: &Groups,
    ) -> Result<Self, InvalidSelector> {
        let mut selector = Self {
            typed: words.to_vec(),
            ..Self::default()
        };
        for word in words {
            let invalid = |why: String| InvalidSelector {
                flag,
                word: word.clone(),
                why,
            };
            match word.trim_start_matches('!').strip_prefix('@') {
                None => selector.add(word).map_err(invalid)?,
                Some(group) => {
                    selector.open = true;
                    let members = groups.get(group);
                    let members = members.ok_or_else(|| invalid(no_group(groups)))?;
                    let excluded = if word.starts_with('!') { "!" } else { "" };
                    for member in members {
                        let why = |why| invalid(format!("{member:?} of this group: {why}"));
                        selector.add(&format!("{excluded}{member}")).map_err(why)?;
                    }
                }
            }
        }
        Ok(selector)
    }

    /// Only those whose sources have such labels, among those that are meant: nobody is asked before its labels are
    /// known.
    #[must_use]
    pub fn labelled(self, labels: Option<LabelSelector>) -> Self {
        Self { labels, ..self }
    }

    fn add(&mut self, word: &str) -> Result<(), String> {
        let (excluded, name) = match word.strip_prefix('!') {
            Some(name) => (true, name),
            None => (false, word),
        };
        // Patterns are made of what names are made of.
        let checked = ClusterName::new(name).map_err(|error| error.to_string())?;
        let is_glob = name.contains(['*', '?']);
        match (excluded, is_glob) {
            (false, false) if self.literals.contains(&checked) => {}
            (false, false) => self.literals.push(checked),
            (true, _) => self
                .excludes
                .push(glob(name).map_err(|error| error.to_string())?),
            (false, true) => self
                .globs
                .push(glob(name).map_err(|error| error.to_string())?),
        }
        Ok(())
    }

    /// The same choice among these and no others, which are known beforehand: nobody has to be discovered. A name
    /// that was typed is chosen whether it is known or not.
    #[must_use]
    pub fn among(&self, known: &[ClusterName]) -> Self {
        let only = self.only().is_some();
        let chosen = known.iter().filter(|name| self.matches_name(name));
        let mut literals: Vec<_> = self.named().chain(chosen).cloned().collect();
        literals.sort();
        literals.dedup();
        Self {
            literals,
            open: !only,
            typed: self.typed.clone(),
            ..Self::default()
        }
    }

    /// The cluster, if it is exactly one that was named: then output is kubectl's own.
    pub fn only(&self) -> Option<&ClusterName> {
        match (
            self.literals.as_slice(),
            self.globs.is_empty() && self.excludes.is_empty(),
        ) {
            ([name], true) if !self.open && self.labels.is_none() => Some(name),
            _ => None,
        }
    }

    /// Those that were named and are not excluded: they are asked before anything is known of them.
    pub fn named(&self) -> impl Iterator<Item = &ClusterName> {
        let known_beforehand = self.labels.is_none();
        let named = self.literals.iter().filter(move |_| known_beforehand);
        named.filter(|name| !self.excludes(name))
    }

    /// Whether names are all there is: then nobody has to be discovered.
    pub fn is_closed(&self) -> bool {
        !self.literals.is_empty() && self.globs.is_empty() && self.labels.is_none()
    }

    /// Whether a cluster with these labels is meant.
    pub fn matches(&self, name: &ClusterName, labels: &[(String, String)]) -> bool {
        let value = |key: &str| {
            let label = labels.iter().find(|(known, _)| known == key);
            label.map(|(_, value)| value.as_str())
        };
        let labelled = self.labels.as_ref().is_none_or(|it| it.matches(value));
        labelled && self.matches_name(name)
    }

    fn matches_name(&self, name: &ClusterName) -> bool {
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
    /// As it was typed, with the flags; empty for every cluster.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = (!self.typed.is_empty()).then(|| format!("--cluster {}", self.typed.join(",")));
        let labels = self
            .labels
            .as_ref()
            .map(|labels| format!("--cluster-selector {labels}"));
        let flags: Vec<_> = names.into_iter().chain(labels).collect();
        f.write_str(&flags.join(" "))
    }
}

fn no_group(groups: &Groups) -> String {
    match groups
        .keys()
        .map(|name| format!("@{name}"))
        .collect::<Vec<_>>()
    {
        none if none.is_empty() => "the configuration file has no groups".to_owned(),
        known => format!("no such group; there are {}", known.join(", ")),
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
        ClusterSelector::new("--cluster", &words, &groups()).unwrap()
    }

    fn groups() -> Groups {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Groups::from([
            ("prod".to_owned(), words(&["prod-*", "!prod-us"])),
            ("one".to_owned(), words(&["test"])),
        ])
    }

    #[test]
    fn a_group_stands_for_its_words() {
        assert_eq!(matching(&["@prod"]), ["prod-eu"]);
        assert_eq!(matching(&["@prod", "test"]), ["prod-eu", "test"]);
        assert_eq!(
            matching(&["prod-*", "test", "!@one"]),
            ["prod-eu", "prod-us"]
        );
        assert!(
            selector(&["@one"]).only().is_none(),
            "a group is never one cluster"
        );
        let words = ["@nosuch".to_owned()];
        let error = ClusterSelector::new("--context", &words, &groups()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--context \"@nosuch\": no such group; there are @one, @prod"
        );
    }

    #[test]
    fn a_choice_among_known_ones_is_closed() {
        let known = ["kind-a", "kind-b", "eks"].map(|name| ClusterName::new(name).unwrap());
        let chosen = |words: &[&str]| {
            let selector = selector(words).among(&known);
            assert!(selector.is_closed() || selector.named().count() == 0);
            let names = selector.named().map(|name| name.as_str().to_owned());
            (
                names.collect::<Vec<_>>().join(" "),
                selector.only().is_some(),
            )
        };
        let several = |names: &str| (names.to_owned(), false);
        assert_eq!(chosen(&[]), several("eks kind-a kind-b"));
        assert_eq!(chosen(&["kind-*", "!kind-a"]), several("kind-b"));
        assert_eq!(chosen(&["eks", "kind-?"]), several("eks kind-a kind-b"));
        assert_eq!(chosen(&["eks", "!eks"]), several(""));
        assert_eq!(chosen(&["eks"]), ("eks".to_owned(), true));
        assert_eq!(chosen(&["missing"]), ("missing".to_owned(), true));
        assert_eq!(chosen(&["nothing-*"]), several(""));
    }

    fn matching(words: &[&str]) -> Vec<&'static str> {
        let selector = selector(words);
        let all = ["prod-eu", "prod-us", "test", "a.b", "ns/host:6443/user"];
        all.into_iter()
            .filter(|name| selector.matches(&ClusterName::new(name).unwrap(), &[]))
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
    fn labels_choose_among_those_that_are_meant() {
        let labels = LabelSelector::parse("env=prod,!old").unwrap();
        let prod = [("env".to_owned(), "prod".to_owned())];
        let old = [prod[0].clone(), ("old".to_owned(), String::new())];
        let east = ClusterName::new("east").unwrap();
        let chosen = selector(&[]).labelled(Some(labels.clone()));
        assert!(chosen.matches(&east, &prod));
        assert!(!chosen.matches(&east, &[]) && !chosen.matches(&east, &old));
        let named = selector(&["west"]).labelled(Some(labels));
        assert!(!named.matches(&east, &prod));
        assert!(named.only().is_none() && !named.is_closed() && named.named().count() == 0);
        assert_eq!(
            named.to_string(),
            "--cluster west --cluster-selector env=prod,!old"
        );
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
        let error = ClusterSelector::new("--cluster", &words, &Groups::new())
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("--cluster") && !error.contains('\u{1b}'),
            "{error}"
        );
        assert!(ClusterSelector::new("--cluster", &["!".to_owned()], &Groups::new()).is_err());
    }
}
