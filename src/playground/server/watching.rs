//! Watches: what changed, line by line.

use super::super::faults::State;
use super::super::kind::Kind;
use super::super::store::{Change, status};
use super::super::{Shared, now, table};
use super::{Asked, refuse};
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

pub(super) fn answer(shared: &Arc<Shared>, asked: Asked) -> Response {
    let from = match asked.parameters.resource_version.parse::<u64>() {
        Ok(version) => version,
        Err(_) => {
            return refuse(
                400,
                "BadRequest",
                "a playground's watch needs a resourceVersion",
            );
        }
    };
    if from > shared.store().version() {
        return refuse(504, "Timeout", "Too large resource version");
    }
    let watch = Watch::new(shared.clone(), asked, from);
    let lines = futures::stream::unfold(watch, |mut watch| async move {
        let line = watch.next().await?;
        Some((line, watch))
    });
    (
        [(CONTENT_TYPE, "application/json")],
        Body::from_stream(lines),
    )
        .into_response()
}

/// One open watch.
struct Watch {
    shared: Arc<Shared>,
    asked: Asked,
    /// Told up to here.
    told: u64,
    lines: VecDeque<String>,
    version: watch::Receiver<u64>,
    faults: watch::Receiver<State>,
    breaks: u64,
    end: Instant,
    bookmark: Instant,
    ended: bool,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.open_watches.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Watch {
    fn new(shared: Arc<Shared>, asked: Asked, told: u64) -> Self {
        shared.watches.fetch_add(1, Ordering::SeqCst);
        shared.open_watches.fetch_add(1, Ordering::SeqCst);
        shared.watched_from.store(told, Ordering::SeqCst);
        let faults = shared.faults.subscribe();
        let breaks = faults.borrow().breaks;
        let seconds = asked.parameters.timeout_seconds.unwrap_or(1_800);
        Self {
            version: shared.version.subscribe(),
            breaks,
            faults,
            end: Instant::now() + Duration::from_secs(seconds),
            bookmark: Instant::now() + shared.spec.bookmarks,
            lines: VecDeque::new(),
            ended: false,
            shared,
            asked,
            told,
        }
    }

    /// The next line; none at the end; an error breaks the connection off.
    async fn next(&mut self) -> Option<Result<Bytes, std::io::Error>> {
        loop {
            let silent = |state: &State| state.hung || state.silent_watches;
            // Whoever may be broken off while silent must not wait for the end of the silence alone.
            let breaks = self.breaks;
            let state = self
                .faults
                .wait_for(|state| !silent(state) || state.breaks > breaks)
                .await
                .ok()?
                .clone();
            if state.breaks > self.breaks {
                return Some(Err(std::io::Error::other("told to break off")));
            }
            if let Some(line) = self.lines.pop_front() {
                return Some(Ok(Bytes::from(line + "\n")));
            }
            if self.ended || Instant::now() >= self.end {
                return None;
            }
            self.gather();
            if !self.lines.is_empty() {
                continue;
            }
            tokio::select! {
                _ = self.version.changed() => {}
                _ = self.faults.changed() => {}
                () = sleep_until(self.end) => {}
                () = sleep_until(self.bookmark) => self.add_bookmark(),
            }
        }
    }

    /// Puts what changed since into lines.
    fn gather(&mut self) {
        self.version.borrow_and_update();
        let store = self.shared.store();
        let now_at = store.version();
        let Some(changes) = store.changes_after(self.told) else {
            let gone = format!("too old resource version: {} ({now_at})", self.told);
            self.lines.push_back(
                json!({"type": "ERROR", "object": status(410, "Expired", &gone)}).to_string(),
            );
            self.ended = true;
            return;
        };
        let resource = self.asked.kind.name();
        let changes = changes.filter(|change| change.resource == resource);
        let lines: Vec<String> = changes.filter_map(|change| self.line(change)).collect();
        // A resource that is served no more.
        let Kind {
            group,
            version,
            plural,
            ..
        } = &self.asked.kind;
        let gone = store.kind(group, version, plural).is_none();
        drop(store);
        self.lines.extend(lines);
        self.told = now_at;
        self.ended |= gone;
    }

    /// A change as this watch sees it: what leaves the selection is deleted to it.
    fn line(&self, change: &Change) -> Option<String> {
        let selected = |object: &&Arc<Value>| {
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
            (self.asked.namespace.is_empty() || namespace == self.asked.namespace)
                && self.asked.selector.selects(object)
        };
        let (before, after) = (
            change.before.as_ref().filter(selected),
            change.after.as_ref().filter(selected),
        );
        let (kind, object) = match (before, after) {
            (None, Some(after)) => ("ADDED", after),
            (Some(_), Some(after)) => ("MODIFIED", after),
            (Some(before), None) => ("DELETED", before),
            (None, None) => return None,
        };
        let mut object = (**object).clone();
        object["metadata"]["resourceVersion"] = change.version.to_string().into();
        Some(json!({"type": kind, "object": self.shown(&object)}).to_string())
    }

    fn add_bookmark(&mut self) {
        self.bookmark = Instant::now() + self.shared.spec.bookmarks;
        if self.asked.parameters.allow_watch_bookmarks.as_deref() != Some("true") {
            return;
        }
        let object = json!({
            "kind": self.asked.kind.kind, "apiVersion": self.asked.kind.api_version(),
            "metadata": {"resourceVersion": self.told.to_string(), "creationTimestamp": null},
        });
        self.lines
            .push_back(json!({"type": "BOOKMARK", "object": self.shown(&object)}).to_string());
    }

    fn shown(&self, object: &Value) -> Value {
        if !self.asked.table {
            return object.clone();
        }
        let metadata = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
        let include = &self.asked.parameters.include_object;
        table::of(
            &self.asked.kind,
            include,
            std::iter::once(object),
            &metadata,
            now(),
        )
    }
}
