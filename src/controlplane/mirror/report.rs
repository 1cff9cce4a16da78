//! What the mirror of one kind is doing, for `/readyz` and `/metrics`.

/// The state of one kind's mirror.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The word on the command line.
    pub word: String,
    /// The copies on the hub are known: nothing is written before that.
    pub listed: bool,
    /// Why the hub is not written to; none when all is well.
    pub trouble: Option<String>,
    /// Clusters followed.
    pub clusters: usize,
    /// Those whose objects are known, all of them.
    pub whole: usize,
    /// Copies on the hub.
    pub copies: usize,
    /// Objects that wait for their turn.
    pub waiting: usize,
    /// Objects that have no copy, or an old one, because something refuses them.
    pub refused: usize,
    /// Applied so far.
    pub applied: u64,
    /// Deleted so far.
    pub deleted: u64,
    /// Copies that somebody else had changed or deleted, repaired so far.
    pub repaired: u64,
    /// Tries in vain so far.
    pub failed: u64,
}
