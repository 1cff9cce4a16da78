//! One labelled object: as which work it travels, and what is to be done with it.

use super::watches::Part;
use crate::hub::controller::deeds::{self, Act, Deed};
use crate::hub::controller::world::Standing;
use crate::kubernetes::Place;
use crate::ocm::conditions::find;
use crate::ocm::exchange::WorkReport;
use crate::ocm::plain::{APPLIED_ANNOTATION, HELD_LABEL};
use crate::ocm::work::APPLIED;
use crate::ocm::{ManifestWork, ObjectMeta, Time, is_deleting, label, name, namespace, plain};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_64;

/// What keeps a labelled object until its cluster has confirmed that it is gone there.
pub(in crate::hub::controller) const FINALIZER: &str = "mqinformer.io/work";

/// One labelled object, or one that was and is still held.
#[derive(Clone, Debug)]
pub(in crate::hub::controller) struct PlainObject {
    pub(super) place: Place,
    api: (String, String),
    pub(in crate::hub::controller) metadata: ObjectMeta,
    /// As it travels; none: its label says no, or is gone.
    pub(super) work: Option<ManifestWork>,
    /// The digest of the status that was last written back.
    pub(super) written: Option<u64>,
    /// Which watch shows it.
    pub(super) part: Part,
    /// That watch shows it no more, and we hold it: it is gone, or has lost both labels at once.
    pub(super) is_adrift: bool,
}

impl PlainObject {
    pub(super) fn read(place: &Place, part: Part, value: &Value) -> Option<Self> {
        let word = |key: &str| value[key].as_str().map(str::to_owned);
        let metadata: ObjectMeta = serde::Deserialize::deserialize(&value["metadata"]).ok()?;
        Some(Self {
            place: Place {
                namespace: metadata.namespace.clone()?,
                name: metadata.name.clone()?,
                ..place.clone()
            },
            api: (word("apiVersion")?, word("kind")?),
            metadata,
            work: plain::work(value),
            written: None,
            part,
            is_adrift: false,
        })
    }

    /// Its cluster, and the name of its work, whatever its label says.
    pub(super) fn id(&self, value: &Value) -> Option<(String, String)> {
        let cluster = self.metadata.namespace.clone()?;
        let name = match &self.work {
            Some(work) => name(work).to_owned(),
            None => plain::work_name(value)?,
        };
        Some((cluster, name))
    }

    /// Whether it is to be in its cluster.
    fn is_wanted(&self) -> bool {
        self.work.is_some() && !is_deleting(&self.metadata)
    }

    /// Whether it is kept on the hub until its cluster has confirmed.
    pub(super) fn is_held(&self) -> bool {
        deeds::has(&self.metadata, FINALIZER)
    }

    /// What an agent has to confirm that it is gone. One that was unlabelled may be labelled again, and unlabelled once
    /// more: what was said of it before says nothing of this time.
    fn travelling_uid(&self) -> Option<String> {
        let uid = self.metadata.uid.clone()?;
        let version = self.metadata.resource_version.as_deref();
        Some(match is_deleting(&self.metadata) || self.work.is_some() {
            true => uid,
            false => format!("{uid}.{}", version.unwrap_or_default()),
        })
    }

    /// As it travels: only once it is held, and as deleted if it is not wanted any more.
    pub(in crate::hub::controller) fn travelling(&self, name: &str) -> Option<ManifestWork> {
        if !self.is_held() {
            return None;
        }
        let mut work = self.work.clone().unwrap_or_default();
        if !self.is_wanted() {
            let since = self.metadata.deletion_timestamp.clone();
            work.metadata = ObjectMeta {
                name: Some(name.to_owned()),
                namespace: Some(namespace(&work).to_owned()),
                uid: self.travelling_uid(),
                // Which moment it was does not matter.
                deletion_timestamp: since.or(Some(Time(Timestamp::UNIX_EPOCH))),
                ..work.metadata
            };
        }
        Some(work)
    }

    /// What is to be done with it; `standing`: of its cluster.
    pub(in crate::hub::controller) fn decide(
        &self,
        report: Option<&WorkReport>,
        standing: Standing,
    ) -> Vec<Deed> {
        if self.is_adrift {
            let uid = self.metadata.uid.clone().unwrap_or_default();
            let act = Act::Recover(uid);
            return vec![Deed {
                place: self.place.clone(),
                act,
            }];
        }
        let uid = self.travelling_uid();
        let report = report.filter(|it| Some(&it.uid) == uid.as_ref());
        if !self.is_wanted() {
            // Without a cluster there is nobody who could confirm, and nothing that could be cleaned.
            let absent = standing == Standing::Absent;
            let confirmed = absent || !self.is_held() || report.is_some_and(|it| it.gone);
            return confirmed
                .then(|| self.let_go())
                .flatten()
                .into_iter()
                .collect();
        }
        if standing != Standing::TakesWork {
            return Vec::new();
        }
        let back = report.filter(|it| self.written != Some(digest(it)));
        let back = back.into_iter().flat_map(|it| self.back(it));
        self.hold().into_iter().chain(back).collect()
    }

    /// Holds it, and marks it as held: so it is found though its label is gone.
    fn hold(&self) -> Option<Deed> {
        if self.is_held() && label(&self.metadata, HELD_LABEL).is_some() {
            return None;
        }
        let mut all = self.metadata.finalizers.clone().unwrap_or_default();
        if !self.is_held() {
            all.push(FINALIZER.to_owned());
        }
        let patch = json!({"metadata": {"finalizers": all, "labels": {HELD_LABEL: ""}}});
        Some(deeds::merge(self.place.clone(), &self.metadata, patch))
    }

    fn let_go(&self) -> Option<Deed> {
        if !self.is_held() && label(&self.metadata, HELD_LABEL).is_none() {
            return None;
        }
        let all = self.metadata.finalizers.iter().flatten();
        let left: Vec<_> = all.filter(|it| *it != FINALIZER).collect();
        let patch = json!({"metadata": {"finalizers": left, "labels": {HELD_LABEL: null}}});
        Some(deeds::merge(self.place.clone(), &self.metadata, patch))
    }

    /// Writes back what its cluster says of it.
    fn back(&self, report: &WorkReport) -> Vec<Deed> {
        let metadata = &self.metadata;
        let mut deeds = Vec::new();
        if report.object_status.is_object() {
            let object = json!({
                "apiVersion": self.api.0,
                "kind": self.api.1,
                "metadata": {"name": metadata.name, "namespace": metadata.namespace, "uid": metadata.uid},
                "status": report.object_status,
            });
            let act = Act::Apply {
                subresource: "status",
                object,
            };
            deeds.push(Deed {
                place: self.place.clone(),
                act,
            });
        }
        let said = applied(report);
        let annotations = metadata.annotations.as_ref();
        let known = annotations.and_then(|it| it.get(APPLIED_ANNOTATION));
        if said.as_ref() != known {
            let patch = json!({"metadata": {"uid": metadata.uid, "annotations": {APPLIED_ANNOTATION: said}}});
            deeds.push(Deed {
                place: self.place.clone(),
                act: Act::Merge(patch),
            });
        }
        deeds
    }

    /// It goes with its cluster; `abandon`: without waiting for it.
    pub(in crate::hub::controller) fn farewell(&self, abandon: bool) -> Vec<Deed> {
        let uid = self.metadata.uid.clone().unwrap_or_default();
        let delete = Deed {
            place: self.place.clone(),
            act: Act::Delete(uid),
        };
        let delete = (!is_deleting(&self.metadata)).then_some(delete);
        let free = abandon.then(|| self.let_go());
        free.flatten().into_iter().chain(delete).collect()
    }
}

/// What became of it, in a word or a sentence.
fn applied(report: &WorkReport) -> Option<String> {
    let one = report.status.resource_status.manifests.first();
    let conditions = one.map(|it| it.conditions.as_slice()).unwrap_or_default();
    let said = find(conditions, APPLIED)?;
    Some(match said.status.as_str() {
        "True" => "True".to_owned(),
        status => format!("{status}: {}", said.message),
    })
}

pub(super) fn digest(report: &WorkReport) -> u64 {
    let said = format!("{}\0{:?}", report.object_status, applied(report));
    xxh3_64(said.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(metadata: &Value) -> PlainObject {
        let value = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
        let place = deeds::place::<k8s_openapi::api::core::v1::ConfigMap>("", "");
        PlainObject::read(&place, Part::Labelled, &value).unwrap()
    }

    fn patches(deeds: &[Deed]) -> Vec<Value> {
        let patch = |it: &Deed| match &it.act {
            Act::Merge(patch) => patch["metadata"].clone(),
            other => panic!("{other:?}"),
        };
        deeds.iter().map(patch).collect()
    }

    fn said(uid: &str, gone: bool) -> WorkReport {
        WorkReport {
            uid: uid.to_owned(),
            gone,
            ..WorkReport::default()
        }
    }

    #[test]
    fn it_is_held_and_marked_before_it_travels() {
        let labels = json!({"mqinformer.io/distribute": ""});
        let fresh = object(&json!({"name": "m", "namespace": "c", "uid": "1", "labels": labels}));
        assert!(fresh.travelling("w").is_none());
        assert!(fresh.decide(None, Standing::Waits).is_empty());
        let held = patches(&fresh.decide(None, Standing::TakesWork));
        assert_eq!(held[0]["finalizers"], json!([FINALIZER]));
        assert_eq!(held[0]["labels"], json!({HELD_LABEL: ""}));
    }

    #[test]
    fn it_is_let_go_when_its_cluster_says_so_or_is_none() {
        let metadata = json!({
            "name": "m", "namespace": "c", "uid": "1", "resourceVersion": "7", "finalizers": [FINALIZER, "theirs"],
            "labels": {HELD_LABEL: ""},
        });
        let unlabelled = object(&metadata);
        let travels = unlabelled.travelling("w").unwrap();
        assert_eq!(travels.metadata.uid.as_deref(), Some("1.7"));
        // The last one is of the time before: it was labelled again since.
        for report in [
            None,
            Some(said("2.7", true)),
            Some(said("1.7", false)),
            Some(said("1.5", true)),
        ] {
            let waits = unlabelled.decide(report.as_ref(), Standing::TakesWork);
            assert!(waits.is_empty(), "{report:?}");
        }
        let confirmed = said("1.7", true);
        let gone = unlabelled.decide(Some(&confirmed), Standing::TakesWork);
        let alone = unlabelled.decide(None, Standing::Absent);
        for deeds in [gone, alone] {
            assert_eq!(patches(&deeds)[0]["finalizers"], json!(["theirs"]));
            assert_eq!(patches(&deeds)[0]["labels"], json!({HELD_LABEL: null}));
        }
        assert!(unlabelled.decide(None, Standing::Waits).is_empty());
    }
}
