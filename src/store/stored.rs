//! What a store is asked for, and what it answers with.

use crate::protocol::message::View;
use crate::protocol::names::ClusterName;
use crate::protocol::selector::{FieldSelector, LabelSelector};
use bytes::Bytes;
use jiff::Timestamp;

/// The number of a change: one for each, over all clusters, strictly increasing in the order in which they are seen.
pub type Sequence = u64;

/// A resource without its version, which objects do not depend on.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupResource {
    /// `apps`, empty for the core group.
    pub group: String,
    /// `deployments`.
    pub plural: String,
}

/// Which object, in which view.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectKey {
    /// Whose.
    pub cluster: ClusterName,
    /// Of which kind.
    pub resource: GroupResource,
    /// What of it.
    pub view: View,
    /// Empty for what lives in none.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// An object as it was said to be, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Which.
    pub key: ObjectKey,
    /// The number of the change that made it so: the resourceVersion to serve.
    pub seq: Sequence,
    /// Its uid; empty if its metadata cannot be read.
    pub uid: String,
    /// The exact bytes that the source sent: the object's JSON, or its row.
    pub value: Bytes,
    /// When the store saw this object (this uid) first.
    pub first_seen: Timestamp,
    /// When that change was written.
    pub changed: Timestamp,
    /// It is gone, and this is what it was.
    pub deleted: bool,
}

/// Which clusters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Clusters {
    /// All.
    #[default]
    All,
    /// These; none if it is empty.
    Some(Vec<ClusterName>),
}

impl Clusters {
    /// One.
    #[must_use]
    pub fn one(name: ClusterName) -> Self {
        Self::Some(vec![name])
    }
}

/// Which objects of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of which clusters.
    pub clusters: Clusters,
    /// Of which kind.
    pub resource: GroupResource,
    /// What of each.
    pub view: View,
    /// In one namespace; `None` for all, and for what lives in none.
    pub namespace: Option<String>,
    /// Of one name.
    pub name: Option<String>,
    /// With these labels.
    pub labels: LabelSelector,
    /// With these fields, of the object whatever the view is: `status.phase=Running`. A field that is absent is empty.
    pub fields: FieldSelector,
}

/// A list: in order of cluster, namespace and name, page by page of one state of the store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct List {
    /// Which objects.
    pub filter: Filter,
    /// As they were at this sequence; `None` for now. Not to be given with `after`.
    pub at: Option<Sequence>,
    /// At most so many; 0 for all.
    pub limit: usize,
    /// The page after the one that ended with this cursor.
    pub after: Option<Cursor>,
    /// Count what remains after the page (a scan of an index).
    pub count: bool,
}

/// Where a page ended: text for `continue`. It names the sequence that the list is of.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    pub(super) at: Sequence,
    /// The value by which a search is ordered.
    pub(super) order: Option<serde_json::Value>,
    pub(super) cluster: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) seq: Sequence,
}

/// A page of a list or of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The objects.
    pub items: Vec<Stored>,
    /// The sequence that all pages of it are of: the list's resourceVersion.
    pub at: Sequence,
    /// Where to go on; `None` after the last page.
    pub next: Option<Cursor>,
    /// How many are left, if it was asked for.
    pub remaining: Option<u64>,
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new, or another one has taken the name.
    Added,
    /// It changed.
    Modified,
    /// It is gone.
    Deleted,
}

/// One change, as whoever watches with a filter sees it: an object that begins to match is added, one that no longer
/// does is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What to tell.
    pub kind: ChangeKind,
    /// The object after the change; before it, if it was deleted.
    pub object: Stored,
}

/// Changes in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// Those that match.
    pub items: Vec<Change>,
    /// All changes up to this one have been looked at: ask for those after it next. A bookmark.
    pub up_to: Sequence,
}
