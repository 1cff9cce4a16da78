//! What waits for an answer of the broker, by the number of its packet (MQTT 5, sections 2.2.1, 4.3 and 4.9).
//!
//! **Architecture invariant:** pure; knows numbers and what they stand for, no sockets and no clock.

use crate::link::Ticket;
use std::collections::{HashMap, HashSet};

/// Subscriptions, their ends and messages under way together. A number is 16 bits; far fewer keep a connection busy.
const MOST: usize = 4_096;

/// A message on its way to the broker.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) ticket: Ticket,
    pub(super) topic: String,
}

/// One connection's open questions.
#[derive(Debug)]
pub(super) struct Flight {
    waiting: HashMap<u16, Waiting>,
    /// How many messages the broker lets us have under way, and how many there are.
    limit: usize,
    messages: usize,
    last: u16,
    /// Messages of quality 2 that were passed on and may come again until the broker releases their numbers.
    passed_on: HashSet<u16>,
}

#[derive(Debug)]
enum Waiting {
    Message(Sent),
    Subscribe(String),
    Unsubscribe,
}

impl Flight {
    /// At most `limit` messages under way (at least one).
    pub(super) fn new(limit: usize) -> Self {
        Self {
            waiting: HashMap::new(),
            limit: limit.max(1),
            messages: 0,
            last: 0,
            passed_on: HashSet::new(),
        }
    }

    /// Whether anything more may be sent that waits for an answer.
    pub(super) fn has_room(&self) -> bool {
        self.messages < self.limit && self.waiting.len() < MOST
    }

    /// Numbers a message. There must be room.
    pub(super) fn message(&mut self, sent: Sent) -> u16 {
        self.messages += 1;
        self.number(Waiting::Message(sent))
    }

    /// Numbers a subscription. There must be room.
    pub(super) fn subscribe(&mut self, filter: String) -> u16 {
        self.number(Waiting::Subscribe(filter))
    }

    /// Numbers the end of a subscription. There must be room.
    pub(super) fn unsubscribe(&mut self) -> u16 {
        self.number(Waiting::Unsubscribe)
    }

    /// Whether a message of this number is under way.
    pub(super) fn is_message(&self, number: u16) -> bool {
        matches!(self.waiting.get(&number), Some(Waiting::Message(_)))
    }

    /// The broker is done with the message of this number.
    pub(super) fn answered_message(&mut self, number: u16) -> Option<Sent> {
        match self.waiting.remove(&number) {
            Some(Waiting::Message(sent)) => {
                self.messages -= 1;
                Some(sent)
            }
            other => self.put_back(number, other),
        }
    }

    /// The broker answered the subscription of this number.
    pub(super) fn answered_subscribe(&mut self, number: u16) -> Option<String> {
        match self.waiting.remove(&number) {
            Some(Waiting::Subscribe(filter)) => Some(filter),
            other => self.put_back(number, other),
        }
    }

    /// The broker confirmed the end of a subscription.
    pub(super) fn answered_unsubscribe(&mut self, number: u16) {
        match self.waiting.remove(&number) {
            Some(Waiting::Unsubscribe) => {}
            other => {
                self.put_back::<()>(number, other);
            }
        }
    }

    /// The broker sent a message of quality 2; true when it was not passed on before.
    pub(super) fn is_new(&mut self, number: u16) -> bool {
        self.passed_on.insert(number)
    }

    /// The broker will not send the message of this number again.
    pub(super) fn released(&mut self, number: u16) {
        self.passed_on.remove(&number);
    }

    /// An answer to another question than was asked changes nothing.
    fn put_back<T>(&mut self, number: u16, waiting: Option<Waiting>) -> Option<T> {
        if let Some(waiting) = waiting {
            self.waiting.insert(number, waiting);
        }
        None
    }

    fn number(&mut self, waiting: Waiting) -> u16 {
        loop {
            self.last = self.last.checked_add(1).unwrap_or(1);
            if !self.waiting.contains_key(&self.last) {
                self.waiting.insert(self.last, waiting);
                return self.last;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(ticket: Ticket) -> Sent {
        Sent {
            ticket,
            topic: "t".into(),
        }
    }

    #[test]
    fn answers_find_their_questions_in_any_order_and_once() {
        let mut flight = Flight::new(10);
        let numbers: Vec<u16> = (11..14)
            .map(|ticket| flight.message(sent(ticket)))
            .collect();
        assert_eq!(numbers, [1, 2, 3]);
        assert_eq!(flight.answered_message(2), Some(sent(12)));
        assert_eq!(flight.answered_message(1), Some(sent(11)));
        assert_eq!(flight.answered_message(2), None);
        assert_eq!(flight.answered_message(3), Some(sent(13)));
    }

    #[test]
    fn the_brokers_limit_counts_messages_until_they_are_answered() {
        let mut flight = Flight::new(2);
        let first = flight.message(sent(1));
        flight.subscribe("a".into());
        assert!(flight.has_room());
        flight.message(sent(2));
        assert!(!flight.has_room());
        flight.answered_message(first);
        assert!(flight.has_room());
        assert!(
            Flight::new(0).has_room(),
            "a broker that lets nothing pass is no broker"
        );
    }

    #[test]
    fn an_answer_to_another_question_changes_nothing() {
        let mut flight = Flight::new(10);
        let message = flight.message(sent(1));
        let subscription = flight.subscribe("a".into());
        let end = flight.unsubscribe();
        assert_eq!(flight.answered_message(subscription), None);
        assert_eq!(flight.answered_subscribe(message), None);
        flight.answered_unsubscribe(message);
        assert!(flight.is_message(message) && !flight.is_message(end));
        assert_eq!(
            flight.answered_subscribe(subscription).as_deref(),
            Some("a")
        );
        assert_eq!(flight.answered_message(message), Some(sent(1)));
        flight.answered_unsubscribe(end);
        assert!(flight.waiting.is_empty());
    }

    #[test]
    fn numbers_in_use_are_not_given_again() {
        let mut flight = Flight::new(10);
        let stuck = flight.message(sent(1));
        for _ in 0..70_000 {
            let number = flight.message(sent(2));
            assert!(number != stuck && number != 0);
            flight.answered_message(number);
        }
    }

    #[test]
    fn a_message_of_quality_two_is_passed_on_once() {
        let mut flight = Flight::new(10);
        assert!(flight.is_new(7));
        assert!(!flight.is_new(7), "sent again");
        flight.released(7);
        assert!(flight.is_new(7), "another message");
    }
}
