//! What there is to serve: out of the streams that the store keeps. Pure but for the snapshot's refresh.
//!
//! A resource is served of a cluster once the store keeps a stream of it, in the version that the cluster's streams are
//! of. Its lists are served when the stream that they are made of (rows for tables, objects for all else) was whole.

use super::discovery::Shown;
use super::freshness::Copy;
use super::path::Resource;
use super::table::Columns;
use crate::protocol::message::View;
use crate::protocol::names::ClusterName;
use crate::protocol::rows::{Column, Header};
use crate::store::{Clusters, Error, Store, Stream};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A snapshot is used for so long.
const FRESH: Duration = Duration::from_millis(250);

/// What is known of one resource in one cluster.
#[derive(Clone, Debug, Default)]
struct OfCluster {
    header: Header,
    columns: Vec<Column>,
    rows: Option<Times>,
    objects: Option<Times>,
}

/// In ms since 1970.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    synced: Option<i64>,
    proven: Option<i64>,
}

/// What all clusters have, at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Kinds {
    clusters: BTreeMap<ClusterName, BTreeMap<Resource, OfCluster>>,
}

/// A resource as it is served to one request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kind {
    pub(super) shown: Shown,
    /// Whose.
    pub(super) clusters: Vec<ClusterName>,
}

impl Kinds {
    pub(super) fn of(streams: Vec<Stream>) -> Self {
        let mut kinds = Self::default();
        for stream in streams {
            let key = stream.key;
            let (rows, objects) = (key.view == View::Rows, key.view == View::Objects);
            if !(rows || objects) || key.resource.plural.is_empty() {
                continue;
            }
            let resource = Resource {
                group: key.resource.group,
                version: key.resource.version,
                plural: key.resource.plural,
            };
            let of_cluster = kinds.clusters.entry(key.cluster).or_default();
            let known = of_cluster.entry(resource).or_default();
            let times = Times {
                synced: stream.synced.map(|at| at.as_millisecond()),
                proven: stream.proven.map(|at| at.as_millisecond()),
            };
            match rows {
                true => {
                    known.columns.clone_from(&stream.header.columns);
                    known.rows = Some(times);
                }
                false => known.objects = Some(times),
            }
            // A stream that has not begun yet has no header.
            if !stream.header.kind.is_empty() {
                known.header = stream.header;
            }
        }
        kinds
    }

    /// The clusters.
    pub(super) fn clusters(&self) -> impl Iterator<Item = &ClusterName> {
        self.clusters.keys()
    }

    /// A cluster of that name.
    pub(super) fn cluster(&self, name: &str) -> Option<&ClusterName> {
        self.clusters().find(|it| it.as_str() == name)
    }

    /// What is served of these clusters.
    pub(super) fn shown(&self, among: impl Fn(&ClusterName) -> bool) -> Vec<Shown> {
        let of = self.clusters.iter().filter(|(cluster, _)| among(cluster));
        let all = of.flat_map(|(_, kinds)| kinds.iter().filter_map(|(of, it)| it.shown(of)));
        let unique: BTreeMap<Resource, Shown> =
            all.map(|shown| (shown.resource.clone(), shown)).collect();
        unique.into_values().collect()
    }

    /// One resource of these clusters, if any of them has it.
    pub(super) fn kind(
        &self,
        resource: &Resource,
        among: impl Fn(&ClusterName) -> bool,
    ) -> Option<Kind> {
        let of = self.clusters.iter().filter(|(cluster, _)| among(cluster));
        let having: Vec<_> = of
            .filter_map(|(cluster, kinds)| {
                Some((cluster.clone(), kinds.get(resource)?.shown(resource)?))
            })
            .collect();
        let shown = having.first()?.1.clone();
        let clusters = having.into_iter().map(|(cluster, _)| cluster).collect();
        Some(Kind { shown, clusters })
    }

    /// Whether these clusters begin to have a resource: there is a stream that has not begun yet.
    pub(super) fn expects(
        &self,
        resource: &Resource,
        among: impl Fn(&ClusterName) -> bool,
    ) -> bool {
        let mut of = self.clusters.iter().filter(|(cluster, _)| among(cluster));
        of.any(|(_, kinds)| kinds.get(resource).is_some())
    }

    /// How fresh the copies of a resource are, in the view that is to be shown.
    pub(super) fn copies<'a>(&'a self, kind: &'a Kind, view: View) -> Vec<Copy<'a>> {
        let copy = |cluster: &'a ClusterName| {
            let known = self.clusters.get(cluster)?.get(&kind.shown.resource)?;
            let times = match view {
                View::Rows => known.rows,
                _ => known.objects,
            };
            let times = times.unwrap_or_default();
            Some(Copy {
                cluster: cluster.as_str(),
                synced: times.synced,
                proven: times.proven,
            })
        };
        kind.clusters.iter().filter_map(copy).collect()
    }

    /// The columns of a resource's tables.
    pub(super) fn columns(&self, kind: &Kind, of_all: bool) -> Columns {
        let tables = kind.clusters.iter().filter_map(|cluster| {
            let known = self.clusters.get(cluster)?.get(&kind.shown.resource)?;
            Some((cluster.as_str(), known.columns.as_slice()))
        });
        match of_all {
            true => Columns::of_all(tables),
            false => tables
                .map(|(cluster, columns)| Columns::of_one(cluster, columns))
                .next()
                .unwrap_or_default(),
        }
    }

    /// Whether clusters have a resource in several versions: objects of all are then no objects of one.
    pub(super) fn has_versions(&self, resource: &Resource) -> bool {
        let same = |it: &&Resource| it.group == resource.group && it.plural == resource.plural;
        let all = self.clusters.values().flat_map(BTreeMap::keys).filter(same);
        all.map(|it| it.version.as_str())
            .collect::<BTreeSet<_>>()
            .len()
            > 1
    }
}

impl OfCluster {
    /// None before its stream has begun.
    fn shown(&self, resource: &Resource) -> Option<Shown> {
        let header = &self.header;
        let singular = match header.singular.as_str() {
            "" => header.kind.to_lowercase(),
            singular => singular.to_owned(),
        };
        (!header.kind.is_empty()).then(|| Shown {
            resource: resource.clone(),
            kind: header.kind.clone(),
            singular,
            namespaced: header.namespaced,
        })
    }
}

/// The kinds as of a moment ago: many requests share one look at the store.
#[derive(Debug)]
pub(super) struct Snapshot {
    store: Store,
    taken: Mutex<Option<(Instant, Arc<Kinds>)>>,
}

impl Snapshot {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            taken: Mutex::new(None),
        }
    }

    pub(super) async fn kinds(&self) -> Result<Arc<Kinds>, Error> {
        let mut taken = self.taken.lock().await;
        if let Some((at, kinds)) = &*taken
            && at.elapsed() < FRESH
        {
            return Ok(kinds.clone());
        }
        let kinds = Arc::new(Kinds::of(self.store.streams(&Clusters::All).await?));
        *taken = Some((Instant::now(), kinds.clone()));
        Ok(kinds)
    }
}
