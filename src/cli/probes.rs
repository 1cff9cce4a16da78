//! `/healthz`, `/readyz` and `/metrics`, at the address of `--listen`.

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// What a role says of itself.
pub trait Probed: Clone + Send + Sync + 'static {
    /// Whether it does what it is for, and why not, in one line.
    fn ready(&self) -> (bool, String);

    /// Its figures in the Prometheus text format.
    fn metrics(&self) -> String;
}

/// Answers for a role until the handle is aborted; for nobody without an address.
///
/// # Errors
/// When the address is not free.
pub async fn serve_probes(address: Option<SocketAddr>, probed: impl Probed) -> Result<AbortHandle> {
    let Some(address) = address else {
        return Ok(tokio::spawn(std::future::pending::<()>()).abort_handle());
    };
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("--listen {address}: choose an address that is free"))?;
    let local = listener.local_addr()?;
    tracing::info!(%local, "serving /healthz, /readyz and /metrics");
    let served = axum::serve(listener, router(probed));
    Ok(tokio::spawn(async move {
        if let Err(error) = served.await {
            tracing::error!(%error, "/healthz, /readyz and /metrics ended");
        }
    })
    .abort_handle())
}

fn router<P: Probed>(probed: P) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready::<P>))
        .route("/metrics", get(metrics::<P>))
        .with_state(probed)
}

async fn ready<P: Probed>(State(probed): State<P>) -> impl IntoResponse {
    let (ready, words) = probed.ready();
    let code = match ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    // What is quoted in it may come from anywhere.
    (code, format!("{}\n", words.replace(char::is_control, " ")))
}

async fn metrics<P: Probed>(State(probed): State<P>) -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, probed.metrics())
}
