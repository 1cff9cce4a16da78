//! One API server as the upstream of a source.

use super::catalog::{Catalog, Resource};
use super::client::{Client, JSON};
use super::configuration::{Access, ConfigurationError};
use super::credentials::Login;
use super::discovery::Discovery;
use super::failure::Failure;
use super::kubeconfig::Kubeconfig;
use super::patience::Patience;
use super::write::WriteError;
use super::{list_watch, log, request, resources};
use crate::protocol::message::{LogSelection, Selection, View};
use crate::protocol::selector::{FieldSelector, LabelSelector};
use crate::source::{BoxFuture, Event, Identity, Refusal, Resolved, Upstream, UpstreamError};
use bytes::Bytes;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// A known word is looked up in a catalog of at most this age, so that a resource's next version is noticed.
const CATALOG_AGE: Duration = Duration::from_secs(30);

/// A cluster, by its API server. Needs only `get`, `list` and `watch` of what is to be seen, and `get` of the namespace
/// `kube-system` to know which cluster it is. Cheap to clone.
#[derive(Clone)]
pub struct Kubernetes {
    client: Arc<Client>,
    discovery: Arc<Discovery>,
    show_secrets: bool,
    /// As whom objects are written, if not as ourselves.
    pub(super) user: Option<String>,
}

impl Kubernetes {
    /// Prepares to talk to a cluster; nothing is sent yet. Needs a tokio runtime.
    ///
    /// `show_secrets` lets all values of all Secrets leave the cluster (see `secret`).
    pub async fn connect(access: &Access, show_secrets: bool) -> Result<Self, ConfigurationError> {
        Self::with_patience(access, show_secrets, Patience::default()).await
    }

    /// Prepares to talk to an API server that lets everybody in, such as the playground's.
    pub(crate) async fn open(url: http::Uri) -> Result<Self, ConfigurationError> {
        let patience = Patience::default();
        let login = Login::Unattended(patience.login);
        let client = Client::new(kube::Config::new(url), login, patience).await?;
        Ok(Self::of(client, false))
    }

    /// As [`Kubernetes::connect`], with other waits: for tests.
    pub(crate) async fn with_patience(
        access: &Access,
        show_secrets: bool,
        patience: Patience,
    ) -> Result<Self, ConfigurationError> {
        let login = Login::Unattended(patience.login);
        let client = Client::new(access.load().await?, login, patience).await?;
        Ok(Self::of(client, show_secrets))
    }

    fn of(client: Client, show_secrets: bool) -> Self {
        Self {
            client: Arc::new(client),
            discovery: Arc::default(),
            show_secrets,
            user: None,
        }
    }

    /// Prepares to talk to the cluster of a context, within the limits of `login`; no values of Secrets leave it but of
    /// those that allow it. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the context cannot be used, or its credential plugin gives nothing.
    pub async fn of_context(
        kubeconfig: &Kubeconfig,
        context: &str,
        login: Login,
    ) -> Result<Self, ConfigurationError> {
        let config = kubeconfig.config(Some(context)).await?;
        let client = Client::new(config, login, Patience::default()).await?;
        Ok(Self::of(client, false))
    }

    /// What talks to the API server.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// What the server has, as of at most so long ago; that is never less than what keeps it from being asked all the time.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn catalog(&self, age: Duration) -> Result<Arc<Catalog>, WriteError> {
        let age = age.max(self.client.patience().discovery);
        Ok(self.discovery.catalog(&self.client, age).await?)
    }

    async fn read<T: for<'de> Deserialize<'de>>(&self, path: &str) -> Result<T, Failure> {
        let bytes = self.client.get(path, JSON).await?;
        let unlike = |error| {
            Failure::unavailable(format!("{path} of the API server cannot be read: {error}"))
        };
        serde_json::from_slice(&bytes).map_err(unlike)
    }

    async fn identity(&self) -> Result<Identity, Failure> {
        let version: Version = self.read("/version").await?;
        let cluster_uid = match self
            .read::<Namespace>("/api/v1/namespaces/kube-system")
            .await
        {
            Ok(namespace) => namespace.metadata.uid,
            Err(Failure::Refused(refusal)) => {
                tracing::warn!(%refusal, "which cluster this is stays unknown: let me get the namespace kube-system");
                String::new()
            }
            Err(failure) => return Err(failure),
        };
        Ok(Identity {
            cluster_uid,
            kubernetes_version: version.git_version,
        })
    }

    async fn resolve_words(&self, selection: &Selection) -> Result<Resolved, Failure> {
        let resource = match selection.view {
            View::Resources | View::Source => Resource::default(),
            View::Work | View::Status => return Err(no_work()),
            View::Rows | View::Objects => self.resource(&selection.resource).await?,
        };
        let namespace = match resource.namespaced {
            true => selection.namespace.as_str(),
            false => "",
        };
        request::check_namespace(namespace).map_err(Failure::Refused)?;
        let objects = selection.view == View::Objects;
        let secrets = resource.group.is_empty() && resource.name == "secrets";
        let mut resolved = Resolved {
            namespaced: resource.namespaced,
            watchable: resource.can("watch"),
            namespace: namespace.into(),
            labels: String::new(),
            fields: String::new(),
            view: selection.view,
            managed_fields: selection.managed_fields && objects,
            secret_values: selection.secret_values && objects && secrets,
            group: resource.group,
            version: resource.version,
            plural: resource.name,
            kind: resource.kind,
        };
        if !resolved.plural.is_empty() {
            self.resolve_selectors(selection, &mut resolved).await?;
        }
        Ok(resolved)
    }

    async fn resource(&self, word: &str) -> Result<Resource, Failure> {
        // A word that is not known may have been installed a moment ago.
        for age in [CATALOG_AGE, self.client.patience().discovery] {
            let catalog = self.discovery.catalog(&self.client, age).await?;
            match catalog.resolve(word) {
                Some(resource) if resource.can("list") => return Ok(resource.clone()),
                Some(_) => return Err(not_listable()),
                None => {}
            }
        }
        Err(unknown(word))
    }

    async fn resolve_selectors(
        &self,
        typed: &Selection,
        resolved: &mut Resolved,
    ) -> Result<(), Failure> {
        let (labels, fields) = (typed.labels.trim(), typed.fields.trim());
        match (LabelSelector::parse(labels), FieldSelector::parse(fields)) {
            (Ok(labels), Ok(fields)) => {
                resolved.labels = labels.to_string();
                resolved.fields = fields.to_string();
            }
            _ => {
                // A newer server may read what we cannot; and what is wrong is said in its words.
                resolved.labels = labels.into();
                resolved.fields = fields.into();
                let url = request::list(resolved, "", Some(1), "");
                self.client
                    .get(&url, JSON)
                    .await
                    .map_err(|failure| match failure {
                        Failure::Refused(refusal) => {
                            Failure::Refused(request::enhanced(refusal, resolved))
                        }
                        other => other,
                    })?;
            }
        }
        Ok(())
    }

    async fn singular(&self, resolved: &Resolved) -> String {
        let Resolved {
            group,
            version,
            plural,
            kind,
            ..
        } = resolved;
        let catalog = self.discovery.catalog(&self.client, Duration::MAX).await;
        let found = catalog
            .ok()
            .and_then(|c| c.find(group, version, plural).map(|r| r.singular.clone()));
        found.unwrap_or_else(|| kind.to_lowercase())
    }
}

impl Upstream for Kubernetes {
    fn resolve<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> BoxFuture<'a, Result<Resolved, UpstreamError>> {
        Box::pin(async move { Ok(self.resolve_words(selection).await?) })
    }

    fn run<'a>(
        &'a self,
        selection: &'a Resolved,
        events: mpsc::Sender<Event>,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            match selection.view {
                View::Rows | View::Objects => {
                    let singular = self.singular(selection).await;
                    list_watch::run(
                        &self.client,
                        selection,
                        &singular,
                        self.show_secrets,
                        events,
                    )
                    .await;
                }
                View::Resources => resources::run(&self.client, &self.discovery, events).await,
                // The source tells about itself; an API server knows nothing of it.
                View::Source | View::Work | View::Status => events.closed().await,
            }
        })
    }

    fn log<'a>(
        &'a self,
        selection: &'a LogSelection,
        pieces: mpsc::Sender<Bytes>,
    ) -> BoxFuture<'a, Result<(), UpstreamError>> {
        Box::pin(async move { Ok(log::read(&self.client, selection, pieces).await?) })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(self.client.probe())
    }

    fn identify(&self) -> BoxFuture<'_, Result<Identity, String>> {
        Box::pin(async move {
            self.identity().await.map_err(|failure| match failure {
                Failure::Refused(refusal) => format!(
                    "the API server at {} refuses: {refusal}; are the kubeconfig's credentials still good?",
                    self.client.server()
                ),
                other => other.to_string(),
            })
        })
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.client.now_ms()).unwrap_or_default()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    git_version: String,
}

#[derive(Deserialize)]
struct Namespace {
    metadata: NamespaceMetadata,
}

#[derive(Deserialize)]
struct NamespaceMetadata {
    uid: String,
}

fn unknown(word: &str) -> Failure {
    let name = word.split('.').next().unwrap_or_default();
    Failure::Refused(Refusal {
        code: 404,
        reason: "NotFound".into(),
        message: format!("the server doesn't have a resource type {name:?}"),
    })
}

fn no_work() -> Failure {
    Failure::Refused(Refusal {
        code: 404,
        reason: "NotFound".into(),
        message: "neither a hub nor an agent serves here".into(),
    })
}

fn not_listable() -> Failure {
    Failure::Refused(Refusal {
        code: 405,
        reason: "MethodNotAllowed".into(),
        message: "the server does not allow this method on the requested resource".into(),
    })
}
