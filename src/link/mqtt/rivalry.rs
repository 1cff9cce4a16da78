//! Whether another client uses our client id, where the broker does not say so.
//!
//! MQTT 5 has a reason for it (DISCONNECT, 0x8E), but mosquitto 2.0 just closes the older connection. So two clients of
//! one id would throw each other out several times a second, for ever. Their trace: the broker lets us in at once, and
//! closes the connection in good order, again and again. A broker that restarts lets nobody in for a while.

use std::time::{Duration, Instant};

/// So many connections, closed within so long.
const CLOSINGS: usize = 3;
const WITHIN: Duration = Duration::from_secs(60);

/// The connections that a broker closed, one right after the other.
#[derive(Debug, Default)]
pub(super) struct Rivalry {
    closings: Vec<Instant>,
}

impl Rivalry {
    /// The broker closed a connection without a word; true when it looks like a rival's doing. A rival comes back at
    /// once: what closes a connection that was `settled` is a network that breaks, unless the rival is known already
    /// and both try slowly.
    pub(super) fn closed(&mut self, now: Instant, settled: bool) -> bool {
        self.closings
            .retain(|before| now.duration_since(*before) < WITHIN);
        if settled && self.closings.len() < CLOSINGS {
            self.closings.clear();
            return false;
        }
        self.closings.push(now);
        self.closings.len() >= CLOSINGS
    }

    /// The broker let us not in, or the connection ended in another way.
    pub(super) fn interrupted(&mut self) {
        self.closings.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_closings_in_a_row_are_a_rival() {
        let (mut rivalry, now) = (Rivalry::default(), Instant::now());
        assert!(!rivalry.closed(now, false));
        assert!(!rivalry.closed(now, false));
        assert!(rivalry.closed(now, false));
        assert!(rivalry.closed(now + WITHIN / 2, true), "and again, slowly");
    }

    #[test]
    fn a_network_that_breaks_again_and_again_is_none() {
        let (mut rivalry, now) = (Rivalry::default(), Instant::now());
        for second in 0..20 {
            let now = now + Duration::from_secs(second * 3);
            assert!(!rivalry.closed(now, true));
            assert!(!rivalry.closed(now, false));
        }
    }

    #[test]
    fn a_broker_that_was_away_and_one_that_closes_now_and_then_are_none() {
        let (mut rivalry, now) = (Rivalry::default(), Instant::now());
        for minute in 0..5 {
            assert!(!rivalry.closed(now + WITHIN * minute, false));
        }
        let later = now + WITHIN * 9;
        for _ in 0..5 {
            assert!(!rivalry.closed(later, false));
            assert!(!rivalry.closed(later, false));
            rivalry.interrupted();
        }
    }
}
