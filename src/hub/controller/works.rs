//! `ManifestWork`s: held until their cluster is clean, with the status that comes from there.

use super::deeds::{self, Deed};
use super::world::World;
use crate::ocm::exchange::{WorkReport, arrived, travelling};
use crate::ocm::work::FINALIZER;
use crate::ocm::{ManifestWork, document, is_deleting, namespace};
use bytes::Bytes;
use k8s_openapi::jiff::Timestamp;

/// What is to be done with one work, and when to ask again.
pub(super) fn decide(
    world: &World,
    work: &ManifestWork,
    report: Option<&WorkReport>,
    now: Timestamp,
) -> (Vec<Deed>, Option<Timestamp>) {
    let cluster = world.clusters.get("", namespace(work));
    let place = deeds::place_of(work);
    let metadata = &work.metadata;
    let report = report.filter(|it| Some(&it.uid) == metadata.uid.as_ref());
    if is_deleting(metadata) {
        // Without a cluster there is nobody who could confirm, and nothing that could be cleaned.
        let confirmed = cluster.is_none() || report.is_some_and(|it| it.gone);
        let go = confirmed.then(|| deeds::let_go(place, metadata, FINALIZER));
        return (go.flatten().into_iter().collect(), None);
    }
    let Some(cluster) = cluster else {
        return (Vec::new(), None);
    };
    let mut all = Vec::new();
    if cluster.spec.hub_accepts_client && !is_deleting(&cluster.metadata) {
        all.extend(deeds::hold(place, metadata, FINALIZER));
    }
    if let Some(report) = report.filter(|it| !it.gone) {
        let status = arrived(&work.status, &report.status);
        if status != work.status {
            all.push(deeds::status(work, &status));
        }
    }
    match work.expires() {
        Some(then) if then <= now => {
            all.push(deeds::delete(work));
            (all, None)
        }
        then => (all, then),
    }
}

/// A work as it travels: only once it is held, so that no delete of it can be lost.
pub(super) fn entry(work: &ManifestWork) -> Option<Bytes> {
    if !deeds::has(&work.metadata, FINALIZER) {
        return None;
    }
    let document = document(&travelling(work)).ok()?;
    Some(document.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::super::cache::Cache;
    use super::*;
    use crate::hub::controller::deeds::Act;
    use crate::kubernetes::Heard;
    use crate::source::Event;
    use serde_json::{Value, json};

    fn world(clusters: &[Value]) -> World {
        let listed = clusters.iter().map(|it| {
            let key = it["metadata"]["name"].as_str().unwrap().to_owned();
            (key.into(), it.to_string().into())
        });
        let mut cache = Cache::default();
        cache.take(Heard::Event(Event::Listed(listed.collect(), 1)));
        World {
            clusters: cache,
            ..World::default()
        }
    }

    fn work(more: Value) -> ManifestWork {
        let mut metadata = json!({"name": "w", "namespace": "c", "uid": "1"});
        metadata
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        serde_json::from_value(json!({"metadata": metadata})).unwrap()
    }

    fn finalizers(deeds: &[Deed]) -> Vec<Value> {
        let patches = deeds.iter().filter_map(|it| match &it.act {
            Act::Merge(patch) => Some(patch["metadata"]["finalizers"].clone()),
            _ => None,
        });
        patches.collect()
    }

    #[test]
    fn a_work_travels_once_it_is_held_and_is_let_go_when_its_agent_says_so() {
        let accepted =
            world(&[json!({"metadata": {"name": "c"}, "spec": {"hubAcceptsClient": true}})]);
        let (now, fresh) = (Timestamp::UNIX_EPOCH, work(json!({})));
        assert_eq!(entry(&fresh), None);
        assert_eq!(
            finalizers(&decide(&accepted, &fresh, None, now).0),
            [json!([FINALIZER])]
        );
        let pending = world(&[json!({"metadata": {"name": "c"}})]);
        assert!(decide(&pending, &fresh, None, now).0.is_empty());

        let going =
            work(json!({"finalizers": [FINALIZER], "deletionTimestamp": "2026-01-01T00:00:00Z"}));
        assert!(entry(&going).is_some());
        let report = |uid: &str, gone| WorkReport {
            uid: uid.to_owned(),
            gone,
            ..WorkReport::default()
        };
        for wrong in [report("2", true), report("1", false)] {
            assert!(decide(&accepted, &going, Some(&wrong), now).0.is_empty());
        }
        let confirmed = decide(&accepted, &going, Some(&report("1", true)), now).0;
        assert_eq!(finalizers(&confirmed), [json!([])]);
        assert_eq!(
            finalizers(&decide(&world(&[]), &going, None, now).0),
            [json!([])]
        );
    }
}
