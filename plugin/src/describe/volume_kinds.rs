//! The kinds of volumes that are nothing but lines: titles, and where the values are.

/// How a line's value is found in the source.
pub(super) enum Shown {
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
pub(super) type Kind = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str, Shown)],
);

use Shown::{Commas, Flag, Int, List, Map, Or, Plain, Secret};

/// Those that are nothing but lines, in the order in which kubectl looks for them.
pub(super) const KINDS: &[Kind] = &[
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
pub(super) const OF_PODS: &[Kind] = &[
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
pub(super) const PERSISTENT: &[Kind] = &[
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
