//! The one request that may be out, and when to send it again.
//!
//! **R6 Request.** A re-ask is the same request: same rid, same digests, from the first place that is missing. *Else,
//! with a round trip above the time-out, every answer is too late for ever.* Words from the source hold it. *Else each
//! re-ask brings a word, and each word the next re-ask, while an API server is away.* After two asks in vain it is for one
//! page. *Else whoever is not there takes the room for pages from those who are, for ever.*

use super::mutants::mutant;
use super::settings::Settings;
use super::staging::Stage;
use super::time::Moment;
use crate::protocol::message::{Epoch, Selection, Sync};
use std::time::Duration;

/// After so many asks that nothing answered, nobody seems to be there. One may have been lost, or the way may be long.
const SILENCE: u32 = 2;

/// How long a round trip takes, and so how long to wait for one.
#[derive(Debug, Default)]
pub(super) struct Pace {
    estimate: Option<Duration>,
    /// It is known which ask was answered when the estimate was made.
    sure: bool,
}

impl Pace {
    /// A round trip took so long. A guess (several asks were out) counts only until something is known.
    fn measured(&mut self, took: Duration, sure: bool) {
        self.estimate = match self.estimate {
            Some(before) if self.sure && sure => Some((before * 7 + took) / 8),
            Some(before) if self.sure || !sure => Some(before),
            _ => Some(took),
        };
        self.sure |= sure;
    }

    /// No round trip was measured.
    pub(super) fn is_unknown(&self) -> bool {
        self.estimate.is_none()
    }

    fn timeout(&self, settings: &Settings) -> Duration {
        let (least, most) = settings.timeout;
        let measured = self
            .estimate
            .map(|took| took * 3 + Duration::from_millis(50));
        measured.map_or(settings.first_timeout, |time| time.clamp(least, most))
    }

    /// How long a gap may heal by itself; not so long that the next heartbeat would tell.
    pub(super) fn grace(&self, settings: &Settings) -> Duration {
        let measured = self.estimate.unwrap_or_default().min(settings.heartbeat);
        settings.grace.max(measured)
    }
}

/// What is asked, and what came of it so far.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) rid: u64,
    /// When it was first sent: the snapshot that answers it was taken later.
    since: Moment,
    /// A feed said then that it has no list yet: a snapshot of that very feed was taken later still.
    unlisted: Option<(Epoch, Moment)>,
    pub(super) digests: Vec<u64>,
    /// It asks as if nothing were held: what its digests agree with is nothing.
    pub(super) for_all: bool,
    dictionary: u32,
    pub(super) stage: Stage,
    /// Pages of the window that did not come yet.
    pub(super) left: u32,
    window: u32,
    /// When the asks began that nothing has answered yet, and how many there were.
    asked: Option<Moment>,
    tries: u32,
    deadline: Moment,
    /// There was no room for pages; it is still due, and looked at again then.
    no_room_until: Option<Moment>,
}

impl Request {
    /// A request that is due now.
    pub(super) fn new(rid: u64, now: Moment, digests: Vec<u64>, dictionary: u32) -> Self {
        Self {
            rid,
            since: now,
            unlisted: None,
            digests,
            for_all: false,
            dictionary,
            stage: Stage::default(),
            left: 0,
            window: 0,
            asked: None,
            tries: 0,
            deadline: now,
            no_room_until: None,
        }
    }

    /// A request for everything, whatever is held.
    pub(super) fn for_all(rid: u64, now: Moment) -> Self {
        Self {
            for_all: true,
            ..Self::new(rid, now, vec![0], 0)
        }
    }

    pub(super) fn is_due(&self, now: Moment) -> bool {
        self.deadline <= now
    }

    /// When to look at it next.
    pub(super) fn next_deadline(&self) -> Moment {
        self.deadline.max(self.no_room_until.unwrap_or_default())
    }

    /// Nothing answered the last ask yet.
    pub(super) fn is_reask(&self) -> bool {
        self.tries > 0
    }

    /// Pages that may be on their way, as far as that keeps others from asking: not those of who seems not to be there.
    pub(super) fn outstanding(&self) -> u32 {
        if self.tries > SILENCE { 0 } else { self.left }
    }

    /// So many asks were not answered that the next one only asks whether anybody is there.
    pub(super) fn is_in_vain(&self) -> bool {
        self.tries >= SILENCE
    }

    /// The caller has no room for pages just now. It is due all the same, whenever there is some. What was asked for is
    /// overdue, and takes no room from others: else streams that each lost a page wait for each other, for ever.
    pub(super) fn no_room(&mut self, now: Moment) {
        self.left = 0;
        self.no_room_until = Some(now + Duration::from_millis(20));
    }

    /// The message, once more; the next one is due when the time-out has passed, doubled for each ask that nothing
    /// answered.
    pub(super) fn ask(
        &mut self,
        now: Moment,
        window: u32,
        pace: &Pace,
        settings: &Settings,
    ) -> Sync {
        let wait = pace.timeout(settings) * 2_u32.saturating_pow(self.tries.min(16));
        let wait = wait.min(settings.timeout.1);
        self.asked = self.asked.or(Some(now));
        self.tries += 1;
        self.no_room_until = None;
        self.deadline = if mutant!(NoReask) {
            Moment::NEVER
        } else {
            now + wait
        };
        // Pages of the asks before may come late: they are not asked for anew meanwhile.
        let more = self.tries > 1;
        self.left = if more { self.left.max(window) } else { window };
        self.window = if more {
            self.window.max(window)
        } else {
            window
        };
        self.stage.asked();
        Sync {
            rid: self.rid,
            epoch: Epoch::default(),
            digests: self.digests.clone(),
            from: self.stage.missing().clone(),
            max_messages: window,
            lease_s: 0,
            selection: Selection::default(),
            dictionary: self.dictionary,
        }
    }

    /// A page came. With the whole window there, the next one is asked for at once; with the last page of it there and
    /// others not, after the time in which they may come late.
    pub(super) fn answered(
        &mut self,
        now: Moment,
        last: bool,
        pace: &mut Pace,
        settings: &Settings,
    ) {
        self.measure(now, pace);
        let naive = last && mutant!(StagedPagesTakenAgain);
        let complete = naive || self.stage.has_window(self.window);
        self.left = if last || complete {
            0
        } else {
            self.left.saturating_sub(1)
        };
        self.deadline = match (complete, last) {
            (true, _) => now,
            _ if mutant!(NoReask) => Moment::NEVER,
            (false, true) => now + pace.grace(settings),
            (false, false) => now + pace.timeout(settings),
        };
    }

    /// What a snapshot of this epoch is younger than.
    pub(super) fn snapshot_since(&self, epoch: Epoch) -> Moment {
        match self.unlisted {
            Some((of, at)) if of == epoch => at,
            _ => self.since,
        }
    }

    /// Words came from a feed instead of an answer.
    pub(super) fn held(&mut self, now: Moment, by: Epoch, pace: &mut Pace, settings: &Settings) {
        self.measure(now, pace);
        self.left = 0;
        self.unlisted = Some((by, now));
        self.deadline = now + settings.status_hold;
    }

    fn measure(&mut self, now: Moment, pace: &mut Pace) {
        if let Some(asked) = self.asked.take() {
            pace.measured(now.since(asked), self.tries == 1);
        }
        self.tries = 0;
    }

    /// Not before this, and no earlier silence counts: the link was down, or the caller has no room.
    pub(super) fn put_off(&mut self, until: Moment) {
        self.asked = None;
        self.tries = 0;
        self.left = 0;
        self.deadline = until;
    }

    /// What came of it is worth nothing.
    pub(super) fn start_over(&mut self, until: Moment) {
        self.stage = Stage::default();
        self.put_off(until);
    }
}
