//! Asks an API server what it serves.
//!
//! Aggregated discovery (Kubernetes 1.26 and later) takes two requests; older servers are asked group by group. The
//! answer is kept. A word that it does not know makes a new one, so that a resource installed a moment ago is found.

mod wire;

use super::catalog::{Catalog, Resource};
use super::client::{Client, JSON};
use super::failure::Failure;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;
use wire::{Group, Groups, LegacyGroup, LegacyList, read};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
     application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// The catalog of one API server, kept and renewed.
#[derive(Default)]
pub(super) struct Discovery {
    // Held while asking: who comes meanwhile waits for that answer instead of asking too.
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    catalog: Arc<Catalog>,
    asked: Instant,
    core: Half,
    groups: Half,
}

/// What `/api` or `/apis` said, with its ETag, so that an unchanged answer costs nothing.
#[derive(Clone, Debug, Default)]
struct Half {
    etag: Option<String>,
    resources: Vec<Resource>,
}

impl Discovery {
    /// The catalog, at most `age` old.
    pub(super) async fn catalog(
        &self,
        client: &Client,
        age: Duration,
    ) -> Result<Arc<Catalog>, Failure> {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = &*kept
            && kept.asked.elapsed() <= age
        {
            return Ok(kept.catalog.clone());
        }
        let asked = Instant::now();
        let (core, groups) = match &*kept {
            Some(kept) => (kept.core.clone(), kept.groups.clone()),
            None => Default::default(),
        };
        let (core, groups) =
            tokio::try_join!(half(client, "/api", core), half(client, "/apis", groups))?;
        let resources = core
            .resources
            .iter()
            .chain(&groups.resources)
            .cloned()
            .collect();
        let catalog = Arc::new(Catalog { resources });
        *kept = Some(Kept {
            catalog: catalog.clone(),
            asked,
            core,
            groups,
        });
        Ok(catalog)
    }
}

async fn half(client: &Client, root: &str, before: Half) -> Result<Half, Failure> {
    let Some(answer) = client.ask(root, AGGREGATED, before.etag.as_deref()).await? else {
        return Ok(before);
    };
    let resources = match read::<Groups>(&answer.bytes)? {
        Groups::Aggregated { items } => items.into_iter().flat_map(Group::resources).collect(),
        Groups::Core { versions } => {
            let versions = versions.into_iter().map(|version| (String::new(), version));
            one_by_one(client, versions.collect()).await?
        }
        Groups::Legacy { groups } => {
            let versions = groups.into_iter().flat_map(LegacyGroup::versions);
            one_by_one(client, versions.collect()).await?
        }
    };
    Ok(Half {
        etag: answer.etag,
        resources,
    })
}

/// The resources of each (group, version). A group that does not answer is left out, as in kubectl: its server may be
/// away, and that is no reason not to show pods.
async fn one_by_one(
    client: &Client,
    versions: Vec<(String, String)>,
) -> Result<Vec<Resource>, Failure> {
    let mut resources = Vec::new();
    let mut group_before = None;
    for (group, version) in versions {
        let preferred = group_before.as_ref() != Some(&group);
        let answer = client.get(&Resource::root(&group, &version), JSON).await;
        match answer.and_then(|bytes| read::<LegacyList>(&bytes)) {
            Ok(list) => {
                resources.extend(list.resources(&group, &version, preferred));
                group_before = Some(group);
            }
            Err(Failure::Refused(refusal)) if group.is_empty() => {
                return Err(Failure::Refused(refusal));
            }
            Err(error) if group.is_empty() => return Err(error),
            Err(error) => tracing::warn!(%group, %version, %error, "an API group is not served"),
        }
    }
    Ok(resources)
}
