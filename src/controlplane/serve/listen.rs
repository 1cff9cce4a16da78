//! Connections: TLS, and limits on whatever a peer may do with one.
//!
//! A peer that reads slowly is written to slowly: what it is sent is made when it can be written, so nothing queues. One
//! that does not read at all is left after [`STALLED`].

use super::patient::Patient;
use anyhow::{Context, Result};
use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// So many connections at once; the next waits until one ends.
const CONNECTIONS: usize = 4096;
/// So many requests at once on one connection of HTTP/2. client-go has one connection for all of its watches.
const STREAMS: u32 = 1024;
/// All headers of a request.
const HEADERS: usize = 64 * 1024;
/// A request's headers have to be here by then; a connection without requests ends.
const IDLE: Duration = Duration::from_secs(120);
/// A TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A peer that takes nothing for so long is gone.
const STALLED: Duration = Duration::from_secs(60);
/// Connections have so long to end when the server is asked to stop.
const GOODBYE: Duration = Duration::from_secs(5);

/// TLS as a server, of files in PEM form.
pub(super) fn tls(certificate: &Path, key: &Path) -> Result<TlsAcceptor> {
    let file = |flag: &str, path: &Path| format!("{flag} {}", path.display());
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .with_context(|| file("--serve-cert", certificate))?;
    let secret = PrivateKeyDer::from_pem_file(key).with_context(|| file("--serve-key", key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .context("--serve-cert and --serve-key do not fit together")?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Serves connections until `stopped` changes, then lets them end.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accept = async {
            let place = free.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accept => accepted,
            Some(_) = connections.join_next() => continue,
            _ = stopped.changed() => break,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, mostly: it passes when connections end.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (tls, router, stopped) = (tls.clone(), router.clone(), stopped.clone());
        connections.spawn(async move {
            connection(stream, tls, router, stopped).await;
            drop(place);
        });
    }
    let _ = timeout(GOODBYE, async {
        while connections.join_next().await.is_some() {}
    })
    .await;
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    router: Router,
    stopped: watch::Receiver<bool>,
) {
    // A watch's events are small, and each is waited for.
    let _ = stream.set_nodelay(true);
    match tls {
        None => requests(stream, router, stopped).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(HANDSHAKE, tls.accept(stream)).await {
                requests(stream, router, stopped).await;
            }
        }
    }
}

async fn requests(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    let stream = TokioIo::new(Patient::new(stream, STALLED));
    let mut server = Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_buf_size(HEADERS);
    server
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(IDLE)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADERS as u32);
    let service = TowerToHyperService::new(router);
    let connection = server.serve_connection_with_upgrades(stream, service);
    tokio::pin!(connection);
    // How a connection ends is its peer's affair.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
