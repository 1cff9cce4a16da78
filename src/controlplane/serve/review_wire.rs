//! Reviews as protocol buffers, which kubectl sends: what of them is read, as the JSON that it stands for. Pure.
//!
//! Follows `k8s.io/api/authorization/v1/generated.proto` and the envelope of `k8s.io/apimachinery/pkg/runtime`.

use prost::Message;
use serde_json::{Value, json};

/// The media type.
pub(super) const MEDIA: &str = "application/vnd.kubernetes.protobuf";

/// What stands before each message.
const MAGIC: &[u8] = b"k8s\0";

#[derive(Clone, PartialEq, Message)]
struct Envelope {
    #[prost(bytes = "vec", tag = "2")]
    raw: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Review {
    #[prost(message, optional, tag = "2")]
    spec: Option<Spec>,
}

#[derive(Clone, PartialEq, Message)]
struct Spec {
    #[prost(message, optional, tag = "1")]
    resource: Option<ResourceAttributes>,
    #[prost(message, optional, tag = "2")]
    non_resource: Option<NonResourceAttributes>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceAttributes {
    #[prost(string, tag = "1")]
    namespace: String,
    #[prost(string, tag = "2")]
    verb: String,
    #[prost(string, tag = "3")]
    group: String,
    #[prost(string, tag = "4")]
    version: String,
    #[prost(string, tag = "5")]
    resource: String,
    #[prost(string, tag = "6")]
    subresource: String,
    #[prost(string, tag = "7")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct NonResourceAttributes {
    #[prost(string, tag = "1")]
    path: String,
    #[prost(string, tag = "2")]
    verb: String,
}

/// The other reviews have no attributes: a namespace that nothing depends on, or nothing.
#[derive(Clone, PartialEq, Message)]
struct WithoutAttributes {}

/// The review as JSON; None if it is none. Only one of access `has_attributes`.
pub(super) fn json(body: &[u8], has_attributes: bool) -> Option<Value> {
    let envelope = Envelope::decode(body.strip_prefix(MAGIC)?).ok()?;
    if !has_attributes {
        WithoutAttributes::decode(envelope.raw.as_slice()).ok()?;
        return Some(json!({"spec": {}}));
    }
    let spec = Review::decode(envelope.raw.as_slice()).ok()?.spec?;
    let mut out = json!({});
    if let Some(it) = spec.resource {
        out["resourceAttributes"] = json!({
            "namespace": it.namespace, "verb": it.verb, "group": it.group, "version": it.version,
            "resource": it.resource, "subresource": it.subresource, "name": it.name,
        });
    }
    if let Some(it) = spec.non_resource {
        out["nonResourceAttributes"] = json!({"path": it.path, "verb": it.verb});
    }
    Some(json!({"spec": out}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_review_is_the_json_that_it_stands_for() {
        let resource = ResourceAttributes {
            verb: "list".into(),
            resource: "pods".into(),
            ..ResourceAttributes::default()
        };
        let spec = Some(Spec {
            resource: Some(resource),
            non_resource: None,
        });
        let raw = Review { spec }.encode_to_vec();
        let body = [MAGIC, &Envelope { raw }.encode_to_vec()].concat();
        let read = json(&body, true).unwrap();
        assert_eq!(read["spec"]["resourceAttributes"]["verb"], "list");
        assert_eq!(json(&body, false).unwrap(), json!({"spec": {}}));
        assert_eq!(json(&body[1..], true), None);
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = json(&[MAGIC, &bytes].concat(), true);
            let _ = json(&bytes, false);
        }
    }
}
