//! What is typed behind a `:`.
//!
//! ```text
//! pods                      the type in the namespaces and clusters that are meant anyway
//! deploy kube-system        in this namespace from now on; `all` for all
//! pods shop,pay /web        in these; filtered
//! pods app=web @east,west   by label, in these clusters
//! ns shop                   the same type in another namespace; `ns` alone lists them
//! @prod, @all               the same type in the clusters of a group, or of that name
//! ctx                       choose clusters
//! fleet, faults             the clusters, one a line; everything that is unwell
//! clusters, works           the clusters, the works and the placements of a hub
//! placements
//! diff                      how the marked objects, or the selected one, differ between clusters
//! q                         quit
//! ```
//!
//! **Architecture invariant:** pure.

use crate::get::Groups;
use crate::tui::view::hub::HubKind;
use mqtt_informer::informer::Clusters;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A table. What is not said stays as it is.
    Show(Wish),
    /// Choose clusters.
    Pick,
    /// The clusters, one a line.
    Fleet,
    /// Everything that is unwell.
    Faults,
    /// What a hub has.
    Hub(HubKind),
    /// How the marked objects, or the selected one, differ between clusters.
    Diff,
    /// All keys.
    Help,
    /// End.
    Quit,
}

/// What a table is wanted of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// The type; none for the one that is shown.
    pub word: Option<String>,
    /// The namespaces, empty for all; none for those that are meant anyway.
    pub namespaces: Option<Vec<String>>,
    /// The clusters, empty for all; none for those that are meant anyway.
    pub clusters: Option<Vec<String>>,
    /// A label selector.
    pub labels: String,
    /// A filter.
    pub filter: String,
}

/// Words that are no types.
pub const WORDS: [(&str, &str); 13] = [
    ("fleet", "the clusters, one a line"),
    ("faults", "everything that is unwell"),
    ("diff", "what differs between clusters"),
    ("ctx", "choose clusters"),
    ("cl", "choose clusters"),
    ("clusters", "the clusters of a hub"),
    ("works", "what a hub deploys to clusters"),
    ("placements", "which clusters a hub chose"),
    ("ns", "namespaces"),
    ("help", "all keys"),
    ("q", "quit"),
    ("quit", "quit"),
    ("@all", "all clusters"),
];

impl Command {
    /// Reads a line; none if it says nothing.
    ///
    /// # Errors
    /// A line that says what is wrong with it.
    pub fn parse(text: &str, groups: &Groups) -> Result<Option<Self>, String> {
        let mut words = text.split_whitespace();
        let Some(first) = words.next() else {
            return Ok(None);
        };
        let rest: Vec<&str> = words.collect();
        let command = match (first, rest.as_slice()) {
            ("q" | "q!" | "quit" | "exit", []) => Self::Quit,
            ("help" | "h" | "?", []) => Self::Help,
            ("fleet", []) => Self::Fleet,
            ("faults", []) => Self::Faults,
            ("diff", []) => Self::Diff,
            ("clusters", []) => Self::Hub(HubKind::Clusters),
            ("works" | "work", []) => Self::Hub(HubKind::Works(None)),
            ("placements" | "placement", []) => Self::Hub(HubKind::Placements),
            ("ctx" | "context" | "contexts" | "cl" | "cluster", []) => Self::Pick,
            ("ctx" | "context" | "contexts" | "cl" | "cluster" | "clusters", names) => {
                Self::Show(Wish {
                    clusters: Some(chosen(names.join(",").trim_start_matches('@'), groups)?),
                    ..Wish::default()
                })
            }
            ("ns" | "namespace" | "namespaces", [names]) if !names.starts_with(['/', '@']) => {
                Self::Show(Wish {
                    namespaces: Some(namespaces(names)),
                    ..Wish::default()
                })
            }
            _ => Self::Show(Wish::parse(text, groups)?),
        };
        Ok(Some(command))
    }
}

impl Wish {
    fn parse(text: &str, groups: &Groups) -> Result<Self, String> {
        // A filter may have spaces: it goes to the end.
        let filter = text.find(" /").map(|at| text.split_at(at));
        let (text, filter) = filter.map_or((text, ""), |(before, rest)| (before, &rest[2..]));
        let mut wish = Self {
            filter: filter.trim().to_owned(),
            ..Self::default()
        };
        let mut labels = false;
        for word in text.split_whitespace() {
            if std::mem::take(&mut labels) {
                wish.labels = word.to_owned();
            } else if word == "-l" {
                labels = true;
            } else if word == "-A" {
                wish.namespaces = Some(Vec::new());
            } else if let Some(names) = word.strip_prefix('@') {
                wish.clusters = Some(chosen(names, groups)?);
            } else if wish.word.is_none() {
                wish.word = Some(word.to_owned());
            } else if word.contains('=') {
                wish.labels = word.to_owned();
            } else {
                wish.namespaces = Some(namespaces(word));
            }
        }
        Ok(wish)
    }
}

/// `a,b`, or `all`.
fn namespaces(text: &str) -> Vec<String> {
    match text {
        "all" | "*" | "-" => Vec::new(),
        names => names
            .split(',')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
    }
}

/// Names of clusters for words of which each is a group first, else a name or a pattern. Empty for all.
///
/// # Errors
/// When one is none of these.
pub fn chosen(text: &str, groups: &Groups) -> Result<Vec<String>, String> {
    let words: Vec<String> = text
        .split(',')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words_of(&words, groups)
}

/// The same for words that are apart already, in which a group may have its `@`.
///
/// # Errors
/// When one is none of these.
pub fn words_of(words: &[String], groups: &Groups) -> Result<Vec<String>, String> {
    let mut chosen = Vec::new();
    for word in words {
        let (excluded, name) = word
            .strip_prefix('!')
            .map_or(("", word.as_str()), |name| ("!", name));
        match (groups.get(name.trim_start_matches('@')), name) {
            (Some(members), _) => {
                chosen.extend(members.iter().map(|member| format!("{excluded}{member}")));
            }
            (None, "all" | "*") if excluded.is_empty() => return Ok(Vec::new()),
            (None, name) if name.starts_with('@') => {
                return Err(format!(
                    "there is no group {name:?} in the configuration file"
                ));
            }
            (None, _) => chosen.push(word.clone()),
        }
    }
    match Clusters::new(&chosen) {
        Ok(_) => Ok(chosen),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn groups() -> Groups {
        let prod = vec!["east".to_owned(), "west-*".to_owned()];
        Groups::from([("prod".to_owned(), prod)])
    }

    fn read(text: &str) -> String {
        let wish = match Command::parse(text, &groups()) {
            Ok(Some(Command::Show(wish))) => wish,
            other => return format!("{other:?}"),
        };
        let list =
            |words: Option<Vec<String>>| words.map_or("-".to_owned(), |words| words.join(","));
        let word = wish.word.unwrap_or("-".to_owned());
        let (namespaces, clusters) = (list(wish.namespaces), list(wish.clusters));
        format!(
            "{word} ns={namespaces} cl={clusters} l={} f={}",
            wish.labels, wish.filter
        )
    }

    #[test]
    fn as_k9s_has_them_and_with_clusters() {
        for (text, want) in [
            ("pods", "pods ns=- cl=- l= f="),
            ("deploy kube-system", "deploy ns=kube-system cl=- l= f="),
            ("pods shop,pay", "pods ns=shop,pay cl=- l= f="),
            ("pods all", "pods ns= cl=- l= f="),
            ("pods -A", "pods ns= cl=- l= f="),
            ("pods shop /web 1", "pods ns=shop cl=- l= f=web 1"),
            ("pods app=web,tier=x", "pods ns=- cl=- l=app=web,tier=x f="),
            ("pods -l app shop", "pods ns=shop cl=- l=app f="),
            ("pods @north", "pods ns=- cl=north l= f="),
            ("pods @prod,north", "pods ns=- cl=east,west-*,north l= f="),
            ("@prod", "- ns=- cl=east,west-* l= f="),
            ("@!prod", "- ns=- cl=!east,!west-* l= f="),
            ("@all", "- ns=- cl= l= f="),
            ("ctx east west", "- ns=- cl=east,west l= f="),
            ("ns shop,pay", "- ns=shop,pay cl=- l= f="),
            ("ns all", "- ns= cl=- l= f="),
            ("ns", "ns ns=- cl=- l= f="),
            ("ns @east", "ns ns=- cl=east l= f="),
            ("ctx", "Ok(Some(Pick))"),
            ("clusters", "Ok(Some(Hub(Clusters)))"),
            ("clusters east", "- ns=- cl=east l= f="),
            ("works", "Ok(Some(Hub(Works(None))))"),
            ("placements", "Ok(Some(Hub(Placements)))"),
            ("q", "Ok(Some(Quit))"),
            ("  ", "Ok(None)"),
        ] {
            assert_eq!(read(text), want, "{text}");
        }
    }

    #[test]
    fn a_group_that_is_none_is_told() {
        let error = words_of(&["@nosuch".to_owned()], &groups()).unwrap_err();
        assert!(error.contains("nosuch"), "{error}");
        assert!(Command::parse("@a\u{7}b", &groups()).is_err());
    }

    proptest! {
        #[test]
        fn nothing_that_is_typed_panics(text in "\\PC{0,24}") {
            let _ = Command::parse(&text, &groups());
        }
    }
}
