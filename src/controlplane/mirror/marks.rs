//! The labels and annotations that say what a copy is a copy of.

/// Everything that is ours: what an origin says under it is not believed.
pub(super) const PREFIX: &str = "mqinformer.io/";

/// Label: the cluster as a DNS label, the namespace of its copies. Annotation: its exact name. On a namespace, the
/// annotation says whose copies may be written into it.
pub(super) const CLUSTER: &str = "mqinformer.io/cluster";
/// Label and annotation: the origin's namespace.
pub(super) const NAMESPACE: &str = "mqinformer.io/namespace";
/// Annotation: the origin's name.
pub(super) const NAME: &str = "mqinformer.io/name";
/// Annotation: the origin's uid.
pub(super) const UID: &str = "mqinformer.io/uid";
/// Annotation: the origin's resourceVersion.
pub(super) const RESOURCE_VERSION: &str = "mqinformer.io/resource-version";
/// Annotation: when the origin was created.
pub(super) const CREATED: &str = "mqinformer.io/creation-timestamp";
/// Annotation: since when the origin is being deleted.
pub(super) const DELETING: &str = "mqinformer.io/deletion-timestamp";
/// Annotation: the origin's status, where a controller of the hub writes the copy's own.
pub(super) const STATUS: &str = "mqinformer.io/status";
/// Annotation: the origin's annotations, where tools of the hub would obey them.
pub(super) const ANNOTATIONS: &str = "mqinformer.io/annotations";
/// Annotation, followed by a field's name: what the origin has there, where the copy has something else.
pub(super) const ORIGINAL: &str = "mqinformer.io/original-";
/// The syncer's annotation on a Secret whose values stayed in its cluster.
pub(super) const REDACTED: &str = "mqinformer.io/redacted";
/// Label of what no copy may select or run on: nothing has it.
pub(super) const INERT: &str = "mqinformer.io/inert";
/// What a copied pod waits for, for ever; the scheduler and the ingress class that nobody serves.
pub(super) const NOBODY: &str = "mirror.mqinformer.io";
/// `kubectl apply` keeps the whole object in it, as its author wrote it.
pub(super) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
