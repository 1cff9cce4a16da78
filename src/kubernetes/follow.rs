//! Follows one collection of an API server for as long as somebody listens: what roles that act upon it read.

use super::server::Kubernetes;
use crate::protocol::message::Selection;
use crate::source::{Event, Resolved, Upstream, UpstreamError};
use bytes::Bytes;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long to wait before the server is asked again what a word means.
const ASK_AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// What is heard of a collection.
#[derive(Debug)]
pub enum Heard {
    /// What the word means there.
    Kind(Box<Resolved>),
    /// It means nothing there, or may not be read; tried again.
    Trouble(String),
    /// What its watch says.
    Event(Event),
}

/// Follows what `selection` means until nobody listens; a kind that is not there (yet) is asked for again and again.
pub async fn follow(kubernetes: Kubernetes, selection: Selection, heard: mpsc::Sender<Heard>) {
    let mut pause = ASK_AGAIN.0;
    let kind = loop {
        let why = match kubernetes.resolve(&selection).await {
            Ok(kind) => break kind,
            Err(UpstreamError::Refused(refusal)) => format!("the API server refuses: {refusal}"),
            Err(UpstreamError::Down(message)) => message,
        };
        if heard.send(Heard::Trouble(why)).await.is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(ASK_AGAIN.1);
    };
    let told = heard.send(Heard::Kind(Box::new(kind.clone()))).await;
    if told.is_err() {
        return;
    }
    let (events, mut told) = mpsc::channel(64);
    let run = kubernetes.run(&kind, events);
    let pass_on = async {
        while let Some(event) = told.recv().await {
            if heard.send(Heard::Event(event)).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = run => {}
        () = pass_on => {}
    }
}

/// What is new of a collection.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    /// All of it, by key: what is not in it is not there.
    Whole(Vec<(Bytes, Bytes)>),
    /// A key has this value.
    Put(Bytes, Bytes),
    /// A key is gone.
    Gone(Bytes),
    /// It cannot be read now, and why; what was read may be old.
    Away(String),
    /// It may not be read.
    Refused(String),
    /// It is as it was, and that is proven.
    Alive,
}

/// Makes [`News`] of what is heard: a list is told when it is whole.
#[derive(Debug, Default)]
pub struct Collector {
    parts: Vec<(Bytes, Bytes)>,
}

impl Collector {
    /// What that says, if it says anything.
    pub fn take(&mut self, heard: Heard) -> Option<News> {
        let event = match heard {
            Heard::Kind(_) => return None,
            Heard::Trouble(why) => return Some(News::Refused(why)),
            Heard::Event(event) => event,
        };
        match event {
            Event::Listing => self.parts.clear(),
            Event::Part(part) => self.parts.extend(part),
            Event::Listed(last, _) => {
                self.parts.extend(last);
                let mut whole = std::mem::take(&mut self.parts);
                // The header's key is empty.
                whole.retain(|(key, _)| !key.is_empty());
                return Some(News::Whole(whole));
            }
            Event::Put(key, value, _) => return Some(News::Put(key, value)),
            Event::Delete(key, _) => return Some(News::Gone(key)),
            Event::Watching | Event::Alive | Event::Bookmark(_) => return Some(News::Alive),
            Event::Ended => {}
            Event::Down(why) => return Some(News::Away(why)),
            Event::Refused(refusal) => return Some(News::Refused(refusal.to_string())),
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_told_when_it_is_whole() {
        let entry = |key: &'static str| (Bytes::from(key), Bytes::from("v"));
        let mut collector = Collector::default();
        let mut take = |event| collector.take(Heard::Event(event));
        assert_eq!(take(Event::Listing), None);
        assert_eq!(take(Event::Part(vec![entry("lost")])), None);
        assert_eq!(take(Event::Listing), None, "it begins anew");
        assert_eq!(take(Event::Part(vec![entry("a")])), None);
        let whole = take(Event::Listed(vec![entry("b"), entry("")], 7));
        assert_eq!(whole, Some(News::Whole(vec![entry("a"), entry("b")])));
        assert_eq!(take(Event::Ended), None);
        let gone = take(Event::Delete("a".into(), 8));
        assert_eq!(gone, Some(News::Gone("a".into())));
    }
}
