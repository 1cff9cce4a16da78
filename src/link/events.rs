//! The queue between a link and its reader, bounded in bytes.

use super::Event;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// How many bytes of unread messages a link holds: four times what a consumer may have asked for (64 pages of 64 KiB).
pub(super) const LIMIT: usize = 16 << 20;

/// What a queued message costs beside its topic and payload.
const OVERHEAD: usize = 128;

/// The events of one link, in order.
///
/// Messages that find the queue full are dropped and counted; all other events are few and always arrive.
#[derive(Debug)]
pub struct Events {
    queue: mpsc::UnboundedReceiver<Event>,
    ledger: Arc<Ledger>,
}

/// The link's end of the queue.
#[derive(Clone, Debug)]
pub(super) struct EventSender {
    queue: mpsc::UnboundedSender<Event>,
    ledger: Arc<Ledger>,
}

/// A way to the queue that does not keep it open: when the link has ended, what is sent here is dropped.
#[derive(Clone, Debug)]
pub(super) struct WeakEventSender {
    queue: mpsc::WeakUnboundedSender<Event>,
    ledger: Arc<Ledger>,
}

#[derive(Debug)]
struct Ledger {
    limit: usize,
    queued: AtomicUsize,
    dropped: AtomicU64,
}

/// A queue for at most `limit` bytes of messages.
pub(super) fn queue(limit: usize) -> (EventSender, Events) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let ledger = Arc::new(Ledger {
        limit,
        queued: AtomicUsize::new(0),
        dropped: AtomicU64::new(0),
    });
    (
        EventSender {
            queue: sender,
            ledger: ledger.clone(),
        },
        Events {
            queue: receiver,
            ledger,
        },
    )
}

impl Events {
    /// The next event; `None` when the link has ended. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Event> {
        let event = self.queue.recv().await;
        self.taken(event.as_ref());
        event
    }

    /// The next event, if it is there already.
    pub fn try_recv(&mut self) -> Option<Event> {
        let event = self.queue.try_recv().ok();
        self.taken(event.as_ref());
        event
    }

    /// [`Events::recv`] for those who poll.
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        let polled = self.queue.poll_recv(context);
        if let Poll::Ready(event) = &polled {
            self.taken(event.as_ref());
        }
        polled
    }

    /// How many messages were dropped so far because nobody read them in time.
    pub fn dropped(&self) -> u64 {
        self.ledger.dropped.load(Ordering::Relaxed)
    }

    fn taken(&self, event: Option<&Event>) {
        if let Some(cost) = event.and_then(cost) {
            self.ledger.queued.fetch_sub(cost, Ordering::Relaxed);
        }
    }
}

impl EventSender {
    /// Queues an event. A reader that is gone is no error: a link for sending only has none.
    pub(super) fn send(&self, event: Event) {
        if let Some(cost) = cost(&event) {
            let before = self.ledger.queued.fetch_add(cost, Ordering::Relaxed);
            if before + cost > self.ledger.limit {
                self.ledger.queued.fetch_sub(cost, Ordering::Relaxed);
                self.ledger.dropped.fetch_add(1, Ordering::Relaxed);
                return;
            }
        }
        let _ = self.queue.send(event);
    }

    pub(super) fn downgrade(&self) -> WeakEventSender {
        WeakEventSender {
            queue: self.queue.downgrade(),
            ledger: self.ledger.clone(),
        }
    }
}

impl WeakEventSender {
    pub(super) fn send(&self, event: Event) {
        if let Some(queue) = self.queue.upgrade() {
            let ledger = self.ledger.clone();
            EventSender { queue, ledger }.send(event);
        }
    }
}

/// What an event weighs in the queue; `None` for those that are never dropped.
fn cost(event: &Event) -> Option<usize> {
    match event {
        Event::Message { topic, payload, .. } => Some(topic.len() + payload.len() + OVERHEAD),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn message(bytes: usize) -> Event {
        Event::Message {
            topic: String::new(),
            payload: Bytes::from(vec![0; bytes]),
            retained: false,
        }
    }

    #[test]
    fn a_reader_that_sleeps_loses_messages_but_no_other_event() {
        let (sender, mut events) = queue(2 * (100 + OVERHEAD));
        for _ in 0..3 {
            sender.send(message(100));
        }
        sender.send(Event::Acknowledged(7));
        assert_eq!(events.dropped(), 1);
        assert!(matches!(events.try_recv(), Some(Event::Message { .. })));
        assert!(matches!(events.try_recv(), Some(Event::Message { .. })));
        assert!(matches!(events.try_recv(), Some(Event::Acknowledged(7))));
    }

    #[test]
    fn what_was_read_makes_room() {
        let (sender, mut events) = queue(100 + OVERHEAD);
        for _ in 0..1000 {
            sender.send(message(100));
            assert!(events.try_recv().is_some());
        }
        assert_eq!(events.dropped(), 0);
    }

    #[test]
    fn events_end_with_the_link() {
        let (sender, mut events) = queue(LIMIT);
        let weak = sender.downgrade();
        weak.send(Event::Acknowledged(1));
        drop(sender);
        weak.send(Event::Acknowledged(2));
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(matches!(
            events.poll_recv(&mut context),
            Poll::Ready(Some(Event::Acknowledged(1)))
        ));
        assert!(matches!(events.poll_recv(&mut context), Poll::Ready(None)));
    }
}
