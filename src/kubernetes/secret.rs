//! The one gate through which Secrets leave the cluster.
//!
//! Values and the last-applied annotation stay, except for a Secret whose owner labelled it `mqtt-resource` in a stream
//! that asks for values, or when the source was told to show all. A redacted Secret is built from an allow-list: what
//! this does not know does not leave. It says that it is redacted, and how long its values are.
//!
//! **Architecture invariant:** the view `rows` shows no values (the API server prints their number) and drops the
//! last-applied annotation of every object; the view `objects` comes through here.

use super::json::{Members, ObjectWriter, Text};
use super::view::Malformed;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The annotation into which `kubectl apply` writes the whole object, a Secret's values included.
pub(super) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Says that a Secret's values were emptied.
const REDACTED: &str = "mqinformer.io/redacted";
/// Says how many bytes each value had.
const LENGTHS: &str = "mqinformer.io/secret-lengths";
/// What leaves of a Secret that is in a work, without the values.
const MANIFEST: [&str; 7] = [
    "apiVersion",
    "kind",
    "metadata",
    "type",
    "immutable",
    "data",
    "stringData",
];
/// The label by which a Secret's owner allows its values to leave.
const ALLOWING_LABEL: &str = "mqtt-resource";

/// Which Secrets leave as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Release {
    /// None.
    Nothing,
    /// Those whose owner allows it.
    Labelled,
    /// All.
    All,
}

impl Release {
    /// Whether the Secret with this metadata leaves as it is.
    pub(super) fn allows(self, metadata: &RawValue) -> Result<bool, Malformed> {
        #[derive(Deserialize)]
        struct Labelled<'a> {
            #[serde(borrow, default)]
            labels: Option<Members<'a>>,
        }
        Ok(match self {
            Self::Nothing => false,
            Self::All => true,
            Self::Labelled => {
                let labels = Labelled::deserialize(metadata)?.labels;
                labels.is_some_and(|labels| labels.get(ALLOWING_LABEL).is_some())
            }
        })
    }
}

/// Writes what may leave of a Secret's members.
pub(super) fn redacted(
    writer: &mut ObjectWriter<'_>,
    secret: &Members<'_>,
    managed_fields: bool,
) -> Result<(), Malformed> {
    let mut lengths = Vec::new();
    let mut inner = ObjectWriter::open(&mut lengths);
    for (name, value) in &secret.0 {
        match &**name {
            "data" | "stringData" => {
                for (key, value) in &members(value)?.0 {
                    inner.raw(
                        key,
                        &length(value, name == &Text("data".into())).to_string(),
                    );
                }
            }
            _ => {}
        }
    }
    inner.close();
    // Keys and numbers only, so this is UTF-8 as the API server's answer was.
    let lengths = String::from_utf8(lengths).map_err(|_| Malformed::NoMetadata)?;
    for (name, value) in &secret.0 {
        match &**name {
            "metadata" => metadata(writer.value(name), value, &lengths, managed_fields)?,
            "data" | "stringData" => {
                let mut emptied = ObjectWriter::open(writer.value(name));
                for (key, _) in &members(value)?.0 {
                    emptied.text(key, "");
                }
                emptied.close();
            }
            "type" | "immutable" => writer.raw(name, value.get()),
            _ => {}
        }
    }
    Ok(())
}

/// Writes the members of an object that has whole objects in it, as works have: the Secrets among these without values.
/// `kubectl apply` writes all of it once more into an annotation, which stays.
pub(super) fn without_values(
    writer: &mut ObjectWriter<'_>,
    object: &Members<'_>,
    managed_fields: bool,
) -> Result<(), Malformed> {
    for (name, value) in &object.0 {
        let mut value = Value::deserialize(*value)?;
        if &**name == "metadata" {
            strip(&mut value, managed_fields);
        }
        empty_secrets(&mut value);
        writer.raw(name, &value.to_string());
    }
    Ok(())
}

fn strip(metadata: &mut Value, managed_fields: bool) {
    let Some(metadata) = metadata.as_object_mut() else {
        return;
    };
    if !managed_fields {
        metadata.remove("managedFields");
    }
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
        annotations.remove(LAST_APPLIED);
    }
}

/// Says that values were emptied, whatever stood there.
fn mark(metadata: &mut Value) {
    let Some(metadata) = metadata.as_object_mut() else {
        return;
    };
    let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
    if !annotations.is_object() {
        *annotations = json!({});
    }
    annotations[REDACTED] = "true".into();
}

fn empty_secrets(value: &mut Value) {
    if value["kind"] == "Secret"
        && value["apiVersion"] == "v1"
        && let Some(secret) = value.as_object_mut()
    {
        secret.retain(|name, _| MANIFEST.contains(&name.as_str()));
        for name in ["data", "stringData"] {
            if let Some(Value::Object(values)) = secret.get_mut(name) {
                values.values_mut().for_each(|it| *it = "".into());
            }
        }
        let metadata = secret.entry("metadata").or_insert_with(|| json!({}));
        strip(metadata, true);
        mark(metadata);
        return;
    }
    match value {
        Value::Object(members) => members.values_mut().for_each(empty_secrets),
        Value::Array(items) => items.iter_mut().for_each(empty_secrets),
        _ => {}
    }
}

fn metadata(
    out: &mut Vec<u8>,
    raw: &RawValue,
    lengths: &str,
    managed_fields: bool,
) -> Result<(), Malformed> {
    let mut metadata = Members::of(raw)?;
    if !managed_fields {
        metadata.remove("managedFields");
    }
    let annotations = match metadata.get("annotations") {
        Some(raw) => members(raw)?,
        None => Members::default(),
    };
    metadata.remove("annotations");
    let mut writer = ObjectWriter::open(out);
    for (name, value) in &metadata.0 {
        writer.raw(name, value.get());
    }
    let mut inner = ObjectWriter::open(writer.value("annotations"));
    for (name, value) in &annotations.0 {
        if ![LAST_APPLIED, REDACTED, LENGTHS].contains(&&**name) {
            inner.raw(name, value.get());
        }
    }
    inner.text(REDACTED, "true");
    inner.text(LENGTHS, lengths);
    inner.close();
    writer.close();
    Ok(())
}

/// A map's members; `null` has none.
fn members(raw: &RawValue) -> Result<Members<'_>, Malformed> {
    Ok(Option::<Members<'_>>::deserialize(raw)?.unwrap_or_default())
}

/// How many bytes a value has, decoded if it is base64.
fn length(value: &RawValue, base64: bool) -> usize {
    let text = Text::deserialize(value).unwrap_or_default();
    match base64 {
        true => text.trim_end_matches('=').len() * 3 / 4,
        false => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::object::Objects;
    use crate::source::Resolved;

    const CANARY: &str = "Y2FuYXJ5"; // "canary"

    fn secret(labels: &str) -> String {
        format!(
            r#"{{"kind":"Secret","apiVersion":"v1","metadata":{{"name":"db","namespace":"shop","labels":{labels},"managedFields":[],
             "annotations":{{"kubectl.kubernetes.io/last-applied-configuration":"{{\"data\":{{\"p\":\"{CANARY}\"}}}}",
             "\u006dqinformer.io/redacted":"{CANARY}","note":"kept"}}}},
             "data":{{"p\"w":"{CANARY}","empty":"","two":"AAE="}},"stringData":{{"s":"{CANARY}"}},
             "unknownToUs":{{"deep":["{CANARY}"]}},"immutable":false,"type":"Opaque"}}"#
        )
    }

    fn leaves(labels: &str, secret_values: bool, show_secrets: bool) -> String {
        let selection = Resolved {
            plural: "secrets".into(),
            kind: "Secret".into(),
            secret_values,
            ..crate::kubernetes::view::tests::pods()
        };
        let json = secret(labels);
        let raw = serde_json::from_str(&json).unwrap();
        let (_, value) = Objects::new(&selection, show_secrets).entry(raw).unwrap();
        String::from_utf8(value.to_vec()).unwrap()
    }

    #[test]
    fn no_value_leaves() {
        let labelled = r#"{"mqtt-resource":"true"}"#;
        for (labels, asked) in [
            ("{}", false),
            ("{}", true),
            (r#"{"mqtt-resources":""}"#, true),
            (labelled, false),
            ("null", true),
        ] {
            let json = leaves(labels, asked, false);
            assert!(!json.contains(CANARY), "{json}");
            let object: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(
                object["data"],
                serde_json::json!({"p\"w": "", "empty": "", "two": ""})
            );
            assert_eq!(object["type"], "Opaque");
            let annotations = &object["metadata"]["annotations"];
            assert_eq!(
                (&annotations["note"], &annotations["mqinformer.io/redacted"]),
                (&"kept".into(), &"true".into())
            );
            let lengths = annotations["mqinformer.io/secret-lengths"]
                .as_str()
                .unwrap();
            let lengths: serde_json::Value = serde_json::from_str(lengths).unwrap();
            assert_eq!(
                lengths,
                serde_json::json!({"p\"w": 6, "empty": 0, "two": 2, "s": 8})
            );
        }
    }

    #[test]
    fn works_leave_without_the_values_of_the_secrets_in_them() {
        let selection = Resolved {
            group: "work.open-cluster-management.io".into(),
            plural: "manifestworks".into(),
            kind: "ManifestWork".into(),
            ..crate::kubernetes::view::tests::pods()
        };
        let list = format!(
            r#"{{"apiVersion":"v1","kind":"List","items":[{}]}}"#,
            secret("{}")
        );
        let json = format!(
            r#"{{"metadata":{{"name":"w","namespace":"c","managedFields":[],"annotations":{{"kubectl.kubernetes.io/last-applied-configuration":"{CANARY}","a":"b"}}}},
             "spec":{{"workload":{{"manifests":[{list},{{"apiVersion":"v1","kind":"ConfigMap","data":{{"k":"v"}}}}]}}}}}}"#
        );
        let leaves = |show_secrets| {
            let raw = serde_json::from_str(&json).unwrap();
            let (_, value) = Objects::new(&selection, show_secrets).entry(raw).unwrap();
            String::from_utf8(value.to_vec()).unwrap()
        };
        assert!(leaves(true).contains(CANARY));
        let left: serde_json::Value = serde_json::from_str(&leaves(false)).unwrap();
        let manifests = &left["spec"]["workload"]["manifests"];
        assert_eq!(manifests[0]["items"][0]["data"]["two"], "");
        assert_eq!(manifests[1]["data"]["k"], "v");
        assert_eq!(
            left["metadata"],
            serde_json::json!({"name": "w", "namespace": "c", "annotations": {"a": "b"}})
        );
        assert!(
            !left.to_string().contains(&format!("\"{CANARY}\"")),
            "{left}"
        );
    }

    #[test]
    fn values_leave_when_owner_and_stream_agree() {
        assert!(leaves(r#"{"mqtt-resource":"true"}"#, true, false).contains(CANARY));
        assert!(leaves("{}", false, true).contains(CANARY));
    }
}
