//! `ManifestWork`s: held until their cluster is clean, with the status that comes from there.

use super::cache::Cache;
use super::deeds::{self, Deed};
use super::world::{Standing, World};
use crate::ocm::exchange::{UNREADABLE, WorkReport, arrived, travelling};
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
    let standing = world.standing(namespace(work));
    let place = deeds::place_of(work);
    let metadata = &work.metadata;
    let report = report.filter(|it| Some(&it.uid) == metadata.uid.as_ref());
    if is_deleting(metadata) {
        // Without a cluster there is nobody who could confirm, and nothing that could be cleaned.
        let confirmed = standing == Standing::Absent || report.is_some_and(|it| it.gone);
        let go = confirmed.then(|| deeds::let_go(place, metadata, FINALIZER));
        return (go.flatten().into_iter().collect(), None);
    }
    if standing == Standing::Absent {
        return (Vec::new(), None);
    }
    let mut all = Vec::new();
    if standing == Standing::TakesWork {
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

/// What is in the stream for a work: one that cannot be read keeps its place.
pub(super) fn entry(works: &Cache<ManifestWork>, cluster: &str, name: &str) -> Option<Bytes> {
    match works.get(cluster, name) {
        Some(work) => travels(work),
        None => {
            let unreadable = works.is_unreadable(cluster, name);
            unreadable.then(|| Bytes::from_static(UNREADABLE))
        }
    }
}

/// A work as it travels: only once it is held, so that no delete of it can be lost.
fn travels(work: &ManifestWork) -> Option<Bytes> {
    if !deeds::has(&work.metadata, FINALIZER) {
        return None;
    }
    let document = document(&travelling(work)).ok()?;
    Some(document.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::controller::deeds::Act;
    use crate::kubernetes::Heard;
    use crate::source::Event;
    use serde_json::{Value, json};

    fn world(clusters: &[Value]) -> World {
        let mut world = World::default();
        world.clusters.take(listed(clusters));
        world
    }

    fn listed(objects: &[Value]) -> Heard {
        let entries = objects.iter().map(|it| {
            let word = |key: &str| it["metadata"][key].as_str();
            let namespace = word("namespace").map(|it| format!("{it}/"));
            let key = namespace.unwrap_or_default() + word("name").unwrap();
            (key.into(), it.to_string().into())
        });
        Heard::Event(Event::Listed(entries.collect(), 1))
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
        assert_eq!(travels(&fresh), None);
        assert_eq!(
            finalizers(&decide(&accepted, &fresh, None, now).0),
            [json!([FINALIZER])]
        );
        let pending = world(&[json!({"metadata": {"name": "c"}})]);
        assert!(decide(&pending, &fresh, None, now).0.is_empty());

        let going =
            work(json!({"finalizers": [FINALIZER], "deletionTimestamp": "2026-01-01T00:00:00Z"}));
        assert!(travels(&going).is_some());
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

    #[test]
    fn a_work_that_cannot_be_read_keeps_its_place() {
        let mut works = Cache::default();
        let broken = json!({"metadata": {"name": "w", "namespace": "c"}, "spec": 7});
        works.take(listed(&[broken]));
        assert_eq!(entry(&works, "c", "w").as_deref(), Some(UNREADABLE));
        assert_eq!(entry(&works, "c", "x"), None);
    }

    /// It is there, and perhaps has what was put into it.
    #[test]
    fn a_cluster_that_cannot_be_read_lets_no_work_go() {
        let broken = json!({"metadata": {"name": "c"}, "spec": 7});
        let going =
            work(json!({"finalizers": [FINALIZER], "deletionTimestamp": "2026-01-01T00:00:00Z"}));
        let deeds = decide(&world(&[broken]), &going, None, Timestamp::UNIX_EPOCH).0;
        assert_eq!(deeds, []);
    }
}
