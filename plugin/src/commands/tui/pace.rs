//! When frames are drawn: one in 16 ms, whatever happens.
//!
//! A frame for what was typed may have the slot of the next one at once: nobody waits for a change that came just before
//! the key. The frame after it comes that much later. What changes beside what is looked at (counts, ages) leaves the next
//! slots free: a change that is looked at finds one, however much changes elsewhere.

use std::time::Duration;
use tokio::time::Instant;

/// Between two frames.
const FRAME: Duration = Duration::from_millis(16);

/// Until a frame only for what changed beside what is looked at.
const ASIDE: Duration = Duration::from_millis(100);

/// What frames there were.
#[derive(Debug)]
pub(super) struct Pace {
    /// When the next slot begins.
    next: Instant,
    /// Something was typed that is not on the screen yet.
    is_typed: bool,
}

impl Pace {
    /// None yet.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            next: now,
            is_typed: false,
        }
    }

    /// Something was typed.
    pub(super) fn typed(&mut self) {
        self.is_typed = true;
    }

    /// From when on a frame may be drawn.
    pub(super) fn due(&self) -> Instant {
        match self.is_typed {
            true => self.next.checked_sub(FRAME).unwrap_or(self.next),
            false => self.next,
        }
    }

    /// From when on a frame may be drawn only for what changed aside.
    pub(super) fn due_aside(&self) -> Instant {
        self.next + (ASIDE - FRAME)
    }

    /// Whether what was typed may be drawn now: nothing else is waited for.
    pub(super) fn hurries(&self, now: Instant) -> bool {
        self.is_typed && self.due() <= now
    }

    /// One was, which began then: what came while it was drawn waits no longer for that.
    pub(super) fn drawn(&mut self, begun: Instant) {
        self.next = self.next.max(begun) + FRAME;
        self.is_typed = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_have_one_frame_in_16_ms() {
        let begin = Instant::now();
        let mut pace = Pace::new(begin);
        assert!(pace.due() <= begin);
        pace.drawn(begin);
        assert_eq!(pace.due(), begin + FRAME);
        let late = begin + 5 * FRAME;
        pace.drawn(late);
        assert_eq!(pace.due(), late + FRAME);
    }

    #[test]
    fn what_is_aside_leaves_the_next_slots_free() {
        let begin = Instant::now();
        let mut pace = Pace::new(begin);
        pace.drawn(begin);
        assert_eq!(pace.due_aside(), begin + ASIDE);
        assert_eq!(pace.due(), begin + FRAME);
    }

    #[test]
    fn what_is_typed_has_the_next_slot_at_once_and_no_more_than_that() {
        let begin = Instant::now();
        let mut pace = Pace::new(begin);
        pace.drawn(begin);
        let at = begin + Duration::from_millis(1);
        assert!(!pace.hurries(at));
        pace.typed();
        assert!(pace.hurries(at));
        pace.drawn(at);
        assert_eq!(pace.due(), begin + 2 * FRAME, "one was lent");
        pace.typed();
        assert_eq!(pace.due(), begin + FRAME, "not two");
    }
}
