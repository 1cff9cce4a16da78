//! The connections to one API server, and the credentials that they were opened with.

use super::configuration::ConfigurationError;
use super::credentials::{Login, Plugin};
use super::failure::Failure;
use super::transport;
use jiff::Timestamp;
use kube::Config;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Opened when first needed, and anew when what a credential plugin gave has expired or is refused.
pub(super) struct Connections {
    config: Config,
    server: String,
    plugin: Option<Plugin>,
    // Held while a plugin runs: who comes meanwhile waits for that answer instead of running it too.
    open: Mutex<Option<Arc<Pair>>>,
}

/// kube speaks HTTP/1.1, so that every request under way has a connection of its own: a watch that hangs takes nothing
/// with it. Probes have their own pool besides: what they say is about the server, never about an old connection that
/// lies idle among those of the lists.
pub(super) struct Pair {
    pub(super) requests: kube::Client,
    pub(super) probes: kube::Client,
    expires: Option<Timestamp>,
}

impl Connections {
    /// Logs in, which runs a credential plugin; nothing is sent to the server yet. Needs a tokio runtime.
    pub(super) async fn new(mut config: Config, login: Login) -> Result<Self, ConfigurationError> {
        let server = config
            .cluster_url
            .to_string()
            .trim_end_matches('/')
            .to_owned();
        if let Some(provider) = &config.auth_info.auth_provider
            && let Some(why) = removed(&provider.name)
        {
            return Err(ConfigurationError(why));
        }
        let plugin = Plugin::take(&mut config, login);
        let connections = Self {
            config,
            server,
            plugin,
            open: Mutex::default(),
        };
        connections.log_in().await.map_err(ConfigurationError)?;
        Ok(connections)
    }

    /// The server's URL, to be shown.
    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// What is said of a connection that did not come about in time.
    pub(super) fn late(&self) -> String {
        let limit = self.config.connect_timeout.unwrap_or_default();
        format!("no connection within {limit:?}")
    }

    /// Connections whose credentials have not expired.
    pub(super) async fn pair(&self) -> Result<Arc<Pair>, Failure> {
        self.log_in().await.map_err(Failure::unavailable)
    }

    /// The server did not know the credentials of these connections: the next request logs in anew.
    pub(super) async fn unauthorized(&self, refused: &Arc<Pair>) {
        let mut open = self.open.lock().await;
        let is_newest = open
            .as_ref()
            .is_some_and(|newest| Arc::ptr_eq(newest, refused));
        if self.plugin.is_some() && is_newest {
            *open = None;
        }
    }

    async fn log_in(&self) -> Result<Arc<Pair>, String> {
        let mut open = self.open.lock().await;
        if let Some(pair) = open.as_ref().filter(|pair| !pair.has_expired()) {
            return Ok(Arc::clone(pair));
        }
        let mut config = self.config.clone();
        let expires = match &self.plugin {
            Some(plugin) => {
                let got = plugin.run().await;
                let credential = got.map_err(|why| format!("getting credentials: {why}"))?;
                credential.put_into(&mut config);
                credential.expires
            }
            None => None,
        };
        let client = || {
            transport::client(config.clone()).map_err(|error| {
                let why = super::client::innermost(&error);
                format!("the credentials for {} cannot be used: {why}", self.server)
            })
        };
        let pair = Arc::new(Pair {
            requests: client()?,
            probes: client()?,
            expires,
        });
        *open = Some(Arc::clone(&pair));
        Ok(pair)
    }
}

impl Pair {
    fn has_expired(&self) -> bool {
        self.expires
            .is_some_and(|expires| expires <= Timestamp::now())
    }
}

/// What kubectl says of those providers that it had once.
fn removed(provider: &str) -> Option<String> {
    let instead = match provider {
        "gcp" => "gke-gcloud-auth-plugin",
        "azure" => "kubelogin",
        _ => return None,
    };
    Some(format!(
        "The {provider} auth plugin has been removed: use the credential plugin {instead} instead"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::config::ExecConfig;
    use std::path::Path;
    use std::time::Duration;

    /// Connections whose plugin counts its runs in a file, and gives a token that expires then.
    async fn connections(runs: &Path, expires: &str) -> Connections {
        let version = "client.authentication.k8s.io/v1";
        let script = format!(
            r#"printf x >> {}; printf '{{"apiVersion":"{version}","status":{{"token":"t","expirationTimestamp":"{expires}"}}}}'"#,
            runs.display()
        );
        let mut config = Config::new(http::Uri::from_static("https://127.0.0.1:1"));
        config.auth_info.exec = Some(ExecConfig {
            api_version: Some(version.into()),
            command: Some("sh".into()),
            args: Some(vec!["-c".into(), script]),
            ..ExecConfig::default()
        });
        let login = Login::Unattended(Duration::from_secs(30));
        Connections::new(config, login).await.unwrap()
    }

    #[tokio::test]
    async fn a_plugin_is_run_once_and_again_when_its_token_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let runs = directory.path().join("runs");
        let connections = connections(&runs, "2999-01-01T00:00:00Z").await;
        let (first, second) = (
            connections.pair().await.unwrap(),
            connections.pair().await.unwrap(),
        );
        assert!(Arc::ptr_eq(&first, &second));
        for _ in 0..2 {
            // The second time it is an old token that was refused.
            connections.unauthorized(&first).await;
            connections.pair().await.unwrap();
        }
        assert_eq!(std::fs::read_to_string(&runs).unwrap(), "xx");
    }

    #[tokio::test]
    async fn a_plugin_is_run_again_when_its_token_has_expired() {
        let directory = tempfile::tempdir().unwrap();
        let runs = directory.path().join("runs");
        let connections = connections(&runs, "2000-01-01T00:00:00Z").await;
        connections.pair().await.unwrap();
        assert_eq!(std::fs::read_to_string(&runs).unwrap(), "xx");
    }

    #[tokio::test]
    async fn providers_that_kubectl_no_longer_has_are_refused() {
        let mut config = Config::new(http::Uri::from_static("https://127.0.0.1:1"));
        config.auth_info.auth_provider = Some(kube::config::AuthProviderConfig {
            name: "gcp".into(),
            ..Default::default()
        });
        let login = Login::Unattended(Duration::from_secs(1));
        let error = Connections::new(config, login).await.err().unwrap();
        assert!(
            error
                .to_string()
                .starts_with("The gcp auth plugin has been removed"),
            "{error}"
        );
    }
}
