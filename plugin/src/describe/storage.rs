//! Persistent volumes, claims, storage classes, and what belongs to them.

use super::Subject;
use super::events;
use super::field::{Field, bracketed};
use super::quantity::Quantity;
use super::related::Need;
use super::volumes;
use super::writer::{Writer, joined, put};
use crate::get::messages::Refusal;

/// The annotation that named a storage class before there was a field for it.
const CLASS: &str = "volume.beta.kubernetes.io/storage-class";
const DEFAULT: [&str; 2] = [
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
];

pub(super) fn volume(w: &mut Writer, subject: &Subject<'_>) {
    let volume = subject.object;
    let spec = volume.member("spec");
    w.field(0, "Name", volume.name());
    w.labels("Labels", volume.at("metadata.labels"));
    w.annotations("Annotations", volume.at("metadata.annotations"));
    w.field(
        0,
        "Finalizers",
        bracketed(&volume.at("metadata.finalizers").texts()),
    );
    w.field(0, "StorageClass", class(volume));
    status(w, subject);
    let claim = spec.member("claimRef").some();
    let claim = claim.map(|claim| {
        format!(
            "{}/{}",
            claim.member("namespace").text(),
            claim.member("name").text()
        )
    });
    w.field(0, "Claim", claim.unwrap_or_default());
    w.field(
        0,
        "Reclaim Policy",
        spec.member("persistentVolumeReclaimPolicy").text(),
    );
    w.field(0, "Access Modes", modes(spec.member("accessModes")));
    if let Some(mode) = spec.member("volumeMode").some() {
        w.field(0, "VolumeMode", mode.text());
    }
    w.field(0, "Capacity", Quantity::of(spec.at("capacity.storage")));
    affinity(w, spec.at("nodeAffinity.required"));
    w.field(0, "Message", volume.at("status.message").text());
    put!(w, 0, "Source:\n");
    volumes::of_persistent(w, spec);
    events::describe(w, subject);
}

pub(super) fn claim(w: &mut Writer, subject: &Subject<'_>) -> Result<(), Refusal> {
    let claim = subject.object;
    w.field(0, "Name", claim.name());
    w.field(0, "Namespace", claim.namespace());
    w.field(0, "StorageClass", class(claim));
    status(w, subject);
    w.field(0, "Volume", claim.at("spec.volumeName").text());
    w.labels("Labels", claim.at("metadata.labels"));
    w.annotations("Annotations", claim.at("metadata.annotations"));
    w.field(
        0,
        "Finalizers",
        bracketed(&claim.at("metadata.finalizers").texts()),
    );
    capacity(w, claim);
    let pods = subject.related.get(&Need::pods_beside(claim))?;
    w.column(
        "",
        "Used By",
        users(&pods, claim).into_iter().map(str::to_owned).collect(),
    );
    let conditions = claim.at("status.conditions");
    if !conditions.is_empty() {
        put!(w, 0, "Conditions:\n");
        put!(
            w,
            1,
            "Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage\n"
        );
        put!(
            w,
            1,
            "----\t------\t-----------------\t------------------\t------\t-------\n"
        );
    }
    for condition in conditions.items() {
        let text = |name| condition.member(name).text();
        let date = |name| subject.context.clock.date(condition.member(name));
        let (probed, changed) = (date("lastProbeTime"), date("lastTransitionTime"));
        let (kind, status, reason, message) = (
            text("type"),
            text("status"),
            text("reason"),
            text("message"),
        );
        put!(
            w,
            1,
            "{kind} \t{status} \t{probed} \t{changed} \t{reason} \t{message}\n"
        );
    }
    events::describe(w, subject);
    Ok(())
}

/// A claim that is made with a pod: what it is called and what became of it is not known yet.
pub(super) fn claim_template(w: &mut Writer, template: Field<'_>) {
    w.field(0, "StorageClass", class(template));
    w.field(0, "Volume", template.at("spec.volumeName").text());
    w.labels("Labels", template.at("metadata.labels"));
    w.annotations("Annotations", template.at("metadata.annotations"));
    capacity(w, template);
}

/// The claims of a stateful set.
pub(super) fn claim_templates(w: &mut Writer, templates: Field<'_>) {
    if templates.is_empty() {
        return put!(w, 0, "Volume Claims:\t<none>\n");
    }
    put!(w, 0, "Volume Claims:\n");
    for template in templates.items() {
        w.field(1, "Name", template.name());
        w.field(1, "StorageClass", class(template));
        w.labels_indented("  ", "Labels", template.at("metadata.labels"));
        w.labels_indented("  ", "Annotations", template.at("metadata.annotations"));
        let storage = template.at("spec.resources.requests.storage").some();
        let storage = storage.map_or("<default>".to_owned(), |storage| {
            Quantity::of(storage).to_string()
        });
        w.field(1, "Capacity", storage);
        w.field(
            1,
            "Access Modes",
            bracketed(&template.at("spec.accessModes").texts()),
        );
    }
}

pub(super) fn storage_class(w: &mut Writer, subject: &Subject<'_>) {
    let class = subject.object;
    let annotations = class.at("metadata.annotations");
    let is_default = DEFAULT
        .iter()
        .any(|name| annotations.member(name).text() == "true");
    w.field(0, "Name", class.name());
    w.field(0, "IsDefaultClass", if is_default { "Yes" } else { "No" });
    w.field(0, "Annotations", joined(annotations));
    w.field(0, "Provisioner", class.member("provisioner").text());
    w.field(0, "Parameters", joined(class.member("parameters")));
    let expands = class.member("allowVolumeExpansion").some();
    w.field(
        0,
        "AllowVolumeExpansion",
        expands.map_or("<unset>", |expands| truth(expands.is_true())),
    );
    let options = class.member("mountOptions");
    if options.is_empty() {
        put!(w, 0, "MountOptions:\t<none>\n");
    } else {
        put!(w, 0, "MountOptions:\n");
        options
            .texts()
            .iter()
            .for_each(|option| put!(w, 1, "{option}\n"));
    }
    for (member, title) in [
        ("reclaimPolicy", "ReclaimPolicy"),
        ("volumeBindingMode", "VolumeBindingMode"),
    ] {
        if let Some(value) = class.member(member).some() {
            w.field(0, title, value.text());
        }
    }
    if let Some(topologies) = class.member("allowedTopologies").some() {
        put!(
            w,
            0,
            "AllowedTopologies:\t{}",
            if topologies.is_empty() {
                "<none>\n"
            } else {
                "\n"
            }
        );
        for (index, term) in topologies.items().enumerate() {
            terms(w, 1, index, term.member("matchLabelExpressions"));
        }
    }
    events::describe(w, subject);
}

pub(super) fn attributes_class(w: &mut Writer, subject: &Subject<'_>) {
    let class = subject.object;
    w.field(0, "Name", class.name());
    w.field(0, "Annotations", joined(class.at("metadata.annotations")));
    w.field(0, "DriverName", class.member("driverName").text());
    w.field(0, "Parameters", joined(class.member("parameters")));
    events::describe(w, subject);
}

pub(super) fn csi_node(w: &mut Writer, subject: &Subject<'_>) {
    let node = subject.object;
    w.field(0, "Name", node.name());
    w.labels("Labels", node.at("metadata.labels"));
    w.annotations("Annotations", node.at("metadata.annotations"));
    w.field(0, "CreationTimestamp", subject.created());
    put!(w, 0, "Spec:\n");
    if let Some(drivers) = node.at("spec.drivers").some() {
        put!(w, 1, "Drivers:\n");
        for driver in drivers.items() {
            put!(w, 2, "{}:\n", driver.member("name").text());
            w.field(3, "Node ID", driver.member("nodeID").text());
            if let Some(count) = driver.at("allocatable.count").some() {
                put!(w, 3, "Allocatables:\n");
                w.field(4, "Count", count.int());
            }
            if let Some(keys) = driver.member("topologyKeys").some() {
                w.field(3, "Topology Keys", bracketed(&keys.texts()));
            }
        }
    }
    events::describe(w, subject);
}

/// `True`, `False`.
pub(super) fn truth(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

fn status(w: &mut Writer, subject: &Subject<'_>) {
    match subject.object.at("metadata.deletionTimestamp").some() {
        Some(deleted) => {
            let since = subject.context.clock.since(deleted);
            w.field(0, "Status", format_args!("Terminating (lasts {since})"));
        }
        None => w.field(0, "Status", subject.object.at("status.phase").text()),
    }
}

/// What a claim got, once it has a volume.
fn capacity(w: &mut Writer, claim: Field<'_>) {
    let (spec, status) = (claim.member("spec"), claim.member("status"));
    let (capacity, modes) = match spec.member("volumeName").text() {
        "" => (String::new(), String::new()),
        _ => (
            Quantity::of(status.at("capacity.storage")).to_string(),
            modes(status.member("accessModes")),
        ),
    };
    w.field(0, "Capacity", capacity);
    w.field(0, "Access Modes", modes);
    if let Some(mode) = spec.member("volumeMode").some() {
        w.field(0, "VolumeMode", mode.text());
    }
    if let Some(source) = spec.member("dataSource").some() {
        put!(w, 0, "DataSource:\n");
        if let Some(group) = source.member("apiGroup").some() {
            w.field(1, "APIGroup", group.text());
        }
        w.field(1, "Kind", source.member("kind").text());
        w.field(1, "Name", source.member("name").text());
    }
}

/// The pods that use a claim, or own it.
fn users<'a>(pods: &[Field<'a>], claim: Field<'_>) -> Vec<&'a str> {
    let owners: Vec<_> = claim.at("metadata.ownerReferences").items().collect();
    let mounts = |pod: &Field<'_>| {
        let volumes = pod.at("spec.volumes").items();
        volumes
            .filter(|volume| volume.at("persistentVolumeClaim.claimName").text() == claim.name())
            .count()
    };
    let owns = |pod: &Field<'_>| {
        let is = |owner: &Field<'_>| {
            owner.member("kind").text() == "Pod" && owner.member("uid").text() == pod.uid()
        };
        usize::from(owners.iter().any(is))
    };
    // One that mounts it twice is there twice, as kubectl has it.
    let times = |pod: &Field<'_>| mounts(pod).max(owns(pod));
    let names = pods
        .iter()
        .flat_map(|pod| std::iter::repeat_n(pod.name(), times(pod)));
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names
}

fn class(object: Field<'_>) -> &str {
    match object.at("metadata.annotations").member(CLASS).some() {
        Some(class) => class.text(),
        None => object.at("spec.storageClassName").text(),
    }
}

/// `RWO,ROX`.
fn modes(modes: Field<'_>) -> String {
    let modes = modes.texts();
    let known = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let shown = known
        .iter()
        .filter(|(mode, _)| modes.contains(mode))
        .map(|(_, short)| *short);
    shown.collect::<Vec<_>>().join(",")
}

fn affinity(w: &mut Writer, required: Field<'_>) {
    put!(
        w,
        0,
        "Node Affinity:\t{}\n",
        if required.exists() { "" } else { "<none>" }
    );
    if !required.exists() {
        return;
    }
    let listed = required.member("nodeSelectorTerms");
    put!(
        w,
        1,
        "Required Terms:\t{}\n",
        if listed.is_empty() { "<none>" } else { "" }
    );
    for (index, term) in listed.items().enumerate() {
        terms(w, 2, index, term.member("matchExpressions"));
    }
}

/// `Term 0:  zone in [a, b]`.
fn terms(w: &mut Writer, level: usize, index: usize, expressions: Field<'_>) {
    put!(w, level, "Term {index}:\t");
    if expressions.is_empty() {
        put!(w, 0, "<none>\n");
    }
    for (index, expression) in expressions.items().enumerate() {
        if index > 0 {
            put!(w, level, "\t");
        }
        let values = match expression.member("values").texts() {
            values if values.is_empty() => String::new(),
            values => format!(" [{}]", values.join(", ")),
        };
        let operator = expression.member("operator").text_or("in").to_lowercase();
        put!(
            w,
            0,
            "{} {operator}{values}\n",
            expression.member("key").text()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn access_modes_come_in_one_order() {
        let value = json!([
            "ReadWriteMany",
            "ReadWriteOnce",
            "ReadWriteOnce",
            "ReadWriteOncePod"
        ]);
        assert_eq!(modes(Field::of(&value)), "RWO,RWX,RWOP");
    }

    #[test]
    fn pods_use_a_claim_by_mounting_or_owning_it() {
        let pod = |name: &str, claim: &str| {
            json!({"metadata": {"name": name, "uid": name},
                   "spec": {"volumes": [{"persistentVolumeClaim": {"claimName": claim}}]}})
        };
        let pods = [
            pod("b", "data"),
            pod("a", "data"),
            pod("c", "other"),
            pod("d", "other"),
        ];
        let claim =
            json!({"metadata": {"name": "data", "ownerReferences": [{"kind": "Pod", "uid": "d"}]}});
        let pods: Vec<_> = pods.iter().map(Field::of).collect();
        assert_eq!(users(&pods, Field::of(&claim)), ["a", "b", "d"]);
    }
}
