//! Whether the clusters are shared, among whom, and where those find each other.

use super::{Registry, Share};
use crate::controlplane::informers::Informers;
use crate::controlplane::options::ControlplaneArgs;
use crate::informer::Clusters;
use crate::kubernetes::{Access, Kubernetes};
use crate::protocol::entries::entry_digest;
use crate::store::Store;
use anyhow::{Result, bail};

/// Joins the group that the options say; none if the clusters are not shared.
///
/// # Errors
/// One line for people: why they cannot be.
pub(in crate::controlplane) async fn join(
    args: &ControlplaneArgs,
    store: Option<&Store>,
    clusters: &Clusters,
    informers: &Informers,
) -> Result<Option<Share>> {
    let wanted = args.share.share;
    if !wanted.unwrap_or(store.is_some_and(Store::is_shared)) {
        return Ok(None);
    }
    // Any of them hears of all clusters; what is this one's is told to whoever copies by the others, too.
    let Some(informer) = informers.all().next() else {
        return Ok(None);
    };
    let share = name(args);
    let registry = match store {
        Some(store) if store.is_shared() => Registry::Store {
            store: store.clone(),
            share,
        },
        Some(_) => {
            bail!("--share: a SQLite file has one process; use --store postgres://... for several")
        }
        None => {
            let access = Access {
                kubeconfig: args.kubeconfig.clone().map(Into::into),
                context: args.context.clone(),
            };
            let kubernetes = Kubernetes::connect(&access, false).await?;
            Registry::leases(kubernetes, &args.share.share_namespace, &share)
        }
    };
    let lease = args.share.share_lease;
    Ok(Some(Share::start(
        registry,
        lease,
        clusters.clone(),
        informer,
    )))
}

/// Members of one group keep the same: of the same clusters behind the same broker.
fn name(args: &ControlplaneArgs) -> String {
    if let Some(name) = &args.share.share_name {
        return name.clone();
    }
    let mut words = args.words();
    words.sort();
    let mut clusters = args.cluster.clone();
    clusters.sort();
    let broker = &args.broker;
    let topics = [&broker.broker, &broker.signal_topic, &broker.payload_topic];
    let same = format!(
        "{topics:?} {words:?} {:?} {clusters:?} {}",
        args.labels(),
        args.mirrors()
    );
    format!("{:016x}", entry_digest(b"share", same.as_bytes()))
}
