//! Which of our messages a packet from the broker is about.
//!
//! The client library numbers packets by itself and tells only the number, in the order in which it was given the
//! requests. So what was handed over is remembered in that order, and again by number until it is acknowledged.

use crate::link::Ticket;
use std::collections::{HashMap, VecDeque};

/// A request that was handed to the client library.
#[derive(Debug)]
pub(super) enum Handed {
    Publish(Sent),
    Subscribe(String),
    Unsubscribe,
}

/// A message under way.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) ticket: Ticket,
    pub(super) topic: String,
    /// What it weighs in the outbox.
    pub(super) cost: usize,
    /// The broker will acknowledge it.
    pub(super) acknowledged: bool,
}

/// A message that the client library has written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// What it weighed in the outbox.
    pub(super) cost: usize,
    /// Nothing more will be heard of it: this is its acknowledgement.
    pub(super) done: Option<Ticket>,
}

/// The requests of one connection that were not answered yet.
#[derive(Debug, Default)]
pub(super) struct Flight {
    handed: VecDeque<Handed>,
    sent: HashMap<u16, Sent>,
    /// A message that waits for its packet number: the broker acknowledges out of order.
    held: Option<(u16, Sent)>,
    /// A packet number can be in use twice: the library reuses those of subscriptions early. Brokers answer in order.
    subscribing: HashMap<u16, VecDeque<String>>,
}

impl Flight {
    /// How many requests the client library has not taken up yet.
    pub(super) fn waiting(&self) -> usize {
        self.handed.len()
    }

    pub(super) fn hand(&mut self, request: Handed) {
        self.handed.push_back(request);
    }

    /// The library wrote a publish with this number (0 at quality of service 0).
    pub(super) fn published(&mut self, number: u16) -> Written {
        let sent = match self.held.take() {
            Some((held, sent)) if held == number => sent,
            held => {
                self.held = held;
                match self.handed.pop_front() {
                    Some(Handed::Publish(sent)) => sent,
                    _ => return Written::default(),
                }
            }
        };
        let cost = sent.cost;
        if !sent.acknowledged {
            return Written {
                cost,
                done: Some(sent.ticket),
            };
        }
        self.sent.insert(number, sent);
        Written { cost, done: None }
    }

    /// The library holds the next publish back: its number is still in use.
    pub(super) fn held_back(&mut self, number: u16) {
        if let Some(Handed::Publish(sent)) = self.handed.pop_front() {
            self.held = Some((number, sent));
        }
    }

    /// The broker is done with the publish of this number.
    pub(super) fn acknowledged(&mut self, number: u16) -> Option<Sent> {
        self.sent.remove(&number)
    }

    /// The library wrote a subscription with this number.
    pub(super) fn subscribing(&mut self, number: u16) {
        if let Some(Handed::Subscribe(filter)) = self.handed.pop_front() {
            self.subscribing
                .entry(number)
                .or_default()
                .push_back(filter);
        }
    }

    /// The library wrote the end of a subscription.
    pub(super) fn unsubscribing(&mut self) {
        self.handed.pop_front();
    }

    /// The broker answered the subscription of this number.
    pub(super) fn subscribed(&mut self, number: u16) -> Option<String> {
        let waiting = self.subscribing.get_mut(&number)?;
        let filter = waiting.pop_front();
        if waiting.is_empty() {
            self.subscribing.remove(&number);
        }
        filter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(ticket: Ticket, acknowledged: bool) -> Handed {
        Handed::Publish(Sent {
            ticket,
            topic: "t".into(),
            cost: 10,
            acknowledged,
        })
    }

    fn ticket(flight: &mut Flight, number: u16) -> Option<Ticket> {
        flight.acknowledged(number).map(|sent| sent.ticket)
    }

    #[test]
    fn acknowledgements_find_their_tickets_in_any_order() {
        let mut flight = Flight::default();
        for ticket in [11, 12, 13] {
            flight.hand(sent(ticket, true));
        }
        for number in [1, 2, 3] {
            assert_eq!(
                flight.published(number),
                Written {
                    cost: 10,
                    done: None
                }
            );
        }
        assert_eq!(ticket(&mut flight, 2), Some(12));
        assert_eq!(ticket(&mut flight, 1), Some(11));
        assert_eq!(ticket(&mut flight, 2), None, "twice");
        assert_eq!(ticket(&mut flight, 3), Some(13));
    }

    #[test]
    fn without_acknowledgement_written_is_done() {
        let mut flight = Flight::default();
        flight.hand(sent(7, false));
        assert_eq!(flight.published(0).done, Some(7));
        assert_eq!(flight.waiting(), 0);
    }

    #[test]
    fn a_message_held_back_for_its_number_keeps_its_ticket() {
        let mut flight = Flight::default();
        flight.hand(sent(11, true));
        flight.published(1);
        flight.hand(sent(12, true));
        flight.held_back(1);
        assert_eq!(ticket(&mut flight, 1), Some(11));
        assert_eq!(flight.published(1).cost, 10);
        assert_eq!(ticket(&mut flight, 1), Some(12));
    }

    #[test]
    fn subscriptions_that_share_a_number_are_answered_in_order() {
        let mut flight = Flight::default();
        for filter in ["a", "b"] {
            flight.hand(Handed::Subscribe(filter.into()));
            flight.subscribing(1);
        }
        flight.hand(Handed::Unsubscribe);
        flight.unsubscribing();
        assert_eq!(flight.waiting(), 0);
        assert_eq!(flight.subscribed(1).as_deref(), Some("a"));
        assert_eq!(flight.subscribed(1).as_deref(), Some("b"));
        assert_eq!(flight.subscribed(1), None);
    }
}
