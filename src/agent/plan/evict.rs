//! What becomes of a work that its hub does not list any more, without having said that it is deleted.
//!
//! A delete is said: the hub keeps a deleted work in the stream until its agent confirms. A work that is just missing is
//! missing because the hub was made anew, or restored from a backup; so what it put there stays for a while, and comes
//! under the same work again if it is back by then. OCM's agent does so too, by `status.evictionStartTime`.

use crate::ocm::AppliedManifestWork;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

/// What is done with an inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eviction {
    /// Nothing: its work is there, or nobody knows.
    Keep,
    /// Write down that its work is missing from now on.
    Begin(Timestamp),
    /// It is missing, not yet for long enough.
    Wait {
        /// Until when.
        until: Timestamp,
    },
    /// Its work is back: take it back.
    Cancel,
    /// It has been missing for too long: remove what it lists.
    Evict,
}

/// What is done with an inventory whose work is listed or not; a stream that is not whole lists nothing for certain.
pub fn eviction(
    applied: &AppliedManifestWork,
    synced: bool,
    listed: bool,
    grace: SignedDuration,
    now: Timestamp,
) -> Eviction {
    let begun = applied.status.eviction_start_time.as_ref().map(|it| it.0);
    match (begun, listed, synced) {
        (Some(_), true, _) => Eviction::Cancel,
        (None, true, _) | (_, false, false) => Eviction::Keep,
        (None, false, true) => Eviction::Begin(now),
        (Some(begun), false, true) => match begun.checked_add(grace) {
            Ok(until) if until <= now => Eviction::Evict,
            Ok(until) => Eviction::Wait { until },
            Err(_) => Eviction::Keep,
        },
    }
}
