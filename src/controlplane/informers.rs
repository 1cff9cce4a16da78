//! The connections to the broker: one, or where whole copies and thin ones are needed, one for each.

use super::client_id;
use super::intake::{StoreBacking, StoreKeeper};
use super::options::ControlplaneArgs;
use crate::informer::{Builder, Clusters, Informer};
use crate::store::Store;
use anyhow::Result;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Who copies for whom.
pub(super) struct Informers {
    /// Whole copies; with `--local-cache` they are the intake's, too.
    pub(super) mirror: Option<Informer>,
    pub(super) intake: Option<Informer>,
    /// What the intake's is thin by.
    pub(super) backing: Option<StoreBacking>,
}

impl Informers {
    /// Starts those that are needed.
    ///
    /// # Errors
    /// One line for people, about the option that is wrong.
    pub(super) fn start(
        args: &ControlplaneArgs,
        clusters: &Clusters,
        store: Option<&Store>,
    ) -> Result<Self> {
        let whole = args.mirrors() || (store.is_some() && args.local_cache);
        let whole = match whole {
            true => Some(whole_copies(builder(args, clusters)?, store).start()?),
            false => None,
        };
        let backing = store.filter(|_| !args.local_cache).cloned();
        let backing = backing.map(StoreBacking::new);
        let intake = match &backing {
            Some(backing) => {
                let thin = builder(args, clusters)?.thin(Arc::new(backing.clone()));
                Some(thin.start()?)
            }
            None => whole.clone().filter(|_| store.is_some()),
        };
        Ok(Self {
            mirror: whole.filter(|_| args.mirrors()),
            intake,
            backing,
        })
    }

    /// Each of them; one that is both's is there twice.
    pub(super) fn all(&self) -> impl Iterator<Item = &Informer> {
        self.mirror.iter().chain(&self.intake)
    }

    /// Waits until one of them has ended for good.
    pub(super) async fn ended(&self) {
        let ended = self.all().map(|informer| Box::pin(informer.ended()));
        futures::future::select_all(ended).await;
    }

    /// Leaves all streams and says goodbye.
    pub(super) async fn close(&self) {
        futures::future::join_all(self.all().map(Informer::close)).await;
    }
}

fn builder(args: &ControlplaneArgs, clusters: &Clusters) -> Result<Builder> {
    let broker = args.broker.options(client_id(&args.broker))?;
    Ok(Informer::builder()
        .options(broker)
        .topics(args.broker.topics()?)
        .clusters(clusters.clone()))
}

/// They begin with what the store has.
fn whole_copies(builder: Builder, store: Option<&Store>) -> Builder {
    let Some(store) = store else {
        return builder;
    };
    let keeper = StoreKeeper::new(store.clone(), Handle::current());
    builder.keeper(Arc::new(keeper))
}
