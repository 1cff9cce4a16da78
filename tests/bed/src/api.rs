//! A small, blocking client of an API server: for what kubectl is too slow for, or does not do.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::http::{Method, Request};
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsConfigBuilder};
use ureq::typestate::AgentScope;

/// No answer is larger than the list of a very full cluster.
const MAX_BODY: u64 = 1 << 30;

/// A connection pool to one API server, for one user. Clones share it.
#[derive(Clone, Debug)]
pub struct Api {
    agent: Agent,
    server: String,
    token: String,
}

/// What the API server said.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, as it came.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// When it is not.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.body).with_context(|| format!("not JSON: {}", self.body))
    }

    /// Itself, if the status is 2xx.
    ///
    /// # Errors
    /// With the body otherwise.
    pub fn success(self) -> Result<Self> {
        if !(200..300).contains(&self.status) {
            bail!("{}: {}", self.status, self.body.trim());
        }
        Ok(self)
    }
}

impl Api {
    pub(crate) fn new(
        server: &str,
        authority: &str,
        token: &str,
        timeout: Duration,
    ) -> Result<Self> {
        let root = Certificate::from_pem(authority.as_bytes())?;
        let tls = ring()
            .root_certs(RootCerts::new_with_certs(&[root]))
            .build();
        let agent = agent(tls, timeout)
            .http_status_as_error(false)
            .build()
            .new_agent();
        Ok(Self {
            agent,
            server: server.to_owned(),
            token: token.to_owned(),
        })
    }

    /// GET `path`, which begins with `/`.
    ///
    /// # Errors
    /// When there is no answer; an HTTP status is an answer.
    pub fn get(&self, path: &str) -> Result<Answer> {
        self.get_as(path, "application/json")
    }

    /// GET `path` in the form `accept`.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn get_as(&self, path: &str, accept: &str) -> Result<Answer> {
        self.send(Method::GET, path, &[("accept", accept)], String::new())
    }

    /// POST the JSON text `body`.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn post(&self, path: &str, body: String) -> Result<Answer> {
        self.send(
            Method::POST,
            path,
            &[("content-type", "application/json")],
            body,
        )
    }

    /// PATCH with the JSON merge patch `body`: `path` may end in `/status`.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn merge(&self, path: &str, body: String) -> Result<Answer> {
        self.send(
            Method::PATCH,
            path,
            &[("content-type", "application/merge-patch+json")],
            body,
        )
    }

    /// DELETE `path`.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn delete(&self, path: &str) -> Result<Answer> {
        self.send(Method::DELETE, path, &[], String::new())
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Answer> {
        let what = format!("{method} {path}");
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.server));
        request = request.header("authorization", format!("Bearer {}", self.token));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let exchange = || -> Result<Answer> {
            let mut response = if body.is_empty() {
                self.agent.run(request.body(())?)?
            } else {
                self.agent.run(request.body(body)?)?
            };
            let text = response
                .body_mut()
                .with_config()
                .limit(MAX_BODY)
                .read_to_string()?;
            Ok(Answer {
                status: response.status().as_u16(),
                body: text,
            })
        };
        exchange().with_context(|| what)
    }
}

/// A client of components other than the API server. Their certificates are not looked at: they make their own.
pub(crate) fn trusting_agent(timeout: Duration) -> Agent {
    agent(ring().disable_verification(true).build(), timeout)
        .build()
        .new_agent()
}

fn agent(tls: TlsConfig, timeout: Duration) -> ConfigBuilder<AgentScope> {
    Agent::config_builder()
        .tls_config(tls)
        .proxy(None) // whatever the environment says: it is all on 127.0.0.1
        .timeout_global(Some(timeout))
        .max_idle_connections_per_host(32)
        .max_idle_connections(32)
}

fn ring() -> TlsConfigBuilder {
    TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
}

/// Sums the samples of `name` in Prometheus text whose labels include all of `labels`.
pub(crate) fn sum_samples(text: &str, name: &str, labels: &[(&str, &str)]) -> f64 {
    let wanted: Vec<String> = labels
        .iter()
        .map(|(label, value)| format!("{label}=\"{value}\""))
        .collect();
    text.lines()
        .filter_map(|line| line.strip_prefix(name))
        .filter_map(|rest| match rest.strip_prefix('{') {
            Some(rest) => rest.rsplit_once('}'),
            None => rest.starts_with(' ').then_some(("", rest)),
        })
        .filter(|(found, _)| {
            wanted
                .iter()
                .all(|label| found.split(',').any(|one| one == label))
        })
        .filter_map(|(_, value)| value.trim().parse::<f64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_summed_over_the_labels_that_are_not_asked_for() {
        let text = "# TYPE watches gauge\n\
            watches{resource=\"pods\",scope=\"cluster\",verb=\"WATCH\"} 2\n\
            watches{resource=\"pods\",scope=\"namespace\",verb=\"WATCH\"} 1\n\
            watches{resource=\"pods\",scope=\"cluster\",verb=\"CONNECT\"} 50\n\
            watches{resource=\"pods/log\",scope=\"cluster\",verb=\"WATCH\"} 100\n\
            watches_total{resource=\"pods\",verb=\"WATCH\"} 1000\n\
            plain 4.5\n";
        assert_eq!(
            sum_samples(text, "watches", &[("resource", "pods"), ("verb", "WATCH")]),
            3.0
        );
        assert_eq!(sum_samples(text, "plain", &[]), 4.5);
        assert_eq!(sum_samples(text, "absent", &[]), 0.0);
    }
}
