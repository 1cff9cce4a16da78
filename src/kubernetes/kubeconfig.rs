//! Kubeconfig files: found and merged as kubectl does, and the contexts in them.

use super::configuration::ConfigurationError;
use kube::Config;
use kube::config::{KubeConfigOptions, KubeconfigError};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// What kubectl says when a context has no namespace.
const DEFAULT_NAMESPACE: &str = "default";

/// Several files, merged: of two entries with one name the first counts.
#[derive(Clone, Debug)]
pub struct Kubeconfig {
    merged: kube::config::Kubeconfig,
    /// The files as they were named, for messages.
    names: String,
}

impl Kubeconfig {
    /// The files of a list as `KUBECONFIG` has it; `~/.kube/config` if there is none.
    #[must_use]
    pub fn files(list: Option<&OsStr>) -> Vec<PathBuf> {
        match list.filter(|list| !list.is_empty()) {
            Some(list) => std::env::split_paths(list)
                .filter(|path| path != Path::new(""))
                .collect(),
            None => default_kubeconfig().into_iter().collect(),
        }
    }

    /// Reads and merges. Some of the files may be missing, as with kubectl, but not all.
    ///
    /// # Errors
    /// When no file is there, or one cannot be read.
    pub fn read(files: &[PathBuf]) -> Result<Self, ConfigurationError> {
        let names: Vec<_> = files
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        let names = names.join(", ");
        let there: Vec<_> = files.iter().filter(|file| file.exists()).collect();
        if there.is_empty() {
            return Err(ConfigurationError(format!(
                "kubeconfig {names} does not exist; name one with --kubeconfig or KUBECONFIG"
            )));
        }
        let mut merged = kube::config::Kubeconfig::default();
        for file in there {
            let failed = |error| unreadable(file, &error);
            let mut read = kube::config::Kubeconfig::read_from(file).map_err(failed)?;
            // An empty word chooses nothing, so it hides no later file's choice.
            read.current_context = read.current_context.filter(|name| !name.is_empty());
            merged = merged.merge(read).map_err(failed)?;
        }
        Ok(Self { merged, names })
    }

    /// The names of all contexts, in the order of the files.
    pub fn contexts(&self) -> impl Iterator<Item = &str> {
        self.merged
            .contexts
            .iter()
            .map(|context| context.name.as_str())
    }

    /// Whether there is a context of this name.
    #[must_use]
    pub fn has(&self, context: &str) -> bool {
        self.contexts().any(|name| name == context)
    }

    /// The namespace of a context: its own, else `default`.
    #[must_use]
    pub fn namespace(&self, context: &str) -> &str {
        let named = self
            .merged
            .contexts
            .iter()
            .find(|named| named.name == context);
        let own = named.and_then(|named| named.context.as_ref()?.namespace.as_deref());
        own.filter(|namespace| !namespace.is_empty())
            .unwrap_or(DEFAULT_NAMESPACE)
    }

    /// The files' names, to be shown.
    #[must_use]
    pub fn names(&self) -> &str {
        &self.names
    }

    /// How to reach the cluster of a context; none for the current one.
    pub(super) async fn config(&self, context: Option<&str>) -> Result<Config, ConfigurationError> {
        let options = KubeConfigOptions {
            context: context.map(Into::into),
            ..Default::default()
        };
        let config = Config::from_custom_kubeconfig(self.merged.clone(), &options).await;
        let mut config = config.map_err(|error| {
            ConfigurationError(format!("kubeconfig {}: {}", self.names, unusable(&error)))
        })?;
        // What the environment says of proxies was taken into it, by rules that are not kubectl's: see `proxy`.
        config.proxy_url = super::proxy::choose(
            self.proxy_url(context),
            &config.cluster_url,
            super::proxy::environment,
        )?;
        Ok(config)
    }

    fn proxy_url(&self, context: Option<&str>) -> Option<&str> {
        let merged = &self.merged;
        let context = context.or(merged.current_context.as_deref())?;
        let named = merged.contexts.iter().find(|named| named.name == context)?;
        let cluster = &named.context.as_ref()?.cluster;
        let named = merged
            .clusters
            .iter()
            .find(|named| named.name == *cluster)?;
        named.cluster.as_ref()?.proxy_url.as_deref()
    }
}

/// `~/.kube/config`; none without a home.
pub(super) fn default_kubeconfig() -> Option<PathBuf> {
    std::env::var_os("HOME").map(|home| Path::new(&home).join(".kube/config"))
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

    fn written(files: &[&str]) -> (tempfile::TempDir, Vec<PathBuf>) {
        let directory = tempfile::tempdir().unwrap();
        let write = |(number, text): (usize, &&str)| {
            let path = directory.path().join(number.to_string());
            std::fs::write(&path, text).unwrap();
            path
        };
        let paths = files.iter().enumerate().map(write).collect();
        (directory, paths)
    }

    #[test]
    fn the_first_of_two_entries_counts_and_an_empty_choice_chooses_nothing() {
        let (_directory, files) = written(&[
            "current-context: ''\ncontexts: [{name: a, context: {cluster: c, namespace: first}}]",
            "current-context: b\ncontexts: [{name: a, context: {cluster: c, namespace: second}}, {name: b, context: {cluster: c}}]",
        ]);
        let kubeconfig = Kubeconfig::read(&files).unwrap();
        assert_eq!(kubeconfig.contexts().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(kubeconfig.merged.current_context.as_deref(), Some("b"));
        assert!(kubeconfig.has("a") && !kubeconfig.has("c"));
    }

    #[test]
    fn a_context_has_its_own_namespace_or_default() {
        let (_directory, files) = written(&[
            "contexts: [{name: a, context: {cluster: c, namespace: shop}}, {name: b, context: {cluster: c, namespace: ''}}]",
        ]);
        let kubeconfig = Kubeconfig::read(&files).unwrap();
        let of = |context| kubeconfig.namespace(context).to_owned();
        assert_eq!(
            [of("a"), of("b"), of("none")],
            ["shop", "default", "default"]
        );
    }

    #[test]
    fn lists_of_files_are_kubectls() {
        let of = |list: &str| Kubeconfig::files(Some(OsStr::new(list)));
        assert_eq!(of("/a::/b"), [Path::new("/a"), Path::new("/b")]);
        assert!(of("").iter().all(|path| path.ends_with(".kube/config")));
    }

    #[tokio::test]
    async fn a_clusters_own_proxy_is_used() {
        let (_directory, files) = written(&[
            "clusters: [{name: c, cluster: {server: 'https://192.0.2.1', proxy-url: 'socks5://127.0.0.1:9'}}]\n\
             contexts: [{name: a, context: {cluster: c}}]",
        ]);
        let config = Kubeconfig::read(&files)
            .unwrap()
            .config(Some("a"))
            .await
            .unwrap();
        assert_eq!(
            config.proxy_url.unwrap().to_string(),
            "socks5://127.0.0.1:9/"
        );
    }
}
