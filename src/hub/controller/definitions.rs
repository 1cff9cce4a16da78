//! What becomes of the hub's own kinds when their definitions (CRDs) are deleted under it.
//!
//! With a definition go all its objects, as if somebody had deleted each of them. Nobody has; and were it taken for that,
//! their work would go from all clusters. So whatever takes an object away counts only when its definition was seen to
//! stand after that (`gate`). If it goes too, or is gone, the hub decides nothing more: it lets the definition go, makes
//! it anew, and writes again what there was ([`bring_back`]). What somebody had deleted before, and was still held, is
//! deleted again: so whoever has something of it is told so. What a hub has not written again when it ends is lost on
//! the hub; in the clusters it stays as what is missing without having been deleted.

use super::deeds::{self, Act, Deed};
use super::world::{DEFINED, Kind, World};
use crate::hub::lifecycle;
use crate::kubernetes::{Kubernetes, Place, WriteError};
use crate::ocm::{crd, replicaset, work};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long to wait before a definition is looked at again.
pub(super) const AGAIN: Duration = Duration::from_millis(500);
/// The finalizers that a hub puts on its own kinds.
const OURS: [&str; 3] = [lifecycle::FINALIZER, work::FINALIZER, replicaset::FINALIZER];

/// How a definition is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Definition {
    Stands,
    /// It is being deleted.
    Going,
    Missing,
    /// The API server does not say.
    Unknown(String),
}

/// How a kind's definition is.
pub(super) async fn look(kubernetes: &Kubernetes, kind: Kind) -> Definition {
    let place = Place {
        group: "apiextensions.k8s.io".to_owned(),
        version: "v1".to_owned(),
        plural: "customresourcedefinitions".to_owned(),
        namespace: String::new(),
        name: kind.definition(),
    };
    match kubernetes.object(&place).await {
        Ok(found) => {
            let read = serde_json::from_slice::<Value>(&found).unwrap_or_default();
            match read["metadata"]["deletionTimestamp"].is_string() {
                true => Definition::Going,
                false => Definition::Stands,
            }
        }
        Err(WriteError::Refused(refusal)) if refusal.code == 404 => Definition::Missing,
        Err(error) => Definition::Unknown(error.to_string()),
    }
}

/// What there was, to be written again where its definition is made anew.
#[derive(Debug, Default)]
pub(super) struct Saved {
    objects: BTreeMap<Kind, Vec<Value>>,
    /// It is all that there was: what else is listed was on its way out before.
    complete: bool,
    /// Whose definitions went.
    undefined: BTreeSet<Kind>,
    /// What was made anew only to be deleted again.
    going: Vec<Deed>,
}

impl Saved {
    pub(super) fn of(world: &World) -> Self {
        // Of what goes, only what is held matters to anybody.
        let matters = |it: &Value| !is_going(it) || finalizers(it).any(is_ours);
        let objects = DEFINED.map(|kind| {
            let all = world.documents(kind).into_iter();
            (kind, all.filter(matters).collect())
        });
        Self {
            objects: objects.into_iter().collect(),
            complete: true,
            ..Self::default()
        }
    }

    fn keep(&mut self, kind: Kind, listed: &[Value]) {
        let known = self.objects.entry(kind).or_default();
        for object in listed.iter().filter(|_| !self.complete) {
            let id = |it: &Value| {
                (
                    it["metadata"]["namespace"].clone(),
                    it["metadata"]["name"].clone(),
                )
            };
            if !known.iter().any(|it| id(it) == id(object)) {
                // It goes with its definition, as far as anybody knows.
                let mut object = object.clone();
                if let Some(metadata) = object["metadata"].as_object_mut() {
                    metadata.remove("deletionTimestamp");
                }
                known.push(object);
            }
        }
    }
}

/// Makes sure that all kinds are defined, and that what there was is there. What is done when it fails stays done.
pub(super) async fn bring_back(
    kubernetes: &Kubernetes,
    saved: &mut Saved,
) -> Result<(), WriteError> {
    while let_go(kubernetes, saved).await? {
        tokio::time::sleep(AGAIN).await;
    }
    kubernetes.install(&crd::of_the_hub()).await?;
    for kind in DEFINED {
        let objects = saved.objects.get_mut(&kind).map(std::mem::take);
        let Some(mut left) = objects.filter(|it| saved.undefined.contains(&kind) && !it.is_empty())
        else {
            continue;
        };
        let done = write_again(kubernetes, kind, &mut left, &mut saved.going).await;
        saved.objects.insert(kind, left);
        done?;
    }
    while let Some(deed) = saved.going.last() {
        match deed.run(kubernetes).await {
            Err(WriteError::Refused(refusal)) => {
                let name = &deed.place.name;
                tracing::warn!(name, %refusal, "what was deleted before its definition was cannot be deleted again: delete it");
            }
            done => _ = done?,
        }
        saved.going.pop();
    }
    *saved = Saved::default();
    Ok(())
}

/// Lets the definitions go that are going; whether any still is.
async fn let_go(kubernetes: &Kubernetes, saved: &mut Saved) -> Result<bool, WriteError> {
    let mut any = false;
    for kind in DEFINED {
        match look(kubernetes, kind).await {
            Definition::Stands => {}
            Definition::Unknown(why) => return Err(WriteError::Away(why)),
            Definition::Missing => _ = saved.undefined.insert(kind),
            Definition::Going => {
                any = true;
                saved.undefined.insert(kind);
                let listed = list(kubernetes, kind).await?;
                saved.keep(kind, &listed);
                for object in &listed {
                    free(kubernetes, kind, object).await?;
                }
            }
        }
    }
    Ok(any)
}

async fn list(kubernetes: &Kubernetes, kind: Kind) -> Result<Vec<Value>, WriteError> {
    let listed = match kubernetes.objects(&kind.place("", ""), "").await {
        Err(WriteError::Refused(refusal)) if refusal.code == 404 => return Ok(Vec::new()),
        listed => listed?,
    };
    let mut read: Value = serde_json::from_slice(&listed).unwrap_or_default();
    Ok(match read["items"].take() {
        Value::Array(items) => items,
        _ => Vec::new(),
    })
}

/// Drops our finalizers of an object that goes with its definition.
async fn free(kubernetes: &Kubernetes, kind: Kind, object: &Value) -> Result<(), WriteError> {
    let metadata = &object["metadata"];
    if !finalizers(object).any(is_ours) {
        return Ok(());
    }
    let left: Vec<_> = finalizers(object).filter(|it| !is_ours(it)).collect();
    let word = |key: &str| metadata[key].as_str().unwrap_or_default();
    let patch = json!({"metadata": {"uid": metadata["uid"], "finalizers": left}});
    let deed = Deed {
        place: kind.place(word("namespace"), word("name")),
        act: Act::Merge(patch),
    };
    match deed.run(kubernetes).await {
        Err(WriteError::Refused(refusal)) if matches!(refusal.code, 404 | 409) => Ok(()),
        done => done.map(drop),
    }
}

fn finalizers(object: &Value) -> impl Iterator<Item = &Value> {
    let all = object["metadata"]["finalizers"].as_array();
    all.into_iter().flatten()
}

fn is_ours(finalizer: &Value) -> bool {
    OURS.iter().any(|ours| finalizer == ours)
}

fn is_going(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// Makes objects that went with their definition; `left`: those that are still to be made; `going`: what is to be done
/// with those that were deleted before.
async fn write_again(
    kubernetes: &Kubernetes,
    kind: Kind,
    left: &mut Vec<Value>,
    going: &mut Vec<Deed>,
) -> Result<(), WriteError> {
    // Until it is served, every object of it seems to have no place.
    kubernetes.objects(&kind.place("", ""), "").await?;
    while let Some(object) = left.last() {
        let new = anew(object);
        let word = |key: &str| new["metadata"][key].as_str().unwrap_or_default();
        let place = kind.place(word("namespace"), word("name"));
        let act = Act::Create(new.clone());
        let create = Deed { place, act };
        match create.run(kubernetes).await {
            Ok(Some(made)) => {
                going.extend(delete_again(object, &made, &create.place));
                status_again(kubernetes, kind, object, &made).await?;
            }
            // Somebody else was faster.
            Ok(None) => {}
            Err(WriteError::Refused(refusal)) => {
                tracing::warn!(kind = kind.definition(), name = word("name"), %refusal, "an object cannot be brought back");
            }
            Err(error) => return Err(error),
        }
        left.pop();
    }
    Ok(())
}

/// What is to be done with an object that was made anew, if somebody had deleted it before.
fn delete_again(object: &Value, made: &[u8], place: &Place) -> Option<Deed> {
    let made: Value = serde_json::from_slice(made).unwrap_or_default();
    let uid = made["metadata"]["uid"]
        .as_str()
        .filter(|_| is_going(object))?;
    Some(Deed {
        place: place.clone(),
        act: Act::Delete(uid.to_owned()),
    })
}

async fn status_again(
    kubernetes: &Kubernetes,
    kind: Kind,
    object: &Value,
    made: &[u8],
) -> Result<(), WriteError> {
    let made: Value = serde_json::from_slice(made).unwrap_or_default();
    let (metadata, status) = (&made["metadata"], &object["status"]);
    if status.as_object().is_none_or(serde_json::Map::is_empty) {
        return Ok(());
    }
    let word = |key: &str| metadata[key].as_str().unwrap_or_default();
    let place = kind.place(word("namespace"), word("name"));
    let deed = deeds::status_of(place, &made, status);
    match deed.run(kubernetes).await {
        Err(WriteError::Refused(refusal)) => {
            tracing::warn!(kind = kind.definition(), name = word("name"), %refusal, "a status cannot be brought back");
            Ok(())
        }
        done => done.map(drop),
    }
}

/// An object as it is made anew: what its server and its life before gave it stays behind.
fn anew(object: &Value) -> Value {
    let mut new = object.clone();
    if let Some(map) = new.as_object_mut() {
        map.remove("status");
    }
    if let Some(metadata) = new["metadata"].as_object_mut() {
        metadata.retain(|key, _| {
            matches!(
                key.as_str(),
                "name" | "namespace" | "labels" | "annotations"
            )
        });
        let ours: Vec<_> = finalizers(object).filter(|it| is_ours(it)).collect();
        metadata.insert("finalizers".to_owned(), json!(ours));
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::Heard;
    use crate::source::Event;

    #[test]
    fn what_is_made_anew_has_nothing_of_its_life_before() {
        let object = json!({
            "apiVersion": "v1", "kind": "K", "spec": {"a": 1}, "status": {"b": 2},
            "metadata": {
                "name": "n", "namespace": "c", "labels": {"l": "1"}, "uid": "1", "resourceVersion": "7",
                "deletionTimestamp": "2026-01-01T00:00:00Z", "ownerReferences": [{}],
                "finalizers": ["theirs", work::FINALIZER],
            },
        });
        let metadata = json!({
            "name": "n", "namespace": "c", "labels": {"l": "1"}, "finalizers": [work::FINALIZER],
        });
        let new = json!({"apiVersion": "v1", "kind": "K", "spec": {"a": 1}, "metadata": metadata});
        assert_eq!(anew(&object), new);
    }

    #[test]
    fn what_was_on_its_way_out_before_does_not_come_back() {
        let work = |name: &str| json!({"metadata": {"namespace": "c", "name": name}});
        let mut begun = Saved::default();
        begun.keep(Kind::Work, &[work("a"), work("b")]);
        begun.keep(Kind::Work, &[work("a")]);
        assert_eq!(begun.objects[&Kind::Work].len(), 2);
        let mut running = Saved::of(&World::default());
        running.keep(Kind::Work, &[work("a")]);
        assert_eq!(running.objects[&Kind::Work].len(), 0);
    }

    #[test]
    fn what_somebody_had_deleted_before_is_deleted_again() {
        let work = |name: &str, finalizer: &str| {
            json!({"metadata": {
                "namespace": "c", "name": name, "uid": "1", "finalizers": [finalizer],
                "deletionTimestamp": "2026-01-01T00:00:00Z",
            }})
        };
        let all = [work("held", work::FINALIZER), work("theirs", "theirs")];
        let entries = all.iter().map(|it| {
            let name = it["metadata"]["name"].as_str().unwrap();
            (format!("c/{name}").into(), it.to_string().into())
        });
        let mut world = World::default();
        let listed = Event::Listed(entries.collect(), 1);
        world.take(Kind::Work, Heard::Event(listed));
        let saved = &Saved::of(&world).objects[&Kind::Work];
        let [held] = saved.as_slice() else {
            panic!("{saved:?}")
        };
        let place = Kind::Work.place("c", "held");
        let again = delete_again(held, br#"{"metadata": {"uid": "2"}}"#, &place).unwrap();
        assert_eq!(again.act, Act::Delete("2".to_owned()));
        // What goes with its definition was not deleted by anybody.
        let mut begun = Saved::default();
        begun.keep(Kind::Work, &all);
        let kept = &begun.objects[&Kind::Work];
        assert!(kept.len() == 2 && !kept.iter().any(is_going));
    }
}
