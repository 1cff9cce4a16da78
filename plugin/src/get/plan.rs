//! What a `get` asks for, checked as kubectl checks it.
//!
//! The rules and the words are those of `k8s.io/cli-runtime/pkg/resource` (builder.go) and of kubectl's get.go. What
//! a word like `po` means is found out at each source.

use super::namespaces::Namespaces;
use crate::filter::Filter;
use crate::print::objects::Format;
use crate::print::table::TableOptions;
use mqtt_informer::protocol::message::{Selection, View};
use mqtt_informer::protocol::names::ClusterName;
use std::time::Duration;

/// How answers are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A table.
    #[default]
    Table,
    /// A table with all columns.
    Wide,
    /// Whole objects.
    Objects(Format),
    /// `pod/web`.
    Name,
}

impl Form {
    /// Whole objects, not rows.
    pub fn is_objects(self) -> bool {
        matches!(self, Self::Objects(_))
    }

    /// kubectl says on stderr that nothing was found for tables; an empty List says so itself, and no names are none.
    pub fn says_when_empty(self) -> bool {
        matches!(self, Self::Table | Self::Wide)
    }
}

/// One stream of each cluster: a resource, and perhaps the one object of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The user's word for the resource.
    pub word: String,
    /// The object's name.
    pub name: Option<String>,
}

/// What was asked for, apart from the clusters.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// In the order in which they are printed.
    pub targets: Vec<Target>,
    /// In which namespaces.
    pub namespaces: Namespaces,
    /// A label selector, or empty.
    pub labels: String,
    /// A field selector, or empty.
    pub fields: String,
    /// Which rows are printed.
    pub filter: Option<Filter>,
    /// How to print.
    pub form: Form,
    /// No line of headers.
    pub no_headers: bool,
    /// A column of all labels.
    pub show_labels: bool,
    /// A column for each of these labels.
    pub label_columns: Vec<String>,
    /// Keep managedFields in objects.
    pub managed_fields: bool,
    /// Go on with changes; or with changes only.
    pub watch: Option<Watch>,
    /// For how long a cluster may be silent.
    pub timeout: Duration,
    /// For how long the whole may last.
    pub request_timeout: Option<Duration>,
    /// Clusters that could not be read do not make it a failure.
    pub allow_partial: bool,
    /// How the clusters are reached.
    pub way: Way,
}

/// How clusters are reached: what is said of one that is silent depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// Through a broker, by the syncer of each.
    #[default]
    Broker,
    /// By their kubeconfig contexts, from this process.
    Direct,
}

/// What `-w` and `--watch-only` print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// What there is, then each change.
    ListFirst,
    /// Changes only.
    ChangesOnly,
}

/// What kubectl says to words that it cannot make sense of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlan {
    /// No words.
    #[error(
        "Required resource not specified.\n\
         Use \"kubectl explain <resource>\" for a detailed description of that resource (e.g. kubectl explain pods).\n\
         See 'kubectl get -h' for help and examples"
    )]
    NoType,
    /// Some words have a slash, some do not.
    #[error(
        "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form \
         (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'"
    )]
    MixedForms,
    /// `a/b/c`.
    #[error("arguments in resource/name form may not have more than one slash")]
    Slashes,
    /// `/b`, `a/`, `a,b/c`.
    #[error("arguments in resource/name form must have a single resource and name")]
    Pair,
    /// `pods -l a=b web`.
    #[error("name cannot be provided when a selector is specified")]
    NameAndSelector,
    /// `pods/web -l a=b`.
    #[error("selectors and the all flag cannot be used when passing resource/name arguments")]
    PairAndSelector,
    /// `-w` with several types.
    #[error("you may only specify a single resource type")]
    WatchTypes,
    /// `-w` with several names.
    #[error("you may only watch a single resource or type of resource at a time")]
    WatchNames,
    /// `--filter A=b -o json`.
    #[error(
        "--filter chooses among printed columns, and whole objects have none: \
         choose by --selector, --field-selector, or with jq"
    )]
    FilterObjects,
    /// `--show-labels -o json`.
    #[error("--show-labels option cannot be used with {0} printer")]
    ShowLabels(&'static str),
}

impl Plan {
    /// Reads the words into targets and checks them against the flags.
    ///
    /// # Errors
    /// As kubectl words them.
    pub fn with_words(mut self, words: &[String]) -> Result<Self, InvalidPlan> {
        if let Form::Objects(format) = self.form
            && self.show_labels
        {
            let printer = match format {
                Format::Json => "json",
                Format::Yaml => "yaml",
            };
            return Err(InvalidPlan::ShowLabels(printer));
        }
        if self.form == Form::Name && self.show_labels {
            return Err(InvalidPlan::ShowLabels("name"));
        }
        if self.form.is_objects() && self.filter.is_some() {
            return Err(InvalidPlan::FilterObjects);
        }
        let pairs = words.iter().any(|word| word.contains('/'));
        self.targets = targets(words)?;
        let selective = !self.labels.is_empty() || !self.fields.is_empty();
        if selective && self.targets.iter().any(|target| target.name.is_some()) {
            let several = words.first().is_some_and(|types| types.contains(','));
            return Err(if pairs || several {
                InvalidPlan::PairAndSelector
            } else {
                InvalidPlan::NameAndSelector
            });
        }
        if self.watch.is_some() {
            let first = &self.targets[0].word;
            match self.targets.iter().all(|target| target.word == *first) {
                false => return Err(InvalidPlan::WatchTypes),
                true if self.targets.len() > 1 => return Err(InvalidPlan::WatchNames),
                true => {}
            }
        }
        Ok(self)
    }

    /// The stream of a target in a cluster.
    pub fn selection(&self, target: &Target, cluster: &ClusterName) -> Selection {
        let fields = match &target.name {
            Some(name) => format!("metadata.name={}", escaped(name)),
            None => self.fields.clone(),
        };
        Selection {
            resource: target.word.clone(),
            namespace: self.namespaces.of(cluster).to_owned(),
            labels: self.labels.clone(),
            fields,
            view: if self.form.is_objects() {
                View::Objects
            } else {
                View::Rows
            },
            managed_fields: self.managed_fields,
            secret_values: false,
        }
    }

    /// Whether exactly one object was asked for: then it is printed by itself, not in a List.
    pub fn single_object(&self) -> bool {
        matches!(self.targets.as_slice(), [target] if target.name.is_some())
    }

    /// What tables show beside the API server's columns.
    pub fn table_options(&self) -> TableOptions {
        TableOptions {
            wide: self.form == Form::Wide,
            no_headers: self.no_headers,
            show_labels: self.show_labels,
            label_columns: self.label_columns.clone(),
            with_namespace: self.namespaces.one().is_none(),
            with_cluster: false,
            kind: None,
        }
    }
}

fn targets(words: &[String]) -> Result<Vec<Target>, InvalidPlan> {
    let (types, names) = words.split_first().ok_or(InvalidPlan::NoType)?;
    let types = unique(types);
    // Several types and names are pairs of each with each.
    let pairs: Vec<String> = match (types.len(), names) {
        (2.., [_, ..]) => types
            .iter()
            .flat_map(|word| names.iter().map(move |name| format!("{word}/{name}")))
            .collect(),
        _ => words.to_vec(),
    };
    let slashes = pairs.iter().filter(|word| word.contains('/')).count();
    if slashes > 0 {
        if slashes < pairs.len() {
            return Err(InvalidPlan::MixedForms);
        }
        return pairs.iter().map(|word| pair(word)).collect();
    }
    if names.is_empty() {
        let target = |word| Target { word, name: None };
        return Ok(types.into_iter().map(target).collect());
    }
    let word = &words[0];
    let target = |name: &String| Target {
        word: word.clone(),
        name: Some(name.clone()),
    };
    Ok(names.iter().map(target).collect())
}

fn pair(word: &str) -> Result<Target, InvalidPlan> {
    let (resource, name) = word.split_once('/').ok_or(InvalidPlan::Pair)?;
    if name.contains('/') {
        return Err(InvalidPlan::Slashes);
    }
    if resource.is_empty() || name.is_empty() || unique(resource).len() != 1 {
        return Err(InvalidPlan::Pair);
    }
    Ok(Target {
        word: resource.to_owned(),
        name: Some(name.to_owned()),
    })
}

/// The words between commas, each once.
fn unique(words: &str) -> Vec<String> {
    let mut unique: Vec<String> = Vec::new();
    for word in words.split(',') {
        if !unique.iter().any(|known| known == word) {
            unique.push(word.to_owned());
        }
    }
    unique
}

/// A field selector's value: `fields.EscapeValue` of apimachinery.
fn escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '\\' | ',' | '=') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(words: &str, change: impl FnOnce(&mut Plan)) -> Result<Vec<String>, InvalidPlan> {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let mut plan = Plan::default();
        change(&mut plan);
        let shown =
            |target: &Target| format!("{}:{}", target.word, target.name.as_deref().unwrap_or("*"));
        plan.with_words(&words)
            .map(|plan| plan.targets.iter().map(shown).collect())
    }

    fn targets(words: &str) -> Result<Vec<String>, InvalidPlan> {
        plan(words, |_| {})
    }

    #[test]
    fn words_as_kubectl_reads_them() {
        assert_eq!(targets("pods").unwrap(), ["pods:*"]);
        assert_eq!(targets("pods,svc,pods").unwrap(), ["pods:*", "svc:*"]);
        assert_eq!(targets("pods a b").unwrap(), ["pods:a", "pods:b"]);
        assert_eq!(
            targets("pods,svc a b").unwrap(),
            ["pods:a", "pods:b", "svc:a", "svc:b"]
        );
        assert_eq!(targets("pods/a svc/b").unwrap(), ["pods:a", "svc:b"]);
        assert_eq!(
            targets("deployments.v1.apps web").unwrap(),
            ["deployments.v1.apps:web"]
        );
    }

    #[test]
    fn words_that_kubectl_refuses() {
        assert_eq!(targets(""), Err(InvalidPlan::NoType));
        assert_eq!(targets("pods svc/a"), Err(InvalidPlan::MixedForms));
        assert_eq!(targets("pods/a b"), Err(InvalidPlan::MixedForms));
        assert_eq!(targets("a/b/c"), Err(InvalidPlan::Slashes));
        for words in ["/a", "a/", "a,b/c"] {
            assert_eq!(targets(words), Err(InvalidPlan::Pair), "{words}");
        }
        let labelled = |plan: &mut Plan| plan.labels = "a=b".to_owned();
        assert_eq!(plan("pods a", labelled), Err(InvalidPlan::NameAndSelector));
        assert_eq!(plan("pods/a", labelled), Err(InvalidPlan::PairAndSelector));
        assert_eq!(
            plan("pods,svc a", labelled),
            Err(InvalidPlan::PairAndSelector)
        );
        let watched = |plan: &mut Plan| plan.watch = Some(Watch::ListFirst);
        assert_eq!(plan("pods,svc", watched), Err(InvalidPlan::WatchTypes));
        assert_eq!(plan("pods a b", watched), Err(InvalidPlan::WatchNames));
        let json =
            |plan: &mut Plan| (plan.show_labels, plan.form) = (true, Form::Objects(Format::Json));
        assert_eq!(
            plan("pods", json).unwrap_err().to_string(),
            "--show-labels option cannot be used with json printer"
        );
        let filtered = |plan: &mut Plan| {
            plan.filter = crate::filter::parse("STATUS=Running").ok();
            plan.form = Form::Objects(Format::Yaml);
        };
        assert_eq!(plan("pods", filtered), Err(InvalidPlan::FilterObjects));
    }

    #[test]
    fn a_name_is_a_field_selector() {
        let plan = Plan::default()
            .with_words(&["pods".to_owned(), "a,b=c\\d".to_owned()])
            .unwrap();
        assert_eq!(
            plan.selection(&plan.targets[0], &ClusterName::new("east").unwrap())
                .fields,
            "metadata.name=a\\,b\\=c\\\\d"
        );
        assert!(plan.single_object());
    }
}
