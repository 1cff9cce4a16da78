//! When a reflector asks, and what.

use super::{Reflector, Rids};
use crate::protocol::message::Sync;
use crate::replica::mutants::mutant;
use crate::replica::request::Request;
use crate::replica::time::Moment;

impl Reflector {
    /// R5 Ask. When something is missing, or may be. *Else a lost change or lost heartbeats are never noticed; a reader
    /// stays with the old source.*
    pub(super) fn has_reason(&self, now: Moment) -> bool {
        self.reason_at().is_some_and(|at| at <= now)
    }

    /// When there is a reason to ask, if nothing is heard until then.
    pub(super) fn reason_at(&self) -> Option<Moment> {
        if self.is_full() {
            // What would be answered has no place yet.
            return None;
        }
        let behind =
            self.newest > self.copy.epoch || (mutant!(NoNewest) && self.newest != self.copy.epoch);
        let doubts = !self.doubted.is_empty();
        if !self.synced() || behind || self.unsure || self.diverged || doubts {
            return Some(Moment::AT_ONCE);
        }
        let quiet = self.buffer.quiet_since().filter(|_| !mutant!(NoGapWatch));
        let gap = match &self.fetch {
            // It is no gap as long as the backing may answer.
            Some(_) => self.fetch_over_at(),
            None => quiet.map(|since| since + self.pace.grace(&self.settings)),
        };
        let silence = self.heard + self.settings.stale_after();
        let silence = (!mutant!(NoSilenceWatch)).then_some(silence);
        gap.into_iter().chain(silence).min()
    }

    pub(super) fn open_request(&mut self, now: Moment, rids: &mut Rids) {
        if self.request.is_some() {
            return;
        }
        if !self.has_reason(now) {
            self.due = None;
            return;
        }
        let due = *self.due.get_or_insert_with(|| {
            // Somebody begins to look now; later reasons are everybody's at the same moment.
            let at_once = self.current_at.is_none();
            let spread = self.jitter.up_to(self.settings.jitter);
            if at_once { now } else { now + spread }
        });
        if due <= now {
            self.due = None;
            self.unsure = false;
            self.diverged = false;
            self.request = Some(self.new_request(now, rids));
        }
    }

    fn new_request(&mut self, now: Moment, rids: &mut Rids) -> Request {
        let rid = rids.draw();
        self.tally.requests += 1;
        self.forget_bases();
        let mut digests = self.copy.digests(self.settings.most_buckets);
        self.scrub(digests.iter().copied().fold(0, u64::wrapping_add));
        self.leave_out_doubted(&mut digests);
        if self.failures > 0 {
            return Request::for_all(rid, now);
        }
        Request::new(rid, now, digests, self.copy.packer.id())
    }

    /// R10. What the backing lacks is asked for: it is as if it were not held.
    fn leave_out_doubted(&self, digests: &mut [u64]) {
        for key in self.doubted.iter().filter(|_| !mutant!(DoubtNotAsked)) {
            let bucket = self.copy.bucket(key, self.settings.most_buckets);
            let mark = self.copy.thin.as_ref().and_then(|thin| thin.mark(key));
            if let (Some(sum), Some(mark)) = (digests.get_mut(bucket), mark) {
                *sum = sum.wrapping_sub(mark.digest);
            }
        }
    }

    pub(super) fn ask(&mut self, now: Moment, rids: &mut Rids, window: u32) -> Option<Sync> {
        let due = self.request.as_ref()?.is_due(now);
        let again = self.request.as_ref()?.is_reask();
        if !due {
            return None;
        }
        if again && mutant!(NewRidEachReask) {
            self.request = Some(self.new_request(now, rids));
        }
        let request = self.request.as_mut()?;
        // One page shows whether anybody is there, whatever room others leave.
        let window = if request.is_in_vain() { 1 } else { window };
        if window == 0 {
            request.no_room(now);
            return None;
        }
        self.asked = now;
        self.tally.syncs += 1;
        let sync = request.ask(now, window, &self.pace, &self.settings);
        Some(self.addressed(sync))
    }

    /// R5 Renewal. A lease is renewed whether a request is out or not. *Else the list that it waits for is thrown away,
    /// for ever.*
    pub(super) fn renew(&mut self, now: Moment) -> Option<Sync> {
        if now < self.asked + self.settings.lease / 3 || mutant!(NoRenewal) {
            return None;
        }
        self.asked = now;
        self.tally.renewals += 1;
        self.scrub(self.copy.count_digest());
        Some(self.addressed(Sync::default()))
    }

    /// The digest, counted anew, is the copy's: memory may hold something else than was put there.
    fn scrub(&mut self, digest: u64) {
        if digest != self.copy.digest {
            self.copy.digest = digest;
            self.tally.divergences += 1;
            self.diverged = true;
        }
    }

    fn addressed(&self, sync: Sync) -> Sync {
        Sync {
            epoch: self.newest,
            lease_s: u32::try_from(self.settings.lease.as_secs()).unwrap_or(u32::MAX),
            selection: self.selection.clone(),
            ..sync
        }
    }
}
