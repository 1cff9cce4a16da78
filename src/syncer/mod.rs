//! The role in each cluster: [`crate::kubernetes`] served by [`crate::source`].

mod options;

pub use options::SyncerArgs;
