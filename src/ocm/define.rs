//! How the types of the API are written down: what all of them have in common is said once.

use super::{Condition, IntOrString, LabelSelector, LabelSelectorRequirement, ObjectMeta, Time};
use serde_json::Value;
use std::collections::BTreeMap;

/// What is not sent when it is empty.
pub(crate) trait Absent {
    fn absent(&self) -> bool;
}

impl<T> Absent for Option<T> {
    fn absent(&self) -> bool {
        self.is_none()
    }
}

impl<T> Absent for Vec<T> {
    fn absent(&self) -> bool {
        self.is_empty()
    }
}

impl<K, V> Absent for BTreeMap<K, V> {
    fn absent(&self) -> bool {
        self.is_empty()
    }
}

impl Absent for Value {
    fn absent(&self) -> bool {
        self.is_null()
    }
}

macro_rules! always_sent {
    ($($type:ty),*) => {$(
        impl Absent for $type {
            fn absent(&self) -> bool {
                false
            }
        }
    )*};
}

always_sent!(
    bool,
    i32,
    i64,
    String,
    ObjectMeta,
    Condition,
    LabelSelector,
    LabelSelectorRequirement,
    IntOrString,
    Time
);

/// A structure of the API: camelCase, every field may be missing, what is empty is not sent.
macro_rules! structure {
    ($(#[$outer:meta])* pub struct $name:ident { $($(#[$inner:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            $(
                $(#[$inner])*
                #[serde(skip_serializing_if = "crate::ocm::define::Absent::absent")]
                pub $field: $type,
            )*
        }

        impl $crate::ocm::define::Absent for $name {
            fn absent(&self) -> bool {
                *self == Self::default()
            }
        }
    };
}

/// A word of the API, the first being what holds when nothing is said; one that we do not know stays as it is.
macro_rules! word {
    ($(#[$outer:meta])* pub enum $name:ident { $(#[$first_doc:meta])* $first:ident, $($(#[$inner:meta])* $variant:ident,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $(#[$first_doc])*
            #[default]
            $first,
            $($(#[$inner])* $variant,)*
            /// A word that we do not know.
            #[serde(untagged)]
            Unknown(String),
        }

        impl $name {
            /// The words that there are.
            pub const WORDS: &'static [&'static str] = &[stringify!($first), $(stringify!($variant)),*];

            /// As it is written.
            pub fn as_str(&self) -> &str {
                match self {
                    Self::$first => stringify!($first),
                    $(Self::$variant => stringify!($variant),)*
                    Self::Unknown(word) => word,
                }
            }
        }

        impl $crate::ocm::define::Absent for $name {
            fn absent(&self) -> bool {
                false
            }
        }
    };
}

/// What Kubernetes knows of a kind.
macro_rules! resource {
    ($name:ident, $group:literal, $version:literal, $plural:literal, $scope:ident) => {
        impl k8s_openapi::Resource for $name {
            const API_VERSION: &'static str = concat!($group, "/", $version);
            const GROUP: &'static str = $group;
            const KIND: &'static str = stringify!($name);
            const VERSION: &'static str = $version;
            const URL_PATH_SEGMENT: &'static str = $plural;
            type Scope = k8s_openapi::$scope;
        }

        impl k8s_openapi::Metadata for $name {
            type Ty = k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

            fn metadata(&self) -> &Self::Ty {
                &self.metadata
            }

            fn metadata_mut(&mut self) -> &mut Self::Ty {
                &mut self.metadata
            }
        }
    };
}
