//! `ManifestWork` (work.open-cluster-management.io/v1): what shall be in a cluster.

use super::ObjectMeta;
use super::conditions::find;
pub use super::work_status::*;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// The finalizer that keeps a work until its cluster is clean.
pub const FINALIZER: &str = "cluster.open-cluster-management.io/manifest-work-cleanup";

structure! {
    /// What shall be in the cluster whose namespace it is in.
    pub struct ManifestWork {
        /// The namespace is the cluster's.
        pub metadata: ObjectMeta,
        /// What shall be there.
        pub spec: ManifestWorkSpec,
        /// What is.
        pub status: ManifestWorkStatus,
    }
}
resource!(
    ManifestWork,
    "work.open-cluster-management.io",
    "v1",
    "manifestworks",
    NamespaceResourceScope
);

impl ManifestWork {
    /// When a work that is complete is deleted: `ttlSecondsAfterFinished`.
    pub fn expires(&self) -> Option<Timestamp> {
        let option = self.spec.delete_option.as_ref()?;
        let seconds = option.ttl_seconds_after_finished?;
        let complete = find(&self.status.conditions, COMPLETE).filter(|it| it.status == "True")?;
        let after = SignedDuration::from_secs(seconds.max(0));
        complete.last_transition_time.0.checked_add(after).ok()
    }
}

structure! {
    /// What shall be in a cluster.
    pub struct ManifestWorkSpec {
        /// The objects.
        pub workload: ManifestsTemplate,
        /// What happens to them when the work goes.
        pub delete_option: Option<DeleteOption>,
        /// How single ones are treated.
        pub manifest_configs: Vec<ManifestConfig>,
        /// By whose rights they are written.
        pub executor: Option<Executor>,
    }
}

structure! {
    /// The objects of a work.
    pub struct ManifestsTemplate {
        /// As they are.
        pub manifests: Vec<Value>,
    }
}

structure! {
    /// What happens to a work's objects when it goes.
    pub struct DeleteOption {
        /// To all of them.
        pub propagation_policy: PropagationPolicy,
        /// To some.
        pub selectively_orphans: Option<SelectivelyOrphan>,
        /// How long a work that is complete stays.
        pub ttl_seconds_after_finished: Option<i64>,
    }
}

word! {
    /// What happens to a work's objects when it goes.
    pub enum PropagationPolicy {
        /// They go first.
        Foreground,
        /// They stay.
        Orphan,
        /// Those that are named stay.
        SelectivelyOrphan,
    }
}

structure! {
    /// Which objects stay.
    pub struct SelectivelyOrphan {
        /// These.
        pub orphaning_rules: Vec<ResourceIdentifier>,
    }
}

structure! {
    /// Names one object of a work.
    #[derive(Eq, PartialOrd, Ord)]
    pub struct ResourceIdentifier {
        /// Its group; empty for the core.
        pub group: String,
        /// The plural.
        pub resource: String,
        /// Its name.
        pub name: String,
        /// Empty for what has none.
        pub namespace: String,
    }
}

structure! {
    /// How one object is treated.
    pub struct ManifestConfig {
        /// Which.
        pub resource_identifier: ResourceIdentifier,
        /// What of its status comes back.
        pub feedback_rules: Vec<FeedbackRule>,
        /// How often that is looked at; we always watch.
        pub feedback_scrape_type: Option<FeedbackScrapeType>,
        /// How it is written.
        pub update_strategy: Option<UpdateStrategy>,
        /// Which conditions are made of it.
        pub condition_rules: Vec<ConditionRule>,
    }
}

word! {
    /// How often status is looked at.
    pub enum FeedbackScrapeType {
        /// Now and then.
        Poll,
        /// At once.
        Watch,
    }
}

structure! {
    /// What of an object's status comes back.
    pub struct FeedbackRule {
        /// How that is said.
        #[serde(rename = "type")]
        pub kind: FeedbackType,
        /// Of `JSONPaths`.
        pub json_paths: Vec<JsonPath>,
    }
}

word! {
    /// How it is said what comes back.
    pub enum FeedbackType {
        /// What everybody wants to know of the kind.
        WellKnownStatus,
        /// By paths.
        JSONPaths,
    }
}

structure! {
    /// A value that comes back.
    pub struct JsonPath {
        /// As it is called there.
        pub name: String,
        /// Only of this version of the object.
        pub version: Option<String>,
        /// Where it is: `.status.replicas`.
        pub path: String,
    }
}

structure! {
    /// How an object is written.
    pub struct UpdateStrategy {
        /// How.
        #[serde(rename = "type")]
        pub kind: UpdateStrategyType,
        /// Of `ServerSideApply`.
        pub server_side_apply: Option<ServerSideApply>,
    }
}

word! {
    /// How an object is written.
    pub enum UpdateStrategyType {
        /// Ours wins.
        Update,
        /// Only if it is not there.
        CreateOnly,
        /// By server-side apply, whose conflicts are told.
        ServerSideApply,
        /// Not at all; it is only looked at.
        ReadOnly,
    }
}

structure! {
    /// How server-side apply is done.
    pub struct ServerSideApply {
        /// Whether we win.
        pub force: Option<bool>,
        /// As whom; it begins with `work-agent`.
        pub field_manager: Option<String>,
        /// What is not written.
        pub ignore_fields: Vec<IgnoreField>,
    }
}

structure! {
    /// What is not written.
    pub struct IgnoreField {
        /// When.
        pub condition: IgnoreCondition,
        /// `.spec.replicas`
        pub json_paths: Vec<String>,
        /// `/spec/replicas`
        pub json_pointers: Vec<String>,
        /// jq, which we do not evaluate.
        pub jq_path_expressions: Vec<String>,
    }
}

word! {
    /// When a field is not written.
    pub enum IgnoreCondition {
        /// When the object is there.
        OnSpokePresent,
        /// When somebody changed it there.
        OnSpokeChange,
    }
}

structure! {
    /// A condition that is made of an object.
    pub struct ConditionRule {
        /// The condition's type; `Complete` ends the object's updates.
        pub condition: String,
        /// How.
        #[serde(rename = "type")]
        pub kind: ConditionRuleType,
        /// Of `CEL`, which we do not evaluate.
        pub cel_expressions: Vec<String>,
        /// The condition's message.
        pub message: Option<String>,
        /// CEL that makes the message.
        pub message_expression: Option<String>,
    }
}

word! {
    /// How a condition is made.
    pub enum ConditionRuleType {
        /// As everybody would.
        WellKnownConditions,
        /// By CEL.
        CEL,
    }
}

structure! {
    /// By whose rights objects are written.
    pub struct Executor {
        /// Whose.
        pub subject: Option<ExecutorSubject>,
    }
}

structure! {
    /// Whose rights.
    pub struct ExecutorSubject {
        /// What kind of subject.
        #[serde(rename = "type")]
        pub kind: SubjectType,
        /// Which account.
        pub service_account: Option<ServiceAccount>,
    }
}

word! {
    /// What kind of subject.
    pub enum SubjectType {
        /// A service account of the cluster.
        ServiceAccount,
    }
}

structure! {
    /// A service account of the cluster.
    pub struct ServiceAccount {
        /// Its namespace.
        pub namespace: String,
        /// Its name.
        pub name: String,
    }
}
