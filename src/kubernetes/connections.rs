//! The connections to one API server, and the credentials that they were opened with.

use super::configuration::ConfigurationError;
use super::credentials::{Login, Plugin};
use super::failure::Failure;
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
            kube::Client::try_from(config.clone()).map_err(|error| {
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
