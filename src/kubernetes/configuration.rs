//! Where the API server is and who we are to it: a kubeconfig, or the pod's own service account.

use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

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
        let mut config = match self.files() {
            Some(files) => self.of_files(&files).await?,
            None => Config::incluster().map_err(|_| self.nowhere())?,
        };
        for_watches(&mut config);
        Ok(config)
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

    async fn of_files(&self, files: &[PathBuf]) -> Result<Config, ConfigurationError> {
        // As kubectl does: of several files some may be missing, but not all.
        let there: Vec<&Path> = files
            .iter()
            .map(PathBuf::as_path)
            .filter(|f| f.exists())
            .collect();
        let mut merged = Kubeconfig::default();
        for file in &there {
            let read = Kubeconfig::read_from(file).map_err(|error| unreadable(file, &error))?;
            merged = merged
                .merge(read)
                .map_err(|error| unreadable(file, &error))?;
        }
        let names = names(files);
        if there.is_empty() {
            return Err(ConfigurationError(format!(
                "kubeconfig {names} does not exist; name one with --kubeconfig or KUBECONFIG"
            )));
        }
        let options = KubeConfigOptions {
            context: self.context.clone(),
            ..Default::default()
        };
        let config = Config::from_custom_kubeconfig(merged, &options).await;
        config.map_err(|error| {
            ConfigurationError(format!("kubeconfig {names}: {}", unusable(&error)))
        })
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

/// A watch may be quiet for a minute, and who retries here is `list_watch`, which tells its consumers.
pub(super) fn for_watches(config: &mut Config) {
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.read_timeout = None;
    config.default_retry = false;
}

fn default_kubeconfig() -> Option<PathBuf> {
    std::env::var_os("HOME").map(|home| Path::new(&home).join(".kube/config"))
}

fn names(files: &[PathBuf]) -> String {
    let names: Vec<String> = files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    names.join(", ")
}

fn unreadable(file: &Path, error: &KubeconfigError) -> ConfigurationError {
    let why = match error {
        KubeconfigError::ReadConfig(error, _) => error.to_string(),
        other => first_line(&other.to_string()),
    };
    ConfigurationError(format!(
        "kubeconfig {} cannot be read: {why}",
        file.display()
    ))
}

fn unusable(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::CurrentContextNotSet => {
            "has no current context; choose one with `kubectl config use-context`".into()
        }
        KubeconfigError::LoadContext(name) => format!("has no context {name:?}"),
        KubeconfigError::LoadClusterOfContext(name) => format!("has no cluster {name:?}"),
        other => first_line(&other.to_string()),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

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
