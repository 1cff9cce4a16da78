//! The view `objects`: the API server's own bytes, member by member.
//!
//! What is left out is cut out; what is kept is copied as it came. A list's items get the apiVersion and kind that
//! lists leave out, in the place where watches have them, so that a relist finds equal objects equal.

use super::json::{Members, Metadata, ObjectWriter};
use super::secret;
use super::view::{Entry, Malformed};
use crate::source::Resolved;
use serde::Deserialize;

/// The group of ManifestWorks and of what they are made by.
const MANIFESTS_GROUP: &str = "work.open-cluster-management.io";

/// How the objects of one stream are turned into values.
#[derive(Clone, Debug)]
pub(super) struct Objects {
    api_version: String,
    kind: String,
    managed_fields: bool,
    secrets: Option<secret::Release>,
    /// What has whole objects in it, of which Secrets leave without their values.
    has_manifests: bool,
}

impl Objects {
    /// `show_secrets` is the source's own setting: it widens what leaves to all values of all Secrets.
    pub(super) fn new(selection: &Resolved, show_secrets: bool) -> Self {
        let api_version = match selection.group.as_str() {
            "" => selection.version.clone(),
            group => format!("{group}/{}", selection.version),
        };
        let secrets = selection.group.is_empty() && selection.plural == "secrets";
        let release = match (show_secrets, selection.secret_values) {
            (true, _) => secret::Release::All,
            (false, true) => secret::Release::Labelled,
            (false, false) => secret::Release::Nothing,
        };
        Self {
            api_version,
            kind: selection.kind.clone(),
            managed_fields: selection.managed_fields,
            secrets: secrets.then_some(release),
            has_manifests: selection.group == MANIFESTS_GROUP && !show_secrets,
        }
    }

    /// One object as an entry of the stream.
    pub(super) fn entry(&self, mut object: Members<'_>) -> Result<Entry, Malformed> {
        let length: usize = object
            .0
            .iter()
            .map(|(name, value)| name.len() + value.get().len() + 4)
            .sum();
        object.remove("apiVersion");
        object.remove("kind");
        let metadata = object.get("metadata").ok_or(Malformed::NoMetadata)?;
        let key = Metadata::deserialize(metadata)?.key();
        let mut out = Vec::with_capacity(length + 64);
        let mut writer = ObjectWriter::open(&mut out);
        writer.text("apiVersion", &self.api_version);
        writer.text("kind", &self.kind);
        match self.secrets {
            Some(release) if !release.allows(metadata)? => {
                secret::redacted(&mut writer, &object, self.managed_fields)?;
            }
            _ if self.has_manifests => {
                secret::without_values(&mut writer, &object, self.managed_fields)?;
            }
            _ => self.whole(&mut writer, &object)?,
        }
        writer.close();
        Ok((key, out.into()))
    }

    fn whole(&self, writer: &mut ObjectWriter<'_>, object: &Members<'_>) -> Result<(), Malformed> {
        for (name, value) in &object.0 {
            match &**name {
                "metadata" if !self.managed_fields => {
                    let mut metadata = Members::of(value)?;
                    metadata.remove("managedFields");
                    let mut inner = ObjectWriter::open(writer.value(name));
                    for (name, value) in &metadata.0 {
                        inner.raw(name, value.get());
                    }
                    inner.close();
                }
                _ => writer.raw(name, value.get()),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(json: &str) -> Result<Members<'_>, serde_json::Error> {
        serde_json::from_str(json)
    }

    pub(in crate::kubernetes) fn value(objects: &Objects, json: &str) -> (String, String) {
        let (key, value) = objects.entry(members(json).unwrap()).unwrap();
        let text = |bytes: bytes::Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        (text(key), text(value))
    }

    fn deployments(managed_fields: bool) -> Objects {
        let selection = Resolved {
            group: "apps".into(),
            version: "v1".into(),
            plural: "deployments".into(),
            kind: "Deployment".into(),
            managed_fields,
            ..crate::kubernetes::view::tests::pods()
        };
        Objects::new(&selection, false)
    }

    const ITEM: &str = r#"{"metadata":{"name":"web","namespace":"shop","managedFields":[{"manager":"x"}],"resourceVersion":"7"},"spec":{"replicas":1.0e0 , "x":"é"}}"#;

    #[test]
    fn an_item_gets_what_lists_leave_out_and_loses_managed_fields() {
        let (key, value) = value(&deployments(false), ITEM);
        assert_eq!(key, "shop/web");
        assert_eq!(
            value,
            r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop","resourceVersion":"7"},"spec":{"replicas":1.0e0 , "x":"é"}}"#
        );
    }

    #[test]
    fn managed_fields_stay_when_asked_for() {
        assert!(
            value(&deployments(true), ITEM)
                .1
                .contains(r#""managedFields":[{"manager":"x"}]"#)
        );
    }

    #[test]
    fn a_watched_object_is_the_listed_one() {
        let watched = ITEM.replacen('{', r#"{"kind":"Deployment","apiVersion":"apps/v1","#, 1);
        assert_eq!(
            value(&deployments(false), &watched),
            value(&deployments(false), ITEM)
        );
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        for json in ["1", "{}", r#"{"metadata":1}"#, r#"{"metadata":{"name":1}}"#] {
            let entry = members(json)
                .ok()
                .map(|object| deployments(false).entry(object));
            assert!(!matches!(entry, Some(Ok(_))), "{json}");
        }
    }
}
