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

/// Keys and their times: one turn a key, however often it is added.
#[derive(Debug)]
pub struct Queue<K> {
    order: BTreeSet<(Instant, K)>,
    due: HashMap<K, Instant>,
    running: HashSet<K>,
    /// Added during their turn.
    again: HashSet<K>,
    /// Those that are to have a turn at some time after the one that they have.
    later: HashMap<K, Instant>,
    tries: HashMap<K, u32>,
    repairs: HashMap<K, (u32, Instant)>,
}

impl<K: Clone + Eq + Hash + Ord> Default for Queue<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Clone + Eq + Hash + Ord> Queue<K> {
    /// Nobody's turn.
    #[must_use]
    pub fn new() -> Self {
        Self {
            order: BTreeSet::new(),
            due: HashMap::new(),
            running: HashSet::new(),
            again: HashSet::new(),
            later: HashMap::new(),
            tries: HashMap::new(),
            repairs: HashMap::new(),
        }
    }

    /// How many wait or have their turn.
    #[must_use]
    pub fn len(&self) -> usize {
        self.due.len() + self.running.len()
    }

    /// There is news of it: at once, however long it was to wait.
    pub fn add(&mut self, key: &K, now: Instant) {
        self.add_at(key, now);
    }

    /// What was written was changed by somebody else. Who changes it again and again waits longer and longer.
    pub fn add_for_repair(&mut self, key: &K, now: Instant) {
        let pause = match self.repairs.get(key) {
            Some((count, last)) if now.saturating_duration_since(*last) < FORGIVEN => {
                doubled(FIGHT, count.saturating_sub(1))
            }
            _ => Duration::ZERO,
        };
        self.add_at(key, now + pause);
    }

    /// It was repaired.
    pub fn repaired(&mut self, key: &K, now: Instant) {
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
    pub fn next(&mut self, now: Instant) -> Option<K> {
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
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// It had its turn.
    pub fn done(&mut self, key: &K, now: Instant) {
        self.running.remove(key);
        self.tries.remove(key);
        let later = self.later.remove(key);
        if self.again.remove(key) {
            self.add_at(key, now);
        } else if let Some(at) = later {
            self.add_at(key, at);
        }
    }

    /// It is to have a turn at that time, or earlier if there is news of it.
    pub fn add_later(&mut self, key: &K, at: Instant) {
        if !self.running.contains(key) {
            return self.add_at(key, at);
        }
        let then = self.later.entry(key.clone()).or_insert(at);
        *then = at.min(*then);
    }

    /// Whether nobody waits, and nobody has a turn.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// It had its turn in vain: another one after a pause that doubles from the first to the longest.
    pub fn retry(&mut self, key: &K, pauses: (Duration, Duration), now: Instant) -> u32 {
        self.running.remove(key);
        self.later.remove(key);
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
    fn what_is_to_be_later_does_not_come_at_once() {
        let (now, then) = (Instant::now(), Instant::now() + Duration::from_secs(20));
        let mut queue = Queue::new();
        queue.add(&"a", now);
        assert_eq!(queue.next(now), Some("a"));
        queue.add_later(&"a", then);
        queue.done(&"a", now);
        assert_eq!((queue.next(now), queue.deadline()), (None, Some(then)));
        queue.add(&"a", now);
        assert_eq!(queue.next(now), Some("a"), "there is news of it");
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
