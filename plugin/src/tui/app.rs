//! All that the screen shows, and what is remembered for it.
//!
//! **Architecture invariant:** state only. It is changed by [`super::update()`] and read by [`super::draw()`].

use super::event::{FeedId, RequestId};
use super::grid::Now;
use super::prompt::Prompt;
use super::view::View;
use super::view::hub::HubKind;
use super::view::table::{TableSpec, TableView};
use super::view::target::Target;
use super::view::text::TextKind;
use crate::get::Groups;
use mqtt_informer::informer::{Cluster, LinkState};
use mqtt_informer::protocol::names::ClusterName;
use mqtt_informer::protocol::selector::LabelSelector;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// For how long something that was done is told.
pub const TOLD: Duration = Duration::from_secs(4);

/// What a person started with.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// Where the clusters are, in a word: the broker's address, or `kubeconfig`.
    pub place: String,
    /// The type to open on.
    pub word: String,
    /// The clusters that were named on the command line.
    pub clusters: Vec<String>,
    /// What their labels have to be.
    pub cluster_labels: Option<LabelSelector>,
    /// Empty for all.
    pub namespaces: Vec<String>,
    /// Names for lists of clusters.
    pub groups: Groups,
    /// The hub that is looked at; none among contexts.
    pub hub: Option<ClusterName>,
    /// Columns and lines.
    pub size: (u16, u16),
}

/// Something to be told for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// One line.
    pub text: String,
    /// Something failed.
    pub is_wrong: bool,
    /// Until when.
    pub until: Duration,
}

/// What candidates for completion are made of, as far as clusters have said it.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// Types, with their short names.
    pub types: BTreeSet<String>,
    /// Namespaces.
    pub namespaces: BTreeSet<String>,
    /// Who tells them, once somebody has wanted to know: types, then namespaces.
    pub feeds: Option<(FeedId, FeedId)>,
}

/// What a view shows: enough to show it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A table.
    Table(Box<TableSpec>),
    /// The clusters, one a line.
    Fleet,
    /// Everything that is unwell.
    Faults,
    /// What a hub has.
    Hub(HubKind),
    /// A text about an object; of a difference, between which clusters.
    Text(TextKind, Target, Vec<String>),
    /// The logs of these containers of a pod, or of what selects pods.
    Logs(Target, Option<Vec<String>>),
    /// The containers of a pod.
    Containers(Target),
    /// What uses an object.
    Used(Target),
}

impl Place {
    /// Whether both show the same, whatever the filter and whatever became known of an object meanwhile.
    pub fn is_same(&self, other: &Self) -> bool {
        let is_it =
            |one: &Target, other: &Target| (&one.resource, &one.id) == (&other.resource, &other.id);
        match (self, other) {
            (Self::Table(one), Self::Table(other)) => {
                let plain = |spec: &TableSpec| TableSpec {
                    filter: String::new(),
                    ..spec.clone()
                };
                plain(one) == plain(other)
            }
            (Self::Text(kind, one, among), Self::Text(other_kind, other, others)) => {
                (kind, among) == (other_kind, others) && is_it(one, other)
            }
            (Self::Logs(one, these), Self::Logs(other, those)) => {
                these == those && is_it(one, other)
            }
            (Self::Containers(one), Self::Containers(other))
            | (Self::Used(one), Self::Used(other)) => is_it(one, other),
            (one, other) => one == other,
        }
    }
}

/// Where one was: each time, the views from the first to the one on the screen.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// What they showed.
    pub trails: Vec<Vec<Place>>,
    /// Which of them is shown.
    pub at: usize,
    /// Which one was before that.
    pub before: Option<usize>,
}

/// See the module.
#[derive(Debug)]
pub struct App {
    /// The time of the last event.
    pub now: Now,
    /// Columns and lines.
    pub size: (u16, u16),
    /// Where the clusters are, in a word.
    pub place: String,
    /// Whether the broker is reached.
    pub link: LinkState,
    /// Since when.
    pub link_since: Duration,
    /// It was, before.
    pub was_linked: bool,
    /// All clusters that are known.
    pub clusters: Arc<BTreeMap<ClusterName, Cluster>>,
    /// What a cluster's labels have to be.
    pub cluster_labels: Option<LabelSelector>,
    /// The clusters that are meant: words. Empty for all.
    pub chosen: Vec<String>,
    /// The namespaces that are meant. Empty for all.
    pub namespaces: Vec<String>,
    /// Namespaces that were used, the last one first.
    pub favourites: Vec<String>,
    /// Names for lists of clusters.
    pub groups: Groups,
    /// The views that were gone through, the one on the screen last.
    pub views: Vec<View>,
    /// Where one was.
    pub history: History,
    /// What is being typed.
    pub prompt: Option<Prompt>,
    /// What was typed before.
    pub typed: Vec<String>,
    /// For completion.
    pub words: Words,
    /// What is told for a while.
    pub told: Option<Told>,
    /// Why there are no clusters at all.
    pub no_way: Option<String>,
    /// When what a view is made of was last looked at.
    pub refreshed: Duration,
    /// The hub that is looked at, if there can be one.
    pub hub: Option<ClusterName>,
    /// Something has happened since then.
    pub is_behind: bool,
    /// Something that is looked at is different from what was drawn last.
    pub is_dirty: bool,
    /// Something beside that is: counts, ages, marks that are over. It is drawn with the next frame, or a little later.
    pub is_dirty_aside: bool,
    next_number: u64,
}

impl App {
    /// As it is before anything happened: nothing is open yet.
    pub fn new(start: &Start) -> Self {
        Self {
            now: Now::default(),
            size: start.size,
            place: start.place.clone(),
            link: LinkState::Connecting,
            link_since: Duration::ZERO,
            was_linked: false,
            clusters: Arc::default(),
            cluster_labels: start.cluster_labels.clone(),
            chosen: start.clusters.clone(),
            namespaces: start.namespaces.clone(),
            favourites: start.namespaces.clone(),
            groups: start.groups.clone(),
            views: Vec::new(),
            history: History::default(),
            prompt: None,
            typed: Vec::new(),
            words: Words::default(),
            told: None,
            no_way: None,
            refreshed: Duration::ZERO,
            hub: start.hub.clone(),
            is_behind: false,
            is_dirty: true,
            is_dirty_aside: false,
            next_number: 0,
        }
    }

    /// The view on the screen.
    pub fn view(&self) -> Option<&View> {
        self.views.last()
    }

    /// The same, to be changed.
    pub fn view_mut(&mut self) -> Option<&mut View> {
        self.views.last_mut()
    }

    /// The table on the screen, or the one that is nearest below it: of views that have several, the first.
    #[cfg(test)]
    pub fn table(&self) -> Option<&TableView> {
        let views = self.views.iter().rev();
        views.flat_map(|view| view.tables().first()).next()
    }

    /// The table on the screen, if it is one.
    pub fn table_mut(&mut self) -> Option<&mut TableView> {
        match self.views.last_mut()? {
            View::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The object that is selected, whatever the view.
    pub fn target(&self) -> Option<Target> {
        match self.views.last()? {
            View::Table(table) => table.target(),
            View::Containers(view) => Some(view.target.clone()),
            View::Used(view) => view.selected(),
            View::Text(text) => Some(text.target.clone()),
            View::Logs(logs) => Some(logs.target.clone()),
            View::Faults(faults) => faults.selected(),
            View::Hub(view) => view.selected(),
            View::Fleet(_) | View::Picker(_) | View::Help(_) => None,
        }
    }

    /// A number that nothing had before.
    pub fn feed_id(&mut self) -> FeedId {
        self.next_number += 1;
        FeedId(self.next_number)
    }

    /// The same, for what is asked once.
    pub fn request_id(&mut self) -> RequestId {
        RequestId(self.feed_id().0)
    }

    /// Tells something for a while.
    pub fn tell(&mut self, text: impl Into<String>, is_wrong: bool) {
        let text = text.into();
        self.told = Some(Told {
            text: crate::print::sanitize::word(&text).into_owned(),
            is_wrong,
            until: self.now.at + TOLD,
        });
    }

    /// The tables of the view on the screen, or of the nearest one below it that has some.
    pub(super) fn tables(&self) -> &[TableView] {
        let mut tables = self.views.iter().rev().map(View::tables);
        tables.find(|tables| !tables.is_empty()).unwrap_or_default()
    }

    /// The clusters that the screen is about, in the order of their names.
    pub fn meant(&self) -> Vec<&ClusterName> {
        let mut names: Vec<_> = self.tables().iter().flat_map(TableView::clusters).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Whether the broker is reached.
    pub fn is_linked(&self) -> bool {
        self.link == LinkState::Up
    }
}
