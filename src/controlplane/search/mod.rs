//! The fleet's REST search: filters over any field, counts, history, and the watch of a search.
//!
//! | path | what |
//! |---|---|
//! | `/search` | objects that match, page by page of one moment, now or `at` another |
//! | `/search/count` | how many, `by` cluster, kind, label, field |
//! | `/search/watch` | the same as server-sent events: first what there is, then what changes |
//! | `/history/CLUSTER/KIND/[NAMESPACE/]NAME` | what happened to an object, or how it was `at` a moment |
//! | `/openapi.json` | all this for programs |
//!
//! What is wrong is answered as RFC 9457 problem details. Every answer says of each cluster that was meant how fresh
//! what is kept of it is.
//!
//! **Architecture invariant:** it has no auth of its own, and answers nobody without a [`Reader`] in the request.
//! Everything from outside is bound by the store, never part of a statement.

mod ask;
mod count;
mod difference;
mod events;
mod fields;
mod history;
mod item;
mod kinds;
mod list;
mod openapi;
mod parameters;
mod path;
mod problem;
mod query;
mod reader;
mod scope;
mod token;
mod when;

#[cfg(test)]
mod tests;

pub use reader::{Reader, guarded};
pub use when::moment;

use crate::store::{Clusters, Search, Store, Stream};
use axum::Router;
use axum::http::{Method, Uri};
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use problem::{Kind, Problem};
use query::Query;
use scope::Scope;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// A search may take so long.
const PATIENCE: Duration = Duration::from_secs(30);
/// So many searches at once; the next ones wait.
const AT_ONCE: usize = 8;
/// So many watches at once.
const WATCHES: usize = 256;

/// What a search is served from.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the objects are.
    pub store: Store,
    /// Changes when the program is asked to stop: watches end then.
    pub stopping: watch::Receiver<bool>,
    /// The clock.
    pub now: fn() -> Timestamp,
    /// How often a watch without news says that it is alive.
    pub heartbeat: Duration,
}

impl Options {
    /// As usual.
    #[must_use]
    pub fn new(store: Store, stopping: watch::Receiver<bool>) -> Self {
        Self {
            store,
            stopping,
            now: Timestamp::now,
            heartbeat: Duration::from_secs(10),
        }
    }
}

/// What handlers share.
#[derive(Clone)]
struct Served {
    options: Arc<Options>,
    searches: Arc<Semaphore>,
    watches: Arc<Semaphore>,
}

/// The routes. Requests need a [`Reader`] in their extensions.
pub fn router(options: Options) -> Router {
    let served = Served {
        options: Arc::new(options),
        searches: Arc::new(Semaphore::new(AT_ONCE)),
        watches: Arc::new(Semaphore::new(WATCHES)),
    };
    Router::new()
        .route("/search", get(list::search))
        .route("/search/count", get(count::count))
        .route("/search/watch", get(events::watch))
        .route("/history/{*object}", get(history::history))
        .route("/openapi.json", get(openapi::document))
        .method_not_allowed_fallback(only_read)
        .with_state(served)
}

async fn only_read(method: Method, uri: Uri) -> Problem {
    Problem::new(
        Kind::Method,
        format!("{method} is not served: what is here can only be read"),
    )
    .of(&instance(&uri))
}

/// What was asked for, as an answer repeats it.
fn instance(uri: &Uri) -> String {
    uri.path_and_query()
        .map_or_else(String::new, |it| it.as_str().to_owned())
}

/// Ends a request: an answer, or a problem that says what was asked for.
fn answered(uri: &Uri, result: Result<Response, Problem>) -> Result<Response, Problem> {
    result.map_err(|problem| problem.of(&instance(uri)))
}

impl Served {
    fn store(&self) -> &Store {
        &self.options.store
    }

    fn now(&self) -> Timestamp {
        (self.options.now)()
    }

    /// Waits for a turn, and no longer than a search may take for what it does then.
    async fn in_turn<T>(
        &self,
        work: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let turn = async {
            // It is never closed.
            let _turn = self.searches.acquire().await;
            work.await
        };
        let slow = || {
            let seconds = PATIENCE.as_secs();
            Problem::new(
                Kind::Slow,
                format!(
                    "no answer within {seconds} s: narrow it by kind, cluster, namespace or labels"
                ),
            )
        };
        tokio::time::timeout(PATIENCE, turn)
            .await
            .unwrap_or_else(|_| Err(slow()))
    }

    async fn streams(&self) -> Result<Vec<Stream>, Problem> {
        Ok(self.store().streams(&Clusters::All).await?)
    }

    /// What a query is of, and the warnings about its paths.
    async fn scope(&self, query: &Query, reader: &Reader) -> Result<Scope, Problem> {
        let mut scope = Scope::of(query, &self.streams().await?, reader, query.asked)?;
        let mut some = None;
        for (parameter, path) in query.paths() {
            let objects = match &some {
                Some(objects) => objects,
                None => some.insert(self.some_objects(&scope).await?),
            };
            if fields::look(path, objects) == fields::Verdict::Known {
                continue;
            }
            let search = ask::any_with(parameter, path, &scope)?;
            if self.store().search(&search).await?.items.is_empty() {
                let warning = fields::judge(parameter, path, objects, &scope.words())?;
                scope.warnings.push(warning);
            }
        }
        Ok(scope)
    }

    async fn some_objects(&self, scope: &Scope) -> Result<Vec<serde_json::Value>, Problem> {
        let found = self.store().search(&ask::some_of(scope)).await?;
        Ok(found.items.iter().map(item::object).collect())
    }

    /// The store's search for a query, as of its moment.
    async fn asked(&self, query: &Query, scope: &Scope) -> Result<Search, Problem> {
        let mut search = ask::search(query, scope)?;
        if let (Some(at), None) = (query.at, &query.page) {
            search.at = Some(self.store().sequence_at(at).await?);
        }
        Ok(search)
    }
}
