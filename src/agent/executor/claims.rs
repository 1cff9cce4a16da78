//! What the cluster says of itself: the ClusterClaims of Open Cluster Management, where they are defined.

use crate::kubernetes::{Collector, Heard, Kubernetes, News};
use crate::ocm::cluster::ClusterClaim;
use crate::protocol::message::{Selection, View};
use crate::source::Event;
use bytes::Bytes;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

const GROUP: &str = "cluster.open-cluster-management.io";
const VERSION: &str = "v1alpha1";

/// The claims that were seen; none before it is known which there are.
#[derive(Debug, Default)]
pub(super) struct Claims {
    collector: Collector,
    known: Option<BTreeMap<Bytes, ClusterClaim>>,
}

/// What they are read by.
pub(super) fn selection() -> Selection {
    Selection {
        resource: format!("clusterclaims.{VERSION}.{GROUP}"),
        view: View::Objects,
        ..Selection::default()
    }
}

impl Claims {
    /// Takes what is heard of them; whether it says anything.
    pub(super) async fn take(&mut self, kubernetes: &Kubernetes, heard: Heard) -> bool {
        let is_unknown = matches!(heard, Heard::Trouble(_))
            && self.known.is_none()
            && kubernetes
                .catalog(Duration::ZERO)
                .await
                .is_ok_and(|it| it.of_kind(GROUP, VERSION, "ClusterClaim").is_none());
        // Who may not read them has none to tell.
        let is_forbidden = matches!(heard, Heard::Event(Event::Refused(_))) && self.known.is_none();
        match self.collector.take(heard) {
            // An API server that did not answer has not said that there are none.
            Some(News::Refused(_)) if is_unknown || is_forbidden => {
                self.put(News::Whole(Vec::new()))
            }
            Some(news) => self.put(news),
            None => false,
        }
    }

    fn put(&mut self, news: News) -> bool {
        match news {
            News::Whole(all) => {
                self.known = Some(all.into_iter().map(|(k, v)| (k, claim(&v))).collect());
            }
            News::Put(key, value) => {
                let known = self.known.get_or_insert_default();
                known.insert(key, claim(&value));
            }
            News::Gone(key) => {
                let known = self.known.get_or_insert_default();
                known.remove(&key);
            }
            News::Away(_) | News::Refused(_) | News::Alive => return false,
        }
        true
    }

    /// All of them, if they are known.
    pub(super) fn all(&self) -> Option<Vec<ClusterClaim>> {
        let known = self.known.as_ref()?;
        let said = known.values().filter(|it| !it.name.is_empty());
        Some(said.cloned().collect())
    }
}

fn claim(value: &Bytes) -> ClusterClaim {
    let object: Value = serde_json::from_slice(value).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    ClusterClaim {
        name: text(&object["metadata"]["name"]),
        value: text(&object["spec"]["value"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn claims_are_told_when_all_were_seen() {
        let entry = |name: &'static str, value: &str| {
            let object = json!({"metadata": {"name": name}, "spec": {"value": value}});
            (Bytes::from(name), Bytes::from(object.to_string()))
        };
        let mut claims = Claims::default();
        assert!(!claims.put(News::Away("no answer".to_owned())));
        assert_eq!(claims.all(), None);
        assert!(claims.put(News::Whole(vec![
            entry("zone", "a"),
            entry("platform", "b")
        ])));
        let (key, value) = entry("zone", "c");
        assert!(claims.put(News::Put(key, value)) && claims.put(News::Gone("platform".into())));
        assert!(
            !claims.put(News::Refused("no more".to_owned())),
            "they stay"
        );
        let zone = ClusterClaim {
            name: "zone".to_owned(),
            value: "c".to_owned(),
        };
        assert_eq!(claims.all(), Some(vec![zone]));
    }
}
