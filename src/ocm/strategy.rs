//! In which steps a change reaches clusters: OCM's `RolloutStrategy` (cluster.open-cluster-management.io/v1alpha1).

use super::IntOrString;

structure! {
    /// In which steps.
    pub struct RolloutStrategy {
        /// Which of them.
        #[serde(rename = "type")]
        pub kind: RolloutType,
        /// Of `All`.
        pub all: Option<RolloutAll>,
        /// Of `Progressive`.
        pub progressive: Option<RolloutProgressive>,
        /// Of `ProgressivePerGroup`.
        pub progressive_per_group: Option<RolloutProgressivePerGroup>,
    }
}

word! {
    /// In which steps.
    pub enum RolloutType {
        /// In one.
        All,
        /// Some clusters at a time.
        Progressive,
        /// One decision group at a time.
        ProgressivePerGroup,
    }
}

structure! {
    /// In one step.
    pub struct RolloutAll {
        /// How long success has to last, as Go writes durations.
        pub min_success_time: Option<String>,
        /// After how long a cluster that has not succeeded counts as failed: `None`, `2h`, `90m`, `360s`.
        pub progress_deadline: Option<String>,
        /// How many may fail, or which percentage.
        pub max_failures: Option<IntOrString>,
    }
}

structure! {
    /// Some clusters at a time.
    pub struct RolloutProgressive {
        /// How long success has to last.
        pub min_success_time: Option<String>,
        /// After how long a cluster that has not succeeded counts as failed.
        pub progress_deadline: Option<String>,
        /// How many may fail, or which percentage.
        pub max_failures: Option<IntOrString>,
        /// Which groups come first, one after another, without a failure.
        pub mandatory_decision_groups: Vec<MandatoryDecisionGroup>,
        /// How many at a time, or which percentage; all if not said.
        pub max_concurrency: Option<IntOrString>,
    }
}

structure! {
    /// One decision group at a time.
    pub struct RolloutProgressivePerGroup {
        /// How long success has to last.
        pub min_success_time: Option<String>,
        /// After how long a cluster that has not succeeded counts as failed.
        pub progress_deadline: Option<String>,
        /// How many of a group may fail, or which percentage.
        pub max_failures: Option<IntOrString>,
        /// Which groups come first, one after another, without a failure.
        pub mandatory_decision_groups: Vec<MandatoryDecisionGroup>,
    }
}

structure! {
    /// A group that comes first.
    pub struct MandatoryDecisionGroup {
        /// By name, which counts before the index.
        pub group_name: Option<String>,
        /// By index.
        pub group_index: Option<i32>,
    }
}
