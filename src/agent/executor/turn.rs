//! One work's turn: reads, writes and removes, with what was known when it began.

use super::inventory::Inventory;
use super::objects::{There, identifier};
use super::write::{place, with_uid};
use crate::agent::plan::manifest::{Manifest, Read};
use crate::agent::plan::prune::{self, Fate, Pruning};
use crate::agent::plan::report::{Applied, Seen};
use crate::agent::plan::{order, strategy};
use crate::kubernetes::{Kubernetes, WriteError};
use crate::ocm::work::{DeleteOption, ResourceIdentifier};
use crate::ocm::{AppliedResource, ManifestWork};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a turn is for.
#[derive(Clone, Debug)]
pub(super) enum Goal {
    /// The work is wanted: these are its manifests.
    Apply(Box<ManifestWork>, Vec<Read>),
    /// It is not: all that was put there for it goes, but for what the option says.
    Remove(Option<DeleteOption>),
    /// Only the inventory has to be written.
    Note,
}

/// A turn, and in the end what came of it.
pub(super) struct Turn {
    /// As whom objects are written.
    pub(super) kubernetes: Kubernetes,
    /// As whom all else is done.
    pub(super) own: Kubernetes,
    pub(super) name: String,
    pub(super) goal: Goal,
    pub(super) inventory: Inventory,
    /// What is known of objects.
    pub(super) there: BTreeMap<ResourceIdentifier, There>,
    /// What this turn saw, for those who come after.
    pub(super) news: Vec<(AppliedResource, There)>,
    /// What was applied last.
    pub(super) applied: BTreeMap<ResourceIdentifier, u64>,
    /// Objects that belong to other works.
    pub(super) others: BTreeMap<ResourceIdentifier, String>,
    /// Objects that other works want.
    pub(super) wanted_elsewhere: BTreeSet<ResourceIdentifier>,
    /// By manifest.
    pub(super) outcomes: Vec<(Applied, Seen)>,
    /// Why another try may help.
    pub(super) trouble: Option<String>,
    /// Somebody had changed what was applied.
    pub(super) repaired: bool,
    /// Something is being removed, which takes its time.
    pub(super) waits: bool,
    /// Nothing is left of it, not even the inventory.
    pub(super) gone: bool,
}

impl Turn {
    /// Does it.
    pub(super) async fn run(mut self) -> Self {
        let done = match self.goal.clone() {
            Goal::Apply(work, reads) => self.apply(&work, &reads).await,
            Goal::Remove(option) => self.remove(option.as_ref()).await,
            Goal::Note => self.save().await,
        };
        if let Err(error) = done {
            self.trouble(&error);
        }
        self
    }

    async fn apply(&mut self, work: &ManifestWork, reads: &[Read]) -> Result<(), WriteError> {
        // Before anything is written, it is written down.
        self.save().await?;
        self.outcomes = reads
            .iter()
            .map(|_| (Applied::NotYet, Seen::Missing))
            .collect();
        let mut sorted: Vec<_> = reads.iter().flatten().cloned().collect();
        order::sort(&mut sorted);
        for manifest in &sorted {
            let outcome = self.write(work, manifest).await;
            let at = reads.iter().position(|it| is_it(it, manifest));
            if let Some(slot) = at.and_then(|at| self.outcomes.get_mut(at)) {
                *slot = outcome;
            }
        }
        let inventory = self.inventory.resources().to_vec();
        let elsewhere = |it: &AppliedResource| self.wanted_elsewhere.contains(&identifier(it));
        let fates = prune::prune(&Pruning {
            // Turns begin when the stream was whole.
            synced: true,
            inventory: &inventory,
            manifests: reads,
            option: work.spec.delete_option.as_ref(),
            wanted_elsewhere: &elsewhere,
        });
        self.meet(fates).await?;
        self.save().await
    }

    async fn remove(&mut self, option: Option<&DeleteOption>) -> Result<(), WriteError> {
        self.adopt().await?;
        let inventory = self.inventory.resources().to_vec();
        let elsewhere = |it: &AppliedResource| self.wanted_elsewhere.contains(&identifier(it));
        let fates = prune::remove_all(&inventory, option, &elsewhere);
        self.meet(fates).await?;
        if self.inventory.resources().is_empty() {
            self.inventory.remove(&self.own).await?;
            self.gone = true;
            return Ok(());
        }
        self.save().await
    }

    async fn save(&mut self) -> Result<(), WriteError> {
        self.inventory.save(&self.own).await
    }

    /// What was written down, and perhaps written, before an agent ended: the object says who applied it.
    async fn adopt(&mut self) -> Result<(), WriteError> {
        for thing in self.inventory.resources().to_vec() {
            if thing.uid.is_some() {
                continue;
            }
            let object = match self.own.object(&place(&thing)).await {
                Ok(object) => serde_json::from_slice(&object).unwrap_or(Value::Null),
                Err(WriteError::Refused(refusal)) if refusal.code == 404 => continue,
                Err(error) => return Err(error),
            };
            let managers = object["metadata"]["managedFields"].as_array();
            let ours = |it: &Value| {
                let who = it["manager"].as_str().unwrap_or_default();
                who.starts_with(strategy::FIELD_MANAGER) && it["operation"] == "Apply"
            };
            if managers.into_iter().flatten().any(ours) {
                self.inventory.put(with_uid(&thing, &object));
            }
        }
        Ok(())
    }

    async fn meet(&mut self, fates: Vec<Fate>) -> Result<(), WriteError> {
        for fate in fates {
            let thing = match fate {
                Fate::Release(thing) => {
                    self.inventory.forget(&thing);
                    continue;
                }
                Fate::Delete(thing) => thing,
            };
            match self.delete(&thing).await {
                Ok(true) => {
                    self.applied.remove(&identifier(&thing));
                    self.inventory.forget(&thing);
                }
                Ok(false) => self.waits = true,
                // The others go all the same.
                Err(error) => self.trouble(&error),
            }
        }
        Ok(())
    }

    /// Deletes a thing; whether it is gone. Another one of its name is not it.
    async fn delete(&mut self, thing: &AppliedResource) -> Result<bool, WriteError> {
        let There::Yes(object) = self.look(thing).await? else {
            return Ok(true);
        };
        if object["metadata"]["uid"].as_str() != thing.uid.as_deref() {
            return Ok(true);
        }
        if object["metadata"]["deletionTimestamp"].is_string() {
            return Ok(false);
        }
        let uid = thing.uid.as_deref().unwrap_or_default();
        match self.kubernetes.delete(&place(thing), uid).await {
            Err(WriteError::Refused(refusal)) if refusal.code == 409 => return Ok(true),
            other => other?,
        }
        self.there.remove(&identifier(thing));
        match self.look(thing).await? {
            There::No => Ok(true),
            There::Yes(now) => Ok(now["metadata"]["uid"].as_str() != Some(uid)),
        }
    }

    pub(super) fn saw(&mut self, thing: &AppliedResource, there: There) {
        self.there.insert(identifier(thing), there.clone());
        self.news.push((thing.clone(), there));
    }

    pub(super) fn trouble(&mut self, error: &WriteError) {
        self.trouble.get_or_insert_with(|| error.to_string());
    }
}

fn is_it(read: &Read, manifest: &Manifest) -> bool {
    matches!(read, Ok(it) if it.meta == manifest.meta)
}
