//! The API server's clock, as far as its `Date` headers tell.

/// The offset of another machine's clock, narrowed with each answer.
///
/// An answer whose header says `D` (whole seconds) was written at some moment of `[D, D + 1 s)` between the request's
/// sending and the answer's arrival. Each such statement bounds the offset; together they bound it to some
/// milliseconds, although a single one is a second wide.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ServerClock {
    /// The offset lies in here, in ms to add to the own clock; nothing was heard yet if none.
    bounds: Option<(i64, i64)>,
}

impl ServerClock {
    /// Takes in one answer; own times and the header's, in ms since 1970.
    pub(super) fn observe(&mut self, sent: i64, received: i64, date: i64) {
        let (low, high) = (date - received, date + 1000 - sent);
        let narrowed = self.bounds.map(|(l, h)| (l.max(low), h.min(high)));
        // Bounds that contradict each other mean that one of the clocks was set: only the newest counts.
        self.bounds = narrowed.filter(|(l, h)| l <= h).or(Some((low, high)));
    }
    /// What to add to the own clock, in ms; 0 until something was heard.
    pub(super) fn offset(&self) -> i64 {
        self.bounds.map_or(0, |(low, high)| low + (high - low) / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header of a server whose clock is `offset` ahead, at own time `at`.
    fn header(at: i64, offset: i64) -> i64 {
        (at + offset).div_euclid(1000) * 1000
    }

    #[test]
    fn many_answers_tell_more_than_one() {
        let mut clock = ServerClock::default();
        assert_eq!(clock.offset(), 0);
        let offset = 123_456;
        clock.observe(10_000, 10_004, header(10_002, offset));
        assert!((clock.offset() - offset).abs() <= 510, "{clock:?}");
        for i in 0..50 {
            let sent = 20_000 + i * 1_037;
            clock.observe(sent, sent + 4, header(sent + 2, offset));
        }
        assert!((clock.offset() - offset).abs() <= 25, "{clock:?}");
    }

    #[test]
    fn a_clock_that_was_set_is_believed_at_once() {
        let mut clock = ServerClock::default();
        clock.observe(0, 4, header(2, 0));
        clock.observe(5_000, 5_004, header(5_002, -60_000));
        assert!((clock.offset() + 60_000).abs() <= 510, "{clock:?}");
    }
}
