//! What is served over HTTP: the fleet as Kubernetes API servers, and the search beside it, to the same users.

use super::all_ended;
use super::announce::Announcement;
use super::options::ControlplaneArgs;
use super::search::{self, Reader};
use super::serve::{Access, Server, User};
use crate::protocol::names::ClusterName;
use crate::protocol::topics::Topics;
use crate::store::Store;
use anyhow::{Context, Result, bail};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::middleware::{self, Next};
use axum::response::Response;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The API at its address, and its presence at the broker.
pub(super) struct Api {
    tasks: JoinSet<()>,
}

impl Api {
    /// Takes the address and begins to serve; nothing is served without `--serve`.
    ///
    /// # Errors
    /// One line for people, about the option that is wrong.
    pub(super) async fn start(
        args: &ControlplaneArgs,
        store: Option<&Store>,
        topics: &Topics,
        stop: &watch::Receiver<bool>,
    ) -> Result<Self> {
        let mut tasks = JoinSet::new();
        let Some(server) = Server::bind(&args.serve).await? else {
            return Ok(Self { tasks });
        };
        let Some(store) = store else {
            bail!(
                "--serve serves what is stored: add --store sqlite://FILE or --store postgres://..."
            );
        };
        let local = server.local_addr()?;
        tracing::info!(%local, "serving /clusters/NAME as an API server, /clusters/* as one of all, and /search");
        let beside = guarded(store, server.access(), stop);
        tasks.spawn(server.run(store.clone(), beside, stop.clone()));
        if let Some(url) = &args.serve.serve_url {
            let announced = announcement(args, url, topics)?;
            let broker = args.broker.options(super::client_id(&args.broker))?;
            let stop = stop.clone();
            tasks.spawn(async move {
                if let Err(error) = announced.run(broker, stop).await {
                    tracing::error!("it is not announced at the broker any more: {error:#}");
                }
            });
        }
        Ok(Self { tasks })
    }

    /// Waits until requests under way are answered, and no longer than so long.
    pub(super) async fn ended(&mut self, at_most: Duration) {
        if !all_ended(&mut self.tasks, at_most).await {
            tracing::warn!("some requests were not answered in time");
        }
    }
}

fn announcement(args: &ControlplaneArgs, url: &str, topics: &Topics) -> Result<Announcement> {
    Announcement::check_url(url)?;
    Ok(Announcement {
        name: ClusterName::new(&args.serve.serve_name).context("--serve-name")?,
        url: url.to_owned(),
        retained: args.retained,
        topics: topics.clone(),
    })
}

/// The search, for those whom the read API knows.
fn guarded(store: &Store, access: &Access, stop: &watch::Receiver<bool>) -> Router {
    let options = search::Options::new(store.clone(), stop.clone());
    search::router(options).layer(middleware::from_fn_with_state(access.clone(), admit))
}

/// Says who asks. Whom nobody knows is answered by the search itself: with 401.
async fn admit(State(access): State<Access>, mut request: Request, next: Next) -> Response {
    let header = request.headers().get(AUTHORIZATION);
    let header = header.and_then(|value| value.to_str().ok());
    if let Some(user) = access.user(header) {
        request.extensions_mut().insert(reader(user));
    }
    next.run(request).await
}

fn reader(user: User) -> Reader {
    match user.may_read_all() {
        true => Reader::of_everything(),
        false => Reader::of(move |cluster| user.may_read(cluster)),
    }
}
