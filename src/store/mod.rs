//! A database of the fleet's objects: SQLite in a file, or PostgreSQL, behind one [`Store`].
//!
//! It is written from streams and read by whoever serves them. Everything that was ever written has a number, one for
//! each change, over all clusters: lists are of one number, watches go on after one, and history is a list at an older
//! one.
//!
//! # The model
//! A table `versions` has what was said of each object and for how long it was true: from the number `seq` until before
//! the number `until`. What is true now has the largest `until` there is, and an index of its own. So the same query
//! answers for now and for any moment that is kept: a version is true at S if `seq <= S < until`. The values are apart,
//! in `bodies`, written once and never changed. A deletion is a version that is true never.
//!
//! An object is one for each view: its row and its JSON come by two streams, and change at different moments.
//!
//! # Numbers
//! Who writes holds the one row of `state` until it commits (SQLite: the database's one write lock), and takes the next
//! numbers from it. So they become visible in their order, without a gap: who has seen N never meets a later commit
//! below N.
//!
//! # What is safe
//! A batch is written whole or not at all, with its position in the stream, and may be written again: a value that is
//! there already takes no number. Statements are made of literals, all else is bound. A value is kept
//! exactly, as bytes that no database looks into; beside it, what can be searched, in the database's own form. There,
//! what it cannot take (NUL, half a surrogate pair, a number of a thousand digits) is made readable.
//!
//! **Architecture invariant:** knows nothing of the Kubernetes API's shapes but where an object's metadata, phase and
//! conditions are. Never talks to a broker. No value is ever in an error or in a log.

mod cursor;
mod database;
mod error;
mod facts;
mod fields;
mod find;
mod follow;
mod history;
mod leap;
mod list;
mod many;
mod members;
mod notify;
mod open;
mod path;
mod plan;
mod retention;
mod schema;
mod search;
mod select;
mod sql;
mod stored;
mod stream;
mod streams;
mod text;
mod watch;
mod write;

pub use error::{Error, OpenError};
pub use members::{Beat, Beaten};
pub use path::FieldPath;
pub use retention::Pruned;
pub use search::{By, Found, Group, Order, Owner, Search, Subject, Term, Test};
pub use stored::{
    Change, ChangeKind, Changes, Clusters, Cursor, Filter, GroupResource, List, ObjectKey, Page,
    Sequence, Stored,
};
pub use stream::{Batch, Others, Position, Resource, Stream, StreamKey};

use jiff::Timestamp;
use std::sync::Arc;

/// A store: cheap to clone, all clones are the same one.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<open::Inner>,
}

/// How a store is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Connections to the database; with SQLite, those that read.
    pub connections: u32,
    /// The clock.
    pub now: fn() -> Timestamp,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: 8,
            now: Timestamp::now,
        }
    }
}

impl Store {
    /// The newest number that can be seen. It ticks on every commit, of other processes too.
    #[must_use]
    pub fn sequence(&self) -> tokio::sync::watch::Receiver<Sequence> {
        self.inner.newest.subscribe()
    }
}
