//! Of which clusters and resources a search is, and how fresh what the store has of them is. Pure.
//!
//! A cluster that was meant is never silently absent: it is in the list with what is known of it, or a warning says that
//! nothing fits.

use super::kinds::{self, Known};
use super::problem::Problem;
use super::query::Query;
use super::reader::Reader;
use crate::controlplane::STALE_MS;
use crate::informer;
use crate::kubernetes::duration::human;
use crate::protocol::message::View;
use crate::protocol::names::ClusterName;
use crate::store::{Clusters, GroupResource, Stream};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a search is of.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) clusters: Clusters,
    /// None for all.
    pub(super) resources: Vec<GroupResource>,
    pub(super) known: BTreeMap<GroupResource, Known>,
    pub(super) states: Vec<Standing>,
    pub(super) warnings: Vec<String>,
}

/// How what is kept of a cluster stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standing {
    name: String,
    state: State,
    proven: Option<Timestamp>,
    /// Resources of which nothing, or not everything, is here.
    missing: Vec<String>,
}

/// The worst of a cluster's resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// As the cluster is now.
    Fresh,
    /// Of a moment in the past: it was whole then. How fresh it was then is not recorded.
    Kept,
    /// As it was when it was last heard.
    Stale,
    /// Not all of it is here yet.
    Incomplete,
    /// Nothing of it is kept.
    Missing,
    /// Nothing of that name is kept, or may be read.
    Unknown,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Kept => "kept",
            Self::Stale => "stale",
            Self::Incomplete => "incomplete",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
        }
    }
}

/// All words for states: the OpenAPI document lists them.
pub(super) const STATES: [&str; 6] = ["fresh", "kept", "stale", "incomplete", "missing", "unknown"];

impl Standing {
    pub(super) fn json(&self, now: Timestamp) -> Value {
        let ago = self.proven.map(|proven| {
            human(
                now.as_millisecond()
                    .saturating_sub(proven.as_millisecond())
                    .max(0),
            )
        });
        let mut json = json!({
            "name": self.name,
            "state": self.state.word(),
            "provenAgo": ago,
            "proven": self.proven.map(|at| at.to_string()),
        });
        if !self.missing.is_empty() {
            json["missing"] = self.missing.clone().into();
        }
        json
    }

    /// What of it is news to whoever watches.
    pub(super) fn news(&self) -> (&str, &'static str, &[String]) {
        (&self.name, self.state.word(), &self.missing)
    }
}

impl Scope {
    /// What a query is of, among these streams, for one who asks.
    ///
    /// # Errors
    /// When a word for a resource means none that may be read, or several.
    pub(super) fn of(
        query: &Query,
        streams: &[Stream],
        reader: &Reader,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let readable: Vec<&Stream> = streams
            .iter()
            .filter(|it| reader.may_read(it.key.cluster.as_str()))
            .collect();
        let known = kinds::known(readable.iter().copied());
        let resources = query
            .kinds
            .iter()
            .map(|word| Ok(kinds::resolve(word, &known)?.resource.clone()));
        let mut resources = resources.collect::<Result<Vec<_>, Problem>>()?;
        resources.sort();
        resources.dedup();
        let meant: BTreeSet<&ClusterName> = readable
            .iter()
            .map(|it| &it.key.cluster)
            .filter(|name| query.clusters.matches(name))
            .collect();
        let mut states: Vec<Standing> = meant
            .iter()
            .map(|name| {
                let of = readable
                    .iter()
                    .copied()
                    .filter(|it| it.key.cluster == **name);
                standing(name, of, &resources, query.at, now)
            })
            .collect();
        let unknown = query.clusters.named().filter(|name| !meant.contains(name));
        states.extend(unknown.map(|name| Standing {
            name: name.as_str().to_owned(),
            state: State::Unknown,
            proven: None,
            missing: Vec::new(),
        }));
        let everything = query.clusters == informer::Clusters::all();
        let warnings = match (states.is_empty(), everything) {
            (false, _) => Vec::new(),
            (true, true) => vec!["nothing of any cluster is kept here yet".to_owned()],
            (true, false) => vec!["no cluster that is kept here is meant by that".to_owned()],
        };
        Ok(Self {
            clusters: match everything && reader.may_read_all() {
                true => Clusters::All,
                false => Clusters::Some(meant.into_iter().cloned().collect()),
            },
            resources,
            known,
            states,
            warnings,
        })
    }

    pub(super) fn states_json(&self, now: Timestamp) -> Vec<Value> {
        self.states.iter().map(|it| it.json(now)).collect()
    }

    /// `pods`, `deployments.apps`: as messages name what it is of.
    pub(super) fn words(&self) -> String {
        match self.resources.as_slice() {
            [] => "objects".to_owned(),
            some => some
                .iter()
                .map(kinds::qualified)
                .collect::<Vec<_>>()
                .join(", "),
        }
    }
}

fn standing<'a>(
    name: &ClusterName,
    streams: impl Iterator<Item = &'a Stream>,
    resources: &[GroupResource],
    at: Option<Timestamp>,
    now: Timestamp,
) -> Standing {
    let mut found: BTreeMap<GroupResource, &Stream> = BTreeMap::new();
    for stream in streams.filter(|it| it.key.view == View::Objects) {
        let resource = GroupResource {
            group: stream.key.resource.group.clone(),
            plural: stream.key.resource.plural.clone(),
        };
        if resources.is_empty() || resources.contains(&resource) {
            found.insert(resource, stream);
        }
    }
    let absent = resources.iter().filter(|it| !found.contains_key(it));
    let mut missing: Vec<String> = absent.map(kinds::qualified).collect();
    let mut state = match missing.is_empty() && !found.is_empty() {
        true => State::Fresh,
        false => State::Missing,
    };
    for (resource, stream) in &found {
        let one = of_stream(stream, at, now);
        if one == State::Incomplete {
            missing.push(kinds::qualified(resource));
        }
        state = state.max(one);
    }
    Standing {
        name: name.as_str().to_owned(),
        state,
        proven: found.values().map(|stream| stream.proven).min().flatten(),
        missing,
    }
}

fn of_stream(stream: &Stream, at: Option<Timestamp>, now: Timestamp) -> State {
    let Some(synced) = stream.synced else {
        return State::Incomplete;
    };
    let proven = stream.proven.unwrap_or(synced);
    let unproven = at.unwrap_or(now).as_millisecond() - proven.as_millisecond();
    match at {
        Some(at) if synced > at => State::Incomplete,
        _ if unproven > STALE_MS => State::Stale,
        Some(_) => State::Kept,
        None => State::Fresh,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controlplane::search::parameters::Endpoint;
    use crate::store::StreamKey;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn stream(cluster: &str, resource: &str, synced: Option<i64>, proven: Option<i64>) -> Stream {
        Stream {
            key: StreamKey {
                cluster: ClusterName::new(cluster).unwrap(),
                resource: resource.parse().unwrap(),
                view: View::Objects,
            },
            header: Default::default(),
            synced: synced.map(at),
            proven: proven.map(at),
        }
    }

    fn scope(query: &str, reader: &Reader) -> Scope {
        let streams = [
            stream("a", "pods.v1", Some(10), Some(999)),
            stream("a", "nodes.v1", Some(10), Some(500)),
            stream("b", "pods.v1", None, None),
            stream("c", "nodes.v1", Some(10), Some(999)),
        ];
        let query = Query::parse(query, Endpoint::Search, at(1_000)).unwrap();
        Scope::of(&query, &streams, reader, at(1_000)).unwrap()
    }

    fn shown(query: &str, reader: &Reader) -> Vec<String> {
        let scope = scope(query, reader);
        scope
            .states
            .iter()
            .map(|it| format!("{} {} {}", it.name, it.state.word(), it.missing.join("+")))
            .collect()
    }

    #[test]
    fn every_cluster_that_is_meant_says_how_it_stands() {
        let all = Reader::of_everything();
        assert_eq!(
            shown("kind=pods", &all),
            ["a fresh ", "b incomplete pods", "c missing pods"]
        );
        assert_eq!(
            shown("", &all),
            ["a stale ", "b incomplete pods", "c fresh "]
        );
        assert_eq!(
            shown("kind=pods&cluster=a,zz", &all),
            ["a fresh ", "zz unknown "]
        );
        assert_eq!(
            shown("kind=nodes&at=1970-01-01T00:10:00Z&cluster=a,c", &all),
            ["a stale ", "c kept "]
        );
        assert_eq!(
            shown("kind=nodes&at=1970-01-01T00:00:05Z&cluster=c", &all),
            ["c incomplete nodes"]
        );
        assert_eq!(scope("cluster=x*", &all).warnings.len(), 1);
        assert_eq!(scope("", &all).clusters, Clusters::All);
    }

    #[test]
    fn what_may_not_be_read_is_as_if_it_were_not_there() {
        let reader = Reader::of(|cluster| cluster == "a");
        assert_eq!(shown("kind=pods", &reader), ["a fresh "]);
        assert_eq!(
            shown("kind=pods&cluster=a,b", &reader),
            ["a fresh ", "b unknown "]
        );
        let only_a = Clusters::one(ClusterName::new("a").unwrap());
        assert_eq!(
            scope("", &reader).clusters,
            only_a,
            "those that come later are not read either"
        );
    }
}
