//! What pods are told: config maps, secrets, service accounts.
//!
//! Values of Secrets are never shown: kubectl prints the token of a service account, and here its length is.

use super::Subject;
use super::events;
use super::field::Field;
use super::writer::{Writer, put};
use serde_json::Value;
use std::collections::BTreeMap;

/// A syncer's note on a Secret that its values are gone.
pub(crate) const REDACTED: &str = "mqinformer.io/redacted";
/// A syncer's note on how long each of a Secret's values is.
pub(super) const LENGTHS: &str = "mqinformer.io/secret-lengths";

pub(super) fn config_map(w: &mut Writer, subject: &Subject<'_>) {
    let map = subject.object;
    head(w, map);
    put!(w, 0, "\nData\n====\n");
    for (key, value) in map.member("data").map() {
        put!(w, 0, "{key}:\n----\n");
        put!(w, 0, "{value}\n");
        put!(w, 0, "\n");
    }
    put!(w, 0, "\nBinaryData\n====\n");
    for (key, value) in map.member("binaryData").map() {
        put!(w, 0, "{key}: {} bytes\n", length(value));
    }
    put!(w, 0, "\n");
    events::describe(w, subject);
}

pub(super) fn secret(w: &mut Writer, secret: Field<'_>) {
    head(w, secret);
    put!(w, 0, "\nType:\t{}\n", secret.member("type").text());
    put!(w, 0, "\nData\n====\n");
    for (key, length) in lengths(secret) {
        put!(w, 0, "{key}:\t{length} bytes\n");
    }
}

pub(super) fn service_account(w: &mut Writer, subject: &Subject<'_>) {
    const TITLE: &str = "Image pull secrets:";
    let account = subject.object;
    head(w, account);
    let secrets = account.member("imagePullSecrets");
    if secrets.is_empty() {
        put!(w, 0, "{TITLE}\t<none>\n");
    }
    for (index, secret) in secrets.items().enumerate() {
        let title = if index == 0 { TITLE } else { "" };
        put!(w, 0, "{title:19}\t{}\n", secret.member("name").text());
    }
    events::describe(w, subject);
}

fn head(w: &mut Writer, object: Field<'_>) {
    w.field(0, "Name", object.name());
    w.field(0, "Namespace", object.namespace());
    w.labels("Labels", object.at("metadata.labels"));
    w.annotations("Annotations", object.at("metadata.annotations"));
}

/// How many bytes each value has: as the syncer noted it before it emptied them, or as they are.
fn lengths(secret: Field<'_>) -> BTreeMap<String, u64> {
    let annotations = secret.at("metadata.annotations");
    let own = secret.member("data").map().into_iter();
    let own = own
        .map(|(key, value)| (key.to_owned(), length(value)))
        .collect();
    if annotations.member(REDACTED).text() != "true" {
        return own;
    }
    let noted: Result<BTreeMap<String, Value>, _> =
        serde_json::from_str(annotations.member(LENGTHS).text());
    match noted {
        Ok(noted) => noted
            .into_iter()
            .map(|(key, length)| (key, length.as_u64().unwrap_or_default()))
            .collect(),
        Err(_) => own,
    }
}

/// How many bytes a text in base64 stands for.
fn length(base64: &str) -> u64 {
    let characters = base64.trim_end_matches('=').len();
    u64::try_from(characters * 3 / 4).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn described(value: &Value) -> String {
        let mut w = Writer::new();
        secret(&mut w, Field::of(value));
        w.finish()
    }

    #[test]
    fn lengths_are_told_and_values_are_not() {
        let want = "Name:         db\nNamespace:    shop\nLabels:       <none>\nAnnotations:  <none>\n\nType:  \
                    Opaque\n\nData\n====\nempty:     0 bytes\npassword:  6 bytes\n";
        let open = json!({"metadata": {"name": "db", "namespace": "shop"}, "type": "Opaque",
                          "data": {"password": "Y2FuYXJ5", "empty": ""}});
        assert_eq!(described(&open), want);
        let redacted = json!({"metadata": {"name": "db", "namespace": "shop", "annotations":
                                           {REDACTED: "true", LENGTHS: r#"{"password":6,"empty":0}"#}},
                              "type": "Opaque", "data": {"password": "", "empty": ""}});
        assert_eq!(described(&redacted), want);
        let token =
            json!({"type": "kubernetes.io/service-account-token", "data": {"token": "Y2FuYXJ5"}});
        assert!(described(&token).ends_with("token:  6 bytes\n"));
    }
}
