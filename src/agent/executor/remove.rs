//! Removes objects of a work: only those that the inventory lists, by their uids, and only what a fresh answer of the API
//! server says to be gone is gone.

use super::find::as_shown;
use super::inventories::listed_but;
use super::objects::identifier;
use super::sight::There;
use super::turn::Turn;
use super::write::{place, with_uid};
use crate::agent::plan::prune::Fate;
use crate::agent::plan::strategy;
use crate::kubernetes::WriteError;
use crate::ocm::{AppliedResource, name};
use serde_json::Value;
use std::sync::Arc;

impl Turn {
    /// Takes over what was written down, and perhaps written, before an agent ended, but for what is `wanted`: the object
    /// says who wrote it.
    pub(super) async fn adopt(
        &mut self,
        wanted: impl Fn(&AppliedResource) -> bool,
    ) -> Result<(), WriteError> {
        for thing in self.inventory.resources().to_vec() {
            if thing.uid.is_none()
                && !wanted(&thing)
                && let Some(object) = self.ours(&thing).await?
            {
                self.inventory.put(with_uid(&thing, &object));
            }
        }
        Ok(())
    }

    /// The object of a thing that was written down without a uid, if it is there by this agent's doing: an agent wrote it,
    /// and no other inventory lists it. Whoever else wrote it, had it written down before.
    pub(super) async fn ours(
        &mut self,
        thing: &AppliedResource,
    ) -> Result<Option<Value>, WriteError> {
        // Not what watches show: these leave out who wrote it.
        let Some(object) = self.find(thing).await? else {
            return Ok(None);
        };
        let object = serde_json::from_slice(&object).unwrap_or(Value::Null);
        if !strategy::is_by_agent(&object) {
            return Ok(None);
        }
        let others = listed_but(&self.own, name(&self.inventory.applied)).await?;
        let theirs = others.iter().any(|it| it.is(thing));
        Ok((!theirs).then_some(object))
    }

    pub(super) async fn meet(&mut self, fates: Vec<Fate>) {
        for fate in fates {
            let thing = match fate {
                Fate::Release(thing) => {
                    self.inventory.forget(&thing);
                    continue;
                }
                Fate::Wait(thing) => {
                    self.doubt(&thing);
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
    }

    /// It is tried again, and told why once.
    fn doubt(&mut self, thing: &AppliedResource) {
        self.trouble.get_or_insert_with(|| {
            let (resource, name) = (&thing.resource, &thing.name);
            format!("{resource} {name:?} is not removed while a work cannot be read that may want it: mend or delete that work, or serve its kinds")
        });
    }

    /// Deletes a thing; whether it is gone. Another one of its name is not it.
    async fn delete(&mut self, thing: &AppliedResource) -> Result<bool, WriteError> {
        let shown = match self.there.get(&identifier(thing)) {
            Some(There::Yes(it)) if is(it, thing) && !is_going(it) => Some(Arc::clone(it)),
            _ => None,
        };
        let object = match shown {
            Some(object) => object,
            None => match self.left(thing).await? {
                There::No => return Ok(true),
                There::Yes(object) if is_going(&object) => return Ok(false),
                There::Yes(object) => object,
            },
        };
        let at = place(&as_shown(thing, &object));
        let uid = thing.uid.as_deref().unwrap_or_default();
        match self.kubernetes.delete(&at, uid).await {
            // Another one of that name, or somebody else is changing it: what is there now says which.
            Err(WriteError::Refused(refusal)) if refusal.code == 409 => {}
            other => other?,
        }
        Ok(self.left(thing).await? == There::No)
    }

    /// What there is of a thing, by a fresh answer.
    async fn left(&mut self, thing: &AppliedResource) -> Result<There, WriteError> {
        self.there.remove(&identifier(thing));
        Ok(match self.look(thing).await? {
            There::Yes(object) if is(&object, thing) => There::Yes(object),
            _ => There::No,
        })
    }
}

fn is(object: &Value, thing: &AppliedResource) -> bool {
    object["metadata"]["uid"].as_str() == thing.uid.as_deref()
}

fn is_going(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}
