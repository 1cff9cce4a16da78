//! The objects of one resource, of all clusters that are meant.

use super::target::Target;
use crate::tui::event::{Age, FeedId};
use crate::tui::grid::{Field, Grid, ObjectId, Only};
use crate::tui::object;
use bytes::Bytes;
use mqtt_informer::informer::{Clusters, Freshness, Obstacle, Progress, StreamState};
use mqtt_informer::protocol::message::{Selection, View};
use mqtt_informer::protocol::names::ClusterName;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Three lists of what is used have not come.
const OLD_FIGURES: Duration = Duration::from_secs(50);

/// What a table shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableSpec {
    /// The type, as a person words it; each cluster resolves it.
    pub word: String,
    /// Empty for all.
    pub namespaces: Vec<String>,
    /// The clusters, as words that [`mqtt_informer::informer::Clusters`] reads; empty for all.
    pub clusters: Vec<String>,
    /// A label selector, or nothing.
    pub labels: String,
    /// A field selector, or nothing.
    pub fields: String,
    /// Of those that come.
    pub only: Only,
    /// Whose they are, if one came here from another object: `deployment/web`.
    pub of: String,
    /// The filter.
    pub filter: String,
}

/// What one cluster's stream is doing.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// As the informer tells it.
    pub state: StreamState,
    /// How fresh its copy is.
    pub age: Age,
    /// Its copy was told: what comes is news.
    pub is_told: bool,
    /// It is followed.
    pub is_joined: bool,
    /// The keys of rows that are shown although they were not told: they are from an earlier copy, and those that are
    /// not in the one that comes are gone.
    pub kept: BTreeSet<Bytes>,
}

/// See the module.
#[derive(Debug)]
pub struct TableView {
    /// What it shows.
    pub spec: TableSpec,
    /// The clusters that are watched.
    pub watched: Clusters,
    /// By what it is fed: one for each namespace.
    pub feeds: Vec<FeedId>,
    /// The rows.
    pub grid: Grid,
    /// What each cluster's stream does.
    pub streams: BTreeMap<(FeedId, ClusterName), Stream>,
    /// Those who have not joined are not there.
    pub is_discovered: bool,
    /// The columns of wide output, too.
    pub is_wide: bool,
    /// How many columns are hidden on the left, of those that can be.
    pub left: usize,
    /// What is wrong with the filter.
    pub wrong: Option<String>,
    /// By what its figures are fed.
    pub figures: Figures,
}

/// By what a table's figures are fed, beside its rows, and how old they are.
#[derive(Debug, Default)]
pub struct Figures {
    /// What is used: one feed for each of the table's; none before it is known what the rows are of.
    pub used: Vec<FeedId>,
    /// What that is measured by, where that is wanted.
    pub bounds: Vec<FeedId>,
    /// How old what is used is: of each of these feeds.
    pub ages: BTreeMap<(FeedId, ClusterName), Age>,
}

/// How far a table is: what is said while not all is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loading {
    /// Clusters that are followed.
    pub clusters: usize,
    /// Those whose copy is whole.
    pub synced: usize,
    /// Those that refuse, with their words.
    pub refused: BTreeMap<ClusterName, String>,
    /// Items that were listed so far.
    pub listed: u64,
    /// Bytes that came so far.
    pub received: u64,
    /// Clusters of which nothing was heard.
    pub silent: usize,
}

impl TableView {
    /// An empty one.
    pub fn new(spec: TableSpec, feeds: Vec<FeedId>) -> Self {
        Self {
            grid: Grid::new(spec.only.clone()),
            spec,
            watched: Clusters::default(),
            feeds,
            streams: BTreeMap::new(),
            is_discovered: false,
            is_wide: false,
            left: 0,
            wrong: None,
            figures: Figures::default(),
        }
    }

    /// What is asked of each cluster, for each of the feeds.
    pub fn selections(spec: &TableSpec) -> Vec<Selection> {
        let of = |namespace: &str| Selection {
            resource: spec.word.clone(),
            namespace: namespace.to_owned(),
            labels: spec.labels.clone(),
            fields: spec.fields.clone(),
            view: View::Rows,
            ..Selection::default()
        };
        match spec.namespaces.as_slice() {
            [] => vec![of("")],
            some => some.iter().map(|namespace| of(namespace)).collect(),
        }
    }

    /// `pods`, or whatever was typed until a cluster has said what that is.
    pub fn plural(&self) -> &str {
        let known = self.grid.resource();
        known.map_or(self.spec.word.as_str(), |resource| &resource.plural)
    }

    /// Its type for another question to the same cluster: `deployments.v1.apps`.
    pub fn resource_word(&self) -> String {
        match self.grid.resource() {
            Some(it) if it.group.is_empty() => it.plural.clone(),
            Some(it) => format!("{}.{}.{}", it.plural, it.version, it.group),
            None => self.spec.word.clone(),
        }
    }

    /// The same of one cluster, which may have another version of it than the others.
    fn resource_word_of(&self, cluster: &ClusterName) -> String {
        let mut its = self
            .streams_of(cluster)
            .map(|stream| &stream.state.resource);
        let known = its.find(|word| !word.is_empty());
        known.map_or_else(|| self.resource_word(), |word| asked_again(word))
    }

    /// The same for several clusters, each of which may have another version of it: `deployments.apps`.
    pub fn word_of_all(&self) -> String {
        match self.grid.resource() {
            Some(it) if !it.group.is_empty() => format!("{}.{}", it.plural, it.group),
            _ => self.resource_word(),
        }
    }

    /// The object that is selected.
    pub fn target(&self) -> Option<Target> {
        self.target_of(self.grid.selected()?)
    }

    /// An object, whether it is shown or not.
    pub fn target_of(&self, id: ObjectId) -> Option<Target> {
        let value = self.grid.value_of(&id)?;
        let resource = self.grid.resource()?;
        Some(Target {
            resource: self.resource_word_of(&id.cluster),
            plural: resource.plural.clone(),
            kind: resource.kind.clone(),
            id: Some(id),
            uid: object::uid(value),
            owner: object::owner(value),
        })
    }

    /// What it is called in the line that says where one is.
    pub fn crumb(&self) -> String {
        match self.spec.of.as_str() {
            "" => self.plural().to_owned(),
            of => format!("{} of {of}", self.plural()),
        }
    }

    /// The columns to show, the first ones of which say whose row it is where that is not said by itself.
    pub fn fields(&self, with_cluster: bool) -> Vec<Field> {
        let namespaced = self
            .grid
            .resource()
            .is_none_or(|resource| resource.namespaced);
        let with_namespace = namespaced && self.spec.namespaces.len() != 1;
        let is_shown = |at: &usize| {
            let column = self.grid.columns().get(*at);
            column.is_some_and(|column| self.is_wide || !column.wide_only)
        };
        let before = [
            (Field::Cluster, with_cluster),
            (Field::Namespace, with_namespace),
        ];
        let before = before
            .into_iter()
            .filter_map(|(field, is_shown)| is_shown.then_some(field));
        before
            .chain(
                self.in_order()
                    .into_iter()
                    .filter(is_shown)
                    .map(Field::Column),
            )
            .collect()
    }

    /// The columns: figures stand before the age, as in k9s, and only where there are some.
    fn in_order(&self) -> Vec<usize> {
        let columns = self.grid.columns();
        let all = 0..columns.len();
        let (figures, mut rest): (Vec<_>, Vec<_>) = all.partition(|at| self.grid.is_figure(*at));
        if self.grid.has_figures() {
            let is_age = |at: &usize| columns[*at].name.eq_ignore_ascii_case("age");
            let before = rest.iter().position(is_age).unwrap_or(rest.len());
            rest.splice(before..before, figures);
        }
        rest
    }

    /// All that it is fed by.
    pub fn all_feeds(&self) -> Vec<FeedId> {
        let Figures { used, bounds, .. } = &self.figures;
        [&self.feeds, used, bounds]
            .into_iter()
            .flatten()
            .copied()
            .collect()
    }

    /// The same selections, of another resource: what its figures are made of.
    pub fn selections_of(&self, resource: &str, view: View) -> Vec<Selection> {
        let of = |selection| Selection {
            resource: resource.to_owned(),
            // Metrics cannot be selected by pods' fields.
            fields: String::new(),
            view,
            ..selection
        };
        Self::selections(&self.spec).into_iter().map(of).collect()
    }

    /// Whether a cluster's figures are as fresh as figures are: they are listed every 15 s, and never watched.
    pub fn has_fresh_figures(&self, cluster: &ClusterName, at: Duration) -> bool {
        let used = self.figures.used.iter();
        let ages = used.filter_map(|feed| self.figures.ages.get(&(*feed, cluster.clone())));
        let Some(age) = ages.copied().reduce(Age::or_worse) else {
            return true;
        };
        let old = age.old.map(|old| old + at.saturating_sub(age.told));
        old.is_some_and(|old| old < OLD_FIGURES)
    }

    /// The worst that its streams say of a cluster; none if it is not followed.
    pub fn age(&self, cluster: &ClusterName) -> Option<Age> {
        self.streams_of(cluster)
            .map(|stream| stream.age)
            .reduce(Age::or_worse)
    }

    /// Whether a cluster has told its rows, or what it told last time is shown.
    pub fn is_told(&self, cluster: &ClusterName) -> bool {
        let age = self.age(cluster);
        age.is_some_and(|age| age.freshness != Freshness::Unknown)
    }

    /// Whether a cluster refuses what is asked of it.
    pub fn is_refused(&self, cluster: &ClusterName) -> bool {
        self.streams_of(cluster)
            .any(|stream| refusal(&stream.state).is_some())
    }

    /// One for each feed. By their keys: with hundreds of clusters this is asked for each of them, for each frame.
    fn streams_of(&self, cluster: &ClusterName) -> impl Iterator<Item = &Stream> {
        let feeds = self.feeds.iter();
        feeds.filter_map(|feed| self.streams.get(&(*feed, cluster.clone())))
    }

    /// The clusters that are followed.
    pub fn clusters(&self) -> Vec<&ClusterName> {
        let mut names: Vec<_> = self.streams.keys().map(|(_, name)| name).collect();
        names.sort();
        names.dedup();
        names
    }

    /// How far it is.
    pub fn loading(&self) -> Loading {
        let mut loading = Loading {
            clusters: self.clusters().len(),
            ..Loading::default()
        };
        let mut unsynced = BTreeSet::new();
        for ((_, cluster), stream) in &self.streams {
            if stream.state.synced {
                continue;
            }
            unsynced.insert(cluster);
            match (&stream.state.progress, refusal(&stream.state)) {
                (_, Some(why)) => _ = loading.refused.insert(cluster.clone(), why),
                (Progress::Listing(items), _) => loading.listed += items,
                (Progress::Receiving(bytes), _) => loading.received += bytes,
                (Progress::Silent, _) => loading.silent += 1,
                (Progress::Refused { .. } | Progress::Synced, _) => {}
            }
        }
        loading.synced = loading.clusters - unsynced.len();
        loading
    }
}

/// What a word was resolved to, as a word: `pods.v1` would be read as a type of the group `v1`.
fn asked_again(resolved: &str) -> String {
    let mut parts = resolved.splitn(3, '.');
    let plural = parts.next().unwrap_or_default();
    let has_group = parts.nth(1).is_some();
    let word = if has_group { resolved } else { plural };
    word.to_owned()
}

/// Why a stream has no answer, and will have none before something changes.
pub fn refusal(state: &StreamState) -> Option<String> {
    if state.synced {
        return None;
    }
    match &state.progress {
        Progress::Refused { message, .. } => Some(message.clone()),
        _ => state.obstacle.as_ref().map(Obstacle::to_string),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_as_fresh_as_its_worst_stream() {
        let name = ClusterName::new("east").unwrap();
        let mut table = TableView::new(TableSpec::default(), vec![FeedId(1), FeedId(2)]);
        let secs = Duration::from_secs;
        for (feed, freshness, old) in [(1, Freshness::Fresh, 1), (2, Freshness::Stale, 9)] {
            let age = Age {
                freshness,
                lasts: secs(feed),
                old: Some(secs(old)),
                ..Age::default()
            };
            let stream = Stream {
                age,
                ..Stream::default()
            };
            table.streams.insert((FeedId(feed), name.clone()), stream);
        }
        let age = table.age(&name).unwrap();
        let told = (age.freshness, age.lasts, age.old);
        assert_eq!(told, (Freshness::Stale, secs(2), Some(secs(9))));
        assert_eq!(table.clusters().len(), 1);
        assert_eq!(table.loading().synced, 0);
    }

    #[test]
    fn a_cluster_that_refuses_two_namespaces_is_one_cluster() {
        let mut table = TableView::new(TableSpec::default(), vec![FeedId(1), FeedId(2)]);
        let refused = StreamState {
            progress: Progress::Refused {
                code: 403,
                reason: "Forbidden".to_owned(),
                message: "no".to_owned(),
            },
            ..StreamState::default()
        };
        for (cluster, state) in [("east", refused), ("west", StreamState::default())] {
            for feed in &table.feeds {
                let stream = Stream {
                    state: state.clone(),
                    ..Stream::default()
                };
                let name = ClusterName::new(cluster).unwrap();
                table.streams.insert((*feed, name), stream);
            }
        }
        let loading = table.loading();
        assert_eq!((loading.clusters, loading.refused.len()), (2, 1));
    }

    #[test]
    fn what_a_word_was_resolved_to_can_be_asked_for() {
        for (resolved, word) in [
            ("deployments.v1.apps", "deployments.v1.apps"),
            (
                "certificates.v1beta1.cert-manager.io",
                "certificates.v1beta1.cert-manager.io",
            ),
            ("pods.v1", "pods"),
        ] {
            assert_eq!(asked_again(resolved), word);
        }
    }
}
