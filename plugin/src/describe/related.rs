//! What else a description shows: the pods of a node, the events of anything.
//!
//! [`needs`] says what is missing for an object. [`fetches`] says what to ask for, so that a hundred objects do not ask
//! a hundred questions. [`Related`] holds the answers.

use super::field::Field;
use super::selector;
use crate::get::messages::Refusal;
use mqtt_informer::protocol::message::{Selection, View};
use mqtt_informer::protocol::selector::LabelSelector;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// More questions than these about one resource of one namespace are one: what there is of it.
const MOST_QUESTIONS: usize = 4;
/// The annotation by which a static pod's copy in the API server says what the kubelet calls it.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// Objects that belong to what is described.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// A word for the resource.
    resource: &'static str,
    /// Empty for all, and for cluster-scoped resources.
    namespace: String,
    which: Which,
}

/// Which objects of a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Which {
    All,
    Named(String),
    Labelled(String),
    /// Events of an object; an empty kind is any kind.
    Involving {
        kind: String,
        name: String,
        namespace: String,
        uid: String,
    },
    /// Pods of a node that have not ended.
    Running(String),
    /// What is only on this node.
    OnNode(String),
}

impl Need {
    /// The events of an object of this kind.
    pub(super) fn events(kind: &str, object: Field<'_>) -> Self {
        let mirrored = object.at("metadata.annotations").member(MIRROR).text();
        match kind {
            "Pod" => Self::events_of(
                "",
                object,
                if mirrored.is_empty() {
                    object.uid()
                } else {
                    mirrored
                },
            ),
            kind => Self::events_of(kind, object, object.uid()),
        }
    }

    /// The events of a node that its kubelet tells: it knows no uid but the name.
    pub(super) fn events_by_name(object: Field<'_>) -> Self {
        Self::events_of("Node", object, object.name())
    }

    fn events_of(kind: &str, object: Field<'_>, uid: &str) -> Self {
        let which = Which::Involving {
            kind: kind.to_owned(),
            name: object.name().to_owned(),
            namespace: object.namespace().to_owned(),
            uid: uid.to_owned(),
        };
        Self::new("events", object.namespace(), which)
    }

    /// The pods that an object's selector selects.
    pub(super) fn pods(object: Field<'_>) -> Self {
        let selector = object.at("spec.selector");
        let text = match selector.member("matchLabels").exists()
            || selector.member("matchExpressions").exists()
        {
            true => selector::text(selector),
            // A replication controller's is a map.
            false => selector::of_labels(selector),
        };
        Self::new("pods", object.namespace(), Which::Labelled(text))
    }

    /// All pods of an object's namespace.
    pub(super) fn pods_beside(object: Field<'_>) -> Self {
        Self::new("pods", object.namespace(), Which::All)
    }

    /// The pods on a node that have not ended.
    pub(super) fn pods_on(node: Field<'_>) -> Self {
        Self::new("pods", "", Which::Running(node.name().to_owned()))
    }

    /// The replica sets that a deployment's selector selects.
    pub(super) fn replica_sets(deployment: Field<'_>) -> Self {
        let text = selector::text(deployment.at("spec.selector"));
        Self::new(
            "replicasets.apps",
            deployment.namespace(),
            Which::Labelled(text),
        )
    }

    /// The endpoint slices of a service of this name.
    pub(super) fn endpoint_slices(namespace: &str, service: &str) -> Self {
        let text = format!("kubernetes.io/service-name={service}");
        Self::new(
            "endpointslices.discovery.k8s.io",
            namespace,
            Which::Labelled(text),
        )
    }

    /// A service.
    pub(super) fn service(namespace: &str, name: &str) -> Self {
        Self::new("services", namespace, Which::Named(name.to_owned()))
    }

    /// The lease of a node.
    pub(super) fn lease(node: Field<'_>) -> Self {
        Self::new(
            "leases.coordination.k8s.io",
            "kube-node-lease",
            Which::Named(node.name().to_owned()),
        )
    }

    /// The resource slices of a node.
    pub(super) fn resource_slices(node: Field<'_>) -> Self {
        Self::new(
            "resourceslices.resource.k8s.io",
            "",
            Which::OnNode(node.name().to_owned()),
        )
    }

    /// The quotas in a namespace.
    pub(super) fn quotas(namespace: Field<'_>) -> Self {
        Self::new("resourcequotas", namespace.name(), Which::All)
    }

    /// The limit ranges in a namespace.
    pub(super) fn limit_ranges(namespace: Field<'_>) -> Self {
        Self::new("limitranges", namespace.name(), Which::All)
    }

    fn new(resource: &'static str, namespace: &str, which: Which) -> Self {
        Self {
            resource,
            namespace: namespace.to_owned(),
            which,
        }
    }

    /// The stream that has them.
    pub fn selection(&self) -> Selection {
        let (labels, fields) = match &self.which {
            Which::All => (String::new(), String::new()),
            Which::Labelled(labels) => (labels.clone(), String::new()),
            Which::Named(name) => (String::new(), format!("metadata.name={name}")),
            Which::Running(node) => {
                let ended = "status.phase!=Succeeded,status.phase!=Failed";
                (String::new(), format!("spec.nodeName={node},{ended}"))
            }
            Which::OnNode(node) => (String::new(), format!("spec.nodeName={node}")),
            Which::Involving {
                kind,
                name,
                namespace,
                uid,
            } => {
                let about =
                    format!("involvedObject.name={name},involvedObject.namespace={namespace}");
                let more = [("kind", kind), ("uid", uid)];
                let more = more.into_iter().filter(|(_, value)| !value.is_empty());
                let more = more.map(|(field, value)| format!(",involvedObject.{field}={value}"));
                (String::new(), about + &more.collect::<String>())
            }
        };
        Selection {
            resource: self.resource.to_owned(),
            namespace: self.namespace.clone(),
            labels,
            fields,
            view: View::Objects,
            ..Selection::default()
        }
    }

    /// Whether an object of the resource is one of them.
    fn includes(&self, object: Field<'_>) -> bool {
        let same_namespace = self.namespace.is_empty() || object.namespace() == self.namespace;
        same_namespace
            && match &self.which {
                Which::All => true,
                Which::Named(name) => object.name() == name,
                Which::Labelled(text) => {
                    let labels = object.at("metadata.labels").map();
                    let selector = LabelSelector::parse(text);
                    selector.is_ok_and(|selector| selector.matches(|key| labels.get(key).copied()))
                }
                Which::Running(node) => {
                    let phase = object.at("status.phase").text();
                    object.at("spec.nodeName").text() == node
                        && !["Succeeded", "Failed"].contains(&phase)
                }
                Which::OnNode(node) => object.at("spec.nodeName").text() == node,
                Which::Involving {
                    kind,
                    name,
                    namespace,
                    uid,
                } => {
                    let about = object.member("involvedObject");
                    let is = |field: &str, wanted: &str| about.member(field).text() == wanted;
                    is("name", name)
                        && is("namespace", namespace)
                        && (kind.is_empty() || is("kind", kind))
                        && (uid.is_empty() || is("uid", uid))
                }
            }
    }
}

/// What has to be known for an object's description, beside itself.
pub fn needs(group: &str, kind: &str, object: &Value, with_events: bool) -> BTreeSet<Need> {
    let object = Field::of(object);
    let mut needs = BTreeSet::new();
    let events = with_events && shows_events(group, kind);
    needs.extend(events.then(|| Need::events(kind, object)));
    match (group, kind) {
        ("", "Node") => {
            needs.extend(events.then(|| Need::events_by_name(object)));
            needs.extend([
                Need::pods_on(object),
                Need::lease(object),
                Need::resource_slices(object),
            ]);
        }
        ("", "Namespace") => needs.extend([Need::quotas(object), Need::limit_ranges(object)]),
        ("", "ReplicationController") | ("apps", "ReplicaSet" | "StatefulSet" | "DaemonSet") => {
            needs.extend([Need::pods(object)]);
        }
        ("apps", "Deployment") => needs.extend([Need::replica_sets(object)]),
        ("", "PersistentVolumeClaim") => needs.extend([Need::pods_beside(object)]),
        ("", "Service") => needs.extend([Need::endpoint_slices(object.namespace(), object.name())]),
        ("networking.k8s.io", "Ingress") => {
            for service in super::ingress::backend_services(object) {
                needs.insert(Need::service(object.namespace(), service));
                needs.insert(Need::endpoint_slices(object.namespace(), service));
            }
        }
        _ => {}
    }
    needs
}

/// kubectl shows no events under these.
fn shows_events(group: &str, kind: &str) -> bool {
    !matches!(
        (group, kind),
        ("", "Secret" | "Namespace" | "LimitRange" | "ResourceQuota")
            | (
                "rbac.authorization.k8s.io",
                "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding"
            )
            | ("networking.k8s.io", "NetworkPolicy")
    )
}

/// What to ask for, and which needs each answer meets.
pub fn fetches(needs: &BTreeSet<Need>) -> Vec<(Need, Vec<Need>)> {
    let mut by_place: BTreeMap<_, Vec<&Need>> = BTreeMap::new();
    for need in needs {
        by_place
            .entry((need.resource, &need.namespace))
            .or_default()
            .push(need);
    }
    let mut fetches = Vec::new();
    for ((resource, namespace), needs) in by_place {
        if needs.len() > MOST_QUESTIONS {
            let all = Need::new(resource, namespace, Which::All);
            fetches.push((all, needs.into_iter().cloned().collect()));
        } else {
            fetches.extend(
                needs
                    .into_iter()
                    .map(|need| (need.clone(), vec![need.clone()])),
            );
        }
    }
    fetches
}

/// The objects that belong to those that are described, or why they are not there.
#[derive(Debug, Default)]
pub struct Related {
    answers: BTreeMap<Need, Result<Vec<Value>, Refusal>>,
}

impl Related {
    /// Takes the answer to a fetch, for the needs that it meets.
    pub fn take(&mut self, met: Vec<Need>, answer: Result<Vec<Value>, Refusal>) {
        for need in met {
            let mine = answer.as_ref().map_err(Clone::clone).map(|objects| {
                let mine = objects
                    .iter()
                    .filter(|object| need.includes(Field::of(object)));
                mine.cloned().collect()
            });
            self.answers.insert(need, mine);
        }
    }

    /// What was answered; what was never asked is nothing.
    pub(super) fn get(&self, need: &Need) -> Result<Vec<Field<'_>>, Refusal> {
        match self.answers.get(need) {
            Some(Ok(objects)) => Ok(objects.iter().map(Field::of).collect()),
            Some(Err(refusal)) => Err(refusal.clone()),
            None => Ok(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(name: &str) -> Value {
        json!({"metadata": {"name": name, "namespace": "shop", "uid": format!("u-{name}"), "labels": {"app": name}},
               "spec": {"selector": {"matchLabels": {"app": name}}}})
    }

    fn asked(group: &str, kind: &str, events: bool) -> Vec<String> {
        let shown = |selection: Selection| {
            let Selection {
                resource,
                namespace,
                labels,
                fields,
                ..
            } = selection;
            format!("{resource} {namespace} {labels}{fields}")
        };
        let needs = needs(group, kind, &object("web"), events);
        needs.iter().map(|need| shown(need.selection())).collect()
    }

    #[test]
    fn each_kind_asks_for_what_it_shows() {
        let pod = "events shop involvedObject.name=web,involvedObject.namespace=shop,involvedObject.uid=u-web";
        assert_eq!(asked("", "Pod", true), [pod]);
        let map = "events shop involvedObject.name=web,involvedObject.namespace=shop,involvedObject.kind=ConfigMap,\
                   involvedObject.uid=u-web";
        assert_eq!(asked("", "ConfigMap", true), [map]);
        assert_eq!(asked("", "ConfigMap", false), [""; 0]);
        assert_eq!(asked("", "Secret", true), [""; 0]);
        assert_eq!(
            asked("apps", "Deployment", false),
            ["replicasets.apps shop app=web"]
        );
        assert_eq!(asked("apps", "ReplicaSet", false), ["pods shop app=web"]);
        let slices = "endpointslices.discovery.k8s.io shop kubernetes.io/service-name=web";
        assert_eq!(asked("", "Service", false), [slices]);
        assert_eq!(asked("", "Node", true).len(), 5);
    }

    #[test]
    fn many_questions_become_one_and_each_gets_its_answer() {
        let objects: Vec<_> = (0..6).map(|n| object(&format!("o{n}"))).collect();
        let needs: BTreeSet<_> = objects
            .iter()
            .flat_map(|o| needs("apps", "ReplicaSet", o, false))
            .collect();
        let fetches = fetches(&needs);
        let [(all, met)] = &fetches[..] else {
            panic!("{fetches:?}")
        };
        assert_eq!((all.selection().labels.as_str(), met.len()), ("", 6));
        let mut related = Related::default();
        related.take(met.clone(), Ok(objects.clone()));
        let mine = related.get(&Need::pods(Field::of(&objects[3]))).unwrap();
        assert_eq!(mine.iter().map(|o| o.name()).collect::<Vec<_>>(), ["o3"]);
    }

    #[test]
    fn events_are_told_apart_by_uid() {
        let event = |uid: &str| {
            json!({
                "metadata": {"name": uid, "namespace": "shop"},
                "involvedObject": {"kind": "Pod", "name": "web", "namespace": "shop", "uid": uid},
            })
        };
        let web = object("web");
        let need = Need::events("Pod", Field::of(&web));
        let mut related = Related::default();
        related.take(vec![need.clone()], Ok(vec![event("u-old"), event("u-web")]));
        assert_eq!(related.get(&need).unwrap().len(), 1);
        let refusal = Refusal::local("no");
        related.take(vec![need.clone()], Err(refusal.clone()));
        assert_eq!(related.get(&need).unwrap_err(), refusal);
    }
}
