//! What a hub has: clusters, works, placements, one a line, and what each of them is stuck on.
//!
//! **Architecture invariant:** pure. An object is read once, when it comes; what a line says of it is made in `cluster`,
//! `work` and `placement`, and only how old it is follows the time.

mod cluster;
mod placement;
mod told;
mod work;

#[cfg(test)]
mod tests;

use super::list::List;
use super::target::Target;
use crate::tui::event::{Age, FeedId};
use crate::tui::grid::ObjectId;
use bytes::Bytes;
use mqtt_informer::informer::{Progress, StreamState};
use mqtt_informer::ocm::decision::PLACEMENT_LABEL;
use mqtt_informer::ocm::{ManifestWork, name, namespace};
use mqtt_informer::protocol::message::{self, Selection};
use mqtt_informer::protocol::names::{ClusterName, HUB};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use told::Told;

/// What of a hub is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HubKind {
    /// Its clusters.
    Clusters,
    /// Its works: of all clusters, or of that one.
    Works(Option<String>),
    /// The manifests of a work: of which cluster, and which.
    Manifests(String, String),
    /// Its placements.
    Placements,
    /// The clusters that a placement got: in which namespace, and which.
    Decided(String, String),
}

/// See the module. It is live.
#[derive(Debug)]
pub struct HubView {
    /// What it shows.
    pub kind: HubKind,
    /// By what it is fed.
    pub feed: FeedId,
    /// The hub; none where there can be none.
    pub hub: Option<ClusterName>,
    /// What is on the screen.
    pub list: List,
    /// How fresh it is.
    pub age: Age,
    /// It has been read.
    pub is_read: bool,
    /// Whoever is there has said so.
    pub is_discovered: bool,
    /// What its stream does.
    pub state: StreamState,
    /// By key: the lines of an object.
    told: BTreeMap<Bytes, Vec<Told>>,
    /// By the line's id: what it is about.
    targets: BTreeMap<String, Target>,
}

impl HubKind {
    /// What is watched for it.
    pub fn selection(&self) -> Selection {
        let (resource, namespace) = match self {
            Self::Clusters => (cluster::RESOURCE, ""),
            Self::Works(of) => (work::RESOURCE, of.as_deref().unwrap_or_default()),
            Self::Manifests(cluster, _) => (work::RESOURCE, cluster.as_str()),
            Self::Placements => (placement::RESOURCE, ""),
            Self::Decided(namespace, _) => (placement::DECISIONS, namespace.as_str()),
        };
        let mut selection = Selection {
            resource: resource.to_owned(),
            namespace: namespace.to_owned(),
            view: message::View::Objects,
            ..Selection::default()
        };
        match self {
            Self::Manifests(_, name) => selection.fields = format!("metadata.name={name}"),
            Self::Decided(_, name) => selection.labels = format!("{PLACEMENT_LABEL}={name}"),
            _ => {}
        }
        selection
    }

    /// What it is called.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Clusters => "clusters",
            Self::Works(_) => "works",
            Self::Manifests(..) => "manifests",
            Self::Placements => "placements",
            Self::Decided(..) => "decisions",
        }
    }

    /// Of what it is, if it is of one thing.
    pub fn of(&self) -> String {
        match self {
            Self::Works(Some(cluster)) => format!("@{cluster}"),
            Self::Manifests(cluster, name) => format!("work/{name} @{cluster}"),
            Self::Decided(namespace, name) => format!("placement/{name} ({namespace})"),
            Self::Clusters | Self::Works(None) | Self::Placements => String::new(),
        }
    }

    fn heads(&self) -> &'static [&'static str] {
        match self {
            Self::Clusters => &cluster::HEADS,
            Self::Works(_) => &work::HEADS,
            Self::Manifests(..) => &work::MANIFESTS,
            Self::Placements => &placement::HEADS,
            Self::Decided(..) => &placement::DECIDED,
        }
    }

    /// The lines of an object.
    fn read(&self, object: &[u8]) -> serde_json::Result<Vec<Told>> {
        match self {
            Self::Clusters => told::read(object, |it| vec![cluster::line(it)]),
            Self::Works(_) => told::read(object, |it| vec![work::line(it)]),
            Self::Manifests(..) => told::read(object, work::manifests),
            Self::Placements => told::read(object, |it| vec![placement::line(it)]),
            Self::Decided(..) => told::read(object, placement::decided),
        }
    }
}

impl HubView {
    /// One whose objects have to come.
    pub fn new(kind: HubKind, feed: FeedId, hub: Option<ClusterName>) -> Self {
        Self {
            list: List::new(kind.heads()),
            kind,
            feed,
            hub,
            age: Age::default(),
            is_read: false,
            is_discovered: false,
            state: StreamState::default(),
            told: BTreeMap::new(),
            targets: BTreeMap::new(),
        }
    }

    /// An object came, changed, or went.
    pub fn set_object(&mut self, key: &Bytes, object: Option<&Bytes>) {
        let lines = object.map(|bytes| {
            self.kind.read(bytes).unwrap_or_else(|error| {
                let cells = self.kind.heads().len() - 1;
                let key = String::from_utf8_lossy(key);
                vec![told::unreadable(&key, cells, &error)]
            })
        });
        match lines.unwrap_or_default() {
            lines if lines.is_empty() => self.told.remove(key),
            lines => self.told.insert(key.clone(), lines),
        };
    }

    /// The hub is followed no longer: what is on the screen is old, and what comes next begins anew.
    pub fn leave(&mut self) {
        (self.age, self.state, self.is_read) = Default::default();
        self.told.clear();
    }

    /// The whole copy comes now.
    pub fn begin(&mut self) {
        self.told.clear();
    }

    /// Shows what was told. What an agent said last is old once it has left the broker.
    pub fn refresh(&mut self, wall_ms: i64, has_left: impl Fn(&str) -> bool) {
        let told: Vec<&Told> = self.told.values().flatten().collect();
        let lines = told.iter().map(|it| it.line(wall_ms, &has_left)).collect();
        let targets = told.iter().filter_map(|it| {
            let mut target = it.target.clone()?;
            if let Some(id) = &mut target.id
                && id.cluster.as_str() == HUB
            {
                id.cluster = self.hub.clone()?;
            }
            Some((it.id.clone(), target))
        });
        let targets = targets.collect();
        self.list.set_lines(lines);
        self.targets = targets;
    }

    /// The object with the cursor: of the hub, or, of a manifest, the one in its cluster.
    pub fn selected(&self) -> Option<Target> {
        self.targets.get(&self.list.selected()?.id).cloned()
    }

    /// What is inside of the line with the cursor, as far as the hub has it.
    pub fn inside(&self) -> Option<HubKind> {
        if let HubKind::Decided(..) = self.kind {
            let cluster = self.list.selected()?.id.clone();
            return Some(HubKind::Works(Some(cluster)));
        }
        let ObjectId {
            namespace, name, ..
        } = self.selected()?.id?;
        match self.kind {
            HubKind::Clusters => Some(HubKind::Works(Some(name))),
            HubKind::Works(_) => Some(HubKind::Manifests(namespace, name)),
            HubKind::Placements => Some(HubKind::Decided(namespace, name)),
            HubKind::Manifests(..) | HubKind::Decided(..) => None,
        }
    }

    /// Nobody answers to the hub's name.
    pub fn is_alone(&self) -> bool {
        let is_silent = self.is_discovered && self.state.progress == Progress::Silent;
        !self.is_read && (is_silent || self.hub.is_none())
    }
}

/// What heads the lines of [`works`].
pub const WORKS: [&str; 7] = work::HEADS;

/// Works as lines: those that are meant, by cluster and name. What a cluster said that has left is old.
pub fn works(
    objects: &[Value],
    wall_ms: i64,
    is_meant: impl Fn(&str, &str) -> bool,
    has_left: impl Fn(&str) -> bool,
) -> Vec<Vec<String>> {
    let works = objects.iter().filter_map(|object| {
        let work = ManifestWork::deserialize(object).ok()?;
        is_meant(namespace(&work), name(&work)).then(|| work::line(&work))
    });
    works
        .map(|told| told.line(wall_ms, &has_left).cells)
        .collect()
}
