//! One work's turn: reads, writes and removes, with what was known when it began.

use super::inventory::Inventory;
use super::objects::identifier;
use super::sight::There;
use super::write::{came_of, with_uid};
use crate::agent::plan::elsewhere::Want;
use crate::agent::plan::manifest::{self, Manifest, Read};
use crate::agent::plan::prune::{self, Pruning};
use crate::agent::plan::report::{Applied, Seen};
use crate::agent::plan::{order, strategy};
use crate::kubernetes::{Kubernetes, WriteError};
use crate::ocm::work::{DeleteOption, ResourceIdentifier};
use crate::ocm::{AppliedResource, ManifestWork};
use std::collections::BTreeMap;

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
    /// Whether objects are written as somebody else, who may not see all that we may.
    pub(super) as_other: bool,
    /// Whether what the hub wants is known to be what it wants now: else nothing is pruned.
    pub(super) current: bool,
    pub(super) name: String,
    pub(super) goal: Goal,
    pub(super) inventory: Inventory,
    /// What is known of objects.
    pub(super) there: BTreeMap<ResourceIdentifier, There>,
    /// How often watches had spoken of objects when this turn began.
    pub(super) words: BTreeMap<ResourceIdentifier, u64>,
    /// What this turn saw, for those who come after.
    pub(super) news: Vec<(AppliedResource, There)>,
    /// What was applied last.
    pub(super) applied: BTreeMap<ResourceIdentifier, u64>,
    /// Objects that belong to other works.
    pub(super) others: BTreeMap<ResourceIdentifier, String>,
    /// Objects that other works want, or may.
    pub(super) wanted_elsewhere: BTreeMap<ResourceIdentifier, Want>,
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
        self.claim(work, reads).await;
        if let Err(error) = self.save().await {
            self.outcomes = not_written(reads, &error);
            return Err(error);
        }
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
        let pruned = match self.current {
            true => self.prune(work, reads).await,
            false => Ok(()),
        };
        // What was written has its uid by now.
        self.save().await?;
        pruned
    }

    async fn prune(&mut self, work: &ManifestWork, reads: &[Read]) -> Result<(), WriteError> {
        let manifests = reads.iter().flatten();
        self.adopt(|it| {
            manifests
                .clone()
                .any(|read| manifest::applied(&read.meta, None).is(it))
        })
        .await?;
        let inventory = self.inventory.resources().to_vec();
        let elsewhere = |it: &AppliedResource| self.elsewhere(it);
        let fates = prune::prune(&Pruning {
            synced: self.current,
            inventory: &inventory,
            manifests: reads,
            option: work.spec.delete_option.as_ref(),
            wanted_elsewhere: &elsewhere,
        });
        self.meet(fates).await;
        Ok(())
    }

    async fn remove(&mut self, option: Option<&DeleteOption>) -> Result<(), WriteError> {
        self.adopt(|_| false).await?;
        let inventory = self.inventory.resources().to_vec();
        let elsewhere = |it: &AppliedResource| self.elsewhere(it);
        let fates = prune::remove_all(&inventory, option, &elsewhere);
        self.meet(fates).await;
        if self.inventory.resources().is_empty() {
            self.inventory.remove(&self.own).await?;
            self.gone = true;
            return Ok(());
        }
        self.save().await
    }

    fn elsewhere(&self, thing: &AppliedResource) -> Want {
        let want = self.wanted_elsewhere.get(&identifier(thing)).copied();
        want.unwrap_or_default()
    }

    /// Lists what is only made where it is missing, if it is; and of what a turn before listed, and perhaps made, what it
    /// made. Should the cluster not say, the object is not made either.
    async fn claim(&mut self, work: &ManifestWork, reads: &[Read]) {
        for manifest in reads.iter().flatten() {
            let config = manifest::config(&work.spec, &manifest.meta);
            let thing = manifest::applied(&manifest.meta, None);
            if !strategy::is_only_created(config) || self.others.contains_key(&identifier(&thing)) {
                continue;
            }
            let mut listed = self.inventory.resources().iter().filter(|it| it.is(&thing));
            let open = listed.next().is_some_and(|it| it.uid.is_none());
            match self.look(&thing).await {
                Ok(There::No) => self.inventory.put(thing),
                Ok(There::Yes(_)) if open => match self.ours(&thing).await {
                    Ok(Some(object)) => self.inventory.put(with_uid(&thing, &object)),
                    Ok(None) => self.inventory.forget(&thing),
                    Err(error) => self.trouble(&error),
                },
                Ok(There::Yes(_)) | Err(_) => {}
            }
        }
    }

    async fn save(&mut self) -> Result<(), WriteError> {
        self.inventory.save(&self.own).await
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

/// What came of manifests none of which could be begun with.
fn not_written(reads: &[Read], error: &WriteError) -> Vec<(Applied, Seen)> {
    let why = error.to_string();
    let each = |_: &Read| (came_of(error), Seen::Unknown(why.clone()));
    reads.iter().map(each).collect()
}
