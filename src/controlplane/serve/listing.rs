//! `get` and `list`.
//!
//! A list without a limit may be larger than memory: it is read page by page of one state of the store, and each page is
//! written before the next one is read.

use super::asking::{Answering, Asking, items, refused};
use super::encode::Encoder;
use super::status::Refusal;
use super::{Shared, now};
use crate::store::{Cursor, Error, Filter, List, ObjectKey, Page, Stored};
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use serde_json::{Map, Value};
use std::sync::Arc;

/// So many objects are read at once.
pub(super) const PAGE: usize = 500;

/// One object.
pub(super) async fn get((shared, asking): Answering, filter: Filter) -> Result<Response, Refusal> {
    let name = asking.name.as_deref().unwrap_or_default();
    shared.moment(asking.options.version).await?;
    let stored = match &asking.scope.cluster {
        Some(cluster) => {
            let key = ObjectKey {
                cluster: cluster.clone(),
                resource: filter.resource,
                view: filter.view,
                namespace: asking.namespace.clone().unwrap_or_default(),
                name: name.to_owned(),
            };
            let found = shared.store.get(&key).await.map_err(refused)?;
            found.filter(|it| !it.deleted)
        }
        None => only(&shared, &asking, filter).await?,
    };
    let stored = stored.ok_or_else(|| Refusal::no_object(asking.resource(), name))?;
    let stored = std::slice::from_ref(&stored);
    let wholes = shared
        .wholes(&asking.encoder, stored.iter())
        .await
        .map_err(refused)?;
    let one = items(stored.iter(), &wholes).next();
    let body = one.and_then(|item| asking.encoder.one(item, now()).ok());
    Ok(json(body.ok_or_else(Refusal::internal)?))
}

/// The one object of that name in all clusters; an error if several have one.
async fn only(shared: &Shared, asking: &Asking, filter: Filter) -> Result<Option<Stored>, Refusal> {
    let name = asking.name.as_deref().unwrap_or_default();
    // A resource without namespaces has none in it, whatever is asked for.
    let namespace = Some(asking.namespace.clone().unwrap_or_default());
    let list = List {
        filter: Filter {
            namespace,
            ..filter
        },
        limit: PAGE,
        ..List::default()
    };
    let mut found = shared.store.list(&list).await.map_err(refused)?.items;
    if found.len() > 1 {
        let clusters: Vec<_> = found.iter().map(|it| it.key.cluster.as_str()).collect();
        return Err(Refusal::ambiguous(asking.resource(), name, &clusters));
    }
    Ok(found.pop())
}

/// All objects, or a page of them.
pub(super) async fn list((shared, asking): Answering, filter: Filter) -> Result<Response, Refusal> {
    let options = &asking.options;
    let limit = options
        .limit
        .map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let selected = !options.labels.is_empty() || !options.fields.is_empty();
    let at = match options.next {
        Some(_) => None,
        None => shared.moment(options.version).await?,
    };
    let asked = List {
        filter,
        at,
        limit: limit.unwrap_or(PAGE).min(PAGE),
        after: options.next.clone(),
        // As the API server: what remains is not counted when something is selected.
        count: limit.is_some() && !selected,
    };
    let continued = options.next.is_some();
    let page = shared
        .store
        .list(&asked)
        .await
        .map_err(|error| match error {
            Error::Expired { .. } if continued => Refusal::expired_list(),
            error => refused(error),
        })?;
    let rest = match limit {
        None => page.next.is_some(),
        Some(limit) => limit > PAGE && page.next.is_some(),
    };
    if rest {
        let pages = Pages {
            left: limit.map(|limit| limit - page.items.len().min(limit)),
            shared,
            asking,
            asked,
            at: page.at,
            state: State::Page(page),
            first: true,
        };
        return Ok(json(Body::from_stream(stream::try_unfold(
            pages,
            Pages::next,
        ))));
    }
    let metadata = metadata(&page);
    let encoder = &asking.encoder;
    let mut body = encoder.begin(Some(&metadata));
    let wholes = shared
        .wholes(encoder, page.items.iter())
        .await
        .map_err(refused)?;
    encoder.items(&mut body, items(page.items.iter(), &wholes), (true, now()));
    body.extend(Encoder::end(None));
    Ok(json(body))
}

fn json(body: impl Into<Body>) -> Response {
    ([(CONTENT_TYPE, "application/json")], body.into()).into_response()
}

fn metadata(page: &Page) -> Value {
    let mut metadata = Map::new();
    metadata.insert("resourceVersion".into(), page.at.to_string().into());
    if let Some(next) = &page.next {
        metadata.insert("continue".into(), next.to_string().into());
        if let Some(remaining) = page.remaining {
            metadata.insert("remainingItemCount".into(), remaining.into());
        }
    }
    metadata.into()
}

/// A list that takes several pages.
struct Pages {
    shared: Arc<Shared>,
    asking: Asking,
    asked: List,
    at: u64,
    /// So many objects may still come; None for all.
    left: Option<usize>,
    state: State,
    first: bool,
}

enum State {
    Page(Page),
    Next(Cursor),
    End,
}

impl Pages {
    /// The next piece of the answer. An error breaks it off: what is not whole must not end well.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, Error> {
        let (page, mut out) = match std::mem::replace(&mut self.state, State::End) {
            State::End => return Ok(None),
            // What follows it is not known yet: the metadata comes last.
            State::Page(page) => (page, self.asking.encoder.begin(None)),
            State::Next(cursor) => (self.page(cursor).await?, Vec::new()),
        };
        let encoder = &self.asking.encoder;
        let wholes = self.shared.wholes(encoder, page.items.iter()).await?;
        self.first = encoder.items(
            &mut out,
            items(page.items.iter(), &wholes),
            (self.first, now()),
        );
        match page.next {
            Some(cursor) if self.left != Some(0) => self.state = State::Next(cursor),
            _ => out.extend(Encoder::end(Some(&metadata(&page)))),
        }
        Ok(Some((out.into(), self)))
    }

    async fn page(&mut self, cursor: Cursor) -> Result<Page, Error> {
        self.asked.after = Some(cursor);
        self.asked.at = None;
        self.asked.limit = self.left.unwrap_or(PAGE).min(PAGE);
        let page = self.shared.store.list(&self.asked).await?;
        debug_assert_eq!(page.at, self.at, "all pages are of one state");
        self.left = self.left.map(|left| left.saturating_sub(page.items.len()));
        Ok(page)
    }
}
