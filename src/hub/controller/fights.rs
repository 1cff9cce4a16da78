//! What somebody undoes: it is written again, more and more slowly.
//!
//! Another controller that believes something else is no reason to write for ever as fast as both can.

use super::cycle::Key;
use super::deeds::{Act, Deed};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;
use tokio::time::Instant;

/// Two times further apart than this are no fight.
const FORGIVEN: Duration = Duration::from_secs(120);
/// The first pause, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(60));
/// So many times the same is a fight that people are told of.
const TOLD: u32 = 6;

/// Tells what was written from other things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark(u64);

/// What was written last for each key.
#[derive(Debug, Default)]
pub(super) struct Fights {
    last: HashMap<Key, Written>,
}

#[derive(Debug)]
struct Written {
    what: Mark,
    /// How many times the same, one after the other.
    times: u32,
    at: Instant,
}

impl Mark {
    /// Of deeds. Events have their time in them, and nobody undoes them.
    pub(super) fn of(deeds: &[Deed]) -> Self {
        let mut hasher = DefaultHasher::new();
        let written = deeds.iter().filter(|it| !matches!(it.act, Act::Tell(_)));
        written.for_each(|it| it.hash(&mut hasher));
        Self(hasher.finish())
    }
}

impl Fights {
    /// Until when that has to wait; none if it has not.
    pub(super) fn pause(&self, key: &Key, what: Mark, now: Instant) -> Option<Instant> {
        let last = self.last.get(key).filter(|it| is_recent(it, now))?;
        if last.what != what {
            return None;
        }
        let doubled = PAUSES.0.saturating_mul(1 << (last.times - 1).min(20));
        let then = last.at + doubled.min(PAUSES.1);
        (then > now).then_some(then)
    }

    /// It was done. Answers whether that has become a fight.
    pub(super) fn wrote(&mut self, key: &Key, what: Mark, now: Instant) -> bool {
        if self.last.len() > 10_000 {
            self.last.retain(|_, it| is_recent(it, now));
        }
        let same = self.last.get(key);
        let same = same.filter(|it| it.what == what && is_recent(it, now));
        let times = same.map_or(1, |it| it.times.saturating_add(1));
        let at = now;
        self.last.insert(key.clone(), Written { what, times, at });
        times == TOLD
    }
}

fn is_recent(written: &Written, now: Instant) -> bool {
    now.saturating_duration_since(written.at) < FORGIVEN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::controller::deeds;
    use crate::ocm::Placement;
    use serde_json::json;

    fn deed(value: &str) -> Mark {
        let act = Act::Merge(json!({"v": value}));
        let place = deeds::place::<Placement>("shop", "web");
        Mark::of(&[Deed { place, act }])
    }

    #[test]
    fn only_the_same_again_waits_and_longer_each_time() {
        let (key, begin) = (Key::Set("s".to_owned()), Instant::now());
        let mut fights = Fights::default();
        let mut now = begin;
        assert_eq!(fights.pause(&key, deed("1"), now), None);
        let mut pauses = Vec::new();
        for time in 1..=12 {
            assert_eq!(fights.wrote(&key, deed("1"), now), time == TOLD);
            assert_eq!(fights.pause(&key, deed("2"), now), None, "it is another");
            let then = fights.pause(&key, deed("1"), now).unwrap();
            pauses.push((then - now).as_millis());
            now = then;
            assert_eq!(fights.pause(&key, deed("1"), now), None);
        }
        assert_eq!(pauses[..3], [50, 100, 200]);
        assert_eq!(pauses[11], 60_000);
        fights.wrote(&key, deed("2"), now);
        assert_eq!(fights.pause(&key, deed("1"), now), None);
        fights.wrote(&key, deed("1"), now);
        let late = now + FORGIVEN;
        assert_eq!(fights.pause(&key, deed("1"), late), None);
    }
}
