//! "May I?": the reviews that clients ask for before they show or do something. Pure.
//!
//! Whoever may read a cluster may read all that is served of it, and write nothing.

use super::discovery::{Shown, VERBS};
use super::path::{Objects, Resource};
use super::status::Refusal;
use serde::Deserialize;
use serde_json::{Value, json};

/// What is reviewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Review {
    /// `SelfSubjectAccessReview`: may I do this?
    Access,
    /// `SelfSubjectRulesReview`: what may I do?
    Rules,
    /// `SelfSubjectReview`: who am I?
    Who,
}

/// What a request's path wants reviewed, if that is what it wants.
pub(super) fn of(objects: &Objects) -> Option<Review> {
    let Resource {
        group,
        version,
        plural,
    } = &objects.resource;
    let one = objects.name.is_none() && objects.namespace.is_none() && version == "v1";
    match (group.as_str(), plural.as_str()) {
        _ if !one => None,
        ("authorization.k8s.io", "selfsubjectaccessreviews") => Some(Review::Access),
        ("authorization.k8s.io", "selfsubjectrulesreviews") => Some(Review::Rules),
        ("authentication.k8s.io", "selfsubjectreviews") => Some(Review::Who),
        _ => None,
    }
}

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default)]
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    namespace: String,
    resource_attributes: Option<ResourceAttributes>,
    non_resource_attributes: Option<NonResourceAttributes>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ResourceAttributes {
    verb: String,
    group: String,
    resource: String,
    subresource: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NonResourceAttributes {
    path: String,
    verb: String,
}

impl Review {
    /// The answer to the review in `body`.
    pub(super) fn answer(self, body: &[u8], user: &str, shown: &[Shown]) -> Result<Value, Refusal> {
        let unreadable = |error: serde_json::Error| {
            Refusal::bad_request(format!("the review in the body cannot be read: {error}"))
        };
        let asked: Asked = serde_json::from_slice(body).map_err(unreadable)?;
        let mut answer: Value = serde_json::from_slice(body).map_err(unreadable)?;
        let (kind, version, status) = match self {
            Self::Access => (
                "SelfSubjectAccessReview",
                "authorization.k8s.io/v1",
                access(&asked.spec, shown)?,
            ),
            Self::Rules => (
                "SelfSubjectRulesReview",
                "authorization.k8s.io/v1",
                rules(&asked.spec, shown),
            ),
            Self::Who => (
                "SelfSubjectReview",
                "authentication.k8s.io/v1",
                json!({"userInfo": {"username": user, "groups": ["system:authenticated"]}}),
            ),
        };
        let Some(members) = answer.as_object_mut() else {
            return Err(Refusal::bad_request("the body is no review"));
        };
        members.insert("kind".into(), kind.into());
        members.insert("apiVersion".into(), version.into());
        members.entry("metadata").or_insert_with(|| json!({}));
        members.insert("status".into(), status);
        Ok(answer)
    }
}

fn access(spec: &Spec, shown: &[Shown]) -> Result<Value, Refusal> {
    let why_not = match (&spec.resource_attributes, &spec.non_resource_attributes) {
        (Some(asked), None) => objects(asked, shown),
        (None, Some(asked)) => paths(asked),
        _ => {
            return Err(Refusal::bad_request(
                "spec: exactly one of resourceAttributes and nonResourceAttributes must be set",
            ));
        }
    };
    Ok(match why_not {
        None => json!({"allowed": true}),
        Some(why) => json!({"allowed": false, "reason": why}),
    })
}

const READ_ONLY: &str = "a copy of the cluster is served here, to be read only";

fn objects(asked: &ResourceAttributes, shown: &[Shown]) -> Option<&'static str> {
    if !VERBS.contains(&asked.verb.as_str()) {
        return Some(READ_ONLY);
    }
    if !matches!(asked.subresource.as_str(), "" | "status") {
        return Some("a copy of the cluster's objects is served here, without a connection to it");
    }
    let is = |it: &Shown| it.resource.group == asked.group && it.resource.plural == asked.resource;
    match shown.iter().any(is) {
        true => None,
        false => Some("this resource is not stored here"),
    }
}

fn paths(asked: &NonResourceAttributes) -> Option<&'static str> {
    const ROOTS: [&str; 6] = ["api", "apis", "version", "healthz", "livez", "readyz"];
    let root = asked.path.trim_start_matches('/').split('/').next();
    match asked.verb == "get" && root.is_some_and(|root| ROOTS.contains(&root)) {
        true => None,
        false => Some(READ_ONLY),
    }
}

fn rules(spec: &Spec, shown: &[Shown]) -> Value {
    // In a namespace or not: what is served of one is served of all.
    let _ = &spec.namespace;
    let rule = |it: &Shown| json!({"verbs": VERBS, "apiGroups": [it.resource.group], "resources": [it.resource.plural]});
    let resources: Vec<_> = shown.iter().map(rule).collect();
    json!({
        "resourceRules": resources,
        "nonResourceRules": [{
            "verbs": ["get"],
            "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/version", "/healthz", "/livez", "/readyz"],
        }],
        "incomplete": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods() -> Vec<Shown> {
        vec![Shown {
            resource: Resource {
                group: String::new(),
                version: "v1".into(),
                plural: "pods".into(),
            },
            kind: "Pod".into(),
            singular: "pod".into(),
            namespaced: true,
        }]
    }

    fn allowed(attributes: Value) -> bool {
        let body = json!({"spec": attributes}).to_string();
        let answer = Review::Access
            .answer(body.as_bytes(), "ann", &pods())
            .unwrap();
        assert_eq!(answer["kind"], "SelfSubjectAccessReview");
        answer["status"]["allowed"].as_bool().unwrap()
    }

    #[test]
    fn what_is_served_may_be_read_and_nothing_written() {
        for (verb, resource, subresource, expected) in [
            ("get", "pods", "", true),
            ("list", "pods", "", true),
            ("watch", "pods", "", true),
            ("get", "pods", "status", true),
            ("get", "pods", "log", false),
            ("create", "pods", "", false),
            ("*", "pods", "", false),
            ("list", "secrets", "", false),
        ] {
            let attributes = json!({"resourceAttributes": {
                "verb": verb, "resource": resource, "subresource": subresource, "namespace": "shop"}});
            assert_eq!(
                allowed(attributes),
                expected,
                "{verb} {resource}/{subresource}"
            );
        }
        let path =
            |verb, path| allowed(json!({"nonResourceAttributes": {"verb": verb, "path": path}}));
        assert!(path("get", "/apis/apps") && path("get", "/version"));
        assert!(!path("post", "/version") && !path("get", "/logs"));
    }

    #[test]
    fn rules_and_who() {
        let rules = Review::Rules
            .answer(br#"{"spec":{"namespace":"x"}}"#, "ann", &pods())
            .unwrap();
        assert_eq!(
            rules["status"]["resourceRules"][0]["resources"],
            json!(["pods"])
        );
        let who = Review::Who.answer(b"{}", "ann", &[]).unwrap();
        assert_eq!(who["status"]["userInfo"]["username"], "ann");
    }

    #[test]
    fn what_is_no_review_is_refused() {
        for body in [
            "",
            "[]",
            "1",
            "{\"spec\":7}",
            "{}",
            r#"{"spec":{"resourceAttributes":{},"nonResourceAttributes":{}}}"#,
        ] {
            assert!(
                Review::Access
                    .answer(body.as_bytes(), "ann", &pods())
                    .is_err(),
                "{body}"
            );
        }
    }
}
