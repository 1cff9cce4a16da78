//! All inventories of this agent, as the cluster has them: read when it begins, and watched from then on, since one that
//! somebody deletes has to be written again.

use super::inventory::{Inventories, Inventory, Whose, collection};
use crate::kubernetes::{Collector, Heard, Kubernetes, News, WriteError, follow};
use crate::ocm::{AppliedManifestWork, AppliedResource, is_deleting, name};
use crate::protocol::message::{Selection, View};
use bytes::Bytes;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// What an agent finds when it begins.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// By the names of their works.
    pub(super) readable: Inventories,
    /// Those that are this agent's, and cannot be read: why. Nothing is written or removed for these works, lest what is
    /// listed there be forgotten.
    pub(super) broken: BTreeMap<String, String>,
}

/// The watch of inventories.
pub(super) struct Written {
    heard: mpsc::Receiver<Heard>,
    collector: Collector,
    task: AbortHandle,
}

impl Drop for Written {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Written {
    /// Reads those of an agent, and goes on watching.
    pub(super) async fn open(
        kubernetes: &Kubernetes,
        whose: &Whose,
    ) -> Result<(Self, Found), WriteError> {
        let selection = Selection {
            resource: "appliedmanifestworks.v1.work.open-cluster-management.io".to_owned(),
            view: View::Objects,
            ..Selection::default()
        };
        let (tell, heard) = mpsc::channel(16);
        let mut written = Self {
            heard,
            collector: Collector::default(),
            task: tokio::spawn(follow(kubernetes.clone(), selection, tell)).abort_handle(),
        };
        loop {
            match written.next().await {
                News::Whole(all) => return Ok((written, found(&all, whose))),
                News::Away(why) => return Err(WriteError::Away(why)),
                // A kind that was defined a moment ago is not served yet.
                News::Refused(why) => tracing::info!(why, "waiting for the inventories"),
                _ => {}
            }
        }
    }

    /// What is new of them. May be dropped at any point.
    pub(super) async fn next(&mut self) -> News {
        loop {
            let Some(heard) = self.heard.recv().await else {
                // Whoever watches has ended, and so does this process.
                return std::future::pending().await;
            };
            if let Some(news) = self.collector.take(heard) {
                return news;
            }
        }
    }
}

/// What all inventories but one list, be they of this agent, of another one, or of OCM's.
pub(super) async fn listed_but(
    kubernetes: &Kubernetes,
    inventory: &str,
) -> Result<Vec<AppliedResource>, WriteError> {
    let all = match kubernetes.objects(&collection(), "").await {
        // Somebody deleted the kind: there are none.
        Err(WriteError::Refused(refusal)) if refusal.code == 404 => return Ok(Vec::new()),
        all => all?,
    };
    let unlike = |error| WriteError::Away(format!("inventories cannot be read: {error}"));
    let all: Value = serde_json::from_slice(&all).map_err(unlike)?;
    Ok(resources_but(&all, inventory))
}

/// Of a list of inventories; of one that cannot be read whole, what can.
fn resources_but(all: &Value, inventory: &str) -> Vec<AppliedResource> {
    let items = all["items"].as_array().into_iter().flatten();
    let others = items.filter(|it| it["metadata"]["name"] != inventory);
    let resources = others.filter_map(|it| it["status"]["appliedResources"].as_array());
    let read = |it: &Value| serde::Deserialize::deserialize(it).ok();
    resources.flatten().filter_map(read).collect()
}

/// Those of an agent, of all that a cluster has.
fn found(all: &[(Bytes, Bytes)], whose: &Whose) -> Found {
    let mut found = Found::default();
    for (key, value) in all {
        let raw: Value = serde_json::from_slice(value).unwrap_or_default();
        if !whose.has(&raw) {
            continue;
        }
        let work = raw["spec"]["manifestWorkName"].as_str();
        let work = work.unwrap_or_default().to_owned();
        match serde_json::from_value::<AppliedManifestWork>(raw) {
            Ok(applied) if !work.is_empty() => {
                found.readable.insert(work, Inventory::stored(applied));
            }
            Ok(_) => tell(key, "spec.manifestWorkName is missing"),
            Err(error) => {
                tell(key, &error.to_string());
                found.broken.insert(work, error.to_string());
            }
        }
    }
    found
}

fn tell(key: &Bytes, why: &str) {
    let inventory = String::from_utf8_lossy(key);
    tracing::error!(%inventory, why, "an inventory of this agent cannot be read: nothing that it lists is changed or removed; repair it and start the agent again");
}

/// The works whose inventories are not in the cluster any more, or about to go, and should be there.
pub(super) fn lost(news: &News, inventories: &Inventories) -> BTreeSet<String> {
    let stored = inventories.iter().filter(|(_, it)| it.is_stored());
    let named = stored.map(|(work, it)| (work, name(&it.applied)));
    let is_lost = |name: &str| match news {
        News::Whole(all) => {
            let mut same = all.iter().filter(|(key, _)| key == name);
            same.next().is_none_or(|(_, value)| is_going(value))
        }
        News::Put(key, value) => key == name && is_going(value),
        News::Gone(key) => key == name,
        News::Away(_) | News::Refused(_) | News::Alive => false,
    };
    named
        .filter(|(_, name)| is_lost(name))
        .map(|(work, _)| work.clone())
        .collect()
}

fn is_going(value: &Bytes) -> bool {
    let applied = serde_json::from_slice(value);
    applied.is_ok_and(|it: AppliedManifestWork| is_deleting(&it.metadata))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::names::ClusterName;
    use serde_json::json;

    fn whose(hub: &str, cluster: &str) -> Whose {
        let name = |text: &str| ClusterName::new(text).unwrap();
        Whose::new(&name(hub), &name(cluster))
    }

    fn entry(whose: &Whose, work: &str, status: Value) -> (Bytes, Bytes) {
        let new = Inventory::new(whose, work).applied;
        let mut value = json!({"metadata": {"name": name(&new)}, "spec": new.spec});
        value["status"] = status;
        (name(&new).to_owned().into(), value.to_string().into())
    }

    #[test]
    fn an_agent_has_its_own_inventories_and_no_others() {
        let ours = whose("hub", "one");
        let mut of_ocm = entry(&whose("x", "y"), "a", json!({}));
        of_ocm.1 =
            json!({"spec": {"hubHash": "d41d8cd9", "agentID": "one", "manifestWorkName": "a"}})
                .to_string()
                .into();
        let all = [
            entry(&ours, "a", json!({})),
            entry(&whose("hub", "two"), "b", json!({})),
            entry(&whose("other", "one"), "c", json!({})),
            of_ocm,
        ];
        let keys: BTreeSet<_> = all.iter().map(|(key, _)| key).collect();
        assert_eq!(keys.len(), 4, "of one work, each agent has another object");
        let found = found(&all, &ours);
        assert_eq!(found.readable.keys().collect::<Vec<_>>(), ["a"]);
        assert!(found.broken.is_empty());
    }

    #[test]
    fn one_that_cannot_be_read_is_not_forgotten() {
        let (ours, others) = (whose("hub", "one"), whose("hub", "two"));
        let broken = json!({"appliedResources": 7});
        let all = [
            entry(&ours, "a", broken.clone()),
            entry(&others, "b", broken),
        ];
        let found = found(&all, &ours);
        assert_eq!(found.broken.keys().collect::<Vec<_>>(), ["a"]);
        assert!(found.readable.is_empty());
    }

    #[test]
    fn one_that_goes_is_missed() {
        let ours = whose("hub", "one");
        let (key, value) = entry(&ours, "a", json!({}));
        let all = [(key.clone(), value.clone())];
        let found = found(&all, &ours).readable;
        let is_lost = |news: News| lost(&news, &found).contains("a");
        assert!(!is_lost(News::Whole(all.to_vec())));
        assert!(is_lost(News::Whole(Vec::new())));
        assert!(!is_lost(News::Put(key.clone(), value)));
        let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
        assert!(is_lost(News::Put(key.clone(), going.to_string().into())));
        assert!(is_lost(News::Gone(key)) && !is_lost(News::Gone("b".into())));
    }

    #[test]
    fn what_others_list_is_theirs() {
        let item = |name: &str, thing: &str| {
            let listed = json!([{"resource": "configmaps", "name": thing}, 7]);
            json!({"metadata": {"name": name}, "status": {"appliedResources": listed}})
        };
        let all = json!({"items": [item("h-a", "x"), item("h-b", "y"), {"metadata": {}}]});
        let names: Vec<_> = resources_but(&all, "h-a")
            .into_iter()
            .map(|it| it.name)
            .collect();
        assert_eq!(names, ["y"]);
    }
}
