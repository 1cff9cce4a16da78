//! What the intake of one kind and view is doing, for `/readyz` and `/metrics`.

use tokio::time::Instant;

/// The state of one intake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// The word on the command line.
    pub(crate) word: String,
    /// `rows` or `objects`.
    pub(crate) view: &'static str,
    /// Clusters followed.
    pub(crate) clusters: usize,
    /// Those that the store has, as of some moment.
    pub(crate) whole: usize,
    /// Those of which the store does not have the newest state.
    pub(crate) behind: usize,
    /// Since when the database takes nothing; none when all is well.
    pub(crate) away: Option<Instant>,
    /// Its words then.
    pub(crate) trouble: String,
    /// Clusters whose streams the store refuses.
    pub(crate) refused: usize,
    /// Batches written so far.
    pub(crate) batches: u64,
    /// Changes in them.
    pub(crate) changes: u64,
    /// Batches in vain so far.
    pub(crate) failed: u64,
}
