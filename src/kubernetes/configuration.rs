//! Where the API server is and who we are to it: a kubeconfig, or the pod's own service account.

use super::kubeconfig::{Kubeconfig, default_kubeconfig};
use kube::Config;
use std::ffi::OsString;
use std::path::PathBuf;

/// Which cluster to talk to.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Kubeconfig files, separated as in `PATH` and merged as kubectl does: `--kubeconfig` or `KUBECONFIG`.
    /// Without it: the pod's service account, then `~/.kube/config`.
    pub kubeconfig: Option<OsString>,
    /// The context; none for the kubeconfig's current one.
    pub context: Option<String>,
}

/// Why there is no way to an API server, in one line that says what was tried and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigurationError(pub(super) String);

impl Access {
    /// Reads the configuration.
    pub(super) async fn load(&self) -> Result<Config, ConfigurationError> {
        match self.files() {
            Some(files) => {
                let kubeconfig = Kubeconfig::read(&files)?;
                kubeconfig.config(self.context.as_deref()).await
            }
            None => {
                let mut config = Config::incluster().map_err(|_| self.nowhere())?;
                config.proxy_url = super::proxy::of_environment(&config.cluster_url)?;
                Ok(config)
            }
        }
    }

    /// The kubeconfig files to read, or none for the pod's service account.
    fn files(&self) -> Option<Vec<PathBuf>> {
        if let Some(paths) = self.kubeconfig.as_ref().filter(|paths| !paths.is_empty()) {
            return Some(std::env::split_paths(paths).collect());
        }
        if std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
            return None;
        }
        default_kubeconfig()
            .filter(|path| path.exists())
            .map(|path| vec![path])
    }

    fn nowhere(&self) -> ConfigurationError {
        let tried = default_kubeconfig().unwrap_or_else(|| "~/.kube/config".into());
        ConfigurationError(format!(
            "no cluster is configured: no --kubeconfig, no KUBECONFIG, no {}, no service account of a pod; \
             name a kubeconfig with --kubeconfig",
            tried.display()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const TWO_CONTEXTS: &str = r#"
apiVersion: v1
kind: Config
current-context: first
clusters:
- {name: a, cluster: {server: "http://127.0.0.1:1"}}
- {name: b, cluster: {server: "http://127.0.0.1:2"}}
contexts:
- {name: first, context: {cluster: a, user: u}}
- {name: second, context: {cluster: b, user: u}}
users:
- {name: u, user: {token: t}}
"#;

    async fn load(paths: &[&Path], context: Option<&str>) -> Result<String, String> {
        let access = Access {
            kubeconfig: Some(std::env::join_paths(paths).unwrap()),
            context: context.map(Into::into),
        };
        let config = access.load().await;
        config
            .map(|config| config.cluster_url.to_string())
            .map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_context_can_be_chosen() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config");
        std::fs::write(&file, TWO_CONTEXTS).unwrap();
        let missing = directory.path().join("missing");
        assert_eq!(load(&[&file], None).await.unwrap(), "http://127.0.0.1:1/");
        assert_eq!(
            load(&[&missing, &file], Some("second")).await.unwrap(),
            "http://127.0.0.1:2/"
        );
        let error = load(&[&file], Some("third")).await.unwrap_err();
        assert!(error.ends_with(r#"has no context "third""#), "{error}");
    }

    #[tokio::test]
    async fn an_error_says_what_was_tried() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing");
        let error = load(&[&missing], None).await.unwrap_err();
        assert_eq!(
            error,
            format!(
                "kubeconfig {} does not exist; name one with --kubeconfig or KUBECONFIG",
                missing.display()
            )
        );
        let broken = directory.path().join("broken");
        std::fs::write(&broken, "a: [").unwrap();
        let error = load(&[&broken], None).await.unwrap_err();
        assert!(
            error.contains("cannot be read") && !error.contains('\n'),
            "{error}"
        );
        std::fs::write(&broken, "apiVersion: v1\nkind: Config\n").unwrap();
        let error = load(&[&broken], None).await.unwrap_err();
        assert!(error.contains("no current context"), "{error}");
    }
}
