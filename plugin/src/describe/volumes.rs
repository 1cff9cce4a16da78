//! Volumes of pods, and what persistent volumes are made of (`describeVolumes` of kubectl's describe.go).

use super::field::{Field, bracketed};
use super::quantity::Quantity;
use super::storage;
use super::writer::{Writer, put, shortened};

/// The volumes of a pod.
pub(super) fn describe(w: &mut Writer, volumes: Field<'_>, space: &str) {
    if volumes.is_empty() {
        put!(w, 0, "{space}Volumes:\t<none>\n");
        return;
    }
    put!(w, 0, "{space}Volumes:\n");
    let indent = if space.is_empty() { "" } else { " " };
    for volume in volumes.items() {
        put!(w, 1, "{indent}{}:\n", volume.member("name").text());
        source(w, volume, Of::Pod);
    }
}

/// What a persistent volume is made of.
pub(super) fn of_persistent(w: &mut Writer, spec: Field<'_>) {
    source(w, spec, Of::Cluster);
}

/// Whose volume.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// A pod's.
    Pod,
    /// A persistent one.
    Cluster,
}

/// How a line's value is found in the source.
enum Shown {
    /// A text, a number, a flag; empty if it is missing.
    Plain,
    /// A number; zero if it is missing.
    Int,
    /// A flag; false if it is missing.
    Flag,
    /// A list, in brackets.
    List,
    /// A list, with commas.
    Commas,
    /// A reference to a Secret, in its namespace or in another.
    Secret,
    /// This, if it is missing.
    Or(&'static str),
    /// A map.
    Map,
}

/// A kind of volume: its member, what it is, and its lines.
type Kind = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str, Shown)],
);

use Shown::{Commas, Flag, Int, List, Map, Or, Plain, Secret};

/// Those that are nothing but lines, in the order in which kubectl looks for them.
const KINDS: &[Kind] = &[
    (
        "hostPath",
        "HostPath (bare host directory volume)",
        &[
            ("Path:", "path", Plain),
            ("HostPathType:", "type", Or("<none>")),
        ],
    ),
    (
        "gcePersistentDisk",
        "GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)",
        &[
            ("PDName:", "pdName", Plain),
            ("FSType:", "fsType", Plain),
            ("Partition:", "partition", Int),
            ("ReadOnly:", "readOnly", Flag),
        ],
    ),
    (
        "awsElasticBlockStore",
        "AWSElasticBlockStore (a Persistent Disk resource in AWS)",
        &[
            ("VolumeID:", "volumeID", Plain),
            ("FSType:", "fsType", Plain),
            ("Partition:", "partition", Int),
            ("ReadOnly:", "readOnly", Flag),
        ],
    ),
    (
        "gitRepo",
        "GitRepo (a volume that is pulled from git when the pod is created)",
        &[
            ("Repository:", "repository", Plain),
            ("Revision:", "revision", Plain),
        ],
    ),
    (
        "secret",
        "Secret (a volume populated by a Secret)",
        &[
            ("SecretName:", "secretName", Plain),
            ("Optional:", "optional", Flag),
        ],
    ),
    (
        "configMap",
        "ConfigMap (a volume populated by a ConfigMap)",
        &[("Name:", "name", Plain), ("Optional:", "optional", Flag)],
    ),
    (
        "nfs",
        "NFS (an NFS mount that lasts the lifetime of a pod)",
        &[
            ("Server:", "server", Plain),
            ("Path:", "path", Plain),
            ("ReadOnly:", "readOnly", Flag),
        ],
    ),
    (
        "iscsi",
        "ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then exposed to the pod)",
        &[
            ("TargetPortal:", "targetPortal", Plain),
            ("IQN:", "iqn", Plain),
            ("Lun:", "lun", Int),
            ("ISCSIInterface", "iscsiInterface", Plain),
            ("FSType:", "fsType", Plain),
            ("ReadOnly:", "readOnly", Flag),
            ("Portals:", "portals", List),
            ("DiscoveryCHAPAuth:", "chapAuthDiscovery", Flag),
            ("SessionCHAPAuth:", "chapAuthSession", Flag),
            ("SecretRef:", "secretRef", Secret),
            ("InitiatorName:", "initiatorName", Or("<none>")),
        ],
    ),
    (
        "persistentVolumeClaim",
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        &[
            ("ClaimName:", "claimName", Plain),
            ("ReadOnly:", "readOnly", Flag),
        ],
    ),
    (
        "rbd",
        "RBD (a Rados Block Device mount on the host that shares a pod's lifetime)",
        &[
            ("CephMonitors:", "monitors", List),
            ("RBDImage:", "image", Plain),
            ("FSType:", "fsType", Plain),
            ("RBDPool:", "pool", Plain),
            ("RadosUser:", "user", Plain),
            ("Keyring:", "keyring", Plain),
            ("SecretRef:", "secretRef", Secret),
            ("ReadOnly:", "readOnly", Flag),
        ],
    ),
    (
        "quobyte",
        "Quobyte (a Quobyte mount on the host that shares a pod's lifetime)",
        &[
            ("Registry:", "registry", Plain),
            ("Volume:", "volume", Plain),
            ("ReadOnly:", "readOnly", Flag),
        ],
    ),
    (
        "azureDisk",
        "AzureDisk (an Azure Data Disk mount on the host and bind mount to the pod)",
        &[
            ("DiskName:", "diskName", Plain),
            ("DiskURI:", "diskURI", Plain),
            ("Kind: ", "kind", Plain),
            ("FSType:", "fsType", Plain),
            ("CachingMode:", "cachingMode", Plain),
            ("ReadOnly:", "readOnly", Flag),
        ],
    ),
    (
        "vsphereVolume",
        "vSphereVolume (a Persistent Disk resource in vSphere)",
        &[
            ("VolumePath:", "volumePath", Plain),
            ("FSType:", "fsType", Plain),
            ("StoragePolicyName:", "storagePolicyName", Plain),
        ],
    ),
    (
        "cinder",
        "Cinder (a Persistent Disk resource in OpenStack)",
        &[
            ("VolumeID:", "volumeID", Plain),
            ("FSType:", "fsType", Plain),
            ("ReadOnly:", "readOnly", Flag),
            ("SecretRef:", "secretRef", Secret),
        ],
    ),
    (
        "photonPersistentDisk",
        "PhotonPersistentDisk (a Persistent Disk resource in photon platform)",
        &[("PdID:", "pdID", Plain), ("FSType:", "fsType", Plain)],
    ),
    (
        "portworxVolume",
        "PortworxVolume (a Portworx Volume resource)",
        &[("VolumeID:", "volumeID", Plain)],
    ),
    (
        "local",
        "LocalVolume (a persistent volume backed by local storage on a node)",
        &[("Path:", "path", Plain)],
    ),
    (
        "cephfs",
        "CephFS (a CephFS mount on the host that shares a pod's lifetime)",
        &[
            ("Monitors:", "monitors", List),
            ("Path:", "path", Plain),
            ("User:", "user", Plain),
            ("SecretFile:", "secretFile", Plain),
            ("SecretRef:", "secretRef", Secret),
            ("ReadOnly:", "readOnly", Flag),
        ],
    ),
    (
        "storageos",
        "StorageOS (a StorageOS Persistent Disk resource)",
        &[
            ("VolumeName:", "volumeName", Plain),
            ("VolumeNamespace:", "volumeNamespace", Plain),
            ("FSType:", "fsType", Plain),
            ("ReadOnly:", "readOnly", Flag),
        ],
    ),
    (
        "fc",
        "FC (a Fibre Channel disk)",
        &[
            ("TargetWWNs:", "targetWWNs", Commas),
            ("LUN:", "lun", Or("<none>")),
            ("FSType:", "fsType", Plain),
            ("ReadOnly:", "readOnly", Flag),
        ],
    ),
    (
        "flexVolume",
        "FlexVolume (a generic volume resource that is provisioned/attached using an exec based plugin)",
        &[
            ("Driver:", "driver", Plain),
            ("FSType:", "fsType", Plain),
            ("SecretRef:", "secretRef", Secret),
            ("ReadOnly:", "readOnly", Flag),
            ("Options:", "options", Map),
        ],
    ),
    (
        "flocker",
        "Flocker (a Flocker volume mounted by the Flocker agent)",
        &[
            ("DatasetName:", "datasetName", Plain),
            ("DatasetUUID:", "datasetUUID", Plain),
        ],
    ),
    (
        "image",
        "Image (a container image or OCI artifact)",
        &[
            ("Reference:", "reference", Plain),
            ("PullPolicy:", "pullPolicy", Plain),
        ],
    ),
];

/// Those that differ between pods and persistent volumes.
const OF_PODS: &[Kind] = &[
    (
        "glusterfs",
        "Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)",
        &[
            ("EndpointsName:", "endpoints", Plain),
            ("Path:", "path", Plain),
            ("ReadOnly:", "readOnly", Flag),
        ],
    ),
    (
        "scaleIO",
        "ScaleIO (a persistent volume backed by a block device in ScaleIO)",
        &[
            ("Gateway:", "gateway", Plain),
            ("System:", "system", Plain),
            ("Protection Domain:", "protectionDomain", Plain),
            ("Storage Pool:", "storagePool", Plain),
            ("Storage Mode:", "storageMode", Plain),
            ("VolumeName:", "volumeName", Plain),
            ("FSType:", "fsType", Plain),
            ("ReadOnly:", "readOnly", Flag),
        ],
    ),
    (
        "azureFile",
        "AzureFile (an Azure File Service mount on the host and bind mount to the pod)",
        &[
            ("SecretName:", "secretName", Plain),
            ("ShareName:", "shareName", Plain),
            ("ReadOnly:", "readOnly", Flag),
        ],
    ),
    (
        "csi",
        "CSI (a Container Storage Interface (CSI) volume source)",
        &[
            ("Driver:", "driver", Plain),
            ("FSType:", "fsType", Plain),
            ("ReadOnly:", "readOnly", Flag),
        ],
    ),
];

/// See [`OF_PODS`].
const PERSISTENT: &[Kind] = &[
    (
        "glusterfs",
        "Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)",
        &[
            ("EndpointsName:", "endpoints", Plain),
            ("EndpointsNamespace:", "endpointsNamespace", Or("<unset>")),
            ("Path:", "path", Plain),
            ("ReadOnly:", "readOnly", Flag),
        ],
    ),
    (
        "scaleIO",
        "ScaleIO (a persistent volume backed by a block device in ScaleIO)",
        &[
            ("Gateway:", "gateway", Plain),
            ("System:", "system", Plain),
            ("Protection Domain:", "protectionDomain", Plain),
            ("Storage Pool:", "storagePool", Plain),
            ("Storage Mode:", "storageMode", Plain),
            ("VolumeName:", "volumeName", Plain),
            ("SecretName:", "secretRef.name", Plain),
            ("SecretNamespace:", "secretRef.namespace", Plain),
            ("FSType:", "fsType", Plain),
            ("ReadOnly:", "readOnly", Flag),
        ],
    ),
    (
        "azureFile",
        "AzureFile (an Azure File Service mount on the host and bind mount to the pod)",
        &[
            ("SecretName:", "secretName", Plain),
            ("SecretNamespace:", "secretNamespace", Plain),
            ("ShareName:", "shareName", Plain),
            ("ReadOnly:", "readOnly", Flag),
        ],
    ),
    (
        "csi",
        "CSI (a Container Storage Interface (CSI) volume source)",
        &[
            ("Driver:", "driver", Plain),
            ("FSType:", "fsType", Plain),
            ("VolumeHandle:", "volumeHandle", Plain),
            ("ReadOnly:", "readOnly", Flag),
        ],
    ),
];

fn source(w: &mut Writer, volume: Field<'_>, of: Of) {
    let more = if of == Of::Pod { OF_PODS } else { PERSISTENT };
    let known = KINDS
        .iter()
        .chain(more)
        .find(|(member, ..)| volume.member(member).exists());
    if let Some((member, what, lines)) = known {
        let source = volume.member(member);
        put!(w, 2, "Type:\t{what}\n");
        for (title, path, shown) in *lines {
            put!(w, 2, "{title}\t{}\n", value(source.at(path), shown, of));
        }
        if *member == "csi" {
            attributes(w, source.member("volumeAttributes"));
        }
    } else if let Some(directory) = volume.member("emptyDir").some() {
        empty_directory(w, directory);
    } else if let Some(claim) = volume.member("ephemeral").some() {
        ephemeral(w, claim);
    } else if let Some(items) = volume.member("downwardAPI").some() {
        downward(w, items);
    } else if let Some(projected) = volume.member("projected").some() {
        put!(
            w,
            2,
            "Type:\tProjected (a volume that contains injected data from multiple sources)\n"
        );
        projected
            .member("sources")
            .items()
            .for_each(|source| one_projected(w, source));
    } else {
        put!(w, 1, "<unknown>\n");
    }
}

fn value(field: Field<'_>, shown: &Shown, of: Of) -> String {
    match shown {
        Plain => field.shown(),
        Int => field.int().to_string(),
        Flag => field.is_true().to_string(),
        List => bracketed(&field.texts()),
        Commas => field.texts().join(", "),
        Or(default) => field.shown_or(default),
        Map => {
            let members = field
                .map()
                .into_iter()
                .map(|(key, value)| format!("{key}:{value}"));
            format!("map[{}]", members.collect::<Vec<_>>().join(" "))
        }
        Secret => match (field.some(), of) {
            (None, _) => "nil".to_owned(),
            (Some(secret), Of::Pod) => format!(
                "&LocalObjectReference{{Name:{},}}",
                secret.member("name").text()
            ),
            (Some(secret), Of::Cluster) => format!(
                "&SecretReference{{Name:{},Namespace:{},}}",
                secret.member("name").text(),
                secret.member("namespace").text()
            ),
        },
    }
}

fn empty_directory(w: &mut Writer, directory: Field<'_>) {
    let limit = Quantity::of(directory.member("sizeLimit"));
    let limit = if limit.is_positive() {
        limit.to_string()
    } else {
        "<unset>".to_owned()
    };
    put!(
        w,
        2,
        "Type:\tEmptyDir (a temporary directory that shares a pod's lifetime)\n"
    );
    w.field(2, "Medium", directory.member("medium").text());
    w.field(2, "SizeLimit", limit);
}

fn ephemeral(w: &mut Writer, ephemeral: Field<'_>) {
    let what = "EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)";
    put!(w, 2, "Type:\t{what}\n");
    if let Some(template) = ephemeral.member("volumeClaimTemplate").some() {
        w.nest(2, |w| storage::claim_template(w, template));
    }
}

fn downward(w: &mut Writer, volume: Field<'_>) {
    put!(
        w,
        2,
        "Type:\tDownwardAPI (a volume populated by information about the pod)\n    Items:\n"
    );
    for item in volume.member("items").items() {
        let path = item.member("path").text();
        for from in ["fieldRef.fieldPath", "resourceFieldRef.resource"] {
            if let Some(from) = item.at(from).some() {
                put!(w, 3, "{} -> {path}\n", from.text());
            }
        }
    }
}

fn one_projected(w: &mut Writer, source: Field<'_>) {
    for (member, title) in [
        ("secret", "SecretName"),
        ("downwardAPI", ""),
        ("configMap", "ConfigMapName"),
    ] {
        let Some(found) = source.member(member).some() else {
            continue;
        };
        if member == "downwardAPI" {
            return put!(w, 2, "DownwardAPI:\ttrue\n");
        }
        w.field(2, title, found.member("name").text());
        return w.field(2, "Optional", found.member("optional").is_true());
    }
    if let Some(token) = source.member("serviceAccountToken").some() {
        w.field(
            2,
            "TokenExpirationSeconds",
            token.member("expirationSeconds").int(),
        );
    }
}

/// What a storage driver is told.
fn attributes(w: &mut Writer, attributes: Field<'_>) {
    put!(w, 2, "VolumeAttributes:\t");
    if attributes.is_empty() {
        put!(w, 0, "<none>\n");
    }
    for (index, (key, value)) in attributes.map().into_iter().enumerate() {
        if index > 0 {
            put!(w, 2, "");
            put!(w, 2, "\t");
        }
        put!(w, 2, "{}\n", shortened(&format!("{key}={value}"), 140));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn check(volume: &Value, of: Of, want: &str) {
        let mut w = Writer::new();
        source(&mut w, Field::of(volume), of);
        assert_eq!(w.finish(), want);
    }

    #[test]
    fn a_source_is_its_lines() {
        check(
            &json!({"secret": {"secretName": "s", "optional": true}}),
            Of::Pod,
            "    Type:        Secret (a volume populated by a Secret)\n    SecretName:  s\n    Optional:    true\n",
        );
        check(
            &json!({"emptyDir": {}}),
            Of::Pod,
            "    Type:       EmptyDir (a temporary directory that shares a pod's lifetime)\n    Medium:     \n    \
             SizeLimit:  <unset>\n",
        );
        check(
            &json!({"projected": {"sources": [{"serviceAccountToken": {"expirationSeconds": 3607}},
                                              {"configMap": {"name": "c"}}, {"downwardAPI": {}}]}}),
            Of::Pod,
            "    Type:                    Projected (a volume that contains injected data from multiple sources)\n    \
             TokenExpirationSeconds:  3607\n    ConfigMapName:           c\n    Optional:                false\n    \
             DownwardAPI:             true\n",
        );
        check(&json!({"new": {}}), Of::Pod, "  <unknown>\n");
    }

    #[test]
    fn secrets_are_named_where_they_are() {
        let volume =
            json!({"cinder": {"volumeID": "v", "secretRef": {"name": "s", "namespace": "n"}}});
        let text = |of| {
            let mut w = Writer::new();
            source(&mut w, Field::of(&volume), of);
            w.finish()
        };
        assert!(text(Of::Pod).contains("SecretRef:  &LocalObjectReference{Name:s,}\n"));
        assert!(text(Of::Cluster).contains("SecretRef:  &SecretReference{Name:s,Namespace:n,}\n"));
    }
}
