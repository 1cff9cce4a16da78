//! Holds back what takes objects of the hub's own kinds away until their definition was seen to stand after that.
//!
//! While a definition cannot be read, all that comes of its kind waits behind that, but not for ever: from then on it goes
//! on as if nothing had been deleted. What was, is not forgotten: it counts once the definition is seen to stand.

use super::definitions::{AGAIN, Definition, look};
use super::world::{DEFINED, Kind};
use crate::kubernetes::{Heard, Kubernetes};
use crate::source::Event;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// For how long what comes of a kind waits for a definition that cannot be read.
const LONGEST: Duration = Duration::from_secs(30);

/// Holds back what takes objects away until their definition was seen to stand.
pub(super) struct Gate {
    kubernetes: Kubernetes,
    waiting: Waiting,
    asked: JoinSet<(Kind, Definition)>,
    /// Since when definitions cannot be read.
    doubts: BTreeMap<Kind, Instant>,
}

impl Gate {
    pub(super) fn new(kubernetes: Kubernetes) -> Self {
        Self {
            kubernetes,
            waiting: Waiting::default(),
            asked: JoinSet::new(),
            doubts: BTreeMap::new(),
        }
    }

    /// What of the word of a watch counts at once; `whole`: the kind was read whole before.
    pub(super) fn admit(&mut self, kind: Kind, heard: Heard, whole: bool) -> Vec<Heard> {
        match self.waiting.admit(kind, heard, whole) {
            Admission::Counts(heard) => return heard,
            Admission::Ask => self.ask(kind, Duration::ZERO),
            Admission::Waits => {}
        }
        Vec::new()
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
        self.doubts.remove(&kind);
        let (counts, ask) = self.waiting.stands(kind);
        if ask {
            self.ask(kind, Duration::ZERO);
        }
        counts
    }

    /// It could not be asked: what counts all the same, as if nothing had been deleted. A kind that was never read whole
    /// waits, and so does the hub.
    pub(super) fn ask_again(&mut self, kind: Kind, why: &str, whole: bool) -> Vec<Heard> {
        let now = Instant::now();
        let since = *self.doubts.entry(kind).or_insert_with(|| {
            tracing::warn!(
                kind = kind.definition(),
                "a definition cannot be read, and what is deleted of its kind waits for that: {why}; let the hub get customresourcedefinitions"
            );
            now
        });
        let counts = match whole && now.saturating_duration_since(since) >= LONGEST {
            true => self.waiting.go_on(kind),
            false => Vec::new(),
        };
        self.waiting.asked(kind);
        self.ask(kind, AGAIN);
        counts
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

#[derive(Debug, Default)]
struct Words {
    words: VecDeque<Heard>,
    /// How many of them there were when the definition was asked for.
    asked: usize,
    /// They have waited for too long: what comes goes on as if nothing were deleted, and is kept.
    goes_on: bool,
}

#[derive(Debug)]
enum Admission {
    /// These count.
    Counts(Vec<Heard>),
    /// It waits, and the definition has to be looked at.
    Ask,
    /// It waits behind others.
    Waits,
}

impl Waiting {
    fn admit(&mut self, kind: Kind, heard: Heard, whole: bool) -> Admission {
        if let Some(waiting) = self.0.get_mut(&kind) {
            if waiting.goes_on {
                return Admission::Counts(waiting.pass(heard));
            }
            waiting.words.push_back(heard);
            return Admission::Waits;
        }
        // Of what was never read nothing can be taken away, but by a list in which all goes; namespaces have no definition.
        let begins = matches!(heard, Heard::Event(Event::Listed(..)));
        if !(whole || begins) || !DEFINED.contains(&kind) || !takes_away(&heard) {
            return Admission::Counts(vec![heard]);
        }
        self.0.insert(kind, Words::asked([heard].into()));
        Admission::Ask
    }

    /// The definition is asked for again: after all that waits.
    fn asked(&mut self, kind: Kind) {
        if let Some(waiting) = self.0.get_mut(&kind) {
            waiting.asked = waiting.words.len();
        }
    }

    /// From now on nothing waits but what is deleted; what counts of what has waited.
    fn go_on(&mut self, kind: Kind) -> Vec<Heard> {
        let waiting = self.0.get_mut(&kind).filter(|it| !it.goes_on);
        let Some(waiting) = waiting else {
            return Vec::new();
        };
        let words = std::mem::take(&mut waiting.words);
        (waiting.asked, waiting.goes_on) = (0, true);
        words.into_iter().flat_map(|it| waiting.pass(it)).collect()
    }

    /// What counts now that a definition stands; whether it has to be looked at again, for what came meanwhile.
    fn stands(&mut self, kind: Kind) -> (Vec<Heard>, bool) {
        let Some(Words {
            mut words, asked, ..
        }) = self.0.remove(&kind)
        else {
            return (Vec::new(), false);
        };
        let mut counts: Vec<_> = words.drain(..asked.min(words.len())).collect();
        while words.front().is_some_and(|it| !takes_away(it)) {
            counts.extend(words.pop_front());
        }
        let more = !words.is_empty();
        if more {
            self.0.insert(kind, Words::asked(words));
        }
        (counts, more)
    }
}

impl Words {
    fn asked(words: VecDeque<Heard>) -> Self {
        let asked = words.len();
        Self {
            words,
            asked,
            goes_on: false,
        }
    }

    /// What of a word counts as if nothing were deleted; the word is kept, to be told again once it may count.
    fn pass(&mut self, heard: Heard) -> Vec<Heard> {
        let Some(passes) = undeleted(&heard) else {
            return vec![heard];
        };
        self.keep(heard);
        passes
    }

    /// Keeps a word, and none that it makes needless: there are no more than objects.
    fn keep(&mut self, heard: Heard) {
        let event = match &heard {
            Heard::Event(event) => event,
            Heard::Kind(_) | Heard::Trouble(_) => return,
        };
        match event {
            Event::Put(key, ..) | Event::Delete(key, _) => {
                let older = self.words.iter().position(|it| key_of(it) == Some(key));
                if let Some(at) = older {
                    self.words.remove(at);
                    self.asked -= usize::from(at < self.asked);
                }
            }
            // A list that was under way is forgotten.
            Event::Listing => {
                while self.words.back().is_some_and(is_unfinished) {
                    self.words.pop_back();
                }
                self.asked = self.asked.min(self.words.len());
            }
            // All is told anew.
            Event::Listed(..) => {
                let begins = |it: &Heard| matches!(it, Heard::Event(Event::Listing));
                let at = self.words.iter().rposition(begins).unwrap_or(0);
                self.words.drain(..at);
                self.asked = self.asked.saturating_sub(at);
            }
            _ => {}
        }
        self.words.push_back(heard);
    }
}

fn key_of(heard: &Heard) -> Option<&Bytes> {
    match heard {
        Heard::Event(Event::Put(key, ..) | Event::Delete(key, _)) => Some(key),
        _ => None,
    }
}

fn is_unfinished(heard: &Heard) -> bool {
    matches!(heard, Heard::Event(Event::Listing | Event::Part(_)))
}

/// What a word says if nothing is deleted; none: it says nothing of objects.
fn undeleted(heard: &Heard) -> Option<Vec<Heard>> {
    let live = |key: &Bytes, value: &Bytes, version: u64| {
        let put = || Heard::Event(Event::Put(key.clone(), value.clone(), version));
        (!is_going(value)).then(put)
    };
    match heard {
        Heard::Event(Event::Put(key, value, version)) => {
            Some(live(key, value, *version).into_iter().collect())
        }
        Heard::Event(Event::Delete(..) | Event::Listing) => Some(Vec::new()),
        Heard::Event(Event::Part(all) | Event::Listed(all, _)) => {
            let all = all.iter().filter(|(key, _)| !key.is_empty());
            Some(all.filter_map(|(key, it)| live(key, it, 0)).collect())
        }
        _ => None,
    }
}

fn is_going(value: &Bytes) -> bool {
    let mark = br#""deletionTimestamp""#;
    value.windows(mark.len()).any(|it| it == mark)
}

/// Whether a word may say that an object goes, or is gone.
fn takes_away(heard: &Heard) -> bool {
    match heard {
        Heard::Event(Event::Put(_, value, _)) => is_going(value),
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

    #[test]
    fn the_first_list_counts_when_its_definition_was_seen_to_stand() {
        let mut waiting = Waiting::default();
        let listed = || Heard::Event(Event::Listed(Vec::new(), 6));
        let first = waiting.admit(Kind::Work, listed(), false);
        assert!(matches!(first, Admission::Ask));
        let namespaces = waiting.admit(Kind::Namespace, listed(), false);
        assert!(matches!(namespaces, Admission::Counts(_)));
    }

    #[test]
    fn what_is_not_deleted_waits_for_a_definition_only_so_long() {
        let live =
            |key: &'static str, version| Heard::Event(Event::Put(key.into(), "{}".into(), version));
        let mut waiting = Waiting::default();
        waiting.admit(Kind::Work, put(2, true), true);
        waiting.admit(Kind::Work, live("c/x", 3), true);
        assert_eq!(versions(&waiting.go_on(Kind::Work)), [3]);
        assert!(waiting.go_on(Kind::Work).is_empty(), "once");
        let passes = |waiting: &mut Waiting, heard| match waiting.admit(Kind::Work, heard, true) {
            Admission::Counts(heard) => versions(&heard),
            other => panic!("{other:?}"),
        };
        assert_eq!(passes(&mut waiting, live("c/x", 4)), [4]);
        let gone = Heard::Event(Event::Delete("c/y".into(), 5));
        assert!(passes(&mut waiting, gone).is_empty());
        let part = vec![("c/x".into(), "{}".into()), (Bytes::new(), "{}".into())];
        assert!(passes(&mut waiting, Heard::Event(Event::Listing)).is_empty());
        assert_eq!(passes(&mut waiting, Heard::Event(Event::Part(part))), [0]);
        assert_eq!(waiting.0[&Kind::Work].words.len(), 5, "the last of each");
        // What was told before a list is in it, or gone.
        assert!(passes(&mut waiting, Heard::Event(Event::Listed(Vec::new(), 6))).is_empty());
        assert_eq!(waiting.0[&Kind::Work].words.len(), 3);
        waiting.asked(Kind::Work);
        assert_eq!(passes(&mut waiting, live("c/z", 7)), [7]);
        assert!(passes(&mut waiting, put(8, true)).is_empty());
        let (counts, more) = waiting.stands(Kind::Work);
        assert_eq!((counts.len(), more), (4, true));
        let (counts, more) = waiting.stands(Kind::Work);
        assert_eq!((versions(&counts), more), (vec![8], false));
    }
}
