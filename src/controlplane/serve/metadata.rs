//! Objects as they are served: the cluster's own bytes, with versions of ours. Pure.
//!
//! A client resumes a watch from the `resourceVersion` of the last object that it saw, so all that is served is numbered
//! by the store's sequence; what the cluster itself calls the object's version is in an annotation. Everything else is
//! copied as it came, member by member: no tree of values is made.

use crate::kubernetes::json::{Members, ObjectWriter};
use serde_json::value::RawValue;

/// The annotation with the version that the object's own cluster gave it.
pub(super) const OWN_VERSION: &str = "mqinformer.io/resource-version";
/// The annotation with the object's cluster, in what is served of all clusters.
pub(super) const CLUSTER: &str = "mqinformer.io/cluster";

/// A stored value that is not what its view says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stored value is malformed")]
pub(super) struct Malformed;

impl From<serde_json::Error> for Malformed {
    fn from(_: serde_json::Error) -> Self {
        Self
    }
}

/// What is written into an object's metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks<'a> {
    /// The store's sequence of the object's last change.
    pub(super) version: u64,
    /// Its cluster, where several are served together.
    pub(super) cluster: Option<&'a str>,
}

/// Appends an object.
pub(super) fn object(out: &mut Vec<u8>, value: &[u8], marks: Marks<'_>) -> Result<(), Malformed> {
    let members: Members<'_> = serde_json::from_slice(value)?;
    let metadata = members.get("metadata").ok_or(Malformed)?;
    let mut writer = ObjectWriter::open(out);
    let mut written = false;
    for (name, value) in &members.0 {
        match &**name {
            // Twice, and a reader would believe the one that we have not written.
            "metadata" if written => {}
            "metadata" => {
                written = true;
                write(writer.value(name), metadata, marks)?;
            }
            _ => writer.raw(name, value.get()),
        }
    }
    writer.close();
    Ok(())
}

/// Appends an object's metadata as an object of its own; `value` is the whole object.
pub(super) fn partial(out: &mut Vec<u8>, value: &[u8], marks: Marks<'_>) -> Result<(), Malformed> {
    let members: Members<'_> = serde_json::from_slice(value)?;
    of_metadata(out, members.get("metadata").ok_or(Malformed)?, marks)
}

/// Appends metadata as an object of its own.
pub(super) fn of_metadata(
    out: &mut Vec<u8>,
    metadata: &RawValue,
    marks: Marks<'_>,
) -> Result<(), Malformed> {
    let mut writer = ObjectWriter::open(out);
    writer.text("kind", "PartialObjectMetadata");
    writer.text("apiVersion", "meta.k8s.io/v1");
    write(writer.value("metadata"), metadata, marks)?;
    writer.close();
    Ok(())
}

/// Appends metadata with our marks in it.
fn write(out: &mut Vec<u8>, metadata: &RawValue, marks: Marks<'_>) -> Result<(), Malformed> {
    let members = Members::of(metadata)?;
    let own = members.get("resourceVersion");
    let mut writer = ObjectWriter::open(out);
    for (name, value) in &members.0 {
        if !matches!(&**name, "resourceVersion" | "annotations") {
            writer.raw(name, value.get());
        }
    }
    writer.text("resourceVersion", &marks.version.to_string());
    let annotations = members.get("annotations").filter(|it| it.get() != "null");
    let annotations = annotations
        .map(Members::of)
        .transpose()?
        .unwrap_or_default();
    if own.is_some() || marks.cluster.is_some() || !annotations.0.is_empty() {
        let mut inner = ObjectWriter::open(writer.value("annotations"));
        for (name, value) in &annotations.0 {
            if !matches!(&**name, OWN_VERSION | CLUSTER) {
                inner.raw(name, value.get());
            }
        }
        if let Some(own) = own {
            inner.raw(OWN_VERSION, own.get());
        }
        if let Some(cluster) = marks.cluster {
            inner.text(CLUSTER, cluster);
        }
        inner.close();
    }
    writer.close();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn served(value: &str, cluster: Option<&str>) -> String {
        let mut out = Vec::new();
        let marks = Marks {
            version: 42,
            cluster,
        };
        object(&mut out, value.as_bytes(), marks).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn all_but_the_version_stays_byte_for_byte() {
        assert_eq!(
            served(
                r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","resourceVersion":"7","labels":{"a":"\u0062"}},"spec":{"x":1.50 }}"#,
                None
            ),
            r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","labels":{"a":"\u0062"},"resourceVersion":"42","annotations":{"mqinformer.io/resource-version":"7"}},"spec":{"x":1.50 }}"#
        );
    }

    #[test]
    fn annotations_stay_beside_ours() {
        assert_eq!(
            served(
                r#"{"metadata":{"annotations":{"b":"1","mqinformer.io/cluster":"forged"},"name":"web"}}"#,
                Some("c\"1")
            ),
            r#"{"metadata":{"name":"web","resourceVersion":"42","annotations":{"b":"1","mqinformer.io/cluster":"c\"1"}}}"#
        );
        assert_eq!(
            served(r#"{"metadata":{"annotations":null,"name":"web"}}"#, None),
            r#"{"metadata":{"name":"web","resourceVersion":"42"}}"#
        );
    }

    #[test]
    fn a_second_metadata_cannot_speak_for_the_first() {
        let forged = r#"{"metadata":{"name":"a","resourceVersion":"1","resourceVersion":"2"},"metadata":{"name":"b","annotations":{"mqinformer.io/cluster":"other"}}}"#;
        let read: Value = serde_json::from_str(&served(forged, Some("mine"))).unwrap();
        assert_eq!(read["metadata"]["name"], "a");
        assert_eq!(read["metadata"]["resourceVersion"], "42");
        assert_eq!(read["metadata"]["annotations"][CLUSTER], "mine");
    }

    #[test]
    fn metadata_alone_is_an_object_of_its_own() {
        let mut out = Vec::new();
        let marks = Marks {
            version: 3,
            cluster: None,
        };
        partial(
            &mut out,
            br#"{"kind":"Pod","metadata":{"name":"web"},"spec":{}}"#,
            marks,
        )
        .unwrap();
        let read: Value = serde_json::from_slice(&out).unwrap();
        let expected = json!({
            "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
            "metadata": {"name": "web", "resourceVersion": "3"},
        });
        assert_eq!(read, expected);
    }

    #[test]
    fn what_is_no_object_is_malformed() {
        let marks = Marks {
            version: 1,
            cluster: None,
        };
        for value in [
            "",
            "1",
            "{}",
            r#"{"metadata":1}"#,
            r#"{"metadata":{"annotations":7}}"#,
            r#"{"metadata":{}"#,
            "{\"metadata\":{\"name\":\"\u{0}\"}}",
        ] {
            let refused = object(&mut Vec::new(), value.as_bytes(), marks);
            assert_eq!(refused, Err(Malformed), "{value}");
        }
    }
}
