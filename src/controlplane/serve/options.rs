//! Where it is served, and to whom.

use super::access::Access;
use super::{listen, local};
use crate::cli::listen_address;
use crate::store::Store;
use anyhow::{Context, Result, bail};
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// The options of the read API.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ServeArgs {
    /// Serve what is stored as Kubernetes API servers, to be read only: /clusters/NAME is one cluster, /clusters/* all.
    ///
    /// On loopback it may be without TLS and without tokens: whoever is on this machine reads all. Elsewhere both are
    /// needed.
    #[arg(long, value_name = "ADDRESS", value_parser = listen_address)]
    pub serve: Option<SocketAddr>,

    /// The certificate (chain) to serve with, in PEM form.
    #[arg(long, value_name = "FILE", requires_all = ["serve", "serve_key"])]
    pub serve_cert: Option<PathBuf>,

    /// Its private key, in PEM form.
    #[arg(long, value_name = "FILE", requires_all = ["serve", "serve_cert"])]
    pub serve_key: Option<PathBuf>,

    /// Who may read what: a line `token,user` or `token,user,cluster-glob,...` for each.
    #[arg(long, value_name = "FILE", requires = "serve")]
    pub token_file: Option<PathBuf>,

    /// By which URL others reach it: announced at the broker, so that `kubectl mqinformer search`, `history` and
    /// `get --at` find it.
    #[arg(long, value_name = "URL", requires = "serve")]
    pub serve_url: Option<String>,

    /// Under which name it is announced, among the clusters' names.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "controlplane",
        requires = "serve_url"
    )]
    pub serve_name: String,
}

/// The read API, bound to its address.
pub struct Server {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    access: Access,
    /// The name by which others reach it.
    own: Option<Arc<str>>,
}

impl Server {
    /// Reads the files and takes the address; None if nothing is to be served.
    ///
    /// # Errors
    /// One line for people. An address that others can reach is refused without TLS or without tokens.
    pub async fn bind(args: &ServeArgs) -> Result<Option<Self>> {
        let Some(address) = args.serve else {
            return Ok(None);
        };
        let tls = match (&args.serve_cert, &args.serve_key) {
            (Some(certificate), Some(key)) => Some(listen::tls(certificate, key)?),
            _ => None,
        };
        let access = match &args.token_file {
            Some(file) => Access::read(file)?,
            None => Access::Open,
        };
        let guarded = tls.is_some() && args.token_file.is_some();
        if !guarded && !address.ip().is_loopback() {
            bail!(
                "--serve {address}: others can reach this address, so it needs --serve-cert, --serve-key and --token-file; \
                 127.0.0.1 and [::1] do not"
            );
        }
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("--serve {address}: choose an address that is free"))?;
        Ok(Some(Self {
            listener,
            tls,
            access,
            own: args
                .serve_url
                .as_deref()
                .and_then(local::host_of_url)
                .map(Into::into),
        }))
    }

    /// Where it listens: the port that was chosen, if 0 was asked for.
    ///
    /// # Errors
    /// When the socket is gone.
    pub fn local_addr(&self) -> Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Who may read what.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Serves the store, and `more` routes beside it, until `stopped` changes.
    pub async fn run(self, store: Store, more: Router, stopped: watch::Receiver<bool>) {
        let open = matches!(self.access, Access::Open);
        let router = super::router(store, self.access, stopped.clone()).merge(more);
        let own = self.own;
        let router = match open {
            true => router.layer(from_fn(move |request, next| {
                of_this_machine(own.clone(), request, next)
            })),
            false => router,
        };
        listen::serve(self.listener, self.tls, router, stopped).await;
    }
}

async fn of_this_machine(own: Option<Arc<str>>, request: Request, next: Next) -> Response {
    match local::check(&request, own.as_deref()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refused(args: ServeArgs) -> String {
        match Server::bind(&args).await {
            Ok(_) => panic!("accepted"),
            Err(error) => format!("{error:#}"),
        }
    }

    fn at(address: &str) -> ServeArgs {
        ServeArgs {
            serve: Some(address.parse().unwrap()),
            ..ServeArgs::default()
        }
    }

    #[tokio::test]
    async fn what_others_reach_is_guarded() {
        let why = "it needs --serve-cert, --serve-key and --token-file";
        assert!(refused(at("0.0.0.0:0")).await.contains(why));
        assert!(refused(at("[::]:0")).await.contains(why));
        let dir = tempfile::tempdir().unwrap();
        let tokens = dir.path().join("tokens");
        std::fs::write(&tokens, "0123456789abcdef,ann\n").unwrap();
        let with_tokens = ServeArgs {
            token_file: Some(tokens),
            ..at("0.0.0.0:0")
        };
        assert!(
            refused(with_tokens).await.contains(why),
            "tokens in the clear"
        );
        assert!(Server::bind(&at("127.0.0.1:0")).await.unwrap().is_some());
        assert!(Server::bind(&ServeArgs::default()).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn files_that_are_not_there_are_named() {
        let args = ServeArgs {
            token_file: Some("/no/such/tokens".into()),
            ..at("127.0.0.1:0")
        };
        assert!(refused(args).await.contains("--token-file /no/such/tokens"));
        let args = ServeArgs {
            serve_cert: Some("/no/such.crt".into()),
            serve_key: Some("/no/such.key".into()),
            ..at("127.0.0.1:0")
        };
        assert!(refused(args).await.contains("--serve-cert /no/such.crt"));
    }
}
