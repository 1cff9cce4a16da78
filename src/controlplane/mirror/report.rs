//! What the mirror of one kind is doing, for `/readyz` and `/metrics`.

/// The state of one kind's mirror.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// The word on the command line.
    pub(crate) word: String,
    /// The copies on the hub are known: nothing is written before that.
    pub(crate) listed: bool,
    /// Why the hub is not written to; none when all is well.
    pub(crate) trouble: Option<String>,
    /// Clusters followed.
    pub(crate) clusters: usize,
    /// Those whose objects are known, all of them.
    pub(crate) whole: usize,
    /// Copies on the hub.
    pub(crate) copies: usize,
    /// Objects that wait for their turn.
    pub(crate) waiting: usize,
    /// Objects that have no copy, or an old one, because something refuses them.
    pub(crate) refused: usize,
    /// Applied so far.
    pub(crate) applied: u64,
    /// Deleted so far.
    pub(crate) deleted: u64,
    /// Copies that somebody else had changed or deleted, repaired so far.
    pub(crate) repaired: u64,
    /// Tries in vain so far.
    pub(crate) failed: u64,
}
