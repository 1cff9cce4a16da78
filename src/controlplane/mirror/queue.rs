//! What has to be looked at, when, and by one at a time.
//!
//! A key that is added ten times before its turn has one turn; one that is added during its turn has another one after
//! it. So what happens to one key happens in order, and what waits is bounded by what there is.
//!
//! Knows no clock: the caller brings the time.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;
use std::time::Duration;
use tokio::time::Instant;

/// Repairs of one key further apart than this are none of a fight.
const FORGIVEN: Duration = Duration::from_secs(120);
/// The first pause of a fight, and the longest.
const FIGHT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(60));

/// Keys and their times.
#[derive(Debug)]
pub(super) struct Queue<K> {
    order: BTreeSet<(Instant, K)>,
    due: HashMap<K, Instant>,
    running: HashSet<K>,
    /// Added during their turn.
    again: HashSet<K>,
    tries: HashMap<K, u32>,
    repairs: HashMap<K, (u32, Instant)>,
}

impl<K: Clone + Eq + Hash + Ord> Queue<K> {
    pub(super) fn new() -> Self {
        Self {
            order: BTreeSet::new(),
            due: HashMap::new(),
            running: HashSet::new(),
            again: HashSet::new(),
            tries: HashMap::new(),
            repairs: HashMap::new(),
        }
    }

    /// How many wait or have their turn.
    pub(super) fn len(&self) -> usize {
        self.due.len() + self.running.len()
    }

    /// There is news of it: at once, however long it was to wait.
    pub(super) fn add(&mut self, key: &K, now: Instant) {
        self.add_at(key, now);
    }

    /// Its copy was changed by somebody else. Who changes it again and again waits longer and longer.
    pub(super) fn add_for_repair(&mut self, key: &K, now: Instant) {
        let pause = match self.repairs.get(key) {
            Some((count, last)) if now.saturating_duration_since(*last) < FORGIVEN => {
                doubled(FIGHT, count.saturating_sub(1))
            }
            _ => Duration::ZERO,
        };
        self.add_at(key, now + pause);
    }

    /// It was repaired.
    pub(super) fn repaired(&mut self, key: &K, now: Instant) {
        if self.repairs.len() > 10_000 {
            let recent = |last: &Instant| now.saturating_duration_since(*last) < FORGIVEN;
            self.repairs.retain(|_, (_, last)| recent(last));
        }
        let (count, last) = self.repairs.entry(key.clone()).or_insert((0, now));
        *count = match now.saturating_duration_since(*last) < FORGIVEN {
            true => count.saturating_add(1),
            false => 1,
        };
        *last = now;
    }

    fn add_at(&mut self, key: &K, at: Instant) {
        if self.running.contains(key) {
            self.again.insert(key.clone());
            return;
        }
        match self.due.get(key) {
            Some(due) if *due <= at => {}
            Some(due) => {
                self.order.remove(&(*due, key.clone()));
                self.put(key.clone(), at);
            }
            None => self.put(key.clone(), at),
        }
    }

    fn put(&mut self, key: K, at: Instant) {
        self.due.insert(key.clone(), at);
        self.order.insert((at, key));
    }

    /// Whose turn it is, if it is anybody's. It has to be given back by [`Queue::done`] or [`Queue::retry`].
    pub(super) fn next(&mut self, now: Instant) -> Option<K> {
        let (at, _) = self.order.first()?;
        if *at > now {
            return None;
        }
        let (_, key) = self.order.pop_first()?;
        self.due.remove(&key);
        self.running.insert(key.clone());
        Some(key)
    }

    /// When the next turn is.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// It had its turn.
    pub(super) fn done(&mut self, key: &K, now: Instant) {
        self.running.remove(key);
        self.tries.remove(key);
        if self.again.remove(key) {
            self.add_at(key, now);
        }
    }

    /// It had its turn in vain: another one after a pause that doubles from the first to the longest.
    pub(super) fn retry(&mut self, key: &K, pauses: (Duration, Duration), now: Instant) -> u32 {
        self.running.remove(key);
        let tries = self.tries.entry(key.clone()).or_insert(0);
        let pause = doubled(pauses, *tries);
        *tries = tries.saturating_add(1);
        let tries = *tries;
        // What came meanwhile may be what helps.
        let at = match self.again.remove(key) {
            true => now + pauses.0.min(pause),
            false => now + pause,
        };
        self.put(key.clone(), at);
        tries
    }
}

fn doubled((first, longest): (Duration, Duration), times: u32) -> Duration {
    let factor = 2_u32.saturating_pow(times.min(30));
    first.saturating_mul(factor).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(4));

    fn all(queue: &mut Queue<&'static str>, now: Instant) -> Vec<&'static str> {
        std::iter::from_fn(|| queue.next(now)).collect()
    }

    #[test]
    fn a_key_has_one_turn_at_a_time_and_another_one_for_what_came_meanwhile() {
        let now = Instant::now();
        let mut queue = Queue::new();
        queue.add(&"a", now);
        queue.add(&"a", now);
        assert_eq!(all(&mut queue, now), ["a"]);
        queue.add(&"a", now);
        assert_eq!(all(&mut queue, now), [""; 0], "it has its turn");
        queue.done(&"a", now);
        assert_eq!(all(&mut queue, now), ["a"]);
        queue.done(&"a", now);
        assert_eq!((all(&mut queue, now).len(), queue.len()), (0, 0));
    }

    #[test]
    fn one_that_fails_waits_and_holds_up_nobody() {
        let now = Instant::now();
        let mut queue = Queue::new();
        queue.add(&"a", now);
        for (turn, pause) in [1, 2, 4, 4].into_iter().enumerate() {
            let now = now + Duration::from_secs(100 * turn as u64);
            assert_eq!(queue.next(now), Some("a"));
            queue.retry(&"a", PAUSES, now);
            queue.add(&"b", now);
            assert_eq!(all(&mut queue, now), ["b"]);
            queue.done(&"b", now);
            assert_eq!(queue.deadline(), Some(now + Duration::from_secs(pause)));
        }
        queue.add(&"a", now);
        assert_eq!(queue.next(now), Some("a"), "news does not wait");
    }

    #[test]
    fn a_fight_becomes_slower_and_peace_ends_it() {
        let mut now = Instant::now();
        let mut queue = Queue::new();
        let mut waits = Vec::new();
        for _ in 0..4 {
            queue.add_for_repair(&"a", now);
            let at = queue.deadline().unwrap();
            waits.push((at - now).as_millis());
            now = at;
            assert_eq!(queue.next(now), Some("a"));
            queue.repaired(&"a", now);
            queue.done(&"a", now);
        }
        assert_eq!(waits, [0, 50, 100, 200]);
        now += FORGIVEN;
        queue.add_for_repair(&"a", now);
        assert_eq!(queue.next(now), Some("a"));
    }
}
