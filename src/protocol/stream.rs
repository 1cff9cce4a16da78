//! The identity of a stream: a hash of its canonical selection.

use super::message::{StreamId, View};
use xxhash_rust::xxh3::Xxh3;

/// A selection as its source resolved it: what makes one stream another one, and nothing else.
///
/// Made by sources, never by consumers: only a source knows what a user's word stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CanonicalSelection<'a> {
    /// `apps`, or empty for the core group.
    pub group: &'a str,
    /// `v1`.
    pub version: &'a str,
    /// `deployments`; empty for views without a resource.
    pub plural: &'a str,
    /// One namespace, or empty for all.
    pub namespace: &'a str,
    /// [`super::selector::LabelSelector`], printed.
    pub labels: &'a str,
    /// [`super::selector::FieldSelector`], printed.
    pub fields: &'a str,
    /// What of each object.
    pub view: View,
    /// Keep managedFields.
    pub managed_fields: bool,
    /// Values of Secrets that allow it.
    pub secret_values: bool,
}

impl CanonicalSelection<'_> {
    /// The id of this selection's stream: the 128-bit xxh3 of its fields, each text behind its length in 8 bytes, so
    /// that no two selections hash the same bytes.
    pub fn id(&self) -> StreamId {
        let mut hasher = Xxh3::new();
        let texts = [
            self.group,
            self.version,
            self.plural,
            self.namespace,
            self.labels,
            self.fields,
        ];
        for text in texts {
            hasher.update(&(text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        }
        let view = match self.view {
            View::Rows => 0,
            View::Objects => 1,
            View::Resources => 2,
            View::Source => 3,
            View::Work => 4,
            View::Status => 5,
        };
        let flags = [view, self.managed_fields.into(), self.secret_values.into()];
        hasher.update(&flags);
        StreamId(hasher.digest128())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_field_counts_and_none_runs_into_the_next() {
        let base = CanonicalSelection::default();
        let all = [
            base,
            CanonicalSelection { group: "a", ..base },
            CanonicalSelection {
                version: "a",
                ..base
            },
            CanonicalSelection {
                plural: "a",
                ..base
            },
            CanonicalSelection {
                namespace: "a",
                ..base
            },
            CanonicalSelection {
                labels: "a",
                ..base
            },
            CanonicalSelection {
                fields: "a",
                ..base
            },
            CanonicalSelection {
                view: View::Objects,
                ..base
            },
            CanonicalSelection {
                view: View::Resources,
                ..base
            },
            CanonicalSelection {
                view: View::Source,
                ..base
            },
            CanonicalSelection {
                view: View::Work,
                ..base
            },
            CanonicalSelection {
                view: View::Status,
                ..base
            },
            CanonicalSelection {
                managed_fields: true,
                ..base
            },
            CanonicalSelection {
                secret_values: true,
                ..base
            },
            CanonicalSelection {
                group: "ab",
                version: "c",
                ..base
            },
            CanonicalSelection {
                group: "a",
                version: "bc",
                ..base
            },
        ];
        let ids: HashSet<_> = all.iter().map(CanonicalSelection::id).collect();
        assert_eq!(ids.len(), all.len());
    }

    /// An id is in the names of topics: it stays what it is.
    #[test]
    fn ids_do_not_change() {
        let pods = CanonicalSelection {
            version: "v1",
            plural: "pods",
            ..CanonicalSelection::default()
        };
        assert_eq!(
            format!("{:032x}", pods.id().0),
            "cc2b1abb8f6baa14347d9755ba6f8549"
        );
    }
}
