//! What is removed when a work does not want it any more, and what is only let go.

use super::elsewhere::{Want, is_like};
use super::manifest::{Read, applied, config_of};
use super::{order, strategy};
use crate::ocm::AppliedResource;
use crate::ocm::work::{DeleteOption, ManifestWorkSpec, PropagationPolicy, ResourceIdentifier};

/// What becomes of a thing of the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Delete it, if its uid is still that one; forget it once it is gone.
    Delete(AppliedResource),
    /// Forget it: it stays.
    Release(AppliedResource),
    /// Nothing yet: nobody knows whether another work wants it.
    Wait(AppliedResource),
}

/// What is known of a work that is still wanted.
#[derive(Clone, Copy)]
pub struct Pruning<'a> {
    /// Whether the stream of works is whole.
    pub synced: bool,
    /// What was put there for it.
    pub inventory: &'a [AppliedResource],
    /// What it wants.
    pub manifests: &'a [Read],
    /// What happens to what it does not want.
    pub option: Option<&'a DeleteOption>,
    /// How much other works want a thing.
    pub wanted_elsewhere: &'a dyn Fn(&AppliedResource) -> Want,
}

/// What is to be removed of what the work put there; in the order of removal.
pub fn prune(what: &Pruning<'_>) -> Vec<Fate> {
    if !what.synced {
        return Vec::new();
    }
    let gone = what
        .inventory
        .iter()
        .filter(|it| !is_wanted(it, what.manifests));
    fates(gone, what.option, what.wanted_elsewhere)
}

/// What is to be removed when the work itself goes; the work is gone when the inventory is empty.
pub fn remove_all(
    inventory: &[AppliedResource],
    option: Option<&DeleteOption>,
    wanted_elsewhere: &dyn Fn(&AppliedResource) -> Want,
) -> Vec<Fate> {
    fates(inventory.iter(), option, wanted_elsewhere)
}

fn fates<'a>(
    gone: impl Iterator<Item = &'a AppliedResource>,
    option: Option<&DeleteOption>,
    wanted_elsewhere: &dyn Fn(&AppliedResource) -> Want,
) -> Vec<Fate> {
    let mut gone: Vec<_> = gone.cloned().collect();
    order::sort_for_removal(&mut gone, |it| (it.group.as_str(), it.resource.as_str()));
    let fate = |it: AppliedResource| {
        // What never got a uid was never there by our doing.
        if !is_owned(option, &it) || it.uid.is_none() {
            return Fate::Release(it);
        }
        match wanted_elsewhere(&it) {
            Want::Yes => Fate::Release(it),
            Want::Maybe => Fate::Wait(it),
            Want::No => Fate::Delete(it),
        }
    };
    gone.into_iter().map(fate).collect()
}

/// What the work put there, and says now that it is only read: it is let go, since what is only read is never removed.
pub fn only_read(inventory: &[AppliedResource], spec: &ManifestWorkSpec) -> Vec<AppliedResource> {
    let is_read = |it: &&AppliedResource| {
        let key = ResourceIdentifier {
            group: it.group.clone(),
            resource: it.resource.clone(),
            name: it.name.clone(),
            namespace: it.namespace.clone(),
        };
        strategy::is_only_read(config_of(spec, &key))
    };
    inventory.iter().filter(is_read).cloned().collect()
}

/// Whether the work wants it, or may: a manifest whose kind is not served just now could be anything of that name.
fn is_wanted(thing: &AppliedResource, manifests: &[Read]) -> bool {
    manifests.iter().any(|it| match it {
        Ok(manifest) => applied(&manifest.meta, None).is(thing),
        Err(unreadable) => is_like(unreadable, thing),
    })
}

/// Whether a thing goes with its work: OCM's delete options.
pub fn is_owned(option: Option<&DeleteOption>, thing: &AppliedResource) -> bool {
    let Some(option) = option else { return true };
    match option.propagation_policy {
        PropagationPolicy::Foreground => true,
        PropagationPolicy::Orphan => false,
        PropagationPolicy::SelectivelyOrphan => {
            let rules = option
                .selectively_orphans
                .iter()
                .flat_map(|it| &it.orphaning_rules);
            let key = (&thing.group, &thing.resource, &thing.namespace, &thing.name);
            !rules
                .into_iter()
                .any(|it| (&it.group, &it.resource, &it.namespace, &it.name) == key)
        }
        // Of a word that we do not know, the meaning that loses nothing.
        PropagationPolicy::Unknown(_) => false,
    }
}
