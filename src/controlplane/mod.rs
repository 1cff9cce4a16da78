//! The role on the other side: what [`crate::informer`] copies of all clusters, kept where others can read it.
//!
//! | module | what it keeps |
//! |---|---|
//! | `mirror` | copies in an API server, by [`crate::kubernetes`] |
//! | `intake` | rows and objects in a database, by [`crate::store`] |
//! | [`serve`] | nothing: it serves that database as Kubernetes API servers |
//! | [`search`] | nothing: it serves it as a REST search, with its history |

pub mod announce;
mod api;
pub mod client;
mod informers;
mod intake;
mod mirror;
mod options;
mod probes;
mod refusals;
pub mod search;
pub mod serve;
mod share;

pub use options::ControlplaneArgs;

use crate::cli::{BrokerArgs, serve_probes};
use crate::informer::Clusters;
use crate::kubernetes::Access;
use crate::store::{self, OpenError, Store};
use anyhow::{Context, Result, bail};
use api::Api;
use informers::Informers;
use intake::Intake;
use mirror::Mirror;
use share::Share;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// How long each part of a graceful stop may take.
const LAST: Duration = Duration::from_secs(8);

/// How often the store is told that what it has is still true.
const PROVE: Duration = Duration::from_secs(5);

/// What was not proven for so long is stale, in ms. Proofs are as old as the source's last word, which comes every two
/// seconds, and may have to wait for a batch that is being written.
const STALE_MS: i64 = 20_000;

/// Else what is fresh would be called stale now and then.
const _: () = assert!(STALE_MS as u128 >= 3 * PROVE.as_millis());

/// How long to wait before a database that is away is tried again.
const OPEN_AGAIN: Duration = Duration::from_secs(1);

/// Runs a controlplane as a program of its own: logs to stderr, ends on SIGTERM or SIGINT.
///
/// # Errors
/// One line for people: what was tried, what happened, what to do.
pub fn main(args: ControlplaneArgs) -> Result<()> {
    crate::cli::log_to_stderr();
    crate::cli::end_by_panics();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move {
            crate::cli::asked_to_stop().await;
            tracing::info!("asked to stop: finishing what is due");
            // A controlplane that has ended needs no word.
            let _ = stop.send(true);
        });
        tokio::spawn(run(args, stopped)).await?
    })
}

/// Keeps what it is told to keep until `shutdown` becomes true. The caller brings runtime, log and shutdown.
///
/// # Errors
/// As [`main`].
pub async fn run(args: ControlplaneArgs, mut shutdown: watch::Receiver<bool>) -> Result<()> {
    if !args.mirrors() && args.store.is_none() {
        bail!("--mirror=false without --store: then there is nothing to do");
    }
    let clusters = Clusters::new(&args.cluster).context("--cluster")?;
    let topics = args.broker.topics()?;
    // What is wrong there is said before a database is waited for.
    drop(args.broker.options(client_id(&args.broker))?);
    let store = tokio::select! {
        store = open_store(&args) => store?,
        _ = shutdown.wait_for(|stop| *stop) => return Ok(()),
    };
    let mut api = Api::start(&args, store.as_ref(), &topics, &shutdown).await?;
    let informers = Informers::start(&args, &clusters, store.as_ref())?;
    let share = share::join(&args, store.as_ref(), &clusters, &informers).await?;
    let mut kept = Kept::start(&args, clusters, (store, share), &informers, &shutdown).await?;
    let probes = serve_probes(args.listen, kept.probed(&informers)).await?;
    let ended = tokio::select! {
        // An error means that nobody can ask any more.
        _ = shutdown.wait_for(|stop| *stop) => Ok(()),
        () = informers.ended() => Err(anyhow::anyhow!("the connection to the broker has ended for good; the log above says why")),
    };
    api.ended(LAST).await;
    kept.ended().await;
    informers.close().await;
    probes.abort();
    ended
}

/// All that is kept somewhere.
struct Kept {
    mirror: Option<Mirror>,
    intake: Option<Intake>,
    store: Option<Store>,
    share: Option<Share>,
}

impl Kept {
    async fn start(
        args: &ControlplaneArgs,
        clusters: Clusters,
        (store, share): (Option<Store>, Option<Share>),
        informers: &Informers,
        stop: &watch::Receiver<bool>,
    ) -> Result<Self> {
        let held = share.as_ref().map(Share::held);
        let mirror = match &informers.mirror {
            Some(informer) => {
                let plan = mirror::Plan {
                    words: args.words(),
                    labels: args.labels(),
                    clusters: clusters.clone(),
                    as_is: args.mirror_as_is.clone(),
                    share: held.clone(),
                };
                let access = Access {
                    kubeconfig: args.kubeconfig.clone().map(Into::into),
                    context: args.context.clone(),
                };
                Some(Mirror::start(&plan, &access, informer, stop).await?)
            }
            None => None,
        };
        let plan = intake::Plan {
            words: args.words(),
            labels: args.labels(),
            clusters,
            history: args.history,
            share: held,
        };
        let (backing, intake) = (informers.backing.as_ref(), informers.intake.as_ref());
        let intake = store
            .as_ref()
            .zip(intake)
            .map(|(store, informer)| Intake::start(&plan, store, (informer, backing), stop));
        Ok(Self {
            mirror,
            intake,
            store,
            share,
        })
    }

    fn probed(&self, informers: &Informers) -> probes::Probed {
        probes::Probed {
            informers: informers.all().cloned().collect(),
            share: self.share.as_ref().map(Share::held),
            mirrors: self
                .mirror
                .as_ref()
                .map(Mirror::reports)
                .unwrap_or_default(),
            intakes: self
                .intake
                .as_ref()
                .map(Intake::reports)
                .unwrap_or_default(),
        }
    }

    /// Finishes what is due, within a bound.
    async fn ended(&mut self) {
        let mirrored = async {
            if let Some(mirror) = &mut self.mirror {
                mirror.ended(LAST).await;
            }
        };
        let taken_in = async {
            if let Some(intake) = &mut self.intake {
                intake.ended(LAST).await;
            }
        };
        futures::future::join(mirrored, taken_in).await;
        if let Some(share) = &mut self.share {
            share.ended(LAST).await;
        }
        if let Some(store) = &self.store
            && tokio::time::timeout(LAST, store.close()).await.is_err()
        {
            tracing::warn!("the database did not say goodbye in time");
        }
    }
}

/// Opens the store; a database that is away is waited for.
async fn open_store(args: &ControlplaneArgs) -> Result<Option<Store>> {
    let Some(url) = &args.store else {
        return Ok(None);
    };
    let mut told = false;
    loop {
        match Store::open(url, store::Options::default()).await {
            Ok(store) => return Ok(Some(store)),
            Err(OpenError::Failed(error)) if error.is_retryable() => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!("--store: {error}");
                }
                tokio::time::sleep(OPEN_AGAIN).await;
            }
            Err(error) => return Err(error).context("--store"),
        }
    }
}

/// Waits until all tasks have ended, and no longer than so long: whether they have.
async fn all_ended(tasks: &mut JoinSet<()>, at_most: Duration) -> bool {
    let all = async { while tasks.join_next().await.is_some() {} };
    tokio::time::timeout(at_most, all).await.is_ok()
}

/// Waits until then; for ever if that is never.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Tells a report, if it is news.
fn tell<R: Clone + PartialEq>(report: &watch::Sender<R>, now: &R) {
    report.send_if_modified(|told| {
        let news = told != now;
        if news {
            told.clone_from(now);
        }
        news
    });
}

/// Two programs under one id take each other's connection, so each run has one of its own.
fn client_id(broker: &BrokerArgs) -> String {
    let prefix = broker.client_id.as_deref().unwrap_or("mqi-controlplane");
    format!("{prefix}-{:08x}", rand::random::<u32>())
}
