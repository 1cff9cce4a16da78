//! `describe`: an object, and what belongs to it, for people.
//!
//! A port of `k8s.io/kubectl/pkg/describe/describe.go` (v0.36): the same bytes, but for what docs/decisions.md lists.
//! [`needs`] says what else has to be known of an object, [`fetches`] what to ask for it, [`describe`] writes.
//!
//! | module | what it describes |
//! |---|---|
//! | `pod`, `containers`, `probes`, `volumes`, `volume_kinds` | pods, and templates of pods |
//! | `workloads`, `jobs`, `autoscaling` | what makes pods |
//! | `node`, `resources` | nodes, and what pods ask of them |
//! | `services`, `ingress`, `policies` | the network; budgets and priorities |
//! | `storage` | volumes, claims, storage classes |
//! | `config`, `access`, `namespace` | config maps, secrets; roles; quotas and limits |
//! | `events` | what happened to any of them |
//! | `generic` | everything else |
//! | `plan` | which objects: words and flags, as kubectl reads them |
//!
//! `writer`, `field`, `clock`, `quantity` and `selector` are what they are written with.
//!
//! **Architecture invariant:** pure. No IO, no clock but the one given; values of Secrets are never written.

mod access;
mod autoscaling;
mod clock;
mod config;
mod containers;
mod events;
mod field;
mod generic;
mod ingress;
mod jobs;
mod namespace;
mod node;
pub mod plan;
mod pod;
mod policies;
mod probes;
mod quantity;
mod related;
mod resources;
mod selector;
mod services;
mod storage;
mod volume_kinds;
mod volumes;
mod workloads;
mod writer;

pub use clock::Clock;
pub(crate) use config::REDACTED;
pub use related::{Need, Related, fetches, needs};

use crate::get::messages::Refusal;
use crate::table::Resource;
use field::Field;
use serde_json::Value;
use writer::{Writer, put};

/// What descriptions depend on beside the objects.
#[derive(Clone, Debug)]
pub struct Context {
    /// Now, and where.
    pub clock: Clock,
    /// Show the events of each object.
    pub with_events: bool,
}

/// An object that is described, and what is known of it.
struct Subject<'a> {
    kind: &'a str,
    version: &'a str,
    object: Field<'a>,
    related: &'a Related,
    context: &'a Context,
}

/// Describes an object of a resource.
///
/// # Errors
/// When something that belongs to it, and without which there is no description, was refused.
pub fn describe(
    resource: &Resource,
    object: &Value,
    related: &Related,
    context: &Context,
) -> Result<String, Refusal> {
    let subject = Subject {
        kind: &resource.kind,
        version: &resource.version,
        object: Field::of(object),
        related,
        context,
    };
    let mut writer = Writer::new();
    let w = &mut writer;
    match (resource.group.as_str(), resource.kind.as_str()) {
        ("", kind) => of_core(w, kind, &subject)?,
        ("apps", kind) => of_apps(w, kind, &subject)?,
        ("batch", "Job") => jobs::job(w, &subject),
        ("batch", "CronJob") => jobs::cron_job(w, &subject),
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaling::describe(w, &subject),
        ("policy", "PodDisruptionBudget") => policies::disruption_budget(w, &subject),
        ("scheduling.k8s.io", "PriorityClass") => policies::priority_class(w, &subject),
        ("discovery.k8s.io", "EndpointSlice") => services::endpoint_slice(w, &subject),
        ("networking.k8s.io", kind) => of_networking(w, kind, &subject),
        ("storage.k8s.io", "StorageClass") => storage::storage_class(w, &subject),
        ("storage.k8s.io", "VolumeAttributesClass") => storage::attributes_class(w, &subject),
        ("storage.k8s.io", "CSINode") => storage::csi_node(w, &subject),
        ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => access::role(w, subject.object),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
            access::binding(w, subject.object);
        }
        _ => generic::describe(w, &subject),
    }
    Ok(writer.finish())
}

fn of_core(w: &mut Writer, kind: &str, subject: &Subject<'_>) -> Result<(), Refusal> {
    match kind {
        "Pod" => pod::describe(w, subject),
        "ReplicationController" => workloads::replication_controller(w, subject)?,
        "Secret" => config::secret(w, subject.object),
        "ConfigMap" => config::config_map(w, subject),
        "ServiceAccount" => config::service_account(w, subject),
        "Service" => services::service(w, subject),
        "Endpoints" => services::endpoints(w, subject),
        "Node" => node::describe(w, subject)?,
        "Namespace" => namespace::describe(w, subject)?,
        "LimitRange" => namespace::limit_range(w, subject),
        "ResourceQuota" => namespace::quota(w, subject),
        "PersistentVolume" => storage::volume(w, subject),
        "PersistentVolumeClaim" => storage::claim(w, subject)?,
        _ => generic::describe(w, subject),
    }
    Ok(())
}

fn of_apps(w: &mut Writer, kind: &str, subject: &Subject<'_>) -> Result<(), Refusal> {
    match kind {
        "Deployment" => workloads::deployment(w, subject),
        "ReplicaSet" => workloads::replica_set(w, subject),
        "StatefulSet" => workloads::stateful_set(w, subject)?,
        "DaemonSet" => workloads::daemon_set(w, subject)?,
        _ => generic::describe(w, subject),
    }
    Ok(())
}

fn of_networking(w: &mut Writer, kind: &str, subject: &Subject<'_>) {
    match kind {
        "Ingress" => ingress::ingress(w, subject),
        "IngressClass" => ingress::class(w, subject),
        "NetworkPolicy" => policies::network(w, subject),
        "ServiceCIDR" => services::service_cidr(w, subject),
        "IPAddress" => services::ip_address(w, subject),
        _ => generic::describe(w, subject),
    }
}

impl Subject<'_> {
    /// When it was created.
    fn created(&self) -> String {
        self.context
            .clock
            .date(self.object.at("metadata.creationTimestamp"))
    }

    /// A table of conditions with the time of their last change.
    fn conditions(&self, w: &mut Writer, conditions: Field<'_>) {
        if conditions.is_empty() {
            return;
        }
        put!(w, 0, "Conditions:\n");
        put!(w, 1, "Type\tStatus\tLastTransitionTime\tReason\tMessage\n");
        put!(w, 1, "----\t------\t------------------\t------\t-------\n");
        for condition in conditions.items() {
            let [kind, status, reason, message] =
                ["type", "status", "reason", "message"].map(|name| condition.member(name).text());
            let changed = self
                .context
                .clock
                .date(condition.member("lastTransitionTime"));
            put!(w, 1, "{kind}\t{status}\t{changed}\t{reason}\t{message}\n");
        }
    }
}
