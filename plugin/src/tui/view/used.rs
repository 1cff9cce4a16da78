//! What uses an object: pods and the volumes, variables and names through which they do.

use super::list::{List, ListLine};
use super::target::Target;
use crate::print::sanitize::word;
use crate::tui::event::{Age, FeedId};
use crate::tui::grid::ObjectId;
use bytes::Bytes;
use serde_json::Value;
use std::collections::BTreeMap;

/// See the module. It is live.
#[derive(Debug)]
pub struct UsedView {
    /// What is used.
    pub target: Target,
    /// By what the pods of its namespace are watched.
    pub feed: FeedId,
    /// What is on the screen.
    pub list: List,
    /// How fresh it is.
    pub age: Age,
    /// They have been read.
    pub is_read: bool,
    /// Why they were not.
    pub refused: Option<String>,
    /// By key: the pod's name, and how it uses it.
    users: BTreeMap<Bytes, (String, String)>,
}

/// Whose users are known.
pub const KINDS: &str =
    "config maps, secrets, claims, service accounts, nodes and priority classes";

impl UsedView {
    /// One whose pods have to come.
    pub fn new(target: Target, feed: FeedId) -> Self {
        Self {
            target,
            feed,
            list: List::new(&["NAMESPACE", "POD", "AS"]),
            age: Age::default(),
            is_read: false,
            refused: None,
            users: BTreeMap::new(),
        }
    }

    /// A pod came, changed, or went.
    pub fn set_pod(&mut self, key: &Bytes, pod: Option<&Value>) {
        let name = self.target.id.as_ref().map_or("", |id| &id.name);
        let uses = pod
            .map(|pod| uses(pod, &self.target.plural, name))
            .unwrap_or_default();
        match uses.is_empty() {
            true => self.users.remove(key),
            false => {
                let names = String::from_utf8_lossy(key).into_owned();
                self.users.insert(key.clone(), (names, uses.join(", ")))
            }
        };
    }

    /// Its cluster is followed no longer: what is on the screen is old, and what comes next begins anew.
    pub fn leave(&mut self) {
        (self.age, self.refused) = Default::default();
        self.users.clear();
    }

    /// The pod with the cursor. What made it is in its object, which was not kept.
    pub fn selected(&self) -> Option<Target> {
        let line = self.list.selected()?;
        let (namespace, name) = line.id.split_once('/')?;
        let id = self.target.id.as_ref()?;
        Some(Target {
            resource: "pods".to_owned(),
            plural: "pods".to_owned(),
            kind: "Pod".to_owned(),
            id: Some(ObjectId {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                ..id.clone()
            }),
            ..Target::default()
        })
    }

    /// Shows them.
    pub fn refresh(&mut self) {
        let line = |(names, uses): &(String, String)| {
            let (namespace, name) = names.split_once('/').unwrap_or(("", names));
            ListLine {
                id: names.clone(),
                cells: [namespace, name, uses]
                    .map(|cell| word(cell).into_owned())
                    .to_vec(),
                ..ListLine::default()
            }
        };
        self.list.set_lines(self.users.values().map(line).collect());
    }
}

/// Whether it is known what uses objects of such a type.
pub fn is_known(plural: &str) -> bool {
    let kinds = [
        "configmaps",
        "secrets",
        "persistentvolumeclaims",
        "serviceaccounts",
        "nodes",
        "priorityclasses",
    ];
    kinds.contains(&plural)
}

/// By which fields the pods are selected that use such an object, where an API server can do that; nothing where they
/// all have to be read.
pub fn fields(plural: &str, name: &str) -> String {
    match plural {
        "nodes" => format!("spec.nodeName={name}"),
        "serviceaccounts" => format!("spec.serviceAccountName={name}"),
        _ => String::new(),
    }
}

/// In which ways a pod uses an object of this type and name.
fn uses(pod: &Value, plural: &str, name: &str) -> Vec<String> {
    let spec = &pod["spec"];
    let is_it = |value: &Value| value.as_str() == Some(name);
    let mut uses = Vec::new();
    match plural {
        "serviceaccounts" if is_it(&spec["serviceAccountName"]) => {
            uses.push("service account".to_owned());
        }
        "nodes" if is_it(&spec["nodeName"]) => uses.push("node".to_owned()),
        "priorityclasses" if is_it(&spec["priorityClassName"]) => {
            uses.push("priority class".to_owned());
        }
        "persistentvolumeclaims" => {
            in_volumes(spec, &["/persistentVolumeClaim/claimName"], name, &mut uses);
        }
        "configmaps" => {
            in_volumes(spec, &["/configMap/name"], name, &mut uses);
            in_containers(spec, ("configMapKeyRef", "configMapRef"), name, &mut uses);
        }
        "secrets" => {
            in_volumes(
                spec,
                &["/secret/secretName", "/csi/nodePublishSecretRef/name"],
                name,
                &mut uses,
            );
            in_containers(spec, ("secretKeyRef", "secretRef"), name, &mut uses);
            let pulls = items(&spec["imagePullSecrets"]).any(|secret| is_it(&secret["name"]));
            uses.extend(pulls.then(|| "image pull secret".to_owned()));
        }
        _ => {}
    }
    uses
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn in_volumes(spec: &Value, paths: &[&str], name: &str, uses: &mut Vec<String>) {
    for volume in items(&spec["volumes"]) {
        let sources = items(&volume["projected"]["sources"]);
        // A projected secret is called by its name as a config map is.
        let projected =
            sources.flat_map(|source| [&source["configMap"]["name"], &source["secret"]["name"]]);
        let is_config = paths.contains(&"/configMap/name");
        let is_projected = projected
            .enumerate()
            .any(|(at, value)| (at % 2 == 0) == is_config && value.as_str() == Some(name));
        let is_direct = paths
            .iter()
            .any(|path| volume.pointer(path).and_then(Value::as_str) == Some(name));
        if is_direct || is_projected {
            uses.push(format!(
                "volume {}",
                volume["name"].as_str().unwrap_or_default()
            ));
        }
    }
}

fn in_containers(spec: &Value, (key, whole): (&str, &str), name: &str, uses: &mut Vec<String>) {
    let containers = ["initContainers", "containers", "ephemeralContainers"];
    for container in containers
        .iter()
        .flat_map(|containers| items(&spec[*containers]))
    {
        let of = container["name"].as_str().unwrap_or_default();
        for variable in items(&container["env"]) {
            if variable["valueFrom"][key]["name"].as_str() == Some(name) {
                let variable = variable["name"].as_str().unwrap_or_default();
                uses.push(format!("{variable} in {of}"));
            }
        }
        if items(&container["envFrom"]).any(|from| from[whole]["name"].as_str() == Some(name)) {
            uses.push(format!("all variables in {of}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn all_ways_in_which_a_pod_uses_something() {
        let pod = json!({"spec": {
            "serviceAccountName": "robot", "nodeName": "n1", "priorityClassName": "high",
            "imagePullSecrets": [{"name": "pull"}],
            "volumes": [
                {"name": "conf", "configMap": {"name": "settings"}},
                {"name": "keys", "secret": {"secretName": "keys"}},
                {"name": "data", "persistentVolumeClaim": {"claimName": "disk"}},
                {"name": "all", "projected": {"sources": [{"secret": {"name": "keys"}}, {"configMap": {"name": "more"}}]}}],
            "containers": [{"name": "app",
                "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings"}}},
                        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "keys"}}}],
                "envFrom": [{"configMapRef": {"name": "more"}}, {"secretRef": {"name": "keys"}}]}]}});
        for (plural, name, want) in [
            ("configmaps", "settings", "volume conf, A in app"),
            ("configmaps", "more", "volume all, all variables in app"),
            ("configmaps", "keys", ""),
            (
                "secrets",
                "keys",
                "volume keys, volume all, B in app, all variables in app",
            ),
            ("secrets", "pull", "image pull secret"),
            ("secrets", "more", ""),
            ("persistentvolumeclaims", "disk", "volume data"),
            ("serviceaccounts", "robot", "service account"),
            ("nodes", "n1", "node"),
            ("nodes", "n2", ""),
            ("priorityclasses", "high", "priority class"),
        ] {
            assert!(is_known(plural));
            assert_eq!(uses(&pod, plural, name).join(", "), want, "{plural} {name}");
        }
        assert!(uses(&json!([1]), "secrets", "x").is_empty());
    }
}
