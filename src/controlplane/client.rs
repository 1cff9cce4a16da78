//! Reading a controlplane over HTTP: what `kubectl mqinformer search`, `history` and `get --at` do.
//!
//! Answers are hostile until checked: bounded in length, and made of what their types say.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::ACCEPT;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use kube::client::Body;
use kube::config::{AuthInfo, Config};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use url::form_urlencoded;

/// The longest answer that is read, in bytes: 500 of the largest objects would not fit, 500 usual ones do many times.
const MOST: usize = 256 * 1024 * 1024;

/// Where a controlplane is, and who asks.
#[derive(Clone, Default)]
pub struct Access {
    /// `https://hub.example.com:8443`.
    pub url: String,
    /// A bearer token.
    pub token: Option<String>,
    /// A PEM file with the certificates of the authority that signed the server's; the system's otherwise.
    pub ca_crt: Option<PathBuf>,
    /// It may be silent for so long.
    pub timeout: Duration,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// What was given cannot be used.
    #[error("{0}")]
    Access(String),
    /// It does not answer, or not as a controlplane does.
    #[error("the controlplane {url} does not answer: {why}")]
    Silent {
        /// Where.
        url: String,
        /// What happened.
        why: String,
    },
    /// It said no.
    #[error("{message}")]
    Refused {
        /// The HTTP code.
        code: u16,
        /// In its words.
        message: String,
    },
}

/// A controlplane's read API.
#[derive(Clone)]
pub struct Client {
    http: kube::Client,
    url: String,
    timeout: Duration,
}

/// The answer to a search.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Answer {
    /// The moment that it is of.
    pub as_of: String,
    /// The objects.
    pub items: Vec<Item>,
    /// Where the next page begins.
    pub r#continue: Option<String>,
    /// The columns of the items' cells, by resource.
    pub columns: BTreeMap<String, Vec<Column>>,
    /// The headers of the items' rows, by resource.
    pub headers: BTreeMap<String, Encoded>,
    /// How fresh what is kept of each cluster is.
    pub clusters: Vec<Cluster>,
    /// What else is to be said.
    pub warnings: Vec<String>,
}

/// An object that was found.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Item {
    /// Whose.
    pub cluster: String,
    /// `pods`, `deployments.apps`.
    pub resource: String,
    /// `Pod`.
    pub kind: Option<String>,
    /// Empty for what lives in none.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// When it was made.
    pub created: Option<String>,
    /// `Running`.
    pub phase: Option<String>,
    /// What kubectl would print.
    pub cells: Option<Vec<String>>,
    /// The fields that were asked for.
    pub fields: Option<BTreeMap<String, Value>>,
    /// The row itself, a [`crate::protocol::rows::Row`], if it was asked for.
    pub row: Option<Encoded>,
    /// The whole object, if it was asked for.
    pub object: Option<Value>,
}

/// A column, as the API server's Table has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Column {
    /// `Name`.
    pub name: String,
    /// `string`.
    pub r#type: String,
    /// `name`.
    pub format: String,
    /// 0 is shown always.
    pub priority: i32,
}

/// How fresh what is kept of a cluster is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// `fresh`, `kept`, `stale`, `incomplete`, `missing` or `unknown`.
    pub state: String,
    /// How long ago it was last proven to be what the cluster has.
    pub proven_ago: Option<String>,
    /// Resources of which nothing, or not everything, is there.
    pub missing: Vec<String>,
}

/// Bytes, as JSON has them: base64.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Encoded(pub Bytes);

impl TryFrom<String> for Encoded {
    type Error = base64::DecodeError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Ok(Self(STANDARD.decode(text)?.into()))
    }
}

impl Encoded {
    /// As JSON has them.
    #[must_use]
    pub fn print(bytes: &[u8]) -> String {
        STANDARD.encode(bytes)
    }
}

impl Client {
    /// Prepares to ask; nobody is asked yet. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the URL or the certificates cannot be used, or a token would cross a network unencrypted.
    pub fn new(access: &Access) -> Result<Self, ClientError> {
        let url = access.url.trim_end_matches('/').to_owned();
        let wrong = |why: &str| ClientError::Access(format!("--controlplane {url}: {why}"));
        let uri: Uri = url
            .parse()
            .map_err(|_| wrong("write https://HOST[:PORT]"))?;
        let is_plain = match uri.scheme_str() {
            Some("https") => false,
            Some("http") => true,
            _ => return Err(wrong("write https://HOST[:PORT]")),
        };
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let is_here = host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|it| it.is_loopback());
        if is_plain && access.token.is_some() && !is_here {
            return Err(wrong(
                "a token would cross the network unencrypted; use https://",
            ));
        }
        let mut config = Config::new(uri);
        config.connect_timeout = Some(access.timeout);
        config.read_timeout = None;
        config.default_retry = false;
        config.root_cert = access.ca_crt.as_ref().map(authority).transpose()?;
        config.auth_info = AuthInfo {
            token: access.token.clone().map(Into::into),
            ..AuthInfo::default()
        };
        let http = kube::Client::try_from(config).map_err(|error| wrong(&error.to_string()))?;
        Ok(Self {
            http,
            url,
            timeout: access.timeout,
        })
    }

    /// Asks for a document. The path's segments are encoded already.
    ///
    /// # Errors
    /// When it is silent, or says no.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, ClientError> {
        let bytes = self.bytes(path, query).await?;
        serde_json::from_slice(&bytes).map_err(|_| self.silent("what it said is no JSON"))
    }

    /// Searches.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn search(&self, query: &[(&str, &str)]) -> Result<Answer, ClientError> {
        let bytes = self.bytes("/search", query).await?;
        serde_json::from_slice(&bytes)
            .map_err(|_| self.silent("what it said is no answer to a search"))
    }

    async fn bytes(&self, path: &str, query: &[(&str, &str)]) -> Result<Bytes, ClientError> {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish();
        let mark = if query.is_empty() { "" } else { "?" };
        let request = Request::get(format!("{path}{mark}{query}"))
            .header(ACCEPT, "application/json")
            .body(Body::empty())
            .map_err(|error| self.silent(&error.to_string()))?;
        let answer = async {
            let response = self
                .http
                .send(request)
                .await
                .map_err(|error| self.silent(&cause(&error)))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), MOST).collect().await;
            let bytes = body
                .map_err(|error| self.silent(&error.to_string()))?
                .to_bytes();
            match status.is_success() {
                true => Ok(bytes),
                false => Err(refused(status, &bytes)),
            }
        };
        let silence = || self.silent(&format!("nothing within {:?}", self.timeout));
        tokio::time::timeout(self.timeout, answer)
            .await
            .map_err(|_| silence())?
    }

    fn silent(&self, why: &str) -> ClientError {
        ClientError::Silent {
            url: self.url.clone(),
            why: why.to_owned(),
        }
    }
}

fn authority(file: &PathBuf) -> Result<Vec<Vec<u8>>, ClientError> {
    let failed =
        |why: String| ClientError::Access(format!("--controlplane-ca {}: {why}", file.display()));
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| failed(error.to_string()))?;
    match found.is_empty() {
        true => Err(failed("there is no certificate in it".into())),
        false => Ok(found.into_iter().map(|it| it.to_vec()).collect()),
    }
}

/// What happened at the bottom of it.
fn cause(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

/// A problem's detail, or a Status' message.
fn refused(status: StatusCode, body: &[u8]) -> ClientError {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let words = said["detail"].as_str().or(said["message"].as_str());
    let words = words.map_or_else(|| format!("HTTP {status}"), str::to_owned);
    let message = match status {
        StatusCode::UNAUTHORIZED => format!(
            "the controlplane does not know who asks ({words}): give --controlplane and --token-file"
        ),
        _ => words,
    };
    ClientError::Refused {
        code: status.as_u16(),
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(url: &str, token: Option<&str>) -> Access {
        Access {
            url: url.into(),
            token: token.map(str::to_owned),
            timeout: Duration::from_secs(5),
            ..Access::default()
        }
    }

    #[tokio::test]
    async fn a_token_does_not_cross_a_network_in_the_clear() {
        for url in [
            "https://hub",
            "http://127.0.0.1:1",
            "http://[::1]:1",
            "http://localhost:1/",
        ] {
            assert!(Client::new(&access(url, Some("t"))).is_ok(), "{url}");
        }
        assert!(Client::new(&access("http://hub", None)).is_ok());
        for url in [
            "http://hub",
            "hub",
            "",
            "ftp://hub",
            "http://127.0.0.1.example.com",
        ] {
            assert!(Client::new(&access(url, Some("t"))).is_err(), "{url}");
        }
    }

    #[test]
    fn a_refusal_is_told_in_its_words() {
        let said = |code: u16, body: &str| {
            refused(StatusCode::from_u16(code).unwrap(), body.as_bytes()).to_string()
        };
        assert_eq!(said(400, r#"{"detail":"limit: no"}"#), "limit: no");
        assert_eq!(said(500, "<html>"), "HTTP 500 Internal Server Error");
        assert!(said(401, r#"{"message":"Unauthorized"}"#).contains("--token-file"));
    }
}
