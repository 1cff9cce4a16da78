//! Watches.
//!
//! A watch is a number: all changes up to it have been told. The next ones are read when the client has taken what was
//! told before: from the changes that all watches of a resource share if it is up to date and selects by name, else from
//! the store's change log, which knows what an object was before it changed and so whether a selector has let it in or
//! out. Nothing is kept for a client.

use super::accept::Form;
use super::asking::{Answering, Asking, items};
use super::by_field;
use super::encode::{self, Item};
use super::kinds::Kinds;
use super::query::Version;
use super::recent::{Recent, Seen, Told};
use super::status::Refusal;
use super::{Shared, now};
use crate::store::{Change, ChangeKind, Cursor, Error, List, Sequence};
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{Stream, stream};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// So many changes are told at once.
const CHUNK: usize = 128;
/// How often a watch that asked for bookmarks is told how far it has come.
const BOOKMARKS: Duration = Duration::from_secs(50);
/// How long a watch goes on that does not say: as the API server, half an hour to an hour.
const SHORTEST: Duration = Duration::from_secs(1800);
/// How long until a store that did not answer is asked again.
const AGAIN: Duration = Duration::from_millis(500);

/// Answers with a watch.
pub(super) async fn watch(answering: Answering) -> Result<Response, Refusal> {
    let body = Body::from_stream(lines(answering).await?);
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}

/// The lines of a watch.
pub(super) async fn lines(
    (shared, asking): Answering,
) -> Result<impl Stream<Item = Result<Bytes, std::convert::Infallible>>, Refusal> {
    let recent = shared
        .recents
        .of(asking.group_resource(), asking.encoder.view());
    let options = &asking.options;
    let begin = match (options.version, options.initial_events) {
        (Version::Newest | Version::Any, Some(false)) => {
            let newest = *shared.store.sequence().borrow();
            Phase::Changes(newest)
        }
        (Version::Newest | Version::Any, _) => Phase::Objects(None),
        (Version::NotOlderThan(number) | Version::Exact(number), wanted) => {
            shared.reached(number).await?;
            match wanted {
                Some(true) => Phase::Objects(None),
                _ => Phase::Changes(number),
            }
        }
    };
    let spread = Duration::from_millis(rand::random_range(0..1_800_000));
    let lasts = options.timeout.unwrap_or(SHORTEST + spread);
    let watch = Watch {
        told: recent.told(),
        stopped: shared.stopped.clone(),
        recent,
        phase: begin,
        headed: true,
        end: Instant::now() + lasts,
        bookmark: Instant::now() + BOOKMARKS,
        kinds: None,
        shared,
        asking,
    };
    Ok(stream::unfold(watch, |mut watch| async move {
        let chunk = watch.next().await?;
        Some((Ok(chunk), watch))
    }))
}

/// Where a watch is.
enum Phase {
    /// It tells the objects that there are, and goes on behind the cursor.
    Objects(Option<Cursor>),
    /// It has told all changes up to this number.
    Changes(Sequence),
    /// It has ended.
    Ended,
}

struct Watch {
    shared: Arc<Shared>,
    asking: Asking,
    recent: Arc<Recent>,
    told: watch::Receiver<Told>,
    stopped: watch::Receiver<bool>,
    phase: Phase,
    /// The next table has its columns' definitions.
    headed: bool,
    end: Instant,
    bookmark: Instant,
    /// As of when the columns were read.
    kinds: Option<Arc<Kinds>>,
}

impl Watch {
    /// The next lines; None at the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let out = match self.phase {
                Phase::Ended => return None,
                Phase::Objects(_) => self.objects().await,
                Phase::Changes(number) => match self.changes(number).await {
                    Ok(out) if out.is_empty() => match self.wait().await {
                        true => Ok(self.bookmark_if_due()),
                        false => Ok(self.last()),
                    },
                    told => told,
                },
            };
            match out {
                Ok(out) if out.is_empty() => {}
                Ok(out) => return Some(out.into()),
                Err(error) => {
                    if let Some(last) = self.failed(error).await {
                        return Some(last.into());
                    }
                }
            }
        }
    }

    /// A page of the objects that there are, and a bookmark behind the last.
    async fn objects(&mut self) -> Result<Vec<u8>, Error> {
        self.look_at_kinds().await?;
        let Phase::Objects(after) = &self.phase else {
            return Ok(Vec::new());
        };
        let kinds = self.kinds.clone().unwrap_or_default();
        let list = List {
            filter: self.asking.filter(&kinds),
            limit: super::listing::PAGE,
            after: after.clone(),
            ..List::default()
        };
        let page = self.shared.store.list(&list).await?;
        let encoder = &self.asking.encoder;
        let wholes = self.shared.wholes(encoder, page.items.iter()).await?;
        let mut out = Vec::new();
        let now = now();
        for item in items(page.items.iter(), &wholes) {
            let headed = (self.headed, now);
            if encoder
                .event(&mut out, ChangeKind::Added, item, headed)
                .is_ok()
            {
                self.headed = false;
            }
        }
        self.phase = match page.next {
            Some(cursor) => Phase::Objects(Some(cursor)),
            None => {
                if self.asking.options.initial_events == Some(true) && self.asking.options.bookmarks
                {
                    encoder.bookmark(&mut out, page.at, (true, self.headed));
                    self.headed = false;
                }
                Phase::Changes(page.at)
            }
        };
        Ok(out)
    }

    /// The changes after a number, if there are any yet.
    async fn changes(&mut self, number: Sequence) -> Result<Vec<u8>, Error> {
        let told = *self.told.borrow_and_update();
        if self.asking.is_by_name()
            && let Some((seen, up_to)) = self.recent.after(number, CHUNK)
        {
            self.phase = Phase::Changes(up_to);
            let ours = seen
                .iter()
                .filter(|it| self.asking.selects(&it.change.object.key));
            let ours: Vec<_> = ours.cloned().collect();
            if !ours.is_empty() {
                self.look_at_kinds().await?;
            }
            return self.shared_lines(&ours).await;
        }
        let by_field = self.asking.is_by_field_of_rows();
        if !by_field && told.last <= number && self.told_covers(number) {
            self.phase = Phase::Changes(told.up_to.max(number));
            return Ok(Vec::new());
        }
        self.look_at_kinds().await?;
        let kinds = self.kinds.clone().unwrap_or_default();
        let filter = self.asking.filter(&kinds);
        let store = &self.shared.store;
        let changes = match by_field {
            true => by_field::changes(store, &filter, number, CHUNK).await?,
            false => store.changes(&filter, number, CHUNK).await?,
        };
        self.phase = Phase::Changes(changes.up_to.max(number));
        let objects = changes.items.iter().map(|it| &it.object);
        let wholes = self.shared.wholes(&self.asking.encoder, objects).await?;
        let mut out = Vec::new();
        let all = changes.items.iter().zip(&wholes);
        all.for_each(|(change, whole)| self.tell(&mut out, change, whole.as_deref()));
        Ok(out)
    }

    /// Whether whatever came after a number was seen by the reader of all changes.
    fn told_covers(&self, number: Sequence) -> bool {
        self.recent.after(number, 1).is_some()
    }

    /// The lines of changes that others tell, too.
    async fn shared_lines(&mut self, seen: &[Arc<Seen>]) -> Result<Vec<u8>, Error> {
        let objects = seen.iter().map(|it| &it.change.object);
        let wholes = self.shared.wholes(&self.asking.encoder, objects).await?;
        let of_all = usize::from(self.asking.encoder.of_all);
        let mut out = Vec::new();
        for (seen, whole) in seen.iter().zip(&wholes) {
            let line = seen
                .lines
                .get(of_all)
                .filter(|_| self.asking.encoder.form == Form::Json);
            let Some(line) = line else {
                self.tell(&mut out, &seen.change, whole.as_deref());
                continue;
            };
            let line = line.get_or_init(|| {
                let mut line = Vec::new();
                self.tell(&mut line, &seen.change, None);
                line.into()
            });
            out.extend_from_slice(line);
        }
        Ok(out)
    }

    fn tell(&mut self, out: &mut Vec<u8>, change: &Change, whole: Option<&[u8]>) {
        let item = Item {
            stored: &change.object,
            whole,
        };
        let told = self
            .asking
            .encoder
            .event(out, change.kind, item, (self.headed, now()));
        self.headed &= told.is_err();
    }

    /// Waits until there may be something to tell. False at the end.
    async fn wait(&mut self) -> bool {
        let Phase::Changes(number) = self.phase else {
            return true;
        };
        tokio::select! {
            news = self.told.wait_for(|told| told.up_to > number) => news.is_ok(),
            () = sleep_until(self.bookmark) => true,
            () = sleep_until(self.end) => false,
            _ = self.stopped.changed() => false,
        }
    }

    /// How far it has come, for a client that asked for it, now and then.
    fn bookmark_if_due(&mut self) -> Vec<u8> {
        match Instant::now() >= self.bookmark {
            true => self.bookmark(),
            false => Vec::new(),
        }
    }

    fn bookmark(&mut self) -> Vec<u8> {
        self.bookmark = Instant::now() + BOOKMARKS;
        let mut out = Vec::new();
        if let (Phase::Changes(number), true) = (&self.phase, self.asking.options.bookmarks) {
            self.asking
                .encoder
                .bookmark(&mut out, *number, (false, self.headed));
            self.headed = false;
        }
        out
    }

    /// The end: where the client goes on.
    fn last(&mut self) -> Vec<u8> {
        let last = self.bookmark();
        self.phase = Phase::Ended;
        last
    }

    /// What a failure of the store is to the watch: its end, or a pause.
    async fn failed(&mut self, error: Error) -> Option<Vec<u8>> {
        let refusal = match error {
            Error::Unavailable(_) => {
                tokio::time::sleep(AGAIN).await;
                return None;
            }
            Error::Expired { asked, oldest } => {
                Refusal::expired(format!("too old resource version: {asked} ({oldest})"))
            }
            Error::Future { asked, newest } => {
                Refusal::expired(format!("too large resource version: {asked} ({newest})"))
            }
            error => {
                tracing::error!(%error, "the store cannot be read for a watch");
                Refusal::internal()
            }
        };
        self.phase = Phase::Ended;
        Some(encode::error(&refusal.json()))
    }

    /// A cluster's columns may be others by now, and so may the clusters be.
    async fn look_at_kinds(&mut self) -> Result<(), Error> {
        let kinds = self.shared.snapshot.kinds().await?;
        if self
            .kinds
            .as_ref()
            .is_some_and(|it| Arc::ptr_eq(it, &kinds))
        {
            return Ok(());
        }
        let scope = &self.asking.scope;
        if let Some(kind) = kinds.kind(self.asking.resource(), |cluster| scope.has(cluster)) {
            self.asking.kind = kind;
        }
        if self.asking.encoder.form == Form::Table {
            let columns = kinds.columns(&self.asking.kind, self.asking.encoder.of_all);
            self.headed |= columns.definitions() != self.asking.encoder.columns.definitions();
            self.asking.encoder.columns = columns;
        }
        self.kinds = Some(kinds);
        Ok(())
    }
}
