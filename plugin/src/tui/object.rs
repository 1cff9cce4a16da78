//! What is read of an object's metadata only when somebody asks: who made it.

use crate::table::metadata_bytes;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

/// What made an object, as its metadata has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Owner {
    /// `apps/v1`.
    pub api_version: String,
    /// `ReplicaSet`.
    pub kind: String,
    /// Its name, in the object's own namespace.
    pub name: String,
    /// Which object of that name.
    pub uid: String,
    /// It is the one that steers the object.
    pub controller: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Owned {
    uid: String,
    owner_references: Vec<Owner>,
}

impl Owner {
    /// `ReplicaSet/web-5d8f`.
    pub fn label(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }

    /// Its type, as a user would word it: `replicaset.v1.apps`, `node`.
    pub fn word(&self) -> String {
        let kind = self.kind.to_lowercase();
        match self.api_version.split_once('/') {
            Some((group, version)) => format!("{kind}.{version}.{group}"),
            None => kind,
        }
    }
}

/// What made an object, given as a row: what steers it, or else the first.
pub fn owner(value: &Bytes) -> Option<Owner> {
    steering(read(value).owner_references)
}

/// The same of an object that is given whole.
pub fn owner_of(object: &Value) -> Option<Owner> {
    let metadata = object.get("metadata")?;
    steering(Owned::deserialize(metadata).ok()?.owner_references)
}

fn steering(owners: Vec<Owner>) -> Option<Owner> {
    let controller = owners.iter().find(|owner| owner.controller);
    controller.or(owners.first()).cloned()
}

/// An object that may have made others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maker {
    /// Which object.
    pub uid: String,
    /// `ReplicaSet`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// Whether an object, given as a row, was made by another one. A reference without a uid (simulated clusters have such)
/// is by kind and name.
pub fn is_made_by(value: &Bytes, maker: &Maker) -> bool {
    let is_it = |owner: &Owner| match owner.uid.as_str() {
        "" => owner.kind == maker.kind && owner.name == maker.name,
        uid => uid == maker.uid,
    };
    read(value).owner_references.iter().any(is_it)
}

/// The uid of an object, given as a row; empty if it has none.
pub fn uid(value: &Bytes) -> String {
    read(value).uid
}

fn read(value: &[u8]) -> Owned {
    serde_json::from_slice(metadata_bytes(value)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mqtt_informer::protocol::rows;
    use prost::Message;

    fn row(metadata: &str) -> Bytes {
        let row = rows::Row {
            cells: Vec::new(),
            metadata: metadata.as_bytes().to_vec().into(),
        };
        row.encode_to_vec().into()
    }

    #[test]
    fn the_one_that_steers_is_the_owner() {
        let value = row(r#"{"uid":"u","ownerReferences":[
                {"apiVersion":"v1","kind":"Node","name":"n","uid":"1"},
                {"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-5d","uid":"2","controller":true}]}"#);
        let owner = owner(&value).unwrap();
        assert_eq!(
            (owner.label().as_str(), owner.word().as_str()),
            ("ReplicaSet/web-5d", "replicaset.v1.apps")
        );
        let made_by = |uid: &str, name: &str| {
            let maker = Maker {
                uid: uid.to_owned(),
                kind: "ReplicaSet".to_owned(),
                name: name.to_owned(),
            };
            is_made_by(&value, &maker)
        };
        assert!(made_by("1", "") && made_by("2", "other") && !made_by("u", "web-5d"));
        let nameless = row(r#"{"ownerReferences":[{"kind":"ReplicaSet","name":"web-5d"}]}"#);
        let maker = Maker {
            kind: "ReplicaSet".to_owned(),
            name: "web-5d".to_owned(),
            ..Maker::default()
        };
        assert!(is_made_by(&nameless, &maker));
        assert_eq!(uid(&value), "u");
    }

    #[test]
    fn what_is_no_row_has_no_owner() {
        let value = Bytes::from_static(b"\xff\xff");
        assert_eq!(owner(&value), None);
        assert!(owner(&row("[]")).is_none() && uid(&value).is_empty());
    }
}
