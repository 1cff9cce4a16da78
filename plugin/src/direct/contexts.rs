//! Which contexts a command is about, and what their kubeconfig says of them.

use crate::get::cluster_selector::InvalidSelector;
use crate::get::{ClusterSelector, Groups, messages};
use mqtt_informer::kubernetes::{ConfigurationError, Kubeconfig};
use mqtt_informer::protocol::names::ClusterName;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The word for every context.
const ALL: &str = "all";

/// The contexts of a command; each is a cluster of its name.
#[derive(Clone, Debug)]
pub struct Contexts {
    pub(super) kubeconfig: Arc<Kubeconfig>,
    selector: ClusterSelector,
}

/// Why there is no context to look at: a line for stderr.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoContext {
    /// The kubeconfig cannot be read.
    #[error("error: {0}")]
    Unreadable(#[from] ConfigurationError),
    /// A word is no name and no pattern.
    #[error("error: {0}")]
    Invalid(#[from] InvalidSelector),
    /// Nothing is meant by the words.
    #[error("{0}")]
    NoneMeant(String),
    /// The file that was named is not there; kubectl's words.
    #[error("error: stat {}: {}", .0.display(), .1)]
    NoFile(PathBuf, String),
}

/// Where the kubeconfig is.
#[derive(Clone, Copy, Debug)]
pub enum Location<'a> {
    /// `--kubeconfig`: this one file, which has to be there.
    File(&'a Path),
    /// `KUBECONFIG`, or nothing.
    List(Option<&'a OsStr>),
}

impl Contexts {
    /// Reads the kubeconfig and chooses.
    ///
    /// # Errors
    /// When it cannot be read, or nothing is meant by the words.
    pub fn read(
        location: Location<'_>,
        words: &[String],
        groups: &Groups,
    ) -> Result<Self, NoContext> {
        let files = match location {
            Location::File(file) => {
                let not_there = |error: std::io::Error| {
                    // As Go words it: without the number.
                    let why = error.to_string().to_lowercase();
                    let why = why
                        .split(" (os error")
                        .next()
                        .unwrap_or_default()
                        .to_owned();
                    NoContext::NoFile(file.to_owned(), why)
                };
                std::fs::metadata(file).map_err(not_there)?;
                vec![file.to_owned()]
            }
            Location::List(list) => Kubeconfig::files(list),
        };
        Self::choose(Kubeconfig::read(&files)?, words, groups)
    }

    fn choose(
        kubeconfig: Kubeconfig,
        words: &[String],
        groups: &Groups,
    ) -> Result<Self, NoContext> {
        let everything = |word: &String| {
            if word == ALL {
                "*".to_owned()
            } else {
                word.clone()
            }
        };
        let words: Vec<_> = words.iter().map(everything).collect();
        let typed = ClusterSelector::new("--context", &words, groups)?;
        // One whose name cannot be shown can be reached under no other, and is left out.
        let known: Vec<_> = kubeconfig
            .contexts()
            .filter_map(|name| ClusterName::new(name).ok())
            .collect();
        if let Some(only) = typed.only()
            && !kubeconfig.has(only.as_str())
        {
            return Err(NoContext::NoneMeant(messages::missing_context(
                only.as_str(),
            )));
        }
        let selector = typed.among(&known);
        if selector.named().next().is_none() {
            let known: Vec<_> = known.iter().map(ClusterName::as_str).collect();
            let line = messages::no_context(&words.join(","), &known, kubeconfig.names());
            return Err(NoContext::NoneMeant(line));
        }
        Ok(Self {
            kubeconfig: Arc::new(kubeconfig),
            selector,
        })
    }

    /// The contexts, as a closed choice.
    pub fn selector(&self) -> &ClusterSelector {
        &self.selector
    }

    /// Each context's own namespace.
    pub fn namespaces(&self) -> BTreeMap<ClusterName, String> {
        let own = |name: &ClusterName| {
            (
                name.clone(),
                self.kubeconfig.namespace(name.as_str()).to_owned(),
            )
        };
        self.selector.named().map(own).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]
contexts:
- {name: kind-a, context: {cluster: c, namespace: shop}}
- {name: kind-b, context: {cluster: c}}
- {name: 'admin@eks', context: {cluster: c}}
- {name: \"evil\\e[2J\", context: {cluster: c}}
";

    fn chosen(words: &[&str]) -> Result<Contexts, String> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config");
        std::fs::write(&file, FILE).unwrap();
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        Contexts::read(Location::File(&file), &words, &Groups::new())
            .map_err(|error| error.to_string())
    }

    fn names(words: &[&str]) -> Vec<String> {
        let contexts = chosen(words).unwrap();
        contexts
            .selector()
            .named()
            .map(|name| name.as_str().to_owned())
            .collect()
    }

    #[test]
    fn all_globs_and_exclusions() {
        assert_eq!(names(&["all"]), ["admin@eks", "kind-a", "kind-b"]);
        assert_eq!(names(&["kind-*", "!kind-b"]), ["kind-a"]);
        assert_eq!(names(&["!kind-*"]), ["admin@eks"]);
        assert!(chosen(&["kind-a"]).unwrap().selector().only().is_some());
        assert!(chosen(&["*-a"]).unwrap().selector().only().is_none());
    }

    #[test]
    fn one_of_several_that_is_missing_is_told_by_its_own_line() {
        assert_eq!(names(&["kind-a", "missing"]), ["kind-a", "missing"]);
    }

    #[test]
    fn what_means_nothing() {
        for (words, want) in [
            (
                &["missing"][..],
                "Error in configuration: context was not found for specified context: missing",
            ),
            (
                &["gke-*"],
                "error: no context matches --context gke-*: known are kind-a, kind-b, admin@eks",
            ),
            (
                &["kind-a", "!*"],
                "error: no context matches --context kind-a,!*: known are kind-a, kind-b, admin@eks",
            ),
        ] {
            assert_eq!(chosen(words).unwrap_err(), want);
        }
    }

    #[test]
    fn each_has_its_own_namespace() {
        let own = chosen(&["kind-*"]).unwrap().namespaces();
        assert_eq!(own.into_values().collect::<Vec<_>>(), ["shop", "default"]);
    }

    #[test]
    fn a_file_that_was_named_has_to_be_there() {
        let location = Location::File(Path::new("/no/such"));
        let error = Contexts::read(location, &[], &Groups::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "error: stat /no/such: no such file or directory"
        );
    }
}
