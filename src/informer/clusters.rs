//! Which clusters: names, patterns and exclusions.

use crate::protocol::names::{ClusterName, InvalidName};
use std::collections::BTreeSet;

/// Which of the clusters behind a broker are meant. The default is all of them, those that come later included.
///
/// ```
/// use mqtt_informer::informer::Clusters;
/// use mqtt_informer::protocol::names::ClusterName;
///
/// let production = Clusters::new(["prod-*", "edge-??", "!prod-test"])?;
/// assert!(production.matches(&ClusterName::new("prod-eu")?));
/// assert!(!production.matches(&ClusterName::new("prod-test")?));
/// assert!(Clusters::all().matches(&ClusterName::new("prod-test")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clusters {
    names: BTreeSet<ClusterName>,
    patterns: Vec<String>,
    excluded: Vec<String>,
}

/// A word that is neither a cluster's name nor a pattern of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{word:?} is neither a cluster's name nor a pattern (`prod-*`, `edge-??`, `!name`): {source}"
)]
pub struct InvalidClusters {
    word: String,
    source: InvalidName,
}

impl Clusters {
    /// Every cluster.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Reads words: `name`; `prod-*` (`*` any text, `?` one character); `!name` and `!pattern` for all but those. No
    /// words, or exclusions only, mean every cluster.
    ///
    /// # Errors
    /// When a word cannot be a cluster's name.
    pub fn new<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Result<Self, InvalidClusters> {
        let mut clusters = Self::default();
        for word in words {
            let word = word.as_ref();
            let excluded = word.strip_prefix('!');
            // Patterns are made of what names are made of.
            let name =
                ClusterName::new(excluded.unwrap_or(word)).map_err(|source| InvalidClusters {
                    word: word.to_owned(),
                    source,
                })?;
            match (excluded.is_some(), name.as_str().contains(['*', '?'])) {
                (true, _) => clusters.excluded.push(name.as_str().to_owned()),
                (false, true) => clusters.patterns.push(name.as_str().to_owned()),
                (false, false) => _ = clusters.names.insert(name),
            }
        }
        Ok(clusters)
    }

    /// One cluster.
    #[must_use]
    pub fn one(name: ClusterName) -> Self {
        Self {
            names: BTreeSet::from([name]),
            ..Self::default()
        }
    }

    /// Whether a cluster is meant.
    #[must_use]
    pub fn matches(&self, name: &ClusterName) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|it| is_like(name.as_str(), it));
        let everything = self.names.is_empty() && self.patterns.is_empty();
        (everything || self.names.contains(name) || any(&self.patterns)) && !any(&self.excluded)
    }

    /// Those that were named: they are asked at once, before anything is known of them.
    pub fn named(&self) -> impl Iterator<Item = &ClusterName> {
        self.names.iter().filter(|name| self.matches(name))
    }
}

/// Whether a text is what a pattern says: `*` any text, `?` any one character, everything else itself.
fn is_like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) =
        (text.chars().collect(), pattern.chars().collect());
    let (mut at, mut want) = (0, 0);
    // Where to go on when what follows the last `*` does not fit: it takes one character more then.
    let mut retry = None;
    while at < text.len() {
        match pattern.get(want) {
            Some('*') => {
                retry = Some((want + 1, at));
                want += 1;
            }
            Some(&one) if one == '?' || one == text[at] => (at, want) = (at + 1, want + 1),
            _ => match &mut retry {
                Some((after, from)) => {
                    *from += 1;
                    (at, want) = (*from, *after);
                }
                None => return false,
            },
        }
    }
    pattern[want..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matching(words: &[&str]) -> Vec<&'static str> {
        let clusters = Clusters::new(words).unwrap();
        let all = ["prod-eu", "prod-us", "test", "a.b", "ns/host:6443/user"];
        all.into_iter()
            .filter(|name| clusters.matches(&ClusterName::new(name).unwrap()))
            .collect()
    }

    #[test]
    fn names_patterns_and_exclusions() {
        for (words, wanted) in [
            (&["test"][..], &["test"][..]),
            (&["prod-*"], &["prod-eu", "prod-us"]),
            (&["prod-*", "test"], &["prod-eu", "prod-us", "test"]),
            (&["prod-*", "!*-us"], &["prod-eu"]),
            (&["!prod-*", "!test"], &["a.b", "ns/host:6443/user"]),
            (&["a?b", "*6443*"], &["a.b", "ns/host:6443/user"]),
            (&["test", "!test"], &[]),
            (&["aXb"], &[]),
        ] {
            assert_eq!(matching(words), wanted, "{words:?}");
        }
        assert_eq!(matching(&[]).len(), 5);
        assert_eq!(
            Clusters::new(["a", "b", "!b", "c*"])
                .unwrap()
                .named()
                .count(),
            1
        );
    }

    #[test]
    fn a_word_that_is_no_name_is_told() {
        let error = Clusters::new(["evil\u{1b}[31m"]).unwrap_err().to_string();
        assert!(
            error.contains("evil") && !error.contains('\u{1b}'),
            "{error}"
        );
        assert!(Clusters::new(["!"]).is_err());
    }

    /// The definition, which takes exponential time.
    fn by_definition(text: &[char], pattern: &[char]) -> bool {
        match (pattern, text) {
            ([], text) => text.is_empty(),
            (['*', rest @ ..], _) => {
                (0..=text.len()).any(|skip| by_definition(&text[skip..], rest))
            }
            (['?', rest @ ..], [_, more @ ..]) => by_definition(more, rest),
            ([one, rest @ ..], [first, more @ ..]) => one == first && by_definition(more, rest),
            (_, []) => false,
        }
    }

    proptest! {
        #[test]
        fn patterns_mean_what_they_say(text in "[ab]{0,8}", pattern in "[ab*?]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(is_like(&text, &pattern), by_definition(&chars(&text), &chars(&pattern)));
        }
    }
}
