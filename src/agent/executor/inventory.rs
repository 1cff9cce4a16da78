//! What was put into the cluster for a work, written down there: an `AppliedManifestWork`.
//!
//! An object is written down before it is written, so that an agent that ends between the two finds it again.

use crate::kubernetes::{Collector, Kubernetes, Manner, News, Place, WriteError, follow};
use crate::ocm::applied::{AppliedManifestWorkStatus, FINALIZER};
use crate::ocm::{AppliedManifestWork, AppliedResource, document, name};
use crate::protocol::message::{Selection, View};
use crate::protocol::names::ClusterName;
use serde_json::json;
use std::collections::BTreeMap;
use tokio::sync::mpsc;
use xxhash_rust::xxh3::xxh3_64;

const MANAGER: &str = "mqinformer-agent";
/// The longest name that an object may have.
const LONGEST: usize = 253;

/// By the names of their works.
pub(super) type Inventories = BTreeMap<String, Inventory>;

/// The inventory of one work.
#[derive(Clone, Debug, Default)]
pub(super) struct Inventory {
    pub(super) applied: AppliedManifestWork,
    /// The status that the cluster has of it; none: it is not there.
    stored: Option<AppliedManifestWorkStatus>,
}

/// What tells the inventories of a hub from those of another one: the hub's name, which a hub that is made anew has again.
pub(super) fn hub_hash(hub: &ClusterName) -> String {
    format!("{:016x}", xxh3_64(hub.as_str().as_bytes()))
}

/// Reads all inventories of a hub.
pub(super) async fn load(
    kubernetes: &Kubernetes,
    hub_hash: &str,
) -> Result<Inventories, WriteError> {
    let selection = Selection {
        resource: "appliedmanifestworks.v1.work.open-cluster-management.io".to_owned(),
        view: View::Objects,
        ..Selection::default()
    };
    let (tell, mut heard) = mpsc::channel(16);
    let followed = follow(kubernetes.clone(), selection, tell);
    let whole = async {
        let mut collector = Collector::default();
        while let Some(one) = heard.recv().await {
            match collector.take(one) {
                Some(News::Whole(all)) => return Ok(all),
                Some(News::Away(why)) => return Err(WriteError::Away(why)),
                // A kind that was defined a moment ago is not served yet.
                Some(News::Refused(why)) => tracing::info!(why, "waiting for the inventories"),
                _ => {}
            }
        }
        Err(WriteError::Away(
            "the inventories were not listed".to_owned(),
        ))
    };
    let all = tokio::select! {
        all = whole => all?,
        () = followed => return Err(WriteError::Away("nobody listens".to_owned())),
    };
    let read = all
        .iter()
        .filter_map(|(_, value)| serde_json::from_slice(value).ok());
    let ours = read.filter(|it: &AppliedManifestWork| it.spec.hub_hash == hub_hash);
    let inventory = |applied: AppliedManifestWork| {
        let work = applied.spec.manifest_work_name.clone();
        let stored = Some(applied.status.clone());
        (work, Inventory { applied, stored })
    };
    Ok(ours.map(inventory).collect())
}

impl Inventory {
    /// An empty one, not written down yet.
    pub(super) fn new(hub_hash: &str, agent: &str, work: &str) -> Self {
        let mut applied = AppliedManifestWork::default();
        applied.metadata.name = Some(object_name(hub_hash, work));
        applied.spec.hub_hash = hub_hash.to_owned();
        applied.spec.agent_id = Some(agent.to_owned());
        applied.spec.manifest_work_name = work.to_owned();
        Self {
            applied,
            stored: None,
        }
    }

    /// What it lists.
    pub(super) fn resources(&self) -> &[AppliedResource] {
        &self.applied.status.applied_resources
    }

    /// Lists an object, or what is new of it: a uid that is known is not forgotten.
    pub(super) fn put(&mut self, new: AppliedResource) {
        let all = &mut self.applied.status.applied_resources;
        match all.iter_mut().find(|it| it.is(&new)) {
            Some(old) => {
                let uid = new.uid.clone().or_else(|| old.uid.clone());
                *old = AppliedResource { uid, ..new };
            }
            None => all.push(new),
        }
    }

    /// Lists an object no longer.
    pub(super) fn forget(&mut self, gone: &AppliedResource) {
        self.applied
            .status
            .applied_resources
            .retain(|it| !it.is(gone));
    }

    /// Whether the cluster has it as it is here.
    pub(super) fn is_saved(&self) -> bool {
        self.stored.as_ref() == Some(&self.applied.status)
    }

    /// Writes it down, if it is not.
    pub(super) async fn save(&mut self, kubernetes: &Kubernetes) -> Result<(), WriteError> {
        if self.is_saved() {
            return Ok(());
        }
        if self.stored.is_none() {
            self.make(kubernetes).await?;
        }
        match self.save_status(kubernetes).await {
            // Somebody deleted it: it is made again.
            Err(WriteError::Refused(refusal)) if refusal.code == 404 => {
                self.make(kubernetes).await?;
                self.save_status(kubernetes).await
            }
            other => other,
        }
    }

    async fn make(&mut self, kubernetes: &Kubernetes) -> Result<(), WriteError> {
        let mut new = self.applied.clone();
        new.metadata = crate::ocm::ObjectMeta {
            name: new.metadata.name.clone(),
            finalizers: Some(vec![FINALIZER.to_owned()]),
            ..Default::default()
        };
        new.status = AppliedManifestWorkStatus::default();
        let made = kubernetes
            .apply(&self.place(), manner(""), body(&new)?)
            .await?;
        let made: AppliedManifestWork = serde_json::from_slice(&made).unwrap_or_default();
        self.applied.metadata = made.metadata;
        self.stored = Some(made.status);
        Ok(())
    }

    async fn save_status(&mut self, kubernetes: &Kubernetes) -> Result<(), WriteError> {
        let mut new = self.applied.clone();
        new.metadata = crate::ocm::ObjectMeta {
            name: new.metadata.name.clone(),
            ..Default::default()
        };
        kubernetes
            .apply(&self.place(), manner("status"), body(&new)?)
            .await?;
        self.stored = Some(self.applied.status.clone());
        Ok(())
    }

    /// Takes it away: nothing is left that it would have to list.
    pub(super) async fn remove(&mut self, kubernetes: &Kubernetes) -> Result<(), WriteError> {
        let Some(uid) = self.applied.metadata.uid.clone() else {
            return Ok(());
        };
        let freed = json!({"metadata": {"uid": uid, "finalizers": null}});
        match kubernetes
            .merge(&self.place(), freed.to_string().into_bytes())
            .await
        {
            Err(WriteError::Refused(refusal)) if matches!(refusal.code, 404 | 409) => {}
            other => _ = other?,
        }
        match kubernetes.delete(&self.place(), &uid).await {
            // Another one of that name is not this one.
            Err(WriteError::Refused(refusal)) if refusal.code == 409 => Ok(()),
            other => other,
        }?;
        self.stored = None;
        Ok(())
    }

    fn place(&self) -> Place {
        Place {
            group: "work.open-cluster-management.io".to_owned(),
            version: "v1".to_owned(),
            plural: "appliedmanifestworks".to_owned(),
            namespace: String::new(),
            name: name(&self.applied).to_owned(),
        }
    }
}

fn manner(subresource: &str) -> Manner<'_> {
    Manner {
        manager: MANAGER,
        subresource,
        force: true,
    }
}

fn body(applied: &AppliedManifestWork) -> Result<Vec<u8>, WriteError> {
    let document = document(applied).map_err(|error| WriteError::Away(error.to_string()))?;
    Ok(document.to_string().into_bytes())
}

/// As OCM names them; one that would be too long is cut, and told apart by a hash.
fn object_name(hub_hash: &str, work: &str) -> String {
    let whole = format!("{hub_hash}-{work}");
    match whole.len() > LONGEST {
        false => whole,
        true => {
            let end = whole.floor_char_boundary(LONGEST - 17);
            format!("{}-{:016x}", &whole[..end], xxh3_64(work.as_bytes()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thing(uid: Option<&str>) -> AppliedResource {
        AppliedResource {
            resource: "configmaps".to_owned(),
            name: "a".to_owned(),
            uid: uid.map(str::to_owned),
            ..AppliedResource::default()
        }
    }

    #[test]
    fn a_uid_that_is_known_stays_known() {
        let mut inventory = Inventory::new("h", "c", "w");
        inventory.put(thing(Some("1")));
        inventory.put(thing(None));
        assert_eq!(inventory.resources(), [thing(Some("1"))]);
        inventory.put(thing(Some("2")));
        assert_eq!(inventory.resources(), [thing(Some("2"))]);
        inventory.forget(&thing(None));
        assert!(inventory.resources().is_empty() && !inventory.is_saved());
    }

    #[test]
    fn names_are_as_long_as_they_may_be() {
        assert_eq!(object_name("h", "w"), "h-w");
        let (one, other) = ("a".repeat(250), format!("{}b", "a".repeat(249)));
        let (one, other) = (
            object_name("0123456789abcdef", &one),
            object_name("0123456789abcdef", &other),
        );
        assert!(one != other && one.len() <= LONGEST);
    }
}
