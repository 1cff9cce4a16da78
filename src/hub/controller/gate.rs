//! Holds back what takes objects of the hub's own kinds away until their definition was seen to stand after that.

use super::definitions::{AGAIN, Definition, look};
use super::world::{DEFINED, Kind};
use crate::kubernetes::{Heard, Kubernetes};
use crate::source::Event;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tokio::task::JoinSet;

/// Holds back what takes objects away until their definition was seen to stand.
pub(super) struct Gate {
    kubernetes: Kubernetes,
    waiting: Waiting,
    asked: JoinSet<(Kind, Definition)>,
}

impl Gate {
    pub(super) fn new(kubernetes: Kubernetes) -> Self {
        Self {
            kubernetes,
            waiting: Waiting::default(),
            asked: JoinSet::new(),
        }
    }

    /// The word of a watch, if it counts at once; `whole`: the kind was read whole before.
    pub(super) fn admit(&mut self, kind: Kind, heard: Heard, whole: bool) -> Option<Heard> {
        match self.waiting.admit(kind, heard, whole) {
            Admission::Counts(heard) => return Some(heard),
            Admission::Ask => self.ask(kind, Duration::ZERO),
            Admission::Waits => {}
        }
        None
    }

    /// What was asked and is answered; never, if nothing was.
    pub(super) async fn next(&mut self) -> (Kind, Definition) {
        while let Some(answer) = self.asked.join_next().await {
            if let Ok(answer) = answer {
                return answer;
            }
        }
        std::future::pending().await
    }

    /// A definition stands: what counts now.
    pub(super) fn stands(&mut self, kind: Kind) -> Vec<Heard> {
        let (counts, ask) = self.waiting.stands(kind);
        if ask {
            self.ask(kind, Duration::ZERO);
        }
        counts
    }

    /// It could not be asked.
    pub(super) fn ask_again(&mut self, kind: Kind, why: &str) {
        tracing::debug!(kind = kind.definition(), why, "a definition cannot be read");
        self.ask(kind, AGAIN);
    }

    fn ask(&mut self, kind: Kind, after: Duration) {
        let kubernetes = self.kubernetes.clone();
        self.asked.spawn(async move {
            tokio::time::sleep(after).await;
            (kind, look(&kubernetes, kind).await)
        });
    }
}

/// The words that wait, in order.
#[derive(Debug, Default)]
struct Waiting(BTreeMap<Kind, Words>);

#[derive(Debug)]
struct Words {
    words: VecDeque<Heard>,
    /// How many of them there were when the definition was asked for.
    asked: usize,
}

#[derive(Debug)]
enum Admission {
    Counts(Heard),
    /// It waits, and the definition has to be looked at.
    Ask,
    /// It waits behind others.
    Waits,
}

impl Waiting {
    fn admit(&mut self, kind: Kind, heard: Heard, whole: bool) -> Admission {
        if let Some(waiting) = self.0.get_mut(&kind) {
            waiting.words.push_back(heard);
            return Admission::Waits;
        }
        // What was never read has nothing that could be taken away, and namespaces have no definition.
        if !whole || !DEFINED.contains(&kind) || !takes_away(&heard) {
            return Admission::Counts(heard);
        }
        let words = [heard].into();
        self.0.insert(kind, Words { words, asked: 1 });
        Admission::Ask
    }

    /// What counts now that a definition stands; whether it has to be looked at again, for what came meanwhile.
    fn stands(&mut self, kind: Kind) -> (Vec<Heard>, bool) {
        let Some(Words { mut words, asked }) = self.0.remove(&kind) else {
            return (Vec::new(), false);
        };
        let mut counts: Vec<_> = words.drain(..asked.min(words.len())).collect();
        while words.front().is_some_and(|it| !takes_away(it)) {
            counts.extend(words.pop_front());
        }
        let more = !words.is_empty();
        if more {
            let asked = words.len();
            self.0.insert(kind, Words { words, asked });
        }
        (counts, more)
    }
}

/// Whether a word may say that an object goes, or is gone.
fn takes_away(heard: &Heard) -> bool {
    match heard {
        Heard::Event(Event::Put(_, value, _)) => {
            let mark = br#""deletionTimestamp""#;
            value.windows(mark.len()).any(|it| it == mark)
        }
        Heard::Event(Event::Listed(..) | Event::Delete(..) | Event::Refused(_)) => true,
        Heard::Event(_) | Heard::Kind(_) | Heard::Trouble(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn put(version: u64, deleting: bool) -> Heard {
        let mut object = json!({"metadata": {"name": "w"}});
        if deleting {
            object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        }
        Heard::Event(Event::Put("c/w".into(), object.to_string().into(), version))
    }

    fn versions(heard: &[Heard]) -> Vec<u64> {
        let version = |it: &Heard| match it {
            Heard::Event(Event::Put(_, _, version)) => *version,
            other => panic!("{other:?}"),
        };
        heard.iter().map(version).collect()
    }

    #[test]
    fn nothing_goes_before_its_definition_was_seen_to_stand() {
        let mut waiting = Waiting::default();
        let counts = |it| matches!(it, Admission::Counts(_));
        let asks = |it| matches!(it, Admission::Ask);
        assert!(counts(waiting.admit(Kind::Work, put(1, false), true)));
        assert!(counts(waiting.admit(Kind::Work, put(1, true), false)));
        assert!(counts(waiting.admit(Kind::Namespace, put(1, true), true)));
        assert!(asks(waiting.admit(Kind::Work, put(2, true), true)));
        // What comes after it stays after it; others do not wait.
        assert!(!counts(waiting.admit(Kind::Work, put(3, false), true)));
        assert!(counts(waiting.admit(Kind::Placement, put(3, false), true)));
        // That was not there yet when it was asked.
        assert!(!counts(waiting.admit(Kind::Work, put(4, true), true)));
        let (first, again) = waiting.stands(Kind::Work);
        assert_eq!((versions(&first), again), (vec![2, 3], true));
        let (second, again) = waiting.stands(Kind::Work);
        assert_eq!((versions(&second), again), (vec![4], false));
        assert!(counts(waiting.admit(Kind::Work, put(5, false), true)));
        for event in [Event::Delete("c/w".into(), 6), Event::Listed(Vec::new(), 6)] {
            let mut waiting = Waiting::default();
            assert!(asks(waiting.admit(Kind::Work, Heard::Event(event), true)));
        }
    }
}
