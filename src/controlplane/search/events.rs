//! `/search/watch`: a search as server-sent events.
//!
//! | event | data |
//! |---|---|
//! | `clusters` | how fresh each cluster is: first, and whenever that changes |
//! | `snapshot` | a page of what there is; the last one has an id |
//! | `added`, `changed`, `removed` | one object; its id is the store's sequence |
//! | `expired` | a problem: what was missed is not kept any more; begin anew without `Last-Event-ID` |
//!
//! Heartbeats are comments, with an id: so a client that was cut off goes on after all that does not concern it, too.
//! Whoever reads slowly is told slowly; nothing queues but a few events.

use super::item::{self, Shape};
use super::list;
use super::parameters::Endpoint;
use super::problem::{Kind, Problem};
use super::query::Query;
use super::reader::Reader;
use super::scope::Scope;
use super::{Served, ask, instance};
use crate::store::{self, Change, ChangeKind, Sequence};
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::fmt::Write;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// So many events wait for a client.
const QUEUE: usize = 16;
/// A page of the snapshot, and of changes.
const PAGE: usize = 200;
/// Changes of one moment are asked for together.
const PACE: Duration = Duration::from_millis(50);
/// A client that takes nothing for so long is gone.
const STALLED: Duration = Duration::from_secs(60);
/// A database that does not answer is asked again after so long.
const RETRY: Duration = Duration::from_secs(1);

pub(super) async fn watch(
    State(served): State<Served>,
    uri: Uri,
    headers: HeaderMap,
    reader: Reader,
) -> Result<Response, Problem> {
    let begun = Watch::begin(served, &uri, &headers, reader).await;
    let (watch, scope) = begun.map_err(|problem| problem.of(&instance(&uri)))?;
    let (events, received) = mpsc::channel(QUEUE);
    tokio::spawn(watch.run(Teller { events }, scope));
    let next = |mut received: mpsc::Receiver<Bytes>| async {
        let event = received.recv().await?;
        Some((Ok::<_, Infallible>(event), received))
    };
    let mut response = Body::from_stream(stream::unfold(received, next)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would keep events to itself.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// The client is gone, or told that this is the end.
struct Over;

/// Where events go.
struct Teller {
    events: mpsc::Sender<Bytes>,
}

impl Teller {
    async fn tell(&self, text: String) -> Result<(), Over> {
        match timeout(STALLED, self.events.send(text.into())).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Over),
        }
    }

    async fn event(&self, name: &str, data: &Value, id: Option<Sequence>) -> Result<(), Over> {
        self.tell(event(name, data, id)).await
    }
}

/// A number that was never given out is of a store that is not there any more.
fn unresumable(error: store::Error) -> Problem {
    match error {
        store::Error::Future { .. } => Problem::new(
            Kind::Expired,
            "this store has not come as far: begin anew without Last-Event-ID",
        ),
        other => other.into(),
    }
}

/// JSON has no line breaks: one line of data.
fn event(name: &str, data: &Value, id: Option<Sequence>) -> String {
    let mut text = format!("event: {name}\ndata: {data}\n");
    if let Some(id) = id {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "id: {id}");
    }
    text.push('\n');
    text
}

/// Not dispatched, but its id is remembered.
fn heartbeat(id: Sequence) -> String {
    format!(": alive\nid: {id}\n\n")
}

struct Watch {
    served: Served,
    query: Query,
    reader: Reader,
    instance: String,
    /// All that happened up to here was told; none before the snapshot.
    told: Option<Sequence>,
    /// What was last said of the clusters.
    states: Vec<Value>,
    _place: OwnedSemaphorePermit,
}

impl Watch {
    async fn begin(
        served: Served,
        uri: &Uri,
        headers: &HeaderMap,
        reader: Reader,
    ) -> Result<(Self, Scope), Problem> {
        let query = Query::parse(
            uri.query().unwrap_or_default(),
            Endpoint::Watch,
            served.now(),
        )?;
        let told = headers.get("last-event-id").map(|id| {
            let id = id.to_str().ok().and_then(|id| id.trim().parse().ok());
            id.ok_or_else(|| {
                Problem::new(
                    Kind::Parameter,
                    "Last-Event-ID: it was not given out here; begin anew without it",
                )
            })
        });
        let told = told.transpose()?;
        let place = served.watches.clone().try_acquire_owned();
        let place = place
            .map_err(|_| Problem::new(Kind::Busy, "too many watches at once; try again later"))?;
        let scope = served.in_turn(served.scope(&query, &reader)).await?;
        let watch = Self {
            served,
            query,
            reader,
            instance: instance(uri),
            told,
            states: Vec::new(),
            _place: place,
        };
        Ok((watch, scope))
    }

    async fn run(mut self, teller: Teller, scope: Scope) {
        let mut stopping = self.served.options.stopping.clone();
        tokio::select! {
            // However it ends, the client is told or is gone.
            _ = self.tell_all(&teller, scope) => {}
            () = async { drop(stopping.wait_for(|stop| *stop).await) } => {}
            () = teller.events.closed() => {}
        }
    }

    async fn tell_all(&mut self, teller: &Teller, scope: Scope) -> Result<(), Over> {
        self.tell_clusters(teller, &scope).await?;
        if self.told.is_none() {
            self.snapshot(teller, &scope).await?;
        }
        let mut newest = self.served.store().sequence();
        loop {
            let beat = Instant::now() + self.served.options.heartbeat;
            self.news(teller).await?;
            let told = self.told.unwrap_or_default();
            tokio::select! {
                is_open = async { newest.wait_for(|newest| *newest > told).await.is_ok() } => {
                    if !is_open {
                        return Err(Over);
                    }
                    sleep(PACE).await;
                }
                () = sleep_until(beat) => teller.tell(heartbeat(told)).await?,
            }
        }
    }

    /// What there is.
    async fn snapshot(&mut self, teller: &Teller, scope: &Scope) -> Result<(), Over> {
        let mut after = None;
        loop {
            let page = async {
                let mut search = ask::search(&self.query, scope)?;
                (search.limit, search.after) = (PAGE, after.clone());
                let found = self.served.store().search(&search).await?;
                let items = list::items(
                    &self.served,
                    &self.query,
                    scope,
                    &found.items,
                    Some(found.at),
                )
                .await?;
                Ok((found, items))
            };
            let (found, items) = match self.served.in_turn(page).await {
                Ok(page) => page,
                Err(problem) => return self.end(teller, problem).await,
            };
            let last = found.next.is_none();
            let data = json!({
                "items": items,
                "last": last,
                "resourceVersion": found.at.to_string(),
                "warnings": scope.warnings,
            });
            teller
                .event("snapshot", &data, last.then_some(found.at))
                .await?;
            if last {
                self.told = Some(found.at);
                return Ok(());
            }
            after = found.next;
        }
    }

    /// What happened since.
    async fn news(&mut self, teller: &Teller) -> Result<(), Over> {
        loop {
            let told = self.told.unwrap_or_default();
            let page = async {
                let now = self.served.now();
                let scope = Scope::of(
                    &self.query,
                    &self.served.streams().await?,
                    &self.reader,
                    now,
                )?;
                let search = ask::search(&self.query, &scope)?;
                let changes = self
                    .served
                    .store()
                    .search_changes(&search, told, PAGE)
                    .await;
                let changes = changes.map_err(unresumable)?;
                Ok((scope, changes))
            };
            let (scope, changes) = match self.served.in_turn(page).await {
                Ok(page) => page,
                Err(problem) if problem.passes() => {
                    teller
                        .tell(": the store does not answer\n\n".to_owned())
                        .await?;
                    sleep(RETRY).await;
                    continue;
                }
                Err(problem) => return self.end(teller, problem).await,
            };
            self.tell_clusters(teller, &scope).await?;
            let full = changes.items.len() >= PAGE;
            for change in &changes.items {
                self.change(teller, &scope, change).await?;
            }
            self.told = Some(changes.up_to);
            if !full {
                return Ok(());
            }
        }
    }

    async fn change(&self, teller: &Teller, scope: &Scope, change: &Change) -> Result<(), Over> {
        let object = &change.object;
        let known = scope.known.get(&object.key.resource);
        let (name, data) = match change.kind {
            ChangeKind::Deleted => ("removed", Value::Object(item::identity(object, known))),
            kind => {
                let shape = Shape {
                    fields: &self.query.fields,
                    object: self.query.object,
                    row: false,
                    now: self.served.now(),
                };
                let name = if kind == ChangeKind::Added {
                    "added"
                } else {
                    "changed"
                };
                (name, item::item(object, None, known, shape))
            }
        };
        teller.event(name, &data, Some(object.seq)).await
    }

    /// How fresh the clusters are, if that is news.
    async fn tell_clusters(&mut self, teller: &Teller, scope: &Scope) -> Result<(), Over> {
        let states: Vec<Value> = scope.states.iter().map(|it| json!(it.news())).collect();
        if states == self.states && !states.is_empty() {
            return Ok(());
        }
        let data =
            json!({"clusters": scope.states_json(self.served.now()), "warnings": scope.warnings});
        let is_first = self.states.is_empty() && states.is_empty();
        self.states = states;
        match is_first && self.told.is_some() {
            // Nobody is there, as before.
            true => Ok(()),
            false => teller.event("clusters", &data, None).await,
        }
    }

    /// Says why it ends.
    async fn end(&self, teller: &Teller, problem: Problem) -> Result<(), Over> {
        let name = if problem.is_expired() {
            "expired"
        } else {
            "problem"
        };
        let data = problem.of(&self.instance).json();
        teller.event(name, &data, None).await?;
        Err(Over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_lines_that_nothing_in_it_can_end() {
        let hostile = json!({"name": "a\n\nevent: expired\ndata: x\r\n"});
        let text = event("added", &hostile, Some(7));
        assert_eq!(text.lines().count(), 4);
        assert!(
            text.starts_with("event: added\ndata: {") && text.ends_with("\nid: 7\n\n"),
            "{text}"
        );
        assert_eq!(heartbeat(9), ": alive\nid: 9\n\n");
    }
}
