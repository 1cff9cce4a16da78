//! Who may do what in a cluster: three users, their tokens and kubeconfigs.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::json;

use crate::api::Api;
use crate::pki::{self, Authority};

/// Who talks to the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// May do anything (group `system:masters`).
    Admin,
    /// `viewer-nosecrets`: may get, list and watch everything but Secrets.
    ViewerWithoutSecrets,
    /// `nobody`: may do no more than read the API's own description.
    Nobody,
}

impl User {
    const ALL: [Self; 3] = [Self::Admin, Self::ViewerWithoutSecrets, Self::Nobody];

    /// The name that the API server knows.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::ViewerWithoutSecrets => "viewer-nosecrets",
            Self::Nobody => "nobody",
        }
    }

    /// Its bearer token: the server listens on loopback only, and lives as long as a test.
    pub(crate) fn token(self) -> String {
        format!("{}-token", self.name())
    }

    fn group(self) -> &'static str {
        match self {
            Self::Admin => "system:masters",
            Self::ViewerWithoutSecrets | Self::Nobody => "bed",
        }
    }
}

/// The files of the users: the authority, the tokens, and a kubeconfig each.
pub(crate) fn write_access(
    name: &str,
    dir: &Path,
    server: &str,
    authority: &Authority,
) -> Result<()> {
    pki::write(&ca_path(dir), authority.certificate())?;
    let line = |user: User| {
        format!(
            "{},{},{},\"{}\"\n",
            user.token(),
            user.name(),
            user.name(),
            user.group()
        )
    };
    pki::write(&tokens_path(dir), &User::ALL.map(line).concat())?;
    for user in User::ALL {
        pki::write(
            &kubeconfig_path(dir, user),
            &kubeconfig(name, server, &ca_path(dir), user),
        )?;
    }
    Ok(())
}

fn kubeconfig(cluster: &str, server: &str, ca: &Path, user: User) -> String {
    let (user, token) = (format!("{cluster}-{}", user.name()), user.token());
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {"server": server, "certificate-authority": ca}}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": user}}],
        "current-context": cluster,
    });
    format!("{config:#}\n")
}

/// RBAC has no "but": everything that the core group has, except for secrets, and every other group.
pub(crate) fn allow_viewer(api: &Api) -> Result<()> {
    let name = User::ViewerWithoutSecrets.name();
    let core = [
        "bindings",
        "componentstatuses",
        "configmaps",
        "endpoints",
        "events",
        "limitranges",
        "namespaces",
        "nodes",
        "persistentvolumeclaims",
        "persistentvolumes",
        "pods",
        "pods/log",
        "podtemplates",
        "replicationcontrollers",
        "resourcequotas",
        "serviceaccounts",
        "services",
    ];
    let groups = [
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "apps",
        "autoscaling",
        "batch",
        "bed.mqinformer.io",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
    ];
    let verbs = ["get", "list", "watch"];
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name},
        "rules": [
            {"apiGroups": [""], "resources": core, "verbs": verbs},
            {"apiGroups": groups, "resources": ["*"], "verbs": verbs},
        ],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}],
    });
    for (resource, body) in [("clusterroles", role), ("clusterrolebindings", binding)] {
        api.post(
            &format!("/apis/rbac.authorization.k8s.io/v1/{resource}"),
            body.to_string(),
        )?
        .success()?;
    }
    Ok(())
}

pub(crate) fn ca_path(dir: &Path) -> PathBuf {
    dir.join("ca.crt")
}

pub(crate) fn tokens_path(dir: &Path) -> PathBuf {
    dir.join("tokens.csv")
}

pub(crate) fn kubeconfig_path(dir: &Path, user: User) -> PathBuf {
    dir.join(format!("{}.kubeconfig", user.name()))
}
