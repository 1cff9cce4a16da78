//! What was put into the cluster for a work, written down there: an `AppliedManifestWork`.
//!
//! An object is written down before it is written, so that an agent that ends between the two finds it again.

use crate::agent::plan::prune;
use crate::kubernetes::{Kubernetes, Manner, Place, WriteError};
use crate::ocm::applied::{AppliedManifestWorkStatus, FINALIZER};
use crate::ocm::work::ManifestWorkSpec;
use crate::ocm::{AppliedManifestWork, AppliedResource, crd, document, name};
use crate::protocol::names::ClusterName;
use serde_json::{Value, json};
use std::collections::BTreeMap;
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

/// What tells the inventories of an agent from those of another one, of ours or of OCM's: the hub's name, which a hub that
/// is made anew has again, and the cluster's, since two agents may share an API server.
#[derive(Clone, Debug)]
pub(super) struct Whose {
    hub_hash: String,
    agent: String,
    /// Before the names of their objects.
    prefix: String,
}

impl Whose {
    pub(super) fn new(hub: &ClusterName, cluster: &ClusterName) -> Self {
        let hash = |text: &str| format!("{:016x}", xxh3_64(text.as_bytes()));
        Self {
            hub_hash: hash(hub.as_str()),
            agent: cluster.as_str().to_owned(),
            // No name has a slash.
            prefix: hash(&format!("{hub}/{cluster}")),
        }
    }

    /// Whether an AppliedManifestWork is one of these.
    pub(super) fn has(&self, applied: &Value) -> bool {
        let spec = &applied["spec"];
        spec["hubHash"] == self.hub_hash.as_str() && spec["agentID"] == self.agent.as_str()
    }
}

impl Inventory {
    /// An empty one, not written down yet.
    pub(super) fn new(whose: &Whose, work: &str) -> Self {
        let mut applied = AppliedManifestWork::default();
        applied.metadata.name = Some(object_name(&whose.prefix, work));
        applied.spec.hub_hash.clone_from(&whose.hub_hash);
        applied.spec.agent_id = Some(whose.agent.clone());
        applied.spec.manifest_work_name = work.to_owned();
        Self {
            applied,
            stored: None,
        }
    }

    /// As the cluster has it.
    pub(super) fn stored(applied: AppliedManifestWork) -> Self {
        let stored = Some(applied.status.clone());
        Self { applied, stored }
    }

    /// Whether the cluster has it, as far as is known.
    pub(super) fn is_stored(&self) -> bool {
        self.stored.is_some()
    }

    /// The cluster has it no more, or is about to let it go: it is to be written anew.
    pub(super) fn lose(&mut self) {
        self.stored = None;
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

    /// Lists no longer what its work only reads.
    pub(super) fn release(&mut self, spec: &ManifestWorkSpec) {
        for thing in prune::only_read(self.resources(), spec) {
            self.forget(&thing);
        }
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
            Err(error) if is_missing(&error) => {
                self.make(kubernetes).await?;
                self.save_status(kubernetes).await
            }
            other => other,
        }
    }

    async fn make(&mut self, kubernetes: &Kubernetes) -> Result<(), WriteError> {
        // One of its name that is about to go, with its kind perhaps, waits for nobody else.
        self.free(kubernetes).await?;
        let mut new = self.applied.clone();
        new.metadata = crate::ocm::ObjectMeta {
            name: new.metadata.name.clone(),
            finalizers: Some(vec![FINALIZER.to_owned()]),
            ..Default::default()
        };
        new.status = AppliedManifestWorkStatus::default();
        let made = match self.write(kubernetes, "", &new).await {
            // Somebody deleted the kind.
            Err(error) if is_missing(&error) => {
                kubernetes.install(&crd::of_the_agent()).await?;
                self.write(kubernetes, "", &new).await
            }
            other => other,
        }?;
        self.applied.metadata = made.metadata;
        self.stored = Some(made.status);
        Ok(())
    }

    async fn write(
        &self,
        kubernetes: &Kubernetes,
        subresource: &str,
        new: &AppliedManifestWork,
    ) -> Result<AppliedManifestWork, WriteError> {
        let written = kubernetes
            .apply(&self.place(), manner(subresource), body(new)?)
            .await?;
        let unlike = |error| WriteError::Away(format!("an inventory cannot be read: {error}"));
        serde_json::from_slice(&written).map_err(unlike)
    }

    /// Lets the one go that is in the cluster.
    async fn free(&self, kubernetes: &Kubernetes) -> Result<(), WriteError> {
        let Some(uid) = &self.applied.metadata.uid else {
            return Ok(());
        };
        let freed = json!({"metadata": {"uid": uid, "finalizers": null}});
        let freed = freed.to_string().into_bytes();
        match kubernetes.merge(&self.place(), freed).await {
            Err(WriteError::Refused(refusal)) if matches!(refusal.code, 404 | 409) => Ok(()),
            other => other.map(drop),
        }
    }

    async fn save_status(&mut self, kubernetes: &Kubernetes) -> Result<(), WriteError> {
        let mut new = self.applied.clone();
        new.metadata = crate::ocm::ObjectMeta {
            name: new.metadata.name.clone(),
            ..Default::default()
        };
        self.write(kubernetes, "status", &new).await?;
        self.stored = Some(self.applied.status.clone());
        Ok(())
    }

    /// Takes it away: nothing is left that it would have to list.
    pub(super) async fn remove(&mut self, kubernetes: &Kubernetes) -> Result<(), WriteError> {
        let Some(uid) = self.applied.metadata.uid.clone() else {
            return Ok(());
        };
        self.free(kubernetes).await?;
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
            name: name(&self.applied).to_owned(),
            ..collection()
        }
    }
}

/// Where inventories are.
pub(super) fn collection() -> Place {
    Place {
        group: "work.open-cluster-management.io".to_owned(),
        version: "v1".to_owned(),
        plural: "appliedmanifestworks".to_owned(),
        namespace: String::new(),
        name: String::new(),
    }
}

fn is_missing(error: &WriteError) -> bool {
    matches!(error, WriteError::Refused(refusal) if refusal.code == 404)
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

/// As OCM names them, with a hash before the name of the work. One that would be too long is cut, one that could be no name
/// has dashes where it could not; both are told apart by a hash.
fn object_name(hash: &str, work: &str) -> String {
    let whole = format!("{hash}-{work}");
    if whole.len() <= LONGEST && is_name(&whole) {
        return whole;
    }
    let end = whole.floor_char_boundary(whole.len().min(LONGEST - 17));
    let told = format!("{}-{:016x}", &whole[..end], xxh3_64(work.as_bytes()));
    let dashed = |it: char| match it.is_ascii_alphanumeric() {
        true => it.to_ascii_lowercase(),
        false => '-',
    };
    match is_name(&told) {
        true => told,
        false => told.chars().map(dashed).collect(),
    }
}

/// Whether an object may have that name: a subdomain by RFC 1123.
fn is_name(text: &str) -> bool {
    let ends = |it: Option<char>| it.is_some_and(|it| it.is_ascii_alphanumeric());
    let is_label = |it: &str| ends(it.chars().next()) && ends(it.chars().next_back());
    let all = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || matches!(it, '-' | '.');
    text.chars().all(all) && text.split('.').all(is_label)
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
        let name = |text: &str| ClusterName::new(text).unwrap();
        let mut inventory = Inventory::new(&Whose::new(&name("h"), &name("c")), "w");
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

    #[test]
    fn names_are_what_they_may_be_and_no_two_are_the_same() {
        assert_eq!(object_name("h", "a.b-c"), "h-a.b-c");
        let role = object_name("h", "plain/role/system:foo-01234567");
        assert!(
            role.starts_with("h-plain-role-system-foo-01234567-"),
            "{role}"
        );
        let others = [
            "plain-role-system-foo-01234567",
            "plain/role/system-foo-01234567",
            "plain/role/System:foo-01234567",
            "plain/role/system:foo-01234567.",
            "plain/role/\u{e4}",
        ];
        let mut all: Vec<_> = others.map(|it| object_name("h", it)).into();
        // Cut behind a dot.
        all.push(object_name(
            "h",
            &format!("{}.{}", "a".repeat(233), "b".repeat(40)),
        ));
        all.push(role);
        for (at, one) in all.iter().enumerate() {
            assert!(is_name(one) && one.len() <= LONGEST, "{one}");
            assert!(!all[..at].contains(one), "{one}");
        }
    }
}
