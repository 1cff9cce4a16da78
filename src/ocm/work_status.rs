//! The status of a `ManifestWork`.

use super::Condition;

/// All of it was written.
pub const APPLIED: &str = "Applied";
/// All of it is there.
pub const AVAILABLE: &str = "Available";
/// It is being rolled out.
pub const PROGRESSING: &str = "Progressing";
/// It is not as it should be, and has not been for a while.
pub const DEGRADED: &str = "Degraded";
/// It has done what it was for.
pub const COMPLETE: &str = "Complete";
/// What of an object's status was asked for is here.
pub const FEEDBACK_SYNCED: &str = "StatusFeedbackSynced";
/// The longest JSON that comes back as text.
pub const LONGEST_JSON: usize = 1024;

structure! {
    /// What of a work is in its cluster.
    pub struct ManifestWorkStatus {
        /// [`APPLIED`], [`AVAILABLE`], [`PROGRESSING`], [`DEGRADED`], [`COMPLETE`].
        pub conditions: Vec<Condition>,
        /// Of each object.
        pub resource_status: ResourceStatus,
    }
}

structure! {
    /// Of each object of a work.
    pub struct ResourceStatus {
        /// In the order of the work.
        pub manifests: Vec<ManifestCondition>,
    }
}

structure! {
    /// Of one object.
    pub struct ManifestCondition {
        /// Which.
        pub resource_meta: ManifestResourceMeta,
        /// What came back of its status.
        pub status_feedback: StatusFeedback,
        /// [`APPLIED`], [`AVAILABLE`], [`FEEDBACK_SYNCED`].
        pub conditions: Vec<Condition>,
    }
}

structure! {
    /// Names one object of a work.
    #[derive(Eq, PartialOrd, Ord)]
    pub struct ManifestResourceMeta {
        /// Which manifest, from 0.
        pub ordinal: i32,
        /// Its group; empty for the core.
        pub group: String,
        /// Its version.
        pub version: String,
        /// Its kind.
        pub kind: String,
        /// The plural, once it is known.
        pub resource: String,
        /// Its name.
        pub name: String,
        /// Empty for what has none.
        pub namespace: String,
    }
}

structure! {
    /// What came back of an object's status.
    pub struct StatusFeedback {
        /// Each by its name.
        pub values: Vec<FeedbackValue>,
    }
}

structure! {
    /// A value that came back.
    pub struct FeedbackValue {
        /// As the rule calls it.
        pub name: String,
        /// The value.
        pub field_value: FieldValue,
    }
}

structure! {
    /// A value.
    pub struct FieldValue {
        /// Which of them it is.
        #[serde(rename = "type")]
        pub kind: ValueType,
        /// A number.
        pub integer: Option<i64>,
        /// Text.
        pub string: Option<String>,
        /// Yes or no.
        pub boolean: Option<bool>,
        /// A list or an object, as JSON; at most [`LONGEST_JSON`].
        pub json_raw: Option<String>,
    }
}

word! {
    /// What kind of value.
    pub enum ValueType {
        /// A number.
        Integer,
        /// Text.
        String,
        /// Yes or no.
        Boolean,
        /// JSON as text.
        JsonRaw,
    }
}
