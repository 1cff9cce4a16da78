//! The role on the other side: what [`crate::informer`] copies of all clusters, kept where others can read it.
//!
//! | module | what it keeps |
//! |---|---|
//! | `mirror` | copies in an API server, by [`crate::kubernetes`] |

mod mirror;
mod options;
mod probes;

pub use options::ControlplaneArgs;

use crate::cli::BrokerArgs;
use crate::informer::{Clusters, Informer};
use crate::kubernetes::Access;
use anyhow::{Context, Result, bail};
use mirror::Mirror;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long a graceful stop may take.
const LAST: Duration = Duration::from_secs(8);

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
    if !args.mirrors() {
        bail!("--mirror=false: then there is nothing to do");
    }
    let clusters = Clusters::new(&args.cluster).context("--cluster")?;
    let informer = Informer::builder()
        .options(args.broker.options(client_id(&args.broker))?)
        .topics(args.broker.topics()?)
        .clusters(clusters.clone())
        .start()?;
    let plan = mirror::Plan {
        words: args.words(),
        labels: args.labels(),
        clusters,
        as_is: args.mirror_as_is.clone(),
    };
    let access = Access {
        kubeconfig: args.kubeconfig.clone().map(Into::into),
        context: args.context.clone(),
    };
    let mut mirror = Mirror::start(&plan, &access, &informer, &shutdown).await?;
    let probes = serve_probes(
        &args,
        probes::Probed {
            informer: informer.clone(),
            mirrors: mirror.reports(),
        },
    )
    .await?;
    let ended = tokio::select! {
        // An error means that nobody can ask any more.
        _ = shutdown.wait_for(|stop| *stop) => Ok(()),
        () = informer.ended() => Err(anyhow::anyhow!("the connection to the broker has ended for good; the log above says why")),
    };
    mirror.ended(LAST).await;
    informer.close().await;
    probes.abort();
    ended
}

/// Two programs under one id take each other's connection, so each run has one of its own.
fn client_id(broker: &BrokerArgs) -> String {
    let prefix = broker.client_id.as_deref().unwrap_or("mqi-controlplane");
    format!("{prefix}-{:08x}", rand::random::<u32>())
}

async fn serve_probes(
    args: &ControlplaneArgs,
    probed: probes::Probed,
) -> Result<tokio::task::AbortHandle> {
    let Some(address) = args.listen else {
        return Ok(tokio::spawn(std::future::pending::<()>()).abort_handle());
    };
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("--listen {address}: choose an address that is free"))?;
    let local = listener.local_addr()?;
    tracing::info!(%local, "serving /healthz, /readyz and /metrics");
    let served = axum::serve(listener, probes::router(probed));
    Ok(tokio::spawn(async move {
        if let Err(error) = served.await {
            tracing::error!(%error, "/healthz, /readyz and /metrics ended");
        }
    })
    .abort_handle())
}
