//! A collection that a role itself holds, served as a stream: a hub's work, an agent's status.
//!
//! Never says by itself that it is alive: it is made of what the role's API server says, so it is as fresh as that one's
//! last answer, which the source asks for anyway. Else a role whose API server hangs would look well for ever, and one
//! that stands by would never take over.

use super::{Event, Refusal};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// A collection, as its role holds it now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Held {
    /// Nobody knows yet what is in it: whoever asks waits.
    #[default]
    Unknown,
    /// It is not given away now, and why.
    Refused(Refusal),
    /// What it is made of cannot be read now; what was told last may be old.
    Away(String),
    /// All of it.
    Whole(Arc<BTreeMap<Bytes, Bytes>>),
}

impl Held {
    /// Serves it until nobody listens: what changed is told as single changes.
    pub async fn serve(mut held: watch::Receiver<Self>, events: mpsc::Sender<Event>) {
        let told = events.clone();
        let serve = async {
            let mut last = None;
            loop {
                let now = held.borrow_and_update().clone();
                if !tell(&now, &mut last, &events).await {
                    return;
                }
                // An error means that its role has ended: the collection stays what it was.
                if held.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = serve => told.closed().await,
            () = told.closed() => {}
        }
    }
}

type Entries = Arc<BTreeMap<Bytes, Bytes>>;

/// Tells what is new since `last`; whether anybody listens.
async fn tell(now: &Held, last: &mut Option<Entries>, events: &mpsc::Sender<Event>) -> bool {
    let news = match (now, last.as_ref()) {
        (Held::Unknown, _) => Vec::new(),
        (Held::Refused(refusal), _) => vec![Event::Refused(refusal.clone())],
        (Held::Away(why), _) => vec![Event::Down(why.clone())],
        (Held::Whole(now), None) => {
            let all = now.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
            vec![Event::Listing, Event::Listed(all, 0), Event::Watching]
        }
        (Held::Whole(now), Some(before)) => difference(before, now),
    };
    *last = match now {
        Held::Whole(now) => Some(Arc::clone(now)),
        // What comes after a refusal is told as a whole.
        Held::Refused(_) | Held::Away(_) => None,
        Held::Unknown => last.take(),
    };
    for event in news {
        if events.send(event).await.is_err() {
            return false;
        }
    }
    true
}

fn difference(before: &Entries, now: &Entries) -> Vec<Event> {
    if Arc::ptr_eq(before, now) {
        return Vec::new();
    }
    let gone = before.keys().filter(|key| !now.contains_key(*key));
    let gone = gone.map(|key| Event::Delete(key.clone(), 0));
    let put = now
        .iter()
        .filter(|(key, value)| before.get(*key) != Some(value));
    let put = put.map(|(key, value)| Event::Put(key.clone(), value.clone(), 0));
    gone.chain(put).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(entries: &[(&'static str, &'static str)]) -> Held {
        let entries = entries
            .iter()
            .map(|(k, v)| (Bytes::from(*k), Bytes::from(*v)));
        Held::Whole(Arc::new(entries.collect()))
    }

    fn words(event: &Event) -> String {
        match event {
            Event::Listed(all, _) => format!("listed {}", all.len()),
            Event::Put(key, value, _) => format!("put {key:?} {value:?}"),
            Event::Delete(key, _) => format!("delete {key:?}"),
            Event::Refused(refusal) => format!("refused {refusal}"),
            other => format!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn what_is_held_is_told_whole_and_then_by_its_changes() {
        let (hold, held) = watch::channel(Held::Unknown);
        let (events, mut told) = mpsc::channel(64);
        let served = tokio::spawn(Held::serve(held, events));
        hold.send_replace(whole(&[("a", "1"), ("b", "1")]));
        let mut next = async || words(&told.recv().await.unwrap());
        for expected in ["Listing", "listed 2", "Watching"] {
            assert_eq!(next().await, expected);
        }
        hold.send_replace(whole(&[("b", "2")]));
        for expected in ["delete b\"a\"", "put b\"b\" b\"2\""] {
            assert_eq!(next().await, expected);
        }
        let (code, reason) = (403, "Forbidden".to_owned());
        hold.send_replace(Held::Refused(Refusal {
            code,
            reason,
            message: "no".into(),
        }));
        assert_eq!(next().await, "refused no");
        hold.send_replace(whole(&[("b", "2")]));
        for expected in ["Listing", "listed 1"] {
            assert_eq!(next().await, expected);
        }
        drop(told);
        served.await.unwrap();
    }
}
