//! Keeps one stream true to the API server: list, then watch, for ever.
//!
//! - A list is read in pages of one snapshot, at the newest resourceVersion (never `resourceVersion=0`, which may be
//!   old), and told whole or not at all. A continue token that expired: the list starts over, unpaged, so that it ends.
//! - A watch starts where the list stood. Each event moves the resourceVersion on; a bookmark does nothing else. A
//!   watch that ended, for whatever reason, is resumed there; one that is too old (410) leads to a new list, which the
//!   feed compares with what it has.
//! - Outages are told and retried with back-off, refusals are told and retried slowly: RBAC may change, a CRD may come
//!   back.

use super::backoff::Backoff;
use super::client::Client;
use super::failure::Failure;
use super::lines::Heard;
use super::request;
use super::view::{self, Change, Projection};
use crate::source::{Event, Resolved};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

const PAGE: u32 = 500;
/// So many answers in a row that a watch cannot be served, and the resourceVersion is doubted: after a restored backup
/// the server's own are lower, and it waits in vain for ours.
const DOUBT_AFTER: u32 = 3;

/// Serves `selection` until the receiver of `events` is gone.
pub(super) async fn run(
    client: &Client,
    selection: &Resolved,
    singular: &str,
    show_secrets: bool,
    events: mpsc::Sender<Event>,
) {
    let receiver_gone = events.clone();
    let stream = Stream {
        client,
        selection,
        singular,
        projection: Projection::new(selection, show_secrets),
        events,
        outages: Backoff::between(client.patience().outage),
        refusals: Backoff::between(client.patience().refusal),
    };
    tokio::select! {
        () = receiver_gone.closed() => {}
        () = stream.forever() => {}
    }
}

/// A resourceVersion as a number, to compare two of one resource by (KEP-5504); 0 for one that is none.
fn comparable(version: &str) -> u64 {
    version.parse().unwrap_or(0)
}

struct Stream<'a> {
    client: &'a Client,
    selection: &'a Resolved,
    singular: &'a str,
    projection: Projection,
    events: mpsc::Sender<Event>,
    outages: Backoff,
    refusals: Backoff,
}

/// Why a watch ended without a failure.
enum Ended {
    ByServer,
    Relist,
}

impl Stream<'_> {
    async fn forever(mut self) {
        loop {
            if let Err(failure) = self.list_then_watch().await {
                self.tell_and_wait(failure).await;
            }
        }
    }

    async fn list_then_watch(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        let version = self.list().await?;
        self.refusals.reset();
        if self.selection.watchable {
            self.watch_from(version).await
        } else {
            self.outages.reset();
            let (group, took) = (&self.selection.group, began.elapsed());
            sleep(self.client.patience().until_next_poll(group, took)).await;
            Ok(())
        }
    }

    /// Lists everything and tells it; what comes back is the list's resourceVersion.
    async fn list(&mut self) -> Result<String, Failure> {
        let listed = match self.list_in_pages(Some(PAGE)).await {
            Err(Failure::Expired) => self.list_in_pages(None).await,
            listed => listed,
        };
        listed.map_err(|failure| match failure {
            Failure::Refused(refusal) => {
                Failure::Refused(request::enhanced(refusal, self.selection))
            }
            other => other,
        })
    }

    async fn list_in_pages(&mut self, limit: Option<u32>) -> Result<String, Failure> {
        let (client, accept) = (self.client, self.projection.accept());
        let (selection, parameters) = (self.selection, self.projection.parameters());
        let page = async |next: &str| {
            let url = request::list(selection, parameters, limit, next);
            client.get(&url, accept).await
        };
        self.projection.start_list();
        self.tell(Event::Listing).await;
        let (mut version, mut before) = (None, String::new());
        let mut body = page("").await?;
        loop {
            let head = view::head(&body)?;
            if !head.next.is_empty() && head.next == before {
                let why = "the API server's list does not end: a page is followed by itself";
                return Err(Failure::unavailable(why));
            }
            let version_of_list = version.get_or_insert(head.resource_version).clone();
            let now = client.now_ms();
            let read = async { self.projection.page(&body, now) };
            if head.next.is_empty() {
                let mut entries = read.await?;
                entries.push(self.projection.header(selection, self.singular));
                let listed = Event::Listed(entries, comparable(&version_of_list));
                self.tell(listed).await;
                return Ok(version_of_list);
            }
            // The server makes the next page while we read this one.
            let (following, read) = futures::future::join(page(&head.next), read).await;
            self.tell(Event::Part(read?)).await;
            body = following?;
            before = head.next;
        }
    }

    /// Watches from there, resuming, until a new list is needed.
    async fn watch_from(&mut self, mut version: String) -> Result<(), Failure> {
        let mut in_doubt = 0;
        loop {
            let opened = Instant::now();
            let ended = self.watch(&mut version).await;
            self.tell(Event::Ended).await;
            let steady = opened.elapsed() >= self.client.patience().steady;
            if steady {
                self.outages.reset();
                in_doubt = 0;
            }
            match ended {
                Ok(Ended::ByServer) if steady => {}
                // A server that ends watches at once is not asked again at once.
                Ok(Ended::ByServer) => sleep(self.outages.next()).await,
                Ok(Ended::Relist) | Err(Failure::Expired) => {
                    sleep(if steady {
                        Duration::ZERO
                    } else {
                        self.outages.next()
                    })
                    .await;
                    return Ok(());
                }
                Err(Failure::Refused(refusal)) => return Err(Failure::Refused(refusal)),
                Err(failure) => {
                    in_doubt += u32::from(matches!(
                        failure,
                        Failure::Unavailable { answered: true, .. }
                    ));
                    self.tell_and_wait(failure).await;
                    if in_doubt >= DOUBT_AFTER {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// One watch. `version` is moved on with each event.
    async fn watch(&mut self, version: &mut String) -> Result<Ended, Failure> {
        // As client-go: watches end at different times, so that a restarted API server gets its share again.
        let seconds = rand::random_range(300..600);
        let url = request::watch(
            self.selection,
            self.projection.parameters(),
            version,
            seconds,
        );
        let mut lines = self.client.watch(&url, self.projection.accept()).await?;
        self.tell(Event::Watching).await;
        loop {
            let line = match lines.next().await? {
                Heard::Line(line) => line,
                Heard::Part => {
                    self.tell(Event::Alive).await;
                    continue;
                }
                Heard::End => return Ok(Ended::ByServer),
            };
            let (event, at) = match self.projection.line(&line, self.client.now_ms())? {
                Change::Put((key, value), at) => (Event::Put(key, value, comparable(&at)), at),
                Change::Delete(key, at) => (Event::Delete(key, comparable(&at)), at),
                Change::Bookmark(at) => (Event::Bookmark(comparable(&at)), at),
                Change::Nothing => (Event::Alive, String::new()),
                Change::Relist => return Ok(Ended::Relist),
                Change::Error(failure) => return Err(failure),
            };
            self.tell(event).await;
            if !at.is_empty() {
                *version = at;
            }
        }
    }

    async fn tell_and_wait(&mut self, failure: Failure) {
        match failure {
            Failure::Refused(refusal) => {
                self.tell(Event::Refused(refusal)).await;
                sleep(self.refusals.next()).await;
            }
            Failure::Unavailable {
                message,
                retry_after,
                ..
            } => {
                self.tell(Event::Down(message)).await;
                let asked = retry_after.unwrap_or_default().min(Duration::from_secs(60));
                sleep(self.outages.next().max(asked)).await;
            }
            Failure::Expired => sleep(self.outages.next()).await,
        }
    }

    async fn tell(&self, event: Event) {
        if self.events.send(event).await.is_err() {
            // Nobody listens any more: `run` ends at its next poll.
            std::future::pending::<()>().await;
        }
    }
}
