//! When the hub's API server says that a work is applied, and what its status is.

use crate::consumer::PATIENCE;
use crate::direct;
use anyhow::{Context, Result};
use futures::TryStreamExt;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::watcher;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;
use tokio::sync::mpsc;

/// What a work's status says, and when that was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Seen {
    /// The generation that was applied; 0: none.
    pub(super) applied: i64,
    /// The replicas that came back.
    pub(super) replicas: Option<i64>,
    pub(super) when: Instant,
}

/// Works by name, as a watch shows them.
pub(super) struct Works {
    events: mpsc::UnboundedReceiver<(String, Seen)>,
    pub(super) all: BTreeMap<String, Seen>,
}

impl Works {
    pub(super) async fn watch(kubeconfig: &Path) -> Result<Self> {
        let kind = GroupVersionKind::gvk("work.open-cluster-management.io", "v1", "ManifestWork");
        let resource = ApiResource::from_gvk_with_plural(&kind, "manifestworks");
        let client = direct::client(kubeconfig).await?;
        let api: Api<DynamicObject> = Api::all_with(client, &resource);
        let (say, events) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut events = Box::pin(watcher(api, watcher::Config::default()));
            while let Ok(Some(event)) = events.try_next().await {
                let (watcher::Event::Apply(work) | watcher::Event::InitApply(work)) = event else {
                    continue;
                };
                let seen = seen(&work.data);
                let name = work.metadata.name.unwrap_or_default();
                if say.send((name, seen)).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            events,
            all: BTreeMap::new(),
        })
    }

    /// Reads on until each of these was seen as wanted; when each first was, in their order.
    pub(super) async fn until(
        &mut self,
        names: &[String],
        wanted: impl Fn(&str, &Seen) -> bool,
    ) -> Result<Vec<Instant>> {
        let mut first = BTreeMap::new();
        let mut missing: std::collections::BTreeSet<_> = names.iter().cloned().collect();
        while !missing.is_empty() {
            let event = tokio::time::timeout(PATIENCE, self.events.recv()).await;
            let (name, seen) = event
                .with_context(|| {
                    format!(
                        "{} of {} works are not as wanted",
                        missing.len(),
                        names.len()
                    )
                })?
                .context("the kube-rs watcher ended")?;
            if wanted(&name, &seen) && missing.remove(&name) {
                first.insert(name.clone(), seen.when);
            }
            self.all.insert(name, seen);
        }
        Ok(names
            .iter()
            .filter_map(|it| first.get(it).copied())
            .collect())
    }
}

fn seen(work: &Value) -> Seen {
    let status = &work["status"];
    let conditions = status["conditions"].as_array();
    let is_applied = |it: &&Value| it["type"] == "Applied" && it["status"] == "True";
    let applied = conditions.into_iter().flatten().find(is_applied);
    let manifests = status["resourceStatus"]["manifests"].as_array();
    let mut values = manifests
        .into_iter()
        .flatten()
        .flat_map(|it| it["statusFeedback"]["values"].as_array())
        .flatten();
    let replicas = values.find(|it| it["name"] == "AvailableReplicas");
    Seen {
        applied: applied.map_or(0, |it| {
            it["observedGeneration"].as_i64().unwrap_or_default()
        }),
        replicas: replicas.and_then(|it| it["fieldValue"]["integer"].as_i64()),
        when: Instant::now(),
    }
}
