//! The HTTP stack under a [`kube::Client`].

use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::Config;
use kube::client::{Body, ClientBuilder, ConfigExt};
use tower::{BoxError, ServiceBuilder};

/// A client with connections of its own; none is opened yet.
///
/// kube-rs's own stack leaves Nagle's algorithm on: the first request over each connection then waits until the server
/// acknowledges the end of the TLS handshake, 40 ms with Linux's delayed acknowledgements, as long as a whole list of
/// few objects takes. Who reaches the server through a proxy waits for that anyway, and has kube-rs's stack.
///
/// # Errors
/// When the configuration's credentials cannot be used.
pub(super) fn client(config: Config) -> Result<kube::Client, kube::Error> {
    if config.proxy_url.is_some() {
        return kube::Client::try_from(config);
    }
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let mut connector = TimeoutConnector::new(config.rustls_https_connector_with_connector(tcp)?);
    connector.set_connect_timeout(config.connect_timeout);
    let http: Http<_, Body> = Http::builder(TokioExecutor::new()).build(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(http);
    Ok(ClientBuilder::new(service, config.default_namespace).build())
}
