//! What the rows of a stream are rows of: its header.

use super::{Column, Malformed};
use mqtt_informer::protocol::rows;
use prost::Message;

/// A resource as one cluster has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// The API group, empty for the core group.
    pub group: String,
    /// `v1`.
    pub version: String,
    /// `deployments`.
    pub plural: String,
    /// `Deployment`.
    pub kind: String,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Of its rows; empty in the view of objects.
    pub columns: Vec<Column>,
}

impl Resource {
    /// Reads a stream's header, the value under the empty key.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn from_header(bytes: &[u8]) -> Result<Self, Malformed> {
        let header = rows::Header::decode(bytes).map_err(|_| Malformed)?;
        Ok(Self {
            columns: header.columns.iter().map(Column::from).collect(),
            group: header.group,
            version: header.version,
            plural: header.plural,
            kind: header.kind,
            namespaced: header.namespaced,
        })
    }

    /// `deployments.apps`, `pods`: as messages name it.
    pub fn qualified(&self) -> String {
        qualified(&self.plural, &self.group)
    }

    /// `deployment.apps`, `pod`: as `-o name` and tables of several types name an object's kind.
    pub fn qualified_kind(&self) -> String {
        qualified(&self.kind, &self.group).to_lowercase()
    }

    /// Whether both are the same resource, in whichever version.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.group, &self.plural) == (&other.group, &other.plural)
    }
}

fn qualified(name: &str, group: &str) -> String {
    if group.is_empty() {
        name.to_owned()
    } else {
        format!("{name}.{group}")
    }
}
