//! What a `get` asks for, checked as kubectl checks it.
//!
//! The rules and the words are those of `k8s.io/cli-runtime/pkg/resource` (builder.go) and of kubectl's get.go. What
//! a word like `po` means is found out at each source.

use super::api_resources::Choice;
use super::namespaces::Namespaces;
use crate::filter::Filter;
use crate::filter::sort_column::SortColumn;
use crate::print::objects::Format;
use crate::print::sort::SortField;
use crate::print::table::TableOptions;
use crate::wait::Wait;
use mqtt_informer::protocol::message::{Selection, View};
use mqtt_informer::protocol::names::ClusterName;
use std::time::Duration;

/// How answers are printed.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// What clusters have, instead of objects.
    Catalog(Choice),
}

impl Form {
    /// Whole objects, not rows.
    pub fn is_objects(&self) -> bool {
        matches!(self, Self::Objects(_))
    }

    /// kubectl says on stderr that nothing was found for tables; an empty List says so itself, and no names are none.
    pub fn says_when_empty(&self) -> bool {
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
    /// Names in tables say their kind.
    pub show_kind: bool,
    /// Keep managedFields in objects.
    pub managed_fields: bool,
    /// The order of what is listed; that of the API servers' keys otherwise.
    pub sort: Option<SortField>,
    /// The column that the rows of tables are sorted by; then there is no `sort`.
    pub sort_column: Option<SortColumn>,
    /// A watch prints events: what became of each object.
    pub events: bool,
    /// An object that was named and does not exist is no error, and nothing at all needs no word.
    pub ignore_not_found: bool,
    /// Go on with changes; or with changes only.
    pub watch: Option<Watch>,
    /// Wait until objects are as wanted, and print that.
    pub wait: Option<Wait>,
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
    /// `--sort-by AGE -o json`.
    #[error(
        "--sort-by {0} is a column of a table, and there is none here: \
         sort by a field such as .metadata.creationTimestamp"
    )]
    SortObjects(String),
    /// `--filter A=b --sort-by .c -o name`.
    #[error(
        "--filter and --sort-by with a field cannot be used together for names: \
         sort by a column, such as AGE, or choose by --selector"
    )]
    FilterSortedNames,
    /// `get pods ""`.
    #[error("resource name may not be empty")]
    NoName,
    /// `get pods a%b`.
    #[error("invalid resource name {0:?}: [{1}]")]
    Name(String, String),
    /// `--show-labels -o json`.
    #[error("--show-labels option cannot be used with {0} printer")]
    ShowLabels(String),
    /// `all web`.
    #[error("you must specify only one resource")]
    SeveralTypes,
    /// `--output-watch-events` without a watch.
    #[error("--output-watch-events option can only be used with --watch or --watch-only")]
    EventsWithoutWatch,
}

impl Plan {
    /// Reads the words into targets and checks them against the flags.
    ///
    /// # Errors
    /// As kubectl words them.
    pub fn with_words(mut self, words: &[String]) -> Result<Self, InvalidPlan> {
        if self.events && self.watch.is_none() {
            return Err(InvalidPlan::EventsWithoutWatch);
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
            let is_one = self.targets.iter().all(|target| target.word == *first);
            match is_one && first != "all" {
                false => return Err(InvalidPlan::WatchTypes),
                true if self.targets.len() > 1 => return Err(InvalidPlan::WatchNames),
                true => {}
            }
        }
        Ok(self)
    }

    /// How many streams of a cluster this needs: one for each target, and for a table that is sorted as many again, of
    /// the objects beside the rows.
    pub fn streams(&self) -> usize {
        let beside = self.sort.is_some() && !self.form.is_objects();
        self.targets.len() * (1 + usize::from(beside))
    }

    /// Whether what is printed has an order of its own.
    pub fn is_sorted(&self) -> bool {
        self.sort.is_some() || self.sort_column.is_some()
    }

    /// What clusters have: one stream of each, which is of no resource.
    pub fn of_catalogs(self, choice: Choice) -> Self {
        let target = Target {
            word: String::new(),
            name: None,
        };
        Self {
            targets: vec![target],
            namespaces: Namespaces::All,
            form: Form::Catalog(choice),
            labels: String::new(),
            fields: String::new(),
            sort: None,
            sort_column: None,
            watch: None,
            ..self
        }
    }

    /// Whether its first word may be a category, which stands for types that have to be found out first.
    pub fn may_have_categories(&self, words: &[String]) -> bool {
        let is_pair = |word: &String| word.contains('/');
        let pairs = words.iter().any(is_pair) || (words.len() > 1 && words[0].contains(','));
        let lists = self.watch.is_none() && self.wait.is_none();
        lists && !pairs && !matches!(self.form, Form::Catalog(_))
    }

    /// One of these streams: first the targets', then those of the objects beside them.
    pub fn stream(&self, index: usize, cluster: &ClusterName) -> Option<Selection> {
        if let Some(target) = self.targets.get(index) {
            return Some(self.selection(target, cluster));
        }
        let target = self.targets.get(index.checked_sub(self.targets.len())?)?;
        Some(Selection {
            view: View::Objects,
            ..self.selection(target, cluster)
        })
    }

    /// The stream of a target in a cluster.
    pub fn selection(&self, target: &Target, cluster: &ClusterName) -> Selection {
        let managed_fields = match &self.form {
            Form::Objects(format) => {
                format.shows_managed_fields() || self.events || self.managed_fields
            }
            _ => false,
        };
        let fields = match &target.name {
            Some(name) => format!("metadata.name={}", escaped(name)),
            None => self.fields.clone(),
        };
        Selection {
            resource: target.word.clone(),
            namespace: self.namespaces.of(cluster).to_owned(),
            labels: self.labels.clone(),
            fields,
            view: match self.form {
                _ if self.wait.is_some() => View::Objects,
                Form::Objects(_) => View::Objects,
                Form::Catalog(_) => View::Resources,
                Form::Table | Form::Wide | Form::Name => View::Rows,
            },
            managed_fields,
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
            with_event: self.events,
            kind: None,
        }
    }
}

fn targets(words: &[String]) -> Result<Vec<Target>, InvalidPlan> {
    let targets = named(words)?;
    let names = targets.iter().filter_map(|target| target.name.as_deref());
    names.clone().try_for_each(check_name)?;
    Ok(targets)
}

/// What can be part of a URL's path (`IsValidPathSegmentName` of `k8s.io/apimachinery/pkg/api/validation/path`).
fn check_name(name: &str) -> Result<(), InvalidPlan> {
    let wrong = |why: &str| Err(InvalidPlan::Name(name.to_owned(), why.to_owned()));
    match name {
        "" => Err(InvalidPlan::NoName),
        "." => wrong("may not be '.'"),
        ".." => wrong("may not be '..'"),
        name if name.contains('%') => wrong("may not contain '%'"),
        _ => Ok(()),
    }
}

fn named(words: &[String]) -> Result<Vec<Target>, InvalidPlan> {
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
    fn names_that_kubectl_refuses() {
        let of = |name: &str| {
            let words = ["pods".to_owned(), name.to_owned()];
            let refused = Plan::default().with_words(&words).err();
            refused.map(|why| why.to_string()).unwrap_or_default()
        };
        assert_eq!(of(""), "resource name may not be empty");
        assert_eq!(of("."), "invalid resource name \".\": [may not be '.']");
        assert_eq!(
            of("a%b"),
            "invalid resource name \"a%b\": [may not contain '%']"
        );
        assert_eq!(of("web.1"), "");
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
        let events = |plan: &mut Plan| plan.events = true;
        assert_eq!(plan("pods", events), Err(InvalidPlan::EventsWithoutWatch));
    }

    #[test]
    fn a_sorted_table_needs_the_objects_too() {
        let mut plan = Plan {
            sort: SortField::parse(".a", false).ok(),
            ..Plan::default()
        };
        plan.targets = super::targets(&["pods,svc".to_owned()]).unwrap();
        let east = ClusterName::new("east").unwrap();
        let streams: Vec<_> = (0..plan.streams() + 1)
            .map(|index| {
                plan.stream(index, &east)
                    .map(|stream| (stream.resource, stream.view))
            })
            .collect();
        let stream = |word: &str, view| Some((word.to_owned(), view));
        assert_eq!(
            streams,
            [
                stream("pods", View::Rows),
                stream("svc", View::Rows),
                stream("pods", View::Objects),
                stream("svc", View::Objects),
                None
            ]
        );
        plan.form = Form::Objects(Format::Json);
        assert_eq!(plan.streams(), 2);
    }

    #[test]
    fn whole_objects_have_no_columns_to_filter_by() {
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
