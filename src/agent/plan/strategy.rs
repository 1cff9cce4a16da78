//! How one object is written, if at all.

use super::ignore;
use super::manifest::Manifest;
use crate::ocm::work::{ManifestConfig, ServerSideApply, UpdateStrategyType};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

/// As whom we write, if the work does not say: OCM's agent, so that either can follow the other.
pub const FIELD_MANAGER: &str = "work-agent";

/// What is done with one object.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Server-side apply.
    Apply {
        /// What.
        object: Value,
        /// As whom.
        manager: String,
        /// Whether we win over other managers.
        force: bool,
    },
    /// It is made, since it is not there.
    Create(Value),
    /// Nothing; it only has to be there.
    Look,
    /// Nothing: it has done what it was for.
    Completed,
    /// Nothing: it cannot be.
    Refuse {
        /// The reason of the condition.
        reason: &'static str,
        /// Why.
        message: String,
    },
}

/// What is known of an object when it is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// As it is in the cluster; none: it is not.
    pub there: Option<&'a Value>,
    /// It has the condition `Complete`.
    pub completed: bool,
    /// The other work that it belongs to.
    pub other_work: Option<&'a str>,
}

/// What is done with an object.
pub fn action(manifest: &Manifest, config: Option<&ManifestConfig>, known: Known<'_>) -> Action {
    let strategy = config
        .and_then(|it| it.update_strategy.clone())
        .unwrap_or_default();
    if strategy.kind == UpdateStrategyType::ReadOnly {
        return Action::Look;
    }
    if known.completed {
        return Action::Completed;
    }
    if let Some(other) = known.other_work {
        let message = format!("it belongs to the work {other:?}");
        let reason = "ApplyConflict";
        return Action::Refuse { reason, message };
    }
    let said = strategy.server_side_apply.unwrap_or_default();
    match strategy.kind {
        UpdateStrategyType::ReadOnly => Action::Look,
        UpdateStrategyType::CreateOnly => match known.there {
            Some(_) => Action::Look,
            None => Action::Create(manifest.object.clone()),
        },
        UpdateStrategyType::Update => apply(manifest, ServerSideApply::default(), true, known),
        UpdateStrategyType::ServerSideApply => {
            let force = said.force.unwrap_or(false);
            apply(manifest, said, force, known)
        }
        UpdateStrategyType::Unknown(word) => Action::Refuse {
            reason: "AppliedManifestFailed",
            message: format!("updateStrategy.type {word:?} is none that this agent knows"),
        },
    }
}

fn apply(manifest: &Manifest, said: ServerSideApply, force: bool, known: Known<'_>) -> Action {
    let mut object = manifest.object.clone();
    if known.there.is_some() {
        ignore::remove(&mut object, &said.ignore_fields);
    }
    let manager = said.field_manager.filter(|it| !it.is_empty());
    let manager = manager.unwrap_or_else(|| FIELD_MANAGER.to_owned());
    // By its manager an object is known again after a crash; OCM's definition lets no other one pass.
    if !is_agents(&manager) {
        return Action::Refuse {
            reason: "AppliedManifestFailed",
            message: format!(
                "updateStrategy.serverSideApply.fieldManager {manager:?} does not begin with {FIELD_MANAGER:?}"
            ),
        };
    }
    Action::Apply {
        object,
        manager,
        force,
    }
}

fn is_agents(manager: &str) -> bool {
    manager.starts_with(FIELD_MANAGER)
}

/// Whether an object is only made where it is missing, and left alone from then on.
pub fn is_only_created(config: Option<&ManifestConfig>) -> bool {
    let strategy = config.and_then(|it| it.update_strategy.as_ref());
    strategy.is_some_and(|it| it.kind == UpdateStrategyType::CreateOnly)
}

/// Whether an object is only looked at.
pub fn is_only_read(config: Option<&ManifestConfig>) -> bool {
    let strategy = config.and_then(|it| it.update_strategy.as_ref());
    strategy.is_some_and(|it| it.kind == UpdateStrategyType::ReadOnly)
}

/// Whether an object says that an agent wrote it: fields of it are a field manager's of agents. Which agent, it does not
/// say: that is for inventories to tell.
pub fn is_by_agent(object: &Value) -> bool {
    let managers = object["metadata"]["managedFields"].as_array();
    let ours = |it: &Value| it["manager"].as_str().is_some_and(is_agents);
    managers.into_iter().flatten().any(ours)
}

/// The digest of what was applied: another one has to be applied again, for a field that it has no more is still there.
pub fn digest(object: &Value) -> u64 {
    xxh3_64(object.to_string().as_bytes())
}

/// Whether an object is as it shall be: what was applied last is what is wanted now, and nobody has changed it.
///
/// What an API server adds counts for nothing. Where it writes a value in another way (`1000m` for `1`), this says "no";
/// an apply that changes nothing costs nothing but itself.
pub fn is_as_wanted(wanted: &Value, there: &Value, applied: Option<u64>) -> bool {
    applied == Some(digest(wanted)) && covers(there, wanted)
}

fn covers(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => {
            wanted.iter().all(|(key, wanted)| match there.get(key) {
                Some(there) => covers(there, wanted),
                None => wanted.is_null(),
            })
        }
        (Value::Array(there), Value::Array(wanted)) => {
            there.len() >= wanted.len() && there.iter().zip(wanted).all(|(t, w)| covers(t, w))
        }
        _ => there == wanted,
    }
}
