//! One switch for each rule: with it on, the rule is broken, and the simulator has to notice.
//!
//! In a build without tests `mutant!(..)` is the constant `false`, so nothing of this is compiled into the program.

/// Is this mutant the one that the simulator runs just now? The constant `false` outside tests.
macro_rules! mutant {
    ($name:ident) => {{
        #[cfg(test)]
        {
            $crate::replica::mutants::is($crate::replica::mutants::Mutant::$name)
        }
        #[cfg(not(test))]
        {
            false
        }
    }};
}
pub(super) use mutant;

#[cfg(test)]
pub(super) use switches::{Mutant, is, run_as};

#[cfg(test)]
mod switches {
    use std::cell::Cell;

    macro_rules! mutants {
        ($($name:ident: $what:literal,)*) => {
            /// What is broken.
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub(in crate::replica) enum Mutant { $(#[doc = $what] $name,)* }

            impl Mutant {
                /// Every one.
                pub(in crate::replica) const ALL: &'static [Self] = &[$(Self::$name,)*];
            }
        };
    }

    mutants! {
        AnswerBeforeList: "F1: answers before the first list.",
        BrokenListDiffed: "F1: a list that broke half-way is taken for a whole one.",
        RelistIgnoresDeletes: "F1: what a relist does not hold any more stays.",
        SameEpochAnew: "F2: a feed made anew has the epoch of the one before.",
        NoNonce: "F2: terms are numbers only.",
        SyncEpochIgnored: "F3: a consumer's newer term does not renew ours.",
        LoserGoesOn: "F3: a presence above mine does not stop me.",
        StandbyRenews: "F3: a standby listens to what consumers claim.",
        NoTakeOver: "F3: a standby stays one.",
        NoWho: "F3: a standby does not ask.",
        NoPresenceToOneBelow: "F3: a presence below mine is not answered.",
        NoMinute: "F3: consumers may make a source renew as often as they like.",
        HighestAskedForgotten: "F3: renewed above the latest claim, not the highest.",
        StuckWriterHeard: "F3: a writer whose upstream hangs keeps the role.",
        EternalLeases: "F7: leases do not end.",
        NoHeartbeat: "F4: silence while nothing changes.",
        FlushCutButClaimsAll: "F4: one message of the changes is sent, and claims to be all.",
        ValuesReadAtSending: "F4: values are newer than the number they are sent under.",
        DeltasWhateverTold: "F5: deltas although somebody may stand between.",
        AnswerFromMovingState: "F6: pages of one answer are read from the state as it is.",
        NewSnapshotEachReask: "F6: a re-ask is answered from a new snapshot.",
        PresenceNotHeard: "R1: a presence does not raise what is newest.",
        PresenceNotToldToRenewalBelow: "F3: a renewal below mine is not told of me.",
        NoNewest: "R1: what is older than the newest is not dropped.",
        SlicesAppliedSingly: "R3: a slice of a flush is applied as it comes.",
        PrevAboveSeqApplied: "R3: a gap is jumped.",
        ToBelowSeqApplied: "R3: a late duplicate is applied again.",
        NoDigestCompared: "R4: no digest is compared.",
        NoGapWatch: "R5: a gap is not asked about.",
        NoSilenceWatch: "R5: silence is not asked about.",
        NoReask: "R6: a request is sent once.",
        NewRidEachReask: "R6: a re-ask is a new request.",
        RidUnchecked: "R7: pages of another request are staged.",
        TwoSnapshotsInOneStage: "R7: pages of two snapshots are staged together.",
        HolesAccepted: "R7: an answer is switched to although pages are missing.",
        StagedPagesTakenAgain: "R7: a duplicate page is taken for news.",
        HalfAnAnswerShown: "R7: a window of an answer is shown before the rest is there.",
        OlderAnswerShown: "R7: a new writer's answer is switched to although it is older than what is shown.",
        NotFrozen: "R6: flushes are applied while a request is out.",
        NoBound: "R2: the buffer grows.",
        CacheWithoutEpoch: "R8: a cache is read back under another number.",
        CorruptCacheTrusted: "R8: a cache is read back whatever its checksum says.",
        SettledWhateverChanged: "R9: a value is away that changed since the backing stored it.",
        NeverFull: "R9: a backing that stores nothing does not stop what comes in.",
        BaseUnchecked: "R10: a base's digest is not compared.",
        BasesKept: "R10: a base is used for later steps, too.",
        NoFetchWatch: "R10: a base that never comes is waited for.",
        DoubtNotAsked: "R10: what the backing lacks is not asked of the source.",
        NotToldAgain: "R10: what the backing lacks is not told to it again.",
        SessionReused: "a restarted consumer goes on under its former session.",
        NoRenewal: "R5: leases are not renewed.",
        BufferDroppedWhileOut: "R2 (cost): flushes that arrive while a request is out are lost.",
        FlightKeysNotReturned: "F4 (cost): what was in flight when the link broke is not sent again.",
    }

    thread_local! {
        static ACTIVE: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    /// Is this mutant on in this thread?
    pub(in crate::replica) fn is(mutant: Mutant) -> bool {
        ACTIVE.get() == Some(mutant)
    }

    /// Runs something with a mutant on, or with none.
    pub(in crate::replica) fn run_as<T>(mutant: Option<Mutant>, run: impl FnOnce() -> T) -> T {
        ACTIVE.set(mutant);
        let result = run();
        ACTIVE.set(None);
        result
    }
}
