//! Rows of many clusters as one table: the view model that `get` and the terminal UI share.
//!
//! What crosses the broker is the API server's own Table, one row a value ([`mqtt_informer::protocol::rows`]). Here the
//! values become [`Row`]s, and the columns of clusters that do not agree (other versions, other CRDs) become one set.
//!
//! **Architecture invariant:** pure. Nothing here does IO, reads a clock, or knows a broker or a terminal.

mod cell;
mod columns;
mod resource;
mod row;

pub use cell::Cell;
pub use columns::{Column, Columns};
pub use resource::Resource;
pub use row::{Metadata, Row, metadata_bytes};

/// A value that is not what its stream's view says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed row")]
pub struct Malformed;
