//! What there is without us: lists straight from the API server, and a kube-rs watcher.

use crate::arguments::Form;
use anyhow::{Context, Result, bail};
use futures::TryStreamExt;
use http_body_util::BodyExt;
use k8s_openapi::api::core::v1::Pod;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::watcher;
use kube::{Api, Client, Config};
use serde::Deserialize;
use std::path::Path;
use std::time::Instant;
use tokio::sync::mpsc;

/// The pages that the syncer asks for.
const PAGE: u32 = 500;

/// A client with connections of its own.
pub(crate) async fn client(kubeconfig: &Path) -> Result<Client> {
    let read = Kubeconfig::read_from(kubeconfig)?;
    let mut config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
    config.read_timeout = None;
    Ok(Client::try_from(config)?)
}

/// What a list brought.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed {
    pub(crate) seconds: f64,
    /// Of all bodies.
    pub(crate) bytes: f64,
}

/// Lists all pods over a new connection, in pages, in the form in which the syncer asks for them, and looks at no more
/// of it than where the next page begins.
pub(crate) async fn list(kubeconfig: &Path, form: Form) -> Result<Listed> {
    let (accept, more) = match form {
        Form::Rows => (
            "application/json;as=Table;g=meta.k8s.io;v=v1,application/json",
            "&includeObject=Object",
        ),
        Form::Objects => ("application/json", ""),
    };
    let begin = Instant::now();
    let client = client(kubeconfig).await?;
    let mut bytes = 0;
    let mut next = String::new();
    loop {
        let url = format!("/api/v1/pods?limit={PAGE}&continue={next}{more}");
        let body = get(&client, &url, accept).await?;
        bytes += body.len();
        let list: List = serde_json::from_slice(&body).context("a list")?;
        next = list.metadata.next;
        if next.is_empty() {
            break;
        }
    }
    Ok(Listed {
        seconds: begin.elapsed().as_secs_f64(),
        bytes: bytes as f64,
    })
}

#[derive(Deserialize)]
struct List {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    /// Base64 of the URL kind: nothing to escape.
    #[serde(default, rename = "continue")]
    next: String,
}

async fn get(client: &Client, url: &str, accept: &str) -> Result<bytes::Bytes> {
    let request = http::Request::get(url)
        .header("accept", accept)
        .header("accept-encoding", "identity")
        .body(Body::empty())?;
    let response = client.send(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    if !status.is_success() {
        bail!("{url}: {status}: {}", String::from_utf8_lossy(&body));
    }
    Ok(body)
}

/// A pod as a watcher saw it: its name, how often it was restarted, and when.
pub(crate) type Seen = (String, u32, Instant);

/// Starts a kube-rs watcher over all pods; what it sees comes through the receiver, until that is dropped. Returns when
/// the first list is whole.
pub(crate) async fn watch(client: Client) -> Result<mpsc::UnboundedReceiver<Seen>> {
    let (seen, receiver) = mpsc::unbounded_channel();
    let (ready, listed) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let mut ready = Some(ready);
        let mut events = Box::pin(watcher(Api::<Pod>::all(client), watcher::Config::default()));
        while let Ok(Some(event)) = events.try_next().await {
            let pod = match event {
                watcher::Event::Apply(pod) => pod,
                watcher::Event::InitDone => {
                    // Nobody waits any more after the first time.
                    let _ = ready.take().map(|ready| ready.send(()));
                    continue;
                }
                _ => continue,
            };
            let now = Instant::now();
            let restarts = restarts(&pod);
            if seen
                .send((pod.metadata.name.unwrap_or_default(), restarts, now))
                .is_err()
            {
                return;
            }
        }
    });
    listed.await.context("the kube-rs watcher ended")?;
    Ok(receiver)
}

fn restarts(pod: &Pod) -> u32 {
    let statuses = pod
        .status
        .as_ref()
        .and_then(|status| status.container_statuses.as_ref());
    let first = statuses.and_then(|statuses| statuses.first());
    first
        .and_then(|status| u32::try_from(status.restart_count).ok())
        .unwrap_or_default()
}
