//! Pods as `logs` sees them, and what selects them.

use super::request::Containers;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Which container kubectl takes when none is named (`k8s.io/kubectl/pkg/cmd/util/podcmd`).
const DEFAULT: &str = "kubectl.kubernetes.io/default-container";

/// A pod.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Pod {
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: String,
    namespace: String,
    uid: String,
    annotations: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    node_name: String,
    containers: Vec<Named>,
    init_containers: Vec<Named>,
    ephemeral_containers: Vec<Named>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    container_statuses: Vec<ContainerStatus>,
    init_container_statuses: Vec<ContainerStatus>,
    ephemeral_container_statuses: Vec<ContainerStatus>,
    phase: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerStatus {
    name: String,
    restart_count: u64,
    state: State,
    last_state: State,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct State {
    running: Option<Value>,
    terminated: Option<Value>,
}

/// A container that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// How often it was started anew.
    pub restarts: u64,
    /// It has run, so that there is a log.
    pub has_run: bool,
    /// It runs.
    pub runs: bool,
    /// Its pod has ended, or was evicted: what has not run never will.
    pub is_over: bool,
}

/// The containers that are meant, and what kubectl says to that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// In the order in which kubectl reads them.
    pub containers: Vec<Container>,
    /// One was taken although there are others.
    pub notice: Option<String>,
}

impl Pod {
    /// Reads a pod; none if it is none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes)
            .ok()
            .filter(|pod: &Self| !pod.metadata.name.is_empty())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        &self.metadata.namespace
    }

    /// Which of all pods of that name it is.
    pub fn uid(&self) -> &str {
        &self.metadata.uid
    }

    /// Where it runs.
    pub fn node(&self) -> &str {
        &self.spec.node_name
    }

    /// Its containers that are meant; in kubectl's words why there are none.
    pub fn choose(&self, containers: &Containers) -> Result<Chosen, String> {
        let mut chosen = Chosen::default();
        let names: Vec<&str> = match containers {
            Containers::All => self.all().collect(),
            Containers::Named(regex) => self.all().filter(|name| regex.is_match(name)).collect(),
            Containers::Default => {
                let annotated = self.metadata.annotations.get(DEFAULT);
                let annotated = annotated.filter(|name| self.all().any(|other| other == **name));
                match (annotated, self.spec.containers.first()) {
                    (Some(name), _) => vec![name],
                    (None, Some(first)) => {
                        chosen.notice = (self.all().count() > 1).then(|| {
                            format!(
                                "Defaulted container {:?} out of: {}",
                                first.name,
                                self.listed()
                            )
                        });
                        vec![&first.name]
                    }
                    (None, None) => vec![],
                }
            }
        };
        if let (Containers::Named(regex), true) = (containers, names.is_empty()) {
            let typed = regex.as_str();
            let typed = typed.strip_prefix("^(?:").unwrap_or(typed);
            let typed = typed.strip_suffix(")$").unwrap_or(typed);
            return Err(format!(
                "container {typed} is not valid for pod {} out of: {}",
                self.name(),
                self.listed()
            ));
        }
        chosen.containers = names.into_iter().map(|name| self.container(name)).collect();
        Ok(chosen)
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        let Spec {
            containers,
            init_containers,
            ephemeral_containers,
            ..
        } = &self.spec;
        let all = init_containers
            .iter()
            .chain(containers)
            .chain(ephemeral_containers);
        all.map(|container| container.name.as_str())
    }

    /// As kubectl lists them.
    fn listed(&self) -> String {
        let named = |list: &[Named], mark: &'static str| -> Vec<String> {
            list.iter()
                .map(|container| format!("{}{mark}", container.name))
                .collect()
        };
        let all = [
            named(&self.spec.containers, ""),
            named(&self.spec.ephemeral_containers, " (ephem)"),
            named(&self.spec.init_containers, " (init)"),
        ];
        all.concat().join(", ")
    }

    fn container(&self, name: &str) -> Container {
        let Status {
            container_statuses,
            init_container_statuses,
            ephemeral_container_statuses,
            phase,
        } = &self.status;
        let mut statuses = container_statuses
            .iter()
            .chain(init_container_statuses)
            .chain(ephemeral_container_statuses);
        let status = statuses.find(|status| status.name == name);
        let runs = status.is_some_and(|status| status.state.running.is_some());
        let ended = |status: &ContainerStatus| {
            status.state.terminated.is_some() || status.last_state.terminated.is_some()
        };
        Container {
            name: name.to_owned(),
            restarts: status.map_or(0, |status| status.restart_count),
            has_run: runs || status.is_some_and(ended),
            runs,
            is_over: matches!(phase.as_str(), "Succeeded" | "Failed"),
        }
    }
}

/// The label selector of the pods that an object selects, as a selection has it.
///
/// # Errors
/// When it selects none, in words.
pub fn selector(object: &Value) -> Result<String, String> {
    let kind = object["kind"].as_str().unwrap_or_default();
    let selector = &object["spec"]["selector"];
    let none = || format!("cannot get the logs from {kind}: it selects no pods");
    let map = selector
        .as_object()
        .filter(|map| !map.is_empty())
        .ok_or_else(none)?;
    let equal = |map: &serde_json::Map<String, Value>| -> Vec<String> {
        map.iter()
            .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
            .collect()
    };
    let nested = map
        .get("matchLabels")
        .or(map.get("matchExpressions"))
        .is_some();
    if !nested {
        // Services and replication controllers have the labels themselves there.
        return Ok(equal(map).join(","));
    }
    let mut terms = map
        .get("matchLabels")
        .and_then(Value::as_object)
        .map(equal)
        .unwrap_or_default();
    let expressions = map.get("matchExpressions").and_then(Value::as_array);
    for expression in expressions.into_iter().flatten() {
        terms.push(term(expression).ok_or_else(none)?);
    }
    Ok(terms.join(","))
}

fn term(expression: &Value) -> Option<String> {
    let key = expression["key"].as_str()?;
    let values = expression["values"].as_array();
    let values: Vec<_> = values
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let values = values.join(",");
    Some(match expression["operator"].as_str()? {
        "In" => format!("{key} in ({values})"),
        "NotIn" => format!("{key} notin ({values})"),
        "Exists" => key.to_owned(),
        "DoesNotExist" => format!("!{key}"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::request::containers;
    use super::*;
    use serde_json::json;

    fn pod() -> Value {
        json!({
            "metadata": {"name": "web-0", "namespace": "shop", "uid": "u", "annotations": {}},
            "spec": {
                "nodeName": "n1",
                "containers": [{"name": "app"}, {"name": "proxy"}],
                "initContainers": [{"name": "setup"}],
            },
            "status": {
                "containerStatuses": [
                    {"name": "app", "restartCount": 2, "state": {"running": {"startedAt": "x"}}},
                    {"name": "proxy", "restartCount": 0, "state": {"waiting": {"reason": "x"}}},
                ],
                "initContainerStatuses": [{"name": "setup", "state": {"terminated": {"exitCode": 0}}}],
            },
        })
    }

    fn chosen(
        pod: &Value,
        name: Option<&str>,
        all: bool,
    ) -> Result<(Vec<String>, Option<String>), String> {
        let pod = Pod::read(pod.to_string().as_bytes()).unwrap();
        let chosen = pod.choose(&containers(name, all).unwrap())?;
        let names = chosen.containers.into_iter().map(|it| it.name).collect();
        Ok((names, chosen.notice))
    }

    #[test]
    fn which_containers_are_meant() {
        let notice = "Defaulted container \"app\" out of: app, proxy, setup (init)";
        assert_eq!(
            chosen(&pod(), None, false),
            Ok((vec!["app".into()], Some(notice.into())))
        );
        let all = ["setup", "app", "proxy"].map(String::from).to_vec();
        assert_eq!(chosen(&pod(), None, true), Ok((all, None)));
        assert_eq!(
            chosen(&pod(), Some("p.*"), false),
            Ok((vec!["proxy".into()], None))
        );
        assert_eq!(
            chosen(&pod(), Some("x"), false),
            Err("container x is not valid for pod web-0 out of: app, proxy, setup (init)".into())
        );
        let mut annotated = pod();
        annotated["metadata"]["annotations"][DEFAULT] = "proxy".into();
        assert_eq!(
            chosen(&annotated, None, false),
            Ok((vec!["proxy".into()], None))
        );
    }

    #[test]
    fn who_has_run() {
        let pod = Pod::read(pod().to_string().as_bytes()).unwrap();
        let state = |name| {
            let container = pod.container(name);
            (container.restarts, container.has_run, container.runs)
        };
        assert_eq!(state("app"), (2, true, true));
        assert_eq!(state("proxy"), (0, false, false));
        assert_eq!(state("setup"), (0, true, false));
    }

    #[test]
    fn what_is_no_pod_is_none() {
        for text in ["", "{}", "[]", r#"{"metadata":{"name":1}}"#] {
            assert!(Pod::read(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn what_selects_pods() {
        for (object, want) in [
            (
                json!({"kind": "Deployment", "spec": {"selector": {"matchLabels": {"app": "web"}, "matchExpressions": [
                    {"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "x", "operator": "DoesNotExist"}]}}}),
                Ok("app=web,tier in (a,b),!x"),
            ),
            (
                json!({"kind": "Service", "spec": {"selector": {"app": "web"}}}),
                Ok("app=web"),
            ),
            (
                json!({"kind": "CronJob", "spec": {}}),
                Err("cannot get the logs from CronJob: it selects no pods"),
            ),
            (
                json!({"kind": "Odd", "spec": {"selector": {"matchExpressions": [{"key": "x", "operator": "New"}]}}}),
                Err("cannot get the logs from Odd: it selects no pods"),
            ),
        ] {
            let got = selector(&object);
            assert_eq!(got.as_deref().map_err(String::as_str), want);
        }
    }
}
