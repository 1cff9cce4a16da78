//! Which fields a selector may name, and what they are. Pure.
//!
//! Follows the field label conversions and the `GetAttrs` of `k8s.io/kubernetes` v0.36: each resource has a few fields,
//! and all have `metadata.name` and `metadata.namespace`.

use super::path::Resource;
use super::status::Refusal;
use crate::protocol::selector::FieldSelector;

const POD: &[&str] = &[
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.podIPs",
    "status.nominatedNodeName",
];
const EVENT: &[&str] = &[
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
];
const NEWER_EVENT: &[&str] = &[
    "regarding.kind",
    "regarding.namespace",
    "regarding.name",
    "regarding.uid",
    "regarding.apiVersion",
    "regarding.resourceVersion",
    "regarding.fieldPath",
    "reason",
    "reportingController",
    "type",
];

/// The fields of a resource besides its name and its namespace; None if it has no conversion of labels of its own.
fn own(resource: &Resource) -> Option<&'static [&'static str]> {
    Some(match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "pods") => POD,
        ("", "events") => EVENT,
        ("events.k8s.io", "events") => NEWER_EVENT,
        ("", "nodes") => &["spec.unschedulable"],
        ("", "namespaces") => &["status.phase"],
        ("", "secrets") => &["type"],
        ("", "services") => &["spec.clusterIP", "spec.type"],
        ("", "replicationcontrollers") => &["status.replicas"],
        ("batch", "jobs") => &["status.successful"],
        ("certificates.k8s.io", "certificatesigningrequests" | "clustertrustbundles") => {
            &["spec.signerName"]
        }
        ("certificates.k8s.io", "podcertificaterequests") => {
            &["spec.signerName", "spec.podName", "spec.nodeName"]
        }
        ("resource.k8s.io", "resourceslices") => &["spec.nodeName", "spec.driver"],
        _ => return None,
    })
}

/// Whether a group is Kubernetes' own: other resources are custom ones, which word their refusals otherwise.
fn is_built_in(group: &str) -> bool {
    const OWN: [&str; 14] = [
        "admissionregistration",
        "apiextensions",
        "apiregistration",
        "certificates",
        "coordination",
        "discovery",
        "events",
        "flowcontrol.apiserver",
        "internal.apiserver",
        "networking",
        "node",
        "rbac.authorization",
        "resource",
        "storage",
    ];
    match group.strip_suffix(".k8s.io") {
        Some(name) => OWN.contains(&name) || matches!(name, "scheduling" | "storagemigration"),
        None => matches!(group, "" | "apps" | "autoscaling" | "batch" | "policy"),
    }
}

/// Refuses a selector that names a field which the resource does not have.
pub(super) fn check(
    resource: &Resource,
    namespaced: bool,
    selector: &FieldSelector,
) -> Result<(), Refusal> {
    let own = own(resource);
    let lenient = own.is_none() && is_built_in(&resource.group);
    let known = |field: &str| match field {
        "metadata.name" => true,
        "metadata.namespace" => namespaced || lenient,
        field => own.is_some_and(|own| own.contains(&field)),
    };
    let mut fields = selector.terms().map(|(field, ..)| field);
    match fields.find(|field| !known(field)) {
        None => Ok(()),
        Some(field) if lenient => Err(Refusal::bad_request(format!(
            "{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        ))),
        Some(field) => Err(Refusal::bad_request(format!(
            "field label not supported: {field}"
        ))),
    }
}

/// What of a selector looks at the object and may change, in terms of the object's own paths; what looks at its name and
/// namespace alone is left out.
///
/// A field that is not there is empty to a store, and to Kubernetes the default of its type.
pub(super) fn of_object(resource: &Resource, selector: &FieldSelector) -> FieldSelector {
    let jobs = (resource.group.as_str(), resource.plural.as_str()) == ("batch", "jobs");
    selector.rewritten(|field, differs, value| {
        let term =
            |field: &str, differs, value: &str| Some((field.to_owned(), differs, value.to_owned()));
        match (field, value) {
            ("metadata.name" | "metadata.namespace", _) => None,
            ("spec.unschedulable" | "spec.hostNetwork", "false") => term(field, !differs, "true"),
            ("status.successful", "0") if jobs => term("status.succeeded", differs, ""),
            ("status.successful", value) if jobs => term("status.succeeded", differs, value),
            ("source", value) => term("source.component", differs, value),
            (field, value) => term(field, differs, value),
        }
    })
}

/// What of a selector looks at the name and the namespace, which never change.
pub(super) fn of_name(selector: &FieldSelector) -> FieldSelector {
    selector.rewritten(|field, differs, value| {
        matches!(field, "metadata.name" | "metadata.namespace")
            .then(|| (field.to_owned(), differs, value.to_owned()))
    })
}

/// The one name that a selector leaves.
pub(super) fn name(selector: &FieldSelector) -> Option<String> {
    let mut terms = selector.terms();
    let exact = terms.find(|(field, differs, _)| *field == "metadata.name" && !differs);
    exact.map(|(.., value)| value.to_owned())
}

/// The selector without that name.
pub(super) fn besides(selector: &FieldSelector, name: &str) -> FieldSelector {
    selector.rewritten(|field, differs, value| {
        let is_it = field == "metadata.name" && !differs && value == name;
        (!is_it).then(|| (field.to_owned(), differs, value.to_owned()))
    })
}

/// Whether an object of that name is selected by what [`of_name`] has left.
pub(super) fn selects(selector: &FieldSelector, namespace: &str, name: &str) -> bool {
    selector.matches(|field| match field {
        "metadata.name" => name.to_owned(),
        "metadata.namespace" => namespace.to_owned(),
        _ => String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(group: &str, plural: &str) -> Resource {
        Resource {
            group: group.into(),
            version: "v1".into(),
            plural: plural.into(),
        }
    }

    fn parse(text: &str) -> FieldSelector {
        FieldSelector::parse(text).unwrap()
    }

    #[test]
    fn what_kubernetes_calls_otherwise_is_found_in_the_object() {
        for ((group, plural), text, expected) in [
            (
                ("", "pods"),
                "spec.nodeName=n1,metadata.name=web",
                "spec.nodeName=n1",
            ),
            (
                ("", "pods"),
                "spec.hostNetwork=false",
                "spec.hostNetwork!=true",
            ),
            (
                ("", "nodes"),
                "spec.unschedulable!=false",
                "spec.unschedulable=true",
            ),
            (
                ("", "nodes"),
                "spec.unschedulable=true",
                "spec.unschedulable=true",
            ),
            (
                ("batch", "jobs"),
                "status.successful=0",
                "status.succeeded=",
            ),
            (
                ("batch", "jobs"),
                "status.successful!=2",
                "status.succeeded!=2",
            ),
            (("", "events"), "source=kubelet", "source.component=kubelet"),
            (("", "pods"), "metadata.namespace!=shop", ""),
        ] {
            let of_object = of_object(&resource(group, plural), &parse(text));
            assert_eq!(of_object.to_string(), expected, "{text}");
        }
    }

    #[test]
    fn names_never_change() {
        let selector =
            parse("metadata.name=web,metadata.namespace!=kube-system,status.phase=Running");
        assert_eq!(name(&selector).as_deref(), Some("web"));
        let of_name = of_name(&selector);
        assert!(selects(&of_name, "shop", "web"));
        assert!(!selects(&of_name, "kube-system", "web"));
        assert!(!selects(&of_name, "shop", "api"));
    }

    #[test]
    fn other_fields_are_refused_in_the_api_server_s_words() {
        let refused = |resource: Resource, text: &str| {
            let refusal = check(&resource, true, &parse(text)).unwrap_err().json();
            refusal["message"].as_str().unwrap().to_owned()
        };
        assert_eq!(
            refused(resource("", "pods"), "spec.foo=1"),
            "field label not supported: spec.foo"
        );
        assert_eq!(
            refused(resource("", "configmaps"), "data.x=1"),
            "\"data.x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        );
        assert_eq!(
            refused(
                resource("gateway.networking.k8s.io", "gateways"),
                "spec.size=1"
            ),
            "field label not supported: spec.size"
        );
        let nodes = check(
            &resource("", "nodes"),
            false,
            &parse("metadata.namespace=x"),
        );
        assert!(nodes.is_err());
        for (group, plural, text) in [
            ("", "pods", "spec.nodeName=x"),
            ("", "configmaps", "metadata.name=x"),
            ("", "events", "involvedObject.kind=Pod"),
            ("events.k8s.io", "events", "regarding.kind=Pod"),
        ] {
            assert_eq!(check(&resource(group, plural), true, &parse(text)), Ok(()));
        }
    }
}
