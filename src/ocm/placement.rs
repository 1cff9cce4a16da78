//! `Placement` (cluster.open-cluster-management.io/v1beta1): which clusters somebody wants.

use super::cluster::TaintEffect;
use super::{Condition, IntOrString, LabelSelector, LabelSelectorRequirement, ObjectMeta, Time};

/// Whether as many clusters were found as wanted.
pub const SATISFIED: &str = "PlacementSatisfied";
/// Whether the placement says something that cannot be.
pub const MISCONFIGURED: &str = "PlacementMisconfigured";
/// With `"true"`, nobody schedules it.
pub const DISABLE_ANNOTATION: &str =
    "cluster.open-cluster-management.io/experimental-scheduling-disable";

structure! {
    /// Which clusters somebody wants.
    pub struct Placement {
        /// Where its cluster sets are bound.
        pub metadata: ObjectMeta,
        /// What is wanted.
        pub spec: PlacementSpec,
        /// What was found.
        pub status: PlacementStatus,
    }
}
resource!(
    Placement,
    "cluster.open-cluster-management.io",
    "v1beta1",
    "placements",
    NamespaceResourceScope
);

structure! {
    /// Which clusters somebody wants.
    pub struct PlacementSpec {
        /// Of these sets only; none: of all that are bound.
        pub cluster_sets: Vec<String>,
        /// How many; nothing: all.
        pub number_of_clusters: Option<i32>,
        /// A cluster has to match one of them; none: every cluster does.
        pub predicates: Vec<ClusterPredicate>,
        /// Which are better.
        pub prioritizer_policy: PrioritizerPolicy,
        /// Not all in one place.
        pub spread_policy: SpreadPolicy,
        /// Taints that do not matter.
        pub tolerations: Vec<Toleration>,
        /// In which groups they are rolled out.
        pub decision_strategy: DecisionStrategy,
        /// In which order decisions are listed.
        pub sort_by: SortBy,
        /// How often scores alone may be written, as Go writes durations.
        pub score_rate_limit: Option<String>,
    }
}

word! {
    /// In which order decisions are listed.
    pub enum SortBy {
        /// By name.
        ClusterName,
        /// The best first.
        Score,
    }
}

structure! {
    /// What a cluster has to be.
    pub struct ClusterPredicate {
        /// All that it says has to hold.
        pub required_cluster_selector: ClusterSelector,
    }
}

structure! {
    /// What a cluster has to be; all of it.
    pub struct ClusterSelector {
        /// By its labels.
        pub label_selector: LabelSelector,
        /// By what it claims.
        pub claim_selector: ClusterClaimSelector,
        /// By CEL, which we do not evaluate.
        pub cel_selector: ClusterCelSelector,
    }
}

structure! {
    /// By what a cluster claims.
    pub struct ClusterClaimSelector {
        /// All of them have to hold.
        pub match_expressions: Vec<LabelSelectorRequirement>,
    }
}

structure! {
    /// By CEL.
    pub struct ClusterCelSelector {
        /// All of them have to hold.
        pub cel_expressions: Vec<String>,
    }
}

structure! {
    /// Which clusters are better.
    pub struct PrioritizerPolicy {
        /// Whether the defaults hold as well.
        pub mode: PolicyMode,
        /// How much what counts.
        pub configurations: Vec<PrioritizerConfig>,
    }
}

word! {
    /// Whether the default weights hold as well.
    pub enum PolicyMode {
        /// They do, where nothing else is said.
        Additive,
        /// Only what is said holds.
        Exact,
    }
}

structure! {
    /// How much one score counts.
    pub struct PrioritizerConfig {
        /// Which score.
        pub score_coordinate: Option<ScoreCoordinate>,
        /// -10 to 10; 0: not at all; 1 if not said.
        pub weight: Option<i32>,
    }
}

structure! {
    /// Which score.
    pub struct ScoreCoordinate {
        /// Ours, or an add-on's.
        #[serde(rename = "type")]
        pub kind: ScoreType,
        /// `Balance`, `Steady`, `ResourceAllocatableCPU`, `ResourceAllocatableMemory`.
        pub built_in: Option<String>,
        /// Whose.
        pub add_on: Option<AddOnScore>,
    }
}

word! {
    /// Whose score.
    pub enum ScoreType {
        /// The scheduler's.
        BuiltIn,
        /// An add-on's, in an `AddOnPlacementScore`.
        AddOn,
    }
}

structure! {
    /// A score that an add-on gives.
    pub struct AddOnScore {
        /// The name of the `AddOnPlacementScore` in each cluster's namespace.
        pub resource_name: String,
        /// Which of its scores.
        pub score_name: String,
    }
}

structure! {
    /// Not all in one place.
    pub struct SpreadPolicy {
        /// All of them, the first first.
        pub spread_constraints: Vec<SpreadConstraint>,
    }
}

structure! {
    /// Not all in one place.
    pub struct SpreadConstraint {
        /// A label's key, or a claim's name.
        pub topology_key: String,
        /// Which of both.
        pub topology_key_type: TopologyKeyType,
        /// How many more one place may have than another; 1 if not said.
        pub max_skew: Option<i32>,
        /// What then.
        pub when_unsatisfiable: WhenUnsatisfiable,
    }
}

word! {
    /// What says where a cluster is.
    pub enum TopologyKeyType {
        /// A label.
        Label,
        /// A claim.
        Claim,
    }
}

word! {
    /// What is done when clusters cannot be spread.
    pub enum WhenUnsatisfiable {
        /// Spread as far as it goes.
        ScheduleAnyway,
        /// Rather fewer clusters.
        DoNotSchedule,
    }
}

structure! {
    /// A taint that does not matter.
    pub struct Toleration {
        /// Empty: all keys, with `Exists` only.
        pub key: Option<String>,
        /// How the value is compared.
        pub operator: TolerationOperator,
        /// With `Equal`.
        pub value: Option<String>,
        /// Nothing: all effects.
        pub effect: Option<TaintEffect>,
        /// For how long from when the taint was added; nothing: for ever.
        pub toleration_seconds: Option<i64>,
    }
}

word! {
    /// How a toleration compares values.
    pub enum TolerationOperator {
        /// They are equal.
        Equal,
        /// They do not matter.
        Exists,
    }
}

structure! {
    /// In which groups clusters are rolled out.
    pub struct DecisionStrategy {
        /// Which groups.
        pub group_strategy: GroupStrategy,
    }
}

structure! {
    /// Which groups clusters are in.
    pub struct GroupStrategy {
        /// Named ones, filled first.
        pub decision_groups: Vec<DecisionGroup>,
        /// The most in one group, or a percentage of all; 100% if not said.
        pub clusters_per_decision_group: Option<IntOrString>,
    }
}

structure! {
    /// A named group.
    pub struct DecisionGroup {
        /// A label's value.
        pub group_name: String,
        /// Who is in it.
        pub group_cluster_selector: GroupClusterSelector,
    }
}

structure! {
    /// Who is in a group.
    pub struct GroupClusterSelector {
        /// By labels.
        pub label_selector: LabelSelector,
        /// By claims.
        pub claim_selector: ClusterClaimSelector,
    }
}

structure! {
    /// What was found.
    pub struct PlacementStatus {
        /// How many clusters.
        pub number_of_selected_clusters: i32,
        /// In which groups.
        pub decision_groups: Vec<DecisionGroupStatus>,
        /// [`SATISFIED`], [`MISCONFIGURED`].
        pub conditions: Vec<Condition>,
        /// When scores were written last.
        pub last_score_update_time: Option<Time>,
    }
}

structure! {
    /// A group as it was found.
    pub struct DecisionGroupStatus {
        /// From 0.
        pub decision_group_index: i32,
        /// Empty if it has none.
        pub decision_group_name: String,
        /// The names of its `PlacementDecision`s.
        pub decisions: Vec<String>,
        /// How many clusters are in it.
        pub cluster_count: i32,
    }
}
