//! Whether another work wants what this one lets go.

use super::manifest::{Kinds, Unreadable, applied, config, meta_of, read};
use super::strategy;
use crate::ocm::AppliedResource;
use crate::ocm::work::ManifestWorkSpec;

/// How much a work wants a thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Want {
    /// It does not.
    #[default]
    No,
    /// It may: what it wants of that name cannot be read just now.
    Maybe,
    /// It does.
    Yes,
}

/// The name that a manifest gives its object, whatever is served: the group, the name and the namespace.
pub type Named = (String, String, String);

/// The names that the manifests of a work give their objects; one without a name is none.
pub fn names(spec: &ManifestWorkSpec) -> impl Iterator<Item = Named> + '_ {
    let metas = spec.workload.manifests.iter().map(|it| meta_of(0, it));
    metas
        .filter(|it| !it.name.is_empty())
        .map(|it| (it.group, it.name, it.namespace))
}

/// How much a work that is not being deleted wants a thing. Who only reads it does not keep it.
pub fn want(spec: &ManifestWorkSpec, thing: &AppliedResource, kinds: Kinds<'_>) -> Want {
    let raw = spec.workload.manifests.iter().enumerate();
    let may_be = raw.filter(|(_, raw)| {
        let meta = meta_of(0, raw);
        meta.group == thing.group && meta.name == thing.name
    });
    let each = may_be.map(|(ordinal, raw)| match read(ordinal, raw, kinds) {
        Ok(manifest) if strategy::is_only_read(config(spec, &manifest.meta)) => Want::No,
        Ok(manifest) if applied(&manifest.meta, None).is(thing) => Want::Yes,
        Err(unreadable) if unreadable.passing && is_like(&unreadable, thing) => Want::Maybe,
        Ok(_) | Err(_) => Want::No,
    });
    each.max().unwrap_or_default()
}

/// Whether what cannot be read may be that thing: of a kind that is not served just now only names are known.
pub fn is_like(unreadable: &Unreadable, thing: &AppliedResource) -> bool {
    let meta = &unreadable.meta;
    let same = |said: &str, is: &str| said.is_empty() || is.is_empty() || said == is;
    same(&meta.group, &thing.group)
        && same(&meta.name, &thing.name)
        && same(&meta.namespace, &thing.namespace)
}
