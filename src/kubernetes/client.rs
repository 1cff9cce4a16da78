//! Requests in, bytes out: the HTTP side of one API server.

use super::clock::ServerClock;
use super::configuration::ConfigurationError;
use super::connections::{Connections, Pair};
use super::credentials::Login;
use super::failure::Failure;
use super::lines::{Lines, Pieces};
use super::patience::Patience;
use crate::clock::wall_ms;
use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, DATE, ETAG, IF_NONE_MATCH, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use kube::Config;
use kube::client::Body;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Plain JSON.
pub(super) const JSON: &str = "application/json";

/// The most that is read of an answer that brings no data, in bytes.
const ERROR: usize = 1024 * 1024;

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) bytes: Bytes,
    pub(super) etag: Option<String>,
}

/// Talks to one API server.
pub(super) struct Client {
    connections: Connections,
    patience: Patience,
    clock: Mutex<ServerClock>,
}

/// Which of the connections.
#[derive(Clone, Copy)]
enum Purpose {
    Request,
    Probe,
}

impl Client {
    /// Prepares the connections; none is opened yet, but a credential plugin is run. Needs a tokio runtime.
    pub(super) async fn new(
        mut config: Config,
        login: Login,
        patience: Patience,
    ) -> Result<Self, ConfigurationError> {
        let (Login::Unattended(limit) | Login::AtTerminal(limit)) = login;
        config.connect_timeout = Some(limit.min(patience.connect));
        // A watch may be quiet for a minute, and who retries here is `list_watch`, which tells its consumers.
        config.read_timeout = None;
        config.default_retry = false;
        Ok(Self {
            connections: Connections::new(config, login).await?,
            patience,
            clock: Mutex::default(),
        })
    }

    /// How long everything waits.
    pub(super) fn patience(&self) -> &Patience {
        &self.patience
    }

    /// The server's URL, to be shown.
    pub(super) fn server(&self) -> &str {
        self.connections.server()
    }

    /// A whole answer.
    pub(super) async fn get(&self, path: &str, accept: &str) -> Result<Bytes, Failure> {
        Ok(self
            .ask(path, accept, None)
            .await?
            .map_or(Bytes::new(), |answer| answer.bytes))
    }

    /// A whole answer, or none if it still is the one with that ETag.
    pub(super) async fn ask(
        &self,
        path: &str,
        accept: &str,
        etag: Option<&str>,
    ) -> Result<Option<Answer>, Failure> {
        let request = request(path, accept, etag)?;
        let pair = self.connections.pair().await?;
        self.bounded(self.patience.answer, async {
            let response = self.send(&pair, Purpose::Request, request).await?;
            if response.status() == StatusCode::NOT_MODIFIED {
                return Ok(None);
            }
            let etag = response.headers().get(ETAG);
            let etag = etag.and_then(|value| value.to_str().ok()).map(Into::into);
            let bytes = self.succeeded(response).await?;
            Ok(Some(Answer { bytes, etag }))
        })
        .await
    }

    /// Sends a request that may change something; the body of its answer.
    pub(super) async fn exchange(&self, request: Request<Body>) -> Result<Bytes, Failure> {
        let pair = self.connections.pair().await?;
        self.bounded(self.patience.answer, async {
            let response = self.send(&pair, Purpose::Request, request).await?;
            self.succeeded(response).await
        })
        .await
    }

    /// Opens a watch: its lines come when they come.
    pub(super) async fn watch(&self, path: &str, accept: &str) -> Result<Lines, Failure> {
        let body = self.open(path, accept).await?;
        Ok(Lines::new(body, self.server(), self.patience.watch_silence))
    }

    /// Opens a log: its text comes when it comes.
    pub(super) async fn log(&self, path: &str) -> Result<Pieces, Failure> {
        let body = self.open(path, "*/*").await?;
        Ok(Pieces::new(body, self.server(), self.patience.log_silence))
    }

    async fn open(&self, path: &str, accept: &str) -> Result<Body, Failure> {
        let request = request(path, accept, None)?;
        let pair = self.connections.pair().await?;
        self.bounded(self.patience.watch_opens, async {
            let response = self.send(&pair, Purpose::Request, request).await?;
            if response.status().is_success() {
                return Ok(response.into_body());
            }
            // Unreachable beyond the error: `succeeded` of an unsuccessful answer is one.
            self.succeeded(response).await?;
            Err(Failure::unavailable("nothing was opened"))
        })
        .await
    }

    /// Asks for a sign of life, on a connection that carries nothing else.
    ///
    /// `/readyz` says whether the server reaches its etcd, too: one that does not has only old news. Any answer below
    /// 500 counts: who may not read `/readyz` was still answered.
    pub(super) async fn probe(&self) -> Result<(), String> {
        let request = request("/readyz", "*/*", None).map_err(|error| error.to_string())?;
        let pair = self
            .connections
            .pair()
            .await
            .map_err(|error| error.to_string())?;
        let answered = self.bounded(self.patience.probe, async {
            let response = self.send(&pair, Purpose::Probe, request).await?;
            let status = response.status();
            // Read to its end, so that the connection can be used again.
            let _ = Limited::new(response.into_body(), ERROR).collect().await;
            match status.is_server_error() {
                true => Err(Failure::unavailable(format!(
                    "the API server at {} says that it is not ready ({status})",
                    self.server()
                ))),
                false => Ok(()),
            }
        });
        answered.await.map_err(|error| error.to_string())
    }

    /// The API server's clock, in ms since 1970.
    pub(super) fn now_ms(&self) -> i64 {
        own_ms() + self.clock().offset()
    }

    fn clock(&self) -> std::sync::MutexGuard<'_, ServerClock> {
        // A clock is never half written: poison means nothing here.
        self.clock
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The caller has logged in before its time began to run: a credential plugin has a limit of its own.
    async fn send(
        &self,
        pair: &Arc<Pair>,
        purpose: Purpose,
        request: Request<Body>,
    ) -> Result<Response<Body>, Failure> {
        let sent = own_ms();
        let response = pair
            .of(purpose)
            .send(request)
            .await
            .map_err(|error| self.unreachable(&error))?;
        if response.status() == StatusCode::UNAUTHORIZED {
            self.connections.unauthorized(pair).await;
        }
        let date = response
            .headers()
            .get(DATE)
            .and_then(|value| value.to_str().ok());
        if let Some(date) = date.and_then(http_date) {
            self.clock().observe(sent, own_ms(), date);
        }
        Ok(response)
    }

    /// The body of a successful answer; what an unsuccessful one says.
    async fn succeeded(&self, response: Response<Body>) -> Result<Bytes, Failure> {
        let (head, body) = response.into_parts();
        if head.status.is_success() {
            let body = body.collect().await;
            return Ok(body.map_err(|error| self.broken(&error))?.to_bytes());
        }
        let body = Limited::new(body, ERROR).collect().await;
        let body = body.map_err(|error| self.broken(&*error))?.to_bytes();
        let retry_after = head
            .headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        let retry_after = retry_after
            .and_then(|value| value.parse().ok())
            .map(Duration::from_secs);
        Err(Failure::of_answer(head.status, &body, retry_after))
    }

    async fn bounded<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let result = tokio::time::timeout(limit, work).await;
        result.unwrap_or_else(|_| {
            Err(Failure::unavailable(format!(
                "the API server at {} does not answer (waited {limit:?})",
                self.server()
            )))
        })
    }

    fn unreachable(&self, error: &kube::Error) -> Failure {
        if let kube::Error::Auth(error) = error {
            let why = innermost(error);
            return Failure::unavailable(format!("no credentials for {}: {why}", self.server()));
        }
        let why = match innermost(error) {
            late if late == "deadline has elapsed" => self.connections.late(),
            why => why,
        };
        let hint = match why.as_str() {
            why if why.contains("refused") => "; is it running, and is this its address?",
            why if why.contains("certificate") => {
                "; is its certificate-authority in the kubeconfig the right one?"
            }
            why if why.contains("lookup") => "; is its name right?",
            _ => "",
        };
        Failure::unavailable(format!(
            "cannot reach the API server at {}: {why}{hint}",
            self.server()
        ))
    }

    fn broken(&self, error: &(dyn std::error::Error + 'static)) -> Failure {
        let why = innermost(error);
        Failure::unavailable(format!(
            "the API server at {} broke off: {why}",
            self.server()
        ))
    }
}

impl Pair {
    fn of(&self, purpose: Purpose) -> &kube::Client {
        match purpose {
            Purpose::Request => &self.requests,
            Purpose::Probe => &self.probes,
        }
    }
}

/// The words of the error at the root: `Connection refused`, rather than what each layer makes of it.
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string().lines().next().unwrap_or_default().into()
}

fn request(path: &str, accept: &str, etag: Option<&str>) -> Result<Request<Body>, Failure> {
    let mut builder = Request::get(path)
        .header(ACCEPT, accept)
        // Newer servers compress each event of a watch; and the way from a syncer to its API server is short.
        .header(ACCEPT_ENCODING, "identity");
    if let Some(etag) = etag {
        builder = builder.header(IF_NONE_MATCH, etag);
    }
    let request = builder.body(Body::empty());
    request.map_err(|error| Failure::unavailable(format!("no request can be made of it: {error}")))
}

fn own_ms() -> i64 {
    i64::try_from(wall_ms()).unwrap_or(i64::MAX)
}

/// `Tue, 24 Nov 2026 23:59:00 GMT`, in ms since 1970.
fn http_date(text: &str) -> Option<i64> {
    let parsed = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(parsed.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_headers_are_read() {
        assert_eq!(
            http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777_000)
        );
        assert_eq!(http_date("yesterday"), None);
    }
}
