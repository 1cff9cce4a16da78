//! What there is in a thing's place, by a fresh answer. "Not found" is said of an object, and of a version that is not
//! served (any more): only the first means that the object is gone.

use super::turn::Turn;
use super::write::place;
use crate::kubernetes::{Catalog, Place, WriteError};
use crate::ocm::AppliedResource;
use crate::source::Refusal;
use bytes::Bytes;
use serde_json::Value;
use std::time::Duration;

impl Turn {
    /// The object, in whichever version it is served; none: it is gone.
    pub(super) async fn find(&self, thing: &AppliedResource) -> Result<Option<Bytes>, WriteError> {
        let mut at = thing.clone();
        for _ in 0..2 {
            match self.own.object(&place(&at)).await {
                Ok(object) => return Ok(Some(object)),
                Err(WriteError::Refused(refusal)) if refusal.code == 404 => {
                    if is_of(&refusal, &thing.name) {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error),
            }
            let catalog = self.own.catalog(Duration::ZERO).await?;
            match served(&catalog, &at) {
                Some(version) => version.clone_into(&mut at.version),
                None => return self.undefined(thing).await,
            }
        }
        let (resource, name) = (&thing.resource, &thing.name);
        Err(WriteError::Away(format!(
            "whether {resource} {name:?} is there is not known: the API server serves no {resource} at the moment"
        )))
    }

    /// No version is served: with its definition an object goes, but a definition may be there and not be served.
    async fn undefined(&self, thing: &AppliedResource) -> Result<Option<Bytes>, WriteError> {
        let definition = Place {
            group: "apiextensions.k8s.io".to_owned(),
            version: "v1".to_owned(),
            plural: "customresourcedefinitions".to_owned(),
            namespace: String::new(),
            name: format!("{}.{}", thing.resource, thing.group),
        };
        match self.own.object(&definition).await {
            Ok(_) => Err(WriteError::Away(format!(
                "whether {} {:?} is there is not known: the definition {} serves no version of it; let it serve one, or delete it",
                thing.resource, thing.name, definition.name
            ))),
            // Who may not see definitions goes by what is served.
            Err(WriteError::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whether a 404 is said of that very object.
fn is_of(refusal: &Refusal, name: &str) -> bool {
    refusal.message.contains(&format!("{name:?}"))
}

/// The version in which a thing can be asked for: its own, if that is served, else the one that its group prefers.
fn served<'a>(catalog: &'a Catalog, thing: &AppliedResource) -> Option<&'a str> {
    let is = |group: &str, name: &str, namespaced: bool| {
        group == thing.group && name == thing.resource && namespaced != thing.namespace.is_empty()
    };
    let all = catalog.resources.iter();
    let all = all.filter(|it| is(&it.group, &it.name, it.namespaced));
    let mut versions = all.map(|it| it.version.as_str());
    let first = versions.clone().next();
    versions.find(|it| *it == thing.version).or(first)
}

/// A thing, in the version in which its object was shown.
pub(super) fn as_shown(thing: &AppliedResource, object: &Value) -> AppliedResource {
    let said = object["apiVersion"].as_str().unwrap_or_default();
    let (group, version) = said.rsplit_once('/').unwrap_or(("", said));
    let mut shown = thing.clone();
    if group == thing.group && !version.is_empty() {
        version.clone_into(&mut shown.version);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::Resource;
    use serde_json::json;

    fn gadget(version: &str) -> AppliedResource {
        AppliedResource {
            group: "example.com".to_owned(),
            version: version.to_owned(),
            resource: "gadgets".to_owned(),
            namespace: "n".to_owned(),
            name: "g".to_owned(),
            uid: None,
        }
    }

    #[test]
    fn not_found_is_said_of_an_object_or_of_its_version() {
        let said = |message: &str| Refusal {
            code: 404,
            reason: "NotFound".into(),
            message: message.to_owned(),
        };
        let own = said(r#"gadgets.example.com "g" not found"#);
        assert!(is_of(&own, "g") && !is_of(&own, "gadgets"));
        let unserved = said("the server could not find the requested resource");
        assert!(!is_of(&unserved, "g"));
    }

    #[test]
    fn a_thing_is_asked_for_in_a_version_that_is_served() {
        let resource = |version: &str, namespaced| Resource {
            group: "example.com".to_owned(),
            version: version.to_owned(),
            name: "gadgets".to_owned(),
            namespaced,
            ..Resource::default()
        };
        let catalog = Catalog {
            resources: vec![resource("v2", true), resource("v1", true)],
        };
        assert_eq!(served(&catalog, &gadget("v1")), Some("v1"));
        assert_eq!(served(&catalog, &gadget("v1alpha1")), Some("v2"));
        let other = Catalog {
            resources: vec![resource("v1", false)],
        };
        assert_eq!(served(&other, &gadget("v1")), None, "of another scope");
        let shown = as_shown(&gadget("v1"), &json!({"apiVersion": "example.com/v2"}));
        assert_eq!(shown, gadget("v2"));
        assert_eq!(as_shown(&gadget("v1"), &json!({})), gadget("v1"));
    }
}
