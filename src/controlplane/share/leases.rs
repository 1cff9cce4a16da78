//! Members as Leases in the hub's API server, for those that have no database between them.
//!
//! A lease's times are its holder's clock, which nobody else believes: a member is there while its lease was seen to
//! change within the last lease time, by one's own clock.

use crate::kubernetes::{Kubernetes, Manner, Place, WriteError};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio::time::Instant;

/// The group, on each of its Leases.
const SHARE: &str = "mqinformer.io/share";
/// By which view its holder acts.
const VIEW: &str = "mqinformer.io/view";
const MANAGER: &str = "mqinformer-controlplane";

/// The Leases of one group.
pub(super) struct Leases {
    kubernetes: Kubernetes,
    namespace: String,
    share: String,
    seen: HashMap<String, Seen>,
}

/// A Lease as it was seen last.
struct Seen {
    renewed: String,
    since: Instant,
}

#[derive(Deserialize)]
struct List {
    items: Vec<Lease>,
}

#[derive(Deserialize)]
struct Lease {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    uid: String,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    holder_identity: Option<String>,
    renew_time: Option<String>,
}

impl Leases {
    pub(super) fn new(kubernetes: Kubernetes, namespace: String, share: String) -> Self {
        Self {
            kubernetes,
            namespace,
            share,
            seen: HashMap::new(),
        }
    }

    /// Renews one's own, and answers who is there and by which view each acts.
    pub(super) async fn beat(
        &mut self,
        me: &str,
        view: u64,
        lease: Duration,
    ) -> Result<BTreeMap<String, u64>, WriteError> {
        let place = self.place(&name(me));
        let object = json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": place.name,
                "namespace": place.namespace,
                "labels": {SHARE: self.share},
                "annotations": {VIEW: format!("{view:016x}")},
            },
            "spec": {
                "holderIdentity": me,
                "leaseDurationSeconds": lease.as_secs().max(1),
                "renewTime": format!("{:.6}", Timestamp::now()),
            },
        });
        let manner = Manner {
            manager: MANAGER,
            subresource: "",
            force: true,
        };
        let object = object.to_string().into_bytes();
        self.kubernetes.apply(&place, manner, object).await?;
        let label = format!("{SHARE}={}", self.share);
        let list = self.kubernetes.objects(&self.place(""), &label).await?;
        let list: List = serde_json::from_slice(&list)
            .map_err(|error| WriteError::Away(format!("its list of Leases is none: {error}")))?;
        Ok(self.alive(list, lease).await)
    }

    /// Those that are there. One that is not is deleted by whoever sees it: who comes later would wait for it anew.
    async fn alive(&mut self, list: List, lease: Duration) -> BTreeMap<String, u64> {
        let now = Instant::now();
        let names: Vec<_> = list
            .items
            .iter()
            .map(|it| it.metadata.name.clone())
            .collect();
        self.seen.retain(|name, _| names.contains(name));
        let mut members = BTreeMap::new();
        for Lease { metadata, spec } in list.items {
            let (Some(holder), Some(renewed)) = (spec.holder_identity, spec.renew_time) else {
                continue;
            };
            let seen = self.seen.entry(metadata.name.clone());
            let seen = seen.or_insert_with(|| Seen {
                renewed: renewed.clone(),
                since: now,
            });
            if seen.renewed != renewed {
                *seen = Seen {
                    renewed,
                    since: now,
                };
            }
            let age = now.saturating_duration_since(seen.since);
            if age < lease {
                let view = metadata.annotations.get(VIEW);
                let view = view.and_then(|view| u64::from_str_radix(view, 16).ok());
                members.insert(holder, view.unwrap_or_default());
            } else {
                let gone = self.place(&metadata.name);
                // Another one may have deleted it.
                let _ = self.kubernetes.delete(&gone, &metadata.uid).await;
            }
        }
        members
    }

    /// Deletes one's own: the others need not wait for it to end.
    pub(super) async fn leave(&self, me: &str) -> Result<(), WriteError> {
        let place = self.place(&name(me));
        let lease = self.kubernetes.object(&place).await?;
        let uid = serde_json::from_slice::<Lease>(&lease).map(|lease| lease.metadata.uid);
        match uid {
            Ok(uid) => self.kubernetes.delete(&place, &uid).await,
            Err(_) => Ok(()),
        }
    }

    fn place(&self, name: &str) -> Place {
        Place {
            group: "coordination.k8s.io".to_owned(),
            version: "v1".to_owned(),
            plural: "leases".to_owned(),
            namespace: self.namespace.clone(),
            name: name.to_owned(),
        }
    }
}

fn name(member: &str) -> String {
    format!("mqinformer-controlplane-{member}")
}
