//! Requests in, bytes out: the HTTP side of one API server.

use super::clock::ServerClock;
use super::configuration::{Access, ConfigurationError};
use super::failure::Failure;
use super::lines::Lines;
use super::patience::Patience;
use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, DATE, ETAG, IF_NONE_MATCH, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use kube::client::Body;
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Plain JSON.
pub(super) const JSON: &str = "application/json";

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) bytes: Bytes,
    pub(super) etag: Option<String>,
}

/// The connections to one API server.
///
/// kube speaks HTTP/1.1, so that every request under way has a connection of its own: a watch that hangs takes nothing
/// with it. Probes have their own pool besides: what they say is about the server, never about an old connection that
/// lies idle among those of the lists.
pub(super) struct Client {
    requests: kube::Client,
    probes: kube::Client,
    server: String,
    patience: Patience,
    clock: Mutex<ServerClock>,
}

impl Client {
    /// Prepares the connections; none is opened yet. Needs a tokio runtime.
    pub(super) async fn new(
        access: &Access,
        patience: Patience,
    ) -> Result<Self, ConfigurationError> {
        Self::of(access.load().await?, patience)
    }

    /// The same, where everything is known already.
    pub(super) fn of(config: kube::Config, patience: Patience) -> Result<Self, ConfigurationError> {
        let server = config.cluster_url.to_string();
        let server = server.trim_end_matches('/');
        let client = || {
            kube::Client::try_from(config.clone()).map_err(|error| {
                let why = innermost(&error);
                ConfigurationError(format!(
                    "the credentials for {server} cannot be used: {why}"
                ))
            })
        };
        Ok(Self {
            requests: client()?,
            probes: client()?,
            server: server.into(),
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
        &self.server
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
        self.bounded(self.patience.answer, async {
            let response = self.send(&self.requests, request).await?;
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

    /// Opens a watch: its lines come when they come.
    pub(super) async fn watch(&self, path: &str, accept: &str) -> Result<Lines, Failure> {
        let request = request(path, accept, None)?;
        self.bounded(self.patience.watch_opens, async {
            let response = self.send(&self.requests, request).await?;
            if response.status().is_success() {
                return Ok(Lines::new(
                    response.into_body(),
                    &self.server,
                    self.patience.watch_silence,
                ));
            }
            // Unreachable beyond the error: `succeeded` of an unsuccessful answer is one.
            self.succeeded(response).await?;
            Err(Failure::unavailable("the watch was not opened"))
        })
        .await
    }

    /// Asks for a sign of life, on a connection that carries nothing else.
    ///
    /// `/readyz` says whether the server reaches its etcd, too: one that does not has only old news. Any answer below
    /// 500 counts: who may not read `/readyz` was still answered.
    pub(super) async fn probe(&self) -> Result<(), String> {
        let request = request("/readyz", "*/*", None).map_err(|error| error.to_string())?;
        let answered = self.bounded(self.patience.probe, async {
            let response = self.send(&self.probes, request).await?;
            let status = response.status();
            // Read to its end, so that the connection can be used again.
            let _ = response.into_body().collect().await;
            match status.is_server_error() {
                true => Err(Failure::unavailable(format!(
                    "the API server at {} says that it is not ready ({status})",
                    self.server
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

    async fn send(
        &self,
        client: &kube::Client,
        request: Request<Body>,
    ) -> Result<Response<Body>, Failure> {
        let sent = own_ms();
        let response = client
            .send(request)
            .await
            .map_err(|error| self.unreachable(&error))?;
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
        let body = body
            .collect()
            .await
            .map_err(|error| self.broken(&error))?
            .to_bytes();
        if head.status.is_success() {
            return Ok(body);
        }
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
                self.server
            )))
        })
    }

    fn unreachable(&self, error: &kube::Error) -> Failure {
        if let kube::Error::Auth(error) = error {
            let why = innermost(error);
            return Failure::unavailable(format!("no credentials for {}: {why}", self.server));
        }
        let why = innermost(error);
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
            self.server
        ))
    }

    fn broken(&self, error: &(dyn std::error::Error + 'static)) -> Failure {
        let why = innermost(error);
        Failure::unavailable(format!(
            "the API server at {} broke off: {why}",
            self.server
        ))
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
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
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
