//! Writes one object of a work, as [`crate::agent::plan::strategy`] decides.

use super::objects::identifier;
use super::sight::There;
use super::turn::Turn;
use crate::agent::plan::manifest::{self, Manifest};
use crate::agent::plan::report::{self, Applied, Seen};
use crate::agent::plan::strategy::{self, Action, Known};
use crate::kubernetes::{Manner, Place, WriteError};
use crate::ocm::plain::PLAIN_LABEL;
use crate::ocm::work::ManifestConfig;
use crate::ocm::{AppliedResource, ManifestWork, label};
use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;

/// Where a thing is.
pub(super) fn place(thing: &AppliedResource) -> Place {
    Place {
        name: thing.name.clone(),
        ..super::objects::collection(thing)
    }
}

impl Turn {
    /// What is there in a thing's place; asked for, if no watch has shown it.
    pub(super) async fn look(&mut self, thing: &AppliedResource) -> Result<There, WriteError> {
        let id = identifier(thing);
        if let Some(known) = self.there.get(&id) {
            return Ok(known.clone());
        }
        let there = match self.find(thing).await? {
            Some(object) => There::Yes(Arc::new(parsed(&object)?)),
            None => There::No,
        };
        self.saw(thing, there.clone());
        Ok(there)
    }

    /// Makes an object what its work wants; what came of it, and what is there then.
    pub(super) async fn write(
        &mut self,
        work: &ManifestWork,
        manifest: &Manifest,
    ) -> (Applied, Seen) {
        let thing = manifest::applied(&manifest.meta, None);
        let there = match self.look(&thing).await {
            Ok(there) => there,
            Err(error) => {
                self.trouble(&error);
                let seen = Seen::Unknown(error.to_string());
                return (came_of(&error), seen);
            }
        };
        let config = manifest::config(&work.spec, &manifest.meta);
        let other_work = self.others.get(&identifier(&thing)).cloned();
        let known = Known {
            there: match &there {
                There::Yes(object) => Some(object),
                There::No => None,
            },
            completed: report::is_completed(work, &manifest.meta),
            other_work: other_work.as_deref(),
        };
        let action = strategy::action(manifest, config, known);
        let applied = self.carry_out_one(&thing, action, &there).await;
        let seen = match self.there.get(&identifier(&thing)).cloned() {
            Some(There::Yes(object)) if self.may_tell(work, config, &thing).await => {
                Seen::There(Box::new(Value::clone(&object)))
            }
            Some(There::Yes(_)) => Seen::Closed,
            _ => Seen::Missing,
        };
        (applied, seen)
    }

    /// Whether the hub may be told what is in an object: not of one that the account which writes it may not read.
    async fn may_tell(
        &mut self,
        work: &ManifestWork,
        config: Option<&ManifestConfig>,
        thing: &AppliedResource,
    ) -> bool {
        let asks = config
            .is_some_and(|it| !it.feedback_rules.is_empty() || !it.condition_rules.is_empty());
        if !self.as_other || !(asks || label(&work.metadata, PLAIN_LABEL).is_some()) {
            return true;
        }
        let review = Place {
            group: "authorization.k8s.io".to_owned(),
            version: "v1".to_owned(),
            plural: "selfsubjectaccessreviews".to_owned(),
            namespace: String::new(),
            name: String::new(),
        };
        let question = report::may_read(thing);
        let answer = self.kubernetes.create(&review, text(&question)).await;
        match answer.and_then(|it| parsed(&it)) {
            Ok(answer) => answer["status"]["allowed"] == true,
            Err(error) => {
                self.trouble(&error);
                false
            }
        }
    }

    async fn carry_out_one(
        &mut self,
        thing: &AppliedResource,
        action: Action,
        there: &There,
    ) -> Applied {
        match action {
            Action::Look | Action::Completed => Applied::Complete,
            Action::Refuse { reason, message } => match reason {
                "ApplyConflict" => Applied::Conflict(message),
                _ => Applied::Failed(message),
            },
            Action::Create(object) => {
                let collection = super::objects::collection(thing);
                let made = self
                    .kubernetes
                    .create_as(&collection, strategy::FIELD_MANAGER, text(&object))
                    .await;
                self.outcome(thing, made)
            }
            Action::Apply {
                object,
                manager,
                force,
            } => {
                let before = self.applied.get(&identifier(thing)).copied();
                if let There::Yes(there) = there
                    && strategy::is_as_wanted(&object, there, before)
                {
                    self.inventory.put(with_uid(thing, there));
                    return Applied::Complete;
                }
                let manner = Manner {
                    manager: &manager,
                    subresource: "",
                    force,
                };
                let written = self
                    .kubernetes
                    .apply(&place(thing), manner, text(&object))
                    .await;
                if before == Some(strategy::digest(&object)) {
                    self.repaired |= is_repair(there, &written);
                }
                let applied = self.outcome(thing, written);
                if applied == Applied::Complete {
                    self.applied
                        .insert(identifier(thing), strategy::digest(&object));
                }
                applied
            }
        }
    }

    fn outcome(&mut self, thing: &AppliedResource, written: Result<Bytes, WriteError>) -> Applied {
        let object = match written.and_then(|object| parsed(&object)) {
            Ok(object) => object,
            Err(error) => {
                self.trouble(&error);
                return match came_of(&error) {
                    Applied::NotYet => Applied::Failed(error.to_string()),
                    said => said,
                };
            }
        };
        self.inventory.put(with_uid(thing, &object));
        self.saw(thing, There::Yes(Arc::new(object)));
        Applied::Complete
    }
}

/// What an error of the API server means for an object; one that did not answer has not refused.
pub(super) fn came_of(error: &WriteError) -> Applied {
    match error {
        WriteError::Refused(refusal) if refusal.code == 409 => {
            Applied::Conflict(refusal.message.clone())
        }
        WriteError::Refused(refusal) => Applied::Failed(refusal.to_string()),
        WriteError::NotNow { .. } | WriteError::Away(_) => Applied::NotYet,
    }
}

/// Whether writing the same again has changed something: an API server that writes a value in its own way does not.
fn is_repair(there: &There, written: &Result<Bytes, WriteError>) -> bool {
    let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
    let now = written.as_ref().ok().and_then(|it| parsed(it).ok());
    match (there, now) {
        (There::Yes(before), Some(now)) => version(before) != version(&now),
        (There::No, Some(_)) => true,
        (_, None) => false,
    }
}

pub(super) fn with_uid(thing: &AppliedResource, object: &Value) -> AppliedResource {
    AppliedResource {
        uid: object["metadata"]["uid"].as_str().map(str::to_owned),
        ..thing.clone()
    }
}

fn text(object: &Value) -> Vec<u8> {
    object.to_string().into_bytes()
}

fn parsed(object: &Bytes) -> Result<Value, WriteError> {
    let mut object: Value = serde_json::from_slice(object).map_err(|error| {
        WriteError::Away(format!("the API server's answer is no object: {error}"))
    })?;
    // As watches show it.
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Refusal;

    #[test]
    fn what_was_refused_has_failed_and_silence_has_not() {
        let refused = |code| {
            WriteError::Refused(Refusal {
                code,
                reason: "Forbidden".into(),
                message: "configmaps \"a\" is forbidden".to_owned(),
            })
        };
        let words = |applied| match applied {
            Applied::Failed(why) => why,
            other => panic!("{other:?}"),
        };
        assert!(words(came_of(&refused(403))).contains("configmaps \"a\" is forbidden"));
        assert!(matches!(came_of(&refused(409)), Applied::Conflict(_)));
        let away = WriteError::Away("no answer".to_owned());
        assert_eq!(came_of(&away), Applied::NotYet);
    }
}
