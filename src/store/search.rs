//! What can be searched for. Pure.

use super::path::FieldPath;
use super::stored::{Clusters, Cursor, GroupResource, Sequence, Stored};
use crate::protocol::message::View;
use crate::protocol::selector::LabelSelector;
use jiff::Timestamp;

/// Which objects: all that is said here has to hold. Empty, it is all objects of the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// Of which clusters.
    pub clusters: Clusters,
    /// In which view they are answered with. Terms are of fields or of cells, whichever view it is.
    pub view: View,
    /// Of one kind, or of all.
    pub resource: Option<GroupResource>,
    /// In one namespace.
    pub namespace: Option<String>,
    /// Whose names have these characters in this order, in upper or lower case: `wb1` finds `web-1`.
    pub fuzzy: Option<String>,
    /// With these labels.
    pub labels: LabelSelector,
    /// Of one owner (the controller, if several own it).
    pub owner: Owner,
    /// Made at this moment or later.
    pub created_from: Option<Timestamp>,
    /// Made before this moment.
    pub created_before: Option<Timestamp>,
    /// Whose conditions say that it is ready (`Ready`, else `Available`), or not. Of objects, not of rows.
    pub ready: Option<bool>,
    /// With these fields and cells.
    pub terms: Vec<Term>,
    /// Those that are there, or those that were and are gone.
    pub deleted: bool,
    /// As it was at this sequence; `None` for now. Not to be given with `after`.
    pub at: Option<Sequence>,
    /// In which order; by cluster, namespace and name if it says nothing else.
    pub order: Option<Order>,
    /// At most so many; 0 for all.
    pub limit: usize,
    /// The page after the one that ended with this cursor, of the same search.
    pub after: Option<Cursor>,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            clusters: Clusters::All,
            view: View::Objects,
            resource: None,
            namespace: None,
            fuzzy: None,
            labels: LabelSelector::default(),
            owner: Owner::default(),
            created_from: None,
            created_before: None,
            ready: None,
            terms: Vec::new(),
            deleted: false,
            at: None,
            order: None,
            limit: 0,
            after: None,
        }
    }
}

/// Who owns an object; what is `None` may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// `ReplicaSet`.
    pub kind: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its uid.
    pub uid: Option<String>,
}

/// A condition of one field or cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Of what.
    pub subject: Subject,
    /// What.
    pub test: Test,
}

/// What a term, an order or a group is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A field of the object.
    Field(FieldPath),
    /// A cell of its row, by the name of its column as the API server words it. Instants are ms since 1970.
    Cell(String),
}

/// What a field is tested for. A field is text: of a string what it says, of anything else its JSON.
///
/// Where a path leads to each element of an array, it is enough that one passes; but `Differs` and `Absent` hold if none
/// is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// It is there; null is.
    Exists,
    /// It is not there.
    Absent,
    /// It is this text. What is absent is empty.
    Equals(String),
    /// It is another text.
    Differs(String),
    /// It is less: as a number, if this is one, else as text, byte by byte (as instants are compared).
    Less(String),
    /// It is greater.
    Greater(String),
    /// It has this text in it, in upper or lower case.
    Contains(String),
}

impl Test {
    /// The text that a text is compared with.
    pub(super) fn of_text(&self) -> Option<&str> {
        match self {
            Self::Equals(text) | Self::Differs(text) | Self::Contains(text) => Some(text),
            Self::Exists | Self::Absent | Self::Less(_) | Self::Greater(_) => None,
        }
    }

    /// Whether what is absent passes.
    pub(super) fn holds_for_absent(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Equals(text) => text.is_empty(),
            Self::Differs(text) => !text.is_empty(),
            Self::Exists | Self::Less(_) | Self::Greater(_) | Self::Contains(_) => false,
        }
    }

    /// The test that passes when this one does not.
    pub(super) fn opposite(&self) -> Option<Self> {
        match self {
            Self::Exists => Some(Self::Absent),
            Self::Absent => Some(Self::Exists),
            Self::Equals(text) => Some(Self::Differs(text.clone())),
            Self::Differs(text) => Some(Self::Equals(text.clone())),
            Self::Less(_) | Self::Greater(_) | Self::Contains(_) => None,
        }
    }
}

/// In which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// By what.
    pub by: By,
    /// The greatest first.
    pub descending: bool,
}

/// By what objects are ordered or grouped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// Their cluster.
    Cluster,
    /// Their kind's plural.
    Resource,
    /// Their namespace.
    Namespace,
    /// Their name.
    Name,
    /// When they were made.
    Created,
    /// When they changed last, as the store saw it.
    Changed,
    /// Their owner, `Kind/name`.
    Owner,
    /// A label's value.
    Label(String),
    /// A field or a cell: those that are numbers as numbers.
    Subject(Subject),
}

/// How many objects there are of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they have in common, as it was asked for; `None` for those that lack it.
    pub values: Vec<Option<String>>,
    /// How many.
    pub count: u64,
}

/// A page of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The objects.
    pub items: Vec<Stored>,
    /// The sequence that all pages are of.
    pub at: Sequence,
    /// Where to go on; `None` after the last page.
    pub next: Option<Cursor>,
}
